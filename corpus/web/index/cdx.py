"""Search crawl indexes as sorted text: CDX, CDXJ, and ZipNum clusters of either.

A page is looked up by the range of lines that its spellings can have, so an index of terabytes is read at a few
places; lines are matched by the hash of their URL.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from w3lib.url import canonicalize_url

from corpus.errors import UserError
from corpus.storage import DAMAGE, is_remote, open_decompressed, open_input, read_range, size
from corpus.web.index.capture import Capture, check_place
from corpus.web.index.cdx_fields import Layout, is_header, is_searchable, read_layout
from corpus.web.index.ranges import PagedFile
from corpus.web.index.surt import escape, surt_of
from corpus.web.url_lists.index_key import clean_url, key_of, sort_key

RANGES_VERSION = 1
"""Increased when a page is looked for in other ranges."""
MAX_CHECKED_BYTES = 256 << 20
"""Bytes up to which a local index is checked to be sorted before it is searched."""
LAYOUT_LINES = 8
"""Lines that tell how a file is laid out: what precedes the captures, and one of them."""
MAX_LINE_BYTES = 1 << 16
MAX_CACHED_BLOCKS = 8
MAX_BLOCK_BYTES = 64 << 20
"""Bytes that a block of a cluster may have, compressed or not; Common Crawl's have 3,000 lines, 1.5 MB."""
_WWW = re.compile(r"^www\d{0,2}\.(?=[^.]+\.[^.])")
KeyRange = tuple[bytes, bytes]


class TextIndex(Protocol):
    """An index in which lines can be found by ranges of their keys."""

    path: str

    def lines(self, ranges: Iterable[KeyRange]) -> Iterator[bytes]:
        """Yield the lines that are in one of the sorted, disjoint ranges [low, high)."""
        ...

    def capture(self, line: bytes) -> Capture | None:
        """Parse a line; None for one that holds no capture. Raises ValueError where it is damaged."""
        ...


def lookup_ranges(url: str) -> list[KeyRange]:
    """Return the ranges of lines that captures of a page have in a sorted index.

    The page itself (`com,example)/a `), and with its query or any (`com,example)/a?`): of the address as it
    is spelled, as web archives canonicalize it, and of what all its spellings share. `www.` is not in the keys of
    indexes.
    """
    key, text = key_of(url), clean_url(url)
    if key is None or text is None:
        return []
    canonical_host = (urlsplit(canonicalize_url(text)).hostname or "").rstrip(".")
    rest = text.partition("://")[2].partition("#")[0]
    host, slash, path = rest.partition("/")
    own = f"{_WWW.sub('', host.rpartition('@')[2].lower())}{slash}{path}"
    names = {_to_surt(sort_key(key)), _to_surt(sort_key(own)), surt_of(text, canonical_host)}
    ranges: list[KeyRange] = []
    for name in names:
        ranges.append((name + b" ", name + b"!"))
        # Further parameters, such as those of campaigns: `&` after a query, else `?` and `@` behind it.
        ranges.append((name + b"&", name + b"'") if b"?" in name else (name + b"?", name + b"@"))
    return ranges


def _to_surt(name: str) -> bytes:
    """Escape a sort key as indexes do."""
    head, mark, query = name.partition("?")
    slashes = head.rstrip("/") + "/" if head.endswith(")/") else head.rstrip("/")
    pieces = [escape(unquote_to_bytes(piece)) for piece in (slashes, query)]
    return pieces[0] + (b"?" + pieces[1] if mark and query else b"")


def merge_ranges(ranges: Iterable[KeyRange]) -> list[KeyRange]:
    """Sort ranges and merge those that touch."""
    disjoint: list[KeyRange] = []
    for low, high in sorted(ranges):
        if disjoint and low <= disjoint[-1][1]:
            disjoint[-1] = (disjoint[-1][0], max(high, disjoint[-1][1]))
        else:
            disjoint.append((low, high))
    return disjoint


