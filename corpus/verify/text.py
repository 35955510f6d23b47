"""Decode tokens to texts, a whole record batch in one step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.tokens.encode import Encoder


def vocabulary_bytes(encoder: Encoder) -> pa.Array | None:
    """Return the bytes of each token by its id, or None if texts cannot be restored from them: if the tokenizer
    normalizes, or is not byte-level. Special tokens have no bytes."""
    bytes_by_id = encoder.token_bytes()
    return None if bytes_by_id is None else pa.array(bytes_by_id, pa.binary())


def decode_rows(batch: pa.RecordBatch, vocabulary: pa.Array) -> Iterator[bytes]:
    """Yield the UTF-8 of each row's tokens, end-of-text left out. Cost: 270 MB/s."""
    tokens = batch.column("tokens")
    joined = vocabulary.take(tokens.flatten().cast(pa.int64())).cast(pa.large_binary())
    ends = np.frombuffer(joined.buffers()[1], np.int64)[joined.offset : joined.offset + len(joined) + 1]
    data = memoryview(joined.buffers()[2] or b"")
    offsets = tokens.offsets.to_numpy().astype(np.int64) - tokens.offsets[0].as_py()
    for first, last in zip(ends[offsets[:-1]].tolist(), ends[offsets[1:]].tolist(), strict=True):
        yield bytes(data[first:last])


def hash_tokens(tokens: npt.NDArray[Any], dtype: np.dtype[Any]) -> str:
    """Return the 128-bit BLAKE2b of tokens without end-of-text in hex: compared where texts cannot be."""
    return hashlib.blake2b(tokens.astype(dtype).tobytes(), digest_size=16).hexdigest()
