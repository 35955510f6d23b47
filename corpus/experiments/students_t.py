"""Student's t distribution with any positive number of degrees of freedom, and the binomial, without scipy."""

from __future__ import annotations

import math

SMALL = 1e-300


def t_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds `t`, exact to about 1e-12."""
    if math.isinf(freedom):
        return 0.5 * math.erfc(t / math.sqrt(2))
    half = 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))
    return half if t >= 0 else 1 - half


def t_quantile(probability: float, freedom: float) -> float:
    """Return the value that Student's t stays below with `probability`, by bisection."""
    if not 0 < probability < 1 or not freedom > 0:
        raise ValueError(f"no quantile {probability} of Student's t with {freedom} degrees of freedom")
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_tail(high, freedom) > 1 - probability:
        high *= 2
    while high - low > 1e-10 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, freedom) > 1 - probability else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function, by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * fraction / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > SMALL else SMALL


def sign_test(wins: int, trials: int) -> float:
    """Return the two-sided probability of at least so uneven a split if both sides were equally likely."""
    if trials == 0:
        return 1.0
    extreme = max(wins, trials - wins)
    tail = float(sum(math.comb(trials, k) for k in range(extreme, trials + 1)) / 2**trials)
    return min(1.0, 2 * tail)
