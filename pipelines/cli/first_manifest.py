"""The text of a first manifest: the sources that were recognized, with comments on the keys that people change."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from corpus.sources.recognize import Recognized

SOURCE_NAMES = {
    "warc": "web",
    "news": "news",
    "wikipedia": "wiki",
    "arxiv": "papers",
    "pubmed": "articles",
    "books": "books",
    "reddit-comments": "comments",
    "stackexchange": "questions",
    "code": "code",
    "html": "pages",
    "text": "texts",
    "jsonl": "rows",
    "csv": "rows",
    "parquet": "rows",
}
KIND_COMMENTS = {
    "warc": (
        "rules: [fineweb, language]  # the default: FineWeb's rules, and a language known for certain; [] keeps all",
        "snapshot: CC-MAIN-2026-30   # which crawl this is; kept with every document",
    ),
    "html": (
        "url_prefix: https://example.org/  # with a page's path, the address of pages that name none",
        "rules: [text_only]          # instead of the default: FineWeb's rules, and a language known for certain",
    ),
    "news": ("domains: [example.org]      # of these sites alone",),
    "wikipedia": (
        "namespaces: [0]             # articles; 100 are portals",
        "priority: 2                 # of two duplicates, the one whose source has the higher priority stays",
    ),
    "arxiv": (
        "licenses: FILE.json         # arXiv's metadata, with the licence of every paper",
        "max_bytes: 128MB            # of a submission",
    ),
    "pubmed": ("retracted: drop             # retracted articles; `mark`, the default, keeps them",),
    "books": ("unit: chapter               # a document for each chapter instead of each book",),
    "reddit-comments": (
        "min_score: 3                # comments below are left out",
        "subreddits: [askscience]     # only these",
    ),
    "stackexchange": ("comments: true              # reads Comments.xml, which lies beside Posts.xml",),
    "code": (
        "licenses: {allow: [permissive, weak_copyleft]}  # or names, as Apache-2.0; `all`; permissive is the default",
        "documents: repositories     # joins the files of one",
    ),
    "text": (
        "unit: paragraph             # a document for each paragraph, or `line`; `file` is the default",
        "language: tha               # if all of it is in one",
    ),
    "jsonl": ("license: CC-BY-4.0          # of rows that name none",),
    "csv": ("license: CC-BY-4.0          # of rows that name none",),
    "parquet": ("license: CC-BY-4.0          # of rows that name none",),
}
VOCABULARIES = ((4_000_000, 4096), (60_000_000, 16_000), (20_000_000_000, 32_000))
"""Bytes of input up to which a vocabulary suits; 64,000 above."""
LISTED_FILES = 12
"""Files named for each reason that they are not read; of more their folders are."""
WEIGHED_SOURCES = 6


@dataclass(frozen=True)
class FirstSource:
    """A source of a first manifest. `paths` are what its files are, `patterns` what the manifest names them by."""

    name: str
    verdict: Recognized
    paths: list[str]
    patterns: list[str]
    whats: list[str]
    size: int


def write_first_manifest(
    name: str,
    command: str,
    place: str,
    sources: Sequence[FirstSource],
    unread: Mapping[str, list[str]],
    guessed: int,
) -> str:
    """Return the manifest. `command` wrote it to `place`; `unread` are files that no source reads, by reason."""
    from corpus.inspect.readable import format_size, format_things

    files = sum(len(source.paths) for source in sources)
    size = sum(source.size for source in sources)
    workspace = f"{os.path.splitext(os.path.basename(place))[0]}-workspace"
    blocks = [
        f"# Written by `{command}`, which looked at the files. Check the sources, then:\n"
        f"#   corpus plan {place}\n"
        f"#   corpus build {place} --out {workspace} --workers 2\n"
        "# A line such as `# key: value` proposes something: take the # away to have it. Every key is in\n"
        "# `corpus docs manifest`, and what keys can name, such as presets, signals and languages, in `corpus list`.\n"
        f"name: {name if isinstance(yaml.safe_load(name), str) else quote(name)}\n"
        "sources:\n"
    ]
    blocks += [_write_source(source) for source in sources]
    vocabulary = next((count for limit, count in VOCABULARIES if size <= limit), 64_000)
    blocks.append(
        "# languages: [cmn, eng_Latn, tha]   # the default is all; others stop at the gate language.unwanted\n"
        "# rules:                            # bounds of your own, on top of each source's presets\n"
        "#   gopher.words: {min: 30}         # a signal, and what it may be; `corpus stats DIR` shows what rules drop\n"
        "#   gopher.stop_words: off\n"
        "#   languages:\n"
        "#     tha: {gopher.mean_word_length: {min: 2}}\n"
        "# dedup: {minhash: {threshold: 0.7}}  # the same text, URL, or near it, goes; `false`: all stays\n"
        "# keep_text: kept                   # dropped documents without their texts: saves room for large crawls\n"
        "# max_failures: 0.01                # stop if more records than this share cannot be read\n"
        "# validation: {share: 0.005}        # held out of training, by language\n"
        f"tokenizer: {{vocabulary: {vocabulary}}}       "
        f"# for {format_size(size)} in {format_things(files, 'file')}; or the path of a tokenizer.json\n"
    )
    if len(sources) > WEIGHED_SOURCES:
        blocks.append("# mixture: {temperature: 0.5}       # evens out languages; by default as they are\n")
    elif len(sources) > 1:
        weights = ", ".join(f"{source.name}: 1" for source in sources)
        blocks.append(f"# mixture: {{weights: {{{weights}}}}}   # shares in training; by default as it is\n")
    if guessed:
        blocks.append(
            f"# {format_things(guessed, 'file')} of a folder of one kind: taken to be like those looked at.\n"
        )
    if unread:
        blocks.append(_write_unread(unread))
    return "".join(blocks)


def _write_source(source: FirstSource) -> str:
    from corpus.inspect.readable import format_size

    verdict = source.verdict
    lines = [f"# {' and '.join(source.whats)}: {len(source.paths):,}, {format_size(source.size)}"]
    lines += [f"# {note}" for note in verdict.notes]
    lines.append(f"{source.name}:")
    lines.append(f"  kind: {verdict.kind}")
    if len(source.patterns) == 1:
        lines.append(f"  paths: [{quote(source.patterns[0])}]")
    else:
        lines += ["  paths:", *(f"    - {quote(pattern)}" for pattern in source.patterns)]
    for key, value in verdict.options.items():
        comment = _comment_option(key, value)
        lines.append(f"  {key}: {write_flow(value)}{f'  # {comment}' if comment else ''}")
    if verdict.is_short:
        lines.append(
            "  rules: []  # the texts are short: presets for documents, such as text_only, would drop them"
        )
    elif verdict.rules is not None:
        comment = (
            "presets that decide what stays; [] keeps all" if verdict.rules else "presets that decide: none"
        )
        lines.append(f"  rules: {write_flow(list(verdict.rules))}  # {comment}")
    lines += [
        f"  # {line}" for line in KIND_COMMENTS[verdict.kind] if line.partition(":")[0] not in verdict.options
    ]
    return "".join(f"  {line}\n" for line in lines)


def _comment_option(key: str, value: Any) -> str:
    if key == "fields" and isinstance(value, str):
        return "the layout of a published corpus, by its name"
    if key == "fields":
        return "what each field of a row is"
    return ""


def _write_unread(unread: Mapping[str, list[str]]) -> str:
    total = sum(map(len, unread.values()))
    lines = [f"# Not read, {total:,} {'file' if total == 1 else 'files'} or folders:"]
    for why, paths in unread.items():
        lines.append(f"#   {len(paths):,}: {why}")
        lines += [f"#      {line}" for line in list_places(paths)]
    return "".join(f"{line}\n" for line in lines)


def list_places(paths: list[str]) -> list[str]:
    """Return every path; of more than a dozen the folders, each with how many of them are in it."""
    if len(paths) <= LISTED_FILES:
        return paths
    folders = Counter(os.path.dirname(path) or "." for path in paths)
    return [f"{count:,} in {folder}" for folder, count in folders.items()]


def quote(text: str) -> str:
    """Return a string as YAML has it between quotes."""
    return json.dumps(text, ensure_ascii=False)


def write_flow(value: Any) -> str:
    """Return a value as YAML in one line: `{text: body, metadata: [title]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {write_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(write_flow, value))}]"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z_][\w.-]*", value, re.ASCII)
        return value if plain and value.lower() not in RESERVED else quote(value)
    return json.dumps(value)


RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
