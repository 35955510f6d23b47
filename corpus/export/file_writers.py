"""Writers of the formats of an export: rows of `EXPORT_SCHEMA` into a stream."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from corpus.storage.part_writer import PART_GROUP_BYTES, PART_GROUP_ROWS

ExportFormat = Literal["jsonl.zst", "parquet"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = ("jsonl.zst", "parquet")
EXPORT_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string())
        for name in ("id", "text", "source", "language", "url", "date", "snapshot", "license", "metadata")
    ]
)
"""Columns of both formats, all of them text: `metadata` is a JSON object, since sources have different keys.

Parquet has nulls. JSON Lines have every key in every line, and "" for null: a reader that infers types from the first
lines of a file, as `datasets` does, would else find a column there that has no type, or not find it at all."""
ZSTD_LEVEL = 6
"""3.8 to 1 at 98 MB/s on 36 MB of Wikipedia and web in 24 languages; level 3 gives 3.5 at 245, 19 gives 4.8 at 2."""
TIME_COLUMNS = ("date", "snapshot")
_LIKE_A_TIME = r"^\d{4}-\d\d-\d\d([ Tt]|$)"


class RowWriter(Protocol):
    """Writes rows of `EXPORT_SCHEMA` to a stream, which stays open."""

    def write(self, rows: pa.Table) -> None:
        """Append rows. The bytes of a file depend on the rows and on how they are divided among calls."""

    def close(self) -> None:
        """Write what is still in memory."""


def create_writer(format: ExportFormat, stream: Any) -> RowWriter:
    """Create the writer of a format."""
    return JsonLinesWriter(stream) if format == "jsonl.zst" else ParquetRowWriter(stream)


def to_basic_times(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return dates and times in the basic form of ISO 8601 (`20240131T235959Z`), and other values as they are.

    Arrow's JSON reader makes a timestamp of a column if all of a block looks like `2024-01-31`, a string if one value
    does not, and `datasets` cannot read a file of both. The basic form is a string to it, and to DuckDB.
    """
    basic = pc.replace_substring_regex(values, r"^(\d{4})-(\d\d)-(\d\d)", r"\1\2\3")
    basic = pc.replace_substring_regex(basic, r"^(\d{8})[ t]", r"\1T")
    basic = pc.replace_substring(basic, ":", "")
    return pc.if_else(pc.match_substring_regex(values, _LIKE_A_TIME), basic, values)


class JsonLinesWriter:
    """Writes JSON Lines, keys in the order of `EXPORT_SCHEMA`, all of them in every line.

    One zstd frame with a checksum, since many readers end after the first.
    """

    def __init__(self, stream: Any) -> None:
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        self._out: Any = compressor.stream_writer(stream, closefd=False)

    def write(self, rows: pa.Table) -> None:
        for at, name in enumerate(EXPORT_SCHEMA.names):
            values = pc.fill_null(rows.column(name), "")
            rows = rows.set_column(at, name, to_basic_times(values) if name in TIME_COLUMNS else values)
        for batch in rows.to_batches(max_chunksize=256):
            lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist()]
            self._out.write(b"".join(lines))

    def close(self) -> None:
        self._out.close()


class ParquetRowWriter:
    """Writes Parquet with zstd, in row groups of at most 8 MiB of text; every column is a plain string to any reader.

    Arrow's own schema is left out: it would give readers types that they may not know.
    """

    def __init__(self, stream: Any) -> None:
        self._out = pq.ParquetWriter(
            stream,
            EXPORT_SCHEMA,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            store_schema=False,
            write_page_checksum=True,
            use_dictionary=["source", "language", "date", "snapshot", "license"],
        )
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0

    def write(self, rows: pa.Table) -> None:
        size = pc.sum(pc.binary_length(rows["text"])).as_py() or 0
        if self._waiting and (
            self._rows + len(rows) > PART_GROUP_ROWS or self._bytes + size > PART_GROUP_BYTES
        ):
            self._flush()
        self._waiting.append(rows)
        self._rows += len(rows)
        self._bytes += size

    def _flush(self) -> None:
        self._out.write_table(pa.concat_tables(self._waiting).combine_chunks(), row_group_size=self._rows)
        self._waiting, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._out.close()
