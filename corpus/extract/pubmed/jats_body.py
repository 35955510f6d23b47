"""Convert the body of a JATS article to blocks of text: paragraphs, titles, lists, captions, formulas, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corpus.extract.holes import HOLE, mend_holes
from corpus.extract.html.wrapped_lines import CJK, SHARED_SIGNS
from corpus.extract.mathml import to_latex
from corpus.extract.plain_text import clean_text
from corpus.extract.pubmed.jats_lists import read_numbering, write_item
from corpus.extract.raised_text import write_script
from corpus.extract.reflow import UNSPACED_LETTERS


def split_names(listed: str) -> frozenset[str]:
    """Split a list of names."""
    return frozenset(listed.split())


MAX_JATS_DEPTH = 200
MAX_INDENTED_LISTS = 16
"""Lists in each other that are indented; deeper ones stand below the last of these."""
MAX_SPANNED_COLUMNS = 100
"""Of a table, up to which a cell that reaches over several rows keeps its place in each."""

CITATION_START, CITATION_END = "\x02", "\x03"
"""Around a citation that has letters in it."""

_XLINK = "{http://www.w3.org/1999/xlink}href"
DROPPED_ELEMENTS = split_names(
    "ref-list ref contrib-group aff author-notes graphic inline-graphic media object-id fn fn-group"
    " table-wrap-foot ack bio notes permissions supplementary-material sub-article response front-stub"
    " sec-meta colgroup col processing-meta alt-text long-desc attrib copyright-statement kwd-group counts"
    " custom-meta-group tex-math private-char glyph-data x def rt rp rtc index-term verse-group-meta label"
)
"""Elements that no reader of the prose needs; `label` is taken where it names something, `def` beside its term."""
BLOCK_ELEMENTS = split_names(
    "p title sec list def-list disp-quote boxed-text statement caption abstract trans-abstract body app"
    " app-group subtitle sig-block sig preformat code array question answer explanation"
)
INLINE_ELEMENTS = split_names(
    "italic bold named-content ext-link uri email underline sc monospace roman sans-serif strike overline"
    " styled-content term abbrev institution country"
)
FLOAT_ELEMENTS = split_names("fig table-wrap fig-group table-wrap-group boxed-text chem-struct-wrap")
FORMULA_ELEMENTS = split_names("inline-formula disp-formula math alternatives chem-struct tex-math")
_NUMBERS = re.compile(r"[\s\d,;.\[\]()*†‡§–—-]*[a-z]?[\s,;\])]*")
_YEARS = re.compile(r"[\s,;()]*(?:(?:1[5-9]|20)\d\d[a-z]?[\s,;()–]*)+")
"""Text of a citation of which the names stand before it."""
_BESIDE_NUMBERS = " ,;-–—[]()\u00a0\t\n"
_BARE_NUMBERS = re.compile(r"\s*\d{1,4}(?:\s*[,–-]\s*\d{1,4})*\s*")
_OPENING = ("(", "[", "（", "⁽")
_OPEN_BRACKET = re.compile(r"[(\[（⁽][^)\]）⁾]*$")
_AFTER_KEPT_NUMBER = re.compile(r"\[[\d,\s–-]+\][\s,;–—-]+$")
_AFTER_WORD = re.compile(r"\w(\.?)[ \u00a0\u2009\u202f]+$")
_ONLY_CITED = re.compile(
    rf" ?[(\[](?=[^)\]]{{0,2000}}[{CITATION_START}{HOLE}])(?:(?:1[5-9]|20)\d\d[a-z]?\b|"
    rf"(?:see|also|and|e\.g|i\.e|cf|reviewed|in|by|for|review|reviews|references?|refs?)\b|"
    rf"[\s,;.&:–-]|{CITATION_START}[^{CITATION_END}]*{CITATION_END}|{HOLE}){{1,200}}[)\]]"
)
_BRACKETED = re.compile(rf"[(\[（]\s*{HOLE}[)\]）]")
_CITATIONS = re.compile(rf"{HOLE}(?:[ ,;–—-]*{HOLE})+")
_WRAPPED = re.compile(
    r"\n(?=[,;)\]）］〕】」』〉》、。，．；：！？،؛؟।]|\.(?:\s|$))|(?<=[(\[（［〔【「『〈《])\n"
)
"""Where a file that is laid out for the eye breaks its line between a word and its punctuation."""
_LINE_END = f"[\n{HOLE}{CITATION_START}{CITATION_END}]++"
_UNSPACED_LINE_END = re.compile(
    rf"(?<=[{UNSPACED_LETTERS}]){_LINE_END}(?=[{UNSPACED_LETTERS}])"
    rf"|(?<=[{CJK}]){_LINE_END}(?=[{SHARED_SIGNS}])|(?<=[{SHARED_SIGNS}]){_LINE_END}(?=[{CJK}])"
)
"""Where it breaks its line in a script that sets no spaces between words."""
_DOCUMENT = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_DELIMITED = re.compile(
    r"^(?:\\\(\s*(?P<round>.*?)\s*\\\)|\\\[\s*(?P<square>.*?)\s*\\\]"
    r"|\\begin\{(?P<name>math|displaymath|equation\*?)\}\s*(?P<inner>.*?)\s*\\end\{(?P=name)\})$",
    re.DOTALL,
)
"""A formula with delimiters of its own that are no dollars."""
_DOLLARS = re.compile(r"^(\$+)\s*(.*?)\s*\1$", re.DOTALL)
_DOUBLED = re.compile(r"\$\s?\$([^$\n]{1,4000})\$\s?\$")
"""A formula in a line whose delimiters stand in the text and around it once more."""
_NOT_AVAILABLE = re.compile(r"\W*not\s+available\W*", re.IGNORECASE)
_LABEL_NAME = re.compile(r"^(?:[^\W\d_]{2,}(?:\.\s*|\s+)|[\u3040-\u9fff\uac00-\ud7af]+\s*)(?=[\w(])")
"""The word in a label, which the sentence around a reference has already: `Figure 3`."""
_OWN_ADDRESS = re.compile(r"(?:^| )(?:DOI|doi):? ?(?:https?://(?:dx\.)?doi\.org/)?10\.[0-9]{4}[^ ]*$")
"""Of a figure or a section, in some journals."""
ALTERNATIVES = ("table", "list", "def-list", "preformat", "code", "textual-form", "p", "disp-quote")
"""What is taken of several forms of the same thing, the first there is."""
_MARKS = frozenset("abcdefgh*†‡§¶#")
"""Footnote marks, where they stand raised in a table."""


def find_first(root: Any, path: str) -> Any:
    """Return the first element at a path; None if there is none, or no root."""
    return root.find(path) if root is not None else None


def text_at(root: Any, path: str) -> str | None:
    """Return the text of the first element at a path on one line; None if there is none."""
    element = find_first(root, path)
    return join_lines("".join(element.itertext())) or None if element is not None else None


def join_lines(text: str) -> str:
    """Return a text on one line: a line end is a space, but within Chinese, Japanese, Thai and their like."""
    if "\n" in text:
        text = "\n".join(filter(None, map(str.strip, text.split("\n"))))
        text = _WRAPPED.sub("", text)
        if not text.isascii():
            text = _UNSPACED_LINE_END.sub(lambda end: end[0].replace("\n", ""), text)
    return " ".join(text.split())


def read_title(element: Any) -> str:
    """Return a title on one line, as it stands in the text."""
    walker = Walker()
    walker.add_block(element)
    return " ".join(join_blocks(walker.finish()).split())


def has_marked_citations(root: Any) -> bool:
    """Return whether nearly all numbers that cite are raised or in brackets in an article."""
    marked = bare = 0
    for reference in root.iter("xref"):
        if reference.get("ref-type") != "bibr":
            continue
        text, before = "".join(reference.itertext()).strip(), _read_just_before(reference).rstrip()
        if _NUMBERS.fullmatch(text) is None:
            continue
        if _is_raised(reference) or text.startswith(_OPENING) or before.endswith(_OPENING):
            marked += 1
        elif before.rstrip(" ,;–—-"):
            bare += 1
    return marked > 2 * bare


def _is_raised(reference: Any) -> bool:
    return reference.getparent().tag == "sup" or reference.find(".//sup") is not None


def _read_just_before(element: Any) -> str:
    """Return the text between an element and what stands before it in its parent."""
    previous = element.getprevious()
    return (previous.tail if previous is not None else element.getparent().text) or ""


def read_labels(root: Any) -> dict[str, str]:
    """Return the numbers that references without text print, by the `id` of what they point to.

    Of figures and tables of which none has a label, they are counted.
    """
    rids = root.xpath(".//xref[not(*) and not(normalize-space())]/@rid")
    wanted = {key for rid in rids for key in rid.split()}
    labels: dict[str, str] = {}
    if not wanted:
        return labels
    for element in root.iter("*"):
        key = element.get("id")
        if key in wanted and (label := text_at(element, "label")) is not None:
            labels[key] = _LABEL_NAME.sub("", label).strip(" .:()[]") or label
    for kind in ("fig", "table-wrap"):
        shown = list(root.iter(kind))
        if all(element.find("label") is None for element in shown):
            labels |= {
                element.get("id"): str(at)
                for at, element in enumerate(shown, 1)
                if element.get("id") in wanted
            }
    return labels


class Walker:
    """Collect blocks of text from elements, in their order; `finish()` returns them.

    `labels` holds what a reference without text prints: the number of what it points to, by its `id`.
    """

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self.labels = labels or {}
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.depth = 0
        self.list_depth = 0
        self.counts: dict[str, int] = {}
        """Items of the lists so far, by their `id`: a list may go on where another ends."""
        self.keeps_numbers: bool | None = None
        """Whether numbers that cite without brackets are words of their sentence; None if that is not known yet."""
        self.notes: list[Any] = []
        """Footnotes in the paragraph, which stand behind it."""
        self.in_table = False

    def finish(self) -> list[str]:
        """End the current block, and return all blocks."""
        self.flush()
        self.add_notes()
        return self.blocks

    def flush(self) -> None:
        """End the current block."""
        if self.line:
            text = mend_block("".join(self.line))
            if "doi" in text or "DOI" in text:
                text = _OWN_ADDRESS.sub("", text)
            self.line = []
            if text:
                self.blocks.append(text)

    def add_block(self, element: Any) -> None:
        """Add an element as a block of its own."""
        self.flush()
        self.add_content(element)
        self.flush()
        self.add_notes()

    def add_notes(self) -> None:
        """Add the footnotes of the paragraph that ended."""
        notes, self.notes = self.notes, []
        for note in notes:
            self.add_block(note)

    def add_content(self, element: Any) -> None:
        """Add the text of an element and its content, without its tail."""
        if self.depth >= MAX_JATS_DEPTH:
            self.line.append("".join(element.itertext()))
            return
        self.depth += 1
        if element.text:
            self.line.append(element.text)
        for child in element:
            self.add_element(child, child.tag)
            if child.tail:
                self.line.append(child.tail)
        self.depth -= 1

    def add_element(self, child: Any, name: str) -> None:
        """Add an element by its name."""
        if name[0] == "{":
            name = name.rpartition("}")[2]
        if name in INLINE_ELEMENTS:
            self.add_content(child)
        elif name == "xref":
            self.add_reference(child)
        elif name in ("sub", "sup"):
            self.add_script(child, name)
        elif name == "alternatives" and (chosen := _choose_alternative(child)) is not None:
            self.add_element(chosen, chosen.tag)
        elif name in FORMULA_ELEMENTS:
            self.add_formula(child, name)
        elif name in FLOAT_ELEMENTS or (name == "media" and child.find("caption") is not None):
            self.add_labelled(child, name)
        elif name == "list":
            self.add_list(child)
        elif name == "speech":
            self.add_speech(child)
        elif name == "verse-group":
            self.add_verse(child)
        elif name == "attrib" and child.getparent().tag in ("disp-quote", "verse-group"):
            self.flush()
            self.blocks += [block for block in self.read_blocks(child) if any(map(str.isalnum, block))]
        elif name == "def-item":
            self.add_definition(child)
        elif name == "def-head":
            self.line.append(": " if self.line else "")
            self.add_content(child)
        elif name in ("table", "array"):
            self.add_table(child)
        elif name == "fn" and not self.in_table and next(child.iterancestors("p"), None) is not None:
            self.line.append(HOLE)
            self.notes.append(child)
        elif name in DROPPED_ELEMENTS:
            self.line.append(HOLE if name in ("inline-graphic", "fn") else "")
        elif name == "break":
            self.line.append(" " if self.in_table else "\n")
        elif name == "hr":
            self.line.append(" ")
        elif name in ("preformat", "code"):
            text = "".join(child.itertext()).strip("\n")
            if name == "code" and self.is_in_sentence(text, child.tail or ""):
                self.line.append(text)
                return
            self.flush()
            if text:
                self.blocks.append(text)
        elif name in ("statement", "disp-formula-group", "app"):
            self.add_labelled(child, name)
        elif name in BLOCK_ELEMENTS:
            self.add_block(child)
        else:
            self.add_content(child)

    def is_in_sentence(self, code: str, behind: str) -> bool:
        """Return whether code is a part of a sentence: one line, with text behind it, or before it but no colon."""
        before = "".join(self.line).rstrip()
        return "\n" not in code and bool(behind.strip() or (before and before[-1] not in ":："))

    def add_reference(self, element: Any) -> None:
        """Add a cross-reference: those to figures and tables are kept, numbers that cite leave a hole, years stay.

        Numbers that the sentence needs (`according to 3, boats sail`) stand in brackets.
        """
        kind = element.get("ref-type")
        if kind not in ("bibr", "fn", "table-fn", "aff", "corresp", "author-notes"):
            if len(element) or (element.text or "").strip():
                self.add_content(element)
            else:
                numbers = [
                    self.labels[key] for key in (element.get("rid") or "").split() if key in self.labels
                ]
                self.line.append(", ".join(numbers) or HOLE)
            return
        text = "".join(element.itertext())
        if kind == "bibr" and _YEARS.fullmatch(text):
            self.line.append(text)
            return
        if kind == "bibr" and self.is_word(element, text):
            self.line.append(f"[{text.strip()}]")
            return
        cites = kind == "bibr" and _NUMBERS.fullmatch(text) is None
        self.line.append(f"{CITATION_START}{text}{CITATION_END}" if cites else HOLE)

    def is_word(self, element: Any, text: str) -> bool:
        """Return whether a number that cites is a word of its sentence.

        It is if it is neither raised nor in brackets, as other numbers of the article are, and a word and a space stand
        before it; behind an abbreviation (`in ref. 3`) the sentence must go on.
        """
        if self.in_table or _BARE_NUMBERS.fullmatch(text) is None or _is_raised(element):
            return False
        before = "".join(piece[-300:] for piece in self.line[-20:])[-300:]
        if _OPEN_BRACKET.search(before):
            return False
        if _AFTER_KEPT_NUMBER.search(before) is None:
            word, following = _AFTER_WORD.search(before), (element.tail or "").lstrip()[:1]
            if word is None or (word[1] and not (following.islower() or following in tuple(",;:.)"))):
                return False
        if self.keeps_numbers is None:
            self.keeps_numbers = has_marked_citations(element.getroottree().getroot())
        return self.keeps_numbers

    def add_script(self, element: Any, name: str) -> None:
        """Add a superscript or subscript as `write_script` writes it; one that only cites is dropped."""
        before, self.line = self.line, []
        self.add_content(element)
        text, self.line = "".join(self.line), before
        is_bare = bool(text.strip()) and not text.replace(HOLE, "").strip(_BESIDE_NUMBERS)
        if is_bare and (HOLE in text or _joins_citations(element, text)):
            is_end = text[-1].isspace() and (element.tail or "")[:1].isalnum()
            self.line.append(f"{HOLE} " if is_end else HOLE)
        elif self.in_table and name == "sup" and _MARKS.issuperset(text.replace(",", "").split()):
            self.line.append("")
        else:
            base = next((piece for piece in reversed(self.line) if piece), "")
            self.line.append(write_script(text, name, base, element.tail or ""))

    def add_formula(self, element: Any, name: str) -> None:
        """Add a formula as `$...$`, from its TeX before its MathML; one given as an image alone leaves a hole."""
        latex = _find_tex(element) or _convert_mathml(element)
        display = name == "disp-formula"
        if latex is None and name not in ("math", "tex-math") and element.find(".//{*}graphic") is None:
            if display:
                self.flush()
            self.add_content(element)
            if display:
                self.flush()
        elif display:
            self.flush()
            if latex:
                self.blocks.append(f"$${latex}$$")
        else:
            is_mixed = latex is not None and "$" in latex.replace("\\$", "")
            self.line.append((latex if is_mixed else f"${latex}$") if latex else HOLE)

    def add_labelled(self, element: Any, name: str) -> None:
        """Add a figure, table, box or statement: its label stands before its caption or title.

        A caption's title that does not end like a sentence is a paragraph of its own.
        """
        self.flush()
        if (label := text_at(element, "label")) is not None:
            self.line.append(label if label[-1] in ".:。：" else f"{label}.")
            self.line.append(" ")
        caption = element.find("caption")
        for child in caption if caption is not None else ():
            if child.tag in ("title", "p"):
                if self.line and self.line[-1] != " ":
                    self.line.append(" ")
                self.add_content(child)
                if child.tag == "title" and "".join(self.line).rstrip()[-1:].isalnum():
                    self.flush()
            else:
                self.add_element(child, child.tag)
        if caption is not None:
            self.flush()
        for child in element:
            if child.tag not in ("label", "caption"):
                if self.line and (child.tag == "title" or (name == "statement" and child.tag == "p")):
                    self.add_content(child)
                    self.flush()
                else:
                    self.add_element(child, child.tag)
        self.flush()
        self.add_notes()

    def read_blocks(self, element: Any) -> list[str]:
        """Return an element as blocks, which are not added."""
        self.flush()
        before = self.blocks, self.notes
        self.blocks, self.notes = [], []
        self.add_block(element)
        blocks = self.blocks
        self.blocks, self.notes = before
        return blocks

    def add_list(self, element: Any) -> None:
        """Add a list, a line an item: its label, its number or "- " before it; what is in an item is indented."""
        self.flush()
        numbering = read_numbering(element)
        count = self.counts.get(element.get("continued-from") or "", 0)
        self.list_depth += 1
        indent = "  " if self.list_depth <= MAX_INDENTED_LISTS else ""
        items: list[str] = []
        for child in element:
            if child.tag != "list-item":
                if child.tag != "label":
                    self.add_block(child)
                continue
            count += 1
            if blocks := self.read_blocks(child):
                items.append(write_item(blocks, text_at(child, "label"), numbering, count, indent))
        self.list_depth -= 1
        if (key := element.get("id")) is not None:
            self.counts[key] = count
        if items:
            self.blocks.append("\n".join(items))

    def add_verse(self, element: Any) -> None:
        """Add a poem or a stanza: a line a verse, a blank line between stanzas."""
        self.flush()
        stanza: list[str] = []
        for child in element:
            if child.tag == "verse-line":
                stanza += self.read_blocks(child)
                continue
            self.add_stanza(stanza)
            stanza = []
            self.add_element(child, child.tag)
        self.add_stanza(stanza)
        self.flush()

    def add_stanza(self, verses: list[str]) -> None:
        if verses:
            self.blocks.append("\n".join(verses))

    def add_speech(self, element: Any) -> None:
        """Add what somebody says behind the name of who says it."""
        self.flush()
        for child in element:
            if child.tag == "speaker" and (speaker := text_at(child, ".")) is not None:
                self.line += [speaker if speaker[-1] in ":：" else f"{speaker}:", " "]
            elif child.tag == "p":
                self.add_content(child)
                self.flush()
            else:
                self.add_element(child, child.tag)
        self.flush()
        self.add_notes()

    def add_definition(self, element: Any) -> None:
        """Add a term and its meanings."""
        self.flush()
        term = element.find("term")
        if term is not None and text_at(term, ".") is not None:
            self.add_content(term)
            self.line.append(": ")
        for meaning in element.iterfind("def"):
            for child in meaning:
                self.add_content(child)
                self.line.append(" ")
        self.flush()

    def add_table(self, element: Any) -> None:
        """Add a table: a line a row, cells separated by " | "; empty rows and columns of rules are dropped.

        A cell that reaches over several rows stands in the first, and keeps its column in the others.
        """
        self.flush()
        rows: list[str] = []
        below: dict[int, tuple[int, int]] = {}
        """Column -> the width of the cell that reaches into it from above, and for how many rows more."""
        columns: dict[str, int] = {}
        for row in element.iter("{*}tr", "{*}row", "{*}tgroup"):
            if row.tag.endswith("tgroup"):
                columns, below = _read_column_names(row), {}
                continue
            above, below = below, {at: (wide, left - 1) for at, (wide, left) in below.items() if left > 1}
            cells: list[str] = []
            column = 0
            for cell in row:
                if not isinstance(cell.tag, str):
                    continue
                while column in above:
                    cells.append("")
                    column += above[column][0]
                inner = Walker(self.labels)
                inner.depth, inner.in_table = self.depth, True
                inner.add_content(cell)
                cells.append(" ".join(" ".join(inner.finish()).split()))
                wide, high = _read_spans(cell, columns)
                if high > 1 and column < MAX_SPANNED_COLUMNS:
                    below[column] = (wide, high - 1)
                column += wide
            if any(cells):
                rows.append(" | ".join(cells).rstrip(" |"))
        if rows:
            self.blocks.append("\n".join(rows))


def _joins_citations(script: Any, text: str) -> bool:
    """Return whether a script without letters stands beside a citation; a dash between two, since one is a charge."""
    before, after = script.getprevious(), script.getnext()
    has_before = before is not None and _is_citation(before) and not (before.tail or "").strip()
    has_after = after is not None and _is_citation(after) and not (script.tail or "").strip()
    return (has_before and has_after) or (
        (has_before or has_after) and any(sign in text for sign in ",;[]()")
    )


def _is_citation(element: Any) -> bool:
    reference = element[0] if element.tag == "sup" and len(element) else element
    return bool(reference.tag == "xref" and reference.get("ref-type") == "bibr")


def _choose_alternative(element: Any) -> Any:
    """Return which of several forms of the same thing is text: a table, a list, code, words; None for a formula."""
    children = [child for child in element if isinstance(child.tag, str)]
    names = [child.tag.rpartition("}")[2] for child in children]
    if any(name in ("math", "tex-math") for name in names):
        return None
    for wanted in ALTERNATIVES:
        if wanted in names:
            return children[names.index(wanted)]
    rest = [child for child, name in zip(children, names, strict=True) if name not in DROPPED_ELEMENTS]
    return rest[0] if rest else None


def _read_column_names(group: Any) -> dict[str, int]:
    """Return the columns of an OASIS table by name, from 0; a span's name stands for its first column."""
    columns: dict[str, int] = {}
    at = 0
    for spec in group.iterfind("{*}colspec"):
        number = spec.get("colnum") or ""
        at = int(number) - 1 if number.isdecimal() and 0 < int(number) <= MAX_SPANNED_COLUMNS else at
        columns[spec.get("colname") or f"c{at + 1}"] = at
        at += 1
    return columns


