"""Measure the outcome of every URL of a list in a build."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import UserError
from corpus.storage.part_writer import PartWriter
from corpus.web.url_lists.index_key import hashes_of
from corpus.web.url_lists.url_list import (
    URL_LIST_GROUP_ROWS,
    as_parquet_list,
    find_list,
    open_list,
    read_batches,
    read_hashes,
)
from corpus.web.url_lists.url_list import sort_unique as distinct
from corpus.workspace import Workspace

KEPT_OUTCOME, DUPLICATE_OUTCOME, ABSENT_OUTCOME, NO_ADDRESS_OUTCOME = (
    "kept",
    "duplicate",
    "not found",
    "no web address",
)
COVERAGE_SCHEMA = pa.schema(
    [pa.field("url", pa.string(), nullable=False), pa.field("outcome", pa.string(), nullable=False)]
)
UNSEEN_CODE = 2**32 - 1
OTHER_ADDRESS_KEYS = ("requested", "captured_url")
"""Metadata keys with another address of a document's page than its own: see docs/sources."""


def measure_coverage(
    workspace: Workspace, list_path: str, source: str | None, out: str | None
) -> dict[str, int]:
    """Count the pages of a list by their outcome in the workspace, most first; write a row a page to `out`.

    The list is Parquet with a column `url`, or text with an address a line.

    The outcome is `kept`, `duplicate` (another document is kept for it), `rule NAME` (the first that its document
    failed), a gate, `no web address`, or `not found` (not in the input, or in quarantine). Of several documents
    of a page the best counts: a kept one, then one removed by a rule or as a duplicate, then one that a gate stopped.
    `source` limits it to one source.
    Memory: 40 bytes a page.
    """
    if source is not None and source not in (known := sorted({name for name, _ in workspace.splits()})):
        raise UserError(f"--source {source}: the workspace has {', '.join(known)}")
    with as_parquet_list(find_list(list_path)) as path:
        return _measure(workspace, path, source, out)


def _measure(workspace: Workspace, list_path: str, source: str | None, out: str | None) -> dict[str, int]:
    hashes = read_hashes(list_path)
    unique = distinct(hashes.copy())
    names: dict[str, int] = {}
    best = np.full(len(unique), UNSEEN_CODE, np.uint32)
    for document_hashes, outcomes in _read_outcomes(workspace, source):
        at = np.minimum(np.searchsorted(unique, document_hashes), max(len(unique) - 1, 0))
        for place in (
            np.flatnonzero((document_hashes != 0) & (unique[at] == document_hashes)) if len(unique) else ()
        ):
            outcome = outcomes[place]
            code = names.setdefault(outcome, len(names)) + (_rank(outcome) << 24)
            best[at[place]] = min(best[at[place]], code)
    spelled = [name for name, _ in sorted(names.items(), key=lambda item: item[1])]

    def outcome_of(rows: NDArray[np.uint64]) -> list[str]:
        codes = best[np.searchsorted(unique, rows)]
        return [
            NO_ADDRESS_OUTCOME
            if not row
            else ABSENT_OUTCOME
            if code == UNSEEN_CODE
            else spelled[code & 0xFFFFFF]
            for row, code in zip(rows.tolist(), codes.tolist(), strict=True)
        ]

    counts: dict[str, int] = {}
    for begin in range(0, len(hashes), URL_LIST_GROUP_ROWS):
        for outcome in outcome_of(hashes[begin : begin + URL_LIST_GROUP_ROWS]):
            counts[outcome] = counts.get(outcome, 0) + 1
    if out is not None:
        with open_list(list_path) as listed, PartWriter(out, COVERAGE_SCHEMA, "coverage") as writer:
            for batch in read_batches(listed, ["url", "hash"]):
                rows = outcome_of(batch.column("hash").to_numpy())
                writer.write(pa.table({"url": batch.column("url"), "outcome": rows}, schema=COVERAGE_SCHEMA))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _rank(outcome: str) -> int:
    if outcome == KEPT_OUTCOME:
        return 0
    return 1 if outcome == DUPLICATE_OUTCOME or outcome.startswith("rule ") else 2


def _read_outcomes(
    workspace: Workspace, source: str | None
) -> Iterator[tuple[NDArray[np.uint64], list[str]]]:
    """Yield for each row group of a workspace the hashes of its documents' addresses, and the outcome of each."""
    for name, _, table in workspace.rows(["url", "metadata", "gate"]):
        if source is not None and name != source:
            continue
        kept, gates = table["kept"].to_pylist(), table["gate"].to_pylist()
        rules, others = table["failed_rules"].to_pylist(), table["duplicate_of"].to_pylist()
        became = [
            KEPT_OUTCOME
            if kept[at]
            else gates[at]
            or (f"rule {rules[at][0]}" if rules[at] else DUPLICATE_OUTCOME if others[at] else "")
            for at in range(len(kept))
        ]
        yield hashes_of(table["url"].to_pylist()), became
        metadata = [dict(row or []) for row in table["metadata"].to_pylist()]
        for key in OTHER_ADDRESS_KEYS:
            if any(key in row for row in metadata):
                yield hashes_of([row.get(key) for row in metadata]), became
