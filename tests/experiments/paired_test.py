"""Paired verdicts: known effects are seen, none is seen where there is none, and intervals cover what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from corpus.experiments.paired import Measured, advise_seeds, compare_pair
from corpus.experiments.students_t import sign_test, t_quantile, t_tail

CELLS = (("udhr", "cmn_Hans"), ("udhr", "tha_Thai"), ("web", "arb_Arab"))
WEIGHTS = {cell: 1.0 for cell in CELLS}


def draw_arms(
    generator: np.random.Generator, *, effect: float, seeds: int = 5, noise: float = 0.004, pieces: int = 40
) -> tuple[Measured, Measured]:
    """Two arms over 3 cells: hardness by piece, noise of seeds by cell, the second `effect` (log) harder on average.

    The true effect differs from piece to piece, so other pieces would have given another one.
    """
    cells = tuple(cell for cell in CELLS for _ in range(pieces))
    hardness = generator.gamma(8, 50, len(cells))
    own = generator.normal(effect, 0.01, len(cells))
    arms = []
    for name, shift in (("A", np.zeros(len(cells))), ("B", own)):
        of_seed = generator.normal(0, noise, (seeds, 1)) + generator.normal(0, 0.01, (seeds, len(cells)))
        arms.append(Measured(name=name, nats=hardness * np.exp(shift + of_seed), cells=cells))
    return arms[0], arms[1]


@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [(0.975, 4, 2.776445), (0.975, 1, 12.706205), (0.8, 19, 0.860951), (0.975, math.inf, 1.959964)],
)
def test_quantiles_of_t_are_those_of_the_tables(probability: float, freedom: float, value: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(value, abs=1e-6)
    assert t_tail(value, freedom) == pytest.approx(1 - probability, abs=1e-6)
    assert t_quantile(1 - probability, freedom) == pytest.approx(-value, abs=1e-6)


def test_the_sign_test_counts_both_sides() -> None:
    assert sign_test(5, 5) == sign_test(0, 5) == pytest.approx(0.0625)
    assert sign_test(9, 10) == pytest.approx(22 / 1024)
    assert sign_test(2, 4) == sign_test(0, 0) == 1.0


def test_a_real_difference_is_resolved_and_named() -> None:
    a, b = draw_arms(np.random.default_rng(1), effect=-0.05)
    verdict = compare_pair(a, b, WEIGHTS)
    assert verdict.resolved and verdict.better == "B"
    assert verdict.low < 4.88 < verdict.high and verdict.percent == pytest.approx(4.88, abs=0.8)
    assert verdict.sentence().startswith("B better by ") and "95 % interval" in verdict.sentence()
    back = compare_pair(b, a, WEIGHTS)
    assert back.better == "B" and back.percent < 0 and back.sentence().startswith("B better by ")
    assert (verdict.seeds_won, back.seeds_won, verdict.sign_p) == (5, 0, 0.0625)


def test_a_small_difference_is_not_resolved_and_says_how_many_seeds_would() -> None:
    a, b = draw_arms(np.random.default_rng(3), effect=-0.002, seeds=3, noise=0.01, pieces=400)
    verdict = compare_pair(a, b, WEIGHTS)
    assert not verdict.resolved and verdict.better is None
    assert verdict.sentence().startswith("not resolved") and "seeds would resolve" in verdict.sentence()
    assert verdict.low < 0 < verdict.high


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """95 % of 400 repetitions, within what chance allows: fewer than 91.5 % has a probability of .002."""
    generator = np.random.default_rng(11)
    effect = 0.01
    covered = 0
    for _ in range(400):
        verdict = compare_pair(*draw_arms(generator, effect=effect), WEIGHTS, draws=200)
        covered += verdict.low <= 100 * math.expm1(-effect) <= verdict.high
    assert 0.915 <= covered / 400 <= 0.99


def test_arms_that_are_the_same_are_seldom_resolved() -> None:
    generator = np.random.default_rng(12)
    wrong = sum(
        compare_pair(*draw_arms(generator, effect=0.0), WEIGHTS, draws=200).resolved for _ in range(300)
    )
    assert wrong <= 24  # 15 are expected; more than 24 has a probability of .01


def test_noise_is_measured_for_each_arm() -> None:
    generator = np.random.default_rng(5)
    a, b = draw_arms(generator, effect=0, seeds=200, noise=0.0)
    loud = b.nats * np.exp(generator.normal(0, 0.05, (200, 1)))
    verdict = compare_pair(a, Measured(name="B", nats=loud, cells=b.cells), WEIGHTS)
    assert verdict.noise["A"] < 0.3 and verdict.noise["B"] == pytest.approx(5, rel=0.2)


def test_the_advised_seeds_would_resolve_it_in_four_of_five() -> None:
    sd, effect = 0.01, 0.01
    seeds, size = advise_seeds(effect, sd**2, 0.0)
    assert seeds is not None and size == effect
    generator = np.random.default_rng(6)
    draws = generator.normal(effect, sd, (4000, seeds))
    t = draws.mean(1) / (draws.std(1, ddof=1) / math.sqrt(seeds))
    assert (t > t_quantile(0.975, seeds - 1)).mean() == pytest.approx(0.8, abs=0.06)
    assert advise_seeds(0.001, 1e-8, 0.01**2)[0] is None  # the pieces alone leave more doubt


def test_verdicts_that_are_read_together_are_stricter() -> None:
    a, b = draw_arms(np.random.default_rng(1), effect=-0.012)
    alone, among = compare_pair(a, b, WEIGHTS), compare_pair(a, b, WEIGHTS, among=20)
    assert among.p == alone.p and among.low < alone.low and alone.high < among.high
    assert among.resolved == (among.low > 0 or among.high < 0) == (among.p < 0.05 / 20)


def test_one_seed_is_refused() -> None:
    a, b = draw_arms(np.random.default_rng(1), effect=0, seeds=1)
    with pytest.raises(ValueError, match="two paired seeds"):
        compare_pair(a, b, WEIGHTS)
