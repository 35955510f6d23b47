"""Decompress files as streams: recognized by their first bytes, all members read, bombs stopped."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

import zstandard

MAX_WINDOW_BYTES = 1 << 31
"""Memory that decompressing a file may ask for. Zstd dumps are often written with `--long=31`, and the decoder
refuses such windows by default; an .xz may name a dictionary of 4 GiB. Bodies in archives are held to less."""

ZSTD_INPUT_BYTES = 1 << 10
"""Compressed bytes decoded in one call. A block takes 4 bytes at least and gives 128 KiB at most, so no input can
ask for more than 32 MiB; calls of 64 KiB are 1.2 times as fast and could ask for 2 GiB."""

MAX_COMPRESSION_RATIO = 500
BOMB_CHECK_BYTES = 256 << 20
"""A stretch of so many decompressed bytes that came from less than a `MAX_COMPRESSION_RATIO`th of them ends the file:
it is a bomb of unlimited length. Text gives 3 to 10, full histories of wikis up to 150; zeros give 1,000
with gzip, 33,000 with zstd, 800,000 with bzip2."""

HEAD_BYTES = 512
"""The first bytes of a file, by which its format is recognized."""
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that stand in no text."""

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
"""Errors that reading a stream of `open_decompressing` raises where the data is damaged, cut or a bomb."""


class Bomb(OSError):
    """A stream that decompresses to far more than any text does."""


def open_decompressing(raw: BinaryIO) -> BinaryIO:
    """Return a seekable stream from its beginning, decompressed by its first bytes (.gz, .bz2, .xz, .zst or plain).

    Multi-member files are read through to the end. Reading raises one of `DAMAGE` where the data is damaged,
    `EOFError` where it is cut, `Bomb` where it is one, after everything before that has been read. For plain data
    `raw` itself is returned; closing the stream closes `raw`.
    """
    frames = recognize_frames(raw.read(6))
    raw.seek(0)
    if frames is None:
        return raw
    inner: Any
    if frames is GZIP:
        inner = gzip.GzipFile(fileobj=raw)
    else:
        inner = bz2.BZ2File(raw) if frames is BZIP2 else _Frames(raw, frames)
    return cast(BinaryIO, io.BufferedReader(_Guarded(inner, raw), 1 << 20))


class _Guarded(io.RawIOBase):
    """A decompressing stream that raises `Bomb` where a stretch of it came from next to nothing."""

    def __init__(self, inner: Any, raw: BinaryIO) -> None:
        self._inner, self._raw = inner, raw
        self._given = self._mark = self._taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # One read of the inner stream at most: a longer one would lose what it has when it meets damage.
        piece = self._inner.read1(len(buffer))
        buffer[: len(piece)] = piece
        self._given += len(piece)
        if self._given - self._mark >= BOMB_CHECK_BYTES:
            taken = self._raw.tell()
            if (taken - self._taken) * MAX_COMPRESSION_RATIO < self._given - self._mark:
                raise Bomb(
                    f"a decompression bomb: {self._given - self._mark:,} bytes from {taken - self._taken:,}"
                )
            self._mark, self._taken = self._given, taken
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()


class CompressedFrame(Protocol):
    """A gzip member, a bzip2 or xz stream or a zstd frame, fed a little at a time."""

    def feed(self, data: bytes) -> bytes: ...

    @property
    def rest(self) -> bytes | None:
        """What follows the frame; None inside it."""


class _Zstd:
    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()

    def feed(self, data: bytes) -> bytes:
        return self._frame.decompress(data)

    @property
    def rest(self) -> bytes | None:
        return self._frame.unused_data if self._frame.eof else None


class _Inflating:
    """A frame of a decompressor of the standard library."""

    def __init__(self, decompressor: Any) -> None:
        self._decompressor = decompressor

    def feed(self, data: bytes) -> bytes:
        content: bytes = self._decompressor.decompress(data)
        return content

    @property
    def rest(self) -> bytes | None:
        return self._decompressor.unused_data if self._decompressor.eof else None


@dataclass(frozen=True)
class FrameFormat:
    """How the frames of a format are called, recognized and decoded.

    `input_bytes` are fed in one call, few enough that no input can ask for much memory. `may_pad`: zeros may stand
    between frames. `checks_blocks`: whatever `feed` returns has been checked already.
    """

    name: str
    magic: bytes
    create: Callable[[], CompressedFrame]
    input_bytes: int
    may_pad: bool = False
    checks_blocks: bool = False


GZIP = FrameFormat(
    "a gzip member",
    b"\x1f\x8b\x08",
    lambda: _Inflating(zlib.decompressobj(31)),
    16 << 10,
)
BZIP2 = FrameFormat(
    "a bzip2 stream",
    b"BZh",
    lambda: _Inflating(bz2.BZ2Decompressor()),
    64,
    checks_blocks=True,
)
"""A block of 46 MB may take 40 bytes, and gives nothing before all of it is there. A call that completes it checks it;
one that could take less than it gives would not."""
XZ = FrameFormat(
    "an xz stream",
    b"\xfd7zXZ\x00",
    lambda: _Inflating(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW_BYTES)),
    1 << 10,
    may_pad=True,
)
"""A byte may give 7 KB, so it is fed as little as zstd."""
ZSTD = FrameFormat("a zstd frame", b"\x28\xb5\x2f\xfd", _Zstd, ZSTD_INPUT_BYTES)


def recognize_frames(head: bytes) -> FrameFormat | None:
    """Return the format of a file by its first six bytes; None for a plain one."""
    for frames in (BZIP2, XZ, ZSTD):
        if head.startswith(frames.magic):
            return frames
    return GZIP if head.startswith(b"\x1f\x8b") else None


def recognize_named_frames(name: str, head: bytes) -> FrameFormat | None:
    """Return the format of a file by its first bytes, or by its name where they are no text: a damaged beginning."""
    frames = recognize_frames(head)
    if frames is None and CONTROL_BYTES.search(head) is not None:
        suffix = name.lower().rpartition(".")[2]
        return {"gz": GZIP, "bz2": BZIP2, "xz": XZ, "zst": ZSTD}.get(suffix)
    return frames


class _Frames:
    """The frames of a file, one after the other. Raises EOFError where the last one is cut.

    Zstandard's own stream reader takes the end of the file for the end of the frame. 670 MB/s of text.
    """

    def __init__(self, raw: BinaryIO, frames: FrameFormat) -> None:
        self._raw, self._frames = raw, frames
        self._frame: CompressedFrame | None = None
        self._input = self._output = b""
        self._given = 0

    def read1(self, size: int) -> bytes:
        while self._given == len(self._output):
            self._input = self._input or self._raw.read(self._frames.input_bytes)
            if not self._input:
                if self._frame is not None:
                    raise EOFError(f"the file ends inside {self._frames.name}")
                return b""
            if self._frame is None:
                self._input = self._input.lstrip(b"\0") if self._frames.may_pad else self._input
                if not self._input:
                    continue
                self._frame = self._frames.create()
            self._output, self._given = self._frame.feed(self._input), 0
            self._input = b""
            if self._frame.rest is not None:
                self._input, self._frame = self._frame.rest, None
        piece = self._output[self._given : self._given + size]
        self._given += len(piece)
        return piece

    def close(self) -> None:
        self._frame = None
