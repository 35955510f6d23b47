"""AdamW, and the learning rate over a run."""

from __future__ import annotations

import math

import torch
from torch import nn

from corpus.trainer.config import RunConfig, Shape


def make_optimizer(model: nn.Module, config: RunConfig) -> torch.optim.AdamW:
    """AdamW (arXiv:1711.05101) that decays matrices, and leaves the gains of the norms alone."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), eps=1e-8, fused=True
    )


def rate(progress: float, *, shape: Shape, warmup: float, decay: float) -> float:
    """The learning rate's factor, 0 to 1, at `progress` of the run, 0 to 1.

    A linear rise over the first `warmup`, then either `wsd`: constant, and a linear fall to zero over the last `decay`
    (MiniCPM, arXiv:2404.06395; the straight line to zero after arXiv:2405.18392), or `cosine`: half a wave down to .1
    (GPT-3).
    """
    if progress < warmup:
        return progress / warmup
    if shape == "cosine":
        return 0.55 + 0.45 * math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup)))
    return min(1.0, max(0.0, (1 - progress) / decay)) if decay else 1.0
