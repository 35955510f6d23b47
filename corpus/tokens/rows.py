"""The kept documents of a split, a row group at a time: light columns first, texts of the wanted rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import RunError
from corpus.storage import open_input

Rows = npt.NDArray[np.int64]

UNKNOWN = "und_Zyyy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The kept rows of one row group, in their order; `columns` has their id, language, bytes and split."""

    columns: pa.Table
    _rows: Rows
    _file: pq.ParquetFile
    _number: int

    def __len__(self) -> int:
        return len(self._rows)

    def texts(self, chosen: Rows) -> pa.ChunkedArray:
        """The texts of some of the kept rows, by their places in `columns`."""
        if not len(chosen):
            return pa.chunked_array([], pa.string())
        column = self._file.read_row_group(self._number, columns=["text"]).column("text")
        return column.take(pa.array(self._rows[chosen]))


def kept(documents: str, decisions: str) -> Iterator[Group]:
    """Every row group of a split that has kept documents; language is `und_Zyyy` where none is known.

    Memory: one row group, its text only where asked for. RunError where the two parts do not belong together.
    """
    with open_input(documents) as stream, open_input(decisions) as beside:
        file, decided = pq.ParquetFile(stream), pq.ParquetFile(beside)
        groups = [
            [part.metadata.row_group(i).num_rows for i in range(part.num_row_groups)]
            for part in (file, decided)
        ]
        if groups[0] != groups[1]:
            raise RunError(f"{documents} and {decisions} have different rows: decide again")
        for number in range(file.num_row_groups):
            verdict = decided.read_row_group(number, columns=["kept", "split"])
            rows = np.flatnonzero(verdict.column("kept").to_numpy())
            if not len(rows):
                continue
            columns = file.read_row_group(number, columns=["id", "language", "bytes"])
            columns = columns.append_column("split", verdict.column("split")).take(pa.array(rows))
            language = pc.fill_null(columns.column("language"), UNKNOWN)
            columns = columns.set_column(1, "language", language)
            yield Group(columns=columns, _rows=rows, _file=file, _number=number)
