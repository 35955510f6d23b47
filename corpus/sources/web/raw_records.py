"""Read WARC records whose heads FastWARC does not take: lines that end in LF, drafts before WARC 0.17.

FastWARC ends a head at the first CRLF CRLF, so a head with other line ends swallows the page behind it. Here any line
end will do, and a length that is a lie costs no other record: what follows a record must be another one, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from corpus.sources.web.record_scan import CANDIDATE_HEAD_BYTES, SCAN_BLOCK_BYTES

RECORD_OPENING = re.compile(rb"WARC/\d{1,2}\.\d{1,3}[ \t]*(?:\r*\n|[ \t]+\d+[ \t])")
"""The first line of a head; that of a draft goes on with the length of its record."""
FASTWARC_OPENING = re.compile(rb"WARC/(?:1\.[01]|0\.1[78])\r\n")
HEAD_END = re.compile(rb"\n\r{0,2}\n")
DRAFT_LINE = re.compile(
    r"WARC/0\.\d+\s+(?P<length>\d+)\s+(?P<type>\S+)\s+(?P<uri>\S+)\s+(?P<date>\d{14}|\S*T\S*)\s+(?P<id>\S+)\s+(?P<kind>.+)"
)
"""The first line of WARC 0.9 and its like: all that later versions have in fields."""
NEXT_RECORD = re.compile(rb"\n(?=WARC/\d)")
ANY_RECORD = re.compile(rb"(?=WARC/\d)")
"""The next record behind a block, and the next one behind damage."""
FOLLOWING_BYTES = 64
"""Bytes behind a record that are looked at: line ends, and how the next one begins."""


@dataclass(frozen=True, slots=True)
class RecordHead:
    """Hold the head of a record: its fields by lower-case name, and where its block begins.

    `length` is what it says of its block, None where it says nothing valid. `whole` is the length with the head, as
    drafts give it.
    """

    fields: dict[str, str]
    end: int
    length: int | None
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record: its fields, and up to `limit` bytes of its block, which is `size` bytes long.

    `offset` and `length` count bytes of the content that was read; `missing` is how many bytes of the block are not
    there.
    """

    offset: int
    length: int
    fields: dict[str, str]
    block: bytes
    size: int
    missing: int = 0


@dataclass(frozen=True, slots=True)
class RawLoss:
    """Bytes that hold no record that can be read."""

    offset: int
    length: int
    error: str


