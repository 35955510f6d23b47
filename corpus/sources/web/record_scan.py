"""Find the next record of an archive behind damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

GZIP_MEMBER_MAGIC = b"\x1f\x8b\x08"
SCAN_BLOCK_BYTES = 1 << 20
CANDIDATE_HEAD_BYTES = 64 << 10
"""Bytes of a candidate that are examined."""


def find_record(stream: BinaryIO, at: int, magic: bytes, accept: Callable[[bytes], bool]) -> int | None:
    """Return the offset of the first `magic` at or after `at` whose following bytes (up to 64 KB) `accept` accepts.

    Memory: 2 MiB.
    """
    stream.seek(at)
    base, window = at, stream.read(SCAN_BLOCK_BYTES)
    while window:
        more = stream.read(SCAN_BLOCK_BYTES)
        last = len(window) - CANDIDATE_HEAD_BYTES if more else len(window)
        place = window.find(magic)
        while 0 <= place < last:
            if accept(window[place : place + CANDIDATE_HEAD_BYTES]):
                return base + place
            place = window.find(magic, place + 1)
        keep = max(0, last)
        base, window = base + keep, window[keep:] + more if more else b""
    return None
