"""The index of the items of all sets: what of them is looked for, as sorted hashes that every worker maps.

grams.npy, gram_firsts.npy, gram_items.npy   hashes of 6 tokens, and the items that hold each
vocabulary.npy                               hashes of 2 tokens, and of one that is a question or an option of its own
marks.npy, pair_marks.npy                    bits for the high bits of all grams and pairs: what is not there
pairs.npy, pair_parts.npy                    of every item, one after the other: its pairs as places in the
pair_starts.npy, pair_ends.npy               vocabulary, their parts, and where they stand in the item's texts
pair_grams.npy                               the gram that begins with each pair, -1 for none
pair_weights.npy                             1 for pairs of one item, 0 for those of all items of a set
item_firsts.npy, item_sizes.npy              the first pair of each item; the UTF-16 units of its texts
items.parquet                                names, texts, and why an item cannot be looked for
index.json                                   what it was made of; written last
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.decontamination.evaluation_sets import SetFiles, list_sets, read_set
from corpus.decontamination.folded_tokens import identify_tokens
from corpus.decontamination.item_hashes import (
    NO_HASHES,
    ItemHashes,
    describe_shortness,
    hash_item,
    join_parts,
)
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import PARTS, DecontaminationOptions
from corpus.errors import UserError
from corpus.storage.fingerprint import fingerprint
from corpus.text.hashes import Hashes, find_places
from corpus.text.units import to_units

VERSION = 3
"""Increased when the same sets would give another index."""
FOLDER = "decontamination/index"
ARRAYS = (
    "grams", "gram_firsts", "gram_items", "marks", "vocabulary", "pair_marks", "pairs", "pair_parts", "pair_starts",
    "pair_ends", "pair_grams", "pair_weights", "item_firsts", "item_sizes",
)  # fmt: skip
MAX_GRAM_ITEMS = 16
"""Items that a gram of 6 tokens leads to, at most: one that more have in common is a phrase of the set."""
MIN_MARK_BITS, MARKS_PER_HASH = 16, 32
ITEMS_SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("place", pa.int64(), nullable=False),
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        *(pa.field(part, pa.list_(pa.string()) if part == "options" else pa.string()) for part in PARTS),
        pa.field("reason", pa.string()),
    ]
)
"""`place`: that of the set in the manifest; `reason`: why the item is not looked for, null if it is."""


@dataclass(frozen=True)
class ItemIndex:
    """The arrays of an index (see the top of this module), mapped into memory where they lie on a local disk."""

    grams: Hashes
    gram_firsts: NDArray[np.int64]
    gram_items: NDArray[np.int32]
    marks: NDArray[np.uint8]
    vocabulary: Hashes
    pair_marks: NDArray[np.uint8]
    pairs: NDArray[np.int32]
    pair_parts: NDArray[np.uint8]
    pair_starts: NDArray[np.int32]
    pair_ends: NDArray[np.int32]
    pair_grams: NDArray[np.int32]
    pair_weights: NDArray[np.float32]
    item_firsts: NDArray[np.int64]
    item_sizes: NDArray[np.int32]

    @cached_property
    def gram_sizes(self) -> NDArray[np.int64]:
        """Return to how many items each gram leads."""
        return np.diff(self.gram_firsts)

    @cached_property
    def gram_counts(self) -> NDArray[np.int64]:
        """Return how many grams lead to each item."""
        return np.bincount(self.gram_items, minlength=len(self.item_sizes))

    def find_grams(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (places in `hashes`, places in `grams`) of those that the index has."""
        return _find_marked(self.grams, self.marks, hashes)

    def find_pairs(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (places in `hashes`, places in `vocabulary`) of those that the index has."""
        return _find_marked(self.vocabulary, self.pair_marks, hashes)

    def span(self, item: int) -> slice:
        """Return where the pairs of an item are."""
        return slice(int(self.item_firsts[item]), int(self.item_firsts[item + 1]))


def _mark_hashes(hashes: Hashes) -> NDArray[np.uint8]:
    """Return a bit for every value of as many high bits as make most of these bits 0."""
    bits = max(MIN_MARK_BITS, int(MARKS_PER_HASH * max(1, len(hashes)) - 1).bit_length())
    marked = np.zeros(1 << bits, np.bool_)
    marked[hashes >> np.uint64(64 - bits)] = True
    return np.packbits(marked, bitorder="little")


def _find_marked(
    table: Hashes, marks: NDArray[np.uint8], hashes: Hashes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (places in `hashes`, places in `table`) of the hashes that a sorted table with these marks has."""
    top = hashes >> np.uint64(65 - int(8 * len(marks)).bit_length())
    bits = marks.take(top >> np.uint64(3)) >> (top & np.uint64(7)).astype(np.uint8)
    marked = np.flatnonzero((bits & np.uint8(1)).view(np.bool_))
    if not len(marked):
        return marked, marked
    place = find_places(table, hashes[marked])
    known = place >= 0
    return marked[known], place[known]


def index_fingerprint(sets: str) -> str:
    """Return the fingerprint of the index of sets with an identity (`evaluation_sets.identify_sets`)."""
    return fingerprint([VERSION, identify_tokens(), sets])


def read_index_facts(folder: str) -> dict[str, Any]:
    """Return what the index in a folder was made of; empty where there is none."""
    path = storage.join(folder, "index.json")
    facts: dict[str, Any] = json.loads(storage.read_text(path)) if storage.exists(path) else {}
    return facts


def write_index(folder: str, options: DecontaminationOptions, sets: str) -> dict[str, Any]:
    """Build the index of the sets in a folder unless it is there; return its facts."""
    wanted = index_fingerprint(sets)
    facts = read_index_facts(folder)
    if facts.get("fingerprint") == wanted:
        return facts
    storage.remove(storage.join(folder, "index.json"))
    builder = _Builder()
    for files in list_sets(options):
        before = len(builder.rows)
        for read in read_set(files, options.sets[files.place]):
            builder.add(files.place, files.name, read.name, read.item, read.reason)
        if len(builder.rows) == before or all(row["reason"] for row in builder.rows[before:]):
            reasons = {row["reason"] for row in builder.rows[before:]}
            raise _unsought_error(options, files, len(builder.rows) - before, reasons)
    arrays = builder.build()
    for name in ARRAYS:
        buffer = io.BytesIO()
        np.save(buffer, arrays[name])
        storage.write_bytes(storage.join(folder, f"{name}.npy"), buffer.getvalue())
    with storage.atomic_output(storage.join(folder, "items.parquet")) as stream:
        pq.write_table(pa.Table.from_pylist(builder.rows, ITEMS_SCHEMA), stream, compression="zstd")
    facts = {
        "fingerprint": wanted,
        "sets": sets,
        "items": len(builder.rows),
        "grams": len(arrays["grams"]),
        "pairs": len(arrays["vocabulary"]),
    }
    storage.write_text(storage.join(folder, "index.json"), json.dumps(facts, indent=1) + "\n")
    return facts


def check_sets(options: DecontaminationOptions) -> None:
    """Raise UserError, with the path of the manifest's key, for a set that cannot be read or looked for.

    Reads all files, and hashes the items of each set up to the first that can be looked for."""
    for files in list_sets(options):
        reasons: list[str | None] = []
        for read in read_set(files, options.sets[files.place]):
            if None not in reasons:
                reasons.append(read.reason if read.item is None else describe_shortness(read.item))
        if None not in reasons:
            raise _unsought_error(options, files, len(reasons), {str(reason) for reason in reasons})


def _unsought_error(
    options: DecontaminationOptions, files: SetFiles, count: int, reasons: Collection[str]
) -> UserError:
    reasons = reasons or {"it has no rows"}
    return UserError(
        f"{options.sets[files.place].path}: none of its {count:,} items can be looked for: {sorted(reasons)[0]}",
        ("decontaminate", "sets", files.place),
    )


def describe_index(folder: str) -> list[str]:
    """Return a line for each set with items that cannot be looked for: how many, and why."""
    rows = read_items(folder, ["set", "reason"]).to_pylist()
    lines = []
    for name in dict.fromkeys(row["set"] for row in rows):
        reasons = Counter(
            row["reason"].partition(":")[0]
            for row in rows
            if row["set"] == name and row["reason"] is not None
        )
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common(3))
            total = sum(row["set"] == name for row in rows)
            lines.append(f"{name}: {reasons.total():,} of {total:,} items cannot be looked for ({listed})")
    return lines


