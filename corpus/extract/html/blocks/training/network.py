"""The network of `block_model` in floats, its gradient, and how it becomes whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks import block_model
from corpus.extract.html.blocks.block_model import (
    CONTEXTS,
    FAR,
    NEAR,
    SCALE_BITS,
    SHIFTS,
    SIZE_WEIGHT,
    BlockModel,
    SecondLook,
)
from corpus.extract.html.blocks.features import TOP

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

CEILING = 2.0
"""Value of an activation of 127."""
DECAY = 0.1
LEFT_OUT = 0.1
"""Share of the first layer's activations that a step of learning does without."""
TOKENS_LEFT_OUT = 0.2
"""The same of tokens: a site's own names for its parts are learned by heart else."""
FIRST_UNITS, SECOND_UNITS = 40, 32
"""Units of the two layers of the first look."""
SECOND_LOOK_UNITS = 20, 16
"""The same of the second."""


@dataclass(frozen=True)
class Batch:
    """Blocks of some pages: features, tokens (see `examples.PageTokens`), labels, weights, sizes, and page ends."""

    dense: Floats
    around: Any
    inner: Any
    paths: Any
    labels: Floats
    weights: Floats
    sizes: npt.NDArray[np.int64]
    lengths: list[int]


class Network:
    """The parameters and Adam's moments."""

    def __init__(
        self,
        features: int,
        tokens: int,
        seed: int,
        units: tuple[int, int] = (FIRST_UNITS, SECOND_UNITS),
        context: type[Context | Alone] | None = None,
    ) -> None:
        random = np.random.default_rng(seed)
        first, second = units
        self.units, self.context = units, Context if context is None else context
        seen = self.context.PARTS * first

        def make(*shape: int, scale: float) -> Floats:
            return (random.standard_normal(shape) * scale).astype(np.float32)

        self.parameters = {
            "tokens": make(4 * tokens, first, scale=0.05),
            "dense": make(features, first, scale=1.2 / features**0.5),
            "first_bias": np.full(first, 0.1, np.float32),
            "second": make(seen, second, scale=1.4 / seen**0.5),
            "second_bias": np.full(second, 0.1, np.float32),
            "last": make(second, scale=1.4 / second**0.5),
            "last_bias": np.zeros(1, np.float32),
        }
        self.moments = {key: np.zeros_like(value) for key, value in self.parameters.items()}
        self.squares = {key: np.zeros_like(value) for key, value in self.parameters.items()}
        self.steps = 0
        self.random = np.random.default_rng(seed + 1)

    def run(self, batch: Batch, learning: bool = False) -> tuple[Floats, dict[str, Any]]:
        """Return the logits of a batch, and what the gradient needs; in learning, some units are left out."""
        p = self.parameters
        split = batch.around.shape[1]
        tokens = batch.paths @ (batch.around @ p["tokens"][:split]) + batch.inner @ p["tokens"][split:]
        sums = batch.dense @ p["dense"] + tokens + p["first_bias"]
        first = np.clip(sums, 0, CEILING)
        left = np.ones(1, np.float32)
        if learning:
            left = (self.random.random(first.shape, np.float32) >= LEFT_OUT) / np.float32(1 - LEFT_OUT)
            first = first * left
        around = self.context(batch)
        context = around.apply(first)
        hidden_sums = context @ p["second"] + p["second_bias"]
        hidden = np.clip(hidden_sums, 0, CEILING)
        logits: Floats = hidden @ p["last"] + p["last_bias"]
        return logits, {
            "sums": sums, "around": around, "context": context, "hidden_sums": hidden_sums, "hidden": hidden,
            "left": left,
        }  # fmt: skip

    def learn(self, batch: Batch, rate: float) -> float:
        """Take one step of Adam on a batch, and return its loss before it."""
        p = self.parameters
        logits, kept = self.run(batch, learning=True)
        estimates = 1 / (1 + np.exp(-logits))
        loss = -(
            batch.weights
            * (
                batch.labels * np.log(np.maximum(estimates, 1e-7))
                + (1 - batch.labels) * np.log(np.maximum(1 - estimates, 1e-7))
            )
        ).sum()
        wrong = batch.weights * (estimates - batch.labels)
        gradients = {"last": kept["hidden"].T @ wrong, "last_bias": wrong.sum(keepdims=True)}
        hidden = np.outer(wrong, p["last"]) * _is_open(kept["hidden_sums"])
        gradients["second"] = kept["context"].T @ hidden
        gradients["second_bias"] = hidden.sum(0)
        first = kept["around"].pull(hidden @ p["second"].T)
        first *= _is_open(kept["sums"]) * kept["left"]
        gradients["dense"] = batch.dense.T @ first
        around = batch.around.T @ (batch.paths.T @ first)
        gradients["tokens"] = np.concatenate([around, batch.inner.T @ first])
        gradients["first_bias"] = first.sum(0)
        self._step(gradients, rate)
        return float(loss)

    def _step(self, gradients: dict[str, Floats], rate: float) -> None:
        self.steps += 1
        fade = (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for key, gradient in gradients.items():
            moment, square = self.moments[key], self.squares[key]
            moment *= 0.9
            moment += 0.1 * gradient
            square *= 0.999
            square += 0.001 * gradient * gradient
            value = self.parameters[key]
            if not key.endswith("bias"):
                value *= 1 - rate * DECAY
            value -= rate * fade * moment / (np.sqrt(square) + 1e-8)


def _is_open(sums: Floats) -> Floats:
    """Return the slope of the activation: a little beyond its ends, so that no unit dies."""
    return np.where((sums > 0) & (sums < CEILING), np.float32(1), np.float32(0.01))


class Context:
    """What the second layer sees of the first, as `block_model` makes it: by shifts and differences of running sums,
    which are exact enough in float64. `apply` makes it of activations, `pull` brings gradients back to these."""

    PARTS = CONTEXTS

    def __init__(self, batch: Batch) -> None:
        lengths = np.array(batch.lengths)
        stops = np.cumsum(lengths)
        self.rows = np.arange(len(batch.labels))
        self.pages = np.repeat(np.arange(len(lengths)), lengths)
        self.begins, self.ends = (stops - lengths)[self.pages], stops[self.pages]
        self.lengths, self.stops = lengths, stops
        self.before = np.maximum(self.rows - self.begins, 1)[:, None]
        self.behind = np.maximum(self.ends - self.rows - 1, 1)[:, None]
        weights = np.minimum(batch.sizes, SIZE_WEIGHT).astype(np.float64)
        totals = np.maximum(np.bincount(self.pages, weights, len(lengths)), 1)
        self.shares = (weights / totals[self.pages])[:, None]

    def apply(self, first: Floats) -> Floats:
        """Return the context of each block, (blocks, CONTEXTS * units)."""
        sums = _add_up(first)
        near_before = self._sum_window(sums, -1) / (FAR - NEAR)
        near_behind = self._sum_window(sums, 1) / (FAR - NEAR)
        before = (sums[self.rows] - sums[self.begins]) / self.before
        behind = (sums[self.ends] - sums[self.rows + 1]) / self.behind
        mean = self._sum_pages(sums) / self.lengths[:, None]
        weighted = self._sum_pages(_add_up(first * self.shares))
        parts: list[npt.NDArray[Any]] = [self._shift(first, shift) for shift in SHIFTS]
        parts += [near_before, near_behind, before, behind, mean[self.pages], weighted[self.pages]]
        return np.hstack(parts, dtype=np.float32, casting="same_kind")

    def pull(self, gradient: Floats) -> Floats:
        """Return the gradient of the activations, (blocks, units), of that of their context."""
        parts = np.split(gradient, CONTEXTS, axis=1)
        result: npt.NDArray[Any] = np.zeros(parts[0].shape, np.float32)
        for part, shift in zip(parts, SHIFTS, strict=False):
            result += self._shift(part, -shift)
        near_before, near_behind, before, behind, mean, weighted = parts[len(SHIFTS) :]
        result = result + self._sum_window(_add_up(near_before), 1) / (FAR - NEAR)
        result += self._sum_window(_add_up(near_behind), -1) / (FAR - NEAR)
        sums = _add_up(before / self.before)
        result += sums[self.ends] - sums[self.rows + 1]
        sums = _add_up(behind / self.behind)
        result += sums[self.rows] - sums[self.begins]
        result += (self._sum_pages(_add_up(mean)) / self.lengths[:, None])[self.pages]
        result += self._sum_pages(_add_up(weighted))[self.pages] * self.shares
        pulled: Floats = result.astype(np.float32)
        return pulled

    def _shift(self, values: Floats, shift: int) -> Floats:
        """Return the values of the block that is `shift` behind each, none where it is on another page."""
        if shift == 0:
            return values
        shifted = np.zeros_like(values)
        if shift > 0:
            shifted[:-shift] = values[shift:]
        else:
            shifted[-shift:] = values[:shift]
        edges = self.stops[:, None] - 1 - np.arange(shift) if shift > 0 else None
        if edges is None:
            edges = (self.stops - self.lengths)[:, None] + np.arange(-shift)
        strange = edges[(edges >= 0) & (edges < len(values))]
        moved = strange + shift
        inside = (moved >= 0) & (moved < len(values))
        other = np.ones(len(strange), bool)
        other[inside] = self.pages[moved[inside]] != self.pages[strange[inside]]
        shifted[strange[other]] = 0
        return shifted

    def _sum_window(self, sums: Doubles, sign: int) -> Doubles:
        """Return the sums over the blocks from the one behind `NEAR` to `FAR` before each, or behind it."""
        if sign < 0:
            low = np.maximum(self.rows - FAR, self.begins)
            high = np.maximum(self.rows - NEAR, low)
        else:
            high = np.minimum(self.rows + 1 + FAR, self.ends)
            low = np.minimum(self.rows + 1 + NEAR, high)
        window: Doubles = sums[high] - sums[low]
        return window

    def _sum_pages(self, sums: Doubles) -> Doubles:
        pages: Doubles = sums[self.stops] - sums[self.stops - self.lengths]
        return pages


class Alone:
    """The context of a network that sees each block alone."""

    PARTS = 1

    def __init__(self, batch: Batch) -> None:
        pass

    def apply(self, first: Floats) -> Floats:
        return first

    def pull(self, gradient: Floats) -> Floats:
        return gradient


def _add_up(values: npt.NDArray[Any]) -> Doubles:
    """Return running sums, (blocks + 1, units)."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, 0, out=sums[1:])
    return sums


def to_integers(network: Network, lexicon: dict[str, int], card: dict[str, Any]) -> BlockModel:
    """Return the model of a network in whole numbers: int8 weights, a scale for each unit."""
    tokens = network.parameters["tokens"].reshape(4, len(lexicon), network.units[0])
    arrays, step = _round_layers(network, np.abs(tokens).max((0, 1)))
    rounded = np.round(np.concatenate(list(tokens), 1) * np.tile(step, 4)).astype(np.int8)
    card = {"version": block_model.VERSION, **card}
    return BlockModel(lexicon=lexicon, tokens=rounded, card=card, **arrays)


def to_second_look(network: Network) -> SecondLook:
    """Return a network without tokens, that sees each block alone, in whole numbers."""
    return SecondLook(**_round_layers(network, np.zeros(network.units[0], np.float32))[0])


def _round_layers(network: Network, largest: Floats) -> tuple[dict[str, Any], Floats]:
    """Return the layers in whole numbers, and how many make 1 in each unit of the first, whose largest other weights
    are given."""
    p = network.parameters
    unit = TOP / CEILING
    # Features are 0..127 for 0..1, so that a sum of whole numbers is 127 * 127 / largest for 1.
    step = TOP / (np.maximum(largest, np.abs(p["dense"]).max(0)) + 1e-9)
    first_scale = np.round(unit * (1 << SCALE_BITS) / (step * TOP)).astype(np.int64)
    second_step = TOP / (np.abs(p["second"]).max(0) + 1e-9)
    second_scale = np.round((1 << SCALE_BITS) / second_step).astype(np.int64)
    last_step = TOP / (np.abs(p["last"]).max() + 1e-9)
    half = 1 << (SCALE_BITS - 1)
    first_bias = p["first_bias"] * step * TOP + half / np.maximum(first_scale, 1)
    second_bias = p["second_bias"] * second_step * unit + half / np.maximum(second_scale, 1)
    arrays = {
        "dense": np.round(p["dense"] * step).astype(np.int8),
        "first_bias": np.round(first_bias).astype(np.int64),
        "first_scale": first_scale,
        "second": np.round(p["second"] * second_step).astype(np.int8),
        "second_bias": np.round(second_bias).astype(np.int64),
        "second_scale": second_scale,
        "last": np.round(p["last"] * last_step).astype(np.int8),
        "last_bias": round(float(p["last_bias"][0]) * last_step * unit),
        "last_scale": round(64 * CEILING / TOP / last_step * (1 << SCALE_BITS)),
    }
    return arrays, step
