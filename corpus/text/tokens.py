"""Words and punctuation marks as rule-based tokenizers cut them, for recipes that count such tokens.

Gopher's and FineWeb's rules were set on tokens of spaCy, where `U.S.`, `/usr/bin`, `10:21`, `@name` and a URL
are one token, `don't` and `it's` two, and other marks one each. ICU gives finer pieces; they are put together
again by the marks between them. Marks of scripts without spaces always stand alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import Positions
from corpus.text.units import KIND, LETTER, NUMBER, PUNCTUATION, SPACE, SYMBOL, VISIBLE, WORD, Kinds
from corpus.text.words import Words

MARK, LEADING, TRAILING, LETTERS, LETTER_AFTER, NUMBERS, REPEATED = (1 << i for i in range(7))
"""Roles of a mark: ASCII punctuation or symbol; part of the word behind it or of the one before it; a
token of its own between letters, before a letter, between numbers; one token when it is repeated."""


def _roles() -> Kinds:
    roles = np.zeros(0x10000, np.uint8)
    roles[:0x80][(KIND[:0x80] & (PUNCTUATION | SYMBOL)) > 0] = MARK
    for characters, role in (
        ("@-./\\|^~", LEADING),
        ("@-/\\|^~=", TRAILING),
        (",", LETTERS),
        ("-:<>=/", LETTER_AFTER),
        ("+-*^", NUMBERS),
        (".-…—", REPEATED),
    ):
        roles[[ord(character) for character in characters]] |= role
    return roles


_ROLES = _roles()

APART: npt.NDArray[np.bool_] = (KIND & SPACE).astype(np.bool_)
"""White space and the blocks of Thai, Lao, Tibetan, Burmese, Khmer, Chinese and Japanese; surrogates."""
for _start, _end in (
    (0x0E00, 0x1100),
    (0x1780, 0x1800),
    (0x2E80, 0xE000),
    (0xF900, 0xFB00),
    (0xFF00, 0x10000),
):
    APART[_start:_end] = True


@dataclass(frozen=True, slots=True)
class Spans:
    """Ranges [start, end) of a text in UTF-16 code units: two arrays int32[n], in order, not overlapping."""

    starts: Positions
    ends: Positions

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class Tokens(Spans):
    """Words and marks; `kinds` uint8[n] has the classes of characters in each, or-ed (see `units`)."""

    kinds: Kinds


def tokens(words: Words) -> Tokens:
    """The tokens of a text. About .08 ms for 5 KB."""
    chosen = np.flatnonzero(words.segments & VISIBLE)
    if not len(chosen):
        nothing = np.zeros(0, np.int32)
        return Tokens(nothing, nothing, np.zeros(0, np.uint8))
    starts, ends = words.boundaries[chosen], words.boundaries[chosen + 1]
    kinds = words.segments[chosen]
    heads = np.flatnonzero(~_continues(words, starts, ends, kinds))
    tails = np.append(heads[1:], len(starts)) - 1
    return _split(words, Tokens(starts[heads], ends[tails], np.bitwise_or.reduceat(kinds, heads)))


def _continues(words: Words, starts: Positions, ends: Positions, classes: Kinds) -> npt.NDArray[np.bool_]:
    """Which segments belong to the token of the one before."""
    units, kinds, count = words.units, words.kinds, len(starts)
    word = (classes & WORD) > 0
    roles = _ROLES[units[starts]]
    roles[word] = 0
    touches = np.zeros(count + 1, np.bool_)
    np.equal(starts[1:], ends[:-1], out=touches[1:-1])
    found = np.zeros(count + 1, np.bool_)

    marks = np.flatnonzero(roles & MARK)
    inside = np.zeros(len(marks) + 1, np.bool_)
    inside[1:-1] = (np.diff(marks) == 1) & touches[marks[1:]]
    heads, tails = marks[~inside[:-1]], marks[~inside[1:]]  # the first and the last of each run of marks
    before, after = np.maximum(heads - 1, 0), np.minimum(tails + 1, count - 1)
    left, right = kinds[ends[before] - 1], kinds[starts[after]]
    follows, precedes = touches[heads] & word[before], touches[tails + 1] & word[after]
    joins_before = follows & ~APART[units[ends[before] - 1]]
    joins_after = precedes & ~APART[units[starts[after]]]

    role = np.where(heads == tails, roles[heads], 0)
    alone = (role & LETTERS > 0) & (left & right & LETTER > 0)
    alone |= (role & LETTER_AFTER > 0) & (right & LETTER > 0)
    alone |= (role & NUMBERS > 0) & (left & right & NUMBER > 0)
    alone &= ~_in_names(words, starts, ends, word, touches)[heads]
    through = joins_before & joins_after & ~alone
    backward = through | (joins_before & ~precedes & (roles[tails] & TRAILING > 0))
    forward = joins_after & ~follows & (roles[heads] & LEADING > 0)

    changes = np.zeros(count + 1, np.int32)
    changes[heads[backward]] = 1
    changes[heads[forward] + 1] = 1
    stops = np.concatenate((tails[backward], tails[forward])) + 1
    np.subtract.at(changes, stops, 1)
    np.greater(np.cumsum(changes), 0, out=found)
    found[after[through | forward]] = True

    short = ends[before] - starts[before]
    dotted = (short > 2) & (units[np.minimum(starts[before] + 1, len(units) - 1)] == ord("."))
    initial = joins_before & (units[starts[heads]] == ord(".")) & ((short == 1) | dotted) & (left == LETTER)
    found[heads[initial]] = True
    again = np.flatnonzero(roles & REPEATED)
    again = again[touches[again]]
    found[again[units[starts[again]] == units[starts[again] - 1]]] = True
    return found[:-1]


def _in_names(
    words: Words,
    starts: Positions,
    ends: Positions,
    word: npt.NDArray[np.bool_],
    touches: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Segments of runs without space that begin with a word and have a dot before two letters: host names and
    what follows them, addresses, names of files."""
    dots = np.flatnonzero(words.units[:-2] == ord("."))
    dots = dots[(words.kinds[dots + 1] & words.kinds[dots + 2] & LETTER) > 0]
    at = np.searchsorted(starts, dots, "right") - 1
    at = at[(starts[at] < dots) & (dots < ends[at])]
    if not len(at):
        return np.zeros(len(starts), np.bool_)
    runs = np.cumsum(~touches[:-1])
    named = np.zeros(len(starts) + 1, np.bool_)
    named[runs[at]] = True
    named[runs[~touches[:-1] & ~word]] = False
    found: npt.NDArray[np.bool_] = named[runs]
    return found


