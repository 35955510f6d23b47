"""Choose the optimizer of every parameter, and the learning rate over a run."""

from __future__ import annotations

import math

import torch

from corpus.trainer.config import RunConfig, Shape
from corpus.trainer.model import GPT
from corpus.trainer.muon import Muon


def make_optimizers(model: GPT, config: RunConfig, *, bf16: bool) -> list[torch.optim.Optimizer]:
    """Return the optimizers of a model.

    `muon`: Muon for the blocks' matrices, AdamW for embeddings, output and gains; `adamw`: AdamW for everything. AdamW
    (arXiv:1711.05101) decays matrices but not gains, and is one kernel for all of them (`fused`).
    """
    split = model.matrices() if config.optimizer == "muon" else {}
    rest = [parameter for parameter in model.parameters() if parameter not in split]
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=1e-8,
        fused=True,
    )
    if not split:
        return [adamw]
    muon = Muon(
        split.items(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        bf16=bf16,
        compile=config.compile,
    )
    return [muon, adamw]


def learning_rate_factor(progress: float, *, shape: Shape, warmup: float, decay: float) -> float:
    """Return the learning rate's factor, 0 to 1, at `progress` of the run, 0 to 1.

    A linear rise over the first `warmup`, then either `wsd`: constant, and a linear fall to zero over the last `decay`
    (MiniCPM, arXiv:2404.06395; the straight line to zero after arXiv:2405.18392), or `cosine`: half a wave down to .1
    (GPT-3).
    """
    if progress < warmup:
        return progress / warmup
    if shape == "cosine":
        return 0.55 + 0.45 * math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup)))
    return min(1.0, max(0.0, (1 - progress) / decay)) if decay else 1.0
