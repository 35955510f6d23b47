"""Compute the cross-entropy directly from the last hidden states, in blocks of rows.

The logits of a whole batch are the largest array of a small model by far (4,096 tokens and a vocabulary of 32,000 are
0.5 GB in fp32, several times over). Here the logits of one block of rows are computed, reduced to the block's losses
and two gradients, and freed, all in the forward pass; the backward pass only scales. The products are the same as
without blocks.

Under torch.compile the loop is one operation to the graph around it, or the compiler would write it out block by block
(24,000 lines for 49 blocks). What happens between two products is compiled by itself, once for all blocks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

BLOCK_LOGITS = {"cpu": 1 << 22, "cuda": 1 << 29}
"""Logits held in memory at a time: as many as fit a CPU's cache; on a GPU 1 GB in bf16, twice while the gradient is
made of them: 10,000 rows of a vocabulary of 50,000. Each block reads and writes the weight's whole gradient, a time of
about 300 rows' products on an H200."""
SMALLEST_PROBABILITY = torch.finfo(torch.float32).tiny


def cross_entropy(states: Tensor, weight: Tensor, targets: Tensor, z_loss: float = 0.0) -> Tensor:
    """Return the sum over rows of -log softmax(states @ weight.T)[target], in nats, a scalar with a gradient.

    states (n, width), weight (vocabulary, width), targets (n,) int64; a negative target is padding and adds nothing.
    Under autocast probabilities are rounded to its type, as the gradient is anyway: a loss is off by at most .4 %
    either way, their sum by far less. A probability below 1e-38 counts as that.

    The gradient is that of the sum plus `z_loss` times z^2, z = log sum exp of a row's logits, which keeps the logits
    from drifting (PaLM, arXiv:2204.02311, section 5); the value stays the nats alone, so that runs can be compared.
    """
    if torch.compiler.is_compiling():
        compiled_total: Tensor = _as_one_operation(_cast_for_autocast(states)[0], weight, targets, z_loss)[0]
        return compiled_total
    total: Tensor = _CrossEntropy.apply(states, weight, targets, z_loss)  # type: ignore[no-untyped-call]
    return total


@torch.no_grad()
def nats(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Return -log softmax(states @ weight.T)[target] of every row, (n,) fp32, 0 for padding; without a gradient."""
    x, w = _cast_for_autocast(states, weight)
    out = torch.zeros(len(x), device=x.device)
    with torch.autocast(x.device.type, enabled=False):
        for part in _row_blocks(x, w):
            logits = (x[part] @ w.T).float()
            chosen = logits.gather(1, targets[part].clamp(min=0).unsqueeze(1)).squeeze(1)
            out[part] = (logits.logsumexp(dim=1) - chosen) * (targets[part] >= 0)
    return out


def _cast_for_autocast(*tensors: Tensor) -> list[Tensor]:
    device = tensors[0].device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensors[0].dtype
    return [tensor.to(dtype) for tensor in tensors]


def _row_blocks(x: Tensor, w: Tensor) -> list[slice]:
    """Return slices of x's rows, all but the last of one length and that one hardly shorter."""
    count = -(-len(x) // max(1, BLOCK_LOGITS[x.device.type] // len(w)))
    rows = -(-len(x) // max(1, count))
    return [slice(start, start + rows) for start in range(0, len(x), max(1, rows))]


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, targets: Tensor, z_loss: float) -> Tensor:
        x, w = _cast_for_autocast(states, weight)
        total, to_states, to_weight = _compute_in_blocks(x, w, targets, z_loss)
        ctx.save_for_backward(to_states.to(states.dtype), to_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor, None, None]:
        to_states, to_weight = ctx.saved_tensors
        return to_states * outputs[0], to_weight * outputs[0], None, None


def _compute_in_blocks(x: Tensor, w: Tensor, targets: Tensor, z_loss: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return (the sum of nats, its gradient in x in x's type, that in w in fp32), in torch's own operations."""
    total = torch.zeros((), device=x.device)
    to_x = torch.empty_like(x)
    to_w = torch.zeros(w.shape, device=x.device)
    kept = (targets >= 0).unsqueeze(1)
    target = targets.clamp(min=0).unsqueeze(1)
    # The types are chosen by the caller. Autocast would choose again, on a GPU fp32 for softmax and sum, on a CPU not.
    with torch.autocast(x.device.type, enabled=False):
        for part in _row_blocks(x, w):
            logits = x[part] @ w.T
            gradient = logits.softmax(dim=1)
            probability = gradient.gather(1, target[part])
            nats = -probability.float().clamp(min=SMALLEST_PROBABILITY).log()
            # The gradient in the logits is f p - e, p the softmax, e the target; f is drawn out of the products.
            z = logits.gather(1, target[part]).float() + nats
            factor = (1 + 2 * z_loss * z).to(x.dtype)
            gradient.scatter_(1, target[part], probability - 1 / factor)
            factor *= kept[part]
            # Not in place: under torch 2.11, torch.compile loses the gradient of a result that is added to.
            total = total + (nats * kept[part]).sum()
            to_x[part] = (gradient @ w) * factor
            to_w += gradient.T @ (x[part] * factor)
    return total, to_x, to_w


@torch.library.custom_op("corpus::cross_entropy_in_blocks", mutates_args=())
def _as_one_operation(
    x: Tensor, weight: Tensor, targets: Tensor, z_loss: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `_compute_in_blocks` does, with products in x's type: to torch.compile it is one node of the graph.

    An operation rather than an autograd.Function, at which DDP cannot divide a compiled graph into its buckets.
    """
    w = weight.to(x.dtype)
    nats = torch.zeros(len(x), device=x.device)
    to_x = torch.empty_like(x)
    to_w = torch.zeros(w.shape, device=x.device)
    reduce = _compile_reduction()
    with torch.autocast(x.device.type, enabled=False):
        for part in _row_blocks(x, w):
            gradient, nats[part] = reduce(x[part] @ w.T, targets[part], z_loss)
            torch.mm(gradient, w, out=to_x[part])
            to_w += gradient.T @ x[part]
    return nats.sum(), to_x, to_w


@_as_one_operation.register_fake
def _(x: Tensor, weight: Tensor, targets: Tensor, z_loss: float) -> tuple[Tensor, Tensor, Tensor]:
    device, fp32 = x.device, torch.float32
    total, to_w = (
        torch.empty((), device=device, dtype=fp32),
        torch.empty(weight.shape, device=device, dtype=fp32),
    )
    return total, torch.empty_like(x), to_w


def _keep_gradients(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    ctx.save_for_backward(*output[1:])


def _scale_gradients(ctx: Any, outer: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, None, None]:
    to_x, to_w = ctx.saved_tensors
    return to_x * outer, to_w * outer, None, None


_as_one_operation.register_autograd(_scale_gradients, setup_context=_keep_gradients)


def _reduce_logits(logits: Tensor, targets: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """Return (the gradient in the logits, in their type; each row's nats, (n,) fp32) of logits (n, vocabulary)."""
    raised = logits.float()
    z = raised.logsumexp(dim=1, keepdim=True)
    kept = (targets >= 0).unsqueeze(1)
    target = targets.clamp(min=0).unsqueeze(1)
    right = torch.arange(logits.shape[1], device=logits.device) == target
    gradient = (raised - z).exp() * (1 + 2 * z_loss * z) - right.float()
    nats = (z - raised.gather(1, target)) * kept
    return (gradient * kept).to(logits.dtype), nats.squeeze(1)


@lru_cache(maxsize=1)
def _compile_reduction() -> Any:
    return torch.compile(_reduce_logits, dynamic=False)
