"""What the steps of a search over input splits share: the workspace, the numbers of splits and ranges, the texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.dedup.options import DedupOptions
from corpus.dedup.rows import row_of, split_of
from corpus.errors import UserError
from corpus.workspace import Workspace

Split = tuple[str, str]
"""(source, split)."""


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """What every step needs: the workspace, the options, and the numbers of splits and partitions.

    Neighbouring splits form blocks; a document's number gives its split, and so its block. The list of splits itself is
    in a file of the workspace, as it can be too large for a pipeline's description.
    """

    list_place: ClassVar[tuple[str, ...]]
    """Where in the workspace the list of splits lies while the search runs."""

    root: str
    options: DedupOptions
    splits: int
    partitions: int
    digest: str

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @property
    def blocks(self) -> int:
        return max(1, min(self.splits, self.partitions))

    def block(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the block of each document number."""
        return split_of(number) * self.blocks // max(1, self.splits)

    def block_splits(self, block: int) -> range:
        """Return the split numbers of a block."""
        return share_of(self.splits, block, self.blocks)

    def write_names(self, splits: Sequence[Split]) -> None:
        """Write the list of splits, by number."""
        content = json.dumps({"digest": self.digest, "splits": splits})
        storage.write_text(self.workspace.path(*self.list_place), content + "\n")

    def names(self) -> Sequence[Split]:
        """Return (source, split) by split number."""
        return _read_names(self.workspace.path(*self.list_place), self.digest)

    @classmethod
    def remove_names(cls, workspace: Workspace) -> None:
        """Remove the list of splits, at the end of a run."""
        storage.remove(workspace.path(*cls.list_place))


@lru_cache(maxsize=2)
def _read_names(path: str, digest: str) -> list[Split]:
    stored = json.loads(storage.read_text(path))
    if stored["digest"] != digest:
        raise UserError(f"{path} was changed while the documents were being compared: two builds at once?")
    return [(source, split) for source, split in stored["splits"]]


def share_of(count: int, number: int, shares: int) -> range:
    """Return the numbers n below `count` whose n * shares // count is `number`."""
    return range(-(-number * count // shares), -(-(number + 1) * count // shares))


def read_rows(
    numbers: NDArray[np.int64], plan: SplitPlan, columns: list[str]
) -> Iterator[tuple[NDArray[np.int64], pa.Table]]:
    """Yield (numbers, columns) of documents by ascending number, a row group of their parts at a time; only the groups
    that they are in are read."""
    splits, starts = np.unique(split_of(numbers), return_index=True)
    for split, piece in zip(splits.tolist(), np.split(numbers, starts[1:]), strict=False):
        source, name = plan.names()[split]
        part = pq.ParquetFile(storage.open_input(plan.workspace.part("documents", source, name)))
        try:
            first = 0
            for group in range(part.num_row_groups):
                count = part.metadata.row_group(group).num_rows
                wanted = row_of(piece) - first
                inside = (wanted >= 0) & (wanted < count)
                if inside.any():
                    table = part.read_row_group(group, columns=columns, use_threads=False)
                    yield piece[inside], table.take(wanted[inside])
                first += count
        finally:
            part.close(force=True)
