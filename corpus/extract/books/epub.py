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
from html.entities import html5
from urllib.parse import unquote

from lxml import etree

from corpus.document import MAX_DOCUMENT_BYTES, Record
from corpus.extract import ExtractedText
from corpus.extract.books.gutenberg import LANGUAGE_CODES, PUBLIC_DOMAIN
from corpus.extract.books.xhtml import convert_chapter
from corpus.extract.creative_commons import find_cc_license, is_denied, states_public_domain
from corpus.extract.plain_text import clean_text
from corpus.formats.archives import ZIP_DAMAGE, describe_zip_damage
from corpus.formats.xml import XmlError, parse_tree
from corpus.languages.labels import parse_label

VERSION = 6
"""Raised when the text of some book changes."""

MAX_EPUB_MEMBER_BYTES = 32 << 20
"""Limit of one member of text. The longest novels, unwisely in one file, take 5 MB."""
MAX_EPUB_TEXT_BYTES = 128 << 20
"""Limit of all members read of one book: a bomb of many ends here."""
MAX_SPINE_ITEMS = 20_000
"""Items of a reading order; more is no book."""
MAX_FALLBACKS = 8
MAX_DECLARATION_BYTES = 1 << 16
"""Bytes at the beginning of a document that are searched for declarations."""
MAX_ENTITIES = 500
_ENTITY = re.compile(rb"""<!ENTITY\s+([A-Za-z][\w.-]{0,40})\s+(?:"([^"]{0,32})"|'([^']{0,32})')\s*>""")
_REFERENCE = re.compile(rb"&(?!#)")
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
_GNU_DOCUMENTATION = re.compile(
    r"\bGNU Free Documentation Licen[sc]e(?:,?\s*\(?G?FDL\)?)?(?:,?\s*(?:version|v\.?)?\s*(?P<version>1\.[123]))?"
    r"|\bGFDL(?:[ -](?P<short>1\.[123]))?|gnu\.org/(?:copyleft|licenses)/fdl",
    re.IGNORECASE,
)
_CC_IN_CHINESE = re.compile(
    r"(?<=[\u3000-\u9fff\uff00-\uffef])(?=CC[ -]?(?:BY|0))|(?<=\d\.0)(?=[\u3000-\u9fff])"
)
_ANY_LATER = re.compile(r"[^.;]{0,40}\b(?:any|or)\b[^.;]{0,12}\blater\b", re.IGNORECASE)
MISTAKEN_CODES = {
    "jp": "jpn",
    "cn": "cmn",
    "gr": "ell",
    "ua": "ukr",
    "cz": "ces",
    "dk": "dan",
    "vn": "vie",
    "sp": "spa",
    "gb": "eng",
    "us": "eng",
    "rs": "srp",
}
"""Codes of countries that stand where that of a language belongs, and are of no language themselves."""
HELPER_ROLES = frozenset({"trl", "pbl", "bkp", "cov", "nrt", "prt", "tyg", "mrk", "trc", "pfr", "mdc", "ctb"})
"""Roles of creators who wrote and drew nothing; they are named where there are no others."""
DATE_EVENTS = {
    "original-publication": 0,
    "publication": 1,
    "": 2,
    "issued": 2,
    "ops-publication": 3,
    "creation": 4,
}
_DATE = re.compile(
    r"(?P<year>\d{4})(?!\d)(?:-(?P<month>\d{1,2})(?!\d)(?:-(?P<day>\d{1,2})(?!\d))?)?(?P<rest>[^\d].*)?\Z",
    re.DOTALL,
)
IMPRINT_TYPES = frozenset({"copyright-page", "other.copyright", "imprint", "colophon"})
_IMPRINT_NAME = re.compile(
    r"(?:copyright(?:[-_]?(?:page|notice))?|imprint|colophon|impressum|mentions-?_?legales|licen[sc]e"
    r"|奥付|后付|後付|版权页?|版權頁?)"
    r"(?:[-_]?\d{1,3})?",
    re.IGNORECASE,
)
END_DOCUMENTS = 3
"""Documents at either end in which a book may say of itself under which licence it is."""
MAX_IMPRINT_BYTES = 1 << 19
_LICENSE_HINT = re.compile(
    rb"creative\s*commons|CC[\s-]*(?:\xc2\xad)?[- ]?(?:BY|0)|free documentation|gemeinfrei"
    rb"|public domain|\xe5\x85\xac\xe6\x9c\x89",
    re.IGNORECASE,
)
_OF_THIS_BOOK = re.compile(
    r"\b(?:this|the) (?:e-?book|book|work|text|story|publication|title|guide|manual|document)"
    r"\b[^.]{0,80}\b(?:licen[sc]ed|under)\b"
    r"|\bsome rights reserved"
    r"|\b(?:dieses (?:e-?)?(?:buch|werk)|dieser text)\b[^.]{0,80}\b(?:lizenz|unter)"
    r"|\b(?:ce (?:livre|texte|document)|cet ouvrage|cette œuvre)\b[^.]{0,80}\b(?:licence|sous)\b"
    r"|\b(?:est[ea] (?:libro|obra|livro|texto)|questo (?:libro|testo)|quest.opera)\b"
    r"[^.]{0,80}\b(?:licen|bajo|sob|sotto)"
    r"|(?:эта книга|это произведение|данная книга)[^.]{0,80}лиценз"
    r"|(?:本书|本書|本作品|この(?:本|作品|文書))[^。]{0,60}(?:许可|許可|授权|授權|ライセンス|协议|協議)"
    r"|(?:هذا (?:الكتاب|العمل))[^.]{0,80}(?:رخصة|ترخيص)"
    r"|(?:यह|इस) (?:पुस्तक|किताब|कहानी)[^।]{0,80}लाइसेंस|ספר זה[^.]{0,80}רישיון",
    re.IGNORECASE,
)
DRAWN_TEXT_TAGS = (b"<text", b"<tspan")
"""Tags of a page that is drawn (fixed layout), where paragraphs end with the page."""
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
            raise EpubError(f"not a zip that can be read: {describe_zip_damage(error)}") from None
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
    read_imprint(book, package)
    lost: list[str] = []
    texts: list[str] = []
    size = 0
    was_drawn = False
    for item in package.items:
        try:
            data = book.read(item.name)
            text = extract_chapter(data, item)
        except EpubError as error:
            lost.append(str(error))
            continue
        size += len(text.encode("utf-8", "replace"))
        if size > MAX_DOCUMENT_BYTES:
            raise EpubError(f"more than {MAX_DOCUMENT_BYTES:,} bytes of text: say `unit: chapter`")
        if text:
            is_drawn = any(tag in data for tag in DRAWN_TEXT_TAGS)
            goes_on = was_drawn and is_drawn and _ends_in_sentence(texts[-1]) and text[0].islower()
            texts += [" " if goes_on else "\n\n", text] if texts else [text]
            was_drawn = is_drawn
    if lost and not texts:
        raise EpubError(lost[0])
    if lost:
        package.metadata["lost"] = "; ".join(lost)[:500]
    return ExtractedText(
        text=clean_text("".join(texts)),
        license=package.license,
        date=package.date,
        language=package.language,
        metadata=package.metadata,
    )


