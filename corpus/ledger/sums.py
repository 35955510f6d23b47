"""Sums by key: of coded rows while a part is counted, of Arrow tables while parts are merged.

Both hold at most a few times what the sums themselves take, however many rows are added.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

Codes = npt.NDArray[np.int64]
LEAST = 1 << 18
"""Rows that wait at least before they are summed."""
SPILL = 1 << 21
"""Distinct keys that `Top` holds in memory; beyond them it works from disk."""
BUCKETS = 64


class CodedSums:
    """int64 code -> sums of int64 columns."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._waiting: list[npt.NDArray[np.int64]] = []
        self._rows = 0
        self._held = 0

    def add(self, codes: Codes, *numbers: npt.NDArray[np.int64]) -> None:
        """Rows to be summed: a code and its numbers for each."""
        if len(codes):
            self._waiting.append(np.stack([codes, *numbers]).astype(np.int64))
            self._rows += len(codes)
        if self._rows > LEAST + 2 * self._held:
            self._reduce()

    def _reduce(self) -> None:
        rows = np.concatenate(self._waiting, axis=1)
        rows = rows[:, np.argsort(rows[0], kind="stable")]
        first = np.flatnonzero(np.diff(rows[0], prepend=rows[0][0] - 1))
        sums = np.add.reduceat(rows[1:], first, axis=1)
        self._waiting = [np.concatenate([rows[:1, first], sums])]
        self._rows = self._held = len(first)

    def result(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        """The codes, ascending, and int64[columns, codes]."""
        if not self._waiting:
            return np.zeros(0, np.int64), np.zeros((self.columns, 0), np.int64)
        self._reduce()
        return self._waiting[0][0], self._waiting[0][1:]


class TableSums:
    """Sums of Arrow tables of one schema: `keys` are its key columns, the others are added up."""

    def __init__(self, schema: pa.Schema, keys: Sequence[str]) -> None:
        self.schema, self.keys = schema, list(keys)
        self.numbers = [name for name in schema.names if name not in self.keys]
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._held = 0

    def add(self, table: pa.Table) -> None:
        """Rows to be summed; columns beyond the schema's are left out."""
        if table.num_rows:
            self._waiting.append(table.select(self.schema.names).cast(self.schema))
            self._rows += table.num_rows
        if self._rows > LEAST + 2 * self._held:
            self._reduce()

    def _reduce(self) -> None:
        whole = pa.concat_tables(self._waiting)
        sums = whole.group_by(self.keys).aggregate([(name, "sum") for name in self.numbers])
        columns = [sums.column(f"{name}_sum" if name in self.numbers else name) for name in self.schema.names]
        self._waiting = [pa.table(columns, schema=self.schema)]
        self._rows = self._held = sums.num_rows

    def result(self) -> pa.Table:
        """The sums, sorted by their keys."""
        if not self._waiting:
            return self.schema.empty_table()
        self._reduce()
        return self._waiting[0].sort_by([(key, "ascending") for key in self.keys]).combine_chunks()


class Top(TableSums):
    """As `TableSums`, but only the keys with the largest sums stay, the others go into one row each `within`.

    `key` is the column (text) of which the `most` with the largest sums of `by` stay (ties by name), in all of
    `within` together; in the rows of the rest it is null. The result has a further column `names`: how many
    different ones a row stands for. Exact, with no more than `spill` distinct keys in memory: beyond them the sums
    are dealt by hash into files in a temporary folder, and finished file by file.
    """

    def __init__(
        self, schema: pa.Schema, within: str, key: str, by: str, most: int, spill: int = SPILL
    ) -> None:
        super().__init__(schema, [within, key])
        self.within, self.key, self.by, self.most, self.spill = within, key, by, most, spill
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._spilled = 0

    def _reduce(self) -> None:
        super()._reduce()
        if self._held > self.spill:
            self._to_disk()

    def _to_disk(self) -> None:
        table = self._waiting[0]
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="corpus-ledger-")
        names = table.column(self.key).to_pylist()
        buckets = np.array([xxhash.xxh3_64_intdigest(name.encode()) % BUCKETS for name in names], np.int64)
        order = np.argsort(buckets, kind="stable")
        table = table.take(pa.array(order))
        ends = np.cumsum(np.bincount(buckets, minlength=BUCKETS))
        for bucket in range(BUCKETS):
            start = int(ends[bucket - 1]) if bucket else 0
            part = table.slice(start, int(ends[bucket]) - start)
            path = Path(self._folder.name) / f"{bucket}-{self._spilled}.arrow"
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self.schema) as writer:
                writer.write_table(part)
        self._spilled += 1
        self._waiting, self._rows, self._held = [], 0, 0

    def result(self) -> pa.Table:
        """The rows of the top, sorted by `by` downwards, then the rest of each `within`."""
        if self._waiting:
            super()._reduce()
        if self._folder is None:
            best, rest = self._split(self._waiting[0] if self._waiting else self.schema.empty_table())
        else:
            if self._waiting:
                self._to_disk()
            chosen, others = [], []
            for bucket in range(BUCKETS):
                bucket_sums = TableSums(self.schema, self.keys)
                for number in range(self._spilled):
                    with pa.memory_map(str(Path(self._folder.name) / f"{bucket}-{number}.arrow")) as source:
                        bucket_sums.add(pa.ipc.open_file(source).read_all())
                top, left = self._split(bucket_sums.result())
                chosen.append(top)
                others.append(left)
            best, left = self._split(pa.concat_tables(chosen).drop_columns(["names"]))
            rest = self._rest(pa.concat_tables([*others, left]))
            self._folder.cleanup()
        order = [(self.by, "descending"), (self.key, "ascending"), (self.within, "ascending")]
        rows = [best.sort_by(order), rest.sort_by([(self.within, "ascending")])]
        return pa.concat_tables(rows).combine_chunks()

    def _split(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows of the most frequent names, and the sums of the others."""
        ones = pa.array(np.ones(table.num_rows, np.int64))
        table = table.append_column("names", ones)
        totals = table.group_by([self.key]).aggregate([(self.by, "sum")])
        totals = totals.sort_by([(f"{self.by}_sum", "descending"), (self.key, "ascending")])
        chosen = pc.is_in(table.column(self.key), value_set=totals.column(self.key).slice(0, self.most))
        return table.filter(chosen), self._rest(table.filter(pc.invert(chosen)))

    def _rest(self, table: pa.Table) -> pa.Table:
        numbers = [*self.numbers, "names"]
        sums = table.group_by([self.within]).aggregate([(name, "sum") for name in numbers])
        nulls = pa.nulls(sums.num_rows, self.schema.field(self.key).type)
        columns = [
            nulls
            if name == self.key
            else sums.column(f"{name}_sum" if name in numbers else name).cast(table.schema.field(name).type)
            for name in table.column_names
        ]
        return pa.table(columns, schema=table.schema)
