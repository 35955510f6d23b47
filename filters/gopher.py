"""Gopher's quality signals (Rae et al. 2021, section A1.1), as datatrove implements them.

Words are ICU's: segments with a letter or a number. Besides using other word breaks, datatrove counts symbols such
as $ among the words and matches stop words only in lower case; here THE counts as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.text.batch import PageBatch, sum_groups
from corpus.text.conventions import identity
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


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    words, lines, conventions = batch.words, batch.lines, batch.conventions
    tokens = np.maximum(batch.token_total, 1)
    total = np.maximum([page.line_total for page in batch.pages], 1)
    ellipsis = np.zeros(len(lines), np.bool_)
    for suffix in conventions.ellipses:
        ellipsis |= batch.ending_with(lines, suffix)
    hashes = batch.count(np.flatnonzero(words.units == ord("#")))
    ellipses = sum(
        (batch.count_text(ellipsis) for ellipsis in conventions.ellipses), np.zeros(len(batch), np.int64)
    )
    alphabetic = sum_groups((batch.tokens.kinds & LETTER) > 0, batch.first_items(batch.tokens.starts))
    return np.column_stack(
        (
            batch.word_total,
            batch.sum_words(batch.word_lengths) / np.maximum(batch.word_total, 1),
            hashes / tokens,
            ellipses / tokens,
            batch.sum_lines(conventions.bullets[words.units[lines.starts]]) / total,
            batch.sum_lines(ellipsis) / total,
            alphabetic / tokens,
            _count_stop_words_of_pages(batch),
        )
    )


def _count_stop_words_of_pages(batch: PageBatch) -> npt.NDArray[np.float64]:
    stop_words = batch.conventions.stop_words
    if not len(stop_words):
        return np.full(len(batch), NOT_MEASURED)
    present = np.zeros((len(batch), len(stop_words)), np.bool_)
    words, entries = batch.locate_words(stop_words)
    present[batch.page_of_words[words], entries] = True
    counts: npt.NDArray[np.float64] = np.count_nonzero(present, axis=1).astype(np.float64)
    return counts


def _count_stop_words(page: Page) -> float:
    stop_words = page.conventions.stop_words
    if not len(stop_words):
        return NOT_MEASURED
    return len(np.unique(page.locate_words(stop_words)[1]))


def find_parameters() -> dict[str, str]:
    """Return what the signals depend on besides the text."""
    return {**versions(), "conventions": identity()}


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=find_parameters,
        measure_batch=measure_batch,
    )
