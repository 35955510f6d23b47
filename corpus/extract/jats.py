"""JATS (and NLM) full text of an article as its reader sees it, without its references.

Title, abstract, body and appendices; sections, lists, boxes, captions, formulas as LaTeX, tables as lines of
`a | b`. Left out: the list of references, numbers that cite (names and years that stand in a sentence stay, in
brackets of their own they go), authors, affiliations, acknowledgements, footnotes, peer review (`sub-article`).
Licence, date, language, journal and kind of article come from the file.
"""

from __future__ import annotations

import re
from typing import Any

from corpus.document import Record
from corpus.extract import Extracted
from corpus.extract.creative_commons import creative_commons
from corpus.extract.dates import iso_date
from corpus.extract.mathml import to_latex
from corpus.extract.text import clean_text
from corpus.extract.wikitext_layout import mend_holes
from corpus.extract.wikitext_templates import HOLE
from corpus.xml import XmlError, tree

VERSION = 1
"""Raised when the text of some article changes."""

MAX_DEPTH = 200

CITED, CITED_END = "\x02", "\x03"
"""Around a citation that has letters in it."""

_XLINK = "{http://www.w3.org/1999/xlink}href"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

_OPENED = (
    b'<!DOCTYPE x SYSTEM "unread"><x xmlns:xlink="http://www.w3.org/1999/xlink"'
    b' xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:ali="http://www.niso.org/schemas/ali/1.0/"'
    b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:oasis="http://docs.oasis-open.org/ns/table">'
)


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


DROPPED = _names(
    "ref-list ref contrib-group aff author-notes graphic inline-graphic media object-id fn fn-group"
    " table-wrap-foot ack bio notes permissions supplementary-material sub-article response front-stub"
    " sec-meta colgroup col processing-meta alt-text long-desc attrib copyright-statement kwd-group counts"
    " custom-meta-group tex-math private-char glyph-data x hr index-term verse-group-meta label"
)
"""Elements that no reader of the prose needs; `label` is taken where it names something."""
BLOCKS = _names(
    "p title sec list def-list disp-quote boxed-text statement caption abstract trans-abstract body app"
    " app-group subtitle speech verse-group verse-line preformat code array question answer explanation"
)
INLINE = _names(
    "italic bold named-content ext-link uri email underline sc monospace roman sans-serif strike overline"
    " styled-content term abbrev institution country"
)
FLOATS = _names("fig table-wrap fig-group table-wrap-group boxed-text chem-struct-wrap")
FORMULAS = _names("inline-formula disp-formula math alternatives chem-struct tex-math")
SIDE_ABSTRACTS = _names("graphical toc key-image short teaser web-summary video")

SUPERSCRIPT = str.maketrans("0123456789+-−–=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾")
SUBSCRIPT = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")
_SCRIPTABLE = re.compile(r"[0-9+\-−–=()]{1,12}")
_NUMBERS = re.compile(r"[\s\d,;.\[\]()*†‡§–—-]*[a-z]?[\s,;\])]*")
_ONLY_CITED = re.compile(
    rf" ?[(\[](?:(?:see|also|and|e\.g\.|i\.e\.|cf\.|reviewed|in|by|for|review|reviews|references?|refs?\.?)\b|"
    rf"[\s,;.&:–-]|{CITED}[^{CITED_END}]*{CITED_END}|{HOLE}){{1,200}}[)\]]"
)
_CITATIONS = re.compile(rf"{HOLE}(?:[ ,;–—-]*{HOLE})+")
_MARKED = re.compile(rf"[{CITED}{HOLE}]")
_DOCUMENT = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_DOLLARS = re.compile(r"^\$+\s*(.*?)\s*\$+$", re.DOTALL)
_OWN_ADDRESS = re.compile(r"(?:^| )(?:DOI|doi):? ?(?:https?://(?:dx\.)?doi\.org/)?10\.[0-9]{4}[^ ]*$")
"""Of a figure or a section, in some journals."""
_MARKS = frozenset("abcdefgh*†‡§¶#")
"""Footnote marks, where they stand raised in a table."""
_RETRACTED = re.compile(r"^\W*(?:RETRACTED|Retracted(?: article)?\s*:|WITHDRAWN)")


