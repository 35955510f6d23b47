"""Compute attention in bf16 on a CPU from batched products, in pieces that fit its cache.

torch's own kernel multiplies a few positions at a time there, at a fraction of the rate of a whole product of 256
queries and their keys. What is kept for the backward pass are queries, keys and values; probabilities are computed
again, one piece after the other, so memory does not grow with the square of the context.

Scores are rounded to bf16, where torch's kernel keeps them in fp32: the relative error of the output is .0033 instead
of .0020, those of the gradients .0033 to .0047 instead of .0025 to .0065 (normed queries and keys, 256 to 1,024 long).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

PIECE_SCORES = 1 << 18
"""Scores in a piece: half a megabyte, twice in the backward pass, for a second-level cache of one."""
PIECE_QUERIES = 256
"""Positions of the queries in a piece; keys after the last of them are left out."""


def trains_narrow(device: torch.device, *, bf16: bool) -> bool:
    """Return whether this is the faster way to train: in bf16 on one thread of a CPU.

    Several threads meet after each product of a piece, torch's kernel once a call, which is faster on busy cores.
    """
    return device.type == "cpu" and bf16 and torch.get_num_threads() == 1


def is_narrow_on_cpu(q: Tensor, k: Tensor) -> bool:
    """Return whether to take this way: where it is the faster one, in training, with a query for every key."""
    return (
        trains_narrow(q.device, bf16=q.dtype == torch.bfloat16)
        and q.shape[2] == k.shape[2]
        and torch.is_grad_enabled()
    )


@torch.library.custom_op("corpus::narrow_attention", mutates_args=())
def narrow_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Return softmax(q k^T / sqrt(d)) v, (batch, heads, time, d); a position sees itself and what is before it.

    q (batch, heads, time, d), k and v (batch, kv_heads, time, d) in bf16; `mask`, (batch, 1, time, time) booleans, is
    true where a query sees a key, which may not come after it. To torch.compile it is one operation each way.
    """
    out = torch.empty(q.shape, dtype=q.dtype)
    grouped, value = _group(out, k), v.flatten(0, 1)
    with torch.autocast("cpu", enabled=False):
        for piece in _cut(q, k, mask):
            grouped[piece.queries] = piece.unfold(torch.bmm(piece.weigh(), value[piece.keys]))
    return out


@narrow_attention.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    return torch.empty(q.shape, dtype=q.dtype, device=q.device)


@torch.library.custom_op("corpus::narrow_attention_backward", mutates_args=())
def _differentiate(
    outer: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients in q, k and v, each of its shape, of `outer`, that in the output."""
    to_q, to_k, to_v = (torch.empty(x.shape, dtype=x.dtype) for x in (q, k, v))
    outer, grouped = _group(outer, k), _group(to_q, k)
    value, to_key, to_value = (x.flatten(0, 1) for x in (v, to_k, to_v))
    scale = q.shape[3] ** -0.5
    with torch.autocast("cpu", enabled=False):
        for piece in _cut(q, k, mask):
            weights, gradient = piece.weigh(), outer[piece.queries].flatten(1, 2)
            to_weights = torch.bmm(gradient, value[piece.keys].mT)
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            grouped[piece.queries] = piece.unfold(torch.bmm(to_scores, piece.key).mul_(scale))
            if piece.key.shape[1] == k.shape[2]:  # the first of its heads: it sees all keys
                torch.bmm(to_scores.mT, piece.query, out=to_key[piece.keys]).mul_(scale)
                torch.bmm(weights.mT, gradient, out=to_value[piece.keys])
            else:
                to_key[piece.keys].add_(torch.bmm(to_scores.mT, piece.query), alpha=scale)
                to_value[piece.keys].add_(torch.bmm(weights.mT, gradient))
    return to_q, to_k, to_v


@_differentiate.register_fake
def _(outer: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    to_q, to_k, to_v = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k, v))
    return to_q, to_k, to_v


def _keep_inputs(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, Tensor | None], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
    return *_differentiate(outer, *ctx.saved_tensors), None


narrow_attention.register_autograd(_backward, setup_context=_keep_inputs)


@dataclass(slots=True)
class _Piece:
    """Some successive queries, of n heads of keys and all the heads that these serve."""

    queries: tuple[slice, ...]
    """Their place in an array (batch * kv_heads, heads that each serves, time, d)."""
    keys: tuple[slice, ...]
    """The place of the keys that they may see, (batch * kv_heads, time, d)."""
    query: Tensor
    """(n, queries of all heads that each serves, d)."""
    key: Tensor
    """(n, keys, d)."""
    bias: Tensor
    """0 where a query sees a key, else minus infinity: (1 or n, queries of all heads that a key serves, keys)."""

    def weigh(self) -> Tensor:
        """Return the probabilities, (n, queries of all heads that each serves, keys)."""
        scores = torch.baddbmm(self.bias, self.query, self.key.mT, alpha=self.query.shape[2] ** -0.5)
        return scores.softmax(dim=2)

    def unfold(self, x: Tensor) -> Tensor:
        """Return (n, heads that each serves, queries, d) of an array of `query`'s shape."""
        return x.view(len(x), -1, self.queries[2].stop - self.queries[2].start, x.shape[2])


def _group(x: Tensor, k: Tensor) -> Tensor:
    """Return (batch * kv_heads, heads that each serves, time, d) of (batch, heads, time, d); a view where it can be."""
    batch, _, time, width = x.shape
    return x.reshape(batch * k.shape[1], -1, time, width)


def _cut(q: Tensor, k: Tensor, mask: Tensor | None) -> Iterator[_Piece]:
    """Yield pieces of about PIECE_SCORES scores, of each head the last queries first."""
    time, served = q.shape[2], q.shape[1] // k.shape[1]
    query, key = _group(q, k), k.flatten(0, 1)
    seen = torch.ones(1, time, time, dtype=torch.bool).tril_() if mask is None else mask[:, 0]
    bias = torch.zeros(seen.shape, dtype=q.dtype).masked_fill_(~seen, -torch.inf)
    for end in range(time, 0, -PIECE_QUERIES):
        start = max(0, end - PIECE_QUERIES)
        repeated = bias[:, start:end, :end].repeat(1, served, 1)
        step = max(1, PIECE_SCORES // (served * (end - start) * end))
        for first in range(0, len(key), step):
            heads = slice(first, min(first + step, len(key)))
            queries, keys = (heads, slice(None), slice(start, end)), (heads, slice(0, end))
            each = repeated if mask is None else repeated[torch.arange(heads.start, heads.stop) // k.shape[1]]
            yield _Piece(queries, keys, query[queries].flatten(1, 2), key[keys], each)
