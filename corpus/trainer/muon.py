"""Implement Muon: momentum whose matrix is made orthogonal before it is subtracted (Jordan et al. 2024).

A step replaces the momentum M = U S V^T of a matrix by about U V^T, so that every direction moves equally far, by five
rounds of a Newton-Schulz iteration of fifth degree with Jordan's coefficients. The update is scaled by .2 sqrt(larger
side), which makes its entries as large as AdamW's on average, so that AdamW's learning rates and decay carry over
(Liu et al. 2025, arXiv:2502.16982). Matrices that are stacked in one parameter (queries, keys and values; gate and up)
are split first. Matrices of one shape are computed together, one product for all blocks of a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from corpus.trainer.sharding import gather_tensor, is_divided, take_part

NEWTON_SCHULZ_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan's coefficients: steepest at zero among those that end within about .3 of 1; more precision does not help."""
NEWTON_SCHULZ_ROUNDS = 5
UPDATE_RMS = 0.2
"""Root mean square of AdamW's updates, by Liu et al."""


def orthogonalize(matrices: Sequence[Tensor], dtype: torch.dtype = torch.float32) -> Tensor:
    """Make n matrices (rows, columns) orthogonal: (n, rows, columns), singular values .7 to 1.2, in `dtype`.

    Costs about 10 r^2 (r + 2 c) operations a matrix, r its smaller side, c the larger: with s = x x^T,
    (a + b s + c s^2) x is three products, the sums inside them and on the diagonal of a small matrix.
    """
    a, b, c = NEWTON_SCHULZ_COEFFICIENTS
    x = torch.stack([(each / (torch.linalg.vector_norm(each) + 1e-7)).to(dtype) for each in matrices])
    if turned := x.shape[1] > x.shape[2]:
        x = x.mT
    for _ in range(NEWTON_SCHULZ_ROUNDS):
        square = torch.bmm(x, x.mT)
        factor = torch.baddbmm(square, square, square, beta=b, alpha=c)
        factor.diagonal(dim1=1, dim2=2).add_(a)
        x = torch.bmm(factor, x)
    return x.mT if turned else x


class Muon(torch.optim.Optimizer):
    """The Muon optimizer; `parameters` are matrices, each with the row counts of the matrices stacked in it."""

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
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__([parameter for parameter, _ in pairs], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Apply one update: orthogonalized Nesterov momentum, decay separate from the gradient (arXiv:1711.05101)."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            self._move(group, [parameter for parameter in parameters if not is_divided(parameter)])
            for parameter in filter(is_divided, parameters):  # one at a time, as it has to be put together
                self._move(group, [parameter])

    def _move(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        shapes: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        moved: dict[Tensor, Tensor] = {}
        for parameter in parameters:
            assert parameter.grad is not None
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            direction = gather_tensor(parameter.grad.lerp(state["momentum"], group["momentum"]))
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            target = parameter
            if is_divided(parameter):
                target = moved[parameter] = torch.zeros_like(direction)
            rows = list(self.rows[parameter])
            parts = zip(torch.split(direction, rows), torch.split(target, rows), strict=True)
            for matrix, below in parts:
                shapes.setdefault(matrix.shape, []).append((matrix, below))
        for shape, matrices in shapes.items():
            updates = orthogonalize([matrix for matrix, _ in matrices], self.dtype)
            for (_, below), update in zip(matrices, updates, strict=True):
                below.sub_(update, alpha=group["lr"] * UPDATE_RMS * max(shape) ** 0.5)
        for parameter, change in moved.items():
            parameter.add_(take_part(change, parameter))
