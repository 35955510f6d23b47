"""Look for items of evaluation sets in all documents, and count how common what they consist of is.

Both depend on the sets and on the documents of one input split alone, sampled documents included: a new input split
costs its own search, and a part never depends on what else a corpus has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.decontamination import comparing, item_index, scanning
from corpus.decontamination.hits import (
    CANDIDATES_SCHEMA,
    COUNTS_SCHEMA,
    MAX_GROUPS,
    STEP,
    WEIGHTS_SCHEMA,
    CountSums,
    merge_counts,
    pack_matched,
    read_part,
    weights_path,
)
from corpus.pipelines.beam.fanout import PipelineBuilder, fan_out_pipeline
from corpus.pipelines.beam.options import Running
from corpus.progress import count_documents, count_earlier
from corpus.rules.rule import draw_uniform
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, count_rows, read_fingerprint
from corpus.validation import hash_groups
from corpus.workspace import Workspace

SAMPLED_DOCUMENTS = 1024
"""About so many documents of each input split say how common pairs are: all of one that has no more."""
CANDIDATES, COUNTS = f"{STEP}/candidates", f"{STEP}/counts"
SplitName = tuple[str, str]


@dataclass(frozen=True)
class ScanJob:
    """What the search depends on: the workspace and the index."""

    root: str
    index: str

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @property
    def folder(self) -> str:
        return self.workspace.path(item_index.FOLDER)

    def wanted(self, source: str, split: str) -> str:
        """Return the fingerprint of a split's candidates and counts."""
        made_of = read_fingerprint(self.workspace.part("documents", source, split))
        return fingerprint([scanning.VERSION, self.index, SAMPLED_DOCUMENTS, made_of])


class ScanParts:
    """Write the candidates and counts of one input split per call. Picklable."""

    def __init__(self, job: ScanJob) -> None:
        self.job = job

    def __call__(self, item: str) -> Iterator[str]:
        source, split = json.loads(item)
        workspace, wanted = self.job.workspace, self.job.wanted(source, split)
        paths = [workspace.part(folder, source, split) for folder in (CANDIDATES, COUNTS)]
        if all(read_fingerprint(path) == wanted for path in paths):
            count_earlier(count_rows(workspace.part("documents", source, split)))
        else:
            self._scan(workspace, source, split, wanted, paths)
        yield item

    def _scan(self, workspace: Workspace, source: str, split: str, wanted: str, paths: list[str]) -> None:
        index = item_index.open_index(self.job.folder, self.job.index)
        documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
        tally = _Tally(index, min(1.0, SAMPLED_DOCUMENTS / max(1, documents.metadata.num_rows)))
        first = 0
        try:
            with PartWriter(paths[0], CANDIDATES_SCHEMA, wanted) as writer:
                for group in range(documents.num_row_groups):
                    columns = ["id", "group", "text"]
                    table = documents.read_row_group(group, columns=columns, use_threads=False)
                    writer.write(_scan_documents(table, first, index, tally))
                    first += table.num_rows
                    count_documents(table.num_rows)
        finally:
            documents.close(force=True)
        with PartWriter(paths[1], COUNTS_SCHEMA, wanted) as writer:
            writer.write(tally.table())


def _scan_documents(table: pa.Table, first: int, index: item_index.ItemIndex, tally: _Tally) -> pa.Table:
    """Return the candidates in a row group that begins with row `first`, and add what it has to the tally."""
    chosen = np.flatnonzero(table["text"].is_valid().to_numpy())
    rows = (chosen + first).tolist()
    table = table.take(pa.array(chosen))
    texts, ids = table["text"].to_pylist(), table["id"].to_pylist()
    if not texts:
        return CANDIDATES_SCHEMA.empty_table()
    groups = hash_groups(table)
    scan = scanning.TextScan(texts, index, draw_uniform(table["id"], 0) < tally.share)
    tally.add_pairs(scan)
    candidates: list[dict[str, Any]] = []
    for shared in scan.shared:
        at = shared.document
        tally.add_grams(shared.grams, groups[at])
        candidates += [
            {
                "row": rows[at],
                "id": ids[at],
                "item": each.item,
                "start": each.start,
                "end": each.end,
                "characters": len(texts[at]),
                "matched": pack_matched(each.matched),
            }
            for each in comparing.find_candidates(texts[at], shared, index)
        ]
    return pa.Table.from_pylist(candidates, CANDIDATES_SCHEMA)


