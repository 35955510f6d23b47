"""Tell what one file is: by its first bytes, then by its content, and by its name where content says nothing."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from corpus.document import MAX_DOCUMENT_BYTES
from corpus.errors import shorten_line
from corpus.formats.encodings import is_wide
from corpus.formats.sevenzip import SEVENZIP_MAGIC
from corpus.formats.tar import is_tar
from corpus.sources.code.languages import identify_by_first_line, identify_by_name
from corpus.sources.code.table import Columns
from corpus.sources.file_head import HEAD_BYTES, decode_head, find_codec, read_head, state_encoding
from corpus.sources.recognize.archive_kinds import recognize_sevenzip, recognize_tar, recognize_zip
from corpus.sources.recognize.code_verdict import MARKUP, make_code
from corpus.sources.recognize.file_verdicts import (
    ABOUT,
    BARE_TABLES,
    DATA_FILES,
    DATA_TABLES,
    DOCUMENTS,
    EMPTY,
    HTML_PAGES,
    JSON_DOCUMENTS,
    LARGE_WIDE_TEXTS,
    LZ4_FILES,
    MISNAMED,
    NOT_TEXT,
    PICTURES,
    REDDIT_SUBMISSIONS,
    SIDECARS,
    SUBTITLES,
    Recognized,
    Unread,
    Verdict,
)
from corpus.sources.recognize.row_fields import guess_fields, is_short
from corpus.sources.tables.csv_rows import Csv
from corpus.sources.web.html_files import HTML_NAME, HTML_START
from corpus.sources.web.members import LZ4_MAGIC, WebArchive
from corpus.storage import DAMAGE, open_decompressed, open_input

MAX_ROWS = 200
MAX_ROW_BYTES = 16 << 20
"""Rows of a table, and bytes of them, that tell what its fields are."""

WEB_ARCHIVE_NAME = re.compile(r"\.w?arc(?:\.(?:gz|zst|lz4|bz2|xz))?$|\.wet\.gz$", re.IGNORECASE)
NEWS_NAME = re.compile(r"^CC-NEWS-\d", re.IGNORECASE)
SIDECAR_NAME = re.compile(
    r"\.(?:cdxj?|idx|wat|crc|md5|sha\d+|asc|sig|torrent|paths)(?:\.gz)?$|\.warc\.wat(?:\.gz)?$|^arxiv_src_manifest\.xml$"
    r"|^\.?ds_store$|-multistream-index",
    re.IGNORECASE,
)
ABOUT_NAME = re.compile(
    r"^(?:read[ _-]?me|licen[cs]e|copying|copyright|notice|authors|contributors|changelog|changes|contributing|citation"
    r"|(?:md5|sha\d+)sums?|manifest)(?:[._-][\w.-]*)?$",
    re.IGNORECASE,
)
PICTURE_NAME = re.compile(
    r"\.(?:jpe?g|png|gif|svgz?|webp|tiff?|bmp|ico|mp[34]|m4a|ogg|wav|flac|avi|mkv|mov|webm)$", re.IGNORECASE
)
TABLE_NAME = re.compile(r"\.(?:csv|tsv|tab)$", re.IGNORECASE)
SHEET_NAME = re.compile(r"\.(?:xlsx?|ods)$", re.IGNORECASE)
MAX_COLUMN_NAME = 60
"""Characters of a cell of the first row, over which it is no name of a column."""
DOCUMENT_NAME = re.compile(r"\.(?:pdf|docx?|odt|rtf|pptx?|mobi|azw3?|djvu|ps)$", re.IGNORECASE)
XML_ROOT = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>\s*)*<([A-Za-z_][\w:.-]*)", re.DOTALL
)
PUBMED_ROOTS = frozenset(
    {"pubmedarticleset", "medlinecitationset", "pubmedarticle", "medlinecitation", "pmc-articleset"}
)
JATS_SIGN = re.compile(
    r"<article\b[^>]*\barticle-type=|//DTD (?:JATS|Journal|\(TaxPub\))|NLM//DTD|<article-meta\b"
)
STACKEXCHANGE_SIDECARS = frozenset(
    {"badges", "comments", "posthistory", "postlinks", "tags", "users", "votes", "postviews"}
)
TAG = re.compile(r"<(?:/?[a-z][a-z0-9]*(?:\s[^<>]*)?/?|!--.*?--|!doctype[^<>]*)>", re.IGNORECASE | re.DOTALL)
TEX_NAME = re.compile(r"\.(?:(?:la)?tex|ltx)$", re.IGNORECASE)
TEX_SIGN = re.compile(r"^[^%\n]*\\(?:documentclass|documentstyle|begin\{document\})", re.MULTILINE)
TEX_LINE = re.compile(r"[\\%{}]")
"""What is in the lines before `\\documentclass`: comments, commands and their arguments."""
GUTENBERG_SIGN = re.compile(
    r"Project Gutenberg(?:'|’)?s?\b.{0,80}(?:e-?book|etext|edition)|\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG",
    re.IGNORECASE | re.DOTALL,
)
PATHS_LINE = re.compile(r"\S+\.(?:warc|wet|wat|arc)(?:\.gz)?")
WAT_SIGN = b'"Envelope"'
SUBTITLE_NAME = re.compile(r"\.(?:srt|vtt|ass|ssa|sbv)$", re.IGNORECASE)
RECORD_SIGN = re.compile(rb"(?:^|(?<=\n))(?:WARC/[01]\.\d|filedesc://)")
BINARY_NAME = re.compile(
    r"\.(?:parquet|zip|epub|wacz|7z|tar|tgz)$|\.(?:warc|arc|wet)(?:\.\w+)?$", re.IGNORECASE
)
"""Names of formats that are no text, or that their files say."""
GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"
"""What a .warc.zst begins with: a frame that holds the dictionary of the others."""
SEARCHED_BYTES = 4 << 20
MAX_MEMBERS_TRIED = 1000
MEMBER_START_BYTES = 4096
COMPRESSION = re.compile(r"\.(?:gz|bz2|xz|zst|lz4)$", re.IGNORECASE)


def recognize_file(path: str) -> Verdict:
    """Return what a local file is. Raises OSError where it cannot be opened."""
    name = os.path.basename(path)
    with open_input(path) as stream:
        opening = stream.read(HEAD_BYTES)
    if not opening:
        return EMPTY
    if opening.startswith(LZ4_MAGIC):
        return _make_web_archive(name) if holds_web_archive(path) else LZ4_FILES
    if SIDECAR_NAME.search(name):
        return SIDECARS
    if opening.startswith(b"PAR1"):
        return _recognize_parquet(path)
    if opening.startswith(b"PK\x03\x04"):
        return recognize_zip(path)
    if opening.startswith(SEVENZIP_MAGIC):
        return recognize_sevenzip(path)
    try:
        head = read_head(path)
    except DAMAGE as error:
        if WEB_ARCHIVE_NAME.search(name) and holds_web_archive(path):
            return _make_web_archive(name)
        return Unread(f"damaged files ({shorten_line(str(error), 160) or type(error).__name__})")
    if not head:
        return EMPTY
    if is_tar(head):
        return recognize_tar(path)
    if head.startswith((b"WARC/", b"filedesc://")):
        is_wat = WAT_SIGN in head and b"application/json" in head and b"WARC-Type: metadata" in head
        return SIDECARS if is_wat and b"WARC-Type: response" not in head else _make_web_archive(name)
    if PICTURE_NAME.search(name) or head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        return PICTURES
    if DOCUMENT_NAME.search(name) or head.startswith((b"%PDF", b"%!PS", b"{\\rtf")):
        return DOCUMENTS
    if WEB_ARCHIVE_NAME.search(name) and (RECORD_SIGN.search(head) or holds_web_archive(path)):
        return _make_web_archive(name)
    codec = find_codec(head)
    if codec is None:
        return MISNAMED if BINARY_NAME.search(name) or COMPRESSION.search(name) else NOT_TEXT
    verdict = _recognize_text(path, COMPRESSION.sub("", name), decode_head(head, codec), codec)
    is_misnamed = (
        BINARY_NAME.search(name) and isinstance(verdict, Recognized) and verdict.kind in ("text", "html")
    )
    return MISNAMED if is_misnamed else verdict


def holds_web_archive(path: str) -> bool:
    """Return whether records of a web archive begin in the first megabytes, after whatever is damaged there."""
    with open_input(path) as stream:
        data = stream.read(SEARCHED_BYTES)
    if data.startswith(LZ4_MAGIC):
        return WebArchive(io.BytesIO(data)).find(0) is not None
    if RECORD_SIGN.search(data) or data.startswith(ZSTD_DICTIONARY_MAGIC):
        return True
    at = -1
    for _ in range(MAX_MEMBERS_TRIED):
        at = data.find(GZIP_MAGIC, at + 1)
        if at < 0:
            return False
        try:
            start = zlib.decompressobj(wbits=31).decompress(data[at : at + MEMBER_START_BYTES], 64)
        except zlib.error:
            continue
        if RECORD_SIGN.match(start):
            return True
    return False


def _make_web_archive(name: str) -> Recognized:
    if NEWS_NAME.match(name):
        return Recognized("news", "web archives of news")
    return Recognized("warc", "web archives")


def _recognize_text(path: str, name: str, head: str, codec: str) -> Verdict:
    """Return what a file of text is. `head` is its beginning, `name` is without the ending of a compression."""
    start = head.lstrip("\ufeff \t\r\n")
    if not start:
        return EMPTY
    if start.startswith("<"):
        verdict = _recognize_markup(start, name)
        if verdict is not None:
            return verdict
    if start.startswith(("{", "[")) and (verdict := _recognize_json(path, name, codec)) is not None:
        return verdict
    if HTML_NAME.search(name):
        return HTML_PAGES if TAG.search(head) else MISNAMED
    if SHEET_NAME.search(name):
        return DATA_TABLES
    if SUBTITLE_NAME.search(name):
        return SUBTITLES
    if TABLE_NAME.search(name):
        return _recognize_csv(path, codec)
    lines = start.splitlines()[:20]
    if start.startswith("CDX ") or all(PATHS_LINE.fullmatch(line) for line in lines):
        return SIDECARS
    if _is_paper(head, name):
        return Recognized("arxiv", "papers in TeX")
    if GUTENBERG_SIGN.search(head[:5000]):
        return Recognized("books", "books of Project Gutenberg")
    language = identify_by_name(name, head.encode("utf-8", "surrogatepass"))
    if language.kind == "unknown":
        language = identify_by_first_line(head.encode("utf-8", "surrogatepass"))
    if language.kind == "data" or language.name in MARKUP:
        return DATA_FILES
    if language.kind == "code":
        return make_code(os.listdir(os.path.dirname(path)))
    if ABOUT_NAME.match(name):
        return ABOUT
    return _make_text(path, start, codec)


def _is_paper(head: str, name: str) -> bool:
    """Return whether a text is a paper in TeX: by what it begins with, or by a file's name. A text on TeX quotes it."""
    sign = TEX_SIGN.search(head)
    if sign is None or TEX_NAME.search(name):
        return sign is not None
    before = [line for line in head[: sign.start()].splitlines() if line.strip()]
    return sum(TEX_LINE.search(line) is not None for line in before) * 2 >= len(before)


