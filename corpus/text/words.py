"""Segment words and sentences in every language by ICU. The only module that imports icu4py.

ICU follows Unicode Standard Annex 29 and has dictionaries for Chinese, Japanese, Thai, Lao, Khmer and
Burmese, so no language is split on spaces; in Javanese, Balinese, Tai Tham and Yi a word is a syllable. 5 KB of real
pages cost .3 ms in English (two thirds of it in ICU), .5 in Chinese and Japanese, .25 in Thai and Arabic, .2 in Russian
(a busy core).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from importlib import import_module
from operator import itemgetter

import numpy as np

from corpus.text.hashes import Hashes, Positions, finalize, hash_spans, prefix_sums
from corpus.text.units import LOWER, WORD, Kinds, Units, kinds, to_units
from corpus.text.word_rules import find_word_boundaries

VERSION = 2
"""Incremented when the same text would give other words or hashes."""

_LOCALES = {"ell": "el"}
"""Languages with break rules of their own in ICU 78: only sentences in Greek, where a semicolon ends a question. The
dictionaries follow the script, so words are the same in all languages."""

_SYLLABLES = {
    "Bali": (0x1B05, 0x1B33, 0x1B44),
    "Java": (0xA984, 0xA9B2, 0xA9C0),
    "Lana": (0x1A20, 0x1A54, 0x1A60),
    "Yiii": (0xA000, 0xA48C, 0xFFFF),
}
"""Scripts without spaces for which ICU has no dictionary, so that a sentence would be one word: their first and last
letter, and the sign that stacks the next letter under the one before. A word is a syllable there, as in Tibetan: a
letter that is not stacked, with the signs on it."""

MIN_RULED_UNITS = 8_192
"""Units of a text from which its words are found by rules in arrays where these apply, instead of by ICU: so many that
a build of a few short documents is spared the table of classes."""

_MIXED: Hashes = finalize(np.arange(1, 0x10001, dtype=np.uint64))
_MIXED_LOWER: Hashes = _MIXED[LOWER]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of a text and all segments between them.

    `units` uint16[n] is the text in UTF-16 code units; `kinds` uint8[n] the class of each (see `units`).
    `starts`, `ends` int32[w] bound the words: the segments with a letter or a number.
    `hashes` uint64[w]: one of each lower-cased word; equal words have equal hashes anywhere.
    `boundaries` int32[s + 1] bound all segments, spaces and punctuation too; `segments` uint8[s] has the
    classes found in each, or-ed.
    """

    units: Units
    kinds: Kinds
    starts: Positions
    ends: Positions
    hashes: Hashes
    boundaries: Positions
    segments: Kinds

    def __len__(self) -> int:
        return len(self.starts)


def segment_words(text: str, language: str | None = None) -> Words:
    """Return the words of `text` by ICU; `language` is a label such as `ell_Grek` (see `_LOCALES`, `_SYLLABLES`).

    Works for any text, which should be in NFC for words to be found again: a lone surrogate is one unit of
    no class.
    """
    units = to_units(text)
    if len(units) < MIN_RULED_UNITS:
        boundaries = _find_boundaries("WordBreaker", text, language)
    else:
        boundaries = find_word_boundaries(text, units, _find_word_boundaries)
    syllables = _SYLLABLES.get((language or "")[4:8])
    if syllables is not None:
        boundaries = np.union1d(boundaries, _find_syllables(units, *syllables)).astype(np.int32)
    classes = kinds(units)
    segments = np.bitwise_or.reduceat(classes, boundaries[:-1]) if len(units) else classes
    chosen = np.flatnonzero(segments & WORD)
    starts, ends = boundaries[chosen], boundaries[chosen + 1]
    return Words(
        units=units,
        kinds=classes,
        starts=starts,
        ends=ends,
        hashes=hash_spans(lower_prefix(units), starts, ends),
        boundaries=boundaries,
        segments=segments,
    )


def _find_word_boundaries(text: str) -> Positions:
    return _find_boundaries("WordBreaker", text, None)


def hash_words(words: list[str]) -> Hashes:
    """Return the hash of each string as one word: for looking up a word list in `Words.hashes`."""
    lengths = np.fromiter((len(to_units(word)) for word in words), np.int32, len(words))
    ends = np.cumsum(lengths, dtype=np.int32)
    return hash_spans(lower_prefix(to_units("".join(words))), ends - lengths, ends)


def find_sentences(text: str, language: str | None = None) -> Positions:
    """Return the starts of the sentences in UTF-16 code units, then the text's length: int32[s + 1].

    A line break ends a sentence. Costs about .03 ms for 5 KB.
    """
    return _find_boundaries("SentenceBreaker", text, language)


def lower_prefix(units: Units) -> Hashes:
    """Return prefix sums for `hashes.spans` over the lower-cased units."""
    return prefix_sums(_MIXED_LOWER.take(units))


def exact_prefix(units: Units) -> Hashes:
    """Return prefix sums for `hashes.spans` over the units as they are."""
    return prefix_sums(_MIXED.take(units))


def hash_units(units: Units, starts: Positions, ends: Positions) -> Hashes:
    """Return the hash of each span of units as they are: that of `Words.hashes` if they are in lower case."""
    return hash_spans(exact_prefix(units), starts, ends)


def versions() -> dict[str, str]:
    """Return what decides where words begin and end, for fingerprints."""
    from icu4py import icu_version

    return {"words": str(VERSION), "icu": icu_version, "unicode": unicodedata.unidata_version}


def _find_boundaries(kind: str, text: str, language: str | None) -> Positions:
    breaker = getattr(import_module("icu4py.breakers"), kind)
    locale = _LOCALES.get((language or "")[:3], "root")
    try:
        segments = breaker(text, locale).segments()
    except UnicodeEncodeError:
        segments = breaker(_replace_surrogates(text), locale).segments()
    ends = np.fromiter(map(itemgetter(1), segments), np.int32)
    return np.concatenate((np.zeros(1, np.int32), ends))


def _find_syllables(units: Units, first: int, last: int, stacker: int) -> Positions:
    """Return where syllables start: at the letters from `first` to `last` that no `stacker` precedes."""
    starts = (units >= first) & (units <= last)
    starts[1:] &= units[:-1] != stacker
    return np.flatnonzero(starts).astype(np.int32)


def _replace_surrogates(text: str) -> str:
    """Replace each lone surrogate by U+FFFD, which is one unit as well."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
