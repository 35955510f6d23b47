"""Fit L(N, D) = E + A / N^alpha + B / D^beta to runs, predict larger ones, and name the runs that left the curve.

Approach 3 of Hoffmann et al. 2022 (arXiv:2203.15556): the sum of Huber losses of log predicted - log measured, delta
.001. By variable projection: for given exponents the three other parameters are those of a weighted least-squares
problem, solved by reweighting, so only the two exponents are searched, on a grid that narrows six times. There is no
start to choose and no optimizer that can stop early; a fit of 16 runs costs .03 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.experiments.students_t import t_quantile

Floats = npt.NDArray[np.float64]

HUBER_DELTA = 1e-3
EXPONENTS = (0.02, 1.5)
"""The exponents that are searched; published ones lie between .27 and .46."""
GRID = 11
ZOOMS = 6
REWEIGHTINGS = 7
SUBSETS = [list(chosen) for size in (2, 1) for chosen in combinations(range(3), size)]
"""Which of E, A and B are above zero: the others are at their bound."""
LEFT_DEVIATIONS = 5.0
"""A run that lies so many robust deviations off the curve of the others has left it."""
LEFT_LEAST = 0.004
"""And at least so far, in log: .4 %, the noise of a seed at the smallest sizes."""
MIN_RUNS = 6
"""Five parameters, and a run to see whether they fit."""
BOOTSTRAPS = 200


CURVE_NAMES = {"e": "E", "a": "A", "b": "B", "alpha": "alpha", "beta": "beta"}
"""The parameters as the formula has them: L(N, D) = E + A / N^alpha + B / D^beta."""


@dataclass(frozen=True, kw_only=True)
class LossCurve:
    """The five parameters. N are parameters without embeddings, D tokens, L bits per byte."""

    e: float
    a: float
    b: float
    alpha: float
    beta: float

    def predict(self, parameters: Floats | float, tokens: Floats | float) -> Floats:
        """Return the bits per byte of models of these sizes."""
        size, read = np.asarray(parameters, float), np.asarray(tokens, float)
        return np.asarray(self.e + self.a * size**-self.alpha + self.b * read**-self.beta)

    def json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class LadderPoint:
    """One finished run of a ladder."""

    name: str
    parameters: float
    tokens: float
    bits: float


@dataclass(frozen=True, kw_only=True)
class CurveFit:
    """A curve, its residuals (log measured - log predicted, by point), and the curves of the bootstrap."""

    curve: LossCurve
    points: tuple[LadderPoint, ...]
    residuals: tuple[float, ...]
    left: tuple[str, ...]
    """Names of the points that left the curve; they had no part in the fit."""
    resampled: tuple[LossCurve, ...]
    scatter: float
    """Standard deviation of the residuals, in log, corrected for the five parameters."""

    def predict_interval(self, parameters: float, tokens: float) -> tuple[float, float, float]:
        """Return (bits per byte, low, high): a 95 % interval of a new run, its own scatter included."""
        value = float(self.curve.predict(parameters, tokens))
        others = np.log([float(curve.predict(parameters, tokens)) for curve in self.resampled])
        freedom = max(1, len(self.points) - len(self.left) - 5)
        spread = float(np.sqrt(others.var(ddof=1) + self.scatter**2)) * t_quantile(0.975, freedom)
        return value, value * float(np.exp(-spread)), value * float(np.exp(spread))

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Return the middle 95 % of each parameter over the bootstrap."""
        names = LossCurve.__dataclass_fields__
        return {
            name: (float(low), float(high))
            for name in names
            for low, high in [np.quantile([getattr(c, name) for c in self.resampled], [0.025, 0.975])]
        }

    def json(self) -> dict[str, Any]:
        return {
            "curve": self.curve.json(),
            "intervals": self.intervals(),
            "scatter": self.scatter,
            "left": list(self.left),
            "residuals": {p.name: r for p, r in zip(self.points, self.residuals, strict=True)},
        }


