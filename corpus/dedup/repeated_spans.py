"""Spans that earlier text has: equal grams extended to both sides, character by character.

A character is marked if it lies in a span, long enough, that stands before: in an earlier document, or earlier in
the same one without overlapping. So of all copies the first stays, and of a repetition such as a thousand dashes (which
is its own copy, one character further) as many characters as a span must have.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.anchors import AnchorShape
from corpus.dedup.options import SpanOptions
from corpus.dedup.shingles import SPACED, find_writing
from corpus.text.units import to_units
from corpus.text.words import segment_words

Points = NDArray[np.uint32]

FIRST_COMPARED = 128
"""Characters that are compared at first; then twice as many each time."""
MANY_PLACES = 64
"""Equal grams in two texts from which it is looked first whether there can be a span at all."""
LONGEST_WORD = 16
"""Characters of a word, at the most, where words are not spaced."""
JUDGED_CHARACTERS = 4096
"""Characters of a span by which its writing is judged."""


def to_text(points: Points) -> str:
    """Return the text of code points."""
    return points.tobytes().decode("utf-32-le")


def count_equal(one: Points, other: Points) -> int:
    """Return how many of the first characters of two texts are equal."""
    most = min(len(one), len(other))
    start, size = 0, FIRST_COMPARED
    while start < most:
        differing = one[start : start + size][: most - start] != other[start : start + size][: most - start]
        if differing.any():
            return start + int(differing.argmax())
        start, size = start + size, 2 * size
    return most


def find_word_bounds(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the words of a text start and where they end, in characters."""
    words = segment_words(text)
    starts, ends = words.starts.astype(np.int64), words.ends.astype(np.int64)
    if len(words.units) != len(text):
        seconds = np.cumsum(
            np.append(0, (words.units & 0xFC00) == 0xDC00)
        )  # of surrogate pairs, before each unit
        starts, ends = starts - seconds[starts], ends - seconds[ends]
    return starts, ends


@dataclass
class MarkedText:
    """A text and the characters in it that stand in earlier text."""

    points: Points
    options: SpanOptions
    marks: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.shape = AnchorShape(self.options.window)
        self.marks = np.zeros(len(self.points), np.bool_)

    @cached_property
    def words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where its words start, and where they end."""
        return find_word_bounds(to_text(self.points))

    @cached_property
    def is_wordless(self) -> bool:
        """Return whether the text has too few words for any span: a table of dashes, say."""
        least = min(self.options.min_tokens, self.options.min_characters // LONGEST_WORD)
        return len(self.words[0]) < least

    def _is_long_enough(self, start: int, end: int) -> bool:
        """Return whether a span has as many words, or characters where words are not spaced, as the options ask for."""
        starts, ends = self.words
        whole = int(np.searchsorted(ends, end, side="right")) - int(np.searchsorted(starts, start))
        has_words = whole >= self.options.min_tokens
        has_characters = end - start >= self.options.min_characters
        if has_words == has_characters:
            return has_words
        text = to_text(self.points[start : min(end, start + JUDGED_CHARACTERS)])
        return has_words if find_writing(to_units(text)) == SPACED else has_characters

    def compare(self, other: Points, places: NDArray[np.int64], *, same: bool) -> None:
        """Mark what stands in `other`, an earlier document, or with `same` earlier in this one.

        `places` int64[n, 2]: where equal grams start in this text and in the other.
        """
        if len(places) > MANY_PLACES and self.is_wordless:
            return
        distance = places[:, 0] - places[:, 1]
        last, reached = None, -1
        for at in np.lexsort((places[:, 0], distance)).tolist():
            start, other_start = places[at].tolist()
            if start - other_start == last and start < reached:
                continue
            if self._is_known(start):
                continue
            reached = self._extend(other, start, other_start, same=same)
            last = start - other_start

    def _is_known(self, start: int) -> bool:
        """Return whether every span of the least length that has the gram at `start` is marked."""
        window = self.shape.window
        low = max(0, start + self.shape.gram - window)
        return bool(self.marks[low : start + window].all())

    def _extend(self, other: Points, start: int, other_start: int, *, same: bool) -> int:
        """Mark the span around equal grams if it is long enough; return where it ends."""
        before = count_equal(self.points[:start][::-1], other[:other_start][::-1])
        after = count_equal(self.points[start:], other[other_start:])
        first, end = start - before, start + after
        if after < self.shape.gram or end - first < self.shape.window:
            return end
        if not self._is_long_enough(first, end):
            return end
        if same:
            period = start - other_start
            first = first - period + -(-max(period, self.shape.window) // period) * period
            if end - first < self.shape.window or not self._is_long_enough(first, end):
                return end
        self.marks[first:end] = True
        return end

    def spans(self) -> list[tuple[int, int]]:
        """Return (start, end) of all marked spans by ascending place.

        They have whole words where words are spaced, and elsewhere whole letters, with the marks on them.
        """
        changes = np.flatnonzero(np.diff(self.marks, prepend=False, append=False))
        spans = [self._trim(start, end) for start, end in changes.reshape(-1, 2).tolist()]
        return [(start, end) for start, end in spans if start < end]

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        start, end = self._leave_word(start, 1), self._leave_word(end, 0)
        while start < end and self._is_mark(start):
            start += 1
        while start < end < len(self.points) and self._is_mark(end):
            end -= 1
        return start, end

    def _leave_word(self, at: int, side: int) -> int:
        """Return a place, or if it is inside a spaced word, where that starts (`side` 0) or ends (1)."""
        bounds = self.words
        word = int(np.searchsorted(bounds[0], at)) - 1
        if word < 0 or at >= bounds[1][word]:
            return at
        sides = to_text(self.points[at - 1 : at + 1])
        is_spaced = all(find_writing(to_units(letter)) == SPACED for letter in sides)
        return int(bounds[side][word]) if is_spaced else at

    def _is_mark(self, at: int) -> bool:
        """Return whether a character belongs to the one before it: a combining mark, or a joiner."""
        code = int(self.points[at])
        return code == 0x200D or unicodedata.category(chr(code)).startswith("M")
