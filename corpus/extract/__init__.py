"""Raw bytes -> text. `extract` is the one way in, by media type.

A new format is a module here with a function `extracted(record, mode)` and one line in `FORMATS`. A build calls it in
a process of its own (see `corpus.extract.process.supervised`), so that a record that crashes or hangs it costs only
itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from corpus.document import Record

FORMATS = {
    "text/html": "corpus.extract.html.main_text",
    "text/x-news": "corpus.extract.html.news_article",
    "text/x-wiki": "corpus.extract.wikitext.wiki_page",
    "application/x-tex-submission": "corpus.extract.latex.paper",
    "application/jats+xml": "corpus.extract.pubmed.jats",
    "application/x-medline+xml": "corpus.extract.pubmed.medline",
    "text/x-gutenberg": "corpus.extract.books.gutenberg",
    "application/epub+zip": "corpus.extract.books.epub",
    "application/x-epub-chapter": "corpus.extract.books.epub",
    "application/vnd.reddit.thread+json": "corpus.extract.posts.reddit_thread",
    "application/vnd.stackexchange.thread+xml": "corpus.extract.posts.stackexchange_thread",
    "text/x-code": "corpus.extract.source_code",
    "text/x-code; secrets=kept": "corpus.extract.source_code",
}
"""Media type -> the module that reads it; every other type is plain text."""
PAGES = ("text/html", "text/x-news")
"""Media types of web pages: their addresses pass the URL gate."""

PLAIN = "corpus.extract.plain_text"


@dataclass(slots=True, kw_only=True)
class Extracted:
    """The text of a record and what the record itself says about it; None where it says nothing.

    `gate` stops the document here; `url` is the address that a page gives as its own.
    """

    text: str
    gate: str | None = None
    url: str | None = None
    license: str | None = None
    date: str | None = None
    language: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def extract(record: Record, mode: str) -> Extracted | None:
    """The text of a record, or None where it has none.

    `mode` is trafilatura's for HTML (fast, precision, recall). The result depends on the record alone.
    Raises whatever a parser raises on input it cannot take: the caller places the failure.
    """
    return extract_by(module_of(record), record, mode)


def module_of(record: Record) -> str:
    """The module that reads a record."""
    return FORMATS.get(record.media_type, PLAIN)


def extract_by(module: str, record: Record, mode: str) -> Extracted | None:
    """What the format in `module` makes of a record: see `extract`."""
    found = _extractor(module)(record, mode)
    return found if found is not None and found.text else None


@cache
def _extractor(module: str) -> Callable[[Record, str], Extracted | None]:
    found: Callable[[Record, str], Extracted | None] = importlib.import_module(module).extracted
    return found
