"""Repair the holes that dropped markup leaves in a sentence, and the punctuation around them."""

from __future__ import annotations

import re

HOLE = "\x01"
"""Stands where markup was dropped, until the punctuation around it is mended."""
OPENING_BRACKETS = "([{（［｛〔【「『〈《«‹“„‘"
CLOSING_BRACKETS = ")]}）］｝〕】」』〉》»›””’"
BRACKET_PAIRS = dict(zip(OPENING_BRACKETS, CLOSING_BRACKETS, strict=True))
SEPARATOR_MARKS = ",;:、，；：،؛/|·・"
SENTENCE_STOPS = ".!?。！？।؟…"
EDGE_MARKS = " \t" + SEPARATOR_MARKS
DASHES = "–—-"
ADJACENT_HOLES = re.compile(f"{HOLE}(?:[ \t]*{HOLE})+")


def mend_holes(text: str) -> str:
    """Return the text without `HOLE` marks and without what they leave: empty brackets, doubled or stray punctuation.

    Only the characters beside a mark are changed, so `f()` in an article on programming is kept. Linear.
    """
    if HOLE not in text:
        return text
    parts = ADJACENT_HOLES.sub(HOLE, text).split(HOLE)
    out = [parts[0]]
    for part in parts[1:]:
        left, right = _mend_hole(out.pop(), part)
        while not left and out:
            left, right = _mend_hole(out.pop(), right) if right else (out.pop(), right)
        out.append(left)
        out.append(right)
        if not right:
            out.pop()
    return "".join(out)


def _mend_hole(left: str, right: str) -> tuple[str, str]:
    """Return both sides of a hole, mended."""
    before, after = left.rstrip(" \t"), right.lstrip(" \t")
    spaced = len(before) < len(left) or len(after) < len(right)
    last, first = before[-1:], after[:1]
    if last in BRACKET_PAIRS and last:
        after = after.lstrip(EDGE_MARKS)
        if after[:1] == BRACKET_PAIRS[last]:
            return _drop_bracket(before[:-1], after[1:])
        return before, after
    if first and first in CLOSING_BRACKETS:
        trimmed = before.rstrip(EDGE_MARKS + DASHES)
        if trimmed[-1:] in BRACKET_PAIRS and BRACKET_PAIRS[trimmed[-1:]] == first:
            return _drop_bracket(trimmed[:-1], after[1:])
        return trimmed, after
    if first and (first in SEPARATOR_MARKS or first in SENTENCE_STOPS):
        if last and (last in SEPARATOR_MARKS or last == first):
            before = before[:-1].rstrip(" \t")
        keep_space = (
            right != after
            and first in ":;!?"
            and not before.endswith(tuple(SENTENCE_STOPS + SEPARATOR_MARKS))
        )
        return before, (" " + after if keep_space and before else after)
    if not last or last == "\n" or not after or first == "\n":
        return before, after
    return before, (" " + after if spaced else after)


def _drop_bracket(before: str, after: str) -> tuple[str, str]:
    """Return both sides of a pair of brackets that held nothing."""
    trimmed = before.rstrip(" \t")
    spaced = len(trimmed) < len(before)
    if (
        spaced
        and after[:1] not in ("", " ", "\n")
        and after[0] not in SEPARATOR_MARKS + SENTENCE_STOPS + CLOSING_BRACKETS
    ):
        return trimmed, " " + after
    return (before if not spaced or not trimmed else trimmed), after
