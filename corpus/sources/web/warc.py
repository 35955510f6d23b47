"""Read web archives: WARC (.gz, .zst, .lz4 or plain) by FastWARC, ARC by `corpus.sources.web.arc`, WACZ as a zip of
either. Records whose heads FastWARC does not take are read by `corpus.sources.web.raw_records`.

A WARC .gz is a chain of gzip members, one a record, so a split starts at the first member at or after
its offset. Damage costs the damaged record only: reading continues at the next member that begins a
record, and each loss is a Failure with its offset.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, BinaryIO, Literal

from fastwarc import ArchiveIterator, WarcRecord
from pydantic import ByteSize, Field

from corpus.document import Failure, Record
from corpus.extract.opt_outs import find_header_opt_outs
from corpus.formats.archives import quote_name
from corpus.formats.http import Payload, ResponseHead, decode_body, media_type_of, read_head, read_opening
from corpus.private.options import WEB_REDACT, RedactKind
from corpus.sources.source import Source, ranges
from corpus.sources.web.arc import ArcLoss, is_arc, read_arc_records
from corpus.sources.web.members import (
    FASTWARC_ERRORS,
    MEMBER_DAMAGE,
    UnpackedStream,
    WebArchive,
    is_data,
)
from corpus.sources.web.raw_records import (
    FOLLOWING_BYTES,
    RawLoss,
    RawRecord,
    read_raw_records,
    read_record_head,
)
from corpus.sources.web.record_scan import CANDIDATE_HEAD_BYTES, GZIP_MEMBER_MAGIC, SCAN_BLOCK_BYTES
from corpus.sources.web.wacz import WACZ_LIST, archive_offsets, find_archives, is_zip
from corpus.storage import RemoteError, open_input, size

RECORD_TYPE = re.compile(r"[a-z0-9_.-]+")
"""A record type, known or not; records of unknown types are skipped."""
PAGE_TYPES = {"response", "resource", "conversion", "revisit"}
"""The types of records that may hold a page."""
HTTP_TYPE = re.compile(r"\s*[\"']?(?:application|message)/http\b", re.IGNORECASE)
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d+(?:/|$))")
"""The scheme of an address; not the host of `example.org:8080/`."""
WEB_SCHEMES = {"http", "https", "ftp", "ftps", "gopher", "gemini", "file"}


class MisreadHead(Exception):
    """FastWARC took a part of a record's block for its head."""


def _never() -> bool:
    return False


def _always() -> bool:
    return True


def _is_misread(archive: WebArchive, at: int) -> bool:
    return not archive.suits_fastwarc(at)


