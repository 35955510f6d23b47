"""Name the language of each paragraph of a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corpus.languages.identify import ENOUGH_LETTER_BYTES, Identifier
from corpus.languages.labels import language_part
from corpus.languages.sinitic import SINITIC

MAX_PARAGRAPHS = 24
"""Paragraphs of a text that are looked at, evenly spread."""
RELATIVES = (
    frozenset(SINITIC),
    frozenset({"bos", "hrv", "srp", "cnr", "hbs"}),
    frozenset({"ind", "zsm", "msa", "jav", "sun"}),
    frozenset({"nob", "nno", "dan"}),
    frozenset({"bul", "mkd"}),
    frozenset({"ces", "slk"}),
    frozenset({"glg", "por"}),
    frozenset({"hin", "mar", "npi", "bho", "mai"}),
    frozenset({"nso", "sot", "tsn"}),
    frozenset({"xho", "zul"}),
)
"""Languages that a paragraph does not tell from each other for sure."""


class Paragraph(NamedTuple):
    """A line from `begin` to `end` of a text, with the label and score of its language (`Identifier.identify`)."""

    begin: int
    end: int
    label: str
    score: float


def label_paragraphs(text: str, identifier: Identifier) -> list[Paragraph]:
    """Return the paragraphs of a text that are long enough to be told, at most `MAX_PARAGRAPHS`, with their languages.

    A paragraph is a line of `ENOUGH_LETTER_BYTES` in UTF-8 and more: 20 Chinese characters. Costs .1 to .3 ms each.
    """
    lines = [
        (begin, end)
        for begin, end in _iter_lines(text)
        if len(text[begin:end].encode("utf-8", "replace")) >= ENOUGH_LETTER_BYTES
    ]
    count = min(len(lines), MAX_PARAGRAPHS)
    chosen = [lines[at * len(lines) // count] for at in range(count)]
    return [Paragraph(begin, end, *identifier.identify(text[begin:end])) for begin, end in chosen]


def are_related(first: str, second: str) -> bool:
    """Return whether two labels are of one language, or of two that a paragraph does not tell apart."""
    one, other = language_part(first), language_part(second)
    return one == other or any(one in group and other in group for group in RELATIVES)


def _iter_lines(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        yield begin, end
        begin = end + 1
