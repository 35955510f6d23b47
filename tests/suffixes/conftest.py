"""The tokens are those of the trainer's workspace of sentences."""

from __future__ import annotations

from tests.trainer.conftest import one_thread, workspace

__all__ = ["one_thread", "workspace"]
