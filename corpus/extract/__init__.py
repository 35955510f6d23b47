"""Turn the raw bytes of a record into text, by its media type: `extract` is the entry point for every format.

From the web:

    html/            pages and news articles              wikitext/        pages of wikis
    posts/           threads of comments and answers

From files:

    latex/           papers in TeX                        pubmed/          articles in JATS, MEDLINE citations
    books/           Project Gutenberg and EPUB           source_code.py   code, secrets replaced
    plain_text.py    any other type, and the clean-up that every format ends with

What they share:

    holes.py         punctuation around dropped markup    mathml.py        formulas as LaTeX
    reflow.py        hard-wrapped lines as paragraphs     dates.py         dates as ISO 8601
    raised_text.py   superscripts and subscripts as text
    secrets.py       passwords, keys, e-mail addresses    creative_commons.py   licences by SPDX name
    opt_outs.py      what pages say about training        page_readers.py  which module reads pages in a mode

Around them: plugin_extractor.py reads with a class of the user's; process/ runs them in a process of its own, so that
a record that crashes or hangs it costs only itself (see `corpus.extract.process.supervised`).

A new format is a module in this package with a function `extract_text(record, mode)`, and one line in `FORMATS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from corpus.document import Record
from corpus.extract.opt_outs import find_page_opt_outs
from corpus.formats.encodings import decode

PAGE_MODULE = "corpus.extract.html.main_text"
FORMATS = {
    "text/html": PAGE_MODULE,
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
PAGE_MEDIA_TYPES = ("text/html", "text/x-news")
"""Media types of web pages: their addresses pass the URL gate."""

PLAIN_TEXT_MODULE = "corpus.extract.plain_text"
PLUGIN_MODULE = "corpus.extract.plugin_extractor"
READ_AHEAD = {PAGE_MODULE: "corpus.extract.html.pages_ahead"}
"""Formats of which mode `corpus` reads several records at once, and what does that."""
MAX_SNIFFED_BYTES = 256
"""Bytes of a page that hold zeros in UTF-16 and UTF-32."""
EXTRACTION_MODES = ("corpus", "fast", "precision", "recall", "resiliparse")
"""How web pages can be read without a plug-in: see `corpus.extract.html.main_text`."""
DEFAULT_MODE = "corpus"
"""How web pages are read unless a manifest says otherwise, and those that a plug-in leaves."""


@dataclass(slots=True, kw_only=True)
class ExtractedText:
    """Hold the text of a record and what the record states about it, None for each thing it does not state.

    `gate` names the gate that stops the document here; `url` is the address that a page gives as its own. `opt_out` has
    the words of `corpus.extract.opt_outs`, "" for a page without any.
    """

    text: str
    gate: str | None = None
    url: str | None = None
    license: str | None = None
    date: str | None = None
    language: str | None = None
    opt_out: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def extract(record: Record, mode: str) -> ExtractedText | None:
    """Return the text of a record, or None if it has none.

    `mode` is one of `main_text.MODES`, for web pages. The result depends on the record alone.
    Raises whatever a parser raises on input it cannot read: the caller records the failure.
    """
    return extract_by(module_of(record), record, mode)


def module_of(record: Record) -> str:
    """Return the name of the module that reads a record."""
    return FORMATS.get(record.media_type, PLAIN_TEXT_MODULE)


def extract_by(module: str, record: Record, mode: str) -> ExtractedText | None:
    """Return what the format in `module` extracts from a record: see `extract`."""
    extraction = read_repaired(load_entry_point(module), record, mode)
    return extraction if extraction is not None and extraction.text else None


def read_repaired(
    entry_point: Callable[[Record, str], ExtractedText | None], record: Record, mode: str
) -> ExtractedText | None:
    """Return what a format extracts from a record, without text that was decoded wrongly before it came here.

    Costs a look at the extracted text. Where that looks wrong, the page or the plain text is repaired and read again;
    the text of other formats is repaired itself. `metadata` then says what was wrong, as `encoding_repaired`. Of pages
    the opt-outs are added, unless what read them has looked for them.
    """
    # 10 ms of patterns, which processes that send jobs do without.
    from corpus.formats.recoding import looks_recoded

    extraction = entry_point(record, mode)
    if not isinstance(extraction, ExtractedText) or record.media_type.startswith("text/x-code"):
        return extraction
    if looks_recoded(extraction.text):
        extraction = _repair_extraction(extraction, entry_point, record, mode)
    if record.media_type in PAGE_MEDIA_TYPES and extraction.opt_out is None:
        extraction.opt_out = _find_opt_outs(record)
    return extraction


def _find_opt_outs(record: Record) -> str:
    """Return what a page and its response say about being trained on."""
    body = record.body
    if not isinstance(body, str) and b"\0" in body[:MAX_SNIFFED_BYTES]:
        body = decode(body, record.charset, html=True)[0]
    page = body.encode("utf-8", "replace") if isinstance(body, str) else body
    return find_page_opt_outs(page, record.opt_out)


def _repair_extraction(
    extraction: ExtractedText,
    entry_point: Callable[[Record, str], ExtractedText | None],
    record: Record,
    mode: str,
) -> ExtractedText:
    """Return what is extracted once the record, or the text, is decoded as it should have been."""
    from corpus.formats.recoding import repair

    wrong: list[str] = []
    own = entry_point.__module__ != PLUGIN_MODULE  # a plug-in is promised bytes
    if own and (record.media_type in PAGE_MEDIA_TYPES or record.media_type not in FORMATS):
        page = record.media_type in PAGE_MEDIA_TYPES
        body = (
            record.body if isinstance(record.body, str) else decode(record.body, record.charset, html=page)[0]
        )
        if (repaired := repair(body)) is not None:
            again = entry_point(replace(record, body=repaired[0]), mode)
            if again is not None:
                extraction, wrong = again, [repaired[1]]
    if (repaired := repair(extraction.text)) is not None:  # in HTML, what entities stood for
        extraction.text = repaired[0]
        wrong.append(repaired[1])
    if wrong:
        extraction.metadata["encoding_repaired"] = ", ".join(dict.fromkeys(wrong))
    return extraction


@cache
def load_entry_point(name: str) -> Callable[[Record, str], ExtractedText | None]:
    """Import the function that `module` or `module:function` names; without a name it is `extract_text`."""
    module, _, function = name.partition(":")
    entry_point: Callable[[Record, str], ExtractedText | None] = getattr(
        importlib.import_module(module), function or "extract_text"
    )
    return entry_point
