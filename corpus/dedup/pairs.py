"""Candidate pairs: contents that share a band of their signatures.

The contents with one band key are a group. In a group of up to `max_group` all pairs are candidates. In a
larger one (boilerplate, templates, spam) each content is paired with the group's `LEADERS_PER_GROUP` best ones, where
best-first removal needs its edges, and with the next `WINDOW_NEIGHBOURS` in the order of quality and length. So a
group of n has at most max(n (max_group - 1) / 2, n (LEADERS_PER_GROUP + WINDOW_NEIGHBOURS)) candidates.
A large group misses two near-duplicates in it that none of its leaders resembles, unless they meet
in a smaller group of another band.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.rows import ROW_BITS, row_of, split_of

BAND_DTYPE = np.dtype([("key", "<u8"), ("number", "<i8"), ("order", "<u8")])
"""Record of one band of one content: 24 bytes, 336 for a content in 14 bands."""
LEADERS_PER_GROUP = 16
WINDOW_NEIGHBOURS = 16
PAIRS_PER_CHUNK = 1 << 22
"""Candidates that are generated and deduplicated in one step: 64 MiB."""


def build_band_entries(
    keys: NDArray[np.uint64], number: NDArray[np.int64], order: NDArray[np.uint64]
) -> NDArray[np.void]:
    """Return BAND[n * bands] for band keys uint64[n, bands]."""
    entries = np.empty(keys.shape, BAND_DTYPE)
    entries["key"] = keys
    entries["number"] = number[:, None]
    entries["order"] = order[:, None]
    return entries.reshape(-1)


def assign_partitions(keys: NDArray[np.uint64], partitions: int) -> NDArray[np.int64]:
    """Return for each key the number of its range, of `partitions` equal ranges of the hash space (at most 2^32)."""
    ranges: NDArray[np.uint64] = (keys >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)
    return ranges.astype(np.int64)


def generate_candidate_pairs(entries: NDArray[np.void], max_group: int) -> Iterator[NDArray[np.int64]]:
    """Yield pairs int64[k, 2], the lower document number first, of all groups among BAND[n]; pairs may repeat.

    The pairs are the same for any order of the entries. Memory: 50 bytes an entry besides `entries` itself,
    and some 200 MiB. Cost: a second for 7 million entries, another for 10 million pairs.
    """
    key = np.ascontiguousarray(entries["key"])
    shared = find_shared_keys(key)
    order = shared.take(np.argsort(key.take(shared)))
    key = key.take(order)
    same = key[1:] == key[:-1]
    grouped = np.append(False, same) | np.append(same, False) if len(key) else same
    order, key = order[grouped], key[grouped]
    if not len(key):
        return
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    sizes = np.diff(np.append(starts, len(key)))
    place = np.arange(len(key)) - np.repeat(starts, sizes)  # in the group
    left = np.repeat(sizes, sizes) - place - 1  # how many come after
    small = np.repeat(sizes <= max_group, sizes)
    number = entries["number"][order]
    yield from _merge_chunks(_pair_by_offset(number, np.flatnonzero(small), left, max_group - 1))
    if not small.all():
        large = np.flatnonzero(~small)  # the best of each group first
        number[large] = number[large][np.lexsort((number[large], entries["order"][order[large]], key[large]))]
        yield from _merge_chunks(
            _pair_by_offset(number, large[place[large] >= LEADERS_PER_GROUP], left, WINDOW_NEIGHBOURS)
        )
        yield from _merge_chunks(_pair_with_leaders(number, large, place))


def find_shared_keys(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the places of all keys that occur more than once, and of a few others: an eighth of those at most.

    Sorting the keys alone takes a third of the time of sorting their places, and few are shared.
    """
    ordered = np.sort(key)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    mask = np.uint64((1 << (8 * len(repeated) + 1).bit_length()) - 1)
    marks = np.zeros(int(mask) + 1, np.bool_)
    marks[repeated & mask] = True
    return np.flatnonzero(marks.take(key & mask))


