"""Mend the tree of a page before any extractor sees it, so that all modes read the same page.

Browsers hide and show other elements than extractors do, and break lines elsewhere: `mend_tree` makes a tree in which
both agree. What it does is in the functions that it calls, one for each kind of element.
"""

from __future__ import annotations

import re

from lxml.etree import XPath, strip_tags
from lxml.html import HtmlElement
from trafilatura import xpaths

from corpus.extract.html.div_paragraphs import BLOCK_TAGS, HTML_SPACES, MIN_PARAGRAPH_BYTES
from corpus.extract.html.layout_tables import unwrap_layout_tables

_HIDDEN = XPath("//*[@hidden and not(self::html or self::body or self::main)]")
_OWN = XPath("//body//*[contains(name(), '-')]")
_OWN_TAG = re.compile(r"</[A-Za-z][A-Za-z0-9]*-")
_LONG_ITEMS = XPath(
    "//li[string-length(normalize-space()) > 25]"
    "[not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside)]"
)
"""Items that can be prose: 25 characters are 75 bytes of Chinese."""
_READINGS = ("rt", "rp", "rtc")
_ITEM_BLOCKS = frozenset(("div", "p", "section", "article", "blockquote", "center", "address", "main"))
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

CJK = "\u2e80-\u2fff\u3001-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffef\U00020000-\U0003ffff"
"""Characters of scripts that set no spaces between words and break a line anywhere; Korean sets spaces."""
_INLINE = r"a|abbr|b|bdi|big|cite|code|dfn|em|font|i|ins|kbd|mark|q|rb|ruby|s|small|span|strong|sub|sup|tt|u|var|wbr"
_TAGS = rf"(?:</?(?:{_INLINE})(?:\s[^<>]*)?>)*"
_WRAPPED = re.compile(rf"(?<=[{CJK}])({_TAGS})[ \t]*[\r\n][ \t\r\n\f]*({_TAGS})(?=[{CJK}])", re.IGNORECASE)
_BROKEN_AFTER_CJK = re.compile(rf"[{CJK}][^\r\n{CJK}]*[\r\n]")
_PREFORMATTED = re.compile(
    r"(<(pre|textarea|script|style|listing|xmp)\b.*?</\2\s*>)", re.IGNORECASE | re.DOTALL
)
_CJK_COMMON = "。，的の"
"""One of which any Chinese or Japanese text has: finding one is ten times as fast as a pattern."""


def has_cjk_text(html: str) -> bool:
    """Return whether a page has text in Chinese or Japanese."""
    return not html.isascii() and any(character in html for character in _CJK_COMMON)


def join_wrapped_lines(html: str) -> str:
    """Return the source of a page without the line ends between two Chinese or Japanese characters, also where inline
    tags stand around them: a browser shows a space there that no reader expects. `pre` and the like are left alone."""
    if not has_cjk_text(html) or not _BROKEN_AFTER_CJK.search(html):
        return html
    parts = _PREFORMATTED.split(html)
    # Each match has two groups, the element and its name.
    return "".join(
        _WRAPPED.sub(r"\1\2", part) if at % 3 == 0 else part if at % 3 == 1 else ""
        for at, part in enumerate(parts)
    )


def mend_tree(tree: HtmlElement, html: str) -> None:
    """Mend what extractors read otherwise than a browser shows it; `html` is the source of `tree`."""
    if _names(html, "hidden", "<template", "<dialog"):
        _drop_hidden(tree)
    if _names(html, "<rt", "<rp"):
        _drop_readings(tree)
    if _OWN_TAG.search(html):
        _name_own_elements(tree)
    if _names(html, "<time"):
        _keep_times(tree)
    if _names(html, "<figcaption"):
        _keep_captions(tree)
    if _names(html, "<q"):
        for element in tree.iter("q"):
            element.tag = "span"
    if _names(html, "<table"):
        unwrap_layout_tables(tree)
    if _names(html, "<li"):
        _unwrap_items(tree)
    if has_cjk_text(html):
        strip_tags(tree, *_INLINE_TEXT)
        _strip_inline_in_short_pages(tree)


def _names(html: str, *names: str) -> bool:
    """Return whether one of the names is in a page, all in small or all in capital letters, as sources write tags."""
    return any(name in html or name.upper() in html for name in names)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _drop_hidden(tree: HtmlElement) -> None:
    """Drop what a browser does not show: `template` (unless it is a shadow root), `hidden`, `dialog` that is closed."""
    for element in list(tree.iter("template", "dialog")):
        shown = element.get("shadowrootmode") if element.tag == "template" else element.get("open")
        if shown is None:
            _drop(element)
        else:
            element.tag = "div"
    for element in _HIDDEN(tree):
        if str(element.get("hidden")).lower() == "until-found":
            del element.attrib["hidden"]
        else:
            _drop(element)


