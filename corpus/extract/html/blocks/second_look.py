"""Look at the blocks of a page once more, beside how likely all of them were at first.

What a block is depends on where the rest of the main text is: a teaser reads like an article, but most of what is
expected stands in another element, or was over long before it. So a second network, a small one without neighbours,
sees of each block the share of the expected bytes in the elements around it, before and behind it, near it, and in
elements of its path, and how sure the page is. It is in whole numbers like the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.features import (
    LEVELS,
    TOP,
    compute_logarithms,
    compute_shares,
    find_frames,
    find_headline,
)
from corpus.extract.html.blocks.page_blocks import BlockKind, PageBlocks

Ints = npt.NDArray[np.int64]

CERTAIN_BITS = 10
CERTAIN = 1 << CERTAIN_BITS
"""The probability 1."""
STRONG, STRONG_BYTES = 820, 80
"""Probability and bytes above which a block is one that others are seen from."""
WINDOWS = (5, 20)
"""Blocks before and behind a block whose expected share is looked at."""
NEIGHBOURS = (-2, -1, 1, 2)
LONG_BYTES = (200, 500)
_KINDS = (BlockKind.HEADING, BlockKind.ITEM, BlockKind.ROW)
ESTIMATE_FEATURES = 5 + 3 * LEVELS + 1 + len(NEIGHBOURS) + 2 * len(WINDOWS) + 2 + 13 + 11


@dataclass(frozen=True)
class Expectation:
    """What is expected of a page's blocks: their probabilities, 0 to `CERTAIN`, these times their bytes, and the blocks
    of the best cut with its F1 in `CERTAIN`ths."""

    estimates: Ints
    expected: Ints
    kept: list[int]
    score: int


def expect(estimates: Ints, sizes: Ints) -> Expectation:
    """Return what probabilities let expect, and the cut that promises the best F1: blocks in the order of their
    probabilities, as many as make twice the expected right bytes over those taken and expected in all largest."""
    expected = estimates * sizes
    order = np.argsort(-estimates, kind="stable")
    right = np.cumsum(expected[order])
    scores = 2 * right / (CERTAIN * np.cumsum(sizes[order]) + max(1, right[-1]))
    best = int(np.argmax(scores))
    return Expectation(estimates, expected, sorted(order[: best + 1].tolist()), int(scores[best] * CERTAIN))


def measure_expectation(
    page: PageBlocks, sizes: Ints, logits: Ints, seen: Expectation
) -> npt.NDArray[np.uint8]:
    """Return the features of each block, (blocks, ESTIMATE_FEATURES), whole numbers from 0 to `TOP`; certainty is one
    more."""
    count = len(sizes)
    places = np.arange(count)
    bytes_before, expected_before = _add_up(sizes), _add_up(seen.expected)
    total = max(1, int(expected_before[-1]))
    table = np.empty((ESTIMATE_FEATURES, count), np.uint8)
    rows = iter(table)

    def put(row: npt.NDArray[np.generic] | int) -> None:
        next(rows)[:] = row

    paths = np.array(page.paths)
    path_bytes = np.bincount(paths, sizes).astype(np.int64)
    path_expected = np.bincount(paths, seen.expected).astype(np.int64)
    most = max(1, int(path_expected.max()))
    put(seen.estimates >> 3)
    put(np.clip((logits + 512) >> 3, 0, TOP))
    put(compute_shares(path_expected >> CERTAIN_BITS, path_bytes)[paths])
    put(compute_shares(path_expected, np.full(1, total))[paths])
    put(compute_shares(path_expected, np.full(1, most))[paths])
    begins, ends, wider = find_frames(page)
    inside, held = bytes_before[ends] - bytes_before[begins], expected_before[ends] - expected_before[begins]
    frames = np.stack(
        [
            compute_shares(held >> CERTAIN_BITS, inside),
            compute_shares(held, np.full(1, total)),
            compute_shares(2 * held, (inside << CERTAIN_BITS) + total),
        ]
    ).astype(np.uint8)
    around = np.array(page.elements)
    for level in range(LEVELS):
        for row in frames[:, around]:
            put(row)
        if level + 1 < LEVELS:
            around = wider[around]
    put(compute_shares(expected_before[:-1], np.full(1, total)))
    padded = np.pad(seen.estimates >> 3, 2)
    for shift in NEIGHBOURS:
        put(padded[2 + shift : 2 + shift + count])
    for width in WINDOWS:
        low, high = np.maximum(places - width, 0), np.minimum(places + 1 + width, count)
        put(
            compute_shares(
                (expected_before[:-1] - expected_before[low]) >> CERTAIN_BITS,
                bytes_before[:-1] - bytes_before[low],
            )
        )
        put(
            compute_shares(
                (expected_before[high] - expected_before[1:]) >> CERTAIN_BITS,
                bytes_before[high] - bytes_before[1:],
            )
        )
    strong = np.flatnonzero((seen.estimates > STRONG) & (sizes > STRONG_BYTES))
    for distances in _measure_gaps(strong, places):
        put(distances)
    for number in _measure_page(page, sizes, seen, total, most):
        put(number)
    chosen = np.zeros(count, bool)
    chosen[seen.kept] = True
    put(chosen * TOP)
    scores = 2 * held / ((inside << CERTAIN_BITS) + total)
    best = int(np.argmax(scores))
    first, last = int(begins[best]), int(ends[best])
    known = np.zeros(len(path_bytes), bool)
    known[paths[first:last]] = True
    put(((places >= first) & (places < last)) * TOP)
    put(min(TOP, int(scores[best] * TOP)))
    put((places < first) * TOP)
    put((places >= last) * TOP)
    put(compute_logarithms(np.maximum(places - last + 1, 0)))
    put(compute_logarithms(np.maximum(first - places, 0)))
    put(known[paths] * TOP)
    headline = find_headline(page)
    put(TOP * (headline >= 0))
    put((places > headline) * TOP)
    put(_part(total - int(expected_before[headline]), total) if headline >= 0 else 0)
    return table.T


def _measure_page(page: PageBlocks, sizes: Ints, seen: Expectation, total: int, most: int) -> list[int]:
    """Return the features that all blocks of a page share, 13 numbers."""
    expected, kinds = seen.expected, np.array(page.kinds)
    whole = total >> CERTAIN_BITS
    unsure = int(((seen.estimates * (CERTAIN - seen.estimates)) >> CERTAIN_BITS) @ sizes)
    linked = int(seen.estimates @ np.minimum(np.array(page.linked), sizes))
    first, last = seen.kept[0], seen.kept[-1]
    return [
        min(TOP, seen.score >> 3),
        _logarithm(whole),
        _part(whole, max(1, int(sizes.sum()))),
        *(_part(int(expected[sizes > long].sum()), total) for long in LONG_BYTES),
        _part(unsure, max(1, whole)),
        _part(linked, total),
        *(_part(int(expected[kinds == kind].sum()), total) for kind in _KINDS),
        _logarithm(len(seen.kept)),
        _part(len(seen.kept), last - first + 1),
        _part(most, total),
    ]


def _measure_gaps(strong: Ints, places: Ints) -> npt.NDArray[np.uint8]:
    """Return how many blocks the nearest strong one is before each block, and behind it, (2, blocks), as logarithms:
    0 for a strong one itself, `TOP` where there is none."""
    result = np.full((2, len(places)), TOP, np.uint8)
    if len(strong):
        first, last = int(strong[0]), int(strong[-1])
        before = strong[np.searchsorted(strong, places[first:], side="right") - 1]
        behind = strong[np.searchsorted(strong, places[: last + 1])]
        result[0, first:] = compute_logarithms(places[first:] - before)
        result[1, : last + 1] = compute_logarithms(behind - places[: last + 1])
    return result


def _add_up(values: Ints) -> Ints:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


def _part(part: int, whole: int) -> int:
    return min(TOP, TOP * part // whole)


def _logarithm(number: int) -> int:
    return int(compute_logarithms(np.array([number]))[0])
