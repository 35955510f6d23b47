"""The trainer's loader against np.memmap over the same tokens, and opening a terabyte of (sparse) shards.

python tests/benchmarks/loader_benchmark.py [MILLION TOKENS]
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader

CONTEXT = 1024
SAMPLES = 4096
ROUNDS = 7
BATCH_TOKENS = 4_000_000


def write_shard(path: Path, tokens: np.ndarray) -> int:
    """Documents of 1,000 tokens, about 4M tokens a record batch; gives the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema(
        {
            "doc_id": pa.string(),
            "bytes": pa.uint32(),
            "language": pa.string(),
            "tokens": pa.list_(pa.uint16()),
        }
    )
    rows = 0
    with pa.ipc.new_file(str(path), schema) as writer:
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = tokens[start : start + BATCH_TOKENS]
            offsets = np.append(np.arange(0, len(part), 1000), len(part)).astype(np.int32)
            count = len(offsets) - 1
            lists = pa.ListArray.from_arrays(offsets, pa.array(part))
            ids, tags = pa.array(["0" * 32] * count), pa.array(["eng_Latn"] * count)
            writer.write_batch(
                pa.record_batch([ids, pa.array([4000] * count, pa.uint32()), tags, lists], schema)
            )
            rows += count
    return rows


def describe(root: Path, shards: list[dict[str, object]]) -> None:
    content = {
        "schema_version": 1,
        "name": "benchmark",
        "tokenizer": {"sha256": "", "path": "../tokenizer/tokenizer.json"},
        "vocabulary_size": 50_000,
        "dtype": "uint16",
        "end_of_text": 0,
        "shards": shards,
        "mixture": {},
        "fingerprint": hashlib.blake2b(json.dumps(shards).encode(), digest_size=16).hexdigest(),
    }
    (root / "tokens" / "dataset.json").write_text(json.dumps(content))


def shard(name: str, rows: int, tokens: int) -> dict[str, object]:
    entry = {"path": name, "split": "train", "source": "s", "language": "eng_Latn"}
    return {**entry, "rows": rows, "tokens": tokens, "bytes": 4 * tokens, "sha256": ""}


def seconds(action: object, clock: object) -> float:
    begin = clock()  # type: ignore[operator]
    action()  # type: ignore[operator]
    return clock() - begin  # type: ignore[operator,no-any-return]


def throughput(root: Path, millions: int) -> None:
    tokens = np.random.default_rng(0).integers(0, 50_000, millions * 1_000_000, dtype=np.uint16)
    rows = write_shard(root / "tokens" / "a.arrow", tokens)
    describe(root, [shard("a.arrow", rows, len(tokens))])
    tokens.tofile(root / "a.bin")
    loader = Loader(open_dataset(str(root)), context=CONTEXT, seed=0)
    plain = np.memmap(root / "a.bin", np.uint16, "r")
    starts = np.random.default_rng(0).integers(0, len(plain) - CONTEXT - 1, SAMPLES).tolist()

    def memmap() -> None:
        out = np.empty((SAMPLES, CONTEXT + 1), np.uint16)
        for row, start in enumerate(starts):
            out[row] = plain[start : start + CONTEXT + 1]

    ours, theirs = [], []
    for _ in range(ROUNDS):  # the first touches every page it needs
        ours.append(seconds(lambda: loader.read(0, SAMPLES), time.process_time))
        theirs.append(seconds(memmap, time.process_time))
    count = SAMPLES * CONTEXT / 1e6
    print(
        f"{millions}M tokens, warm, windows of {CONTEXT}, million tokens a CPU second, best of {ROUNDS - 1}:"
    )
    print(f"  loader, order and vocabulary check included {count / min(ours[1:]):8,.0f}")
    print(f"  np.memmap, random starts                    {count / min(theirs[1:]):8,.0f}")


def terabyte(root: Path) -> None:
    """5,000 shards of 100M tokens, each as large as a real one, none of its pages there."""
    tokens = np.zeros(1_000_000, np.uint16)
    first = root / "tokens" / "shard-00000.arrow"
    rows = write_shard(first, tokens)
    content = first.read_bytes()
    shards = []
    for number in range(5000):
        name = f"shard-{number:05d}.arrow"
        with (root / "tokens" / name).open("wb") as file:
            file.truncate(200_000_000)
            file.seek(200_000_000 - 10)
            file.write(content[-10:])
        shards.append(shard(name, rows * 100, 100_000_000))
    describe(root, shards)
    opened = seconds(lambda: Loader(open_dataset(str(root)), context=CONTEXT, seed=0), time.perf_counter)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    print(f"1 TB in 5,000 shards: opened in {opened:.2f} s; open files allowed: {soft:,}")
    for number in range(5000):
        os.unlink(root / "tokens" / f"shard-{number:05d}.arrow")


def main() -> None:
    millions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        throughput(Path(folder) / "one", millions)
        terabyte(Path(folder) / "many")


if __name__ == "__main__":
    main()
