"""Plain counts of a text that are useful in any recipe."""

from __future__ import annotations

import numpy as np

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.page import Page
from corpus.text.units import LETTER, MARK, NUMBER, SPACE, SYMBOL, Units
from corpus.text.words import versions

STEP = "text"
VERSION = 1
SIGNALS = (
    "text.characters",
    "text.words",
    "text.lines",
    "text.letters",
    "text.digits",
    "text.symbols",
    "text.unique_words",
    "text.replacement",
    "text.mojibake",
)


def measure(page: Page) -> tuple[float, ...]:
    """Return characters, words and non-empty lines; then shares, 0 for an empty text.

    `letters` (with the marks on them), `digits`, `symbols`: of the characters that are not white space.
    `unique_words`: different words in lower case, of all words. `replacement`: U+FFFD and private-use
    characters, of all. `mojibake`: characters that look like UTF-8 read as Windows-1252 or Latin-1, of all.
    """
    characters = len(page.text) or 1
    kinds = np.bincount(page.kinds, minlength=256)
    written = len(page.text) - int(kinds[SPACE]) or 1
    words = np.sort(page.words.hashes)
    different = int(np.count_nonzero(words[1:] != words[:-1])) + (len(words) > 0)
    ascii = page.text.isascii()
    return (
        len(page.text),
        len(words),
        len(page.lines),
        int(kinds[LETTER] + kinds[MARK]) / written,
        int(kinds[NUMBER]) / written,
        int(kinds[SYMBOL]) / written,
        different / (len(words) or 1),
        0.0 if ascii else int(np.count_nonzero(_REPLACED[page.units])) / characters,
        0.0 if ascii else count_mojibake(page.units) / characters,
    )


_REPLACED = np.zeros(0x10000, np.bool_)
_REPLACED[0xE000:0xF900] = _REPLACED[0xFFFD] = True

_TAIL, _PAIR, _TRIPLE = 1, 2, 4
_ROLE = np.zeros(0x10000, np.uint8)
"""The role of a character if it is a byte of UTF-8 that was read as Windows-1252 or Latin-1."""
for _byte in range(0x80, 0xC0):
    _ROLE[_byte] = _TAIL
    _ROLE[ord(bytes([_byte]).decode("cp1252", "replace"))] = _TAIL
_ROLE[[ord(character) for character in "ÂÃÎÏÐÑØÙ"]] = _PAIR
_ROLE[[ord(character) for character in "àáâãäåæçèéêë"]] = _TRIPLE
_ROLE[[0xFFFD, *map(ord, "\N{NO-BREAK SPACE}«»·°")]] = 0


def count_mojibake(units: Units) -> int:
    """Count characters in sequences such as Ã© (é), Ð° (а), â€œ (“), ä¸­ (中): the first byte of a UTF-8 sequence
    of Latin, Greek, Cyrillic, Arabic, or of a higher script, and as many that could follow it. A no-break
    space and the marks « » · ° are left out of those: French and Catalan set them after a vowel."""
    role = _ROLE[units]
    if not (role & (_PAIR | _TRIPLE)).any():
        return 0
    tail = role == _TAIL
    pairs = int(np.count_nonzero((role[:-1] == _PAIR) & tail[1:]))
    triples = int(np.count_nonzero((role[:-2] == _TRIPLE) & tail[1:-1] & tail[2:]))
    return 2 * pairs + 3 * triples


def create() -> Filter:
    return FunctionFilter(step=STEP, version=VERSION, signals=SIGNALS, measure=measure, parameters=versions())
