"""Write parts: Parquet files that are whole or absent, with the fingerprint of what made them."""

from __future__ import annotations

from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import RunError
from corpus.storage import atomic_output, exists, open_input

FINGERPRINT_KEY = b"corpus.fingerprint"
DOCUMENTS_KEY = b"corpus.documents"
OUTCOME_KEY = b"corpus.outcome"
"""The hash of what later stages take from a decisions part: which documents are kept, and for which split."""
PART_GROUP_ROWS = 4096
PART_GROUP_BYTES = 8 << 20
"""A row group of documents ends at 4,096 rows or 8 MiB of text, whichever comes first. Signals,
signatures and decisions follow the row groups of their documents, so that any of them can be made
again from a stored part, a row group at a time, with the same bytes."""


def add_fingerprint(schema: pa.Schema, fingerprint: str, documents: str | None = None) -> pa.Schema:
    """Return the schema with a part's fingerprint in its metadata, and that of its documents part."""
    added = {FINGERPRINT_KEY: fingerprint.encode()}
    if documents is not None:
        added[DOCUMENTS_KEY] = documents.encode()
    return schema.with_metadata({**(schema.metadata or {}), **added})


def check_beside(documents: pq.ParquetFile, other: pq.ParquetFile, name: str) -> None:
    """Raise RunError where two parts do not belong together: other rows, or made from other documents."""
    fingerprint = (documents.schema_arrow.metadata or {}).get(FINGERPRINT_KEY)
    beside = (other.schema_arrow.metadata or {}).get(DOCUMENTS_KEY)
    if fingerprint != beside or documents.metadata.num_rows != other.metadata.num_rows:
        raise RunError(f"{name} was not made from the documents beside it: remove it and build again")


def read_fingerprint(path: str) -> str | None:
    """Return the fingerprint of a Parquet part, or None when there is no such (whole) part."""
    return _read_key(path, FINGERPRINT_KEY)


def count_rows(path: str) -> int:
    """Return the number of rows of a Parquet part, from its footer."""
    with open_input(path) as stream:
        return int(pq.read_metadata(stream).num_rows)


def read_documents_fingerprint(path: str) -> str | None:
    """Return the fingerprint of the documents that a part was made from, or None when there is no such part."""
    return _read_key(path, DOCUMENTS_KEY)


def read_outcome(path: str) -> str | None:
    """Return the outcome that a part states (see `OUTCOME_KEY`), or None when there is no such (whole) part."""
    return _read_key(path, OUTCOME_KEY)


def _read_key(path: str, key: bytes) -> str | None:
    if not exists(path):
        return None
    with open_input(path) as stream:
        try:
            metadata = pq.read_metadata(stream).metadata or {}
        except pa.ArrowInvalid:
            return None
    value = metadata.get(key)
    return value.decode() if value is not None else None


class PartWriter:
    """Writes one Parquet part, a row group for each `write`; it appears, whole, when the block ends without an error.

    Its pages carry checksums, which `corpus verify` checks.

    The bytes depend on the rows, the row groups and the fingerprints alone. `documents` is the fingerprint of
    the documents part that the rows belong to.
    """

    def __init__(self, path: str, schema: pa.Schema, fingerprint: str, documents: str | None = None) -> None:
        self.path = path
        self.schema = add_fingerprint(schema, fingerprint, documents)
        self.rows = 0

    def __enter__(self) -> PartWriter:
        self._output = atomic_output(self.path)
        stream = self._output.__enter__()
        self._writer = pq.ParquetWriter(
            stream, self.schema, compression="zstd", compression_level=3, write_page_checksum=True
        )
        return self

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Append rows as one row group; their columns must be those of the schema, in its order."""
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        self.rows += table.num_rows
        self._writer.write_table(
            table.cast(self.schema).combine_chunks(), row_group_size=max(1, table.num_rows)
        )

    def state_outcome(self, outcome: str) -> None:
        """Add the part's outcome to its metadata."""
        self._writer.add_key_value_metadata({OUTCOME_KEY: outcome.encode()})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
        except BaseException as failure:
            if not self._output.__exit__(type(failure), failure, failure.__traceback__):
                raise
        self._output.__exit__(kind, error, trace)
