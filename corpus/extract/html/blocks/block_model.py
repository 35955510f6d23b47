"""Estimate of each block of a page how likely it is main text, with a small network of whole numbers.

Weights are int8 and activations 0 to 127, so every sum is below 2**24 and exact in float32, in whatever order a
processor adds: the same page gives the same bytes everywhere. The network sees a block by its features and the tokens
of the elements around it, then beside its neighbours and its page; a second one (`second_look`) then sees it beside
what is expected of all others, and counts twice. `training` makes the file of weights.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import UserError
from corpus.extract.html.blocks.element_tokens import Tokens
from corpus.extract.html.blocks.features import FEATURES, TOP, measure_blocks
from corpus.extract.html.blocks.page_group import PageGroup
from corpus.extract.html.blocks.second_look import (
    CERTAIN,
    ESTIMATE_FEATURES,
    expect_each,
    measure_expectation,
)

VERSION = 3
"""Increased when the same weights would give another text: a file of another version is refused."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHIFTS = (0, -1, 1, -2, 2)
"""Neighbours of a block, and itself, that the second layer sees."""
REACH = 2
"""How far these are away."""
NEAR, FAR = 2, 12
"""Means of the blocks from the one behind `NEAR` to `FAR` before and behind it are seen as well."""
CONTEXTS = len(SHIFTS) + 6
"""Parts of the second layer's input: neighbours, means near before and behind, means of all before and all behind, the
page's mean, that weighted by size."""
SCALE_BITS = 16
SECOND_WEIGHT = 2
"""How often the second look counts beside the first."""
MAX_SUM = 1 << 24
"""Sums of whole numbers below this are exact in float32."""
MAX_CACHED = 20_000
"""Elements of other tokens whose sums are kept from page to page: 320 bytes each."""
MIN_ROWS = 1 << 10
"""Rows for which there is room from the beginning."""
DOUBLINGS = 6
"""Rounds of which each doubles how many of the elements around a block count: 64 in all."""
SIZE_WEIGHT = 512
"""Bytes of a block from which it counts no more in the mean by size."""


