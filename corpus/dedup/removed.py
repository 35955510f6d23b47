"""DIR/dedup/clusters.parquet: every removed document, the one kept in its place, and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.dedup.clusters import LEVEL_NAMES
from corpus.dedup.rows import row_of, split_of, to_hex
from corpus.storage import open_input
from corpus.storage.part_writer import PartWriter

CLUSTERS_SCHEMA = pa.schema(
    [
        pa.field("removed_id", pa.string(), nullable=False),
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("similarity", pa.float32()),
        pa.field("cluster_size", pa.int64(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
"""One row for each removed document, sorted by (source, split, row), its position in the documents parts.

`level`: exact, url, minhash or contained, the relation to the kept document. `similarity`: 1 for exact, the estimated
Jaccard similarity for minhash, the share that stands in the kept one for contained, null where the two were not
compared. `cluster_size`: the number of documents that the kept one represents, itself included; the same in every row
of one `kept_id`.
"""
CLUSTERS_GROUP_ROWS = 1 << 16


def to_clusters_table(
    removed: NDArray[np.void], splits: Sequence[tuple[str, str]], first: int = 0
) -> pa.Table:
    """Convert REMOVED to sorted rows of `CLUSTERS_SCHEMA`; `splits` are (source, split),
    the first of them number `first`."""
    removed = removed[np.argsort(removed["number"], kind="stable")]
    at = pa.array(split_of(removed["number"]) - first)
    sources, names = zip(*splits, strict=True) if splits else ((), ())
    similarity = pa.array(removed["similarity"], from_pandas=True)
    columns = [
        to_hex(removed["id"]),
        to_hex(removed["kept"]),
        similarity,
        pa.array(removed["size"]),
        pa.array(LEVEL_NAMES).take(pa.array(removed["level"].astype(np.int64))),
        pa.array(sources, pa.string()).take(at),
        pa.array(names, pa.string()).take(at),
        pa.array(row_of(removed["number"])),
    ]
    return pa.Table.from_arrays(columns, schema=CLUSTERS_SCHEMA)


AGAINST_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("removed_id", "kept_id", "place")]
)
"""One row for each document that is removed for one of an earlier build: which place holds that; in the order of
`CLUSTERS_SCHEMA`."""


SIZES_SCHEMA = pa.schema([CLUSTERS_SCHEMA.field(name) for name in ("source", "split", "row", "cluster_size")])
"""One row for each kept document that represents others, sorted by its place; `cluster_size` counts it, too."""


def to_sizes_table(sizes: NDArray[np.void], splits: Sequence[tuple[str, str]], first: int) -> pa.Table:
    """Convert records of `number` and `size` to sorted rows of `SIZES_SCHEMA`, each number once."""
    at = np.unique(sizes["number"], return_index=True)[1]
    sizes = sizes[at]
    split = pa.array(split_of(sizes["number"]) - first)
    sources, names = zip(*splits, strict=True) if splits else ((), ())
    columns = [
        pa.array(sources, pa.string()).take(split),
        pa.array(names, pa.string()).take(split),
        pa.array(row_of(sizes["number"])),
        pa.array(sizes["size"]),
    ]
    return pa.Table.from_arrays(columns, schema=SIZES_SCHEMA)


def read_sizes(path: str, source: str, split: str) -> dict[int, int]:
    """Return the sizes of the clusters of an input split by the rows of their kept documents."""
    with open_input(path) as stream:
        table = pq.read_table(
            stream, filters=[("source", "=", source), ("split", "=", split)], use_threads=False
        )
    return dict(zip(table.column("row").to_pylist(), table.column("cluster_size").to_pylist(), strict=True))


def to_against_table(removed: NDArray[np.void], places: Sequence[str], first: int) -> pa.Table:
    """Convert REMOVED whose kept document is old to sorted rows of `AGAINST_SCHEMA`; `places` are those of the splits
    from number `first` on."""
    removed = removed[np.argsort(removed["number"], kind="stable")]
    split = split_of(removed["by"]) - first
    old = split >= 0
    names = pa.array(places, pa.string()).take(pa.array(split[old]))
    columns = [to_hex(removed["id"][old]), to_hex(removed["kept"][old]), names]
    return pa.Table.from_arrays(columns, schema=AGAINST_SCHEMA)


def write_clusters(
    path: str, tables: Iterable[pa.Table], fingerprint: str, schema: pa.Schema = CLUSTERS_SCHEMA
) -> int:
    """Write sorted tables of a schema, one after the other, and return the number of rows.

    Row groups have `CLUSTERS_GROUP_ROWS` rows whatever the tables' sizes, so the file depends on the rows alone.
    """
    waiting: list[pa.Table] = []
    with PartWriter(path, schema, fingerprint) as writer:
        for table in tables:
            waiting.append(table)
            if sum(piece.num_rows for piece in waiting) >= CLUSTERS_GROUP_ROWS:
                joined = pa.concat_tables(waiting)
                until = joined.num_rows // CLUSTERS_GROUP_ROWS * CLUSTERS_GROUP_ROWS
                for start in range(0, until, CLUSTERS_GROUP_ROWS):
                    writer.write(joined.slice(start, CLUSTERS_GROUP_ROWS))
                waiting = [joined.slice(until)]
        if sum(piece.num_rows for piece in waiting):
            writer.write(pa.concat_tables(waiting))
    return writer.rows


def read_cluster_groups(path: str) -> Iterator[pa.Table]:
    """Yield the rows of a clusters file, one row group at a time."""
    with open_input(path) as stream, pq.ParquetFile(stream) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, use_threads=False)


class Clusters:
    """A clusters file, read to find the removed documents of an input split."""

    def __init__(self, path: str) -> None:
        self._file = pq.ParquetFile(open_input(path))
        columns = [CLUSTERS_SCHEMA.get_field_index(name) for name in ("source", "split")]
        self._bounds: list[tuple[tuple[str, str], tuple[str, str]]] = []
        for group in range(self._file.num_row_groups):
            statistics = [
                self._file.metadata.row_group(group).column(column).statistics for column in columns
            ]
            self._bounds.append((tuple(s.min for s in statistics), tuple(s.max for s in statistics)))

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def read_split(self, source: str, split: str) -> pa.Table:
        """Return the rows of one input split, sorted by `row`. Reads only the row groups that may hold some."""
        groups = [
            group
            for group, (low, high) in enumerate(self._bounds)
            if low[0] <= source <= high[0] and (low[0] != high[0] or low[1] <= split <= high[1])
        ]
        table = self._file.read_row_groups(groups)
        return table.filter(pc.and_(pc.equal(table["source"], source), pc.equal(table["split"], split)))

    def close(self) -> None:
        self._file.close(force=True)