def _split(words: Words, found: Tokens) -> Tokens:
    """Parts clitics from their words: an apostrophe and one or two letters at the end ('s, 't, 're, 'll)."""
    apostrophes = np.flatnonzero((words.units == 0x27) | (words.units == 0x2019)).astype(np.int32)
    if not len(apostrophes):
        return found
    at = np.minimum(np.searchsorted(found.ends, apostrophes, "right"), len(found) - 1)
    left = found.ends[at] - apostrophes
    clitic = (found.starts[at] < apostrophes) & (left >= 2) & (left <= 3)
    clitic &= (words.kinds[np.minimum(apostrophes + 1, len(words.kinds) - 1)] & LETTER) > 0
    cuts, at = apostrophes[clitic], at[clitic]
    behind = at + 1 + np.arange(len(cuts))
    old = np.ones(len(found) + len(cuts), np.bool_)
    old[behind] = False
    before = np.ones(len(old), np.bool_)
    before[behind - 1] = False
    starts, ends, kinds = (
        np.empty(len(old), np.int32),
        np.empty(len(old), np.int32),
        np.empty(len(old), np.uint8),
    )
    starts[old], starts[behind] = found.starts, cuts
    ends[before], ends[behind - 1] = found.ends, cuts
    kinds[old], kinds[behind] = found.kinds, LETTER
    return Tokens(starts, ends, kinds)