class Warc(Source):
    """Pages of a web archive: response, resource and conversion (WET) records.

    Gates: `warc.status` (not 2xx), `warc.media_type` (neither HTML nor text), `warc.revisit`,
    `warc.empty`, `warc.no_page` (stored by a tool beside the pages). A page over `max_bytes` becomes a Failure.
    """

    kind: Literal["warc"] = "warc"
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(32 << 20)

    @classmethod
    def version(cls) -> int:
        return 10

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["fineweb", "language"]

    @classmethod
    def default_redact(cls) -> dict[str, RedactKind]:
        return dict(WEB_REDACT)

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if size <= split_size:
            return [(0, size)]
        with open_input(path) as stream:
            if is_zip(stream.read(4)):
                return _zip_ranges(archive_offsets(stream), size, split_size)
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
            if is_zip(stream.read(4)):
                yield from self._read_zip(stream, file, start, end)
            else:
                yield from self._read_archive(stream, size(path), file, start, end)

    def _read_zip(self, stream: BinaryIO, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        """Yield the records of the archives whose entries begin in [start, end) of a zip.

        They are placed in the zip itself, so that each can be read from there; in the unpacked archive if the zip packs
        it.
        """
        for inner in find_archives(stream, file, start, end):
            if isinstance(inner, Failure):
                yield inner
                continue
            name, base = f"{file}\0{inner.name}", inner.begins or 0
            for outcome in self._read_archive(inner.open(stream), inner.length, name, 0, inner.length):
                outcome.file = file
                outcome.offset += base
                if isinstance(outcome, Record):
                    outcome.metadata["archive"] = inner.name
                else:
                    outcome.error += f" (in {quote_name(inner.name)})"
                yield outcome

    def _read_archive(
        self, stream: BinaryIO, length: int, file: str, start: int, end: int
    ) -> Iterator[Record | Failure]:
        """Yield the records that begin in [start, end) of one archive of `length` bytes."""
        stream.seek(0)
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
            yield from self._read_chain(archive, length, file, start, end)

    def _read_chain(
        self, archive: WebArchive, length: int, file: str, start: int, end: int
    ) -> Iterator[Record | Failure]:
        """Yield records that begin in [start, end), continuing at the next one after damage.

        A record is held until the next one begins, which is where it ends.
        """
        at: int | None = archive.find(start)
        if start == 0 and at != archive.begins:
            lost = (end if at is None else min(at, end)) - archive.begins
            message = _describe_other(archive) if at is None else "no record begins here"
            yield Failure(file=file, offset=archive.begins, length=lost, step="read", error=message)
        while at is not None and at < end:
            last, position = -1, at
            held: list[Record | Failure] = []
            error: str | None = None
            is_over = False
            if not archive.suits_fastwarc(at):
                yield from self._read_chain_by_hand(archive, file, at, end)
                return
            stream, base = archive.from_place(at)
            try:
                for record in _iterate(stream):
                    position = base + record.stream_pos
                    yield from _set_lengths(held, last, position)
                    held = []
                    if position >= end and _is_next(archive, position):
                        return
                    last = position
                    held = list(self._record(record, file, base, partial(_is_misread, archive, position)))
                    is_over = (
                        archive.is_packed and record.content_length > self.max_bytes + CANDIDATE_HEAD_BYTES
                    )
                    if is_over:
                        break  # its length may be a lie, and what it compresses a bomb: on to the next member
            except MisreadHead:
                at = position
                continue
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
        behind = archive.pass_dictionary(begins) if begins is not None and last >= 0 else None
        if behind is not None:
            yield from _set_lengths(held, last, begins or 0)
            held, last, begins, error = [], -1, behind, None
        following = archive.find(max(begins or 0, position + 1))
        stop = length if following is None else following
        is_sure = not archive.is_packed and begins is not None and archive.has_magic(begins)
        if last >= 0 and not is_sure and (mended := self._mend(archive, file, last, following)) is not None:
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
            for record in _iterate(io.BytesIO(content)):
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
                if archive.suits_fastwarc(at):
                    try:
                        for record in _iterate(stream):
                            yield from _set_lengths(held, last, base + record.stream_pos)
                            last = base + record.stream_pos
                            held = list(self._record(record, file, base, _always))
                        yield from _set_lengths(held, last, base + stream.tell())
                        return
                    except (MisreadHead, *FASTWARC_ERRORS):
                        if stream.is_damaged:
                            raise
                held = []
                stream = UnpackedStream(archive, at)
                yield from self._read_unpacked_by_hand(stream, file, base, last)
            except MEMBER_DAMAGE as error:
                yield from _set_lengths(held, last, base + stream.tell())
                following = archive.find(stream.at + 1)
                lost = f"{type(error).__name__}: {error} (in what is packed from byte {stream.at:,} of the file on)"
                yield self._make_failure(file, base + stream.tell(), lost)
            at, base = following, base + stream.tell()

    def _read_unpacked_by_hand(
        self, stream: UnpackedStream, file: str, base: int, begin: int
    ) -> Iterator[Record | Failure]:
        """Yield the records of unpacked content from `begin` on, whatever their heads; the stream begins at `base`."""
        left = begin - base
        while left and (piece := stream.read(min(left, SCAN_BLOCK_BYTES))):
            left -= len(piece)
        for raw in read_raw_records(lambda: stream.read(SCAN_BLOCK_BYTES) or b"", self._limit):
            yield from _set_lengths(list(self._convert_raw(raw, file, begin + raw.offset)), 0, raw.length)

    def _read_chain_by_hand(
        self, archive: WebArchive, file: str, start: int, end: int
    ) -> Iterator[Record | Failure]:
        """Yield the records that begin in [start, end), whatever their heads; `start` is where one begins."""
        if not archive.is_packed:
            for raw in read_raw_records(archive.read_content(start).read, self._limit):
                if start + raw.offset >= end:
                    return
                yield from _set_lengths(list(self._convert_raw(raw, file, start + raw.offset)), 0, raw.length)
            return
        at: int | None = start
        while at is not None and at < end:
            content = None
            held: list[Record | Failure] = []
            error, several = "", False
            try:
                content = archive.read_content(at)
                for raw in read_raw_records(content.read, self._limit, is_whole_member=True):
                    if raw.offset:
                        several = True
                        yield from held
                    held = _set_lengths(list(self._convert_raw(raw, file, at, raw.offset)), 0, raw.length)
            except RemoteError:
                yield from held
                raise
            except MEMBER_DAMAGE as failure:
                error = f"{type(failure).__name__}: {failure}"
            behind = content.end if content is not None else None
            if not error and behind is not None:
                yield from held if several else _set_lengths(held, at, behind)
                behind = archive.pass_dictionary(behind) or behind
                if not is_data(archive.stream, behind):
                    return
                following = archive.find(behind)
                error = "a record that is cut or damaged"
            else:
                yield from held if several else []
                behind, following = at, archive.find(at + 1)
            stop = following if following is not None else archive.stream.seek(0, io.SEEK_END)
            if stop > behind:
                yield self._make_failure(file, behind, error, stop - behind)
            at = following

    def _convert_raw(
        self, raw: RawRecord | RawLoss, file: str, offset: int, within: int = 0
    ) -> Iterator[Record | Failure]:
        """Yield what a record gives that was read by hand; `within` is its place in the member at `offset`."""
        if isinstance(raw, RawLoss):
            yield self._make_failure(file, offset, raw.error)
            return
        fields = {**raw.fields, "content-length": str(raw.size)}
        place = f"{file}\0{offset}\0{within}" if within else None
        yield from self._convert(fields, file, offset, raw.size, io.BytesIO(raw.block).read, place=place)

    @property
    def _limit(self) -> int:
        """Bytes of a block that are held."""
        return self.max_bytes + CANDIDATE_HEAD_BYTES

    def is_wanted(self, url: str | None) -> bool:
        """Return whether the source has records of this address; the body of any other is not read."""
        return True

    def _record(
        self, record: WarcRecord, file: str, base: int = 0, is_misread: Callable[[], bool] = _never
    ) -> Iterator[Record | Failure]:
        """Yield what a record of FastWARC's gives; its stream begins at byte `base` of `file`."""
        offset = base + record.stream_pos
        yield from self._convert(
            fields_of(record),
            file,
            offset,
            record.content_length,
            record.reader.read,
            is_misread,
            read_line=partial(record.reader.readline, False),
        )

    def _convert(
        self,
        fields: dict[str, str],
        file: str,
        offset: int,
        size: int,
        read: Callable[[int], bytes],
        is_misread: Callable[[], bool] = _never,
        place: str | None = None,
        read_line: Callable[[], bytes] | None = None,
    ) -> Iterator[Record | Failure]:
        """Yield what a record gives that has these fields and a block of `size` bytes. Its length is not known yet.

        Where it looks as if FastWARC took a part of the block for the head, `is_misread` is asked, and `MisreadHead`
        raised if it agrees. `place` names the record where it has no id and `offset` is that of others, too.
        """
        kind = fields.get("warc-type", "").strip().lower()
        is_type = kind in PAGE_TYPES or RECORD_TYPE.fullmatch(kind) is not None
        if not is_type or "content-length" not in fields or "\n" in "".join(fields.values()):
            if is_misread():
                raise MisreadHead
            yield self._make_failure(file, offset, "a header that is cut or damaged")
            return
        if kind not in PAGE_TYPES:
            return
        url = (fields.get("warc-target-uri") or "").strip().strip("<>") or None
        if not self.is_wanted(url):
            return
        result = Record(
            native_id=fields.get("warc-record-id") or place or f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=size,
            url=url,
            date=fields.get("warc-date"),
            snapshot=self.snapshot,
            license=self.license,
        )
        if kind == "revisit" or not is_web_address(url):
            result.gate = "warc.revisit" if kind == "revisit" else "warc.no_page"
            yield result
            return
        stated = fields.get("content-type", "")
        is_stated_http = HTTP_TYPE.match(stated) is not None
        is_http = is_stated_http or kind == "response"
        opening = read_opening(read_line) if is_http and read_line is not None else b""
        head = read_head(opening) if opening else ResponseHead(None, {}, 0)
        behind = size - len(opening)
        raw = read(behind if size <= self.max_bytes else CANDIDATE_HEAD_BYTES)
        if is_http and (
            not head.has_headers or head.status is None or head.end < len(opening) or not head.is_final
        ):
            raw, behind = opening + raw, size
            head = read_head(raw)
        else:
            head.end = 0
        if (head.status is None if is_http else b"\nWARC/" in raw) and is_misread():
            raise MisreadHead
        if is_http:
            identified = fields.get("warc-identified-payload-type", "")
            payload = head.payload("" if is_stated_http else stated, identified)
        else:
            payload = Payload(status=200, content_type=stated, declared_type=stated)
        if head.status is not None:
            result.metadata["status"] = str(payload.status)
            result.opt_out = find_header_opt_outs(head.headers)
        if not 200 <= payload.status < 300:
            result.gate = "warc.status"
            yield result
            return
        if behind - head.end > self.max_bytes:
            yield self._too_large(result, payload, raw[head.end :], behind - head.end)
            return
        if len(raw) < behind:
            raw += read(behind - len(raw))
        if len(raw) < behind:
            if is_misread():
                raise MisreadHead
            yield Failure(
                file=file,
                offset=offset,
                length=0,
                step="read",
                error=f"cut: {len(raw) + size - behind} of {size} bytes",
                url=url,
            )
            return
        body = raw[head.end :]
        error = None
        if is_first_segment(fields, size) and media_type_of(payload, body) is not None:
            identifier = fields.get("warc-record-id", "").strip()
            error = (
                "the first of several segments: write them as one record, the others have "
                f"WARC-Segment-Origin-ID {identifier}"
            )
        elif is_http and head.status is None and not payload.content_type and body.strip():
            error = None if media_type_of(payload, body) else "a response without an HTTP head, and no page"
        if error is not None:
            yield Failure(file=file, offset=offset, length=0, step="read", error=error, url=url)
            return
        yield from self._finish(result, payload, body)

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
            head = read_head(record.content)
            body = record.content[head.end :]
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
            payload = head.payload(record.media_type)
            if head.status is not None:
                result.metadata["status"] = str(payload.status)
                result.opt_out = find_header_opt_outs(head.headers)
            if not is_web_address(record.url):
                result.gate = "warc.no_page"
                yield result
                continue
            if not 200 <= payload.status < 300:
                result.gate = "warc.status"
                yield result
            elif len(body) > self.max_bytes or record.size - record.missing > len(record.content):
                yield self._too_large(result, payload, body, record.size)
            else:
                yield from self._finish(result, payload, body)


def is_whole(head: ResponseHead, body: bytes) -> bool:
    """Return whether a body is as long as its own headers say, whatever the archive says."""
    length = head.headers.get("content-length", "")
    return length.isdecimal() and int(length) <= len(body)


def is_web_address(url: str | None) -> bool:
    """Return whether an address is one of the web, or missing: not `urn:text:...`, `metadata:...`, `dns:...`."""
    scheme = SCHEME.match(url or "")
    return scheme is None or scheme[1].lower() in WEB_SCHEMES


def is_first_segment(fields: dict[str, str], size: int) -> bool:
    """Return whether a record goes on in others of type `continuation`."""
    if fields.get("warc-segment-number", "").strip().lstrip("0") != "1":
        return False
    return fields.get("warc-segment-total-length", "").strip() != str(size)


def fields_of(record: WarcRecord) -> dict[str, str]:
    """Return the fields of a record's head by lower-case name; the first of a name counts."""
    items = list(record.headers.items())
    fields = {name.lower(): value for name, value in items}
    if len(fields) < len(items):
        fields = {name.lower(): value for name, value in reversed(items)}
    return fields


def _iterate(stream: Any) -> ArchiveIterator:
    return ArchiveIterator(stream, strict_mode=False, parse_http=False, buffer_size=SCAN_BLOCK_BYTES)


def _describe_other(archive: WebArchive) -> str:
    """Say what a file is that holds no record."""
    archive.stream.seek(0)
    if WACZ_LIST.match(archive.stream.read(CANDIDATE_HEAD_BYTES)):
        return "a list of WACZ files, and no archive: name the files that it lists"
    return "not a WARC file"


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


def _zip_ranges(offsets: list[int], size: int, split_size: int) -> list[tuple[int, int]]:
    """Cut a zip into ranges at the entries that begin at the offsets."""
    cuts = [0]
    cuts += [at for before, at in pairwise(offsets) if at // split_size > before // split_size]
    return list(zip(cuts, [*cuts[1:], size], strict=True))


def _plain_ranges(stream: BinaryIO, size: int, split_size: int) -> list[tuple[int, int]]:
    """Cut a plain WARC into ranges at records, found by following the lengths in their headers.

    Reads a few KB a record. The chain of lengths is exact where a search for the header would also find
    a WARC inside a page; where it breaks, the rest is one range.
    """
    cuts, at = [0], 0
    while at < size:
        stream.seek(at)
        window = stream.read(CANDIDATE_HEAD_BYTES)
        ends = len(window[:FOLLOWING_BYTES]) - len(window[:FOLLOWING_BYTES].lstrip(b"\r\n"))
        head = read_record_head(window[ends:])
        if head is None:
            break
        at += ends
        if at - cuts[-1] >= split_size:
            cuts.append(at)
        at += head.end + (head.length or 0)
    return list(zip(cuts, [*cuts[1:], size], strict=True))
