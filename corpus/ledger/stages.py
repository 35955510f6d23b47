"""What went into each stage and what came out of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa

STAGES = ("gates", "rules", "duplicates", "tokens")
SIZES = ("documents", "characters", "bytes")
SCHEMA = pa.schema(
    [
        *[(name, pa.string()) for name in ("source", "language", "snapshot", "stage")],
        *[(f"{size}_{side}", pa.int64()) for size in SIZES for side in ("in", "out")],
        ("tokens_out", pa.int64()),
    ]
)
"""Rows stand in the order of source, language, snapshot and `STAGES`. Behind a gate there is no text, so `gates`
tells documents in and out, and for the characters and bytes of both what came out. Tokens exist only after the last
stage, and are counted by source and language: they are null where a language of a source has several snapshots."""


def stage_table(counts: pa.Table, tokens: pa.Table) -> pa.Table:
    """Per source, language, snapshot and stage: what went in and came out, by the counts and the shards."""
    sums: dict[tuple[str, str, str], dict[str, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0, 0])
    )
    snapshots: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in counts.to_pylist():
        group = (row["source"], row["language"], row["snapshot"])
        sizes = sums[group][row["what"]]
        for at, size in enumerate(SIZES):
            sizes[at] += row[size]
        if row["what"] == "kept":
            snapshots[group[:2]].add(row["snapshot"])
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for row in tokens.to_pylist():
        totals[row["source"], row["language"]] += row["tokens"]
    rows: list[dict[str, Any]] = []
    for group in sorted(sums):
        what = sums[group]
        into = [what["read"], what["passed"], _less(what["passed"], what["rules"]), what["kept"]]
        for stage, before, after in zip(STAGES, into, [*into[1:], what["kept"]], strict=True):
            row = dict(zip(("source", "language", "snapshot", "stage"), (*group, stage), strict=True))
            for size, first, second in zip(SIZES, before, after, strict=True):
                row[f"{size}_in"], row[f"{size}_out"] = first, second
            last = stage == "tokens" and len(snapshots[group[:2]]) <= 1
            row["tokens_out"] = totals[group[:2]] if last else None
            rows.append(row)
    return pa.Table.from_pylist(rows, SCHEMA)


def _less(one: list[int], other: list[int]) -> list[int]:
    return [first - second for first, second in zip(one, other, strict=True)]
