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
_OPENING = re.compile(
    rf"\\\\|\\\$|\$\$?|\\[(\[]|\\ensuremath\s*(?=\{{)|\\begin\s*\{{({_OWN}?)({_EQUATIONS}|{_ROWS})(\*?)\}}"
)
_ENSURED = re.compile(r"\\ensuremath\s*(?=\{)")
_NESTED = r"\{(?:[^{}\\]|\\.)*+\}"
for _ in range(4):
    _NESTED = rf"\{{(?:[^{{}}\\]|\\.|{_NESTED})*+\}}"
_INLINE = re.compile(rf"(?:[^$\\{{}}\n]|\\.|\n(?![ \t]*\n)|{_NESTED})*+\$", re.DOTALL)
_LOOSE_INLINE = re.compile(r"(?:[^$\\\n]|\\.|\n(?![ \t]*\n)){0,2000}+\$", re.DOTALL)
_DISPLAY = re.compile(rf"(?:[^$\\{{}}]|\\.|{_NESTED}|[{{}}]|\$(?!\$)[^$]{{0,500}}\$(?!\$))*+\$\$", re.DOTALL)
_LABEL = re.compile(
    rf"{NUMBER_MARK}[^{NUMBER_MARK}]*{NUMBER_MARK}"
    r"|\\(?:label|eqlabel)\s*\{[^{}]*\}|\\(?:nonumber|notag|xspace|allowdisplaybreaks|displaybreak)(?![A-Za-z])"
)
_UNSHOWN = re.compile(rf"{NUMBER_MARK}|\\(?:eql|l)abel|\\no|\\xspace|break")
_BLANK = re.compile(r"\s*\n\s*")
MAX_FORMULA_CHARACTERS = 200_000
"""Characters; what does not close within them is no formula."""


def put_formulas_aside(text: str, aside: list[str]) -> str:
    """Return the text with a numbered mark for every formula; `aside` receives them in dollars or environments."""
    pieces: list[str] = []
    missing: dict[str, int] = {}
    braces = Braces(text)
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
            formula = _INLINE.match(text, end) or _LOOSE_INLINE.match(text, end)
            if formula is not None:
                stop, after = formula.end() - 1, formula.end()
        elif opening == "$$":
            formula = _DISPLAY.match(text, end)
            if formula is not None:
                stop, after = formula.end() - 2, formula.end()
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
