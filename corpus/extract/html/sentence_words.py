"""Keep the words of a sentence that stand in elements which extractors drop, cut off or glue to their neighbours."""

from __future__ import annotations

import re
from itertools import chain, islice, takewhile

from lxml.etree import XPath, strip_tags
from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import BLOCK_TAGS, MIN_PARAGRAPH_BYTES
from corpus.extract.html.page_elements import STRING, count_bytes, drop, get_text_before, has_block, rename

_OWN = XPath("//body//*[contains(name(), '-') or contains(name(), ':')]")
_HIDDEN_CLASS = re.compile(r"(?:^|[\s_-])(?:hide|hidden|invisible)(?=$|[\s_-])")
OWN_TAG = re.compile(r"</[A-Za-z][A-Za-z0-9]*[-:]")
GLUED_TAGS = ("code", "del", "s", "strike")
DISCARDED_WORDS = ("time", "label", "output", "button", "blink", "marquee", "noindex", "menuitem", "map")
"""Elements that a browser shows in their line, and extractors drop."""
PLAIN_WORDS = ("q", "slot")
FIELDS = frozenset(("input", "select", "textarea"))
READINGS = ("rt", "rp", "rtc")
PROSE_LINES = ("p", "li", "dd", "td", "blockquote")
INLINE_TEXT = (
    *("b", "strong", "em", "i", "u", "font", "big", "small"),
    *("tt", "ins", "bdi", "bdo", "cite", "dfn", "abbr"),
)
_LINES = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "figcaption", "summary", "pre"))
"""Elements whose content is one run of text."""
UNKNOWN_INLINE_TEXT = ("acronym", "nobr", "wbr")
INLINE_TAGS = frozenset(
    (*INLINE_TEXT, "a", "span", "code", "kbd", "label", "mark", "q", "s", "samp", "sub", "sup", "var")
)
_TORN_TAGS = (*INLINE_TAGS - {"label", "q"}, "del")
"""Inline elements at which extractors that read a short page piece by piece begin a line."""
MAX_INLINE_DEPTH = 20
MAX_LINE_ELEMENTS = 10
"""Elements that stand between an element and the text of its line."""
MAX_WORD_CHARACTERS = 40
"""Characters of an element that stands between an element and the text of its line."""
MAX_SHORT_BYTES = 1500
"""Bytes of a page's text up to which extractors fall back on reading it piece by piece."""


def drop_readings(tree: HtmlElement) -> None:
    """Drop the readings of ruby, and its parentheses; the base texts that an unclosed reading swallowed stay."""
    readings = list(tree.iter(*READINGS))
    for element in readings:
        if element.getparent() is None:
            continue
        for base in element.findall(".//rb"):
            element.addprevious(base)
        drop(element)
    if readings:
        strip_tags(tree, "ruby", "rb")


def name_own_elements(tree: HtmlElement) -> None:
    """Give elements of a page's own (`my-text`) the name of what they are: `span` in a sentence, else `div`."""
    for element in _OWN(tree):
        if _HIDDEN_CLASS.search(element.get("class") or ""):
            continue
        rename(element, "span" if _is_in_line(element) and not has_block(element) else "div")


def keep_plain_words(tree: HtmlElement) -> None:
    """Make quotations and slots `span`s: a browser shows them in their line, and extractors lose some."""
    for element in tree.iter(*PLAIN_WORDS):
        element.tag = "span"


def keep_words(tree: HtmlElement) -> None:
    """Make elements `span`s that extractors drop with their words, where those are words of a sentence: a `time` that
    stands alone is a date line, a `label` beside a field names it, and a `button` behind a text is none of it."""
    for element in list(tree.iter(*DISCARDED_WORDS)):
        if not (_is_in_sentence(element) or _is_in_prose(element)) or has_block(element):
            continue
        if element.tag == "label" and _has_field_beside(element):
            continue
        if element.tag == "button" and not _is_within_sentence(element):
            continue
        element.tag = "span"


def drop_pictures_in_words(tree: HtmlElement) -> None:
    """Drop a picture that floats beside the text from within a word, which would become two lines."""
    for picture in list(tree.iter("img")):
        behind = (picture.tail or "")[:1]
        # A capital begins a word of its own: `Home<img>News`.
        if not behind.isalpha() or behind.isupper() or (parent := picture.getparent()) is None:
            continue
        if get_text_before(picture, parent)[-1:].isalpha():
            drop(picture)


def _has_field_beside(label: HtmlElement) -> bool:
    parent = label.getparent()
    return parent is not None and any(child.tag in FIELDS for child in parent)


