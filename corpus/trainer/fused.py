"""Implement the element-wise parts of a block with hand-written gradients, for CPUs without torch.compile.

There torch composes norms, rotations and gates of many small operations, each of which reads and writes the whole
batch: half of a small model's step. Written out they take half as many passes. The values equal those of the plain
expressions in the tests, up to rounding. On CUDA, and without gradients, nothing is gained.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class RMSNormFunction(torch.autograd.Function):
    """x r w, r = 1 / sqrt(mean(x^2) + epsilon), in the type given; x (..., width)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
        width = x.shape[-1]
        norm = torch.linalg.vector_norm(
            x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32)
        )
        scale = norm.square_().div_(width).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        out: Tensor = (x * scale.to(x.dtype)).mul_(weight.to(x.dtype)).to(dtype)
        return out

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors
        gradient = outputs[0].to(x.dtype)
        scale = scale.to(x.dtype)
        normed = x * scale
        to_weight = torch.linalg.vecdot(gradient.flatten(0, -2).T, normed.flatten(0, -2).T)
        weighed = gradient * weight.to(x.dtype)
        along = torch.linalg.vecdot(weighed, normed).unsqueeze(-1) / x.shape[-1]
        to_x = weighed.addcmul_(normed, along, value=-1).mul_(scale)
        return to_x, to_weight.to(weight.dtype), None, None


class RotateFunction(torch.autograd.Function):
    """Rotate the pair (x_i, x_i+d/2) of (..., time, d) by the angles whose cosines and sines are (time, d/2)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _rotate_pairs(x, cosine.to(x.dtype), sine.to(x.dtype), 1)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        gradient = outputs[0]
        return _rotate_pairs(gradient, cosine.to(gradient.dtype), sine.to(gradient.dtype), -1), None, None


def _rotate_pairs(x: Tensor, cosine: Tensor, sine: Tensor, way: int) -> Tensor:
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    out = torch.empty_like(x)
    torch.mul(a, cosine, out=out[..., :half]).addcmul_(b, sine, value=-way)
    torch.mul(b, cosine, out=out[..., half:]).addcmul_(a, sine, value=way)
    return out


class GateFunction(torch.autograd.Function):
    """silu(gate) * up of (..., gate and up side by side)."""

    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        ctx.save_for_backward(gate_up)
        gate, up = gate_up.chunk(2, dim=-1)
        return torch.nn.functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> Tensor:
        (gate_up,) = ctx.saved_tensors
        gate, up = gate_up.chunk(2, dim=-1)
        out = torch.empty_like(gate_up)
        to_gate, to_up = out.chunk(2, dim=-1)
        torch.mul(outputs[0], torch.nn.functional.silu(gate), out=to_up)
        to_gate.copy_(torch.ops.aten.silu_backward(outputs[0] * up, gate))
        return out
