"""Convert a document of an EPUB, which is XHTML in any style, to text."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from corpus.extract.books.gutenberg import cut_license, drop_page_marks
from corpus.extract.books.verse import EPUB_TYPE_ATTRIBUTE, is_line, lay_out_verse
from corpus.extract.mathml import to_latex
from corpus.extract.posts.post_html import to_text
from corpus.extract.reflow import Joiner

MEDIA_ELEMENTS = frozenset({"audio", "video", "iframe", "map", "form", "button", "input"})
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
GUTENBERG_NAMES = re.compile(
    r"(?:^|\s)(?:pg-boilerplate|pg-?header|pg-?footer|pg-machine-header)(?:$|\s)", re.IGNORECASE
)
"""Classes and ids of what Project Gutenberg puts around a book."""
PAGE_NAMES = re.compile(
    r"(?:^|\s)(?:x-ebookmaker-)?(?:page-?_?(?:num(?:ber)?s?|no|break|mark(?:er)?|ref)|pag(?:e|ina)?[-_]?[ivxlcdm\d]{1,5}[a-d]?|pg"
    r"|pb[-_]?\d*|pn|folio|seite(?:nzahl|nnummer)?(?:[-_]?\d+)?|numpage|pag(?:num|ina))(?:$|\s)",
    re.IGNORECASE,
)
"""Classes and ids of the number of a printed page."""
PAGE_NUMBER = re.compile(
    r"[\s\[({|*\u2014\u2013-]*(?:[^\W\d_]{1,7}\.?\s?)?(?:\d{1,5}|[ivxlcdm]{1,8})"
    r"(?:\s?(?:/|\b(?:of|de|sur|von|di|van|из)\b)\s?\d{1,5})?\s?[a-d頁页]?[\s\])}|*.\u2014\u2013-]*",
    re.IGNORECASE,
)
PLAIN_TAGS = frozenset(
    f"{space}{name}"
    for space in ("", "{http://www.w3.org/1999/xhtml}")
    for name in (
        *("p", "div", "span", "i", "em", "b", "strong", "br", "hr", "blockquote", "cite", "q", "small", "u"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "tbody", "tr", "td", "th"),
        *("section", "article", "header", "pre", "code", "ruby", "rb"),
    )
)
"""Elements that are as they should be if they have no attributes, or lose them and are of no type and no role."""
SHOWN_BLOCKS = frozenset(
    {"p", "div", "ol", "ul", "dl", "table", "section", "h1", "h2", "h3", "h4", "h5", "h6"}
)
MIN_OBJECT_CHARACTERS = 60
"""Characters from which the words that stand for an object are a text of the book."""
CANNOT_SHOW = re.compile(
    r"\b(?:(?:does|do|can) ?not|unable|doesn.t|can.t)\b[^.]{0,60}\b(?:support|display|show|play|render)"
    r"|\b(?:browser|reading system|e-?reader|plug-?in|navigateur|lesesystem)\b",
    re.IGNORECASE,
)
"""What is said where an object cannot be shown."""
INLINE_ELEMENTS = frozenset(
    {"span", "a", "small", "b", "i", "em", "strong", "sup", "sub", "font", "div", "p"}
)
"""Elements that may hold nothing but the number of a page."""
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
HIDING_RULE = re.compile(
    r"([^{}]{1,400})\{[^{}]{0,1000}?(?:display\s*:\s*none|visibility\s*:\s*hidden)[^{}]{0,1000}\}",
    re.IGNORECASE,
)
HIDDEN_CLASS = re.compile(r"\s*[a-z]*\.([\w-]+)\s*")
TEX_MARK = re.compile(r"[\\^_{}]|\$")
WORD = re.compile(r"[^\W\d_]{3,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0eff]{2,}")
MAX_LETTER_PICTURE_CHARACTERS = 3
"""Characters of the alternative text of a picture that stands for letters."""
LINE_ENDS = frozenset(
    {
        "p",
        "div",
        "br",
        "hr",
        "table",
        "tr",
        "td",
        "th",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "pre",
        "body",
        "section",
    }
    | {"blockquote", "figure", "figcaption", "aside", "header", "footer", "h1", "h2", "h3", "h4", "h5", "h6"}
)
"""Elements that begin and end a line of text."""
SIDES = ("width", "height")
MAX_LETTER_PIXELS = 120
LARGE_STYLE = re.compile(
    r"\b(?:width|height)\s*:\s*(?:[4-9]|\d\d+)(?:\.\d+)?\s*r?em\b"
    r"|\b(?:width|height)\s*:\s*(?:12[1-9]|1[3-9]\d|[2-9]\d\d|\d{4,})(?:\.\d+)?\s*px\b"
    r"|\bwidth\s*:\s*(?:[2-9]\d|\d{3,})(?:\.\d+)?\s*%",
    re.IGNORECASE,
)
"""A size in which a picture is no letter: four lines, 121 pixels or a fifth of the page."""
FORMULA_NAMES = re.compile(
    r"\b(?:math|formula|equation|latex|tex|eqn?)(?:s|-?inline|_inline|\d+)?\b", re.IGNORECASE
)
UNKNOWN_CHARACTER = "\u3013"
"""The geta mark, for a character of a Japanese book that is a picture."""
RAISED_LETTERS = re.compile(r"[-\u2010\u2011]?[^\W\d_]{1,6}\.?")
ORDINAL_LETTERS = frozenset("eoadrh")
"""Letters behind a number: 1er and XIXe are read by their length or these; m, n, s, t, x are exponents."""
TITLE_LETTERS = frozenset("oers")
"""Letters behind a capital: No, Ve, Dr, Ms; `R^d` and `A^n` are powers."""
FOOTNOTE_LETTERS = frozenset("abc")
ROMAN = re.compile(r"[ivxlcdm]+", re.IGNORECASE)
LAST_WORD = re.compile(r"\w+$")
BLOCKS_IN_CELLS = frozenset(
    {"p", "div", "li", "ul", "ol", "center", "h1", "h2", "h3", "h4", "h5", "h6", "section"}
)
KEPT_ATTRIBUTES = frozenset({"start", "value", "colspan", "rowspan"})
MAX_SPANNED_COLUMNS = 100
MAX_CELL_CHARACTERS = 1500
"""Characters of a cell beyond which a table is a layout of paragraphs."""
PLACE_IN_BOOK = re.compile(r"(?!\w+:)[^#\s]*(?:#\S|\.x?html?\b)", re.IGNORECASE)
CONTENTS_BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "table", "tbody", "nav", "section", "blockquote", "dl", "center", "tr", "li"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
TITLE_ELEMENTS = tuple(
    f"{{*}}{name}" for name in ("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "center", "span")
)
MAX_TITLE_WORDS = 4
NO_LETTERS = re.compile(r"[\W\d_]+")
CONTENTS_TITLE = re.compile(
    r"(?:(?:the )?(?:table of )?contents?|table des mati[eè]res|sommaire|inhalt(?:s(?:verzeichnis|übersicht))?"
    r"|[íi]ndice(?: general| geral)?|contenido|sum[aá]rio|inhoud(?:sopgave)?|spis treści|obsah|tartalom|sisällys"
    r"|innehåll|indhold|innhold|содержание|оглавление|зміст|目\s*次|目\s*[录錄]|차례|목차|المحتويات|فهرس\w*|الفهرس"
    r"|תוכן(?: ה?ע[ני]+ים)?|विषय[- ]?सूची|अनुक्रम(?:णिका)?|สารบัญ|mục lục|içindekiler|πε?ριεχ[όο]μενα)\W{0,3}",
    re.IGNORECASE,
)
MIN_CONTENTS_LINKS = 8
"""Links from which a document that is hardly anything but links is a table of contents."""


def convert_chapter(root: etree._Element, front: frozenset[str]) -> str:
    """Return the text of a document; empty for one that declares a type in `front`, or is all links.

    The tree is used up. Titles and paragraphs are separated by a blank line, lists and code as in
    `corpus.extract.posts.post_html`; lines of verse and rows of tables are lines, cells `a | b`; formulas are `$...$`,
    from their LaTeX if they come with it, else from MathML. Numbers of printed pages, hidden text, and header and
    licence of Project Gutenberg are dropped.
    """
    etree.strip_tags(root, etree.ProcessingInstruction, etree.Comment)
    body = next(root.iter("{*}body"), root)
    if etree.QName(body).localname == "svg":
        drawing, body = body, etree.Element("body")
        body.append(drawing)
    if _read_epub_types(body) & front or _is_contents(body):
        return ""
    _drop_contents(body)
    lay_out_verse(body)
    notes: list[etree._Element] = []
    gone: set[etree._Element] = set()
    hidden = _read_hidden_classes(root)
    for element in list(body.iter()):
        tag = element.tag
        if not isinstance(tag, str) or element is body or element in gone:
            continue
        is_bare = not element.attrib
        if not is_bare and is_line(element):
            element.tag = tag = "div"
        if is_bare and tag in PLAIN_TAGS:
            continue
        if not is_bare and _is_left_out(element, hidden):
            gone.update(element.iter())
            _remove(element)
        elif tag in PLAIN_TAGS and element.get(EPUB_TYPE_ATTRIBUTE) is None and element.get("role") is None:
            _drop_attributes(element)
        else:
            _simplify(element, front, notes, gone)
    for table in reversed(list(body.iter("{*}table"))):
        _lay_out_table(table)
    for key in list(body.attrib):
        del body.attrib[key]
    html = _serialize(body) + "".join(f"<p>{_serialize(note)}</p>" for note in notes)
    text = cut_license(to_text(html))
    return drop_page_marks(text) if "[" in text else text


def _read_hidden_classes(root: etree._Element) -> frozenset[str]:
    """Return the classes that a document's own style sheet hides."""
    names: set[str] = set()
    for style in root.iter("{*}style"):
        rules = style.text or ""
        if not HIDDEN_STYLE.search(rules):
            continue
        for rule in HIDING_RULE.finditer(rules):
            matches = map(HIDDEN_CLASS.fullmatch, rule[1].split(","))
            names.update(match[1] for match in matches if match)
    return frozenset(names)


