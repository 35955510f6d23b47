"""The merged ledger: stats/counts.parquet, stats/tokens.parquet and stats/quarantine.parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.ledger.counts import SCHEMA as COUNTS
from corpus.ledger.counts import merge_counts
from corpus.parts import PartWriter
from corpus.workspace import Workspace, read_table

TOKENS = pa.schema(
    [
        pa.field("split", pa.string()),
        pa.field("source", pa.string()),
        pa.field("language", pa.string()),
        pa.field("documents", pa.int64()),
        pa.field("tokens", pa.int64()),
        pa.field("bytes", pa.int64()),
    ]
)
QUARANTINE = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("step", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("records", pa.int64()),
    ]
)
MERGE_AT = 256
"""Part tables held before they are summed: the memory of a merge does not grow with the parts."""


def write_ledger(workspace: Workspace, fingerprint: str) -> None:
    """Merge the statistics of all parts of the plan and write the ledger."""
    merged, waiting = COUNTS.empty_table(), []
    for source, split in workspace.splits():
        waiting.append(read_table(workspace.part("stats/parts", source, split)).replace_schema_metadata(None))
        if len(waiting) >= MERGE_AT:
            merged, waiting = merge_counts([merged, *waiting]), []
    tables = {
        "counts": merge_counts([merged, *waiting]),
        "tokens": token_table(workspace),
        "quarantine": quarantine_table(workspace),
    }
    for name, table in tables.items():
        with PartWriter(workspace.path("stats", f"{name}.parquet"), table.schema, fingerprint) as writer:
            writer.write(table)


def token_table(workspace: Workspace) -> pa.Table:
    """Documents, tokens and bytes in the shards, per split, source and the documents' own language."""
    rows = [
        {
            "split": split,
            "source": source,
            "language": language,
            "documents": sizes["rows"],
            "tokens": sizes["tokens"],
            "bytes": sizes["bytes"],
        }
        for split, side in workspace.shards()["totals"].items()
        for source, found in side["sources"].items()
        for language, sizes in found["languages"].items()
    ]
    keys = ("split", "source", "language")
    return pa.Table.from_pylist(rows, TOKENS).sort_by([(key, "ascending") for key in keys])


def quarantine_table(workspace: Workspace) -> pa.Table:
    """Records in quarantine by source, step and reason (the error up to its first colon)."""
    tables = [
        read_table(path).replace_schema_metadata(None)
        for path in storage.list_files(workspace.path("quarantine"))
        if path.endswith(".parquet")
    ]
    if not tables:
        return QUARANTINE.empty_table()
    whole = pa.concat_tables(tables)
    reason = pc.list_element(pc.split_pattern(whole.column("error"), ":", max_splits=1), 0)
    whole = whole.append_column("reason", reason)
    sums = whole.group_by(["source", "step", "reason"]).aggregate([([], "count_all")])
    columns = [sums.column(name) for name in ("source", "step", "reason")] + [sums.column("count_all")]
    table = pa.table(columns, names=QUARANTINE.names).cast(QUARANTINE)
    return table.sort_by([(key, "ascending") for key in ("source", "step", "reason")])
