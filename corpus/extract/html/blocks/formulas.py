"""Find the TeX of a formula: MathML with an annotation, `alttext` or `data-latex`, KaTeX, MathJax of every version.

Where a page has MathML alone, it is converted (`corpus.extract.mathml`).
"""

from __future__ import annotations

import re
from typing import Any

from lxml.etree import XMLParser, XMLSyntaxError
from lxml.etree import fromstring as parse_xml

from corpus.extract.mathml import to_latex

MAX_FORMULA_CHARACTERS = 20_000
"""Characters of markup of one formula."""

_TEX_TYPES = ("application/x-tex", "tex", "latex", "application/x-latex", "text/x-tex")
_STYLE = re.compile(r"^\{\\(?:displaystyle|textstyle)\s*(.*)\}$", re.DOTALL)
_PREFIXED = re.compile(r"(</?)(?:mml|m):")
_XML = {"resolve_entities": False, "no_network": True, "recover": True, "huge_tree": False}


def frame_tex(tex: str, display: bool) -> str:
    """Return TeX between dollars, two for a formula of its own line; nothing for no TeX."""
    tex = tex.strip()
    if not tex:
        return ""
    if match := _STYLE.match(tex):
        tex = match[1].strip() if _is_balanced(match[1]) else tex
    if tex.startswith("$"):
        return tex
    return f"$${tex}$$" if display else f"${tex}$"


def read_math_element(element: Any) -> str:
    """Return the TeX of a `math` element of lexbor's tree between dollars; nothing if it is empty."""
    attributes = element.attributes
    display = attributes.get("display") == "block" or attributes.get("mode") == "display"
    for annotation in element.css("annotation"):
        if (annotation.attributes.get("encoding") or "").lower() in _TEX_TYPES:
            return frame_tex(annotation.text(), display)
    if tex := attributes.get("alttext") or attributes.get("data-latex"):
        return frame_tex(tex, display)
    return frame_tex(_convert(element.html or ""), display)


def read_math_script(kind: str, tex: str) -> str:
    """Return the TeX of MathJax's `<script type="math/tex; mode=display">` between dollars."""
    return frame_tex(tex.removeprefix("% <![CDATA[").removesuffix("%]]>"), "display" in kind)


def _convert(markup: str) -> str:
    if len(markup) > MAX_FORMULA_CHARACTERS:
        return ""
    try:
        tree = parse_xml(_PREFIXED.sub(r"\1", markup).replace("&nbsp;", "\xa0"), XMLParser(**_XML))
    except XMLSyntaxError:
        return ""
    return to_latex(tree) if tree is not None else ""


def _is_balanced(tex: str) -> bool:
    """Return whether every brace of some TeX closes, so that the pair around it is one pair."""
    open_braces = 0
    for brace in re.findall(r"(?<!\\)[{}]", tex):
        open_braces += 1 if brace == "{" else -1
        if open_braces < 0:
            return False
    return open_braces == 0