def _recognize_markup(start: str, name: str) -> Verdict | None:
    """Return what XML or HTML is; None for text that only begins with a sign."""
    if HTML_START.match(start.encode("utf-8", "surrogatepass")):
        return HTML_PAGES
    match = XML_ROOT.match(start)
    if match is None:
        return None
    root = match[1].rpartition(":")[2].casefold()
    if root in ("mediawiki", "siteinfo") or (root == "page" and "<title>" in start):
        return Recognized("wikipedia", "dumps of wikis")
    if root in PUBMED_ROOTS or JATS_SIGN.search(start):
        return Recognized("pubmed", "articles and citations of PubMed (JATS, MEDLINE)")
    if root == "posts" and "<row " in start:
        return Recognized("stackexchange", "dumps of Stack Exchange")
    if root in STACKEXCHANGE_SIDECARS and "<row " in start:
        return Unread("tables of Stack Exchange beside Posts.xml (`comments: true` reads Comments.xml)")
    if root == "svg":
        return PICTURES
    if root == "html":
        return HTML_PAGES
    if (start.startswith("<?xml") and not HTML_NAME.search(name)) or name.lower().endswith(".xml"):
        return Unread("XML of other kinds")
    return None


def _recognize_json(path: str, name: str, codec: str) -> Verdict | None:
    """Return what a file of JSON is; None for one that only begins with a bracket."""
    rows, other = _read_json_lines(path, codec)
    if not rows:
        is_json = name.lower().endswith((".json", ".jsonl", ".ndjson", ".geojson", ".ipynb")) or other
        return JSON_DOCUMENTS if is_json else None
    keys = {key for row in rows for key in row}
    if {"body", "parent_id", "subreddit"} <= keys or {"body", "link_id", "subreddit"} <= keys:
        return Recognized("reddit-comments", "comments of Reddit")
    if "subreddit" in keys and "title" in keys and keys & {"selftext", "num_comments", "permalink"}:
        return REDDIT_SUBMISSIONS
    return _make_table("jsonl", "files of JSON Lines", rows, state_encoding(codec))


