"""Going on behind damage: the next place of an archive where a record begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

GZIP = b"\x1f\x8b\x08"
BLOCK = 1 << 20
HEAD = 64 << 10
"""How much of a candidate is looked at."""


def scan(stream: BinaryIO, at: int, magic: bytes, accept: Callable[[bytes], bool]) -> int | None:
    """Offset of the first `magic` at or after `at` where `accept` takes the (up to 64 KB of) bytes from there.

    Memory: 2 MiB.
    """
    stream.seek(at)
    base, window = at, stream.read(BLOCK)
    while window:
        more = stream.read(BLOCK)
        last = len(window) - HEAD if more else len(window)
        found = window.find(magic)
        while 0 <= found < last:
            if accept(window[found : found + HEAD]):
                return base + found
            found = window.find(magic, found + 1)
        keep = max(0, last)
        base, window = base + keep, window[keep:] + more if more else b""
    return None
