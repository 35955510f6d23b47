"""Which documents a tokenizer learns from: a sample of each language by hash, within a budget of bytes.

A document's key is a hash of (seed, id), and a language's sample is the documents with the smallest keys.
How small is small enough is found from histograms alone: each split counts its training documents and
bytes by language and bin of the key, sixteen bins for every halving, so that the budget is met within 5 %
whether a language is to give all of its documents or one in a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.dedup.rows import from_hex
from corpus.text.hashes import finalize
from corpus.tokens.rows import Group, kept

VERSION = 1
"""Raised when the same corpus would give another sample."""

CLIP = 64 << 10
"""Bytes that the sample takes of one document, so that a few books do not speak for a language."""

HISTOGRAM = pa.schema(
    [
        pa.field("language", pa.string(), nullable=False),
        pa.field("bin", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
    ]
)


def bins(ids: pa.Array | pa.ChunkedArray, seed: int) -> npt.NDArray[np.int64]:
    """The bin of each document's key: the rarer the higher, one in 2^(b/16) has bin b or more (b < 848).

    Exact integer steps, a sixteenth of the octave each, so no machine rounds them differently.
    """
    keys = finalize(from_hex(ids)[:, 0] + finalize(np.array([seed & (2**64 - 1)], np.uint64)))
    mantissa, exponent = np.frexp(np.maximum(keys >> np.uint64(11), np.uint64(1)).astype(np.float64))
    sixteenth = ((mantissa - 0.5) * 32).astype(np.int64)
    numbers: npt.NDArray[np.int64] = 16 * (53 - exponent.astype(np.int64)) + 15 - sixteenth
    return numbers


def histogram(documents: str, decisions: str, seed: int) -> pa.Table:
    """`HISTOGRAM` of the training documents of one split, sorted; bytes are clipped. Reads no text."""
    tables = []
    for group in kept(documents, decisions):
        training = group.columns.filter(pc.equal(group.columns.column("split"), "train"))
        size = np.minimum(training.column("bytes").to_numpy(), CLIP)
        ones = np.ones(training.num_rows, np.int64)
        numbers = bins(training.column("id"), seed)
        columns = [training.column("language").combine_chunks(), numbers, ones, size]
        tables.append(merge([pa.table(columns, schema=HISTOGRAM)]))
    return merge(tables)


def merge(tables: list[pa.Table]) -> pa.Table:
    """The sum of histograms, sorted by language and bin."""
    table = pa.concat_tables([HISTOGRAM.empty_table(), *tables])
    sums = table.group_by(["language", "bin"], use_threads=False).aggregate(
        [("documents", "sum"), ("bytes", "sum")]
    )
    sums = sums.select(["language", "bin", "documents_sum", "bytes_sum"]).sort_by(
        [("language", "ascending"), ("bin", "ascending")]
    )
    return sums.rename_columns(HISTOGRAM.names).cast(HISTOGRAM)


def budgets(bytes_of: Mapping[str, int], total: int, alpha: float) -> dict[str, float]:
    """Bytes each language gives to a sample of `total`: in proportion to size ** alpha, at most all it has.

    What languages that have less leave over goes to the others in the same proportions.
    """
    left = float(total)
    result: dict[str, float] = {}
    hungry = {language: size for language, size in sorted(bytes_of.items()) if size > 0}
    while hungry:
        norm = sum(size**alpha for size in hungry.values())
        full = {name: size for name, size in hungry.items() if size <= left * size**alpha / norm}
        if not full:
            return result | {name: left * size**alpha / norm for name, size in hungry.items()}
        for name, size in full.items():
            result[name] = float(size)
            left -= size
            del hungry[name]
    return result


def cuts(table: pa.Table, total: int, alpha: float) -> dict[str, int]:
    """The lowest bin that is in the sample, by language, from the merged histogram.

    A language stays within its budget, except that its rarest bin is always in: none goes unheard.
    """
    by_language = _split_by_language(table)
    budget_of = budgets({name: int(rows["bytes"].sum()) for name, rows in by_language.items()}, total, alpha)
    result: dict[str, int] = {}
    for language, rows in by_language.items():
        rarest_first = np.argsort(-rows["bin"])
        within = np.cumsum(rows["bytes"][rarest_first]) <= budget_of.get(language, 0.0) + 0.5
        taken = max(1, int(within.sum()))
        result[language] = int(rows["bin"][rarest_first][taken - 1])
    return result


def sizes(table: pa.Table, chosen: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """By language: documents and bytes (clipped) in the sample, and in the corpus."""
    result = {}
    for language, rows in _split_by_language(table).items():
        inside = rows["bin"] >= chosen[language]
        result[language] = {
            "documents": int(rows["documents"][inside].sum()),
            "bytes": int(rows["bytes"][inside].sum()),
            "of_documents": int(rows["documents"].sum()),
            "of_bytes": int(rows["bytes"].sum()),
        }
    return result


def texts(documents: str, decisions: str, seed: int, chosen: Mapping[str, int]) -> Iterator[str]:
    """The sampled training texts of one split, each clipped to `CLIP` bytes. Memory: one row group."""
    for group in kept(documents, decisions):
        for scalar in group.texts(_select_rows(group, seed, chosen)):
            text = scalar.as_py()
            yield text if len(text) * 4 <= CLIP else text.encode()[:CLIP].decode(errors="ignore")


def _select_rows(group: Group, seed: int, chosen: Mapping[str, int]) -> npt.NDArray[np.int64]:
    languages = group.columns.column("language").combine_chunks().dictionary_encode()
    lowest = np.array([chosen.get(name, 1 << 20) for name in languages.dictionary.to_pylist()], np.int64)
    train = pc.fill_null(pc.equal(group.columns.column("split"), "train"), False).to_numpy()
    inside = bins(group.columns.column("id"), seed) >= lowest[languages.indices.to_numpy()]
    return np.flatnonzero(train & inside)


def _split_by_language(table: pa.Table) -> dict[str, dict[str, npt.NDArray[np.int64]]]:
    """The rows of a sorted histogram by language."""
    names = table.column("language").to_pylist()
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    ends = [*starts[1:], len(names)] if starts else []
    columns = {name: table.column(name).to_numpy() for name in ("bin", "documents", "bytes")}
    return {
        names[start]: {name: values[start:end] for name, values in columns.items()}
        for start, end in zip(starts, ends, strict=True)
    }
