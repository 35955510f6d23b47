"""Web archives: WARC (.gz, .zst, .lz4 or plain) read by FastWARC, ARC by `corpus.sources.arc`.

A WARC .gz is a chain of gzip members, one a record, so a split starts at the first member at or after
its offset. Damage costs the damaged record only: reading goes on at the next member that begins a
record, and each loss is a Failure with its offset.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO, Literal

import zstandard
from fastwarc import ArchiveIterator, WarcRecord
from fastwarc.stream_io import Lz4Reader
from pydantic import ByteSize, Field

from corpus.document import Failure, Record
from corpus.sources.arc import ArcLoss, arc_records, is_arc
from corpus.sources.base import Source, ranges
from corpus.sources.http import ZSTD_WINDOW, Payload, body_of, media_type_of
from corpus.sources.resync import BLOCK, GZIP, HEAD, scan
from corpus.storage import open_input, size

ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x5d\x2a\x4d\x18"
"""The frame that a .warc.zst may begin with, for a dictionary."""
LZ4 = b"\x04\x22\x4d\x18"
HEADERS_END = re.compile(rb"\r?\n\r?\n")
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
        return 4

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
                if is_arc(opening):
                    yield from self._read_arc(stream, file)
                else:
                    yield from self._read_chain(stream, path, file, start, end, _next_member)
            elif is_arc(head):
                yield from self._read_arc(stream, file)
            elif head.startswith((ZSTD, SKIPPABLE)):
                yield from self._read_chain(stream, path, file, start, end, _next_zstd)
            elif head.startswith(LZ4):
                yield from self._read_chain(stream, path, file, start, end, _next_lz4)
            else:
                yield from self._read_chain(stream, path, file, start, end, _next_header)

    def _read_chain(
        self, stream: BinaryIO, path: str, file: str, start: int, end: int, find_next: FindNext
    ) -> Iterator[Record | Failure]:
        """Records that begin in [start, end), going on at the next beginning after damage."""
        length = size(path)
        whole = start == 0 and end >= length
        at: int | None = find_next(stream, start)
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
                if begins == length and following is not None:
                    begins = _frame_end(stream, last, following)
                    lost = following - begins
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
        """An ARC file, whole."""
        for found in arc_records(stream, self.max_bytes + HEAD):
            if isinstance(found, ArcLoss):
                yield Failure(
                    file=file,
                    offset=found.offset,
                    length=found.length,
                    step="read",
                    error=f"ARC: {found.error}",
                )
                continue
            if not self.is_wanted(found.url):
                continue
            head, body = parse_http(found.content)
            if found.missing and not is_whole(head, body):
                message = f"cut: {found.length - found.missing} of {found.length} bytes"
                yield Failure(file=file, offset=found.offset, length=found.length, step="read", error=message)
                continue
            result = Record(
                native_id=f"{file}\0{found.offset}" + (f"\0{found.within}" if found.within else ""),
                file=file,
                offset=found.offset,
                length=found.length,
                url=found.url,
                date=found.date,
                snapshot=self.snapshot,
                license=self.license,
            )
            declared = head.get("content-type", "")
            payload = Payload(
                status=status_of(head.get("")),
                content_type=declared,
                declared_type=declared,
                transfer_encoding=head.get("transfer-encoding", ""),
                content_encoding=head.get("content-encoding", ""),
            )
            result.metadata["status"] = str(payload.status)
            if not 200 <= payload.status < 300:
                result.gate = "warc.status"
                yield result
            elif len(body) > self.max_bytes or found.length - found.missing > len(found.content):
                yield self._too_large(result, payload, body, found.length)
            else:
                yield from self._finish(result, payload, body)


def is_whole(headers: dict[str, str], body: bytes) -> bool:
    """Whether a body is as long as its own headers say, whatever the archive says."""
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= len(body)


def parse_http(content: bytes) -> tuple[dict[str, str], bytes]:
    """The headers of an HTTP response by lower-case name, its status line under the empty one, and its body."""
    if not content.startswith(b"HTTP/"):
        return {}, content
    end = HEADERS_END.search(content)
    top, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    first, *lines = top.decode("utf-8", "replace").splitlines()
    headers = {"": first}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers, body


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
    return scan(stream, at, GZIP, _begins_record)


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

    return scan(stream, at, b"WARC/1.", opens)


def _next_zstd(stream: BinaryIO, at: int) -> int | None:
    """The first zstd frame at or after `at` whose content begins with a WARC record."""

    def opens(window: bytes) -> bool:
        decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        try:
            with decoder.stream_reader(io.BytesIO(window)) as reader:
                return reader.read(5) == b"WARC/"
        except zstandard.ZstdError:
            return False

    return scan(stream, at, ZSTD, opens)


def _next_lz4(stream: BinaryIO, at: int) -> int | None:
    """The first lz4 frame at or after `at` whose content begins with a WARC record."""

    def opens(window: bytes) -> bool:
        try:
            return bool(Lz4Reader(io.BytesIO(window)).read(5) == b"WARC/")
        except ERRORS:
            return False

    return scan(stream, at, LZ4, opens)


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


def _frame_end(stream: BinaryIO, at: int, following: int) -> int:
    """Where the zstd frame at `at` ends; `at` itself for what else has no end of its own before `following`."""
    stream.seek(at)
    decoder, fed = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj(), 0
    try:
        while not decoder.eof and fed < following - at:
            piece = stream.read(1 << 10)
            decoder.decompress(piece)
            fed += len(piece)
    except zstandard.ZstdError:
        return at
    return min(following, at + fed - len(decoder.unused_data)) if decoder.eof else at


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
