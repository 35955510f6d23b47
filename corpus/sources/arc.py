"""ARC files, the format before WARC: plain, one gzip member a record, or one member around them all.

A record is a line `URL IP-address date type [more] length`, so many bytes, and a line end. Damage costs the
damaged record: reading goes on at the next gzip member, or line, that opens a record.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from corpus.sources.resync import GZIP, scan

BLOCK = 1 << 16
LINE = 8 << 10
"""The longest header line that is believed."""
HEADER = re.compile(rb"(\S.*?) ([0-9a-fA-F.:]+|-|unknown) (\d{12,18}) (\S*) (?:.* )?(-?\d+)\s*")
ERRORS = (zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class ArcRecord:
    """A record: where its gzip member or header line begins, what its line says, up to `limit` bytes of content.

    `within` is its place in the decompressed member, `missing` how many of its `length` bytes the file lacks.
    """

    offset: int
    within: int
    length: int
    missing: int
    url: str
    date: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ArcLoss:
    """Bytes of the file that hold no record that can be read; inside a gzip member the length is 0."""

    offset: int
    length: int
    error: str


def is_arc(opening: bytes) -> bool:
    return opening.startswith(b"filedesc:")


def arc_records(stream: BinaryIO, limit: int) -> Iterator[ArcRecord | ArcLoss]:
    """All records of a file but the one that describes it. Memory: `limit` bytes."""
    stream.seek(0)
    packed = stream.read(3) == GZIP
    stream.seek(0, 2)
    size = stream.tell()
    at: int | None = 0
    while at is not None and at < size:
        reader = _Reader(stream, at, packed)
        try:
            yield from _records(reader, limit)
            if not packed:
                return
            at = reader.member_end()
        except ERRORS as error:
            begins = reader.place()
            at = _next(stream, begins + 1)
            yield ArcLoss(begins, (size if at is None else at) - begins, str(error))


def _records(reader: _Reader, limit: int) -> Iterator[ArcRecord | ArcLoss]:
    """The records of one gzip member, or of a plain file."""
    lost_from: int | None = None
    padding = False
    while True:
        place, within = reader.place(), reader.given
        line = reader.line()
        if line.startswith(b"\0") and (rest := line.lstrip(b"\0")).strip():
            yield ArcLoss(place, len(line) - len(rest), "zeros")
            place += len(line) - len(rest) if reader.plain else 0
            line = rest
        match = HEADER.fullmatch(line.strip(b"\r\n"))
        if line and match is None:
            if lost_from is None and line.strip(b"\r\n "):
                lost_from, padding = place, True
            padding = padding and not line.strip(b"\r\n\0 ")
            continue
        if lost_from is not None and not (padding and not line):  # zeros at the end are no loss
            yield ArcLoss(lost_from, place - lost_from, "no ARC header here")
            lost_from = None
        if match is None:
            return
        length = int(match[5])
        if line.startswith(b"filedesc:"):
            if length >= 0:
                reader.skip(length)
            else:  # some say -1: then up to an empty line
                while reader.line().strip():
                    continue
            continue
        wanted = max(0, length)
        content = reader.read(min(wanted, limit))
        missing = wanted - len(content) - reader.skip(wanted - len(content))
        date = match[3].decode()[:14].ljust(14, "0")
        url = match[1].decode("utf-8", "replace")
        yield ArcRecord(place, within, wanted, missing, url, _iso(date), content)


def _iso(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:14]}Z"


class _Reader:
    """Bytes from a place of the file on; of a gzip member its content."""

    def __init__(self, stream: BinaryIO, at: int, packed: bool) -> None:
        self._stream, self._at = stream, at
        self._inflater = zlib.decompressobj(31) if packed else None
        self._fed = 0
        self.given = 0
        self._held = b""
        stream.seek(at)

    def place(self) -> int:
        """Where what comes next begins in the file: the member, or the byte."""
        return self._at if self._inflater is not None else self._at + self.given

    @property
    def plain(self) -> bool:
        return self._inflater is None

    def member_end(self) -> int:
        """Where the member ended, once all of it is read."""
        assert self._inflater is not None
        return self._at + self._fed - len(self._inflater.unused_data)

    def _more(self) -> bool:
        if self._inflater is None:
            block = self._stream.read(BLOCK)
        else:
            block = b""
            while not block and not self._inflater.eof:
                waiting = self._inflater.unconsumed_tail
                if not waiting:
                    waiting = self._stream.read(BLOCK)
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
        """Pass over so many bytes; how many there were."""
        passed = 0
        while passed < size and (piece := self.read(min(BLOCK, size - passed))):
            passed += len(piece)
        return passed

    def line(self) -> bytes:
        """Up to the next line end, or `LINE` bytes; empty at the end."""
        while b"\n" not in self._held and len(self._held) < LINE and self._more():
            continue
        end = self._held.find(b"\n")
        return self.read(min(LINE, len(self._held)) if end < 0 else end + 1)


def _next(stream: BinaryIO, at: int) -> int | None:
    """The next gzip member at or after `at` that opens a record."""
    return scan(stream, at, GZIP, _opens)


def _opens(member: bytes) -> bool:
    try:
        opening = zlib.decompressobj(31).decompress(member, 4096)
    except zlib.error:
        return False
    return HEADER.fullmatch(opening.partition(b"\n")[0].strip(b"\r")) is not None
