"""A training step against nanoGPT's: CPU seconds, interleaved in one process.

nanoGPT's side is GPT-2's block as its model.py has it (LayerNorm, no biases, GELU, learned positions, the loss over all
logits at once, AdamW, fp32), written again here; or its own file with --nanogpt nanoGPT/model.py. Ours is the
trainer's Engine: forward, backward, clipping and optimizer. Both have the depth, width and heads, the vocabulary, the
windows and, within three percent, the parameters of the other.

python -m tests.benchmarks.trainer_benchmark [--nanogpt PATH] [--compile] [--rounds 5]
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.device import use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import SampleBatch
from tests.benchmarks import bench

VOCABULARY, CONTEXT, DEPTH, WIDTH, HEADS = 8192, 256, 6, 256, 4
"""6.8M parameters at T = 256."""
SAMPLES = 8


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, time_, width = x.shape
        parts = self.qkv(x).split(width, dim=2)
        q, k, v = (part.view(batch, time_, HEADS, width // HEADS).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.out(y.transpose(1, 2).contiguous().view(batch, time_, width))
        return out


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.attention = Attention()
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        out: Tensor = x + self.down(F.gelu(self.up(self.second(x))))
        return out


class GPT2(nn.Module):
    """GPT-2 as nanoGPT trains it, without dropout, as its CPU settings are."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.tokens.weight = self.head.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                scale = 0.02 / math.sqrt(2 * DEPTH) if name.endswith(("out.weight", "down.weight")) else 0.02
                nn.init.normal_(parameter, 0.0, scale)

    def forward(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tokens(inputs) + self.positions(torch.arange(inputs.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return logits, F.cross_entropy(logits.view(-1, VOCABULARY), targets.view(-1), ignore_index=-1)


def nanogpt(path: str | None) -> nn.Module:
    """The model to compare with: written above, or from nanoGPT's own model.py."""
    if path is None:
        return GPT2()
    sys.path.insert(0, str(Path(path).resolve().parent))
    module = importlib.import_module(Path(path).stem)
    settings: dict[str, Any] = {
        "block_size": CONTEXT, "vocab_size": VOCABULARY, "n_layer": DEPTH, "n_head": HEADS, "n_embd": WIDTH,
        "dropout": 0.0, "bias": False,
    }  # fmt: skip
    model: nn.Module = module.GPT(module.GPTConfig(**settings))
    return model


def their_step(model: nn.Module) -> Callable[[np.ndarray], None]:
    """nanoGPT's step: AdamW with .9 and .95, decay .1 on matrices, the gradient cut at 1."""
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=6e-4, betas=(0.9, 0.95))

    def step(tokens: np.ndarray) -> None:
        window = torch.from_numpy(tokens.astype(np.int64))
        _, loss = model(window[:, :-1].contiguous(), window[:, 1:].contiguous())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def our_config(**changes: Any) -> RunConfig:
    hidden = -(-8 * WIDTH // 3 // 16) * 16
    model = ModelConfig(
        vocabulary=VOCABULARY, context=CONTEXT, depth=DEPTH, width=WIDTH, heads=HEADS, kv_heads=HEADS,
        head_width=WIDTH // HEADS, hidden=hidden,
    )  # fmt: skip
    config = RunConfig(
        workspace="", dataset="", fingerprint="", end_of_text=0, size="", model=model, seed=0, steps=1,
        minutes=None, batch_samples=SAMPLES, micro_samples=SAMPLES, learning_rate=6e-4,
    )  # fmt: skip
    return dataclasses.replace(config, **changes)


def our_step(config: RunConfig) -> tuple[Callable[[np.ndarray], None], int]:
    engine = Engine(config, torch.device("cpu"), World())
    full = np.full(SAMPLES, CONTEXT + 1)

    def step(tokens: np.ndarray) -> None:
        batch = SampleBatch(tokens=tokens, lengths=full, streams=np.zeros(SAMPLES, np.int64))
        engine.backward(batch, SAMPLES * CONTEXT)
        engine.clip()
        engine.update(6e-4)

    return step, sum(parameter.numel() for parameter in engine.model.parameters())


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--nanogpt", metavar="PATH", help="nanoGPT's model.py")
    parser.add_argument("--compile", action="store_true", help="also with torch.compile, after minutes of it")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = nanogpt(options.nanogpt)
    theirs = sum(parameter.numel() for parameter in model.parameters())
    bf16 = use_bf16(torch.device("cpu"), "auto")
    steps: dict[str, Callable[[np.ndarray], None]] = {"nanoGPT fp32": their_step(model)}
    steps["ours fp32, adamw"], ours = our_step(our_config(precision="fp32", optimizer="adamw"))
    if bf16:
        steps["ours bf16, adamw"], _ = our_step(our_config(precision="bf16", optimizer="adamw"))
        steps["ours bf16, muon"], _ = our_step(our_config(precision="bf16"))
    if options.compile:
        for optimizer in ("adamw", "muon"):
            changes = {"precision": "bf16" if bf16 else "fp32", "optimizer": optimizer, "compile": True}
            steps[f"ours compiled, {optimizer}"], _ = our_step(our_config(**changes))
    random = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(options.rounds + 1):
        tokens = random.integers(0, VOCABULARY, (SAMPLES, CONTEXT + 1), dtype=np.uint16)
        for name, step in steps.items():
            begin = time.process_time()
            step(tokens)
            if turn:
                seconds[name].append(time.process_time() - begin)
    print(
        f"parameters: nanoGPT {theirs / 1e6:.2f}M, ours {ours / 1e6:.2f}M; {SAMPLES} windows of {CONTEXT}, one thread; "
        f"bf16 instructions: {'yes' if bf16 else 'no'}"
    )
    base = float(np.median(seconds["nanoGPT fp32"]))
    for name, values in seconds.items():
        middle = float(np.median(values))
        ratios = [a / b for a, b in zip(seconds["nanoGPT fp32"], values, strict=True)]
        print(
            f"  {name:22} {middle:7.3f} CPU s a step   {base / middle:5.2f} times fewer "
            f"(rounds {min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