def _is_left_out(element: etree._Element, hidden: frozenset[str]) -> bool:
    """Return whether an element is hidden, the number of a page, or put there by Project Gutenberg."""
    style = element.get("style")
    if element.get("hidden") is not None or (style and HIDDEN_STYLE.search(style)):
        return str(etree.QName(element).localname).lower() != "math"
    classes, id = element.get("class") or "", element.get("id") or ""
    if not classes and not id:
        return False
    if hidden and not hidden.isdisjoint(classes.split()):
        return True
    if _is_name_of_gutenberg(classes) or _is_name_of_gutenberg(id):
        return True
    if not (_is_name_of_page(classes) or _is_name_of_page(id)):
        return False
    if etree.QName(element).localname.lower() not in INLINE_ELEMENTS:
        return False
    text = "".join(element.itertext())
    return len(text) <= 24 and PAGE_NUMBER.fullmatch(text) is not None


def _is_name_of_gutenberg(names: str) -> bool:
    """Return whether a class or an id is that of what Project Gutenberg puts around a book."""
    return "pg" in names.lower() and GUTENBERG_NAMES.search(names) is not None


@lru_cache(maxsize=4096)
def _is_name_of_page(names: str) -> bool:
    """Return whether a class or an id is that of the number of a page. Kept: most elements share a few classes."""
    return PAGE_NAMES.search(names) is not None


