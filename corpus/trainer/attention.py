"""Attention over a whole window, or inside its documents.

A document begins with the end-of-text before it, as an evaluation reads it (evaluate.py). Positions are not reset,
since rotary embeddings depend on distances only. On a CPU the mask is an array of booleans, (batch, time, time) bytes,
since FlexAttention has no backward there. On CUDA it is a function that FlexAttention compiles into its kernel, which
skips blocks that lie in different documents.

A GPU has several kernels for the causal mask, and which is fastest depends on the GPU, the shape and the version: a
run tries them at its start (tuning.py) and keeps to one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from corpus.trainer.narrow_attention import is_narrow_on_cpu, narrow_attention

Mask = Any
"""None: causal; a boolean tensor that broadcasts to (batch, heads, queries, keys); a BlockMask."""

KERNELS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
}
"""Kernels that do not hold the scores of all pairs of positions."""


def prefer_kernel(name: str | None) -> AbstractContextManager[None]:
    """Return a context in which attention takes the kernel of that name where it can, then the others of torch."""
    if name is None:
        return nullcontext()
    others = [kernel for other, kernel in KERNELS.items() if other != name]
    order = [KERNELS[name], *others, SDPBackend.MATH]
    context: AbstractContextManager[None] = sdpa_kernel(order, set_priority=True)
    return context


def document_mask(tokens: Tensor, end_of_text: int) -> Mask:
    """Return the mask that lets a token of (batch, time) see itself and the earlier tokens of its own document."""
    documents = (tokens == end_of_text).cumsum(dim=1)
    time = tokens.shape[1]
    if tokens.is_cuda:
        from torch.nn.attention.flex_attention import create_block_mask

        def inside(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            same = documents[batch, query] == documents[batch, key]
            return same & (query >= key)

        return create_block_mask(inside, len(tokens), None, time, time, device=str(tokens.device))
    same = documents[:, :, None] == documents[:, None, :]
    return same.tril_().unsqueeze(1)


@lru_cache(maxsize=1)
def _flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Return softmax(q k^T / sqrt(d)) v, (batch, heads, time, d); fewer heads in k and v serve groups of q's heads."""
    if isinstance(mask, Tensor | None) and is_narrow_on_cpu(q, k):
        narrow: Tensor = narrow_attention(q, k, v, mask)
        return narrow
    grouped = q.shape[1] != k.shape[1]
    if mask is None or isinstance(mask, Tensor):
        return F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, enable_gqa=grouped
        )
    mixed: Tensor = _flex()(q, k, v, block_mask=mask, enable_gqa=grouped)
    return mixed
