"""Source kinds, by name. A new kind is a module here and one line in `KINDS`."""

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
    """The class of a source kind; raises UserError for an unknown one."""
    if kind not in KINDS:
        raise UserError(f"unknown kind {kind!r}: it is one of {', '.join(KINDS)}", ("kind",))
    module, name = KINDS[kind].split(":")
    found: type[Source] = getattr(importlib.import_module(module), name)
    return found
