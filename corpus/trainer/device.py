"""Choose the device of a run and its precision."""

from __future__ import annotations

import os

import torch

from corpus.errors import UserError
from corpus.trainer.config import Precision, check_device_name
from corpus.trainer.peaks import find_peak_flops
from corpus.trainer.scaling import CPU_CORE_FLOPS


def choose_device(name: str) -> torch.device:
    """Return the torch device of a name; `auto` is a CUDA GPU if there is one, else the CPU."""
    check_device_name(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"  # torchrun gives each process a GPU
        torch.cuda.set_device(name)
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(
            f"--device {name}: torch {torch.__version__} sees no CUDA GPU here: leave --device out"
        )
    return torch.device(name)


def use_bf16(device: torch.device, precision: Precision) -> bool:
    """Return whether matrix products are in bf16; `auto`: if the device supports it natively, not by emulation."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16"))


def autocast(device: torch.device, bf16: bool) -> torch.autocast:
    """Return a context with matrix products in bf16; sums, norms and weights stay fp32. No effect if not `bf16`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


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
