"""Read the pages of a list of URLs in one of three ways: from local archives, through a crawl index, or fetched.

`warcs`    every record of the archives whose address has the hash of a page of the list
`index`    CDX, CDXJ, ZipNum clusters (`cluster.idx`) or Common Crawl's columnar index say where each page is; only
           those ranges of the archives below `archive` are read, from disk, S3 or HTTP
`fetched`  the folder of `corpus fetch`; with `fetch` the build fetches what is missing there first

The second and third way give a record for every URL of the list: one without a page stops at a gate that says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from fastwarc import ArchiveIterator
from pydantic import Field, model_validator

from corpus import storage
from corpus.document import Failure, Record
from corpus.errors import UserError, shorten_line
from corpus.sources.inputs import list_files
from corpus.sources.web.members import FASTWARC_ERRORS, WebArchive
from corpus.sources.web.raw_records import read_raw_records
from corpus.sources.web.warc import Warc
from corpus.storage.fingerprint import file_identity
from corpus.web.fetch.options import FetchOptions
from corpus.web.fetch.outcomes import LEDGER_FILE
from corpus.web.index.capture import Capture, Choice
from corpus.web.index.cdx import RANGES_VERSION
from corpus.web.index.lookup import WantedPage, look_up, open_index
from corpus.web.index.ranges import coalesce
from corpus.web.url_lists.index_key import VERSION as KEYS_VERSION
from corpus.web.url_lists.index_key import hash_of, hashes_of, key_of
from corpus.web.url_lists.url_list import contains, find_list, has_hashes, open_list, sorted_hashes

BYTES_PER_PAGE = 20_000
"""What a page of a list counts in split sizes: an average record of a crawl, compressed."""
MAX_CONCURRENT_OPENS = 16
RECORD_SLACK_BYTES = 1 << 20
"""Bytes that a record may have beyond its page: headers, and what does not compress."""
MAX_SPLIT_PAGES = 20_000
"""Pages of a split: the captures and the key ranges of all of them are in memory together."""


WAYS = ("warcs", "index", "fetched")
"""Keys that say where the pages of a list are, one of which a source has."""


class Urls(Warc):
    """Pages of a list (`urls`, Parquet with a column `url`). Exactly one of `warcs`, `index`, `fetched` is given.

    Gates beside those of archives: `urls.not_captured` (no index knows the page), `urls.status` and `urls.revisit`
    (no capture holds a page), `urls.unreadable` (its record or an index could not be read: see quarantine),
    `fetch.REASON` (see docs/sources/fetch.md). Of several captures in indexes the `newest` is read, or the one
    `nearest` to the first submission; of several in `warcs` the build's own deduplication by URL leaves one.
    """

    FILE_KEYS: ClassVar[tuple[str, ...]] = ("urls", "warcs", "index", "archive", "fetched")

    kind: Literal["urls"] = "urls"  # type: ignore[assignment]
    paths: list[str] = Field(default=[])
    urls: str | None = None
    warcs: list[str] = Field(default=[])
    index: list[str] = Field(default=[])
    archive: str | None = None
    choose: Choice = "newest"
    fetched: str | None = None
    fetch: FetchOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_way(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        given = {**given}
        for key in ("warcs", "index"):
            if isinstance(given.get(key), str):
                given[key] = [given[key]]
        if isinstance(given.get("urls"), str):
            given["urls"] = find_list(given["urls"])
        ways = [key for key in WAYS if given.get(key)]
        if len(ways) != 1:
            raise ValueError("give exactly one of warcs, index and fetched")
        if not given.get("urls") and (ways != ["fetched"] or given.get("fetch")):
            raise ValueError("`urls` is required: a list made by `corpus urls`")
        if given.get("fetch") and ways != ["fetched"]:
            raise ValueError("`fetch` requires `fetched`, the folder for the pages")
        if given.get("archive") and ways != ["index"]:
            raise ValueError(
                "`archive` requires `index`: it is the location of the files that the index names"
            )
        paths = {"warcs": given.get("warcs"), "index": [given.get("urls")]}
        fetched = [storage.join(str(given.get("fetched")), LEDGER_FILE)]
        given["paths"] = paths.get(ways[0], fetched)
        return given

    @classmethod
    def version(cls) -> int:
        return 2 + 100 * super().version()

    def prepare(self, say: Callable[[str], None] | None) -> None:
        if self.urls is not None:
            if not storage.exists(self.urls):
                raise UserError(f"no such file: {self.urls} (`corpus urls` makes it)", ("urls",))
            try:
                open_list(self.urls).close()
            except UserError as error:
                raise UserError(str(error), ("urls",)) from None
        if self.warcs and self.urls is not None:
            sorted_hashes(self.urls)
        if self.index:
            try:
                with ThreadPoolExecutor(MAX_CONCURRENT_OPENS) as threads:  # remote ones answer slowly
                    list(threads.map(open_index, self._indexes()))
            except (UserError, OSError) as error:
                raise UserError(str(error), ("index",)) from None
        if self.fetched is not None:
            self._fetch(say)

    def _fetch(self, say: Callable[[str], None] | None) -> None:
        from corpus.web.fetch.crawl import fetch_list

        if self.fetch is not None and say is not None:
            assert self.urls is not None and self.fetched is not None
            fetch_list(self.urls, self.fetched, self.fetch, say)
        elif not storage.exists(self.paths[0]):
            raise UserError(
                f"{self.paths[0]} does not exist: finish `corpus fetch`, which writes it, or give "
                "`fetch: {contact: ...}` to fetch during the build",
                ("fetched",),
            )

    def parameters(self) -> dict[str, Any]:
        # Where lists and indexes lie changes no document; what is in them does.
        kept = {"snapshot", "license", "max_bytes", "choose", "kind"}
        inherited = {key: value for key, value in super().parameters().items() if key in {*kept, "version"}}
        lists = _find_files((self.urls,), None) if self.warcs and self.urls else []
        files = [*lists, *_find_files(tuple(self.index), self.base)] if self.index else lists
        ranges = {"ranges": RANGES_VERSION} if self.index else {}
        return {**inherited, "keys": KEYS_VERSION, **ranges, "of": [_identity(file) for file in files]}

    def is_wanted(self, url: str | None) -> bool:
        if not self.warcs or self.urls is None:
            return True
        hashes = hashes_of([url])
        return bool(hashes[0]) and bool(contains(sorted_hashes(self.urls), hashes)[0])

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if self.warcs:
            return super().plan(path, size, split_size)
        try:
            with storage.open_input(path) as stream:
                rows = pq.ParquetFile(stream).metadata.num_rows
        except pa.ArrowException as error:
            raise UserError(f"{path}: not Parquet: {error}") from None
        step = max(1, min(MAX_SPLIT_PAGES, split_size // BYTES_PER_PAGE))
        starts = range(0, max(rows, 1), step)
        return [(at * BYTES_PER_PAGE, min(at + step, max(rows, 1)) * BYTES_PER_PAGE) for at in starts]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        if self.warcs:
            yield from super().read(path, file, start, end)
            return
        first, last = start // BYTES_PER_PAGE, end // BYTES_PER_PAGE
        if self.index:
            yield from self._read_index(path, file, first, last)
        else:
            yield from self._read_fetched(path, file, first, last)

    def _read_index(self, path: str, file: str, first: int, last: int) -> Iterator[Record | Failure]:
        wanted = [page for page in _read_wanted_pages(path, first, last)]
        capture_by_hash, failures = look_up(
            [page for page in wanted if page.hash], self._indexes(), self.choose
        )
        yield from failures
        # What an index that could not be read to its end knows of the other pages is lost, not nothing.
        absent = "urls.unreadable" if any(not failure.length for failure in failures) else "urls.not_captured"
        captures: dict[Capture, WantedPage] = {}
        for page in wanted:
            capture = capture_by_hash.get(page.hash)
            if capture is None:
                yield self._make_gated_record(page, file, absent)
            elif not capture.is_page:
                gate = "urls.status" if capture.status[:1].isdecimal() else "urls.revisit"
                yield self._make_gated_record(
                    page, file, gate, {"status": capture.status} if gate == "urls.status" else {}
                )
            else:
                captures[capture] = page
        root = self.archive or self._indexes()[0].rpartition("/")[0]
        yield from self._read_captures(root, file, captures)

    def _read_fetched(self, path: str, file: str, first: int, last: int) -> Iterator[Record | Failure]:
        captures: dict[Capture, WantedPage] = {}
        for row in _read_rows(path, first, last):
            page = WantedPage(row["row"], row["url"], row["hash"])
            robots = {"robots": row["robots"]} if row["robots"] else {}
            if row["outcome"] == "fetched":
                captures[
                    Capture(
                        url=row["final_url"],
                        time="",
                        status=str(row["status"]),
                        mime="",
                        file=row["file"],
                        offset=row["offset"],
                        length=row["length"],
                        metadata={
                            **robots,
                            **({"requested": row["url"]} if row["url"] != row["final_url"] else {}),
                        },
                    )
                ] = page
            else:
                status = {"status": str(row["status"])} if row["status"] else {}
                why = {"reason": row["reason"]} if row["reason"] else {}
                yield self._make_gated_record(
                    page, file, f"fetch.{row['outcome']}", {**robots, **status, **why}
                )
        assert self.fetched is not None
        yield from self._read_captures(self.fetched, file, captures)

    def _make_gated_record(
        self, page: WantedPage, file: str, gate: str, said: dict[str, str] | None = None
    ) -> Record:
        """Make the gated record of a page that could not be obtained."""
        return Record(
            native_id=f"url\0{page.url}",
            file=file,
            offset=page.row,
            length=0,
            url=page.url,
            snapshot=self.snapshot,
            metadata=said or {},
            gate=gate,
        )

    def _read_captures(
        self, root: str, file: str, captures: dict[Capture, WantedPage]
    ) -> Iterator[Record | Failure]:
        max_length = int(self.max_bytes) + RECORD_SLACK_BYTES
        for capture in [capture for capture in captures if capture.length > max_length]:
            yield _make_failure(
                capture, f"a record of {capture.length:,} bytes, over max_bytes of the source"
            )
            yield self._make_gated_record(captures[capture], file, "urls.unreadable")
        for group in coalesce(capture for capture in captures if capture.length <= max_length):
            begin, path = group[0].offset, storage.join(root, group[0].file)
            try:
                if not group[0].length:  # alone in its group: only the file says how far it can go
                    ends = [min(begin + int(self.max_bytes), storage.size(path))]
                else:
                    ends = [capture.offset + capture.length for capture in group]
                content = storage.read_range(path, begin, max(ends))
            except OSError as error:
                for capture in group:
                    yield _make_failure(capture, f"cannot be read: {error}", "range")
                    yield self._make_gated_record(captures[capture], file, "urls.unreadable")
                continue
            for capture, end in zip(group, ends, strict=True):
                piece = content[capture.offset - begin : end - begin]
                for outcome in self._read_record(capture, captures[capture], piece):
                    yield outcome
                    if isinstance(outcome, Failure):
                        yield self._make_gated_record(captures[capture], file, "urls.unreadable")

    def _read_record(self, capture: Capture, page: WantedPage, piece: bytes) -> Iterator[Record | Failure]:
        """Yield the record that begins with the bytes; a Failure where it is cut or of another page."""
        if capture.length and len(piece) < capture.length:
            yield _make_failure(capture, f"cut: {len(piece)} of {capture.length} bytes")
            return
        try:
            outcomes = list(self._read_first(piece, capture))
        except FASTWARC_ERRORS as error:
            yield _make_failure(capture, f"{type(error).__name__}: {error}")
            return
        if not outcomes:
            yield _make_failure(capture, "no record of a page begins here")
        archive = WebArchive(BytesIO(piece))
        length = capture.length or archive.record_end(archive.begins) or 0
        for outcome in outcomes:
            outcome.length = length
            if isinstance(outcome, Record):
                key = key_of(outcome.url or "")
                if (hash_of(key) if key else 0) != page.hash and outcome.url != capture.url:
                    yield _make_failure(
                        capture, f"the record here is of another page: {shorten_line(outcome.url or '', 200)}"
                    )
                    continue
                outcome.metadata.update(capture.metadata)
            yield outcome

    def _read_first(self, piece: bytes, capture: Capture) -> Iterator[Record | Failure]:
        """Yield what the record gives that some bytes begin with."""
        archive = WebArchive(BytesIO(piece))
        if archive.opens(0) and not archive.suits_fastwarc(0):
            content = archive.read_content(0)
            for raw in read_raw_records(content.read, self._limit, is_whole_member=archive.is_packed):
                yield from self._convert_raw(raw, capture.file, capture.offset)
                return
        record = next(ArchiveIterator(BytesIO(piece), strict_mode=False, parse_http=False), None)
        if record is not None:
            yield from self._record(record, capture.file, capture.offset)

    def _indexes(self) -> list[str]:
        return [file.path for file in _find_files(tuple(self.index), self.base)]


@lru_cache(maxsize=64)
def _find_files(patterns: tuple[str, ...], base: str | None) -> list[storage.File]:
    """Return the files that patterns and lists name, looked up once. Raises UserError where one names none."""
    files = list_files(patterns, os.getcwd(), base)
    for file in files:
        if file.error is not None:
            raise UserError(f"{file.path}: {file.error}", ("index",))
    return files


def _identity(file: storage.File) -> str:
    """Identify the content of a file; a changed local one is read again."""
    return _identity_of(file, 0.0 if storage.is_remote(file.path) else storage.modification_time(file.path))


@lru_cache(maxsize=4096)
def _identity_of(file: storage.File, changed: float) -> str:
    return file_identity(file)


def _make_failure(capture: Capture, error: str, step: str = "read") -> Failure:
    return Failure(file=capture.file, offset=capture.offset, length=capture.length, step=step, error=error)


def _read_rows(path: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Yield rows [first, last) of a Parquet file, each with its number as `row`. Reads their row groups only."""
    with storage.open_input(path) as stream:
        parquet = pq.ParquetFile(stream)
        at = 0
        for group in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            if at < last and at + rows > first:
                table = parquet.read_row_group(group)
                begin, end = max(first - at, 0), min(last - at, rows)
                for number, row in enumerate(table.slice(begin, end - begin).to_pylist(), at + begin):
                    yield {**row, "row": number}
            at += rows


def _read_wanted_pages(path: str, first: int, last: int) -> Iterator[WantedPage]:
    """Yield the pages of rows [first, last) of a list."""
    with open_list(path) as url_list:
        known = has_hashes(url_list)
    for row in _read_rows(path, first, last):
        url = row["url"] or ""
        submitted = row.get("first")
        hashed = row["hash"] if known else int(hashes_of([url])[0])
        yield WantedPage(row["row"], url, hashed, submitted if isinstance(submitted, datetime) else None)
