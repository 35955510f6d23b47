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
    norms = torch._foreach_norm(list(matrices))
    x = torch.stack([(each / (norm + 1e-7)).to(dtype) for each, norm in zip(matrices, norms, strict=True)])
    if turned := x.shape[1] > x.shape[2]:
        x = x.mT
    for _ in range(NEWTON_SCHULZ_ROUNDS):
        square = torch.bmm(x, x.mT)
        factor = torch.baddbmm(square, square, square, beta=b, alpha=c)
        factor.diagonal(dim1=1, dim2=2).add_(a)
        x = torch.bmm(factor, x)
    return x.mT if turned else x


class Muon(torch.optim.Optimizer):
    """The Muon optimizer; `parameters` are matrices, each with the row counts of the matrices stacked in it.

    With `compile` the whole update is one compiled call: four or five kernels for each shape and round, and a pass
    over the parameters, where torch's own operations are some fifty for each block of a model.
    """

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, tuple[int, ...]]],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        bf16: bool = False,
        compile: bool = False,
    ) -> None:
        pairs = list(parameters)
        self.rows = {parameter: rows for parameter, rows in pairs}
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        self.compiled = torch.compile(_move_parameters, dynamic=False) if compile else None
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__([parameter for parameter, _ in pairs], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Apply one update: orthogonalized Nesterov momentum, decay separate from the gradient (arXiv:1711.05101)."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in parameters:
                if not self.state[parameter]:
                    self.state[parameter]["momentum"] = torch.zeros_like(parameter)
            self._move_whole(group, [parameter for parameter in parameters if not is_divided(parameter)])
            for parameter in filter(is_divided, parameters):  # one at a time, as it has to be put together
                self._move_divided(group, parameter)

    def _move_whole(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if not parameters:
            return
        move: Callable[..., None] = _move_parameters
        rate, shrink = group["lr"], 1 - group["lr"] * group["weight_decay"]
        if self.compiled is not None:  # numbers would be compiled in, and compiled again at each step
            move, rate, shrink = self.compiled, torch.tensor(rate), torch.tensor(shrink)
        move(
            parameters,
            [parameter.grad for parameter in parameters],
            [self.state[parameter]["momentum"] for parameter in parameters],
            [self.rows[parameter] for parameter in parameters],
            rate,
            shrink,
            group["momentum"],
            self.dtype,
        )

    def _move_divided(self, group: dict[str, Any], parameter: Tensor) -> None:
        """Move a parameter of which this process holds a part: the momentum is put together, its update divided."""
        assert parameter.grad is not None
        momentum = self.state[parameter]["momentum"]
        momentum.lerp_(parameter.grad, 1 - group["momentum"])
        direction = gather_tensor(parameter.grad.lerp(momentum, group["momentum"]))
        change = torch.zeros_like(direction)
        _subtract_updates([direction], [change], [self.rows[parameter]], group["lr"], self.dtype)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(take_part(change, parameter))


def _move_parameters(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    rows: list[tuple[int, ...]],
    rate: float | Tensor,
    shrink: float | Tensor,
    momentum: float,
    dtype: torch.dtype,
) -> None:
    """Update momenta and parameters in place; `shrink` is what is left of a parameter after its decay."""
    torch._foreach_lerp_(momenta, gradients, 1 - momentum)
    directions = torch._foreach_lerp(gradients, momenta, momentum)
    if isinstance(shrink, Tensor):  # on the CPU, where the parameters may be not: lists refuse that
        for parameter in parameters:
            parameter.mul_(shrink)
    else:
        torch._foreach_mul_(parameters, shrink)
    _subtract_updates(directions, parameters, rows, rate, dtype)


def _subtract_updates(
    directions: Sequence[Tensor],
    targets: Sequence[Tensor],
    rows: Sequence[tuple[int, ...]],
    rate: float | Tensor,
    dtype: torch.dtype,
) -> None:
    """Subtract the orthogonalized directions from `targets`, those of one shape computed together."""
    shapes: dict[torch.Size, tuple[list[Tensor], list[Tensor]]] = {}
    for direction, target, counts in zip(directions, targets, rows, strict=True):
        for part, below in zip(
            torch.split(direction, list(counts)), torch.split(target, list(counts)), strict=True
        ):
            parts, belows = shapes.setdefault(part.shape, ([], []))
            parts.append(part)
            belows.append(below)
    for shape, (parts, belows) in shapes.items():
        share = UPDATE_RMS * max(shape) ** 0.5
        for below, update in zip(belows, orthogonalize(parts, dtype), strict=True):
            if isinstance(rate, Tensor):
                below.sub_(update.to(below.dtype) * share * rate)
            else:
                below.sub_(update, alpha=rate * share)
