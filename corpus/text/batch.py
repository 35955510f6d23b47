"""Pages of one language joined into one text, so that an array operation is done once for all of them.

A page of 5 KB costs some 300 operations of numpy, each of which takes longer to begin than to do. Joined by 32, the
same operations cost a fifth, and what is counted in a page is exactly what is counted in it alone: a separator that is
no part of any page ends words, sentences, lines and n-grams.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import AnyPositions, Hashes, Positions, finalize
from corpus.text.ngrams import Indices, find_later_copies
from corpus.text.page import Page
from corpus.text.tokens import Spans
from corpus.text.units import to_units
from corpus.text.words import Words

SEPARATOR = "\u2028"
"""A line separator: nothing of Unicode's rules for words and sentences, and nothing of ours, reaches across it."""
MAX_BATCH_PAGES = 64
MAX_BATCH_CHARACTERS = 1 << 19
"""Characters from which no page is added: the arrays of a batch stay in the cache of a core, more or less."""

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def make_batches(pages: Sequence[Page | None]) -> list[list[int]]:
    """Return the indices of the pages, those of one language together, each list small enough for a batch."""
    batches: list[list[int]] = []
    by_language: dict[str | None, tuple[list[int], int]] = {}
    for at, page in enumerate(pages):
        if page is None:
            continue
        group, size = by_language.get(page.language, ([], 0))
        if not group or len(group) == MAX_BATCH_PAGES or size + len(page.text) > MAX_BATCH_CHARACTERS:
            group, size = [], 0
            batches.append(group)
        group.append(at)
        by_language[page.language] = group, size + len(page.text)
    return batches


class PageBatch(Page):
    """Several pages as one, and where each of them is. `bounds` int32[pages, 2] are their units, in order."""

    def __init__(self, pages: Sequence[Page]) -> None:
        super().__init__(SEPARATOR.join(page.text for page in pages), pages[0].language)
        self.pages = list(pages)
        sizes = np.fromiter((_count_units(page.text) for page in pages), np.int64, len(pages))
        ends = np.cumsum(sizes + 1) - 1
        self.bounds = np.stack((ends - sizes, ends), axis=1).astype(np.int32)

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def starts(self) -> Positions:
        return self.bounds[:, 0]

    @cached_property
    def characters(self) -> Counts:
        """Characters of each page."""
        return np.fromiter((len(page.text) for page in self.pages), np.int64, len(self.pages))

    @cached_property
    def word_total(self) -> Counts:
        """Words of each page."""
        return np.diff(self.first_items(self.words.starts))

    @cached_property
    def token_total(self) -> Counts:
        """Tokens of each page."""
        return np.diff(self.first_items(self.tokens.starts))

    @cached_property
    def lines_of_pages(self) -> Counts:
        """Lines of each page with something in them."""
        return np.diff(self.first_items(self.lines.starts))

    @cached_property
    def breaks(self) -> Counts:
        """Line breaks in each page."""
        return np.fromiter((page.text.count("\n") for page in self.pages), np.int64, len(self.pages))

    @cached_property
    def plain(self) -> bool:
        """Whether no page has a character beyond ASCII."""
        return all(page.text.isascii() for page in self.pages)

    def count_text(self, text: str) -> Counts:
        """Return how often a text occurs in each page, without overlaps."""
        if text not in self.text:
            return np.zeros(len(self.pages), np.int64)
        return np.fromiter((page.text.count(text) for page in self.pages), np.int64, len(self.pages))

    def first_items(self, positions: AnyPositions) -> Indices:
        """Return the index of the first item of each page, then their number, for items at sorted positions."""
        return np.append(np.searchsorted(positions, self.starts), len(positions))

    def page_of(self, positions: AnyPositions) -> Indices:
        """Return the page that each position is in."""
        return np.searchsorted(self.starts, positions, "right") - 1

    @cached_property
    def page_of_words(self) -> Indices:
        """The page that each word is in."""
        return np.repeat(np.arange(len(self)), self.word_total)

    def count(self, positions: AnyPositions) -> Counts:
        """Return how many of the sorted positions are in each page."""
        return np.diff(self.first_items(positions))

    def count_units(self, mask: Mask) -> Counts:
        """Return in how many units of each page a mask is true; it may not be on separators."""
        counts: Counts = np.add.reduceat(np.append(mask, False), self.starts, dtype=np.int64)
        return counts

    def sum_lines(self, values: npt.NDArray[np.generic]) -> Counts:
        """Return the sum over the lines of each page of one number, or of one truth, for each line."""
        return sum_groups(values, self.first_items(self.lines.starts))

    def sum_words(self, values: npt.NDArray[np.generic]) -> Counts:
        """Return the sum over the words of each page of one number for each word."""
        return sum_groups(values, self.first_items(self.words.starts))

    def mark_hashes(self, hashes: Hashes, positions: AnyPositions) -> Hashes:
        """Return hashes that are equal where two are equal and in one page."""
        return hashes ^ self.marks[self.page_of(positions)]

    @cached_property
    def marks(self) -> Hashes:
        """A hash for each page, which tells equal items of different pages apart."""
        return finalize(np.arange(1, len(self.pages) + 1, dtype=np.uint64))

    def share_words(self) -> None:
        """Give each page its words, which it need not find again."""
        words, firsts = self.words, self.first_items(self.words.starts).tolist()
        heads = np.searchsorted(words.boundaries, self.bounds).tolist()
        for at, (page, (head, tail)) in enumerate(zip(self.pages, heads, strict=True)):
            start, end = words.boundaries[head], words.boundaries[tail]
            own = slice(firsts[at], firsts[at + 1])
            page.__dict__["words"] = Words(
                units=words.units[start:end],
                kinds=words.kinds[start:end],
                starts=words.starts[own] - start,
                ends=words.ends[own] - start,
                hashes=words.hashes[own],
                boundaries=words.boundaries[head : tail + 1] - start,
                segments=words.segments[head:tail],
            )

    @cached_property
    def line_copies(self) -> Indices:
        return find_later_copies(self.mark_hashes(self.line_hashes, self.lines.starts), exact=True)

    @cached_property
    def paragraphs(self) -> Spans:
        lines, numbers = self._lines
        first = np.ones(len(lines) + 1, np.bool_)
        first[1:-1] = np.diff(numbers) > 1
        first[self.first_items(lines.starts)] = True
        return Spans(lines.starts[first[:-1]], lines.ends[first[1:]])

    @cached_property
    def line_breaks(self) -> Positions:
        """Where the lines of all pages end, but for the last."""
        return self._find_line_breaks()

    def _find_line_breaks(self) -> Positions:
        breaks = self.units == 10
        breaks[self.bounds[:-1, 1]] = True
        return np.flatnonzero(breaks).astype(np.int32)

    def _share_page(self, positions: Positions, others: Positions) -> Mask:
        shared: Mask = self.page_of(positions) == self.page_of(others)
        return shared


def sum_groups(values: npt.NDArray[np.generic], firsts: Indices) -> Counts:
    """Return the sums of groups of values, from the index of the first value of each group; the last is their end."""
    totals = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=totals[1:])
    return np.diff(totals[firsts])


def _count_units(text: str) -> int:
    return len(text) if text.isascii() else len(to_units(text))
