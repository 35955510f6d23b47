"""Convert text to arrays of UTF-16 code units, and classify each unit.

ICU counts in UTF-16 code units, so offsets in this package do as well. A character outside the Basic
Multilingual Plane is two units: the first has its class, the second 0.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from corpus.unicode_ranges import cut_range, list_categories

Units = npt.NDArray[np.uint16]
Kinds = npt.NDArray[np.uint8]

LETTER, NUMBER, MARK, PUNCTUATION, SYMBOL, SPACE, CONTROL = (1 << i for i in range(7))
WORD = LETTER | NUMBER
VISIBLE = WORD | MARK | PUNCTUATION | SYMBOL

_KIND_OF_LETTER = np.zeros(0x80, np.uint8)
for _letter, _kind in zip(
    "LNMPSZC", (LETTER, NUMBER, MARK, PUNCTUATION, SYMBOL, SPACE, CONTROL), strict=True
):
    _KIND_OF_LETTER[ord(_letter)] = _kind


def _classify(start: int, end: int) -> Kinds:
    """Return the class of every character of a range: of the first letter of its category, but SPACE for all spaces."""
    table: Kinds = _KIND_OF_LETTER[list_categories(start, end)[:, 0]]
    for first, last, are_alike in cut_range(start, end):
        if not are_alike:
            are_spaces = np.fromiter(map(str.isspace, map(chr, range(first, last))), np.bool_, last - first)
            table[first - start : last - start][are_spaces] = SPACE
    return table


def _lower_units() -> Units:
    """Return the first character of every unit in lower case, where that is one unit; final sigma becomes sigma."""
    table = np.arange(0x10000, dtype=np.uint16)
    for first, last, are_alike in cut_range(0, 0x10000):
        if not are_alike:
            lowered = "".join(map(itemgetter(0), map(str.lower, map(chr, range(first, last)))))
            codes = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32)
            np.copyto(table[first:last], codes, where=codes < 0x10000, casting="unsafe")
    table[table == ord("ς")] = ord("σ")
    return table


KIND: Kinds = _classify(0, 0x10000)
"""Class of every code unit, one of the bits above."""

LOWER: Units = _lower_units()
"""Simple lower-casing of every code unit, final sigma folded into sigma; surrogates are unchanged."""


def to_units(text: str) -> Units:
    """Return the UTF-16 code units of a text; lone surrogates pass."""
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)


def to_text(units: Units) -> str:
    """Return the text of a range of units."""
    return units.tobytes().decode("utf-16-le", "surrogatepass")


def kinds(units: Units) -> Kinds:
    """Return the class of each unit: `KIND` of it; for a surrogate pair that of its character, then 0."""
    result: Kinds = KIND.take(units)
    if ((units & 0xF800) == 0xD800).any():
        high = np.flatnonzero(find_pairs(units))
        code = ((units[high].astype(np.int32) - 0xD800) << 10) + (units[high + 1].astype(np.int32) - 0xDC00)
        result[high] = _astral_table()[code]
        result[high + 1] = 0
    return result


def find_pairs(units: Units) -> npt.NDArray[np.bool_]:
    """Return True at the first unit of each surrogate pair."""
    head: npt.NDArray[np.bool_] = (units & 0xFC00) == 0xD800
    if len(units):
        head[:-1] &= (units[1:] & 0xFC00) == 0xDC00
        head[-1] = False
    return head


@cache
def _astral_table() -> Kinds:
    """Return the class of every character from U+10000 up: built at the first such character, in about .03 s."""
    table = np.full(0x100000, CONTROL, np.uint8)
    for start, end in ((0x10000, 0x34000), (0xE0000, 0xE0200)):
        table[start - 0x10000 : end - 0x10000] = _classify(start, end)
    return table
