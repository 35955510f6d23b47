"""Keep the items of lists whole: extractors lose or cut those that hold blocks, and mark definitions as items."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice, takewhile

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import BLOCK_TAGS, HTML_SPACES, become_paragraph
from corpus.extract.html.page_elements import count_text, has_block, iter_prose

LISTS, LIST_ITEMS = ("ul", "ol", "dl"), ("li", "dd", "dt")
_ITEM_BLOCKS = frozenset(("div", "p", "section", "article", "blockquote", "center", "address", "main"))
_CARD_PARTS = ("article", "header", "footer", "form", "picture", "nav")
"""What an item that is a page in small has, such as a post of a forum, a product or a menu that opens."""
_ASIDE = re.compile(
    r"galler|slid[ei]|carousel|teaser|related|recent|latest|widget|sharing|social", re.IGNORECASE
)
"""Classes of lists of pictures and of links beside a text."""
MIN_DEFINITIONS = 2
"""Definitions in prose of a list of definitions, half of which are prose."""
MAX_LIST_DEPTH = 50
"""Lists in each other that stay lists: trafilatura calls itself for each."""


def unwrap_items(tree: HtmlElement) -> bool:
    """Make blocks of text in items of lists lines of the item, and return whether there are any: extractors lose or cut
    items that hold blocks."""
    unwrapped = False
    for item in tree.iter(*LIST_ITEMS):
        if not any(child.tag in _ITEM_BLOCKS or child.tag == "span" for child in item):
            continue
        blocks = _list_own_blocks(item)
        if (
            any(map(_is_text_block, blocks))
            and next(item.iter(*_CARD_PARTS), None) is None
            and not _is_aside(item)
        ):
            unwrapped = True
            for block in blocks:
                if _is_text_block(block):
                    _become_line(block)
    return unwrapped


def unwrap_definitions(tree: HtmlElement) -> bool:
    """Make lists of definitions in prose paragraphs, and return whether there is one: no reader sees bullets there, and
    extractors write one before every term and every definition."""
    unwrapped = False
    prose_of = Counter(item.getparent() for item in iter_prose(tree, ("dd",)))
    for items in [items for items in prose_of if items is not None and items.tag == "dl"]:
        definitions = items.findall("dd")
        prose = prose_of[items]
        if prose < MIN_DEFINITIONS or 2 * prose < len(definitions):
            continue
        if next(items.iterancestors("li"), None) is not None:
            continue
        for item in (*items.iterchildren("dt"), *definitions):
            item.tag = "div" if has_block(item) else "p"
            if item.tag == "p":
                become_paragraph(item)
            elif (item.text or "").strip():
                _hold_opening(item)
        items.tag = "div"
        unwrapped = True
    return unwrapped


def _hold_opening(block: HtmlElement) -> None:
    """Put the text before the first block in a block into a paragraph."""
    opening = block.makeelement("p")
    opening.text, block.text = block.text, None
    opening.extend(takewhile(lambda child: child.tag not in BLOCK_TAGS, list(block)))
    block.insert(0, opening)
    become_paragraph(opening)


def flatten_deep_lists(tree: HtmlElement) -> None:
    """Make items of lists in more than `MAX_LIST_DEPTH` others text of the item around them."""
    if sum(1 for _ in tree.iter(*LISTS)) <= MAX_LIST_DEPTH:
        return
    depth = 0
    deep: list[HtmlElement] = []
    for event, element in iterwalk(tree, events=("start", "end"), tag=LISTS):
        depth += 1 if event == "start" else -1
        if event == "start" and depth > MAX_LIST_DEPTH:
            deep.append(element)
    for element in reversed(deep):
        for item in element:
            if item.tag in LIST_ITEMS:
                item.tag = "span"
        element.drop_tag()


def keep_prose_menus(tree: HtmlElement) -> None:
    """Make a `menu` a `ul` that has an item of prose: pages before 2000 write lists so, and extractors drop all."""
    for menu in tree.iter("menu"):
        if next(iter_prose(menu, ("li",)), None) is not None:
            menu.tag = "ul"


def _is_aside(item: HtmlElement) -> bool:
    """Return whether an item is one of a list of pictures, or of links beside the text of a page."""
    around = (item, *islice(item.iterancestors(), 2))
    if any(_ASIDE.search(element.get("class") or "") for element in around if element.tag != "body"):
        return True
    linked = sum(count_text(link) for link in item.iter("a") if link.get("href") is not None)
    return linked > 0 and 2 * linked >= count_text(item)


def _list_own_blocks(item: HtmlElement) -> list[HtmlElement]:
    """Return the blocks of text in an item, in order, between which and the item there are only such blocks."""
    blocks: list[HtmlElement] = []
    inside = list(item)[::-1]
    while inside:
        element = inside.pop()
        if element.tag in _ITEM_BLOCKS:
            blocks.append(element)
        elif element.tag != "span":
            continue
        inside += list(element)[::-1]
    return blocks


def _is_text_block(block: HtmlElement) -> bool:
    """Return whether a block holds text outside of links, or only blocks and lists."""
    text = block.text or ""
    for child in block:
        if child.tag not in BLOCK_TAGS or child.tag in _ITEM_BLOCKS:
            text += child.tail or ""
            if child.tag != "a" and child.tag not in BLOCK_TAGS:
                text += "".join(child.itertext())
    return bool(text.strip())


def _become_line(block: HtmlElement) -> None:
    """Replace a block by its content, with line breaks where text stands before and behind it."""
    parent = block.getparent()
    previous = block.getprevious()
    before = HTML_SPACES.sub(" ", (previous.tail if previous is not None else parent.text) or "").rstrip(" ")
    if previous is None or previous.tag in BLOCK_TAGS or previous.tag == "br":
        before = before.lstrip(" ")
    if previous is not None:
        previous.tail = before
    else:
        parent.text = before
    if before.strip() or (previous is not None and previous.tag not in ("ul", "ol", "dl", "br")):
        block.addprevious(block.makeelement("br"))
    tail = (block.tail or "").strip()
    following = block.getnext()
    if tail or (following is not None and following.tag not in BLOCK_TAGS and following.tag != "br"):
        broken = block.makeelement("br")
        broken.tail, block.tail = block.tail, None
        block.addnext(broken)
    block.text = HTML_SPACES.sub(" ", block.text or "").lstrip()
    for child in block:
        child.tail = HTML_SPACES.sub(" ", child.tail or "")
    block.drop_tag()


def set_listings_apart(tree: HtmlElement) -> None:
    """Give a `pre` in an item lines of its own, and make it plain: extractors join its lines, and those around it."""
    for listing in list(tree.iter("pre")):
        if next(listing.iterancestors(*LIST_ITEMS), None) is None:
            continue
        for broken in listing.iter("br"):
            broken.text = "\n"
        text = "".join(listing.itertext())
        del listing[:]
        listing.tag, listing.text = "code", text.strip("\r\n")
        listing.addprevious(listing.makeelement("br"))
        if (listing.tail or "").strip():
            broken = listing.makeelement("br")
            broken.tail, listing.tail = listing.tail, None
            listing.addnext(broken)
