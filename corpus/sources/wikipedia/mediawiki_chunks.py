"""Read the bytes of a MediaWiki XML dump from any place: plain, .bz2 of one or many streams, .xz, .gz, .zst."""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import zstandard

from corpus.storage import open_checked, open_decompressed, open_input
from corpus.storage.compressed import BOMB_CHECK_BYTES, MAX_COMPRESSION_RATIO

READ_BLOCK_BYTES = 1 << 20
COMPRESSED_BLOCK_BYTES = 256 << 10
MAX_HELD_BYTES = 16 << 20
"""Bytes of a bz2 stream that are read ahead to know where it ends; those of dumps have a few MiB."""
MAX_HEAD_BYTES = 256 << 10
BZIP2_STREAM_START = re.compile(rb"BZh[1-9]1AY&SY")
"""A bz2 stream header and the magic number of its first block."""
BZIP2_MAGIC = b"BZh"
COMPRESSED_MAGICS = (b"\x1f\x8b", BZIP2_MAGIC, b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
DUMP_DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]+)["']""")


@dataclass(slots=True)
class DumpChunk:
    """A piece of the dump: at `offset` in the file, or, inside a bz2 stream at `offset`, `within` its text.

    `ends` is where that stream ends in the file. Of a file that is one long stream `offset` is the place in its text.
    Pages that begin in a chunk that is not `owned` belong to the next split.
    """

    data: bytes
    offset: int
    within: int | None
    owned: bool
    ends: int | None = None


@dataclass(slots=True)
class DumpGap:
    """Bytes of the file that could not be decompressed."""

    offset: int
    length: int
    error: str
    owned: bool


@dataclass(slots=True, frozen=True)
class DumpHead:
    """The beginning of a dump as UTF-8, up to its first page; `encoding` is None where it needs no decoding."""

    data: bytes
    encoding: str | None

    @property
    def has_root(self) -> bool:
        return b"<mediawiki" in self.data


def read_head(path: str) -> DumpHead:
    """Return the head of a dump, decompressed; of a damaged one, what can be read."""
    data = b""
    with open_decompressed(path) as stream:
        try:
            while len(data) < MAX_HEAD_BYTES and b"<page>" not in data and (block := _read_some(stream)):
                data += block
        except DUMP_DAMAGE:
            pass
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return DumpHead(data.decode(encoding, "ignore").encode().partition(b"<page>")[0], encoding)
    data = data.removeprefix(codecs.BOM_UTF8).partition(b"<page>")[0]
    declared = DECLARED_ENCODING.match(data)
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        try:
            encoding = codecs.lookup(declared[1].decode()).name
            return DumpHead(data.decode(encoding, "replace").encode(), encoding)
        except LookupError:
            pass
    return DumpHead(data, None)


def is_splittable(path: str) -> bool:
    """Return whether a dump can be read from the middle: plain UTF-8 XML, or .bz2 of more than one stream.

    A .bz2 whose first stream is longer than 1 MiB counts as one stream: those of Wikimedia begin with a
    stream of a few hundred bytes, those of pbzip2 hold 900 kB of text.
    """
    with open_input(path) as stream:
        head = stream.read(6)
        if head.startswith(BZIP2_MAGIC):
            stream.seek(0)
            first = bz2.BZ2Decompressor()
            read = 0
            try:
                while (
                    not first.eof
                    and read < READ_BLOCK_BYTES
                    and (block := stream.read(COMPRESSED_BLOCK_BYTES))
                ):
                    read += len(block)
                    first.decompress(block)
            except OSError:
                return find_stream(stream, 1) is not None
            if not first.eof or not (first.unused_data or stream.read(1)):
                return False
        elif head.startswith(COMPRESSED_MAGICS):
            return False
    return read_head(path).encoding is None


def read_chunks(path: str, start: int, end: int, encoding: str | None) -> Iterator[DumpChunk | DumpGap]:
    """Yield the dump from `start` on, past `end` too: the reader stops when it has its last page."""
    with open_input(path) as stream:
        head = stream.read(6)
        if head.startswith(BZIP2_MAGIC):
            chunks = _read_bzip2_chunks(stream, start, end)
        elif head.startswith(COMPRESSED_MAGICS):
            chunks = _read_decompressed_chunks(path)
        else:
            chunks = _read_plain_chunks(stream, start, end)
        yield from _transcode(chunks, encoding) if encoding else chunks


def _read_plain_chunks(stream: BinaryIO, start: int, end: int) -> Iterator[DumpChunk | DumpGap]:
    at = start
    stream.seek(at)
    while data := stream.read(min(READ_BLOCK_BYTES, end - at) if at < end else READ_BLOCK_BYTES):
        yield DumpChunk(data, at, None, at < end)
        at += len(data)


def _read_some(stream: BinaryIO) -> bytes:
    """Return what one read gives: a longer read that meets damage would lose what it already has."""
    read1 = getattr(stream, "read1", stream.read)
    data: bytes = read1(READ_BLOCK_BYTES)
    return data


