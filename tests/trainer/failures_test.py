"""Errors of torch in the middle of a run: one line, and the run resumes where the line says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from corpus.errors import RunError
from corpus.trainer.config import RunConfig
from corpus.trainer.engine import Engine
from corpus.trainer.failures import describe_failure, is_out_of_memory
from tests.trainer.running import assert_same, saved, train
from tests.trainer.sentences import small_run

MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.50 GiB is free."
    " Including non-PyTorch memory, this process has 77.60 GiB memory in use.\nSee documentation for Memory Management"
)
LOST = (
    "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported at some other API "
    "call, so the stacktrace below might be incorrect.\nCompile with `TORCH_USE_CUDA_DSA`."
)
OLD = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading "
    "and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx"
)


def compiler_error() -> Exception:
    """What torch.compile raises when its backend fails."""

    def backend(graph: Any, inputs: Any) -> Any:
        raise NotImplementedError("no such instruction")

    with pytest.raises(RuntimeError) as caught:
        torch.compile(lambda x: x + 1, backend=backend)(torch.ones(2))
    return caught.value


def allocation_error() -> Exception:
    """What torch raises when a CPU's memory is not enough."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    return caught.value


CASES: dict[str, tuple[BaseException, str]] = {
    "memory": (torch.OutOfMemoryError(MEMORY), "memory ran out (2.00 GiB wanted, 1.50 GiB free): use a smaller --"),
    "host": (allocation_error(), "memory ran out: use a smaller --micro-tokens"),
    "python": (MemoryError(), "memory ran out"),
    "cublas memory": (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), "memory"),
    "cublas": (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublas`"), "the GPU failed"),
    "cudnn": (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "the GPU failed (cuDNN error"),
    "lost": (torch.AcceleratorError(LOST), "the GPU failed (CUDA error: unspecified launch failure): see `nvidia-smi"),
    "lost, old class": (RuntimeError(LOST), "the GPU failed (CUDA error: unspecified launch failure)"),
    "driver": (RuntimeError(OLD), "cannot use the GPU's driver (The NVIDIA driver on your system is too old"),
    "driver, kernel": (
        RuntimeError("CUDA error: CUDA driver version is insufficient for CUDA runtime version"),
        "cannot use the GPU's driver",
    ),
    "old GPU": (
        torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device\nCompile with"),
        "does not support this GPU",
    ),
    "nccl": (
        dist.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp:2093, remote process exited\nLast error:\n..."),
        "the processes lost each other (NCCL error in: ProcessGroupNCCL.cpp:2093",
    ),
    "gloo": (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"), "lost each other"),
    "compiler": (compiler_error(), "torch.compile failed (BackendCompilerFailed: backend='backend' raised:): use"),
    "other": (RuntimeError("expected mat1 and mat2 to have the same dtype\nand more"), "torch raised RuntimeError ("),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_error_of_torch_is_one_line_that_says_what_to_do(case: str) -> None:
    error, start = CASES[case]
    line = describe_failure(error)
    assert start in line
    assert "\n" not in line
    assert len(line) < 350


def failing(monkeypatch: pytest.MonkeyPatch, place: str, step: int, error: BaseException) -> None:
    """Lets the so-manieth call of a part of a step raise an error, after the part is done."""
    before, calls = getattr(Engine, place), []

    def raise_at(*arguments: Any) -> Any:
        calls.append(1)
        result = before(*arguments)
        if len(calls) == step:
            raise error
        return result

    monkeypatch.setattr(Engine, place, raise_at)


@pytest.fixture(scope="module")
def config(workspace: Path) -> RunConfig:
    return small_run(workspace, steps=8, save_every=3, save_minutes=100)


@pytest.fixture(scope="module")
def undisturbed(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    train(config, run)
    return run


@pytest.mark.parametrize(
    ("place", "error", "continues"),
    [
        ("backward", torch.OutOfMemoryError(MEMORY), 4),
        ("clip", torch.OutOfMemoryError(MEMORY), 4),
        ("update", torch.OutOfMemoryError(MEMORY), 3),
        ("backward", torch.AcceleratorError(LOST), 3),
        ("clip", RuntimeError(LOST), 3),
        ("update", torch.AcceleratorError(LOST), 3),
        ("backward", dist.DistBackendError("NCCL error: remote process exited"), 3),
    ],
)
def test_a_run_that_fails_in_its_fifth_step_resumes_to_the_same_end(
    undisturbed: Path,
    config: RunConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    error: Exception,
    continues: int,
) -> None:
    """Memory that ends before an update leaves a whole state, which is saved; a lost device has its last checkpoint."""
    with monkeypatch.context() as patch:
        failing(patch, place, 5, error)
        with pytest.raises(RunError) as caught:
            train(config, tmp_path / "run")
    line = str(caught.value)
    assert line.startswith("step 5: ")
    assert line.endswith(f"--resume continues from step {continues}")
    assert "\n" not in line
    assert saved(tmp_path / "run").step == continues
    train(config, tmp_path / "run")
    assert_same(tmp_path / "run", undisturbed)


def test_a_run_that_fails_at_once_says_that_nothing_was_saved(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "backward", 1, torch.AcceleratorError(LOST))
    with pytest.raises(RunError, match=r"^step 1: the GPU failed .*; nothing was saved yet$"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_a_device_that_fails_before_the_first_step_is_one_line(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "__init__", 1, RuntimeError(OLD))
    with pytest.raises(
        RunError, match=r"cannot use the GPU's driver \(The NVIDIA driver on your system is too old"
    ):
        train(config, tmp_path / "run")


def test_memory_that_is_known_to_be_too_small_for_one_row_is_said_before_the_run(
    workspace: Path, tmp_path: Path
) -> None:
    huge = small_run(workspace, steps=1, batch_tokens=24)
    huge = dataclasses.replace(huge, model=dataclasses.replace(huge.model, depth=500_000, width=4096))
    with pytest.raises(Exception, match=r"GB of memory, .* GB are free: use a smaller --") as caught:
        train(huge, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_what_is_no_lack_of_memory_is_not_taken_for_one() -> None:
    assert not is_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert not is_out_of_memory(ValueError("out of memory"))
