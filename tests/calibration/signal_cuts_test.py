"""Cuts: the quantile that loses little of the good, the cut by labels, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.filters.calibration.signal_cuts import (
    cut_by_labels,
    cut_by_quantile,
    cut_identification,
    round_outward,
    share_beyond,
)

DRAWS = np.random.default_rng(5)
GOOD = DRAWS.normal(0.3, 0.05, 400)
RAW = np.concatenate([DRAWS.normal(0.3, 0.05, 450), DRAWS.normal(0.8, 0.05, 150)])


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
def test_a_bound_loses_no_more_of_the_reference_than_it_may(loss: float) -> None:
    for bound, sample in (("max", RAW), ("min", 1 - RAW)):
        good = GOOD if bound == "max" else 1 - GOOD
        cut = cut_by_quantile("gopher.hashes", bound, good, sample, loss=loss)  # type: ignore[arg-type]
        assert cut.lost <= loss
        assert cut.lost >= loss - 0.006  # and no less than it need, but for the rounding
        assert cut.removed == pytest.approx(0.25, abs=0.03 + loss) and cut.kept
        assert cut.interval[0] <= cut.value * 1.02 and cut.interval[1] >= cut.value * 0.98


def test_a_bound_that_does_not_part_the_sides_is_left_out() -> None:
    cut = cut_by_quantile("gopher.hashes", "max", GOOD, RAW[:450])
    assert not cut.kept and cut.why == "the sides do not part"
    assert not cut_by_quantile("gopher.hashes", "min", GOOD, RAW).kept
    none = cut_by_quantile("gopher.hashes", "max", np.zeros(300), RAW)
    assert not none.kept and none.why == "the reference has one value"
    assert cut_by_quantile("gopher.hashes", "max", GOOD, RAW, gain=20).kept
    assert not cut_by_quantile("gopher.hashes", "max", GOOD, RAW, gain=40).kept


def test_intervals_are_those_of_resamples_and_the_same_each_time() -> None:
    cut = cut_by_quantile("gopher.hashes", "max", GOOD, RAW, seed=3)
    assert cut == cut_by_quantile("gopher.hashes", "max", GOOD, RAW, seed=3)
    draws = np.random.default_rng(0)
    resampled = [np.sort(draws.choice(GOOD, len(GOOD)))[-1 - 4] for _ in range(1500)]
    assert cut.interval == pytest.approx(np.quantile(resampled, (0.025, 0.975)), abs=0.01)


def test_labels_choose_the_cut_that_removes_bad_texts_almost_alone() -> None:
    values = np.concatenate([np.linspace(0.0, 0.5, 100), np.linspace(0.45, 1.0, 40)])
    is_bad = np.arange(140) >= 100
    cut = cut_by_labels("gopher.hashes", "max", values, is_bad, GOOD * 0.5, RAW)
    assert cut is not None and 0.5 <= cut.value < 0.52 and cut.by == "labels"
    removed = values > cut.value
    assert is_bad[removed].mean() >= 0.9 and removed.sum() == 36
    assert cut.interval[0] <= cut.value <= cut.interval[1]
    mirrored = cut_by_labels("gopher.hashes", "min", -values, is_bad, -GOOD * 0.5, -RAW)
    assert mirrored is not None and mirrored.value == pytest.approx(-cut.value, abs=0.02)


def test_labels_choose_nothing_where_they_say_nothing() -> None:
    values = np.linspace(0, 1, 200)
    assert cut_by_labels("gopher.hashes", "max", values, np.arange(200) % 3 == 0, GOOD, RAW) is None
    assert cut_by_labels("gopher.hashes", "max", values, values > 0.97, GOOD, RAW) is None  # six bad texts
    assert (
        cut_by_labels("gopher.hashes", "max", values, values > 0.9, GOOD + 0.7, RAW) is None
    )  # loses the reference
    assert cut_by_labels("gopher.hashes", "max", np.full(200, np.nan), values > 0.5, GOOD, RAW) is None


def test_the_cut_of_the_identifier_is_the_mean_less_sigma_within_limits() -> None:
    sure = cut_identification(np.full(300, 0.99), RAW)
    assert sure.value == 0.9
    unsure = cut_identification(np.linspace(0.2, 0.4, 300), RAW)
    assert unsure.value == pytest.approx(0.202, abs=0.001)  # .242 would lose a fifth
    middling = np.concatenate([np.full(240, 0.8), np.full(60, 0.6)])
    assert cut_identification(middling, RAW).value == pytest.approx(0.6)
    assert cut_identification(middling, RAW, loss=0.3).value == pytest.approx(0.68)


@pytest.mark.parametrize(
    ("value", "bound", "rounded"),
    [
        (0.12345, "max", 0.124),
        (0.12345, "min", 0.123),
        (3.14159, "max", 3.15),
        (0, "min", 0),
        (-0.1234, "max", -0.123),
    ],
)
def test_rounding_never_loses_more(value: float, bound: str, rounded: float) -> None:
    assert round_outward(value, bound) == rounded  # type: ignore[arg-type]


def test_a_text_exactly_at_a_bound_stays_as_with_rules() -> None:
    values = np.float64(np.float32(0.1)) * np.ones(4)
    assert share_beyond(values, 0.1, "max") == share_beyond(values, 0.1, "min") == 0.0
    assert share_beyond(np.zeros(0), 0.1, "max") == 0.0
