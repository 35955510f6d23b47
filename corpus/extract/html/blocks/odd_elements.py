"""Elements that are not walked as they stand: hidden ones, doubles of formulas, controls of wikis, tables of `div`s."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from corpus.extract.html.blocks.page_head import FoundElement
from corpus.extract.html.hidden_elements import is_sent_for_scripts, list_opened

_NEVER_HIDDEN = ("html", "body", "main")
_DOUBLES = (
    (b"katex-html", ".katex-html"),
    (b"MathJax", '[class^="MathJax"]:not(mjx-container)'),
    (b"mwe-math-fallback", "math + [class*=mwe-math-fallback], math + * + [class*=mwe-math-fallback]"),
)
"""What a page has in its source, and which elements then repeat a formula."""
_UNSCRIPTED = ".MathJax_Preview, .MathJax > nobr, [class^=MathJax] .mjx-math"
"""The same on pages of MathJax 2 that have lost its scripts: there is MathML beside what is for the eye."""
_WIKI_CLASS, _CONTROLS = "mediawiki", ".mw-editsection, .editsection, .mw-cite-backlink"
"""What the `body` of a wiki's page is called, and the elements beside headings and notes then: `[edit]`, `^ a b`."""
_ARIA_PARTS = {"row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th"}
_ARIA_TABLES = ("grid", "table", "treegrid")
_TABLE_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "td", "th")
_ARIA_ROW = re.compile(rb"""role=["']?row\b""")
_SPECIAL = 'math, script[type^="math/tex"], [role=row]'
"""What pages with formulas and such tables have; what repeats a formula stands beside one of these."""
ODD = f"[hidden], [popover], {_SPECIAL}"
"""All of these, and what a browser hides: one look at the tree is faster than ten at the source."""


Odd = dict[int, list[int] | None]
"""By the number of an element: None if it is left out, else room for the range of its blocks."""


def note_odd_elements(tree: Any, data: bytes, elements: Sequence[FoundElement]) -> tuple[Odd, dict[int, str]]:
    """Return the odd elements of a page, and the tags as which some of them are walked, by lexbor's numbers.

    `data` is the page in UTF-8; `elements` are those of `ODD`, but for some of `meta`, among others.
    """
    odd: Odd = {}
    named: dict[int, str] = {}
    if any(_is_special(tag, attributes) for _, tag, attributes in elements):
        _note_doubles(tree, data, odd)
        if _ARIA_ROW.search(data):
            named = _name_grids(tree)
            odd.update({number: [-1, -1] for number in named if number not in odd})
    if _WIKI_CLASS in (tree.body.attributes.get("class") or ""):
        odd.update({element.mem_id: None for element in tree.css(_CONTROLS)})
    hidden = [each for each in elements if "hidden" in each[2] and each[1] not in _NEVER_HIDDEN]
    opened = _list_opened(tree) if hidden else frozenset()
    odd.update({element.mem_id: None for element, _, attributes in elements if "popover" in attributes})
    for element, tag, attributes in hidden:
        stated = {name: value or "" for name, value in attributes.items()}
        if not is_sent_for_scripts(tag, stated, opened):
            odd[element.mem_id] = [-1, -1]
    return odd, named


def _is_special(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element is one of `_SPECIAL`."""
    if tag == "math" or attributes.get("role") == "row":
        return True
    return tag == "script" and (attributes.get("type") or "").startswith("math/tex")


def _note_doubles(tree: Any, data: bytes, odd: Odd) -> None:
    for sign, selector in _DOUBLES:
        if sign in data:
            if sign == b"MathJax" and b"math/tex" not in data:
                selector = _UNSCRIPTED
            for element in tree.css(selector):
                odd[element.mem_id] = None


def _name_grids(tree: Any) -> dict[int, str]:
    """Return the parts of tables that are made of elements of any tag, by their roles."""
    named: dict[int, str] = {}
    for name in _ARIA_TABLES:
        for grid in tree.css(f"[role={name}]"):
            if grid.tag in _TABLE_TAGS:
                continue
            named[grid.mem_id] = "table"
            for role, tag in _ARIA_PARTS.items():
                for part in grid.css(f"[role={role}]"):
                    if part.tag not in _TABLE_TAGS:
                        named[part.mem_id] = tag
    return named


def _list_opened(tree: Any) -> frozenset[str]:
    """Return the ids of what buttons in the text open."""
    buttons = tree.css("[aria-controls][aria-expanded]:not([aria-haspopup])")
    return list_opened(
        button.attributes["aria-controls"] or "" for button in buttons if not _is_beside_text(button)
    )


def _is_beside_text(element: Any) -> bool:
    """Return whether an element stands in a menu, head or foot of the page."""
    while (element := element.parent) is not None:
        if element.tag in ("nav", "header", "footer"):
            return True
    return False
