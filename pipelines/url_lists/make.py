"""Make a list of URLs from submissions.

    file       `Read`     submissions that link to text, as a part sorted by hash   -> packed (hash, id, score)
    range      `Combine`  every submission once, its score added to its URL's        -> packed (hash, score, count)
    range      `Write`    the rows of the wanted URLs, from all parts                -> a piece of the list
    (one)      `join`     the pieces in the order of crawl indexes                   -> urls.parquet, counts.parquet

Only packed arrays are shuffled: 20 bytes per submission that links to text. A range is a share of the hashes; the
list depends on neither the number of ranges nor that of workers. Parts are kept in `parts/` and are not made again
from the same input and rules.

Memory: a worker holds `read.RUN_ROWS` submissions while it reads, and a range while it writes (1.1 GB at the peak with
1.5 million links in two ranges); the local engine holds what is shuffled (a month of 2020, 10 million links: 200 MB).
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import RunError, UserError, shorten_line
from corpus.pipelines.beam.fanout import fan_out, make_claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.url_lists.job import UrlListJob
from corpus.pipelines.url_lists.read import read_step
from corpus.pipelines.url_lists.write import SumScores, write_step
from corpus.sources.inputs import list_files
from corpus.sources.recognize import Recognized, recognize_file
from corpus.sources.recognize.file_verdicts import REDDIT_SUBMISSIONS
from corpus.storage.fingerprint import file_identity, fingerprint
from corpus.storage.lock import hold_lock
from corpus.storage.part_writer import PartWriter
from corpus.web.url_lists.index_key import sort_key
from corpus.web.url_lists.links import REASONS, LinkRules
from corpus.web.url_lists.url_list import URL_LIST_GROUP_ROWS, URL_LIST_SCHEMA

if TYPE_CHECKING:
    import apache_beam as beam

RANGE_INPUT_BYTES = 16 << 20
"""Compressed input per range: 100,000 recent submissions, or three times as many old ones."""
KEY_COLUMN, HASH_COLUMN = URL_LIST_SCHEMA.names.index("key"), URL_LIST_SCHEMA.names.index("hash")
COUNTS_SCHEMA = pa.schema(
    [
        pa.field("what", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("alone", pa.int64()),
    ]
)
"""`what` is submissions or urls; `alone` counts those that are left out for this reason only."""


def make_list(
    patterns: list[str],
    out: str,
    rules: LinkRules,
    running: Running,
    ranges: int | None = None,
    folder: str = ".",
) -> dict[str, Any]:
    """Make OUT/urls.parquet, OUT/counts.parquet and OUT/failures.parquet; return the totals.

    Raises UserError or RunError.
    """
    out = storage.local_path(out)
    input_files = list_files(patterns, folder)
    for file in input_files:
        if file.error is not None:
            raise UserError(f"{file.path}: {file.error}")
    files = tuple((file.path, file.name, file_identity(file)) for file in input_files)
    size = sum(file.size for file in input_files)
    job = UrlListJob(
        out=out, files=files, rules=rules, ranges=ranges or max(1, min(1024, size // RANGE_INPUT_BYTES))
    )
    order = sorted(range(len(files)), key=lambda at: (-input_files[at].size, at))
    with hold_lock(out):
        _remove_stale_parts(job)
        with make_claims_folder(running, out) as claims:
            try:
                with running.open_pipeline("urls") as pipeline:
                    build_url_list_pipeline(pipeline, job, [str(at) for at in order], running, claims)
            except (RunError, UserError):
                raise
            except Exception as error:
                reason = shorten_line((str(error).strip().splitlines() or [type(error).__name__])[-1])
                raise RunError(
                    f"urls failed: {reason}. Finished parts are kept: resume with the same command"
                ) from error
        return _join(job)


def build_url_list_pipeline(
    pipeline: beam.Pipeline, job: UrlListJob, items: list[str], running: Running, claims: str | None
) -> None:
    """Put the steps of the module's table on a pipeline."""
    from corpus.pipelines.beam.types import combine_per_key, map_each

    read = fan_out(items, partial(read_step, job=job), running, claims, result_type=tuple[int, bytes])
    (
        pipeline
        | "Read" >> read
        | "Combine" >> combine_per_key(SumScores(job.rules), tuple[int, bytes])
        | "Write" >> map_each(write_step, job, output=int)
    )


def _remove_stale_parts(job: UrlListJob) -> None:
    """Remove the parts of other input, and all pieces."""
    folder = storage.join(job.out, "parts")
    if not storage.exists(folder):
        return
    kept = {job.part(at) for at in range(len(job.files))} | {job.counts(at) for at in range(len(job.files))}
    for path in storage.list_files(folder):
        if path not in kept:
            storage.remove(path)


