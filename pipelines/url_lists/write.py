"""Add up the scores of each URL, and write the rows of the wanted ones, range by range."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.pipelines.beam.packed import Element, make_records
from corpus.pipelines.url_lists.job import LINKS_SCHEMA, URL_LIST_KINDS, UrlListJob
from corpus.pipelines.url_lists.read import range_of, unique_posts
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter
from corpus.web.url_lists.index_key import sort_key
from corpus.web.url_lists.links import LinkRules
from corpus.web.url_lists.url_list import URL_LIST_GROUP_ROWS, URL_LIST_SCHEMA


class SumScores:
    """Combine the packed posts of a range into packed (hash, score, count) of each URL."""

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
        (posts,) = URL_LIST_KINDS.unpack(accumulator, "posts")
        return [URL_LIST_KINDS.pack("posts", unique_posts(posts))]

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        (posts,) = URL_LIST_KINDS.unpack(accumulator, "posts")
        posts = unique_posts(posts)
        hashes, starts = np.unique(posts["hash"], return_index=True)
        sums = (
            np.add.reduceat(posts["score"].astype(np.int64), starts) if len(posts) else np.empty(0, np.int64)
        )
        counts = np.diff(np.append(starts, len(posts))).astype(np.uint32)
        packed = make_records(URL_LIST_KINDS.dtypes["wanted"], hash=hashes, score=sums, count=counts)
        return URL_LIST_KINDS.pack("wanted", packed)


def write_step(element: Element, job: UrlListJob) -> int:
    """Write the piece of the list of one range, in the order of `sort_key`; return the number of its URLs."""
    number, packed = element
    (totals,) = URL_LIST_KINDS.unpack([packed], "wanted")
    enough = totals[(totals["score"] >= job.rules.min_score) | job.rules.single_post]
    rows = _read_rows(job, number, enough["hash"])
    low = len(totals) - len(enough)
    made_from = fingerprint(
        [number, job.ranges, [job.fingerprint(at) for at in range(len(job.files))], job.rules.min_score]
    )
    with PartWriter(job.piece(number), URL_LIST_SCHEMA, made_from) as writer:
        table = make_list_rows(rows)
        for at in range(0, len(table), URL_LIST_GROUP_ROWS):
            writer.write(table.slice(at, URL_LIST_GROUP_ROWS))
    storage.write_text(
        job.piece(number).removesuffix(".parquet") + ".json",
        json.dumps({"urls": len(enough), "low_score": low}),
    )
    return len(enough)


def _read_rows(job: UrlListJob, number: int, wanted: NDArray[np.uint64]) -> pa.Table:
    """Return the rows of some URLs of one range from all parts."""
    pieces = [LINKS_SCHEMA.empty_table()]
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
    return pa.concat_tables(pieces).cast(LINKS_SCHEMA)


def make_list_rows(rows: pa.Table) -> pa.Table:
    """Turn rows of `LINKS_SCHEMA` into rows of the list, one per URL, sorted.

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
        return URL_LIST_SCHEMA.empty_table()
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
        schema=URL_LIST_SCHEMA,
    )
    names = pa.array([sort_key(one) for one in key.to_pylist()], pa.string())
    by_name = pa.table({"name": names, "hash": table["hash"]})
    return table.take(pc.sort_indices(by_name, [("name", "ascending"), ("hash", "ascending")]))


def _changes(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return where a value differs from the one before it; true for the first."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]
    return changed


def _extreme(times: pa.ChunkedArray, starts: NDArray[np.int64], ufunc: np.ufunc, none: int) -> pa.Array:
    """Return the first or last time of each group; null if no submission has one."""
    times_of_groups = ufunc.reduceat(pc.fill_null(times, none).to_numpy(), starts)
    return pa.array(times_of_groups, pa.int64(), mask=times_of_groups == none).cast(pa.timestamp("s", "UTC"))


def _distinct(groups: NDArray[np.int64], names: pa.ChunkedArray, count: int) -> pa.Array:
    """Return the distinct names of each group, sorted, as lists."""
    pairs = pa.table({"group": groups, "name": names})
    pairs = pairs.filter(
        pc.and_(pc.is_valid(pairs["name"]), pc.not_equal(pc.fill_null(pairs["name"], ""), ""))
    )
    pairs = pairs.group_by(["group", "name"]).aggregate([])
    pairs = pairs.sort_by([("group", "ascending"), ("name", "ascending")])
    offsets = np.searchsorted(pairs["group"].to_numpy(), np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pairs["name"].combine_chunks())


def _twin(url: str, key: str) -> bool:
    """Return whether a spelling is of a mobile or AMP twin: its host and path are not those of the key."""
    bare = url.partition("://")[2].lower()
    return not bare.removeprefix("www.").startswith(key.partition("?")[0].lower())
