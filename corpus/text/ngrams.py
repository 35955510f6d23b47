"""Find repeated items and repeated n-grams of hashed arrays.

Everything works on 64-bit hashes (see `hashes`). For sorting, the top bits of a hash are replaced by its
place; one sort then yields groups in order of place: of n items, 64 - log2(n) bits are compared, which
for a page of 1,000 words confuses two with a probability of 10^-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.text.hashes import HASH_BASE, Hashes

Indices = npt.NDArray[np.int64]


_POWERS: Hashes = np.array([pow(HASH_BASE, power, 1 << 64) for power in range(64)], np.uint64)


@dataclass(frozen=True, slots=True)
class RepeatedNgrams:
    """The n-grams of one length that occur more than once.

    `places` are all of theirs, ascending; `count` and `first` are how often the most frequent one occurs and
    where it begins: the first of several; the first n-gram of all where none is repeated.
    """

    places: Indices
    count: int
    first: int


class ConfusedHashesError(Exception):
    """Two different hashes that are compared by their lower bits have these in common: one in a million batches."""


def find_later_copies(hashes: Hashes, exact: bool = False) -> Indices:
    """Return the indices of the items that equal an earlier one, in no particular order.

    `exact`: raise ConfusedHashesError where two items would only seem equal, which is for many more than a page's.
    """
    order, same = _sort_hashes(hashes)
    if exact:
        _check_equal(hashes, order, same)
    return order[1:][same]


def hash_ngrams(hashes: Hashes, n: int) -> Hashes:
    """Return the hash of each window of n hashed items, a polynomial: uint64[max(0, len - n + 1)]."""
    count = max(0, len(hashes) - n + 1)
    windows = np.zeros(count, np.uint64)
    for at in range(n):
        windows = windows * np.uint64(HASH_BASE) + hashes[at : at + count]
    return windows


def find_repeated_ngrams(hashes: Hashes, longest: int) -> dict[int, RepeatedNgrams]:
    """Return the repeated n-grams for each n from 2 to `longest`.

    An n-gram can be repeated only where its beginning is, so each length examines only what the one before
    found: on ordinary prose the first sort is nearly all of the cost.
    """
    repeated_by_n: dict[int, RepeatedNgrams] = {}
    places: Indices = np.arange(len(hashes))
    windows = hashes
    for n in range(2, longest + 1):
        places, windows = _extend_windows(hashes, places, windows, n)
        order, same = _sort_hashes(windows)
        if not same.any():
            rest = range(n, longest + 1)
            return repeated_by_n | {
                longer: RepeatedNgrams(places[:0], int(len(hashes) >= longer), 0) for longer in rest
            }
        heads = np.ones(len(order) + 1, np.bool_)  # where a group of equal ones begins
        np.logical_not(same, out=heads[1:-1])
        starts = np.flatnonzero(heads)
        counts = starts[1:] - starts[:-1]
        highest = counts.max()
        first = places[order[starts[:-1][counts == highest]].min()]
        member = _find_members(order, same)
        places, windows = places[member], windows[member]
        repeated_by_n[n] = RepeatedNgrams(places, int(highest), int(first))
    return repeated_by_n


def count_top_characters(repeated_ngrams: RepeatedNgrams, n: int, ends: Indices) -> int:
    """Count the characters in all copies of the most frequent n-gram, its items joined by a space.

    `ends` are the running totals of the items' characters, from 0: [items + 1]. Among equally frequent n-grams
    the first in the text counts, even where it occurs only once: the definition of datatrove's Gopher filter.
    """
    if not repeated_ngrams.count:
        return 0
    return repeated_ngrams.count * (
        int(ends[repeated_ngrams.first + n] - ends[repeated_ngrams.first]) + n - 1
    )


def count_duplicate_characters(
    hashes: Hashes, places: Indices, lengths: Sequence[int], ends: Indices
) -> list[int]:
    """Count the characters in n-grams seen before, for each n of `lengths`, which ascend.

    Reading continues behind each one found, so none counts twice.

    `places` are all those where an n-gram, or a beginning of it, is repeated; `ends` as above. What was jumped
    over is not remembered, as in datatrove's Gopher filter: the order matters, so this is a loop, but over
    places of repeated n-grams alone, at .1 us each.
    """
    whole = np.array([0, len(hashes)])
    counts: list[int] = count_duplicate_characters_of_pages(hashes, places, lengths, ends, whole)[0].tolist()
    return counts


def count_duplicate_characters_of_pages(
    hashes: Hashes, places: Indices, lengths: Sequence[int], ends: Indices, firsts: Indices
) -> npt.NDArray[np.int64]:
    """Do what `count_duplicate_characters` does for many pages at once: int64[pages, lengths]."""
    pages = len(firsts) - 1
    counts = np.zeros((pages, len(lengths)), np.int64)
    page = np.searchsorted(firsts, places, "right") - 1
    windows = page.astype(np.uint64) * np.uint64(HASH_BASE)  # those of two pages differ
    items = 0
    for column, n in enumerate(lengths):
        whole = places + n <= firsts.take(page + 1)
        places, page, windows = places[whole], page[whole], windows[whole]
        for step in range(items, n):
            windows += hashes.take(places + step) * _POWERS[step]
        items = n
        member = _find_members(*_sort_hashes(windows))
        places, page, windows = places[member], page[member], windows[member]
        seen = _find_seen(places.tolist(), windows.tolist(), n)
        starts = places.take(seen)
        counts[:, column] = np.bincount(page.take(seen), ends.take(starts + n) - ends.take(starts), pages)
    return counts


def _find_seen(starts: list[int], windows: list[int], n: int) -> Indices:
    """Return which n-grams were seen before; those that one of these reaches into are passed over."""
    again: list[int] = []
    seen: set[int] = set()
    after = 0
    for at, (start, window) in enumerate(zip(starts, windows, strict=True)):
        if start >= after:
            if window in seen:
                again.append(at)
                after = start + n
            else:
                seen.add(window)
    return np.array(again, np.int64)


@dataclass(frozen=True, slots=True)
class TopNgrams:
    """For each of several pages the most frequent n-gram of one length: how often it occurs, and its first place (see
    `RepeatedNgrams`); `places` are all places of repeated n-grams in all pages, ascending."""

    places: Indices
    counts: Indices
    firsts: Indices


def find_repeated_ngrams_of_pages(
    hashes: Hashes, firsts: Indices, marks: Hashes, longest: int
) -> dict[int, TopNgrams]:
    """Do what `find_repeated_ngrams` does for many pages at once.

    `firsts` are the index of the first item of each page, then their number; `marks` a hash for each page.
    Raises ConfusedHashesError: see `find_later_copies`.
    """
    sizes = np.diff(firsts)
    pages = np.repeat(np.arange(len(sizes)), sizes)
    ends = np.repeat(firsts[1:], sizes)
    top_by_n: dict[int, TopNgrams] = {}
    places: Indices = np.arange(len(hashes))
    windows = hashes ^ np.repeat(marks, sizes)
    for n in range(2, longest + 1):
        whole = places + n <= ends.take(places)
        places, windows = places[whole], windows[whole]
        windows *= np.uint64(HASH_BASE)
        windows += hashes.take(places + (n - 1))
        counts, tops = (sizes >= n).astype(np.int64), firsts[:-1].copy()
        order, same = _sort_hashes(windows)
        _check_equal(windows, order, same)
        heads = np.ones(len(order) + 1, np.bool_)
        np.logical_not(same, out=heads[1 : len(order)])
        starts = np.flatnonzero(heads)
        several = np.flatnonzero(starts[1:] - starts[:-1] > 1)
        if len(several):
            first = places[order[starts[several]]]
            often = starts[several + 1] - starts[several]
            page = pages[first]
            ranked = np.lexsort((first, -often, page))
            best = ranked[np.flatnonzero(np.diff(page[ranked], prepend=-1))]
            counts[page[best]], tops[page[best]] = often[best], first[best]
        member = _find_members(order, same)
        places, windows = places[member], windows[member]
        top_by_n[n] = TopNgrams(places, counts, tops)
    return top_by_n


def _find_members(order: Indices, same: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which items equal another, by what `_sort_hashes` returns."""
    member = np.zeros(len(order), np.bool_)
    member[order[1:][same]] = True
    member[order[:-1][same]] = True
    return member


def _check_equal(hashes: Hashes, order: Indices, same: npt.NDArray[np.bool_]) -> None:
    equal = np.flatnonzero(same)
    if (hashes.take(order.take(equal)) != hashes.take(order.take(equal + 1))).any():
        raise ConfusedHashesError


def _extend_windows(hashes: Hashes, places: Indices, windows: Hashes, n: int) -> tuple[Indices, Hashes]:
    """Extend the windows of n - 1 items at `places` to n items, at the places that have as many."""
    if len(places) and places[-1] > len(hashes) - n:
        count = np.searchsorted(places, len(hashes) - n, "right")
        places, windows = places[:count], windows[:count]
    return places, windows * np.uint64(HASH_BASE) + hashes[places + (n - 1)]


def _sort_hashes(hashes: Hashes) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return indices by hash, then by place; and whether each but the first equals the one before it."""
    bits = np.uint64(len(hashes).bit_length())
    packed = (hashes << bits) | np.arange(len(hashes), dtype=np.uint64)
    packed.sort()
    values = packed >> bits
    order = (packed ^ (values << bits)).astype(np.int64)
    return order, values[1:] == values[:-1]
