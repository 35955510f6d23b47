"""Put the formulas of a TeX text aside as they are written, so that nothing changes them."""

from __future__ import annotations

import re

from corpus.extract.latex.macros import Braces
from corpus.extract.latex.numbers import NUMBER_MARK
from corpus.extract.latex.source import BLOCK_MARK, INLINE_MARK

_EQUATIONS = "equation|displaymath|math"
_ROWS = (
    "align|alignat|aligned|gather|gathered|multline|flalign|xalignat|xxalignat|eqnarray|subeqnarray|IEEEeqnarray|dmath"
    "|dgroup|DispWithArrows|WithArrows|mathpar|mathparpagebreakable|empheq|numcases|subnumcases|multlined|split|darray|array|matrix|pmatrix|cases|diagram|CD|dcases|prooftree"
)
"""Environments that are formulas; those of the first kind become `$$...$$`, the others are kept as they are."""
_OWN = "(?:my|narrow)"
"""What papers put before these names when they define environments after them."""
_CHEMISTRY = "cee?|ch|pu"
"""Commands of mhchem and chemformula: what is in their braces is a formula wherever it stands."""
_CHEMICAL = re.compile(rf"\\(?:{_CHEMISTRY})")
_OPENING = re.compile(
    rf"\\\\|\\\$|\$\$?|\\[(\[]|\\ensuremath\s*(?=\{{)|\\(?:{_CHEMISTRY})\s*(?=\{{)"
    rf"|\\begin\s*\{{({_OWN}?)({_EQUATIONS}|{_ROWS})(\*?)\}}"
)
_ENSURED = re.compile(r"\\ensuremath\s*(?=\{)")
_NESTED = r"\{(?>(?:[^{}\\]+|\\.)*)\}"
for _ in range(4):
    _NESTED = rf"\{{(?>(?:[^{{}}\\]+|\\.|{_NESTED})*)\}}"
_INLINE = re.compile(rf"(?>(?:[^$\\{{}}\n]+|\\.|\n(?![ \t]*\n)|{_NESTED})*)\$", re.DOTALL)
_LOOSE_INLINE = re.compile(r"(?>(?:[^$\\\n]|\\.|\n(?![ \t]*\n)){0,2000})\$", re.DOTALL)
_GROUP = r"\{(?>(?:[^{}\\$]+|\\.|\$[^$]+\$)*)\}"
for _ in range(4):
    _GROUP = rf"\{{(?>(?:[^{{}}\\$]+|\\.|\$[^$]+\$|{_GROUP})*)\}}"
_LINE_END = r"\n(?![ \t]*\n)"
_DISPLAY = re.compile(
    rf"(?>(?:[^$\\{{}}\n]+|\\.|{_GROUP}|[{{}}]|{_LINE_END}|\$(?!\$)(?:[^$\n]|{_LINE_END}){{0,500}}\$(?!\$))*)",
    re.DOTALL,
)
_BROKEN_DISPLAY = re.compile(rf"(?>(?:[^$\\{{}}\n]+|\\.|{_GROUP}|[{{}}]|{_LINE_END})*)\$(?!\$)", re.DOTALL)
_LONG_DISPLAY = re.compile(rf"(?>(?:[^$\\{{}}]+|\\.|{_GROUP}|[{{}}])*)\$\$", re.DOTALL)
"""What stands behind `$$`: to where its paragraph or the formula ends; to a single `$`; to the next `$$`.

Atomic groups here, no possessive repetition: before Python 3.11.5 that goes on behind what a failed turn has read.
"""
_GROUPS = re.compile(_GROUP, re.DOTALL)
_SENTENCE = re.compile(
    r"(?<![\\\w])[^\W\d_]{2,}(?:[\s,]+[^\W\d_]{2,}){3}|[\u0e00-\u0eff\u3040-\u9fff\uac00-\ud7af]{8}"
)
"""Four words in a row, or eight letters of a script without spaces."""
_LABEL = re.compile(
    rf"{NUMBER_MARK}[^{NUMBER_MARK}]*{NUMBER_MARK}"
    r"|\\(?:label|eqlabel)\s*\{[^{}]*\}|\\(?:nonumber|notag|IEEEnonumber|IEEEyesnumber|xspace|allowdisplaybreaks|displaybreak"
    r"|empty)(?![A-Za-z])"
)
_UNSHOWN = re.compile(rf"{NUMBER_MARK}|\\(?:eql|l)abel|\\no|\\IEEE|\\xspace|break|\\empty(?!set)")
_BLANK = re.compile(r"\s*\n\s*")
MAX_FORMULA_CHARACTERS = 200_000
"""Characters; what does not close within them is no formula."""