def _ends_in_sentence(page: str) -> bool:
    """Return whether a page may end in the middle of a sentence."""
    return page[-1].isalpha() or page[-1] == ","


def read_imprint(book: EpubBook, package: EpubPackage) -> None:
    """Set the licence of a book whose package document says nothing of rights: by its imprint, else by what one of its
    first and last documents says of the book. Nothing where several licences are named."""
    if package.license is not None or "rights" in package.metadata:
        return
    ends = {item.name for item in [*package.items[:END_DOCUMENTS], *package.items[-END_DOCUMENTS:]]}
    for item in sorted(package.items, key=lambda item: not _is_imprint(item)):
        if not (is_imprint := _is_imprint(item)) and item.name not in ends:
            continue
        try:
            data = book.read(item.name)
            if len(data) > MAX_IMPRINT_BYTES or not _LICENSE_HINT.search(data):
                continue
            root = _parse_tree(data, item.name)
            body = next(root.iter("{*}body"), root)
            text = " ".join("\n".join(body.itertext()).replace("\u00ad", "").split())
        except EpubError:
            continue  # said of the document when its text is read
        if is_imprint or _OF_THIS_BOOK.search(text):
            package.license = _read_only_license(text)
            return


def _is_imprint(item: EpubItem) -> bool:
    stem = posixpath.splitext(posixpath.basename(item.name))[0]
    return bool(
        item.types & IMPRINT_TYPES or _IMPRINT_NAME.fullmatch(stem) or _IMPRINT_NAME.fullmatch(item.id)
    )


def _read_only_license(text: str) -> str | None:
    """Return the licence of a text; None if its sentences give several, of which one may be of a part."""
    licenses = {read_rights([sentence]) for sentence in re.split(r"(?<=[.!?。])\s+(?=\S)", text)} - {None}
    families = {re.sub(r"-\d.*", "", license) for license in licenses if license is not None}
    return read_rights([text]) if len(families) == 1 else None


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
    if b"<!ENTITY" in data[:MAX_DECLARATION_BYTES]:
        data = _write_out_entities(data)
    try:
        return parse_tree(data, recover=True)
    except XmlError as error:
        raise EpubError(f"{name!r} is no XML: {error}") from None