def _lay_out_table(table: etree._Element) -> None:
    """Turn a table into a paragraph with a line for each row, cells divided by ` | `; a layout of long cells stays."""
    rows = [row for row in table.iter("{*}tr") if next(row.iterancestors("{*}table"), None) is table]
    cells = [[cell for cell in row if isinstance(cell.tag, str)] for row in rows]
    if not rows or any(
        next(table.iterdescendants(name), None) is not None for name in ("{*}pre", "{*}table")
    ):
        return
    if any(len("".join(cell.itertext())) > MAX_CELL_CHARACTERS for row in cells for cell in row):
        return
    laid = etree.Element("p")
    _drop_empty_columns(cells)
    _fill_spanned_rows(cells)
    for row in cells:
        for cell in row:
            _flatten_cell(cell)
        texts = ["".join(cell.itertext()).strip() for cell in row]
        if not any(texts):
            continue
        if len(laid):
            etree.SubElement(laid, "br")
        line = etree.SubElement(laid, "span")
        last = max(at for at, text in enumerate(texts) if text)
        for at, cell in enumerate(row[: last + 1]):
            line.append(cell)
            cell.tag, cell.tail = "span", " | " if at < last else None
    parent = table.getparent()
    assert parent is not None
    for caption in table.findall("{*}caption"):
        caption.tag = "p"
        table.addprevious(caption)
    laid.tail = table.tail
    parent.replace(table, laid)


