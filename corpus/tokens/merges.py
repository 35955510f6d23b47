"""Learn the merges of byte-level BPE from counted pieces, as the trainer of `tokenizers` does, but from the counts.

That trainer takes text alone: counts would be written out as text again and counted a second time. The rule is: of all
neighbouring pairs merge the one with the highest count, among equals the one with the lowest ids, everywhere at once,
from left to right. The symbols of all pieces lie in one array; each pair knows where it occurs, and a merge updates
the pairs beside these places by a few array operations. Every counted occurrence of a pair comes into being in one
step, when the later of its two tokens does, so counts of existing pairs only fall and the queue can be lazy. A new
token that there is already would break this (two merges with one result): then `learn_merges` gives up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int64]

NOWHERE = -1
"""The neighbour of the first and the last symbol of a piece, and the symbol at a place that was merged away."""
_SHIFT = 24
"""A pair's key is its left id shifted by this, plus its right id: keys sort as pairs do."""


def learn_merges(
    symbols: Positions,
    lengths: Counts,
    counts: Counts,
    vocabulary: Mapping[str, int],
    size: int,
    min_frequency: int,
) -> list[tuple[str, str]] | None:
    """Return the merges, in order, that bring a vocabulary to `size` tokens; None if two give the same token.

    `symbols` int32[n] are the ids of all pieces' symbols, `lengths` int64[p] how many each piece has, and `counts`
    int64[p] how often it occurs. A pair seen less than `min_frequency` times is not merged. Memory: about 60 bytes a
    symbol.
    """
    names = sorted(vocabulary, key=vocabulary.__getitem__)
    known = set(names)
    pairs = _Pairs(symbols, lengths, counts, max(1, min_frequency))
    merges: list[tuple[str, str]] = []
    while len(names) < size and (pair := pairs.pop()) is not None:
        left, right = names[pair >> _SHIFT], names[pair & ((1 << _SHIFT) - 1)]
        if left + right in known:
            return None
        pairs.merge(pair, len(names))
        names.append(left + right)
        known.add(left + right)
        merges.append((left, right))
    return merges


class _Pairs:
    """All neighbouring pairs of symbols, with their counts and places; a place is that of the left symbol."""

    def __init__(self, symbols: Positions, lengths: Counts, counts: Counts, least: int) -> None:
        self.least = least
        self.symbols = np.append(symbols, np.int32(NOWHERE))  # what NOWHERE as an index finds
        self.weights = np.repeat(counts, lengths)
        size = len(symbols)
        self.next = np.arange(1, size + 1, dtype=np.int32)
        self.previous = np.arange(-1, size - 1, dtype=np.int32)
        ends = np.cumsum(lengths)
        self.next[ends - 1] = NOWHERE
        self.previous[ends - lengths] = NOWHERE
        self.chosen = np.zeros(size, np.bool_)
        self.counts: dict[int, int] = {}
        self.places: dict[int, Positions] = {}
        self.queue: list[tuple[int, int]] = []
        lefts = np.flatnonzero(self.next != NOWHERE).astype(np.int32)
        self._add(self._keys(self.symbols[lefts], self.symbols[lefts + 1]), self.weights[lefts], lefts)
        heapify(self.queue)

    def pop(self) -> int | None:
        """Take the pair with the highest count out of the queue, among equals the lowest; None if none is left."""
        while self.queue:
            count, pair = heappop(self.queue)
            now = self.counts[pair]
            if now == -count:
                return pair
            if now >= self.least:
                heappush(self.queue, (-now, pair))
        return None

    def merge(self, pair: int, new: int) -> None:
        """Put the token `new` in the place of every occurrence of a pair."""
        del self.counts[pair]
        lefts = self._find(self.places.pop(pair), pair)
        rights = self.next[lefts]
        before, after = self.previous[lefts], self.next[rights]
        self.chosen[lefts] = True
        inner = before != NOWHERE
        outer = (after != NOWHERE) & ~self.chosen[after]
        self.chosen[lefts] = False
        removed = np.concatenate(
            (
                self._keys(self.symbols[before[inner]], self.symbols[lefts[inner]]),
                self._keys(self.symbols[rights[outer]], self.symbols[after[outer]]),
            )
        )
        self.symbols[lefts], self.symbols[rights] = new, NOWHERE
        self.next[lefts] = after
        self.previous[after[after != NOWHERE]] = lefts[after != NOWHERE]
        before = self.previous[lefts[inner]]
        places = np.concatenate((before, lefts[outer]))
        added = self._keys(
            self.symbols[places], np.concatenate((self.symbols[lefts[inner]], self.symbols[after[outer]]))
        )
        weights = np.concatenate((self.weights[before], self.weights[lefts[outer]]))
        self._subtract(removed, weights)
        self._add(added, weights, places)

    def _find(self, places: Positions, pair: int) -> Positions:
        """Return those of the places where a pair still is, without overlaps: of three equal symbols the first two."""
        left, right = pair >> _SHIFT, pair & ((1 << _SHIFT) - 1)
        places = places[self.symbols[places] == left]
        places = places[self.symbols[self.next[places]] == right]
        if left != right or len(places) < 2:
            return places
        places = np.sort(places)
        first = np.ones(len(places), np.bool_)
        first[1:] = places[1:] != self.next[places[:-1]]
        starts = np.flatnonzero(first)
        number = np.arange(len(places)) - np.repeat(starts, np.diff(starts, append=len(places)))
        return places[number % 2 == 0]

    def _subtract(self, keys: Keys, weights: Counts) -> None:
        counts = self.counts
        for key, _, _, weight in _group(keys, weights)[0]:
            if key in counts:
                counts[key] -= weight

    def _add(self, keys: Keys, weights: Counts, places: Positions) -> None:
        """Note new pairs; those that are too rare are forgotten, since they become no more."""
        groups, order = _group(keys, weights)
        sorted_places = places[order]
        for key, start, end, weight in groups:
            if weight >= self.least:
                self.counts[key] = weight
                self.places[key] = sorted_places[start:end]
                heappush(self.queue, (-weight, key))

    @staticmethod
    def _keys(left: Positions, right: Positions) -> Keys:
        keys: Keys = (left.astype(np.int64) << _SHIFT) | right
        return keys


def _group(
    keys: Keys, weights: Counts
) -> tuple[Sequence[tuple[int, int, int, int]], npt.NDArray[np.intp]]:
    """Return (key, start, end, sum of weights) of each group of equal keys, and the order that sorts them."""
    order = keys.argsort(kind="stable")
    if not len(keys):
        return [], order
    ordered = keys[order]
    starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    ends = [*starts[1:].tolist(), len(keys)]
    sums = np.add.reduceat(weights[order], starts).tolist()
    return list(zip(ordered[starts].tolist(), starts.tolist(), ends, sums, strict=True)), order
