"""Norms, rotations and gates written out: the values and gradients of the plain expressions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from corpus.trainer.fused import GateFunction, RMSNormFunction, RotateFunction
from corpus.trainer.model import rotate


def random(*shape: int, seed: int = 0) -> Tensor:
    values = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return values.requires_grad_()


def angles(time: int, half: int) -> tuple[Tensor, Tensor]:
    turned = torch.outer(torch.arange(time, dtype=torch.float64), 10.0 ** -torch.arange(half))
    return turned.cos(), turned.sin()


CASES: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[Tensor, ...]]] = {
    "norm": (
        lambda x, w: RMSNormFunction.apply(x, w, 1e-6, x.dtype),
        lambda x, w: F.rms_norm(x, w.shape, w, 1e-6),
        (random(2, 3, 5, 8), random(8, seed=1)),
    ),
    "rotation": (
        lambda x: RotateFunction.apply(x, *angles(5, 4)),
        lambda x: torch.cat(
            (
                x[..., :4] * angles(5, 4)[0] - x[..., 4:] * angles(5, 4)[1],
                x[..., 4:] * angles(5, 4)[0] + x[..., :4] * angles(5, 4)[1],
            ),
            dim=-1,
        ),
        (random(2, 3, 5, 8),),
    ),
    "gate": (
        lambda x: GateFunction.apply(x),
        lambda x: F.silu(x[..., :4]) * x[..., 4:],
        (random(2, 3, 5, 8),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_the_plain_expression(name: str) -> None:
    ours, plain, inputs = CASES[name]
    assert torch.allclose(ours(*inputs), plain(*inputs), atol=1e-12)
    assert torch.autograd.gradcheck(ours, inputs)


def test_without_gradients_the_plain_expression_is_taken_and_gives_the_same() -> None:
    x = random(2, 5, 8)
    with torch.no_grad():
        plain = rotate(x, *angles(5, 4))
    assert torch.allclose(rotate(x, *angles(5, 4)), plain, atol=1e-12)


def test_a_norm_gives_bf16_where_products_are_in_it() -> None:
    from corpus.trainer.model import RMSNorm

    norm, x = RMSNorm(8, 1e-6), torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = norm(x)
    assert found.dtype == torch.bfloat16
    assert (found.float() - norm(x)).abs().max() < 0.02