def _join(job: UrlListJob) -> dict[str, Any]:
    """Merge the pieces of the list in the order of `sort_key`, and add up the counts of all files. Streams rows."""
    counts: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    for at in range(len(job.files)):
        stored = json.loads(storage.read_text(job.counts(at)))
        _check_submissions(job.files[at][0], Counter(stored["counts"]))
        counts.update(stored["counts"])
        failures += stored["failures"]
    if failures and not counts["submissions"]:
        first = failures[0]
        raise RunError(f"no submission was read: {first['file']}: {first['error']}")
    pieces = [job.piece(number) for number in range(job.ranges) if storage.exists(job.piece(number))]
    for piece in pieces:
        totals = json.loads(storage.read_text(piece.removesuffix(".parquet") + ".json"))
        counts["urls"] += totals["urls"]
        counts["low_score_urls"] += totals["low_score"]
    made_from = fingerprint([job.fingerprint(at) for at in range(len(job.files))] + [job.rules.min_score])
    with PartWriter(storage.join(job.out, "urls.parquet"), URL_LIST_SCHEMA, made_from) as writer:
        for chunk in _merge_rows(pieces):
            writer.write(chunk)
    rows = _make_counts_rows(counts)
    with PartWriter(storage.join(job.out, "counts.parquet"), COUNTS_SCHEMA, made_from) as writer:
        writer.write(pa.Table.from_pylist(rows, COUNTS_SCHEMA))
    names = ("file", "offset", "length", "step", "error")
    types = (pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string())
    schema = pa.schema(list(zip(names, types, strict=True)))
    with PartWriter(storage.join(job.out, "failures.parquet"), schema, made_from) as writer:
        writer.write(pa.Table.from_pylist(failures, schema))
    for piece in pieces:
        storage.remove(piece)
        storage.remove(piece.removesuffix(".parquet") + ".json")
    return {"rows": rows, "failures": counts["failures"]}


def _check_submissions(path: str, counts: Counter[str]) -> None:
    """Raise RunError if the rows of a file are no submissions: not one has an address, or not one has a score."""
    for reason, what in (("address", "an address that it links to"), ("no_score", "a score")):
        if not counts["submissions"] or counts[f"reason:{reason}"] < counts["submissions"]:
            continue
        verdict = None if storage.is_remote(path) else recognize_file(path)
        if verdict == REDDIT_SUBMISSIONS:
            continue
        holds = "give submissions of Reddit, such as RS_2023-01.zst"
        if isinstance(verdict, Recognized):
            holds = f"it holds {verdict.what}, which `kind: {verdict.kind}` of a manifest reads"
        rows = counts["submissions"]
        none = f"none of its {rows:,} rows has" if rows > 1 else "its row does not have"
        raise RunError(f"{path}: no submissions of Reddit: {none} {what}: {holds}")


def _read_sorted_rows(path: str) -> Iterator[tuple[tuple[str, int], tuple[Any, ...]]]:
    """Yield the rows of a piece as (sort key, values), times as seconds."""
    with storage.open_input(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(4096):
            # Parquet has no seconds: they come back as milliseconds.
            columns = [
                (
                    column.cast(field.type).cast(pa.int64()) if pa.types.is_timestamp(field.type) else column
                ).to_pylist()
                for column, field in zip(batch.columns, URL_LIST_SCHEMA, strict=True)
            ]
            for row in zip(*columns, strict=True):
                yield (sort_key(row[KEY_COLUMN]), row[HASH_COLUMN]), row


def _merge_rows(pieces: list[str]) -> Iterator[pa.Table]:
    """Yield the rows of all pieces in one order, `URL_LIST_GROUP_ROWS` at a time."""
    if len(pieces) == 1:
        with storage.open_input(pieces[0]) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(URL_LIST_GROUP_ROWS):
                yield pa.Table.from_batches([batch])
        return
    rows = heapq.merge(*map(_read_sorted_rows, pieces), key=lambda row: row[0])
    while chunk := [row for _, row in islice(rows, URL_LIST_GROUP_ROWS)]:
        columns = zip(*chunk, strict=True)
        yield pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, URL_LIST_SCHEMA, strict=True)],
            schema=URL_LIST_SCHEMA,
        )


def _make_counts_rows(counts: Counter[str]) -> list[dict[str, Any]]:
    """Return the counts of submissions and URLs by outcome, as rows of `COUNTS_SCHEMA`."""

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
