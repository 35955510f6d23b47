"""The columns of an input split that deduplication needs, as numeric arrays without text or strings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus.dedup.url_key import hash_urls

ROW_BITS = 32
"""A document's number is the index of its input split in the sorted list of splits, then its row in 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRows:
    """The rows of one input split that are deduplicated, in any order: n entries in each array.

    `row` int64: the row in the documents part. `content` uint64[n, 2]: the 128 bits of the content hash.
    `url` uint64: a hash of the canonical URL, 0 for none. The criteria that make a document better than
    another, in this order: higher `priority` int32 (its source's), higher `quality` float32 (NaN is the lowest),
    higher `length` int64 (of the text, in any unit), lower `id` uint64[n, 2].
    """

    row: NDArray[np.int64]
    content: NDArray[np.uint64]
    url: NDArray[np.uint64]
    priority: NDArray[np.int32]
    quality: NDArray[np.float32]
    length: NDArray[np.int64]
    id: NDArray[np.uint64]

    def __post_init__(self) -> None:
        shapes = {
            "row": (len(self.row),), "content": (len(self.row), 2), "url": (len(self.row),),
            "priority": (len(self.row),), "quality": (len(self.row),), "length": (len(self.row),),
            "id": (len(self.row), 2),
        }  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not {shape}")

    def __len__(self) -> int:
        return len(self.row)


def build_split_rows(
    *,
    row: NDArray[np.int64],
    id: pa.Array,
    content_hash: pa.Array,
    url: pa.Array | None,
    priority: int,
    quality: NDArray[np.float32] | None,
    length: NDArray[np.int64],
) -> SplitRows:
    """Build `SplitRows` from columns of a documents part that hold only the rows concerned.

    `id` and `content_hash` are 32 hex digits each, never null. Cost: 3 microseconds for each URL.
    """
    none = np.zeros(len(row), np.uint64)
    return SplitRows(
        row=row.astype(np.int64),
        content=parse_hex(content_hash),
        url=none if url is None else hash_urls(url),
        priority=np.full(len(row), priority, np.int32),
        quality=np.zeros(len(row), np.float32) if quality is None else quality.astype(np.float32),
        length=length.astype(np.int64),
        id=parse_hex(id),
    )


def parse_hex(column: pa.Array) -> NDArray[np.uint64]:
    """Parse strings of 32 hex digits into uint64[n, 2], in their order. Raises ValueError for anything else."""
    combined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if combined.null_count or (
        len(combined) and not pc.all(pc.equal(pc.binary_length(combined), 32)).as_py()
    ):
        raise ValueError("ids and content hashes are 32 hex digits each, none null")
    raw = bytes.fromhex(b"".join(pc.cast(combined, pa.binary()).to_pylist()).decode("ascii"))
    return np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)


def to_hex(values: NDArray[np.uint64]) -> pa.Array:
    """Format uint64[n, 2] as strings of 32 hex digits."""
    digits = values.astype(">u8").tobytes().hex().encode("ascii")
    offsets = pa.py_buffer(np.arange(0, 32 * len(values) + 1, 32, dtype=np.int32))
    return pa.StringArray.from_buffers(len(values), offsets, pa.py_buffer(digits))


def number_documents(split: int, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return document numbers: split << 32 | row."""
    return np.int64(split << ROW_BITS) | row


def split_of(number: NDArray[np.int64]) -> NDArray[np.int64]:
    return number >> np.int64(ROW_BITS)


def row_of(number: NDArray[np.int64]) -> NDArray[np.int64]:
    return number & np.int64((1 << ROW_BITS) - 1)


def order_best_first(
    *,
    priority: NDArray[np.int32],
    quality: NDArray[np.float32],
    length: NDArray[np.int64],
    id: NDArray[np.uint64],
    number: NDArray[np.int64],
    within: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the order that puts the best document of each group `within` first; the number breaks ties of ids."""
    return np.lexsort((number, id[:, 1], id[:, 0], -length, -_replace_nan(quality), -priority, within))


def rank_documents(
    *,
    priority: NDArray[np.int32],
    quality: NDArray[np.float32],
    length: NDArray[np.int64],
    id: NDArray[np.uint64],
    number: NDArray[np.int64],
) -> NDArray[np.bytes_]:
    """Return the order of `order_best_first` as bytes that sort alike: 40 a document, lower is better."""
    columns = np.empty(len(number), [(name, ">u4") for name in "pq"] + [(name, ">u8") for name in "lijn"])
    columns["p"] = (np.int64(np.iinfo(np.int32).max) - priority).astype(np.uint32)
    columns["q"] = ~_sortable_bits(_replace_nan(quality))
    columns["l"] = ~(length.astype(np.uint64) ^ np.uint64(1 << 63))
    columns["i"], columns["j"], columns["n"] = id[:, 0], id[:, 1], number
    return columns.view("S40").reshape(-1)


def compute_coarse_order(rows: SplitRows) -> NDArray[np.uint64]:
    """Return `order_coarsely` of rows."""
    return order_coarsely(rows.priority, rows.quality, rows.length, rows.id)


def order_coarsely(
    priority: NDArray[np.int32],
    quality: NDArray[np.float32],
    length: NDArray[np.int64],
    id: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """Return the order of `order_best_first` in 64 bits, lower is better: 8 bits of the priority (clipped to
    -128..127), the sign, exponent and 11 bits of the quality, 20 bits of the length's float32, the
    first 16 of the id. A smaller difference than these bits hold is ignored, and the next criterion decides.
    """
    by_priority = 127 - np.clip(priority.astype(np.int64), -128, 127)
    by_quality = ~_sortable_bits(_replace_nan(quality)) >> np.uint32(12)
    by_length = ~_sortable_bits(length.astype(np.float32)) >> np.uint32(12)
    order = by_priority.astype(np.uint64) << np.uint64(56)
    order |= by_quality.astype(np.uint64) << np.uint64(36)
    order |= by_length.astype(np.uint64) << np.uint64(16)
    order |= id[:, 0] >> np.uint64(48)
    return order


def replace_length(order: NDArray[np.uint64], length: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return orders of `compute_coarse_order` of documents that are alike but for their lengths."""
    bits = (~_sortable_bits(length.astype(np.float32)) >> np.uint32(12)).astype(np.uint64)
    mask = np.uint64(((1 << 20) - 1) << 16)
    replaced: NDArray[np.uint64] = order & ~mask | bits << np.uint64(16)
    return replaced


def _replace_nan(quality: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isnan(quality), np.float32(-np.inf), quality + np.float32(0))


def _sortable_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Map floats to integers of the same order."""
    bits = values.view(np.uint32)
    return np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31))
