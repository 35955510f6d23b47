"""Compare rules by what people have said of texts: how many bad ones they remove where they keep 95 % of the good.

Texts are ordered by how many rules they fail. Where the 95 % end among texts that fail equally many, as large a share
of the bad ones of these counts as removed as of the good ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.filters.calibration.fairness import list_failed
from corpus.filters.calibration.language_values import is_of_lines
from corpus.filters.calibration.measured_texts import MeasuredTexts

KEPT_GOOD = 0.95
_GRAMS = re.compile(r"(duplicate|top)_\d+_grams?")
RESAMPLES = 1_000
MIN_BAD = 10
"""Bad texts from which a language has a row of its own."""

FailedCounts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Recall:
    """What two sets of rules remove of the bad texts of a language, or of all: shares, and the interval of their
    difference."""

    language: str
    good: int
    bad: int
    before: float
    after: float
    low: float
    high: float


def count_failed(measured: MeasuredTexts, labels: Sequence[str], presets: Sequence[str]) -> FailedCounts:
    """Return how many rules of presets each text fails, but for those on shares of lines and C4's, which count lines:
    the texts that people judge are excerpts. Those on n-grams of all lengths count once, since what fails one fails
    others."""
    failed = list_failed(measured, labels, presets)
    kinds = [
        {_GRAMS.sub("grams", rule) for rule in rules if not is_of_lines(rule) and not rule.startswith("c4.")}
        for rules in failed
    ]
    return np.array(list(map(len, kinds)), np.int64)


def compare_recall(
    before: FailedCounts, after: FailedCounts, is_bad: Mask, labels: Sequence[str], seed: int = 0
) -> list[Recall]:
    """Return the recall of both in all languages together, each with equal weight, then in each with enough bad texts,
    where 95 % of its own good ones are kept. Intervals are of 95 %, from texts resampled within their languages, the
    same for both sides."""
    languages = sorted(set(labels))
    numbers = np.array([languages.index(label) for label in labels])
    draws = np.random.default_rng(seed)
    counts = np.ones((RESAMPLES + 1, len(numbers)))
    for number in range(len(languages)):
        places = np.flatnonzero(numbers == number)
        counts[1:, places] = draws.multinomial(len(places), np.full(len(places), 1 / len(places)), RESAMPLES)
    rows = [_compare("all", (before, after), is_bad, numbers, counts)]
    for number, language in enumerate(languages):
        own = numbers == number
        if np.count_nonzero(is_bad & own) >= MIN_BAD:
            sides = (before[own], after[own])
            rows.append(_compare(language, sides, is_bad[own], np.zeros(own.sum(), np.int64), counts[:, own]))
    return rows


def _recall_by_language(
    failed: FailedCounts, is_bad: Mask, numbers: npt.NDArray[np.int64], counts: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return float64[resamples, languages]: the share of the bad texts that are removed where `KEPT_GOOD` of the good
    texts are kept, in which languages weigh the same; nan without bad texts."""
    languages, levels = int(numbers.max()) + 1, int(failed.max()) + 1
    tables = np.zeros((2, len(counts), languages, levels))
    for side, mask in enumerate((~is_bad, is_bad)):
        for number in range(languages):
            for level in range(levels):
                chosen = mask & (numbers == number) & (failed == level)
                tables[side, :, number, level] = counts[:, chosen].sum(axis=1)
    with np.errstate(invalid="ignore"):
        good, bad = tables / tables.sum(axis=3, keepdims=True)
    good = np.nanmean(good, axis=1)
    above = np.cumsum(good[:, ::-1], axis=1)[:, ::-1]
    removed = np.clip((1 - KEPT_GOOD - (above - good)) / np.where(good > 0, good, 1), 0, 1)
    removed = np.where(good > 0, removed, above - good <= 1 - KEPT_GOOD)
    recall: npt.NDArray[np.float64] = (bad * removed[:, np.newaxis, :]).sum(axis=2)
    return recall


def _compare(
    name: str,
    sides: tuple[FailedCounts, FailedCounts],
    is_bad: Mask,
    numbers: npt.NDArray[np.int64],
    counts: npt.NDArray[np.float64],
) -> Recall:
    before, after = (np.nanmean(_recall_by_language(each, is_bad, numbers, counts), axis=1) for each in sides)
    low, high = np.nanquantile((after - before)[1:], (0.025, 0.975))
    return Recall(
        language=name,
        good=int(np.count_nonzero(~is_bad)),
        bad=int(np.count_nonzero(is_bad)),
        before=float(before[0]),
        after=float(after[0]),
        low=float(low),
        high=float(high),
    )