class SortedFile:
    """A plain CDX or CDXJ file in the order of its SURT keys, searched in place."""

    def __init__(self, path: str, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self._pages = PagedFile(path)

    def capture(self, line: bytes) -> Capture | None:
        return self.layout.parse(line)

    def lines(self, ranges: Iterable[KeyRange]) -> Iterator[bytes]:
        at = 0
        for low, high in ranges:
            at = find_first_line(self._pages, low, at)
            while at < self._pages.size:
                line, following = self._pages.line_from(at)
                if line >= high and not is_header(line):
                    break
                at = following
                yield line


def find_first_line(pages: PagedFile, key: bytes, begin: int = 0) -> int:
    """Return where the first line at or above `key` begins, from the line at `begin` on; the size if none does."""
    low, high = begin, pages.size
    while low < high:
        middle = (low + high) // 2
        at = middle if middle == low else pages.line_from(middle - 1)[1]
        if at >= high:
            # No line begins in between.
            high = middle
            continue
        line, following = pages.line_from(at)
        while is_header(line) and following < high:
            line, following = pages.line_from(following)
        if line < key and not is_header(line):
            low = following
        else:
            high = middle
    return low


@lru_cache(maxsize=64)
def _can_be_searched(path: str) -> bool:
    """Return whether a search finds every line of a file. Raises UserError where its captures are in no order."""
    last, can_be_searched = b"", True
    with open_input(path) as stream:
        for number, line in enumerate(stream, 1):
            if is_header(line):
                continue
            if line < last:
                raise UserError(f"{path}:{number}: an index must be sorted by bytes: LC_ALL=C sort {path}")
            can_be_searched = can_be_searched and is_searchable(line)
            last = line
    return can_be_searched


class ZipNumCluster:
    """A ZipNum cluster: `cluster.idx` names the first line of each gzip block of the files beside it.

    Common Crawl's: https://data.commoncrawl.org/cc-index/collections/CC-MAIN-2024-10/indexes/cluster.idx
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._folder = path.rpartition("/")[0]
        self._pages = PagedFile(path)
        self._blocks = lru_cache(maxsize=MAX_CACHED_BLOCKS)(self._load)
        head = self._pages.line_from(0)[0]
        if len(head.split(b"\t")) < 4:
            raise UserError(
                f"{path}: not a cluster.idx: expected key, file, offset and length separated by tabs"
            )

    def capture(self, line: bytes) -> Capture | None:
        return read_layout([line]).parse(line)

    def lines(self, ranges: Iterable[KeyRange]) -> Iterator[bytes]:
        pages, at = self._pages, 0
        for low, high in ranges:
            after = find_first_line(pages, low, at)
            at = self._line_before(after)
            position = at
            while position < pages.size:
                line, position = pages.line_from(position)
                key, *place = line.split(b"\t")
                if key >= high:
                    break
                file, offset, length = place[:3]
                name, begin, size = file.decode(), int(offset), int(length)
                check_place(name, begin, size)
                block = self._blocks(name, begin, size)
                yield from (block_line for block_line in block if low <= block_line < high)

    def _line_before(self, at: int) -> int:
        """Return the start of the line before the one at `at`: a key may be in the block that began before it."""
        if at == 0:
            return 0
        back = min(at, 1 << 12)
        while True:
            piece = self._pages.read(at - back, at - 1)
            cut = piece.rfind(b"\n")
            if cut >= 0:
                return at - back + cut + 1
            if back == at:
                return 0
            back = min(at, back * 2)

    def _load(self, file: str, offset: int, length: int) -> list[bytes]:
        if length > MAX_BLOCK_BYTES:
            raise OSError(f"{file} at {offset}: a block of {length:,} bytes, over {MAX_BLOCK_BYTES:,}")
        raw = read_range(f"{self._folder}/{file}" if self._folder else file, offset, offset + length)
        try:
            with gzip.open(BytesIO(raw)) as stream:
                content = stream.read(MAX_BLOCK_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise OSError(f"{file} at {offset}: the block is damaged: {error}") from error
        if len(content) > MAX_BLOCK_BYTES:
            raise OSError(
                f"{file} at {offset}: the block decompresses to more than {MAX_BLOCK_BYTES:,} bytes"
            )
        return content.splitlines()


class ScannedIndex:
    """An index that is read whole for every lookup: a compressed one, or one that a search would miss lines of.

    Of lines that a search would find only those of wanted pages are parsed.
    """

    def __init__(self, path: str, layout: Layout) -> None:
        self.path, self.layout = path, layout
        if not layout.is_by_surt and size(path) > MAX_CHECKED_BYTES:
            raise UserError(
                f"{path}: its lines do not begin with SURT keys (org,example)/path): it cannot be searched, and with "
                f"{size(path):,} bytes it is too large to be read for every lookup: make a CDXJ of the archives"
            )

    def capture(self, line: bytes) -> Capture | None:
        return self.layout.parse(line)

    def lines(self, ranges: Iterable[KeyRange]) -> Iterator[bytes]:
        from bisect import bisect_right

        wanted = list(ranges)
        lows = [low for low, _ in wanted]
        with open_decompressed(self.path) as stream:
            for line in stream:
                at = bisect_right(lows, line) - 1
                if (at >= 0 and line < wanted[at][1]) or not is_searchable(line):
                    yield line.rstrip(b"\r\n")


def open_text_index(path: str) -> TextIndex:
    """Open the index at a path, by its name and first bytes. Raises UserError where it is none."""
    if path.endswith(".idx"):
        return ZipNumCluster(path)
    if not size(path):
        raise UserError(f"{path}: the index is empty")
    with open_input(path) as stream:
        compressed = stream.read(2) in (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5")
    try:
        with open_decompressed(path) as stream:
            layout = read_layout([stream.readline(MAX_LINE_BYTES) for _ in range(LAYOUT_LINES)])
    except (ValueError, *DAMAGE) as error:
        raise UserError(f"{path}: not an index: {error}") from None
    if compressed or not layout.is_by_surt:
        return ScannedIndex(path, layout)
    is_checked = not is_remote(path) and size(path) <= MAX_CHECKED_BYTES
    return (
        SortedFile(path, layout) if not is_checked or _can_be_searched(path) else ScannedIndex(path, layout)
    )
