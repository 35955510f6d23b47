"""Define the transformer: tokens in, logits or a loss out.

Decoder-only, shaped like Qwen3 (arXiv:2505.09388): RMSNorm before each half of a block, rotary positions, an RMSNorm
on every query and key head, grouped-query attention, SwiGLU, no biases, tied or untied embeddings. Queries, keys and
values come from one matrix, gate and up from another: fewer, larger products, and an export only has to split them.

Attention covers the whole window, or only the document (attention.py).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.trainer.attention import Mask, attend, document_mask
from corpus.trainer.config import ModelConfig
from corpus.trainer.fused import GateFunction, RMSNormFunction, RotateFunction
from corpus.trainer.loss import cross_entropy, nats

NARROW_RESIDUAL_DEVICES = {"cuda"}
"""Devices where the states between blocks are in the type of products under autocast. On a GPU a block reads and
writes them a dozen times, so fp32 costs twice the time there; a CPU is bound by its products."""


def _product_dtype(x: Tensor) -> torch.dtype:
    """Return the type that products of x are in: autocast's where it is on, else x's own."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def _use_fused(x: Tensor) -> bool:
    """Return whether fused.py is faster: on a CPU, with gradients, and not under torch.compile, which fuses itself."""
    return x.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling()


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + epsilon) * weight over the last dimension (arXiv:1910.07467), in the type of products."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        dtype = _product_dtype(x)
        if _use_fused(x):
            normed: Tensor = RMSNormFunction.apply(x, self.weight, self.epsilon, dtype)  # type: ignore[no-untyped-call]
            return normed
        precise = torch.promote_types(x.dtype, torch.float32)
        # Autocast would keep the result in fp32 on a GPU, and in x's type on a CPU.
        with torch.autocast(x.device.type, enabled=False):
            gain = self.weight.to(precise)
            return F.rms_norm(x.to(precise), gain.shape, gain, self.epsilon).to(dtype)


class Cache:
    """Keys and values of the positions so far, for generation: (depth, batch, kv_heads, context, head_width)."""

    def __init__(self, config: ModelConfig, batch: int, device: torch.device) -> None:
        shape = (config.depth, batch, config.kv_heads, config.context, config.head_width)
        self.keys = torch.zeros(shape, device=device)
        self.values = torch.zeros(shape, device=device)
        self.length = 0

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store new positions of one layer, return all its keys and values; `length` grows after the last layer."""
        end = self.length + keys.shape[2]
        self.keys[layer, :, :, self.length : end] = keys
        self.values[layer, :, :, self.length : end] = values
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Apply rotary positions: rotate the pair (x_i, x_i+d/2) of each head by its position's angle. x (..., time, d)."""
    if _use_fused(x):
        turned: Tensor = RotateFunction.apply(x, cosine, sine)  # type: ignore[no-untyped-call]
        return turned
    a, b = x.chunk(2, dim=-1)
    cosine, sine = cosine.to(x.dtype), sine.to(x.dtype)
    return torch.cat((a * cosine - b * sine, b * cosine + a * sine), dim=-1)