def _read_spans(cell: Any, columns: Mapping[str, int]) -> tuple[int, int]:
    """Return how many columns and rows a cell covers, in HTML's form or in OASIS's."""
    if not columns:
        return _read_span(cell, "colspan"), _read_span(cell, "rowspan")
    first, last = (columns.get(cell.get(name) or "") for name in ("namest", "nameend"))
    wide = last - first + 1 if first is not None and last is not None and last >= first else 0
    more = cell.get("morerows") or ""
    high = int(more) + 1 if more.isdecimal() and len(more) <= 4 else 0
    return wide or _read_span(cell, "colspan"), high or _read_span(cell, "rowspan")


def is_not_available(text: str) -> bool:
    """Return whether a title or abstract only says that there is none: `[Not Available].`"""
    return _NOT_AVAILABLE.fullmatch(text) is not None


def _read_span(cell: Any, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, int(value)) if value.isdecimal() and len(value) <= 4 else 1


def join_blocks(blocks: list[str]) -> str:
    """Return blocks as one clean text, a blank line between them; printable ASCII is clean as it is."""
    cleaned = [block if block.isascii() and block.isprintable() else clean_text(block) for block in blocks]
    return "\n\n".join(block for block in cleaned if block)


def mend_block(text: str) -> str:
    """Return a block on one line, without what citations leave behind."""
    text = join_lines(text)
    if "$" in text:
        text = _drop_doubled_delimiters(text)
    if HOLE in text or CITATION_START in text:
        text = _CITATIONS.sub(HOLE, text)
        if _has_closed_hole(text):
            text = _CITATIONS.sub(HOLE, _BRACKETED.sub(HOLE, text))
        if CITATION_START in text or _has_closed_hole(text):
            text = _ONLY_CITED.sub(HOLE, text)
        text = mend_holes(text).replace(CITATION_START, "").replace(CITATION_END, "").strip()
    return text


