"""Fold what the same text may be written with: case, width, digits, punctuation inside words, Chinese scripts.

Tables of all UTF-16 code units say what each becomes, so a text is folded by a few look-ups. Two units become one where
a mark follows what it is composed with (half-width kana, Thai and Lao vowels), one becomes none or several where its
length says so. Characters beyond U+FFFF are left as they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from corpus.data import data_path
from corpus.text.hashes import Hashes, Positions
from corpus.text.units import KIND, LOWER, NUMBER, PUNCTUATION, Units, to_units
from corpus.text.words import Words, hash_units
from corpus.unicode_ranges import cut_range

VERSION = 1
"""Increased when the same text would be folded otherwise."""
FOLDS = ("case", "chinese", "digits", "numbers", "punctuation", "width")
"""What can be folded, sorted: case; characters that are one in another Chinese script or standard (OpenCC's tables);
digits of all scripts to 0-9; all digits of a number to one 0; punctuation inside words, as in l'eau; width and other
forms of one character: full and half width, forms of Arabic letters, ligatures, radicals, and what is not seen."""
SAFE_FORMS = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>")
"""Decompositions of NFKC that change no meaning anywhere. (Superscripts, fractions and mathematical letters do.)"""
SAFE_RANGES = ((0x2E80, 0x2FDF), (0xF900, 0xFAFF), (0xFB00, 0xFB4F))
"""Radicals, compatibility ideographs and ligatures: here all of NFKC is safe."""
UNSEEN = (0x00AD, 0x0640, *range(0x200B, 0x2010), *range(0x2060, 0x2065), *range(0xFE00, 0xFE10), 0xFEFF)
"""Soft hyphen, tatweel, zero-width characters, marks of direction, variation selectors."""
VOICED, SEMI_VOICED = (0x3099, 0xFF9E), (0x309A, 0xFF9F)
COMPOSED = {(0x0E4D, 0x0E32): 0x0E33, (0x0ECD, 0x0EB2): 0x0EB3}
"""Thai and Lao vowels that NFC leaves in two pieces."""


@dataclass(frozen=True)
class Folding:
    """Tables of code units. `becomes`: the unit that stands for it; `lengths`: how many it becomes; `pieces` from
    `firsts` on: those it becomes where these are several; `special`: a unit that is not simply what it becomes."""

    becomes: Units
    lengths: npt.NDArray[np.uint8]
    firsts: npt.NDArray[np.int32]
    pieces: Units
    special: npt.NDArray[np.bool_]
    differs: npt.NDArray[np.bool_]
    """Units that are not what lower case makes of them."""
    composed: dict[int, Units]
    """By a mark: what each unit before it becomes with it, 0 for none."""
    joins_digits: bool

    def fold(self, units: Units) -> tuple[Units, Positions | None]:
        """Return the folded units, and where each of the given ones went: int32[n + 1]; None if each became one."""
        folded = self.becomes.take(units)
        if not self.special.take(units).any():
            return folded, None
        lengths = self.lengths.take(units).astype(np.int32)
        for mark, bases in self.composed.items():
            at = np.flatnonzero(units[1:] == mark)
            at = at[bases[folded[at]] > 0]
            folded[at] = bases[folded[at]]
            lengths[at + 1] = 0
        if self.joins_digits:
            digits = (folded == ord("0")) & (lengths == 1)
            lengths[1:][digits[1:] & digits[:-1]] = 0
        bounds = np.zeros(len(units) + 1, np.int32)
        np.cumsum(lengths, out=bounds[1:])
        result = np.repeat(folded, lengths)
        several = np.flatnonzero(lengths > 1)
        if len(several):
            counts = lengths[several]
            inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            result[np.repeat(bounds[several], counts) + inner] = self.pieces[
                np.repeat(self.firsts[units[several]], counts) + inner
            ]
        return result, bounds


@cache
def make_folding(folds: tuple[str, ...]) -> Folding:
    """Build the tables of some of `FOLDS`. Cost: .02 s, once per process."""
    becomes: dict[int, str] = {}
    if "width" in folds:
        becomes |= _list_forms() | dict.fromkeys(UNSEEN, "")
    if "punctuation" in folds:
        becomes |= dict.fromkeys(np.flatnonzero(KIND & PUNCTUATION).tolist(), "")
    if "digits" in folds or "numbers" in folds:
        for code in np.flatnonzero(KIND & NUMBER).tolist():
            value = unicodedata.decimal(chr(code), None)
            if value is not None:
                becomes[code] = "0" if "numbers" in folds else str(value)
    pieces = {code: to_units(text) for code, text in becomes.items()}
    lengths = np.ones(0x10000, np.uint8)
    for code, piece in pieces.items():
        lengths[code] = len(piece)
    firsts = (np.cumsum(lengths, dtype=np.int64) - lengths).astype(np.int32)
    joined = np.repeat(np.arange(0x10000, dtype=np.uint16), lengths)
    for code, piece in pieces.items():
        joined[firsts[code] : firsts[code] + len(piece)] = piece
    if "case" in folds:
        joined = LOWER[joined]
    if "chinese" in folds:
        joined = read_chinese_variants()[joined]
    single = np.where(lengths > 0, joined[np.minimum(firsts, len(joined) - 1)], np.arange(0x10000))
    single = single.astype(np.uint16)
    composed = _compose() if "width" in folds else {}
    special = lengths != 1
    special[list(composed)] = True
    if "numbers" in folds:
        special |= single == ord("0")
    differs = special | (single != LOWER)
    return Folding(
        single, lengths, firsts, joined, special, differs, composed, joins_digits="numbers" in folds
    )


def fold_word_hashes(documents: Sequence[Words], folding: Folding) -> list[Hashes]:
    """Return the hashes of the words of each document as they are folded; words of which nothing is left are left out.

    Only words that folding changes are hashed again, those of all documents at once.
    """
    sizes, counts = np.array([(len(document.units), len(document.starts)) for document in documents]).T
    units = np.concatenate([document.units for document in documents])
    before = np.repeat(np.cumsum(sizes) - sizes, counts)
    starts = np.concatenate([document.starts for document in documents]) + before
    ends = np.concatenate([document.ends for document in documents]) + before
    at = np.flatnonzero(folding.differs.take(units))
    word = np.searchsorted(starts, at, "right") - 1
    word = word[at < np.append(ends, 0)[word]]  # -1 is before the first word
    word = word[np.flatnonzero(np.diff(word, prepend=-1))]
    if not len(word):
        return [document.hashes for document in documents]
    of_document = np.searchsorted(np.cumsum(counts), word, "right")
    lengths = ends[word] - starts[word]
    begins = np.cumsum(lengths) - lengths
    inner = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    changed = units[np.repeat(starts[word], lengths) + inner]
    apart = np.flatnonzero(np.diff(of_document)) + 1  # nothing is composed with what is in another document
    changed = np.insert(changed, begins[apart], 0)
    begins += np.searchsorted(apart, np.arange(len(word)), "right")
    stops = begins + lengths
    folded, places = folding.fold(changed)
    if places is not None:
        begins, stops = places[begins], places[stops]
    hashes = np.concatenate([document.hashes for document in documents])
    hashes[word] = hash_units(folded, begins.astype(np.int32), stops.astype(np.int32))
    empty = begins == stops
    hashes = np.delete(hashes, word[empty])
    left = np.cumsum(counts - np.bincount(of_document[empty], minlength=len(counts)))
    return [hashes[begin:end] for begin, end in pairwise([0, *left.tolist()])]


@cache
def read_chinese_variants() -> Units:
    """Return for each code unit the character that stands for its class in manifests/chinese_variants.txt."""
    table = np.arange(0x10000, dtype=np.uint16)
    for line in data_path("chinese_variants.txt").read_text(encoding="utf-8").splitlines():
        for group in [] if line.startswith("#") else line.split():
            table[[ord(character) for character in group]] = ord(group[0])
    return table


def _list_forms() -> dict[int, str]:
    """Return what stands for characters in all their safe forms, by their codes: for those that have others."""
    return {
        code: _fold_form(code, form)
        for first, last, are_alike in cut_range(0x80, 0x10000)
        if not are_alike
        for code, form in enumerate(map(unicodedata.decomposition, map(chr, range(first, last))), first)
        if form
    }


def _fold_form(code: int, decomposition: str) -> str:
    """Return what stands for a character in all its safe forms."""
    character = chr(code)
    is_safe = decomposition.partition(" ")[0] in SAFE_FORMS or any(
        first <= code <= last for first, last in SAFE_RANGES
    )
    folded = unicodedata.normalize("NFKC", character) if is_safe else character
    return "" if not folded.strip() else folded.replace(" ", "")


def _compose() -> dict[int, Units]:
    """Return, by mark, what kana become with a sound mark in either width, and the vowels in two pieces."""
    tables: dict[int, Units] = {}
    for marks in (VOICED, SEMI_VOICED):
        table = np.zeros(0x10000, np.uint16)
        for base in range(0x3041, 0x30FF):
            whole = unicodedata.normalize("NFC", chr(base) + chr(marks[0]))
            if len(whole) == 1:
                table[base] = ord(whole)
        tables.update(dict.fromkeys(marks, table))
    for (first, second), vowel in COMPOSED.items():
        table = np.zeros(0x10000, np.uint16)
        table[first] = vowel
        tables[second] = table
    return tables
