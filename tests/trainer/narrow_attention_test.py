"""Attention from batched products in bf16: torch's own attention in fp32, up to rounding, in values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from corpus.trainer import narrow_attention as narrow
from corpus.trainer.attention import attend, document_mask


def arrays(heads: int, kv_heads: int, time: int) -> list[Tensor]:
    """Queries, keys and values of two samples, laid out as a projection gives them."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, time, n, 16) for n in (heads, kv_heads, kv_heads)]
    return [torch.randn(shape, generator=generator).bfloat16().transpose(1, 2) for shape in shapes]


def gradients(inputs: list[Tensor], outer: Tensor, mask: Tensor | None) -> tuple[Tensor, ...]:
    """The output and the three gradients in fp64, by torch's plain attention."""
    q, k, v = (x.double().requires_grad_() for x in inputs)
    causal = mask is None
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=True)
    return y, *torch.autograd.grad(y, (q, k, v), outer.double())


@pytest.mark.parametrize("masked", [False, True], ids=["causal", "documents"])
@pytest.mark.parametrize("heads", [(3, 1), (4, 2), (2, 2)])
def test_values_and_gradients_are_those_of_plain_attention(
    monkeypatch: pytest.MonkeyPatch, heads: tuple[int, int], masked: bool
) -> None:
    """Cut into pieces of several lengths, the shortest one last."""
    monkeypatch.setattr(narrow, "PIECE_QUERIES", 16)
    monkeypatch.setattr(narrow, "PIECE_SCORES", 1500)
    inputs = arrays(*heads, time=40)
    tokens = torch.arange(80).view(2, 40) % 11
    mask = document_mask(tokens, 0) if masked else None
    outer = torch.randn(inputs[0].shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    q, k, v = (x.clone().requires_grad_() for x in inputs)
    y = narrow.narrow_attention(q, k, v, mask)
    ours = (y, *torch.autograd.grad(y, (q, k, v), outer))
    for mine, plain in zip(ours, gradients(inputs, outer, mask), strict=True):
        assert mine.shape == plain.shape
        assert (mine.double() - plain).norm() < 0.01 * plain.norm()


def test_it_is_taken_in_training_in_bf16_on_one_thread() -> None:
    q, k, _ = arrays(2, 1, 8)
    assert narrow.is_narrow_on_cpu(q, k)
    assert not narrow.is_narrow_on_cpu(q.float(), k.float())
    assert not narrow.is_narrow_on_cpu(q[:, :, -1:], k), "generating"
    with torch.no_grad():
        assert not narrow.is_narrow_on_cpu(q, k)


@pytest.mark.parametrize("masked", [False, True], ids=["causal", "documents"])
def test_compiled_it_gives_the_same_bits(masked: bool) -> None:
    inputs = arrays(4, 2, 24)
    mask = document_mask(torch.arange(48).view(2, 24) % 7, 0) if masked else None
    out = []
    for run in (attend, torch.compile(attend, backend="aot_eager", dynamic=False)):
        q, k, v = (x.clone().requires_grad_() for x in inputs)
        y = run(q, k, v, mask)
        out.append((y, *torch.autograd.grad(y.float().square().sum(), (q, k, v))))
    assert all(torch.equal(one, other) for one, other in zip(*out, strict=True))
