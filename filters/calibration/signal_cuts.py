"""Choose where a rule cuts a signal: by good texts and raw ones, or by labels of people."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

SignalValues = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Bound = Literal["min", "max"]

LOSS = 0.01
"""Share of the reference that a bound may lose, unless it is said otherwise."""
GAIN = 2.0
"""A bound stays where it removes at least so many times as much of the sample."""
BETA = 0.1
"""Weight of recall in the F-score that chooses a cut by labels: precision counts a hundred times as much."""
MIN_PRECISION = 0.9
"""Share of what a cut by labels removes that must be bad."""
MIN_REMOVED_BAD = 5
"""Bad texts that a cut by labels must remove: fewer may be chance."""
MIN_JUDGED_BAD = 10
"""Bad texts from which labels can choose a cut."""
RESAMPLES = 1_000
"""Resamples of the bootstrap; of labels a fifth, since each costs a pass."""
INTERVAL = (0.025, 0.975)
SCORE_RANGE = (0.3, 0.9)
"""What a cut of the identifier's score is clipped to, as FineWeb2 does."""

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A bound on a signal: its value with a 95 % interval, and the shares of both sides on the wrong side of it.

    `by` is what chose it, `kept` whether it belongs in the file, `why` the reason for people.
    """

    signal: str
    bound: Bound
    value: float
    interval: Interval
    lost: float
    removed: float
    by: str
    kept: bool
    why: str


def cut_by_quantile(
    signal: str,
    bound: Bound,
    reference: SignalValues,
    sample: SignalValues,
    *,
    loss: float = LOSS,
    gain: float = GAIN,
    seed: int = 0,
) -> Cut:
    """Return the bound at the reference's quantile that loses at most `loss` of it.

    It is kept if it removes at least `gain` times as much of the sample as it may lose of the reference. Where all of
    the reference lies at one end of the signal there is nothing to cut at.
    """
    ordered = np.sort(reference)
    count = len(ordered)
    spare = math.floor(count * loss + 1e-9)
    value = round_outward(float(ordered[spare if bound == "min" else count - 1 - spare]), bound)
    interval = resample_quantile(ordered, spare, bound, np.random.default_rng([seed, _number(signal, bound)]))
    lost, removed = share_beyond(reference, value, bound), share_beyond(sample, value, bound)
    if ordered[0] == ordered[-1 - spare] if bound == "max" else ordered[spare] == ordered[-1]:
        kept, why = False, "the reference has one value"
    elif removed >= gain * max(lost, loss):
        kept, why = True, f"removes {ratio_text(removed, lost)} of the sample"
    else:
        kept, why = False, "the sides do not part"
    return Cut(
        signal=signal,
        bound=bound,
        value=value,
        interval=interval,
        lost=lost,
        removed=removed,
        by="quantile",
        kept=kept,
        why=why,
    )


def resample_quantile(
    ordered: SignalValues, spare: int, bound: Bound, draws: np.random.Generator
) -> Interval:
    """Return the bootstrap's interval of the order statistic that `spare` values lie beyond.

    That of a resample is the value at a rank whose distribution is known, so no resample is drawn: of n uniform draws
    the k-th smallest is Beta(k, n - k + 1).
    """
    count = len(ordered)
    at = draws.beta(spare + 1, count - spare, RESAMPLES)
    ranks = np.minimum((at * count).astype(np.int64), count - 1)
    values = ordered[ranks if bound == "min" else count - 1 - ranks]
    low, high = np.quantile(values, INTERVAL, method="nearest")
    return float(low), float(high)


def cut_by_labels(
    signal: str,
    bound: Bound,
    values: SignalValues,
    is_bad: Mask,
    reference: SignalValues,
    sample: SignalValues,
    *,
    loss: float = LOSS,
    seed: int = 0,
) -> Cut | None:
    """Return the bound with the highest F-score of what it removes, if 9 in 10 of that is bad; None without one.

    Of the reference it may lose no more than a bound by quantile.
    """
    known = ~np.isnan(values)
    values, is_bad = values[known], is_bad[known]
    if np.count_nonzero(is_bad) < MIN_JUDGED_BAD:
        return None
    order = np.argsort(values if bound == "min" else -values, kind="stable")
    ordered, bad = values[order], is_bad[order]
    weights = np.ones((1, len(order)))
    place = int(_best_places(ordered, bad, weights)[0])
    if place < 0 or np.count_nonzero(bad[: place + 1]) < MIN_REMOVED_BAD:
        return None
    value = _between(ordered, place, bound)
    lost = share_beyond(reference, value, bound)
    if lost > loss:
        return None
    draws = np.random.default_rng([seed, _number(signal, bound)])
    weights = draws.multinomial(len(order), np.full(len(order), 1 / len(order)), RESAMPLES // 5).astype(float)
    places = _best_places(ordered, bad, weights)
    resampled = [_between(ordered, int(at), bound) for at in places if at >= 0] or [value]
    low, high = np.quantile(resampled, INTERVAL)
    removed_bad = int(np.count_nonzero(bad[: place + 1]))
    return Cut(
        signal=signal,
        bound=bound,
        value=value,
        interval=(float(low), float(high)),
        lost=lost,
        removed=share_beyond(sample, value, bound),
        by="labels",
        kept=True,
        why=f"{removed_bad:,} of {place + 1:,} labelled texts that it removes are bad",
    )


def cut_identification(reference: SignalValues, sample: SignalValues, *, loss: float = LOSS) -> Cut:
    """Return the cut of the identifier's score: the reference's mean less its standard deviation, clipped to
    `SCORE_RANGE`, and no higher than the quantile that loses `loss` of the reference."""
    mean, sigma = float(reference.mean()), float(reference.std())
    quantile = float(np.sort(reference)[math.floor(len(reference) * loss + 1e-9)])
    formula = min(max(mean - sigma, SCORE_RANGE[0]), SCORE_RANGE[1])
    value = round_outward(min(formula, quantile), "min")
    error = 1.96 * math.hypot(sigma / math.sqrt(len(reference)), sigma / math.sqrt(2 * len(reference)))
    return Cut(
        signal="language.score",
        bound="min",
        value=value,
        interval=(max(0.0, value - error), min(1.0, value + error)),
        lost=share_beyond(reference, value, "min"),
        removed=share_beyond(sample, value, "min"),
        by="mean less sigma" if formula <= quantile else "quantile, below mean less sigma",
        kept=True,
        why=f"mean {mean:.3f}, sigma {sigma:.3f}",
    )


def share_beyond(values: SignalValues, value: float, bound: Bound) -> float:
    """Return the share of values that a bound removes, compared as float32, as rules do; 0 without values."""
    if not len(values):
        return 0.0
    narrow, limit = values.astype(np.float32), np.float32(value)
    return float(np.count_nonzero(narrow < limit if bound == "min" else narrow > limit) / len(values))


def round_outward(value: float, bound: Bound) -> float:
    """Return a value with three digits that loses no more than it: rounded down for `min`, up for `max`."""
    if value == 0 or not math.isfinite(value):
        return value
    scale = 10.0 ** (2 - math.floor(math.log10(abs(value))))
    scaled = value * scale
    whole = math.floor(scaled + 1e-6) if bound == "min" else math.ceil(scaled - 1e-6)
    return float(f"{whole / scale:.12g}")


def ratio_text(removed: float, lost: float) -> str:
    """Return `12.3 %` with how many times that is of what is lost."""
    times = f", {removed / lost:.0f} times what it loses" if lost else ""
    return f"{removed:.1%}{times}"


def _best_places(ordered: SignalValues, bad: Mask, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return for each row of weights the last place that the best cut removes; -1 where none is precise enough."""
    removed = np.cumsum(weights, axis=1)
    right = np.cumsum(weights * bad, axis=1)
    total = right[:, -1:]
    square = BETA * BETA
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = right / removed
        recall = right / total
        score = (1 + square) * precision * recall / (square * precision + recall)
    ends = np.append(ordered[1:] != ordered[:-1], False)  # not all of them, nor part of equal values
    score = np.where((precision >= MIN_PRECISION) & ends & (right > 0), score, -1.0)
    places = np.argmax(score, axis=1)
    return np.where(score[np.arange(len(score)), places] > 0, places, -1)


def _between(ordered: SignalValues, place: int, bound: Bound) -> float:
    """Return a short number that parts a place from the next."""
    inside, outside = float(ordered[place]), float(ordered[min(place + 1, len(ordered) - 1)])
    middle = (inside + outside) / 2
    for digits in range(2, 12):
        short = float(f"{middle:.{digits}g}")
        if (
            min(inside, outside) < short <= max(inside, outside)
            if bound == "min"
            else (min(inside, outside) <= short < max(inside, outside))
        ):
            return short
    return outside


def _number(signal: str, bound: str) -> int:
    return zlib.crc32(f"{signal}.{bound}".encode())
