"""Mend resiliparse's own tree of a page: what `page_tree` does, where an lxml tree would cost too much."""

from __future__ import annotations

from typing import Any

MIN_CELL_CHARACTERS = 50
"""Characters of a cell of text: 150 bytes of Chinese."""
MIN_CHARACTERS_A_LINK = 60
"""Characters of a list for each link in it: with fewer it is a menu."""
MIN_LIST_CHARACTERS = 10
"""Characters of a list that can be one of text."""


def has_text_cells(page: Any) -> bool:
    """Return whether a cell of a table is long enough to be text, so that the table can be a layout."""
    if page.body is None:
        return False
    return any(len(cell.text) >= MIN_CELL_CHARACTERS for cell in page.body.query_selector_all("td"))


def mend_page(page: Any, html: str) -> None:
    """Mend the tree `page` of the source `html` as `page_tree.mend_tree` does, but for tables, ruby and inline tags."""
    if page.body is None:
        return
    if "hidden" in html or "<dialog" in html:
        for element in page.body.query_selector_all(
            '[hidden]:not(main):not([hidden="until-found"]), dialog:not([open])'
        ):
            element.decompose()
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
