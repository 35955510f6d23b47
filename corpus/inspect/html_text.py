"""Text from the web for a page: it can neither run, nor turn the line around, nor break the layout."""

from __future__ import annotations

import html
import re

from corpus.inspect.readable import JOINERS, printable

FLOOD = re.compile(f"([{JOINERS}])[{JOINERS}]+")
MARKS = 8
"""Combining marks in a row that are shown: real writing has up to five."""
COMBINING = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff"
    f"\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]{{{MARKS}}})[\u0300-\u036f\u0483-\u0489\u0591-\u05bd"
    "\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f]+"
)


def shown(text: str) -> str:
    """The text as it can be shown: control, direction and zero-width characters as \\uXXXX, floods cut short."""
    return printable(COMBINING.sub(r"\1", FLOOD.sub(r"\1", text)))


def cut(text: str, characters: int) -> str:
    """At most so many characters of a text, as they can be shown."""
    whole = shown(text[: characters * 4])
    return whole if len(whole) <= characters and len(text) <= characters * 4 else whole[:characters] + " ..."


def escape(text: str) -> str:
    """For HTML, inside elements and quoted attributes."""
    return html.escape(shown(text), quote=True)
