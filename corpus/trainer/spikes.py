"""Detect steps that would do harm: those with a loss or gradient far above the last ones."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

SPIKE_WINDOW_STEPS = 128
"""Number of earlier steps that a step is compared with, as in OLMo's step skipping (OLMo 2, arXiv:2501.00656)."""


class Spikes:
    """Losses and gradient norms of the last steps, skipped ones included, so that a new level soon counts as normal."""

    def __init__(self, sigma: float, state: dict[str, Any] | None = None) -> None:
        self.sigma = sigma
        state = state or {"losses": [], "norms": []}
        self.losses: deque[float] = deque(state["losses"], SPIKE_WINDOW_STEPS)
        self.norms: deque[float] = deque(state["norms"], SPIKE_WINDOW_STEPS)

    def state(self) -> dict[str, Any]:
        return {"losses": list(self.losses), "norms": list(self.norms)}

    def check(self, loss: float, norm: float) -> bool:
        """Record a step; return whether to skip it: a number `sigma` deviations above the mean of a full window."""
        high = self.sigma > 0 and (self._high(self.losses, loss) or self._high(self.norms, norm))
        self.losses.append(loss)
        self.norms.append(norm)
        return high

    def _high(self, past: deque[float], value: float) -> bool:
        if len(past) < SPIKE_WINDOW_STEPS:
            return False
        values = np.array(past)
        return bool(value - values.mean() > self.sigma * max(float(values.std()), 1e-3 * values.mean()))