def _drop_doubled_delimiters(text: str) -> str:
    """Return a text with one pair of delimiters around each formula; `$a$ $b$ $c$` are three formulas."""
    pieces: list[str] = []
    at = search_from = dollars = 0
    while (match := _DOUBLED.search(text, search_from)) is not None:
        dollars += text.count("$", search_from, match.start())
        if dollars % 2:
            dollars, search_from = dollars + 1, match.start() + 1
        else:
            pieces += [text[at : match.start()], f"${match[1]}$"]
            at = search_from = match.end()
    return "".join([*pieces, text[at:]])


def _has_closed_hole(text: str) -> bool:
    return f"{HOLE})" in text or f"{HOLE}]" in text or f"{HOLE}）" in text


def _find_tex(element: Any) -> str | None:
    """Return the TeX of a formula without the document that PMC wraps it in."""
    tex_math = element if element.tag == "tex-math" else element.find(".//tex-math")
    if tex_math is None:
        return None
    text = "".join(tex_math.itertext()).strip()
    if (document := _DOCUMENT.search(text)) is not None:
        text = document[1].strip()
    text = _strip_delimiters(text)
    return " ".join(text.split()) or None


def _strip_delimiters(tex: str) -> str:
    """Return a formula without the delimiters around all of it; `$a$ and $b$` has none."""
    while True:
        if (marked := _DELIMITED.match(tex)) is not None:
            tex = next(marked[name] for name in ("round", "square", "inner") if marked[name] is not None)
        elif (dollars := _DOLLARS.match(tex)) is not None and (
            "$" not in dollars[2] or (dollars[2].startswith("$") and dollars[2].endswith("$"))
        ):
            tex = dollars[2]
        else:
            return tex


def _convert_mathml(element: Any) -> str | None:
    name = element.tag.rpartition("}")[2]
    math = element if name == "math" else element.find(".//{http://www.w3.org/1998/Math/MathML}math")
    return (" ".join(to_latex(math).split()) or None) if math is not None else None
