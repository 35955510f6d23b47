"""Words of lists that the user gives: how often a text has them. Nothing is dropped by them unless a rule says so.

A phrase counts where it begins and ends at a boundary of words, whatever its case and width, in simplified or
traditional characters. Languages without spaces take more care: their words are those of ICU's dictionaries; a phrase
does not count where its parts make words with what stands beside them (性交 in 一次性交付), nor one of a single
character with a letter beside it. A word of Korean may have particles behind it. Of phrases that overlap the first
counts, and of those that begin together the longest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.languages.labels import language_part
from corpus.languages.word_lists import read_word_lists
from corpus.storage.fingerprint import fingerprint
from corpus.text.batch import SEPARATOR, PageBatch
from corpus.text.folding import VERSION as FOLDING_VERSION
from corpus.text.folding import make_folding
from corpus.text.page import Page
from corpus.text.tokens import STANDS_APART
from corpus.text.units import KIND, SPACE, WORD, Units, to_text, to_units
from corpus.text.words import segment_words, versions

STEP = "words"
VERSION = 1
SIGNALS = ("words.count", "words.share")
FOLDS = ("case", "chinese", "width")
CONTEXT_UNITS = 3
"""Units on each side that may make other words with the parts of a phrase."""
_FIRST_FACTOR, _SECOND_FACTOR = np.uint16(0x9E37), np.uint16(0x00B5)
_PARTICLES = np.zeros(0x10000, np.bool_)
_PARTICLES[to_units("은는이가을를의에도로와과만들야아")] = True
"""What may stand behind a Korean word without a space, by ones and twos."""
_ONE_SPACE = np.where((KIND & SPACE).astype(np.bool_), ord(" "), np.arange(0x10000)).astype(np.uint16)
_ONE_SPACE[ord(SEPARATOR)] = ord(SEPARATOR)
_SPACELESS = STANDS_APART & ((KIND & WORD) > 0)
"""Letters of scripts that are written without spaces."""


@dataclass(frozen=True)
class Phrases:
    """The phrases of a language. `begins` are three bool[65536], which tell by mixtures of one, two and three units
    whether a phrase of one, two, or more units may begin with them; `lengths` has those of the phrases that begin with
    up to two units, as bytes, the longest first; `written` has all."""

    begins: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
    lengths: dict[bytes, list[int]]
    written: frozenset[bytes]
    has_particles: bool


def make_phrases(language: str, written: Sequence[str]) -> Phrases:
    """Return the phrases of a language ready to be looked for."""
    begins = (np.zeros(0x10000, np.bool_), np.zeros(0x10000, np.bool_), np.zeros(0x10000, np.bool_))
    lengths: dict[bytes, set[int]] = {}
    folded = {_fold(to_units(phrase))[0].tobytes() for phrase in written} - {b""}
    for phrase in folded:
        units = np.frombuffer(phrase, np.uint16)
        begins[min(len(units), 3) - 1][_mix(*(units[at : at + 1] for at in range(min(len(units), 3))))] = True
        lengths.setdefault(phrase[:4], set()).add(len(units))
    ordered = {beginning: sorted(those, reverse=True) for beginning, those in lengths.items()}
    return Phrases(begins, ordered, frozenset(folded), language == "kor")


def find_phrases(page: Page, phrases: Phrases) -> list[int]:
    """Return where in a page, or a batch of pages, phrases begin: units, in order, none inside an earlier one."""
    units, where = _fold(page.units)
    boundaries = page.words.boundaries
    if len(boundaries) < 2 or not len(units):
        return []
    places = boundaries if where is None else where[boundaries]
    ends = np.zeros(len(units) + 1, np.bool_)
    ends[places] = True
    if phrases.has_particles:
        _add_particles(units, ends)
    starts = places[:-1]
    padded = np.append(units, np.zeros(3, np.uint16))
    first, second, third = padded[starts], padded[starts + 1], padded[starts + 2]
    one, two, more = phrases.begins
    likely = np.flatnonzero(one[first] | two[_mix(first, second)] | more[_mix(first, second, third)])
    if not len(likely):
        return []
    data = units.tobytes()
    hits, done = [], 0
    for start, place in zip(starts[likely].tolist(), boundaries[likely].tolist(), strict=True):
        end = _find_end(data, start, ends, phrases) if start >= done else None
        if end is not None and not _is_by_chance(units, start, end):
            hits.append(place)
            done = end
    return hits


def _find_end(data: bytes, start: int, ends: npt.NDArray[np.bool_], phrases: Phrases) -> int | None:
    """Return where the longest phrase ends that begins at a unit of `data` and ends at a boundary, None without one."""
    at = 2 * start
    for beginning in (data[at : at + 4], data[at : at + 2]):
        for length in phrases.lengths.get(beginning, ()):
            end = start + length
            if end < len(ends) and ends[end] and data[at : 2 * end] in phrases.written:
                return end
    return None


def _is_by_chance(units: Units, start: int, end: int) -> bool:
    """Return whether letters of a script without spaces are a phrase only where words of others meet."""
    if not _SPACELESS[units[start]]:
        return False
    if end - start == 1:
        return bool(
            _SPACELESS[units[max(start - 1, 0) : start]].any() or _SPACELESS[units[end : end + 1]].any()
        )
    before, after = (
        to_text(units[max(0, start - CONTEXT_UNITS) : start]),
        to_text(units[end : end + CONTEXT_UNITS]),
    )
    if not before or not after:
        return False
    phrase = to_text(units[start:end])
    return any(
        _crosses(before + phrase[:cut], len(before)) and _crosses(phrase[cut:] + after, len(phrase) - cut)
        for cut in range(1, len(phrase))
    )


def _crosses(text: str, place: int) -> bool:
    """Return whether a word of a text goes on across a place."""
    words = segment_words(text)
    return bool(((words.starts < place) & (words.ends > place)).any())


def _fold(units: Units) -> tuple[Units, npt.NDArray[np.int32] | None]:
    folded, where = make_folding(FOLDS).fold(units)
    return _ONE_SPACE[folded], where


def _mix(first: Units, second: Units | None = None, third: Units | None = None) -> Units:
    mixed = first
    if second is not None:
        mixed = mixed * _FIRST_FACTOR + second
    if third is not None:
        mixed = mixed * _SECOND_FACTOR + third
    return mixed


def _add_particles(units: Units, ends: npt.NDArray[np.bool_]) -> None:
    """Add places before one or two particles to the boundaries that follow these."""
    for _ in range(2):
        ends[:-1] |= _PARTICLES.take(units) & ends[1:]


def make_measures(
    lists: dict[str, list[str]],
) -> tuple[Callable[[Page], Sequence[float]], Callable[[PageBatch], npt.NDArray[np.float64]]]:
    """Return the measures of a page and of a batch of pages, of one language each."""
    phrases = {language: make_phrases(language, written) for language, written in lists.items()}

    def measure(page: Page) -> tuple[float, ...]:
        """Return how many phrases there are, and that of all words; nan in a language without a list."""
        those = phrases.get(language_part(page.language or ""))
        if those is None:
            return (NOT_MEASURED,) * len(SIGNALS)
        count = len(find_phrases(page, those))
        return count, count / (len(page.words) or 1)

    def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
        """Return the same for each page of a batch."""
        those = phrases.get(language_part(batch.language or ""))
        if those is None:
            return np.full((len(batch), len(SIGNALS)), NOT_MEASURED)
        counts = batch.count(np.array(find_phrases(batch, those), np.int64))
        return np.column_stack((counts, counts / np.maximum(batch.word_total, 1)))

    return measure, measure_batch


def create(lists: list[str] | None = None) -> Filter:
    """Create the filter. `lists`: files and folders of lists; nothing is measured without."""
    if not lists:
        return FunctionFilter(
            step=STEP, version=VERSION, signals=SIGNALS, measure=lambda page: (NOT_MEASURED,) * len(SIGNALS)
        )
    words = read_word_lists(lists)
    measure, measure_batch = make_measures(words)
    identity = fingerprint(words)
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=lambda: {"lists": identity, "folding": FOLDING_VERSION, **versions()},
        measure_batch=measure_batch,
    )
