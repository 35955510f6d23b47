"""Records, failures and documents, and the Arrow schemas of documents parts and decisions parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

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

MAX_DOCUMENT_BYTES = 8 << 20
"""Default limit of one document: measuring 8 MiB of English takes a worker 870 MB. Web pages have a limit
of their own, before their text is extracted."""


QUARANTINE_REASONS = ("bytes", "tags", "memory", "time", "crash", "depth", "damaged", "decode", "remote")
"""Why a record is in quarantine. With larger budgets the first five may come out otherwise."""
RETRIED_REASONS = QUARANTINE_REASONS[:5]


@dataclass(slots=True, kw_only=True)
class Record:
    """One record of a source before extraction.

    `offset` and `length` are its position in `file`: in bytes of the file as it is stored, where records can be
    reached there (a gzip member, a frame, a bz2 stream, an archive's member with its header), else in bytes of the
    decompressed file. A record with `gate` set was stopped by its source (a redirect, a wrong MIME type) and needs
    no body.
    """

    native_id: str
    file: str
    offset: int
    length: int
    media_type: str = "text/plain"
    body: bytes | str = b""
    url: str | None = None
    date: str | None = None
    snapshot: str | None = None
    license: str | None = None
    opt_out: str | None = None
    group: str | None = None
    charset: str | None = None
    language: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    gate: str | None = None


@dataclass(slots=True, kw_only=True)
class Failure:
    """Input that could not be read: where it is, which step failed, and why.

    `reason` is a word for the kind of failure (see `QUARANTINE_REASONS`), `error` one line about it, `bytes`
    the size of the record as it was passed to the parser.
    """

    file: str
    offset: int
    length: int
    step: str
    error: str
    reason: str = "damaged"
    bytes: int | None = None
    url: str | None = None


@dataclass(slots=True, kw_only=True)
class Document:
    """A row of a documents part: see `DOCUMENTS_SCHEMA`."""

    id: str
    file: str
    offset: int
    length: int
    content_hash: str | None = None
    text: str | None = None
    url: str | None = None
    date: str | None = None
    snapshot: str | None = None
    language: str | None = None
    license: str | None = None
    opt_out: str | None = None
    group: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    gate: str | None = None


def document_id(source: str, native_id: str) -> str:
    """Return the 128-bit BLAKE2b of (source, native record id) as 32 hex digits."""
    return hashlib.blake2b(
        f"{source}\0{native_id}".encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()


def content_hash(text: str) -> str:
    """Return the 128-bit BLAKE2b of the text in UTF-8 as 32 hex digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


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
