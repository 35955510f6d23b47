"""The index of the items of all sets: what of them is looked for, as sorted hashes that every worker maps.

grams.npy, gram_firsts.npy, gram_items.npy   hashes of 6 tokens, and the items that hold each
marks.npy                                    a bit for the high bits of every gram: what is not there, at a glance
vocabulary.npy                               hashes of 2 tokens
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
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.decontamination.evaluation_sets import list_sets, read_set
from corpus.decontamination.folded_tokens import GRAM, fold_tokens, identify_tokens
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import PARTS, DecontaminationOptions
from corpus.errors import UserError
from corpus.storage.fingerprint import fingerprint
from corpus.text.hashes import Hashes, finalize, find_places
from corpus.text.units import to_units

VERSION = 1
"""Increased when the same sets would give another index."""
FOLDER = "decontamination/index"
ARRAYS = (
    "grams", "gram_firsts", "gram_items", "marks", "vocabulary", "pairs", "pair_parts", "pair_starts", "pair_ends",
    "pair_grams", "pair_weights", "item_firsts", "item_sizes",
)  # fmt: skip
MAX_GRAM_ITEMS = 16
"""Items that a gram of 6 tokens leads to, at most: one that more have in common is a phrase of the set."""
MIN_MARK_BITS, MARKS_PER_GRAM = 16, 32
MIN_LOOKED_FOR_PAIRS = 7
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

    @property
    def mark_bits(self) -> int:
        return int(8 * len(self.marks)).bit_length() - 1

    def find_grams(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (places in `hashes`, places in `grams`) of those that the index has."""
        top = hashes >> np.uint64(64 - self.mark_bits)
        marked = np.flatnonzero(
            (self.marks[top >> np.uint64(3)] >> (top & np.uint64(7)).astype(np.uint8)) & np.uint8(1)
        )
        if not len(marked):
            return marked, marked
        gram = find_places(self.grams, hashes[marked])
        known = gram >= 0
        return marked[known], gram[known]

    def span(self, item: int) -> slice:
        """Return where the pairs of an item are."""
        return slice(int(self.item_firsts[item]), int(self.item_firsts[item + 1]))


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
            reasons = {row["reason"] for row in builder.rows[before:]} or {"it has no rows"}
            raise UserError(
                f"{options.sets[files.place].path}: none of its {len(builder.rows) - before:,} items can be looked "
                f"for: {sorted(reasons)[0]}",
                ("decontaminate", "sets", files.place),
            )
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
        if storage.is_remote(folder):
            arrays.append(np.load(io.BytesIO(storage.read_bytes(path))))
        else:
            arrays.append(np.asarray(np.load(storage.local_path(path), mmap_mode="r")))
    return ItemIndex(*arrays)


def read_items(folder: str, columns: list[str] | None = None) -> pa.Table:
    """Return rows of `ITEMS_SCHEMA`, by number."""
    with storage.open_input(storage.join(folder, "items.parquet")) as stream:
        return pq.ParquetFile(stream).read(columns=columns, use_threads=False)


def join_parts(question: str, options: list[str], answer: str, passage: str) -> str:
    """Return the texts of an item one after the other, as its pairs count them."""
    return "\n".join([question, *options, answer, passage])


