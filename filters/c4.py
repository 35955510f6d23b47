"""C4's rules as signals (Raffel et al. 2020): what its line rules would keep, never applied to the text.

Three readings of the line rules are in use, each with its own signals:

- datatrove (`c4.sentences`): a line ends in terminal punctuation or a quote, not an ellipsis; 3 words;
- the code in TensorFlow Datasets (`c4.tfds_*`): the same with 5 words;
- FineWeb (`c4.unpunctuated_*`): 3 words, any ending.

All of them drop a line that has a word of more than 1,000 characters, the word javascript or a phrase
about cookies and terms, and count the rest. Words and sentences are ICU's, where the sources split lines on
spaces and sentences with punkt or spaCy: `e-mail` is two words here, `Mr. Smith` ends a sentence.
Citations such as [3] at the end of a line are ignored, since the sources remove them first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.batch import PageBatch
from corpus.text.conventions import identity
from corpus.text.ngrams import Indices
from corpus.text.page import Page
from corpus.text.tokens import STANDS_APART, Spans
from corpus.text.units import to_text
from corpus.text.words import versions

STEP = "c4"
VERSION = 1
MAX_WORD_CHARACTERS = 1000
READINGS = (("", True, 3), ("tfds_", True, 5), ("unpunctuated_", False, 3))
"""Prefix of the signals, whether a line needs terminal punctuation, and how many words it needs."""
SIGNALS = (
    *(
        f"c4.{reading}{name}"
        for reading, _, _ in READINGS
        for name in ("sentences", "filler", "curly_bracket")
    ),
    "c4.lines_kept",
    "c4.terminal_lines",
    "c4.javascript_lines",
    "c4.policy_lines",
    "c4.longest_word",
)
"""For each reading, the sentences in the kept lines, and the number of lines reaching the test that have a filler
phrase (lorem ipsum) and a curly bracket. Then shares of the lines: kept by the first reading, with its line
ending, that mention javascript, that have a policy phrase. Last the longest run without white space."""

CITATION_PATTERN = re.compile(r"(?:\[\d*\]|\[edit\]|\[citation needed\])+$")

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _JudgedLines:
    """What the rules say of each line of a text. `counts` are one array for each of the signals of the readings."""

    kept: Mask
    terminal: Mask
    javascript: Mask
    policy: Mask
    counts: list[npt.NDArray[np.generic]]


def measure(page: Page) -> tuple[float, ...]:
    long, longest = _find_long_words(page)
    read = _read_lines(page, long)
    total = len(page.lines) or 1
    return (
        *(int(counts.sum()) for counts in read.counts),
        *(_count(mask) / total for mask in (read.kept, read.terminal, read.javascript, read.policy)),
        longest,
    )


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    long, runs, places = _find_runs(batch)
    read = _read_lines(batch, long)
    total = np.maximum(batch.lines_of_pages, 1)
    shares = (read.kept, read.terminal, read.javascript, read.policy)
    return np.column_stack(
        (
            *(batch.sum_lines(counts) for counts in read.counts),
            *(batch.sum_lines(mask) / total for mask in shares),
            np.maximum.reduceat(runs, np.searchsorted(places, batch.starts - 1)),
        )
    )


def _read_lines(page: Page, long: Mask) -> _JudgedLines:
    """Return what the rules say of the lines of a page, or of a batch of pages; `long` are those with a long word."""
    words = page.words_per_line
    uncited = _strip_citations(page)
    sentences = page.starting_in(page.sentences, uncited)
    terminal = _find_terminal_lines(page, uncited)
    filler = _find_lines_with(page, page.conventions.placeholder_phrases)
    javascript = _find_lines_with(page, ("javascript",))
    brace = _find_lines_with(page, ("{",))
    policy = _find_lines_with(page, page.conventions.policy_phrases)
    counts: list[npt.NDArray[np.generic]] = []
    kept: list[Mask] = []
    for _, punctuated, least in READINGS:
        left = ~long & (words >= least)
        if punctuated:
            left &= terminal
        written = left & ~javascript
        kept.append(written & ~policy)
        counts += [sentences * kept[-1], left & filler, written & brace]
    return _JudgedLines(kept[0], terminal, javascript, policy, counts)


def _strip_citations(page: Page) -> Spans:
    """Return the lines with citations such as [3] removed from their ends, unless nothing else is on the line."""
    lines = page.lines
    ends = lines.ends.copy()
    for at in np.flatnonzero(page.units[ends - 1] == ord("]")).tolist():
        citation = CITATION_PATTERN.search(to_text(page.units[lines.starts[at] : ends[at]]))
        if citation and citation.start() > 0:
            ends[at] -= len(citation[0])
    return Spans(lines.starts, ends)


def _find_terminal_lines(page: Page, lines: Spans) -> Mask:
    """Return which lines end in terminal punctuation or a quote, but not in an ellipsis, as a mask."""
    ends_properly = page.ending_in(lines, page.conventions.line_ends)
    for ellipsis in page.conventions.ellipses:
        ends_properly &= ~page.ending_with(lines, ellipsis)
    return ends_properly


def _find_long_words(page: Page) -> tuple[Mask, int]:
    """Return which lines have a run of more than 1,000 characters without white space, and the longest run of all."""
    has_long_word, runs, _ = _find_runs(page)
    return has_long_word, int(runs.max())


def _find_runs(page: Page) -> tuple[Mask, Indices, Indices]:
    """Return which lines have a run of more than 1,000 characters without white space; the length of each run, and
    where what precedes it is. A character of a script without spaces begins and ends a run, as words may begin and end
    there."""
    ends = np.flatnonzero(STANDS_APART.take(page.units))
    places = np.concatenate((np.array([-1]), ends, np.array([len(page.units)])))
    runs = np.diff(places) - 1
    has_long_word = np.zeros(len(page.lines), np.bool_)
    long = places[:-1][runs > MAX_WORD_CHARACTERS] + 1
    has_long_word[np.searchsorted(page.lines.starts, long, "right") - 1] = True
    return has_long_word, runs, places


def _find_lines_with(page: Page, phrases: tuple[str, ...]) -> Mask:
    lines = page.lines
    has_phrase = np.zeros(len(lines), np.bool_)
    for phrase in phrases:
        if phrase in page.lowered:
            has_phrase[np.searchsorted(lines.starts, page.find(phrase), "right") - 1] = True
    return has_phrase


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def find_parameters() -> dict[str, str]:
    """Return what the signals depend on besides the text."""
    return {**versions(), "conventions": identity()}


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=find_parameters,
        measure_batch=measure_batch,
    )