class _Tally:
    """Counts the documents of a split that have each gram of the index and, of a share of them, each pair."""

    def __init__(self, index: item_index.ItemIndex, share: float) -> None:
        self.share = share
        self._documents = self._sampled = 0
        self._pairs = np.zeros(len(index.vocabulary), np.int64)
        self._grams: list[NDArray[np.int64]] = []
        self._groups: list[NDArray[np.uint64]] = []

    def add_pairs(self, scan: scanning.TextScan) -> None:
        self._documents += scan.documents
        self._sampled += scan.sampled
        self._pairs += scan.pair_counts

    def add_grams(self, grams: NDArray[np.int64], group: np.uint64) -> None:
        distinct = np.unique(grams)
        self._grams.append(distinct)
        self._groups.append(np.full(len(distinct), group, np.uint64))

    def table(self) -> pa.Table:
        """Return rows of `COUNTS_SCHEMA`, by kind and place."""
        pairs = np.flatnonzero(self._pairs)
        gram = np.concatenate([np.zeros(0, np.int64), *self._grams])
        group = np.concatenate([np.zeros(0, np.uint64), *self._groups])
        grams, of_grams = np.unique(gram, return_counts=True)
        order = np.lexsort((group, gram))
        gram, group = gram[order], group[order]
        starts, ends = np.searchsorted(gram, grams), np.searchsorted(gram, grams, side="right")
        lists = [np.unique(group[a:b])[:MAX_GROUPS] for a, b in zip(starts, ends, strict=True)]
        kinds = ["all", "sampled", *(["gram"] * len(grams)), *(["pair"] * len(pairs))]
        columns = [
            pa.array(kinds, pa.string()),
            pa.array(np.concatenate([[0, 0], grams, pairs]).astype(np.int64)),
            pa.array(
                np.concatenate([[self._documents, self._sampled], of_grams, self._pairs[pairs]]).astype(
                    np.int64
                )
            ),
            pa.array([[], [], *lists, *([[]] * len(pairs))], pa.list_(pa.uint64())),
        ]
        return pa.table(columns, schema=COUNTS_SCHEMA)


def scan_pipeline(
    job: ScanJob, splits: Sequence[SplitName], running: Running, claims: str | None
) -> PipelineBuilder:
    """Return a function that builds the search of all documents for what the index has."""
    items = [json.dumps(split) for split in splits]
    return fan_out_pipeline("Scan", items, ScanParts(job), running, claims)


def merge_splits(job: ScanJob, splits: Sequence[SplitName]) -> str:
    """Write the sums of all splits' counts, unless they are there; return their fingerprint. Memory: the index."""
    workspace = job.workspace
    made_of = [read_fingerprint(workspace.part(COUNTS, *split)) for split in splits]
    wanted = fingerprint([job.index, made_of])
    path = weights_path(workspace)
    if read_fingerprint(path) == wanted:
        return wanted
    index = item_index.open_index(job.folder, job.index)
    tables = (read_part(workspace.part(COUNTS, *split)) for split in splits)
    sums: CountSums = merge_counts(tables, len(index.vocabulary), len(index.grams))
    rows = [
        {"kind": "all", "documents": [sums.documents], "groups": []},
        {"kind": "gram", "documents": sums.grams, "groups": sums.groups},
        {"kind": "pair", "documents": sums.pairs, "groups": []},
    ]
    with PartWriter(path, WEIGHTS_SCHEMA, wanted) as writer:
        writer.write(pa.Table.from_pylist(rows, WEIGHTS_SCHEMA))
    return wanted