def split_fields(lines: str) -> dict[str, str]:
    """Return the fields of a head by lower-case name; the first of a name counts, folded lines are joined."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines.splitlines():
        if line[:1] in (" ", "\t"):
            if last:
                fields[last] = f"{fields[last]} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        last = ""
        if colon and (name := name.strip().lower()) not in fields:
            fields[name], last = value.strip(), name
    return fields


def read_record_head(window: bytes) -> RecordHead | None:
    """Read the head that some bytes begin with; None where they begin with none, or do not hold all of it."""
    if RECORD_OPENING.match(window) is None:
        return None
    ending = HEAD_END.search(window)
    if ending is None:
        return None
    first, _, rest = window[: ending.start()].decode("utf-8", "replace").partition("\n")
    fields = split_fields(rest)
    draft = DRAFT_LINE.fullmatch(first.strip())
    if draft is not None:
        date = draft["date"]
        fields |= {
            "warc-type": draft["type"],
            "warc-target-uri": draft["uri"],
            "warc-record-id": draft["id"],
            "content-type": draft["kind"],
            "warc-date": date
            if not date.isdecimal()
            else f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:]}Z",
        }
        whole = int(draft["length"])
        return RecordHead(fields, ending.end(), max(0, whole - ending.end()), whole)
    if "warc-type" not in fields:
        return None
    length = fields.get("content-length", "")
    valid = length.isdecimal() and length.isascii() and len(length) < 19
    return RecordHead(fields, ending.end(), int(length) if valid else None)


OTHER_CASE = re.compile(rb"\n(?!WARC-Type|Content-Length)(?i:warc-type|content-length)[ \t]*:")
"""Names that FastWARC knows in one spelling alone, though those of headers have no case."""


def suits_fastwarc(window: bytes) -> bool:
    """Return whether FastWARC reads the head that some bytes begin with: one of CRLF lines, of a version it knows.

    A head that is not whole there is left to FastWARC.
    """
    if FASTWARC_OPENING.match(window) is None:
        return RECORD_OPENING.match(window) is None
    ending = HEAD_END.search(window)
    if ending is None:
        return True
    if window.count(b"\n", 0, ending.end()) != window.count(b"\r\n", 0, ending.end()):
        return False
    return OTHER_CASE.search(window, 0, ending.end()) is None


def read_raw_records(
    read: Callable[[], bytes], limit: int, is_whole_member: bool = False
) -> Iterator[RawRecord | RawLoss]:
    """Yield the records of some content, of which `read` returns the next piece, empty at its end.

    With `is_whole_member` the content is that of one member of a packed archive, whose end is that of its last record,
    whatever the head says. Memory: three times `limit` bytes. Raises what `read` raises.
    """
    reader = _ContentReader(read)
    while True:
        reader.skip_line_ends()
        at = reader.given
        window = reader.peek(CANDIDATE_HEAD_BYTES)
        if not window:
            return
        head = read_record_head(window)
        if head is None:
            reader.read(1)
            reader.find_record()
            if window.strip(b"\0\r\n"):
                yield RawLoss(at, reader.given - at, "a header that is cut or damaged")
            continue
        record = _read_block(reader, head, at, limit, is_whole_member)
        reader.skip_line_ends()
        yield record if isinstance(record, RawLoss) else _set_length(record, reader.given)


def _set_length(record: RawRecord, end: int) -> RawRecord:
    return RawRecord(
        record.offset, end - record.offset, record.fields, record.block, record.size, record.missing
    )


def _read_block(
    reader: _ContentReader, head: RecordHead, at: int, limit: int, is_whole_member: bool
) -> RawRecord | RawLoss:
    """Read the block behind a head. Its length is checked by what follows it, and found where it is a lie."""
    reader.read(head.end)
    size = head.length
    if size is not None:
        block = reader.read(min(size, limit))
        passed = len(block) + reader.skip(size - len(block))
        if passed == size and reader.ends_record():
            return RawRecord(at, 0, head.fields, block, size)
        if head.whole is not None and passed == size:  # some drafts count the block alone
            more = reader.peek(head.end + FOLLOWING_BYTES)
            if len(more) >= head.end and _follows_record(more[head.end :]):
                block += reader.read(head.end)
                return RawRecord(at, 0, head.fields, block[:limit], len(block))
        if passed > limit:
            reader.find_record()
            return RawLoss(at, reader.given - at, "a record whose length is wrong")
        reader.unread(block)
    block, is_next = reader.read_to_record(limit)
    if len(block) >= limit:
        reader.find_record()
        return RawLoss(at, reader.given - at, "a record whose length is wrong")
    missing = 0
    if not is_next and not is_whole_member and size is not None:
        missing = max(0, size - len(block))
    for _ in range(0 if missing else 2):
        block = block.removesuffix(b"\n").removesuffix(b"\r")
    return RawRecord(at, 0, head.fields, block, len(block) + missing, missing)


def _follows_record(content: bytes) -> bool:
    """Return whether what follows a record is another one, or nothing."""
    behind = content.lstrip(b"\r\n\0")
    return not behind or RECORD_OPENING.match(behind) is not None or b"WARC/".startswith(behind)


class _ContentReader:
    """Content that comes in pieces; `given` counts the bytes that were read."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._held = b""
        self.given = 0

    def _fill(self, size: int) -> None:
        pieces, held = [self._held], len(self._held)
        while held < size and (piece := self._read()):
            pieces.append(piece)
            held += len(piece)
        self._held = b"".join(pieces) if len(pieces) > 1 else self._held

    def peek(self, size: int) -> bytes:
        self._fill(size)
        return self._held[:size]

    def read(self, size: int) -> bytes:
        self._fill(size)
        piece, self._held = self._held[:size], self._held[size:]
        self.given += len(piece)
        return piece

    def unread(self, piece: bytes) -> None:
        self._held = piece + self._held
        self.given -= len(piece)

    def skip(self, size: int) -> int:
        """Skip so many bytes; return how many there were."""
        passed = 0
        while passed < size and (piece := self.read(min(SCAN_BLOCK_BYTES, size - passed))):
            passed += len(piece)
        return passed

    def skip_line_ends(self) -> None:
        """Skip line ends, and the zeros that some writers fill files with."""
        while window := self.peek(FOLLOWING_BYTES):
            ends = len(window) - len(window.lstrip(b"\r\n\0"))
            self.read(ends)
            if ends < len(window):
                return

    def ends_record(self) -> bool:
        """Return whether a record can end here: another follows, or nothing, or the line ends that end one."""
        window = self.peek(FOLLOWING_BYTES)
        return window.startswith((b"\r\n\r\n", b"\n\n")) or _follows_record(window)

    def read_to_record(self, limit: int, opening: re.Pattern[bytes] = NEXT_RECORD) -> tuple[bytes, bool]:
        """Read to where the next record begins, or to the end; up to `limit` bytes. Return whether a record begins."""
        pieces: list[bytes] = []
        total = 0
        while total < limit:
            window = self.peek(SCAN_BLOCK_BYTES + CANDIDATE_HEAD_BYTES)
            if not window:
                return b"".join(pieces), False
            is_last = len(window) < SCAN_BLOCK_BYTES + CANDIDATE_HEAD_BYTES
            for candidate in opening.finditer(window):
                begins = candidate.end()
                if begins > SCAN_BLOCK_BYTES and not is_last:
                    break
                if read_record_head(window[begins : begins + CANDIDATE_HEAD_BYTES]) is not None:
                    pieces.append(self.read(begins))
                    return b"".join(pieces), True
            pieces.append(self.read(len(window) if is_last else SCAN_BLOCK_BYTES))
            total += len(pieces[-1])
        return b"".join(pieces), False

    def find_record(self) -> None:
        """Skip to where the next record begins, or to the end."""
        while self.peek(1) and not self.read_to_record(SCAN_BLOCK_BYTES, ANY_RECORD)[1]:
            continue
