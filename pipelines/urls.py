"""Submissions to a list of URLs.

    file       `Read`     submissions that link to text, as a part sorted by hash   -> packed (hash, id, score)
    range      `Combine`  every submission once, its score added to its URL's        -> packed (hash, score, count)
    range      `Write`    the rows of the URLs that are wanted, from all parts       -> a part of the list
    (one)      `join`     the parts in the order of crawl indexes                    -> urls.parquet, counts.parquet

Only packed arrays are shuffled: 20 bytes a submission that links to text. A range is a share of the hashes; what
is in the list depends on neither the number of ranges nor that of workers. Parts are kept in `parts/` and are not
made again from the same input and rules.

Memory: a worker holds `RUN_ROWS` submissions while it reads, and a range while it writes (1.1 GB at the peak with 1.5
million links in two ranges); the local engine holds what is shuffled (a month of 2020, 10 million links: 200 MB).
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.document import Failure
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.fanout import FanOut, claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.packed import Element, Kinds, Records, records
from corpus.sources.inputs import list_files
from corpus.storage.fingerprint import file_identity, fingerprint
from corpus.storage.lock import locked
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.web.url_lists import index_key, links, submissions
from corpus.web.url_lists.index_key import hash_of, key_of, sort_key, spelled
from corpus.web.url_lists.links import REASONS, LinkRules, reasons
from corpus.web.url_lists.url_list import GROUP_ROWS, SCHEMA

VERSION = 1
RUN_ROWS = 1 << 20
"""Rows that are sorted at once. Within a file each run is sorted by hash."""
RANGE_BYTES = 16 << 20
"""Compressed input for which there is a range: 100,000 submissions of today, three times as many of old ones."""
PART_GROUP = 1 << 15
KEY, HASH = SCHEMA.names.index("key"), SCHEMA.names.index("hash")
KEPT_FAILURES = 10_000
"""Failures of a file that are listed; all are counted."""

KINDS = Kinds(
    posts=np.dtype([("hash", "<u8"), ("id", "<u8"), ("score", "<i4")]),
    wanted=np.dtype([("hash", "<u8"), ("score", "<i8"), ("count", "<u4")]),
)
PART = pa.schema(
    [
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("id", pa.uint64(), nullable=False),
        pa.field("score", pa.int32(), nullable=False),
        pa.field("created", pa.int64()),
        pa.field("url", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("subreddit", pa.string()),
    ]
)
COUNTS = pa.schema(
    [
        pa.field("what", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("alone", pa.int64()),
    ]
)
"""`what` is submissions or urls; `alone` counts those that nothing else takes out."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A list to make: where, from what (path, name, identity of each file), by which rules."""

    out: str
    files: tuple[tuple[str, str, str], ...]
    rules: LinkRules
    ranges: int

    def part(self, at: int) -> str:
        digest = hashlib.blake2b(self.files[at][1].encode("utf-8", "surrogatepass"), digest_size=8)
        return storage.join(self.out, "parts", f"links-{digest.hexdigest()}.parquet")

    def counts(self, at: int) -> str:
        return self.part(at).removesuffix(".parquet") + ".json"

    def piece(self, number: int) -> str:
        return storage.join(self.out, "parts", f"list-{number:05}.parquet")

    def fingerprint(self, at: int) -> str:
        rules = {**asdict(self.rules), "min_score": self.rules.min_score if self.rules.single_post else None}
        versions = [VERSION, submissions.VERSION, index_key.VERSION, links.lists().identity]
        return fingerprint([versions, rules, self.files[at][1:]])


