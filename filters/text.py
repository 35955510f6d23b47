"""Plain counts of a text that are useful in any recipe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.batch import Counts, PageBatch
from corpus.text.page import Page
from corpus.text.units import LETTER, MARK, NUMBER, SPACE, SYMBOL, Units
from corpus.text.words import versions

STEP = "text"
VERSION = 3
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
    characters, of all. `mojibake`: characters that look like UTF-8 read as Windows-1252, Latin-1 or Windows-1251, or
    like a legacy charset read as Latin-1, of all.
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
        0.0 if ascii else int(np.count_nonzero(_REPLACED.take(page.units))) / characters,
        0.0 if ascii else count_mojibake(page.units) / characters,
    )


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    kinds = np.stack(
        [np.bincount(batch.kinds[start:end], minlength=256) for start, end in batch.bounds.tolist()]
    )
    written = batch.characters - kinds[:, SPACE]
    written[written == 0] = 1
    characters = np.maximum(batch.characters, 1)
    words = np.maximum(batch.word_total, 1)
    replaced = mojibake = np.zeros(len(batch), np.int64)
    if not batch.plain:
        replaced = batch.count(np.flatnonzero(_REPLACED.take(batch.units)))
        mojibake = _count_mojibake_of_pages(batch)
    return np.column_stack(
        (
            batch.characters,
            batch.word_total,
            batch.lines_of_pages,
            (kinds[:, LETTER] + kinds[:, MARK]) / written,
            kinds[:, NUMBER] / written,
            kinds[:, SYMBOL] / written,
            _count_different_words(batch) / words,
            replaced / characters,
            mojibake / characters,
        )
    )


def _count_different_words(batch: PageBatch) -> Counts:
    firsts = batch.first_items(batch.words.starts).tolist()
    counts = np.zeros(len(batch), np.int64)
    for at in range(len(batch)):
        words = np.sort(batch.words.hashes[firsts[at] : firsts[at + 1]])
        counts[at] = int(np.count_nonzero(words[1:] != words[:-1])) + (len(words) > 0)
    return counts


_REPLACED = np.zeros(0x10000, np.bool_)
_REPLACED[0xE000:0xF900] = _REPLACED[0xFFFD] = True

_TAIL, _PAIR, _TRIPLE, _CYRILLIC_LEAD, _CYRILLIC_SIGN, _HIGH, _SMALL, _INTRUDER = 1, 2, 4, 8, 16, 32, 64, 128
_ROLE = np.zeros(0x10000, np.uint8)
"""The role of a character if it is a byte of UTF-8 that was read as Windows-1252 or Latin-1, or as Windows-1251 (the
next two), whether it stands where Latin-1 has what is not ASCII, and whether it is a small Latin letter, or what stands
among them only where one Latin charset was read as another."""
for _byte in range(0x80, 0xC0):
    _ROLE[_byte] = _TAIL
    _ROLE[ord(bytes([_byte]).decode("cp1252", "replace"))] = _TAIL
_ROLE[[ord(character) for character in "ÂÃÎÏÐÑØÙ"]] = _PAIR
_ROLE[[ord(character) for character in "àáâãäåæçèéêë"]] = _TRIPLE
_ROLE[[0xFFFD, *map(ord, "\N{NO-BREAK SPACE}«»·°")]] = 0
_ROLE[0x412:0x445] |= _CYRILLIC_LEAD
_ROLE[[ord(character) for character in "¤¦§©¬®°±µ¶·‚„†‡•…‰‹›€№™"]] |= _CYRILLIC_SIGN
_ROLE[[*range(0xC0, 0x100), *map(ord, "¢£¤¥¦§¨©ª¬®¯±²³´µ¶¸¹º¼½¾¿‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ")]] |= _HIGH
_ROLE[0x80:0xA0] |= _HIGH
_ROLE[[code for code in range(0x250) if chr(code).islower() and chr(code) not in "ªµº"]] |= _SMALL
_ROLE[[*map(ord, "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŠŒŽŸ¡¢£¤¥¦§¨©¬®¯±²³¶¸¹¼½¾¿‚„†‡‰‹›")]] |= _INTRUDER
_ROLE[[*range(0x80, 0x91), *range(0x98, 0xA0)]] |= _INTRUDER

MIN_INTRUDERS = 3
RUN_LENGTH = 5
"""Letters and marks of Latin-1 beyond ASCII in a row that no language has."""


def count_mojibake(units: Units) -> int:
    """Count characters in sequences such as Ã© (é), Ð° (а), â€œ (“), ä¸­ (中): the first byte of a UTF-8 sequence
    of Latin, Greek, Cyrillic, Arabic, or of a higher script, and as many that could follow it. A no-break
    space and the marks « » · ° are left out of those: French and Catalan set them after a vowel. Or those around a
    sign inside a word of Cyrillic, as in Р°РјРё (ами), or in runs such as ÎÒÃÇ¶¼ (我们都) and ðÒÉ×ÅÔ (Привет). Or those
    around a sign or a capital with an accent in small letters, as in niew¹tpliwie and prŽfŽrŽ (préféré): behind two of
    them, since Irish has hÉireann."""
    role = _ROLE.take(units)
    count = 0
    tail = (role & _TAIL).astype(np.bool_)
    if (role & (_PAIR | _TRIPLE)).any():
        pairs = int(np.count_nonzero((role[:-1] & _PAIR).astype(np.bool_) & tail[1:]))
        triples = int(np.count_nonzero((role[:-2] & _TRIPLE).astype(np.bool_) & tail[1:-1] & tail[2:]))
        count = 2 * pairs + 3 * triples
    if np.count_nonzero(role & _CYRILLIC_SIGN) > 1:
        lead, inner = (role & _CYRILLIC_LEAD).astype(np.bool_), (role & _CYRILLIC_SIGN).astype(np.bool_)
        signs = int(np.count_nonzero(lead[:-2] & inner[1:-1] & (lead | inner)[2:]))
        count = max(count, 3 * signs)
    intruder = (role & _INTRUDER).astype(np.bool_)
    if np.count_nonzero(intruder) >= MIN_INTRUDERS:
        small = (role & _SMALL).astype(np.bool_)
        inside = int(np.count_nonzero(small[:-3] & small[1:-2] & intruder[2:-1] & small[3:]))
        count = max(count, 3 * inside if inside >= MIN_INTRUDERS else 0)
    if np.count_nonzero(role & _HIGH) >= RUN_LENGTH:
        count = max(count, _count_runs((role & _HIGH).astype(np.bool_)))
    return count


def _count_mojibake_of_pages(batch: PageBatch) -> Counts:
    """Return `count_mojibake` of each page: 0 for those where no two neighbours could begin such a sequence."""
    role = _ROLE.take(batch.units)
    counts = np.zeros(len(batch), np.int64)
    before, after = role[:-1], role[1:]
    begun = ((before & (_PAIR | _TRIPLE)) > 0) & ((after & _TAIL) > 0)
    begun |= ((before & _CYRILLIC_LEAD) > 0) & ((after & _CYRILLIC_SIGN) > 0)
    begun |= (before & after & _HIGH) > 0
    begun |= ((before & _SMALL) > 0) & ((after & _INTRUDER) > 0)
    first = np.flatnonzero(begun)
    for at in np.unique(batch.page_of(first)).tolist():
        start, end = batch.bounds[at].tolist()
        counts[at] = count_mojibake(batch.units[start:end])
    return counts


def _count_runs(high: npt.NDArray[np.bool_]) -> int:
    """Count what is in runs of at least `RUN_LENGTH` of `high`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], high, [False]))))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= RUN_LENGTH].sum())


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=versions,
        measure_batch=measure_batch,
    )
