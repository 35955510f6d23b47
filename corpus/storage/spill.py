"""Group rows by key in bounded memory: what does not fit is kept in one nameless temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO

import zstandard

KEYS_PER_BUCKET = 1 << 15
"""Keys in a bucket. A bucket is in memory when it is read: 40 MB of Stack Overflow."""

SPILL_MEMORY_BYTES = 128 << 20
"""Bytes of rows held before all of them are written out."""


class Spill:
    """Rows added in any order under integer keys are returned bucket by bucket, in ascending order of buckets.

    Memory: `memory` bytes of rows while they are added, one bucket while they are read. Disk, in the system's
    folder for temporary files: the rows beyond that, compressed (zstd, about a third); nothing where they
    fit. The file has no name, so that no kill leaves it behind.
    """

    def __init__(self, memory: int = SPILL_MEMORY_BYTES, width: int = KEYS_PER_BUCKET) -> None:
        self._memory, self._width = memory, width
        self._held: dict[int, list[tuple[int, int, bytes]]] = {}
        self._bytes = 0
        self._written: dict[int, list[tuple[int, int]]] = {}
        self._file: IO[bytes] | None = None
        self._encoder = zstandard.ZstdCompressor(level=1)

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, key: int, place: int, row: bytes) -> None:
        """Add `row` under `key`; `place` is a number that is returned with it. Both below 2^63."""
        self._held.setdefault(key // self._width, []).append((key, place, row))
        self._bytes += len(row)
        if self._bytes >= self._memory:
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="corpus-spill-")  # noqa: SIM115 - closed on exit
        for bucket in sorted(self._held):
            packed = self._encoder.compress(b"".join(_pack_row(*item) for item in self._held[bucket]))
            self._written.setdefault(bucket, []).append((self._file.tell(), len(packed)))
            self._file.write(packed)
        self._held, self._bytes = {}, 0

    @property
    def spilled_bytes(self) -> int:
        """Bytes on disk."""
        return sum(length for chunks in self._written.values() for _, length in chunks)

    def buckets(self) -> Iterator[dict[int, list[tuple[int, bytes]]]]:
        """Yield every bucket: its keys in ascending order, each with its (place, row) in the order they were added."""
        decoder = zstandard.ZstdDecompressor()
        for bucket in sorted(self._held.keys() | self._written.keys()):
            rows_by_key: dict[int, list[tuple[int, bytes]]] = {}
            for offset, length in self._written.pop(bucket, []):
                assert self._file is not None
                self._file.seek(offset)
                for key, place, row in _unpack_rows(decoder.decompress(self._file.read(length))):
                    rows_by_key.setdefault(key, []).append((place, row))
            for key, place, row in self._held.pop(bucket, []):
                rows_by_key.setdefault(key, []).append((place, row))
            yield dict(sorted(rows_by_key.items()))


def _pack_row(key: int, place: int, row: bytes) -> bytes:
    return key.to_bytes(8, "little") + place.to_bytes(8, "little") + len(row).to_bytes(4, "little") + row


def _unpack_rows(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        key, place = (
            int.from_bytes(data[at : at + 8], "little"),
            int.from_bytes(data[at + 8 : at + 16], "little"),
        )
        length = int.from_bytes(data[at + 16 : at + 20], "little")
        at += 20 + length
        yield key, place, data[at - length : at]
