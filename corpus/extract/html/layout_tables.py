"""Tell tables that lay out a page from tables of data, and turn the first into blocks.

Most of the web before 2008, and many East Asian sites since, put the menu in one cell and the article in another. Read
as data, the article is one line of cells. So the cells of such a table become `div`s, their text paragraphs, and cells
of links alone beside them `nav`s. Tables of data stay as they are, also within a layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from lxml.etree import XPath, strip_tags
from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import (
    BLOCK_TAGS,
    MIN_PARAGRAPH_BYTES,
    MIN_SIBLING_BYTES,
    become_paragraph,
    is_paragraph,
)
from corpus.extract.html.loose_text import hold_loose_text

MIN_TEXT_CELL_BYTES = 160
"""Bytes of UTF-8 in a cell that has paragraphs or line breaks and so is laid out, rather than a value."""
MIN_TEXT_SHARE = 0.6
"""Share of a table's text that stands in cells of text, from which the table is a layout."""
MIN_ROW_PROSE_SHARE = 0.9
"""Share of a table's text that stands in paragraphs of `MIN_PARAGRAPH_BYTES`, one a row, from which it is a layout."""
MIN_MENU_LINK_SHARE = 0.7
"""Share of links in the text of a cell that is a menu."""
MAX_HEADED_CELLS = 12
"""Cells of a layout that has cells of headings."""
MAX_EXAMINED_CELLS = 2000
"""Cells of one table that are examined: with more it is data."""

_DATA_SIGNS = frozenset(("caption", "th", "thead", "tfoot"))
SECTIONS = ("tbody", "thead", "tfoot")
_ROW_GROUPS = (*SECTIONS, "form")
"""What rows stand in: old pages put a form around them, within the table."""
PRESENTATION = ("presentation", "none")
BREAKING = frozenset(
    ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "form", "article", "section", "center")
)
_SILENT_LINKS = XPath(".//a[not(normalize-space())]")
"""Links around pictures, such as the numbers of callouts: extractors drop a short block with no other links."""
_WRAPPERS = ("span", "b", "strong", "i", "em", "big", "small", "tt", "u", "ins")
_UNBROKEN = BLOCK_TAGS | {"pre", "script", "style", "nav", "br"}


Node = TypeVar("Node")


class TreeReader(NamedTuple, Generic[Node]):
    """What is asked of a cell in a tree of any library."""

    get_tag: Callable[[Node], str]
    has_table: Callable[[Node], bool]
    count_bytes: Callable[[Node], int]
    count_linked: Callable[[Node], int]
    """Bytes of the text in links."""
    is_broken: Callable[[Node], bool]
    """Whether a cell has paragraphs or lines of its own."""


def unwrap_layout_tables(tree: HtmlElement) -> bool:
    """Turn every table of `tree` that is a layout into `div`s, its menus into `nav`s, lines of its text into `p`s.

    Returns whether there is one.
    """
    unwrapped = False
    tables = list(tree.iter("table"))
    # The inner ones first: what they are decides nothing about the outer ones, whose cells they split.
    for table in reversed(tables):
        cells = _list_cells(table)
        if not cells or len(cells) > MAX_EXAMINED_CELLS:
            continue
        if is_layout(table.get("role"), [part.tag for part in table], cells, _LXML):
            _unwrap(table, cells)
            unwrapped = True
    return unwrapped


def _list_cells(table: HtmlElement) -> list[HtmlElement]:
    """Return the cells of a table without those of tables in it."""
    cells = []
    for part in table:
        rows = part if part.tag in _ROW_GROUPS else (part,)
        for row in rows:
            if row.tag == "tr":
                cells += [cell for cell in row if cell.tag in ("td", "th")]
            elif row.tag in ("td", "th"):
                cells.append(row)
    return cells


def is_layout(
    role: str | None, parts: Sequence[str], cells: Sequence[Node], reader: TreeReader[Node]
) -> bool:
    """Return whether a table of this `role`, with elements `parts` in it and with `cells`, lays out a page."""
    role = (role or "").lower()
    if role in PRESENTATION or len(cells) == 1:
        return True
    if "caption" in parts or role in ("table", "grid"):
        return False
    if not _DATA_SIGNS.isdisjoint(parts):
        return _is_headed_layout(cells, reader)
    if any(map(reader.has_table, cells)):
        return True
    if any(reader.get_tag(cell) == "th" for cell in cells):
        return _is_headed_layout(cells, reader)
    sizes = list(map(reader.count_bytes, cells))
    total = sum(sizes)
    if total < MIN_TEXT_CELL_BYTES:
        return False
    filled = [size for size in sizes if size > 2]
    prose = sum(size for size in sizes if size >= MIN_PARAGRAPH_BYTES)
    if len(filled) > 1 and 2 * len(filled) <= len(cells) and prose >= MIN_ROW_PROSE_SHARE * total:
        # One paragraph a row, beside what keeps it off the edge.
        return True
    if max(sizes) < MIN_TEXT_CELL_BYTES:
        # Notes of one paragraph, each beside a picture of its number.
        notes = [cell for cell, size in zip(cells, sizes, strict=True) if size > 2]
        return 2 * len(notes) <= len(cells) and all(map(reader.is_broken, notes))
    text = sum(
        size
        for cell, size in zip(cells, sizes, strict=True)
        if size >= MIN_TEXT_CELL_BYTES and reader.is_broken(cell)
    )
    if text >= MIN_TEXT_SHARE * total:
        return True
    # A column, or a row of its own, of running text: nobody writes a value of several sentences beside none.
    menus = sum(
        size for cell, size in zip(cells, sizes, strict=True) if size > 2 and is_menu(cell, size, reader)
    )
    return len(filled) == 1 or (menus > 0 and max(sizes) >= MIN_TEXT_SHARE * (total - menus))


