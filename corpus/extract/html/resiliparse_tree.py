"""Mend resiliparse's own tree of a page: what `page_tree` does, where an lxml tree would cost too much.

Resiliparse walks the whole page for a query, and again for each element of its result that is iterated over or
indexed; a slice takes all in one walk. So one query finds all there is to mend.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cache
from typing import Any

from corpus.extract.html.captions import find_caption
from corpus.extract.html.div_paragraphs import MIN_PARAGRAPH_BYTES
from corpus.extract.html.hidden_elements import MAX_LARGE_HIDDEN, is_sent_for_scripts, list_opened
from corpus.extract.html.layout_tables import (
    BREAKING,
    MAX_EXAMINED_CELLS,
    MAX_HEADED_CELLS,
    MIN_TEXT_CELL_BYTES,
    PRESENTATION,
    SECTIONS,
    TreeReader,
    is_layout,
    tell_menus,
)
from corpus.extract.html.sentence_words import INLINE_TAGS, INLINE_TEXT, PROSE_LINES

MIN_CELL_CHARACTERS = 50
"""Characters of a table that can hold text: 150 bytes of Chinese."""
MIN_READ_CELLS = 3
"""Cells of a table whose texts alone tell that it is too small to hold text."""
MIN_CHARACTERS_A_LINK = 60
"""Characters of a list for each link in it: with fewer it may be a menu."""
MAX_LINK_SHARE = 0.5
"""Share of links in the text of an item that is a sentence."""
MIN_SENTENCE_BYTES = 18
"""Bytes of such an item without spaces: 6 Chinese characters."""
MIN_LIST_CHARACTERS = 10
"""Characters of a list that can be one of text."""
_THREE_BYTES = "\u0800-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufefe\uff00-\uffef"
"""Characters of three bytes but for spaces, in a pattern."""
_SINGLE = re.compile(f">[{_THREE_BYTES} ](?:(?<! )|(?<= )[{_THREE_BYTES}])(?= ?<)")
"""A text of one character of three bytes, and of spaces around it. What stands behind most tags ends a try at once."""
HOLDER = "\u2060"
"""What is put behind such a character: a word joiner, which no page shows."""
_SHALLOW_LISTS = ":is(body, body > *, body > * > *) > ul"
_LINES = "p, li, dd, dt, td, blockquote, h1, h2, h3, h4"
_MENUS = ":is(form, nav, header, footer) *"
_MENDED = (
    f"[hidden], [popover], dialog, time, label:not({_MENUS}, :is(input, select, textarea) ~ *),"
    f":is({_LINES}) > button:not({_MENUS}), figcaption, figure > blockquote, table, ruby, {_SHALLOW_LISTS}"
)
"""What is mended. Each selector costs as much as a third of a walk through the page, and each node that it takes, as
each that is asked for, as much as asking one for ten attributes."""
_WORD = re.compile(r"[^\W_]")
_FIELDS = ("input", "select", "textarea")
_OPENING = "[aria-controls][aria-expanded]:not([aria-haspopup]):not(:is(nav, header, footer) *)"
MAX_INLINE_PARENTS = 3
_READINGS = "rt, rp, rtc"
MAX_MENDED = 500
"""Tables, and captions, of a page that are mended: what they hold in each other is read for each."""
_DATA_SIGNS = ("th", "caption", "thead", "tfoot")
"""What tells of a table that it has data in it."""
_BREAKING = sorted(BREAKING, key=("p", "div").__contains__, reverse=True)
"""What breaks lines in cells, the most common first."""


def hold_single_characters(html: str) -> str:
    """Return the source of a page with `HOLDER` behind each character of three bytes that stands alone between two
    tags: resiliparse loses such texts, as of `<b>海</b>的<i>船</i>` and of `<b>1</b> – <b>2</b>`."""
    return html if html.isascii() or _is_latin_1(html) else _SINGLE.sub(rf"\g<0>{HOLDER}", html)


def _is_latin_1(html: str) -> bool:
    """Return whether no character is beyond Latin-1: the first that is ends the look."""
    try:
        html.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def mend_page(page: Any) -> None:
    """Do to the tree `page` what resiliparse needs of `page_tree.mend_tree`, and put `div`s around lists of text near
    `body`, which it would take for menus."""
    body = page.body
    if body is None:
        return
    hidden, lists, tables, captions = [], [], [], []
    for element in body.query_selector_all(_MENDED)[:]:
        tag = element.tag
        if tag == "dialog":
            if not element.hasattr("open"):
                element.remove()
        elif element.hasattr("popover"):
            element.remove()
        elif element.hasattr("hidden"):
            hidden.append(element)
        elif tag == "blockquote":
            _take_out_of_figure(element)
        elif tag in ("time", "label", "button"):
            if _is_word(element):
                _rename(page, element, "span")
        elif tag == "ruby":
            _drop_readings(page, element)
        elif tag == "figcaption":
            captions.append(element)
        elif tag == "table":
            tables.append(element)
        elif tag == "ul":
            lists.append(element)
    if hidden:
        _show_hidden(page, hidden)
    for caption in captions[:MAX_MENDED]:
        _keep_caption(page, caption)
    for items in lists:
        _deepen_list(page, items)
    for table in reversed(tables[:MAX_MENDED]):
        if table.parent is not None and table.parent.tag == "figure":
            _take_out_of_figure(table)
        _unwrap_layout(page, table)


def _show_hidden(page: Any, hidden: list[Any]) -> None:
    """Show what a page sends hidden for its scripts to show: see `page_tree`. Resiliparse leaves out the rest."""
    characters: int | None = None
    opened: Set[str] | None = None
    large = 0
    for element in hidden:
        if not (size := len(element.text)):
            continue
        attributes = {name: element.getattr(name) or "" for name in ("id", "hidden", "role")}
        if opened is None and attributes["id"]:
            opened = _list_opened(page)
        shown = is_sent_for_scripts(element.tag, attributes, opened or frozenset())
        if not shown and large < MAX_LARGE_HIDDEN:
            characters = len(page.body.text) if characters is None else characters
            shown = 2 * size > characters
            large += shown
        if shown:
            element.delattr("hidden")


def _list_opened(page: Any) -> Set[str]:
    buttons = page.body.query_selector_all(_OPENING)[:]
    return list_opened(button.getattr("aria-controls") or "" for button in buttons)


def _is_in_sentence(element: Any) -> bool:
    """Return whether text stands beside an element, or beside the inline element that holds it alone."""
    inner = element
    for _ in range(MAX_INLINE_PARENTS):
        after, before = _pass_comments(inner.next, "next"), _pass_comments(inner.prev, "prev")
        if _is_text(after) or _is_text(before):
            return True
        parent = inner.parent
        if after is not None or before is not None:
            return inner is element and _is_in_prose(element, parent)
        if parent.tag not in INLINE_TAGS:
            return False
        inner = parent
    return False


def _is_in_prose(element: Any, line: Any) -> bool:
    """Return whether an element stands beside inline elements in a line that is prose: see `sentence_words`."""
    if line.tag not in PROSE_LINES or _count_bytes(line) - _count_bytes(element) < MIN_PARAGRAPH_BYTES:
        return False
    inside = [child.tag for child in line.children[:]]
    return len(inside) > 1 and all(
        tag == "time" or tag == element.tag or tag in INLINE_TEXT for tag in inside
    )


def _pass_comments(node: Any, way: str) -> Any:
    """Return a node, or the next that is no comment, `way` being "next" or "prev"."""
    while node is not None and node.tag == "#comment":
        node = getattr(node, way)
    return node


def _is_word(element: Any) -> bool:
    """Return whether a `time`, `label` or `button` holds words of a sentence: see `page_tree`."""
    if element.tag == "button":
        return _is_text(element.prev) and _is_text(element.next)
    if not _is_in_sentence(element):
        return False
    return element.tag == "time" or not any(child.tag in _FIELDS for child in element.parent.children[:])


def _is_text(node: Any) -> bool:
    """Return whether a node is text with a letter or digit in it."""
    return node is not None and node.tag == "#text" and _WORD.search(node.value) is not None


def _rename(page: Any, element: Any, name: str) -> Any:
    """Replace an element by one of another name with the same content, and return it."""
    renamed = page.create_element(name)
    while (child := element.first_child) is not None:
        renamed.append_child(child)
    element.replace_with(renamed)
    return renamed


def _drop_readings(page: Any, ruby: Any) -> None:
    """Replace a ruby by its base text, in one node with the text beside it: resiliparse loses single characters."""
    for reading in ruby.query_selector_all(_READINGS)[:]:
        reading.remove()
    text = ruby.text
    if (before := ruby.prev) is not None and before.tag == "#text":
        text = before.value + text
        before.parent.remove_child(before)
    if (after := ruby.next) is not None and after.tag == "#text":
        text += after.value
        after.parent.remove_child(after)
    ruby.replace_with(page.create_text_node(text))


def _keep_caption(page: Any, element: Any) -> None:
    """Put a caption that says something before its figure, as a paragraph."""
    figure = element.parent
    if (
        figure is None
        or figure.tag != "figure"
        or figure.hasattr("hidden")
        or (said := find_caption(element.text)) is None
    ):
        return
    paragraph = page.create_element("p")
    paragraph.text = said
    figure.before(paragraph)


def _take_out_of_figure(element: Any) -> None:
    """Put a quotation or a table before its figure, unless it is pulled out of the text: all figures are dropped."""
    figure = element.parent
    if "pull" not in (figure.getattr("class") or "") and not figure.hasattr("hidden"):
        figure.before(element)


def _is_list_of_sentences(items: Any) -> bool:
    """Return whether each item of a list has a link in a sentence: most menus are told by their first."""
    first = items.first_element_child
    if first is None or not _is_sentence(first):
        return False
    others = items.children[1:]
    return len(others) > 0 and all(map(_is_sentence, others))


def _is_sentence(item: Any) -> bool:
    linked = _count_linked(item)
    size = _count_bytes(item)
    return size >= MIN_SENTENCE_BYTES and 0 < linked <= MAX_LINK_SHARE * size


def _deepen_list(page: Any, items: Any) -> None:
    """Put `div`s around a list of text: resiliparse takes one with fewer than three elements around it for a menu, and
    any with more than a fifth of its text in links, which those of short sentences have."""
    text = len(items.text.strip())
    if text < MIN_LIST_CHARACTERS:
        return
    links = items.get_elements_by_tag_name("a")
    if text < MIN_CHARACTERS_A_LINK * len(links):
        if not _is_list_of_sentences(items):
            return
        for link in links[:]:
            _rename(page, link, "span")
    for _ in range(3):
        around = page.create_element("div")
        items.before(around)
        around.append_child(items)


def _count_bytes(element: Any) -> int:
    return len("".join(element.text.split()).encode("utf-8", "replace"))


def _count_linked(cell: Any) -> int:
    if not _has(cell, "a"):
        return 0
    return sum(map(_count_bytes, cell.query_selector_all("a[href]")[:]))


def _is_broken(cell: Any) -> bool:
    return any(_has(cell, name) for name in _BREAKING) or len(cell.get_elements_by_tag_name("br")) > 1


def _make_reader(nested: bool) -> TreeReader[Any]:
    """Make the reader of the cells of one table, which counts each once. Of `nested` tables, which cell holds them does
    not matter."""
    return TreeReader(
        get_tag=lambda cell: cell.tag,
        has_table=lambda cell: nested,
        count_bytes=cache(_count_bytes),
        count_linked=_count_linked,
        is_broken=_is_broken,
    )


def _list_cells(parts: list[Any]) -> list[Any]:
    """Return the cells of a table with these `parts`, without those of tables in it."""
    cells: list[Any] = []
    for part in parts:
        for row in part.children[:] if part.tag in SECTIONS else (part,):
            if row.tag == "tr":
                cells += [cell for cell in row.children[:] if cell.tag in ("td", "th")]
    return cells


def _has(element: Any, name: str) -> bool:
    """Return whether an element of this name is in another."""
    return len(element.get_elements_by_tag_name(name)) > 0


def _may_be_layout(table: Any, cells: int, role: str | None) -> bool:
    """Return whether a table with as many cells and no table in it may be a layout: `is_layout` asks for more."""
    if not 0 < cells <= MAX_EXAMINED_CELLS:
        return False
    if cells == 1 or (role or "").lower() in PRESENTATION:
        return True
    text = _count_bytes(table)
    if text < MIN_TEXT_CELL_BYTES:
        return False
    if not any(_has(table, name) for name in _DATA_SIGNS):
        return True
    return text >= 2 * MIN_TEXT_CELL_BYTES and (role is not None or cells <= MAX_HEADED_CELLS)


def _unwrap_layout(page: Any, table: Any) -> None:
    """Turn a table that is a layout into `div`s, its menus into `nav`s."""
    # Each node that is taken out of the tree costs as much as reading a cell, and each selector that is parsed, as
    # counting the elements of three names: most tables are told by counting.
    role = table.getattr("role")
    nested = _has(table, "table")
    if not nested:
        count = sum(len(table.get_elements_by_tag_name(name)) for name in ("td", "th"))
        if not _may_be_layout(table, count, role):
            return
    parts = table.children[:]
    cells = _list_cells(parts) if nested else table.query_selector_all("td, th")[:]
    if not cells or len(cells) > MAX_EXAMINED_CELLS:
        return
    if len(cells) < MIN_READ_CELLS and len(table.text) < MIN_CELL_CHARACTERS:
        return
    reader = _make_reader(nested)
    if not is_layout(role, [part.tag for part in parts], cells, reader):
        return
    around = page.create_element("div")
    held = around
    for _ in range(2):  # so deep that its lists are none near `body`
        outer = page.create_element("div")
        outer.append_child(held)
        held = outer
    for cell, menu in zip(cells, tell_menus(cells, reader), strict=True):
        around.append_child(_rename(page, cell, "nav" if menu else "div"))
    table.replace_with(held)
