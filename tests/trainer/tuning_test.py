"""What a device decides when a run begins, and that a resumed run keeps to it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from corpus.errors import UserError
from corpus.trainer import tuning
from corpus.trainer.attention import KERNELS, prefer_kernel
from corpus.trainer.dataset import open_dataset
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import Loader
from corpus.trainer.memory import estimate_bytes
from corpus.trainer.start import configure_resumed_run, read_run_config
from tests.trainer.running import assert_same, train
from tests.trainer.sentences import small_run

CPU = torch.device("cpu")


def room_for(config: tuning.RunConfig, samples: int) -> int:
    """Free bytes into which micro-batches of so many windows just fit."""
    config = dataclasses.replace(config, micro_samples=samples)
    return int(estimate_bytes(config, processes=1, bf16=False) / tuning.MEMORY_SHARE) + 1


@pytest.mark.parametrize(("fits", "chosen"), [(12, 12), (11, 6), (5, 4), (1, 1), (0, 1)])
def test_a_micro_batch_is_the_largest_even_part_that_fits(workspace: Path, fits: int, chosen: int) -> None:
    config = small_run(workspace, batch_tokens=12 * 24)
    free = room_for(config, fits) if fits else 1
    assert tuning.choose_micro_samples(config, 1, free, bf16=False) == chosen
    assert tuning.choose_micro_samples(config, 12, free, bf16=False) == 1, "each of twelve has one window"


def test_a_micro_batch_has_at_most_65536_tokens(workspace: Path) -> None:
    config = small_run(workspace, batch_tokens=24 * 8192)
    samples = tuning.choose_micro_samples(config, 1, None, bf16=False)
    assert samples == 2048 <= tuning.MAX_MICRO_TOKENS // 24


def test_a_cpu_decides_nothing(workspace: Path) -> None:
    config = small_run(workspace, batch_tokens=24 * 8192)
    assert set(config.undecided) == {"compile", "micro_samples", "attention"}
    tuned, line = tuning.tune_run(config, CPU, World())
    assert tuned == dataclasses.replace(config, undecided=())
    assert line is None


def test_what_is_given_is_not_decided(workspace: Path) -> None:
    config = small_run(workspace, micro_tokens=48, compile=True)
    assert config.undecided == ("attention",)


def test_a_resumed_run_keeps_the_micro_batch_whatever_memory_is_free_then(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "TUNED_DEVICES", {"cpu"})
    config = small_run(workspace, steps=6, batch_tokens=8 * 24, warmup=0.0, decay=0.0)
    free = {"bytes": room_for(config, 2)}
    monkeypatch.setattr(tuning, "read_free_bytes", lambda device: free["bytes"])
    train(config, tmp_path / "whole")
    train(dataclasses.replace(config, steps=3), tmp_path / "parts")
    free["bytes"] = 1 << 40
    train(configure_resumed_run(tmp_path / "parts", str(workspace), {"steps": 6}), tmp_path / "parts")
    written = read_run_config(tmp_path / "parts")
    assert written.micro_samples == 2
    assert written.undecided == ()
    assert written.attention == "flash", "the one kernel of those that a CPU has"
    assert_same(tmp_path / "whole", tmp_path / "parts")
    train(config, tmp_path / "roomy")
    assert read_run_config(tmp_path / "roomy").micro_samples == 8


def test_the_fastest_kernel_is_chosen_of_those_that_there_are(workspace: Path) -> None:
    seconds = tuning.time_kernels(small_run(workspace), CPU)
    assert set(seconds) == {"flash"}
    assert tuning.find_fastest_kernel(seconds) == "flash"
    assert tuning.find_fastest_kernel({"flash": 2.0, "cudnn": 1.0}) == "cudnn"
    assert tuning.find_fastest_kernel({}) is None


@pytest.mark.parametrize("name", [None, *KERNELS])
def test_a_kernel_that_is_missing_gives_way_to_another(name: str | None) -> None:
    x = torch.randn(1, 2, 8, 4, generator=torch.Generator().manual_seed(0))
    plain = F.scaled_dot_product_attention(x, x, x, is_causal=True)
    with prefer_kernel(name):
        assert torch.allclose(F.scaled_dot_product_attention(x, x, x, is_causal=True), plain, atol=1e-6)


def test_recorded_steps_add_gradients_to_arrays_that_stay(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes with recording, which a CPU cannot do: the numbers are those of plain steps."""
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    config = small_run(workspace, micro_tokens=24, compile=True)
    recorded = dataclasses.replace(config, cuda_graphs=True)
    with pytest.raises(UserError, match="--cuda-graphs needs one process on one GPU"):
        Engine(recorded, CPU, World())
    engines = [Engine(config, CPU, World()) for _ in range(2)]
    engines[1].config, engines[1].device = recorded, torch.device("cuda")
    engines[1]._record_graphs()
    engines[1].device = CPU
    gradients = [parameter.grad for parameter in engines[1].model.parameters()]
    loader = Loader(open_dataset(str(workspace)), context=24, seed=0)
    numbers: list[list[float]] = [[], []]
    for step in range(3):
        batch = loader.read(4 * step, 4 * step + 4)
        for engine, values in zip(engines, numbers, strict=True):
            values += engine.read(engine.backward(batch, 96), engine.clip())
            engine.update(0.01)
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-6)
    assert all(
        parameter.grad is gradient
        for parameter, gradient in zip(engines[1].model.parameters(), gradients, strict=True)
    )
