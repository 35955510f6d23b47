"""What only a GPU can show; skipped where there is none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from corpus.trainer import checkpoint, loop
from corpus.trainer.config import RunConfig
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import SampleBatch
from corpus.trainer.memory import estimate_bytes
from tests.trainer.allocations import count_copy, make_config
from tests.trainer.running import QUIET, assert_same, steps
from tests.trainer.sentences import small_run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
LAST = f"cuda:{torch.cuda.device_count() - 1}"


def run_on(device: str, config: RunConfig, run: Path) -> None:
    loop.train(config, run, device=device, console=QUIET)


@pytest.mark.parametrize("settings", [{}, {"mask_documents": True}, {"compile": True}], ids=str)
def test_a_deterministic_run_resumes_bit_by_bit(
    workspace: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    config = small_run(workspace, steps=12, deterministic=True, precision="bf16", keep_last=9, **settings)
    run_on(LAST, dataclasses.replace(config, save_every=5), tmp_path / "whole")
    folder = tmp_path / "resumed"
    run_on(LAST, dataclasses.replace(config, branch=f"{tmp_path / 'whole'}@5"), folder)
    one, two = (checkpoint.read_step(run / "checkpoint", 12) for run in (tmp_path / "whole", folder))
    assert all(torch.equal(value, two.model[name]) for name, value in one.model.items())
    assert all(torch.equal(value, two.training[name]) for name, value in one.training.items())
    assert steps(folder) == steps(tmp_path / "whole")[5:]


def test_two_deterministic_runs_are_the_same(workspace: Path, tmp_path: Path) -> None:
    config = small_run(workspace, steps=6, deterministic=True)
    for name in ("one", "two"):
        run_on(LAST, config, tmp_path / name)
    assert_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize("order", [("cpu", LAST), (LAST, "cpu")], ids=["to a GPU", "to a CPU"])
def test_a_run_goes_on_elsewhere(workspace: Path, tmp_path: Path, order: tuple[str, str]) -> None:
    config = small_run(workspace, steps=8)
    run_on("cpu", config, tmp_path / "whole")
    run_on(order[0], dataclasses.replace(config, steps=4, decay=0.0), tmp_path / "run")
    run_on(order[1], config, tmp_path / "run")
    assert [entry["loss"] for entry in steps(tmp_path / "run")][:4] == pytest.approx(
        [entry["loss"] for entry in steps(tmp_path / "whole")][:4], rel=1e-3
    )


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize(("size", "tokens"), [("tiny", 16_384), ("gpt2", 16_384), ("gpt2-medium", 8_192)])
def test_an_estimate_is_within_a_seventh_of_the_peak(size: str, tokens: int, compiled: bool) -> None:
    config = make_config(size, tokens, compile=compiled)
    device = torch.device(LAST)
    engine = Engine(config, device, World())
    windows, context = config.batch_samples, config.model.context
    chance = np.random.default_rng(1)
    tokens_of_step = chance.integers(1, config.model.vocabulary, (windows, context + 1), dtype=np.uint16)
    sample = SampleBatch(
        tokens=tokens_of_step,
        lengths=np.full(windows, context + 1, np.int64),
        streams=np.zeros(windows, np.int64),
    )
    for step in range(3):
        if step == 2:
            torch.cuda.reset_peak_memory_stats(device)
        engine.backward(sample, windows * context)
        engine.clip()
        engine.update(1e-3)
    counted = torch.cuda.max_memory_allocated(device) + count_copy(config)
    assert estimate_bytes(config, processes=1, bf16=engine.bf16) == pytest.approx(counted, rel=0.15)