def _pair_by_offset(
    number: NDArray[np.int64], at: NDArray[np.int64], left: NDArray[np.int64], most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pair each entry `at` with the next one of its group, then with the one after that, up to `most`."""
    for offset in range(1, most + 1):
        at = at[left[at] >= offset]
        if not len(at):
            return
        yield number[at], number[at + offset]


def _pair_with_leaders(
    number: NDArray[np.int64], at: NDArray[np.int64], place: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pair each entry `at` with the best ones of its group."""
    for leader in range(LEADERS_PER_GROUP):
        at = at[place[at] > leader]
        yield number[at - place[at] + leader], number[at]


def _merge_chunks(
    batches: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> Iterator[NDArray[np.int64]]:
    waiting: list[NDArray[np.int64]] = []
    for left, right in batches:
        for start in range(0, len(left), PAIRS_PER_CHUNK):
            piece = np.stack(
                [left[start : start + PAIRS_PER_CHUNK], right[start : start + PAIRS_PER_CHUNK]], axis=1
            )
            piece.sort(axis=1)
            waiting.append(piece[piece[:, 0] != piece[:, 1]])
            if sum(map(len, waiting)) >= PAIRS_PER_CHUNK:
                yield deduplicate_pairs(np.concatenate(waiting))
                waiting = []
    if waiting:
        yield deduplicate_pairs(np.concatenate(waiting))


def deduplicate_pairs(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of document numbers, sorted and without repeats. Cost: a second for 15 million."""
    if not len(pairs):
        return pairs
    rows = int(row_of(pairs).max()) + 1
    most = (int(split_of(pairs).max()) + 1) * rows
    if most <= 1 << 32:  # a pair fits a single integer, which sorts ten times faster than two
        places = (split_of(pairs) * rows + row_of(pairs)).astype(np.uint64)
        joined = places[:, 0] * np.uint64(most) + places[:, 1]
        joined.sort()
        joined = joined[np.append(True, joined[1:] != joined[:-1])]  # np.unique hashes first: 4 times slower
        ends = np.stack(np.divmod(joined, np.uint64(most)), axis=1)
        split, row = np.divmod(ends, np.uint64(rows))
        return (split << np.uint64(ROW_BITS) | row).astype(np.int64)
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    new: NDArray[np.bool_] = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    return ordered[new]


PLANTED_BAND_DTYPE = np.dtype([("key", "<u8"), ("number", "<i8"), ("order", "<u8"), ("origin", "<i8")])
"""Record of one band of a canary; `origin` is the content that it is a variant of."""
STRANGERS_PER_GROUP = 4
"""Contents of a group, the best ones, that a canary is paired with besides its own."""


def pair_planted(entries: NDArray[np.void], planted: NDArray[np.void], max_group: int) -> NDArray[np.int64]:
    """Return pairs int64[k, 2] of contents in BAND[n] and canaries in PLANTED_BAND[m] that share a key.

    A canary is paired with the content that it is a variant of where `generate_candidate_pairs` would pair them, were
    it a content, and with the best others of its group. Neither are canaries paired with each other, nor do they take
    part in anything else.
    """
    keys = np.unique(planted["key"])
    if not len(keys) or not len(entries):
        return np.empty((0, 2), np.int64)
    at = np.minimum(np.searchsorted(keys, entries["key"]), len(keys) - 1)
    entries, at = entries[keys[at] == entries["key"]], at[keys[at] == entries["key"]]
    order = np.lexsort((entries["number"], entries["order"], at))
    entries, at = entries[order], at[order]
    starts, ends = (
        np.searchsorted(at, np.arange(len(keys))),
        np.searchsorted(at, np.arange(len(keys)), "right"),
    )
    group = np.searchsorted(keys, planted["key"])
    start, size = starts[group], (ends - starts)[group]
    rank = np.searchsorted(_join_fields(at, entries["order"]), _join_fields(group, planted["order"])) - start

    names = _join_fields(at, entries["number"])
    by_name = np.argsort(names, kind="stable")
    wanted = _join_fields(group, planted["origin"])
    place = (
        by_name[np.minimum(np.searchsorted(names[by_name], wanted), max(0, len(names) - 1))]
        if len(names)
        else group
    )
    there = names[place] == wanted if len(names) else np.zeros(len(planted), np.bool_)
    own = place - start
    near = np.where(own >= rank, own - rank + 1, rank - own) <= WINDOW_NEIGHBOURS
    paired = there & ((size < max_group) | near | (np.minimum(own, rank) < LEADERS_PER_GROUP))
    pairs = [np.stack([planted["origin"], planted["number"]], axis=1)[paired]]
    for offset in range(STRANGERS_PER_GROUP):
        chosen = np.flatnonzero(size > offset)
        others = entries["number"][start[chosen] + offset]
        strange = others != planted["origin"][chosen]
        pairs.append(np.stack([others, planted["number"][chosen]], axis=1)[strange])
    return deduplicate_pairs(np.concatenate(pairs))


def _join_fields(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.bytes_]:
    """Return two columns of numbers from 0 on as bytes that sort as the pairs do."""
    joined = np.empty((len(one), 2), ">u8")
    joined[:, 0], joined[:, 1] = one, other
    return joined.view("S16").reshape(-1)
