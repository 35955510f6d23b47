"""Find the web archives inside a WACZ, or another zip, without unpacking anything to disk.

A WACZ stores its archives as they are, so each is a range of bytes of the file. One that the zip packs is unpacked in
memory. See https://specs.webrecorder.net/wacz/latest/.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from corpus.document import Failure
from corpus.formats.archives import ZIP_MAGICS, list_zip, open_zip, read_zip_entry

WEB_ARCHIVE_NAME = re.compile(r"^(?!__MACOSX/).*\.w?arc(?:\.(?:gz|zst|lz4))?$", re.IGNORECASE)
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
    stream: BinaryIO, file: str, start: int = 0, end: int | None = None
) -> Iterator[InnerArchive | Failure]:
    """Yield the web archives of a zip whose entries begin in [start, end), in the order of their bytes.

    A zip without any is a failure, and so is one that is packed and larger than `MAX_PACKED_ARCHIVE_BYTES`; failures
    of the whole file come where `start` is 0. Memory: one unpacked archive.
    """
    archive = open_zip(stream, file)
    if isinstance(archive, Failure):
        if start == 0:
            archive.step = "read"
            yield archive
        return
    is_any = False
    for entry in list_zip(stream, archive, file):
        place = entry.offset
        is_archive = isinstance(entry, Failure) or WEB_ARCHIVE_NAME.search(entry.name) is not None
        is_any = is_any or is_archive
        if not is_archive or place < start or (end is not None and place >= end):
            continue
        if isinstance(entry, Failure):
            yield entry
        elif entry.stored_at is not None:
            yield InnerArchive(entry.name, place, entry.stored_at, entry.info.compress_size)
        else:
            member = read_zip_entry(archive, entry, file, MAX_PACKED_ARCHIVE_BYTES)
            if isinstance(member, Failure):
                yield _advise(member)
            else:
                yield InnerArchive(entry.name, place, None, len(member.data), member.data)
    if not is_any and start == 0:
        yield Failure(
            file=file,
            offset=0,
            length=0,
            step="archive",
            error="a zip without web archives: a WACZ has them in archive/",
        )


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
    return [one.offset for one in entries if isinstance(one, Failure) or WEB_ARCHIVE_NAME.search(one.name)]


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
