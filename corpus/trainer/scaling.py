"""Choose a run's length, step size and learning rate from the model's size and the tokens.

The rules are Step Law (Li et al. 2025, arXiv:2503.04715), fitted on 3,700 models: with N parameters without
embeddings and D tokens of the run, the best learning rate of AdamW is 1.79 N^-.713 D^.307, the best step .58 D^.571
tokens. The runs behind it have 60M to 1B parameters. For smaller models its rate is too high, so the rate is capped at
.005, which was measured as best for `tiny` (docs/training.md). Muon moves every entry of a matrix as
far as AdamW does on average (muon.py), so it takes the same rate (Liu et al. 2025, arXiv:2502.16982).
"""

from __future__ import annotations

from corpus.trainer.config import ModelConfig

TOKENS_PER_PARAMETER = 20
"""Tokens a model of a given size is best trained on (Hoffmann et al. 2022, arXiv:2203.15556)."""
MAX_USEFUL_EPOCHS = 4
"""Readings of the same text that still help almost like new text (Muennighoff et al. 2023, arXiv:2305.16264)."""
MAX_LEARNING_RATE = 5e-3
CPU_CORE_FLOPS = 1e11
"""Operations a second of a CPU core in a bf16 step (measured: 1.5e11 for `tiny`); estimates start from this."""
MIN_BATCH_TOKENS, MAX_BATCH_TOKENS = 2048, 1 << 22
"""Tokens of a step. Fewer make steps too short for their overhead."""


def default_tokens(model: ModelConfig, train_tokens: int) -> int:
    """Return the default number of training tokens: 20 per parameter, but no text more than four times."""
    return min(TOKENS_PER_PARAMETER * model.parameters(), MAX_USEFUL_EPOCHS * train_tokens)


def default_batch(tokens: float) -> int:
    """Return the tokens of a step in a run of `tokens`: .58 D^.571, rounded down to a power of two."""
    wanted = int(min(max(0.58 * max(tokens, 1.0) ** 0.571, MIN_BATCH_TOKENS), MAX_BATCH_TOKENS))
    return 1 << (wanted.bit_length() - 1)


def batch_for_steps(steps: int) -> int:
    """Return the tokens of a step in a run of `steps` steps: the B that solves B = .58 (steps B)^.571."""
    return default_batch(steps * (0.58 * steps**0.571) ** (1 / (1 - 0.571)))


def default_rate(model: ModelConfig, tokens: float) -> float:
    """Return the highest learning rate of a run of `tokens`: 1.79 N^-.713 D^.307, at most .005, to two digits."""
    rate = 1.79 * model.block_parameters() ** -0.713 * max(tokens, 1.0) ** 0.307
    return float(f"{min(rate, MAX_LEARNING_RATE):.1e}")
