"""Read byte ranges of archives and indexes: coalesced, or cached for binary search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from corpus.storage import read_range, size
from corpus.web.index.capture import Capture

MAX_GAP_BYTES = 64 << 10
"""Gap between two records that is read along instead of making two requests: a request costs more."""
MAX_REQUEST_BYTES = 8 << 20
"""Bytes that one request asks for, unless one record alone is larger."""
CACHE_PAGE_BYTES = 64 << 10


class PagedFile:
    """Random reads of a file through cached pages: for binary search. Memory: `kept` pages."""

    def __init__(self, path: str, kept: int = 256) -> None:
        self.path = path
        self.size = size(path)
        self._page = lru_cache(maxsize=kept)(self._load)

    def _load(self, number: int) -> bytes:
        return read_range(
            self.path, number * CACHE_PAGE_BYTES, min(self.size, (number + 1) * CACHE_PAGE_BYTES)
        )

    def read(self, start: int, end: int) -> bytes:
        """Return bytes [start, end), fewer at the end of the file."""
        end = min(end, self.size)
        if start >= end:
            return b""
        first, last = start // CACHE_PAGE_BYTES, (end - 1) // CACHE_PAGE_BYTES
        joined = b"".join(self._page(number) for number in range(first, last + 1))
        return joined[start - first * CACHE_PAGE_BYTES : end - first * CACHE_PAGE_BYTES]

    def line_from(self, at: int) -> tuple[bytes, int]:
        """Return the line that begins at `at`, without its end, and where the next one begins."""
        pieces = []
        begin = at
        while at < self.size:
            stop = (at // CACHE_PAGE_BYTES + 1) * CACHE_PAGE_BYTES
            piece = self.read(at, stop)
            cut = piece.find(b"\n")
            if cut >= 0:
                pieces.append(piece[:cut])
                return b"".join(pieces), at + cut + 1
            pieces.append(piece)
            at += len(piece)
            if at - begin > 1 << 24:
                raise OSError(f"{self.path}: no line ends in 16 MiB from byte {begin}: not an index")
        return b"".join(pieces), at


def coalesce(captures: Iterable[Capture]) -> Iterator[list[Capture]]:
    """Yield captures in the order of their files and offsets, those together that one request reads."""
    group: list[Capture] = []
    end = 0
    for capture in sorted(captures, key=lambda capture: (capture.file, capture.offset)):
        near = (
            group
            and capture.length
            and group[-1].length
            and capture.file == group[0].file
            and capture.offset - end <= MAX_GAP_BYTES
            and capture.offset + capture.length - group[0].offset <= MAX_REQUEST_BYTES
        )
        if group and not near:
            yield group
            group = []
        group.append(capture)
        end = max(end, capture.offset + capture.length) if len(group) > 1 else capture.offset + capture.length
    if group:
        yield group
