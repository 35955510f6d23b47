"""Deduplication beside datatrove, datasketch and rensa: signatures, pairing as a pipeline, and from texts to the rest.

    python -m tests.benchmarks.dedup_benchmark --documents 100000 --workers 1

The signatures to pair are made up: of `--duplicates` (a tenth) of the documents, four in five are near-duplicates
(similarity .75 to 1) of others, half of those in families of some 20 to 1,000, one for each 1,000 documents, half in
pairs, and one in five is an exact copy. Memory is the most that all processes had resident together, looked at twice
a second: pages that they share count more than once.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from datasketch import LeanMinHash, MinHashLSH
from datasketch import MinHash as TheirMinHash

from corpus.dedup import minhash
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.rows import SplitRows, to_hex
from corpus.dedup.shingles import hash_shingles, list_window_bytes
from corpus.dedup.signature_set import serialize_signatures, set_schema
from corpus.dedup.signatures import (
    SIGNATURE_BATCH_ROWS,
    SignatureStep,
    SignatureWriter,
    signature_schema,
    to_signature_batch,
)
from corpus.pipelines import dedup
from corpus.pipelines.beam.options import Running
from corpus.pipelines.dedup_steps import clusters_path
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.benchmarks import bench


@dataclass
class Timer:
    seconds: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed() -> Iterator[Timer]:
    """Wall-clock and CPU seconds of a block, child processes included."""

    def cpu() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in both)

    timer, start, used = Timer(), time.perf_counter(), cpu()
    yield timer
    timer.seconds, timer.cpu = time.perf_counter() - start, cpu() - used


def texts(count: int, words: int) -> list[str]:
    """Made-up texts over 20,000 words, frequencies as in language."""
    random = np.random.default_rng(1)
    letters = random.integers(97, 123, (20_000, 7)).astype(np.uint8)
    vocabulary = np.array([bytes(row[: 2 + at % 6]).decode() for at, row in enumerate(letters)])
    return [" ".join(vocabulary[random.zipf(1.2, words) % 20_000]) for _ in range(count)]


def signatures(count: int, words: int) -> None:
    options = MinHashOptions()
    step = SignatureStep(options)
    made = texts(count, words)
    print(f"\nsignatures of {count:,} documents of {words} words, {options.width} permutations, one core")
    with timed() as split:
        documents = [segment_words(text, "eng_Latn") for text in made]
    print(f"  {'ICU words (shared with the filters)':44}{count / split.cpu:>10,.0f} documents/s")
    with timed() as ours:
        for start in range(0, count, 512):
            step.signatures(documents[start : start + 512])
    print(f"  {'ours, shingles and all':44}{count / ours.cpu:>10,.0f} documents/s")
    hashes, counts = hash_shingles(documents, len(documents) * [options.shape(None)])
    with timed() as permuted:
        minhash.compute_signatures(hashes, counts, options.width, options.seed)
    print(f"  {'ours, permutations alone':44}{count / permuted.cpu:>10,.0f} documents/s")
    some = documents[: count // 10]
    with timed() as windows:
        given = [list_window_bytes(document, options.shape(None)) for document in some]
    with timed() as theirs:
        for pieces in given:
            sketch = TheirMinHash(
                num_perm=options.width, seed=options.seed, scheme="affine32", hashfunc=xxhash.xxh32_intdigest
            )
            sketch.update_batch(pieces)
    print(f"  {'datasketch, update_batch on window bytes':44}{len(some) / theirs.cpu:>10,.0f} documents/s")
    together = len(some) / (theirs.cpu + windows.cpu)
    print(f"  {'datasketch, making the windows too':44}{together:>10,.0f} documents/s")
    try:
        from rensa import RMinHash
    except ModuleNotFoundError:
        print(f"  rensa is missing in {bench.PEERS}: `make bench` puts it there")
        return
    with timed() as rust:
        for pieces in given:
            fast = RMinHash(num_perm=options.width, seed=options.seed)
            fast.update(pieces)
            fast.digest()
    print(f"  {'rensa RMinHash on window bytes':44}{len(some) / rust.cpu:>10,.0f} documents/s")
    together = len(some) / (rust.cpu + windows.cpu)
    print(f"  {'rensa, making the windows too':44}{together:>10,.0f} documents/s")


@dataclass(frozen=True)
class Made:
    """Rows for documents that exist only as signatures."""

    rows: int
    seed: int
    duplicates: float
    families: int

    def content(self, split: int) -> np.ndarray:
        """uint64[rows, 2]: some documents have the content of one before them."""
        random = np.random.default_rng([self.seed, split])
        content = random.integers(0, 1 << 64, (self.rows, 2), dtype=np.uint64)
        copies = np.arange(19, self.rows, max(1, round(5 / self.duplicates)))
        content[copies] = content[copies - random.integers(1, 19, len(copies))]
        return content

    def __call__(self, source: str, split: str) -> SplitRows:
        random = np.random.default_rng([self.seed, int(split), 1])
        return SplitRows(
            row=np.arange(self.rows),
            content=self.content(int(split)),
            url=random.integers(1, 1 << 64, self.rows, dtype=np.uint64),
            priority=np.zeros(self.rows, np.int32),
            quality=random.random(self.rows, dtype=np.float32),
            length=random.integers(200, 100_000, self.rows),
            id=random.integers(0, 1 << 64, (self.rows, 2), dtype=np.uint64),
        )

    def signatures(self, split: int, width: int) -> np.ndarray:
        """uint32[rows, width]: some of them near one of the shared families or of the same split."""
        random = np.random.default_rng([self.seed, split, 2])
        families = draw_families(self.seed, self.families, width)
        found = random.integers(0, 1 << 32, (self.rows, width), dtype=np.uint32)
        near = np.flatnonzero(random.random(self.rows) < 0.8 * self.duplicates)
        kept = random.random((len(near), width)) < random.uniform(0.87, 1, (len(near), 1))
        # Half of them of large families over all splits, half in pairs.
        base = np.where(
            (np.arange(len(near)) % 2 == 0)[:, None],
            families[(self.families * random.random(len(near)) ** 2).astype(np.int64)],
            found[near - 1],
        )
        found[near] = np.where(kept, base, found[near])
        _, first, same = np.unique(self.content(split), axis=0, return_index=True, return_inverse=True)
        return found[first[same.reshape(-1)]]


@cache
def draw_families(seed: int, count: int, width: int) -> np.ndarray:
    return np.random.default_rng([seed, 3]).integers(0, 1 << 32, (count, width), dtype=np.uint32)


class MemoryWatch(threading.Thread):
    """The most memory that this process and its children had resident at one time, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.5):
            self.peak = max(self.peak, self._resident(os.getpid()))

    def _resident(self, process: int) -> int:
        try:
            with (
                open(f"/proc/{process}/statm") as pages,
                open(f"/proc/{process}/task/{process}/children") as ids,
            ):
                own = int(pages.read().split()[1]) * resource.getpagesize()
                return own + sum(map(self._resident, map(int, ids.read().split())))
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            return 0


