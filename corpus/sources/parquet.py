"""Parquet files with field names mapped, split at row groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.document import Failure, Record
from corpus.sources.base import Source
from corpus.sources.fields import Fields
from corpus.storage import open_input

BATCH_ROWS = 256


class Parquet(Source):
    """One document a row. A split holds the row groups whose first byte lies in it.

    `offset` of a document is its row number in the file.
    """

    kind: Literal["parquet"] = "parquet"
    fields: Fields = Fields()

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        try:
            with open_input(path) as stream:
                starts = [start for start, _, _ in _row_groups(pq.ParquetFile(stream).metadata)]
        except (pa.ArrowInvalid, OSError):
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
            except (pa.ArrowInvalid, OSError) as error:
                yield Failure(
                    file=file, offset=0, length=end, step="read", error=f"not a Parquet file: {error}"
                )
                return
            wanted = [name for name in self.fields.names() if name in parquet.schema_arrow.names]
            for group, (first, row, rows) in enumerate(_row_groups(parquet.metadata)):
                if start <= first < end:
                    yield from self._read_group(parquet, group, row, rows, wanted, file)

    def _read_group(
        self, parquet: pq.ParquetFile, group: int, row: int, rows: int, wanted: list[str], file: str
    ) -> Iterator[Record | Failure]:
        end = row + rows
        try:
            for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
                for values in batch.to_pylist():
                    try:
                        yield self.fields.record(values, file, row, 1, self.snapshot, self.license)
                    except ValueError as error:
                        yield Failure(file=file, offset=row, length=1, step="read", error=str(error))
                    row += 1
        except (pa.ArrowInvalid, OSError) as error:
            yield Failure(file=file, offset=row, length=end - row, step="read", error=f"damaged: {error}")


def _row_groups(metadata: pq.FileMetaData) -> list[tuple[int, int, int]]:
    """(first byte, first row, rows) of each row group."""
    found, row = [], 0
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        column = group.column(0)
        first = column.dictionary_page_offset or column.data_page_offset
        found.append((min(first, column.data_page_offset), row, group.num_rows))
        row += group.num_rows
    return found
