"""Split a text into words and punctuation marks as rule-based tokenizers do, for recipes that count such tokens.

Gopher's and FineWeb's rules were set on tokens of spaCy, where `U.S.`, `/usr/bin`, `10:21`, `@name` and a URL
are one token, `don't` and `it's` two, and other marks one each. ICU gives finer pieces; they are joined
again by the marks between them. Marks of scripts without spaces always are tokens of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import Positions
from corpus.text.units import (
    KIND,
    LETTER,
    MARK,
    NUMBER,
    PUNCTUATION,
    SPACE,
    SYMBOL,
    VISIBLE,
    WORD,
    Kinds,
)
from corpus.text.words import Words

STANDS_APART: npt.NDArray[np.bool_] = (KIND & SPACE).astype(np.bool_)
"""White space and the blocks of Thai, Lao, Tibetan, Burmese, Khmer, Chinese and Japanese; surrogates."""
for _start, _end in (
    (0x0E00, 0x1100),
    (0x1780, 0x1800),
    (0x2E80, 0xE000),
    (0xF900, 0xFB00),
    (0xFF00, 0x10000),
):
    STANDS_APART[_start:_end] = True


@dataclass(frozen=True, slots=True)
class Spans:
    """Ranges [start, end) of a text in UTF-16 code units: two arrays int32[n], in order, not overlapping."""

    starts: Positions
    ends: Positions

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class RuleTokens(Spans):
    """Words and marks; `kinds` uint8[n] has the classes of characters in each, or-ed (see `units`)."""

    kinds: Kinds


BACKWARD, FORWARD, UNLESS_NAME = 1, 2, 4
"""How marks are joined: to the word before, to the word behind, to both if that run of text is a name."""
NOTHING, LETTERS, NUMBERS, SPACELESS = range(4)
"""What may be next to marks: no word, a word that ends (begins) so, a word of a script without spaces."""
LEADING_MARKS, TRAILING_MARKS = "@-./\\|^~", "@-/\\|^~="
"""Part of the word behind them where no word precedes (/usr, @name, -l), and the other way round (http://)."""
MARKS_BETWEEN = {(LETTERS, LETTERS): ",-:<>=/", (NUMBERS, LETTERS): "-:<>=/", (NUMBERS, NUMBERS): "+-*^"}
"""Tokens of their own between two such words, unless in a name; all other marks there join them."""
ASCII_MARKS = "".join(chr(code) for code in range(0x80) if KIND[code] & (PUNCTUATION | SYMBOL))


def _join_marks(mark: str, first: str, last: str, before: int, after: int) -> int:
    """Return how marks (one, or "" for a run from `first` to `last`) are joined between two such neighbours."""
    if before in (LETTERS, NUMBERS) and after in (LETTERS, NUMBERS):
        apart = mark != "" and mark in MARKS_BETWEEN.get((before, after), "")
        return UNLESS_NAME if apart else BACKWARD | FORWARD
    if before == NOTHING and after in (LETTERS, NUMBERS) and first in LEADING_MARKS:
        return FORWARD
    if before in (LETTERS, NUMBERS) and after == NOTHING and last in TRAILING_MARKS:
        return BACKWARD
    return 0


def _build_tables() -> tuple[Kinds, Kinds, Kinds, npt.NDArray[np.bool_]]:
    beside = np.zeros(0x10000, np.uint8)
    beside[(KIND & (LETTER | MARK)) > 0] = LETTERS
    beside[ord("_")] = NUMBERS  # joins what a letter would, but parts nothing
    beside[(KIND & NUMBER) > 0] = NUMBERS
    beside[((KIND & (WORD | MARK)) > 0) & STANDS_APART] = SPACELESS
    beside[0xD800:0xE000] = SPACELESS
    number = np.zeros(0x10000, np.uint8)
    for at, mark in enumerate(ASCII_MARKS, start=1):
        number[ord(mark)] = at
    joins = np.zeros((len(ASCII_MARKS) + 1, len(ASCII_MARKS) + 1, 2, 4, 4), np.uint8)
    for head, first in enumerate(ASCII_MARKS, start=1):
        for tail, last in enumerate(ASCII_MARKS, start=1):
            for single in range(1 + (head == tail)):
                for before in range(4):
                    for after in range(4):
                        mark = first if single else ""
                        joins[head, tail, single, before, after] = _join_marks(
                            mark, first, last, before, after
                        )
    repeated = np.zeros(0x10000, np.bool_)
    repeated[[ord(mark) for mark in ".-…—"]] = True
    return beside, number, joins, repeated


_BESIDE, _NUMBER, _JOINS, _REPEATED = _build_tables()


def tokenize(words: Words) -> RuleTokens:
    """Return the tokens of a text. About .1 ms for 5 KB."""
    chosen = np.flatnonzero(words.segments & VISIBLE)
    if not len(chosen):
        nothing = np.zeros(0, np.int32)
        return RuleTokens(nothing, nothing, np.zeros(0, np.uint8))
    starts, ends = words.boundaries[chosen], words.boundaries[chosen + 1]
    kinds = words.segments[chosen]
    heads = np.flatnonzero(~_find_continuations(words, starts, ends, kinds))
    tails = np.append(heads[1:], len(starts)) - 1
    return _split_clitics(words, RuleTokens(starts[heads], ends[tails], np.bitwise_or.reduceat(kinds, heads)))


def _find_continuations(
    words: Words, starts: Positions, ends: Positions, kinds: Kinds
) -> npt.NDArray[np.bool_]:
    """Return which segments belong to the token of the one before."""
    count = len(starts)
    continues = np.zeros(count + 1, np.bool_)
    signs = np.flatnonzero((kinds & WORD) == 0)
    signs = signs[ends[signs] - starts[signs] == 1]
    characters = words.units[starts[signs]]
    again = (signs[1:] == signs[:-1] + 1) & (starts[signs[1:]] == ends[signs[:-1]])  # right behind another
    continues[signs[1:][again & (characters[1:] == characters[:-1]) & _REPEATED[characters[1:]]]] = True

    marks = _NUMBER[characters]
    again &= (marks[1:] > 0) & (marks[:-1] > 0)
    chosen = np.flatnonzero(marks)
    first, last = np.ones(len(marks), np.bool_), np.ones(len(marks), np.bool_)
    first[1:], last[:-1] = ~again, ~again
    firsts, lasts = chosen[first[chosen]], chosen[last[chosen]]
    heads, tails = signs[firsts], signs[lasts]
    around = np.zeros(len(words.units) + 2, np.uint16)
    around[1:-1] = words.units
    before, after = _BESIDE[around[starts[heads]]], _BESIDE[around[ends[tails] + 1]]
    joins = _JOINS[marks[firsts], marks[lasts], (firsts == lasts).view(np.uint8), before, after]
    unless = np.flatnonzero(joins == UNLESS_NAME)
    if len(unless):
        joins[unless[_find_names(words, starts, ends, kinds)[heads[unless]]]] = BACKWARD | FORWARD
    continues[heads[(joins & BACKWARD) > 0]] = True
    continues[tails[(joins & FORWARD) > 0] + 1] = True
    for at in np.flatnonzero((firsts < lasts) & (joins > 0)).tolist():
        continues[heads[at] + 1 : tails[at] + 1] = True

    dots = heads[(characters[firsts] == ord(".")) & (before == LETTERS)]
    sizes = ends[dots - 1] - starts[dots - 1]
    dotted = (sizes > 2) & (words.units[starts[dots - 1] + (sizes > 1)] == ord("."))
    continues[dots[(sizes == 1) | dotted]] = True
    return continues[:-1]


def _find_names(words: Words, starts: Positions, ends: Positions, kinds: Kinds) -> npt.NDArray[np.bool_]:
    """Return which segments are in runs without space that begin with a word and have a dot before two letters: host
    names and what follows them, addresses, names of files."""
    named = np.zeros(len(starts) + 1, np.bool_)
    dots = np.flatnonzero(words.units[:-2] == ord("."))
    dots = dots[(words.kinds[dots + 1] & words.kinds[dots + 2] & LETTER) > 0]
    at = np.searchsorted(starts, dots, "right") - 1
    at = at[(starts[at] < dots) & (dots < ends[at])]
    if not len(at):
        return named[:-1]
    alone = np.ones(len(starts), np.bool_)
    np.not_equal(starts[1:], ends[:-1], out=alone[1:])
    runs = np.cumsum(alone)
    named[runs[at]] = True
    named[runs[alone & ((kinds & WORD) == 0)]] = False
    in_names: npt.NDArray[np.bool_] = named[runs]
    return in_names


def _split_clitics(words: Words, whole: RuleTokens) -> RuleTokens:
    """Split clitics from their words: an apostrophe and one or two letters at the end ('s, 't, 're, 'll)."""
    apostrophes = np.flatnonzero((words.units == 0x27) | (words.units == 0x2019)).astype(np.int32)
    if not len(apostrophes):
        return whole
    at = np.minimum(np.searchsorted(whole.ends, apostrophes, "right"), len(whole) - 1)
    left = whole.ends[at] - apostrophes
    clitic = (whole.starts[at] < apostrophes) & (left >= 2) & (left <= 3)
    clitic &= (words.kinds[np.minimum(apostrophes + 1, len(words.kinds) - 1)] & LETTER) > 0
    cuts, at = apostrophes[clitic], at[clitic]
    behind = at + 1 + np.arange(len(cuts))
    old = np.ones(len(whole) + len(cuts), np.bool_)
    old[behind] = False
    before = np.ones(len(old), np.bool_)
    before[behind - 1] = False
    starts, ends, kinds = (
        np.empty(len(old), np.int32),
        np.empty(len(old), np.int32),
        np.empty(len(old), np.uint8),
    )
    starts[old], starts[behind] = whole.starts, cuts
    ends[before], ends[behind - 1] = whole.ends, cuts
    kinds[old], kinds[behind] = whole.kinds, LETTER
    return RuleTokens(starts, ends, kinds)
