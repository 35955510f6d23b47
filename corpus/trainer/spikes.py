"""Steps that would do harm: a loss or a gradient far above what the last ones had."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

WINDOW = 128
"""Steps that are looked back on, as in OLMo's step skipping (OLMo 2, arXiv:2501.00656)."""


class Spikes:
    """The losses and gradient norms of the last steps, skipped ones too, so that a new level is soon the usual one."""

    def __init__(self, sigma: float, state: dict[str, Any] | None = None) -> None:
        self.sigma = sigma
        state = state or {"losses": [], "norms": []}
        self.losses: deque[float] = deque(state["losses"], WINDOW)
        self.norms: deque[float] = deque(state["norms"], WINDOW)

    def state(self) -> dict[str, Any]:
        return {"losses": list(self.losses), "norms": list(self.norms)}

    def check(self, loss: float, norm: float) -> bool:
        """Whether this step is to be skipped: `sigma` deviations above the mean of a full window, in either number."""
        high = self.sigma > 0 and (self._high(self.losses, loss) or self._high(self.norms, norm))
        self.losses.append(loss)
        self.norms.append(norm)
        return high

    def _high(self, past: deque[float], value: float) -> bool:
        if len(past) < WINDOW:
            return False
        values = np.array(past)
        return bool(value - values.mean() > self.sigma * max(float(values.std()), 1e-3 * values.mean()))
