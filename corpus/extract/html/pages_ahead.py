"""Read the blocks of several pages before their texts are chosen, so that the networks look at all of them at once.

`extract_text` of a page that was read ahead goes on from there. Its text is the same: the numbers of a page do not
depend on the others.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from corpus.document import Record
from corpus.extract.html.empty_anchors import close_empty_anchors
from corpus.extract.html.wrapped_lines import write_out_references
from corpus.formats.encodings import decode

if TYPE_CHECKING:
    from corpus.extract.html.blocks.main_blocks import WalkedPage


LARGE_PAGE = 4 << 20
"""Characters above which lexbor may need hundreds of megabytes."""


class PageAhead(NamedTuple):
    """A page, as its record has it and as it is read, and its blocks; None if it nests too deep for lexbor."""

    record: Record
    html: str
    walked: WalkedPage | None


_pages: dict[int, PageAhead] = {}
"""By the identity of the record, which is held."""


def read_ahead(record: Record) -> None:
    """Read the blocks of a page. What cannot be read is left to `extract_text`, which says why.

    A build has left out what nests deeper than its `max_depth`, by the bytes of the record. Where these are not the
    page in UTF-8, it is asked once more; so are large ones, with memory that numpy asks for: if there is
    little, lexbor would crash.
    """
    with suppress(UnicodeError, ValueError, LookupError, RecursionError):
        decoded = decode_page(record)
        is_measured = decoded[1] is not None or isinstance(record.body, str)
        html, data = prepare_page(*decoded)
        walked = (_walk if is_measured and len(html) <= LARGE_PAGE else walk_page)(html, data)
        _pages[id(record)] = PageAhead(record, html, walked)


def estimate_ahead() -> None:
    """Estimate the blocks of all pages that have been read ahead, at once."""
    from corpus.extract.html.blocks.main_blocks import estimate_pages

    estimate_pages(page.walked for page in _pages.values() if page.walked is not None)


def take_ahead(record: Record) -> PageAhead | None:
    """Return a page that was read ahead, once."""
    return _pages.pop(id(record), None) if _pages else None


def forget_ahead() -> None:
    """Forget the pages that nobody has taken."""
    _pages.clear()


def decode_page(record: Record) -> tuple[str, bytes | None]:
    """Return a page, and the same in UTF-8 if its bytes are that."""
    body = record.body
    if isinstance(body, str):
        return body, None
    html, codec = decode(body, record.charset, html=True)
    lost = "\ufffd" in html or body.startswith(BOM_UTF8)
    return html, body if codec == "utf-8" and not lost else None


def prepare_page(html: str, data: bytes | None) -> tuple[str, bytes | None]:
    """Return a page with its references written out and its anchors closed, and the same in UTF-8 if that is known."""
    prepared = close_empty_anchors(write_out_references(html))
    return (html, data) if prepared == html else (prepared, None)


def walk_page(html: str, data: bytes | None) -> WalkedPage | None:
    """Return the blocks of a page, None if it nests too deep for lexbor."""
    from corpus.extract.html.page_depth import is_too_deep

    if data is None:
        data = html.encode("utf-8", "replace")
    return None if is_too_deep(data) else _walk(html, data)


def _walk(html: str, data: bytes | None) -> WalkedPage:
    # Its libraries take a fifth of a second to load, which the other modes need not.
    from corpus.extract.html.blocks import main_blocks

    return main_blocks.walk_page(html, data)
