"""Find where a record begins and where it ends in a web archive that is plain, .gz, .zst or .lz4.

An archive that can be read from the middle has a record in each gzip member or lz4 frame, and in one or several
zstd frames, which may need a dictionary that precedes them all (https://iipc.github.io/warc-specifications/).
"""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO, cast

import zstandard
from fastwarc.stream_io import Lz4Reader

from corpus.formats.http import MAX_ZSTD_WINDOW_BYTES
from corpus.sources.web.raw_records import FOLLOWING_BYTES, read_record_head, suits_fastwarc
from corpus.sources.web.record_scan import CANDIDATE_HEAD_BYTES, GZIP_MEMBER_MAGIC, find_record
from corpus.storage.compressed import MAX_COMPRESSION_RATIO, Bomb

PLAIN_MAGIC = b"WARC/"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE_MAGIC = b"\x5d\x2a\x4d\x18"
"""The frame that holds a dictionary."""
DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
LZ4_MAGIC = b"\x04\x22\x4d\x18"
MEMBER_BOMB_CHECK_BYTES = 32 << 20
"""Bytes of a member that may have any compression ratio: as many as a page may have."""
MAX_LZ4_BLOCK_BYTES = 4 << 20
MAX_DICTIONARY_BYTES = 64 << 20
MEMBER_BLOCK_BYTES = 1 << 16
ZSTD_FEED_BYTES = 1 << 10
"""Bytes fed to a decoder in one call: 1 KiB of zstd gives 32 MiB at most."""
HEADER_END = b"\r\n\r\n"
"""Ends a record's header and, repeated, the record."""
FASTWARC_ERRORS = (OSError, EOFError, ValueError, RuntimeError)
"""What FastWARC raises on damaged input."""
MEMBER_DAMAGE = (*FASTWARC_ERRORS, zlib.error, zstandard.ZstdError)