def _is_within_sentence(element: HtmlElement) -> bool:
    """Return whether text with a letter or digit in it stands directly before and behind an element."""
    parent = element.getparent()
    before = get_text_before(element, parent) if parent is not None else ""
    return any(map(str.isalnum, before)) and any(map(str.isalnum, element.tail or ""))


def _is_in_sentence(element: HtmlElement) -> bool:
    """Return whether text of the same line, with a letter or digit in it, stands beside an element."""
    for outer in chain((element,), islice(element.iterancestors(), MAX_INLINE_DEPTH)):
        parent = outer.getparent()
        if parent is None:
            return False
        if any(map(str.isalnum, outer.tail or "")) or any(map(str.isalnum, get_text_before(outer, parent))):
            return True
        if parent.tag not in INLINE_TAGS or len(parent) != 1:
            return False
    return False


def _is_in_prose(element: HtmlElement) -> bool:
    """Return whether an element stands beside inline elements in a line that is prose: `<b>from</b> <time>`."""
    line = element.getparent()
    if line is None or line.tag not in PROSE_LINES or len(line) < 2:
        return False
    if any(child.tag not in INLINE_TEXT and child is not element for child in line if child.tag != "time"):
        return False
    return count_bytes(STRING(line)) - count_bytes(STRING(element)) >= MIN_PARAGRAPH_BYTES


def _is_in_line(element: HtmlElement) -> bool:
    """Return whether an element of a page's own stands in a line of text: in a paragraph or heading, or where text is
    beside it or beside the inline elements around it, if only a sign (`(<x-n>3</x-n>, <x-n>4</x-n>)`)."""
    for outer in chain((element,), islice(element.iterancestors(), MAX_INLINE_DEPTH)):
        parent = outer.getparent()
        if parent is None:
            return False
        if parent.tag in _LINES or _has_text_beside(outer, parent):
            return True
        if parent.tag not in INLINE_TAGS:
            return False
    return False


def _has_text_beside(element: HtmlElement, parent: HtmlElement) -> bool:
    """Return whether text that is no space stands beside an element, or beside the short elements next to it."""
    left: HtmlElement | None = element
    for _ in range(MAX_LINE_ELEMENTS):
        if left is None or (left is not element and not _is_short(left)):
            break
        if get_text_before(left, parent).strip():
            return True
        left = left.getprevious()
    right: HtmlElement | None = element
    for _ in range(MAX_LINE_ELEMENTS):
        if right is None or (right is not element and not _is_short(right)):
            break
        if (right.tail or "").strip():
            return True
        right = right.getnext()
    return False


def _is_short(element: HtmlElement) -> bool:
    """Return whether an element can be a word or number within a line."""
    if element.tag in BLOCK_TAGS or element.tag == "br":
        return False
    inside = list(islice(element.iter(), MAX_LINE_ELEMENTS))
    return len(inside) < MAX_LINE_ELEMENTS and sum(map(len, element.itertext())) <= MAX_WORD_CHARACTERS


def strip_code_behind_breaks(tree: HtmlElement) -> None:
    """Make code and deleted words in lines behind a `br` plain: extractors glue them to the word before."""
    for broken in tree.iter("br"):
        if not (broken.tail or "").strip() or broken.getparent().tag == "pre":
            continue
        for element in takewhile(
            lambda other: other.tag != "br" and other.tag not in BLOCK_TAGS, broken.itersiblings()
        ):
            for inner in element.iter(*GLUED_TAGS):
                inner.tag = "span"


def strip_inline(body: HtmlElement) -> None:
    """Take the inline tags out of the sentences of a short page, whose pieces would become lines."""
    strip_tags(body, *UNKNOWN_INLINE_TEXT)
    for element in list(body.iter(*_TORN_TAGS)):
        if element.getparent() is None or has_block(element):
            continue
        if _is_in_sentence(element) or _touches_words(element):
            element.drop_tag()


def is_short_page(body: HtmlElement) -> bool:
    """Return whether a body has up to `MAX_SHORT_BYTES` of text, scripts with it; of others little more is read."""
    size = 0
    for text in body.itertext():
        size += count_bytes(text)
        if size > MAX_SHORT_BYTES:
            return False
    return True


def _touches_words(element: HtmlElement) -> bool:
    """Return whether an inline element with text stands directly beside an element, without a space between them."""
    before, after = element.getprevious(), element.getnext()
    return (
        before is not None and not before.tail and before.tag in INLINE_TAGS and bool(STRING(before))
    ) or (after is not None and not element.tail and after.tag in INLINE_TAGS and bool(STRING(after)))
