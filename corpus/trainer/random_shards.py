"""Write a workspace of random tokens: shards as a build writes them, to measure on without a corpus."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

DOCUMENT_TOKENS = 700
"""Mean length of a document, as in the sample data."""
ROWS_PER_BATCH = 4096


def write_random_workspace(folder: Path, *, vocabulary: int, tokens: int) -> Path:
    """Write about `tokens` tokens below `vocabulary` as one training stream; token 0 ends a document."""
    dtype = "uint16" if vocabulary <= 1 << 16 else "uint32"
    random = np.random.default_rng(0)
    lengths = random.geometric(1 / DOCUMENT_TOKENS, max(1, tokens // DOCUMENT_TOKENS)) + 1
    ends = np.cumsum(lengths)
    flat = random.integers(1, vocabulary, int(ends[-1]), dtype=dtype)
    flat[ends - 1] = 0
    relative = "split=train/source=random/language=und/shard-00000.arrow"
    path = folder / "tokens" / relative
    path.parent.mkdir(parents=True)
    with pa.OSFile(str(path), "wb") as sink:
        writer: pa.RecordBatchFileWriter | None = None
        for first in range(0, len(lengths), ROWS_PER_BATCH):
            rows = slice(first, first + ROWS_PER_BATCH)
            begin = int(ends[first] - lengths[first])
            offsets = np.concatenate(([0], ends[rows] - begin)).astype(np.int32)
            batch = pa.record_batch(
                {
                    "doc_id": [f"random-{number}" for number in range(first, first + len(lengths[rows]))],
                    "bytes": pa.array(4 * lengths[rows], pa.uint32()),
                    "language": ["und"] * len(lengths[rows]),
                    "tokens": pa.ListArray.from_arrays(
                        pa.array(offsets), pa.array(flat[begin : ends[rows][-1]])
                    ),
                }
            )
            writer = writer or pa.ipc.new_file(sink, batch.schema)
            writer.write_batch(batch)
        assert writer is not None
        writer.close()
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    shard = {
        "path": relative, "split": "train", "source": "random", "language": "und", "rows": len(lengths),
        "tokens": int(ends[-1]), "bytes": 4 * int(ends[-1]), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    content: dict[str, Any] = {
        "schema_version": 1, "name": "random", "fingerprint": f"random-{vocabulary}-{int(ends[-1])}",
        "vocabulary_size": vocabulary, "dtype": dtype, "end_of_text": 0, "shards": [shard], "mixture": {},
        "tokenizer": {"path": "../tokenizer/tokenizer.json", "sha256": hashlib.sha256(b"{}").hexdigest()},
    }  # fmt: skip
    (folder / "tokens" / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
