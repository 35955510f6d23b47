"""Convert a document of an EPUB, which is XHTML in any style, to text."""

from __future__ import annotations

import re

from lxml import etree

from corpus.extract.posts.post_html import to_text
from corpus.extract.reflow import Joiner

EPUB_TYPE_ATTRIBUTE = "{http://www.idpf.org/2007/ops}type"
MEDIA_ELEMENTS = frozenset({"img", "audio", "video", "object", "iframe", "map", "form", "button", "input"})
READING_ELEMENTS = frozenset({"rt", "rp", "rtc"})
DROPPED_XHTML_ELEMENTS = (
    MEDIA_ELEMENTS
    | READING_ELEMENTS
    | {"head", "script", "style", "template", "nav", "noscript", "link", "meta", "title"}
)
NOTE_TYPES = frozenset(("footnote", "rearnote", "endnote", "note"))
NOTE_ROLES = frozenset(("doc-footnote", "doc-endnote"))
BACKLINK_NAME = re.compile(r"backlink|referrer|noteback|footnoteback", re.IGNORECASE)
ARROWS_ONLY = re.compile(r"[\s\u2190-\u21ff\ufe0e\ufe0f^\[\]]*")
NOTE_NUMBER = re.compile(r"[\s\[(]*([\divxlcdm]{1,6}|[*†‡§]{1,3}|[a-z])[\s\]).]*", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?…。！？؟।»”\"][)\]»”\"]*$")
MIN_CONTENTS_LINKS = 8
"""Links from which a document that is hardly anything but links is a table of contents."""
_CJK = "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_INLINE = r"(?:</?(?:span|a|em|strong|b|i|u|ruby|rb|small|cite|q)>)*+"
UNSPACED_LINE_END = re.compile(rf"(?<=[{_CJK}])({_INLINE})[ \t]*+[\r\n]\s*+({_INLINE})(?=[{_CJK}])")
"""A line end between Chinese characters is no space."""


def convert_chapter(root: etree._Element, front: frozenset[str]) -> str:
    """Return the text of a document; empty for one that declares a type in `front`, or is all links.

    The tree is used up. Titles and paragraphs are separated by a blank line, lists, code and tables as in
    `corpus.extract.posts.post_html`; formulas are `$...$` if they come with LaTeX.
    """
    body = next(root.iter("{*}body"), root)
    if _read_epub_types(body) & front or _is_contents(body):
        return ""
    notes: list[etree._Element] = []
    gone: set[etree._Element] = set()
    for element in list(body.iter()):
        if isinstance(element.tag, str) and element is not body and element not in gone:
            _simplify(element, front, notes, gone)
    for key in list(body.attrib):
        del body.attrib[key]
    html = _serialize(body) + "".join(f"<p>{_serialize(note)}</p>" for note in notes)
    return to_text(UNSPACED_LINE_END.sub(r"\1\2", html))


