"""Mend the tree of a page before any extractor sees it, so that all modes read the same page.

Browsers hide and show other elements than extractors do, and break lines elsewhere: `mend_tree` makes a tree in which
both agree. What it does is in the functions that it calls, one for each kind of element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from lxml.etree import XPath, strip_tags
from lxml.html import HtmlElement

from corpus.extract.html.hidden_elements import CHOICES, CLOSED_TAGS, MARKED, drop_hidden
from corpus.extract.html.layout_tables import unwrap_layout_tables
from corpus.extract.html.list_items import (
    LIST_ITEMS,
    LISTS,
    MAX_LIST_DEPTH,
    flatten_deep_lists,
    keep_prose_menus,
    set_listings_apart,
    unwrap_definitions,
    unwrap_items,
)
from corpus.extract.html.loose_text import (
    hold_loose_text,
    keep_boxes,
    keep_captions,
    keep_figures_of_text,
    keep_summaries,
)
from corpus.extract.html.selectors import PageValues
from corpus.extract.html.sentence_words import (
    DISCARDED_WORDS,
    GLUED_TAGS,
    INLINE_TEXT,
    OWN_TAG,
    PLAIN_WORDS,
    READINGS,
    UNKNOWN_INLINE_TEXT,
    drop_pictures_in_words,
    drop_readings,
    is_short_page,
    keep_plain_words,
    keep_words,
    name_own_elements,
    strip_code_behind_breaks,
    strip_inline,
)
from corpus.extract.html.wrapped_lines import has_cjk_text, join_source_lines

_EMPTY_ANCHOR = "emptyanchor"
_ANCHORS = XPath("//a[not(@href)][not(*) and not(normalize-space())]")
"""What links lead to."""
_OLD_NAMES = {"dir": "ul", "listing": "pre", "xmp": "pre"}
"""Names of early HTML, which browsers know and extractors do not."""


def mend_tree(tree: HtmlElement, html: str, values: PageValues) -> bool:
    """Mend what extractors read otherwise than a browser shows it; `html` is the source of `tree`, `values` are those
    of its attributes.

    Returns whether tables laid out the page, or lists of definitions or the paragraphs of items are other blocks now.
    """
    tags = Counter([element.tag for element in tree.iter("*")])
    hidden = values["hidden"] or " popover" in html or not CHOICES.isdisjoint(values["role"])
    drop_hidden(tree, MARKED(tree) if hidden else (), not tags.keys().isdisjoint(CLOSED_TAGS))
    if any("-" in tag or ":" in tag for tag in tags) and OWN_TAG.search(html):
        name_own_elements(tree)
    for names, mend in _MENDINGS:
        if not tags.keys().isdisjoint(names):
            mend(tree)
    unwrapped = "table" in tags and unwrap_layout_tables(tree)
    unwrapped |= "dl" in tags and unwrap_definitions(tree)
    if sum(tags[name] for name in LISTS) > MAX_LIST_DEPTH:
        flatten_deep_lists(tree)
    unwrapped |= not tags.keys().isdisjoint(LIST_ITEMS) and unwrap_items(tree)
    if not tags.keys().isdisjoint(GLUED_TAGS):
        strip_code_behind_breaks(tree)
    if "br" in tags:
        join_source_lines(tree)
    if "pre" in tags:
        set_listings_apart(tree)
    if has_cjk_text(html):
        strip_tags(tree, *INLINE_TEXT, *UNKNOWN_INLINE_TEXT)
    if (body := tree.find(".//body")) is not None and is_short_page(body):
        strip_inline(body)
        hold_loose_text(body)
    return unwrapped


def _use_new_names(tree: HtmlElement) -> None:
    for element in tree.iter(*_OLD_NAMES):
        element.tag = _OLD_NAMES[element.tag]


def _drop_anchors(tree: HtmlElement) -> None:
    """Take out empty anchors: a short element with these alone for links is boilerplate to extractors."""
    for anchor in _ANCHORS(tree):
        anchor.tag = _EMPTY_ANCHOR
    strip_tags(tree, _EMPTY_ANCHOR)  # all at once: one by one they take quadratic time


_MENDINGS: tuple[tuple[Iterable[str], Callable[[HtmlElement], None]], ...] = (
    (("a",), _drop_anchors),
    (READINGS, drop_readings),
    (("img",), drop_pictures_in_words),
    (DISCARDED_WORDS, keep_words),
    (("figcaption",), keep_captions),
    (("figure",), keep_figures_of_text),
    (PLAIN_WORDS, keep_plain_words),
    (_OLD_NAMES, _use_new_names),
    (("menu",), keep_prose_menus),
    (("fieldset",), keep_boxes),
    (("summary",), keep_summaries),
)
"""Elements, and what mends a page that has some of them, in this order."""
