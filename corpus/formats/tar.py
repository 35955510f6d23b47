"""Read tar archives as streams: every member with its offset, also behind damage, and nothing unpacked.

Python's tarfile stops at the first bad header and cannot begin inside an archive; here an invalid header
costs the bytes up to the next valid one. Names are only names: nothing is ever written under them.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

TAR_BLOCK_BYTES = 512
TAR_READ_BYTES = 1 << 20
MAX_NAME_BYTES = 1 << 16
"""Bytes of a long name or of a member's extended header; what is longer is no name."""

PAX_TYPES = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
EXTENDED_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, *PAX_TYPES)
"""Headers about the member that follows, or about all."""
ZERO_BLOCK = bytes(TAR_BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class TarMember:
    """Hold a regular file: its name, the offset of its header, its size, and its bytes if they were wanted."""

    name: str
    offset: int
    size: int
    body: bytes | None = None

    @property
    def length(self) -> int:
        """Bytes that it takes in the archive, including header and padding."""
        return stored_size(self.size)


@dataclass(frozen=True, slots=True)
class TarLoss:
    """Hold a range of bytes of an archive that are not a member."""

    offset: int
    length: int
    error: str


def read_header(block: bytes) -> tarfile.TarInfo | None:
    """Return a header block whose checksum holds; None for any other 512 bytes."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return None
    return header if header.size >= 0 else None


def read_extended_header(kind: bytes, data: bytes) -> tuple[str | None, int | None]:
    """Return the name and the size that a GNU long name or a pax header gives to the next member."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return data.split(b"\0")[0].decode("utf-8", "surrogateescape") or None, None
    name: str | None = None
    size: int | None = None
    at = 0
    while at < len(data) and kind in PAX_TYPES:
        length, space, _ = data[at : at + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 1:
            break
        key, _, value = data[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        at += int(length)
    return name, size


def stored_size(size: int) -> int:
    """Return the bytes that a member of this size takes: header, content, and zeros up to a whole block."""
    return TAR_BLOCK_BYTES + size + -size % TAR_BLOCK_BYTES


def is_tar(head: bytes) -> bool:
    """Return whether bytes begin like a tar archive."""
    return read_header(head[:TAR_BLOCK_BYTES]) is not None


def read_members(
    stream: BinaryIO, start: int, end: int, wanted: Callable[[str, int], bool]
) -> Iterator[TarMember | TarLoss]:
    """Yield the regular files whose headers begin in [start, end) of a stream that is positioned at `start`, in order.

    `wanted(name, size)` decides whose bytes to read; those of others are skipped. Only the current member is held in
    memory. What `stream.read` raises on damaged compressed data is raised.
    """
    at = start
    long_name: str | None = None
    next_size: int | None = None
    lost: int | None = None
    while at < end:
        block = stream.read(TAR_BLOCK_BYTES)
        if not block:
            break
        header = read_header(block)
        if header is None:
            if lost is None and block != ZERO_BLOCK:
                lost = at
            at += len(block)
            continue
        if lost is not None:
            yield TarLoss(lost, at - lost, "no tar header where one should be")
            lost = None
        begins, at = at, at + TAR_BLOCK_BYTES
        extends = header.type in EXTENDED_TYPES
        size = header.size if extends or next_size is None else next_size
        is_file = header.isreg() and not header.name.endswith("/")
        name = _make_printable(long_name or header.name)
        take = (extends and size <= MAX_NAME_BYTES) or (is_file and wanted(name, size))
        body, read = _read_padded(stream, size, stored_size(size) - TAR_BLOCK_BYTES, take)
        at += read
        if read < size:
            yield TarLoss(begins, at - begins, f"{name}: cut, {read} of {size} bytes")
            return
        if extends:
            named, sized = read_extended_header(header.type, body)
            long_name, next_size = named or long_name, next_size if sized is None else sized
        else:
            long_name = next_size = None
            if is_file:
                yield TarMember(name, begins, size, body if take else None)
    if lost is not None:
        yield TarLoss(lost, at - lost, "no tar header where one should be")


def cut_at_members(stream: BinaryIO, size: int, distance: int) -> list[tuple[int, int]]:
    """Divide [0, size) into ranges that begin at members at least `distance` bytes apart.

    Follows the chain of headers, so that bytes inside a member that look like a header are not taken for one; where the
    chain breaks, the rest is one range. Reads 512 bytes a member.
    """
    starts, at, is_extended = [0], 0, False
    while at < size:
        stream.seek(at)
        block = stream.read(TAR_BLOCK_BYTES)
        header = read_header(block)
        if header is None:
            if block != ZERO_BLOCK:
                break
            at += TAR_BLOCK_BYTES
            continue
        if at - starts[-1] >= distance and not is_extended:
            starts.append(at)
        is_extended = header.type in EXTENDED_TYPES and header.type != tarfile.XGLTYPE
        at += stored_size(header.size)
    return list(zip(starts, [*starts[1:], size], strict=True))


def _read_padded(stream: BinaryIO, size: int, padded: int, keep: bool) -> tuple[bytes, int]:
    """Return (the first `size` bytes if they are to be kept, how many of `padded` were there)."""
    pieces: list[bytes] = []
    read = 0
    while read < padded:
        piece = stream.read(min(TAR_READ_BYTES, padded - read))
        if not piece:
            break
        read += len(piece)
        if keep:
            pieces.append(piece)
    return b"".join(pieces)[:size], read


def _make_printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
