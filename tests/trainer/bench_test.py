"""`corpus bench train`, the plain GPT that it measures beside the trainer, and the script for GPUs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from corpus.errors import UserError
from corpus.pipelines.cli import bench
from corpus.trainer.config import find_size
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader
from corpus.trainer.random_shards import write_random_workspace
from corpus.trainer.reference import PlainGPT, make_plain_step
from tests.benchmarks.gpu import measure

app = typer.Typer()
app.add_typer(bench.app, name="bench")
TINY = (
    "bench", "train", "--size", "1m", "--context", "32", "--batch-tokens", "128", "--micro-tokens", "64",
    "--steps", "1", "--device", "cpu",
)  # fmt: skip


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_both_sides_are_measured_and_learn_from_what_they_read() -> None:
    out = json.loads(call(*TINY, "--vocabulary", "500", "--json"))
    assert [out[key] for key in ("device", "size", "context", "step_tokens", "micro_tokens", "vocabulary")] == [
        "cpu", "1m", 32, 128, 64, 500,
    ]  # fmt: skip
    ours, plain = out["results"]
    for result in out["results"]:
        assert result["tokens_per_second"] == pytest.approx(128 / result["step_seconds"])
        assert result["losses"][0] == pytest.approx(math.log(500), abs=1)
        assert result["mfu"] is None, "a CPU has no peak"
        assert 0 < result["fastest_seconds"] <= result["step_seconds"] <= result["slowest_seconds"]
    assert 0 < ours["loader_share"] < 1
    assert plain["loader_share"] is None
    assert ours["parameters"] == find_size("1m").model(vocabulary=500, context=32).parameters()


def test_a_workspace_of_ones_own_is_read_and_shown_as_a_table(workspace: Path) -> None:
    out = call(*TINY, str(workspace), "--no-plain")
    assert "corpus train" in out
    assert "plain PyTorch" not in out
    assert "tokens/s" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("DIR", "--vocabulary", "9"), "--vocabulary"),
        (("nowhere",), "has no tokens/dataset.json"),
        (("--size", "huge"), "--size huge: choose from"),
    ],
)
def test_wrong_input_is_named(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(*TINY, *options)


def test_random_shards_are_those_of_a_build(tmp_path: Path) -> None:
    folder = write_random_workspace(tmp_path / "random", vocabulary=70_000, tokens=20_000)
    dataset = open_dataset(str(folder))
    batch = Loader(dataset, context=64, seed=0).read(0, 50)
    assert batch.tokens.dtype == np.uint32
    assert batch.tokens.max() > 1 << 16
    assert (batch.tokens == dataset.end_of_text).mean() == pytest.approx(1 / 700, rel=0.9)


def test_the_plain_step_is_the_same_in_micro_batches() -> None:
    config = find_size("1m").model(vocabulary=64, context=16)
    tokens = torch.randint(64, (4, 17), generator=torch.Generator().manual_seed(0))
    losses = []
    for samples in (4, 1):
        torch.manual_seed(0)
        step = make_plain_step(PlainGPT(config), torch.device("cpu"), micro_samples=samples, bf16=False)
        losses.append([float(step(tokens)) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][2] < losses[0][0]
    assert PlainGPT(config).flops_per_token() == 6 * (12 * 4 * 96**2 + 64 * 96) + 12 * 4 * 96 * 16


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")),
    ],
)
def test_one_process_of_gloo_or_nccl_has_the_losses_of_none(tmp_path: Path, device: str) -> None:
    options = measure.parse(["--dry", "--out", str(tmp_path)])
    setting = measure.make_setting(options, tmp_path)
    setting = measure.dataclasses.replace(setting, device=torch.device(device))
    write_random_workspace(Path(setting.workspace()), vocabulary=setting.vocabulary, tokens=20_000)
    made = measure.one_process(setting, precision="fp32", compile=False)
    assert set(made["largest_difference"]) == {"alone", "ddp", "fsdp"}
    assert max(made["largest_difference"].values()) < 1e-4


def test_the_script_for_gpus_reports_parts_that_fail_and_goes_on(tmp_path: Path) -> None:
    options = measure.parse(["--dry", "--out", str(tmp_path)])
    setting = measure.make_setting(options, tmp_path)

    def fail(_: measure.Setting) -> dict[str, int]:
        raise RuntimeError("no such kernel")

    parts = [("fails", 9.0, fail), ("works", 9.0, lambda _: {"steps": 3}), ("hangs", 0.1, lambda _: hang())]
    results = [measure.run_part(part, setting, tmp_path, part[1]) for part in parts]
    assert results[0]["error"] == "RuntimeError: no such kernel"
    assert results[1]["steps"] == 3
    assert results[2]["error"] == "not done in 0 s"
    assert "works" in measure.write_table(results, tmp_path)
    assert "no such kernel" in (tmp_path / "logs.txt").read_text()


def hang() -> dict[str, int]:
    import time

    time.sleep(30)
    return {}