def _drop_empty_columns(rows: list[list[etree._Element]]) -> None:
    """Take the columns in which no row has text out of the rows, unless cells span several."""
    if any(
        cell.get("colspan", "1") != "1" or cell.get("rowspan", "1") != "1" for row in rows for cell in row
    ):
        return
    used = {at for row in rows for at, cell in enumerate(row) if "".join(cell.itertext()).strip()}
    for row in rows:
        row[:] = [cell for at, cell in enumerate(row) if at in used]


def _fill_spanned_rows(rows: list[list[etree._Element]]) -> None:
    """Put an empty cell where one reaches in from the row above, so that the others keep their columns."""
    below: dict[int, tuple[int, int]] = {}
    """Column -> the width of the cell that reaches into it, and for how many rows more."""
    for row in rows:
        above, below = below, {at: (wide, left - 1) for at, (wide, left) in below.items() if left > 1}
        column, filled = 0, []
        for cell in [*row, None]:
            while column in above:
                filled.append(etree.Element("td"))
                column += above[column][0]
            if cell is None:
                break
            filled.append(cell)
            wide, high = (_read_span(cell, name) for name in ("colspan", "rowspan"))
            if high > 1 and column < MAX_SPANNED_COLUMNS:
                below[column] = (wide, high - 1)
            column += wide
        row[:] = filled


def _read_span(cell: etree._Element, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, int(value)) if value.isdecimal() and len(value) <= 4 else 1


def _flatten_cell(cell: etree._Element) -> None:
    """Put the blocks of a cell in one line."""
    for inner in list(cell.iterdescendants()):
        name = etree.QName(inner).localname.lower() if isinstance(inner.tag, str) else ""
        if name == "br" or name in BLOCKS_IN_CELLS:
            inner.tag, inner.tail = "span", " " + (inner.tail or "")


def _serialize(element: etree._Element) -> str:
    for inner in element.iter("{*}*"):
        _, brace, name = inner.tag.rpartition("}")
        if brace:
            inner.tag = name
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


def _drop_contents(body: etree._Element) -> None:
    """Remove tables of contents inside a document: a title such as `Contents`, and behind it blocks of links alone."""
    links = [link for link in body.iter("{*}a") if PLACE_IN_BOOK.match(link.get("href") or "")]
    if len(links) < MIN_CONTENTS_LINKS:
        return
    for title in [block for block in body.iter(*TITLE_ELEMENTS) if _is_contents_title(block)]:
        run = _list_linked_blocks(title)
        if sum(1 for block in run for _ in block.iter("{*}a")) >= MIN_CONTENTS_LINKS:
            for block in [title, *run]:
                _remove(block)


def _is_contents_title(block: etree._Element) -> bool:
    words: list[str] = []
    for text in block.itertext():
        words += str(text).split()
        if len(words) > MAX_TITLE_WORDS:
            return False
    return not (block.tail or "").strip() and CONTENTS_TITLE.fullmatch(" ".join(words)) is not None


def _list_linked_blocks(title: etree._Element) -> list[etree._Element]:
    """Return the blocks of links behind a title, or behind the block in which it stands alone."""
    first = title
    while (
        first.getnext() is None and (parent := first.getparent()) is not None and first.getprevious() is None
    ):
        if etree.QName(parent).localname not in ("div", "header", "center", "section"):
            break
        first = parent
    run: list[etree._Element] = []
    for block in first.itersiblings():
        if not isinstance(block.tag, str) or (
            not "".join(block.itertext()).strip() and not (block.tail or "").strip()
        ):
            continue
        if not _is_linked(block):
            break
        run.append(block)
    return run


