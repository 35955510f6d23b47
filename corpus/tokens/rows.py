"""The kept documents of an input split, one row group at a time: small columns first, texts only when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import RunError
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.storage import open_input

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGroup:
    """The kept rows of one row group, in their order; `columns` holds their id, language, bytes and split."""

    columns: pa.Table
    _rows: Rows
    _file: pq.ParquetFile
    _number: int

    def __len__(self) -> int:
        return len(self._rows)

    def texts(self, chosen: Rows) -> pa.ChunkedArray:
        """Return the texts of some of the kept rows, by their indexes in `columns`."""
        if not len(chosen):
            return pa.chunked_array([], pa.string())
        column = self._file.read_row_group(self._number, columns=["text"]).column("text")
        return column.take(pa.array(self._rows[chosen]))


def read_kept_groups(documents: str, decisions: str) -> Iterator[KeptGroup]:
    """Yield every row group of an input split that has kept documents; an unknown language becomes `und_Zyyy`.

    Memory: one row group, with its text only when asked for. Raises RunError if the rows of the two parts differ.
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
            language = pc.fill_null(columns.column("language"), UNKNOWN_LABEL)
            columns = columns.set_column(1, "language", language)
            yield KeptGroup(columns=columns, _rows=rows, _file=file, _number=number)
