"""Repetition as Gopher measures it (Rae et al. 2021, table A1), in datatrove's reading of it.

Tokens are words and punctuation as written. Lines and paragraphs count without the white space around
them and without empty ones, where datatrove keeps the spaces and an empty last line.
"""

from __future__ import annotations

import numpy as np

from corpus.filters.filter import Filter, Measure
from corpus.text.ngrams import duplicate_characters, later_copies, repeated, top_characters
from corpus.text.page import Page
from corpus.text.words import versions

STEP = "gopher_repetition"
VERSION = 1
TOP = (2, 3, 4)
DUPLICATE = (5, 6, 7, 8, 9, 10)
SIGNALS = (
    "gopher_repetition.duplicate_lines",
    "gopher_repetition.duplicate_paragraphs",
    "gopher_repetition.duplicate_line_characters",
    "gopher_repetition.duplicate_paragraph_characters",
    *(f"gopher_repetition.top_{n}_gram" for n in TOP),
    *(f"gopher_repetition.duplicate_{n}_grams" for n in DUPLICATE),
)


def measure(page: Page) -> tuple[float, ...]:
    """Copies a line and a paragraph; then characters a character of the text: in copied lines, in copied
    paragraphs, in all copies of the most frequent n-gram, in n-grams that stood before. 0 without words."""
    total = len(page.text) or 1
    lines, paragraphs = page.lines, page.paragraphs
    copies = page.line_copies
    copied = later_copies(page.hashes(paragraphs)) if len(paragraphs) < len(lines) else copies
    values = [
        len(copies) / (len(lines) or 1),
        len(copied) / (len(paragraphs) or 1),
        int(page.lengths(lines.starts[copies], lines.ends[copies]).sum()) / total,
        int(page.lengths(paragraphs.starts[copied], paragraphs.ends[copied]).sum()) / total,
    ]
    ends = np.zeros(len(page.tokens) + 1, np.int64)
    np.cumsum(page.lengths(page.tokens.starts, page.tokens.ends), out=ends[1:])
    repeats = repeated(page.token_hashes, TOP[-1])
    values += [top_characters(repeats[n], n, ends) / total for n in TOP]
    places = repeats[TOP[-1]].places
    values += [
        characters / total for characters in duplicate_characters(page.token_hashes, places, DUPLICATE, ends)
    ]
    return tuple(values)


def create() -> Filter:
    return Measure(step=STEP, version=VERSION, signals=SIGNALS, measure=measure, parameters=versions())
