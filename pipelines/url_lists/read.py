"""Read a file of submissions into a part, and yield its packed posts by range."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.document import Failure
from corpus.pipelines.beam.packed import Element, Records, make_records
from corpus.pipelines.url_lists.job import LINKS_SCHEMA, URL_LIST_KINDS, UrlListJob
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.web.url_lists import submissions
from corpus.web.url_lists.index_key import clean_url, hash_of, key_of
from corpus.web.url_lists.links import LinkRules, find_reasons

RUN_ROWS = 1 << 20
"""Rows that are sorted together. Within a file each run is sorted by hash."""
ROW_GROUP_ROWS = 1 << 15
MAX_LISTED_FAILURES = 10_000
"""Failures of a file that are listed; all are counted."""


def read_step(item: str, job: UrlListJob) -> Iterator[Element]:
    """Write the part of a file of submissions unless it exists, and yield its packed posts, by range."""
    at = int(item)
    path, wanted = job.part(at), job.fingerprint(at)
    if read_fingerprint(path) != wanted or not storage.exists(job.counts(at)):
        counts: Counter[str] = Counter()
        failures: list[dict[str, Any]] = []
        with PartWriter(path, LINKS_SCHEMA, wanted) as writer:
            waiting: list[pa.Table] = []
            for rows in submissions.read_submissions(job.files[at][0], job.files[at][1]):
                if isinstance(rows, Failure):
                    counts["failures"] += 1
                    if len(failures) < MAX_LISTED_FAILURES:
                        failures.append(asdict(rows))
                    continue
                waiting.append(make_link_rows(rows, job.rules, counts))
                if sum(map(len, waiting)) >= RUN_ROWS:
                    _write_run(writer, waiting)
                    waiting = []
            _write_run(writer, waiting)
            storage.write_text(job.counts(at), json.dumps({"counts": counts, "failures": failures}))
    with storage.open_input(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(RUN_ROWS, columns=["hash", "id", "score"]):
            columns = {name: batch.column(name).to_numpy() for name in ("hash", "id", "score")}
            posts = unique_posts(make_records(URL_LIST_KINDS.dtypes["posts"], **columns))
            to = range_of(posts["hash"], job.ranges)
            cuts = np.searchsorted(to, np.arange(job.ranges + 1))
            for number in range(job.ranges):
                piece = posts[cuts[number] : cuts[number + 1]]
                if len(piece):
                    yield number, URL_LIST_KINDS.pack("posts", piece)


def make_link_rows(rows: pa.Table, rules: LinkRules, counts: Counter[str]) -> pa.Table:
    """Return the submissions that link to text, as rows of `LINKS_SCHEMA`; add all outcomes to `counts`."""
    mask_by_reason = find_reasons(rows, rules)
    failed = np.zeros(len(rows), np.int64)
    for mask in mask_by_reason.values():
        failed += mask
    links_to_text = rows.filter(pa.array(failed == 0))
    urls = links_to_text["url"].combine_chunks().dictionary_encode()
    keys = [key_of(url) for url in urls.dictionary.to_pylist()]
    hashes = np.array([0 if key is None else hash_of(key) for key in keys], np.uint64)
    spellings = pa.array([clean_url(url) or "" for url in urls.dictionary.to_pylist()], pa.string())
    of_rows = hashes[urls.indices.to_numpy()] if len(urls) else np.empty(0, np.uint64)
    counts["submissions"] += len(rows)
    for name, mask in mask_by_reason.items():
        counts[f"reason:{name}"] += int(mask.sum())
        counts[f"alone:{name}"] += int((mask & (failed == 1)).sum())
    strange = int((of_rows == 0).sum())
    counts["reason:address"] += strange
    counts["alone:address"] += strange
    counts["links"] += len(of_rows) - strange
    table = pa.table(
        {
            "hash": pa.array(of_rows, pa.uint64()),
            "id": pa.array(_number_submissions(links_to_text), pa.uint64()),
            "score": pa.array(
                np.clip(links_to_text["score"].to_numpy(), -(2**31), 2**31 - 1).astype(np.int32), pa.int32()
            ),
            "created": links_to_text["created"],
            "url": pc.take(spellings, urls.indices),
            "key": pc.take(pa.array(keys, pa.string()), urls.indices),
            "subreddit": links_to_text["subreddit"],
        }
    )
    return table.filter(pa.array(of_rows != 0)).cast(LINKS_SCHEMA)


def _number_submissions(rows: pa.Table) -> NDArray[np.uint64]:
    """Return a number per submission, equal in every copy of a dump: its id in base 36, else a hash of the row."""
    numbers = np.empty(len(rows), np.uint64)
    columns = (rows[name].to_pylist() for name in ("id", "url", "created", "subreddit"))
    for at, (name, *row) in enumerate(zip(*columns, strict=True)):
        try:
            number = int(name.removeprefix("t3_"), 36)
        except (ValueError, AttributeError):
            number = -1
        numbers[at] = number if 0 <= number < 2**63 else hash_of(json.dumps([name, *row])) | 1 << 63
    return numbers


def _write_run(writer: PartWriter, tables: list[pa.Table]) -> None:
    if not tables:
        return
    run = pa.concat_tables(tables).sort_by([("hash", "ascending"), ("id", "ascending")])
    for at in range(0, len(run), ROW_GROUP_ROWS):
        writer.write(run.slice(at, ROW_GROUP_ROWS))


def range_of(hashes: NDArray[np.uint64], ranges: int) -> NDArray[np.int64]:
    """Return the range of each hash: equal shares of the upper 32 bits, in order."""
    numbers: NDArray[np.int64] = ((hashes >> np.uint64(32)) * np.uint64(ranges) >> np.uint64(32)).astype(
        np.int64
    )
    return numbers


def unique_posts(posts: Records) -> Records:
    """Return each submission of a URL once, sorted, with its highest score (dumps may repeat a submission)."""
    posts = np.sort(posts, order=["hash", "id", "score"])
    if not len(posts):
        return posts
    last = np.ones(len(posts), bool)
    last[:-1] = (posts["hash"][1:] != posts["hash"][:-1]) | (posts["id"][1:] != posts["id"][:-1])
    return posts[last]
