"""Sums by key: of coded rows while a part is counted, of Arrow tables while parts are merged.

Both need at most a few times the memory of the sums themselves, however many rows are added.
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
MIN_WAITING_ROWS = 1 << 18
"""Least number of rows that are collected before they are summed."""
MAX_KEYS_IN_MEMORY = 1 << 21
"""Distinct keys that `TopSums` holds in memory; beyond them it works on disk."""
SPILL_BUCKETS = 64


class CodedSums:
    """Sums of int64 columns by an int64 code."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._waiting: list[npt.NDArray[np.int64]] = []
        self._rows = 0
        self._held = 0

    def add(self, codes: Codes, *numbers: npt.NDArray[np.int64]) -> None:
        """Add rows: a code and its numbers for each."""
        if len(codes):
            self._waiting.append(np.stack([codes, *numbers]).astype(np.int64))
            self._rows += len(codes)
        if self._rows > MIN_WAITING_ROWS + 2 * self._held:
            self._reduce()

    def _reduce(self) -> None:
        rows = np.concatenate(self._waiting, axis=1)
        rows = rows[:, np.argsort(rows[0], kind="stable")]
        first = np.flatnonzero(np.diff(rows[0], prepend=rows[0][0] - 1))
        sums = np.add.reduceat(rows[1:], first, axis=1)
        self._waiting = [np.concatenate([rows[:1, first], sums])]
        self._rows = self._held = len(first)

    def result(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Return the codes, ascending, and their sums int64[columns, codes]."""
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
        """Add rows; columns outside the schema are left out."""
        if table.num_rows:
            self._waiting.append(table.select(self.schema.names).cast(self.schema))
            self._rows += table.num_rows
        if self._rows > MIN_WAITING_ROWS + 2 * self._held:
            self._reduce()

    def _reduce(self) -> None:
        whole = pa.concat_tables(self._waiting)
        sums = whole.group_by(self.keys).aggregate([(name, "sum") for name in self.numbers])
        columns = [sums.column(f"{name}_sum" if name in self.numbers else name) for name in self.schema.names]
        self._waiting = [pa.table(columns, schema=self.schema)]
        self._rows = self._held = sums.num_rows

    def result(self) -> pa.Table:
        """Return the sums, sorted by their keys."""
        if not self._waiting:
            return self.schema.empty_table()
        self._reduce()
        return self._waiting[0].sort_by([(key, "ascending") for key in self.keys]).combine_chunks()


class TopSums(TableSums):
    """Sums like `TableSums` that keep only the keys with the largest sums; the others become one row for each `within`.

    `key` is the text column of which the `most` values with the largest sums of `by` are kept (ties by name), over all
    of `within` together; in the rows of the rest it is null. The result has a further column `names`: the number of
    different keys that a row covers. Exact, with no more than `spill` distinct keys in memory: beyond them the sums
    are distributed by hash over files in a temporary folder, and completed file by file.
    """

    def __init__(
        self, schema: pa.Schema, within: str, key: str, by: str, most: int, spill: int = MAX_KEYS_IN_MEMORY
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
        buckets = np.array(
            [xxhash.xxh3_64_intdigest(name.encode()) % SPILL_BUCKETS for name in names], np.int64
        )
        order = np.argsort(buckets, kind="stable")
        table = table.take(pa.array(order))
        ends = np.cumsum(np.bincount(buckets, minlength=SPILL_BUCKETS))
        for bucket in range(SPILL_BUCKETS):
            start = int(ends[bucket - 1]) if bucket else 0
            part = table.slice(start, int(ends[bucket]) - start)
            path = Path(self._folder.name) / f"{bucket}-{self._spilled}.arrow"
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self.schema) as writer:
                writer.write_table(part)
        self._spilled += 1
        self._waiting, self._rows, self._held = [], 0, 0

    def result(self) -> pa.Table:
        """Return the rows of the top keys, sorted by `by` in descending order, then the rest of each `within`."""
        if self._waiting:
            super()._reduce()
        if self._folder is None:
            best, rest = self._split(self._waiting[0] if self._waiting else self.schema.empty_table())
        else:
            if self._waiting:
                self._to_disk()
            chosen, others = [], []
            for bucket in range(SPILL_BUCKETS):
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
        """Return the rows of the most frequent names, and the sums of the others."""
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