def extracted(record: Record, mode: str) -> Extracted | None:
    """The text of one article and what it says of itself. Raises XmlError where it is no article.

    `translation` in the record's metadata asks for that translated abstract (from 0) with its title instead.
    """
    assert isinstance(record.body, bytes)
    root = _article(record.body)
    meta = _first(root, "front/article-meta")
    if meta is None:
        meta = _first(root, "front-stub")
    place = record.metadata.get("translation")
    if place is not None:
        return _translation(meta, int(place))
    permissions = re.search(
        rb"<(permissions|copyright-statement)\b.*?</\1>", record.body[:1_000_000], re.DOTALL
    )
    found = Extracted(text="", metadata=_described(root, meta))
    if permissions is not None:
        found.license = creative_commons(permissions[0].decode("utf-8", "replace"))
    found.language = root.get(_LANGUAGE) or "en"
    walker = Walker()
    if meta is not None:
        found.date = _date(meta)
        for title in meta.iterfind("title-group/*"):
            if title.tag in ("article-title", "subtitle"):
                walker.block(title)
        for abstract in meta.iterfind("abstract"):
            if abstract.get("abstract-type") not in SIDE_ABSTRACTS:
                walker.block(abstract)
    for path in ("body", "back/app-group", "back/app", "floats-group"):
        for part in root.iterfind(path):
            walker.block(part)
    found.text = joined(walker.finished())
    return found


def _article(body: bytes) -> Any:
    root = record_tree(body)
    if root.tag.rpartition("}")[2] == "article":
        return root
    for article in root.iter("{*}article"):
        return article
    raise XmlError(f"not an article but <{root.tag}>")


def record_tree(body: bytes) -> Any:
    """The tree of a record cut out of its document, with the entities and prefixes that are usual there."""
    if body.startswith((b"<?xml", b"<!DOCTYPE")):
        return tree(body)
    return tree(b"".join([_OPENED, body, b"</x>"]))[0]


def _first(root: Any, path: str) -> Any:
    return root.find(path) if root is not None else None


def _text_at(root: Any, path: str) -> str | None:
    found = _first(root, path)
    return " ".join("".join(found.itertext()).split()) or None if found is not None else None


def _described(root: Any, meta: Any) -> dict[str, str]:
    """Journal, kind of article, identifiers, and whether it is retracted."""
    kind = root.get("article-type")
    journal = _text_at(root, "front/journal-meta//journal-title")
    found = {"article_type": kind, "journal": journal, "title": _text_at(meta, "title-group/article-title")}
    if meta is not None:
        for number in meta.iterfind("article-id"):
            name = {"pmc": "pmcid", "pmcid": "pmcid"}.get(
                number.get("pub-id-type") or "", number.get("pub-id-type")
            )
            if name in ("doi", "pmid", "pmcid") and (text := (number.text or "").strip()):
                found[name] = text if name != "pmcid" or text.startswith("PMC") else f"PMC{text}"
        for related in meta.iterfind("related-article"):
            if related.get("related-article-type") in ("retraction-forward", "retracted", "retraction"):
                found["retracted"] = "yes"
        if _RETRACTED.match(found["title"] or "") or kind == "retracted-article":
            found["retracted"] = "yes"
    return {name: value for name, value in found.items() if value}


def _date(meta: Any) -> str | None:
    """The day of publication: on line first, then whatever is given, the most exact first."""
    dates: list[tuple[int, int, str]] = []
    for given in meta.iterfind("pub-date"):
        kind = given.get("date-type") or given.get("pub-type") or ""
        parts = [_text_at(given, name) or "" for name in ("year", "month", "day")]
        if (date := iso_date(*parts)) is not None:
            rank = (
                0
                if kind in ("epub", "pub", "epreprint") or given.get("publication-format") == "electronic"
                else 1
            )
            dates.append((rank, -len(date), date))
    return min(dates)[2] if dates else None


