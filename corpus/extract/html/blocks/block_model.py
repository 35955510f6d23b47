"""Estimate of each block of a page how likely it is main text, with a small network of whole numbers.

Weights are int8 and activations 0 to 127, so every sum is below 2**24 and exact in float32, in whatever order a
processor adds: the same page gives the same bytes everywhere. The network sees a block by its features and the tokens
of the elements around it, then beside its neighbours and its page. `training` makes the file of weights.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from corpus.errors import UserError
from corpus.extract.html.blocks.element_tokens import Tokens
from corpus.extract.html.blocks.features import FEATURES, TOP, measure_blocks
from corpus.extract.html.blocks.page_blocks import PageBlocks

VERSION = 1
"""Increased when the same weights would give another text: a file of another version is refused."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SHIFTS = (0, -1, 1, -2, 2)
"""Neighbours of a block, and itself, that the second layer sees."""
NEAR, FAR = 2, 12
"""Means of the blocks from the one behind `NEAR` to `FAR` before and behind it are seen as well."""
CONTEXTS = len(SHIFTS) + 6
"""Parts of the second layer's input: neighbours, means near before and behind, means of all before and all behind, the
page's mean, that weighted by size."""
SCALE_BITS = 16
CERTAIN = 1 << 10
"""The probability 1."""
MAX_SUM = 1 << 24
"""Sums of whole numbers below this are exact in float32."""
MAX_CACHED = 20_000
DOUBLINGS = 6
"""Rounds of which each doubles how many of the elements around a block count: 64 in all."""
SIZE_WEIGHT = 512
"""Bytes of a block from which it counts no more in the mean by size."""


@dataclass(frozen=True)
class BlockModel:
    """The weights: tables of int8 and, of each unit, a whole number to scale its sum by and one to add before."""

    lexicon: dict[str, int]
    tokens: npt.NDArray[np.int8]  # (tokens, 4 * units): own, parent's, all around, inline
    dense: npt.NDArray[np.int8]  # (features, units)
    first_bias: npt.NDArray[np.int64]
    first_scale: npt.NDArray[np.int64]
    second: npt.NDArray[np.int8]  # (CONTEXTS * units, units of the second layer)
    second_bias: npt.NDArray[np.int64]
    second_scale: npt.NDArray[np.int64]
    last: npt.NDArray[np.int8]
    last_bias: int
    last_scale: int
    card: dict[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {})

    @cached_property
    def _tables(self) -> tuple[npt.NDArray[np.int32], Floats, Floats, Floats]:
        return (
            self.tokens.astype(np.int32),
            self.dense.astype(np.float32),
            self.second.astype(np.float32),
            self.last.astype(np.float32),
        )

    def estimate(self, page: PageBlocks, sizes: Ints) -> Ints:
        """Return of each block the logit, in 64ths, that it is main text; `sizes` are their bytes."""
        tokens, dense, second, last = self._tables
        features = measure_blocks(page, sizes)
        sums = (features @ dense).astype(np.int64) + self._sum_tokens(page, tokens) * TOP + self.first_bias
        first = _activate(sums, self.first_scale)
        context = _add_context(first, np.minimum(sizes, SIZE_WEIGHT))
        sums = (context @ second).astype(np.int64) + self.second_bias
        hidden = _activate(sums, self.second_scale)
        logits: Ints = (hidden.astype(np.float32) @ last).astype(np.int64) + self.last_bias
        return logits * self.last_scale >> SCALE_BITS

    def _sum_tokens(self, page: PageBlocks, table: npt.NDArray[np.int32]) -> Ints:
        """Return the sums of the weights of the tokens around each block, (blocks, units)."""
        units = table.shape[1] // 4
        number = self._number
        rows = _multiply([number(tokens) for tokens in page.path_tokens], table[:, : 3 * units])
        parents = np.array(page.path_parents, np.int64)
        empty = np.zeros((1, units), np.int32)
        own, around = rows[:, :units], np.vstack([rows[:, units : 2 * units], empty])
        every = np.vstack([rows[:, 2 * units :], empty])
        paths = own + around[parents]
        up = np.append(parents, -1)
        up[up < 0] = len(parents)
        for _ in range(DOUBLINGS):  # each round doubles how far up the sums reach
            if (up == len(parents)).all():
                break
            every = every + every[up]
            up = up[up]
        inner = _multiply([number(tokens) for tokens in page.inner], table[:, 3 * units :])
        sums: Ints = ((paths + every[:-1])[np.array(page.paths)] + inner).astype(np.int64)
        return sums

    def _number(self, tokens: Tokens) -> tuple[int, ...]:
        """Return the numbers of the tokens that the lexicon has."""
        known: dict[Tokens, tuple[int, ...]] = self.__dict__["_numbers"]
        numbers = known.get(tokens)
        if numbers is None:
            if len(known) >= MAX_CACHED:
                known.clear()
            lexicon = self.lexicon
            numbers = known[tokens] = tuple(lexicon[token] for token in tokens if token in lexicon)
        return numbers


