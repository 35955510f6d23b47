"""Load the model of a run; only the run's folder is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer

from corpus.errors import UserError
from corpus.trainer import checkpoint
from corpus.trainer.checkpoint import Checkpoint
from corpus.trainer.config import RunConfig
from corpus.trainer.model import GPT
from corpus.trainer.start import explain_no_checkpoint, read_run_config


def read_checkpoint(
    run: Path, config: RunConfig, damaged: Callable[[str], None], step: int | None = None
) -> Checkpoint:
    """Read the model of a run's last complete checkpoint, or of that of `step`.

    `damaged` is called with a line for each checkpoint that is skipped. Raises UserError if there is none.
    """
    folder = run / "checkpoint"
    if step is not None:
        return checkpoint.read_step(folder, step, training=False)
    if (last := checkpoint.read_newest(folder, damaged, training=False)) is None:
        raise explain_no_checkpoint(run, config)
    return last


class TrainedModel:
    """Configuration, tokenizer and model of the checkpoint of a run that `read_checkpoint` returns."""

    def __init__(
        self, run: Path, device: torch.device, damaged: Callable[[str], None], step: int | None = None
    ) -> None:
        self.config = read_run_config(run)
        saved = read_checkpoint(run, self.config, damaged, step)
        self.step = saved.step
        self.model = GPT(self.config.model)
        self.model.load_state_dict(saved.model)
        self.model.to(device).eval()
        self.device = device
        self.tokenizer = _read_tokenizer(run / "tokenizer.json")

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without an end-of-text."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises plain Exception
        raise UserError(
            f"{path} cannot be read ({error}): copy it from the workspace's tokenizer/ folder"
        ) from error
