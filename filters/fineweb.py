"""FineWeb's own signals (Penedo et al. 2024; datatrove's `FineWebQualityFilter`).

Lines are measured without the white space around them; line breaks are counted per token (word or punctuation mark).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.batch import PageBatch, sum_groups
from corpus.text.conventions import identity
from corpus.text.page import Page
from corpus.text.words import versions

STEP = "fineweb"
VERSION = 1
MAX_SHORT_LINE_CHARACTERS = 30
SIGNALS = (
    "fineweb.terminal_lines",
    "fineweb.short_lines",
    "fineweb.duplicate_line_characters",
    "fineweb.new_lines",
)


def measure(page: Page) -> tuple[float, ...]:
    """Return the share of the lines that end in terminal punctuation, and of those of at most 30 characters;
    characters in repeated lines, of all but line breaks; line breaks per token. 0 without lines."""
    lines, copies = page.lines, page.line_copies
    total = len(lines) or 1
    breaks = page.text.count("\n")
    return (
        int(np.count_nonzero(page.terminal_lines)) / total,
        int(np.count_nonzero(page.line_lengths <= MAX_SHORT_LINE_CHARACTERS)) / total,
        int(page.line_lengths[copies].sum()) / (len(page.text) - breaks or 1),
        breaks / (len(page.tokens) or 1),
    )


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    copies = np.sort(batch.line_copies)
    total = np.maximum(batch.lines_of_pages, 1)
    copied = sum_groups(batch.line_lengths[copies], batch.first_items(batch.lines.starts[copies]))
    return np.column_stack(
        (
            batch.sum_lines(batch.terminal_lines) / total,
            batch.sum_lines(batch.line_lengths <= MAX_SHORT_LINE_CHARACTERS) / total,
            copied / np.maximum(batch.characters - batch.breaks, 1),
            batch.breaks / np.maximum(batch.token_total, 1),
        )
    )


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
