"""The network of `block_model` in floats, its gradient, and how it becomes whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from corpus.extract.html.blocks import block_model
from corpus.extract.html.blocks.block_model import (
    CONTEXTS,
    FAR,
    NEAR,
    SCALE_BITS,
    SHIFTS,
    SIZE_WEIGHT,
    BlockModel,
)
from corpus.extract.html.blocks.features import TOP

Floats = npt.NDArray[np.float32]

CEILING = 2.0
"""Value of an activation of 127."""
DECAY = 0.1
LEFT_OUT = 0.1
"""Share of the first layer's activations that a step of learning does without."""
TOKENS_LEFT_OUT = 0.2
"""The same of tokens: a site's own names for its parts are learned by heart else."""
FIRST_UNITS, SECOND_UNITS = 40, 32


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

    def __init__(self, features: int, tokens: int, seed: int) -> None:
        random = np.random.default_rng(seed)

        def make(*shape: int, scale: float) -> Floats:
            return (random.standard_normal(shape) * scale).astype(np.float32)

        self.parameters = {
            "tokens": make(4 * tokens, FIRST_UNITS, scale=0.05),
            "dense": make(features, FIRST_UNITS, scale=1.2 / features**0.5),
            "first_bias": np.full(FIRST_UNITS, 0.1, np.float32),
            "second": make(CONTEXTS * FIRST_UNITS, SECOND_UNITS, scale=1.4 / (CONTEXTS * FIRST_UNITS) ** 0.5),
            "second_bias": np.full(SECOND_UNITS, 0.1, np.float32),
            "last": make(SECOND_UNITS, scale=1.4 / SECOND_UNITS**0.5),
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
        around = make_context(batch)
        context = np.hstack([matrix @ first for matrix in around])
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
        context = hidden @ p["second"].T
        units = FIRST_UNITS
        first = np.zeros_like(kept["sums"])
        for part, matrix in enumerate(kept["around"]):
            first += matrix.T @ context[:, part * units : (part + 1) * units]
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


def make_context(batch: Batch) -> list[Any]:
    """Return the matrices by which `block_model` makes a block's context of the activations."""
    count = len(batch.labels)
    rows = np.arange(count)
    begins = np.repeat(np.cumsum([0, *batch.lengths[:-1]]), batch.lengths)
    ends = begins + np.repeat(batch.lengths, batch.lengths)
    parts = []
    for shift in SHIFTS:
        columns = rows + shift
        inside = (columns >= begins) & (columns < ends)
        parts.append(_make_matrix(rows[inside], columns[inside], np.ones(inside.sum()), count))
    for sign in (-1, 1):
        steps = sign * np.arange(NEAR + 1, FAR + 1)
        columns = (rows[:, None] + steps).ravel()
        line = np.repeat(rows, len(steps))
        inside = (columns >= begins[line]) & (columns < ends[line])
        parts.append(
            _make_matrix(line[inside], columns[inside], np.full(inside.sum(), 1 / (FAR - NEAR)), count)
        )
    pages = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
    lengths = np.array(batch.lengths)
    weights = np.minimum(batch.sizes, SIZE_WEIGHT).astype(np.float64)
    totals = np.maximum(np.bincount(pages, weights, len(lengths)), 1)
    spread = csr_matrix((np.ones(count, np.float32), (rows, pages)), shape=(count, len(lengths)))
    parts += [_Before(begins, rows, False), _Before(begins, ends, True)]
    for values in (1 / lengths[pages], weights / totals[pages]):
        collect = csr_matrix((values.astype(np.float32), (pages, rows)), shape=(len(lengths), count))
        parts.append(_Product(spread, collect))
    return parts


class _Before:
    """The matrix of the mean of all blocks of a page before each, or behind each: by running sums, never made."""

    def __init__(self, begins: Any, limits: Any, behind: bool, transposed: bool = False) -> None:
        self.begins, self.limits, self.behind, self.transposed = begins, limits, behind, transposed
        rows = np.arange(len(begins))
        counts = limits - rows - 1 if behind else rows - begins
        self.counts = np.maximum(counts, 1).astype(np.float64)[:, None]

    def __matmul__(self, other: Floats) -> Floats:
        rows = np.arange(len(self.begins))
        values = other / self.counts if self.transposed else other
        sums = np.zeros((len(rows) + 1, other.shape[1]))
        np.cumsum(values, 0, out=sums[1:])
        if self.behind != self.transposed:
            ends = self.limits if self.behind else self.page_ends()
            product = sums[ends] - sums[rows + 1]
        else:
            product = sums[rows] - sums[self.begins]
        means: Floats = (product if self.transposed else product / self.counts).astype(np.float32)
        return means

    def page_ends(self) -> Any:
        """Return the end of each block's page."""
        last = np.append(self.begins[1:] != self.begins[:-1], True)
        ends = np.flatnonzero(last) + 1
        return ends[np.searchsorted(ends, np.arange(len(self.begins)), side="right")]

    @property
    def T(self) -> _Before:
        return _Before(self.begins, self.limits, self.behind, not self.transposed)


class _Product:
    """The product of two sparse matrices, never made: a page's mean is one row for all its blocks."""

    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = left, right

    def __matmul__(self, other: Floats) -> Floats:
        product: Floats = self.left @ (self.right @ other)
        return product

    @property
    def T(self) -> _Product:
        return _Product(self.right.T, self.left.T)


def _make_matrix(rows: Any, columns: Any, values: Any, count: int) -> Any:
    return csr_matrix((values.astype(np.float32), (rows, columns)), shape=(count, count))


def to_integers(network: Network, lexicon: dict[str, int], card: dict[str, Any]) -> BlockModel:
    """Return the model of a network in whole numbers: int8 weights, a scale for each unit."""
    p = network.parameters
    number = len(lexicon)
    unit = TOP / CEILING
    tokens = p["tokens"].reshape(4, number, FIRST_UNITS)
    largest = np.maximum(np.abs(tokens).max((0, 1)), np.abs(p["dense"]).max(0)) + 1e-9
    # Features are 0..127 for 0..1, so that a sum of whole numbers is 127 * 127 / largest for 1.
    step = TOP / largest
    first_scale = np.round(unit * (1 << SCALE_BITS) / (step * TOP)).astype(np.int64)
    second_largest = np.abs(p["second"]).max(0) + 1e-9
    second_step = TOP / second_largest
    last_step = TOP / (np.abs(p["last"]).max() + 1e-9)
    half = 1 << (SCALE_BITS - 1)
    second_scale = np.round((1 << SCALE_BITS) / second_step).astype(np.int64)
    last_scale = round(64 * CEILING / TOP / last_step * (1 << SCALE_BITS))
    return BlockModel(
        lexicon=lexicon,
        tokens=np.round(np.concatenate(list(tokens), 1) * np.tile(step, 4)).astype(np.int8),
        dense=np.round(p["dense"] * step).astype(np.int8),
        first_bias=np.round(p["first_bias"] * step * TOP + half / np.maximum(first_scale, 1)).astype(
            np.int64
        ),
        first_scale=first_scale,
        second=np.round(p["second"] * second_step).astype(np.int8),
        second_bias=np.round(
            p["second_bias"] * second_step * unit + half / np.maximum(second_scale, 1)
        ).astype(np.int64),
        second_scale=second_scale,
        last=np.round(p["last"] * last_step).astype(np.int8),
        last_bias=round(float(p["last_bias"][0]) * last_step * unit),
        last_scale=last_scale,
        card={"version": block_model.VERSION, **card},
    )
