"""Differences of two texts: their lines side by side, with words that only one of them has marked."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, zip_longest

from corpus.text.units import to_text
from corpus.text.words import segment_words

Pieces = list[tuple[str, bool]]
"""(text, whether the other side lacks it)."""
MAX_COMPARED_LINES = 2_000
"""Lines of each text that are compared; what follows is left out."""
MAX_COMPARED_SEGMENTS = 1_000
"""Words, spaces and marks of a line that are compared; a longer line counts as changed as a whole."""


@dataclass(frozen=True, slots=True)
class LinePair:
    """A line of either side, None if a side has none; `skipped` lines before it are equal and left out."""

    one: Pieces | None
    other: Pieces | None
    skipped: int = 0


def compare_lines(
    one: str, other: str, language: str | None = None, around: int | None = 1
) -> list[LinePair]:
    """Return lines of both texts in their order; of equal lines only `around` beside a change (None: all),
    of equal texts their beginning.

    A last pair without lines may hold the number of equal lines that follow. Words are ICU's, so a changed character
    in Chinese or Thai marks its word and not its line. Quadratic in lines and in the words of a line.
    """
    left, right = one.split("\n")[:MAX_COMPARED_LINES], other.split("\n")[:MAX_COMPARED_LINES]
    pairs: list[LinePair] = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for first, second in zip_longest(left[a:b], right[c:d]):
            if kind == "equal":
                pairs.append(LinePair([(first, False)], [(first, False)]))
            elif first is None or second is None:
                whole = [(second if first is None else first, True)]
                pairs.append(LinePair(None, whole) if first is None else LinePair(whole, None))
            else:
                pairs.append(LinePair(*_compare_words(first, second, language)))
    return pairs if around is None else _shorten(pairs, around)


def _compare_words(one: str, other: str, language: str | None) -> tuple[Pieces, Pieces]:
    left, right = _split_segments(one, language), _split_segments(other, language)
    if max(len(left), len(right)) > MAX_COMPARED_SEGMENTS:
        return [(one, True)], [(other, True)]
    first: Pieces = []
    second: Pieces = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if b > a:
            first.append(("".join(left[a:b]), kind != "equal"))
        if d > c:
            second.append(("".join(right[c:d]), kind != "equal"))
    return first, second


def _split_segments(text: str, language: str | None) -> list[str]:
    words = segment_words(text, language)
    bounds = words.boundaries.tolist()
    return [to_text(words.units[a:b]) for a, b in pairwise(bounds)]


def _shorten(pairs: list[LinePair], around: int) -> list[LinePair]:
    changed = [at for at, pair in enumerate(pairs) if pair.one != pair.other] or [0]
    near = {at for place in changed for at in range(place - around, place + around + 1)}
    shortened: list[LinePair] = []
    skipped = 0
    for at, pair in enumerate(pairs):
        if at in near:
            shortened.append(LinePair(pair.one, pair.other, skipped))
            skipped = 0
        else:
            skipped += 1
    return [*shortened, LinePair(None, None, skipped)] if skipped else shortened
