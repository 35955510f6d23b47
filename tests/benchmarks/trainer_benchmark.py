"""A training step against nanoGPT's: CPU seconds, interleaved in one process.

nanoGPT's side is corpus/trainer/reference.py, GPT-2's block as its model.py has it (LayerNorm, no biases, GELU, learned
positions, the loss over all logits at once, AdamW, fp32); or its own file with --nanogpt nanoGPT/model.py. Ours is the
trainer's Engine: forward, backward, clipping and optimizer. Both have the depth, width and heads, the vocabulary, the
windows and, within three percent, the parameters of the other.

python -m tests.benchmarks.trainer_benchmark [--nanogpt PATH] [--compile] [--rounds 5]
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.device import use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import SampleBatch
from corpus.trainer.reference import PlainGPT, make_plain_step
from tests.benchmarks import bench

VOCABULARY, CONTEXT, DEPTH, WIDTH, HEADS = 8192, 256, 6, 256, 4
"""6.8M parameters at T = 256."""
SAMPLES = 8


def nanogpt(path: str | None) -> nn.Module:
    """The model to compare with: the trainer's reference, or from nanoGPT's own model.py."""
    if path is None:
        return PlainGPT(our_config().model)
    sys.path.insert(0, str(Path(path).resolve().parent))
    module = importlib.import_module(Path(path).stem)
    settings: dict[str, Any] = {
        "block_size": CONTEXT, "vocab_size": VOCABULARY, "n_layer": DEPTH, "n_head": HEADS, "n_embd": WIDTH,
        "dropout": 0.0, "bias": False,
    }  # fmt: skip
    model: nn.Module = module.GPT(module.GPTConfig(**settings))
    return model


def their_step(model: nn.Module) -> Callable[[np.ndarray], None]:
    """nanoGPT's step."""
    plain = make_plain_step(model, torch.device("cpu"), micro_samples=SAMPLES, bf16=False)

    def step(tokens: np.ndarray) -> None:
        plain(torch.from_numpy(tokens.astype(np.int64)))

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
        engine.read(engine.backward(batch, SAMPLES * CONTEXT), engine.clip())
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
