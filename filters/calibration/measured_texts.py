"""Measure every signal of many texts of one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from corpus.filters import load_filter
from corpus.filters.filter import Filter, measure_together
from corpus.text.batch import PageBatch, make_batches
from corpus.text.hashes import Hashes
from corpus.text.page import Page

STEPS = ("text", "gopher", "gopher_repetition", "c4", "fineweb", "prose", "language")
"""Steps whose signals depend on the text and its language alone."""

MIN_DOCUMENT_WORDS = 50
"""Words from which a text is a document; shorter ones are sentences, of which words and marks are counted."""
MIN_DOCUMENT_LINES = 3
"""Lines from which shares of lines say something."""

SignalValues = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class MeasuredTexts:
    """Signals of texts: `values` has float64[texts] by name, nan where not measured; `words` the hashes of each."""

    values: Mapping[str, SignalValues]
    words: Sequence[Hashes]

    def documents(self) -> Mask:
        """Which texts are documents."""
        mask: Mask = self.values["text.words"] >= MIN_DOCUMENT_WORDS
        return mask

    def paged(self) -> Mask:
        """Which texts are documents of several lines."""
        mask: Mask = self.documents() & (self.values["text.lines"] >= MIN_DOCUMENT_LINES)
        return mask


@cache
def load_filters() -> tuple[Filter, ...]:
    """Return the filters of all steps, loaded once a process."""
    return tuple(load_filter(step) for step in STEPS)


def measure_texts(texts: Sequence[str], language: str | None) -> MeasuredTexts:
    """Return every signal of the texts, each as if it were measured alone."""
    return measure_pages([Page(text, language) for text in texts])


def measure_pages(pages: Sequence[Page]) -> MeasuredTexts:
    """Return every signal of pages, which may be in several languages."""
    filters = load_filters()
    tables = [np.full((len(pages), len(each.signals)), np.nan) for each in filters]
    words: list[Hashes] = [np.zeros(0, np.uint64)] * len(pages)
    for chosen in make_batches(pages):
        batch = PageBatch([pages[at] for at in chosen])
        batch.share_words()
        for each, table in zip(filters, tables, strict=True):
            table[chosen] = _measure_batch(each, batch)
        for at, page in zip(chosen, batch.pages, strict=True):
            words[at] = page.words.hashes
            del page.__dict__["words"]
    values = {
        name: table[:, at].astype(np.float32).astype(np.float64)
        for each, table in zip(filters, tables, strict=True)
        for at, name in enumerate(each.signals)
    }
    return MeasuredTexts(values=values, words=words)


def _measure_batch(each: Filter, batch: PageBatch) -> SignalValues:
    together = measure_together(each, batch)
    if together is not None:
        return together
    return np.array([each.measure(page) for page in batch.pages], np.float64)