@lru_cache(maxsize=1)
def open_index(folder: str, wanted: str) -> ItemIndex:
    """Return the index in a folder. Raises UserError if it is not the one that is wanted."""
    if read_index_facts(folder).get("fingerprint") != wanted:
        raise UserError(f"{folder} was changed while items were looked for: two builds at once?")
    arrays = []
    for name in ARRAYS:
        path = storage.join(folder, f"{name}.npy")
        if not storage.exists(path):
            raise UserError(f"{folder} has no {name}: another version of corpus wrote it: build again")
        if storage.is_remote(folder):
            arrays.append(np.load(io.BytesIO(storage.read_bytes(path))))
        else:
            arrays.append(np.asarray(np.load(storage.local_path(path), mmap_mode="r")))
    return ItemIndex(*arrays)


def read_items(folder: str, columns: list[str] | None = None) -> pa.Table:
    """Return rows of `ITEMS_SCHEMA`, by number."""
    with storage.open_input(storage.join(folder, "items.parquet")) as stream:
        return pq.ParquetFile(stream).read(columns=columns, use_threads=False)


def join_texts(row: Mapping[str, Any]) -> str:
    """Return the texts of an item, a row of `ITEMS_SCHEMA`, one after the other, as its pairs count them."""
    return "\n".join([row["question"], *row["options"], row["answer"], row["passage"]])


