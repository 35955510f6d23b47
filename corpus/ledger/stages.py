"""The input and output of each stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

STAGES = ("gates", "rules", "duplicates", "tokens")
STAGE_SIZES = ("documents", "characters", "bytes")
STAGES_SCHEMA = pa.schema(
    [
        *[(name, pa.string()) for name in ("source", "language", "snapshot", "stage")],
        *[(f"{size}_{side}", pa.int64()) for size in (*STAGE_SIZES, "tokens") for side in ("in", "out")],
    ]
)
"""Rows are in the order of source, language, snapshot and `STAGES`. A gated document has no text, so the row of
`gates` has documents in and out, and the characters and bytes that came out in both places. Only kept texts become
tokens: the tokens of other texts are estimated from their bytes, at the bytes a token of the kept texts of the same
source and language, else language, else all; null if nothing is kept at all. If a source and language has several
snapshots, tokens are divided among them by bytes, so sums over snapshots are exact after the last stage. Bytes are
those of texts as they are stored: private data are masked later."""


def build_stage_table(counts: pa.Table, tokens: pa.Table) -> pa.Table:
    """Return the input and output per source, language, snapshot and stage, from the counts and the shards."""
    sums: dict[tuple[str, str, str], dict[str, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0, 0])
    )
    for row in counts.to_pylist():
        sizes = sums[row["source"], row["language"], row["snapshot"]][row["what"]]
        for at, size in enumerate(STAGE_SIZES):
            sizes[at] += row[size]
    kept_bytes: dict[tuple[str, str], int] = defaultdict(int)
    for (source, language, _), by_what in sums.items():
        kept_bytes[source, language] += by_what["kept"][2]
    rates = _sum_rates(tokens, kept_bytes)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    rows: list[dict[str, Any]] = []
    for group in sorted(sums):
        what, pair = sums[group], group[:2]
        spent, of = rates.get(pair) or rates.get(("", group[1])) or rates.get(("", ""), (0, 0))
        kept, before = what["kept"][2], shared[pair]
        shared[pair] += kept
        exact = spent * shared[pair] // of - spent * before // of if of else 0
        into = [what["read"], what["passed"], _subtract(what["passed"], what["rules"]), what["kept"]]
        sides = [[*sizes_in, exact + spent * (sizes_in[2] - kept) // of if of else None] for sizes_in in into]
        for stage, first, second in zip(STAGES, sides, [*sides[1:], sides[-1]], strict=True):
            row = dict(zip(("source", "language", "snapshot", "stage"), (*group, stage), strict=True))
            for name, value_in, value_out in zip((*STAGE_SIZES, "tokens"), first, second, strict=True):
                row[f"{name}_in"], row[f"{name}_out"] = value_in, value_out
            rows.append(row)
    return pa.Table.from_pylist(rows, STAGES_SCHEMA)


def _sum_rates(
    tokens: pa.Table, kept_bytes: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (tokens in the shards, bytes of the kept texts they are of) by source and language, by language ("" for
    the source), and in total. The bytes are those before private data are masked, as they are of all other texts."""
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for row in tokens.to_pylist():
        spent[row["source"], row["language"]] += row["tokens"]
    rates: dict[tuple[str, str], tuple[int, int]] = {}
    for (source, language), number in spent.items():
        for key in ((source, language), ("", language), ("", "")):
            count, size = rates.get(key, (0, 0))
            rates[key] = (count + number, size + kept_bytes.get((source, language), 0))
    return {key: sizes for key, sizes in rates.items() if sizes[1]}


def _subtract(one: list[int], other: list[int]) -> list[int]:
    return [first - second for first, second in zip(one, other, strict=True)]
