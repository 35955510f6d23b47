"""Read compressed files so that only what their checksums confirm is given.

A gzip member or a frame carries its checksum at its end, behind its content: who takes the content as it comes has used
garbled text by the time the checksum tells. Here each is decoded to its end first; one of up to `MAX_HELD_BYTES` is
kept meanwhile, a larger one is decoded twice. One that does not decode is left out whole, and reading goes on at the
next one that does. The blocks of bzip2 have checksums of their own: those before damage are given. A file that ends too
early gives all that it has.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, BinaryIO

from corpus.storage import compressed
from corpus.storage.compressed import (
    DAMAGE,
    HEAD_BYTES,
    Bomb,
    CompressedFrame,
    FrameFormat,
    recognize_named_frames,
)

MAX_HELD_BYTES = 16 << 20
"""Content of a member that is held until its checksum is read."""
SEARCH_BLOCK_BYTES = 1 << 20
MAX_CANDIDATES = 1000
"""Places that look like a member behind damage, and are none, before the search is given up."""
MAX_PADDING_BYTES = 4096
"""Zeros between two .xz streams that are padding; elsewhere, and if they are more, they are a hole."""

ADVICE = "get the file again; what it still gives can be unpacked and read as a plain file"

_IS_PEEKING: ContextVar[bool] = ContextVar("peeking", default=False)


@contextmanager
def peeking() -> Iterator[None]:
    """Within it, members are given as they come, unchecked: for a look at the beginning of a file."""
    token = _IS_PEEKING.set(True)
    try:
        yield
    finally:
        _IS_PEEKING.reset(token)


class DamagedData(OSError):
    """What the next bytes of a compressed file should have been is damaged, cut or a bomb."""


@dataclass(frozen=True, slots=True)
class DamagedStretch:
    """Decompressed bytes that are left out, none of which is certain: their offset, how many were seen, and why."""

    offset: int
    length: int
    error: str


@dataclass(slots=True)
class _Outlook:
    """What decoding a member came to: its bytes, those of them that are certain, and where it ends in the file.

    `held` is its content, None where it is too large; `end` None where it does not end.
    """

    size: int = 0
    certain: int = 0
    end: int | None = None
    held: list[bytes] | None = None
    error: str | None = None


class CheckedReader(io.BufferedReader):
    """A stream of certain bytes that ends at damage, with `damage` set, and can be resumed behind it.

    The format is recognized by the first bytes, or by `name` where those are damaged. With `raises` it raises
    `DamagedData` instead of ending there. Closing it closes the file.
    """

    def __init__(self, stream: BinaryIO, name: str = "", raises: bool = False) -> None:
        stream.seek(0)
        frames = recognize_named_frames(name, stream.read(HEAD_BYTES))
        stream.seek(0)
        self._checked: _Plain | _CheckedFrames = (
            _Plain(stream) if frames is None else _CheckedFrames(stream, frames)
        )
        self._checked.raises = raises
        super().__init__(self._checked, 1 << 20)

    @property
    def raises(self) -> bool:
        return self._checked.raises

    @raises.setter
    def raises(self, value: bool) -> None:
        self._checked.raises = value

    @property
    def damage(self) -> DamagedStretch | None:
        return self._checked.damage

    def resume(self) -> bool:
        """Go on behind the damage; return whether anything follows."""
        return self._checked.resume()


class _Plain(io.RawIOBase):
    """A file that is not compressed: nothing tells of damage."""

    damage = None
    raises = False

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        piece = self._raw.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def resume(self) -> bool:
        return False

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _CheckedFrames(io.RawIOBase):
    """The content of a file's members, each given once it has been decoded to its end."""

    def __init__(self, raw: BinaryIO, frames: FrameFormat) -> None:
        self._raw, self._frames = raw, frames
        self._at: int | None = 0
        self._pieces: Iterator[bytes] = iter(())
        self._piece = b""
        self._used = self._given = 0
        self._input = (0, b"")
        self._place = self._stretch_bytes = self._stretch_input = 0
        self._pending: DamagedStretch | None = None
        self.damage: DamagedStretch | None = None
        self.raises = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._used == len(self._piece) and self.damage is None:
            self._piece, self._used = b"", 0
            try:
                self._piece = next(self._pieces, b"")
            except (DamagedData, EOFError, Bomb) as error:  # only where nothing was looked at before
                is_searched = (
                    isinstance(error, DamagedData) and self._at is not None and not _IS_PEEKING.get()
                )
                following = self._find_whole((self._at or 0) + 1) if is_searched else None
                self._set_damage(0, str(error), following)
            if not self._piece and self.damage is None and not self._open_next():
                break
        if self.damage is not None and self.raises:
            raise DamagedData(self.damage.error)
        piece = self._piece[self._used : self._used + len(buffer)]
        buffer[: len(piece)] = piece
        self._used += len(piece)
        self._given += len(piece)
        return len(piece)

    def resume(self) -> bool:
        if self.damage is None:
            return False
        self.damage = None
        return self._at is not None

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

    def _set_damage(self, length: int, error: str, following: int | None) -> None:
        self.damage = DamagedStretch(self._given, length, error)
        self._given += length
        self._at = following

    def _open_next(self) -> bool:
        """Look at the next member, and make it or the damage in its place the current one; False at the end."""
        if self._pending is not None:
            self._set_damage(self._pending.length, self._pending.error, self._at)
            self._pending = None
            return True
        if self._at is None:
            return False
        begins = self._skip_zeros(self._at)
        if begins is None:
            self._at = None
            return False
        zeros = begins - self._at
        if zeros > (MAX_PADDING_BYTES if self._frames.may_pad else 0):
            self._set_damage(0, f"{zeros:,} bytes of zeros where {self._frames.name} should begin", begins)
            return True
        if _IS_PEEKING.get() or self._frames.checks_blocks:
            self._at, self._pieces = begins, self._take_unseen(begins)
            return True
        outlook = self._look_ahead(begins)
        self._at = outlook.end
        if outlook.error is not None:
            self._at = self._find_whole(begins + 1) if outlook.end is None else None
            self._pending = DamagedStretch(0, outlook.size - outlook.certain, outlook.error)
        self._pieces = iter(outlook.held) if outlook.held is not None else self._take(begins, outlook.certain)
        return True

    def _take_unseen(self, at: int) -> Iterator[bytes]:
        yield from self._decode_guarded(at)
        self._at = self._input[0]

    def _take(self, at: int, size: int) -> Iterator[bytes]:
        """Yield the first `size` bytes of the member at a place."""
        if size == 0:
            return
        for piece in self._decode(at):
            yield piece[:size]
            size -= len(piece)
            if size <= 0:
                return

    def _look_ahead(self, at: int) -> _Outlook:
        """Decode the member at a place to its end. One that is cut or a bomb is certain up to there, and ends there."""
        outlook = _Outlook(held=[])
        try:
            for piece in self._decode_guarded(at):
                outlook.size += len(piece)
                if outlook.size > MAX_HELD_BYTES:
                    outlook.held = None
                if outlook.held is not None:
                    outlook.held.append(piece)
        except (EOFError, Bomb) as error:
            outlook.certain, outlook.end, outlook.error = outlook.size, at, str(error)
            return outlook
        except DamagedData as error:
            outlook.error, outlook.held = str(error), []
            return outlook
        outlook.certain, outlook.end = outlook.size, self._input[0]
        return outlook

    def _decode_guarded(self, at: int) -> Iterator[bytes]:
        """Decode as `_decode` does; raise Bomb where a stretch of the content came from next to nothing."""
        last = at
        for piece in self._decode(at):
            yield piece
            self._stretch_bytes += len(piece)
            self._stretch_input += self._place - last
            last = self._place
            if self._stretch_bytes >= compressed.BOMB_CHECK_BYTES:
                if self._stretch_input * compressed.MAX_COMPRESSION_RATIO < self._stretch_bytes:
                    message = f"{self._stretch_bytes:,} bytes from {self._stretch_input:,}"
                    raise Bomb(f"a decompression bomb: {message}")
                self._stretch_bytes = self._stretch_input = 0

    def _decode(self, at: int) -> Iterator[bytes]:
        """Yield the content of the member at a place; at its end, `_input` is what follows it, with its place.

        Raises EOFError where it is cut, DamagedData where it is damaged.
        """
        frame: CompressedFrame = self._frames.create()
        place, block = self._input if self._input[0] == at and self._input[1] else (at, b"")
        self._raw.seek(place + len(block))
        if block:  # the same calls, whether or not it was read before: what a failing one gives is lost
            block += self._raw.read(self._frames.input_bytes - len(block))
        while frame.rest is None:
            block = block or self._raw.read(self._frames.input_bytes)
            if not block:
                raise EOFError(f"the file ends inside {self._frames.name}")
            place += len(block)
            try:
                piece = frame.feed(block)
            except DAMAGE as error:
                raise DamagedData(f"{self._frames.name} does not decode: {error}; {ADVICE}") from None
            block = b""
            self._place = place - len(frame.rest or b"")
            if piece:
                yield piece
        self._input = (place - len(frame.rest), frame.rest)

    def _skip_zeros(self, at: int) -> int | None:
        """Return the first place from `at` on whose byte is not zero; None where only zeros follow."""
        if self._input[0] == at and self._input[1][:1].strip(b"\0"):
            return at
        self._raw.seek(at)
        while block := self._raw.read(self._frames.input_bytes):
            if rest := block.lstrip(b"\0"):
                return at + len(block) - len(rest)
            at += len(block)
        return None

    def _find_whole(self, at: int) -> int | None:
        """Return the first place from `at` on where a member begins that decodes to its end."""
        magic = self._frames.magic
        for _ in range(MAX_CANDIDATES):
            found_at = self._find_magic(at, magic)
            if found_at is None:
                return None
            if self._look_ahead(found_at).error is None:
                return found_at
            at = found_at + 1
        return None

    def _find_magic(self, at: int, magic: bytes) -> int | None:
        self._raw.seek(at)
        window = b""
        while block := self._raw.read(SEARCH_BLOCK_BYTES):
            window += block
            index = window.find(magic)
            if index >= 0:
                return at + index
            kept = window[-len(magic) + 1 :]
            at += len(window) - len(kept)
            window = kept
        return None
