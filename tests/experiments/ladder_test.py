"""A ladder of tiny runs, whole: trunks, branches, a fit, a prediction that is written once, and its error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from corpus.errors import UserError
from corpus.experiments.experiment_page import write_page
from corpus.experiments.ladder import PreparedLadder, climb, prepare_ladder, read_ladder
from corpus.experiments.sweep import Machine, Sweep, open_sweep
from tests.experiments.small_workspaces import write_small_workspace

LADDER = {
    "workspace": "corpus",
    "sizes": ["d1", "d2"],
    "tokens": 6000,
    "branches": [1, 2, 4],
    "predict": {"size": "d2", "tokens": 40_000},
    "vocabulary": 400,
    "held_out_bytes": 20_000,
    "max_epochs": 30,
    "settings": {"context": 32, "batch_tokens": 512, "precision": "fp32", "learning_rate": 0.005},
}


def write_ladder(folder: Path, **changes: object) -> Path:
    path = folder / "ladder.yaml"
    path.write_text(yaml.safe_dump({**LADDER, **changes}), encoding="utf-8")
    return path


def open_all(prepared: PreparedLadder, **more: Any) -> Sweep:
    experiment, machine = prepared.experiment, Machine(device="cpu", workers=0)
    return open_sweep(experiment.folder, prepared.runs(), experiment.pieces, machine, **more)


def test_a_prediction_is_written_before_its_run_and_checked_after(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    write_small_workspace(tmp_path / "corpus", documents=80, valid=5)
    ladder = read_ladder(write_ladder(tmp_path))
    prepared = prepare_ladder(tmp_path / "exp", ladder)
    assert len(prepared.trunks) == 2 and len(prepared.branches) == 6
    order: list[tuple[str, bool]] = []
    written = tmp_path / "exp" / "prediction.json"
    sweep = open_all(prepared, finished=lambda run: order.append((run.name, written.exists())))
    assert sweep.measure_cost().steps == sum(
        run.settings.get("steps", 79) - run.begin for run in prepared.runs()
    )
    result = climb(prepared, sweep)
    assert [name for name, _ in order][-1] == "d2, 40,000 tokens"
    assert [exists for _, exists in order] == [False] * 8 + [True]
    prediction = json.loads(written.read_text(encoding="utf-8"))
    assert prediction["hash"] == result["prediction"]["hash"] and prediction["written"].startswith("20")
    assert abs(result["measured"]["error_percent"]) < 50
    lengths = [point["tokens"] for point in result["points"]]
    assert lengths[:3] == lengths[3:] and lengths[1] == pytest.approx(2 * lengths[0], rel=0.1)
    write_page(result, tmp_path / "ladder.html")
    page = (tmp_path / "ladder.html").read_text(encoding="utf-8")
    assert result["prediction"]["sentence"] in page and result["measured"]["sentence"] in page
    assert all(f">{name}</td>" in page for name in ("E", "A", "B", "alpha", "beta"))
    before = (tmp_path / "exp" / "result.json").read_bytes()
    again = prepare_ladder(tmp_path / "exp", ladder)
    climb(again, open_all(again))
    assert (tmp_path / "exp" / "result.json").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": ["d1"]}, "3 runs of 1 sizes: a curve needs two sizes"),
        ({"sizes": ["d1", "huge"]}, "sizes: huge: choose from"),
        ({"branches": [1, 1.5]}, "branches: every one must be a multiple of the smallest"),
        ({"tokens": {"d1": 1}}, "tokens: no number for the size d2"),
        ({"token": 3}, "token: Extra inputs are not permitted"),
        ({"tokens": 0}, "tokens"),
    ],
)
def test_a_ladder_that_cannot_be_fitted_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        read_ladder(write_ladder(tmp_path, **changes))
    assert "\n" not in str(refused.value)
