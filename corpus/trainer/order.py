"""Compute which window of which stream is sample i: a pure function of the plan, a seed and i.

A run's only state is the number of its step: any process can compute the samples of any step.

- *Which stream*: a fixed schedule that keeps every stream's count within 1.7 samples of its share at every step.
  The streams are leaves of a Huffman tree over their weights; a node that n samples have passed has sent
  round(n q) of them to its left, q being the left's share. So the error of one node is at most 1/2, and the errors
  that a leaf inherits from the nodes above it shrink as their weights grow, at least like Fibonacci numbers:
  1/2 (1 + 1 + 1/2 + 1/3 + 1/5 + ...) = 1.68. The same counts give j, the sample's number within its stream.
- *Which window*: j // windows is the epoch; within it a keyed permutation of the stream's windows is applied
  to j % windows (a four-round Feistel network on a square grid, repeated until the result is a window), so that an
  epoch holds every window exactly once and no list is shuffled or stored.

All functions take and return numpy arrays; a block of 512 samples costs about half a microsecond a sample.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

BLOCK_SAMPLES = 512
FEISTEL_ROUNDS = 4
SHARE_BITS = 30
"""Bits of a node's share: a stream drifts from its weight by less than one sample in 2^30 a node."""
MAX_SCHEDULED_SAMPLES = 1 << 33


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A Huffman tree as arrays. Node 0 is the root; children at or above 0 are nodes, below 0 streams: -1 - stream."""

    left: Ints
    right: Ints
    share: Ints
    """Of a node's samples, how many in 2^30 go left."""


def build_schedule(weights: list[float]) -> Schedule:
    """Build the tree over weights, which may be any positive numbers."""
    if not weights or min(weights) <= 0:
        raise ValueError(f"weights must be positive: {weights}")
    heap = [(weight, -1 - stream) for stream, weight in enumerate(weights)]
    heapq.heapify(heap)
    nodes: list[tuple[int, int, int]] = []
    while len(heap) > 1:
        smallest, a = heapq.heappop(heap)
        second, b = heapq.heappop(heap)
        nodes.append((a, b, round(smallest / (smallest + second) * (1 << SHARE_BITS))))
        heapq.heappush(heap, (smallest + second, len(nodes) - 1))
    if not nodes:
        nodes.append((-1, -1, 1 << SHARE_BITS))
    last = len(nodes) - 1
    flip = [(a if a < 0 else last - a, b if b < 0 else last - b, share) for a, b, share in reversed(nodes)]
    left, right, shares = np.array(flip, np.int64).T
    return Schedule(left=left, right=right, share=shares)


def _count_sent_left(passed: Any, share: Any) -> Any:
    return (passed * share + (1 << (SHARE_BITS - 1))) >> SHARE_BITS


def assign_samples(tree: Schedule, samples: Ints) -> tuple[Ints, Ints]:
    """Return (stream, ordinal) of each sample: sample i is the `ordinal`-th, from 0, of its stream."""
    if len(samples) and int(samples.max()) >= MAX_SCHEDULED_SAMPLES:
        raise ValueError(f"sample {samples.max()} is beyond the schedule's {MAX_SCHEDULED_SAMPLES}")
    at = np.zeros(len(samples), np.int64)
    passed = samples.astype(np.int64)
    inner = np.arange(len(samples))
    while len(inner):
        node, n = at[inner], passed[inner]
        before = _count_sent_left(n, tree.share[node])
        left = _count_sent_left(n + 1, tree.share[node]) > before
        passed[inner] = np.where(left, before, n - before)
        at[inner] = np.where(left, tree.left[node], tree.right[node])
        inner = inner[at[inner] >= 0]
    return -1 - at, passed


def count_samples(tree: Schedule, samples: int, streams: int) -> Ints:
    """Return how many of the first `samples` samples come from each stream."""
    out = np.zeros(streams, np.int64)
    stack = [(0, samples)]
    while stack:
        node, passed = stack.pop()
        if node < 0:
            out[-1 - node] += passed
            continue
        left = int(_count_sent_left(passed, int(tree.share[node])))
        stack += [(int(tree.left[node]), left), (int(tree.right[node]), passed - left)]
    return out


def _mix_bits(x: Words) -> Words:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input moves every bit of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def permute_positions(position: Ints, size: Ints, key: Words) -> Ints:
    """Return, element-wise, the image of `position` < `size` under the permutation of 0..size-1 that `key` names.

    A Feistel network over pairs (left, right) of a square grid of side ceil(sqrt(size)): each round adds a keyed
    hash of the right half to the left and swaps, which can be undone, so it permutes the grid; positions that
    leave 0..size-1 are permuted again. The grid has at most 2 sqrt(size) + 1 surplus cells, so few are.
    """
    side = np.sqrt(size).astype(np.uint64)
    side += (side * side < size.astype(np.uint64)).astype(np.uint64)
    out = position.astype(np.int64)
    todo = np.arange(len(out))
    while len(todo):
        width, secret = side[todo], key[todo]
        left, right = np.divmod(out[todo].astype(np.uint64), width)
        for turn in range(FEISTEL_ROUNDS):
            hashed = _mix_bits(right + secret + np.uint64((turn + 1) * 0x9E3779B97F4A7C15 % (1 << 64)))
            left, right = right, (left + hashed % width) % width
        out[todo] = (left * width + right).astype(np.int64)
        todo = todo[out[todo] >= size[todo]]
    return out


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """The order of a run: each stream's number of windows and key, and the schedule that chooses between streams."""

    tree: Schedule
    windows: Ints
    keys: Words

    def samples(self, start: int, stop: int) -> tuple[Ints, Ints, Ints]:
        """Return (stream, epoch, window) of samples start..stop-1, each an int64 array."""
        blocks = [
            _compute_block(self, number)
            for number in range(start // BLOCK_SAMPLES, -(-stop // BLOCK_SAMPLES))
        ]
        offset = start // BLOCK_SAMPLES * BLOCK_SAMPLES
        stream, epoch, window = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        wanted = slice(start - offset, stop - offset)
        return stream[wanted], epoch[wanted], window[wanted]

    def counts(self, samples: int) -> Ints:
        """Return how many of the first `samples` samples of the run come from each stream."""
        return count_samples(self.tree, samples, len(self.windows))


@lru_cache(maxsize=4)
def _compute_block(order: Order, number: int) -> tuple[Ints, Ints, Ints]:
    stream, ordinal = assign_samples(
        order.tree, np.arange(number * BLOCK_SAMPLES, (number + 1) * BLOCK_SAMPLES)
    )
    windows = order.windows[stream]
    epoch, position = np.divmod(ordinal, windows)
    keys = _mix_bits(order.keys[stream] + epoch.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return stream, epoch, permute_positions(position, windows, keys)


def make_order(
    names: list[str], weights: list[float], windows: list[int], *, fingerprint: str, seed: int
) -> Order:
    """Make the order over streams with these names, weights and numbers of windows.

    The keys come from the dataset's fingerprint, the seed and the stream's name: if one changes, so does the order.
    """
    digests = [
        hashlib.blake2b(f"{fingerprint}\n{seed}\n{name}".encode(), digest_size=8).digest() for name in names
    ]
    return Order(
        tree=build_schedule(weights),
        windows=np.array(windows, np.int64),
        keys=np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64),
    )
