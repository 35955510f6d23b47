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
from corpus.text.hashes import Hashes, contains
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

    def count_covered(self, page: Page) -> int:
        """Return the characters of a page that the pieces cover, the longest of those that begin at one place."""
        units = LOWER[page.units]
        places = np.flatnonzero(self.begins[_hash_pairs(units)])
        if not len(places):
            return 0
        if len(page.text) != len(units):
            return sum(map(len, self.pattern.findall(page.lowered)))
        covered = end = 0
        for place in places.tolist():
            if place >= end and (match := self.pattern.match(page.lowered, place)):
                end = match.end()
                covered += end - place
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
    places = np.flatnonzero(contains(stop_words, page.words.hashes))
    runs = np.diff(np.concatenate(([-1], places, [total]))) - 1
    share = (len(places) + ADDED_FUNCTION_WORDS) / (total + ADDED_WORDS)
    return share, int(runs[runs > LONG_RUN_WORDS].sum()) / (total + ADDED_WORDS)


def _measure_spam(page: Page) -> tuple[float, float]:
    lists = _find_lists(language_part(page.language or ""))
    total = len(page.text) + ADDED_CHARACTERS
    spam = 0
    if len(lists.words):
        spam = int(page.word_lengths[contains(lists.words, page.words.hashes)].sum())
    if lists.phrases is not None:
        spam += lists.phrases.count_covered(page)
    navigation = 0 if lists.navigation is None else lists.navigation.count_covered(page)
    return spam / total, navigation / total


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    return np.array([measure(page) for page in batch.pages], np.float64)


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
