"""Choose the device of a run and its arithmetic: precision, determinism."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from corpus.errors import UserError, shorten_line
from corpus.trainer.config import Precision, check_device_name
from corpus.trainer.narrow_attention import trains_narrow
from corpus.trainer.peaks import find_peak_flops
from corpus.trainer.scaling import CPU_CORE_FLOPS

CUBLAS_WORKSPACE = ":4096:8"
"""Eight buffers of 4 MiB: with them cuBLAS gives the same bits on every run (NVIDIA, cuBLAS, "Results
reproducibility")."""
CPU_ATTENTION = "by torch's kernel"
"""What a CPU's attention was computed by in checkpoints that do not say."""


def choose_device(name: str) -> torch.device:
    """Return the torch device of a name, and make it the current one; `auto` is a CUDA GPU if there is one.

    Under torchrun `cuda` is the GPU of this process's number. Raises UserError for a GPU that is not there, or that
    torch cannot use.
    """
    check_device_name(name)
    if name == "cpu" or (name == "auto" and not _has_cuda()):
        return torch.device("cpu")
    if not _has_cuda():
        raise UserError(f"--device {name}: {_explain_no_cuda()}: leave --device out")
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if ":" not in name:
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    elif processes > 1:
        raise UserError(f"--device {name}: {processes} processes cannot share a GPU: give --device cuda")
    device, count = torch.device(name), torch.cuda.device_count()
    if device.index >= count:
        there = "the only one is cuda:0" if count == 1 else f"there are cuda:0 to cuda:{count - 1}"
        raise UserError(
            f"--device {name}: {there}: choose one" + (", or start fewer processes" if processes > 1 else "")
        )
    torch.cuda.set_device(device)
    return device


def _has_cuda() -> bool:
    """Return whether torch can use a GPU, without its warning of several lines if the driver is too old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.cuda.is_available()


def _is_built_for_gpus() -> bool:
    return torch.version.cuda is not None or torch.version.hip is not None


def _explain_no_cuda() -> str:
    """Return why torch sees no CUDA GPU."""
    here = f"torch {torch.__version__}"
    if not _is_built_for_gpus():
        return f"{here} is built without CUDA"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return f"{here} sees no CUDA GPU here ({shorten_line(str(error).partition('. ')[0], 120)})"
    return f"{here} sees no CUDA GPU here"


def warn_unused_gpu(device: torch.device) -> str | None:
    """Return a line if there is a GPU that torch cannot use, as with a driver that is too old, else None."""
    if device.type != "cpu" or not _is_built_for_gpus() or _has_cuda():
        return None
    reason = _explain_no_cuda()
    return (
        f"training on the CPU: {reason}" if "driver" in reason and "no NVIDIA driver" not in reason else None
    )


def use_bf16(device: torch.device, precision: Precision) -> bool:
    """Return whether matrix products are in bf16; `auto`: if the device supports it natively, not by emulation.

    A GPU without bf16 computes in fp32 even if asked, as it would emulate bf16 with neither speed nor precision.
    """
    if device.type == "cuda":
        return precision != "fp32" and bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if precision != "auto":
        return precision == "bf16"
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16"))


def warn_no_bf16(device: torch.device, precision: Precision) -> str | None:
    """Return a line if the GPU lacks bf16, so that a run is slower than its name promises, else None."""
    if device.type != "cuda" or precision == "fp32" or use_bf16(device, precision):
        return None
    name = torch.cuda.get_device_name(device)
    return f"{name} has no bf16: training in fp32 (fp16, which needs its loss scaled, is not supported)"


def autocast(device: torch.device, bf16: bool) -> torch.autocast:
    """Return a context with matrix products in bf16; sums, norms and weights stay fp32. No effect if not `bf16`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


@contextmanager
def use_deterministic_kernels(wanted: bool) -> Iterator[None]:
    """Within the context, if `wanted`, have torch take the kernels that give the same bits every time, or fail.

    On CUDA that changes the backward pass of attention (no additions in any order), cuBLAS's workspace, cuDNN's choice
    of kernels and what torch.compile tunes. To be entered before CUDA is used: cuBLAS reads its setting once.
    """
    if not wanted:
        yield
        return
    import torch._inductor.config as inductor

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    cudnn: Any = torch.backends.cudnn
    fill: Any = torch.utils.deterministic
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    settings = [
        (cudnn, "deterministic", True),
        (cudnn, "benchmark", False),
        (inductor, "deterministic", True),  # it chooses kernels without timing them
        (fill, "fill_uninitialized_memory", False),  # nothing here reads memory before it is written
    ]
    former = [(owner, name, getattr(owner, name)) for owner, name, _ in settings]
    torch.use_deterministic_algorithms(True)
    for owner, name, value in settings:
        setattr(owner, name, value)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        for owner, name, value in former:
            setattr(owner, name, value)


def describe_arithmetic(
    device: torch.device, *, bf16: bool, processes: int, deterministic: bool
) -> dict[str, Any]:
    """Return what the bits of a run depend on beside its settings; a checkpoint holds it."""
    gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if gpu else "cpu",
        "precision": "bf16" if bf16 else "fp32",
        "threads": None if gpu else torch.get_num_threads(),
        "attention": None
        if gpu
        else "in batched products"
        if trains_narrow(device, bf16=bf16)
        else CPU_ATTENTION,
        "processes": processes,
        "deterministic": deterministic,
        "torch": torch.__version__,
    }


def describe_change(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return a line if a run goes on with other arithmetic than it had, so that its bits will differ, else None."""
    before = {"attention": CPU_ATTENTION, **before}
    changes = [
        f"{name} {before[name]} -> {value}"
        for name, value in now.items()
        if None not in (value, before.get(name)) and before[name] != value
    ]
    if not changes:
        return None
    return (
        f"the arithmetic has changed ({', '.join(changes)}): it goes on, but not bit by bit as uninterrupted"
    )


def peak_flops(device: torch.device) -> float | None:
    """Return the device's peak bf16 operations per second, None if unknown. Utilization is a share of it."""
    if device.type != "cuda":
        return None
    properties = torch.cuda.get_device_properties(device)
    return find_peak_flops(properties.name, properties.multi_processor_count)


def estimate_speed(device: torch.device) -> float:
    """Return a rough number of operations per second that a step may reach, for estimates before any measurement."""
    peak = peak_flops(device)
    return 0.3 * peak if peak else CPU_CORE_FLOPS * torch.get_num_threads()
