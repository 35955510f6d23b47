"""Define a run: the model's shape and the training settings, frozen, in plain JSON values.

This module does not import torch, so that the command line can list the sizes without it.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from corpus.errors import UserError
from corpus.suggestions import list_choices

Shape = Literal["wsd", "cosine"]
Optimizer = Literal["muon", "adamw"]
Precision = Literal["auto", "bf16", "fp32", "fp8"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a decoder-only transformer as Qwen3 has it (RMSNorm, RoPE, QK-norm, SwiGLU, grouped queries).

    `rope_base` is 10,000 as in RoFormer (arXiv:2104.09864); Qwen3 itself takes 1,000,000 for contexts of 32k.
    """

    vocabulary: int
    context: int
    depth: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    hidden: int
    tied: bool = True
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-6

    def parameters(self) -> int:
        """Return the number of trained parameters, embeddings included (a tied embedding once)."""
        return self.embedding_parameters() + self.depth * self._block() + self.width

    def block_parameters(self) -> int:
        """Return the number of parameters without the embeddings, as scaling laws count."""
        return self.parameters() - self.embedding_parameters()

    def embedding_parameters(self) -> int:
        return self.vocabulary * self.width * (1 if self.tied else 2)

    def block_matrices(self) -> int:
        """Return the number of parameters of a block's matrices, its gains left out."""
        attention = self.width * self.head_width * (2 * self.heads + 2 * self.kv_heads)
        return attention + 3 * self.width * self.hidden

    def _block(self) -> int:
        return self.block_matrices() + 2 * self.width + 2 * self.head_width

    def flops_per_token(self) -> int:
        """Return the operations (FLOP) to train on one token: 6 N + 12 L d T (PaLM, arXiv:2204.02311, appendix B).

        N counts the matrices that multiply: a tied embedding once, as the output layer; the look-up is free.
        """
        multiplied = self.depth * self._block() + self.vocabulary * self.width
        return 6 * multiplied + 12 * self.depth * self.heads * self.head_width * self.context


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """A named shape. Training settings that suit it are computed from its size and the run's tokens: scaling.py."""

    depth: int
    width: int
    heads: int
    kv_heads: int
    context: int
    tied: bool = True

    def model(self, *, vocabulary: int, context: int | None = None) -> ModelConfig:
        """Return the model's shape for a vocabulary.

        SwiGLU's three matrices at 8/3 of the width cost as much as a plain block's two at 4 (arXiv:2002.05202).
        """
        return ModelConfig(
            vocabulary=vocabulary,
            context=self.context if context is None else context,
            depth=self.depth,
            width=self.width,
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_width=self.width // self.heads,
            hidden=-(-8 * self.width // 3 // 64) * 64,
            tied=self.tied,
        )


MODEL_SIZES = {
    "1m": ModelSize(depth=4, width=96, heads=3, kv_heads=1, context=256),
    "tiny": ModelSize(depth=3, width=128, heads=2, kv_heads=1, context=256),
    "mini": ModelSize(depth=6, width=256, heads=4, kv_heads=2, context=256),
    "small": ModelSize(depth=6, width=384, heads=6, kv_heads=2, context=512),
    "base": ModelSize(depth=8, width=512, heads=8, kv_heads=4, context=1024),
    "gpt2": ModelSize(depth=12, width=768, heads=12, kv_heads=12, context=1024),
    "gpt2-medium": ModelSize(depth=24, width=1024, heads=16, kv_heads=16, context=1024),
    "gpt2-large": ModelSize(depth=36, width=1280, heads=20, kv_heads=20, context=1024),
    "gpt2-xl": ModelSize(depth=48, width=1600, heads=25, kv_heads=25, context=1024),
}
"""From one million parameters (with a vocabulary of 5,000) to 1.5 billion. The gpt2 sizes have GPT-2's four depths
and widths (Radford et al. 2019, table 2). tiny was measured: docs/training.md."""


def check_device_name(name: str) -> None:
    """Raise UserError for what can be no device: whether it is there, only torch knows."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", name, re.ASCII):
        raise UserError(f"--device {name}: {list_choices(name, ('auto', 'cpu', 'cuda'), 'cuda:N')}")


def find_size(name: str) -> ModelSize:
    """Return a size by name, or `dN`: N blocks of width 64 N, heads of 64, the next larger size's context."""
    if name in MODEL_SIZES:
        return MODEL_SIZES[name]
    if match := re.fullmatch(r"d([1-9]\d?)", name):
        depth = int(match[1])
        near = next((s for s in MODEL_SIZES.values() if s.width >= 64 * depth), MODEL_SIZES["gpt2-xl"])
        return ModelSize(depth=depth, width=64 * depth, heads=depth, kv_heads=depth, context=near.context)
    also = "or dN for N blocks of width 64 N (d8)"
    raise UserError(f"--size {name}: {list_choices(name, MODEL_SIZES, also)}")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run computes; RUN/config.json holds it."""

    workspace: str
    dataset: str
    fingerprint: str
    end_of_text: int
    size: str
    model: ModelConfig
    seed: int
    steps: int | None
    """Steps of the whole run; None where `minutes` bounds it."""
    minutes: float | None
    """Minutes of training steps. The learning rate then follows the clock, so two such runs differ."""
    batch_samples: int
    """Windows in a step, over all micro-batches."""
    micro_samples: int
    """Windows computed in one micro-batch; only memory and speed depend on it."""
    learning_rate: float
    optimizer: Optimizer = "muon"
    shares: dict[str, float] = dataclasses.field(default_factory=dict)
    """Weights by stream (`web/eng_Latn`) that replace the dataset's own; empty: use the dataset's."""
    mask_documents: bool = False
    """Attention does not look past an end-of-text."""
    branch: str | None = None
    """RUN@STEP: the checkpoint of another run that this one began from."""
    shape: Shape = "wsd"
    warmup: float = 0.03
    """Share of the run in which the learning rate rises."""
    decay: float = 0.4
    """Share of the run in which a `wsd` learning rate falls to zero."""
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    """Largest norm of the gradient (GPT-3)."""
    z_loss: float = 1e-4
    """Weight of log(sum of exp of logits) squared, which keeps logits from drifting (PaLM, arXiv:2204.02311)."""
    spike_sigma: float = 6.0
    """A step whose loss or gradient is this many deviations above the last 128 is skipped; 0: none is."""
    precision: Precision = "auto"
    compile: bool = False
    cuda_graphs: bool = False
    """A compiled step is recorded once and replayed: one launch instead of hundreds, for sizes bound by them."""
    attention: str | None = None
    """The attention kernel that a GPU prefers (attention.KERNELS); None: as torch chooses."""
    undecided: tuple[str, ...] = ()
    """Settings of a new run that its device decides when the run begins (tuning.py); then none."""
    deterministic: bool = False
    """Only kernels that give the same bits every time (device.py)."""
    shard: bool = False
    """Several processes divide the model (FSDP2) instead of holding a copy each."""
    evaluate_every: int = 1000
    """Steps between evaluations; there is always one at the end. 0: only that one."""
    evaluate_tokens: int = 131_072
    """Validation tokens used in one evaluation; 0: all."""
    save_minutes: float = 10.0
    """Minutes between checkpoints; there is always one at the end and on SIGTERM."""
    save_every: int = 0
    """Steps between checkpoints, in addition to the minutes; 0: only by minutes."""
    keep_last: int = 2
    """Checkpoints kept."""
    keep_every: int = 0
    """Checkpoints of steps that are multiples of this number are never removed; 0: none."""

    @property
    def step_tokens(self) -> int:
        return self.batch_samples * self.model.context

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise UserError("give exactly one of --steps, --tokens and --minutes")
        positive = {
            "--steps": self.steps,
            "--minutes": self.minutes,
            "--batch-tokens": self.batch_samples,
            "--micro-tokens": self.micro_samples,
            "--lr": self.learning_rate,
            "--context": self.model.context,
        }
        for option, number in positive.items():
            if number is not None and not 0 < number < math.inf:
                raise UserError(f"{option} {number}: must be a number above 0")
        if not (0 <= self.warmup <= 1 and 0 <= self.decay <= 1 and self.warmup + self.decay <= 1):
            raise UserError("--warmup and --decay are shares of the run: they must sum to at most 1")
        for option, least, number in (
            ("--z-loss", 0, self.z_loss),
            ("--spike-sigma", 0, self.spike_sigma),
            ("--save-every", 0, self.save_every),
            ("--keep-last", 1, self.keep_last),
            ("--keep-every", 0, self.keep_every),
        ):
            if not least <= number < math.inf:
                raise UserError(f"{option} {number}: must be at least {least}")
        if self.cuda_graphs and not self.compile and "compile" not in self.undecided:
            raise UserError("--cuda-graphs records a compiled step: leave --no-compile out")
        for name, value, choices in (
            ("schedule", self.shape, Shape),
            ("precision", self.precision, Precision),
            ("optimizer", self.optimizer, Optimizer),
        ):
            if value not in get_args(choices):
                raise UserError(f"--{name} {value}: {list_choices(value, get_args(choices))}")

    def json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def identity(self) -> dict[str, Any]:
        """Return the values that a checkpoint must share with the run that resumes from it."""
        return {
            "fingerprint": self.fingerprint,
            "model": dataclasses.asdict(self.model),
            "seed": self.seed,
            "batch_samples": self.batch_samples,
            "optimizer": self.optimizer,
            "shares": self.shares,
            "mask_documents": self.mask_documents,
        }

    @staticmethod
    def from_json(raw: dict[str, Any]) -> RunConfig:
        """Return the configuration from its JSON values; raise TypeError if it is of another version."""
        undecided = tuple(raw.get("undecided", ()))
        return RunConfig(**{**raw, "model": ModelConfig(**raw["model"]), "undecided": undecided})
