"""Read books: Project Gutenberg's plain text (alone or zipped) and EPUB, one document for each book or chapter."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal

import xxhash
from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.extract.books import epub, gutenberg
from corpus.extract.books.epub import (
    CHAPTER_MEDIA_TYPE,
    EpubBook,
    EpubError,
    EpubPackage,
    read_chapters,
    read_imprint,
)
from corpus.extract.books.gutenberg import find_book_number, find_declared_charset, split_book, split_chapters
from corpus.formats.archives import ZIP_DAMAGE, ZIP_MAGICS, ArchiveMember, read_archive
from corpus.formats.encodings import decode
from corpus.sources.source import Source
from corpus.sources.tables.lines import make_too_long_failure
from corpus.storage import DAMAGE, open_decompressed, open_input

TEXT_MEDIA_TYPE, EPUB_MEDIA_TYPE = "text/x-gutenberg", "application/epub+zip"
MAX_EPUB_BYTES = 256 << 20
"""Largest EPUB, pictures included: it is held in memory, a few MB of it text."""
MAX_EPUB_BYTES_WITH_PICTURES = 8 << 20
"""Size above which an EPUB is handed to extraction without its pictures, fonts and sounds."""
BOOK_NAME = re.compile(r"\.(?:txt|epub)$", re.IGNORECASE)
README_NAME = re.compile(r"(?:^|/)(?:readme|donate|license|gutindex)[^/]*$", re.IGNORECASE)


class Books(Source):
    """A file is a book: EPUB by its content, .zip as the books inside it, anything else plain text.

    `unit: chapter` makes one document of each chapter of a text and of each document of an EPUB's reading
    order; a text without chapter titles remains one document. `max_bytes` limits a text, and each chapter of an
    EPUB; an EPUB itself may have 256 MiB.

    Gates: `books.encrypted` (an EPUB whose text is under DRM), `books.pictures` (an EPUB of pictures without text)
    and `books.front_matter` (with `unit: chapter`: cover, title page, contents). Each book is its own group: a
    Project Gutenberg book by its number there, another by a hash of its file.
    """

    kind: Literal["books"] = "books"
    unit: Literal["book", "chapter"] = "book"
    encoding: str | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1024, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @classmethod
    def version(cls) -> int:
        return 5

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["text_only"]

    @classmethod
    def default_priority(cls) -> int:
        return 1

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "gutenberg": gutenberg.VERSION, "epub": epub.VERSION}

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        with open_input(path) as stream:
            head = stream.read(4)
            stream.seek(0)
            if head.startswith(ZIP_MAGICS) or (path.lower().endswith(".epub") and head):
                if self._is_epub(path, head, stream):
                    yield from self._epub(stream.read(MAX_EPUB_BYTES + 1), file, None, 0, end)
                    return
                stream.seek(0)
                for member in read_archive(stream, file, max(self.max_bytes, MAX_EPUB_BYTES)):
                    if isinstance(member, Failure):
                        yield member
                    elif BOOK_NAME.search(member.name) and not README_NAME.search(member.name):
                        yield from self._member(member, file)
                return
        try:
            with open_decompressed(path) as text:
                body = text.read(self.max_bytes + 1)
        except DAMAGE as error:
            yield Failure(file=file, offset=0, length=end, step="read", error=f"damaged: {error}")
            return
        if not body.strip():
            yield Failure(file=file, offset=0, length=end, step="read", error="the file is empty")
            return
        yield from self._text(body, file, None, 0, end)

    def _is_epub(self, path: str, head: bytes, stream: BinaryIO) -> bool:
        """Return whether a zip is one book: by its name, or by what it contains."""
        if path.lower().endswith(".epub") or not head.startswith(ZIP_MAGICS):
            return True
        try:
            names = set(zipfile.ZipFile(stream).namelist())
        except ZIP_DAMAGE:
            return False
        return "META-INF/container.xml" in names

    def _member(self, member: ArchiveMember, file: str) -> Iterator[Record | Failure]:
        if member.name.lower().endswith(".epub"):
            yield from self._epub(member.data, file, member.name, member.offset, member.length)
        else:
            yield from self._text(member.data, file, member.name, member.offset, member.length)

    def _text(
        self, body: bytes, file: str, member: str | None, offset: int, length: int
    ) -> Iterator[Record | Failure]:
        if len(body) > self.max_bytes:
            yield make_too_long_failure("book", max(length, len(body)), self.max_bytes, file, offset, length)
            return
        native = file if member is None else f"{file}\0{member}"
        place = {"member": member} if member is not None else {}
        number = find_book_number(body)
        group = f"gutenberg:{number}" if number else _group_by_content(body)
        charset = self.encoding or find_declared_charset(body)
        if self.unit == "chapter":
            book = split_book(decode(body, charset, html=False)[0])
            parts = split_chapters(book.body)
            if len(parts) > 1:
                for at, part in enumerate(parts):
                    yield Record(
                        native_id=f"{native}\0{at}",
                        file=file,
                        offset=offset,
                        length=length,
                        media_type=TEXT_MEDIA_TYPE,
                        body=part,
                        snapshot=self.snapshot,
                        license=self.license or book.license,
                        date=book.date,
                        group=group,
                        language=book.language,
                        metadata={**book.describe(), **place, "chapter": str(at)},
                    )
                return
        yield Record(
            native_id=native,
            file=file,
            offset=offset,
            length=length,
            media_type=TEXT_MEDIA_TYPE,
            body=body,
            charset=charset,
            snapshot=self.snapshot,
            license=self.license,
            group=group,
            metadata=place,
        )

    def _epub(
        self, data: bytes, file: str, member: str | None, offset: int, length: int
    ) -> Iterator[Record | Failure]:
        if not data:
            yield Failure(file=file, offset=offset, length=length, step="read", error="the file is empty")
            return
        if len(data) > MAX_EPUB_BYTES:
            yield make_too_long_failure("book", length, MAX_EPUB_BYTES, file, offset, length)
            return
        native = file if member is None else f"{file}\0{member}"
        record = Record(
            native_id=native,
            file=file,
            offset=offset,
            length=length,
            media_type=EPUB_MEDIA_TYPE,
            snapshot=self.snapshot,
            license=self.license,
            group=_group_by_content(data),
            metadata={"member": member} if member is not None else {},
        )
        try:
            book = EpubBook(data)
            if book.is_encrypted():
                record.gate = "books.encrypted"
                yield record
            elif not (package := book.read_package()).items:
                record.gate = "books.pictures"
                yield record
            elif self.unit == "chapter":
                yield from self._chapters(book, package, record)
            else:
                record.body = data if len(data) <= MAX_EPUB_BYTES_WITH_PICTURES else book.without_pictures()
                yield record
        except EpubError as error:
            yield Failure(file=file, offset=offset, length=length, step="read", error=str(error))

    def _chapters(self, book: EpubBook, package: EpubPackage, whole: Record) -> Iterator[Record | Failure]:
        read_imprint(book, package)
        for item, body in read_chapters(book, package):
            if isinstance(body, EpubError) or len(body) > self.max_bytes:
                error = str(body) if isinstance(body, EpubError) else f"{item.name!r} is over max_bytes"
                yield Failure(
                    file=whole.file, offset=whole.offset, length=whole.length, step="read", error=error
                )
                continue
            yield Record(
                native_id=f"{whole.native_id}\0{item.name}",
                file=whole.file,
                offset=whole.offset,
                length=whole.length,
                media_type=CHAPTER_MEDIA_TYPE,
                body=body if not item.is_front else b"",
                snapshot=self.snapshot,
                license=self.license or package.license,
                date=package.date,
                group=whole.group,
                language=package.language,
                metadata={**package.metadata, **whole.metadata, "chapter": item.name, "item": item.id},
                gate="books.front_matter" if item.is_front else None,
            )


def _group_by_content(body: bytes) -> str:
    """Return the group of a book without a number: a hash of its file, which stays the same wherever that lies."""
    return f"book:{xxhash.xxh3_128_hexdigest(body)}"
