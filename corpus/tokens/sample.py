"""The documents that a tokenizer is trained on: a sample of each language by hash, within a budget of bytes.

A document's key is a hash of (seed, id), and a language's sample is the documents with the smallest keys.
The bound on the keys comes from histograms alone: each input split counts its training documents and
bytes by language and bin of the key, sixteen bins for every halving, so that the budget is met within 5 %
whether a language contributes all of its documents or one in a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.dedup.rows import parse_hex
from corpus.text.hashes import finalize
from corpus.tokens.rows import KeptGroup, TextEdits, read_kept_groups

VERSION = 1
"""Increased when the same corpus would give another sample."""

MAX_SAMPLED_DOCUMENT_BYTES = 64 << 10
"""Bytes that the sample takes of one document at most, so that a few books do not represent a language."""

HISTOGRAM_SCHEMA = pa.schema(
    [
        pa.field("language", pa.string(), nullable=False),
        pa.field("bin", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
    ]
)


def assign_bins(ids: pa.Array | pa.ChunkedArray, seed: int) -> npt.NDArray[np.int64]:
    """Return the bin of each document's key: the rarer the higher, one in 2^(b/16) has bin b or more (b < 848).

    Exact integer steps, a sixteenth of the octave each, so no machine rounds them differently.
    """
    keys = finalize(parse_hex(ids)[:, 0] + finalize(np.array([seed & (2**64 - 1)], np.uint64)))
    mantissa, exponent = np.frexp(np.maximum(keys >> np.uint64(11), np.uint64(1)).astype(np.float64))
    sixteenth = ((mantissa - 0.5) * 32).astype(np.int64)
    numbers: npt.NDArray[np.int64] = 16 * (53 - exponent.astype(np.int64)) + 15 - sixteenth
    return numbers


def build_histogram(documents: str, decisions: str, seed: int) -> pa.Table:
    """`HISTOGRAM_SCHEMA` of the training documents of one input split, sorted; bytes are clipped.

    Reads no text: bytes are those before edits.
    """
    tables = []
    for group in read_kept_groups(documents, decisions):
        training = group.columns.filter(group.columns.column("trains"))
        size = np.minimum(training.column("bytes").to_numpy(), MAX_SAMPLED_DOCUMENT_BYTES)
        ones = np.ones(training.num_rows, np.int64)
        numbers = assign_bins(training.column("id"), seed)
        columns = [training.column("language").combine_chunks(), numbers, ones, size]
        tables.append(merge_histograms([pa.table(columns, schema=HISTOGRAM_SCHEMA)]))
    return merge_histograms(tables)


def merge_histograms(tables: list[pa.Table]) -> pa.Table:
    """Sum histograms; the result is sorted by language and bin."""
    table = pa.concat_tables([HISTOGRAM_SCHEMA.empty_table(), *tables])
    sums = table.group_by(["language", "bin"], use_threads=False).aggregate(
        [("documents", "sum"), ("bytes", "sum")]
    )
    sums = sums.select(["language", "bin", "documents_sum", "bytes_sum"]).sort_by(
        [("language", "ascending"), ("bin", "ascending")]
    )
    return sums.rename_columns(HISTOGRAM_SCHEMA.names).cast(HISTOGRAM_SCHEMA)


def allocate_budgets(bytes_of: Mapping[str, int], total: int, alpha: float) -> dict[str, float]:
    """Return the bytes of each language in a sample of `total`: in proportion to size ** alpha, at most all it has.

    What smaller languages leave of their share is distributed over the others in the same proportions.
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


def choose_cuts(table: pa.Table, total: int, alpha: float) -> dict[str, int]:
    """Return the lowest bin that is in the sample, by language, from the merged histogram.

    A language stays within its budget, except that its rarest bin is always included: no language is left out.
    """
    by_language = _split_by_language(table)
    budget_of = allocate_budgets(
        {name: int(rows["bytes"].sum()) for name, rows in by_language.items()}, total, alpha
    )
    result: dict[str, int] = {}
    for language, rows in by_language.items():
        rarest_first = np.argsort(-rows["bin"])
        within = np.cumsum(rows["bytes"][rarest_first]) <= budget_of.get(language, 0.0) + 0.5
        taken = max(1, int(within.sum()))
        result[language] = int(rows["bin"][rarest_first][taken - 1])
    return result


def measure_sample(table: pa.Table, chosen: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return, by language, the documents and bytes (clipped) in the sample and in the corpus."""
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


def read_sampled_texts(
    documents: str,
    decisions: str,
    seed: int,
    chosen: Mapping[str, int],
    edits: TextEdits | None = None,
) -> Iterator[str]:
    """Yield the sampled training texts of an input split, with its `edits`, up to `MAX_SAMPLED_DOCUMENT_BYTES` each.

    Memory: one row group.
    """
    for group in read_kept_groups(documents, decisions, edits):
        for scalar in group.texts(_select_rows(group, seed, chosen)):
            text = scalar.as_py()
            yield (
                text
                if len(text) * 4 <= MAX_SAMPLED_DOCUMENT_BYTES
                else text.encode()[:MAX_SAMPLED_DOCUMENT_BYTES].decode(errors="ignore")
            )


def _select_rows(group: KeptGroup, seed: int, chosen: Mapping[str, int]) -> npt.NDArray[np.int64]:
    languages = group.columns.column("language").combine_chunks().dictionary_encode()
    lowest = np.array([chosen.get(name, 1 << 20) for name in languages.dictionary.to_pylist()], np.int64)
    train = group.columns.column("trains").to_numpy()
    inside = assign_bins(group.columns.column("id"), seed) >= lowest[languages.indices.to_numpy()]
    return np.flatnonzero(train & inside)


def _split_by_language(table: pa.Table) -> dict[str, dict[str, npt.NDArray[np.int64]]]:
    """Split a sorted histogram by language."""
    names = table.column("language").to_pylist()
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    ends = [*starts[1:], len(names)] if starts else []
    columns = {name: table.column(name).to_numpy() for name in ("bin", "documents", "bytes")}
    return {
        names[start]: {name: values[start:end] for name, values in columns.items()}
        for start, end in zip(starts, ends, strict=True)
    }
