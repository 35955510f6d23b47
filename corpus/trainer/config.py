"""What a run is: the model's shape and the training settings, frozen, in plain JSON values.

Nothing here imports torch, so that the command line can name the sizes without it.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal, Self

from corpus.errors import UserError

Schedule = Literal["wsd", "cosine"]
Precision = Literal["auto", "bf16", "fp32"]


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
        """Trained numbers, embeddings included (a tied embedding once)."""
        return self.embedding_parameters() + self.depth * self._block() + self.width

    def embedding_parameters(self) -> int:
        return self.vocabulary * self.width * (1 if self.tied else 2)

    def _block(self) -> int:
        attention = self.width * self.head_width * (2 * self.heads + 2 * self.kv_heads)
        return attention + 3 * self.width * self.hidden + 2 * self.width + 2 * self.head_width

    def flops_per_token(self) -> int:
        """Floating-point operations to train on one token: 6 N + 12 L d T (PaLM, arXiv:2204.02311, appendix B).

        N counts the matrices that multiply: a tied embedding once, as the output layer; the look-up is free.
        """
        multiplied = self.depth * self._block() + self.vocabulary * self.width
        return 6 * multiplied + 12 * self.depth * self.heads * self.head_width * self.context


@dataclass(frozen=True, kw_only=True)
class Size:
    """A named size with the settings that suit it; every one of them can be given on the command line instead."""

    depth: int
    width: int
    heads: int
    kv_heads: int
    tied: bool
    context: int
    batch_tokens: int
    learning_rate: float

    def model(self, *, vocabulary: int, context: int | None = None) -> ModelConfig:
        """SwiGLU's three matrices at 8/3 of the width cost what a plain block's two cost at 4 (arXiv:2002.05202)."""
        return ModelConfig(
            vocabulary=vocabulary,
            context=context or self.context,
            depth=self.depth,
            width=self.width,
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_width=self.width // self.heads,
            hidden=-(-8 * self.width // 3 // 64) * 64,
            tied=self.tied,
        )