def _read_decompressed_chunks(path: str) -> Iterator[DumpChunk | DumpGap]:
    at = 0
    with open_checked(path, raises=True) as stream:
        while True:
            try:
                data = _read_some(stream)
            except DUMP_DAMAGE as error:
                yield DumpGap(at, 0, f"damaged: {error}", True)
                return
            if not data:
                return
            yield DumpChunk(data, at, None, True)
            at += len(data)


def _read_bzip2_chunks(stream: BinaryIO, start: int, end: int) -> Iterator[DumpChunk | DumpGap]:
    """Yield the streams that begin at or after `start`, one after the other, past damage.

    A header may occur by chance: only what decompresses is a stream, as its checksums show.
    """
    at: int | None = find_stream(stream, start) if start else 0
    produced = consumed = 0
    while at is not None:
        owned = at < end
        stream.seek(at)
        decompressor = bz2.BZ2Decompressor()
        held: list[DumpChunk] | None = []
        long = False
        ends: int | None = None
        within = 0
        position = at
        error = None
        while not decompressor.eof:
            block = stream.read(COMPRESSED_BLOCK_BYTES) if decompressor.needs_input else b""
            position += len(block)
            if decompressor.needs_input and not block:
                error = "the file ends inside a bz2 stream"
                break
            try:
                data = decompressor.decompress(block, READ_BLOCK_BYTES)
            except OSError as failure:
                error = f"damaged bz2 stream: {failure}"
                break
            if data:
                chunk = (
                    DumpChunk(data, at, within, owned, ends)
                    if not long
                    else DumpChunk(data, within, None, owned)
                )
                within += len(data)
                if held is None:
                    yield chunk
                else:
                    held.append(chunk)
                    if within > MAX_HELD_BYTES:
                        ends = find_stream(stream, at + 1, MAX_HELD_BYTES)
                        stream.seek(position)
                        long = ends is None and at == 0
                        yield from _place_chunks(held, ends, long)
                        held = None
            produced += len(data)
            consumed += len(block)
            if produced >= BOMB_CHECK_BYTES:
                if consumed * MAX_COMPRESSION_RATIO < produced:
                    stream.seek(0, 2)
                    message = f"a decompression bomb: {produced:,} bytes from {consumed:,}"
                    yield from _place_chunks(held or [], stream.tell(), long)
                    yield DumpGap(at, stream.tell() - at, message, owned)
                    return
                produced = consumed = 0
        if held:
            ends = (
                position - len(decompressor.unused_data) if decompressor.eof else find_stream(stream, at + 1)
            )
            yield from _place_chunks(held, stream.seek(0, 2) if ends is None else ends, False)
        if error is None:
            following = position - len(decompressor.unused_data)
            stream.seek(following)
            opening = stream.read(4)
            if not opening:
                return
            if opening[:3] == BZIP2_MAGIC and opening[3:4].isdigit():
                at = following
                continue
            at, error = following, "not a bz2 stream"
        following_stream = find_stream(stream, at + 1)
        if error != "not a bz2 stream" or not _is_padding(stream, at, following_stream):
            stream.seek(0, 2)
            lost_to = stream.tell() if following_stream is None else following_stream
            yield DumpGap(at, lost_to - at, error, owned)
        at = following_stream


def _place_chunks(chunks: list[DumpChunk], ends: int | None, long: bool) -> Iterator[DumpChunk]:
    """Yield chunks of a stream with its end; those of a long stream that is the whole file are placed in its text."""
    for chunk in chunks:
        assert chunk.within is not None
        yield replace(chunk, offset=chunk.within, within=None) if long else replace(chunk, ends=ends)


def _is_padding(stream: BinaryIO, start: int, end: int | None) -> bool:
    """Return whether only white space is between two streams; behind the last, zeros count as padding too.

    Zeros between two are a hole: what a download leaves that was never finished.
    """
    padding = b"\0 \t\r\n" if end is None else b" \t\r\n"
    stream.seek(start)
    left = None if end is None else end - start
    while left is None or left > 0:
        block = stream.read(READ_BLOCK_BYTES if left is None else min(READ_BLOCK_BYTES, left))
        if not block:
            break
        if block.strip(padding):
            return False
        left = None if left is None else left - len(block)
    return True


def find_stream(stream: BinaryIO, start: int, limit: int = 1 << 62) -> int | None:
    """Return the offset of the first bz2 stream header at or after `start`; None where `limit` bytes have none."""
    stream.seek(start)
    at, kept = start, b""
    while at < start + limit and (block := stream.read(READ_BLOCK_BYTES)):
        window = kept + block
        match = BZIP2_STREAM_START.search(window)
        if match:
            return at - len(kept) + match.start()
        at += len(block)
        kept = window[-9:]
    return None


def _transcode(chunks: Iterable[DumpChunk | DumpGap], encoding: str) -> Iterator[DumpChunk | DumpGap]:
    """Yield chunks as UTF-8; their offsets count its bytes."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    at = 0
    for chunk in chunks:
        if isinstance(chunk, DumpGap):
            yield chunk
            continue
        data = decoder.decode(chunk.data).encode("utf-8", "replace")
        inside = None if chunk.within is None else at
        yield DumpChunk(data, chunk.offset if inside is not None else at, inside, chunk.owned, chunk.ends)
        at += len(data)