def _serialize(element: etree._Element) -> str:
    for inner in element.iter():
        if isinstance(inner.tag, str) and inner.tag.startswith("{"):
            inner.tag = etree.QName(inner).localname
    etree.cleanup_namespaces(element)
    return str(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _read_epub_types(element: etree._Element) -> set[str]:
    return set((element.get(EPUB_TYPE_ATTRIBUTE) or "").lower().split())


def _is_contents(body: etree._Element) -> bool:
    """Return whether nearly all the text of a document is inside links."""
    links = [link for link in body.iter("{*}a") if link.get("href")]
    if len(links) < MIN_CONTENTS_LINKS:
        return False
    linked = sum(len("".join("".join(link.itertext()).split())) for link in links)
    return linked * 10 >= 7 * len("".join("".join(body.itertext()).split()))


def _simplify(
    element: etree._Element, front: frozenset[str], notes: list[etree._Element], gone: set[etree._Element]
) -> None:
    """Drop an element that shows no text of the book, put a note aside, make the mark of one `[1]`.

    The content of a dropped element is added to `gone`.
    """
    name = etree.QName(element).localname.lower()
    types, role = _read_epub_types(element), element.get("role") or ""
    if name in DROPPED_XHTML_ELEMENTS or types & (front | {"pagebreak"}) or role == "doc-pagebreak":
        gone.update(element.iter())
        _remove(element)
    elif name == "svg":
        gone.update(element.iter())
        _replace_drawing(element)
    elif name == "math":
        gone.update(element.iter())
        _replace_formula(element)
    elif name == "a" and ("noteref" in types or role == "doc-noteref" or _is_mark(element)):
        mark = NOTE_NUMBER.fullmatch("".join(element.itertext()))
        gone.update(element.iter())
        if "backlink" in types or role == "doc-backlink" or BACKLINK_NAME.search(element.get("class") or ""):
            _remove(element)
        elif mark is not None:
            _set_text(element, f"[{mark[1]}]")
            _lower(element)
    elif name == "a" and ARROWS_ONLY.fullmatch("".join(element.itertext())) and len(element) == 0:
        _remove(element)
    elif name in ("aside", "li", "div", "p") and (types & NOTE_TYPES or role in NOTE_ROLES):
        parent = element.getparent()
        if name == "aside" and parent is not None:
            _remove(element)
            notes.append(element)
    for key in list(element.attrib):
        if key != "start":
            del element.attrib[key]


def _is_mark(element: etree._Element) -> bool:
    """Return whether a link to a place is the raised number of a note."""
    parent = element.getparent()
    raised = parent is not None and etree.QName(parent).localname == "sup"
    raised = raised or any(
        etree.QName(child).localname == "sup" for child in element if isinstance(child.tag, str)
    )
    return (
        raised
        and "#" in (element.get("href") or "")
        and bool(NOTE_NUMBER.fullmatch("".join(element.itertext())))
    )


def _lower(element: etree._Element) -> None:
    """Lower a mark in brackets, which need not be raised."""
    parent = element.getparent()
    if parent is not None and etree.QName(parent).localname == "sup":
        parent.tag = "span"


def _set_text(element: etree._Element, text: str) -> None:
    for child in list(element):
        element.remove(child)
    element.text = text


def _replace_formula(element: etree._Element) -> None:
    latex = element.get("alttext") or next(
        (
            "".join(annotation.itertext())
            for annotation in element.iter("{*}annotation")
            if "tex" in (annotation.get("encoding") or "").lower()
        ),
        "",
    )
    if latex.strip():
        _set_text(element, f"${latex.strip().strip('$')}$")


def _replace_drawing(element: etree._Element) -> None:
    """Replace a page that is drawn (fixed layout) by the paragraphs on it, in the order of the drawing.

    Words of a line share `y`; a line that stops short behind the end of a sentence ends a paragraph.
    """
    paragraphs: list[list[str]] = []
    for text in element.iter("{*}text"):
        lines: list[str] = []
        last = None
        for span in text.iter("{*}tspan", "{*}text"):
            content = (span.text or "").strip("\r\n")
            if lines and span.get("y") in (last, None):
                lines[-1] += content
            elif content.strip():
                lines.append(content)
            last = span.get("y") or last
        longest = max(map(len, lines), default=0)
        paragraphs.append([])
        for line in filter(None, map(str.strip, lines)):
            paragraphs[-1].append(line)
            if len(line) < longest * 0.85 and SENTENCE_END.search(line):
                paragraphs.append([])
    joiner = Joiner("\n".join(line for lines in paragraphs for line in lines), "", typeset=True)
    for child in list(element):
        element.remove(child)
    element.tag, element.text = "div", None
    for lines in filter(None, paragraphs):
        etree.SubElement(element, "p").text = joiner.join_lines(lines)


def _remove(element: etree._Element) -> None:
    """Remove an element, but keep its tail."""
    parent = element.getparent()
    if parent is not None:
        _keep_tail(element, element.tail)
        element.tail = None
        parent.remove(element)


def _keep_tail(element: etree._Element, tail: str | None) -> None:
    parent, before = element.getparent(), element.getprevious()
    if tail and parent is not None:
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
