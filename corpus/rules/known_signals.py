"""What each signal of our own filters measures, in what unit and range: manifests/signals.yaml."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from corpus.data import data_path
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml


@dataclass(frozen=True, kw_only=True)
class KnownSignal:
    """One signal: `name` with its step, what it `measures`, its `unit`, its range, and the `source` of its step."""

    name: str
    measures: str
    unit: str
    least: float
    most: float
    source: str


@dataclass(frozen=True, kw_only=True)
class KnownSignals:
    """All of them by name, step by step, and pairs of which the first is at most the second in every text."""

    signals: Mapping[str, KnownSignal]
    at_most: Sequence[tuple[str, str]]

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """(least, most) of each signal; `most` may be infinite."""
        return {name: (signal.least, signal.most) for name, signal in self.signals.items()}


@cache
def read_known_signals() -> KnownSignals:
    """Read manifests/signals.yaml, once a process. Raises UserError if it is not as expected."""
    path = data_path("signals.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    signals = {}
    try:
        for step, entry in data["steps"].items():
            for short, facts in entry["signals"].items():
                name = f"{step}.{short}"
                signals[name] = KnownSignal(
                    name=name,
                    measures=facts["measures"],
                    unit=facts["unit"],
                    least=float(facts.get("least", 0)),
                    most=float(facts.get("most", math.inf)),
                    source=entry["source"],
                )
        return KnownSignals(signals=signals, at_most=[(one, other) for one, other in data["at_most"]])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def describe_signal(name: str) -> str:
    """Return what a signal measures, with its unit where that is not said; empty for one that is not ours."""
    signal = read_known_signals().signals.get(name)
    if signal is None:
        return ""
    is_said = signal.measures.lower().startswith(signal.unit)
    return signal.measures if is_said else f"{signal.measures} ({signal.unit})"
