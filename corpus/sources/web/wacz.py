"""Find the web archives inside a WACZ, or another zip, without unpacking anything to disk.

A WACZ stores its archives as they are, so each is a range of bytes of the file. One that the zip packs is unpacked in
memory. A WACZ may hold others. See https://specs.webrecorder.net/wacz/latest/ and
https://specs.webrecorder.net/multi-wacz/latest/.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from corpus.document import Failure
from corpus.formats.archives import ZIP_MAGICS, ZipEntry, list_zip, open_zip, quote_name, read_zip_entry

WEB_ARCHIVE_NAME = re.compile(r"^(?!__MACOSX/).*\.w?arc(?:\.(?:gz|zst|lz4))?(?:\.open)?$", re.IGNORECASE)
BARE_ARCHIVE_NAME = re.compile(r"^(?:[^/.]+/)?archive/[^/.]+(?:\.(?:gz|zst))?$")
"""Archives that do not say so, in the folder that a WACZ has for them."""
INNER_WACZ_NAME = re.compile(r"^(?!__MACOSX/)(?!(?:.*/)?\._).*\.wacz$", re.IGNORECASE)
MAX_WACZ_DEPTH = 3
"""How many WACZ may be inside of each other."""
WACZ_LIST = re.compile(rb"\s*\{.*\.wacz\b", re.DOTALL)
"""A datapackage.json that names several WACZ by their addresses."""
MAX_PACKED_ARCHIVE_BYTES = 256 << 20
"""Bytes of an archive that is unpacked in memory. The specification has archives stored, not packed."""


@dataclass(frozen=True, slots=True)
class InnerArchive:
    """A web archive in a zip. `begins` is where its bytes lie in the file, None where `content` was unpacked."""

    name: str
    offset: int
    begins: int | None
    length: int
    content: bytes = b""

    def open(self, stream: BinaryIO) -> BinaryIO:
        """Return its bytes as a stream; `stream` is that of the zip."""
        if self.begins is None:
            return io.BytesIO(self.content)
        return cast(BinaryIO, StreamRange(stream, self.begins, self.length))


def is_zip(head: bytes) -> bool:
    return head.startswith(ZIP_MAGICS)


def find_archives(
    stream: BinaryIO, file: str, start: int = 0, end: int | None = None, depth: int = 1
) -> Iterator[InnerArchive | Failure]:
    """Yield the web archives of a zip whose entries begin in [start, end), in the order of their bytes.

    A zip without any is a failure, and so is one that is packed and larger than `MAX_PACKED_ARCHIVE_BYTES`; failures
    of the whole file come where `start` is 0. Archives of a WACZ inside, `depth` of them, come in its place. Memory:
    one unpacked archive, or WACZ.
    """
    archive = open_zip(stream, file)
    if isinstance(archive, Failure):
        if start == 0:
            archive.step = "read"
            yield archive
        return
    is_any = False
    for entry in list_zip(stream, archive, file):
        if not _holds_archives(entry):
            continue
        is_any = True
        if entry.offset < start or (end is not None and entry.offset >= end):
            continue
        if isinstance(entry, Failure):
            yield entry
            continue
        inner = _open_entry(archive, entry, file)
        if isinstance(inner, InnerArchive) and INNER_WACZ_NAME.search(inner.name):
            yield from _find_in_wacz(stream, inner, file, depth)
        else:
            yield inner
    if not is_any and start == 0:
        yield Failure(
            file=file,
            offset=0,
            length=0,
            step="archive",
            error="a zip without web archives: a WACZ has them in archive/",
        )


def _holds_archives(entry: ZipEntry | Failure) -> bool:
    """Return whether an entry is an archive or a WACZ, or cannot be read."""
    names = (WEB_ARCHIVE_NAME, BARE_ARCHIVE_NAME, INNER_WACZ_NAME)
    return isinstance(entry, Failure) or any(name.search(entry.name) for name in names)


def _open_entry(archive: zipfile.ZipFile, entry: ZipEntry, file: str) -> InnerArchive | Failure:
    if entry.stored_at is not None:
        return InnerArchive(entry.name, entry.offset, entry.stored_at, entry.info.compress_size)
    member = read_zip_entry(archive, entry, file, MAX_PACKED_ARCHIVE_BYTES)
    if isinstance(member, Failure):
        return _advise(member)
    return InnerArchive(entry.name, entry.offset, None, len(member.data), member.data)


def _find_in_wacz(
    stream: BinaryIO, outer: InnerArchive, file: str, depth: int
) -> Iterator[InnerArchive | Failure]:
    """Yield the archives of a WACZ inside a zip, with their places in the zip unless it packs the WACZ."""
    if depth == MAX_WACZ_DEPTH:
        error = f"{quote_name(outer.name)}: more than {MAX_WACZ_DEPTH} WACZ are inside of each other"
        yield Failure(file=file, offset=outer.offset, length=outer.length, step="archive", error=error)
        return
    content = outer.open(stream)
    for inner in find_archives(content, file, depth=depth + 1):
        if isinstance(inner, Failure):
            inner.offset = outer.offset if outer.begins is None else outer.begins + inner.offset
            inner.error += f" (in {quote_name(outer.name)})"
            yield inner
            continue
        name = f"{outer.name}/{inner.name}"
        if inner.begins is None or outer.begins is None:
            packed = inner.content or inner.open(content).read()
            yield InnerArchive(name, outer.offset, None, inner.length, packed)
        else:
            yield InnerArchive(name, outer.offset, outer.begins + inner.begins, inner.length)


def _advise(failure: Failure) -> Failure:
    failure.error += (
        ". Archives in a zip should be stored, not packed: zip -0, or unzip it and name the archives"
    )
    return failure


def archive_offsets(stream: BinaryIO) -> list[int]:
    """Return where the entries of a zip's web archives begin; empty where it cannot be read."""
    archive = open_zip(stream, "")
    if isinstance(archive, Failure):
        return []
    entries = list_zip(stream, archive, "")
    return [entry.offset for entry in entries if _holds_archives(entry)]


class StreamRange(io.RawIOBase):
    """A range of bytes of a seekable stream, as a stream of its own."""

    def __init__(self, stream: BinaryIO, begin: int, length: int) -> None:
        super().__init__()
        self._stream, self._begin, self._length = stream, begin, length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._at)
        self._stream.seek(self._begin + self._at)
        piece = self._stream.read(left if size is None or size < 0 else min(size, left))
        self._at += len(piece)
        return piece