def _drop_readings(tree: HtmlElement) -> None:
    """Drop the readings of ruby, and its parentheses; the base texts that an unclosed reading swallowed stay."""
    for element in list(tree.iter(*_READINGS)):
        if element.getparent() is None:
            continue
        for base in element.findall(".//rb"):
            element.addprevious(base)
        _drop(element)
    strip_tags(tree, "ruby", "rb")


def _name_own_elements(tree: HtmlElement) -> None:
    """Give elements of a page's own (`my-text`) the name of what they are: `span` in a sentence, else `div`."""
    for element in _OWN(tree):
        element.tag = "span" if _is_in_sentence(element) and not _has_block(element) else "div"


def _keep_times(tree: HtmlElement) -> None:
    """Make a `time` in a sentence a `span`; one that stands alone is a date line, which extractors drop."""
    for element in tree.iter("time"):
        if _is_in_sentence(element):
            element.tag = "span"


def _keep_captions(tree: HtmlElement) -> None:
    """Make captions paragraphs and the figures around them `div`s, which extractors keep."""
    for caption in tree.iter("figcaption"):
        if not "".join(caption.itertext()).strip():
            continue
        caption.tag = "div" if _has_block(caption) else "p"
        for figure in caption.iterancestors("figure"):
            figure.tag = "div"


def _is_in_sentence(element: HtmlElement) -> bool:
    """Return whether text of the same line, with a letter or digit in it, stands beside an element."""
    before = element.getprevious()
    left = (before.tail if before is not None else element.getparent().text) or ""
    if any(map(str.isalnum, element.tail or "")) or any(map(str.isalnum, left)):
        return True
    parent = element.getparent()
    if parent.tag in ("a", "b", "em", "i", "span", "strong", "small") and len(parent) == 1:
        return parent.getparent() is not None and _is_in_sentence(parent)
    return False


def _has_block(element: HtmlElement) -> bool:
    return any(inner.tag in BLOCK_TAGS for inner in element.iterdescendants())


def _unwrap_items(tree: HtmlElement) -> None:
    """Make blocks of text in items of lists lines of the item: extractors lose or cut items that hold blocks."""
    for item in tree.iter("li", "dd", "dt"):
        if len(item):
            for block in [child for child in item.iterdescendants() if child.tag in _ITEM_BLOCKS]:
                if _is_own(block, item) and _is_text_block(block):
                    _become_line(block, item)


def frame_prose_lists(tree: HtmlElement) -> None:
    """Make the element that holds most of a page's text an `article` where the page names no frame but has a list of
    prose: without a frame, extractors collect paragraphs alone and lose every list. Pages with a frame stay."""
    prose = next(filter(_is_prose, _LONG_ITEMS(tree)), None)
    if prose is None or any(select(tree) for select in xpaths.BODY_XPATH):
        return
    body = next(prose.iterancestors("body"), None)
    if body is None:
        return
    half = len("".join(body.itertext())) / 2
    frame = next((around for around in prose.iterancestors() if len("".join(around.itertext())) > half), body)
    if frame.tag in ("div", "section", "center"):
        frame.tag = "article"
        return
    article = body.makeelement("article")
    article.text, body.text = body.text, None
    article.extend(list(body))
    body.append(article)


def _is_prose(item: HtmlElement) -> bool:
    """Return whether an item has enough text of its own, outside of links."""
    text = sum(len(piece.encode("utf-8", "replace")) for piece in item.itertext())
    linked = sum(len("".join(link.itertext()).encode("utf-8", "replace")) for link in item.iter("a"))
    return text - linked >= MIN_PARAGRAPH_BYTES


def _is_own(block: HtmlElement, item: HtmlElement) -> bool:
    """Return whether all between a block and its item are blocks of text."""
    for around in block.iterancestors():
        if around is item:
            return True
        if around.tag not in _ITEM_BLOCKS and around.tag != "span":
            return False
    return False


def _is_text_block(block: HtmlElement) -> bool:
    """Return whether a block holds text outside of links, or only blocks and lists."""
    text = block.text or ""
    for child in block:
        if child.tag not in BLOCK_TAGS or child.tag in _ITEM_BLOCKS:
            text += child.tail or ""
            if child.tag != "a" and child.tag not in BLOCK_TAGS:
                text += "".join(child.itertext())
    return bool(text.strip())


def _become_line(block: HtmlElement, item: HtmlElement) -> None:
    """Replace a block by its content, with line breaks where text stands before and behind it."""
    parent = block.getparent()
    previous = block.getprevious()
    before = (previous.tail if previous is not None else parent.text) or ""
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
