"""Mend the tree of a page before any extractor sees it, so that all modes read the same page.

Browsers hide and show other elements than extractors do, and break lines elsewhere: `mend_tree` makes a tree in which
both agree. What it does is in the functions that it calls, one for each kind of element.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain, islice, takewhile
from typing import NamedTuple

from lxml.etree import XPath, iterwalk, strip_tags
from lxml.html import HtmlElement
from trafilatura import xpaths

from corpus.extract.html.captions import find_caption
from corpus.extract.html.div_paragraphs import BLOCK_TAGS, HTML_SPACES, MIN_PARAGRAPH_BYTES, become_paragraph
from corpus.extract.html.layout_tables import unwrap_layout_tables
from corpus.extract.html.selectors import PageValues

_HIDDEN_INSIDE = XPath(".//*[@hidden]")
_STRING = XPath("string()", smart_strings=False)
_OPENED = XPath(
    "//*[@aria-controls][@aria-expanded][not(@aria-haspopup)]"
    "[not(ancestor::nav or ancestor::header or ancestor::footer)]/@aria-controls"
)
"""What buttons in a text open."""
_CHOICES = frozenset(("listbox", "option", "menuitemradio", "menuitemcheckbox"))
"""Roles of controls that a page makes itself, where others have a `select`."""
_MARKED = XPath(
    "descendant-or-self::*[@hidden or " + " or ".join(f"@role='{role}'" for role in sorted(_CHOICES)) + "]"
)
"""What is hidden, and controls of a choice."""
PANEL_TAGS = frozenset(("div", "section", "article", "dd", "p"))
PANEL_ROLES = frozenset((None, "", "region", "group", "tabpanel", "presentation", "none", "article"))
"""Elements, and their roles, that can be panels of text: no menus, lists of choices or dialogs."""
MAX_LARGE_HIDDEN = 8
"""Hidden blocks in each other that can hold most of a page's text: bounds the work on hostile nesting."""
STREAMED_PART = re.compile(r"(?:^|:|_|-)S:[0-9a-fA-F]+$")
"""The id of a part of a page that React streams behind it, hidden until a script puts it in its place."""
_UNSHOWN = ("script", "style", "noscript")
_SILENT = ("script", "style")
_LINKED_DATA = "application/ld+json"
"""The type of scripts that extractors read."""
_CLOSED_TAGS = ("template", "dialog")
_NEVER_HIDDEN = ("html", "body", "main")
_OWN = XPath("//body//*[contains(name(), '-')]")
_HIDDEN_CLASS = re.compile(r"(?:^|[\s_-])(?:hide|hidden|invisible)(?=$|[\s_-])")
_OWN_TAG = re.compile(r"</[A-Za-z][A-Za-z0-9]*-")
MIN_PROSE_CHARACTERS = 25
"""Characters that prose has more of: 75 bytes of Chinese."""
_ITEMS, _PARAGRAPHS = ("li", "dd"), ("p", "blockquote", "pre")
_BESIDE_TEXT = ("nav", "header", "footer", "aside")
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
_LISTS, _LIST_ITEMS = ("ul", "ol", "dl"), ("li", "dd", "dt")
_GLUED_TAGS = ("code", "del", "s", "strike")
_DISCARDED_WORDS = ("time", "label", "output", "button", "blink", "marquee", "noindex", "menuitem")
"""Elements that a browser shows in their line, and extractors drop."""
_PLAIN_WORDS = ("q", "slot")
"""Elements that a browser shows in their line, and extractors lose in some places."""
_OLD_NAMES = {"dir": "ul", "listing": "pre", "xmp": "pre"}
"""Names of early HTML, which browsers know and extractors do not."""
_FIELDS = frozenset(("input", "select", "textarea"))
_READINGS = ("rt", "rp", "rtc")
_ITEM_BLOCKS = frozenset(("div", "p", "section", "article", "blockquote", "center", "address", "main"))
_CARD_PARTS = ("article", "header", "footer", "form", "picture", "nav")
"""What an item that is a page in small has, such as a post of a forum, a product or a menu that opens."""
_ASIDE = re.compile(
    r"galler|slid[ei]|carousel|teaser|related|recent|latest|widget|sharing|social", re.IGNORECASE
)
"""Classes of lists of pictures and of links beside a text."""
_INLINE_TEXT = (
    "b",
    "strong",
    "em",
    "i",
    "u",
    "font",
    "big",
    "small",
    "tt",
    "ins",
    "bdi",
    "bdo",
    "cite",
    "dfn",
    "abbr",
)
_LINES = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "figcaption", "summary", "pre"))
"""Elements whose content is one run of text."""
_INLINE_TAGS = frozenset(
    (*_INLINE_TEXT, "a", "span", "code", "kbd", "label", "mark", "q", "s", "samp", "sub", "sup", "var")
)
_SAYING_TAGS = _INLINE_TAGS - {"a", "label"}
MAX_INLINE_DEPTH = 20
MAX_INLINE_ELEMENTS = 1000
"""Elements in an element of a line, such as the parts of a formula."""
MAX_LINE_ELEMENTS = 10
"""Elements that stand between an element and the text of its line."""
MAX_WORD_CHARACTERS = 40
"""Characters of an element that stands between an element and the text of its line."""