def from_texts(count: int, words: int) -> None:
    """Near-duplicates of made-up texts, from the texts to what is left, beside datatrove's four stages."""
    random = np.random.default_rng(2)
    made = texts(count, words)
    for at in range(9, count, 10):  # a tenth are others with one word in a hundred left out
        taken = made[at - 9].split(" ")
        made[at] = " ".join(
            word for word, left in zip(taken, random.random(words) > 0.01, strict=True) if left
        )
    print(f"\nfrom {count:,} texts of {words} words to those that stay, one process, CPU seconds")
    options = DedupOptions(exact=False, url=False)
    assert options.minhash is not None
    step, schema = SignatureStep(options.minhash), signature_schema(options.minhash)
    with tempfile.TemporaryDirectory(prefix="corpus-benchmark-") as folder:
        workspace = Workspace(folder)
        with timed() as signed:
            documents = [segment_words(text, "eng_Latn") for text in made]
            with SignatureWriter(
                workspace.part("dedup/signatures", "web", "0", "arrow"), schema, "x"
            ) as part:
                for start in range(0, count, 512):
                    part.write(step.signatures(documents[start : start + 512]))
        running = Running()
        with timed() as paired, tempfile.TemporaryDirectory(prefix="corpus-claims-") as claims:
            rows = Made(count, 1, 0.1, families=1)
            search = dedup.dedup_pipeline(workspace, [("web", "0")], rows, options, "x", running, claims)
            with beam.Pipeline(options=running.options("dedup")) as pipeline:
                search(pipeline)
        removed = pq.read_metadata(clusters_path(workspace)).num_rows
        print(f"  {'ours: words, signatures':44}{signed.cpu:>10,.2f}")
        print(f"  {'ours: all steps from pairs to clusters':44}{paired.cpu:>10,.2f}")
        print(f"  {'ours, together':44}{signed.cpu + paired.cpu:>10,.2f}; {count - removed:,} stay")
        if not bench.DATATROVE.exists():
            print(f"  {bench.DATATROVE} is missing: `make bench` makes it")
            return
        os.makedirs(f"{folder}/texts")
        table = pa.table({"text": made, "id": [str(at) for at in range(count)]})
        pq.write_table(table, f"{folder}/texts/texts.parquet")
        peer = Path(__file__).parent / "peers" / "datatrove_minhash.py"
        command = [bench.datatrove(), str(peer), f"{folder}/texts/texts.parquet", f"{folder}/datatrove"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        theirs = json.loads(done.stdout.splitlines()[-1])
        for name, seconds in theirs["seconds"].items():
            print(f"  {f'datatrove: {name}':44}{seconds:>10,.2f}")
        print(
            f"  {'datatrove, together':44}{sum(theirs['seconds'].values()):>10,.2f}; {theirs['kept']:,} stay"
        )


def write_set(folder: str, made: Made, splits: range, options: MinHashOptions) -> None:
    """Write the documents of some splits as `corpus export --signatures` does."""
    schema = set_schema(options)
    for split in splits:
        rows = made("web", str(split))
        columns = [to_hex(rows.id), to_hex(rows.content), pa.array(rows.url)]
        columns.append(serialize_signatures(made.signatures(split, options.width), options))
        path = f"{folder}/part-{split:06d}.arrow"
        with pa.ipc.new_file(path, schema) as writer:
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), SIGNATURE_BATCH_ROWS)


