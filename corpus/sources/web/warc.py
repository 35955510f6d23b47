"""Read web archives: WARC (.gz, .zst, .lz4 or plain) by FastWARC, ARC by `corpus.sources.web.arc`.

A WARC .gz is a chain of gzip members, one a record, so a split starts at the first member at or after
its offset. Damage costs the damaged record only: reading continues at the next member that begins a
record, and each loss is a Failure with its offset.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Generator, Iterator
from typing import Annotated, BinaryIO, Literal

from fastwarc import ArchiveIterator, WarcRecord
from pydantic import ByteSize, Field

from corpus.document import Failure, Record
from corpus.formats.http import Payload, decode_body, media_type_of
from corpus.sources.source import Source, ranges
from corpus.sources.web.arc import ArcLoss, is_arc, read_arc_records
from corpus.sources.web.members import (
    FASTWARC_ERRORS,
    HEADER_END,
    MEMBER_DAMAGE,
    UnpackedStream,
    WebArchive,
    content_length,
    is_data,
)
from corpus.sources.web.record_scan import CANDIDATE_HEAD_BYTES, GZIP_MEMBER_MAGIC, SCAN_BLOCK_BYTES
from corpus.storage import RemoteError, open_input, size

RECORD_TYPE = re.compile(r"\s*[A-Za-z0-9_.-]+\s*")
"""A record type, known or not; records of unknown types are skipped."""
HEADERS_END = re.compile(rb"\r?\n\r?\n")


class Warc(Source):
    """Pages of a web archive: response, resource and conversion (WET) records.

    Gates: `warc.status` (not 2xx), `warc.media_type` (neither HTML nor text), `warc.revisit`,
    `warc.empty`. A page over `max_bytes` becomes a Failure.
    """

    kind: Literal["warc"] = "warc"
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(32 << 20)

    @classmethod
    def version(cls) -> int:
        return 5

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["fineweb", "language"]

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if size <= split_size:
            return [(0, size)]
        with open_input(path) as stream:
            archive = WebArchive(stream)
            stream.seek(0)
            if not is_arc(_unpack_opening(stream.read(CANDIDATE_HEAD_BYTES))):
                if archive.magic == GZIP_MEMBER_MAGIC and archive.holds_one_record(0):
                    return ranges(size, split_size)
                if not archive.is_packed and archive.opens(0):
                    return _plain_ranges(stream, size, split_size)
        return [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        with open_input(path) as stream:
            head = stream.read(CANDIDATE_HEAD_BYTES)
            archive = WebArchive(stream)
            if not head:
                yield Failure(file=file, offset=0, length=0, step="read", error="the file is empty")
            elif is_arc(_unpack_opening(head)):
                yield from self._read_arc(stream, file)
            elif (
                start == 0
                and archive.is_packed
                and archive.opens(archive.begins)
                and not archive.holds_one_record(archive.begins)
            ):
                yield from self._read_unpacked(archive, file)
            else:
                yield from self._read_chain(archive, size(path), file, start, end)

    def _read_chain(
        self, archive: WebArchive, length: int, file: str, start: int, end: int
    ) -> Iterator[Record | Failure]:
        """Yield records that begin in [start, end), continuing at the next one after damage.

        A record is held until the next one begins, which is where it ends.
        """
        at: int | None = archive.find(start)
        if start == 0 and at != archive.begins:
            lost = (end if at is None else min(at, end)) - archive.begins
            message = "not a WARC file" if at is None else "no record begins here"
            yield Failure(file=file, offset=archive.begins, length=lost, step="read", error=message)
        while at is not None and at < end:
            last, position = -1, at
            held: list[Record | Failure] = []
            error: str | None = None
            is_over = False
            stream, base = archive.from_place(at)
            try:
                for record in ArchiveIterator(stream, strict_mode=False, buffer_size=SCAN_BLOCK_BYTES):
                    position = base + record.stream_pos
                    yield from _set_lengths(held, last, position)
                    held = []
                    if position >= end and _is_next(archive, position):
                        return
                    last = position
                    held = list(self._record(record, file, base))
                    is_over = archive.is_packed and record.content_length > self.max_bytes
                    if is_over:
                        break  # its length may be a lie, and what it compresses a bomb: on to the next member
            except RemoteError:
                yield from _set_lengths(held, last, archive.stream.tell())
                raise
            except FASTWARC_ERRORS as failure:
                error = f"{type(failure).__name__}: {failure}"
            at = yield from self._recover(archive, length, file, held, last, position, error, is_over)

    def _recover(
        self,
        archive: WebArchive,
        length: int,
        file: str,
        held: list[Record | Failure],
        last: int,
        position: int,
        error: str | None,
        is_over: bool,
    ) -> Generator[Record | Failure, None, int | None]:
        """Yield the held record and what was lost behind it; return where to continue.

        `last` is where the last record began, -1 where none did; `is_over`: it was abandoned because of its length.
        """
        begins = archive.record_end(last) if last >= 0 else position
        if error is None and begins == length and not any(isinstance(outcome, Failure) for outcome in held):
            yield from _set_lengths(held, last, length)
            return None
        if last >= 0 and begins is not None and not archive.is_packed and not archive.ends_record(begins):
            begins = None
        following = archive.find(max(begins or 0, position + 1))
        stop = length if following is None else following
        if last >= 0 and (mended := self._mend(archive, file, last, following)) is not None:
            held = mended
            begins, error = stop if begins is None else begins, None
        elif begins is None or (last >= 0 and not held and begins == stop):  # it is itself damaged
            if not is_over and (not held or (isinstance(held[0], Record) and held[0].gate is None)):
                held = [self._make_failure(file, last, error or "a record that is cut or damaged")]
            elif archive.is_packed and not is_over and following is None and isinstance(held[0], Record):
                # what its gate looked at is there
                held = [*held, self._make_failure(file, last, "the file ends inside this record")]
            begins = stop
        yield from _set_lengths(held, last, begins)
        if stop > begins and (error is not None or following is not None or is_data(archive.stream, begins)):
            yield self._make_failure(file, begins, error or "a record that is cut or damaged", stop - begins)
        return following

    def _mend(
        self, archive: WebArchive, file: str, at: int, following: int | None
    ) -> list[Record | Failure] | None:
        """Read the record at `at` with its true length; None where that does not make it a record."""
        content = archive.mend_record(at, following, self.max_bytes + CANDIDATE_HEAD_BYTES)
        if content is None:
            return None
        outcomes: list[Record | Failure] | None = None
        try:
            for record in ArchiveIterator(io.BytesIO(content), strict_mode=False):
                outcomes = [*(outcomes or []), *self._record(record, file, at)]
        except FASTWARC_ERRORS:
            return None
        return outcomes

    def _make_failure(self, file: str, offset: int, error: str, length: int = 0) -> Failure:
        return Failure(file=file, offset=offset, length=length, step="read", error=error)

    def _read_unpacked(self, archive: WebArchive, file: str) -> Iterator[Record | Failure]:
        """Yield the records of a file with several in a member, placed in the unpacked content of all members."""
        at: int | None = archive.begins
        base = 0
        while at is not None:
            stream = UnpackedStream(archive, at)
            held: list[Record | Failure] = []
            last, following = base, None
            try:
                for record in ArchiveIterator(stream, strict_mode=False, buffer_size=SCAN_BLOCK_BYTES):
                    yield from _set_lengths(held, last, base + record.stream_pos)
                    last = base + record.stream_pos
                    held = list(self._record(record, file, base))
                yield from _set_lengths(held, last, base + stream.tell())
            except MEMBER_DAMAGE as error:
                yield from _set_lengths(held, last, base + stream.tell())
                following = archive.find(stream.at + 1)
                lost = f"{type(error).__name__}: {error} (in what is packed from byte {stream.at:,} of the file on)"
                yield self._make_failure(file, base + stream.tell(), lost)
            at, base = following, base + stream.tell()

    def is_wanted(self, url: str | None) -> bool:
        """Return whether the source has records of this address; the body of any other is not read."""
        return True

    def _record(self, record: WarcRecord, file: str, base: int = 0) -> Iterator[Record | Failure]:
        """Yield what a record gives; its stream begins at byte `base` of `file`. Its length there is not known yet."""
        kind = str(record.record_type).rpartition(".")[2]
        offset = base + record.stream_pos
        headers = record.headers
        if headers.get("Content-Length") is None or not RECORD_TYPE.fullmatch(headers.get("WARC-Type") or ""):
            yield self._make_failure(file, offset, "a header that is cut or damaged")
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
            yield Failure(file=file, offset=offset, length=0, step="read", error=message, url=url)
            return
        yield from self._finish(result, payload, raw)

    def _finish(self, result: Record, payload: Payload, raw: bytes) -> Iterator[Record | Failure]:
        """Yield the record with its decoded body, or with the gate or failure of its payload."""
        media_type = media_type_of(payload, raw)
        if media_type is None:
            result.gate = "warc.media_type"
            result.metadata["media_type"] = payload.content_type.partition(";")[0].strip().lower()[:100]
        else:
            body = decode_body(payload, raw, self.max_bytes)
            if isinstance(body, str):
                yield Failure(
                    file=result.file,
                    offset=result.offset,
                    length=result.length,
                    step="http",
                    error=body,
                    url=result.url,
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
        """Handle a body over `max_bytes`: a page is a failure, anything else stops at the gate of its media type."""
        if media_type_of(payload, head) is None:
            result.gate = "warc.media_type"
            result.metadata["media_type"] = payload.content_type.partition(";")[0].strip().lower()[:100]
            return result
        amount = f"{size:,} bytes" if size is not None else "a body"
        return Failure(
            file=result.file,
            offset=result.offset,
            length=result.length,
            step="read",
            error=f"{amount}, over max_bytes of the source, {self.max_bytes:,}",
            reason="bytes",
            bytes=size,
            url=result.url,
        )

    def _read_arc(self, stream: BinaryIO, file: str) -> Iterator[Record | Failure]:
        """Read a whole ARC file."""
        for record in read_arc_records(stream, self.max_bytes + CANDIDATE_HEAD_BYTES):
            if isinstance(record, ArcLoss):
                yield self._make_failure(file, record.offset, f"ARC: {record.error}", record.length)
                continue
            if not self.is_wanted(record.url):
                continue
            head, body = parse_http(record.content)
            if record.missing and not is_whole(head, body):
                message = f"cut: {record.size - record.missing} of {record.size} bytes"
                yield self._make_failure(file, record.offset, message, record.length)
                continue
            result = Record(
                native_id=f"{file}\0{record.member}" + (f"\0{record.within}" if record.within else ""),
                file=file,
                offset=record.offset,
                length=record.length,
                url=record.url,
                date=record.date,
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
            elif len(body) > self.max_bytes or record.size - record.missing > len(record.content):
                yield self._too_large(result, payload, body, record.size)
            else:
                yield from self._finish(result, payload, body)


def is_whole(headers: dict[str, str], body: bytes) -> bool:
    """Return whether a body is as long as its own headers say, whatever the archive says."""
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= len(body)


def parse_http(content: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers of an HTTP response by lower-case name, and its body. The status line has the empty name."""
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
    """Return the status code of an HTTP status line, 0 where there is none."""
    pieces = (line or "").split()
    return int(pieces[1]) if len(pieces) > 1 and pieces[1].isdecimal() and len(pieces[1]) == 3 else 0


