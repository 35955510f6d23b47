"""Tar archives as streams: every member with its place, also behind damage, and nothing unpacked.

Python's tarfile stops at the first bad header and cannot begin inside an archive; here a header that is
none costs the bytes up to the next one. Names are names only: nothing is ever written under them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 512
CHUNK = 1 << 20
MAX_NAME = 1 << 16
"""Bytes of a long name or of a member's extended header; what is longer is no name."""

ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file: its name, the offset of its header, its size, and its bytes where they were wanted."""

    name: str
    offset: int
    size: int
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Bytes of an archive that are no member."""

    offset: int
    length: int
    error: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header block, read: `kind` is the type flag, `size` the bytes that follow it."""

    name: str
    size: int
    kind: bytes


def read_header(block: bytes) -> Header | None:
    """A header block whose checksum holds; None for any other 512 bytes."""
    if len(block) < BLOCK or block == ZEROS:
        return None
    try:
        checksum = int(block[148:156].split(b"\0")[0].strip() or b"0", 8)
        size = _number(block[124:136])
    except ValueError:
        return None
    if checksum != sum(block) - sum(block[148:156]) + 8 * 32 or size < 0:
        return None
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return Header(_text(prefix + b"/" + name if prefix else name), size, block[156:157])


def is_tar(head: bytes) -> bool:
    """Whether bytes begin like a tar archive."""
    return read_header(head[:BLOCK]) is not None


def read_members(
    stream: BinaryIO, start: int, end: int, wanted: Callable[[str, int], bool]
) -> Iterator[Member | Loss]:
    """The regular files whose headers begin in [start, end) of a stream that stands at `start`, in order.

    `wanted(name, size)` says whose bytes to read; those of others are passed over. Nothing is held but the
    member at hand. What `stream.read` raises on damaged compressed data is raised.
    """
    at = start
    long_name: str | None = None
    lost: int | None = None
    while at < end:
        block = stream.read(BLOCK)
        if not block:
            break
        header = read_header(block)
        if header is None:
            if lost is None and block != ZEROS:
                lost = at
            at += len(block)
            continue
        if lost is not None:
            yield Loss(lost, at - lost, "no tar header where one should be")
            lost = None
        begins, at = at, at + BLOCK
        padded = -(-header.size // BLOCK) * BLOCK
        extends = header.kind in (b"L", b"K", b"x", b"X", b"g")
        is_file = header.kind in (b"0", b"\0", b"7") and not header.name.endswith("/")
        name = long_name or header.name
        take = (extends and header.size <= MAX_NAME) or (is_file and wanted(name, header.size))
        body, read = _read(stream, header.size, padded, take)
        at += read
        if read < header.size:
            yield Loss(begins, at - begins, f"{name}: cut, {read} of {header.size} bytes")
            return
        if header.kind == b"L":
            long_name = _text(body.split(b"\0")[0]) or None
        elif header.kind in (b"x", b"X"):
            long_name = _path_of(body) or long_name
        elif not extends:
            long_name = None
            if is_file:
                yield Member(name, begins, header.size, body if take else None)
    if lost is not None:
        yield Loss(lost, at - lost, "no tar header where one should be")


def cuts(stream: BinaryIO, size: int, distance: int) -> list[tuple[int, int]]:
    """[0, size) cut at members that stand at least `distance` apart.

    Hops from header to header, so that bytes inside a member that look like a header are none; where the
    chain breaks, the rest is one range. Reads 512 bytes a member.
    """
    found, at, extended = [0], 0, False
    while at < size:
        stream.seek(at)
        block = stream.read(BLOCK)
        header = read_header(block)
        if header is None:
            if block != ZEROS:
                break
            at += BLOCK
            continue
        if at - found[-1] >= distance and not extended:
            found.append(at)
        extended = header.kind in (b"L", b"K", b"x", b"X")
        at += BLOCK + -(-header.size // BLOCK) * BLOCK
    return list(zip(found, [*found[1:], size], strict=True))


def _read(stream: BinaryIO, size: int, padded: int, keep: bool) -> tuple[bytes, int]:
    """(the first `size` bytes if they are to be kept, how many of `padded` were there)."""
    pieces: list[bytes] = []
    read = 0
    while read < padded:
        piece = stream.read(min(CHUNK, padded - read))
        if not piece:
            break
        read += len(piece)
        if keep:
            pieces.append(piece)
    return b"".join(pieces)[:size], read


def _number(field: bytes) -> int:
    """A number of a header: octal, or base 256 where the first bit says so."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    return int(field.split(b"\0")[0].strip() or b"0", 8)


def _path_of(extended: bytes) -> str | None:
    """The path in an extended header of records `LENGTH key=value\\n`."""
    at = 0
    while (space := extended.find(b" ", at)) > 0 and extended[at:space].isdigit():
        end = at + int(extended[at:space])
        if end <= space:
            return None
        key, _, value = extended[space + 1 : end - 1].partition(b"=")
        if key == b"path":
            return _text(value)
        at = end
    return None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