def _is_linked(block: etree._Element) -> bool:
    """Return whether a block has links as its text, apart from numbers and dots, and is no part of a sentence."""
    if etree.QName(block).localname.lower() not in CONTENTS_BLOCKS or (block.tail or "").strip():
        return False
    linked = sum(_count_letters("".join(link.itertext())) for link in block.iter("{*}a") if link.get("href"))
    return linked > 0 and linked * 10 >= 8 * _count_letters("".join(block.itertext()))


def _count_letters(text: str) -> int:
    return len(NO_LETTERS.sub("", text))


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
    elif name == "switch":
        _choose_case(element, gone)
    elif name == "object" and not _holds_content(element):
        gone.update(element.iter())
        _remove(element)
    elif name == "img" or name == "image":
        _set_text(element, _read_picture(element))
        element.tag = "span"
        if element.text == "":
            _set_initial(element)
    elif name == "sup" and _is_raised_letters(element):
        element.tag = "span"
        if "".join(element.itertext()).upper() == "TM":
            _set_text(element, "\u2122")
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
    _drop_attributes(element)


def _drop_attributes(element: etree._Element) -> None:
    keys = element.keys()
    if KEPT_ATTRIBUTES.isdisjoint(keys):
        element.attrib.clear()
        return
    for key in keys:
        if key not in KEPT_ATTRIBUTES:
            del element.attrib[key]


def _holds_content(element: etree._Element) -> bool:
    """Return whether an object has paragraphs or lists in its place, and no mere note that it cannot be shown."""
    if not any(
        isinstance(child.tag, str) and etree.QName(child).localname in SHOWN_BLOCKS for child in element
    ):
        return False
    text = " ".join("".join(element.itertext()).split())
    return len(text) >= MIN_OBJECT_CHARACTERS and CANNOT_SHOW.search(text[:300]) is None


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
    """Replace MathML by `$...$`: its LaTeX annotation, its alternative text if that is LaTeX, else as converted."""
    annotated = next(
        (
            "".join(annotation.itertext())
            for annotation in element.iter("{*}annotation")
            if "tex" in (annotation.get("encoding") or "").lower()
        ),
        "",
    )
    alternative = (element.get("alttext") or "").strip()
    latex = annotated.strip() or (alternative if _is_latex(alternative) else "") or to_latex(element).strip()
    _set_text(element, _format_formula(latex) if latex else alternative)


def _is_latex(text: str) -> bool:
    """Return whether an alternative text is a formula, and not words such as `x squared`."""
    return bool(text) and ("\\" in text or not WORD.search(text))


def _format_formula(latex: str) -> str:
    inner = latex.removeprefix("\\(").removesuffix("\\)").removeprefix("\\[").removesuffix("\\]")
    return f"${inner.strip().strip('$').strip()}$"


def _choose_case(switch: etree._Element, gone: set[etree._Element]) -> None:
    """Keep one of the alternatives of EPUB's `switch`: a case in MathML, else the default."""
    children = [child for child in switch if isinstance(child.tag, str)]
    cases = [child for child in children if next(child.iter("{*}math"), None) is not None]
    defaults = [child for child in children if etree.QName(child).localname == "default"]
    kept = (cases or defaults or children)[:1]
    for child in children:
        if child not in kept:
            gone.update(child.iter())
            _remove(child)
        else:
            child.tag = "span" if cases else "div"
    switch.tag = "span" if cases else "div"


def _read_picture(picture: etree._Element) -> str:
    """Return what a picture in a line stands for: letters, or a formula; empty for an illustration."""
    alternative = " ".join((picture.get("alt") or "").split())
    names = f"{picture.get('class') or ''} {picture.get('id') or ''} {picture.get('role') or ''}"
    if (
        alternative
        and (FORMULA_NAMES.search(names) or alternative.startswith(("$", "\\(")))
        and _is_latex(alternative)
    ):
        return _format_formula(alternative)
    if (
        0 < len(alternative) <= MAX_LETTER_PICTURE_CHARACTERS
        and not _is_large(picture)
        and _is_in_line(picture)
    ):
        return alternative
    return UNKNOWN_CHARACTER if re.search(r"gaiji", names, re.IGNORECASE) else ""