class _Builder:
    """Collects the items of all sets, then makes the arrays."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._names: dict[bytes, str] = {}
        self._hashes: list[ItemHashes] = []
        self._grams: list[Hashes] = []
        self._sizes: list[int] = []

    def add(
        self, place: int, set_name: str, name: str, item: EvaluationItem | None, reason: str | None
    ) -> None:
        number = len(self.rows)
        text = join_parts(item) if item is not None else ""
        hashes = hash_item(item, text) if item is not None else NO_HASHES
        if item is not None:
            own = f"{set_name}/{name}"
            first = self._names.setdefault(hashes.sought_pairs.tobytes() or text.encode(), own)
            reason = f"a duplicate: of {first}" if first != own else hashes.describe_shortness(text)
        self._hashes.append(hashes)
        self._grams.append(hashes.grams if reason is None else NO_HASHES.grams)
        self._sizes.append(len(to_units(text)))
        row = {"number": number, "place": place, "set": set_name, "item": name, "reason": reason}
        texts = {part: getattr(item, part) for part in PARTS} if item is not None else dict.fromkeys(PARTS)
        self.rows.append(row | texts)

    def build(self) -> dict[str, NDArray[Any]]:
        grams = np.concatenate(self._grams)
        items = np.repeat(np.arange(len(self._grams), dtype=np.int32), list(map(len, self._grams)))
        order = np.lexsort((items, grams))
        grams, items = grams[order], items[order]
        unique, firsts, counts = np.unique(grams, return_index=True, return_counts=True)
        stays = np.repeat(counts <= MAX_GRAM_ITEMS, counts)
        self._name_phrases(items, stays)
        grams, items = grams[stays], items[stays]
        unique, firsts = np.unique(grams, return_index=True)
        sizes = np.array([len(each.pairs) for each in self._hashes], np.int64)
        vocabulary, pairs = np.unique(
            np.concatenate([each.pairs for each in self._hashes]), return_inverse=True
        )
        return {
            "grams": unique,
            "gram_firsts": np.append(firsts, len(grams)).astype(np.int64),
            "gram_items": items,
            "marks": _mark_hashes(unique),
            "vocabulary": vocabulary,
            "pair_marks": _mark_hashes(vocabulary),
            "pairs": pairs.astype(np.int32).reshape(-1),
            "pair_parts": np.concatenate([each.parts for each in self._hashes]),
            "pair_starts": np.concatenate([each.starts for each in self._hashes]),
            "pair_ends": np.concatenate([each.ends for each in self._hashes]),
            "pair_grams": find_places(unique, np.concatenate([each.begun for each in self._hashes])).astype(
                np.int32
            ),
            "pair_weights": self._weigh(pairs.reshape(-1), sizes),
            "item_firsts": np.append(0, np.cumsum(sizes)),
            "item_sizes": np.array(self._sizes, np.int32),
        }

    def _name_phrases(self, items: NDArray[np.int32], stays: NDArray[np.bool_]) -> None:
        """Say of items whose grams are all phrases of their set that they cannot be looked for."""
        left = np.bincount(items[stays], minlength=len(self.rows))
        for number in np.unique(items).tolist():
            if not left[number]:
                self.rows[number]["reason"] = (
                    f"only phrases that more than {MAX_GRAM_ITEMS} items have in common"
                )

    def _weigh(self, pairs: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how much each pair tells its item from others of the set: 1 - log(items with it) / log(items)."""
        item = np.repeat(np.arange(len(sizes)), sizes)
        place = np.array([row["place"] for row in self.rows], np.int64)[item]
        weights = np.ones(len(pairs), np.float32)
        width = int(pairs.max(initial=0)) + 1
        for each in np.unique(place).tolist():
            here = place == each
            distinct = np.unique(item[here] * width + pairs[here])
            counts = np.bincount(distinct % width, minlength=width)
            items = max(2, len(np.unique(item[here])))
            weights[here] = 1 - np.log(counts[pairs[here]]) / np.log(max(items, 50))
        return np.maximum(weights, 0).astype(np.float32)
