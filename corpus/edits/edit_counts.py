"""Counts of edits: documents, spans and characters by kind, source and language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.edits.applied import EMPTIED_KIND, read_applied
from corpus.edits.parts import counts_path, list_edit_steps
from corpus.storage.part_writer import PartWriter
from corpus.workspace import Workspace

COUNT_KEYS = ["kind", "source", "language"]
COUNT_NUMBERS = ["documents", "spans", "characters"]
EDIT_COUNTS_SCHEMA = pa.schema(
    [*((name, pa.string()) for name in COUNT_KEYS), *((name, pa.int64()) for name in COUNT_NUMBERS)]
)
"""`documents` are those with at least one span of the kind; `characters` are those in its spans."""
EDIT_TABLE_SCHEMA = pa.schema([("step", pa.string()), *EDIT_COUNTS_SCHEMA, ("applied", pa.bool_())])
"""`applied`: whether the texts of tokens and exports are without these spans, or with masks in their place."""
APPLIED_STEP = "edits"
"""The step, in that table, of the rule `EMPTIED_KIND`: what all edits together leave."""


def count_edits(edits: pa.Table, source: str, languages: Sequence[str | None]) -> pa.Table:
    """Return the counts of the edits of one input split; `languages` are its documents', by row."""
    labels = pa.array([label or "" for label in languages], pa.string())
    characters = pc.subtract(edits["end"], edits["start"])
    kind, row = edits["kind"], edits["row"].to_numpy()
    language = labels.take(pa.array(row))
    codes: NDArray[np.int64] = kind.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    _, firsts = np.unique(np.stack([codes, row]), axis=1, return_index=True)
    first = np.zeros(len(edits), np.int64)
    first[firsts] = 1
    ones = np.ones(len(edits), np.int64)
    columns = [kind, pa.array([source] * len(edits), pa.string()), language, first, ones, characters]
    return sum_counts_by([pa.table(columns, names=EDIT_COUNTS_SCHEMA.names)])


def sum_counts_by(tables: Iterable[pa.Table], schema: pa.Schema = EDIT_COUNTS_SCHEMA) -> pa.Table:
    """Return the sums of tables of counts, sorted by their keys."""
    keys = [name for name in schema.names if name not in COUNT_NUMBERS]
    whole = pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in tables)])
    sums = whole.group_by(keys).aggregate([(name, "sum") for name in COUNT_NUMBERS])
    columns = [sums[name if name in keys else f"{name}_sum"] for name in schema.names]
    return pa.table(columns, schema=schema).sort_by([(key, "ascending") for key in keys]).combine_chunks()


def write_edit_counts(workspace: Workspace, step: str, tables: Iterable[pa.Table], fingerprint: str) -> None:
    """Write the sums of all input splits' counts of a step, whose parts are all there."""
    with PartWriter(counts_path(workspace, step), EDIT_COUNTS_SCHEMA, fingerprint) as writer:
        writer.write(sum_counts_by(tables))


def read_edit_counts(workspace: Workspace, step: str) -> pa.Table:
    """Read the counts of a finished step."""
    with storage.open_input(counts_path(workspace, step)) as stream:
        file = pq.ParquetFile(stream, page_checksum_verification=True)
        return file.read(use_threads=False).replace_schema_metadata(None)


def build_edit_table(workspace: Workspace) -> pa.Table:
    """Return the counts of every finished step, and the documents of which nothing is left: `EDIT_TABLE_SCHEMA`."""
    tables = [EDIT_TABLE_SCHEMA.empty_table()]
    applied = read_applied(workspace)
    for step in list_edit_steps(workspace):
        counts = read_edit_counts(workspace, step)
        rows = zip(counts["source"].to_pylist(), counts["kind"].to_pylist(), strict=True)
        is_applied = pa.array(
            [kind in applied.get(source, {}).get(step, ()) for source, kind in rows], pa.bool_()
        )
        names = pa.array([step] * len(counts), pa.string())
        tables.append(
            counts.add_column(0, "step", names).append_column("applied", is_applied).cast(EDIT_TABLE_SCHEMA)
        )
    tables.append(pa.Table.from_pylist(_list_emptied(workspace) if applied else [], EDIT_TABLE_SCHEMA))
    return pa.concat_tables(tables)


def _list_emptied(workspace: Workspace) -> list[dict[str, Any]]:
    """Return rows of kept documents that are in no shard, since edits leave nothing of them."""
    path = workspace.path("tokens", "dataset.json")
    emptied = json.loads(storage.read_text(path)).get("emptied", {}) if storage.exists(path) else {}
    return [
        {
            "step": APPLIED_STEP,
            "kind": EMPTIED_KIND,
            "source": source,
            "language": language,
            "documents": count,
            "spans": 0,
            "characters": 0,
            "applied": True,
        }
        for source, languages in emptied.items()
        for language, count in languages.items()
    ]
