"""Flink at work: what a second core brings, many splits, a million documents. Each beside a local build, same bytes.

    CORPUS_DATA=... python -m tests.engines.bench [cores] [splits] [documents]

cores      a build of copies of web-open.warc.gz (--copies) by one TaskManager and its worker on one core, and by two
           on two: seconds of the jobs from their start to their end as Flink says, and all else apart.
splits     a build of --splits input splits (10,000): seconds until it is planned, until the first part is made and
           until the end, and the driver's memory, which a tenth of the splits takes as well.
documents  --documents (a million) from their signatures to their clusters, the data of a worker limited to
           --worker-memory (libraries and threads reserve more than they use): seconds, bytes shuffled. They
           are ingested once, locally.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.benchmarks import bench
from tests.engines.differences import list_differences
from tests.engines.engines import Running, count_shuffled, count_splits, fetch_flink, list_jobs, start_flink
from tests.engines.installed import corpus_command, install_wheel
from tests.engines.processes import clean_environment
from tests.pipelines.small import SENTENCES


@dataclass
class Build:
    """What a build took."""

    seconds: float = 0.0
    planned: float | None = None
    first_part: float | None = None
    driver: int = 0
    """Bytes that the driver had resident at most."""
    worker: int = 0
    """Bytes that a worker had resident at most."""
    jobs: list[tuple[str, float]] = field(default_factory=list)
    shuffled: int = 0
    splits: list[int] = field(default_factory=list)


class Watch(threading.Thread):
    """Looks at a build ten times a second."""

    def __init__(self, process: int, out: Path, build: Build, running: Running | None) -> None:
        super().__init__(daemon=True)
        self.process, self.out, self.build, self.running = process, out, build, running
        self.began, self.ended = time.monotonic(), threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            passed = time.monotonic() - self.began
            if self.build.planned is None and (self.out / "plan.json").exists():
                self.build.planned = passed
            if self.build.first_part is None and next(self.out.glob("documents/*/part-*"), None):
                self.build.first_part = passed
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
                self.build.driver = max(self.build.driver, pages * resource.getpagesize())
            for worker in self.running.list_workers() if self.running is not None else []:
                self.build.worker = max(self.build.worker, read_peak(worker))


def read_peak(process: int) -> int:
    """Return the most bytes that a process has had resident; 0 once it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Bench:
    folder: Path
    environment: Path

    def build(self, manifest: Path, out: Path, *options: str, running: Running | None = None) -> Build:
        """Build a workspace to its end."""
        made = Build()
        process = subprocess.Popen(
            [*corpus_command(self.environment), "build", str(manifest), "--out", str(out), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=clean_environment({"COLUMNS": "120"}),
        )
        watch = Watch(process.pid, out, made, running)
        watch.start()
        said = process.communicate()[0]
        made.seconds = time.monotonic() - watch.began
        watch.ended.set()
        assert process.returncode == 0, said
        return made

    def build_on_flink(
        self,
        manifest: Path,
        out: Path,
        task_managers: int,
        cores: str | None = None,
        memory: int | None = None,
    ) -> Build:
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as place,
            start_flink(Path(place), self.environment, task_managers, cores, memory) as running,
        ):
            assert running.page is not None
            made = self.build(manifest, out, "--", *running.options, running=running)
            made.jobs, made.shuffled = list_jobs(running.page), count_shuffled(running.page)
            made.splits = count_splits(running.page)
        return made


def print_equal(local: Path, made: Path) -> None:
    differences = list_differences(local, made)
    print(f"    {len(differences)} files differ from the local build", *differences[:5], flush=True)


def measure_cores(own: Bench, copies: int) -> None:
    warc = bench.sample_data() / "warc" / "web-open.warc.gz"
    inputs = own.folder / "cores"
    inputs.mkdir()
    for number in range(copies):
        shutil.copy(warc, inputs / f"{number:03}.warc.gz")
    manifest = inputs / "manifest.yaml"
    manifest.write_text(
        f"name: cores\nsplit_size: 4MB\nsources: {{web: {{kind: warc, paths: ['{inputs}/*.warc.gz']}}}}\n"
    )
    print(f"cores: {copies} copies of {warc.name}")
    times = {}
    for managers, cores in ((1, "0"), (2, "0,1")):
        out = own.folder / f"cores-{managers}"
        made = own.build_on_flink(manifest, out, managers, cores)
        times[managers] = sum(seconds for _, seconds in made.jobs)
        print(
            f"  {managers} TaskManager(s), core(s) {cores}: jobs {times[managers]:.0f} s, all {made.seconds:.0f} s"
        )
        print(f"    splits read by each: {made.splits}")
        print(f"    jobs: {', '.join(f'{name} {seconds:.0f}' for name, seconds in made.jobs)}", flush=True)
    print_equal(own.folder / "cores-1", own.folder / "cores-2")
    print(f"  two take {times[2] / times[1]:.2f} of the time of one")


