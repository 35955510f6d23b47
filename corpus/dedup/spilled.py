"""Records on disk: arrays of one dtype that are appended, and read back whole or in pieces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
Stream = Callable[[], Iterator[Records]]
"""Gives all records, some at a time; may be called more than once."""

SPILLED_PIECE_BYTES = 64 << 20
"""Bytes of records in a piece that is read."""


class SpilledRecords:
    """Records of one dtype in the file at `path`, which belongs to one process and is no longer needed when it ends."""

    def __init__(self, path: str, dtype: np.dtype[np.void]) -> None:
        self.path, self.dtype = path, dtype
        self.rows = 0

    def append(self, records: Records) -> None:
        """Write records after those that are there."""
        if len(records):
            with open(self.path, "ab") as output:
                records.astype(self.dtype, copy=False).tofile(output)
            self.rows += len(records)

    def pieces(self) -> Iterator[Records]:
        """Yield all records in the order in which they were appended, `SPILLED_PIECE_BYTES` at a time."""
        if not self.rows:
            return
        rows = max(1, SPILLED_PIECE_BYTES // self.dtype.itemsize)
        with open(self.path, "rb") as stream:
            for start in range(0, self.rows, rows):
                yield np.fromfile(stream, self.dtype, min(rows, self.rows - start))

    def read(self) -> Records:
        """Return all records."""
        return np.concatenate([np.empty(0, self.dtype), *self.pieces()])

    def clear(self) -> None:
        """Remove all records."""
        if self.rows:
            os.unlink(self.path)
        self.rows = 0


class SpilledParts:
    """Records of one dtype in numbered parts, a file for each."""

    def __init__(self, folder: str, name: str, dtype: np.dtype[np.void], parts: int) -> None:
        self.parts = [SpilledRecords(f"{folder}/{name}-{part}", dtype) for part in range(parts)]

    def append(self, to: NDArray[np.int64], records: Records) -> None:
        """Append each record to the part in `to`."""
        for part in np.unique(to).tolist():
            self.parts[part].append(records[to == part])

    def clear(self) -> None:
        for part in self.parts:
            part.clear()
