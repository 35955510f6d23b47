"""Read and count the documents that share their record's id with others, and so have ids of their own."""

from __future__ import annotations

import pyarrow as pa

from corpus import storage
from corpus.workspace import Workspace, read_table

SHARED_IDS_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
    ]
)
"""A document by its row in its documents part: its id, and the one that it would have if no other had it."""


def shared_ids_path(workspace: Workspace) -> str:
    return workspace.path("ids", "shared.parquet")


def read_shared_ids(workspace: Workspace) -> pa.Table:
    """Return the documents of a workspace that have ids of their own: rows of `SHARED_IDS_SCHEMA`."""
    path = shared_ids_path(workspace)
    return read_table(path) if storage.exists(path) else SHARED_IDS_SCHEMA.empty_table()


def build_shared_id_table(workspace: Workspace) -> pa.Table:
    """Count them by source: how many ids several records share, and how many documents have one of these."""
    rows = read_shared_ids(workspace)
    counted = rows.group_by("source").aggregate([("record_id", "count_distinct"), ("id", "count")])
    columns = [
        counted.column("source"),
        counted.column("record_id_count_distinct"),
        counted.column("id_count"),
    ]
    return pa.table(columns, names=["source", "ids", "documents"]).sort_by("source")
