"""Candidates: all pairs of small groups, enough of large ones, the same in any order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.dedup import pairs
from corpus.dedup.rows import number_documents

GROUPS = st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=8)


def entries(groups: list[list[int]]) -> np.ndarray:
    """BAND entries: document `number` in each of the groups that name it; the best has the lowest order."""
    flat = [
        (group * 2**40 + 5, number, 1000 - number)
        for group, members in enumerate(groups)
        for number in members
    ]
    return np.array(flat, pairs.BAND_DTYPE)


def candidates(found: np.ndarray, max_group: int = 256) -> set[tuple[int, int]]:
    return {
        tuple(pair) for chunk in pairs.generate_candidate_pairs(found, max_group) for pair in chunk.tolist()
    }


@given(GROUPS, st.randoms(use_true_random=False))
def test_all_pairs_of_small_groups(groups: list[list[int]], random) -> None:  # type: ignore[no-untyped-def]
    found = entries(groups)
    expected = {
        pair
        for members in groups
        for pair in itertools.combinations(sorted(set(members)), 2)
        if pair[0] != pair[1]
    }
    assert candidates(found) == expected
    shuffled = found[random.sample(range(len(found)), len(found))]
    assert candidates(shuffled) == expected


def test_a_large_group_is_paired_with_its_best_and_with_its_neighbours() -> None:
    size = 1000
    found = candidates(entries([list(range(size))]), max_group=999)
    best = range(size - 1, size - 1 - pairs.LEADERS_PER_GROUP, -1)
    for leader in best:
        assert sum(leader in pair for pair in found) == size - 1
    assert {
        (at, at + pairs.WINDOW_NEIGHBOURS)
        for at in range(size - pairs.WINDOW_NEIGHBOURS - pairs.LEADERS_PER_GROUP)
    } <= found
    assert len(found) < size * (pairs.LEADERS_PER_GROUP + pairs.WINDOW_NEIGHBOURS)
    assert len(candidates(entries([list(range(size))]), max_group=1000)) == size * (size - 1) // 2


def test_a_large_group_beside_small_ones_in_any_order() -> None:
    groups = [list(range(100, 500)), [1, 2], [3], [2, 450, 451]]
    found = entries(groups)
    expected = candidates(found, max_group=64)
    assert {(1, 2), (2, 450), (2, 451), (450, 451)} <= expected
    for seed in range(3):
        assert (
            candidates(found[np.random.default_rng(seed).permutation(len(found))], max_group=64) == expected
        )


def test_more_candidates_than_a_chunk_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = entries([list(range(200)), list(range(100, 300))])
    expected = candidates(found)
    monkeypatch.setattr(pairs, "PAIRS_PER_CHUNK", 1000)
    assert candidates(found) == expected
    assert len(expected) == 2 * (200 * 199 // 2) - 100 * 99 // 2


@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 90_000)), max_size=30), st.integers(0, 9))
def test_unique_pairs_are_sorted_pairs(found: list[tuple[int, int]], split: int) -> None:
    """Both ways: as one integer, and where numbers are too far apart for that."""
    made = np.array(found + found[:7], np.int64).reshape(-1, 2)
    for spread in (1, 7_000):
        given_pairs = np.stack(
            [number_documents(split, made[:, 0]), number_documents(split * spread, made[:, 1])], axis=1
        )
        expected = sorted(set(map(tuple, given_pairs.tolist())))
        assert [tuple(pair) for pair in pairs.deduplicate_pairs(given_pairs).tolist()] == expected


@given(st.integers(1, 1 << 20), st.lists(st.integers(0, (1 << 64) - 1), min_size=1))
def test_partitions_are_ranges(partitions: int, keys: list[int]) -> None:
    found = pairs.assign_partitions(np.array(sorted(keys), np.uint64), partitions)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() < partitions
    assert found.tolist() == [(key >> 32) * partitions >> 32 for key in sorted(keys)]