def make_list(
    patterns: list[str],
    out: str,
    rules: LinkRules,
    running: Running,
    ranges: int | None = None,
    folder: str = ".",
) -> dict[str, Any]:
    """Make OUT/urls.parquet, OUT/counts.parquet and OUT/failures.parquet; the totals. Raises UserError or RunError."""
    out = storage.local(out)
    found = list_files(patterns, folder)
    for file in found:
        if file.error is not None:
            raise UserError(f"{file.path}: {file.error}")
    files = tuple((file.path, file.name, file_identity(file)) for file in found)
    size = sum(file.size for file in found)
    job = Job(out=out, files=files, rules=rules, ranges=ranges or max(1, min(1024, size // RANGE_BYTES)))
    order = sorted(range(len(files)), key=lambda at: (-found[at].size, at))
    with locked(out):
        _clean(job)
        with claims_folder(running, out) as claims:
            try:
                with beam.Pipeline(options=running.options("urls")) as pipeline:
                    build(pipeline, job, [str(at) for at in order], running, claims)
            except (RunError, UserError):
                raise
            except Exception as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
                raise RunError(f"urls failed: {reason}. The same command goes on from its parts") from error
        return _join(job)


def build(pipeline: beam.Pipeline, job: Job, items: list[str], running: Running, claims: str | None) -> None:
    """Put the steps of the module's table on a pipeline."""
    read = FanOut(items, partial(read_step, job=job), running, claims, result_type=tuple[int, bytes])
    (
        pipeline
        | "Read" >> read
        | "Combine" >> beam.CombinePerKey(SumScores(job.rules)).with_output_types(tuple[int, bytes])
        | "Write" >> beam.Map(write_step, job).with_output_types(int)
    )


def read_step(item: str, job: Job) -> Iterator[Element]:
    """One file of submissions: its part, unless it is there, and its packed posts, by range."""
    at = int(item)
    path, wanted = job.part(at), job.fingerprint(at)
    if read_fingerprint(path) != wanted or not storage.exists(job.counts(at)):
        counts: Counter[str] = Counter()
        failures: list[dict[str, Any]] = []
        with PartWriter(path, PART, wanted) as writer:
            waiting: list[pa.Table] = []
            for found in submissions.read_submissions(job.files[at][0], job.files[at][1]):
                if isinstance(found, Failure):
                    counts["failures"] += 1
                    if len(failures) < KEPT_FAILURES:
                        failures.append(asdict(found))
                    continue
                waiting.append(linked(found, job.rules, counts))
                if sum(map(len, waiting)) >= RUN_ROWS:
                    _write_run(writer, waiting)
                    waiting = []
            _write_run(writer, waiting)
            storage.write_text(job.counts(at), json.dumps({"counts": counts, "failures": failures}))
    with storage.open_input(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(RUN_ROWS, columns=["hash", "id", "score"]):
            columns = {name: batch.column(name).to_numpy() for name in ("hash", "id", "score")}
            posts = _unique(records(KINDS.dtypes["posts"], **columns))
            to = range_of(posts["hash"], job.ranges)
            cuts = np.searchsorted(to, np.arange(job.ranges + 1))
            for number in range(job.ranges):
                piece = posts[cuts[number] : cuts[number + 1]]
                if len(piece):
                    yield number, KINDS.pack("posts", piece)


def linked(rows: pa.Table, rules: LinkRules, counts: Counter[str]) -> pa.Table:
    """The submissions that link to text, as rows of `PART`; what became of the others is added to `counts`."""
    found = reasons(rows, rules)
    failed = np.zeros(len(rows), np.int64)
    for mask in found.values():
        failed += mask
    links_to_text = rows.filter(pa.array(failed == 0))
    urls = links_to_text["url"].combine_chunks().dictionary_encode()
    keys = [key_of(url) for url in urls.dictionary.to_pylist()]
    hashes = np.array([0 if key is None else hash_of(key) for key in keys], np.uint64)
    spellings = pa.array([spelled(url) or "" for url in urls.dictionary.to_pylist()], pa.string())
    of_rows = hashes[urls.indices.to_numpy()] if len(urls) else np.empty(0, np.uint64)
    counts["submissions"] += len(rows)
    for name, mask in found.items():
        counts[f"reason:{name}"] += int(mask.sum())
        counts[f"alone:{name}"] += int((mask & (failed == 1)).sum())
    strange = int((of_rows == 0).sum())
    counts["reason:address"] += strange
    counts["alone:address"] += strange
    counts["links"] += len(of_rows) - strange
    table = pa.table(
        {
            "hash": pa.array(of_rows, pa.uint64()),
            "id": pa.array(_ids(links_to_text), pa.uint64()),
            "score": pa.array(
                np.clip(links_to_text["score"].to_numpy(), -(2**31), 2**31 - 1).astype(np.int32), pa.int32()
            ),
            "created": links_to_text["created"],
            "url": pc.take(spellings, urls.indices),
            "key": pc.take(pa.array(keys, pa.string()), urls.indices),
            "subreddit": links_to_text["subreddit"],
        }
    )
    return table.filter(pa.array(of_rows != 0)).cast(PART)


def _ids(rows: pa.Table) -> NDArray[np.uint64]:
    """A number for each submission, the same in every copy of a dump: its id in base 36, else a hash of the row."""
    found = np.empty(len(rows), np.uint64)
    columns = (rows[name].to_pylist() for name in ("id", "url", "created", "subreddit"))
    for at, (name, *row) in enumerate(zip(*columns, strict=True)):
        try:
            number = int(name.removeprefix("t3_"), 36)
        except (ValueError, AttributeError):
            number = -1
        found[at] = number if 0 <= number < 2**63 else hash_of(json.dumps([name, *row])) | 1 << 63
    return found


def _write_run(writer: PartWriter, tables: list[pa.Table]) -> None:
    if not tables:
        return
    run = pa.concat_tables(tables).sort_by([("hash", "ascending"), ("id", "ascending")])
    for at in range(0, len(run), PART_GROUP):
        writer.write(run.slice(at, PART_GROUP))


def range_of(hashes: NDArray[np.uint64], ranges: int) -> NDArray[np.int64]:
    """The range of each hash: equal shares of the upper 32 bits, in their order."""
    found: NDArray[np.int64] = ((hashes >> np.uint64(32)) * np.uint64(ranges) >> np.uint64(32)).astype(
        np.int64
    )
    return found


def _unique(posts: Records) -> Records:
    """Each submission of a URL once, sorted; of two scores (a later scrape) the higher."""
    posts = np.sort(posts, order=["hash", "id", "score"])
    if not len(posts):
        return posts
    last = np.ones(len(posts), bool)
    last[:-1] = (posts["hash"][1:] != posts["hash"][:-1]) | (posts["id"][1:] != posts["id"][:-1])
    return posts[last]


class SumScores(beam.CombineFn):
    """Packed posts of a range -> packed (hash, score, count) of the URLs that the rules want."""

    LEAST = 1 << 16

    def __init__(self, rules: LinkRules) -> None:
        self.rules = rules

    def create_accumulator(self) -> list[bytes]:
        return []

    def add_input(self, accumulator: list[bytes], element: bytes) -> list[bytes]:
        accumulator.append(element)
        newer = sum(map(len, accumulator[1:]))
        if len(accumulator) > 1 and newer > max(self.LEAST, len(accumulator[0])):
            return self.compact(accumulator)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        return self.compact([piece for accumulator in accumulators for piece in accumulator])

    def compact(self, accumulator: list[bytes]) -> list[bytes]:
        (posts,) = KINDS.unpack(accumulator, "posts")
        return [KINDS.pack("posts", _unique(posts))]

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        (posts,) = KINDS.unpack(accumulator, "posts")
        posts = _unique(posts)
        hashes, starts = np.unique(posts["hash"], return_index=True)
        sums = (
            np.add.reduceat(posts["score"].astype(np.int64), starts) if len(posts) else np.empty(0, np.int64)
        )
        counts = np.diff(np.append(starts, len(posts))).astype(np.uint32)
        packed = records(KINDS.dtypes["wanted"], hash=hashes, score=sums, count=counts)
        return KINDS.pack("wanted", packed)


def write_step(element: Element, job: Job) -> int:
    """The part of the list of one range, in the order of `sort_key`; the number of its URLs."""
    number, packed = element
    (totals,) = KINDS.unpack([packed], "wanted")
    enough = totals[(totals["score"] >= job.rules.min_score) | job.rules.single_post]
    rows = _rows_of(job, number, enough["hash"])
    low = len(totals) - len(enough)
    made = fingerprint(
        [number, job.ranges, [job.fingerprint(at) for at in range(len(job.files))], job.rules.min_score]
    )
    with PartWriter(job.piece(number), SCHEMA, made) as writer:
        table = described(rows)
        for at in range(0, len(table), GROUP_ROWS):
            writer.write(table.slice(at, GROUP_ROWS))
    storage.write_text(
        job.piece(number).removesuffix(".parquet") + ".json",
        json.dumps({"urls": len(enough), "low_score": low}),
    )
    return len(enough)


def _rows_of(job: Job, number: int, wanted: NDArray[np.uint64]) -> pa.Table:
    """The rows of some URLs of one range from all parts, those of a submission once."""
    pieces = [PART.empty_table()]
    values = pa.array(wanted, pa.uint64())
    for at in range(len(job.files)):
        with storage.open_input(job.part(at)) as stream:
            part = pq.ParquetFile(stream)
            groups = []
            for group in range(part.num_row_groups):
                bounds = part.metadata.row_group(group).column(0).statistics
                first, last = range_of(np.array([bounds.min, bounds.max], np.uint64), job.ranges)
                if first <= number <= last:
                    groups.append(group)
            for group in groups:
                table = part.read_row_group(group)
                pieces.append(table.filter(pc.is_in(table["hash"], values)))
    return pa.concat_tables(pieces).cast(PART)


def described(rows: pa.Table) -> pa.Table:
    """Rows of `PART` as rows of the list, a URL each, sorted.

    The spelling to fetch is the one with the best score among those that are no mobile or AMP twin, https
    before http, then the shortest.
    """
    # Of copies of a submission the one with the highest score stays; a total order, whatever file came first.
    order = [(name, "ascending") for name in ("hash", "id")] + [("score", "descending")]
    order += [(name, "ascending") for name in ("created", "url", "key", "subreddit")]
    rows = rows.sort_by(order).combine_chunks()
    hashes, ids = rows["hash"].to_numpy(), rows["id"].to_numpy()
    rows = rows.filter(pa.array(_changes(hashes) | _changes(ids))).combine_chunks()
    hashes = rows["hash"].to_numpy()
    starts = np.flatnonzero(_changes(hashes))
    if not len(starts):
        return SCHEMA.empty_table()
    groups = np.cumsum(_changes(hashes)) - 1
    score, key = rows["score"].to_numpy().astype(np.int64), rows["key"].take(pa.array(starts))
    twins = [_twin(*pair) for pair in zip(rows["url"].to_pylist(), rows["key"].to_pylist(), strict=True)]
    ranks = pa.table(
        {
            "group": groups,
            "twin": pa.array(twins, pa.bool_()).cast(pa.uint8()),
            "score": -score,
            "http": pc.invert(pc.starts_with(rows["url"], "https")).cast(pa.uint8()),
            "length": pc.utf8_length(rows["url"]),
            "url": rows["url"],
        }
    )
    best = pc.sort_indices(ranks, [(name, "ascending") for name in ranks.column_names]).to_numpy()
    table = pa.table(
        {
            "url": rows["url"].take(pa.array(best[starts])),
            "key": key,
            "hash": hashes[starts],
            "score": np.add.reduceat(score, starts),
            "submissions": np.diff(np.append(starts, len(rows))).astype(np.int32),
            "first": _extreme(rows["created"], starts, np.minimum, np.iinfo(np.int64).max),
            "last": _extreme(rows["created"], starts, np.maximum, np.iinfo(np.int64).min),
            "subreddits": _distinct(groups, rows["subreddit"], len(starts)),
        },
        schema=SCHEMA,
    )
    names = pa.array([sort_key(one) for one in key.to_pylist()], pa.string())
    by_name = pa.table({"name": names, "hash": table["hash"]})
    return table.take(pc.sort_indices(by_name, [("name", "ascending"), ("hash", "ascending")]))


def _changes(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Where a value differs from the one before it, the first always."""
    found = np.ones(len(values), bool)
    found[1:] = values[1:] != values[:-1]
    return found


def _extreme(times: pa.ChunkedArray, starts: NDArray[np.int64], ufunc: np.ufunc, none: int) -> pa.Array:
    """The first or last time of each group; null where no submission has one."""
    found = ufunc.reduceat(pc.fill_null(times, none).to_numpy(), starts)
    return pa.array(found, pa.int64(), mask=found == none).cast(pa.timestamp("s", "UTC"))


def _distinct(groups: NDArray[np.int64], names: pa.ChunkedArray, count: int) -> pa.Array:
    """The different names of each group, sorted, as lists."""
    pairs = pa.table({"group": groups, "name": names})
    pairs = pairs.filter(
        pc.and_(pc.is_valid(pairs["name"]), pc.not_equal(pc.fill_null(pairs["name"], ""), ""))
    )
    pairs = pairs.group_by(["group", "name"]).aggregate([])
    pairs = pairs.sort_by([("group", "ascending"), ("name", "ascending")])
    offsets = np.searchsorted(pairs["group"].to_numpy(), np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pairs["name"].combine_chunks())


def _twin(url: str, key: str) -> bool:
    """Whether a spelling is of a mobile or AMP twin: its own host and path are not those of the key."""
    bare = url.partition("://")[2].lower()
    return not bare.removeprefix("www.").startswith(key.partition("?")[0].lower())


def _clean(job: Job) -> None:
    """Away with parts of other input and of other ranges."""
    folder = storage.join(job.out, "parts")
    if not storage.exists(folder):
        return
    kept = {job.part(at) for at in range(len(job.files))} | {job.counts(at) for at in range(len(job.files))}
    for path in storage.list_files(folder):
        if path not in kept:
            storage.remove(path)


def _join(job: Job) -> dict[str, Any]:
    """The parts of the list merged in the order of `sort_key`, and the counts of all files. Streams."""
    counts: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    for at in range(len(job.files)):
        found = json.loads(storage.read_text(job.counts(at)))
        counts.update(found["counts"])
        failures += found["failures"]
    if failures and not counts["submissions"]:
        first = failures[0]
        raise RunError(f"no submission was read: {first['file']}: {first['error']}")
    pieces = [job.piece(number) for number in range(job.ranges) if storage.exists(job.piece(number))]
    for piece in pieces:
        totals = json.loads(storage.read_text(piece.removesuffix(".parquet") + ".json"))
        counts["urls"] += totals["urls"]
        counts["low_score_urls"] += totals["low_score"]
    made = fingerprint([job.fingerprint(at) for at in range(len(job.files))] + [job.rules.min_score])
    with PartWriter(storage.join(job.out, "urls.parquet"), SCHEMA, made) as writer:
        for chunk in _merged(pieces):
            writer.write(chunk)
    rows = _counts_rows(counts)
    with PartWriter(storage.join(job.out, "counts.parquet"), COUNTS, made) as writer:
        writer.write(pa.Table.from_pylist(rows, COUNTS))
    names = ("file", "offset", "length", "step", "error")
    types = (pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string())
    schema = pa.schema(list(zip(names, types, strict=True)))
    with PartWriter(storage.join(job.out, "failures.parquet"), schema, made) as writer:
        writer.write(pa.Table.from_pylist(failures, schema))
    for piece in pieces:
        storage.remove(piece)
        storage.remove(piece.removesuffix(".parquet") + ".json")
    return {"rows": rows, "failures": counts["failures"]}


def _sorted_rows(path: str) -> Iterator[tuple[tuple[str, int], tuple[Any, ...]]]:
    """The rows of a piece as (what they are sorted by, their values), times as seconds."""
    with storage.open_input(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(4096):
            # Parquet has no seconds: they come back as milliseconds.
            columns = [
                (
                    column.cast(field.type).cast(pa.int64()) if pa.types.is_timestamp(field.type) else column
                ).to_pylist()
                for column, field in zip(batch.columns, SCHEMA, strict=True)
            ]
            for row in zip(*columns, strict=True):
                yield (sort_key(row[KEY]), row[HASH]), row


def _merged(pieces: list[str]) -> Iterator[pa.Table]:
    """The rows of all pieces in one order, `GROUP_ROWS` at a time."""
    if len(pieces) == 1:
        with storage.open_input(pieces[0]) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(GROUP_ROWS):
                yield pa.Table.from_batches([batch])
        return
    rows = heapq.merge(*map(_sorted_rows, pieces), key=lambda row: row[0])
    while chunk := [row for _, row in islice(rows, GROUP_ROWS)]:
        columns = zip(*chunk, strict=True)
        yield pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def _counts_rows(counts: Counter[str]) -> list[dict[str, Any]]:
    """What became of submissions and URLs, as rows of `COUNTS`."""

    def row(what: str, reason: str | None, count: int, alone: int | None = None) -> dict[str, Any]:
        return {"what": what, "reason": reason, "count": count, "alone": alone}

    taken = [
        row("submissions", name, counts[f"reason:{name}"], counts[f"alone:{name}"])
        for name in REASONS
        if counts[f"reason:{name}"]
    ]
    unread = (
        [row("submissions", "unreadable", counts["failures"], counts["failures"])]
        if counts["failures"]
        else []
    )
    return [
        row("submissions", "all", counts["submissions"] + counts["failures"]),
        *unread,
        *taken,
        row("submissions", "link to text", counts["links"]),
        row("urls", "all", counts["urls"] + counts["low_score_urls"]),
        *([row("urls", "low_score", counts["low_score_urls"])] if counts["low_score_urls"] else []),
        row("urls", "listed", counts["urls"]),
    ]
