"""Tell tables that lay out a page from tables of data, and turn the first into blocks.

Most of the web before 2008, and many East Asian sites since, put the menu in one cell and the article in another. Read
as data, the article is one line of cells. So the cells of such a table become `div`s, their text paragraphs, and cells
of links alone beside them `nav`s. Tables of data stay as they are, also within a layout.
"""

from __future__ import annotations

from lxml.etree import strip_tags
from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import BLOCK_TAGS, become_paragraph

MIN_TEXT_CELL_BYTES = 160
"""Bytes of UTF-8 in a cell that has paragraphs or line breaks and so is laid out, rather than a value."""
MIN_TEXT_SHARE = 0.6
"""Share of a table's text that stands in cells of text, from which the table is a layout."""
MIN_MENU_LINK_SHARE = 0.7
"""Share of links in the text of a cell that is a menu."""
MAX_EXAMINED_CELLS = 2000
"""Cells of one table that are examined: with more it is data."""

_DATA_SIGNS = frozenset(("caption", "colgroup", "th", "thead", "tfoot"))
_SECTIONS = ("tbody", "thead", "tfoot")
_PRESENTATION = ("presentation", "none")
_BREAKING = frozenset(
    ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "form", "article", "section", "center")
)
_UNBROKEN = BLOCK_TAGS | {"pre", "script", "style", "nav", "br"}


def unwrap_layout_tables(tree: HtmlElement) -> None:
    """Turn every table of `tree` that is a layout into `div`s, its menus into `nav`s, lines of its text into `p`s."""
    tables = list(tree.iter("table"))
    # The inner ones first: what they are decides nothing about the outer ones, whose cells they split.
    for table in reversed(tables):
        cells = _list_cells(table)
        if cells and len(cells) <= MAX_EXAMINED_CELLS and _is_layout(table, cells):
            _unwrap(table, cells)


def _list_cells(table: HtmlElement) -> list[HtmlElement]:
    """Return the cells of a table without those of tables in it."""
    cells = []
    for part in table:
        rows = part if part.tag in _SECTIONS else (part,)
        for row in rows:
            if row.tag == "tr":
                cells += [cell for cell in row if cell.tag in ("td", "th")]
            elif row.tag in ("td", "th"):
                cells.append(row)
    return cells


def _is_layout(table: HtmlElement, cells: list[HtmlElement]) -> bool:
    if str(table.get("role") or "").lower() in _PRESENTATION or len(cells) == 1:
        return True
    held = {element.tag for element in table if element.tag in _DATA_SIGNS}
    if held or str(table.get("role") or "") in ("table", "grid"):
        return False
    if any(cell.find(".//table") is not None for cell in cells):
        return True
    if any(cell.tag == "th" for cell in cells):
        return False
    sizes = [_count_bytes(cell) for cell in cells]
    total = sum(sizes)
    if max(sizes) < MIN_TEXT_CELL_BYTES:
        return False
    text = sum(
        size
        for cell, size in zip(cells, sizes, strict=True)
        if size >= MIN_TEXT_CELL_BYTES and _is_broken(cell)
    )
    if text >= MIN_TEXT_SHARE * total:
        return True
    # A column, or a row of its own, of running text: nobody writes a value of several sentences beside none.
    filled = [size for size in sizes if size > 2]
    menus = sum(size for cell, size in zip(cells, sizes, strict=True) if size > 2 and _is_menu(cell))
    return len(filled) == 1 or (menus > 0 and max(sizes) >= MIN_TEXT_SHARE * (total - menus))


def _is_broken(cell: HtmlElement) -> bool:
    """Return whether a cell has paragraphs or lines of its own."""
    breaks = 0
    for element in cell.iterdescendants():
        if element.tag in _BREAKING:
            return True
        breaks += element.tag == "br"
        if breaks > 1:
            return True
    return False


def _is_menu(cell: HtmlElement) -> bool:
    links = sum(_count_bytes(link) for link in cell.iter("a") if link.get("href") is not None)
    return links > 0 and links >= MIN_MENU_LINK_SHARE * _count_bytes(cell)


def _count_bytes(element: HtmlElement) -> int:
    return len("".join("".join(element.itertext()).split()).encode("utf-8", "replace"))


def _unwrap(table: HtmlElement, cells: list[HtmlElement]) -> None:
    menus = [_is_menu(cell) for cell in cells]
    beside_text = any(
        not menu and _count_bytes(cell) >= MIN_TEXT_CELL_BYTES
        for cell, menu in zip(cells, menus, strict=True)
    )
    rows = {cell.getparent() for cell in cells}
    parts = {row.getparent() for row in rows}
    for cell, menu in zip(cells, menus, strict=True):
        cell.tag = "nav" if menu and beside_text else "div"
        _drop_table_attributes(cell)
        if cell.tag == "div":
            strip_tags(cell, "font", "center")
            _split_lines(cell)
    for element in (*rows, *parts, table):
        if element is not None and element.tag in ("tr", "table", *_SECTIONS):
            element.tag = "div"
    _drop_table_attributes(table)


def _drop_table_attributes(element: HtmlElement) -> None:
    for name in ("role", "colspan", "rowspan"):
        element.attrib.pop(name, None)


def _split_lines(cell: HtmlElement) -> None:
    """Put the runs of text and inline elements of a cell into `p`s: line breaks and blocks are between them."""
    children = list(cell)
    if not (cell.text or "").strip() and all(
        child.tag in _UNBROKEN and child.tag != "br" and not (child.tail or "").strip() for child in children
    ):
        return
    text, cell.text = cell.text, None
    paragraph = _begin_paragraph(cell, text)
    for child in children:
        if child.tag in _UNBROKEN or any(inner.tag in _UNBROKEN for inner in child.iterdescendants()):
            tail, child.tail = child.tail, None
            if child.tag == "br":
                cell.remove(child)
            else:
                cell.append(child)
            paragraph = _begin_paragraph(cell, tail)
        else:
            paragraph.append(child)
    for paragraph in [child for child in cell if child.get(_NEW) is not None]:
        del paragraph.attrib[_NEW]
        if len(paragraph) or (paragraph.text or "").strip():
            become_paragraph(paragraph)
        else:
            cell.remove(paragraph)


_NEW = "data-corpus-new"


def _begin_paragraph(cell: HtmlElement, text: str | None) -> HtmlElement:
    paragraph = cell.makeelement("p", {_NEW: ""})
    paragraph.text = text
    cell.append(paragraph)
    return paragraph
