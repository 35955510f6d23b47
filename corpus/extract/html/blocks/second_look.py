"""Look at the blocks of a page once more, beside how likely all of them were at first.

What a block is depends on where the rest of the main text is: a teaser reads like an article, but most of what is
expected stands in another element, or was over long before it. So a second network, a small one without neighbours,
sees of each block the share of the expected bytes in the elements around it, before and behind it, near it, and in
elements of its path, and how sure the page is. It is in whole numbers like the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.features import (
    LEVELS,
    TOP,
    compute_logarithms,
    count_logarithms,
    find_nearest,
    share,
)
from corpus.extract.html.blocks.page_blocks import BlockKind
from corpus.extract.html.blocks.page_group import PageGroup

Ints = npt.NDArray[np.int64]

CERTAIN_BITS = 10
CERTAIN = 1 << CERTAIN_BITS
"""The probability 1."""
STRONG, STRONG_BYTES = 820, 80
"""Probability and bytes above which a block is one that others are seen from."""
WINDOWS = (5, 20)
"""Blocks before and behind a block whose expected share is looked at."""
NEIGHBOURS, REACH = (-2, -1, 1, 2), 2
LONG_BYTES = (200, 500)
_LONG = np.array(LONG_BYTES)[:, None]
_KINDS = np.array([[BlockKind.HEADING], [BlockKind.ITEM], [BlockKind.ROW]])
ESTIMATE_FEATURES = 5 + 3 * LEVELS + 1 + len(NEIGHBOURS) + 2 * len(WINDOWS) + 2 + 13 + 11


@dataclass(frozen=True)
class Expectation:
    """What is expected of the blocks of pages: probabilities, 0 to `CERTAIN`, these times bytes, and of each page the
    blocks of the best cut, numbered from its beginning, with its F1 in `CERTAIN`ths."""

    estimates: Ints
    expected: Ints
    kept: list[list[int]]
    scores: list[int]


def expect(estimates: Ints, sizes: Ints) -> tuple[list[int], int]:
    """Return the cut of a page's blocks that promises the best F1, and that in `CERTAIN`ths: blocks in the order of
    their probabilities, as many as make twice the expected right bytes over those taken and expected in all largest."""
    order = np.argsort(-estimates, kind="stable")
    right = np.cumsum((estimates * sizes)[order])
    return _cut(order, right, np.cumsum(sizes[order]), int(right[-1]))


def expect_each(group: PageGroup, estimates: Ints) -> Expectation:
    """Return what probabilities let expect of the pages of a group, cut as by `expect`."""
    expected = estimates * group.sizes
    ranks = group.spread(np.arange(0, len(group.pages) * (CERTAIN + 1), CERTAIN + 1)) - estimates
    order = np.argsort(ranks, kind="stable")
    right, taken = group.add_up(np.stack([expected[order], group.sizes[order]]))
    kept, scores = [], []
    for start, stop in group.bounds:
        own = slice(start + 1, stop + 1)
        cut, score = _cut(
            order[start:stop] - start,
            right[own] - right[start],
            taken[own] - taken[start],
            int(right[stop] - right[start]),
        )
        kept.append(cut)
        scores.append(score)
    return Expectation(estimates, expected, kept, scores)


def _cut(order: Ints, right: Ints, taken: Ints, whole: int) -> tuple[list[int], int]:
    scores = 2 * right / (CERTAIN * taken + max(1, whole))
    best = int(np.argmax(scores))
    return sorted(order[: best + 1].tolist()), int(scores[best] * CERTAIN)


def measure_expectation(group: PageGroup, logits: Ints, seen: Expectation) -> npt.NDArray[np.uint8]:
    """Return the features of each block, (blocks, ESTIMATE_FEATURES), whole numbers from 0 to `TOP`; certainty is one
    more."""
    sizes, paths, blocks = group.sizes, group.paths, group.blocks
    count = len(sizes)
    bytes_before, expected_before = group.add_up(np.stack([sizes, seen.expected]))
    total = np.maximum(group.sum_pages(expected_before), 1)
    path_bytes = np.bincount(paths, sizes, int(group.path_counts.sum())).astype(np.int64)
    path_expected = np.bincount(paths, seen.expected, len(path_bytes)).astype(np.int64)
    most = np.maximum(np.maximum.reduceat(path_expected, group.path_starts), 1)
    begins, ends = group.begins, group.ends
    inside, held = bytes_before[ends] - bytes_before[begins], expected_before[ends] - expected_before[begins]
    around_total = total.repeat(group.element_counts)
    whole = (inside << CERTAIN_BITS) + around_total
    of_paths, of_elements, of_blocks = _share_all(
        [
            (
                (path_expected >> CERTAIN_BITS, path_bytes),
                (path_expected, total.repeat(group.path_counts)),
                (path_expected, most.repeat(group.path_counts)),
            ),
            ((held >> CERTAIN_BITS, inside), (held, around_total), (2 * held, whole)),
            (
                (expected_before[:-1] - expected_before.take(group.begin_of), group.spread(total)),
                *_list_windows(group, bytes_before, expected_before),
            ),
        ]
    )
    table = np.empty((ESTIMATE_FEATURES, count), np.uint8)
    certainty = seen.estimates >> 3
    table[0] = certainty
    table[1] = np.minimum(np.maximum((logits + 512) >> 3, 0), TOP)
    table[2:5] = of_paths.take(paths, 1)
    at = 5 + 3 * LEVELS
    table[5:at].reshape(LEVELS, 3, count)[:] = of_elements.take(group.frames, 1).transpose(1, 0, 2)
    table[at] = of_blocks[0]
    padded, places = group.pad(certainty.astype(np.uint8), REACH)
    for row, shift in enumerate(NEIGHBOURS, at + 1):
        padded.take(places + shift, out=table[row])
    at += 1 + len(NEIGHBOURS)
    table[at : at + 2 * len(WINDOWS)] = of_blocks[1:]
    at += 2 * len(WINDOWS)
    strong = ((seen.estimates > STRONG) & (sizes > STRONG_BYTES)).nonzero()[0]
    table[at : at + 2] = _measure_gaps(group, strong)
    at += 2
    numbers = _measure_pages(group, seen, expected_before, total, most)
    table[at : at + len(numbers)] = group.spread(numbers)
    last_rows = table[at + len(numbers) :]
    last_rows[:] = 0
    kept = [start + at for own, (start, _) in zip(seen.kept, group.bounds, strict=True) for at in own]
    last_rows[0, kept] = TOP
    shares = 2 * held / whole
    stops = group.element_starts + group.element_counts
    best = np.array(
        [
            start + int(np.argmax(shares[start:stop]))
            for start, stop in zip(group.element_starts.tolist(), stops.tolist(), strict=True)
        ]
    )
    first, last = group.spread(begins[best]), group.spread(ends[best])
    before, behind = blocks < first, blocks >= last
    is_inside = ~(before | behind)
    known = np.zeros(len(path_bytes), np.uint8)
    known[paths[is_inside]] = TOP
    last_rows[1, is_inside] = TOP
    last_rows[2] = group.spread(np.minimum((shares[best] * TOP).astype(np.int64), TOP))
    last_rows[3, before] = TOP
    last_rows[4, behind] = TOP
    logarithms = count_logarithms(count + 1)
    last_rows[5, behind] = logarithms.take((blocks - last + 1)[behind])
    last_rows[6, before] = logarithms.take((first - blocks)[before])
    last_rows[7] = known.take(paths)
    headlines = group.headlines
    has_headline = headlines >= 0
    rest = group.spread(TOP * (expected_before.take(group.stops) - expected_before.take(headlines)) // total)
    has_one, headline = group.spread(has_headline), group.spread(headlines)
    last_rows[8, has_one] = TOP
    last_rows[9, blocks > headline] = TOP
    last_rows[10, has_one] = np.minimum(rest, TOP)[has_one]
    return table.T


def _list_windows(group: PageGroup, bytes_before: Ints, expected_before: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the expected bytes before and behind each block in each window, and all bytes there."""
    for width in WINDOWS:
        low = np.maximum(group.blocks - width, group.begin_of)
        high = np.minimum(group.blocks + 1 + width, group.end_of)
        yield (
            (expected_before[:-1] - expected_before.take(low)) >> CERTAIN_BITS,
            bytes_before[:-1] - bytes_before.take(low),
        )
        yield (
            (expected_before.take(high) - expected_before[1:]) >> CERTAIN_BITS,
            bytes_before.take(high) - bytes_before[1:],
        )