def _set_initial(picture: etree._Element) -> None:
    """Put a letter that is a picture before the paragraph that it begins: `<div><img alt="T"/></div><p>he ship`."""
    letter = (picture.get("alt") or "").strip()
    if len(letter) != 1 or not letter.isalpha():
        return
    block = picture
    while (parent := block.getparent()) is not None and not block.tail and block.getnext() is None:
        if etree.QName(parent).localname not in INLINE_ELEMENTS or parent[0] is not block or parent.text:
            break
        block = parent
    following = block.getnext()
    if (
        following is not None
        and following.tag in ("p", "{http://www.w3.org/1999/xhtml}p")
        and not (block.tail or "").strip()
    ):
        following.text = letter + (following.text or "").lstrip()


def _is_in_line(element: etree._Element) -> bool:
    """Return whether text stands beside a picture in its line, which blocks and breaks end."""
    while True:
        before, behind = _look_beside(element, back=True), _look_beside(element, back=False)
        parent = element.getparent()
        if before or behind:
            return True
        if before is False or behind is False or parent is None or etree.QName(parent).localname in LINE_ENDS:
            return False
        element = parent


def _look_beside(element: etree._Element, back: bool) -> bool | None:
    """Return whether text (True) or a block (False) comes first before or behind an element in its parent."""
    if not back and (element.tail or "").strip():
        return True
    for sibling in element.itersiblings(preceding=back):
        if back and (sibling.tail or "").strip():
            return True
        if isinstance(sibling.tag, str):
            if etree.QName(sibling).localname in LINE_ENDS:
                return False
            if "".join(sibling.itertext()).strip():
                return True
        if not back and (sibling.tail or "").strip():
            return True
    parent = element.getparent()
    return True if back and parent is not None and (parent.text or "").strip() else None


def _is_large(picture: etree._Element) -> bool:
    """Return whether a picture is set larger than a line of letters."""
    if any((size := picture.get(side) or "").isdecimal() and int(size) > MAX_LETTER_PIXELS for side in SIDES):
        return True
    return LARGE_STYLE.search(picture.get("style") or "") is not None


def _is_raised_letters(sup: etree._Element) -> bool:
    """Return whether raised letters end a word (`XIXe`, `Mme`, `1st`), and are no exponent and no mark of a note."""
    text = "".join(sup.itertext()).strip()
    if not RAISED_LETTERS.fullmatch(text) or next(sup.iter("{*}a"), None) is not None:
        return False
    before, is_slanted = _read_before(sup)
    word = LAST_WORD.search(before)
    if word is None:
        return False
    base, letters = word[0], text.strip("-\u2010\u2011.").lower()
    if len(letters) > 1:
        return not (is_slanted and len(base) == 1)
    if not text[0].isalpha() or not letters.isascii():
        return True
    if base.isdecimal() or (ROMAN.fullmatch(base) and (len(base) > 1 or base in "IVX")):
        return letters in ORDINAL_LETTERS
    if len(base) == 1:
        return not is_slanted and (
            base + letters in ("no", "fo", "ro", "vo", "ye", "yt", "St")
            or (base.isupper() and letters in TITLE_LETTERS)
        )
    return letters not in FOOTNOTE_LETTERS


def _read_before(element: etree._Element) -> tuple[str, bool]:
    """Return the text just before an element, and whether it is in italics."""
    before, parent = element.getprevious(), element.getparent()
    if before is not None and not before.tail:
        slanted = isinstance(before.tag, str) and etree.QName(before).localname in ("i", "em", "var")
        return "".join(before.itertext())[-20:], slanted
    text = before.tail if before is not None else parent.text if parent is not None else ""
    slanted = parent is not None and etree.QName(parent).localname in ("i", "em", "var")
    return (text or "")[-20:], slanted


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