class WebArchive:
    """A web archive that is plain, .gz, .zst or .lz4, identified by its first bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        stream.seek(0)
        head = stream.read(8)
        self.stream = stream
        self.magic = next(
            (magic for magic in (GZIP_MEMBER_MAGIC, ZSTD_MAGIC, LZ4_MAGIC) if head.startswith(magic)),
            PLAIN_MAGIC,
        )
        self._head = b""
        self._dictionary: zstandard.ZstdCompressionDict | None = None
        self.begins = self._pass_skippable(head)
        """Where its first record should begin: behind the dictionary."""

    def _pass_skippable(self, head: bytes) -> int:
        """Load the dictionary that the file begins with; return where its first frame begins that holds data."""
        at = 0
        while len(head) == 8 and head[1:4] == SKIPPABLE_MAGIC[1:] and head[0] & 0xF0 == 0x50:
            self.magic = ZSTD_MAGIC
            if head.startswith(SKIPPABLE_MAGIC):
                self._load(head)
            at += len(head) + int.from_bytes(head[4:], "little")
            self.stream.seek(at)
            head = self.stream.read(8)
        return at

    def _load(self, head: bytes) -> bool:
        """Load the dictionary behind `head`. An unreadable one is ignored: no frame opens then."""
        content = self.stream.read(min(int.from_bytes(head[4:], "little"), MAX_DICTIONARY_BYTES))
        try:
            raw = content
            if content.startswith(ZSTD_MAGIC):
                with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)) as reader:
                    raw = reader.read(MAX_DICTIONARY_BYTES)
            if raw.startswith(DICTIONARY_MAGIC):
                self._dictionary = zstandard.ZstdCompressionDict(raw)
                self._head = head + content
                return True
        except (ValueError, zstandard.ZstdError):
            pass
        return False

    @property
    def is_packed(self) -> bool:
        return self.magic != PLAIN_MAGIC

    def decoder(self) -> zstandard.ZstdDecompressor:
        return zstandard.ZstdDecompressor(self._dictionary, max_window_size=MAX_ZSTD_WINDOW_BYTES)

    def from_place(self, at: int) -> tuple[BinaryIO, int]:
        """Return a stream for FastWARC from `at` on, and what to add to the offsets that it gives."""
        self.stream.seek(at)
        if self._dictionary is None or at == 0:
            return self.stream, 0
        return cast(BinaryIO, _PrefixedStream(self._head, self.stream)), at - len(self._head)

    def find(self, at: int) -> int | None:
        """Return the first offset at or after `at` where a record begins; None where there is none."""
        return find_record(self.stream, at, self.magic, self._opens)

    def opens(self, at: int) -> bool:
        """Return whether a record begins at `at`."""
        self.stream.seek(at)
        window = self.stream.read(CANDIDATE_HEAD_BYTES)
        return window.startswith(self.magic) and self._opens(window)

    def has_magic(self, at: int) -> bool:
        """Return whether a member, a frame or a plain record begins at `at`, whole or not."""
        self.stream.seek(at)
        return self.stream.read(len(self.magic)) == self.magic

    def suits_fastwarc(self, at: int) -> bool:
        """Return whether FastWARC reads the head of the record at `at` as it is. The stream's position is kept."""
        position = self.stream.tell()
        self.stream.seek(at)
        window = self.stream.read(CANDIDATE_HEAD_BYTES)
        self.stream.seek(position)
        return suits_fastwarc(self._unpack(window) if self.is_packed else window)

    def _unpack(self, window: bytes) -> bytes:
        """Return the first bytes of what a member or frame holds, from its own; as many as can be had."""
        try:
            if self.magic == GZIP_MEMBER_MAGIC:
                return zlib.decompressobj(31).decompress(window, CANDIDATE_HEAD_BYTES)
            if self.magic == ZSTD_MAGIC:
                with self.decoder().stream_reader(io.BytesIO(window)) as reader:
                    return reader.read(CANDIDATE_HEAD_BYTES)
            return bytes(Lz4Reader(io.BytesIO(window)).read(CANDIDATE_HEAD_BYTES))
        except MEMBER_DAMAGE:
            return b""

    def pass_dictionary(self, at: int) -> int | None:
        """Load the dictionary at `at`, as joined archives have several; return what is behind it, None if none is."""
        if self.magic != ZSTD_MAGIC:
            return None
        self.stream.seek(at)
        head = self.stream.read(8)
        return at + len(self._head) if head.startswith(SKIPPABLE_MAGIC) and self._load(head) else None

    def read_content(self, at: int) -> ContentOfMember:
        """Return the content of the member or frames of the record at `at`; of a plain file, all from there on."""
        return ContentOfMember(self, at)

    def _opens(self, window: bytes) -> bool:
        try:
            if self.magic == GZIP_MEMBER_MAGIC:
                return zlib.decompressobj(31).decompress(window, 8).startswith(b"WARC/")
            if self.magic == ZSTD_MAGIC:
                with self.decoder().stream_reader(io.BytesIO(window)) as reader:
                    return reader.read(5) == b"WARC/"
            if self.magic == LZ4_MAGIC:
                return bool(Lz4Reader(io.BytesIO(window)).read(5) == b"WARC/")
        except MEMBER_DAMAGE:
            return False
        return read_record_head(window) is not None

    def record_end(self, at: int) -> int | None:
        """Return where the record at `at` ends in the file: its member or frames, or by its header's length.

        None where it is itself cut or damaged.
        """
        self.stream.seek(at)
        if not self.is_packed:
            record = read_record_head(self.stream.read(CANDIDATE_HEAD_BYTES))
            if record is None or record.length is None:
                return None
            return self._plain_end(at + record.end + record.length)
        head, produced = b"", 0
        try:
            while True:
                member = WebArchiveMember(self, at)
                while piece := member.read():
                    produced += len(piece)
                    head += piece[: max(0, CANDIDATE_HEAD_BYTES - len(head))]
                assert member.end is not None
                record = read_record_head(head)
                whole = record.end + (record.length or 0) if record is not None else 0
                if self.magic != ZSTD_MAGIC or produced >= whole or not self.continues(member.end):
                    return member.end
                at = member.end
        except MEMBER_DAMAGE:
            return None

    def _plain_end(self, at: int) -> int | None:
        """Return the end of the line ends behind a block that ends at `at`; None where they do not look like an end."""
        if at > self.stream.seek(0, io.SEEK_END):
            return None
        self.stream.seek(at)
        window = self.stream.read(FOLLOWING_BYTES)
        behind = window.lstrip(b"\r\n")
        is_end = not behind.strip(b"\0") and len(window) < FOLLOWING_BYTES
        if is_end or behind.startswith(PLAIN_MAGIC):
            return at + len(window) - len(behind)
        return at + len(HEADER_END) if window.startswith(HEADER_END) else None  # damage follows

    def continues(self, at: int) -> bool:
        """Return whether a zstd frame at `at` continues the record of the frame before it."""
        self.stream.seek(at)
        window = self.stream.read(CANDIDATE_HEAD_BYTES)
        return window.startswith(ZSTD_MAGIC) and not self._opens(window)

    def mend_record(self, at: int, following: int | None, limit: int) -> bytes | None:
        """Return the record at `at` with its true length, where its header gives another one or none.

        Its member or frame tells its length; in a plain file the next record does, which begins at `following`, behind
        the line ends that end a record. None where there is none such, and for more than `limit` bytes.
        """
        pieces: list[bytes] = []
        if not self.is_packed:
            end = following if following is not None else self.stream.seek(0, io.SEEK_END)
            if end - at > limit:
                return None
            self.stream.seek(at)
            pieces.append(self.stream.read(end - at))
        else:
            try:
                member, total = WebArchiveMember(self, at), 0
                while piece := member.read():
                    pieces.append(piece)
                    total += len(piece)
                    if total > limit:
                        return None
            except MEMBER_DAMAGE:
                return None
        top, header_end, content = b"".join(pieces).partition(HEADER_END)
        if not content.endswith(HEADER_END) and self.magic != GZIP_MEMBER_MAGIC:
            return None
        content = content.removesuffix(HEADER_END)
        if not header_end or not top.startswith(b"WARC/") or content_length(top) == len(content):
            return None
        lines = [line for line in top.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return (
            b"\r\n".join([*lines, b"Content-Length: %d" % len(content)]) + HEADER_END + content + HEADER_END
        )

    def holds_one_record(self, at: int) -> bool:
        """Return whether no second record follows the first one in the member or frame at `at`."""
        head, behind = b"", b""
        produced = 0
        expected: int | None = None
        try:
            member = WebArchiveMember(self, at)
            while piece := member.read():
                if expected is None:
                    head += piece
                    record = read_record_head(head)
                    if record is None and len(head) > CANDIDATE_HEAD_BYTES:
                        return True
                    if record is not None:
                        expected = record.end + (record.length or 0)
                        piece, produced = head, 0
                if expected is not None:
                    behind += piece[max(0, expected - produced) :][: CANDIDATE_HEAD_BYTES - len(behind)]
                    if len(behind) >= len(HEADER_END) + len(PLAIN_MAGIC):
                        break
                produced += len(piece)
        except MEMBER_DAMAGE:
            return True
        return not behind.lstrip(b"\r\n").startswith(b"WARC/")


class WebArchiveMember:
    """The content of the one member or frame that begins at a place, read to its end.

    `end` is where it ends in the file, once all is read. Opening and reading it raise one of `MEMBER_DAMAGE` where
    it is damaged, `EOFError` where it is cut, `Bomb` where more than `MEMBER_BOMB_CHECK_BYTES` bytes came from next to
    nothing.
    """

    def __init__(self, archive: WebArchive, at: int) -> None:
        self._stream, self._at, self._fed = archive.stream, at, 0
        self._waiting = b""
        self._given = 0
        self.end: int | None = None
        self._inflater: Any = None
        self._stream.seek(at)
        if self._stream.read(len(archive.magic)) != archive.magic:
            raise ValueError("no member begins here")
        if archive.magic == LZ4_MAGIC:
            self._end = _find_lz4_end(self._stream, at)
            self._stream.seek(at)
            self._lz4 = Lz4Reader(io.BytesIO(self._stream.read(self._end - at)))
            return
        self._inflater, self._step = (
            (zlib.decompressobj(31), MEMBER_BLOCK_BYTES)
            if archive.magic == GZIP_MEMBER_MAGIC
            else (archive.decoder().decompressobj(), ZSTD_FEED_BYTES)
        )
        self._stream.seek(at)

    def read(self) -> bytes:
        """Return the next piece; empty at the end."""
        if self._inflater is None:
            piece: bytes = self._lz4.read(MEMBER_BLOCK_BYTES)
            if not piece:
                self.end = self._end
            return piece
        while not self._inflater.eof:
            block = self._waiting or self._stream.read(self._step)
            if not block:
                raise EOFError("cut")
            self._fed += 0 if self._waiting else len(block)
            if self._step == MEMBER_BLOCK_BYTES:  # a bomb comes in pieces
                piece = self._inflater.decompress(block, 1 << 20)
                self._waiting = self._inflater.unconsumed_tail
            else:
                piece = self._inflater.decompress(block)
            self._given += len(piece)
            if self._given > MEMBER_BOMB_CHECK_BYTES and self._given > MAX_COMPRESSION_RATIO * self._fed:
                raise Bomb(f"a decompression bomb: {self._given:,} bytes from {self._fed:,}")
            if piece:
                return piece
        self.end = self._at + self._fed - len(self._inflater.unused_data)
        return b""


class ContentOfMember:
    """What a record's member, or the zstd frames that it goes on in, hold. `end` is where they end, once all is read.

    Of a plain file it is all from a place on. Raises as `WebArchiveMember` does.
    """

    def __init__(self, archive: WebArchive, at: int) -> None:
        self._archive = archive
        self.end: int | None = None
        self._at = at
        self._member = WebArchiveMember(archive, at) if archive.is_packed else None

    def read(self) -> bytes:
        """Return the next piece; empty at the end."""
        stream = self._archive.stream
        if self._member is None:
            stream.seek(self._at)
            piece = stream.read(MEMBER_BLOCK_BYTES)
            self._at += len(piece)
            return piece
        while True:
            piece = self._member.read()
            if piece:
                return piece
            self.end = self._member.end
            assert self.end is not None
            if self._archive.magic != ZSTD_MAGIC or not self._archive.continues(self.end):
                return b""
            self._member = WebArchiveMember(self._archive, self.end)


def _find_lz4_end(stream: BinaryIO, at: int) -> int:
    """Return where an lz4 frame ends, by its blocks' lengths. Raises EOFError or ValueError where they are wrong."""
    stream.seek(at)
    head = stream.read(5)
    if len(head) < 5:
        raise EOFError("cut")
    flags = head[4]
    place = at + 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    while True:
        stream.seek(place)
        length = stream.read(4)
        if len(length) < 4:
            raise EOFError("cut")
        size = int.from_bytes(length, "little") & 0x7FFFFFFF
        if size == 0:
            return place + 4 + (4 if flags & 4 else 0)
        if size > MAX_LZ4_BLOCK_BYTES:
            raise ValueError("an lz4 block is too long")
        place += 4 + size + (4 if flags & 16 else 0)


def content_length(head: bytes) -> int | None:
    """Return the length that a record's header gives; None where it gives no valid one."""
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            value = line[15:].strip()
            return int(value) if value.isdigit() and len(value) < 19 else None
    return None


class _ForwardStream(io.RawIOBase):
    """A stream that can only be read forwards and knows its position, as FastWARC needs it."""

    def __init__(self) -> None:
        self._given = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset != (self._given if whence == io.SEEK_SET else 0) or whence == io.SEEK_END:
            raise io.UnsupportedOperation("seek")
        return self._given

    def tell(self) -> int:
        return self._given


class _PrefixedStream(_ForwardStream):
    """Some bytes, followed by a stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head, self._stream = head, stream

    def readinto(self, buffer: Any) -> int:
        piece = self._head[self._given : self._given + len(buffer)] or self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self._given += len(piece)
        return len(piece)


class UnpackedStream(_ForwardStream):
    """The content of all members from a place on, one after the other. `at` is where the current one begins."""

    def __init__(self, archive: WebArchive, at: int) -> None:
        super().__init__()
        self._archive, self.at = archive, at
        self._member: WebArchiveMember | None = WebArchiveMember(archive, at)
        self._held = b""
        self.is_damaged = False

    def readinto(self, buffer: Any) -> int:
        try:
            while not self._held and self._member is not None:
                self._next_piece()
        except MEMBER_DAMAGE:
            self.is_damaged = True
            raise
        piece, self._held = self._held[: len(buffer)], self._held[len(buffer) :]
        buffer[: len(piece)] = piece
        self._given += len(piece)
        return len(piece)

    def _next_piece(self) -> None:
        assert self._member is not None
        self._held = self._member.read()
        if not self._held:
            assert self._member.end is not None
            self.at = self._member.end
            is_more = is_data(self._archive.stream, self.at)
            self._member = WebArchiveMember(self._archive, self.at) if is_more else None


def is_data(stream: BinaryIO, at: int) -> bool:
    """Return whether anything but zeros and line ends follows."""
    stream.seek(at)
    return bool(stream.read(CANDIDATE_HEAD_BYTES).strip(b"\x00\r\n"))