@dataclass(frozen=True)
class SecondLook:
    """The weights of the second network: two layers of units, and what makes a logit of the second's."""

    dense: npt.NDArray[np.int8]  # (ESTIMATE_FEATURES + FEATURES, units)
    first_bias: npt.NDArray[np.int64]
    first_scale: npt.NDArray[np.int64]
    second: npt.NDArray[np.int8]  # (units, units of the second layer)
    second_bias: npt.NDArray[np.int64]
    second_scale: npt.NDArray[np.int64]
    last: npt.NDArray[np.int8]
    last_bias: int
    last_scale: int

    @cached_property
    def _tables(self) -> tuple[Floats, Floats, Floats, Floats]:
        dense = self.dense.astype(np.float32)
        return (
            dense[:ESTIMATE_FEATURES],
            dense[ESTIMATE_FEATURES:],
            self.second.astype(np.float32),
            self.last.astype(np.float32),
        )

    @cached_property
    def _scales(self) -> tuple[Doubles, Doubles]:
        return scale_down(self.first_scale), scale_down(self.second_scale)

    def estimate(self, expectation: npt.NDArray[np.uint8], features: Floats) -> Ints:
        """Return of each block the logit, in 64ths, that it is main text, by what is expected and what is measured."""
        expected, dense, second, last = self._tables
        first_scale, second_scale = self._scales
        sums = expectation.astype(np.float32) @ expected
        sums += features @ dense
        units = _activate(np.add(sums, self.first_bias, dtype=np.float64), first_scale)
        units = _activate(np.add(units @ second, self.second_bias, dtype=np.float64), second_scale)
        logits: Ints = (units @ last).astype(np.int64)
        logits += self.last_bias
        return logits * self.last_scale >> SCALE_BITS


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
    again: SecondLook | None = None

    @cached_property
    def _rows(self) -> _TokenRows:
        return _TokenRows(self.lexicon, self.tokens)

    @cached_property
    def _tables(self) -> _Tables:
        units = self.dense.shape[1]
        second = self.second.astype(np.float32).reshape(CONTEXTS, units, -1)
        beside, means, whole = np.split(second, [len(SHIFTS), CONTEXTS - 2])
        return _Tables(
            dense=self.dense.astype(np.float32),
            beside=np.ascontiguousarray(np.concatenate(list(beside), 1)),
            means=np.concatenate(list(means)),
            whole=np.concatenate(list(whole)),
            last=self.last.astype(np.float32),
            first_scale=scale_down(self.first_scale),
            second_scale=scale_down(self.second_scale),
        )

    def estimate(self, group: PageGroup) -> Ints:
        """Return of each block of some pages the logit, in 64ths, that it is main text."""
        features = measure_blocks(group)
        logits = self.estimate_first(group, features)
        if self.again is None:
            return logits
        seen = expect_each(group, squash(logits))
        again = self.again.estimate(measure_expectation(group, logits, seen), features)
        return (logits + SECOND_WEIGHT * again) // (1 + SECOND_WEIGHT)

    def estimate_first(self, group: PageGroup, features: Floats) -> Ints:
        """Return the logits without the second look."""
        tables = self._tables
        sums = np.add(features @ tables.dense, self._sum_tokens(group), dtype=np.float64)
        sums += self.first_bias
        first = _activate(sums, tables.first_scale)
        sums = np.add(_sum_context(first, group, tables), self.second_bias, dtype=np.float64)
        hidden = _activate(sums, tables.second_scale)
        logits: Ints = (hidden @ tables.last).astype(np.int64) + self.last_bias
        return logits * self.last_scale >> SCALE_BITS

    def _sum_tokens(self, group: PageGroup) -> npt.NDArray[np.int32]:
        """Return `TOP` times the sums of the weights of the tokens around each block, (blocks, units)."""
        units = self.dense.shape[1]
        pages = group.pages
        path_tokens = [tokens for page in pages for tokens in page.path_tokens]
        inner_tokens = [tokens for page in pages for tokens in page.inner]
        count = len(path_tokens)
        named = [at for at, tokens in enumerate(inner_tokens) if tokens]
        around, inner = self._rows.sum(
            [*path_tokens, ()], list(map(inner_tokens.__getitem__, named))
        )  # the last row is that of no tokens
        up = np.array([parent for page in pages for parent in page.path_parents] + [count], np.int64)
        up[:-1] += group.path_starts.repeat(group.path_counts)
        up[group.path_starts] = count
        paths = around[:, :units] + around[:, units : 2 * units].take(up, 0)
        every = around[:, 2 * units :].astype(np.int32)
        for _ in range(DOUBLINGS):  # each round doubles how far up the sums reach
            if up.min() == count:
                break
            every += every.take(up, 0)
            up = up.take(up)
        every += paths
        sums: npt.NDArray[np.int32] = every.take(group.paths, 0)
        if named:
            sums[named] += inner
        sums *= TOP
        return sums


