"""Student's t distribution with any positive number of degrees of freedom, and the sign test."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri, stdtr, stdtrit


def t_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds `t`."""
    return float(ndtr(-t) if math.isinf(freedom) else stdtr(freedom, -t))


def t_quantile(probability: float, freedom: float) -> float:
    """Return the value that Student's t stays below with `probability`. Raises ValueError where there is none."""
    if not 0 < probability < 1 or not freedom > 0:
        raise ValueError(f"no quantile {probability} of Student's t with {freedom} degrees of freedom")
    return float(ndtri(probability) if math.isinf(freedom) else stdtrit(freedom, probability))


def sign_test(wins: int, trials: int) -> float:
    """Return the two-sided probability of at least so uneven a split if both sides were equally likely."""
    if trials == 0:
        return 1.0
    extreme = max(wins, trials - wins)
    tail = float(sum(math.comb(trials, k) for k in range(extreme, trials + 1)) / 2**trials)
    return min(1.0, 2 * tail)
