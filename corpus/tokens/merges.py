"""Learn the merges of byte-level BPE from counted pieces, as the trainer of `tokenizers` does, but from the counts.

That trainer takes text alone: counts would be written out as text again and counted a second time. The rule is: of all
neighbouring pairs merge the one with the highest count, among equals the one with the lowest ids, everywhere at once,
from left to right. The symbols of all pieces lie in one array; each pair knows where it occurs, and a merge updates
the pairs beside these places by a few array operations. Every counted occurrence of a pair comes into being in one
step, when the later of its two tokens does, so counts of existing pairs only fall and the queue can be lazy. A new
token that there is already would break this (two merges with one result): then `learn_merges` gives up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int64]

GONE = -1
"""The symbol at a place that was merged into the one before."""
_SHIFT = 24
_RIGHT = (1 << _SHIFT) - 1
"""A pair's key is its left id shifted by `_SHIFT`, plus its right id: keys sort as pairs do."""
_FIRST = np.zeros(1, np.int64)


def learn_merges(
    symbols: npt.NDArray[np.int32],
    lengths: Array,
    counts: Array,
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
    pairs = _Pairs(symbols.astype(np.int64), lengths, counts, edge=_RIGHT, least=max(1, min_frequency))
    merges: list[tuple[str, str]] = []
    while len(names) < size and (pair := pairs.pop()) is not None:
        left, right = names[pair >> _SHIFT], names[pair & _RIGHT]
        if left + right in known:
            return None
        pairs.merge(pair, len(names))
        names.append(left + right)
        known.add(left + right)
        merges.append((left, right))
    return merges


class _Pairs:
    """All neighbouring pairs of symbols, with their counts and places; a place is that of the left symbol.

    Before, between and after the pieces stands a symbol of its own, `edge`, so that every symbol has two neighbours.
    """

    def __init__(self, symbols: Array, lengths: Array, counts: Array, edge: int, least: int) -> None:
        self.edge, self.least = edge, least
        ends = np.cumsum(lengths)
        self.symbols = np.insert(symbols, np.concatenate(([0], ends)), edge)
        self.weights = np.insert(np.repeat(counts, lengths), np.concatenate(([0], ends)), 0)
        self.next = np.arange(1, len(self.symbols) + 1)
        self.previous = np.arange(-1, len(self.symbols) - 1)
        self.chosen = np.zeros(len(self.symbols), np.bool_)
        self.counts: dict[int, int] = {}
        self.places: dict[int, Array] = {}
        self.queue: list[tuple[int, int]] = []
        lefts = np.flatnonzero((self.symbols[:-1] != edge) & (self.symbols[1:] != edge))
        keys = (self.symbols[lefts] << _SHIFT) | self.symbols[lefts + 1]
        for key, count, places in _group(keys, self.weights[lefts], lefts):
            self._add(key, count, places)

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
        left, right = pair >> _SHIFT, pair & _RIGHT
        del self.counts[pair]
        lefts = self._find(self.places.pop(pair), left, right)
        rights = self.next.take(lefts)
        before, after = self.previous.take(lefts), self.next.take(rights)
        weights = self.weights.take(lefts)
        behind, ahead = self.symbols.take(before), self.symbols.take(after)
        self.symbols[lefts] = new
        self.symbols[rights] = GONE
        self.next[lefts] = after
        self.previous[after] = lefts
        if (ahead == left).any():
            self.chosen[lefts] = True
            linked = self.chosen.take(after)
            self.chosen[lefts] = False
            self.chosen[rights] = True
            after_another = self.chosen.take(before)
            self.chosen[rights] = False
            if linked.any():
                count = int(weights[linked].sum())
                self._subtract((right << _SHIFT) | left, count)
                self._add((new << _SHIFT) | new, count, lefts[linked])
                self._replace_left(
                    left, new, behind[~after_another], weights[~after_another], before[~after_another]
                )
                self._replace_right(right, new, ahead[~linked], weights[~linked], lefts[~linked])
                return
        self._replace_left(left, new, behind, weights, before)
        self._replace_right(right, new, ahead, weights, lefts)

    def _find(self, places: Array, left: int, right: int) -> Array:
        """Return those of the places where a pair still is, without overlaps: of three equal symbols the first two."""
        here = self.symbols.take(places) == left
        here &= self.symbols.take(self.next.take(places)) == right
        still: Array = places[here]
        if left == right and len(still) > 1:
            still = np.sort(still)
            first = np.ones(len(still), np.bool_)
            first[1:] = still[1:] != self.next[still[:-1]]
            starts = np.flatnonzero(first)
            number = np.arange(len(still)) - np.repeat(starts, np.diff(starts, append=len(still)))
            still = still[number % 2 == 0]
        return still

    def _replace_left(self, left: int, new: int, behind: Array, weights: Array, places: Array) -> None:
        """Count the pairs with the symbols behind a merged pair: `left` has become `new`."""
        for symbol, count, where in _group(behind, weights, places):
            if symbol != self.edge:
                self._subtract((symbol << _SHIFT) | left, count)
                self._add((symbol << _SHIFT) | new, count, where)

    def _replace_right(self, right: int, new: int, ahead: Array, weights: Array, places: Array) -> None:
        """Count the pairs with the symbols ahead of a merged pair: `right` has become `new`."""
        for symbol, count, where in _group(ahead, weights, places):
            if symbol != self.edge:
                self._subtract((right << _SHIFT) | symbol, count)
                self._add((new << _SHIFT) | symbol, count, where)

    def _subtract(self, pair: int, count: int) -> None:
        if pair in self.counts:
            self.counts[pair] -= count

    def _add(self, pair: int, count: int, places: Array) -> None:
        """Note a new pair; one that is too rare is forgotten, since it does not become more."""
        if count >= self.least:
            self.counts[pair] = count
            self.places[pair] = places
            heappush(self.queue, (-count, pair))


def _group(keys: Array, weights: Array, places: Array) -> Iterator[tuple[int, int, Array]]:
    """Yield each key with the sum of its weights and its places."""
    if not len(keys):
        return
    order = keys.argsort(kind="stable")
    keys = keys.take(order)
    starts = np.concatenate((_FIRST, (keys[1:] != keys[:-1]).nonzero()[0] + 1))
    sums = np.add.reduceat(weights.take(order), starts).tolist()
    places = places.take(order)
    bounds = starts.tolist()
    for key, total, start, end in zip(
        keys.take(starts).tolist(), sums, bounds, [*bounds[1:], len(keys)], strict=True
    ):
        yield key, total, places[start:end]
