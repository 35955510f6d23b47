"""Repeated items and repeated n-grams of hashed arrays.

Everything works on 64-bit hashes (see `hashes`). While sorting, a hash gives up its top bits to the place it
stands at, one sort then yields groups in order of place: of n items, 64 - log2(n) bits are compared, which
for a page of 1,000 words confuses two with a probability of 10^-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import BASE, Hashes

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repeated:
    """The n-grams of one length that stand more than once: where (ascending), and which are equal."""

    n: int
    places: Indices
    groups: Indices


def later_copies(hashes: Hashes) -> Indices:
    """Indices of the items that equal an earlier one, in no particular order."""
    order, same = _sorted(hashes)
    return order[1:][same]


def ngrams(hashes: Hashes, n: int) -> Hashes:
    """Hash of each window of n hashed items, a polynomial: uint64[max(0, len - n + 1)]."""
    count = max(0, len(hashes) - n + 1)
    windows = np.zeros(count, np.uint64)
    for at in range(n):
        windows = windows * np.uint64(BASE) + hashes[at : at + count]
    return windows


def repeated(hashes: Hashes, longest: int) -> Iterator[Repeated]:
    """The repeated n-grams of n = 2 to `longest` items.

    An n-gram can be repeated only where its first n - 1 items are, so each length looks only at what the
    one before found: on ordinary prose the first sort is nearly all of the cost.
    """
    places = np.arange(len(hashes))
    windows = hashes
    for n in range(2, longest + 1):
        count = int(np.searchsorted(places, len(hashes) - n, "right"))
        places = places[:count]
        windows = windows[:count] * np.uint64(BASE) + hashes[places + (n - 1)]
        groups = _groups(windows)
        chosen = np.flatnonzero(groups >= 0)
        places, windows = places[chosen], windows[chosen]
        yield Repeated(n, places, groups[chosen])


def top_characters(found: Repeated, lengths: Indices) -> int:
    """Characters in all copies of the most frequent n-gram, its items joined by a space.

    `lengths` are the characters of all items. Among equally frequent ones the first in the text counts,
    even where it stands only once: the definition of datatrove's Gopher filter.
    """
    if len(lengths) < found.n:
        return 0
    place, count = 0, 1
    if len(found.places):
        counts = np.bincount(found.groups)
        count = int(counts.max())
        place = int(found.places[np.argmax(counts[found.groups] == count)])
    return count * (int(lengths[place : place + found.n].sum()) + found.n - 1)


def duplicate_characters(found: Repeated, ends: Indices) -> int:
    """Characters in n-grams seen before, reading on behind each one found (so none counts twice).

    `ends` are the running totals of the items' characters, from 0: [items + 1]. What was jumped over is
    not remembered, as in datatrove's Gopher filter; hence the order matters, and this is a loop: over
    the repeated n-grams alone, about .1 us each.
    """
    total = after = 0
    if not len(found.places):
        return 0
    seen = bytearray(int(found.groups.max()) + 1)
    sizes = (ends[found.places + found.n] - ends[found.places]).tolist()
    for place, group, size in zip(found.places.tolist(), found.groups.tolist(), sizes, strict=True):
        if place < after:
            continue
        if seen[group]:
            total += size
            after = place + found.n
        else:
            seen[group] = 1
    return total


def _sorted(hashes: Hashes) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Indices by hash, then by place; and whether each but the first equals the one before it."""
    bits = np.uint64(len(hashes).bit_length())
    packed = (hashes << bits) | np.arange(len(hashes), dtype=np.uint64)
    packed.sort()
    values = packed >> bits
    order = (packed ^ (values << bits)).astype(np.int64)
    return order, values[1:] == values[:-1]


def _groups(hashes: Hashes) -> Indices:
    """A number for each item that is there more than once, the same for equal ones; -1 for the others."""
    groups = np.full(len(hashes), -1, np.int64)
    if len(hashes):
        order, same = _sorted(hashes)
        if same.any():
            number = np.zeros(len(order), np.int64)
            np.cumsum(~same, out=number[1:])
            member = np.zeros(len(order) + 1, np.bool_)
            member[1:-1] = same
            member = member[1:] | member[:-1]
            groups[order[member]] = number[member]
    return groups
