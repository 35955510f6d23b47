"""Read the input files of every source kind as records, split by split.

    inputs.py       the files that globs, URLs and `@lists` name
    source.py       the class that every kind derives from: options, plan, reader
    input_split.py  the unit of work: a byte range of one file
    license_names.py  SPDX names of licences as others state them
    web/            web archives, news, pages of a list of URLs, HTML files
    wikipedia/      MediaWiki dumps
    tables/         JSON Lines, CSV, Parquet, plain text
    papers/         arXiv, PubMed
    posts/          Reddit comments, Stack Exchange
    code/           repositories, archives and tables of source code
    books.py        Project Gutenberg's plain text, EPUB
    file_head.py    the first bytes of a file, and the encoding they tell
    recognize/      what files are, for a first manifest
    plugin_source.py  a class of the user's, watched and checked

`KINDS` lists the kinds by name. A new kind is a module here and one line in `KINDS`.
"""

from __future__ import annotations

import importlib

from corpus import plugins
from corpus.data import list_data
from corpus.errors import UserError
from corpus.sources.source import Source
from corpus.suggestions import suggest_names

PROBE_SECONDS = 12.0
"""Processor seconds that a plug-in may take to be imported, and a fifth of the seconds that it may take at all."""
KINDS = {
    "warc": "corpus.sources.web.warc:Warc",
    "wikipedia": "corpus.sources.wikipedia.wiki_dump:Wikipedia",
    "jsonl": "corpus.sources.tables.jsonl:Jsonl",
    "csv": "corpus.sources.tables.csv_rows:Csv",
    "parquet": "corpus.sources.tables.parquet:Parquet",
    "text": "corpus.sources.tables.text_files:Text",
    "arxiv": "corpus.sources.papers.arxiv:Arxiv",
    "pubmed": "corpus.sources.papers.pubmed:Pubmed",
    "books": "corpus.sources.books:Books",
    "reddit-comments": "corpus.sources.posts.reddit_comments:RedditComments",
    "stackexchange": "corpus.sources.posts.stackexchange:StackExchange",
    "code": "corpus.sources.code:Code",
    "news": "corpus.sources.web.news:News",
    "urls": "corpus.sources.web.urls:Urls",
    "html": "corpus.sources.web.html_files:HtmlFiles",
}
KINDS_WITHOUT_PAGES = frozenset(KINDS) - {"warc", "news", "urls", "html"}
"""Kinds none of whose records is a web page, so that how pages are read is nothing to them."""


def is_plugin_kind(kind: str) -> bool:
    """Return whether a kind is a plug-in: `module:Class`, or the short name of an installed one."""
    return kind not in KINDS and plugins.is_plugin_name(kind, "source")


def source_class(kind: str) -> type[Source]:
    """Return the class of a source kind, or of a plug-in. Raises UserError for an unknown or unsuitable one."""
    if is_plugin_kind(kind):
        return _load_plugin_source(kind)
    if kind not in KINDS:
        known = [*KINDS, *plugins.list_short_names("source")]
        if kind in list_data("fields"):
            raise UserError(
                f"unknown kind {kind!r}: it is a layout of rows: say `kind: parquet` (or jsonl) and `fields: {kind}`",
                ("kind",),
            )
        nearest = suggest_names(kind, known, "")
        listed = f"choose from {', '.join(known)}, or name a plug-in, module:Class"
        raise UserError(f"unknown kind {kind!r}: {nearest if '?' in nearest else listed}", ("kind",))
    module, name = KINDS[kind].split(":")
    source: type[Source] = getattr(importlib.import_module(module), name)
    return source


def _load_plugin_source(kind: str) -> type[Source]:
    """Import a source of a user's, after the process that parses could: one that hangs or crashes costs a line."""
    from corpus.extract.process.budgets import Budgets
    from corpus.extract.process.calls import call_plugin, make_call

    plugins.find_plugin(kind, "source").code  # noqa: B018 - of which the process that parses has to know
    call = make_call("corpus.sources.plugin_source:describe_source", [kind])
    call_plugin(kind, Budgets(seconds=PROBE_SECONDS), call, ("kind",))
    return import_plugin_source(kind)


def import_plugin_source(kind: str) -> type[Source]:
    """Import a source of a user's here. Raises UserError for an unsuitable one."""
    loaded = plugins.load_plugin(plugins.find_plugin(kind, "source"))
    if not isinstance(loaded, type) or not issubclass(loaded, Source):
        raise UserError(f"{kind} is not a subclass of corpus.Source", ("kind",))
    missing = sorted(loaded.__abstractmethods__)
    if missing:
        raise UserError(f"{kind} has no method `{missing[0]}`", ("kind",))
    if not callable(loaded.version):
        raise UserError(
            f"{kind}: `version` of a source is a classmethod that returns a whole number", ("kind",)
        )
    return loaded
