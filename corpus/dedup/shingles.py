"""Shingles: the hashed n-grams of documents, whose sets MinHash compares.

Where words are spaced, a shingle is `words` successive words. Where they are not, it is a window over the
text's letters, marks and digits in lower case as UTF-16 code units, without anything between them:
`characters` of Han and kana, twice as many in the alphabets written without spaces (Thai, Lao, Khmer,
Burmese, Tibetan ...). The writing of most of its letters decides for a document, whatever its language label.

Why 8 and 16: with these windows a threshold means the same everywhere. Replacing random words of real text
(Chinese Wikipedia, the Declaration of Human Rights elsewhere; segmented by ICU), the Jaccard similarity that
is left, by word 5-grams and by characters, is

    words replaced       Chinese        Japanese       Thai            Lao             Burmese
                         5 w   8 c      5 w   8 c      5 w   18 c      5 w   18 c      5 w   18 c
    2 %                  .83   .83      .86   .86      .84   .83       .84   .84       .83   .84
    5 %                  .63   .65      .66   .67      .62   .60       .66   .67       .65   .68

and 16 for the alphabets lies between Thai and Tibetan (13). Unrelated Chinese articles share at most .008 of
their 8-grams, and .023 of their 5-grams, with which others chained whole book collections into one cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.xxh32 import hash_windows
from corpus.text.folding import fold_word_hashes, make_folding
from corpus.text.units import KIND, LETTER, LOWER, MARK, NUMBER, SPACE, WORD, find_pairs
from corpus.text.words import hash_units

if TYPE_CHECKING:
    from corpus.text.words import Words

OLD_FOLDS = ("case",)
"""What is folded in `Words.hashes`."""
LINE_MARK = np.uint64(0x9D3FB6C14A7E5A21)
"""Tells the hash of a line from that of a word that is alone in one."""


@dataclass(frozen=True)
class Shape:
    """What a shingle is: `words`, or `characters` of Han and kana, folded by some of `corpus.text.folding.FOLDS`;
    with `lines` so many lines of source code instead."""

    words: int = 5
    characters: int = 8
    folds: tuple[str, ...] = OLD_FOLDS
    lines: int = 0


NO_WRITING, SPACED, IDEOGRAPHIC, UNSPACED = range(4)
"""What a code unit tells about its text: nothing, spaced words, Han or kana, another script without spaces."""
IDEOGRAPHIC_RANGES = [
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303C),
    (0x3041, 0x30FF),  # kana
    (0x3105, 0x312F),  # bopomofo
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D),  # half-width kana
]
IDEOGRAPHIC_SURROGATES = (0xD840, 0xD8BF)
"""First units of the characters of planes 2 and 3, all of them Han."""
UNSPACED_RANGES = [
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0xA980, 0xA9FF),  # Javanese, Myanmar extended
    (0xAA60, 0xAADF),  # Myanmar extended, Tai Viet
]


def _build_writing_table() -> NDArray[np.uint8]:
    table = np.where(KIND & LETTER, SPACED, NO_WRITING).astype(np.uint8)
    for kind, ranges in ((IDEOGRAPHIC, IDEOGRAPHIC_RANGES), (UNSPACED, UNSPACED_RANGES)):
        for first, last in ranges:
            table[first : last + 1][KIND[first : last + 1] & (LETTER | NUMBER | MARK) > 0] = kind
    table[IDEOGRAPHIC_SURROGATES[0] : IDEOGRAPHIC_SURROGATES[1] + 1] = IDEOGRAPHIC
    return table


WRITING_OF_UNIT = _build_writing_table()
"""The kind of writing of every UTF-16 code unit."""
FIRST_UNSPACED = int(np.flatnonzero(WRITING_OF_UNIT >= IDEOGRAPHIC)[0])
"""The first code unit that is of no spaced word."""


def find_writing(units: NDArray[np.uint16]) -> int:
    """Return SPACED, IDEOGRAPHIC or UNSPACED: the writing of most of the text's letters (SPACED if it has none)."""
    later = units[units >= FIRST_UNSPACED]  # in most texts a few quotation marks
    if (WRITING_OF_UNIT.take(later) <= SPACED).all():
        return SPACED
    counts = np.bincount(WRITING_OF_UNIT.take(units), minlength=4)
    if counts[IDEOGRAPHIC] + counts[UNSPACED] <= counts[SPACED]:
        return SPACED
    return IDEOGRAPHIC if counts[IDEOGRAPHIC] >= counts[UNSPACED] else UNSPACED


