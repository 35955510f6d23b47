"""Tell what archives hold, by the names of their files and the beginning of some: zip, tar, 7z."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from corpus.errors import UserError, shorten_line
from corpus.formats.archives import ZIP_DAMAGE, describe_zip_damage
from corpus.formats.sevenzip import SevenZipError, list_members
from corpus.formats.tar import TarMember, read_members
from corpus.sources.code.languages import identify_by_name
from corpus.sources.recognize.code_verdict import MARKUP, make_code
from corpus.sources.recognize.file_verdicts import DATA_TABLES, DOCUMENTS, Recognized, Unread, Verdict
from corpus.sources.web.html_files import HTML_NAME
from corpus.sources.web.wacz import WEB_ARCHIVE_NAME
from corpus.storage import DAMAGE, open_decompressed, open_input

MAX_MEMBERS = 400
"""Files of an archive whose names are looked at."""
MAX_PEEKED_BYTES = 1 << 20
ARXIV_MEMBER = re.compile(
    r"(?:^|/)(?:\d{4}\.\d{4,5}|[a-z-]+\d{7}|\d{7})(?:v\d+)?\.(?:gz|pdf)$", re.IGNORECASE
)
OFFICE_MEMBER = re.compile(r"^(?:word/document|ppt/presentation|content)\.xml$")
JATS_SIGN = re.compile(rb"<article\b[^>]*\barticle-type=|<PubmedArticle\b|<MedlineCitation\b|<article-meta\b")
GUTENBERG_SIGN = re.compile(rb"Project Gutenberg", re.IGNORECASE)
PAGE_PART_NAME = re.compile(
    r"\.(?:css|js|mjs|jpe?g|png|gif|svgz?|webp|ico|woff2?|ttf|eot|map)(?:[?@][^/]*)?$", re.IGNORECASE
)
TEX_SIGN = re.compile(rb"\\document(?:class|style)\b")


def recognize_zip(path: str) -> Verdict:
    """Return what a zip archive is: an EPUB, a WACZ, books, a repository, or what no source reads."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            peek = {"txt": b"", "xml": b""}
            for name in names[:MAX_MEMBERS]:
                ending = name.rpartition(".")[2].lower()
                if peek.get(ending) == b"":
                    with archive.open(name) as member:
                        peek[ending] = member.read(MAX_PEEKED_BYTES // 16)
    except ZIP_DAMAGE as error:
        if path.lower().endswith(".epub"):
            return Recognized("books", "EPUB books")
        return Unread(f"damaged files ({shorten_line(describe_zip_damage(error), 160)})")
    if "META-INF/container.xml" in names or path.lower().endswith(".epub"):
        return Recognized("books", "EPUB books")
    if any(WEB_ARCHIVE_NAME.search(name) for name in names):
        return Recognized("warc", "web archives")
    if any(OFFICE_MEMBER.match(name) for name in names):
        return DOCUMENTS
    if "xl/workbook.xml" in names:
        return DATA_TABLES
    if any(name.lower().endswith(".epub") for name in names) or GUTENBERG_SIGN.search(peek["txt"][:5000]):
        return Recognized("books", "archives of books")
    if (verdict := _recognize_names(names)) is not None:
        return verdict
    return _recognize_pages(names) or Unread(
        f"zip archives of other files ({_describe_names(names)}): unpack them"
    )


def recognize_tar(path: str) -> Verdict:
    """Return what a tar archive is: papers in TeX, articles, a repository, or what no source reads."""
    names: list[str] = []
    signs: Counter[str] = Counter()

    def wanted(name: str, size: int) -> bool:
        return size <= MAX_PEEKED_BYTES and name.lower().endswith((".xml", ".nxml", ".tex", ".ltx"))

    try:
        with open_decompressed(path) as stream:
            for member in read_members(stream, 0, 1 << 62, wanted):
                if not isinstance(member, TarMember):
                    continue
                names.append(member.name)
                if wanted(member.name, 0) and member.body is not None:
                    signs["jats"] += JATS_SIGN.search(member.body[: 1 << 16]) is not None
                    signs["tex"] += TEX_SIGN.search(member.body) is not None
                if len(names) == MAX_MEMBERS:
                    break
    except DAMAGE as error:
        if not names:
            return Unread(f"damaged files ({shorten_line(str(error), 160)})")
    if sum(ARXIV_MEMBER.search(name) is not None for name in names) * 2 > len(names):
        return Recognized("arxiv", "papers in TeX")
    if signs["jats"]:
        return Recognized("pubmed", "archives of articles (JATS)")
    code = _recognize_names(names)
    if signs["tex"] and (
        code is None or _count_endings(names, (".tex", ".ltx", ".sty", ".bib", ".bbl")) * 3 > len(names)
    ):
        return Recognized("arxiv", "papers in TeX")
    return (
        code
        or _recognize_pages(names)
        or Unread(f"tar archives of other files ({_describe_names(names)}): unpack them")
    )


def recognize_sevenzip(path: str) -> Verdict:
    """Return what a 7z archive is: a dump of Stack Exchange, or what no source reads."""
    try:
        with open_input(path) as stream:
            names = list_members(stream)
    except SevenZipError as error:
        return Unread(f"damaged files ({shorten_line(str(error), 160)})")
    except UserError as error:
        return Unread(f"7z archives ({error})")
    if any(os.path.basename(name) == "Posts.xml" for name in names):
        return Recognized("stackexchange", "dumps of Stack Exchange")
    return Unread(f"7z archives of other files ({_describe_names(names)}): unpack them")


def _recognize_names(names: list[str]) -> Recognized | None:
    """Return the verdict on an archive of source code: a third of its files, or a package by its files' names."""
    looked = [name for name in names[:MAX_MEMBERS] if not name.endswith("/")]
    languages = [identify_by_name(name, b"") for name in looked]
    code = sum(language.kind == "code" and language.name not in MARKUP for language in languages)
    if code * 3 < len(looked) or not code:
        return None
    return replace(make_code(names), what="archives of source code")


def _recognize_pages(names: list[str]) -> Recognized | None:
    """Return the verdict on an archive of HTML pages: they, and the files that pages show, are most of it."""
    looked = [name for name in names[:MAX_MEMBERS] if not name.endswith("/")]
    pages = sum(HTML_NAME.search(name) is not None for name in looked)
    beside = sum(PAGE_PART_NAME.search(name) is not None for name in looked)
    return (
        Recognized("html", "archives of HTML pages") if pages and (pages + beside) * 2 > len(looked) else None
    )


def _count_endings(names: Iterable[str], endings: tuple[str, ...]) -> int:
    return sum(name.lower().endswith(endings) for name in names)


def _describe_names(names: list[str]) -> str:
    """Return the commonest endings of names: `.html, .png`."""
    suffix: Callable[[str], str] = lambda name: os.path.splitext(name)[1].lower()  # noqa: E731
    endings = Counter(suffix(name) for name in names if suffix(name))
    return ", ".join(ending for ending, _ in endings.most_common(3)) or "nothing"