def _write_out_entities(data: bytes) -> bytes:
    """Return a document with the letters for which its own declarations have names (`<!ENTITY O "&#8220;">`).

    Only short values without markup and without other names count: nothing grows.
    """
    declared = {
        name: value
        for name, double, single in _ENTITY.findall(data[:MAX_DECLARATION_BYTES])[:MAX_ENTITIES]
        if not _REFERENCE.search(value := double or single)
        and b"<" not in value
        and f"{name.decode('ascii')};" not in html5
    }
    if not declared:
        return data
    names = b"|".join(re.escape(name) for name in sorted(declared, reverse=True))
    return re.sub(rb"&(" + names + rb");", lambda match: declared[match[1]], data)


def _describe_package(root: etree._Element, items: list[EpubItem]) -> EpubPackage:
    """Return the package with what its metadata state."""
    values: dict[str, list[str]] = {}
    elements: dict[str, list[etree._Element]] = {}
    for element in root.iter("{http://purl.org/dc/elements/1.1/}*"):
        text = " ".join("".join(element.itertext()).split())
        if text:
            name = etree.QName(element).localname
            values.setdefault(name, []).append(text)
            elements.setdefault(name, []).append(element)
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
    license = read_rights([*links, *values.get("rights", [])])
    label = next(filter(None, map(_parse_language, values.get("language", []))), None)
    metadata = {
        "title": values.get("title", [""])[0],
        "author": "; ".join(_list_authors(root, elements.get("creator", []))[:10]),
        "publisher": values.get("publisher", [""])[0],
        "identifier": values.get("identifier", [""])[0],
        "rights": rights[:300],
    }
    return EpubPackage(
        items=items,
        license=license,
        date=_choose_date(elements.get("date", [])),
        language="_".join(filter(None, label)) if label else None,
        metadata={name: value[:500] for name, value in metadata.items() if value},
    )


def read_rights(statements: list[str]) -> str | None:
    """Return the licence that statements of rights and addresses of licences give: Creative Commons, the GNU Free
    Documentation License, the public domain; None for anything else."""
    text = "\n".join(statements).replace("\u00ad", "").replace("CreativeCommons", "Creative Commons")
    text = _CC_IN_CHINESE.sub(" ", text)
    license = find_cc_license(text)
    if license is not None:
        return license
    if states_public_domain(text):
        return PUBLIC_DOMAIN
    named = list(_GNU_DOCUMENTATION.finditer(text))
    documentation = next(
        (match for match in named if match["version"] or match["short"]), named[0] if named else None
    )
    if documentation is None or is_denied(text[: documentation.start()], text[documentation.end() :]):
        return None
    version = documentation["version"] or documentation["short"]
    later = version is None or _ANY_LATER.match(text, documentation.end()) is not None
    return f"GFDL-{version or '1.1'}-{'or-later' if later else 'only'}"


def _parse_language(stated: str) -> tuple[str, str | None] | None:
    """Return our code of `dc:language`: a tag, a code that is often written by mistake (`jp`), or an English name."""
    label = parse_label(stated)
    if label is not None:
        return label
    code = MISTAKEN_CODES.get(re.split("[-_]", stated.lower())[0]) or LANGUAGE_CODES.get(stated.lower())
    return (code, None) if code is not None else None


def _list_authors(root: etree._Element, creators: list[etree._Element]) -> list[str]:
    """Return the names of creators; of those who have a role, the authors if there are any."""
    refined = {
        (element.get("refines") or "").lstrip("#"): "".join(element.itertext()).strip().lower()
        for element in root.iter("{*}meta")
        if element.get("property") == "role"
    }
    names: list[str] = []
    others: list[str] = []
    for creator in creators:
        name = " ".join("".join(creator.itertext()).split())
        stated = creator.get("{http://www.idpf.org/2007/opf}role") or creator.get("role") or ""
        role = stated.strip().lower() or refined.get(creator.get("id") or "", "")
        (others if role in HELPER_ROLES else names).append(name)
    return list(dict.fromkeys(names or others))


def _choose_date(dates: list[etree._Element]) -> str | None:
    """Return the date of publication, else one without event, else of creation; not that of a conversion."""
    ranked: list[tuple[int, str]] = []
    for element in dates:
        event = (element.get("{http://www.idpf.org/2007/opf}event") or element.get("event") or "").lower()
        date = _normalize_date(" ".join("".join(element.itertext()).split()))
        if date is not None:
            ranked.append((DATE_EVENTS.get(event, len(DATE_EVENTS)), date))
    return min(ranked, key=lambda one: one[0])[1] if ranked else None


def _normalize_date(text: str) -> str | None:
    """Return a date as ISO has it if it is one, the first year of several, else its words; None for the year 101, which
    Calibre writes where it knows none."""
    match = _DATE.match(text)
    if match is None:
        return text[:32] or None
    if match["year"].startswith("0"):
        return None
    if match["rest"]:
        return text[:32] if match["rest"][0] in "Tt " else match["year"]
    return "-".join(
        part if len(part) > 1 else f"0{part}" for part in match.group("year", "month", "day") if part
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