def measure_splits(own: Bench, splits: int) -> None:
    print(f"splits: {splits:,} and a tenth of them")
    for count in (splits // 10, splits):
        inputs = own.folder / f"splits-{count}"
        inputs.mkdir()
        manifest = write_lines(inputs, count, lines=5, split_size=2048)
        local, out = own.folder / f"local-{count}", own.folder / f"flink-{count}"
        show(f"{count:,}, local, two workers", own.build(manifest, local, "--workers", "2"))
        show(f"{count:,}, two TaskManagers", own.build_on_flink(manifest, out, 2))
        print_equal(local, out)


def show(name: str, made: Build) -> None:
    print(
        f"  {name}: planned after {made.planned or 0:.1f} s, first part {made.first_part or 0:.1f} s, "
        f"end {made.seconds:.0f} s, driver {made.driver / 1e6:.0f} MB, worker {made.worker / 1e6:.0f} MB",
        flush=True,
    )


def write_lines(folder: Path, splits: int, lines: int, split_size: int) -> Path:
    """Write files of JSON lines that are cut into about so many splits; return the manifest."""
    per_file = 500
    for number in range(-(-splits // per_file)):
        draw = random.Random(number)
        with open(folder / f"{number:05}.jsonl", "w", encoding="utf-8") as file:
            for at in range(per_file * lines):
                text = " ".join(draw.choice(SENTENCES["eng"]) for _ in range(5))
                text = text[: split_size // lines - 40]
                file.write(json.dumps({"id": f"{number:05}{at:05}", "text": text}) + "\n")
    manifest = folder / "manifest.yaml"
    manifest.write_text(
        f"name: splits\nsplit_size: {split_size}\n"
        f"sources: {{own: {{kind: jsonl, paths: ['{folder}/*.jsonl'], rules: []}}}}\n"
    )
    return manifest


def measure_documents(own: Bench, documents: int, memory: int) -> None:
    inputs = own.folder / "documents"
    inputs.mkdir()
    manifest = write_documents(inputs, documents)
    parts = own.folder / "parts"
    own.build(manifest, parts, "--workers", "2", "--slice", "1/1")
    local, out = own.folder / "documents-local", own.folder / "documents-flink"
    shutil.copytree(parts, local)
    parts.rename(out)
    print(f"documents: {documents:,}, from signatures to tokens")
    with count_local_peak() as peak:
        made = own.build(manifest, local, "--workers", "2")
    print(
        f"  local, two workers: {made.seconds:.0f} s, {peak[0] / 1e6:.0f} MB the largest process", flush=True
    )
    made = own.build_on_flink(manifest, out, 2, memory=memory)
    print(
        f"  two TaskManagers, data of a worker limited to {memory / 1e6:.0f} MB, of which {made.worker / 1e6:.0f} MB "
        f"were resident: {made.seconds:.0f} s, driver {made.driver / 1e6:.0f} MB"
    )
    print(f"    jobs: {', '.join(f'{name} {seconds:.0f}' for name, seconds in made.jobs)}")
    print(f"    {made.shuffled / 1e9:.2f} GB shuffled")
    print_equal(local, out)


@contextlib.contextmanager
def count_local_peak() -> Iterator[list[int]]:
    """Yield a list that holds the most bytes that a child process which has ended had resident."""
    peak = [0]
    yield peak
    peak[0] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def write_documents(folder: Path, documents: int) -> Path:
    """Write texts of fifty words, a tenth of them near-duplicates of others; return the manifest."""
    letters = np.random.default_rng(1).integers(97, 123, (20_000, 7)).astype(np.uint8)
    vocabulary = np.array([bytes(row[: 2 + at % 6]).decode() for at, row in enumerate(letters)])
    per_file = 20_000
    for number in range(-(-documents // per_file)):
        draw = np.random.default_rng([2, number])
        words = vocabulary[draw.zipf(1.2, (per_file, 50)) % 20_000]
        near = np.arange(9, per_file, 10)
        words[near] = words[near - 9]
        words[near, draw.integers(0, 50, len(near))] = "other"
        with open(folder / f"{number:05}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"id": f"{number:05}{at:05}", "text": " ".join(row)}) + "\n"
                for at, row in enumerate(words)
            )
    manifest = folder / "manifest.yaml"
    manifest.write_text(
        "name: documents\nsplit_size: 2MB\n"
        f"sources: {{own: {{kind: jsonl, paths: ['{folder}/*.jsonl'], rules: []}}}}\n"
    )
    return manifest


def main(arguments: Sequence[str] | None = None) -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("parts", nargs="*", choices=["cores", "splits", "documents", []])
    parser.add_argument("--copies", type=int, default=12)
    parser.add_argument("--splits", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--worker-memory", type=int, default=4_000, help="MB")
    given = parser.parse_args(arguments)
    fetch_flink()
    with tempfile.TemporaryDirectory(prefix="engines-bench-") as folder:
        own = Bench(Path(folder), install_wheel(Path(folder)))
        run(own, given)


def run(own: Bench, given: argparse.Namespace) -> None:
    for part in given.parts or ["cores", "splits", "documents"]:
        if part == "cores":
            measure_cores(own, given.copies)
        elif part == "splits":
            measure_splits(own, given.splits)
        else:
            measure_documents(own, given.documents, given.worker_memory * 1_000_000)


if __name__ == "__main__":
    main()
