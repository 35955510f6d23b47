"""Lay out the verse of a document of an EPUB: the lines of a stanza in one block, with breaks between them.

Books have lines of verse as paragraphs, divisions or spans, each set on a line by a style sheet, and name the poem, the
stanza or the line by a class or a type. Stanzas whose lines end in `<br/>` are laid out already.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

EPUB_TYPE_ATTRIBUTE = "{http://www.idpf.org/2007/ops}type"
VERSE_WORDS = frozenset(
    {"poem", "poems", "poetry", "verse", "verses", "stanza", "lyric", "lyrics", "linegroup", "strophe"}
    | {
        "vers",
        "verso",
        "versos",
        "poema",
        "poeme",
        "poème",
        "poesia",
        "poésie",
        "poesie",
        "estrofa",
        "gedicht",
    }
    | {"стих", "стихи", "строфа", "詩", "诗"}
)
"""Words in classes of poems, stanzas and their lines."""
STANZA_WORDS = frozenset({"stanza", "strophe", "estrofa", "строфа", "linegroup"})
LINE_WORDS = frozenset({"line", "verse", "vers", "verso", "v", "l"})
OTHER_WORDS = frozenset(
    {
        "source",
        "attribution",
        "author",
        "credit",
        "signature",
        "byline",
        "cite",
        "title",
        "subtitle",
        "head",
        "heading",
    }
    | {
        "caption",
        "note",
        "ref",
        "reference",
        "num",
        "number",
        "no",
        "nr",
        "speaker",
        "prose",
        "pagenum",
        "pageno",
    }
)
"""Words in classes of what stands beside verse and is none."""
VERSE_TYPES = frozenset({"poem", "verse", "poetry", "song", "hymn", "lyrics"})
"""What `epub:type` says of verse, behind the name of its vocabulary (`z3998:poem`)."""
VERSE_ELEMENTS = ("poem", "linegroup")
"""Elements of talking books (DTBook)."""
NAME_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
LINE_BLOCKS = frozenset({"p", "div", "line"})
INLINE_NAMES = frozenset(
    {
        "span",
        "a",
        "i",
        "em",
        "b",
        "strong",
        "small",
        "big",
        "u",
        "s",
        "q",
        "cite",
        "sup",
        "sub",
        "ruby",
        "rb",
        "rt",
        "rp",
    }
    | {
        "abbr",
        "acronym",
        "dfn",
        "font",
        "tt",
        "code",
        "bdi",
        "bdo",
        "mark",
        "ins",
        "del",
        "time",
        "wbr",
        "rtc",
        "var",
    }
)
LINE_SPANS = frozenset({"span", "i", "em", "b", "strong", "small", "cite"})
MAX_VERSE_CHARACTERS = 200
"""Characters of a line of verse; what is longer is a paragraph."""
MAX_CARRIED_CHARACTERS = 24
"""Characters of what stands between two lines and belongs to none: the number of a page, an anchor."""
BLOCK_STYLE = re.compile(r"display\s*:\s*block\b", re.IGNORECASE)
FLOATING_STYLE = re.compile(r"float\s*:\s*(?:left|right)|position\s*:\s*(?:absolute|fixed)", re.IGNORECASE)
FIRST_LETTER = re.compile(r"[\W\d_]*([^\W\d_])")


def lay_out_verse(body: etree._Element) -> None:
    """Put the lines of each stanza, and others that a style makes lines, into a block with breaks between them."""
    parents: dict[etree._Element, bool] = {}
    """Elements whose children may be lines: all of them (True), or those that say so of themselves."""
    for element in body.iter():
        if not isinstance(element.tag, str):
            continue
        if _is_verse(element):
            _break_source_lines(element)
            for inner in element.iter():
                if len(inner) and isinstance(inner.tag, str):
                    parents[inner] = True
        elif not element.attrib or not is_line(element):
            continue
        if (parent := element.getparent()) is not None:
            parents.setdefault(parent, False)
    for parent, is_within_verse in parents.items():
        _join_lines(parent, is_within_verse)


def is_line(element: etree._Element) -> bool:
    """Return whether an element within a line is a line of its own by its style."""
    style = element.get("style")
    if not style or BLOCK_STYLE.search(style) is None or FLOATING_STYLE.search(style) is not None:
        return False
    return etree.QName(element).localname in LINE_SPANS


def _is_verse(element: etree._Element) -> bool:
    if not element.attrib:
        return bool(element.tag.endswith(VERSE_ELEMENTS))
    types = element.get(EPUB_TYPE_ATTRIBUTE)
    if types and any(type.rpartition(":")[2] in VERSE_TYPES for type in types.lower().split()):
        return True
    classes = element.get("class")
    return (classes is not None and _is_name_of_verse(classes)) or bool(element.tag.endswith(VERSE_ELEMENTS))


@lru_cache(maxsize=4096)
def _split_name(name: str) -> frozenset[str]:
    """Return the words of a class: `poemLine-2` has poem and line."""
    return frozenset(word.lower() for word in NAME_WORD.findall(name))


@lru_cache(maxsize=4096)
def _is_name_of_verse(classes: str) -> bool:
    """Return whether a class is that of verse. Kept: most elements share a few classes."""
    return any(
        not words.isdisjoint(VERSE_WORDS) and words.isdisjoint(OTHER_WORDS)
        for words in map(_split_name, classes.split())
    )


def _has_word(element: etree._Element, words: frozenset[str]) -> bool:
    return any(not _split_name(name).isdisjoint(words) for name in (element.get("class") or "").split())


def _break_source_lines(element: etree._Element) -> None:
    """Break a text of verse where its lines end in the source, if each line begins with a capital."""
    if len(element) or "\n" not in (element.text or ""):
        return
    lines = [line.strip() for line in element.text.split("\n") if line.strip()]
    starts = [FIRST_LETTER.match(line) for line in lines]
    if len(lines) > 1 and all(
        start is not None and start[1].isupper() and len(line) <= MAX_VERSE_CHARACTERS
        for line, start in zip(lines, starts, strict=True)
    ):
        element.text = lines[0]
        for line in lines[1:]:
            etree.SubElement(element, _name_beside(element, "br")).tail = line


def _join_lines(parent: etree._Element, is_within_verse: bool) -> None:
    """Join runs of lines among the children of an element; one without text ends a stanza."""
    children = [child for child in parent if isinstance(child.tag, str)]
    verse = children if is_within_verse else filter(_is_verse, children)
    if any(next(child.iter("{*}br"), None) is not None for child in verse):
        return
    are_spans_lines = is_within_verse and _holds_lines(parent, children)
    run: list[etree._Element] = []
    lines: set[etree._Element] = set()
    for child in children:
        text = _read_line(child)
        is_alone = text is not None and not (child.tail or "").strip()
        if (
            text
            and is_alone
            and (_is_line_of_verse(child, is_within_verse) or (are_spans_lines and _is_span(child)))
        ):
            run.append(child)
            lines.add(child)
        elif run and text is not None and is_alone and _is_carried(child, text):
            run.append(child)
        else:
            _join_run(run, lines)
            run, lines = [], set()
    _join_run(run, lines)


def _is_line_of_verse(element: etree._Element, is_within_verse: bool) -> bool:
    if etree.QName(element).localname not in LINE_BLOCKS:
        return is_line(element)
    if not is_within_verse and (not _is_verse(element) or _has_word(element, STANZA_WORDS)):
        return False
    return not _has_word(element, OTHER_WORDS) and _is_single(element)


def _is_carried(element: etree._Element, text: str) -> bool:
    """Return whether an element between two lines belongs to none: an anchor, the number of a page."""
    is_inline = etree.QName(element).localname in ("a", "span") and not is_line(element)
    return is_inline and len(text) <= MAX_CARRIED_CHARACTERS


def _is_span(element: etree._Element) -> bool:
    return bool(etree.QName(element).localname == "span")


def _holds_lines(parent: etree._Element, children: list[etree._Element]) -> bool:
    """Return whether an element of verse has nothing but spans, each of which is a line."""
    spans = list(filter(_is_span, children))
    if len(spans) < 2 or (parent.text or "").strip() or any((child.tail or "").strip() for child in children):
        return False
    is_block = etree.QName(parent).localname in ("div", "blockquote", "section")
    return (is_block and len(spans) == len(children)) or all(_has_word(span, LINE_WORDS) for span in spans)


def _read_line(element: etree._Element) -> str | None:
    """Return the text of an element; None if it is longer than a line of verse."""
    pieces: list[str] = []
    size = 0
    for text in element.itertext():
        pieces.append(str(text))
        size += len(text)
        if size > 4 * MAX_VERSE_CHARACTERS:
            return None
    line = " ".join("".join(pieces).split())
    return line if len(line) <= MAX_VERSE_CHARACTERS else None


def _is_single(element: etree._Element) -> bool:
    """Return whether a block is one line: no block is within it, but one that is all of it."""
    within = [
        child
        for child in element.iterdescendants()
        if isinstance(child.tag, str) and etree.QName(child).localname not in INLINE_NAMES
    ]
    return not within or (
        len(within) == 1
        and etree.QName(within[0]).localname in LINE_BLOCKS
        and within[0].getparent() is element
        and len(element) == 1
        and not ((element.text or "") + (within[0].tail or "")).strip()
    )


def _join_run(run: list[etree._Element], lines: set[etree._Element]) -> None:
    if len(lines) < 2:
        return
    stanza = run[0].makeelement(_name_beside(run[0], "div"))
    run[0].addprevious(stanza)
    for at, child in enumerate(run):
        if at and child in lines:
            etree.SubElement(stanza, _name_beside(child, "br"))
        stanza.append(child)
        child.tail = None
        if child in lines:
            _drop_block_style(child)
            for block in (child, *child.iterdescendants("{*}p", "{*}div", "{*}line")):
                block.tag = _name_beside(block, "span")


def _drop_block_style(line: etree._Element) -> None:
    style = line.get("style")
    if style:
        line.set("style", BLOCK_STYLE.sub("", style))


def _name_beside(element: etree._Element, name: str) -> str:
    """Return the name of another element in the same name space."""
    space, brace, _ = element.tag.rpartition("}")
    return f"{space}{brace}{name}"
