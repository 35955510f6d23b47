"""The Arrow schemas of documents parts and decisions parts."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from corpus.document import Document

DOCUMENTS_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("content_hash", pa.string()),
        pa.field("text", pa.string()),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("date", pa.string()),
        pa.field("snapshot", pa.string()),
        pa.field("language", pa.string()),
        pa.field("license", pa.string()),
        pa.field("opt_out", pa.string()),
        pa.field("group", pa.string()),
        pa.field(
            "origin",
            pa.struct([("file", pa.string()), ("offset", pa.int64()), ("length", pa.int64())]),
            nullable=False,
        ),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
        pa.field("gate", pa.string()),
    ]
)
"""Columns of a documents part; `text` and `content_hash` are null for a gated document, `text` also where it was not
kept (see `corpus.rules.kept_texts`). `opt_out` has what the page says about being trained on, as words of
`corpus.extract.opt_outs`; null if it says nothing.

`characters` and `bytes` (UTF-8) are the lengths of the text, 0 for a gated document, so that counting needs no text.
"""

LATER_COLUMNS = ("opt_out",)
"""Columns of documents parts that those of earlier versions lack."""

DECISIONS_SCHEMA = pa.schema(
    [
        pa.field("gate", pa.string()),
        pa.field("failed_rules", pa.list_(pa.string())),
        pa.field("duplicate_of", pa.string()),
        pa.field("split", pa.string()),
        pa.field("kept", pa.bool_(), nullable=False),
    ]
)
"""Columns of a decisions part, whose rows match those of documents; `split` (train, valid) is null where not kept."""


def to_documents_batch(documents: Iterable[Document]) -> pa.RecordBatch:
    """Convert documents to one record batch of `DOCUMENTS_SCHEMA`, in their order."""
    rows = list(documents)
    columns: list[pa.Array] = []
    for column in DOCUMENTS_SCHEMA:
        values: list[object]
        if column.name == "origin":
            values = [{"file": d.file, "offset": d.offset, "length": d.length} for d in rows]
        elif column.name == "metadata":
            values = [sorted(d.metadata.items()) for d in rows]
        elif column.name == "characters":
            values = [len(d.text or "") for d in rows]
        elif column.name == "bytes":
            values = [len((d.text or "").encode()) for d in rows]
        else:
            values = [getattr(d, column.name) for d in rows]
        columns.append(pa.array(values, column.type))
    return pa.RecordBatch.from_arrays(columns, schema=DOCUMENTS_SCHEMA)
