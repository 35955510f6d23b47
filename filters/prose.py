"""Whether a text is made of sentences that somebody wrote: words that do the work of grammar, and no spam.

Lists, menus and soups of keywords have few function words, and long runs without one, in every language. Spam and the
furniture of sites that copy novels are known by their words, in manifests/spam.yaml.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.data import data_path
from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import language_part
from corpus.storage.fingerprint import fingerprint
from corpus.text.batch import PageBatch
from corpus.text.conventions import identity
from corpus.text.hashes import Hashes
from corpus.text.page import Page
from corpus.text.units import LOWER, Units, to_units
from corpus.text.words import hash_words, versions

Mask = npt.NDArray[np.bool_]

STEP = "prose"
VERSION = 1
LONG_RUN_WORDS = 10
"""Words between two function words from which a run is long."""
ADDED_WORDS, ADDED_FUNCTION_WORDS = 50, 5
"""Added to what is counted, so that a text of few words is never far from what texts are: a caption without a function
word has .05 and more, a page without one 0."""
ADDED_CHARACTERS = 800
"""Added to the characters of a text for the shares of spam and navigation: a note that says casino once has little."""
SIGNALS = ("prose.function_words", "prose.unbroken", "prose.spam", "prose.navigation")

SAME_LISTS = {
    "yue": "cmn",
    "wuu": "cmn",
    "lzh": "cmn",
    "gan": "cmn",
    "nno": "nob",
    "dan": "nob",
    "zsm": "ind",
}
"""Languages that use the lists of another."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of text in lower case, of two characters and more; `begins` has the hashes of the first two of each."""

    pattern: re.Pattern[str]
    begins: Mask

    def find_covered(self, page: Page, pairs: Units) -> list[tuple[int, int]]:
        """Return the ranges of characters that the pieces cover, the longest of those that begin at one place.

        `pairs` are the hashes of its neighbours in lower case, see `_hash_pairs`.
        """
        units = np.flatnonzero(self.begins[pairs])
        covered: list[tuple[int, int]] = []
        end = 0
        for place in page.to_characters(units).tolist() if len(units) else ():
            if place >= end and (match := self.pattern.match(page.lowered, place)):
                end = match.end()
                covered.append((place, end))
        return covered


class SpamLists(NamedTuple):
    """What is looked for in one language: hashes of words, and pieces of text; None where there are none."""

    words: Hashes
    phrases: Pieces | None
    navigation: Pieces | None


def measure(page: Page) -> tuple[float, ...]:
    """Return function words per word (with 5 in 50 words added), and words in long runs without one per word (with 50
    added), neither measured for a language without a list of stop words; then characters of spam, and of navigation
    between pieces of a text, per character (with 800 added)."""
    return (*_measure_words(page), *_measure_spam(page))


def _measure_words(page: Page) -> tuple[float, float]:
    stop_words, total = page.conventions.stop_words, len(page.words)
    if not len(stop_words):
        return NOT_MEASURED, NOT_MEASURED
    if not total:
        return ADDED_FUNCTION_WORDS / ADDED_WORDS, 0.0
    places = np.sort(page.locate_words(stop_words)[0])
    runs = np.diff(np.concatenate(([-1], places, [total]))) - 1
    share = (len(places) + ADDED_FUNCTION_WORDS) / (total + ADDED_WORDS)
    return share, int(runs[runs > LONG_RUN_WORDS].sum()) / (total + ADDED_WORDS)


def _measure_spam(page: Page) -> tuple[float, float]:
    lists = _find_lists(language_part(page.language or ""))
    total = len(page.text) + ADDED_CHARACTERS
    spam = int(page.word_lengths[page.locate_words(lists.words)[0]].sum()) if len(lists.words) else 0
    pairs = _hash_pairs(LOWER.take(page.units))
    phrases, navigation = (
        0 if pieces is None else sum(end - start for start, end in pieces.find_covered(page, pairs))
        for pieces in (lists.phrases, lists.navigation)
    )
    return (spam + phrases) / total, navigation / total


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    return np.column_stack((*_measure_words_of_pages(batch), *_measure_spam_of_pages(batch)))


