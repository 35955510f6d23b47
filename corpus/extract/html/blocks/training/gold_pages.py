"""Read pages with their gold text: what a person says is, or is not, the main text of a page.

A folder of gold has one of these layouts, told apart by the files in it:

    evaldata.json, pages.tar.xz         pieces that must and must not appear (trafilatura's evaluation)
    ground-truth.json, html/*.html.gz   full texts (article-extraction-benchmark)
    test-pages.tar.xz                   expected HTML beside the source (mozilla/readability)
    wcxb-dev.tar.zst, or dev/, or html/ and ground-truth/   full texts and page types (WCXB)
    pages.jsonl                         lines with url, html, text and, if known, kind: one's own
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard
from lxml.html import fromstring

from corpus.errors import UserError
from corpus.formats.encodings import decode
from corpus.groups import registered_domain

WINDOW_BITS = 28
"""Largest window of a zstd file: WCXB is packed with `--long=27`."""

_URL = re.compile(
    r"""<(?:link[^>]+rel=["']?canonical["']?[^>]+href|meta[^>]+og:url["']?[^>]+content)=["']?(https?://[^"'\s>]+)""",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class GoldPage:
    """A page and what is known of its main text: all of it (`text`), or pieces of it and of the rest.

    `kind` is its type (article, forum ...), `site` what pages of one site share: its registered domain. Collections of
    gold are kept as UTF-8, whatever their pages state: so `html` is decoded by its bytes alone.
    """

    name: str
    site: str
    kind: str
    html: str
    text: str | None = None
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


@dataclass
class GoldFolder:
    """A folder of gold: its name, and the pages in it."""

    name: str
    pages: list[GoldPage] = field(default_factory=list)


def read_gold_folder(folder: str) -> GoldFolder:
    """Read a folder of gold. Raises UserError if it has none of the layouts, or no page."""
    path = Path(folder)
    if not path.is_dir():
        raise UserError(f"{folder}: no such folder")
    readers = {
        "evaldata.json": _read_segments,
        "ground-truth.json": _read_articles,
        "test-pages.tar.xz": _read_expected,
        "wcxb-dev.tar.zst": _read_wcxb_archive,
        "dev": lambda place: _read_wcxb(place / "dev"),
        "ground-truth": _read_wcxb,
        "pages.jsonl": _read_lines,
    }
    for name, reader in readers.items():
        if (path / name).exists():
            try:
                pages = sorted(reader(path), key=lambda page: page.name)
            except (OSError, ValueError, KeyError, TypeError, tarfile.TarError, zstandard.ZstdError) as error:
                raise UserError(f"{path / name}: not as expected: {error}") from None
            if not pages:
                raise UserError(f"{folder}: no page with gold in it")
            return GoldFolder(path.name, pages)
    raise UserError(f"{folder}: no gold in it: expected one of {', '.join(readers)}")


def _read_segments(path: Path) -> Iterator[GoldPage]:
    gold = json.loads((path / "evaldata.json").read_text(encoding="utf-8"))
    entries = {entry["file"]: entry for entry in gold.values()}
    with tarfile.open(path / "pages.tar.xz") as archive:
        for member in archive:
            entry = entries.get(Path(member.name).name)
            stream = archive.extractfile(member) if member.isfile() and entry is not None else None
            if stream is None or entry is None:
                continue
            html = decode(stream.read())[0]
            yield GoldPage(
                name=entry["file"],
                site=_find_site(html, entry["file"]),
                kind="segments",
                html=html,
                wanted=tuple(entry["with"]),
                unwanted=tuple(entry["without"]),
            )


def _read_articles(path: Path) -> Iterator[GoldPage]:
    for name, entry in json.loads((path / "ground-truth.json").read_text(encoding="utf-8")).items():
        file = path / "html" / f"{name}.html.gz"
        if not file.exists():
            continue
        html = decode(gzip.decompress(file.read_bytes()))[0]
        site = registered_domain(entry.get("url") or "") or _find_site(html, name)
        yield GoldPage(name=name, site=site, kind="article", html=html, text=entry["articleBody"])


def _read_expected(path: Path) -> Iterator[GoldPage]:
    parts: dict[str, dict[str, str]] = {}
    with tarfile.open(path / "test-pages.tar.xz") as archive:
        for member in archive:
            place = Path(member.name)
            stream = archive.extractfile(member) if member.isfile() and place.suffix == ".html" else None
            if stream is not None:
                parts.setdefault(place.parent.name, {})[place.stem] = decode(stream.read(), None, html=True)[
                    0
                ]
    for name, files in parts.items():
        if "source" in files and files.get("expected", "").strip():
            text = " ".join(fromstring(files["expected"]).itertext())
            site = _find_site(files["source"], name)
            yield GoldPage(name=name, site=site, kind="article", html=files["source"], text=text)


def _read_wcxb_archive(path: Path) -> Iterator[GoldPage]:
    html: dict[str, str] = {}
    gold: dict[str, Any] = {}
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_BITS)
    with (
        open(path / "wcxb-dev.tar.zst", "rb") as file,
        unpacker.stream_reader(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            place = Path(member.name)
            if content is not None and place.suffix == ".html":
                html[place.stem] = decode(content.read())[0]
            elif content is not None and place.suffix == ".json" and place.parent.name == "ground-truth":
                gold[place.stem] = json.loads(content.read())
    for name in sorted(html.keys() & gold.keys()):
        yield _make_wcxb_page(name, html[name], gold[name])


def _read_wcxb(path: Path) -> Iterator[GoldPage]:
    for file in sorted((path / "ground-truth").glob("*.json")):
        source = path / "html" / f"{file.stem}.html"
        if source.exists():
            html = decode(source.read_bytes())[0]
            yield _make_wcxb_page(file.stem, html, json.loads(file.read_text(encoding="utf-8")))


def _make_wcxb_page(name: str, html: str, entry: dict[str, Any]) -> GoldPage:
    kind = entry["_internal"]["page_type"]["primary"]
    gold = entry["ground_truth"]
    return GoldPage(
        name=name,
        site=registered_domain(entry.get("url") or "") or name,
        kind="collection" if kind == "category" else kind,
        html=html,
        text=gold.get("main_content") or "",
        wanted=tuple(gold.get("with") or ()),
        unwanted=tuple(gold.get("without") or ()),
    )


def _read_lines(path: Path) -> Iterator[GoldPage]:
    file = path / "pages.jsonl"
    with open(file, encoding="utf-8") as lines:  # `splitlines` would cut at U+2028 within a text
        for number, line in enumerate(lines):
            try:
                yield _make_page(number, json.loads(line))
            except json.JSONDecodeError as error:
                raise UserError(f"{file}:{number + 1}:{error.colno}: no JSON: {error.msg}") from None
            except ValueError as error:
                raise UserError(f"{file}:{number + 1}: {error}") from None


def _make_page(number: int, row: Any) -> GoldPage:
    """Return the page of a line. Raises ValueError, one line, for what is none."""
    if not isinstance(row, dict):
        raise ValueError("a mapping with url, html and text is expected")
    for key, needed in (("html", True), ("text", True), ("url", False), ("kind", False)):
        if row.get(key) is None and needed:
            raise ValueError(f"no `{key}`: a line has url, html, text and, if known, kind")
        if not isinstance(row.get(key), str | None):
            raise ValueError(f"`{key}` must be text, not {type(row[key]).__name__}")
    url = row.get("url") or ""
    return GoldPage(
        name=f"{number:06}",
        site=registered_domain(url) or url or str(number),
        kind=row.get("kind") or "article",
        html=row["html"],
        text=row["text"],
    )


def _find_site(html: str, name: str) -> str:
    """Return the registered domain of the address that a page gives as its own, else the first part of its name."""
    address = _URL.search(html[:200_000])
    return (registered_domain(address[1]) if address else None) or re.split(r"[-_/]", name)[0]
