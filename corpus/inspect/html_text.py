"""Untrusted text for HTML: it can neither run, nor reverse the direction of a line, nor break the layout."""

from __future__ import annotations

import html
import re

from corpus.inspect.readable import JOINERS, make_printable

JOINER_FLOOD_PATTERN = re.compile(f"([{JOINERS}])[{JOINERS}]+")
MAX_COMBINING_MARKS = 8
"""Combining marks in a row that are shown: real writing has up to five."""
COMBINING_FLOOD_PATTERN = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff"
    f"\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]{{{MAX_COMBINING_MARKS}}})"
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd"
    "\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f]+"
)


def make_harmless(text: str) -> str:
    """Return the text with control, direction and zero-width characters as \\uXXXX and long runs of marks shortened."""
    return make_printable(COMBINING_FLOOD_PATTERN.sub(r"\1", JOINER_FLOOD_PATTERN.sub(r"\1", text)))


def shorten(text: str, characters: int) -> str:
    """Return at most `characters` characters of a text, made harmless."""
    whole = make_harmless(text[: characters * 4])
    return whole if len(whole) <= characters and len(text) <= characters * 4 else whole[:characters] + " ..."


def escape(text: str) -> str:
    """Escape a text for HTML elements and quoted attributes."""
    return html.escape(make_harmless(text), quote=True)
