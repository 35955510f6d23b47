"""Read Wikipedia and other MediaWiki wikis: pages-articles dumps, plain or compressed, whole or in splits.

A .bz2 of many streams is split where streams begin, plain XML where pages begin; everything else is one
split. Dumps that are cut off give every whole page, then one Failure. Files of bare `<page>` elements are accepted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from corpus.document import Failure, Record
from corpus.extract.wikitext.names import fold_name, load_wiki_languages, load_wiki_names
from corpus.extract.wikitext.templates import find_template_names
from corpus.extract.wikitext.wiki_page import identity
from corpus.sources.source import Source, ranges
from corpus.sources.wikipedia.mediawiki import DumpLoss, DumpPage, PageScanner
from corpus.sources.wikipedia.mediawiki_chunks import DumpHead, is_splittable, read_chunks, read_head
from corpus.storage import open_input

FAMILIES = {
    "wiki": "wikipedia",
    **{name: name for name in ("wiktionary", "wikibooks", "wikinews", "wikiquote", "wikisource")},
    **{name: name for name in ("wikiversity", "wikivoyage")},
}
DATABASE_NAME = re.compile(rf"([a-z][a-z_]*?)({'|'.join(FAMILIES)})")
FILE_DATABASE = re.compile(rf"[a-z][a-z_]*?(?:{'|'.join(FAMILIES)})(?=[-_.]|$)")
DUMP_DATE = r"(20\d\d)(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
FILE_DATE = re.compile(rf"[-_.]{DUMP_DATE}(?=[-_.]|$)")
FOLDER_DATE = re.compile(rf"(?:^|[\\/]){DUMP_DATE}(?=[\\/])")
WIKIMEDIA_ADDRESS = re.compile(r"https?://[a-z-]+\.(?:wiki[a-z]+|wiktionary|mediawiki)\.org/")
REDIRECT_LINE = re.compile(r"\s*#\s*([^\W\d_][^\[\]:#\n]{0,40}?)\s*:?\s*\[\[")
REVISION_ID = re.compile(rb"<id>\s*(\d+)\s*</id>")
CHARACTER_REFERENCE = re.compile(r"&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));")
NAMESPACES = (
    *("", "talk", "user", "user talk", "wikipedia", "wikipedia talk", "file", "file talk", "mediawiki"),
    *("mediawiki talk", "template", "template talk", "help", "help talk", "category", "category talk"),
)
"""English names of the namespaces by number; `portal` is 100. Dumps before 2012 do not give the numbers."""
LANGUAGES_BY_WIKI = {"simple": "en"}
"""Wikis that use the names of another language's."""


@dataclass(frozen=True, slots=True)
class Wiki:
    """What a dump says of its wiki: `database` ("zh_yuewiki"), `code` ("zh-yue"), where its pages are."""

    database: str
    code: str | None
    address: str | None
    namespaces: dict[str, int]


