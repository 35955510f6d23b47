"""The walk in ranges of rank against the walk in memory; components on disk against those in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest

from corpus.dedup import spilled
from corpus.dedup.clusters import EDGE_DTYPE, MEMBER_DTYPE, choose_removed, reduce_to_stars
from corpus.dedup.components import connect
from corpus.dedup.rows import order_best_first, rank_documents
from corpus.dedup.walk import choose_removed_in_ranges


def make(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Documents of one range, whose criteria often agree: copies, shared URLs, similar contents, all connected."""
    random = np.random.default_rng(seed)
    members = np.zeros(count, MEMBER_DTYPE)
    members["number"] = random.permutation(count)
    members["content"] = random.integers(0, max(1, count * 2 // 3), count)
    members["url"] = random.integers(0, max(1, count), count) * (random.random(count) < 0.4)
    members["priority"] = random.integers(-200, 200, count) * (random.random(count) < 0.3)
    members["quality"] = np.where(random.random(count) < 0.2, np.nan, random.normal(size=count).round(1))
    members["length"] = random.integers(0, 1 << 40, count)
    members["id"] = random.integers(0, 3, (count, 2))
    members["root"] = members["content"] % 3
    contents = np.unique(members["content"])
    ends = (
        contents[random.integers(0, max(1, len(contents)), (count * 2, 2))]
        if count
        else np.empty((0, 2), int)
    )
    ends = ends[(ends[:, 0] != ends[:, 1]) & (ends[:, 0] % 3 == ends[:, 1] % 3)]
    ends = np.unique(np.sort(ends, axis=1), axis=0)
    edges = np.zeros(len(ends), EDGE_DTYPE)
    edges["one"], edges["other"] = ends.T
    edges["matches"] = random.integers(70, 112, len(ends))
    return members, edges


def pieces(records: np.ndarray) -> Iterator[np.ndarray]:
    yield from np.array_split(records, 4)


@pytest.mark.parametrize("closure", ["best", "transitive"])
def test_in_ranges_as_in_memory(
    closure: Literal["best", "transitive"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled, "SPILLED_PIECE_BYTES", 500)
    for seed in range(12):
        members, edges = make(seed, seed * 17)
        if closure == "transitive":
            members["url"] = 0
        old_from = len(members) * 3 // 4 if seed % 2 else len(members)
        members["priority"][members["number"] >= old_from] = np.iinfo(np.int32).max
        expected = choose_removed(members, edges, 112, closure, old_from)
        assert (expected["number"] < old_from).all()
        for ranges in (1, 2, 7):
            taken = choose_removed_in_ranges(
                lambda members=members: pieces(members),  # type: ignore[misc]
                lambda edges=edges: pieces(edges),  # type: ignore[misc]
                112,
                closure,
                ranges,
                old_from,
            )
            removed = np.concatenate([expected[:0], *taken])
            for each in (expected, removed):
                each.sort(order="number")
            assert removed.tobytes() == expected.tobytes()
    assert len(expected) > 50


def test_ranks_are_the_order_of_all_criteria() -> None:
    random, count = np.random.default_rng(1), 500
    columns = {
        "priority": random.choice([1 - (1 << 31), -1, 0, 1, (1 << 31) - 1], count).astype(np.int32),
        "quality": random.choice([np.nan, -np.inf, -1.5, -0.0, 0.0, 1e-9, np.inf], count).astype(np.float32),
        "length": random.choice([0, 1, (1 << 62), 255, 256], count),
        "id": random.choice(np.array([0, 1, 255, (1 << 64) - 1], np.uint64), (count, 2)),
        "number": random.permutation(count),
    }
    expected = order_best_first(**columns, within=np.zeros(count, np.int64))
    assert np.argsort(rank_documents(**columns)).tolist() == expected.tolist()


@pytest.mark.parametrize("held", [1, 20, 300, 10**9])
def test_components_on_disk_as_in_memory(held: int) -> None:
    random = np.random.default_rng(held)
    path = random.permutation(400)
    made = [
        np.stack([path[:-1], path[1:]], axis=1),
        np.stack([np.zeros(300, np.int64), np.arange(1, 301)], axis=1),
    ]
    made += [random.integers(0, nodes, (300, 2)) + (1 << 40) for nodes in (10, 300, 3000)]
    for links in [*made, made[0][:0]]:
        links = links[links[:, 0] != links[:, 1]]
        stars = np.concatenate(list(connect(np.array_split(links, 5), held)))
        stars = stars[np.argsort(stars[:, 0])]
        np.testing.assert_array_equal(stars, reduce_to_stars(links))
