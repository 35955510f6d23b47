"""Texts as tokens whose spelling does not matter: words, and characters where words are not spaced; folded.

Case, width, digits and Chinese scripts are folded (`corpus.text.folding`); spaces and punctuation are nothing but
borders. Latin letters that stand alone are left out: they name options (A, B, ...), wherever these are printed. Of
scripts without spaces that are no Han or kana (Thai, Khmer, ...) about three characters are one token.

A gram is 6 successive tokens. Its hash is that of its characters, one after the other, so all cost is in a few passes
over arrays: 60 MB a CPU second on English and Chinese.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.shingles import IDEOGRAPHIC, UNSPACED, WRITING_OF_UNIT
from corpus.text.folding import VERSION as FOLDING_VERSION
from corpus.text.folding import Folding, make_folding
from corpus.text.hashes import Hashes, finalize, inverse_powers, prefix_sums
from corpus.text.units import KIND, MARK, SPACE, WORD, Units, to_units

VERSION = 2
"""Increased when the same text would give other tokens or hashes."""
FOLDS = ("case", "chinese", "digits", "width")
GRAM = 6
"""Tokens of a gram. 6 and not 8, as the words at the edges of a short question are often others: of questions reworded
so, 6 find .982 and 8 find .975 (`decontamination_benchmark`); pairs of tokens tell what is like an item in a gram."""
UNSPACED_CHARACTERS = 3
"""Characters of a token in alphabets without spaces, on average."""
BORDER, SPACED_WORD, SINGLE, GROUPED, LATIN, SECOND, UNSEEN, SPECIAL = 0, 1, 2, 4, 8, 16, 32, 64
"""What a code unit is part of: nothing; a word; a token of its own; a token of `UNSPACED_CHARACTERS`. Beside these: a
letter from a to z; the second unit of a pair; one that is not seen, and no border; one that is folded to several."""

Places = NDArray[np.int64]
Roles = NDArray[np.uint8]


@cache
def _folding() -> Folding:
    return make_folding(FOLDS)


@cache
def _roles() -> Roles:
    """Return the role of every folded unit."""
    roles = np.where(KIND & (WORD | MARK) > 0, SPACED_WORD, BORDER).astype(np.uint8)
    roles[(WRITING_OF_UNIT == IDEOGRAPHIC) & (roles > 0)] = SINGLE
    roles[(WRITING_OF_UNIT == UNSPACED) & (roles > 0)] = GROUPED
    roles[0xD800:0xDC00] = SINGLE  # the first units of pairs: rare Han, emoji, mathematical letters
    roles[0xDC00:0xE000] = SPACED_WORD | SECOND
    roles[ord("a") : ord("z") + 1] |= LATIN
    return roles


@cache
def _tables() -> tuple[Roles, Hashes]:
    """Return the role of every unit and the value of what it becomes, for texts that have none that is `SPECIAL`."""
    folding = _folding()
    roles = _roles()[folding.becomes]
    roles[folding.special] |= SPECIAL
    roles[(folding.lengths == 0) & ~np.isin(np.arange(0x10000), list(folding.composed))] = UNSEEN
    roles[KIND & SPACE > 0] = BORDER
    return roles, _values()[folding.becomes]


@cache
def _plain_spaces() -> Units:
    """Return every unit, a space for all that are spaces: some of these are folded to nothing, and are borders here."""
    units = np.arange(0x10000, dtype=np.uint16)
    units[KIND & SPACE > 0] = ord(" ")
    return units


@cache
def _values() -> Hashes:
    return finalize(np.arange(1, 0x10001, dtype=np.uint64))


def identify_tokens() -> list[int]:
    """Return what the hashes depend on besides the text."""
    return [VERSION, FOLDING_VERSION, GRAM]


@dataclass(frozen=True)
class FoldedTokens:
    """n tokens of a text: `starts` and `ends` in its UTF-16 units; `bounds` int64[n + 1] in the folded characters,
    whose prefix sums are `sums`."""

    starts: Places
    ends: Places
    bounds: Places
    sums: Hashes

    def __len__(self) -> int:
        return len(self.starts)

    def hash_grams(self, length: int) -> Hashes:
        """Return a hash of every `length` successive tokens, uint64[max(0, n - length + 1)]; its high bits are the
        random ones."""
        count = max(0, len(self) - length + 1)
        starts = self.bounds[:count]
        return (self.sums[self.bounds[length : length + count]] - self.sums[starts]) * inverse_powers(
            len(self.sums)
        )[starts]


def fold_tokens(text: str | Units) -> FoldedTokens:
    """Return the tokens of a text."""
    units = to_units(text) if isinstance(text, str) else text
    table, values = _tables()
    roles = table.take(units)
    moved = origin = None
    flags = _join_flags(roles)
    if flags & SPECIAL:
        units, moved = _folding().fold(_plain_spaces().take(units))
        roles, values = _roles().take(units), _values()
        flags = _join_flags(roles)
    elif flags & UNSEEN:
        origin = np.flatnonzero(roles != UNSEEN)
        units, roles = units[origin], roles[origin]
    _leave_out_labels(roles)
    seen = roles != BORDER
    places = np.flatnonzero(seen)
    letters = values.take(units.take(places))
    begins = _find_beginnings(roles, seen, letters, flags)
    starts = np.flatnonzero(begins)
    bounds = np.append(np.cumsum(seen, dtype=np.int32).take(starts) - 1, len(letters)).astype(np.int64)
    lasts = places[bounds[1:] - 1] + 1  # groups of letters go on behind a space
    if moved is not None:
        starts = np.searchsorted(moved, starts, side="right") - 1
        lasts = np.searchsorted(moved, lasts, side="left")
    elif origin is not None:
        starts, lasts = origin[starts], origin[lasts - 1] + 1
    return FoldedTokens(starts, lasts, bounds, prefix_sums(letters))


def _find_beginnings(roles: Roles, seen: NDArray[np.bool_], letters: Hashes, flags: int) -> NDArray[np.bool_]:
    """Return the units in which tokens begin; `letters` are the values of the units that are `seen`."""
    begins = seen.copy()
    begins[1:] &= ~seen[:-1] | ((roles[1:] | roles[:-1]) & np.uint8(SINGLE | GROUPED)).astype(np.bool_)
    if flags & GROUPED:
        begins[seen] = _group_characters(begins[seen], roles[seen], letters)
    if flags & SECOND:
        begins &= roles & SECOND == 0
        begins[np.flatnonzero(seen)[:1]] = True
    return begins


def _join_flags(roles: Roles) -> int:
    """Return the flags that any unit has."""
    return int(np.bitwise_or.reduce(roles)) if len(roles) else 0


def _leave_out_labels(roles: Roles) -> None:
    """Make Latin letters that stand alone borders."""
    alone = roles == SPACED_WORD | LATIN
    alone[1:] &= roles[:-1] & SPACED_WORD == 0
    alone[:-1] &= roles[1:] & SPACED_WORD == 0
    roles[alone] = BORDER


def _group_characters(begins: NDArray[np.bool_], kinds: Roles, letters: Hashes) -> NDArray[np.bool_]:
    """Return where tokens begin if letters of alphabets without spaces are grouped.

    One begins where the letter and the next one say so, one time in `UNSPACED_CHARACTERS`, whatever stands before: so
    groups are the same wherever a text begins, and whether or not there are spaces between its phrases.
    """
    grouped = kinds & GROUPED > 0
    following = np.append(letters[1:], letters[:1])
    chosen = (letters ^ (following >> np.uint64(9))) % np.uint64(UNSPACED_CHARACTERS) == 0
    chosen[1:] |= ~grouped[:-1]
    chosen[:1] = True
    return np.where(grouped, chosen, begins)
