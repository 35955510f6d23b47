"""Find the element around the prose of a page that names none, without which extractors lose lists and headings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile
from typing import NamedTuple

from lxml.html import HtmlElement
from trafilatura import xpaths

from corpus.extract.html.page_elements import STRING, count_shown, count_text, iter_prose, rename

_ITEMS, _PARAGRAPHS = ("li", "dd"), ("p", "blockquote", "pre")
_FRAMES = ("div", "section", "center", "main", "body", "td", "form")
"""Elements that can hold the main text of a page. Lists cannot: what introduces them stands before them."""
MAX_SMALL_FRAME = 500
"""Characters of a frame that is none where a page has prose of twice as many: a teaser, a card, a header."""
MAX_SMALL_FRAMES = 5
MAX_MISSED = 2
"""Times the text extracted that the prose of a page can have, before it is extracted again without a frame."""
MAX_MISSED_NAMED = 4
"""The same where extractors know another frame by its name."""
MIN_CARDS = 4
MIN_RESTORED_RATIO = 6
"""Times as much prose as is left, from which extractors take back what they have discarded."""


class ProseFrame(NamedTuple):
    """Hold an element around all prose of a page, the characters of that prose, those among them that are no spaces and
    stand in no other block counted, and whether extractors would take another element for the frame by its name."""

    element: HtmlElement
    characters: int
    shown: int
    named: bool

    def is_missed_by(self, text: str) -> bool:
        """Return whether so little of the prose is in `text`, extracted with this frame, that extractors can find more
        without it. Where another element has the name of a frame, they seldom do."""
        return (MAX_MISSED_NAMED if self.named else MAX_MISSED) * count_shown(text) < self.shown


def find_prose_frame(tree: HtmlElement, unwrapped: bool = False) -> ProseFrame | None:
    """Return the element that holds all prose of a page where the page names no frame but has a list of prose, or
    layout tables, definitions or items that were unwrapped: without a frame, extractors collect paragraphs alone and
    lose every list and heading.

    None for a page with a frame; one that holds little beside the prose is none.
    """
    items = iter_prose(tree, _ITEMS)
    first = next(items, None)
    if first is None and not unwrapped:
        return None
    named = _find_named_frame(tree)
    if named is not None and (count_text(named) >= MAX_SMALL_FRAME or _is_card(named, tree)):
        return None
    seen = () if first is None else (first,)
    blocks = [*seen, *items, *iter_prose(tree, _PARAGRAPHS)]
    frame, characters = _find_frame(tree, blocks)
    if frame is None or (named is not None and characters < 2 * MAX_SMALL_FRAME):
        return None
    return ProseFrame(frame, characters, _count_outermost(blocks), named is not None)


def _count_outermost(blocks: Iterable[HtmlElement]) -> int:
    """Return the characters of blocks that are no spaces: items in items are counted once."""
    counted: set[HtmlElement] = set()
    characters = 0
    for block in blocks:
        if counted.isdisjoint(block.iterancestors()):
            counted.add(block)
            characters += count_shown(STRING(block))
    return characters


def set_frame(tree: HtmlElement, frame: ProseFrame) -> None:
    """Make the frame of a page's prose an `article`, unless a large frame is left whose name extractors know."""
    if not frame.named or not _keeps_large_frame(tree, frame.characters):
        _make_article(frame.element)


def _make_article(frame: HtmlElement) -> None:
    """Make an element an `article`, or put one around all that is in it."""
    if frame.tag in ("div", "section", "center"):
        frame.tag = "article"
        return
    article = frame.makeelement("article")
    article.text, frame.text = frame.text, None
    article.extend(list(frame))
    frame.append(article)


def _find_named_frame(tree: HtmlElement) -> HtmlElement | None:
    """Return the element that extractors take for the frame of a page's text by its name, if any."""
    for select in xpaths.BODY_XPATH:
        if (named := _get_first(select(tree))) is not None:
            return named
    return None


def _keeps_large_frame(tree: HtmlElement, characters: int) -> bool:
    """Take the names from the frames that extractors would try before one that holds half of the `characters` of a
    page's prose, and return whether there is such a one."""
    for select in xpaths.BODY_XPATH:
        for _ in range(MAX_SMALL_FRAMES):
            if (named := _get_first(select(tree))) is None:
                break
            if count_text(named) >= characters // 2:
                return True
            rename(named, "div" if named.tag in ("article", "main") else str(named.tag))
    return False


def _get_first(elements: list[HtmlElement]) -> HtmlElement | None:
    return elements[0] if elements else None


def _is_card(element: HtmlElement, tree: HtmlElement) -> bool:
    """Return whether an element is one of several of its make, such as products, reviews or teasers."""
    make = (element.get("class"), element.get("itemtype"))
    alike = (other for other in tree.iter(element.tag) if (other.get("class"), other.get("itemtype")) == make)
    return sum(1 for _ in islice(alike, MIN_CARDS)) == MIN_CARDS


def _find_frame(tree: HtmlElement, blocks: Iterable[HtmlElement]) -> tuple[HtmlElement | None, int]:
    """Return the smallest element around all prose of a page that extractors do not discard, and around the lists of
    its items, None if there is none in `body`, and the characters of that prose, with the discarded if it is most."""
    discarded = {element for select in xpaths.OVERALL_DISCARD_XPATH for element in select(tree)}
    kept: list[list[HtmlElement]] = []
    lost: list[list[HtmlElement]] = []
    characters = {True: 0, False: 0}
    outer: dict[HtmlElement, tuple[list[HtmlElement], bool]] = {}
    for block in blocks:
        parent = block.getparent()
        if parent not in outer:
            ancestors = [*block.iterancestors()][::-1]
            outer[parent] = ancestors, discarded.isdisjoint(ancestors)
        ancestors, stays = outer[parent]
        stays = stays and block not in discarded
        group = kept if stays else lost
        if not group or group[-1] is not ancestors:
            group.append(ancestors)
        characters[stays] += len(STRING(block))
    if characters[False] >= MIN_RESTORED_RATIO * characters[True]:
        kept += lost
    around = kept[0] if kept else []
    for ancestors in kept[1:]:
        shared = takewhile(lambda pair: pair[0] is pair[1], zip(around, ancestors, strict=False))
        around = [outer for outer, _ in shared]
    frame = next((outer for outer in reversed(around) if outer.tag in _FRAMES), None)
    return frame, characters[True] + (characters[False] if characters[False] > characters[True] else 0)
