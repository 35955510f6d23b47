"""Untrusted text for HTML: it can neither run, nor reverse the direction of a line, nor break the layout."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from corpus.inspect.readable import JOINERS, make_printable
from corpus.text.units import to_units
from corpus.text.words import segment_words

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

MAX_PLACE_CHARACTERS = 4096
"""Characters of a path or an address that are shown at all: PATH_MAX of Linux."""
MAX_WORD_CHARACTERS = 40
"""Characters that are given up so that no word is divided."""
EMPTY_LINES_PATTERN = re.compile(r"[^\S\n]*\n(?:[^\S\n]*\n)+")
WIDE_SPACE_PATTERN = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]{9,}")


def make_harmless(text: str) -> str:
    """Return the text with control, direction and zero-width characters as \\uXXXX and long runs of marks shortened."""
    return make_printable(COMBINING_FLOOD_PATTERN.sub(r"\1", JOINER_FLOOD_PATTERN.sub(r"\1", text)))


def shorten(text: str, characters: int) -> str:
    """Return at most `characters` characters of a text, made harmless."""
    whole = make_harmless(text[: characters * 4])
    return whole if len(whole) <= characters and len(text) <= characters * 4 else whole[:characters] + " ..."


def shorten_middle(text: str, characters: int) -> str:
    """Return a path or an address as at most `characters` characters, made harmless: without its middle, since those of
    a folder begin alike, and their names stand at the end."""
    whole = make_harmless(text[:MAX_PLACE_CHARACTERS])
    if len(whole) <= characters:
        return whole
    head = characters // 3
    return f"{whole[:head].rstrip()} … {whole[len(whole) - (characters - head - 3) :].lstrip()}"


def shorten_paths(paths: Sequence[str], characters: int) -> list[str]:
    """Return paths as `shorten_middle` does, whole where two would look the same."""
    shown = [shorten_middle(path, characters) for path in paths]
    return [
        make_harmless(path[:MAX_PLACE_CHARACTERS]) if shown.count(short) > 1 else short
        for path, short in zip(paths, shown, strict=True)
    ]


def unify_line_breaks(text: str) -> str:
    """Return the text with the line breaks of Windows and old Macs as \\n."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def excerpt_lines(text: str, characters: int, lines: int) -> str:
    """Return the start of a text with its line breaks and indentation: at most `characters` characters in `lines`
    lines, made harmless. Several empty lines become one; no word is cut, and `...`
    stands for what follows."""
    start = unify_line_breaks(text.strip()[: characters * 4])
    tidy = EMPTY_LINES_PATTERN.sub("\n\n", WIDE_SPACE_PATTERN.sub("        ", start))
    cut = "\n".join(tidy.split("\n")[:lines])
    is_whole = cut == tidy and len(text.strip()) <= characters * 4
    harmless = make_harmless(cut[: characters * 4])
    if is_whole and len(harmless) <= characters:
        return harmless.rstrip()
    return f"{cut_at_word(harmless, characters).rstrip()} ..."


def cut_at_word(text: str, characters: int) -> str:
    """Return the first words of a text in any script, at most `characters` characters; a longer word is divided."""
    if len(text) <= characters:
        return text
    near = text[: characters + MAX_WORD_CHARACTERS]
    ends = segment_words(near).boundaries
    most = len(to_units(text[:characters]))
    fitting = ends[(ends <= most) & (ends > max(0, most - MAX_WORD_CHARACTERS))]
    if not len(fitting):
        return text[:characters]
    return near.encode("utf-16-le", "replace")[: 2 * int(fitting[-1])].decode("utf-16-le", "replace")


def escape(text: str) -> str:
    """Escape a text for HTML elements and quoted attributes."""
    return html.escape(make_harmless(text), quote=True)