def put_formulas_aside(text: str, aside: list[str]) -> str:
    """Return the text with a numbered mark for every formula; `aside` receives them in dollars or environments."""
    pieces: list[str] = []
    missing: dict[str, int] = {}
    braces = Braces(text)
    room = 8 * len(text) + 10_000
    """Characters that may be read for displays that do not end."""
    at = 0
    while match := _OPENING.search(text, at):
        start, end = match.span()
        opening = match[0]
        if opening in ("\\\\", "\\$"):
            pieces.append(text[at:end])
            at = end
            continue
        stop = after = -1
        display, keep = True, False
        if opening == "$":
            display = False
            formula = _INLINE.match(text, end, end + MAX_FORMULA_CHARACTERS) or _LOOSE_INLINE.match(text, end)
            if formula is not None:
                stop, after = formula.end() - 1, formula.end()
        elif opening == "$$":
            stop, after = _find_display_end(text, end, end + min(MAX_FORMULA_CHARACTERS, room))
            if stop < 0:
                room -= min(room, after - end)
        elif _CHEMICAL.match(opening):
            display = False
            if (close := braces.find_close(end)) is not None:
                end, stop, after = start, close + 1, close + 1
        elif opening.startswith("\\ensuremath"):
            display = False
            if (close := braces.find_close(end)) is not None:
                end, stop, after = end + 1, close, close + 1
                if "$" in text[end:stop]:  # in text all the way: what is in it is looked at by itself
                    pieces.append(text[at:start])
                    at = end - 1
                    continue
        else:
            if opening == "\\(":
                closing, display = "\\)", False
            elif opening == "\\[":
                closing = "\\]"
            else:
                name = f"{match[2]}{match[3]}"
                closing = f"\\end{{{match[1]}{name}}}"
                display = match[2] != "math"
                keep = match[2] not in _EQUATIONS.split("|")
            if missing.get(closing, -1) < start:
                stop = text.find(closing, end, end + MAX_FORMULA_CHARACTERS)
                if stop < 0:
                    missing[closing] = end + MAX_FORMULA_CHARACTERS - len(closing)
                after = stop + len(closing)
        pieces.append(text[at:start])
        if stop < 0:
            at = end
            continue
        content = text[end:stop]
        if _UNSHOWN.search(content):
            content = _LABEL.sub("", content)
        if "\\ensuremath" in content:
            content = _ENSURED.sub("", content)
        content = _BLANK.sub("\n", content).strip() if display else " ".join(content.split())
        if content:
            if keep:
                begin, ending = (f"\\begin{{{name}}}", f"\\end{{{name}}}") if match[1] else (opening, closing)
                written = f"{begin}{content}\n{ending}" if "\n" in content else f"{begin} {content} {ending}"
            else:
                written = f"$${content}$$" if display else f"${content}$"
            mark = BLOCK_MARK if display else INLINE_MARK
            pieces.append(f"{mark}{len(aside)}{mark}")
            aside.append(written)
        at = after
    pieces.append(text[at:])
    return "".join(pieces)


def _find_display_end(text: str, at: int, limit: int) -> tuple[int, int]:
    """Return where the formula behind a `$$` ends, and where the text goes on.

    One that has no `$$` in its paragraph ends at a single `$`, as TeX mends it, or at a later `$$` if there are blank
    lines and no sentences before that. If none of these follows it is no formula: -1, and up to where was looked.
    """
    if text.startswith("}", at):  # in a box these are an empty formula
        return -1, at
    stop = _DISPLAY.match(text, at, limit).end()  # type: ignore[union-attr]  # matches anywhere
    if text.startswith("$$", stop):
        return stop, stop + 2
    broken = _BROKEN_DISPLAY.match(text, at, limit)
    if broken is not None and broken[0].strip(" \t\n$"):
        return broken.end() - 1, broken.end()
    if (long := _LONG_DISPLAY.match(text, at, limit)) is None:
        return -1, limit
    if _SENTENCE.search(_GROUPS.sub("", long[0])):
        return -1, long.end()
    return long.end() - 2, long.end()