def _multiply(numbers: list[tuple[int, ...]], table: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return of each row of token numbers the sum of their rows in a table."""
    lengths = [len(row) for row in numbers]
    starts = np.zeros(len(numbers) + 1, np.int32)
    np.cumsum(lengths, out=starts[1:])
    flat = np.fromiter((number for row in numbers for number in row), np.int32, int(starts[-1]))
    matrix = csr_matrix((np.ones(len(flat), np.int32), flat, starts), shape=(len(numbers), len(table)))
    product: npt.NDArray[np.int32] = matrix @ table
    return product


def _activate(sums: Ints, scale: Ints) -> Ints:
    """Return activations 0 to 127."""
    activations: Ints = np.clip(sums * scale >> SCALE_BITS, 0, TOP)
    return activations


def _add_context(first: Ints, weights: Ints) -> Floats:
    """Return of each block its activations, its neighbours' and means around it, (blocks, CONTEXTS * units)."""
    count, units = first.shape
    padded = np.zeros((count + 2 * FAR, units), np.int32)
    padded[FAR : FAR + count] = first
    sums = np.zeros((count + 2 * FAR + 1, units), np.int32)
    np.cumsum(padded, 0, out=sums[1:])
    context = np.empty((count, CONTEXTS, units), np.float32)
    for part, shift in enumerate(SHIFTS):
        context[:, part] = padded[FAR + shift : FAR + shift + count]
    width = np.int32(FAR - NEAR)
    earlier = sums[FAR : FAR + count]
    places = np.arange(count, dtype=np.int32)[:, None]
    part = len(SHIFTS)
    context[:, part] = (sums[FAR - NEAR : FAR - NEAR + count] - sums[:count]) // width
    context[:, part + 1] = (sums[2 * FAR + 1 :] - sums[FAR + NEAR + 1 : FAR + NEAR + 1 + count]) // width
    context[:, part + 2] = earlier // np.maximum(places, 1)
    context[:, part + 3] = (sums[-1] - sums[FAR + 1 : FAR + 1 + count]) // np.maximum(count - 1 - places, 1)
    context[:, part + 4] = sums[-1] // count
    context[:, part + 5] = weights @ first // max(1, int(weights.sum()))
    return context.reshape(count, -1)


def squash(logits: Ints) -> Ints:
    """Return probabilities, 0 to `CERTAIN`, of logits in 64ths: a table, without a processor's own `exp`."""
    estimates: Ints = _SIGMOID[np.clip(logits + _HALF, 0, 2 * _HALF)]
    return estimates


_HALF = 512
_SIGMOID = np.array(
    [round(CERTAIN / (1 + 2.718281828459045 ** (-step / 64))) for step in range(-_HALF, _HALF + 1)], np.int64
)


def read_model(content: bytes, name: str) -> BlockModel:
    """Return the model of a file's content. Raises UserError if it is none, or one of another version."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            card = json.loads(arrays["card"].tobytes())
            if card["version"] != VERSION:
                raise UserError(
                    f"{name}: weights of version {card['version']}, this is {VERSION}: `corpus model train extractor`"
                )
            lexicon = {token: at for at, token in enumerate(arrays["lexicon"].tobytes().decode().split("\n"))}
            fields = {key: arrays[key] for key in _ARRAYS}
            model = BlockModel(
                lexicon=lexicon,
                **{
                    key: value.astype(np.int64) if value.dtype != np.int8 else value
                    for key, value in fields.items()
                },
                last_bias=int(arrays["last_bias"]),
                last_scale=int(arrays["last_scale"]),
                card=card,
            )
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(f"{name}: no weights of an extractor: {error}") from None
    units, last = model.dense.shape[1], model.second.shape[1]
    if (len(model.dense), len(model.second), len(model.last)) != (FEATURES, CONTEXTS * units, last):
        raise UserError(f"{name}: weights of another form: `corpus model train extractor` makes them anew")
    for table in (model.dense, model.second, model.last):
        if int(np.abs(table.astype(np.int64)).sum(0).max()) * TOP >= MAX_SUM:
            raise UserError(f"{name}: weights too large for exact sums")
    return model


_ARRAYS = ("tokens", "dense", "first_bias", "first_scale", "second", "second_bias", "second_scale", "last")


def write_model(model: BlockModel) -> bytes:
    """Return the content of a model's file: the same bytes for the same model."""
    content = io.BytesIO()
    arrays = {key: getattr(model, key) for key in _ARRAYS}
    arrays = {
        key: value.astype(np.int32) if value.dtype != np.int8 else value for key, value in arrays.items()
    }
    np.savez_compressed(
        content,
        card=np.frombuffer(json.dumps(model.card, sort_keys=True).encode(), np.uint8),
        lexicon=np.frombuffer("\n".join(model.lexicon).encode(), np.uint8),
        last_bias=np.int64(model.last_bias),
        last_scale=np.int64(model.last_scale),
        **arrays,
    )
    return content.getvalue()
