"""Gopher's quality signals (Rae et al. 2021, section A1.1), as datatrove implements them.

Words are ICU's: segments with a letter or a number. Besides using other word breaks, datatrove counts symbols such
as $ among the words and matches stop words only in lower case; here THE counts as well.
"""

from __future__ import annotations

import numpy as np

from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.text.conventions import identity
from corpus.text.hashes import find_places
from corpus.text.page import Page
from corpus.text.units import LETTER
from corpus.text.words import versions

STEP = "gopher"
VERSION = 1
SIGNALS = (
    "gopher.words",
    "gopher.mean_word_length",
    "gopher.hashes",
    "gopher.ellipses",
    "gopher.bullet_lines",
    "gopher.ellipsis_lines",
    "gopher.alphabetic_words",
    "gopher.stop_words",
)


def measure(page: Page) -> tuple[float, ...]:
    """Return words; their mean length in characters; # and ellipses per token (word or punctuation mark); shares of
    lines (empty ones too) that start with a bullet and that end in an ellipsis; share of tokens with a
    letter; number of different stop words, not measured for a language without a list."""
    words, lines, conventions = page.words, page.lines, page.conventions
    tokens = len(page.tokens) or 1
    total = page.line_total or 1
    text = page.text
    ellipsis = np.zeros(len(lines), np.bool_)
    for suffix in conventions.ellipses:
        ellipsis |= page.ending_with(lines, suffix)
    return (
        len(words),
        int(page.word_lengths.sum()) / (len(words) or 1),
        text.count("#") / tokens,
        sum(text.count(ellipsis) for ellipsis in conventions.ellipses) / tokens,
        int(np.count_nonzero(conventions.bullets[page.units[lines.starts]])) / total,
        int(np.count_nonzero(ellipsis)) / total,
        int(np.count_nonzero(page.tokens.kinds & LETTER)) / tokens,
        _count_stop_words(page),
    )


def _count_stop_words(page: Page) -> float:
    stop_words = page.conventions.stop_words
    if not len(stop_words):
        return NOT_MEASURED
    present = np.zeros(len(stop_words) + 1, np.bool_)
    present[find_places(stop_words, page.words.hashes)] = True
    return int(np.count_nonzero(present[:-1]))


def create() -> Filter:
    parameters = {**versions(), "conventions": identity()}
    return FunctionFilter(step=STEP, version=VERSION, signals=SIGNALS, measure=measure, parameters=parameters)
