"""Extract the text of an EPUB 2 or 3 in reading order, without cover, title page, contents and imprint.

The archive is read in memory, member by member as the spine names them, each and all of them bounded. The text runs
as its language does: vertical and right-to-left books are stored in reading order, so nothing is reversed. Readings of
Japanese words (ruby) are dropped, since they would stand inside the sentences; marks of notes become `[1]`, and the
notes themselves follow at the end of their chapter.
"""

from __future__ import annotations

import io
import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from lxml import etree

from corpus.document import MAX_DOCUMENT_BYTES, Record
from corpus.extract import ExtractedText
from corpus.extract.books.gutenberg import PUBLIC_DOMAIN
from corpus.extract.books.xhtml import convert_chapter
from corpus.extract.creative_commons import find_cc_license, states_public_domain
from corpus.extract.plain_text import clean_text
from corpus.formats.archives import ZIP_DAMAGE
from corpus.formats.xml import XmlError, parse_tree
from corpus.languages.labels import parse_label

VERSION = 3
"""Raised when the text of some book changes."""

MAX_EPUB_MEMBER_BYTES = 32 << 20
"""Limit of one member of text. The longest novels, unwisely in one file, take 5 MB."""
MAX_EPUB_TEXT_BYTES = 128 << 20
"""Limit of all members read of one book: a bomb of many ends here."""
MAX_SPINE_ITEMS = 20_000
"""Items of a reading order; more is no book."""
MAX_FALLBACKS = 8
EPUB_ERRORS = (*ZIP_DAMAGE, MemoryError)
TEXT_MEDIA_TYPES = (
    "application/xhtml+xml",
    "text/html",
    "application/x-dtbook+xml",
    "text/x-oeb1-document",
    "text/xml",
    "image/svg+xml",
)

TEXT_EXTENSIONS = (".xhtml", ".html", ".htm", ".xml", ".opf", ".svg")

FONT_MANGLING = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Fonts are scrambled by these with a key that is in the book: no protection of its text."""

COVER_TYPES = frozenset({"cover", "titlepage", "title-page", "halftitlepage", "halftitle"})
LIST_TYPES = frozenset({"toc", "text-toc", "landmarks", "page-list", "loi", "lot", "loa", "lov", "index"})
FRONT_TYPES = (
    COVER_TYPES | LIST_TYPES | {"copyright-page", "other.copyright", "imprint", "imprimatur", "colophon"}
)
"""epub:type and guide types of what is cut."""
_FRONT_NAME = re.compile(
    r"(?:cover|front-?cover|back-?cover|title-?_?page|half-?_?title(?:-?_?page)?|title|copyright(?:-?_?page)?|toc|nav|ncx"
    r"|contents|table-?_?of-?_?contents|imprint|colophon|impressum|mentions-?_?legales|copyright_notice"
    r"|表紙|扉|目次|奥付|後付|封面|目录|目錄|版权页?|版權頁?)(?:[-_]?\d{1,3})?",
    re.IGNORECASE,
)
_TYPISTS_NOTE = re.compile("［＃[^［］\n]{1,200}］")
"""Notes of Aozora Bunko's volunteers on the printed page, in the middle of sentences."""
CHAPTER_MEDIA_TYPE = "application/x-epub-chapter"
"""A record that is one document of a reading order; `metadata["chapter"]` is its name in the archive."""
MAX_NAMED_FRONT_CHARACTERS = 4000
"""Characters up to which a name such as `title.xhtml` is believed: a chapter may be called so too."""


class EpubError(ValueError):
    """Raised for a book that cannot be read: the message is what is wrong with it."""


@dataclass(slots=True)
class EpubItem:
    """Hold a document of the reading order: its name in the archive, its id, types that may make it front matter."""

    name: str
    id: str
    types: frozenset[str] = frozenset()

    @property
    def is_front(self) -> bool:
        """Whether the package document marks it as front matter."""
        return bool(self.types & FRONT_TYPES)