def _is_headed_layout(cells: Sequence[Node], reader: TreeReader[Node]) -> bool:
    """Return whether a table with cells or a row of headings lays out a page: one cell is a menu, and another, in
    paragraphs, has most of the rest."""
    if len(cells) > MAX_HEADED_CELLS:
        return False
    sizes = list(map(reader.count_bytes, cells))
    largest = max(range(len(cells)), key=sizes.__getitem__)
    if sizes[largest] < 2 * MIN_TEXT_CELL_BYTES:
        return False
    menus = sum(
        size for cell, size in zip(cells, sizes, strict=True) if size > 2 and is_menu(cell, size, reader)
    )
    rest = sum(sizes) - menus
    return menus > 0 and sizes[largest] >= MIN_TEXT_SHARE * rest and reader.is_broken(cells[largest])


def is_menu(cell: Node, size: int, reader: TreeReader[Node]) -> bool:
    """Return whether links are most of the text of a cell, `size` bytes."""
    links = reader.count_linked(cell)
    return links > 0 and links >= MIN_MENU_LINK_SHARE * size


def tell_menus(cells: Sequence[Node], reader: TreeReader[Node]) -> list[bool]:
    """Return for each cell of a layout whether it is a menu beside text."""
    sizes = list(map(reader.count_bytes, cells))
    if len(sizes) == 1 or max(sizes, default=0) < MIN_TEXT_CELL_BYTES:
        return [False] * len(cells)
    menus = [is_menu(cell, size, reader) for cell, size in zip(cells, sizes, strict=True)]
    if any(not menu and size >= MIN_TEXT_CELL_BYTES for menu, size in zip(menus, sizes, strict=True)):
        return menus
    return [False] * len(cells)


def _is_broken(cell: HtmlElement) -> bool:
    """Return whether a cell has paragraphs or lines of its own."""
    breaks = 0
    for element in cell.iterdescendants():
        if element.tag in BREAKING:
            return True
        breaks += element.tag == "br"
        if breaks > 1:
            return True
    return False


def _count_linked(cell: HtmlElement) -> int:
    return sum(_count_bytes(link) for link in cell.iter("a") if link.get("href") is not None)


def _count_bytes(element: HtmlElement) -> int:
    return len("".join("".join(element.itertext()).split()).encode("utf-8", "replace"))


_LXML: TreeReader[HtmlElement] = TreeReader(
    get_tag=lambda cell: str(cell.tag),
    has_table=lambda cell: cell.find(".//table") is not None,
    count_bytes=_count_bytes,
    count_linked=_count_linked,
    is_broken=_is_broken,
)


def _unwrap(table: HtmlElement, cells: list[HtmlElement]) -> None:
    menus = tell_menus(cells, _LXML)
    rows = {cell.getparent() for cell in cells}
    parts = {row.getparent() for row in rows}
    for cell, menu in zip(cells, menus, strict=True):
        cell.tag = "nav" if menu else "div"
        _drop_table_attributes(cell)
        if cell.tag == "div":
            strip_tags(cell, "font", "center")
            _strip_wrappers(cell)
            for link in _SILENT_LINKS(cell):
                link.drop_tag()
            _split_lines(cell)
            hold_loose_text(cell)
            for child in cell:
                if child.tag == "div" and is_paragraph(child, MIN_SIBLING_BYTES):
                    become_paragraph(child)
    for element in (*rows, *parts, table):
        if element is not None and element.tag in ("tr", "table", *_ROW_GROUPS):
            element.tag = "div"
    _drop_table_attributes(table)


def _strip_wrappers(cell: HtmlElement) -> None:
    """Take away the inline elements around all lines of a cell, such as a `span` that sets its font."""
    for element in list(cell.iter(*_WRAPPERS)):
        if len(element.findall("br")) > 1 or any(child.tag in ("p", "div") for child in element):
            element.drop_tag()


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
