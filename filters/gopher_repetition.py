"""Gopher's repetition signals (Rae et al. 2021, table A1), as datatrove implements them.

Tokens are words and punctuation as written. Lines and paragraphs are measured without the white space around
them and without empty ones; datatrove keeps the spaces and an empty last line.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.batch import Counts, PageBatch, sum_groups
from corpus.text.ngrams import (
    Indices,
    count_duplicate_characters,
    count_duplicate_characters_of_pages,
    count_top_characters,
    find_later_copies,
    find_repeated_ngrams,
    find_repeated_ngrams_of_pages,
)
from corpus.text.page import Page
from corpus.text.tokens import Spans
from corpus.text.words import versions

STEP = "gopher_repetition"
VERSION = 1
TOP_NGRAM_LENGTHS = (2, 3, 4)
DUPLICATE_NGRAM_LENGTHS = (5, 6, 7, 8, 9, 10)
SIGNALS = (
    "gopher_repetition.duplicate_lines",
    "gopher_repetition.duplicate_paragraphs",
    "gopher_repetition.duplicate_line_characters",
    "gopher_repetition.duplicate_paragraph_characters",
    *(f"gopher_repetition.top_{n}_gram" for n in TOP_NGRAM_LENGTHS),
    *(f"gopher_repetition.duplicate_{n}_grams" for n in DUPLICATE_NGRAM_LENGTHS),
)


def measure(page: Page) -> tuple[float, ...]:
    """Return copies per line and per paragraph; then characters per character of the text: in copied lines, in copied
    paragraphs, in all copies of the most frequent n-gram, in repeated n-grams. 0 without words."""
    total = len(page.text) or 1
    lines, paragraphs = page.lines, page.paragraphs
    copies = page.line_copies
    copied = find_later_copies(page.hashes(paragraphs)) if len(paragraphs) < len(lines) else copies
    values = [
        len(copies) / (len(lines) or 1),
        len(copied) / (len(paragraphs) or 1),
        int(page.lengths(lines.starts[copies], lines.ends[copies]).sum()) / total,
        int(page.lengths(paragraphs.starts[copied], paragraphs.ends[copied]).sum()) / total,
    ]
    ends = np.zeros(len(page.tokens) + 1, np.int64)
    np.cumsum(page.lengths(page.tokens.starts, page.tokens.ends), out=ends[1:])
    repeats = find_repeated_ngrams(page.token_hashes, TOP_NGRAM_LENGTHS[-1])
    values += [count_top_characters(repeats[n], n, ends) / total for n in TOP_NGRAM_LENGTHS]
    places = repeats[TOP_NGRAM_LENGTHS[-1]].places
    values += [
        characters / total
        for characters in count_duplicate_characters(page.token_hashes, places, DUPLICATE_NGRAM_LENGTHS, ends)
    ]
    return tuple(values)


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch. Raises ConfusedHashesError: see `find_later_copies`."""
    total = np.maximum(batch.characters, 1)
    lines, paragraphs = batch.lines, batch.paragraphs
    copies = np.sort(batch.line_copies)
    if len(paragraphs) < len(lines):
        hashes = batch.mark_hashes(batch.hashes(paragraphs), paragraphs.starts)
        copied = np.sort(find_later_copies(hashes, exact=True))
    else:
        copied = copies
    columns = [
        batch.count(lines.starts[copies]) / np.maximum(batch.lines_of_pages, 1),
        batch.count(paragraphs.starts[copied]) / np.maximum(batch.count(paragraphs.starts), 1),
        _count_characters(batch, lines, copies) / total,
        _count_characters(batch, paragraphs, copied) / total,
    ]
    tokens, firsts = batch.tokens, batch.first_items(batch.tokens.starts)
    ends = np.zeros(len(tokens) + 1, np.int64)
    np.cumsum(batch.lengths(tokens.starts, tokens.ends), out=ends[1:])
    repeats = find_repeated_ngrams_of_pages(batch.token_hashes, firsts, batch.marks, TOP_NGRAM_LENGTHS[-1])
    for n in TOP_NGRAM_LENGTHS:
        begin = np.minimum(repeats[n].firsts, len(tokens))
        spread = ends[np.minimum(begin + n, len(tokens))] - ends[begin] + n - 1
        columns.append(repeats[n].counts * spread / total)
    places = repeats[TOP_NGRAM_LENGTHS[-1]].places
    duplicates = count_duplicate_characters_of_pages(
        batch.token_hashes, places, DUPLICATE_NGRAM_LENGTHS, ends, firsts
    )
    return np.column_stack((*columns, duplicates / total[:, np.newaxis]))


def _count_characters(batch: PageBatch, ranges: Spans, chosen: Indices) -> Counts:
    starts = ranges.starts[chosen]
    return sum_groups(batch.lengths(starts, ranges.ends[chosen]), batch.first_items(starts))


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=versions,
        measure_batch=measure_batch,
    )
