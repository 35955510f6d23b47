"""Write superscripts and subscripts as text."""

from __future__ import annotations

import re

from corpus.extract.holes import SENTENCE_STOPS

SUPERSCRIPTS = str.maketrans("0123456789+-−–=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿ")
SUBSCRIPTS = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")
_RAISABLE = re.compile(r"[0-9+\-−–=()n]{1,12}|[+\-−–]/[+\-−–]|\d{1,3}(?:,\d{1,3}){1,9}")
_LOWERABLE = re.compile(r"[0-9+\-−–=()]{1,12}|\d{1,3}(?:[.,]\d{1,3}){1,9}")
"""Scripts that there are characters for; `+/−` and `1,2` with their bar and comma as they are."""
_ORDINAL = re.compile(r"st|nd|rd|th|e|è?re|ers?|[eè]me|nde|[oa]s?|[\u0400-\u052f]{1,3}")
_RAISED_MARKS = re.compile(r"[*∗†‡§¶#®©™°º◊′″'’\"]+")
_CENTS = re.compile(r"[.,]\d\d")
_ONE_NAME = re.compile(r"(?:(?![²³¹⁰-₟])[^\W_])+[′'*]?|\[[^\[\]]*\]|\([^()]*\)")
"""A script that needs no brackets: letters and digits, or what is in brackets already."""
_SCRIPT_BASE_ENDS = tuple(" \t\n\x00([{（,;:")
MAX_SCRIPT_CHARACTERS = 30
_HELD = re.compile(r"[\x00-\x08\x0e$]")
"""Formulas, and the marks of citations and of what is put aside."""


def write_script(text: str, name: str, base: str, behind: str) -> str:
    """Return a superscript or subscript (`name` is sup or sub) as text: ⁻¹, d^Q, x_max, e^(x+y).

    The ends of words, numbers and prices stay as they are (19th, p*, $9.95), and so does what has nothing before it to
    stand at.
    `base` is the text before it, `behind` the text that follows.
    """
    plain = text.strip()
    if (_RAISABLE if name == "sup" else _LOWERABLE).fullmatch(plain):
        return plain.translate(SUPERSCRIPTS if name == "sup" else SUBSCRIPTS) + text[len(text.rstrip()) :]
    if (
        name == "sup"
        and plain == "o"
        and base.rstrip()[-1:].isdecimal()
        and behind.lstrip()[:1] in ("C", "F")
    ):
        return "°"
    if not plain or not base or base.endswith(_SCRIPT_BASE_ENDS) or _HELD.search(text):
        return text
    if len(plain) > MAX_SCRIPT_CHARACTERS:
        return text if text[0].isspace() else f" {text}"
    if name == "sup":
        if plain == "TM":
            return "™"
        if _RAISED_MARKS.fullmatch(plain):
            return text
        if base[-1].isdecimal() and (_ORDINAL.fullmatch(plain.lower()) or _CENTS.fullmatch(plain)):
            return text
        if base[-1] in SENTENCE_STOPS and " " in plain:  # a note
            return f" {plain}" + text[len(text.rstrip()) :]
    if _ONE_NAME.fullmatch(plain) is None or (behind[:1].islower() and text[-1:].isalnum()):
        plain = f"({plain})"
    return ("^" if name == "sup" else "_") + plain + text[len(text.rstrip()) :]
