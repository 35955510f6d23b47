"""Read ARC files, the format before WARC: plain, one gzip member a record, or one member around all records.

A record is a line `URL IP-address date type [more] length`, so many bytes, and a line end. Damage costs the
damaged record: reading continues at the next gzip member, or line, that begins a record.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from corpus.sources.web.record_scan import GZIP_MEMBER_MAGIC, find_record

ARC_BLOCK_BYTES = 1 << 16
MAX_HEADER_LINE_BYTES = 8 << 10
"""Longest header line that is accepted."""
HEADER_LINE = re.compile(rb"(\S.*?) ([0-9a-fA-F.:]+|-|unknown) (\d{12,18}) (\S*) (?:.* )?(-?\d+)\s*")
ARC_ERRORS = (zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class ArcRecord:
    """A record: the fields of its header line, and up to `limit` bytes of content, which is `size` bytes long.

    `offset` and `length` are those of its gzip member; of its line and content in a plain file, and, in the unpacked
    content of the file, where a member holds several. `member` is where its member, or itself, begins in the
    file, `within` its place in the content of that, `missing` how many of its `size` bytes the file lacks.
    """

    offset: int
    length: int
    member: int
    within: int
    size: int
    missing: int
    url: str
    date: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ArcLoss:
    """Bytes of the file that hold no record that can be read; `within` is their place in their gzip member."""

    offset: int
    length: int
    error: str
    within: int = 0


def is_arc(opening: bytes) -> bool:
    return opening.startswith(b"filedesc:")


def read_arc_records(stream: BinaryIO, limit: int) -> Iterator[ArcRecord | ArcLoss]:
    """Yield all records of a file but the one that describes it. Memory: twice `limit` bytes."""
    stream.seek(0)
    packed = stream.read(3) == GZIP_MEMBER_MAGIC
    stream.seek(0, 2)
    size = stream.tell()
    at: int | None = 0
    unpacked = 0
    while at is not None and at < size:
        reader = _Reader(stream, at, packed)
        if not packed:
            yield from _read_records(reader, limit)
            return
        held: ArcRecord | ArcLoss | None = None
        several = False
        error: str | None = None
        try:
            for record in _read_records(reader, limit):
                several = several or held is not None
                if held is not None:
                    yield replace(held, offset=unpacked + held.within)
                held = record
            ends = reader.member_end()
            following: int | None = ends
        except ARC_ERRORS as failure:
            error, following = str(failure), _find_next_member(stream, at + 1)
            ends = size if following is None else following
            if not several and isinstance(failure, zlib.error):
                held = None  # no checksum holds for it
        if held is not None and several:
            yield replace(held, offset=unpacked + held.within)
        elif held is not None:
            yield replace(held, offset=at, length=ends - at)
        if error is not None:
            yield ArcLoss(at, ends - at, error)
        at, unpacked = following, unpacked + reader.given


def _read_records(reader: _Reader, limit: int) -> Iterator[ArcRecord | ArcLoss]:
    """Yield the records of one gzip member, or of a plain file, placed where they are in it."""
    lost_from: int | None = None
    padding = False
    while True:
        within = reader.given
        line = reader.line()
        if line.startswith(b"\0") and (rest := line.lstrip(b"\0")).strip():
            zeros = len(line) - len(rest)
            yield ArcLoss(within, zeros, "zeros", within)
            line, within = rest, within + zeros
        match = HEADER_LINE.fullmatch(line.strip(b"\r\n"))
        if line and match is None:
            if lost_from is None and line.strip(b"\r\n "):
                lost_from, padding = within, True
            padding = padding and not line.strip(b"\r\n\0 ")
            continue
        if lost_from is not None and not (padding and not line):  # zeros at the end are no loss
            yield ArcLoss(lost_from, within - lost_from, "no ARC header here", lost_from)
            lost_from = None
        if match is None:
            return
        size = int(match[5])
        if line.startswith(b"filedesc:"):
            if size >= 0:
                reader.skip(size)
            else:  # some say -1: then up to an empty line
                while reader.line().strip():
                    continue
            continue
        size = max(0, size)
        content = reader.read(min(size, limit))
        missing = size - len(content) - reader.skip(size - len(content))
        yield ArcRecord(
            offset=within,
            length=reader.given - within,
            member=within if reader.is_plain else reader.at,
            within=within,
            size=size,
            missing=missing,
            url=match[1].decode("utf-8", "replace"),
            date=_to_iso_date(match[3].decode()[:14].ljust(14, "0")),
            media_type=match[4].decode("utf-8", "replace"),
            content=content,
        )


def _to_iso_date(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:14]}Z"


class _Reader:
    """The bytes of a file from a place on; of a gzip member its content."""

    def __init__(self, stream: BinaryIO, at: int, packed: bool) -> None:
        self._stream, self.at = stream, at
        self._inflater = zlib.decompressobj(31) if packed else None
        self._fed = 0
        self.given = 0
        self._held = b""
        stream.seek(at)

    @property
    def is_plain(self) -> bool:
        return self._inflater is None

    def member_end(self) -> int:
        """Return where the member ended, once all of it is read."""
        assert self._inflater is not None
        return self.at + self._fed - len(self._inflater.unused_data)

    def _more(self) -> bool:
        if self._inflater is None:
            block = self._stream.read(ARC_BLOCK_BYTES)
        else:
            block = b""
            while not block and not self._inflater.eof:
                waiting = self._inflater.unconsumed_tail
                if not waiting:
                    waiting = self._stream.read(ARC_BLOCK_BYTES)
                    self._fed += len(waiting)
                    if not waiting:
                        raise EOFError("cut inside a gzip member")
                block = self._inflater.decompress(waiting, 1 << 20)
        self._held += block
        return bool(block)

    def read(self, size: int) -> bytes:
        while len(self._held) < size and self._more():
            continue
        piece, self._held = self._held[:size], self._held[size:]
        self.given += len(piece)
        return piece

    def skip(self, size: int) -> int:
        """Skip so many bytes; return how many there were."""
        passed = 0
        while passed < size and (piece := self.read(min(ARC_BLOCK_BYTES, size - passed))):
            passed += len(piece)
        return passed

    def line(self) -> bytes:
        """Read up to the next line end, or `MAX_HEADER_LINE_BYTES` bytes; empty at the end."""
        while b"\n" not in self._held and len(self._held) < MAX_HEADER_LINE_BYTES and self._more():
            continue
        end = self._held.find(b"\n")
        return self.read(min(MAX_HEADER_LINE_BYTES, len(self._held)) if end < 0 else end + 1)


def _find_next_member(stream: BinaryIO, at: int) -> int | None:
    """Return the next gzip member at or after `at` that begins a record."""
    return find_record(stream, at, GZIP_MEMBER_MAGIC, _opens_record)


def _opens_record(member: bytes) -> bool:
    try:
        opening = zlib.decompressobj(31).decompress(member, 4096)
    except zlib.error:
        return False
    return HEADER_LINE.fullmatch(opening.partition(b"\n")[0].strip(b"\r")) is not None
