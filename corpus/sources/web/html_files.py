"""Read HTML pages that lie on disk: single files, folders of them, and zip and tar archives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

from pydantic import ByteSize, Field, field_validator

from corpus.document import Failure, Record
from corpus.formats.archives import ZIP_MAGICS, read_archive
from corpus.formats.encodings import check_encoding, codec_of, find_wide_codec, has_controls, is_wide
from corpus.formats.http import HTML_SNIFF
from corpus.formats.tar import is_tar
from corpus.private.options import WEB_REDACT, RedactKind
from corpus.sources.inputs import fixed_prefix
from corpus.sources.source import Source
from corpus.sources.tables.lines import make_too_long_failure
from corpus.sources.web.page_address import find_page_address
from corpus.storage import DAMAGE, File, folders, join, open_decompressed, open_input
from corpus.storage.folders import is_folder
from corpus.storage.names import printable_name

HTML_NAME = re.compile(
    r"\.(?:x?html?|shtml)(?:[?@][^/]*)?(?:\.(?:gz|bz2|xz|zst))?$",
    re.IGNORECASE,
)
"""Names of pages, as mirrors write them too: `page.html?id=3`."""
MAYBE_NAME = re.compile(r"(?:(?:^|/)[^./]+|\.(?:php\d?|aspx?|jsp|cgi))(?:[?@][^/]*)?$", re.IGNORECASE)
"""Names that a mirror gives to pages and others: those count whose content begins like a page."""
ARCHIVE_NAME = re.compile(r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:(?><!--.*?-->|<\?xml.*?\?>)\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
"""A comment ends where it first can (`?>`), else a row of them would be divided in every way."""
HEAD_BYTES = 1 << 16
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class HtmlFiles(Source):
    """HTML pages on disk: files, folders with all pages below them, and .zip and .tar archives of pages.

    In folders and archives a page is what is called .html, .htm, .xhtml or .shtml, and what has no ending, or that of
    a script (.php, .aspx), and begins like a page; a file that `paths` names itself is read whatever its name. A
    page's address is what it says of itself (`<link rel=canonical>`, `og:url`), else where a browser or HTTrack saved
    it from, else `url_prefix` followed by its path; without these it has none. Its charset is the one that it
    declares, unless `encoding` says otherwise. Gate: `html.no_page` (no markup, or no text).
    """

    folders: ClassVar[bool] = True

    kind: Literal["html"] = "html"
    url_prefix: str | None = None
    encoding: str | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(32 << 20)

    @field_validator("encoding")
    @classmethod
    def _charset(cls, label: str | None) -> str | None:
        return check_encoding(label)

    @field_validator("url_prefix")
    @classmethod
    def _prefix(cls, prefix: str | None) -> str | None:
        if prefix is not None and not prefix.startswith(("http://", "https://")):
            raise ValueError(
                "begins with http:// or https://: a page's path below the folder is put behind it"
            )
        return prefix

    @classmethod
    def version(cls) -> int:
        return 3

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["fineweb", "language"]

    @classmethod
    def default_redact(cls) -> dict[str, RedactKind]:
        return dict(WEB_REDACT)

    def identity(self, file: File) -> str:
        """Return the identity of all files of a folder, or of one file."""
        return folders.identity(file.path) if is_folder(file.path) else super().identity(file)

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return folders.plan_ranges(path, split_size) if is_folder(path) else [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        if not is_folder(path):
            yield from self._read_file(path, file, self._path_below(file), end)
            return
        for name, size in folders.walk_range(path, start, end):
            inner, shown = join(path, name), printable_name(name)
            if (
                HTML_NAME.search(name)
                or ARCHIVE_NAME.search(name)
                or (MAYBE_NAME.search(name) and _begins_like_page(inner))
            ):
                yield from self._read_file(inner, f"{file}/{shown}", shown, size)

    def _path_below(self, file: str) -> str:
        """Return the path of a file below the fixed part of the pattern that names it."""
        fixed = (
            fixed_prefix(pattern.removeprefix("./")) for pattern in self.paths if not pattern.startswith("@")
        )
        within = [prefix for prefix in fixed if prefix and file.startswith(f"{prefix}/")]
        return file[len(max(within, key=len)) + 1 :] if within else file

    def _read_file(self, path: str, file: str, below: str, size: int) -> Iterator[Record | Failure]:
        try:
            with open_input(path) as stream:
                head = stream.read(4)
                stream.seek(0)
                is_archive = head.startswith(ZIP_MAGICS)
                if not is_archive:
                    with open_decompressed(path) as unpacked:
                        body = unpacked.read(self.max_bytes + 1)
                    is_archive = is_tar(body[:HEAD_BYTES])
                if is_archive:
                    yield from self._read_members(path, file)
                    return
        except DAMAGE as error:
            yield Failure(file=file, offset=0, length=size, step="read", error=f"damaged: {error}")
            return
        yield self._make_record(body, file, below, None, 0, size)

    def _read_members(self, path: str, file: str) -> Iterator[Record | Failure]:
        with open_input(path) as stream:
            for member in read_archive(stream, file, self.max_bytes):
                if isinstance(member, Failure):
                    yield member
                elif HTML_NAME.search(member.name) or (
                    MAYBE_NAME.search(member.name) and _has_page_start(member.data[:HEAD_BYTES])
                ):
                    yield self._make_record(
                        member.data, file, member.name, member.name, member.offset, member.length
                    )

    def _make_record(
        self, body: bytes, file: str, below: str, member: str | None, offset: int, length: int
    ) -> Record | Failure:
        """Return a page. `below` is its path below the folder or in the archive, `member` its name there."""
        if len(body) > self.max_bytes:
            return make_too_long_failure("page", len(body), self.max_bytes, file, offset, length)
        if not body:
            return Failure(file=file, offset=offset, length=length, step="read", error="the file is empty")
        record = Record(
            native_id=file if member is None else f"{file}\0{member}",
            file=file,
            offset=offset,
            length=length,
            media_type="text/html",
            charset=self.encoding,
            snapshot=self.snapshot,
            license=self.license,
            metadata={"member": member} if member is not None else {},
        )
        codec = codec_of(self.encoding)
        stated = codec if codec is not None and is_wide(codec) and not body.startswith(UTF16_MARKS) else None
        page = body.decode(stated, "replace") if stated is not None else body
        record.url = find_page_address(page, self.encoding, self._address_by_path(below))
        if b"<" not in body or (stated is None and _is_binary(body)):
            record.gate = "html.no_page"
        else:
            record.body = page
        return record

    def _address_by_path(self, below: str) -> str | None:
        if self.url_prefix is None:
            return None
        slash = "" if self.url_prefix.endswith("/") else "/"
        path = quote(below.encode("utf-8", "surrogateescape"), safe="/?&=@:,;+!$'()*~%")
        return f"{self.url_prefix}{slash}{path.lstrip('/')}"


def _begins_like_page(path: str) -> bool:
    try:
        with open_input(path) as stream:
            return _has_page_start(stream.read(HEAD_BYTES))
    except OSError:
        return True  # the reader says what is wrong


def _has_page_start(head: bytes) -> bool:
    if (codec := find_wide_codec(head)) is not None:
        head = head.decode(codec, "replace").lstrip("\ufeff").encode("utf-8", "replace")
    return HTML_START.match(head) is not None


def _is_binary(body: bytes) -> bool:
    """Return whether NULs, or other bytes that no charset has in texts, show that something else is called .html.

    Markup in UTF-16 or UTF-32 has NULs, too, and is none, with or without a mark."""
    if body.startswith(UTF16_MARKS):
        return False
    head = body[:HEAD_BYTES]
    if not has_controls(head):
        return False
    codec = find_wide_codec(head)
    return (
        codec is None or HTML_SNIFF.search(head.decode(codec, "replace").encode("utf-8", "replace")) is None
    )
