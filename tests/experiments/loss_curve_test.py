"""Curves of known parameters: found again, predicted within their intervals, and runs that left them named."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.experiments.loss_curve import LadderPoint, LossCurve, fit_curve, fit_ladder

TRUE = LossCurve(e=1.1, a=60.0, b=900.0, alpha=0.34, beta=0.47)
SIZES = (2e5, 6e5, 1.5e6, 5e6)
LENGTHS = (2e6, 4e6, 8e6, 1.6e7)


def ladder(noise: float = 0.0, seed: int = 0, off: dict[int, float] | None = None) -> list[LadderPoint]:
    generator = np.random.default_rng(seed)
    grid = [(n, d) for n in SIZES for d in LENGTHS]
    return [
        LadderPoint(
            name=f"run {i}",
            parameters=n,
            tokens=d,
            bits=float(TRUE.predict(n, d))
            * float(np.exp(generator.normal(0, noise) + (off or {}).get(i, 0.0))),
        )
        for i, (n, d) in enumerate(grid)
    ]


def test_an_exact_curve_is_found_again() -> None:
    points = ladder()
    curve = fit_curve(*(np.array([getattr(p, k) for p in points]) for k in ("parameters", "tokens", "bits")))
    for name in ("e", "alpha", "beta"):
        assert getattr(curve, name) == pytest.approx(getattr(TRUE, name), rel=0.02)
    assert curve.predict(2e7, 6e7) == pytest.approx(TRUE.predict(2e7, 6e7), rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_larger_run_is_predicted_within_a_percent(seed: int) -> None:
    """Runs with .2 % of noise, and four times the ladder's compute: 2 x the parameters, 2 x the tokens."""
    fit = fit_ladder(ladder(noise=0.002, seed=seed), bootstraps=40)
    value, low, high = fit.predict_interval(1e7, 3.2e7)
    true = float(TRUE.predict(1e7, 3.2e7))
    assert value == pytest.approx(true, rel=0.01)
    assert low < true < high and high / low < 1.1


def test_intervals_of_predictions_cover() -> None:
    """Of 25 ladders, at least 21 intervals hold a new run: fewer has a probability of .007 at 95 %."""
    generator = np.random.default_rng(0)
    true = float(TRUE.predict(1e7, 3.2e7))
    inside = 0
    for seed in range(25):
        _, low, high = fit_ladder(ladder(noise=0.003, seed=100 + seed), bootstraps=12).predict_interval(
            1e7, 3.2e7
        )
        inside += low < true * np.exp(generator.normal(0, 0.003)) < high
    assert inside >= 21


@pytest.mark.parametrize("shift", [0.03, -0.03, 0.2])
def test_a_run_that_left_the_curve_is_named_and_left_out(shift: float) -> None:
    fit = fit_ladder(ladder(noise=0.001, seed=4, off={6: shift}), bootstraps=10)
    assert fit.left == ("run 6",)
    assert fit.residuals[6] == pytest.approx(shift, abs=0.006)
    assert fit.predict_interval(1e7, 3.2e7)[0] == pytest.approx(float(TRUE.predict(1e7, 3.2e7)), rel=0.01)


def test_none_is_named_where_none_left() -> None:
    assert [fit_ladder(ladder(noise=0.002, seed=s), bootstraps=5).left for s in range(4)] == [()] * 4


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 6 runs"):
        fit_ladder(ladder()[:5])
    with pytest.raises(ValueError, match="two sizes"):
        fit_ladder([p for n in range(2) for p in ladder(seed=n) if p.parameters == SIZES[0]])
