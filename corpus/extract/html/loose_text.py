"""Give text a paragraph that stands in none: captions, boxes, and what is behind a heading that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from lxml.html import HtmlElement

from corpus.extract.html.div_paragraphs import (
    BLOCK_TAGS,
    MIN_PARAGRAPH_BYTES,
    MIN_SIBLING_BYTES,
    become_paragraph,
)
from corpus.extract.html.page_elements import STRING, count_bytes, has_block, rename
from corpus.extract.html.sentence_words import FIELDS, INLINE_TAGS

_SAYING_TAGS = INLINE_TAGS - {"a", "label"}
_HOLDING_TAGS = ("body", "main", "article", "section", "div", "center", "form")
_FIGURED_TEXT = ("blockquote", "table", "pre", "ul", "ol")


def hold_loose_text(tree: HtmlElement) -> None:
    """Put texts that stand directly in an element beside blocks into paragraphs, with the inline elements among them:
    beside paragraphs, extractors lose them."""
    held = [text.hold() for text in list(_iter_loose_text(tree))]
    sizes: dict[HtmlElement, int] = {}
    for paragraph in held:
        around = paragraph.getparent()
        if around is tree or around.tag != "div":
            continue
        if around not in sizes:
            sizes[around] = len(STRING(around))
        if 2 * len(STRING(paragraph)) >= sizes[around]:
            # With a link in it, extractors can take such a `div` for a menu.
            around.drop_tag()


def _iter_loose_text(tree: HtmlElement) -> Iterator[_LooseText]:
    """Yield the texts beside blocks of which enough is outside of inline elements."""
    for element in tree.iter(*_HOLDING_TAGS):
        before: HtmlElement | None = None
        inline: list[HtmlElement] = []
        for child in (*element, None):
            if child is not None and child.tag not in BLOCK_TAGS and not has_block(child):
                inline.append(child)
                continue
            text = _LooseText(element, before, inline)
            if (child is not None or before is not None) and text.count_own() >= MIN_SIBLING_BYTES:
                yield text
            before, inline = child, []


class _LooseText(NamedTuple):
    """Hold a text in `parent`, from behind the block `before` or from the beginning, and the inline elements in it."""

    parent: HtmlElement
    before: HtmlElement | None
    inline: list[HtmlElement]

    def count_own(self) -> int:
        """Return the bytes of text outside of the inline elements."""
        pieces = (self._get_opening(), *(element.tail or "" for element in self.inline))
        return sum(count_bytes(piece.strip()) for piece in pieces)

    def hold(self) -> HtmlElement:
        """Put the text into a paragraph, and return it."""
        paragraph = self.parent.makeelement("p")
        paragraph.text = self._get_opening()
        if self.before is None:
            self.parent.text = None
            self.parent.insert(0, paragraph)
        else:
            self.before.tail = None
            self.before.addnext(paragraph)
        paragraph.extend(self.inline)
        become_paragraph(paragraph)
        return paragraph

    def _get_opening(self) -> str:
        return (self.parent.text if self.before is None else self.before.tail) or ""


def keep_boxes(tree: HtmlElement) -> None:
    """Make a `fieldset` without a field a `div`: it draws a box around a text."""
    for box in list(tree.iter("fieldset")):
        if next(box.iterancestors("form"), None) is None and next(box.iter(*FIELDS, "button"), None) is None:
            box.tag = "div"
            for title in box.iterchildren("legend"):
                title.tag = "p"
                _wrap_following_text(title)


def keep_summaries(tree: HtmlElement) -> None:
    """Give the text directly behind a `summary` a paragraph, and a `summary` that is prose itself."""
    for summary in list(tree.iter("summary")):
        _wrap_following_text(summary)
        if not has_block(summary) and count_bytes(STRING(summary)) >= MIN_PARAGRAPH_BYTES:
            summary.tag = "p"


def keep_captions(tree: HtmlElement) -> None:
    """Make captions that say something paragraphs and the figures around them `div`s, which extractors keep."""
    from corpus.extract.html.captions import find_caption  # its patterns take 12 ms to compile

    for caption in list(tree.iter("figcaption")):
        text = "".join(caption.itertext())
        said = find_caption(text)
        if said is None:
            continue
        if has_block(caption):
            rename(caption, "div")
        else:
            rename(caption, "p")
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
            rename(figure, "div")
            _wrap_following_text(figure)


def keep_figures_of_text(tree: HtmlElement) -> None:
    """Make a `figure` of a quotation, a table, a listing or a list a `div`: extractors drop all figures. A quotation
    pulled out of the text stands there already."""
    for figure in list(tree.iter("figure")):
        if next(figure.iter(*_FIGURED_TEXT), None) is not None and "pull" not in (figure.get("class") or ""):
            rename(figure, "div")


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
