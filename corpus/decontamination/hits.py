"""The tables of decontamination in a workspace.

DIR/decontamination/index/             the items of all sets (`corpus.decontamination.item_index`)
DIR/decontamination/candidates/...     a part for each input split: what of which item its documents hold
DIR/decontamination/counts/...         a part for each input split: in how many documents pairs and grams are
DIR/decontamination/weights.parquet    the sums of these
DIR/decontamination/hits/...           a part for each input split: items, parts, scores, spans of both sides
DIR/signals/decontamination/...        signals of every document
DIR/edits/decontamination/...          what `cut` marks
DIR/stats/evaluation_sets.parquet      sets: items, those that can be looked for, hits by source
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.holding import DECONTAMINATION
from corpus.workspace import Workspace

STEP = DECONTAMINATION
SETS_TABLE = "evaluation_sets"
CANDIDATES_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("item", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("matched", pa.binary(), nullable=False),
    ]
)
"""`matched`: a bit for each pair of the item, little-endian; `characters`: those of the document."""
COUNTS_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("place", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("groups", pa.list_(pa.uint64()), nullable=False),
    ]
)
"""Rows of kind `gram`, over all documents, and `pair`, over sampled ones, by their place in the index; rows `all` and
`sampled` with the number of these. `groups`: the lowest hashes of the groups that a gram's documents are of,
`MAX_GROUPS` at most."""
MAX_GROUPS = 8
SPAN_TYPE = pa.struct([pa.field("start", pa.int64()), pa.field("end", pa.int64())])
HITS_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("weight", pa.float32(), nullable=False),
        pa.field("parts", pa.map_(pa.string(), pa.float32()), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("item_spans", pa.list_(SPAN_TYPE), nullable=False),
        pa.field("reason", pa.string()),
    ]
)
"""`verdict`: hit, cleared (with the `reason` given), or common or shadowed, which are no hits; `parts`: the share of
each that is matched; `start`, `end`: characters of the document; `item_spans`: those of the item."""
SETS_SCHEMA = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("items", pa.int64(), nullable=False),
        pa.field("looked_for", pa.int64(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("hits", pa.int64(), nullable=False),
        pa.field("items_hit", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("cleared", pa.int64(), nullable=False),
        pa.field("common", pa.int64(), nullable=False),
    ]
)
"""A row for each set and source with hits; one with a null source sums all up."""


WEIGHTS_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("documents", pa.list_(pa.int64()), nullable=False),
        pa.field("groups", pa.list_(pa.int64()), nullable=False),
    ]
)
"""Sums of the counts: a row `pair` and a row `gram` with a number for each place, and one `all`."""


def weights_path(workspace: Workspace) -> str:
    return workspace.path(STEP, "weights.parquet")


def hits_path(workspace: Workspace, source: str, split: str) -> str:
    return workspace.part(f"{STEP}/hits", source, split)


def has_hits(workspace: Workspace) -> bool:
    """Return whether a workspace's last build looked for items."""
    return storage.exists(sets_path(workspace))


def sets_path(workspace: Workspace) -> str:
    return workspace.path("stats", f"{SETS_TABLE}.parquet")


def read_part(path: str, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of a part, without its metadata."""
    with storage.open_input(path) as stream:
        table = pq.ParquetFile(stream).read(columns=columns, use_threads=False)
    return table.replace_schema_metadata(None)


def read_hits(
    workspace: Workspace, verdicts: Collection[str] | None = None, columns: list[str] | None = None
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield (source, split, rows) of the hits of a workspace, in the order of its input splits."""
    for source, split in workspace.splits():
        path = hits_path(workspace, source, split)
        if not storage.exists(path):
            continue
        rows = read_part(path, columns).to_pylist()
        yield source, split, [row for row in rows if verdicts is None or row["verdict"] in verdicts]


def pack_matched(matched: NDArray[np.bool_]) -> bytes:
    return np.packbits(matched, bitorder="little").tobytes()


def unpack_matched(packed: bytes, count: int) -> NDArray[np.bool_]:
    """Return which of `count` pairs are matched."""
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=count, bitorder="little").astype(np.bool_)


@dataclass(frozen=True)
class CountSums:
    """The counts of all parts: `documents`; by pair, in how many of these it is about; by gram, in how many documents
    and groups it is."""

    documents: int
    pairs: NDArray[np.int64]
    grams: NDArray[np.int64]
    groups: NDArray[np.int64]


def merge_counts(tables: Iterable[pa.Table], pairs: int, grams: int) -> CountSums:
    """Return the sums of tables of `COUNTS_SCHEMA`, in which the sampled documents of each stand for all of it."""
    of_pairs, of_grams = np.zeros(pairs, np.float64), np.zeros(grams, np.int64)
    total = 0
    keys: list[NDArray[np.int64]] = []
    groups: list[NDArray[np.uint64]] = []
    for table in tables:
        kind = table["kind"].to_numpy(zero_copy_only=False)
        place, documents = table["place"].to_numpy(), table["documents"].to_numpy()
        whole, sampled = (int(documents[kind == name].sum()) for name in ("all", "sampled"))
        of_pairs[place[kind == "pair"]] += documents[kind == "pair"] * (whole / max(1, sampled))
        of_grams[place[kind == "gram"]] += documents[kind == "gram"]
        total += whole
        lists = table["groups"].combine_chunks()
        sizes = np.diff(lists.offsets.to_numpy())
        keys.append(np.repeat(place, sizes))
        groups.append(lists.values.to_numpy()[lists.offsets[0].as_py() :])
        if sum(map(len, keys)) > 1 << 22:
            keys, groups = _keep_distinct(keys, groups)
    keys, groups = _keep_distinct(keys, groups)
    of_groups = np.bincount(keys[0], minlength=grams)[:grams].astype(np.int64)
    return CountSums(total, np.rint(of_pairs).astype(np.int64), of_grams, of_groups)


def _keep_distinct(
    keys: list[NDArray[np.int64]], groups: list[NDArray[np.uint64]]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.uint64]]]:
    """Return each pair of key and group once, of a key at most `MAX_GROUPS`."""
    if not keys:
        return [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    key, group = np.concatenate(keys), np.concatenate(groups)
    order = np.lexsort((group, key))
    key, group = key[order], group[order]
    new = np.ones(len(key), np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (group[1:] != group[:-1])
    key, group = key[new], group[new]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.zeros(0, np.int64)
    rank = np.arange(len(key)) - np.repeat(starts, np.diff(np.append(starts, len(key))))
    return [key[rank < MAX_GROUPS]], [group[rank < MAX_GROUPS]]
