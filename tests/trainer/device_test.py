"""The device of a run: the one that was asked for, and one line where it is not there or lacks something."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from corpus.errors import UserError
from corpus.trainer import checkpoint, device, engine, loop, versions
from corpus.trainer.checkpoint import read_newest
from corpus.trainer.report import list_warnings
from tests.trainer.checkpoint_test import SETTINGS
from tests.trainer.running import assert_same, saved, stop_at, train
from tests.trainer.sentences import small_run

OLD = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver."


class Cuda:
    """Stands for torch.cuda on a machine with `count` GPUs of one name."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, count: int, *, bf16: bool = True, error: str = ""
    ) -> None:
        self.current: list[torch.device] = []
        answers: dict[str, Any] = {
            "is_available": lambda: count > 0,
            "device_count": lambda: count,
            "set_device": self.current.append,
            "is_bf16_supported": lambda including_emulation: bf16 or including_emulation,
            "get_device_name": lambda where: "Tesla V100-SXM2-32GB",
            "init": lambda: self.fail(error),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(torch.cuda, name, answer)
        monkeypatch.setattr(torch.version, "cuda", "13.0")

    @staticmethod
    def fail(error: str) -> None:
        raise RuntimeError(error)


@pytest.fixture(autouse=True)
def no_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "index"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_the_gpu_that_is_asked_for_becomes_the_current_one(
    monkeypatch: pytest.MonkeyPatch, name: str, index: int
) -> None:
    cuda = Cuda(monkeypatch, 2)
    assert device.choose_device(name) == torch.device("cuda", index)
    assert cuda.current == [torch.device("cuda", index)]


def test_each_process_of_torchrun_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    for rank in ("0", "1"):
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert device.choose_device("cuda") == torch.device(f"cuda:{rank}")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(
        UserError, match=r"cuda:2: there are cuda:0 to cuda:1: choose one, or start fewer processes"
    ):
        device.choose_device("auto")
    with pytest.raises(
        UserError, match=r"--device cuda:1: 3 processes cannot share a GPU: give --device cuda"
    ):
        device.choose_device("cuda:1")


def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, 1)
    with pytest.raises(UserError, match=r"--device cuda:3: the only one is cuda:0: choose one"):
        device.choose_device("cuda:3")


def test_a_driver_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, 0, error=OLD)
    with pytest.raises(
        UserError, match=r"sees no CUDA GPU here \(The NVIDIA driver on your system is too old \(found"
    ):
        device.choose_device("cuda")
    assert device.choose_device("auto") == torch.device("cpu")
    line = device.warn_unused_gpu(torch.device("cpu"))
    assert line is not None
    assert line.startswith("training on the CPU: torch")
    assert "too old (found version 11040)" in line


def test_a_machine_without_gpus_needs_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, 0, error="Found no NVIDIA driver on your system. Please check.")
    assert device.warn_unused_gpu(torch.device("cpu")) is None
    with pytest.raises(
        UserError, match=r"--device cuda: .*Found no NVIDIA driver on your system\): leave --device out"
    ):
        device.choose_device("cuda")


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_a_gpu_without_bf16_trains_in_fp32_and_says_so(
    monkeypatch: pytest.MonkeyPatch, precision: Any
) -> None:
    Cuda(monkeypatch, 1, bf16=False)
    where = torch.device("cuda:0")
    assert device.use_bf16(where, precision) is False
    (line,) = [
        line for line in (device.warn_no_bf16(where, precision), device.warn_no_bf16(where, "fp32")) if line
    ]
    assert line.startswith("Tesla V100-SXM2-32GB has no bf16: training in fp32")
    assert device.warn_no_bf16(torch.device("cpu"), precision) is None


def test_a_gpu_with_bf16_needs_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, 1)
    assert device.use_bf16(torch.device("cuda:0"), "auto") is True
    assert device.warn_no_bf16(torch.device("cuda:0"), "auto") is None