class Wikipedia(Source):
    """Articles of a wiki, one document a page.

    `namespaces` are the numbers of those to keep. `title`: the page's title is the first line of its text
    (it is in the metadata then). `wiki` gives the database name (`dewiki`) where neither the dump nor
    its file name does. Gates: `wikipedia.namespace`, `wikipedia.model` (a page that is no wikitext),
    `wikipedia.redirect`, `wikipedia.empty` (no text, or a deleted one), `wikipedia.disambiguation`.

    A page is named by wiki, page and revision, wherever in a file it is. Its origin is the offset in
    the decompressed dump and its length there; in a .bz2 of several streams those of its stream in the file, with
    the place inside the decompressed stream as metadata `offset_in_stream`.
    """

    kind: Literal["wikipedia"] = "wikipedia"
    namespaces: tuple[int, ...] = (0,)
    title: bool = True
    wiki: str | None = None
    license: str | None = "CC-BY-SA-4.0"

    @classmethod
    def version(cls) -> int:
        return 6

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["wikipedia"]

    @classmethod
    def default_priority(cls) -> int:
        return 1

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), **identity()}

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if size <= split_size or not is_splittable(path):
            return [(0, size)]
        return ranges(size, split_size)

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        head = read_head(path)
        wiki = self._wiki(head, file)
        snapshot = self.snapshot or snapshot_of(file)
        scanner = PageScanner(head.has_root, *([_read_before(path, start)] if start else []))
        has_item = False
        for item in scanner.scan(read_chunks(path, start, end, head.encoding)):
            has_item = True
            if isinstance(item, DumpLoss):
                inside = f" (from byte {item.within:,} of its bz2 stream on)" if item.within else ""
                yield Failure(
                    file=file, offset=item.offset, length=item.length, step="read", error=item.error + inside
                )
            else:
                yield self._page(item, file, wiki, snapshot)
        if not has_item and start == 0 and not head.has_root and b"<page>" not in head.data:
            message = "no <page> in it: not a MediaWiki dump" if head.data else "the file is empty"
            yield Failure(file=file, offset=0, length=0, step="read", error=message)

    def _wiki(self, head: DumpHead, file: str) -> Wiki:
        """Describe the wiki of a dump, from the option, its siteinfo, its address or its file name."""
        site = head.data.decode("utf-8", "replace")
        base = _text_between(site, "<base>", "</base>")
        database = self.wiki or _text_between(site, "<dbname>", "</dbname>") or _database_of(base) or ""
        if not database:
            match = FILE_DATABASE.match(os.path.basename(file).lower())
            database = match.group() if match else ""
        match = DATABASE_NAME.fullmatch(database)
        code = match[1].replace("_", "-") if match else None
        if code not in load_wiki_languages():
            code = None
        address = address_of(base) if base else None
        if address is None and match and code:
            address = f"https://{code}.{FAMILIES[match[2]]}.org/wiki/"
        named = re.findall(r'<namespace key="(-?\d+)"[^>]*>([^<]+)</namespace>', site)
        namespaces = {fold_name(unescape(name)): int(key) for key, name in named}
        return Wiki(database, code, address, namespaces)

    def _page(self, page: DumpPage, file: str, wiki: Wiki, snapshot: str | None) -> Record | Failure:
        data = page.data.decode("utf-8", "replace")
        head, _, last = data.partition("<revision>")
        if last:
            last = data[data.rfind("<revision>") :]
        title, number = (
            unescape(_text_between(head, "<title>", "</title>")),
            _text_between(head, "<id>", "</id>"),
        )
        if not title or not number.isascii() or not number.isdecimal():
            message = "a page without a title or a number"
            return Failure(file=file, offset=page.offset, length=page.length, step="read", error=message)
        fields, text = _split_revision(last)
        revision = _text_between(fields, "<id>", "</id>")
        place = wiki.database or file
        metadata = {"page_id": number, "revision_id": revision, "title": title}
        if not self.title:
            del metadata["title"]
        if page.within is not None:
            metadata["offset_in_stream"] = str(page.within)
        return Record(
            native_id=f"{place}:{number}:{revision}",
            file=file,
            offset=page.offset,
            length=page.length,
            media_type="text/x-wiki",
            body=text,
            url=wiki.address + path_of(title) if wiki.address else None,
            date=_text_between(fields, "<timestamp>", "</timestamp>") or None,
            snapshot=snapshot,
            license=self.license,
            group=f"{wiki.database}:{number}" if wiki.database else None,
            language=load_wiki_languages().get(wiki.code) if wiki.code else None,
            metadata=metadata,
            gate=self._gate(head, fields, title, text, wiki),
        )

    def _gate(self, head: str, fields: str, title: str, text: str, wiki: Wiki) -> str | None:
        number = _text_between(head, "<ns>", "</ns>")
        namespace = int(number) if number.lstrip("-").isdecimal() else namespace_of(title, wiki.namespaces)
        if namespace not in self.namespaces:
            return "wikipedia.namespace"
        if _text_between(fields, "<model>", "</model>") not in ("", "wikitext"):
            return "wikipedia.model"
        names = load_wiki_names(LANGUAGES_BY_WIKI.get(wiki.code, wiki.code) if wiki.code else None)
        redirect = REDIRECT_LINE.match(text)
        if "<redirect" in head or (redirect and fold_name(redirect[1]) in names.redirect):
            return "wikipedia.redirect"
        if not text.strip():
            return "wikipedia.empty"
        if "__DISAMBIG__" in text or not names.disambiguation.isdisjoint(find_template_names(text)):
            return "wikipedia.disambiguation"
        return None


