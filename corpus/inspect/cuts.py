"""Documents beside the cut of each rule: the ones that just pass and the ones that just fail."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.inspect.samples import Place, read
from corpus.ledger.counts import UNKNOWN
from corpus.rules.rule import uniform
from corpus.workspace import Workspace

GROUPS = 48
"""Row groups that are looked through, spread over the whole: at 4,096 rows each, up to 200,000 documents."""
Cuts = dict[tuple[str, bool], list[dict[str, Any]]]


def beside_cuts(workspace: Workspace, rules: pa.Table, each: int, seed: int = 0) -> Cuts:
    """(rule, kept) -> up to `each` documents, the nearest to the bound first, with `value` and `limit`.

    `rules` is the ledger's table of bounds. Dropped ones fail the rule, and of two equally near the one that fails
    fewer others is first; kept ones are kept. The distance is relative to the bound; equal ones are drawn by
    (seed, id). Reads at most `GROUPS` row groups, and the texts of those that hold the chosen.
    """
    limits: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    signals: dict[str, str] = {}
    for row in rules.to_pylist():
        if row["bound"] != "pareto":
            limits[row["source"]][row["rule"]][row["language"]] = row["limit"]
            signals[row["rule"]] = row["signal"]
    best: dict[tuple[str, bool], list[tuple[float, int, Place, float, float]]] = defaultdict(list)
    for source, split, group in _choose_groups(workspace):
        table = _read_light_columns(workspace, source, split, group)
        draws = uniform(table.column("id"), seed)
        ids = table.column("id").to_pylist()
        kept = table.column("kept").to_numpy()
        languages = pc.fill_null(table.column("language"), UNKNOWN).combine_chunks().dictionary_encode()
        codes, labels = languages.indices.to_numpy(), languages.dictionary.to_pylist()
        failed = table.column("failed_rules").combine_chunks()
        failures = pc.fill_null(pc.list_value_length(failed), 0).to_numpy(zero_copy_only=False)
        fails = _find_failures(failed)
        for rule, by_language in limits[source].items():
            values = table.column(signals[rule]).to_numpy().astype(np.float64)
            bound = np.array([by_language.get(label, np.nan) for label in labels], np.float64)[codes]
            distance = np.abs(values - bound) / np.maximum(np.abs(bound), 0.01)
            for stays, mask in ((True, kept), (False, fails.get(rule, np.zeros(len(ids), np.bool_)))):
                rows = np.flatnonzero(mask & ~np.isnan(distance))
                others = np.zeros(len(ids), np.int64) if stays else failures
                order = np.lexsort((draws[rows], others[rows], distance[rows]))
                nearest = [
                    (
                        float(distance[row]),
                        int(others[row]),
                        Place(float(draws[row]), ids[row], source, split, group, int(row)),
                        float(values[row]),
                        float(bound[row]),
                    )
                    for row in rows[order[:each]]
                ]
                best[rule, stays] = heapq.nsmallest(each, [*best[rule, stays], *nearest])
    places = sorted(
        {place for nearest in best.values() for _, _, place, _, _ in nearest}, key=lambda p: p[1:]
    )
    documents = dict(zip(places, read(workspace, places), strict=True))
    return {
        key: [{**documents[place], "value": value, "limit": limit} for _, _, place, value, limit in nearest]
        for key, nearest in sorted(best.items())
        if nearest
    }


def _choose_groups(workspace: Workspace) -> list[tuple[str, str, int]]:
    """At most `GROUPS` row groups, evenly spread over the first ones of the splits, then over the others."""
    splits = workspace.splits()
    if len(splits) > GROUPS:
        splits = [splits[at * len(splits) // GROUPS] for at in range(GROUPS)]
    groups = []
    for source, split in splits:
        with storage.open_input(workspace.part("decisions", source, split)) as stream:
            groups += [(source, split, group) for group in range(pq.ParquetFile(stream).num_row_groups)]
    if len(groups) > GROUPS:
        groups = [groups[at * len(groups) // GROUPS] for at in range(GROUPS)]
    return groups


def _read_light_columns(workspace: Workspace, source: str, split: str, group: int) -> pa.Table:
    """Ids, languages, decisions and all signals of a row group."""
    table: pa.Table | None = None
    for folder in ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]:
        with storage.open_input(workspace.part(folder, source, split)) as stream:
            columns = {"documents": ["id", "language"], "decisions": ["failed_rules", "kept"]}.get(folder)
            side = pq.ParquetFile(stream).read_row_group(group, columns=columns, use_threads=False)
        if table is None:
            table = side
            continue
        for name in side.column_names:
            table = table.append_column(name, side.column(name))
    return table


def _find_failures(failed: pa.Array) -> dict[str, npt.NDArray[np.bool_]]:
    """Which rows fail each rule."""
    parents = pc.list_parent_indices(failed).to_numpy()
    names = pc.list_flatten(failed).dictionary_encode()
    masks = {}
    for code, name in enumerate(names.dictionary.to_pylist()):
        mask = np.zeros(len(failed), np.bool_)
        mask[parents[names.indices.to_numpy() == code]] = True
        masks[name] = mask
    return masks
