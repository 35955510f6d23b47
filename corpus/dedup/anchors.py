"""Anchors: places of a text that every copy of it has, by winnowing; and which of them may belong to one span.

An anchor is the place of the least hash of `gram` successive characters in any window of so many that the grams
in it cover `window` characters (Schleimer, Wilkerson and Aiken, Winnowing, 2003). So any two equal spans of `window`
characters have an anchor in common, at the same distance from their starts. About one character in 30 is an anchor
with windows of 100 characters.

Anchors of equal hash are paired with few earlier ones, not with all: with those that have the same characters around
them, the first and the two before. Of what an equal span has beyond the gram, so much stands on the left and so much on
the right; rounded down to quarters, three in all. So four kinds of surroundings are compared: three quarters on the
left, two and one on the right, one and two, three on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.pairs import find_shared_keys
from corpus.text.hashes import AnyPositions, Hashes, finalize, hash_spans, hash_windows, prefix_sums

QUARTERS = 3
"""On either side of a gram, what is compared: one, two, three quarters of what a window has beyond it."""
ANCHOR_DTYPE = np.dtype(
    [
        ("key", "<u8"),
        ("number", "<i8"),
        ("start", "<u4"),
        *[(f"{side}{quarters}", "<u2") for side in ("left", "right") for quarters in range(1, QUARTERS + 1)],
    ]
)
"""Record of one anchor, 32 bytes: hashes of its gram and of what stands around it (0: its text ends before)."""
ALIGNMENT_DTYPE = np.dtype([("number", "<i8"), ("other", "<i8"), ("start", "<u4"), ("other_start", "<u4")])
"""Record of equal grams at two places, 24 bytes: of a document, and of one that does not come after it."""
PAIRED_BEFORE = 2
"""The anchors before it that each is paired with."""
MIN_CHUNK_BITS = 15
"""The anchors of 2^15 characters are found at a time, so that the arrays stay in the processor's cache: three times as
fast as 2^20."""
_NOWHERE = np.uint64((1 << 64) - 1)


@dataclass(frozen=True)
class AnchorShape:
    """How anchors are chosen, for equal spans of `window` characters (at least 8) or more."""

    window: int

    @property
    def gram(self) -> int:
        """The characters of an anchor's hash."""
        return max(1, 2 * self.window // 5)

    @property
    def grams(self) -> int:
        """The grams of a window."""
        return self.window - self.gram + 1

    @property
    def place_bits(self) -> int:
        """The bits of a place among the characters whose anchors are found at a time: windows are short beside them."""
        return max(MIN_CHUNK_BITS, (32 * self.window).bit_length())

    @property
    def chunk(self) -> int:
        """The characters whose anchors are found at a time."""
        return 1 << self.place_bits

    @property
    def quarter(self) -> int:
        """A quarter of the characters of a window beyond the gram."""
        return (self.window - self.gram) // (QUARTERS + 1)


def to_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def find_anchors(
    texts: Sequence[str], numbers: Sequence[int], shape: AnchorShape
) -> Iterator[NDArray[np.void]]:
    """Yield ANCHOR records of documents, the texts of several at a time. Cost: 20 ns a character."""
    pieces: list[str] = []
    owners: list[tuple[int, int]] = []
    size = 0
    for text, number in zip(texts, numbers, strict=True):
        for offset in range(0, max(1, len(text) - shape.window + 1), shape.chunk - shape.window):
            piece = text if len(text) <= shape.chunk else text[offset : offset + shape.chunk]
            if len(piece) < shape.window:
                continue
            if size + len(piece) > shape.chunk:
                yield _find_in_chunk(pieces, owners, shape)
                pieces, owners, size = [], [], 0
            pieces.append(piece)
            owners.append((number, offset))
            size += len(piece)
            if len(text) <= shape.chunk:
                break
    if pieces:
        yield _find_in_chunk(pieces, owners, shape)


def _find_in_chunk(
    pieces: Sequence[str], owners: Sequence[tuple[int, int]], shape: AnchorShape
) -> NDArray[np.void]:
    """Return the ANCHOR records of pieces; `owners`: the number of each one's document, and its start there."""
    sizes = np.fromiter(map(len, pieces), np.int64, len(pieces))
    ends = np.cumsum(sizes)
    sums = prefix_sums(to_points("".join(pieces)).astype(np.uint64))
    hashes = hash_windows(sums, shape.gram)
    places = _choose_places(hashes, ends, shape)
    piece = np.searchsorted(ends, places, side="right")
    begin, end = (ends - sizes)[piece], ends[piece]
    numbers, offsets = (np.array(column, np.int64) for column in zip(*owners, strict=True))
    records = np.empty(len(places), ANCHOR_DTYPE)
    records["key"] = finalize(hashes[places])
    records["number"] = numbers[piece]
    records["start"] = offsets[piece] + places - begin
    after = places + shape.gram
    for quarters in range(1, QUARTERS + 1):
        reach = quarters * shape.quarter
        records[f"left{quarters}"] = _hash_sides(sums, places - reach, places, begin, end)
        records[f"right{quarters}"] = _hash_sides(sums, after, after + reach, begin, end)
    return records


def _choose_places(hashes: Hashes, ends: AnyPositions, shape: AnchorShape) -> NDArray[np.int64]:
    """Return the places of the anchors; grams that reach over the end of a document are none."""
    count = len(hashes)
    mask = np.uint64(shape.chunk - 1)
    ordered = (hashes & ~mask) | np.arange(count, dtype=np.uint64)
    over = (ends[:, None] - np.arange(1, shape.gram)).reshape(-1)
    ordered[over[over < count]] = _NOWHERE
    least = _take_minima(ordered, shape.grams)
    least = least[np.append(True, least[1:] != least[:-1])]
    places = (least[least != _NOWHERE] & mask).astype(np.int64)
    return _thin_runs(places, hashes, shape.grams)


def _take_minima(values: Hashes, width: int) -> Hashes:
    """Return the least of every `width` successive values."""
    width = min(width, len(values))
    done = 1
    while 2 * done <= width:
        values = np.minimum(values[:-done], values[done:])
        done *= 2
    return (
        values if done == width else np.minimum(values[: len(values) - width + done], values[width - done :])
    )


def _thin_runs(places: NDArray[np.int64], hashes: Hashes, width: int) -> NDArray[np.int64]:
    """Return places without most of those of equal hash in a row, as in one character a thousand times.

    The first and the last of each row stay, where what stands around it begins, and one in each window between them.
    """
    if len(places) < 2:
        return places
    own = hashes[places]
    starts = np.append(True, own[1:] != own[:-1])
    first = places[np.maximum.accumulate(np.where(starts, np.arange(len(places)), 0))]
    window = (places - first) // width
    kept = starts | np.append(starts[1:], True) | np.append(True, window[1:] != window[:-1])
    thinned: NDArray[np.int64] = places[kept]
    return thinned


def _hash_sides(
    sums: Hashes, starts: AnyPositions, ends: AnyPositions, begin: AnyPositions, end: AnyPositions
) -> NDArray[np.uint16]:
    """Return a hash of each span [start, end); 0 for one that does not lie in its document [begin, end)."""
    inside = (starts >= begin) & (ends <= end)
    hashes = hash_spans(sums, np.where(inside, starts, 0), np.where(inside, ends, 0)) >> np.uint64(48)
    return np.where(inside, np.maximum(hashes, np.uint64(1)), np.uint64(0)).astype(np.uint16)


def pair_anchors(anchors: NDArray[np.void]) -> NDArray[np.void]:
    """Return ALIGNMENT records, each once, of the anchors of a range of keys; the same for any order of them."""
    shared = anchors.take(find_shared_keys(np.ascontiguousarray(anchors["key"])))
    pairs = []
    for quarters in range(QUARTERS + 1):
        sides = [f"left{quarters}"] * (quarters > 0) + [f"right{QUARTERS - quarters}"] * (quarters < QUARTERS)
        inside = np.logical_and.reduce([shared[side] != 0 for side in sides])
        pairs.append(_pair_in_groups(shared[inside], "key", *sides))
    alignments = np.concatenate(pairs)
    alignments = alignments.take(np.lexsort([alignments[name] for name in ALIGNMENT_DTYPE.names or ()]))
    fresh = np.ones(len(alignments), np.bool_)
    fresh[1:] = alignments[1:] != alignments[:-1]
    unique: NDArray[np.void] = alignments[fresh]
    return unique


def _pair_in_groups(anchors: NDArray[np.void], *keys: str) -> NDArray[np.void]:
    """Pair each anchor with the first of those that agree in the keys, and with the `PAIRED_BEFORE` before it."""
    ordered = anchors.take(np.lexsort((anchors["start"], anchors["number"], *(anchors[key] for key in keys))))
    starts = np.ones(len(ordered), np.bool_)
    starts[1:] = np.logical_or.reduce([ordered[key][1:] != ordered[key][:-1] for key in keys])
    at = np.arange(len(ordered))
    first = np.maximum.accumulate(np.where(starts, at, 0))
    later = np.concatenate(
        [at[at > first], *(at[at - back >= first] for back in range(1, PAIRED_BEFORE + 1))]
    )
    others = [first[at > first], *(at[at - back >= first] - back for back in range(1, PAIRED_BEFORE + 1))]
    other = np.concatenate(others)
    made = np.empty(len(later), ALIGNMENT_DTYPE)
    made["number"], made["start"] = ordered["number"][later], ordered["start"][later]
    made["other"], made["other_start"] = ordered["number"][other], ordered["start"][other]
    chosen: NDArray[np.void] = made[
        (made["number"] != made["other"]) | (made["start"] != made["other_start"])
    ]
    return chosen
