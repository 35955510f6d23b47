"""Read the input files of every source kind as records, split by split.

    inputs.py       the files that globs, URLs and `@lists` name
    source.py       the class that every kind derives from: options, plan, reader
    input_split.py  the unit of work: a byte range of one file
    web/            web archives, news, pages of a list of URLs
    wikipedia/      MediaWiki dumps
    tables/         JSON Lines, Parquet, plain text
    papers/         arXiv, PubMed
    posts/          Reddit comments, Stack Exchange
    code/           repositories, archives and tables of source code
    books.py        Project Gutenberg's plain text, EPUB

`KINDS` lists the kinds by name. A new kind is a module here and one line in `KINDS`.
"""

from __future__ import annotations

import importlib

from corpus.errors import UserError
from corpus.sources.source import Source

KINDS = {
    "warc": "corpus.sources.web.warc:Warc",
    "wikipedia": "corpus.sources.wikipedia.wiki_dump:Wikipedia",
    "jsonl": "corpus.sources.tables.jsonl:Jsonl",
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
}


def source_class(kind: str) -> type[Source]:
    """Return the class of a source kind. Raises UserError for an unknown one."""
    if kind not in KINDS:
        raise UserError(f"unknown kind {kind!r}: choose from {', '.join(KINDS)}", ("kind",))
    module, name = KINDS[kind].split(":")
    source: type[Source] = getattr(importlib.import_module(module), name)
    return source