@dataclass(slots=True)
class EpubPackage:
    """Hold what the package document states: reading order, title, language and rights."""

    items: list[EpubItem]
    pictures: int = 0
    """Entries of the reading order that are pictures without a document to fall back on."""
    license: str | None = None
    date: str | None = None
    language: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class EpubBook:
    """Read an EPUB in memory. Raises EpubError if it is not a zip or has no package document."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.names = [entry.filename for entry in self._zip.infolist()]
        except EPUB_ERRORS as error:
            raise EpubError(f"not a zip that can be read: {error}") from None
        self._folded: dict[str, str] = {}
        for name in self.names:
            self._folded.setdefault(_fold_name(name), name)
        self._left = MAX_EPUB_TEXT_BYTES

    def find(self, name: str) -> str | None:
        """Return a member by its name, else by its name without regard to case and Unicode form."""
        return name if name in self._zip.NameToInfo else self._folded.get(_fold_name(name))

    def read(self, name: str) -> bytes:
        """Return the bytes of a member. Raises EpubError if it is damaged, encrypted or too large."""
        limit = min(MAX_EPUB_MEMBER_BYTES, self._left)
        pieces: list[bytes] = []
        size = 0
        try:
            with self._zip.open(name) as member:
                while size <= limit and (piece := member.read(1 << 14)):
                    pieces.append(piece)
                    size += len(piece)
        except EPUB_ERRORS as error:
            raise EpubError(f"{name!r}: {error}") from None
        if size > limit:
            raise EpubError(f"{name!r} unpacks to more than {limit:,} bytes")
        self._left -= size
        return b"".join(pieces)

    def without_pictures(self) -> bytes:
        """Return the book with its texts alone, by their names. Raises EpubError if those are too large."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as slim:
            for name in dict.fromkeys(self.names):
                if name.startswith("META-INF/") or name.lower().endswith(TEXT_EXTENSIONS):
                    try:
                        data = self.read(name)
                    except EpubError:
                        if self._left <= 0:
                            raise
                        continue  # as much missing there as it is damaged here
                    slim.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 1)
        return packed.getvalue()

    def is_encrypted(self) -> bool:
        """Return whether text of the book is encrypted: by the zip, or by what META-INF/encryption.xml names."""
        infos = self._zip.infolist()
        if any(entry.flag_bits & 1 for entry in infos):
            return True
        listing = self.find("META-INF/encryption.xml")
        if listing is None:
            return False
        try:
            root = parse_tree(self.read(listing), recover=True)
        except (XmlError, EpubError):
            return True
        methods = [
            str(entry.get("Algorithm"))
            for entry in root.iter("{*}EncryptionMethod")
            if _is_within(entry, "EncryptedData")
        ]
        return any(method not in FONT_MANGLING for method in methods)

    def read_package(self) -> EpubPackage:
        """Read the package document. Raises EpubError if there is none, or no reading order in it."""
        name = self._package_name()
        root = _parse_tree(self.read(name), name)
        folder = posixpath.dirname(name)
        manifest: dict[str, tuple[str, str, str]] = {}
        fallbacks: dict[str, str] = {}
        for element in root.iter("{*}item"):
            place = self.find(_resolve_href(folder, element.get("href") or ""))
            if place is not None and element.get("id"):
                manifest.setdefault(
                    str(element.get("id")),
                    (place, element.get("media-type") or "", element.get("properties") or ""),
                )
                fallbacks[str(element.get("id"))] = element.get("fallback") or ""
        guide: dict[str, set[str]] = {}
        for element in root.iter("{*}reference"):
            href, _, anchor = (element.get("href") or "").partition("#")
            place = self.find(_resolve_href(folder, href))
            if place is not None and not anchor:
                guide.setdefault(place, set()).add((element.get("type") or "").lower())
        items: list[EpubItem] = []
        pictures = 0
        for element in root.iter("{*}itemref"):
            id = _find_document(element.get("idref") or "", manifest, fallbacks)
            if id is None:
                pictures += (element.get("idref") or "") in manifest
                continue
            place, _, properties = manifest[id]
            types = guide.get(place, set()) | ({"toc"} if "nav" in properties.split() else set())
            if len(items) < MAX_SPINE_ITEMS and place not in {item.name for item in items[-8:]}:
                items.append(EpubItem(place, id, frozenset(types)))
        if not items and not pictures:
            raise EpubError(f"no document in the reading order of {name!r}")
        package = _describe_package(root, items)
        package.pictures = pictures
        return package

    def _package_name(self) -> str:
        container = self.find("META-INF/container.xml")
        damage = ""
        if container is not None:
            try:
                for rootfile in _parse_tree(self.read(container), container).iter("{*}rootfile"):
                    place = self.find(_resolve_href("", rootfile.get("full-path") or ""))
                    if place is not None:
                        return place
            except EpubError as error:
                damage = f" ({error})"
        packages = sorted(name for name in self.names if name.lower().endswith(".opf"))
        if not packages:
            raise EpubError(
                f"no package document: neither META-INF/container.xml{damage} nor any .opf names one"
            )
        return packages[0]


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the book's text, chapter by chapter; title, authors, publisher and identifier as metadata.

    Licence by `dc:rights` and licence links, date and language by the package document. Raises EpubError.
    """
    assert isinstance(record.body, bytes)
    if record.media_type == CHAPTER_MEDIA_TYPE:
        item = EpubItem(record.metadata["chapter"], record.metadata.get("item", ""))
        return ExtractedText(text=clean_text(extract_chapter(record.body, item)))
    book = EpubBook(record.body)
    package = book.read_package()
    lost: list[str] = []
    texts = []
    size = 0
    for item in package.items:
        try:
            text = extract_chapter(book.read(item.name), item)
        except EpubError as error:
            lost.append(str(error))
            continue
        size += len(text.encode("utf-8", "replace"))
        if size > MAX_DOCUMENT_BYTES:
            raise EpubError(f"more than {MAX_DOCUMENT_BYTES:,} bytes of text: say `unit: chapter`")
        if text:
            texts.append(text)
    if lost and not texts:
        raise EpubError(lost[0])
    if lost:
        package.metadata["lost"] = "; ".join(lost)[:500]
    return ExtractedText(
        text=clean_text("\n\n".join(texts)),
        license=package.license,
        date=package.date,
        language=package.language,
        metadata=package.metadata,
    )


def extract_chapter(data: bytes, item: EpubItem) -> str:
    """Return the text of a document of the reading order; empty for front matter. Raises EpubError."""
    if item.is_front:
        return ""
    text = _TYPISTS_NOTE.sub("", convert_chapter(_parse_tree(data, item.name), FRONT_TYPES))
    stem = posixpath.splitext(posixpath.basename(item.name))[0]
    if len(text) <= MAX_NAMED_FRONT_CHARACTERS and (
        _FRONT_NAME.fullmatch(stem) or _FRONT_NAME.fullmatch(item.id)
    ):
        return ""
    return text


def _find_document(
    id: str, manifest: dict[str, tuple[str, str, str]], fallbacks: dict[str, str]
) -> str | None:
    """Return the item of the manifest that can be read as text: an entry of the spine or one that it falls back on."""
    for _ in range(MAX_FALLBACKS):
        listed = manifest.get(id)
        if listed is None:
            return None
        if listed[1].lower() in TEXT_MEDIA_TYPES or listed[0].lower().endswith(
            (".xhtml", ".html", ".htm", ".xml", ".svg")
        ):
            return id
        id = fallbacks.get(id, "")
    return None


def _parse_tree(data: bytes, name: str) -> etree._Element:
    try:
        return parse_tree(data, recover=True)
    except XmlError as error:
        raise EpubError(f"{name!r} is no XML: {error}") from None


def _describe_package(root: etree._Element, items: list[EpubItem]) -> EpubPackage:
    """Return the package with what its metadata state."""
    values: dict[str, list[str]] = {}
    for element in root.iter("{http://purl.org/dc/elements/1.1/}*"):
        text = " ".join("".join(element.itertext()).split())
        if text:
            values.setdefault(etree.QName(element).localname, []).append(text)
    links = [
        element.get("href") or ""
        for element in root.iter("{*}link")
        if "license" in (element.get("rel") or "")
    ]
    links += [
        "".join(element.itertext())
        for element in root.iter("{*}meta")
        if (element.get("property") or "").endswith("license") and not element.get("refines")
    ]
    rights = " ".join(values.get("rights", []))
    license = find_cc_license("\n".join([*links, *values.get("rights", [])]))
    if license is None and states_public_domain("\n".join(values.get("rights", []))):
        license = PUBLIC_DOMAIN
    label = parse_label(values["language"][0]) if "language" in values else None
    metadata = {
        "title": values.get("title", [""])[0],
        "author": "; ".join(values.get("creator", [])[:10]),
        "publisher": values.get("publisher", [""])[0],
        "identifier": values.get("identifier", [""])[0],
        "rights": rights[:300],
    }
    return EpubPackage(
        items=items,
        license=license,
        date=values["date"][0][:32] if "date" in values else None,
        language="_".join(filter(None, label)) if label else None,
        metadata={name: value[:500] for name, value in metadata.items() if value},
    )


def _is_within(element: etree._Element, name: str) -> bool:
    parent = element.getparent()
    return parent is not None and etree.QName(parent).localname == name


def _resolve_href(folder: str, href: str) -> str:
    """Return an address of the package document as a name in the archive."""
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))).lstrip("/")


def _fold_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def read_chapters(book: EpubBook, package: EpubPackage) -> Iterator[tuple[EpubItem, bytes | EpubError]]:
    """Yield the documents of the reading order, as they are, for a source that makes each a record of its own."""
    for item in package.items:
        try:
            yield item, book.read(item.name)
        except EpubError as error:
            yield item, error