def _recognize_csv(path: str, codec: str) -> Verdict:
    """Return what a table in CSV is: its first row names the columns, or nobody does."""
    encoding = state_encoding(codec)
    rows = Csv.model_validate({"paths": [path], **encoding}).first_rows(path, MAX_ROWS)
    if any(
        len(name) > MAX_COLUMN_NAME or name.replace(".", "").isdigit() for row in rows[:1] for name in row
    ):
        return BARE_TABLES
    if not rows:
        return Unread("tables (CSV) without rows")
    return _make_table("csv", "tables (CSV)", rows, encoding)


def _read_json_lines(path: str, codec: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the first rows that are JSON objects, and whether the file begins like a JSON value of several lines."""
    rows: list[dict[str, Any]] = []
    several = False
    for line in _read_lines(path, codec):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            several = several or line.strip() in ("{", "[") or line.lstrip().startswith(("[{", '{"'))
            if not rows:
                break
            continue
        if isinstance(row, dict):
            rows.append(row)
        elif not rows:
            return [], True
    return rows, several


def _read_lines(path: str, codec: str) -> Iterator[str]:
    """Yield the first lines that are not blank, each whole, as far as they can be read."""
    taken = 0
    with io.TextIOWrapper(open_decompressed(path), codec, "replace", newline="\n") as stream:
        for _ in range(MAX_ROWS):
            try:
                line = stream.readline(MAX_ROW_BYTES)
            except DAMAGE:
                return
            taken += len(line)
            if not line or taken > MAX_ROW_BYTES:
                return
            if line.strip("\ufeff \t\r\n"):
                yield line.removeprefix("\ufeff")


def _make_table(
    kind: str, what: str, rows: list[dict[str, Any]], encoding: Mapping[str, str] | None = None
) -> Verdict:
    guess = guess_fields(rows)
    columns = ", ".join(dict.fromkeys(str(key) for row in rows for key in row))
    if guess is None:
        return Unread(f"{what} without a field of text ({shorten_line(columns, 200)})")
    options: dict[str, Any] = {"fields": guess.fields, **(encoding or {})}
    notes = list(guess.notes)
    if isinstance(guess.fields, str):
        notes.append(
            "published corpora are filtered already: `rules` adds presets, such as [fineweb, language]"
        )
        return Recognized(kind, what, options, tuple(notes), ())
    if guess.others:
        notes.append(
            f"other fields, which `metadata: [...]` keeps: {shorten_line(', '.join(guess.others), 300)}"
        )
    rules = ("fineweb", "language") if guess.has_url else ("text_only",)
    return Recognized(kind, what, options, tuple(notes), rules, guess.is_short, len(rows), guess.filled)


def _recognize_parquet(path: str) -> Verdict:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
        names = table.schema_arrow.names
        batch = next(table.iter_batches(batch_size=MAX_ROWS), None)
        rows: list[dict[str, Any]] = batch.to_pylist() if batch is not None else []
    except (pa.ArrowException, ValueError, OverflowError, OSError) as error:
        return Unread(f"damaged files ({shorten_line(str(error).partition(chr(10))[0], 160)})")
    if not rows:
        return Unread("Parquet files without rows")
    chosen = Columns().choose_columns(names)
    if {"text", "path"} <= chosen.keys() and {"repository", "license"} & chosen.keys():
        return replace(make_code(["LICENSE"]), what="tables of source code")  # each row states its own
    if "url" in names and "text" not in names and {"score", "submissions"} & set(names):
        return Unread(
            "lists of URLs: `corpus fetch` downloads their pages, `kind: urls` reads them from archives"
        )
    return _make_table("parquet", "Parquet files", rows)


def _make_text(path: str, start: str, codec: str) -> Verdict:
    """Return how plain text is read: a large file by paragraphs, or by lines where it has no blank ones.

    The bytes of a whole file tell its encoding, but for UTF-16 without a mark; those of a paragraph may not.
    """
    size, mark, damage = 0, b"", None
    with open_decompressed(path) as stream:
        try:
            while size <= MAX_DOCUMENT_BYTES and (block := stream.read(HEAD_BYTES)):
                mark = mark or block[:2]
                size += len(block)
        except DAMAGE as error:
            damage = shorten_line(str(error), 160)
    encoding = state_encoding(codec)
    if damage is not None:
        return Unread(f"damaged texts, which are read whole or not at all ({damage}): get them again")
    if size <= MAX_DOCUMENT_BYTES:
        is_unmarked = is_wide(codec) and mark not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        options = encoding if is_unmarked else {}
        return Recognized("text", "text files", options, rules=("text_only",), is_short=is_short([start]))
    if is_wide(codec):
        return LARGE_WIDE_TEXTS
    unit = "paragraph" if re.search(r"\n[ \t]*\r?\n", start) else "line"
    parts = re.split(r"\n\s*\n" if unit == "paragraph" else r"\n", start)[:MAX_ROWS]
    return Recognized(
        "text", "large text files", {"unit": unit, **encoding}, rules=("text_only",), is_short=is_short(parts)
    )
