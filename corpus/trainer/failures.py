"""Say in one line what ended a run, where torch, CUDA or NCCL raise pages.

torch has a class for few of these errors; the others are RuntimeErrors that differ by their text. What is not known is
named by its first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from corpus.errors import RunError, shorten_line

MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
    r"|CUBLAS_STATUS_NOT_INITIALIZED",  # cuBLAS says so if there is no memory left for its workspace
    re.IGNORECASE,
)
DRIVER = re.compile(
    r"driver on your system is too old|driver version is insufficient|no NVIDIA driver|driver initialization failed"
    r"|forward compatibility was attempted",
    re.IGNORECASE,
)
UNSUPPORTED = re.compile(
    r"no kernel image is available|not compatible with the current PyTorch", re.IGNORECASE
)
PROCESSES = re.compile(
    r"\bNCCL\b|\bgloo\b|ncclUnhandled|TCPStore|Connection (?:closed|reset) by peer", re.IGNORECASE
)
DEVICE = re.compile(
    r"\b(?:CUDA|HIP|cuDNN) (?:driver )?error|CUBLAS_STATUS|CUDNN_STATUS|device-side assert", re.IGNORECASE
)
COMPILER = ("torch._dynamo", "torch._inductor", "torch._functorch", "triton")
FREE = re.compile(r"Tried to allocate ([\d.]+ [KMGT]iB).*?of which ([\d.]+ [KMGT]iB) is free", re.DOTALL)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on a device or on the host."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and MEMORY.search(str(error)) is not None
    )


def describe_failure(error: BaseException) -> str:
    """Return what failed and what to do, in one line, for an error that torch raised."""
    text = str(error)
    first = shorten_line(text.strip().partition("\n")[0], 200) or type(error).__name__
    if is_out_of_memory(error):
        sizes = FREE.search(text)
        wanted = f" ({sizes[1]} wanted, {sizes[2]} free)" if sizes else ""
        return (
            f"memory ran out{wanted}: use a smaller --micro-tokens, --context or --size, or free the device"
        )
    if DRIVER.search(text):
        return (
            f"torch {torch.__version__} cannot use the GPU's driver ({first}): update it, or use --device cpu"
        )
    if UNSUPPORTED.search(text):
        return f"torch {torch.__version__} does not support this GPU ({first}): use another torch, or --device cpu"
    if isinstance(error, torch.distributed.DistError) or PROCESSES.search(text):
        return f"the processes lost each other ({first}): look for the error of the first one that ended"
    if _is_of_compiler(error):
        return f"torch.compile failed ({type(error).__name__}: {first}): use --no-compile"
    if isinstance(error, torch.AcceleratorError) or DEVICE.search(text):
        return f"the GPU failed ({first}): see `nvidia-smi -q` and `dmesg`; a device that stays lost needs a reset"
    return f"torch raised {type(error).__name__} ({first}): --debug shows where"


def _is_of_compiler(error: BaseException) -> bool:
    return any(kind.__module__.startswith(COMPILER) for kind in type(error).__mro__)


@contextmanager
def name_failures(after: str = "") -> Iterator[None]:
    """Turn an error of torch into a RunError of one line, ended by `after`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        raise RunError(describe_failure(error) + after) from error