def _translation(meta: Any, place: int) -> Extracted | None:
    """A translated abstract, below the translated title of its language where there is one."""
    abstracts = meta.findall("trans-abstract") if meta is not None else []
    if place >= len(abstracts):
        return None
    language = abstracts[place].get(_LANGUAGE)
    walker = Walker()
    for group in meta.iterfind("title-group/trans-title-group"):
        if (
            language is not None
            and group.get(_LANGUAGE) == language
            and (title := group.find("trans-title")) is not None
        ):
            walker.block(title)
    walker.block(abstracts[place])
    text = joined(walker.finished())
    return Extracted(text=text, language=language, date=_date(meta))


class Walker:
    """Blocks of text from elements, in their order; `finished()` gives them."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.depth = 0
        self.in_table = False

    def finished(self) -> list[str]:
        self.flush()
        return self.blocks

    def flush(self) -> None:
        """End the block at hand."""
        if self.line:
            text = _OWN_ADDRESS.sub("", mended("".join(self.line)))
            self.line = []
            if text:
                self.blocks.append(text)

    def block(self, element: Any) -> None:
        self.flush()
        self.content(element)
        self.flush()

    def content(self, element: Any) -> None:
        """The text of an element and what is in it, without its tail."""
        if self.depth >= MAX_DEPTH:
            self.line.append("".join(element.itertext()))
            return
        self.depth += 1
        if element.text:
            self.line.append(element.text)
        for child in element:
            self.element(child, child.tag)
            if child.tail:
                self.line.append(child.tail)
        self.depth -= 1

    def element(self, child: Any, name: str) -> None:
        if name[0] == "{":
            name = name.rpartition("}")[2]
        if name in INLINE:
            self.content(child)
        elif name == "xref":
            self.reference(child)
        elif name in ("sub", "sup"):
            self.script(child, name)
        elif name in FORMULAS:
            self.formula(child, name)
        elif name in FLOATS:
            self.labelled(child, name)
        elif name == "list":
            self.listed(child)
        elif name == "def-item":
            self.definition(child)
        elif name == "table":
            self.table(child)
        elif name in DROPPED:
            self.line.append(HOLE if name in ("inline-graphic", "fn") else "")
        elif name == "break":
            self.line.append(" ")
        elif name in ("preformat", "code"):
            self.flush()
            if text := "".join(child.itertext()).strip("\n"):
                self.blocks.append(text)
        elif name in ("statement", "disp-formula-group", "app"):
            self.labelled(child, name)
        elif name in BLOCKS:
            self.block(child)
        else:
            self.content(child)

    def reference(self, element: Any) -> None:
        """A cross-reference: those to figures and tables stay, numbers that cite leave a hole."""
        kind = element.get("ref-type")
        if kind not in ("bibr", "fn", "table-fn", "aff", "corresp", "author-notes"):
            self.content(element)
            return
        text = "".join(element.itertext())
        cites = kind == "bibr" and _NUMBERS.fullmatch(text) is None
        self.line.append(f"{CITED}{text}{CITED_END}" if cites else HOLE)

    def script(self, element: Any, name: str) -> None:
        """Superscripts and subscripts of digits as characters; those that only cite go."""
        before, self.line = self.line, []
        self.content(element)
        text, self.line = "".join(self.line), before
        if HOLE in text and not text.replace(HOLE, "").strip(" ,;-–—[]()\u00a0"):
            self.line.append(HOLE)
        elif self.in_table and name == "sup" and _MARKS.issuperset(text.replace(",", "").split()):
            self.line.append("")
        elif _SCRIPTABLE.fullmatch(text.strip()):
            self.line.append(text.strip().translate(SUPERSCRIPT if name == "sup" else SUBSCRIPT))
        else:
            self.line.append(text)

    def formula(self, element: Any, name: str) -> None:
        """A formula as `$...$`, from its TeX before its MathML; one given as an image alone leaves a hole."""
        latex = _tex(element) or _mathml(element)
        display = name == "disp-formula"
        if latex is None and name not in ("math", "tex-math") and element.find(".//{*}graphic") is None:
            if display:
                self.flush()
            self.content(element)
            if display:
                self.flush()
        elif display:
            self.flush()
            if latex:
                self.blocks.append(f"$${latex}$$")
        else:
            self.line.append(f"${latex}$" if latex else HOLE)

    def labelled(self, element: Any, name: str) -> None:
        """A figure, table, box or statement: its label stands before its caption or title."""
        self.flush()
        if (label := _text_at(element, "label")) is not None:
            self.line.append(label if label[-1] in ".:。：" else f"{label}.")
            self.line.append(" ")
        caption = element.find("caption")
        for child in caption if caption is not None else ():
            if (
                self.line
                and self.line != [f"{label}.", " "]
                and child.tag in ("title", "p")
                and self.line[-1] != " "
            ):
                self.line.append(" ")
            if child.tag in ("title", "p"):
                self.content(child)
            else:
                self.element(child, child.tag)
        if caption is not None:
            self.flush()
        for child in element:
            if child.tag not in ("label", "caption"):
                if name == "statement" and child.tag in ("title", "p") and self.line:
                    self.content(child)
                    self.flush()
                else:
                    self.element(child, child.tag)
        self.flush()

    def listed(self, element: Any) -> None:
        """A list, a line an item: its label or "- " before it."""
        self.flush()
        items: list[str] = []
        for child in element:
            if child.tag != "list-item":
                if child.tag != "label":
                    self.block(child)
                continue
            label = _text_at(child, "label")
            before, self.blocks = self.blocks, []
            self.content(child)
            self.flush()
            lines, self.blocks = self.blocks, before
            if lines:
                marker = f"{label} " if label and label not in "•●–-·◦*" else "- "
                items.append("\n".join([marker + lines[0], *lines[1:]]))
        if items:
            self.blocks.append("\n".join(items))

    def definition(self, element: Any) -> None:
        self.flush()
        term = _text_at(element, "term") or ""
        self.line.append(f"{term}: " if term else "")
        for meaning in element.iterfind("def"):
            for child in meaning:
                self.content(child)
                self.line.append(" ")
        self.flush()

    def table(self, element: Any) -> None:
        """A table: a line a row, cells apart by " | "; empty rows and columns of rules go."""
        self.flush()
        rows: list[str] = []
        for row in element.iter("tr", "{*}tr"):
            cells: list[str] = []
            for cell in row:
                inner = Walker()
                inner.depth, inner.in_table = self.depth, True
                inner.content(cell)
                cells.append(" ".join(inner.finished()).replace("\n", " "))
            if any(cells):
                rows.append(" | ".join(cells).rstrip(" |"))
        if rows:
            self.blocks.append("\n".join(rows))


def joined(blocks: list[str]) -> str:
    """Blocks as one clean text, a blank line between them; printable ASCII is clean as it is."""
    cleaned = [block if block.isascii() and block.isprintable() else clean_text(block) for block in blocks]
    return "\n\n".join(block for block in cleaned if block)


def mended(text: str) -> str:
    """A block on one line, without what citations leave behind."""
    text = " ".join(text.split())
    if _MARKED.search(text):
        text = _CITATIONS.sub(HOLE, text)
        if CITED in text:
            text = _ONLY_CITED.sub(HOLE, text)
        text = mend_holes(text).replace(CITED, "").replace(CITED_END, "").strip()
    return text


def _tex(element: Any) -> str | None:
    """The TeX of a formula without the document that PMC wraps it in."""
    found = element if element.tag == "tex-math" else element.find(".//tex-math")
    if found is None:
        return None
    text = "".join(found.itertext()).strip()
    if (document := _DOCUMENT.search(text)) is not None:
        text = document[1].strip()
    if (inner := _DOLLARS.match(text)) is not None:
        text = inner[1]
    return " ".join(text.split()) or None


def _mathml(element: Any) -> str | None:
    name = element.tag.rpartition("}")[2]
    found = element if name == "math" else element.find(".//{http://www.w3.org/1998/Math/MathML}math")
    return (" ".join(to_latex(found).split()) or None) if found is not None else None
