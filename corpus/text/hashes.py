"""Compute 64-bit hashes of any spans of an array in one pass.

The hash of a span is a polynomial of its values in an odd base modulo 2^64, divided by the power the
span starts at (so it does not depend on the place), the length mixed in and scrambled by the finalizer of
SplitMix64 (Steele, Lea, Flood 2014). One pass gives the prefix sums; every span costs two look-ups.
Equal spans have equal hashes; different ones collide with probability of about 2^-64 each pair, unless
built to collide: these hashes count and compare, they do not authenticate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int32]
AnyPositions = npt.NDArray[np.signedinteger[Any]]

HASH_BASE = 0x9E3779B97F4A7C15 | 1
"""Odd, so that it has an inverse modulo 2^64: the golden ratio, as in SplitMix64."""
HASH_BASE_INVERSE = pow(HASH_BASE, -1, 1 << 64)
MAX_KEPT_POWERS = 1 << 20
"""Powers kept between calls: 16 MiB at most; longer texts make their own."""


FEW_VALUES = 256
"""Values that are looked up in a table as they come."""


def finalize(values: Hashes) -> Hashes:
    """Apply SplitMix64's finalizer: each output bit depends on every input bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def prefix_sums(values: Hashes) -> Hashes:
    """Return prefix sums of value times power: [n] values to [n + 1] sums, for `hash_spans`."""
    sums = np.empty(len(values) + 1, np.uint64)
    sums[0] = 0
    np.cumsum(values * _powers(len(values))[0], out=sums[1:])
    return sums


def hash_spans(sums: Hashes, starts: AnyPositions, ends: AnyPositions) -> Hashes:
    """Return the hash of each span [start, end) of the array `sums` was made from."""
    inverses = _powers(len(sums))[1]
    lengths = (ends - starts).astype(np.uint64)
    values = (sums.take(ends) - sums.take(starts)) * inverses.take(starts)
    return finalize(values + lengths * np.uint64(HASH_BASE))


def hash_windows(sums: Hashes, length: int) -> Hashes:
    """Return a hash of every window of `length` values, not finalized: its high bits are the random ones."""
    return (sums[length:] - sums[:-length]) * _powers(len(sums))[1][: len(sums) - length]


def inverse_powers(length: int) -> Hashes:
    """Return the powers of the base's inverse, the first `length`: factors of differences of prefix sums."""
    return _powers(length)[1]


def order_hashes(hashes: Hashes) -> tuple[npt.NDArray[np.int64], Hashes]:
    """Return the indices of hashes in their order, and these in it: as `argsort`, in half its time.

    Sorted are numbers that have the index in their low bits. Where hashes differ in these alone, as 1 pair in 2^49 of
    30,000 does, they are sorted in the usual way.
    """
    low = np.uint64((1 << len(hashes).bit_length()) - 1)
    packed = hashes & ~low | np.arange(len(hashes), dtype=np.uint64)
    packed.sort()
    order = (packed & low).astype(np.int64)
    ordered = hashes.take(order)
    if (ordered[1:] < ordered[:-1]).any():
        order = np.argsort(hashes)
        ordered = hashes.take(order)
    return order, ordered


def find_places(table: Hashes, values: Hashes) -> npt.NDArray[np.int64]:
    """Return the index of each value in a sorted table of distinct ones; -1 where it is not there."""
    if not len(table):
        return np.full(len(values), -1, np.int64)
    if len(values) > FEW_VALUES:  # in their order, so that what is read of the table stays in the cache
        order, ordered = order_hashes(values)
        at = np.empty(len(values), np.int64)
        at[order] = np.searchsorted(table, ordered)
    else:
        at = np.searchsorted(table, values)
    at = np.minimum(at, len(table) - 1)
    return np.where(table[at] == values, at, -1)


def contains(table: Hashes, values: Hashes) -> npt.NDArray[np.bool_]:
    """Return which values are in a sorted table."""
    return find_places(table, values) >= 0


_table: tuple[Hashes, Hashes] = (np.ones(1, np.uint64), np.ones(1, np.uint64))


def _powers(length: int) -> tuple[Hashes, Hashes]:
    """Return powers of the base and of its inverse: the first `length` of each."""
    global _table
    table = _table
    if len(table[0]) < length:
        size = 1 << max(16, (length - 1).bit_length())
        table = (_geometric_series(HASH_BASE, size), _geometric_series(HASH_BASE_INVERSE, size))
        if size <= MAX_KEPT_POWERS:
            _table = table
    return table[0][:length], table[1][:length]


def _geometric_series(base: int, size: int) -> Hashes:
    powers = np.ones(size, np.uint64)
    done = 1
    while done < size:
        powers[done : 2 * done] = powers[:done] * np.uint64(pow(base, done, 1 << 64))
        done *= 2
    return powers
