"""Counts of documents, characters and bytes, per part and merged.

One long table: `what` is the kind of count, `key` its value (a gate, a rule, a level).

what        key                 counted
read        -                   every record that became a row
gated       the gate            rows stopped by a gate
passed      -                   rows behind no gate: they have a text
failed      a rule              texts that fail the rule
failed_only a rule              texts that fail it and no other
rules       -                   texts that fail any rule
duplicate   exact, url, minhash texts that fail no rule and go for another one
kept        train, valid        texts that stay, by side
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("language", pa.string()),
        pa.field("what", pa.string()),
        pa.field("key", pa.string()),
        pa.field("documents", pa.int64()),
        pa.field("characters", pa.int64()),
        pa.field("bytes", pa.int64()),
    ]
)
KEYS = ["source", "language", "what", "key"]
UNKNOWN = "und_Zyyy"
"""The language of rows that were stopped before it was identified."""


def count_part(source: str, documents: pa.Table, decisions: pa.Table, level: pa.Array) -> pa.Table:
    """Counts of a row group: `documents` with language, characters and bytes, `decisions` and the duplicates' level."""
    language = pc.fill_null(documents.column("language").combine_chunks(), UNKNOWN)
    numbers = [documents.column("characters").combine_chunks(), documents.column("bytes").combine_chunks()]
    gate = decisions.column("gate").combine_chunks()
    failed = decisions.column("failed_rules").combine_chunks()
    kept = decisions.column("kept").combine_chunks()
    failures = pc.fill_null(pc.list_value_length(failed), 0)
    everything = np.arange(len(gate))
    parent = pc.list_parent_indices(failed).to_numpy(zero_copy_only=False)
    names = pc.list_flatten(failed)
    alone = failures.to_numpy(zero_copy_only=False)[parent] == 1
    blank = pa.array([""] * len(gate), pa.string())

    def count(what: str, rows: npt.NDArray[np.int64], key: pa.Array) -> pa.Table:
        taken = pa.array(rows)
        return pa.table(
            [
                pa.array([source] * len(rows), pa.string()),
                language.take(taken),
                pa.array([what] * len(rows), pa.string()),
                key,
                pa.array(np.ones(len(rows), np.int64)),
                *[number.take(taken) for number in numbers],
            ],
            schema=SCHEMA,
        )

    def where(mask: pa.Array) -> npt.NDArray[np.int64]:
        rows: npt.NDArray[np.int64] = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        return rows

    gated, passed = where(gate.is_valid()), where(gate.is_null())
    fails = where(pc.greater(failures, 0))
    duplicates, stays = where(level.is_valid()), where(kept)
    return merge_counts(
        [
            count("read", everything, blank),
            count("gated", gated, gate.take(pa.array(gated))),
            count("passed", passed, blank.take(pa.array(passed))),
            count("failed", parent, names),
            count("failed_only", parent[alone], names.filter(pa.array(alone))),
            count("rules", fails, blank.take(pa.array(fails))),
            count("duplicate", duplicates, level.take(pa.array(duplicates))),
            count("kept", stays, decisions.column("split").combine_chunks().take(pa.array(stays))),
        ]
    )


def merge_counts(tables: list[pa.Table]) -> pa.Table:
    """Sums of count tables, sorted by their keys."""
    whole = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    sums = whole.group_by(KEYS).aggregate([("documents", "sum"), ("characters", "sum"), ("bytes", "sum")])
    columns = [sums.column(f"{name}_sum" if name not in KEYS else name) for name in SCHEMA.names]
    return pa.table(columns, schema=SCHEMA).sort_by([(key, "ascending") for key in KEYS])
