"""Decide between two arms from paired seeds and the same held-out pieces: bootstrap, sign test, noise, verdict.

The measure is the logarithm of a ratio: of the nats that two arms need for the same text, hence of their bits per
byte. A cell is a source and language; its log ratio is that of the sums over its pieces, and an effect is the weighted
mean over cells. Two things make an effect uncertain: other seeds would have trained other models, other pieces would
have been measured. The bootstrap draws both anew, seeds in pairs, pieces within their cell.

Of five seeds, plain percentiles of a bootstrap cover a mean with 84 %, not 95 %: a resampled variance is (n - 1) / n of
the real one, and a mean of few is spread as Student's t. So the percentiles are widened to t's quantile at
Satterthwaite's degrees of freedom; tests/experiments/paired_test.py measures what they then cover.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.experiments.students_t import sign_test, t_quantile, t_tail

Floats = npt.NDArray[np.float64]
Cell = tuple[str, str]
"""(source, language) of a held-out piece."""

DRAWS = 2000
"""Resamples of a bootstrap."""
LEVEL = 0.05
"""An interval covers 1 - LEVEL, and an effect is resolved below it."""
POWER = 0.8
"""Share of repetitions in which the advised number of seeds would resolve an effect."""
MAX_ADVISED_SEEDS = 200
MIN_ADVISED_EFFECT = 0.0005
"""The smallest effect that seeds are advised for, in log ratio: .05 %."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one arm needed for the held-out pieces: `nats` (seeds, pieces), and the cell of each piece."""

    name: str
    nats: Floats
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    """The outcome for two arms: by how many percent fewer bits per byte `second` needs than `first`.

    `percent`, `low` and `high` (95 %) are negative where `first` is better, and then of what `second` needs. `p` is
    two-sided; `seeds_won` of `seeds` went to `second`, `sign_p` is the sign test on them. `seed_sd` and `text_sd` are
    standard deviations of the percent: of one seed pair, and by the choice of the held-out pieces; `noise` that of each
    arm alone over its seeds. `advised_seeds` would resolve `advised_percent` in four of five repetitions; None: there
    is too little held-out text.
    """

    first: str
    second: str
    percent: float
    low: float
    high: float
    p: float
    resolved: bool
    better: str | None
    seeds: int
    seeds_won: int
    sign_p: float
    pieces: int
    among: int
    seed_sd: float
    text_sd: float
    noise: dict[str, float]
    advised_seeds: int | None
    advised_percent: float

    def sentence(self) -> str:
        """Return the verdict in words."""
        low, high = sorted((abs(self.low), abs(self.high)))
        if self.resolved:
            together = f" for all {self.among} together" if self.among > 1 else ""
            interval = f"95 % interval{together} {low:.2f} to {high:.2f}"
            return f"{self.better} better by {abs(self.percent):.2f} % ({interval})"
        advice = (
            f"about {self.advised_seeds} seeds would resolve {self.advised_percent:.2f} %"
            if self.advised_seeds
            else f"more seeds would not resolve {self.advised_percent:.2f} %: more held-out text is needed"
        )
        return f"not resolved ({self.percent:+.2f} %, {self.low:+.2f} to {self.high:+.2f}); {advice}"

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "sentence": self.sentence()}


