"""The kept documents of an input split, one row group at a time: small columns first, texts only when asked for.

Texts are those that a corpus has: with the edits that are applied (`corpus.edits.applied`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import RunError
from corpus.holding import read_holding, signals_beside
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.storage import open_input

Rows = npt.NDArray[np.int64]


class TextEdits(Protocol):
    """The edits of an input split: `corpus.edits.parts.SplitEdits`, which this floor does not import."""

    def apply_to(self, texts: pa.ChunkedArray, rows: Rows) -> tuple[pa.ChunkedArray, list[int]]:
        """Return the texts (n,) of documents with these row numbers (n,), edited, and the places of those with
        edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGroup:
    """The kept rows of one row group, in their order; `columns` holds their id, language, bytes, split, and whether one
    `trains` a tokenizer: it is for training and holds no item of an evaluation set.

    `bytes` are those of the texts as they are stored.
    """

    columns: pa.Table
    _rows: Rows
    _file: pq.ParquetFile
    _number: int
    _first: int
    _edits: TextEdits | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def texts(self, chosen: Rows) -> pa.ChunkedArray:
        """Return the texts of some of the kept rows, by their indexes in `columns`, edited."""
        return self.edit_texts(chosen)[0]

    def edit_texts(self, chosen: Rows) -> tuple[pa.ChunkedArray, list[int]]:
        """Return the same, and the places among `chosen` of those that have edits."""
        if not len(chosen):
            return pa.chunked_array([], pa.string()), []
        column = self._file.read_row_group(self._number, columns=["text"]).column("text")
        rows = self._rows[chosen]
        texts = column.take(pa.array(rows))
        return (texts, []) if self._edits is None else self._edits.apply_to(texts, rows + self._first)


def read_kept_groups(documents: str, decisions: str, edits: TextEdits | None = None) -> Iterator[KeptGroup]:
    """Yield every row group of an input split that has kept documents; an unknown language becomes `und_Zyyy`.

    `edits` are those of the split that are applied to its texts. Memory: one row group, with its text only when asked
    for. Raises RunError if the rows of the two parts differ.
    """
    with open_input(documents) as stream, open_input(decisions) as beside:
        file, decided = pq.ParquetFile(stream), pq.ParquetFile(beside)
        groups = [
            [part.metadata.row_group(i).num_rows for i in range(part.num_row_groups)]
            for part in (file, decided)
        ]
        if groups[0] != groups[1]:
            raise RunError(f"{documents} and {decisions} have different rows: decide again")
        ends = np.cumsum([0, *groups[0]]).tolist()
        holding = read_holding(signals_beside(documents))
        for number in range(file.num_row_groups):
            verdict = decided.read_row_group(number, columns=["kept", "split"])
            rows = np.flatnonzero(verdict.column("kept").to_numpy())
            if not len(rows):
                continue
            columns = file.read_row_group(number, columns=["id", "language", "bytes"])
            columns = columns.append_column("split", verdict.column("split")).take(pa.array(rows))
            language = pc.fill_null(columns.column("language"), UNKNOWN_LABEL)
            columns = columns.set_column(1, "language", language)
            trains = pc.fill_null(pc.equal(columns.column("split"), "train"), False)
            if holding is not None:
                trains = pc.and_(trains, pa.array(~holding[rows + ends[number]]))
            columns = columns.append_column("trains", trains)
            yield KeptGroup(
                columns=columns, _rows=rows, _file=file, _number=number, _first=ends[number], _edits=edits
            )
