"""Signals of source code that The Stack, StarCoder and RedPajama use.

Lines and characters are code points, white space and empty lines included, as the sources count them. RedPajama counts
tokens of a BPE vocabulary; here tokens are the pieces within which such vocabularies are trained: runs of letters, of
digits, and of other characters. Long names are several tokens there and one here, so fewer files fall below a bound.
They say little of prose: they are measured where a manifest has a source of code, or a rule that reads them.
"""

from __future__ import annotations

import re
import string

import numpy as np
import numpy.typing as npt

from corpus.filters.filter import Filter, FunctionFilter
from corpus.text.batch import Counts, PageBatch, sum_groups
from corpus.text.hashes import Positions
from corpus.text.page import Page
from corpus.text.units import LETTER, MARK, NUMBER, SPACE, Units
from corpus.text.words import versions

STEP = "code"
VERSION = 1
SIGNALS = (
    "code.lines",
    "code.longest_line",
    "code.mean_line",
    "code.alphanumeric",
    "code.alphabetic_per_token",
    "code.xml_head",
    "code.visible",
    "code.visible_characters",
    "code.encoded",
    "code.longest_encoded",
    "code.secrets",
    "code.emails",
)
XML_HEAD_CHARACTERS = 100
"""Characters at the start of a file in which `<?xml` makes it XML."""
MIN_ENCODED_CHARACTERS = 64
"""Characters of base64 or hexadecimal digits in a row from which they are encoded data (StarCoder2's)."""
MIN_ESCAPED_BYTES = 8
"""Escaped bytes in a row from which they are encoded data (StarCoder2's)."""
_ESCAPES = ("\\x", "0x", "\\u")
SECRET_PLACEHOLDERS = ("<KEY>", "<PASSWORD>")
EMAIL_PLACEHOLDER = "<EMAIL>"

_OTHER = np.ones(0x10000, np.bool_)
"""Characters that are no digits of base64 or of hexadecimal numbers."""
_OTHER[[*map(ord, string.ascii_letters + string.digits + "+/=_-")]] = False
_RUNS = np.full(256, 3, np.uint8)
"""The kind of run of a character, by its class: 1 letters and marks, 2 numbers, 0 white space, 3 the rest."""
for _kind in range(256):
    if _kind & (LETTER | MARK):
        _RUNS[_kind] = 1
    elif _kind & NUMBER:
        _RUNS[_kind] = 2
    elif _kind & SPACE:
        _RUNS[_kind] = 0
_BYTES = re.compile(r"(?:(?:\\x|0x|\\u)[0-9a-fA-F]{2,8},?\s{0,20}){8,}")
_HIDDEN = re.compile(
    r"<(script|style|template|svg)\b[^<>]{0,1000}>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")


def measure(page: Page) -> tuple[float, ...]:
    """Return lines; the longest and the mean, in characters; letters and numbers of all characters; letters per
    token; 1 if `<?xml` is in the first 100 characters; of HTML the share and number of characters that a reader sees
    (1 and all of anything else); the share and the longest run of encoded data; placeholders of secrets and of e-mail
    addresses."""
    text = page.text
    characters = len(text) or 1
    lengths = _measure_lines(page)
    kinds = page.kinds
    letters = int(np.count_nonzero(kinds & LETTER))
    visible = _count_visible(text) if page.language == "code_html" else len(text)
    encoded, longest = _measure_encoded(page.units, text)
    return (
        len(lengths),
        int(lengths.max()),
        float(lengths.mean()),
        int(np.count_nonzero(kinds & (LETTER | NUMBER))) / characters,
        letters / (_count_runs(page) or 1),
        float("<?xml" in text[:XML_HEAD_CHARACTERS]),
        visible / characters,
        visible,
        encoded / characters,
        longest,
        sum(map(text.count, SECRET_PLACEHOLDERS)),
        text.count(EMAIL_PLACEHOLDER),
    )


