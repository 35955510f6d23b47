"""Prepare what the two models that identify languages are given, and call CLD2. The only module that imports pycld2.

It has the path of lid.176.ftz, which lies beside it, CLD2 behind one call, and the sample of a text that both see.
"""

from __future__ import annotations

import re
import string
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pycld2

from corpus.errors import UserError

_CAPITALS = string.ascii_uppercase.encode()
_INVALID = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe\U0001ffff]+")
"""What fastText would take for a line end and CLD2 rejects: controls, surrogates, non-characters."""

SAMPLE_CHARACTERS = 1_500
"""Characters of a text that both models are given. A text that is no longer is given whole."""

SAMPLE_WINDOWS = 6
"""Windows that a longer text is sampled by, evenly spread, each a sixth of the sample: with twice as many, 1 page
in 100, in two languages, gets the other."""

BOOK_CHARACTERS, BOOK_WINDOWS = 30_000, 30
"""Characters above which the windows are as many as this, and shorter. Six places of a handbook may all be listings or
names in another language: of 150 texts so long in the sample data, 8 had the label of those."""


LID_PATH = Path(__file__).with_name("lid.176.ftz")


class Guess(NamedTuple):
    """A part of the text that CLD2 finds in one language: its code, percent of the bytes, score (over
    about 500 for languages CLD2 knows, less for their relatives that it does not)."""

    code: str
    percent: int
    score: float


def sample_text(text: str) -> str:
    """Return one line of at most 1,530 characters (30 windows of 50 and what joins them), in lower case where the text
    is mostly in capitals.
    """
    if len(text) > SAMPLE_CHARACTERS:
        windows = SAMPLE_WINDOWS if len(text) <= BOOK_CHARACTERS else BOOK_WINDOWS
        width = SAMPLE_CHARACTERS // windows
        step = (len(text) - width) // (windows - 1)
        text = " ".join(text[i * step : i * step + width] for i in range(windows))
    line = " ".join(text.split())
    if not line.isprintable():  # few are not: ten times as fast as a look for what is invalid
        line = " ".join(_INVALID.sub(" ", line).split())
    return line.lower() if _is_mostly_upper(line) else line


def _is_mostly_upper(line: str) -> bool:
    """Return whether more than half of the characters of a line are capitals."""
    plain = line.encode("ascii", "ignore")
    others = len(line) - len(plain)
    capitals = len(plain) - len(plain.translate(None, _CAPITALS))
    if 2 * (capitals + others) <= len(line) or not others:
        return 2 * capitals > len(line)
    return line.lower() != line and 2 * sum(map(str.isupper, line)) > len(line)


@cache
def lid_path() -> str:
    """Return the path of lid.176.ftz, which a build puts beside this module. Raises UserError where it is missing."""
    if not LID_PATH.is_file():
        raise UserError(
            f"the language model {LID_PATH} is missing: run `make setup` (or `pip install -e .`) in the checkout, "
            "which download it, or name a fastText model as identification.model in the manifest"
        )
    return str(LID_PATH)


_NONCHARACTERS = re.compile(
    f"[\ufdd0-\ufdef{''.join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))}]"
)
"""Code points that are no characters in any plane."""


def cld2(line: str) -> tuple[int, list[Guess]]:
    """Return the bytes of letters that CLD2 saw, and the up to three languages it detected in them."""
    try:
        _, seen, details = pycld2.detect(line, isPlainText=True, bestEffort=True)
    except pycld2.error:  # of noncharacters, which it takes for broken UTF-8
        plain = _NONCHARACTERS.sub(" ", line)
        _, seen, details = pycld2.detect(plain, isPlainText=True, bestEffort=True)
    return int(seen), [Guess(code, percent, score) for _, code, percent, score in details if code != "un"]


def cld2_version() -> str:
    return metadata.version("pycld2")