def compare_pair(
    first: Measured,
    second: Measured,
    weights: Mapping[Cell, float],
    *,
    draw_seed: int = 0,
    draws: int = DRAWS,
    among: int = 1,
) -> PairVerdict:
    """Return the verdict over the cells that `weights` names, each with its weight; seed i of one belongs to
    seed i of the other.

    `among` is the number of verdicts that are read together: interval and verdict then hold for all of them at 95 %
    (Bonferroni). Raises ValueError for fewer than two seeds or arms that were not measured alike. Cost: draws x pieces
    multiplications a seed, .2 s for 2,000 x 1,000 x 5.
    """
    seeds = len(first.nats)
    if first.cells != second.cells or first.nats.shape != second.nats.shape or seeds < 2:
        raise ValueError("two arms are compared over two paired seeds or more, on the same pieces")
    generator = np.random.default_rng(draw_seed)
    total = sum(weights.values())
    by_seed = np.zeros(seeds)
    drawn = np.zeros((draws, seeds))
    alone = {first.name: np.zeros(seeds), second.name: np.zeros(seeds)}
    pieces = 0
    for cell, weight in sorted(weights.items()):
        here = np.array([own == cell for own in first.cells])
        pieces += int(here.sum())
        nats = [arm.nats[:, here] for arm in (first, second)]
        counts = generator.multinomial(here.sum(), np.full(here.sum(), 1 / here.sum()), size=draws)
        sums = [counts @ own.T for own in nats]
        by_seed += weight / total * np.log(nats[1].sum(1) / nats[0].sum(1))
        drawn += weight / total * np.log(sums[1] / sums[0])
        for arm, own in zip((first, second), nats, strict=True):
            alone[arm.name] += weight / total * np.log(own.sum(1))
    effect = float(by_seed.mean())
    seed_variance = float(by_seed.var(ddof=1))
    text_variance = float(drawn.mean(1).var(ddof=1))
    error, freedom = _standard_error(seed_variance, text_variance, seeds, pieces)
    resampled = np.take_along_axis(drawn, generator.integers(0, seeds, (draws, seeds)), axis=1).mean(1)
    level = LEVEL / among
    low, high = _widened_percentiles(resampled - effect, effect, error, freedom, level)
    p = 2 * t_tail(abs(effect) / error, freedom) if error else float(effect == 0)
    resolved = p < level and not low <= 0 <= high
    won = int((by_seed < 0).sum())
    advised, size = advise_seeds(effect, seed_variance, text_variance, level)
    return PairVerdict(
        first=first.name,
        second=second.name,
        percent=_percent(effect),
        low=_percent(high),
        high=_percent(low),
        p=p,
        resolved=resolved,
        better=(second.name if effect < 0 else first.name) if resolved else None,
        seeds=seeds,
        seeds_won=won,
        sign_p=sign_test(won, int((by_seed != 0).sum())),
        pieces=pieces,
        among=among,
        seed_sd=100 * math.sqrt(seed_variance),
        text_sd=100 * math.sqrt(text_variance),
        noise={name: 100 * float(values.std(ddof=1)) for name, values in alone.items()},
        advised_seeds=advised if advised is None or resolved else max(advised, seeds + 1),
        advised_percent=100 * size,
    )


def _percent(log_ratio: float) -> float:
    """Return how many percent fewer bits per byte the better arm needs; negative where that is the first."""
    return math.copysign(100 * -math.expm1(-abs(log_ratio)), -log_ratio)


def _standard_error(
    seed_variance: float, text_variance: float, seeds: int, pieces: int
) -> tuple[float, float]:
    """Return the standard error of an effect, and its degrees of freedom (Satterthwaite 1946)."""
    of_seeds = seed_variance / seeds
    variance = of_seeds + text_variance
    if not variance:
        return 0.0, float(seeds - 1)
    spread = of_seeds**2 / (seeds - 1) + text_variance**2 / max(1, pieces - 1)
    return math.sqrt(variance), variance**2 / spread


def _widened_percentiles(
    deviations: Floats, effect: float, error: float, freedom: float, level: float
) -> tuple[float, float]:
    """Return the interval: the bootstrap's percentiles, scaled so that a normal bootstrap gives Student's t."""
    spread = float(deviations.std(ddof=1))
    if not spread:
        return effect, effect
    normal = t_quantile(1 - LEVEL / 2, math.inf)
    factor = t_quantile(1 - level / 2, freedom) * error / (normal * spread)
    low, high = np.quantile(deviations, [LEVEL / 2, 1 - LEVEL / 2]) * factor
    return effect + float(low), effect + float(high)


def advise_seeds(
    effect: float, seed_variance: float, text_variance: float, level: float = LEVEL
) -> tuple[int | None, float]:
    """Return how many paired seeds would resolve an effect of the size seen, and that size.

    Where that takes more than MAX_ADVISED_SEEDS, the size is the least that 20 seeds resolve. None for the seeds if the
    held-out pieces alone leave more doubt than that.
    """
    size = max(abs(effect), MIN_ADVISED_EFFECT)
    seeds = _count_seeds(size, seed_variance, text_variance, level)
    if seeds is None and 3 * math.sqrt(text_variance) < size:
        size = _resolvable(20, seed_variance, text_variance, level)
        seeds = 20
    return seeds, size


def _resolvable(seeds: int, seed_variance: float, text_variance: float, level: float) -> float:
    reach = t_quantile(1 - level / 2, seeds - 1) + t_quantile(POWER, seeds - 1)
    return reach * math.sqrt(seed_variance / seeds + text_variance)


def _count_seeds(size: float, seed_variance: float, text_variance: float, level: float) -> int | None:
    wanted = range(2, MAX_ADVISED_SEEDS + 1)
    return next((n for n in wanted if _resolvable(n, seed_variance, text_variance, level) <= size), None)
