"""Documents near the bound of each rule: those that narrowly pass and those that narrowly fail."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.inspect.samples import DocumentPlace, read_documents
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.rules.rule import LATE_STEP, draw_uniform
from corpus.workspace import Workspace, open_stored

MAX_ROW_GROUPS = 48
"""Row groups that are searched, spread over the whole corpus: at 4,096 rows each, up to 200,000 documents."""
Cuts = dict[tuple[str, bool], list[dict[str, Any]]]


def sample_beside_cuts(workspace: Workspace, rules: pa.Table, each: int, seed: int = 0) -> Cuts:
    """Return (rule, kept) -> up to `each` documents, the nearest to the bound first, with `value` and `limit`.

    `rules` is the ledger's table of bounds. Dropped documents fail the rule, and of two equally near the one that fails
    fewer other rules is first; kept documents are kept. The distance is relative to the bound; ties are drawn by
    (seed, id). Reads at most `MAX_ROW_GROUPS` row groups, and texts only from those of the chosen documents.
    """
    limits: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    signals: dict[str, str] = {}
    for row in rules.to_pylist():
        if row["bound"] != "pareto" and not row["signal"].startswith(f"{LATE_STEP}."):  # stored in no part
            limits[row["source"]][row["rule"]][row["language"]] = row["limit"]
            signals[row["rule"]] = row["signal"]
    best: dict[tuple[str, bool], list[tuple[float, int, DocumentPlace, float, float]]] = defaultdict(list)
    for source, split, group in _choose_groups(workspace):
        table = _read_light_columns(workspace, source, split, group)
        draws = draw_uniform(table.column("id"), seed)
        ids = table.column("id").to_pylist()
        kept = table.column("kept").to_numpy()
        languages = pc.fill_null(table.column("language"), UNKNOWN_LABEL).combine_chunks().dictionary_encode()
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
                        DocumentPlace(float(draws[row]), ids[row], source, split, group, int(row)),
                        float(values[row]),
                        float(bound[row]),
                    )
                    for row in rows[order[:each]]
                ]
                best[rule, stays] = heapq.nsmallest(each, [*best[rule, stays], *nearest])
    places = sorted(
        {place for nearest in best.values() for _, _, place, _, _ in nearest}, key=lambda p: p[1:]
    )
    documents = dict(zip(places, read_documents(workspace, places), strict=True))
    return {
        key: [{**documents[place], "value": value, "limit": limit} for _, _, place, value, limit in nearest]
        for key, nearest in sorted(best.items())
        if nearest
    }


def _choose_groups(workspace: Workspace) -> list[tuple[str, str, int]]:
    """Choose at most `MAX_ROW_GROUPS` row groups, evenly spread over the input splits and the row groups in them."""
    splits = workspace.splits()
    if len(splits) > MAX_ROW_GROUPS:
        splits = [splits[at * len(splits) // MAX_ROW_GROUPS] for at in range(MAX_ROW_GROUPS)]
    groups = []
    for source, split in splits:
        with open_stored(workspace.part("decisions", source, split)) as stream:
            groups += [(source, split, group) for group in range(pq.ParquetFile(stream).num_row_groups)]
    if len(groups) > MAX_ROW_GROUPS:
        groups = [groups[at * len(groups) // MAX_ROW_GROUPS] for at in range(MAX_ROW_GROUPS)]
    return groups


def _read_light_columns(workspace: Workspace, source: str, split: str, group: int) -> pa.Table:
    """Read ids, languages, decisions and all signals of a row group."""
    table: pa.Table | None = None
    for folder in ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]:
        with open_stored(workspace.part(folder, source, split)) as stream:
            columns = {"documents": ["id", "language"], "decisions": ["failed_rules", "kept"]}.get(folder)
            side = pq.ParquetFile(stream).read_row_group(group, columns=columns, use_threads=False)
        if table is None:
            table = side
            continue
        for name in side.column_names:
            table = table.append_column(name, side.column(name))
    return table


def _find_failures(failed: pa.Array) -> dict[str, npt.NDArray[np.bool_]]:
    """Return which rows fail each rule, as masks."""
    parents = pc.list_parent_indices(failed).to_numpy()
    names = pc.list_flatten(failed).dictionary_encode()
    masks = {}
    for code, name in enumerate(names.dictionary.to_pylist()):
        mask = np.zeros(len(failed), np.bool_)
        mask[parents[names.indices.to_numpy() == code]] = True
        masks[name] = mask
    return masks
