"""Find words by the rules of Unicode Standard Annex 29 in arrays, where no dictionary is needed: as ICU, to the unit.

What a character is (letter, digit, mark, ...) is asked of ICU itself, once a process: each is put between others in a
text of its own, and where that is broken tells its class. So the rules follow the version of ICU that is installed.
What these rules do not know (scripts without spaces, Hangul, Hebrew, emoji) is left to ICU, with all that stands beside
it without a space.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import Positions
from corpus.text.units import Units, to_text

Classes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
AskIcu = Callable[[str], Positions]
"""Returns where a text is broken: its start, its end, and all borders of words between them."""

_BLOCKS = ((0, 0xE00), (0x10A0, 0x1100), (0x1200, 0x13A0), (0x1680, 0x1681), (0x1E00, 0x2500))
_LATER_BLOCKS = ((0x3000, 0x3001), (0xFE00, 0xFE10), (0xFFFC, 0xFFFE))
"""Scripts with spaces between words, signs, and all spaces."""
_SIGNS = (0x2500, 0x2C00)
"""Signs that break everywhere: frames, arrows, dingbats, mathematics."""
MAX_UNRULY_SHARE = 0.05
"""Share of characters that the rules do not know from which ICU is asked about all of a text."""

(
    UNRULY,
    OTHER,
    LETTER,
    NUMBER,
    CONNECTOR,
    EXTEND,
    SPACE,
    IN_WORD,
    IN_NUMBER,
    IN_BOTH,
    CR,
    LF,
    LINE,
    JOINER,
) = range(14)
"""Classes of characters; UNRULY are those that the rules do not know."""
_LINE_BREAKS = {0x0A: LF, 0x0D: CR, 0x0B: LINE, 0x0C: LINE, 0x85: LINE, 0x2028: LINE, 0x2029: LINE}
_FIRST_SIGN = 0x2000
"""The first character from which also letters may be emoji: those in circles."""
_ZERO_WIDTH_JOINER = 0x200D
_PROBES = ("aXa", "1X1", "!X", "XX:X", "X,X", "X'!")
"""Texts whose breaks tell the class of X."""
_CLASS_OF_BREAKS: dict[tuple[str, ...], int] = {
    ("12", "12", "1", "123", "12", "12"): OTHER,
    ("", "", "1", "", "12", "12"): LETTER,
    ("", "", "1", "23", "", "12"): NUMBER,
    ("", "", "1", "23", "12", "12"): CONNECTOR,
    ("", "", "", "2", "1", "1"): EXTEND,
    ("12", "12", "1", "23", "12", "12"): SPACE,
    ("", "12", "1", "123", "12", "12"): IN_WORD,
    ("12", "", "1", "123", "12", "12"): IN_NUMBER,
    ("", "", "1", "123", "12", "12"): IN_BOTH,
}
"""Where the probes are broken inside, for each class; any other answer is that of an unruly character."""


def find_word_boundaries(text: str, units: Units, ask_icu: AskIcu) -> Positions:
    """Return where a text, of these units, is broken: as `ask_icu`, which is asked about parts of it or about all."""
    classes = _class_table(ask_icu).take(units)
    unruly = classes == UNRULY
    joiners = np.flatnonzero(classes == JOINER)
    if len(joiners):  # joins emoji, and else only extends what precedes it
        behind = np.minimum(joiners + 1, len(units) - 1)
        unruly[joiners[(classes[behind] == OTHER) | (units[behind] >= _FIRST_SIGN)]] = True
    count = np.count_nonzero(unruly)
    if count > MAX_UNRULY_SHARE * len(units):
        return ask_icu(text)
    broken = _apply_rules(classes)
    if count:
        own, starts = _find_fields(classes, np.flatnonzero(unruly))
        broken[own] = False
        asked = np.insert(units[own], starts, ord("\n"))
        places = np.insert(own, starts, len(units))[ask_icu(to_text(asked))[:-1]]
        broken[places] = True
    return np.flatnonzero(broken).astype(np.int32)


def _find_fields(classes: Classes, places: Indices) -> tuple[Indices, Indices]:
    """Return the indices of all units of the fields that some places are in, and where in these a field begins.

    A field is a run of spaces and what follows it up to the next, or to the end of the line. Words never reach beyond,
    whatever is in it, and whatever is before and behind it.
    """
    begins = np.zeros(len(classes) + 1, np.bool_)
    begins[0] = begins[-1] = True
    space = classes == SPACE
    begins[1:-1] = (space[1:] & ~space[:-1]) | (classes[:-1] == LF) | (classes[:-1] == LINE)
    borders = np.flatnonzero(begins)
    fields = np.unique(np.searchsorted(borders, places, "right") - 1)
    starts, ends = borders[fields], borders[fields + 1]
    sizes = ends - starts
    firsts = np.cumsum(sizes) - sizes
    return np.arange(sizes.sum()) + np.repeat(starts - firsts, sizes), firsts


def _apply_rules(classes: Classes) -> Mask:
    """Return whether the text is broken before each unit, and at its end: bool[n + 1]."""
    size = len(classes)
    broken = np.ones(size + 1, np.bool_)
    extends = (classes == EXTEND) | (classes == JOINER)
    if not extends.any():
        broken[:-1] = _break_bases(classes, None)
        return broken
    extends[0] = False  # nothing is extended at the start of a text, or of a line
    extends[1:] &= (classes[:-1] < CR) | (classes[:-1] == JOINER)
    bare = ~extends
    bases = classes[bare]
    bases[(bases == EXTEND) | (bases == JOINER)] = OTHER
    marked = np.append(extends[1:], False)[bare]
    broken[:-1] = False
    broken[:-1][bare] = _break_bases(bases, marked)
    return broken


def _break_bases(classes: Classes, marked: Mask | None) -> Mask:
    """Return whether there is a break before each character that is no mark; `marked`: whether a mark follows each."""
    broken = np.ones(len(classes), np.bool_)
    written = (classes >= LETTER) & (classes <= CONNECTOR)
    joined = written[:-1] & written[1:]
    space = classes == SPACE
    spaces = space[:-1] & space[1:]
    joined |= spaces if marked is None else spaces & ~marked[:-1]
    joined |= (classes[:-1] == CR) & (classes[1:] == LF)
    inner = np.flatnonzero((classes[1:-1] >= IN_WORD) & (classes[1:-1] <= IN_BOTH)) + 1
    before, sign, after = classes[inner - 1], classes[inner], classes[inner + 1]
    between = (before == LETTER) & (after == LETTER) & (sign != IN_NUMBER)
    between |= (before == NUMBER) & (after == NUMBER) & (sign != IN_WORD)
    inner = inner[between]
    joined[inner - 1] = True
    joined[inner] = True
    broken[1:] = ~joined
    return broken


@cache
def _class_table(ask_icu: AskIcu) -> Classes:
    """Return the class of every code unit. Costs some 50 ms."""
    table = np.full(0x10000, UNRULY, np.uint8)
    codes = [
        code
        for start, end in (*_BLOCKS, *_LATER_BLOCKS)
        for code in range(start, end)
        if code not in _LINE_BREAKS
    ]
    text = "".join(
        [probe.replace("X", character) + "\n" for character in map(chr, codes) for probe in _PROBES]
    )
    broken = np.zeros(len(text) + 1, np.uint8)
    broken[ask_icu(text)] = 1
    answers = broken[:-1].reshape(len(codes), -1)
    _, first, number = np.unique(answers, axis=0, return_index=True, return_inverse=True)
    known = np.array(
        [_CLASS_OF_BREAKS.get(_read_answer(answers[at]), UNRULY) for at in first.tolist()], np.uint8
    )
    table[codes] = known[number.reshape(-1)]
    table[slice(*_SIGNS)] = OTHER
    table[list(_LINE_BREAKS)] = list(_LINE_BREAKS.values())
    table[_ZERO_WIDTH_JOINER] = JOINER
    return table


def _read_answer(answer: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """Return where each probe is broken inside."""
    parts = []
    at = 0
    for probe in _PROBES:
        parts.append("".join(str(place) for place in range(1, len(probe)) if answer[at + place]))
        at += len(probe) + 1
    return tuple(parts)
