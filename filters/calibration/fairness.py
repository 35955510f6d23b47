"""Count what rules lose of one text in each of its languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus.filters.calibration.measured_texts import MeasuredTexts, measure_pages
from corpus.languages.labels import language_part
from corpus.ledger.views import find_interval
from corpus.rules.presets import load_rules
from corpus.rules.rule import RuleSet
from corpus.text.conventions import language_files
from corpus.text.page import Page

MAX_RATIO = 2.0
"""The language that loses most may lose so many times as much as the one that loses least."""
MAX_LOSS = 0.02
"""Share that a language may lose."""
WRONGED = 2.0
"""A language that loses more than so many times the mean of all is named."""
PRESETS = ("fineweb", "language")

Masks = Mapping[str, list[list[str]]]


@dataclass(frozen=True, kw_only=True)
class LanguageLoss:
    """What rules lose of the passages in a language: a share with its interval, and passages by rule, most first."""

    language: str
    passages: int
    lost: int
    share: float
    low: float
    high: float
    rules: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """The losses of all languages, most first; `ratio` is of most to least, with half a passage added to each, so that
    a language without losses has one. `as_published` are the languages that presets are not corrected for, in order to
    reproduce them: they count in the mean, not in `ratio` and `is_fair`."""

    losses: tuple[LanguageLoss, ...]
    mean: float
    ratio: float
    wronged: tuple[str, ...]
    as_published: tuple[str, ...]
    is_fair: bool


def compare_languages(passages: Mapping[str, Sequence[str]], presets: Sequence[str] = PRESETS) -> Fairness:
    """Return what the rules of presets lose of each language's passages."""
    labels = [label for label, texts in passages.items() for _ in texts]
    measured = measure_pages([Page(text, label) for label, texts in passages.items() for text in texts])
    failed = list_failed(measured, labels, presets)
    losses = []
    first = 0
    for label, texts in passages.items():
        rows = failed[first : first + len(texts)]
        first += len(texts)
        lost = sum(map(bool, rows))
        low, high = find_interval(lost, len(rows))
        by_rule = Counter(rule for row in rows for rule in row)
        losses.append(
            LanguageLoss(
                language=label,
                passages=len(rows),
                lost=lost,
                share=lost / len(rows),
                low=low,
                high=high,
                rules=tuple(sorted(by_rule.items(), key=lambda pair: (-pair[1], pair[0]))),
            )
        )
    losses.sort(key=lambda loss: (-loss.share, loss.language))
    mean = float(np.mean([loss.share for loss in losses]))
    files = language_files()
    published = tuple(
        label
        for label in passages
        if (file := files.get(language_part(label))) is not None and file.as_presets
    )
    corrected = [loss for loss in losses if loss.language not in published] or losses
    smoothed = [(loss.lost + 0.5) / (loss.passages + 1) for loss in corrected]
    ratio = max(smoothed) / min(smoothed)
    return Fairness(
        losses=tuple(losses),
        mean=mean,
        ratio=ratio,
        wronged=tuple(loss.language for loss in losses if loss.share > WRONGED * mean),
        as_published=published,
        is_fair=ratio <= MAX_RATIO and corrected[0].share <= MAX_LOSS,
    )


def list_failed(
    measured: MeasuredTexts, labels: Sequence[str | None], presets: Sequence[str]
) -> list[list[str]]:
    """Return the names of the rules that each text fails."""
    table = pa.table(
        {name: pa.array(values, pa.float32(), from_pandas=True) for name, values in measured.values.items()}
    )
    rules = load_judging_rules(presets, table.column_names)
    lists, _ = rules.evaluate(table, pa.array(labels, pa.string()), "texts")
    return [row or [] for row in lists.to_pylist()]


def load_judging_rules(presets: Sequence[str], produced: Sequence[str]) -> RuleSet:
    """Return the rules of presets as a source would have them. Raises UserError for an unknown one."""
    return load_rules({"texts": list(presets)}, {}, produced)