def _measure_words_of_pages(batch: PageBatch) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    stop_words, totals, count = batch.conventions.stop_words, batch.word_total, len(batch)
    if not len(stop_words):
        return np.full(count, NOT_MEASURED), np.full(count, NOT_MEASURED)
    words = np.sort(batch.locate_words(stop_words)[0])
    begins = np.concatenate(([0], np.cumsum(totals)))
    pages = batch.page_of_words[words]
    # Each page has a mark before its first word, so that no run reaches across.
    marks = np.concatenate((words + pages + 1, begins[:-1] + np.arange(count), [begins[-1] + count]))
    marks.sort()
    runs = np.diff(marks) - 1
    long = np.flatnonzero(runs > LONG_RUN_WORDS)
    page_of = np.searchsorted(begins[:-1] + np.arange(count), marks[long], "right") - 1
    unbroken = np.bincount(page_of, runs[long], count)
    functions = np.bincount(pages, minlength=count)
    return (functions + ADDED_FUNCTION_WORDS) / (totals + ADDED_WORDS), unbroken / (totals + ADDED_WORDS)


def _measure_spam_of_pages(batch: PageBatch) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    lists = _find_lists(language_part(batch.language or ""))
    totals, count = batch.characters + ADDED_CHARACTERS, len(batch)
    spam = np.zeros(count)
    if len(lists.words):
        words = batch.locate_words(lists.words)[0]
        spam = np.bincount(batch.page_of_words[words], batch.word_lengths[words], count).astype(np.float64)
    begins = np.append(batch.to_characters(batch.starts), len(batch.text)).astype(np.int64)
    pairs = _hash_pairs(LOWER.take(batch.units))
    phrases, navigation = (
        np.zeros(count) if pieces is None else _sum_covered(pieces.find_covered(batch, pairs), begins)
        for pieces in (lists.phrases, lists.navigation)
    )
    return (spam + phrases) / totals, navigation / totals


def _sum_covered(covered: list[tuple[int, int]], begins: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the characters of each page that ranges cover; `begins` has the first character of each."""
    ranges = np.array(covered, np.int64).reshape(-1, 2)
    pages = np.searchsorted(begins, ranges[:, 0], "right") - 1
    return np.bincount(pages, ranges[:, 1] - ranges[:, 0], len(begins) - 1).astype(np.float64)


@cache
def _find_lists(language: str) -> SpamLists:
    data, name = _read_lists(), SAME_LISTS.get(language, language)
    words = data["words"].get(name, "").split()
    return SpamLists(
        words=np.unique(hash_words(words)),
        phrases=_compile(data["phrases"].get(name, "")),
        navigation=_compile(data["navigation"].get(name, "")),
    )


def _compile(listed: str) -> Pieces | None:
    """Return pieces that are written between spaces, or between bars where they have spaces in them."""
    pieces = [piece.strip().lower() for piece in (listed.split("|") if "|" in listed else listed.split())]
    if not pieces:
        return None
    longest_first = sorted(set(pieces), key=lambda piece: (-len(piece), piece))
    begins = np.zeros(0x10000, np.bool_)
    begins[np.concatenate([_hash_pairs(to_units(piece[:2])) for piece in pieces])] = True
    return Pieces(re.compile("|".join(map(re.escape, longest_first))), begins)


def _hash_pairs(units: Units) -> Units:
    """Return a hash of each two neighbours, of 16 bits."""
    return units[:-1] * np.uint16(0x6255) + units[1:]


@cache
def _read_lists() -> dict[str, Any]:
    path = data_path("spam.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    lists: dict[str, Any] = data
    return lists


def find_parameters() -> dict[str, str]:
    """Return what the signals depend on besides the text."""
    return {**versions(), "conventions": identity(), "lists": fingerprint(_read_lists())}


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=find_parameters,
        measure_batch=measure_batch,
    )
