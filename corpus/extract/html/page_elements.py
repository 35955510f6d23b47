"""What the mendings of a page's tree ask of an element, and do to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from lxml.etree import XPath
from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import BLOCK_TAGS, MIN_PARAGRAPH_BYTES

STRING = XPath("string()", smart_strings=False)
_UNSHOWN = ("script", "style", "noscript")
MAX_INLINE_ELEMENTS = 1000
"""Elements in an element of a line, such as the parts of a formula."""
MIN_PROSE_CHARACTERS = 25
"""Characters that prose has more of: 75 bytes of Chinese."""
_BESIDE_TEXT = ("nav", "header", "footer", "aside")


def count_text(element: HtmlElement) -> int:
    """Return the characters of an element's text, without spaces, scripts and styles."""
    unshown = "".join([inner.text or "" for inner in element.iter(*_UNSHOWN)])
    return count_shown(STRING(element)) - count_shown(unshown)


def count_shown(text: str) -> int:
    return len("".join(text.split()))


def count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def iter_prose(tree: HtmlElement, names: Sequence[str]) -> Iterator[HtmlElement]:
    """Yield the elements of these names that have enough text of their own, outside of links, and are not beside the
    text of a page."""
    for element in tree.iter(*names):
        text = STRING(element)
        if len(text) <= MIN_PROSE_CHARACTERS or (size := count_bytes(text)) < MIN_PARAGRAPH_BYTES:
            continue
        linked = sum(count_bytes(STRING(link)) for link in element.iter("a"))
        if size - linked < MIN_PARAGRAPH_BYTES:
            continue
        if next(element.iterancestors(*_BESIDE_TEXT), None) is None:
            yield element


def has_block(element: HtmlElement) -> bool:
    """Return whether a block is in an element, or so many elements that it is one."""
    inside = 0
    for inner in islice(element.iterdescendants(), MAX_INLINE_ELEMENTS):
        if inner.tag in BLOCK_TAGS:
            return True
        inside += 1
    return inside == MAX_INLINE_ELEMENTS


def get_text_before(element: HtmlElement, parent: HtmlElement) -> str:
    previous = element.getprevious()
    return (previous.tail if previous is not None else parent.text) or ""


def drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def rename(element: HtmlElement, name: str) -> None:
    """Give an element another name, without what extractors take for boilerplate in elements of that name."""
    element.tag = name
    for attribute in ("class", "id", "role"):
        element.attrib.pop(attribute, None)
