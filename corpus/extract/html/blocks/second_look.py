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
    find_headline,
    share,
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
_LONG = np.array(LONG_BYTES)[:, None]
_KINDS = np.array([[BlockKind.HEADING], [BlockKind.ITEM], [BlockKind.ROW]])
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
    bytes_before, expected_before = _add_up(sizes), _add_up(seen.expected)
    total = max(1, int(expected_before[-1]))
    paths = page.get_array("paths")
    path_bytes = np.bincount(paths, sizes).astype(np.int64)
    path_expected = np.bincount(paths, seen.expected).astype(np.int64)
    most = max(1, int(path_expected.max()))
    begins, ends = page.get_array("begins"), page.get_array("ends")
    inside, held = bytes_before[ends] - bytes_before[begins], expected_before[ends] - expected_before[begins]
    of_paths, of_elements, of_blocks = _share_all(
        [
            ((path_expected >> CERTAIN_BITS, path_bytes), (path_expected, total), (path_expected, most)),
            (
                (held >> CERTAIN_BITS, inside),
                (held, total),
                (2 * held, whole := (inside << CERTAIN_BITS) + total),
            ),
            ((expected_before[:-1], total), *_list_windows(bytes_before, expected_before)),
        ]
    )
    table = np.empty((ESTIMATE_FEATURES, count), np.uint8)
    certainty = seen.estimates >> 3
    table[0] = certainty
    table[1] = np.minimum(np.maximum((logits + 512) >> 3, 0), TOP)
    table[2:5] = of_paths.take(paths, 1)
    around = page.get_frames()
    at = 5 + 3 * LEVELS
    table[5:at].reshape(LEVELS, 3, count)[:] = of_elements.take(around, 1).transpose(1, 0, 2)
    table[at] = of_blocks[0]
    padded = np.zeros(count + 4, np.uint8)
    padded[2:-2] = certainty
    for row, shift in enumerate(NEIGHBOURS, at + 1):
        table[row] = padded[2 + shift : 2 + shift + count]
    at += 1 + len(NEIGHBOURS)
    table[at : at + 2 * len(WINDOWS)] = of_blocks[1:]
    at += 2 * len(WINDOWS)
    strong = ((seen.estimates > STRONG) & (sizes > STRONG_BYTES)).nonzero()[0]
    table[at : at + 2] = _measure_gaps(strong, count)
    at += 2
    numbers = _measure_page(page, sizes, seen, total, most)
    table[at : at + len(numbers)] = np.array(numbers)[:, None]
    last_rows = table[at + len(numbers) :]
    last_rows[:] = 0
    last_rows[0, seen.kept] = TOP
    scores = 2 * held / whole
    best = int(np.argmax(scores))
    first, last = int(begins[best]), int(ends[best])
    known = np.zeros(len(path_bytes), np.uint8)
    known[paths[first:last]] = TOP
    last_rows[1, first:last] = TOP
    last_rows[2] = min(TOP, int(scores[best] * TOP))
    last_rows[3, :first] = TOP
    last_rows[4, last:] = TOP
    logarithms = count_logarithms(count + 1)
    last_rows[5, last:] = logarithms[1 : count + 1 - last]
    last_rows[6, :first] = logarithms[first:0:-1]
    last_rows[7] = known.take(paths)
    headline = find_headline(page)
    if headline >= 0:
        last_rows[8] = TOP
        last_rows[9, headline + 1 :] = TOP
        last_rows[10] = _part(total - int(expected_before[headline]), total)
    else:
        last_rows[9] = TOP
    return table.T


def _list_windows(bytes_before: Ints, expected_before: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the expected bytes before and behind each block in each window, and all bytes there."""
    count = len(bytes_before) - 1
    for width in WINDOWS:
        low, high = np.arange(-width, count - width), np.arange(1 + width, count + 1 + width)
        np.maximum(low, 0, out=low)
        np.minimum(high, count, out=high)
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


def _measure_page(page: PageBlocks, sizes: Ints, seen: Expectation, total: int, most: int) -> list[int]:
    """Return the features that all blocks of a page share, 13 numbers."""
    expected = seen.expected
    whole = total >> CERTAIN_BITS
    unsure = int(((seen.estimates * (CERTAIN - seen.estimates)) >> CERTAIN_BITS) @ sizes)
    linked = int(seen.estimates @ np.minimum(page.get_array("linked"), sizes))
    first, last = seen.kept[0], seen.kept[-1]
    groups = np.concatenate([sizes > _LONG, page.get_array("kinds") == _KINDS])
    shares = [_part(held, total) for held in (groups @ expected).tolist()]
    return [
        min(TOP, seen.score >> 3),
        _logarithm(whole),
        _part(whole, max(1, int(sizes.sum()))),
        *shares[: len(LONG_BYTES)],
        _part(unsure, max(1, whole)),
        _part(linked, total),
        *shares[len(LONG_BYTES) :],
        _logarithm(len(seen.kept)),
        _part(len(seen.kept), last - first + 1),
        _part(most, total),
    ]


def _measure_gaps(strong: Ints, count: int) -> npt.NDArray[np.uint8]:
    """Return how many blocks the nearest strong one is before each block, and behind it, (2, blocks), as logarithms:
    0 for a strong one itself, `TOP` where there is none."""
    result = np.full((2, count), TOP, np.uint8)
    if len(strong):
        first, last = int(strong[0]), int(strong[-1])
        gaps = np.diff(strong)
        logarithms = count_logarithms(count)
        behind = np.arange(first, count)
        behind[: last - first] -= strong[:-1].repeat(gaps)
        behind[last - first :] -= last
        result[0, first:] = logarithms.take(behind)
        before = np.arange(0, -last - 1, -1)
        before[: first + 1] += first
        before[first + 1 :] += strong[1:].repeat(gaps)
        result[1, : last + 1] = logarithms.take(before)
    return result


def _add_up(values: Ints) -> Ints:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


def _part(part: int, whole: int) -> int:
    return min(TOP, TOP * part // whole)


def _logarithm(number: int) -> int:
    return int(compute_logarithms(np.array([number]))[0])