def measure_batch(batch: PageBatch) -> npt.NDArray[np.float64]:
    """Return the same for each page of a batch."""
    characters = np.maximum(batch.characters, 1)
    starts, lengths = _measure_lines_of_pages(batch)
    firsts = batch.first_items(starts)
    runs = np.concatenate((np.zeros(1, np.uint8), _RUNS.take(batch.kinds)))
    letters = batch.count_units((batch.kinds & LETTER) > 0)
    visible = batch.characters
    if batch.language == "code_html":
        visible = np.array([_count_visible(page.text) for page in batch.pages])
    encoded = _measure_encoded_of_pages(batch)
    return np.column_stack(
        (
            np.diff(firsts),
            np.maximum.reduceat(lengths, firsts[:-1]),
            sum_groups(lengths, firsts) / np.diff(firsts),
            batch.count_units((batch.kinds & (LETTER | NUMBER)) > 0) / characters,
            letters / np.maximum(batch.count_units((runs[1:] != runs[:-1]) & (runs[1:] != 0)), 1),
            ["<?xml" in page.text[:XML_HEAD_CHARACTERS] for page in batch.pages],
            visible / characters,
            visible,
            encoded[:, 0] / characters,
            encoded[:, 1],
            sum(map(batch.count_text, SECRET_PLACEHOLDERS)),
            batch.count_text(EMAIL_PLACEHOLDER),
        )
    )


def _measure_lines_of_pages(batch: PageBatch) -> tuple[Positions, Positions]:
    """Return where each line of the pages begins, and its characters."""
    ends = np.append(batch.line_breaks, np.int32(len(batch.units)))
    starts = np.concatenate((np.zeros(1, np.int32), ends[:-1] + np.int32(1)))
    bounds = batch.bounds[batch.page_of(starts)]
    written = (starts < bounds[:, 1]) | (starts == bounds[:, 0])
    return starts[written], batch.lengths(starts[written], ends[written])


def _measure_encoded_of_pages(batch: PageBatch) -> Counts:
    """Return `_measure_encoded` of each page: int64[pages, 2]; without long runs and many escapes it is 0."""
    counts = np.zeros((len(batch), 2), np.int64)
    borders = np.concatenate(([-1], np.flatnonzero(_OTHER.take(batch.units)), [len(batch.units)]))
    long = np.zeros(len(batch), np.bool_)
    long[batch.page_of(borders[:-1][np.diff(borders) > MIN_ENCODED_CHARACTERS - 4] + 1)] = True
    long |= sum(map(batch.count_text, _ESCAPES)) >= MIN_ESCAPED_BYTES
    for at in np.flatnonzero(long).tolist():
        start, end = batch.bounds[at].tolist()
        counts[at] = _measure_encoded(batch.units[start:end], batch.pages[at].text)
    return counts


def _measure_lines(page: Page) -> np.ndarray:
    """Return the characters of each line; a line break at the end of the text begins no other line."""
    breaks = np.flatnonzero(page.units == 10).astype(np.int32)
    ends = np.append(breaks, np.int32(len(page.units)))
    if len(breaks) and breaks[-1] == len(page.units) - 1:
        ends = ends[:-1]
    starts = np.concatenate((np.zeros(1, np.int32), ends[:-1] + 1)).astype(np.int32)
    return page.lengths(starts, ends.astype(np.int32))


def _count_runs(page: Page) -> int:
    """Count runs of letters with their marks, of numbers, and of anything else but white space."""
    runs = _RUNS.take(page.kinds)
    return int(np.count_nonzero((runs[1:] != runs[:-1]) & (runs[1:] != 0))) + int(
        len(runs) > 0 and runs[0] != 0
    )


def _measure_encoded(units: Units, text: str) -> tuple[int, int]:
    """Return the characters in all runs of encoded data, and in the longest: 64 and more of base64 that mix letters and
    digits, and 8 and more escaped bytes. A line break does not end a run of base64 lines of 60 and more."""
    others = np.flatnonzero(_OTHER.take(units))
    borders = np.concatenate((np.array([-1]), others, np.array([len(units)])))
    chosen = np.flatnonzero(np.diff(borders) > MIN_ENCODED_CHARACTERS - 4)
    starts, ends = borders[chosen] + 1, borders[chosen + 1]
    total = longest = 0
    at, length = -2, 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        run = decode_units(units[start:end])
        if run.isalpha() or run.isdigit() or len(set(run)) < 12:
            continue  # a word, a rule of dashes, a number
        length = length + end - start if start - at <= 2 else end - start
        at = end
        total += end - start
        longest = max(longest, length)
    for match in _BYTES.finditer(text) if sum(map(text.count, _ESCAPES)) >= MIN_ESCAPED_BYTES else ():
        total += len(match[0])
        longest = max(longest, len(match[0]))
    return min(total, len(text)), longest


def decode_units(units: Units) -> str:
    return units.tobytes().decode("utf-16-le", "replace")


def _count_visible(text: str) -> int:
    """Count the characters of HTML outside tags, scripts, styles and comments, runs of white space as one."""
    return len(_SPACES.sub(" ", _TAG.sub("", _HIDDEN.sub("", text))).strip())


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=versions,
        measure_batch=measure_batch,
    )