CJK = "\u2e80-\u2fff\u3001-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffef\U00020000-\U0003ffff"
"""Characters of scripts that set no spaces between words and break a line anywhere; Korean sets spaces."""
_INLINE = r"a|abbr|b|bdi|big|cite|code|dfn|em|font|i|ins|kbd|mark|q|rb|ruby|s|small|span|strong|sub|sup|tt|u|var|wbr"
_INLINE_STARTS = frozenset(name[:2] for name in _INLINE.split("|"))
"""What these begin with, or all of their name."""
_MARKUP = rf"</?(?:{_INLINE})(?:\s[^<>]*)?>|<!--[^<>]*-->"
SHARED_SIGNS = "“”‘’—…·"
"""Signs that Chinese and Japanese share with scripts that set spaces: they join only what is beside a character."""
_CJK_START = re.compile(rf"(?i:(?:{_MARKUP})*)[{CJK}]")
_SIGN_START = re.compile(rf"(?i:(?:{_MARKUP})*)[{CJK}{SHARED_SIGNS}]")
_OLD_LINE_END = re.compile(r"\r(?!\n)")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_INLINE_TAG = re.compile(_MARKUP, re.IGNORECASE)
_PREFORMATTED = re.compile(
    r"<(pre|textarea|script|style|listing|xmp)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_CJK_COMMON = "。，的をる"
"""One of which any Chinese or Japanese text has: finding one is ten times as fast as a pattern. Their last byte is no
letter's, for which a search would stop at each of these (as for の, U+306E)."""


def has_cjk_text(html: str) -> bool:
    """Return whether a page has text in Chinese or Japanese."""
    return not html.isascii() and any(character in html for character in _CJK_COMMON)


def join_wrapped_lines(html: str) -> str:
    """Return the source of a Chinese or Japanese page without the line ends between two characters of these scripts,
    also where inline tags stand around them: a browser shows a space there that no reader expects.

    `pre` and the like are left alone.
    """
    text = _OLD_LINE_END.sub("\n", html) if html.count("\r") > html.count("\r\n") else html
    breaks = list(_iter_wrapped(text))
    if not breaks:
        return html
    kept = [element.span() for element in _PREFORMATTED.finditer(text)]
    pieces, start = [], 0
    for end, beginning in breaks:
        at = bisect(kept, (end, len(text))) - 1
        if at < 0 or kept[at][1] <= end:
            pieces.append(text[start:end])
            start = beginning
    return "".join((*pieces, text[start:]))


def _iter_wrapped(html: str) -> Iterator[tuple[int, int]]:
    """Yield where a line ends in a Chinese or Japanese character and where the next that is not blank begins with one,
    but for spaces and inline tags. Lines of other blocks cost a comparison each, and no pattern."""
    start, end = 0, -1
    for line in html.split("\n"):
        text = line.lstrip(" \t\r\f")
        if text:
            beginning = start + len(line) - len(text)
            if end >= 0 and (text[0] > "\u2e7f" or text[0] in SHARED_SIGNS or _may_be_inline(text)):
                while end and html[end - 1] in " \t":
                    end -= 1
                if (pattern := _find_start(html, end)) is not None and pattern.match(html, beginning):
                    yield end, beginning
            end = start + len(line.removesuffix("\r"))
        start += len(line) + 1


def _may_be_inline(text: str) -> bool:
    """Return whether a text may begin with an inline tag: the names of most blocks begin with other letters."""
    if text[0] != "<":
        return False
    if text[1:2] == "!":
        return True
    start = text[1:4].removeprefix("/")[:2].lower()
    return start in _INLINE_STARTS or not (start.isalpha() or start[:1] not in _INLINE_STARTS)


def _find_start(html: str, end: int) -> re.Pattern[str] | None:
    """Return what the next line must begin with to go on with what ends at `end` in a Chinese or Japanese character, or
    in a sign, but for inline tags; None if it ends in another character."""
    while end and html[end - 1] == ">":
        start = html.rfind("<", 0, end)
        if (
            start < 0
            or not _may_be_inline(html[start : start + 4])
            or _INLINE_TAG.fullmatch(html, start, end) is None
        ):
            return None
        end = start
    if end == 0:
        return None
    if _CJK_CHARACTER.match(html[end - 1]) is not None:
        return _SIGN_START
    return _CJK_START if html[end - 1] in SHARED_SIGNS else None


def mend_tree(tree: HtmlElement, html: str, values: PageValues) -> bool:
    """Mend what extractors read otherwise than a browser shows it; `html` is the source of `tree`, `values` are those
    of its attributes.

    Returns whether tables laid out the page, or lists of definitions are blocks of text now.
    """
    tags = Counter([element.tag for element in tree.iter("*")])
    hidden = values["hidden"] or not _CHOICES.isdisjoint(values["role"])
    _drop_hidden(tree, _MARKED(tree) if hidden else (), not tags.keys().isdisjoint(_CLOSED_TAGS))
    if not tags.keys().isdisjoint(_READINGS):
        _drop_readings(tree)
    if any("-" in tag for tag in tags) and _OWN_TAG.search(html):
        _name_own_elements(tree)
    if not tags.keys().isdisjoint(_DISCARDED_WORDS):
        _keep_words(tree)
    if "figcaption" in tags:
        _keep_captions(tree)
    if not tags.keys().isdisjoint(_PLAIN_WORDS):
        for element in tree.iter(*_PLAIN_WORDS):
            element.tag = "span"
    if not tags.keys().isdisjoint(_OLD_NAMES):
        for element in tree.iter(*_OLD_NAMES):
            element.tag = _OLD_NAMES[element.tag]
    if "menu" in tags:
        _keep_prose_menus(tree)
    if "fieldset" in tags:
        _keep_boxes(tree)
    if "summary" in tags:
        _keep_summaries(tree)
    unwrapped = "table" in tags and unwrap_layout_tables(tree)
    unwrapped |= "dl" in tags and _unwrap_definitions(tree)
    if sum(tags[name] for name in _LISTS) > MAX_LIST_DEPTH:
        _flatten_deep_lists(tree)
    if not tags.keys().isdisjoint(_LIST_ITEMS):
        _unwrap_items(tree)
    if not tags.keys().isdisjoint(_GLUED_TAGS):
        _strip_code_behind_breaks(tree)
    if "pre" in tags:
        _set_listings_apart(tree)
    if has_cjk_text(html):
        strip_tags(tree, *_INLINE_TEXT)
        _strip_inline_in_short_pages(tree)
    return unwrapped


def drop_silent(tree: HtmlElement) -> None:
    """Drop what holds no text of a page, but many of its bytes: extractors copy them several
    times before they drop them."""
    for element in list(tree.iter(*_SILENT)):
        if element.get("type") != _LINKED_DATA and element.getparent() is not None:
            element.drop_tree()


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _drop_hidden(tree: HtmlElement, marked: Sequence[HtmlElement], closed: bool) -> None:
    """Drop what a browser does not show: `template` (unless it is a shadow root), `hidden`, `dialog` that is closed;
    and lists of choices that stand for a `select`.

    What a page sends hidden for its scripts to show stays: the panels behind tabs and under headings that open them,
    the parts that React streams (`<div hidden id="S:1">`), and a block that holds most of the page's text. `marked` are
    the elements that are hidden or choices; `closed` says whether there are any of `_CLOSED_TAGS`.
    """
    hidden = []
    for element in marked:
        if element.get("role") in _CHOICES:
            _drop(element)
        else:
            hidden.append(element)
    for element in list(tree.iter(*_CLOSED_TAGS)) if closed else ():
        shown = element.get("shadowrootmode") if element.tag == "template" else element.get("open")
        if shown is None:
            _drop(element)
        else:
            element.tag = "div"
    most: int | None = None
    opened = list_opened(_OPENED(tree)) if hidden else frozenset()
    kept = 0
    dropped: set[HtmlElement] = set()
    for element in hidden:
        if element in dropped or element.get("hidden") is None or element.tag in _NEVER_HIDDEN:
            continue
        if not is_sent_for_scripts(element.tag, element.attrib, opened):
            most = _count_text(tree) if most is None else most
            if kept >= MAX_LARGE_HIDDEN or 2 * _count_text(element) <= most:
                _drop(element)
                dropped.update(_HIDDEN_INSIDE(element))
                continue
            kept += 1
        del element.attrib["hidden"]


def list_opened(controls: Iterable[str]) -> frozenset[str]:
    """Return the ids that these values of `aria-controls` name."""
    return frozenset(name for value in controls for name in value.split())


def is_sent_for_scripts(tag: str, attributes: Mapping[str, str], opened: Set[str]) -> bool:
    """Return whether scripts will show a hidden element; `opened` are the ids of what buttons in the text open."""
    if attributes.get("hidden", "").lower() == "until-found" or attributes.get("role") == "tabpanel":
        return True
    name = attributes.get("id", "")
    if STREAMED_PART.search(name) is not None:
        return True
    return name in opened and tag in PANEL_TAGS and attributes.get("role") in PANEL_ROLES


def _count_text(element: HtmlElement) -> int:
    """Return the characters of an element's text, without spaces, scripts and styles."""
    unshown = "".join([inner.text or "" for inner in element.iter(*_UNSHOWN)])
    return _count_shown(_STRING(element)) - _count_shown(unshown)


def _count_shown(text: str) -> int:
    return len("".join(text.split()))


def _drop_readings(tree: HtmlElement) -> None:
    """Drop the readings of ruby, and its parentheses; the base texts that an unclosed reading swallowed stay."""
    readings = list(tree.iter(*_READINGS))
    for element in readings:
        if element.getparent() is None:
            continue
        for base in element.findall(".//rb"):
            element.addprevious(base)
        _drop(element)
    if readings:
        strip_tags(tree, "ruby", "rb")


def _name_own_elements(tree: HtmlElement) -> None:
    """Give elements of a page's own (`my-text`) the name of what they are: `span` in a sentence, else `div`."""
    for element in _OWN(tree):
        if _HIDDEN_CLASS.search(element.get("class") or ""):
            continue
        _rename(element, "span" if _is_in_line(element) and not _has_block(element) else "div")


def _keep_words(tree: HtmlElement) -> None:
    """Make elements `span`s that extractors drop with their words, where those are words of a sentence: a `time` that
    stands alone is a date line, a `label` beside a field names it, and a `button` behind a text is none of it."""
    for element in list(tree.iter(*_DISCARDED_WORDS)):
        if not _is_in_sentence(element) or _has_block(element):
            continue
        if element.tag == "label" and _has_field_beside(element):
            continue
        if element.tag == "button" and not _is_within_sentence(element):
            continue
        element.tag = "span"


def _keep_prose_menus(tree: HtmlElement) -> None:
    """Make a `menu` a `ul` that has an item of prose: pages before 2000 write lists so, and extractors drop all."""
    for menu in tree.iter("menu"):
        if next(_iter_prose(menu, ("li",)), None) is not None:
            menu.tag = "ul"


def _keep_boxes(tree: HtmlElement) -> None:
    """Make a `fieldset` without a field a `div`: it draws a box around a text."""
    for box in list(tree.iter("fieldset")):
        if next(box.iterancestors("form"), None) is None and next(box.iter(*_FIELDS, "button"), None) is None:
            box.tag = "div"
            for title in box.iterchildren("legend"):
                title.tag = "p"
                _wrap_following_text(title)


def _keep_summaries(tree: HtmlElement) -> None:
    """Give the text directly behind a `summary` a paragraph, and a `summary` that is prose itself."""
    for summary in list(tree.iter("summary")):
        _wrap_following_text(summary)
        if not _has_block(summary) and _count_bytes(_STRING(summary)) >= MIN_PARAGRAPH_BYTES:
            summary.tag = "p"


def _has_field_beside(label: HtmlElement) -> bool:
    parent = label.getparent()
    return parent is not None and any(child.tag in _FIELDS for child in parent)


def _is_within_sentence(element: HtmlElement) -> bool:
    """Return whether text with a letter or digit in it stands directly before and behind an element."""
    parent = element.getparent()
    before = _get_text_before(element, parent) if parent is not None else ""
    return any(map(str.isalnum, before)) and any(map(str.isalnum, element.tail or ""))


def _keep_captions(tree: HtmlElement) -> None:
    """Make captions that say something paragraphs and the figures around them `div`s, which extractors keep."""
    for caption in list(tree.iter("figcaption")):
        text = "".join(caption.itertext())
        said = find_caption(text)
        if said is None:
            continue
        if _has_block(caption):
            _rename(caption, "div")
        else:
            _rename(caption, "p")
            if len(said) < len(" ".join(text.split())):
                del caption[:]
                caption.text = said
        if (paragraph := next(caption.iterancestors("p"), None)) is not None:
            # The parser leaves a figure in the paragraph that a browser ends before it.
            tail, caption.tail = caption.tail, None
            _put_text_behind(caption, tail)
            paragraph.addprevious(caption)
            continue
        for figure in caption.iterancestors("figure"):
            _rename(figure, "div")
            _wrap_following_text(figure)


def _wrap_following_text(element: HtmlElement) -> None:
    """Put the text and inline elements behind a block into a paragraph: extractors lose text behind a `div`."""
    after = element.getnext()
    beside = after is not None and after.tag in _SAYING_TAGS and any(map(str.strip, after.itertext()))
    if not (element.tail or "").strip() and not beside:
        return
    following = list(
        takewhile(lambda other: other.tag not in BLOCK_TAGS and other.tag != "br", element.itersiblings())
    )
    paragraph = element.makeelement("p")
    paragraph.text, element.tail = element.tail, None
    element.addnext(paragraph)
    paragraph.extend(following)


def _put_text_behind(element: HtmlElement, text: str | None) -> None:
    """Add text where it stays when `element` is moved away."""
    previous = element.getprevious()
    if previous is not None:
        previous.tail = (previous.tail or "") + (text or "")
    elif (parent := element.getparent()) is not None:
        parent.text = (parent.text or "") + (text or "")


def _rename(element: HtmlElement, name: str) -> None:
    """Give an element another name, without what extractors take for boilerplate in elements of that name."""
    element.tag = name
    for attribute in ("class", "id", "role"):
        element.attrib.pop(attribute, None)


def _is_in_sentence(element: HtmlElement) -> bool:
    """Return whether text of the same line, with a letter or digit in it, stands beside an element."""
    for outer in chain((element,), islice(element.iterancestors(), MAX_INLINE_DEPTH)):
        parent = outer.getparent()
        if parent is None:
            return False
        if any(map(str.isalnum, outer.tail or "")) or any(map(str.isalnum, _get_text_before(outer, parent))):
            return True
        if parent.tag not in ("a", "b", "em", "i", "span", "strong", "small") or len(parent) != 1:
            return False
    return False


def _is_in_line(element: HtmlElement) -> bool:
    """Return whether an element of a page's own stands in a line of text: in a paragraph or heading, or where text is
    beside it or beside the inline elements around it, if only a sign (`(<x-n>3</x-n>, <x-n>4</x-n>)`)."""
    for outer in chain((element,), islice(element.iterancestors(), MAX_INLINE_DEPTH)):
        parent = outer.getparent()
        if parent is None:
            return False
        if parent.tag in _LINES or _has_text_beside(outer, parent):
            return True
        if parent.tag not in _INLINE_TAGS:
            return False
    return False


def _has_text_beside(element: HtmlElement, parent: HtmlElement) -> bool:
    """Return whether text that is no space stands beside an element, or beside the short elements next to it."""
    left: HtmlElement | None = element
    for _ in range(MAX_LINE_ELEMENTS):
        if left is None or (left is not element and not _is_short(left)):
            break
        if _get_text_before(left, parent).strip():
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


def _get_text_before(element: HtmlElement, parent: HtmlElement) -> str:
    previous = element.getprevious()
    return (previous.tail if previous is not None else parent.text) or ""


def _is_short(element: HtmlElement) -> bool:
    """Return whether an element can be a word or number within a line."""
    if element.tag in BLOCK_TAGS or element.tag == "br":
        return False
    inside = list(islice(element.iter(), MAX_LINE_ELEMENTS))
    return len(inside) < MAX_LINE_ELEMENTS and sum(map(len, element.itertext())) <= MAX_WORD_CHARACTERS


def _has_block(element: HtmlElement) -> bool:
    """Return whether a block is in an element, or so many elements that it is one."""
    inside = 0
    for inner in islice(element.iterdescendants(), MAX_INLINE_ELEMENTS):
        if inner.tag in BLOCK_TAGS:
            return True
        inside += 1
    return inside == MAX_INLINE_ELEMENTS


def _unwrap_items(tree: HtmlElement) -> None:
    """Make blocks of text in items of lists lines of the item: extractors lose or cut items that hold blocks."""
    for item in tree.iter(*_LIST_ITEMS):
        if not any(child.tag in _ITEM_BLOCKS or child.tag == "span" for child in item):
            continue
        blocks = _list_own_blocks(item)
        if (
            any(map(_is_text_block, blocks))
            and next(item.iter(*_CARD_PARTS), None) is None
            and not _is_aside(item)
        ):
            for block in blocks:
                if _is_text_block(block):
                    _become_line(block)


def _unwrap_definitions(tree: HtmlElement) -> bool:
    """Make lists of definitions in prose paragraphs, and return whether there is one: no reader sees bullets there, and
    extractors write one before every term and every definition."""
    unwrapped = False
    prose_of = Counter(item.getparent() for item in _iter_prose(tree, ("dd",)))
    for items in [items for items in prose_of if items is not None and items.tag == "dl"]:
        definitions = items.findall("dd")
        prose = prose_of[items]
        if prose < MIN_DEFINITIONS or 2 * prose < len(definitions):
            continue
        if next(items.iterancestors("li"), None) is not None:
            continue
        for item in (*items.iterchildren("dt"), *definitions):
            item.tag = "div" if _has_block(item) else "p"
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


MIN_DEFINITIONS = 2
"""Definitions in prose of a list of definitions, half of which are prose."""
MAX_LIST_DEPTH = 50
"""Lists in each other that stay lists: trafilatura calls itself for each."""


def _flatten_deep_lists(tree: HtmlElement) -> None:
    """Make items of lists in more than `MAX_LIST_DEPTH` others text of the item around them."""
    if sum(1 for _ in tree.iter("ul", "ol", "dl")) <= MAX_LIST_DEPTH:
        return
    depth = 0
    deep: list[HtmlElement] = []
    for event, element in iterwalk(tree, events=("start", "end"), tag=("ul", "ol", "dl")):
        depth += 1 if event == "start" else -1
        if event == "start" and depth > MAX_LIST_DEPTH:
            deep.append(element)
    for element in reversed(deep):
        for item in element:
            if item.tag in ("li", "dt", "dd"):
                item.tag = "span"
        element.drop_tag()


def _is_aside(item: HtmlElement) -> bool:
    """Return whether an item is one of a list of pictures, or of links beside the text of a page."""
    around = (item, *islice(item.iterancestors(), 2))
    if any(_ASIDE.search(element.get("class") or "") for element in around if element.tag != "body"):
        return True
    linked = sum(_count_text(link) for link in item.iter("a") if link.get("href") is not None)
    return linked > 0 and 2 * linked >= _count_text(item)


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
        return (MAX_MISSED_NAMED if self.named else MAX_MISSED) * _count_shown(text) < self.shown


def find_prose_frame(tree: HtmlElement, unwrapped: bool = False) -> ProseFrame | None:
    """Return the element that holds all prose of a page where the page names no frame but has a list of prose, or
    layout tables or definitions that were unwrapped: without a frame, extractors collect paragraphs alone and lose
    every list and heading.

    None for a page with a frame; one that holds little beside the prose is none.
    """
    items = _iter_prose(tree, _ITEMS)
    first = next(items, None)
    if first is None and not unwrapped:
        return None
    named = _find_named_frame(tree)
    if named is not None and (_count_text(named) >= MAX_SMALL_FRAME or _is_card(named, tree)):
        return None
    seen = () if first is None else (first,)
    blocks = [*seen, *items, *_iter_prose(tree, _PARAGRAPHS)]
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
            characters += _count_shown(_STRING(block))
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
            if _count_text(named) >= characters // 2:
                return True
            _rename(named, "div" if named.tag in ("article", "main") else str(named.tag))
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
        characters[stays] += len(_STRING(block))
    if characters[False] >= MIN_RESTORED_RATIO * characters[True]:
        kept += lost
    around = kept[0] if kept else []
    for ancestors in kept[1:]:
        shared = takewhile(lambda pair: pair[0] is pair[1], zip(around, ancestors, strict=False))
        around = [outer for outer, _ in shared]
    frame = next((outer for outer in reversed(around) if outer.tag in _FRAMES), None)
    return frame, characters[True] + (characters[False] if characters[False] > characters[True] else 0)


def _iter_prose(tree: HtmlElement, names: Sequence[str]) -> Iterator[HtmlElement]:
    """Yield the elements of these names that have enough text of their own, outside of links, and are not beside the
    text of a page."""
    for element in tree.iter(*names):
        text = _STRING(element)
        if len(text) <= MIN_PROSE_CHARACTERS or (size := _count_bytes(text)) < MIN_PARAGRAPH_BYTES:
            continue
        linked = sum(_count_bytes(_STRING(link)) for link in element.iter("a"))
        if size - linked < MIN_PARAGRAPH_BYTES:
            continue
        if next(element.iterancestors(*_BESIDE_TEXT), None) is None:
            yield element


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


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


def _strip_code_behind_breaks(tree: HtmlElement) -> None:
    """Make code and deleted words in lines behind a `br` plain: extractors glue them to the word before."""
    for broken in tree.iter("br"):
        if not (broken.tail or "").strip() or broken.getparent().tag == "pre":
            continue
        for element in takewhile(
            lambda other: other.tag != "br" and other.tag not in BLOCK_TAGS, broken.itersiblings()
        ):
            for inner in element.iter(*_GLUED_TAGS):
                inner.tag = "span"


def _set_listings_apart(tree: HtmlElement) -> None:
    """Give a `pre` in an item lines of its own, and make it plain: extractors join its lines, and those around it."""
    for listing in list(tree.iter("pre")):
        if next(listing.iterancestors("li", "dd", "dt"), None) is None:
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


MAX_SHORT_BYTES = 1500
"""Bytes of a page's text up to which extractors fall back on reading it piece by piece."""


def _strip_inline_in_short_pages(tree: HtmlElement) -> None:
    """Take the inline tags out of the sentences of a short page, whose pieces would become lines."""
    body = tree.find(".//body")
    if body is None or len("".join(body.itertext()).encode("utf-8", "replace")) > MAX_SHORT_BYTES:
        return
    for element in list(body.iter("a", "span", "code", "mark", "sub", "sup", "kbd", "var", "s", "del")):
        if element.getparent() is not None and not _has_block(element) and _is_in_sentence(element):
            element.drop_tag()
