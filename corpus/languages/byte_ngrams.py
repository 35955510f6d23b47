"""A third opinion on the language: py3langid's naive Bayes model over byte n-grams, for the languages of the crowded
scripts.

It is asked where lid.176 and CLD2 do not agree, or where they are blind to a difference (Croatian and Bosnian). The
file byte_ngrams.npz has the weights of py3langid 0.4.0 for 96 languages in Latin, Cyrillic, Arabic and Devanagari, in
steps of .1: 12 MB in memory, where the package itself needs 76. `python -m tests.languages.byte_ngrams_file` makes it.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

NGRAMS_PATH = Path(__file__).with_name("byte_ngrams.npz")
LONGEST = 6
"""Bytes of the longest n-gram."""
MAX_CHARACTERS = 300
"""Characters of a text that are looked at, from its start."""
_WEIGHT_UNIT = 1024
_WEIGHTS = np.array(
    [round(_WEIGHT_UNIT * math.log1p(count)) for count in range(4 * MAX_CHARACTERS + 1)], np.float64
)
"""Weights of n-grams by how often they are in a text, as whole numbers: their sums are exact in any order, so that
scores are the same on every processor."""
_DECIMALS = 6
"""Decimals of probabilities: what processors differ in is behind them."""


@dataclass(frozen=True, slots=True)
class ByteNgrams:
    """The model. `keys[n]` are the n-grams of n + 1 bytes as sorted big-endian numbers, `rows[n]` their rows in `table`
    (-1 for those that are only the beginning of longer ones); `table` is uint8[rows, columns], log probabilities as
    `floor + step * value`; `codes` has the language of each column, `prior` its log probability."""

    keys: tuple[npt.NDArray[np.uint64], ...]
    rows: tuple[npt.NDArray[np.int32], ...]
    table: npt.NDArray[np.uint8]
    floor: float
    step: float
    prior: npt.NDArray[np.float32]
    codes: tuple[str, ...]


@cache
def load_ngrams() -> ByteNgrams:
    """Return the model, read once a process: .1 s."""
    with np.load(NGRAMS_PATH, allow_pickle=False) as file:
        return ByteNgrams(
            keys=tuple(file[f"keys{size}"] for size in range(1, LONGEST + 1)),
            rows=tuple(file[f"rows{size}"] for size in range(1, LONGEST + 1)),
            table=file["table"],
            floor=float(file["floor"]),
            step=float(file["step"]),
            prior=file["prior"],
            codes=tuple(file["codes"].tolist()),
        )


def predict_by_ngrams(line: str, allowed: Set[str]) -> dict[str, float]:
    """Return the probabilities of the allowed languages that the model knows, most probable first; empty where it knows
    none, or finds no n-gram in the line. Some .3 ms for 300 characters.

    At each byte the longest n-gram that ends there counts. As in py3langid, log probabilities are divided by the root
    of the length, so that a long text has no certainty of 1.
    """
    model = load_ngrams()
    columns = [at for at, code in enumerate(model.codes) if code in allowed]
    if not columns:
        return {}
    text = line[:MAX_CHARACTERS]
    text = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    rows, counts = np.unique(_find_rows(model, data), return_counts=True)
    if not len(rows):
        return {}
    weights = _WEIGHTS.take(counts, mode="clip")
    sums = weights @ model.table[rows][:, columns].astype(np.float64)
    scores = (sums * model.step + weights.sum() * model.floor) / _WEIGHT_UNIT + model.prior[columns]
    scores /= math.sqrt(len(data))
    shares = np.exp(scores - scores.max())
    shares = np.round(shares / shares.sum(), _DECIMALS)
    probabilities: dict[str, float] = {}
    for at, share in zip(columns, shares.tolist(), strict=True):
        code = model.codes[at]
        probabilities[code] = round(probabilities.get(code, 0.0) + share, _DECIMALS)
    return dict(sorted(probabilities.items(), key=lambda pair: -pair[1]))


def _find_rows(model: ByteNgrams, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Return the row of the longest n-gram that ends at each byte, without bytes where none does."""
    rows = np.full(len(data), -1, np.int32)
    values = data.astype(np.uint64)
    for size, (keys, numbers) in enumerate(zip(model.keys, model.rows, strict=True)):
        if size >= len(data):
            break
        if size:
            values = values[:-1] << np.uint64(8) | data[size:]
        places = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
        hits = keys[places] == values
        rows[size:][hits] = numbers[places[hits]]
    return rows[rows >= 0]