def _unpack_opening(head: bytes) -> bytes:
    """Return the first bytes of a file's content, unpacked, from its own first bytes."""
    if not head.startswith(GZIP_MEMBER_MAGIC):
        return head
    try:
        return zlib.decompressobj(31).decompress(head, 16)
    except zlib.error:
        return b""


def _set_lengths(outcomes: list[Record | Failure], begins: int, ends: int) -> list[Record | Failure]:
    """Set the length of a record's outcomes, now that its end is known."""
    for outcome in outcomes:
        outcome.length = max(0, ends - begins)
    return outcomes


def _is_next(archive: WebArchive, at: int) -> bool:
    """Return whether a record begins at `at`; the stream's position is kept. FastWARC stops inside unknown members."""
    position = archive.stream.tell()
    is_record = archive.opens(at)
    archive.stream.seek(position)
    return is_record


def _plain_ranges(stream: BinaryIO, size: int, split_size: int) -> list[tuple[int, int]]:
    """Cut a plain WARC into ranges at records, found by following the lengths in their headers.

    Reads a few KB a record. The chain of lengths is exact where a search for the header would also find
    a WARC inside a page; where it breaks, the rest is one range.
    """
    cuts, at = [0], 0
    while at < size:
        stream.seek(at)
        head, header_end, _ = stream.read(CANDIDATE_HEAD_BYTES).partition(HEADER_END)
        if not header_end or not head.startswith(b"WARC/"):
            break
        if at - cuts[-1] >= split_size:
            cuts.append(at)
        at += len(head) + 2 * len(HEADER_END) + (content_length(head) or 0)
    return list(zip(cuts, [*cuts[1:], size], strict=True))
