"""Cut the pages of a MediaWiki XML dump out of its bytes.

No XML parser is needed, so none can be attacked: text in a dump is escaped, hence `<page>` and `</page>`
occur as tags only. Memory is bounded by one page (of a page's history, by its last revision).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from corpus.sources.wikipedia.mediawiki_chunks import DumpChunk, DumpGap

MAX_PAGE_BYTES = 64 << 20
"""Bytes of a page without its older revisions; MediaWiki allows 2 MiB of text. A longer one is a failure."""
COMPACT_AT_BYTES = 4 << 20
CLOSING_TAG = b"</mediawiki>"
BETWEEN_PAGES_ERROR = "no page: something else stands between two pages"
GAP_HEAD_BYTES = 4096
EXPECTED_BETWEEN_PAGES = re.compile(rb"</?mediawiki|<siteinfo|<logitem|<!--")
"""What may be between two pages: the end of one dump and the head of the next."""


@dataclass(slots=True)
class DumpPage:
    """A `<page>` element, older revisions left out.

    `offset` is where it begins in the decompressed dump and `length` counts its bytes there; in a .bz2 of several
    streams they are those of the stream (or the streams) in the file that hold it, and `within` is the page's place
    in what these decompress to.
    """

    data: bytes
    offset: int
    within: int | None
    length: int


@dataclass(slots=True)
class DumpLoss:
    """Part of a dump that holds no whole page, and why."""

    offset: int
    within: int | None
    length: int
    error: str


class PageScanner:
    """Cuts chunks into pages. Every byte is searched once."""

    def __init__(self, has_root: bool, before: bytes = b"<page></page>") -> None:
        """`before` is what precedes the first chunk: it decides whether that begins inside a page."""
        self._has_root = has_root
        self._tail = before
        self._between = False
        self._buffer = bytearray()
        self._begin = 0
        self._starts: list[int] = []
        self._places: list[tuple[int, int | None, bool, int | None]] = []
        self._open: tuple[int, int | None] | None = None
        self._removed = 0
        self._from = 0
        self._done = False
        self._gap: DumpLoss | None = None
        self._gap_head = b""

    def scan(self, chunks: Iterable[DumpChunk | DumpGap]) -> Iterator[DumpPage | DumpLoss]:
        """Yield the pages that begin in owned chunks, and what was lost between them."""
        owned, lost = False, False
        self._watch(b"")
        for chunk in chunks:
            owned = chunk.owned
            if isinstance(chunk, DumpGap):
                lost = owned or self._open is not None
                if lost:
                    yield (
                        self._make_loss(chunk.error)
                        if self._open
                        else DumpLoss(chunk.offset, None, chunk.length, chunk.error)
                    )
                self._forget()
                if not owned:
                    return
                continue
            lost = False
            self._starts.append(self._begin + len(self._buffer))
            self._places.append((chunk.offset, chunk.within, chunk.owned, chunk.ends))
            self._buffer += chunk.data
            self._watch(chunk.data)
            yield from self._cut()
            if self._done or (not owned and self._open is None and not self._gap_head.strip()):
                return
        if self._open is None:
            self._note(bytes(self._buffer))
            yield from self._between_pages()
        if self._open is not None:
            yield self._make_loss("the file ends inside a page")
        elif self._has_root and owned and not lost and self._between and CLOSING_TAG not in self._tail:
            offset, within = self._place(self._begin + len(self._buffer))
            yield DumpLoss(offset, within, 0, "the file ends without </mediawiki>: it is cut off")

    def _watch(self, data: bytes) -> None:
        """Remember the end of what was read, and whether it is between pages."""
        seen = self._tail + data
        at = seen.rfind(b"page>")
        if at > 0 and seen[at - 1 : at] in (b"<", b"/"):
            self._between = seen[at - 1 : at] == b"/"
        self._tail = seen[-64:]

    def _cut(self) -> Iterator[DumpPage | DumpLoss]:
        buffer = self._buffer
        while True:
            if self._open is None:
                at = buffer.find(b"<page>", self._from)
                skipped = at if at >= 0 else max(0, len(buffer) - 5)
                self._note(bytes(buffer[:skipped]))
                if at < 0:
                    self._drop(skipped)
                    return
                yield from self._between_pages()
                if not self._is_owned(self._begin + at):
                    self._done = True
                    return
                self._drop(at)
                self._open, self._from, self._removed = self._place(self._begin), 6, 0
            close = buffer.find(b"</page>", self._from)
            again = buffer.find(b"<page>", self._from, close if close >= 0 else len(buffer))
            if again >= 0:
                yield self._make_loss("the page is not closed before the next one begins", again)
                self._drop(again)
                self._open, self._from = None, 0
            elif close >= 0:
                yield DumpPage(bytes(buffer[: close + 7]), *self._open, self._length(close + 7))
                self._drop(close + 7)
                self._open, self._from = None, 0
                self._gap = DumpLoss(*self._place(self._begin), 0, BETWEEN_PAGES_ERROR)
            else:
                self._from = max(6, len(buffer) - 6)
                if len(buffer) > COMPACT_AT_BYTES:
                    self._drop_revisions()
                if len(buffer) > MAX_PAGE_BYTES:
                    yield self._make_loss(f"the page is longer than {MAX_PAGE_BYTES} bytes")
                    self._open, self._from = None, 6
                    continue
                return

    def _note(self, skipped: bytes) -> None:
        """Remember what follows a page, up to the next."""
        if self._gap is not None and skipped:
            self._gap_head += skipped[: GAP_HEAD_BYTES - len(self._gap_head)]
            ends = self._ends(self._begin + len(skipped) - 1)
            length = self._gap.length + len(skipped) if ends is None else ends - self._gap.offset
            self._gap = replace(self._gap, length=length)

    def _between_pages(self) -> Iterator[DumpLoss]:
        """Yield what was between two pages, unless white space or the end of one dump and the next."""
        gap, head = self._gap, self._gap_head
        self._gap, self._gap_head = None, b""
        if gap is not None and head.strip() and not EXPECTED_BETWEEN_PAGES.search(head):
            yield gap

    def _drop_revisions(self) -> None:
        """Forget all but the page's head and its last revision: a history may hold thousands."""
        first, last = self._buffer.find(b"<revision>"), self._buffer.rfind(b"<revision>")
        if last > first >= 0:
            del self._buffer[first:last]
            self._begin += last - first
            self._removed += last - first
            self._from = max(6, self._from - (last - first))

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._begin += count
        self._from = 0
        keep = self._chunk_at(self._begin)
        if keep > 0:
            del self._starts[:keep], self._places[:keep]

    def _forget(self) -> None:
        self._drop(len(self._buffer))
        self._open, self._from = None, 0
        self._gap, self._gap_head = None, b""

    def _chunk_at(self, at: int) -> int:
        """Return the index of the chunk that holds a byte, counted from the first one read."""
        return max(0, bisect_right(self._starts, at) - 1)

    def _is_owned(self, at: int) -> bool:
        return self._places[self._chunk_at(at)][2]

    def _place(self, at: int) -> tuple[int, int | None]:
        if not self._places:
            return 0, None
        index = self._chunk_at(at)
        offset, within, _, _ = self._places[index]
        inside = at - self._starts[index]
        return (offset + inside, None) if within is None else (offset, within + inside)

    def _make_loss(self, error: str, length: int | None = None) -> DumpLoss:
        assert self._open is not None
        return DumpLoss(*self._open, self._length(len(self._buffer) if length is None else length), error)

    def _length(self, size: int) -> int:
        """Return the length in the file of the open page: `size` bytes of the buffer and what was removed of them."""
        assert self._open is not None
        ends = self._ends(self._begin + size - 1)
        return size + self._removed if ends is None else ends - self._open[0]

    def _ends(self, at: int) -> int | None:
        """Return where in the file the bz2 stream of a byte ends; None where it is in none."""
        return self._places[self._chunk_at(at)][3] if self._places else None