class _Builder:
    """Collects the items of all sets, then makes the arrays."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._names: dict[bytes, str] = {}
        self._grams: list[Hashes] = []
        self._gram_items: list[NDArray[np.int32]] = []
        self._pairs: list[Hashes] = []
        self._parts: list[NDArray[np.uint8]] = []
        self._starts: list[NDArray[np.int32]] = []
        self._ends: list[NDArray[np.int32]] = []
        self._begun: list[Hashes] = []
        self._sizes: list[int] = []

    def add(
        self, place: int, set_name: str, name: str, item: EvaluationItem | None, reason: str | None
    ) -> None:
        number = len(self.rows)
        grams = pairs = begun = np.zeros(0, np.uint64)
        parts, starts, ends = np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(0, np.int32)
        text = ""
        if item is not None:
            text = join_parts(item.question, list(item.options), item.answer, item.passage)
            grams, pairs, begun, parts, starts, ends = _hash_item(item, text)
            own = f"{set_name}/{name}"
            kept = parts < PARTS.index("passage")
            first = self._names.setdefault(pairs[kept].tobytes() if len(pairs) else text.encode(), own)
            if first != own:
                reason = f"a duplicate: of {first}"
            elif not len(grams) or len(np.unique(pairs[kept])) < MIN_LOOKED_FOR_PAIRS:
                words = int(kept.sum()) + 1 if kept.any() else 0
                reason = f"too short: {max(words, int(bool(text.strip())))} words or characters, not {GRAM} in a row"
        if reason is not None:
            grams = np.zeros(0, np.uint64)
        self._grams.append(grams)
        self._gram_items.append(np.full(len(grams), number, np.int32))
        self._pairs.append(pairs)
        self._begun.append(begun)
        self._parts.append(parts)
        self._starts.append(starts)
        self._ends.append(ends)
        self._sizes.append(len(to_units(text)))
        row = {"number": number, "place": place, "set": set_name, "item": name, "reason": reason}
        texts = {part: getattr(item, part) for part in PARTS} if item is not None else dict.fromkeys(PARTS)
        self.rows.append(row | texts)

    def build(self) -> dict[str, NDArray[Any]]:
        grams, items = np.concatenate(self._grams), np.concatenate(self._gram_items)
        order = np.lexsort((items, grams))
        grams, items = grams[order], items[order]
        unique, firsts, counts = np.unique(grams, return_index=True, return_counts=True)
        stays = np.repeat(counts <= MAX_GRAM_ITEMS, counts)
        self._name_phrases(items, stays)
        grams, items = grams[stays], items[stays]
        unique, firsts = np.unique(grams, return_index=True)
        bits = max(MIN_MARK_BITS, int(MARKS_PER_GRAM * max(1, len(unique)) - 1).bit_length())
        marked = np.zeros(1 << bits, np.bool_)
        marked[unique >> np.uint64(64 - bits)] = True
        sizes = np.array([len(pairs) for pairs in self._pairs], np.int64)
        hashes = np.concatenate(self._pairs)
        vocabulary, pairs = np.unique(hashes, return_inverse=True)
        return {
            "grams": unique,
            "gram_firsts": np.append(firsts, len(grams)).astype(np.int64),
            "gram_items": items,
            "marks": np.packbits(marked, bitorder="little"),
            "vocabulary": vocabulary,
            "pairs": pairs.astype(np.int32).reshape(-1),
            "pair_parts": np.concatenate(self._parts),
            "pair_starts": np.concatenate(self._starts),
            "pair_ends": np.concatenate(self._ends),
            "pair_grams": find_places(unique, np.concatenate(self._begun)).astype(np.int32),
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


def _hash_item(
    item: EvaluationItem, text: str
) -> tuple[Hashes, Hashes, Hashes, NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
    """Return grams, then pairs with the gram that begins with each (0: none), their parts, starts and ends.

    Grams reach from the question into the options and from option to option, since these are short; pairs do not.
    """
    tokens = fold_tokens(text)
    texts = list(item.texts)
    sizes = np.array([len(to_units(each)) + 1 for _, each in texts])
    piece = np.searchsorted(np.cumsum(sizes), tokens.starts, side="right")
    parts = np.array([PARTS.index(part) for part, _ in texts], np.uint8)[np.minimum(piece, len(texts) - 1)]
    block = np.where(parts <= PARTS.index("options"), 0, parts)
    grams, pairs = tokens.hash_grams(GRAM), finalize(tokens.hash_grams(2))
    whole = block[: len(grams)] == block[GRAM - 1 :] if len(grams) else np.zeros(0, np.bool_)
    same = piece[:-1] == piece[1:]
    starts, ends = tokens.starts[:-1].astype(np.int32), tokens.ends[1:].astype(np.int32)
    begun = np.zeros(len(pairs), np.uint64)
    begun[: len(grams)] = np.where(whole, grams, 0)
    return np.unique(grams[whole]), pairs[same], begun[same], parts[:-1][same], starts[same], ends[same]
