"""What The Stack, StarCoder and RedPajama measure of source code.

Lines and characters are code points, white space and empty lines included, as the sources count them. RedPajama counts
tokens of a BPE vocabulary; here they are what such vocabularies are trained inside of: runs of letters, of digits, and
of other characters. Long names are several tokens there and one here, so fewer files fall below a bound. The signals
are cheap and taken of every document, prose as well as code.
"""

from __future__ import annotations

import re

import numpy as np

from corpus.text.page import Page
from corpus.text.units import LETTER, MARK, NUMBER, SPACE, Units
from corpus.text.words import versions
from filters.base import Filter, Measure

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
XML_HEAD = 100
"""Characters in which `<?xml` makes a file XML."""
RUN = 64
"""Characters of base64 or hexadecimal digits in a row from which they are encoded data (StarCoder2's)."""
SECRETS = ("<KEY>", "<PASSWORD>")
EMAIL = "<EMAIL>"

_ENCODED = np.zeros(0x10000, np.bool_)
_ENCODED[
    [ord(character) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"]
] = True
_BYTES = re.compile(r"(?:(?:\\x|0x|\\u)[0-9a-fA-F]{2,8},?\s{0,20}){8,}|(?:\\u[0-9a-fA-F]{4}){8,}")
_HIDDEN = re.compile(
    r"<(script|style|template|svg)\b[^>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")


def measure(page: Page) -> tuple[float, ...]:
    """Lines; the longest and the mean, in characters; letters and numbers of all characters; letters a token; 1 where
    `<?xml` is in the first 100 characters; of HTML the share and number of characters that a reader sees (1 and all of
    anything else); the share and the longest run of encoded data; placeholders of secrets and of e-mail addresses."""
    text = page.text
    characters = len(text) or 1
    lengths = _lines(page)
    kinds = page.kinds
    letters = int(np.count_nonzero(kinds & LETTER))
    visible = _visible(text) if page.language == "code_html" else len(text)
    encoded, longest = _encoded(page.units, text)
    return (
        len(lengths),
        int(lengths.max()),
        float(lengths.mean()),
        int(np.count_nonzero(kinds & (LETTER | NUMBER))) / characters,
        letters / (_runs(page) or 1),
        float("<?xml" in text[:XML_HEAD]),
        visible / characters,
        visible,
        encoded / characters,
        longest,
        sum(map(text.count, SECRETS)),
        text.count(EMAIL),
    )


def _lines(page: Page) -> np.ndarray:
    """Characters of each line; a line end at the very end begins no other line."""
    breaks = np.flatnonzero(page.units == 10).astype(np.int32)
    ends = np.append(breaks, np.int32(len(page.units)))
    if len(breaks) and breaks[-1] == len(page.units) - 1:
        ends = ends[:-1]
    starts = np.concatenate((np.zeros(1, np.int32), ends[:-1] + 1)).astype(np.int32)
    return page.lengths(starts, ends.astype(np.int32))


def _runs(page: Page) -> int:
    """Runs of letters with their marks, of numbers, and of anything else but white space."""
    kinds = np.select(
        [page.kinds & (LETTER | MARK) != 0, page.kinds & NUMBER != 0, page.kinds & SPACE != 0], [1, 2, 0], 3
    )
    return int(np.count_nonzero((kinds != 0) & (np.diff(kinds, prepend=0) != 0)))


def _encoded(units: Units, text: str) -> tuple[int, int]:
    """Characters in runs of encoded data, and of the longest: 64 and more of base64 that mix letters and digits, and 8
    and more escaped bytes. A line end inside does not end a run of base64 lines of 60 and more."""
    inside = _ENCODED[units]
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    chosen = np.flatnonzero(ends - starts >= RUN - 4)
    total = longest = 0
    at, length = -2, 0
    for start, end in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True):
        run = text_of(units[start:end])
        if run.isalpha() or run.isdigit() or len(set(run)) < 12:
            continue  # a word, a rule of dashes, a number
        length = length + end - start if start - at <= 2 else end - start
        at = end
        total += end - start
        longest = max(longest, length)
    for found in _BYTES.finditer(text) if "\\" in text or "0x" in text else ():
        total += len(found[0])
        longest = max(longest, len(found[0]))
    return min(total, len(text)), longest


def text_of(units: Units) -> str:
    return units.tobytes().decode("utf-16-le", "replace")


def _visible(text: str) -> int:
    """Characters of HTML outside tags, scripts, styles and comments, runs of white space as one."""
    return len(_SPACES.sub(" ", _TAG.sub("", _HIDDEN.sub("", text))).strip())


def create() -> Filter:
    return Measure(step=STEP, version=VERSION, signals=SIGNALS, measure=measure, parameters=versions())
