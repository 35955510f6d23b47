"""Mend resiliparse's own tree of a page: what `page_tree` does, where an lxml tree would cost too much."""

from __future__ import annotations

import re
from typing import Any

from corpus.extract.html.page_tree import MAX_LARGE_HIDDEN, STREAMED_PART

MIN_CELL_CHARACTERS = 50
"""Characters of a cell of text: 150 bytes of Chinese."""
MIN_CHARACTERS_A_LINK = 60
"""Characters of a list for each link in it: with fewer it is a menu."""
MIN_LIST_CHARACTERS = 10
"""Characters of a list that can be one of text."""
MAX_MARKS = 32
"""Elements of a page that are mended in resiliparse's own tree."""
_HIDING = re.compile(r"hidden(?=[\s=/>])(?<=\shidden)")
"""What a page with elements that a browser hides has in its source; what styles and scripts say of hiding is not."""
_DROPPED = "data-corpus-dropped"
_CELL = re.compile(r"<td\b[^>]*>(.*?)(?=</?t[dr]|</?table|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def has_text_cells(html: str) -> bool:
    """Return whether a cell of a table is long enough to be text, so that the table can be a layout."""
    return any(
        len(cell[1]) >= MIN_CELL_CHARACTERS
        and len("".join(_TAG.sub("", cell[1]).split())) >= MIN_CELL_CHARACTERS
        for cell in _CELL.finditer(html)
    )


def has_many_marks(html: str) -> bool:
    """Return whether a page has so many elements to be mended that an lxml tree is faster: resiliparse looks through
    the page for each element of a query."""
    marks = html.count("<time") + html.count("<figcaption") + html.count("<dialog")
    return marks > MAX_MARKS or (html.count("hidden") > MAX_MARKS and len(_HIDING.findall(html)) > MAX_MARKS)


def mend_page(page: Any, html: str) -> None:
    """Mend the tree `page` of the source `html` as `page_tree.mend_tree` does, but for tables, ruby and inline tags."""
    if page.body is None:
        return
    if "<dialog" in html or _HIDING.search(html):
        _drop_hidden(page)
    if "<time" in html:
        for element in page.body.query_selector_all("time"):
            if _is_in_sentence(element):
                _rename(page, element, "span")
    if "<figcaption" in html:
        for element in page.body.query_selector_all("figure > figcaption"):
            if element.text.strip():
                caption = _rename(page, element, "p")
                figure = caption.parent
                figure.parent.insert_before(caption, figure)


def _drop_hidden(page: Any) -> None:
    """Drop what a browser does not show: see `page_tree`, whose rules these are."""
    characters = len(page.body.text)
    kept = 0
    for element in page.body.query_selector_all("[hidden]:not(main), dialog:not([open])"):
        if element.hasattr(_DROPPED):
            continue
        shown = element.tag != "dialog" and (
            element.getattr("hidden", "").lower() == "until-found"
            or STREAMED_PART.search(element.getattr("id", "")) is not None
        )
        if not shown and element.tag != "dialog" and kept < MAX_LARGE_HIDDEN:
            shown = 2 * len(element.text) > characters
            kept += shown
        if shown:
            element.delattr("hidden")
            continue
        for inside in element.query_selector_all("[hidden], dialog"):
            inside.setattr(_DROPPED, "")
        element.parent.remove_child(element)  # not `decompose`: elements in it may be in the list


def _is_in_sentence(element: Any) -> bool:
    beside = (element.prev, element.next)
    return any(
        node is not None and node.tag == "#text" and any(map(str.isalnum, node.text)) for node in beside
    )


def _rename(page: Any, element: Any, name: str) -> Any:
    """Replace an element by one of another name with the same content, and return it."""
    renamed = page.create_element(name)
    for child in list(element.child_nodes):
        renamed.append_child(child)
    element.parent.replace_child(renamed, element)
    return renamed


def deepen_lists(page: Any) -> None:
    """Put `div`s around lists of text: resiliparse takes a `ul` with fewer than three elements around it for a menu."""
    if page.body is None:
        return
    for items in page.body.query_selector_all("body > ul, body > * > ul, body > * > * > ul"):
        text = len(items.text.strip())
        if text >= MIN_LIST_CHARACTERS and text >= MIN_CHARACTERS_A_LINK * len(items.query_selector_all("a")):
            for _ in range(3):
                around = page.create_element("div")
                items.parent.insert_before(around, items)
                around.append_child(items)
