"""Without torch, commands that need it say first what is wrong with their arguments, and then what to install."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from corpus.errors import UserError
from corpus.pipelines.cli.evaluate import evaluate
from corpus.pipelines.cli.export import export
from corpus.pipelines.cli.generate import generate
from corpus.pipelines.cli.train import train
from corpus.trainer.config import MODEL_SIZES
from corpus.trainer.dataset import open_dataset
from corpus.trainer.start import configure_new_run
from tests.cli.running import run
from tests.ledger.demo import demo_workspace

ROOT = Path(__file__).parents[2]
[TORCH] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["train"]
ADVICE = f"^this command needs torch: pip install {re.escape(repr(str(Requirement(TORCH))))} "
ADVICE += r"\(the extra `train` of corpusmill\)$"


@pytest.fixture(autouse=True)
def _without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [
        name for name in sys.modules if name.startswith(("corpus.inference", "corpus.trainer.loop"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trained(tmp_path: Path) -> str:
    """A run of 7 steps, as far as one can see without reading its checkpoint."""
    workspace = str(demo_workspace())
    config = configure_new_run(open_dataset(workspace), workspace, {"size": "1m", "steps": 7})
    (tmp_path / "run" / "checkpoint" / "step-000000007").mkdir(parents=True)
    (tmp_path / "run" / "config.json").write_text(json.dumps(config.json()))
    return "run"


@pytest.mark.parametrize(
    ("command", "words", "line"),
    [
        (train, "nowhere", "nowhere has no tokens/dataset.json: "),
        (train, "DEMO --size huge", f"--size huge: choose from {next(iter(MODEL_SIZES))}, "),
        (train, "DEMO --steps 3 --tokens 9", "give only one of --steps, --tokens and --minutes"),
        (train, "DEMO --minutes nan", "--minutes nan: must be a number above 0"),
        (train, "DEMO --minutes inf", "--minutes inf: must be a number above 0"),
        (train, "DEMO --minutes -1", "--minutes -1.0: must be a number above 0"),
        (train, "DEMO --device gpu", "--device gpu: choose from auto, cpu, cuda, cuda:N"),
        (train, "DEMO --optimizer sgd", "--optimizer sgd: choose from "),
        (train, "DEMO --lr nan", "--lr nan: must be a number above 0"),
        (train, "DEMO --branch nowhere@3 --out new", "nowhere is not a run: "),
        (train, "DEMO --mixture nowhere.yaml", "--mixture nowhere.yaml: no such file or preset: "),
        (generate, "nowhere", "nowhere is not a run: "),
        (generate, "RUN --step 3", "run/checkpoint: no checkpoint of step 3; available steps: 7"),
        (generate, "RUN --device 0", "--device 0: choose from auto, cpu, cuda, cuda:N"),
        (evaluate, "nowhere", "nowhere is not a run: "),
        (evaluate, "RUN nofile.txt", "nofile.txt: no such file"),
        (evaluate, "RUN --cloze nofile.csv", "nofile.csv: no such file"),
        (evaluate, "RUN --precision fp8", "--precision fp8: choose from auto, bf16, fp32"),
        (export, "nowhere --model --out new", "nowhere is not a run: "),
        (export, "RUN --model --out run", "run already exists: name a new folder"),
    ],
)
def test_what_is_wrong_comes_before_what_is_missing(
    trained: str, command: Callable[..., Any], words: str, line: str
) -> None:
    given = [
        str(demo_workspace()) if word == "DEMO" else trained if word == "RUN" else word
        for word in words.split()
    ]
    with pytest.raises(UserError) as refused:
        run(command, *given)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [(train, "DEMO --out new"), (generate, "RUN"), (evaluate, "RUN"), (export, "RUN --model --out new")],
)
def test_where_all_is_right_the_hint_is_what_to_install(
    trained: str, command: Callable[..., Any], words: str
) -> None:
    given = [
        str(demo_workspace()) if word == "DEMO" else trained if word == "RUN" else word
        for word in words.split()
    ]
    with pytest.raises(UserError, match=ADVICE):
        run(command, *given)
    assert not Path("new").exists()