def _share_all(
    groups: Sequence[Sequence[tuple[Ints, Ints | int]]],
) -> list[npt.NDArray[np.float64]]:
    """Return `TOP` times parts over wholes, of groups of rows of one length, (rows, length): all in one division."""
    sizes = [len(rows) * len(rows[0][0]) for rows in groups]
    parts, wholes = np.empty(sum(sizes)), np.empty(sum(sizes))
    at = 0
    for rows in groups:
        for part, whole in rows:
            end = at + len(part)
            parts[at:end], wholes[at:end] = part, whole
            at = end
    shares = share(parts, wholes)
    ends = list(accumulate(sizes))
    return [
        shares[end - size : end].reshape(len(rows), -1)
        for rows, size, end in zip(groups, sizes, ends, strict=True)
    ]


def _measure_pages(
    group: PageGroup, seen: Expectation, expected_before: Ints, total: Ints, most: Ints
) -> Ints:
    """Return the features that all blocks of a page share, (13, pages)."""
    estimates, expected, sizes = seen.estimates, seen.expected, group.sizes
    rows = np.empty((3 + len(LONG_BYTES) + len(_KINDS), len(sizes)), np.int64)
    rows[0] = ((estimates * (CERTAIN - estimates)) >> CERTAIN_BITS) * sizes
    rows[1] = estimates * np.minimum(group.linked, sizes)
    rows[2] = sizes
    np.multiply(sizes > _LONG, expected, out=rows[3 : 3 + len(LONG_BYTES)])
    np.multiply(group.kinds == _KINDS, expected, out=rows[3 + len(LONG_BYTES) :])
    unsure, linked, page_bytes, *shares = np.add.reduceat(rows, group.starts, 1)
    whole = total >> CERTAIN_BITS
    kept = np.array([len(own) for own in seen.kept])
    reach = np.array([own[-1] - own[0] + 1 for own in seen.kept])
    shares = [_part(held, total) for held in shares]
    return np.stack(
        [
            np.minimum(np.array(seen.scores) >> 3, TOP),
            compute_logarithms(whole).astype(np.int64),
            _part(whole, np.maximum(page_bytes, 1)),
            *shares[: len(LONG_BYTES)],
            _part(unsure, np.maximum(whole, 1)),
            _part(linked, total),
            *shares[len(LONG_BYTES) :],
            compute_logarithms(kept).astype(np.int64),
            _part(kept, reach),
            _part(most, total),
        ]
    )


def _measure_gaps(group: PageGroup, strong: Ints) -> npt.NDArray[np.uint8]:
    """Return how many blocks the nearest strong one on its page is before each block, and behind it, (2, blocks), as
    logarithms: 0 for a strong one itself, `TOP` where there is none."""
    result = np.full((2, len(group.blocks)), TOP, np.uint8)
    if len(strong):
        logarithms = count_logarithms(len(group.blocks))
        for row, nearest in enumerate(find_nearest(group, strong)):
            has_one = nearest >= 0
            result[row, has_one] = logarithms.take(np.abs(group.blocks - nearest)[has_one])
    return result


def _part(parts: Ints, wholes: Ints) -> Ints:
    shares: Ints = np.minimum(TOP * parts // wholes, TOP)
    return shares
