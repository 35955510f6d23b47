"""Parse XML from untrusted sources: nothing is declared, fetched or expanded, and memory is bounded by one element.

For a small document, `parse_tree(data)`; for a dump of many records, `read_elements(stream, "row")`, each valid until
the next is requested. The results are plain lxml elements with `text`, `tail` and `itertext()`: no comments, no entity
nodes. Every error is an `XmlError`.

How it is safe: bytes become UTF-8 here, so that no encoding hides anything from the checks; the internal DTD subset
(where entity bombs and default attributes are declared) is cut out before libxml2 sees it; external DTDs and
entities are never loaded. A reference to an entity that XML itself does not define (`&alpha;` in JATS, whose DTD
is elsewhere) becomes its character by HTML's table of names, or is left as it is written.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from html.entities import html5
from typing import IO

from lxml import etree

from corpus.errors import shorten_line
from corpus.formats.encodings import codec_of

MAX_XML_BYTES = 32 << 20
"""Default limit of one document or element, in bytes of XML. Its tree takes up to 30 times as much."""
MAX_PROLOG_CHARACTERS = 1 << 20
"""Characters before the root element, of which the internal subset is cut out."""
XML_READ_BYTES = 1 << 16

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", 3),
    (codecs.BOM_UTF32_LE, "utf-32-le", 4),
    (codecs.BOM_UTF32_BE, "utf-32-be", 4),
    (codecs.BOM_UTF16_LE, "utf-16-le", 2),
    (codecs.BOM_UTF16_BE, "utf-16-be", 2),
    (b"<\0?\0", "utf-16-le", 0),
    (b"\0<\0?", "utf-16-be", 0),
)
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9_:.+\-]{2,40})["']""")
_MISC = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\["'<>]++|"[^"]*+"|'[^']*+')*+""")
_SUBSET = re.compile(
    r"""\[(?:<!--.*?-->|<\?.*?\?>|"[^"]*+"|'[^']*+'|[^\]"'<]++|<(?!!--|\?))*+\]""", re.DOTALL
)
_UNREAD = '<!DOCTYPE x SYSTEM "unread"'
"""With an external subset, which nobody reads, a reference to an undeclared entity is no error."""


class XmlError(ValueError):
    """Raised for XML that is not well-formed, or larger than allowed."""


def parse_tree(data: bytes, *, max_bytes: int = MAX_XML_BYTES, recover: bool = False) -> etree._Element:
    """Return the root element of a document. `recover` reads what it can of one that is not well-formed.

    Raises XmlError.
    """
    if len(data) > max_bytes:
        raise XmlError(f"{len(data)} bytes of XML, over {max_bytes}")
    for root in read_elements(io.BytesIO(data), None, max_bytes=max_bytes, recover=recover):
        return root
    raise XmlError("no element in it")


def read_elements(
    stream: IO[bytes],
    tag: str | tuple[str, ...] | None,
    *,
    max_bytes: int = MAX_XML_BYTES,
    recover: bool = False,
) -> Iterator[etree._Element]:
    """Yield the elements called `tag` (`{namespace}name`, `{*}name`), in the order in which they end.

    An element is emptied when the next is requested. With `tag` None: the root alone, whole. Raises XmlError, with
    the line, for XML that is not well-formed (unless `recover`) or deeper than 2,048 elements, and if more than
    `max_bytes` (and a chunk) are read without one of them ending.
    """
    parser = etree.XMLPullParser(
        events=("end",) if tag is not None else (),
        tag=tag,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    waiting = 0
    try:
        for chunk in _strip_declarations(stream):
            parser.feed(chunk)
            waiting += len(chunk)
            for _, element in parser.read_events():
                _resolve(element)
                yield element
                _forget(element)
                waiting = 0
            if waiting > max_bytes:
                raise XmlError(f"more than {max_bytes} bytes of XML in which no element ends")
        root = parser.close()
    except etree.LxmlError as error:
        raise XmlError(shorten_line(str(error))) from None
    if tag is None and root is not None:
        _resolve(root)
        yield root


def _strip_declarations(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the document in UTF-8 without its internal subset, in chunks."""
    data = stream.read(XML_READ_BYTES)
    codec, mark = _detect_codec(data)
    decoder = codecs.getincrementaldecoder(codec)("replace")
    prolog = decoder.decode(data[mark:])
    while (text := _drop_subset(prolog)) is None:
        if len(prolog) > MAX_PROLOG_CHARACTERS:
            raise XmlError(f"no element in the first {MAX_PROLOG_CHARACTERS} characters")
        data = stream.read(XML_READ_BYTES)
        if not data:
            text = prolog + decoder.decode(b"", final=True)
            if "[" in text[_MISC.match(text).end() :]:  # type: ignore[union-attr]
                raise XmlError("the document ends inside its DOCTYPE")
            break
        prolog += decoder.decode(data)
    yield text.encode("utf-8", "replace")
    while data := stream.read(XML_READ_BYTES):
        yield decoder.decode(data).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode()


def _detect_codec(head: bytes) -> tuple[str, int]:
    """Return the codec of a document by its byte order mark or declaration, and the length of the mark in bytes."""
    for mark, codec, length in _MARKS:
        if head.startswith(mark):
            return codec, length
    declared = _DECLARED.match(head)
    named = codec_of(declared[1].decode("ascii")) if declared else None
    return named if named is not None and not named.startswith("utf-") else "utf-8", 0


def _drop_subset(text: str) -> str | None:
    """Return a document's beginning without its internal subset; None if that, or what precedes it, continues."""
    at = _MISC.match(text).end()  # type: ignore[union-attr]
    begun = text[at : at + 9]
    if len(begun) < 9 or begun.startswith(("<?", "<!--")):
        return None
    doctype = _DOCTYPE.match(text, at)
    if doctype is None:
        return text
    end = doctype.end()
    if text.startswith("[", end):
        subset = _SUBSET.match(text, end)
        if subset is None:
            return None
        end = subset.end()
    close = text.find(">", end)
    return None if close < 0 else f"{text[:at]}{_UNREAD}{text[close:]}"


def _resolve(element: etree._Element) -> None:
    """Put the characters of undeclared entities into the text around them."""
    for first in list(element.iter(etree.Entity)):
        parent, before = first.getparent(), first.getprevious()
        if parent is None:  # it went with the run of entities before it
            continue
        pieces = []
        node: etree._Element | None = first
        while node is not None and node.tag is etree.Entity:
            following = node.getnext()
            pieces += [html5.get(f"{node.name};", node.text or ""), node.tail or ""]
            parent.remove(node)
            node = following
        if before is None:
            parent.text = "".join([parent.text or "", *pieces])
        else:
            before.tail = "".join([before.tail or "", *pieces])


def _forget(element: etree._Element) -> None:
    """Empty an element, and remove those before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        for before in list(element.itersiblings(preceding=True)):
            parent.remove(before)