def test_deterministic_kernels_are_asked_for_and_the_settings_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    with device.use_deterministic_kernels(True):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
        assert torch._inductor.config.deterministic
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic
    assert torch.backends.cudnn.benchmark
    assert not torch._inductor.config.deterministic
    with device.use_deterministic_kernels(False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_a_deterministic_run_has_them_in_every_step_and_resumes_bit_by_bit(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    before = engine.Engine.backward

    def backward(*arguments: Any) -> Any:
        asked.append(torch.are_deterministic_algorithms_enabled())
        return before(*arguments)

    monkeypatch.setattr(engine.Engine, "backward", backward)
    config = small_run(workspace, steps=6, deterministic=True, mask_documents=True)
    train(config, tmp_path / "whole")
    thread = stop_at(tmp_path / "halves", 3, signal.SIGTERM)
    train(config, tmp_path / "halves")
    thread.join()
    train(config, tmp_path / "halves")
    assert_same(tmp_path / "halves", tmp_path / "whole")
    assert asked
    assert all(asked)
    assert saved(tmp_path / "whole").state["arithmetic"]["deterministic"] is True
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_run_resumed_in_another_precision_says_so_and_goes_on(workspace: Path, tmp_path: Path) -> None:
    console = Console(record=True, file=io.StringIO(), width=300)
    config = small_run(workspace, steps=3)
    train(config, tmp_path / "run")
    config = dataclasses.replace(config, steps=5, precision="bf16")
    assert loop.train(config, tmp_path / "run", device="cpu", console=console).step == 5
    change = "(precision fp32 -> bf16, attention by torch's kernel -> in batched products)"
    assert f"the arithmetic has changed {change}: it goes on" in console.export_text()


def test_a_run_resumed_with_another_attention_kernel_says_so(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints that do not name their kernel were made by torch's, those of bf16 too."""
    console = Console(record=True, file=io.StringIO(), width=300)
    config = small_run(workspace, steps=2, precision="bf16")
    train(config, tmp_path / "run")
    assert saved(tmp_path / "run").state["arithmetic"]["attention"] == "in batched products"
    loop.train(dataclasses.replace(config, steps=3), tmp_path / "run", device="cpu", console=console)
    assert "arithmetic" not in console.export_text(clear=True)
    monkeypatch.setattr(
        checkpoint, "read_newest", lambda *arguments: without_attention(read_newest(*arguments))
    )
    loop.train(dataclasses.replace(config, steps=4), tmp_path / "run", device="cpu", console=console)
    line = "the arithmetic has changed (attention by torch's kernel -> in batched products): it goes on, but not bit"
    assert line in console.export_text()


def without_attention(newest: checkpoint.Checkpoint | None) -> checkpoint.Checkpoint:
    """The checkpoint as the version before wrote it."""
    assert newest is not None
    del newest.state["arithmetic"]["attention"]
    return newest


def test_a_run_that_goes_on_elsewhere_says_what_has_changed() -> None:
    before = device.describe_arithmetic(torch.device("cpu"), bf16=False, processes=1, deterministic=False)
    assert device.describe_change(before, dict(before)) is None
    assert device.describe_change({}, before) is None, "saved by an earlier version"
    batched = device.describe_arithmetic(torch.device("cpu"), bf16=True, processes=1, deterministic=False)
    line = device.describe_change({}, batched)
    assert line is not None
    assert "(attention by torch's kernel -> in batched products)" in line
    now = {**before, "device": "NVIDIA H200", "precision": "bf16", "threads": None}
    line = device.describe_change(before, now)
    assert line is not None
    assert "(device cpu -> NVIDIA H200, precision fp32 -> bf16)" in line


def test_a_torch_that_was_not_tried_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for tried in ("2.11.0+cu130", "2.13.0", "2.15.1+cpu"):
        assert versions.warn_untried_torch(tried) is None
    line = versions.warn_untried_torch("2.12.1+cu130")
    assert (
        line == "torch 2.12.1+cu130: the trainer was tried with torch 2.11, 2.13, 2.15, not with this version"
    )
    monkeypatch.setattr(versions, "TRIED_TORCH", ("1.0",))
    lines = list_warnings([], [], SETTINGS, torch.device("cpu"))
    assert any("the trainer was tried with torch 1.0" in line for line in lines)
