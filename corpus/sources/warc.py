"""Web archives: WARC (.gz, .zst, .lz4 or plain) read by FastWARC, ARC by warcio.

A WARC .gz is a chain of gzip members, one a record, so a split starts at the first member at or after
its offset. Damage costs the damaged record only: reading goes on at the next member that begins a
record, and each loss is a Failure with its offset.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO, Literal

from fastwarc import ArchiveIterator, WarcRecord
from pydantic import ByteSize, Field
from warcio.archiveiterator import ArchiveIterator as WarcioIterator
from warcio.exceptions import ArchiveLoadFailed

from corpus.document import Failure, Record
from corpus.sources.base import Source, ranges
from corpus.sources.http import Payload, body_of, media_type_of
from corpus.storage import open_input, size

GZIP = b"\x1f\x8b\x08"
BLOCK = 1 << 20
HEAD = 64 << 10
FindNext = Callable[[BinaryIO, int], int | None]
"""Finds the next beginning of a record at or after an offset; None where there is none."""
ERRORS = (OSError, EOFError, ValueError, RuntimeError)
"""What FastWARC raises on damaged input."""


class Warc(Source):
    """Pages of a web archive: response, resource and conversion (WET) records.

    Gates: `warc.status` (not 2xx), `warc.media_type` (neither HTML nor text), `warc.revisit`,
    `warc.empty`. A page over `max_bytes` is a failure.
    """

    kind: Literal["warc"] = "warc"
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(32 << 20)

    @classmethod
    def version(cls) -> int:
        return 3

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["fineweb", "language"]

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if size <= split_size:
            return [(0, size)]
        with open_input(path) as stream:
            head = stream.read(HEAD)
            if head.startswith(GZIP):
                return ranges(size, split_size) if _member_a_record(stream, 0) else [(0, size)]
            if head.startswith(b"WARC/"):
                return _plain_ranges(stream, size, split_size)
        return [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        with open_input(path) as stream:
            head = stream.read(HEAD)
            if not head:
                yield Failure(file=file, offset=0, length=0, step="read", error="the file is empty")
            elif head.startswith(GZIP):
                opening = zlib.decompressobj(31).decompress(head, 16) if _opens(head) else b""
                if opening.startswith(b"filedesc:"):
                    yield from self._read_arc(stream, file)
                else:
                    yield from self._read_chain(stream, path, file, start, end, _next_member)
            elif head.startswith(b"filedesc:"):
                yield from self._read_arc(stream, file)
            elif head.startswith((b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x5d\x2a\x4d\x18")):
                yield from self._read_chain(stream, path, file, start, end, _no_next)
            else:
                yield from self._read_chain(stream, path, file, start, end, _next_header)

    def _read_chain(
        self, stream: BinaryIO, path: str, file: str, start: int, end: int, find_next: FindNext
    ) -> Iterator[Record | Failure]:
        """Records that begin in [start, end), going on at the next beginning after damage."""
        length = size(path)
        whole = start == 0 and end >= length
        at: int | None = find_next(stream, start) if find_next is not _no_next else start
        if at is None or at > start:
            lost_to = end if at is None else min(at, end)
            if start == 0:
                message = "not a WARC file" if at is None else "no record begins here"
                yield Failure(file=file, offset=0, length=lost_to, step="read", error=message)
        pending: Failure | None = None
        while at is not None and at < end:
            last, position = -1, at
            stream.seek(at)
            error: str | None = None
            try:
                for record in ArchiveIterator(stream, strict_mode=False, buffer_size=BLOCK):
                    if pending is not None:
                        yield pending
                        pending = None
                    if record.stream_pos >= end and not whole:
                        return
                    last = position = record.stream_pos
                    yield from self._record(record, file)
            except ERRORS as failure:
                error = f"{type(failure).__name__}: {failure}"
            following = find_next(stream, position + 1)
            begins = _record_end(stream, last, length) if last >= 0 else position
            lost = (following if following is not None else length) - begins
            if error is None and lost > 0 and (following is not None or _is_data(stream, begins)):
                error = "a record that is cut or damaged"
            if error is not None:
                pending = Failure(file=file, offset=begins, length=max(0, lost), step="read", error=error)
                if last < 0:
                    yield pending
                    pending = None
            at = following
        if pending is not None:
            yield pending

    def is_wanted(self, url: str | None) -> bool:
        """Whether a record of this address is one of the source; the body of any other is not read."""
        return True

    def _record(self, record: WarcRecord, file: str, base: int = 0) -> Iterator[Record | Failure]:
        """What a record gives; its stream begins at byte `base` of `file`."""
        kind = str(record.record_type).rpartition(".")[2]
        offset = base + record.stream_pos
        headers = record.headers
        if headers.get("Content-Length") is None:
            yield Failure(
                file=file, offset=offset, length=0, step="read", error="a header that is cut or damaged"
            )
            return
        if kind not in ("response", "resource", "conversion", "revisit"):
            return
        url = (headers.get("WARC-Target-URI") or "").strip().strip("<>") or None
        if not self.is_wanted(url):
            return
        result = Record(
            native_id=headers.get("WARC-Record-ID") or f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=record.content_length,
            url=url,
            date=headers.get("WARC-Date"),
            snapshot=self.snapshot,
            license=self.license,
        )
        if kind == "revisit":
            result.gate = "warc.revisit"
            yield result
            return
        http = record.http_headers if record.is_http_parsed else None
        if kind == "response" and http is not None:
            payload = Payload(
                status=status_of(http.status_line),
                content_type=record.headers.get("WARC-Identified-Payload-Type")
                or http.get("Content-Type")
                or "",
                declared_type=http.get("Content-Type") or "",
                transfer_encoding=http.get("Transfer-Encoding") or "",
                content_encoding=http.get("Content-Encoding") or "",
            )
        else:
            declared = headers.get("Content-Type") or ""
            payload = Payload(status=200, content_type=declared, declared_type=declared)
        if http is not None:
            result.metadata["status"] = str(payload.status)
        if not 200 <= payload.status < 300:
            result.gate = "warc.status"
            yield result
            return
        if record.content_length > self.max_bytes:
            yield self._too_large(result, payload, record.reader.read(4096), record.content_length)
            return
        raw = record.reader.read()
        if len(raw) < record.content_length:
            message = f"cut: {len(raw)} of {record.content_length} bytes"
            yield Failure(file=file, offset=offset, length=len(raw), step="read", error=message)
            return
        yield from self._finish(result, payload, raw)

    def _finish(self, result: Record, payload: Payload, raw: bytes) -> Iterator[Record | Failure]:
        """The record with its decoded body, or the gate or failure that its payload meets."""
        media_type = media_type_of(payload, raw)
        if media_type is None:
            result.gate = "warc.media_type"
            result.metadata["media_type"] = payload.content_type.partition(";")[0].strip().lower()[:100]
        else:
            body = body_of(payload, raw, self.max_bytes)
            if isinstance(body, str):
                yield Failure(
                    file=result.file, offset=result.offset, length=result.length, step="http", error=body
                )
                return
            if body is None:
                yield self._too_large(result, payload, raw)
                return
            if not body.strip():
                result.gate = "warc.empty"
            else:
                result.body, result.media_type, result.charset = body, media_type, payload.charset
        yield result

    def _too_large(
        self, result: Record, payload: Payload, head: bytes, size: int | None = None
    ) -> Record | Failure:
        """A body over `max_bytes`: a page is a failure, anything else is behind the gate of its media type."""
        if media_type_of(payload, head) is None:
            result.gate = "warc.media_type"
            result.metadata["media_type"] = payload.content_type.partition(";")[0].strip().lower()[:100]
            return result
        told = f"{size:,} bytes" if size is not None else "a body"
        return Failure(
            file=result.file,
            offset=result.offset,
            length=result.length,
            step="read",
            error=f"{told}, over max_bytes of the source, {self.max_bytes:,}",
            reason="bytes",
            bytes=size,
            url=result.url,
        )

    def _read_arc(self, stream: BinaryIO, file: str) -> Iterator[Record | Failure]:
        """An ARC file, whole, by warcio."""
        stream.seek(0)
        offset = 0
        try:
            records = WarcioIterator(stream, arc2warc=True)
            for record in records:
                if record.rec_type != "response":
                    continue
                raw = _read_up_to(record.raw_stream, self.max_bytes + 1)
                offset = records.get_record_offset()  # skips the rest of the record
                http = record.http_headers
                headers = record.rec_headers
                if not self.is_wanted(headers.get_header("WARC-Target-URI")):
                    continue
                result = Record(
                    native_id=f"{file}\0{offset}",
                    file=file,
                    offset=offset,
                    length=int(headers.get_header("Content-Length") or 0),
                    url=headers.get_header("WARC-Target-URI"),
                    date=headers.get_header("WARC-Date"),
                    snapshot=self.snapshot,
                    license=self.license,
                )
                declared = (http.get_header("Content-Type") if http else None) or ""
                payload = Payload(
                    status=status_of(f"HTTP/1.1 {http.statusline}") if http else 0,
                    content_type=declared,
                    declared_type=declared,
                    transfer_encoding=(http.get_header("Transfer-Encoding") if http else None) or "",
                    content_encoding=(http.get_header("Content-Encoding") if http else None) or "",
                )
                result.metadata["status"] = str(payload.status)
                if not 200 <= payload.status < 300:
                    result.gate = "warc.status"
                    yield result
                    continue
                if len(raw) > self.max_bytes:
                    yield self._too_large(result, payload, raw)
                else:
                    yield from self._finish(result, payload, raw)
        except (ArchiveLoadFailed, *ERRORS) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            message = f"ARC: {lines[0] if lines else type(error).__name__}"
            yield Failure(file=file, offset=offset, length=0, step="read", error=message)


def _read_up_to(stream: Any, limit: int) -> bytes:
    """At most `limit` bytes of a stream whose reads may give less than was asked."""
    pieces: list[bytes] = []
    while limit > 0 and (piece := stream.read(min(limit, BLOCK))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def status_of(line: str | None) -> int:
    """The status code of an HTTP status line, 0 where there is none."""
    pieces = (line or "").split()
    return int(pieces[1]) if len(pieces) > 1 and pieces[1].isdecimal() and len(pieces[1]) == 3 else 0


def _opens(member: bytes) -> bool:
    """Whether bytes that look like a gzip header really decompress."""
    try:
        zlib.decompressobj(31).decompress(member, 16)
    except zlib.error:
        return False
    return True


def _next_member(stream: BinaryIO, at: int) -> int | None:
    """The first gzip member at or after `at` whose content begins with a WARC record."""
    return _scan(stream, at, GZIP, _begins_record)


def _begins_record(window: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(window, 8).startswith(b"WARC/")
    except zlib.error:
        return False


def _next_header(stream: BinaryIO, at: int) -> int | None:
    """The first line at or after `at` that opens a record with a type and a length."""

    def opens(window: bytes) -> bool:
        head = window.partition(b"\r\n\r\n")[0].lower()
        return b"\nwarc-type:" in head and b"\ncontent-length:" in head

    return _scan(stream, at, b"WARC/1.", opens)


def _no_next(stream: BinaryIO, at: int) -> int | None:
    """For formats in which a record cannot be found from the middle."""
    return None


def _scan(stream: BinaryIO, at: int, magic: bytes, accept: Callable[[bytes], bool]) -> int | None:
    """Offset of the first `magic` at or after `at` where `accept` takes the (up to 64 KB of) bytes from there."""
    stream.seek(at)
    base, window = at, stream.read(BLOCK)
    while window:
        more = stream.read(BLOCK)
        last = len(window) - HEAD if more else len(window)
        found = window.find(magic)
        while 0 <= found < last:
            if accept(window[found : found + HEAD]):
                return base + found
            found = window.find(magic, found + 1)
        keep = max(0, last)
        base, window = base + keep, window[keep:] + more if more else b""
    return None


def _record_end(stream: BinaryIO, at: int, length: int) -> int:
    """Where the record at `at` ends in the file of `length` bytes: its gzip member, or its header's length.

    A record that is itself cut or damaged ends with the file. Other compressions: with the file.
    """
    stream.seek(at)
    head = stream.read(HEAD)
    if head.startswith(GZIP):
        inflater, fed = zlib.decompressobj(31), 0
        try:
            while head and not inflater.eof:
                inflater.decompress(head)
                fed += len(head)
                head = stream.read(HEAD)
        except zlib.error:
            return length
        return at + fed - len(inflater.unused_data) if inflater.eof else length
    top, found, _ = head.partition(b"\r\n\r\n")
    return (
        min(length, at + len(top) + 8 + _content_length(top))
        if found and top.startswith(b"WARC/")
        else length
    )


def _is_data(stream: BinaryIO, at: int) -> bool:
    """Whether anything but zeros and line ends follows."""
    stream.seek(at)
    return bool(stream.read(HEAD).strip(b"\x00\r\n"))


def _member_a_record(stream: BinaryIO, at: int) -> bool:
    """Whether the gzip member at `at` holds one record, so that records can be found by members."""
    stream.seek(at)
    inflater = zlib.decompressobj(31)
    head = b""
    expected: int | None = None
    produced = 0
    while not inflater.eof:
        block = stream.read(HEAD)
        if not block:
            return False
        try:
            text = inflater.decompress(block)
        except zlib.error:
            return True
        produced += len(text)
        if expected is None:
            head += text
            top, found, _ = head.partition(b"\r\n\r\n")
            if found:
                expected = len(top) + 8 + _content_length(top)
        if expected is not None and produced > expected + HEAD:
            return False
    return expected is not None and produced <= expected + 2


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            value = line.partition(b":")[2].strip()
            return int(value) if value.isdigit() else 0
    return 0


def _plain_ranges(stream: BinaryIO, size: int, split_size: int) -> list[tuple[int, int]]:
    """Ranges of a plain WARC, cut at records found by hopping from header to header.

    Reads a few KB a record. The chain of lengths is exact where a search for the header would also find
    a WARC inside a page; where it breaks, the rest is one range.
    """
    cuts, at = [0], 0
    while at < size:
        stream.seek(at)
        head, found, _ = stream.read(HEAD).partition(b"\r\n\r\n")
        if not found or not head.startswith(b"WARC/"):
            break
        if at - cuts[-1] >= split_size:
            cuts.append(at)
        at += len(head) + 8 + _content_length(head)
    return list(zip(cuts, [*cuts[1:], size], strict=True))
