"""The scale of histograms: where values fall, and that every value lies within its bin's edges."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.ledger.bins import LAST_BIN, bin_edges, bin_values


def bin_of(value: float) -> int:
    return int(bin_values(np.array([value], np.float32))[0])


def test_places_on_the_scale() -> None:
    assert bin_of(0.0) == bin_of(-0.0) == 0
    assert bin_of(1e-9) == 1
    assert bin_of(0.5) == 65
    assert bin_of(np.nextafter(np.float32(1), np.float32(0))) == 128
    assert bin_of(1.0) == 129
    assert bin_of(2.0) == 129 + 16
    assert bin_of(3.0) == 129 + 24
    assert bin_of(-3.0) == -(129 + 24)
    assert bin_of(np.inf) == LAST_BIN


def test_edges_of_some_bins() -> None:
    low, high = bin_edges(np.array([0, 1, 65, 128, 129, 145, -1, -129]))
    assert low.tolist() == [0, 0, 0.5, 127 / 128, 1, 2, -1 / 128, -1.0625]
    assert high.tolist() == [0, 1 / 128, 65 / 128, 1, 1.0625, 2.125, 0, -1]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_every_value_lies_in_its_bin(values: list[float]) -> None:
    given_values = np.array(values, np.float32)
    found = bin_values(given_values)
    low, high = bin_edges(found)
    inside = (low <= given_values) & (given_values < high)
    mirrored = (low < given_values) & (given_values <= high)
    assert np.where(found > 0, inside, np.where(found < 0, mirrored | inside, given_values == 0)).all()


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2))
def test_larger_values_never_fall_lower(values: list[float]) -> None:
    ordered = np.sort(np.array(values, np.float32))
    assert (np.diff(bin_values(ordered)) >= 0).all()
