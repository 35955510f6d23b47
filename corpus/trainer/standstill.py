"""Notice that a run learns nothing: its loss on one text has not moved after a hundred steps.

The losses of steps cannot tell, as each step reads another text. So the loss of the run's first window is computed, in
fp32, before the first step and after a hundred: a forward pass of one window each. If no weight has changed, both are
the same number; any step that changes weights moves it by more than its rounding, unless the rate is still rising from
almost nothing. That gets until the end of the warm-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from corpus.errors import RunError
from corpus.trainer.device import autocast
from corpus.trainer.engine import Engine
from corpus.trainer.loader import Loader

STANDSTILL_STEPS = 100
FLOAT_NOISE = 1e-6
"""Relative difference of two losses of one text below which it may be rounding: ten times that of fp32."""


@dataclass
class Standstill:
    """The check of one run: `start` is the loss before its first step, None if that was not measured."""

    start: float | None = None
    settled: bool = False
    """Nothing is left to check."""

    def is_due(self, step: int, rising: bool) -> bool:
        """Return whether to measure before the step after `step`; `rising`: its rate is still that of the warm-up."""
        if step == 0:
            return self.start is None
        if (
            self.settled or self.start is None
        ):  # None: branched, or begun by a version that did not measure it
            return False
        return step == STANDSTILL_STEPS or (step > STANDSTILL_STEPS and not rising)

    def stands(self, step: int, loss: float, rising: bool) -> bool:
        """Record the loss of the run's first window; return whether the run has learned nothing so far."""
        if self.start is None:
            self.start = loss
            return False
        same = loss == self.start
        flat = same or abs(loss - self.start) <= FLOAT_NOISE * abs(self.start)
        self.settled = not flat
        return same or (flat and not rising)


@torch.no_grad()
def measure_first_window(engine: Engine, loader: Loader) -> float:
    """Return the mean nats a token of the run's first window, from products in fp32. Every process calls it."""
    tokens = torch.from_numpy(loader.read(0, 1).tokens).to(engine.device).long()
    with autocast(engine.device, False):
        return float(engine.model.nats(tokens[:, :-1], tokens[:, 1:]).double().mean().item())


def explain_standstill(step: int, loss: float, *, rate: float, compiled: bool) -> RunError:
    """Return the error of a run that has learned nothing."""
    return RunError(
        f"step {step:,}: the loss has not moved since the run began ({loss:.4f} nats a token of the same text), so "
        "nothing is learned: "
        + ("leave --compile out, " if compiled else "")
        + f"use a higher --lr than {rate:g}, or another torch than {torch.__version__}"
    )
