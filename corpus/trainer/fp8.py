"""Compute the blocks' products in fp8, for GPUs that have it (`--precision fp8`).

Each row of a matrix gets a scale of its own, by its largest entry (torchao's rowwise recipe). The forward pass and the
gradient of the states are in fp8, twice as fast as bf16 on paper; the gradient of a weight, a sum over all tokens, and
the output layer stay in bf16, and so do evaluation and generation. Scaling costs two passes over each factor, so small
widths get slower. Not measured on a GPU yet: `corpus bench train --precision fp8` shows whether it pays.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from corpus.errors import UserError
from corpus.trainer.config import RunConfig
from corpus.trainer.model import GPT

FP8 = torch.float8_e4m3fn
FP8_MULTIPLE = 16
"""Both sides of a matrix have to be a multiple of this."""
FP8_CAPABILITY = (8, 9)
"""The first GPUs that have products in fp8: Ada, then Hopper."""
SMALLEST_MAXIMUM = 1e-12


def has_fp8(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= FP8_CAPABILITY


def check_fp8(config: RunConfig, device: torch.device, processes: int) -> None:
    """Raise UserError if a run asks for fp8 where it cannot be had."""
    if config.precision != "fp8":
        return
    if not has_fp8(device):
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
        raise UserError(f"--precision fp8: {name} has no products in fp8: leave it out")
    if processes > 1:
        raise UserError("--precision fp8 is for one process: leave it out, or do not use torchrun")
    model = config.model
    sides = (model.width, model.hidden, model.heads * model.head_width, model.kv_heads * model.head_width)
    if any(side % FP8_MULTIPLE for side in sides):
        raise UserError(
            f"--precision fp8: --size {config.size} has matrices with sides that are no multiples of {FP8_MULTIPLE}: "
            "use another --size, or bf16"
        )


def use_fp8(model: GPT) -> None:
    """Have the blocks' four matrices multiply in fp8 while training under autocast."""
    for block in model.blocks:
        for name in ("attention.qkv", "attention.out", "mlp.gate_up", "mlp.down"):
            block.get_submodule(name).__class__ = Fp8Linear


def scale_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return a matrix (n, k) in fp8 and the scales (n, 1) that its rows are to be multiplied by."""
    scale = matrix.abs().amax(dim=1, keepdim=True).float().clamp(min=SMALLEST_MAXIMUM) / torch.finfo(FP8).max
    return (matrix.float() / scale).to(FP8), scale


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b.T in bf16, of a (n, k) and b (m, k), rounded to fp8 by rows."""
    (left, left_scale), (right, right_scale) = scale_rows(a), scale_rows(b)
    product: Tensor = torch._scaled_mm(
        left,
        right.t(),
        scale_a=left_scale,
        scale_b=right_scale.t(),
        out_dtype=torch.bfloat16,
        use_fast_accum=True,
    )
    return product


class Fp8Product(torch.autograd.Function):
    """x @ weight.T of x (n, k) in bf16 and weight (m, k)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return multiply(x, weight.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = outputs[0]
        to_x = multiply(gradient, weight.to(x.dtype).t().contiguous())
        return to_x, (gradient.t() @ x).to(weight.dtype)


class Fp8Linear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        device = x.device.type
        if not (torch.is_grad_enabled() and torch.is_autocast_enabled(device)):
            return super().forward(x)
        rows = x.flatten(0, -2).to(torch.get_autocast_dtype(device))
        product: Tensor = Fp8Product.apply(rows, self.weight)  # type: ignore[no-untyped-call]
        return product.view(*x.shape[:-1], -1)