def extract_letters(document: Words, folds: tuple[str, ...] = OLD_FOLDS) -> NDArray[np.uint16]:
    """Return the text's letters, marks and digits, folded, as UTF-16 units, and nothing else."""
    kept = document.kinds & (LETTER | NUMBER | MARK) > 0
    kept[1:] |= kept[:-1] & find_pairs(document.units)[:-1]  # the class of a pair stands at its first unit
    units = document.units[kept]
    return LOWER.take(units) if folds == OLD_FOLDS else make_folding(folds).fold(units)[0]


def extract_words(documents: Sequence[Words], folds: tuple[str, ...] = OLD_FOLDS) -> list[NDArray[np.uint64]]:
    """Return the hashes of the words of each text, folded."""
    if folds == OLD_FOLDS:
        return [document.hashes for document in documents]
    return fold_word_hashes(documents, make_folding(folds))


def extract_lines(document: Words) -> NDArray[np.uint64]:
    """Return the hashes of the lines that have a letter or a digit, without their white space."""
    seen = document.kinds & SPACE == 0
    breaks = np.flatnonzero(document.units == ord("\n"))
    edges = np.concatenate([[0], breaks, [len(document.units)]])
    before = np.concatenate([[0], np.cumsum(seen)])  # units that are no white space before each unit
    starts, ends = before[edges[:-1]].astype(np.int32), before[edges[1:]].astype(np.int32)
    lettered = np.concatenate([[0], np.cumsum(document.kinds & WORD > 0)])
    counted = lettered[edges[1:]] > lettered[edges[:-1]]
    return hash_units(document.units[seen], starts[counted], ends[counted]) ^ LINE_MARK


def extract_tokens(documents: Sequence[Words], shapes: Sequence[Shape]) -> list[tuple[NDArray[Any], int]]:
    """Return each document's tokens (uint64 hashes of words or lines, or uint16 code units) and the number that make a
    shingle."""
    tokens: dict[int, tuple[NDArray[Any], int]] = {}
    spaced: dict[tuple[str, ...], list[int]] = {}
    for at, (document, shape) in enumerate(zip(documents, shapes, strict=True)):
        if shape.lines:
            tokens[at] = extract_lines(document), shape.lines
        elif (writing := find_writing(document.units)) == SPACED:
            spaced.setdefault(shape.folds, []).append(at)
        else:
            length = shape.characters if writing == IDEOGRAPHIC else 2 * shape.characters
            tokens[at] = extract_letters(document, shape.folds), length
    for folds, members in spaced.items():
        for at, words in zip(members, extract_words([documents[at] for at in members], folds), strict=True):
            tokens[at] = words, shapes[at].words
    return [tokens[at] for at in range(len(documents))]


def hash_shingles(
    documents: Sequence[Words], shapes: Sequence[Shape]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the shingle hashes of all documents, one after the other, and the number of each document.

    A shingle's hash is xxh32 of its tokens' bytes (`list_window_bytes` gives them). A document shorter than a
    shingle has one, of all its tokens; one without tokens has none. Repeated shingles occur repeatedly.
    """
    hashes_of: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)] * len(documents)
    ways: dict[tuple[str, int], list[tuple[int, NDArray[Any]]]] = {}
    for at, (sequence, length) in enumerate(extract_tokens(documents, shapes)):
        if len(sequence):
            way = (sequence.dtype.str, min(length, len(sequence)))
            ways.setdefault(way, []).append((at, sequence))
    for (_, length), members in ways.items():
        joined = members[0][1] if len(members) == 1 else np.concatenate([sequence for _, sequence in members])
        hashes, start = hash_windows(joined, length), 0
        for at, sequence in members:
            hashes_of[at] = hashes[start : start + len(sequence) - length + 1]
            start += len(sequence)
    counts = np.array([len(hashes) for hashes in hashes_of], np.int64)
    return np.concatenate(hashes_of) if hashes_of else np.empty(0, np.uint32), counts


def list_window_bytes(document: Words, shape: Shape) -> list[bytes]:
    """Return the bytes of every shingle of one document, for other implementations to hash. Slow: for tests."""
    [(sequence, length)] = extract_tokens([document], [shape])
    length = min(length, len(sequence))
    return [sequence[i : i + length].tobytes() for i in range(len(sequence) - length + 1)] if length else []
