"""The page of all signals, docs/signals.md, made from their descriptions, the presets and the language files:

python -m corpus.inspect.signals_page > docs/signals.md
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from corpus.inspect.readable import format_things
from corpus.rules.known_signals import KnownSignal, read_known_signals
from corpus.rules.presets import count_corrections, list_presets, read_preset

INTRODUCTION = """# Signals

What the filters measure of every document, and which [presets](manifest.md) bound it. Every signal is stored, whether
a rule bounds it or not (`signals/STEP/` in a [workspace](workspace.md)), as a float32; null where it is not measured.
Only `clean.words` and those of `mixed_language`, which cost much, wait for a rule, and those of `code` for a source
`kind: code` or a rule. A rule names one: `gopher.words: {min: 50}`. Signals of filters of your own:
[extending.md](extending.md).

Words, sentences and tokens are ICU's, in every language; a token is a word or a punctuation mark. Lines are those that
are not empty, without the white space around them, unless it says otherwise. Languages with other bounds than the
preset's have them in `manifests/languages/` (`corpus/_manifests/languages` of an installed package).

This page is made from the code: `python -m corpus.inspect.signals_page > docs/signals.md`.
"""


def build_signals_page() -> str:
    """Return the page in Markdown: a table for each step."""
    steps = groupby(read_known_signals().signals.values(), key=lambda signal: signal.name.partition(".")[0])
    return "\n".join([INTRODUCTION, *(_build_step(step, list(signals)) for step, signals in steps)])


def _build_step(step: str, signals: Sequence[KnownSignal]) -> str:
    lines = [
        f"## {step}\n",
        f"Source: {signals[0].source.rstrip('.')}.\n",
        "| signal | what it measures | unit | range | bounds |",
        "|---|---|---|---|---|",
        *map(_build_row, signals),
    ]
    return "\n".join(lines) + "\n"


def _build_row(signal: KnownSignal) -> str:
    bounds = describe_signal_bounds(signal.name)
    cells = [f"`{signal.name}`", signal.measures, signal.unit, describe_range(signal), bounds]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace('<', '&lt;') for cell in cells)} |"


def describe_range(signal: KnownSignal) -> str:
    """Return the range of a signal in words: `0 to 1`, `from 0`."""
    return f"from {signal.least:g}" if signal.most == math.inf else f"{signal.least:g} to {signal.most:g}"


def describe_signal_bounds(name: str) -> str:
    """Return the bounds of a signal with the presets that have them, and how many languages have others."""
    presets_by_bound: dict[str, list[str]] = {}
    for preset in list_presets():
        bounds = {
            bound: value
            for (signal, bound), value in read_preset(preset).rules.items()
            if signal == name and not math.isnan(value)
        }
        if bounds:
            listed = ", ".join(
                f"{bound} {value:,.10g}" for bound, value in sorted(bounds.items(), reverse=True)
            )
            presets_by_bound.setdefault(listed, []).append(f"`{preset}`")
    texts = [f"{bounds} ({', '.join(presets)})" for bounds, presets in presets_by_bound.items()]
    corrected = count_corrections(name)
    if corrected:
        texts.append(f"others in {format_things(corrected, 'language')}")
    return "; ".join(texts)


if __name__ == "__main__":
    print(build_signals_page(), end="")
