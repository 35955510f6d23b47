"""A plain GPT in PyTorch, as GPT-2 is and nanoGPT trains it: what the trainer's speed is compared with.

LayerNorm, learned positions, GELU, no biases or dropout, a tied output layer, the loss over all logits at once, AdamW.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.trainer.config import ModelConfig
from corpus.trainer.device import autocast


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, width = x.shape
        parts = self.qkv(x).split(width, dim=2)
        q, k, v = (part.view(batch, time, self.heads, width // self.heads).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed: Tensor = self.out(y.transpose(1, 2).contiguous().view(batch, time, width))
        return mixed


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.attention = _Attention(width, heads)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        y: Tensor = x + self.down(F.gelu(self.up(self.second(x))))
        return y


class PlainGPT(nn.Module):
    """GPT-2 of a shape's depth, width, heads, vocabulary and context."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config.width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, bias=False)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.tokens.weight = self.head.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                ending = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * config.depth) if ending else 0.02)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean nats of targets (batch, time)."""
        x = self.tokens(inputs) + self.positions(torch.arange(inputs.shape[1], device=inputs.device))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)

    def flops_per_token(self) -> int:
        """Return the operations to train on one token, counted as `ModelConfig.flops_per_token` counts them."""
        config = self.config
        multiplied = 12 * config.depth * config.width**2 + config.vocabulary * config.width
        return 6 * multiplied + 12 * config.depth * config.width * config.context


def make_plain_step(
    model: nn.Module, device: torch.device, *, micro_samples: int, bf16: bool, fused: bool | None = None
) -> Callable[[Tensor], Tensor]:
    """Return nanoGPT's step: AdamW with .9 and .95, decay .1 on matrices, the gradient cut at 1.

    The step takes tokens (samples, context + 1) on the device and returns the mean loss there.
    """
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=6e-4, betas=(0.9, 0.95), fused=fused)

    def step(tokens: Tensor) -> Tensor:
        parts = torch.split(tokens, micro_samples)
        loss = torch.zeros((), device=device)
        for part in parts:
            with autocast(device, bf16):
                output = model(part[:, :-1].contiguous(), part[:, 1:].contiguous())
            share: Tensor = (output[1] if isinstance(output, tuple) else output) * (len(part) / len(tokens))
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.detach()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    return step
