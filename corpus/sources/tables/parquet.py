"""Read Parquet files with field names mapped, split at row groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.sources.source import Source
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.lines import make_too_long_failure
from corpus.storage import open_input

MAX_BATCH_ROWS = 256
MAX_BATCH_BYTES = 32 << 20
"""Bytes that a batch may hold, estimated by the average row of its row group in the file's footer."""
PARQUET_DAMAGE = (pa.ArrowException, ValueError, OverflowError, OSError)
"""What pyarrow raises on damaged files and on values that Python has no type for."""


class Parquet(Source):
    """One document a row. A split holds the row groups whose first byte is in it.

    `offset` of a document is its row number in the file. Dates and times become ISO 8601, in UTC where the
    column has a time zone. A row with more than `max_bytes` of text in its fields is a failure. Memory: a
    batch of rows, and what Parquet takes to decode a page of each column.
    """

    kind: Literal["parquet"] = "parquet"
    fields: Fields = Fields()
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @classmethod
    def version(cls) -> int:
        return 3

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        try:
            with open_input(path) as stream:
                starts = [start for start, _, _ in _row_groups(pq.ParquetFile(stream).metadata, size)]
        except PARQUET_DAMAGE:
            return [(0, size)]
        cuts = [0]
        for start in starts:
            if start - cuts[-1] >= split_size:
                cuts.append(start)
        return list(zip(cuts, [*cuts[1:], max(size, cuts[-1] + 1)], strict=True))

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        with open_input(path) as stream:
            try:
                parquet = pq.ParquetFile(stream)
                names = parquet.schema_arrow.names
                groups = _row_groups(parquet.metadata, stream.seek(0, os.SEEK_END))
            except PARQUET_DAMAGE as error:
                message = f"not a Parquet file: {' '.join(str(error).split())}"
                yield Failure(file=file, offset=0, length=end, step="read", error=message)
                return
            wanted = self.fields.columns(names)
            for group, (first, row, rows) in enumerate(groups):
                if not (start <= first < end and rows):
                    continue
                if self.fields.has_text(names):
                    yield from self._read_group(parquet, group, row, rows, wanted, file)
                else:
                    listed = ", ".join(names) or "no column at all"
                    message = f"no column {self.fields.text!r} for the text: there is {listed}"
                    yield Failure(file=file, offset=row, length=rows, step="read", error=message)

    def first_rows(self, path: str, count: int, every_column: bool = False) -> list[dict[str, Any]]:
        """Return the first rows of a file, with the values of those columns that hold a field, or of every column.

        Raises what is in `PARQUET_DAMAGE`. A row has every column as a key; of those that are not read the value is
        None.
        """
        with open_input(path) as stream:
            parquet = pq.ParquetFile(stream)
            names = parquet.schema_arrow.names
            wanted = names if every_column else self.fields.columns(names)
            if not wanted:
                return [dict.fromkeys(names) for _ in range(min(count, parquet.metadata.num_rows))]
            batch = next(parquet.iter_batches(count, columns=wanted), None)
            rows = _without_times(batch).to_pylist() if batch is not None else []
            return [{**dict.fromkeys(names), **row} for row in rows]

    def _read_group(
        self, parquet: pq.ParquetFile, group: int, row: int, rows: int, wanted: list[str], file: str
    ) -> Iterator[Record | Failure]:
        end = row + rows
        average = max(1, parquet.metadata.row_group(group).total_byte_size // rows)
        batch_rows = max(1, min(MAX_BATCH_ROWS, MAX_BATCH_BYTES // average))
        try:
            for batch in parquet.iter_batches(batch_rows, row_groups=[group], columns=wanted):
                batch = _without_times(batch)
                for at, size in enumerate(_text_bytes(batch)):
                    if size > self.max_bytes:
                        yield make_too_long_failure("row", size, self.max_bytes, file, row, 1)
                    else:
                        yield self._record(batch.slice(at, 1), file, row)
                    row += 1
        except PARQUET_DAMAGE as error:
            yield Failure(
                file=file,
                offset=row,
                length=end - row,
                step="read",
                error=f"damaged: {' '.join(str(error).split())}",
            )

    def _record(self, batch: pa.RecordBatch, file: str, row: int) -> Record | Failure:
        try:
            return self.fields.record(batch.to_pylist()[0], file, row, 1, self.snapshot, self.license)
        except PARQUET_DAMAGE as error:
            return Failure(file=file, offset=row, length=1, step="read", error=str(error))


def _text_bytes(batch: pa.RecordBatch) -> list[int]:
    """Return the bytes of strings in each row, nested ones left out."""
    total: Any = pa.array([0] * batch.num_rows, pa.int64())
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if _is_text(column.type):
            total = pc.add(total, pc.fill_null(pc.binary_length(column), 0))
    return total.to_pylist()  # type: ignore[no-any-return]


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _without_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with times as text: Python's own have only microseconds, and only the years 1 to 9999."""
    columns = [_as_text(column) if pa.types.is_temporal(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _as_text(times: pa.Array) -> pa.Array:
    """Write times as ISO 8601, without a fraction that is zero; where no calendar reaches, as `value out of range` with
    the number."""
    zone = ""
    if pa.types.is_timestamp(times.type) and times.type.tz is not None:
        times, zone = times.view(pa.timestamp(times.type.unit)), "Z"
    text = pc.replace_substring_regex(times.cast(pa.string()), r"^(-?\d+-\d\d-\d\d) ", r"\1T")
    text = pc.replace_substring_regex(text, r"\.0+$", "")
    text = pc.replace_substring_regex(text, "$", zone) if zone else text
    return pc.replace_substring_regex(text, r"^<value out of range: (-?\d+)>Z?$", r"value out of range: \1")


def _row_groups(metadata: pq.FileMetaData, size: int) -> list[tuple[int, int, int]]:
    """Return (place, first row, rows) of each row group of a file of `size` bytes.

    The place approximates its first byte, by the sizes of the groups before it. The exact one would come from the
    metadata of a column, and Arrow ends the process where those are damaged.
    """
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    weights = [max(0, group.total_byte_size) for group in groups]
    places, row, before, total = [], 0, 0, max(1, sum(weights))
    for group, weight in zip(groups, weights, strict=True):
        places.append((before * max(0, size - 1) // total, row, group.num_rows))
        row += group.num_rows
        before += weight
    return places
