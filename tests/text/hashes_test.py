"""Hashes in their order, and where they are in a table."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.text.hashes import find_places, order_hashes


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_hashes_are_ordered_as_numbers(count: int) -> None:
    hashes = np.random.default_rng(count).integers(0, 1 << 64, count, np.uint64)
    hashes = np.concatenate((hashes, hashes[: count // 2]))
    order, ordered = order_hashes(hashes)
    np.testing.assert_array_equal(ordered, np.sort(hashes))
    np.testing.assert_array_equal(order, np.argsort(hashes, kind="stable"))


def test_hashes_that_differ_in_their_low_bits_alone_are_ordered_as_well() -> None:
    hashes = np.array([7, 6, 1 << 63, 5, 4, 3, 2, 1, 0], np.uint64)
    np.testing.assert_array_equal(order_hashes(hashes)[1], np.sort(hashes))


def test_places_in_a_table_are_found_however_many_are_asked_for() -> None:
    table = np.arange(10, 5000, 10, dtype=np.uint64)
    for values in (np.arange(30, dtype=np.uint64), np.arange(6000, 0, -1, dtype=np.uint64)):
        wanted = [int(value) // 10 - 1 if value % 10 == 0 and 0 < value < 5000 else -1 for value in values]
        assert find_places(table, values).tolist() == wanted