class _TokenRows:
    """Sums of the weights of elements' tokens, kept by these tokens: pages have the same elements again and again."""

    def __init__(self, lexicon: dict[str, int], table: npt.NDArray[np.int8]) -> None:
        self.lexicon = lexicon
        self.units = table.shape[1] // 4
        self.table = table.astype(np.int16)
        self._forget()

    def _forget(self) -> None:
        self.around = np.empty((0, 3 * self.units), np.int16)
        self.inner = np.empty((0, self.units), np.int16)
        self.places: dict[Tokens, int] = {}

    def sum(
        self, around: list[Tokens], inner: list[Tokens]
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Return the sums of each element's tokens as one around a block, (elements, 3 * units), and of those in a
        block, (elements, units): of elements with fewer than 50 tokens, so that int16 holds them."""
        if len(self.places) > MAX_CACHED:
            self._forget()
        get = self.places.get
        places = list(map(get, around)), list(map(get, inner))
        if None in places[0] or None in places[1]:
            self._add(around + inner)
            places = list(map(get, around)), list(map(get, inner))
        return (
            self.around.take(np.array(places[0], np.int64), 0),
            self.inner.take(np.array(places[1], np.int64), 0),
        )

    def _add(self, every_tokens: list[Tokens]) -> None:
        """Sum up the rows of tokens that are not kept yet."""
        places, unknown = self.places, -1
        added = [tokens for tokens in dict.fromkeys(every_tokens) if tokens not in places]
        begin, end = len(places), len(places) + len(added)
        places.update(zip(added, range(begin, end), strict=True))
        numbers = map(self.lexicon.get, chain.from_iterable(added), repeat(unknown))
        flat = np.fromiter(numbers, np.int64)
        owners = np.repeat(np.arange(len(added)), np.fromiter(map(len, added), np.int64))
        known = flat != unknown
        flat, counts = flat[known], np.bincount(owners[known], minlength=len(added))
        starts = np.cumsum(counts) - counts
        rows = np.zeros((len(added), self.table.shape[1]), np.int16)
        for at in range(counts.max()):  # few elements have many tokens
            longer = np.flatnonzero(counts > at)
            rows[longer] += self.table.take(flat.take(starts.take(longer) + at), 0)
        if end > len(self.around):
            size = max(MIN_ROWS, 2 * end)
            self.around = _lengthen(self.around, begin, size)
            self.inner = _lengthen(self.inner, begin, size)
        self.around[begin:end] = rows[:, : 3 * self.units]
        self.inner[begin:end] = rows[:, 3 * self.units :]


def _lengthen(rows: npt.NDArray[np.int16], count: int, size: int) -> npt.NDArray[np.int16]:
    """Return the first rows of a table in a longer one."""
    longer = np.empty((size, rows.shape[1]), np.int16)
    longer[:count] = rows[:count]
    return longer


@dataclass(frozen=True)
class _Tables:
    """The weights as they are multiplied: `beside`, `means` and `whole` are the second layer's parts."""

    dense: Floats
    beside: Floats  # (units, len(SHIFTS) * units of the second layer)
    means: Floats  # (4 * units, units of the second layer)
    whole: Floats  # (2 * units, units of the second layer)
    last: Floats
    first_scale: Doubles
    second_scale: Doubles


def scale_down(scale: Ints) -> Doubles:
    """Return what sums are multiplied by: exact, since it is a power of two lower."""
    return scale / np.float64(1 << SCALE_BITS)


def _activate(sums: Doubles, scale: Doubles) -> Floats:
    """Return activations, whole numbers from 0 to `TOP`; `sums` are used up. Whole numbers below 2**53 are exact."""
    sums *= scale
    np.floor(sums, out=sums)
    np.maximum(sums, 0, out=sums)
    return np.minimum(sums, TOP, out=sums).astype(np.float32)


def _sum_context(first: Floats, group: PageGroup, tables: _Tables) -> Floats:
    """Return the second layer's sums of each block, of its activations, its neighbours' and means around it,
    (blocks, units of the second layer)."""
    count, units = first.shape
    blocks, begin, end = group.blocks, group.begin_of, group.end_of
    exact = np.float32 if count * TOP < MAX_SUM else np.float64
    sums = np.zeros((count + 1, units), exact)
    np.cumsum(first, 0, exact, sums[1:])
    means = np.empty((count, 4, units), exact)
    before = sums[:-1]
    near, far = np.maximum(blocks - NEAR, begin), np.maximum(blocks - FAR, begin)
    np.subtract(sums.take(near, 0), sums.take(far, 0), out=means[:, 0])
    near, far = np.minimum(blocks + (NEAR + 1), end), np.minimum(blocks + (FAR + 1), end)
    np.subtract(sums.take(far, 0), sums.take(near, 0), out=means[:, 1])
    np.subtract(before, sums.take(begin, 0), out=means[:, 2])
    np.subtract(sums.take(end, 0), sums[1:], out=means[:, 3])
    numbers = np.full((count, 4, 1), FAR - NEAR, exact)
    np.maximum(blocks - begin, 1, out=numbers[:, 2, 0])
    np.maximum(end - 1 - blocks, 1, out=numbers[:, 3, 0])
    # Quotients of whole numbers below 2**24, or 2**53, are rounded to no whole number above them.
    means /= numbers
    np.floor(means, out=means)
    weights = np.minimum(group.sizes, SIZE_WEIGHT)
    weighed = np.add.reduceat(first * weights[:, None].astype(np.float64), group.starts, 0)
    totals = sums.take(group.stops, 0) - sums.take(group.starts, 0)
    whole = np.concatenate(
        [
            totals // group.counts[:, None],
            weighed // np.maximum(np.add.reduceat(weights, group.starts), 1)[:, None],
        ],
        1,
    )
    result = means.reshape(count, -1).astype(np.float32, copy=False) @ tables.means
    result += (whole.astype(np.float32) @ tables.whole).repeat(group.counts, 0)
    padded, places = group.pad(first, REACH)
    beside = padded @ tables.beside
    outputs = result.shape[1]
    long = len(padded) - 2 * REACH
    near_by = np.zeros((long, outputs), np.float32)
    for part, shift in enumerate(SHIFTS):
        near_by += beside[REACH + shift : REACH + shift + long, part * outputs : (part + 1) * outputs]
    result += near_by.take(places - REACH, 0)
    return result


def squash(logits: Ints) -> Ints:
    """Return probabilities, 0 to `CERTAIN`, of logits in 64ths: a table, without a processor's own `exp`."""
    estimates: Ints = _SIGMOID.take(logits + _HALF, mode="clip")
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
            again = (
                SecondLook(**_read_arrays(arrays, _SECOND_ARRAYS, "again_"))
                if "again_dense" in arrays
                else None
            )
            model = BlockModel(lexicon=lexicon, card=card, again=again, **_read_arrays(arrays, _ARRAYS, ""))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(f"{name}: no weights of an extractor: {error}") from None
    units, last = model.dense.shape[1], model.second.shape[1]
    if (len(model.dense), len(model.second), len(model.last)) != (FEATURES, CONTEXTS * units, last):
        raise UserError(f"{name}: weights of another form: `corpus model train extractor` makes them anew")
    tables = [model.dense, model.second, model.last]
    if model.again is not None:
        if len(model.again.dense) != ESTIMATE_FEATURES + FEATURES:
            raise UserError(
                f"{name}: weights of another form: `corpus model train extractor` makes them anew"
            )
        tables += [model.again.dense, model.again.second, model.again.last]
    for table in tables:
        if int(np.abs(table.astype(np.int64)).sum(0).max()) * TOP >= MAX_SUM:
            raise UserError(f"{name}: weights too large for exact sums")
    return model


_SECOND_ARRAYS = (
    "dense", "first_bias", "first_scale", "second", "second_bias", "second_scale", "last", "last_bias", "last_scale",
)  # fmt: skip
_ARRAYS = ("tokens", *_SECOND_ARRAYS)


def _read_arrays(arrays: Any, names: tuple[str, ...], prefix: str) -> dict[str, Any]:
    """Return arrays as models have them: tables of int8, others of int64, single numbers as such."""
    fields = {name: arrays[prefix + name] for name in names}
    return {
        name: int(value) if value.ndim == 0 else value if value.dtype == np.int8 else value.astype(np.int64)
        for name, value in fields.items()
    }


def write_model(model: BlockModel) -> bytes:
    """Return the content of a model's file: the same bytes for the same model."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(model, name) for name in _ARRAYS}
    if model.again is not None:
        arrays |= {f"again_{name}": getattr(model.again, name) for name in _SECOND_ARRAYS}
    arrays = {name: _pack_array(value) for name, value in arrays.items()}
    arrays["card"] = np.frombuffer(json.dumps(model.card, sort_keys=True).encode(), np.uint8)
    arrays["lexicon"] = np.frombuffer("\n".join(model.lexicon).encode(), np.uint8)
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _pack_array(value: Any) -> npt.NDArray[Any]:
    packed = np.asarray(value)
    return packed if packed.dtype == np.int8 or packed.ndim == 0 else packed.astype(np.int32)
