"""Muon: momentum whose matrix is made orthogonal before it is subtracted (Jordan et al. 2024).

A step replaces the momentum M = U S V^T of a matrix by about U V^T, so that every direction moves equally far, by five
rounds of a Newton-Schulz iteration of fifth degree with Jordan's coefficients. The update is scaled by .2 sqrt(larger
side), which makes its entries as large as AdamW's on average, so that AdamW's learning rates and decay carry over
(Liu et al. 2025, arXiv:2502.16982). What is one matrix here and several in the arithmetic (queries, keys and values;
gate and up) is taken apart first. Matrices of one shape go through together, one product for all blocks of a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan's: steepest at zero among those that end within about .3 of 1; exactness brings nothing."""
ROUNDS = 5
RMS = 0.2
"""Root mean square of AdamW's updates, by Liu et al."""


def orthogonalize(matrices: Tensor, *, bf16: bool) -> Tensor:
    """(n, rows, columns) -> the same shape, all singular values near 1 (.7 to 1.2). Costs 20 r^2 (3 r + 2 c) / 2
    operations a matrix, r its smaller side; in bf16 where that is what the machine multiplies."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16() if bf16 else matrices
    if turned := x.shape[1] > x.shape[2]:
        x = x.mT
    x = x / (x.float().norm(dim=(1, 2), keepdim=True).to(x.dtype) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    out: Tensor = (x.mT if turned else x).to(matrices.dtype)
    return out


class Muon(torch.optim.Optimizer):
    """`parameters`: matrices, each with the row counts of the matrices that it holds one below the other."""

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, tuple[int, ...]]],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        bf16: bool = False,
    ) -> None:
        pairs = list(parameters)
        self.rows = {parameter: rows for parameter, rows in pairs}
        self.bf16 = bf16
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__([parameter for parameter, _ in pairs], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Nesterov momentum, orthogonalized; decay apart from the gradient (arXiv:1711.05101)."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                direction = parameter.grad.lerp(state["momentum"], group["momentum"])
                rows = self.rows[parameter]
                for part, target in zip(direction.split(rows), parameter.split(rows), strict=True):
                    shapes.setdefault(part.shape, []).append((part, target))
            for shape, found in shapes.items():
                updates = orthogonalize(torch.stack([part for part, _ in found]), bf16=self.bf16)
                scale = RMS * max(shape) ** 0.5
                for (_, target), update in zip(found, updates, strict=True):
                    target.mul_(1 - group["lr"] * group["weight_decay"])
                    target.sub_(update, alpha=group["lr"] * scale)
