"""The trainer's loader: against np.memmap over the same tokens, as a share of a training step, and opening a terabyte
of (sparse) shards; a DataLoader over `corpus.open(DIR).torch()` against it. What is asked of it stands in brackets.

python -m tests.benchmarks.loader_benchmark [MILLION TOKENS]
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader

from corpus.trainer.dataset import open_dataset
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import Loader
from corpus.trainer.start import configure_new_run
from corpus.trainer.torch_dataset import PackedDataset
from tests.benchmarks import bench

CONTEXT = 1024
SAMPLES = 4096
LOADER_BATCH = 16
ROUNDS = 7
BATCH_TOKENS = 4_000_000
STEPS, STEP_TOKENS = 5, 4096


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
        "totals": {},
        "mixture": {},
        "fingerprint": hashlib.blake2b(json.dumps(shards).encode(), digest_size=16).hexdigest(),
    }
    (root / "tokens" / "dataset.json").write_text(json.dumps(content))


def shard(name: str, rows: int, tokens: int) -> dict[str, object]:
    entry = {"path": name, "split": "train", "source": "s", "language": "eng_Latn"}
    return {**entry, "rows": rows, "tokens": tokens, "bytes": 4 * tokens, "sha256": ""}


def seconds(action: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    action()
    return clock() - begin


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

    pairs = [
        (seconds(lambda: loader.read(0, SAMPLES), time.process_time), seconds(memmap, time.process_time))
        for _ in range(ROUNDS)
    ][1:]  # the first touches every page it needs
    ours, theirs = np.median(pairs, axis=0)
    ratio = float(np.median([one / other for one, other in pairs]))
    count = SAMPLES * CONTEXT / 1e6
    print(
        f"{millions}M tokens, warm, windows of {CONTEXT}, million tokens a CPU second, median of {len(pairs)}:"
    )
    print(f"  loader, order and vocabulary check included {count / ours:8,.0f}  [100]")
    print(f"  np.memmap, random starts                    {count / theirs:8,.0f}")
    print(f"  the loader takes {ratio:.2f} times as long, paired  [1.15]")


def share(root: Path, size: str) -> None:
    """What the loop asks of the loader for a step, beside the rest of the step: gradient, clipping, update."""
    dataset = open_dataset(str(root))
    config = configure_new_run(
        dataset, str(root), {"size": size, "steps": STEPS, "batch_tokens": STEP_TOKENS}
    )
    loader = Loader(dataset, context=config.model.context, seed=0)
    engine = Engine(config, torch.device("cpu"), World())
    loading, computing = [], []
    for step in range(STEPS):
        start, stop = step * config.batch_samples, (step + 1) * config.batch_samples
        begin = time.process_time()
        drawn, batch = int(loader.count_targets(start, stop).sum()), loader.read(start, stop)
        read = time.process_time()
        engine.read(engine.backward(batch, drawn), engine.clip())
        engine.update(config.learning_rate)
        loading.append(read - begin)
        computing.append(time.process_time() - read)
    ours, rest = float(np.median(loading)), float(np.median(computing))
    print(
        f"  {size}: {1e3 * ours:.2f} ms of a step of {config.step_tokens:,} tokens, {rest:.2f} s: "
        f"{ours / (ours + rest):.3%}  [1%]"
    )


def data_loader(root: Path) -> None:
    """A DataLoader in this process against the trainer's loader, which makes its inputs and targets as Engine does."""
    loader = Loader(open_dataset(str(root)), context=CONTEXT, seed=0)
    places = torch.arange(CONTEXT)
    sides: dict[str, Callable[[], object]] = {}

    def read() -> None:
        for start in range(0, SAMPLES, LOADER_BATCH):
            loader.read(start, start + LOADER_BATCH)

    def trainer() -> None:
        for start in range(0, SAMPLES, LOADER_BATCH):
            batch = loader.read(start, start + LOADER_BATCH)
            tokens = torch.from_numpy(batch.tokens).long()
            padding = places >= torch.from_numpy(batch.lengths - 1)[:, None]
            tokens[:, :-1], tokens[:, 1:].masked_fill(padding, -1)

    def drain(**options: Any) -> Callable[[], object]:
        dataset = PackedDataset(str(root), context=CONTEXT, **options)
        return lambda: [None for _ in DataLoader(dataset, batch_size=LOADER_BATCH)]

    one = {"rank": 0, "world": 1, "stop": SAMPLES}
    sides["the trainer's loader, to int64 inputs and targets"] = trainer
    sides["DataLoader, labels='next'"] = drain(labels="next", **one)
    sides["DataLoader, labels='same'"] = drain(labels="same", **one)
    sides["DataLoader, labels='next', one of 8 processes"] = drain(
        labels="next", rank=3, world=8, stop=8 * SAMPLES
    )
    sides["the trainer's loader alone, 16 bits a token"] = read
    rounds = [[seconds(side, time.process_time) for side in sides.values()] for _ in range(ROUNDS)][1:]
    ratios = np.median([[times[0] / each for each in times] for times in rounds], axis=0)
    print(
        f"batches of {LOADER_BATCH} windows of {CONTEXT}, one thread, million tokens a CPU second, and the speed as a "
        f"multiple of the first, median of {len(rounds)}:"
    )
    for name, each, ratio in zip(sides, np.median(rounds, axis=0), ratios, strict=True):
        asked = "  [0.8]" if name.startswith("DataLoader") else ""
        print(f"  {name:50} {SAMPLES * CONTEXT / 1e6 / each:6,.0f}  {ratio:.2f}{asked}")


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
    print(f"1 TB in 5,000 shards: opened in {opened:.2f} s  [10]; open files allowed: {soft:,}")
    for number in range(5000):
        os.unlink(root / "tokens" / f"shard-{number:05d}.arrow")


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("millions", nargs="?", type=int, default=200, help="of tokens")
    millions = parser.parse_args().millions
    with tempfile.TemporaryDirectory() as folder:
        throughput(Path(folder) / "one", millions)
        torch.set_num_threads(1)
        data_loader(Path(folder) / "one")
        print("CPU seconds of loading in a training step, one thread:")
        for size in ("1m", "tiny", "mini"):
            share(Path(folder) / "one", size)
        terabyte(Path(folder) / "many")


if __name__ == "__main__":
    main()