class Attention(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_width = config.heads, config.kv_heads, config.head_width
        self.qkv = nn.Linear(config.width, (self.heads + 2 * self.kv_heads) * self.head_width, bias=False)
        self.q_norm = RMSNorm(self.head_width, config.norm_epsilon)
        self.k_norm = RMSNorm(self.head_width, config.norm_epsilon)
        self.out = nn.Linear(self.heads * self.head_width, config.width, bias=False)

    def forward(
        self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Mask, layer: int, cache: Cache | None
    ) -> Tensor:
        batch, time, _ = x.shape
        heads = self.qkv(x).view(batch, time, -1, self.head_width).transpose(1, 2)
        q, k, v = heads.split((self.heads, self.kv_heads, self.kv_heads), dim=1)
        q = rotate(self.q_norm(q), cosine, sine)
        k = rotate(self.k_norm(k), cosine, sine)
        if cache is not None:
            k, v = cache.extend(layer, k, v)
            mask = torch.ones(time, k.shape[2], dtype=torch.bool, device=x.device).tril(k.shape[2] - time)
        y = attend(q, k, v, mask)
        mixed: Tensor = self.out(y.transpose(1, 2).reshape(batch, time, -1))
        return mixed


class SwiGLU(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate_up = self.gate_up(x)
        if _use_fused(gate_up):
            gated: Tensor = GateFunction.apply(gate_up)  # type: ignore[no-untyped-call]
        else:
            gate, up = gate_up.chunk(2, dim=-1)
            gated = F.silu(gate) * up
        y: Tensor = self.down(gated)
        return y


class Block(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_epsilon)
        self.attention = Attention(config)
        self.mlp_norm = RMSNorm(config.width, config.norm_epsilon)
        self.mlp = SwiGLU(config)

    def forward(
        self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Mask, layer: int, cache: Cache | None
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cosine, sine, mask, layer, cache)
        x = x + self.mlp(self.mlp_norm(x))
        return x


class GPT(nn.Module):
    """The model: `hidden` returns the last layer's states, `logits` scores over the vocabulary, `forward` the loss."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.cross_entropy = cross_entropy
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = RMSNorm(config.width, config.norm_epsilon)
        if not config.tied:
            self.output = nn.Linear(config.width, config.vocabulary, bias=False)
        half = torch.arange(config.head_width // 2, dtype=torch.float64) * 2 / config.head_width
        angles = torch.outer(torch.arange(config.context, dtype=torch.float64), config.rope_base**-half)
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def output_weight(self) -> Tensor:
        return self.embedding.weight if self.config.tied else self.output.weight

    def matrices(self) -> dict[Tensor, tuple[int, ...]]:
        """Return the blocks' matrices, each with the row counts of the matrices stacked in it."""
        config = self.config
        kv = config.kv_heads * config.head_width
        rows = {
            "attention.qkv.weight": (config.heads * config.head_width, kv, kv),
            "attention.out.weight": (config.width,),
            "mlp.gate_up.weight": (config.hidden, config.hidden),
            "mlp.down.weight": (config.width,),
        }
        return {block.get_parameter(name): size for block in self.blocks for name, size in rows.items()}

    def hidden(self, tokens: Tensor, cache: Cache | None = None, end_of_text: int | None = None) -> Tensor:
        """Return the states after the last norm, (batch, time, width), of tokens (batch, time) that follow `cache`.

        With `end_of_text`, attention does not look past the last such token, so documents are read separately.
        """
        start = 0 if cache is None else cache.length
        end = start + tokens.shape[1]
        if end > self.config.context:
            raise ValueError(f"{end} positions in a context of {self.config.context}")
        mask = None if end_of_text is None else document_mask(tokens, end_of_text)
        x = self.embedding(tokens)
        if x.device.type in NARROW_RESIDUAL_DEVICES:
            x = x.to(_product_dtype(x))
        cosine, sine = self.cosine[start:end], self.sine[start:end]
        for layer, block in enumerate(self.blocks):
            x = block(x, cosine, sine, mask, layer, cache)
        if cache is not None:
            cache.length = end
        normed: Tensor = self.norm(x)
        return normed

    def logits(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Return the scores over the vocabulary, (batch, time, vocabulary)."""
        return F.linear(self.hidden(tokens, cache), self.output_weight())

    def last_logits(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Return the scores of the token that follows the last one, (batch, vocabulary)."""
        return F.linear(self.hidden(tokens, cache)[:, -1], self.output_weight())

    def forward(
        self, tokens: Tensor, targets: Tensor, *, z_loss: float = 0.0, end_of_text: int | None = None
    ) -> Tensor:
        """Return the summed nats of all targets (batch, time), a scalar; negative targets are padding.

        `z_loss` affects the gradient only (loss.py); `end_of_text` as in `hidden`.
        """
        states = self.hidden(tokens, end_of_text=end_of_text).flatten(0, 1)
        return self.cross_entropy(states, self.output_weight(), targets.flatten(), z_loss)

    def nats(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Return the nats of every target, (batch, time), 0 for padding; without a gradient."""
        states = self.hidden(tokens).flatten(0, 1)
        return nats(states, self.output_weight(), targets.flatten()).view(targets.shape)


def initialize_weights(model: GPT, seed: int) -> None:
    """Initialize weights: normal, deviation 1/sqrt(inputs), a block's outputs divided by sqrt(2 depth) (GPT-2).

    The embedding takes 1/sqrt(width), so that the first blocks' outputs do not dominate the token's own vector. With
    GPT-2's .02 a model of width 128 reached 4.6 nats a token after a million tokens; with this it reached 4.1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2:
                continue
            scale = parameter.shape[1] ** -0.5
            if name.endswith(("attention.out.weight", "mlp.down.weight")):
                scale /= math.sqrt(2 * model.config.depth)
            parameter.normal_(0.0, scale, generator=generator)