def pairing(
    documents: int, rows: int, workers: int, baseline: int, duplicates: float, against: int = 0
) -> None:
    """Find the duplicates of made-up documents, among themselves and `against` as many others of earlier builds."""
    options = DedupOptions()
    assert options.minhash is not None
    made = Made(rows, 1, duplicates, families=max(1, documents // 1000))
    schema = signature_schema(options.minhash)
    names = [("web", f"{split:06d}") for split in range(-(-documents // rows))]
    documents = rows * len(names)
    print(f"\npairing of {documents:,} documents in {len(names)} splits, {workers} worker(s)")
    with tempfile.TemporaryDirectory(prefix="corpus-benchmark-") as folder:
        workspace = Workspace(folder)
        for split, (source, name) in enumerate(names):
            with SignatureWriter(
                workspace.part("dedup/signatures", source, name, "arrow"), schema, "x"
            ) as part:
                part.write(to_signature_batch(made.signatures(split, options.minhash.width), schema))
        if against:
            earlier = f"{folder}/earlier"
            os.mkdir(earlier)
            write_set(earlier, made, range(len(names), len(names) + -(-against // rows)), options.minhash)
            options = options.model_copy(update={"against": [earlier]})
            print(f"  {'against, in a set of signatures':44}{-(-against // rows) * rows:>10,}")
        watch = MemoryWatch()
        watch.start()
        running = Running(workers=workers)
        with timed() as ours, tempfile.TemporaryDirectory(prefix="corpus-claims-") as claims:
            search = dedup.dedup_pipeline(workspace, names, made, options, "benchmark", running, claims)
            with beam.Pipeline(options=running.options("dedup")) as pipeline:
                search(pipeline)
        watch.ended.set()
        result: Any = pipeline.result
        counters = result.metrics().query()["counters"]
        found = pq.read_table(clusters_path(workspace))
    for counter in sorted(counters, key=lambda counter: counter.key.metric.name):
        print(f"  {counter.key.metric.name:44}{counter.committed:>10,}")
    for level in found["level"].value_counts().to_pylist():
        print(f"  removed, {level['values']:35}{level['counts']:>10,}")
    print(f"  {'wall-clock':44}{ours.seconds:>10,.1f} s")
    print(f"  {'CPU':44}{ours.cpu:>10,.1f} s, {documents / ours.cpu:,.0f} documents/s")
    print(f"  {'memory of all processes':44}{watch.peak / (1 << 20):>10,.0f} MiB")
    minhash_options = options.minhash
    assert minhash_options is not None
    some = made.signatures(0, minhash_options.width)[:baseline]
    with timed() as theirs:
        index = MinHashLSH(params=minhash_options.banding, num_perm=minhash_options.width)
        for at, row in enumerate(some):
            sketch = LeanMinHash(seed=1, hashvalues=row, scheme="affine32")
            index.query(sketch)
            index.insert(at, sketch, check_duplication=False)
    print(
        f"  {'datasketch MinHashLSH, candidates alone':44}{theirs.cpu / len(some) * documents:>10,.1f} s CPU"
    )


if __name__ == "__main__":
    parser = bench.parser(__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=5_000, help="documents of a split")
    parser.add_argument("--words", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--duplicates", type=float, default=0.1)
    parser.add_argument("--against", type=int, default=0, help="documents of earlier builds")
    arguments = parser.parse_args()
    # By the name of this module: other processes import what the pipeline holds from there.
    from tests.benchmarks import dedup_benchmark as own

    own.pairing(
        arguments.documents,
        arguments.rows,
        arguments.workers,
        baseline=min(arguments.rows, 5_000),
        duplicates=arguments.duplicates,
        against=arguments.against,
    )
    own.signatures(min(arguments.documents, 5_000), arguments.words)
    own.from_texts(min(arguments.documents, 2_000), arguments.words)
