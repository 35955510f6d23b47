"""Find the places of a text where digits stand close together: no number is anywhere else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

WINDOW_CHARACTERS = 16
MIN_WINDOW_DIGITS = 4
MARGIN_CHARACTERS = 48
"""Characters around a region that a search may look at: longer than any number."""

_ZERO = np.uint8(ord("0"))
FIRST_OTHER_DIGIT = 0x660
"""The first digit beyond ASCII, which is Arabic."""

Region = tuple[int, int]
"""(start, end) of characters, with the margin: they may lie outside of the text."""


def search_regions(
    pattern: re.Pattern[str], text: str, regions: list[Region], margin: int = MARGIN_CHARACTERS
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern in the regions, with so much of their margin, in order."""
    less = MARGIN_CHARACTERS - margin
    for start, end in regions:
        yield from pattern.finditer(text, max(0, start + less), end - less)


@cache
def _digits_below_64k() -> NDArray[np.bool_]:
    return np.array([unicodedata.category(chr(code)) == "Nd" for code in range(1 << 16)])


def _find_digits(text: str) -> NDArray[np.bool_]:
    """Return which characters of a text are digits; those beyond 64 K are not."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8) - _ZERO < 10
    data = text.encode("utf-16-le", "surrogatepass")
    if len(data) > 2 * len(text):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        return _digits_below_64k()[np.minimum(codes, 0xFFFF)]
    units = np.frombuffer(data, np.uint16)
    digits = units - _ZERO < 10
    high = (units >= FIRST_OTHER_DIGIT).nonzero()[0]
    if len(high):
        digits[high[_digits_below_64k()[units[high]]]] = True
    return digits


def find_digit_regions(text: str) -> list[Region]:
    """Return where `WINDOW_CHARACTERS` hold `MIN_WINDOW_DIGITS` digits of any script, joined where margins meet.

    Cost: 100 MB/s and more, whatever the text.
    """
    if len(text) < MIN_WINDOW_DIGITS:
        return []
    places = _find_digits(text).nonzero()[0]
    if len(places) < MIN_WINDOW_DIGITS:
        return []
    firsts, lasts = places[: 1 - MIN_WINDOW_DIGITS], places[MIN_WINDOW_DIGITS - 1 :]
    dense = lasts - firsts < WINDOW_CHARACTERS
    starts, ends = firsts[dense] - MARGIN_CHARACTERS, lasts[dense] + 1 + MARGIN_CHARACTERS
    if not len(starts):
        return []
    apart = np.flatnonzero(starts[1:] > ends[:-1])
    first = starts[[0, *(apart + 1).tolist()]].tolist()
    last = ends[[*apart.tolist(), -1]].tolist()
    return list(zip(first, last, strict=True))
