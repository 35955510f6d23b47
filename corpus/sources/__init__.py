"""Source kinds, by name. A new kind is a module here and one line in `KINDS`."""

from __future__ import annotations

import importlib

from corpus.errors import UserError
from corpus.sources.base import Source

KINDS = {
    "warc": "corpus.sources.warc:Warc",
    "wikipedia": "corpus.sources.wikipedia:Wikipedia",
    "jsonl": "corpus.sources.jsonl:Jsonl",
    "parquet": "corpus.sources.parquet:Parquet",
    "text": "corpus.sources.text:Text",
    "arxiv": "corpus.sources.arxiv:Arxiv",
    "pubmed": "corpus.sources.pubmed:Pubmed",
    "books": "corpus.sources.books:Books",
    "reddit-comments": "corpus.sources.reddit_comments:RedditComments",
    "stackexchange": "corpus.sources.stackexchange:StackExchange",
    "code": "corpus.sources.code:Code",
    "news": "corpus.sources.news:News",
    "urls": "corpus.sources.urls:Urls",
}


def source_class(kind: str) -> type[Source]:
    """The class of a source kind; raises UserError for an unknown one."""
    if kind not in KINDS:
        raise UserError(f"unknown kind {kind!r}: it is one of {', '.join(KINDS)}", ("kind",))
    module, name = KINDS[kind].split(":")
    found: type[Source] = getattr(importlib.import_module(module), name)
    return found