def _read_before(path: str, start: int) -> bytes:
    """Return the bytes just before a split."""
    begin = max(0, start - 4096)
    with open_input(path, begin) as stream:
        return stream.read(start - begin)


def _text_between(text: str, opening: str, closing: str) -> str:
    """Return the text between the first of two tags, without white space; empty where they are missing."""
    start = text.find(opening)
    if start < 0:
        return ""
    start += len(opening)
    end = text.find(closing, start)
    return text[start:end].strip() if end >= 0 else ""


def _split_revision(revision: str) -> tuple[str, str]:
    """Return what precedes the text of a revision, and the text."""
    at = revision.find("<text")
    if at < 0:
        return revision, ""
    start = revision.find(">", at) + 1
    if revision[start - 2] == "/":
        return revision[:at], ""
    end = revision.find("</text>", start)
    return revision[:at], unescape(revision[start : end if end >= 0 else len(revision)])


def unescape(text: str) -> str:
    """Decode XML text: the five entities and character numbers, nothing else."""
    if "&" not in text:
        return text
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&apos;", "'")
    if "&#" in text:
        text = CHARACTER_REFERENCE.sub(_decode_character, text)
    return text.replace("&amp;", "&")


def _decode_character(match: re.Match[str]) -> str:
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"


def snapshot_of(file: str) -> str | None:
    """Return the date of a dump, as eight digits, from its file's name or else from the folders above it.

    Dumps are called `dewiki-20240101-pages-articles.xml.bz2`; exports of 2025 on, `dewiki-2026-08-01-p1p99.xml.bz2`.
    """
    match = FILE_DATE.search(os.path.basename(file)) or next(
        iter(reversed([*FOLDER_DATE.finditer(file)])), None
    )
    return f"{match[1]}{match[3]}{match[4]}" if match else None


def _database_of(base: str) -> str | None:
    """Return `dewiki` for an address on de.wikipedia.org."""
    labels = (urlsplit(base).hostname or "").split(".")
    families = {name: suffix for suffix, name in FAMILIES.items()}
    if (
        len(labels) == 3
        and labels[2] == "org"
        and labels[1] in families
        and labels[0] in load_wiki_languages()
    ):
        return labels[0].replace("-", "_") + families[labels[1]]
    return None


def address_of(base: str) -> str | None:
    """Return what precedes a title in the addresses of a wiki, by its main page's; https for Wikimedia's."""
    base = unescape(base)
    if WIKIMEDIA_ADDRESS.match(base):
        base = base.replace("http://", "https://", 1)
    for mark in ("/wiki/", "title="):
        before, separator, _ = base.partition(mark)
        if separator:
            return before + separator
    before, slash, _ = base.rpartition("/")
    return before + slash if "//" in before else None


def path_of(title: str) -> str:
    """Return a title as it is in addresses: underscores for spaces, percent-encoded as MediaWiki does it."""
    return quote(title.replace(" ", "_"), safe=";@$!*(),/~:")


def namespace_of(title: str, names: dict[str, int]) -> int:
    """Return the namespace of a page by its title, for dumps that do not give it."""
    prefix, colon, _ = title.partition(":")
    prefix = fold_name(prefix)
    if not colon or not prefix:
        return 0
    if prefix in names:
        return names[prefix]
    if prefix in NAMESPACES:
        return NAMESPACES.index(prefix)
    every = load_wiki_names()
    return 100 if prefix == "portal" else 6 if prefix in every.file else 14 if prefix in every.category else 0