def fit_curve(parameters: Floats, tokens: Floats, bits: Floats) -> LossCurve:
    """Return the curve of least Huber loss. Raises ValueError for too few runs, or runs of one size or length only."""
    if len(bits) < MIN_RUNS:
        raise ValueError(f"a curve of five parameters needs {MIN_RUNS} runs or more, not {len(bits)}")
    if len(np.unique(parameters)) < 2 or len(np.unique(tokens)) < 2:
        raise ValueError("a curve needs runs of two sizes and two lengths at least")
    size, read = float(np.exp(np.log(parameters).mean())), float(np.exp(np.log(tokens).mean()))
    low, high = np.full(2, EXPONENTS[0]), np.full(2, EXPONENTS[1])
    best: tuple[float, Floats, Floats] | None = None
    for _ in range(ZOOMS):
        axes = [np.linspace(low[i], high[i], GRID) for i in range(2)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
        # Scaled to 1 in the middle, so that the columns are of one size for every exponent.
        columns = np.stack(
            [
                np.ones((len(grid), len(bits))),
                (parameters / size) ** -grid[:, :1],
                (tokens / read) ** -grid[:, 1:],
            ],
            -1,
        )
        losses, linear = _project(columns, bits)
        at = int(losses.argmin())
        if best is None or losses[at] < best[0]:
            best = (float(losses[at]), grid[at], linear[at])
        step = (high - low) / (GRID - 1)
        low = np.maximum(best[1] - 2.5 * step, EXPONENTS[0])
        high = np.minimum(best[1] + 2.5 * step, EXPONENTS[1])
    assert best is not None
    _, (alpha, beta), (e, a, b) = best
    return LossCurve(
        e=float(e),
        a=float(a * size**alpha),
        b=float(b * read**beta),
        alpha=float(alpha),
        beta=float(beta),
    )


def _project(columns: Floats, bits: Floats) -> tuple[Floats, Floats]:
    """Return (Huber losses (grid,), parameters E, A, B (grid, 3)) of the best non-negative parameters.

    Gauss-Newton on log predicted - log measured, reweighted for Huber: `columns` are (grid, runs, 3).
    """
    weights = np.broadcast_to(1 / bits**2, columns.shape[:2])
    linear = np.zeros((len(columns), 3))
    for _ in range(REWEIGHTINGS):
        # At the linear problem's solution r = (X p - y) / predicted, close to the log ratio.
        linear = _solve_nonnegative(columns, bits, weights)
        predicted = np.maximum(np.einsum("gnk,gk->gn", columns, linear), 1e-9)
        residuals = np.log(predicted / bits)
        off = predicted - bits
        gain = np.where(np.abs(off) > 1e-12 * bits, residuals / np.where(off == 0, 1, off), 1 / bits)
        huber = np.minimum(1, HUBER_DELTA / np.maximum(np.abs(residuals), 1e-12))
        weights = huber * gain**2
    return huber_loss(residuals).sum(-1), linear


def huber_loss(residuals: Floats) -> Floats:
    size = np.abs(residuals)
    return np.where(size <= HUBER_DELTA, size**2 / 2, HUBER_DELTA * (size - HUBER_DELTA / 2))


def _solve_nonnegative(columns: Floats, bits: Floats, weights: Floats) -> Floats:
    """Return the weighted least squares over non-negative parameters, by trying which of the three are at zero."""
    normal = np.einsum("gnk,gn,gnl->gkl", columns, weights, columns)
    right = np.einsum("gnk,gn,n->gk", columns, weights, bits)
    ridge = 1e-13 * np.eye(3) * normal[:, :1, :1]
    best = np.linalg.solve(normal + ridge, right[..., None])[..., 0]
    bounded = np.flatnonzero((best < 0).any(1))
    if len(bounded):
        best[bounded] = _solve_at_bounds(normal[bounded], right[bounded], ridge[bounded])
    return best


def _solve_at_bounds(normal: Floats, right: Floats, ridge: Floats) -> Floats:
    best = np.zeros(right.shape)
    least = np.full(len(right), np.inf)
    for chosen in SUBSETS:
        block = (normal + ridge)[:, chosen][:, :, chosen]
        solved = np.linalg.solve(block, right[:, chosen][..., None])[..., 0]
        full = np.zeros(right.shape)
        full[:, chosen] = solved
        value = np.einsum("gk,gkl,gl->g", full, normal, full) - 2 * np.einsum("gk,gk->g", full, right)
        value[(solved < 0).any(1)] = np.inf
        better = value < least
        best[better], least[better] = full[better], value[better]
    return best


def fit_ladder(points: Sequence[LadderPoint], *, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> CurveFit:
    """Return the fit of a ladder's runs, without those that left the curve, and `bootstraps` refits of its residuals.

    Each refit sees the curve with residuals drawn anew, enlarged for the five parameters that were fitted to them.
    Raises ValueError as `fit_curve`.
    """
    left = find_left(points)
    used = [point for point in points if point.name not in left]
    parameters, tokens, bits = _arrays(used)
    curve = fit_curve(parameters, tokens, bits)
    fitted = curve.predict(parameters, tokens)
    residuals = np.log(bits / fitted)
    enlarged = (residuals - residuals.mean()) * np.sqrt(len(used) / max(1, len(used) - 5))
    generator = np.random.default_rng(seed)
    resampled = [
        fit_curve(parameters, tokens, fitted * np.exp(generator.choice(enlarged, len(used))))
        for _ in range(bootstraps)
    ]
    everywhere, lengths, measured = _arrays(points)
    return CurveFit(
        curve=curve,
        points=tuple(points),
        residuals=tuple(np.log(measured / curve.predict(everywhere, lengths)).tolist()),
        left=left,
        resampled=tuple(resampled),
        scatter=float(np.sqrt((residuals**2).sum() / max(1, len(used) - 5))),
    )


def find_left(points: Sequence[LadderPoint]) -> tuple[str, ...]:
    """Return the names of the runs that lie off the curve of the others, the farthest first.

    One at a time: the run whose absence improves the fit most is compared with the scatter of those that remain. None
    are looked for among MIN_RUNS runs, which any curve fits.
    """
    rest = list(points)
    left: list[str] = []
    while len(rest) > MIN_RUNS + 1 and len(left) < len(points) // 4:
        trials = []
        for at in range(len(rest)):
            others = rest[:at] + rest[at + 1 :]
            try:
                curve = fit_curve(*_arrays(others))
            except ValueError:
                continue
            size, read, bits = _arrays(others)
            residuals = np.log(bits / curve.predict(size, read))
            own = rest[at]
            off = float(np.log(own.bits / curve.predict(own.parameters, own.tokens)))
            trials.append((float(huber_loss(residuals).sum()), at, off, residuals))
        if not trials:
            break
        _, at, off, residuals = min(trials, key=lambda trial: trial[0])
        freedom = max(1, len(residuals) - 5)
        scatter = float(np.sqrt((residuals**2).sum() / freedom))
        if abs(off) <= max(LEFT_DEVIATIONS * scatter, LEFT_LEAST):
            break
        left.append(rest.pop(at).name)
    return tuple(left)


def _arrays(points: Sequence[LadderPoint]) -> tuple[Floats, Floats, Floats]:
    columns = [[p.parameters for p in points], [p.tokens for p in points], [p.bits for p in points]]
    return np.array(columns[0], float), np.array(columns[1], float), np.array(columns[2], float)
