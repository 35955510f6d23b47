"""Where a run computes, and in which precision."""

from __future__ import annotations

import torch

from corpus.errors import UserError
from corpus.trainer.config import Precision


def choose_device(name: str) -> torch.device:
    """`auto` takes a CUDA GPU if there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(
            f"--device {name}: torch {torch.__version__} sees no CUDA GPU here: leave --device out"
        )
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device {name}: there is auto, cpu, cuda, cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device {name}: there is auto, cpu, cuda, cuda:N")
    return device


def use_bf16(device: torch.device, precision: Precision) -> bool:
    """Whether products are in bf16: with `auto` where the machine has instructions for it, not by emulation."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16"))


def autocast(device: torch.device, bf16: bool) -> torch.autocast:
    """Matrix products in bf16, sums, norms and weights in fp32; nothing if not `bf16`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)
