"""The same speed at more input: planning, workers, copies of an archive, one hash range of a billion documents.

    CORPUS_DATA=... python -m tests.benchmarks.scale_benchmark [planning] [workers] [copies] [range] [start]

planning  a manifest of 100,000 splits, planned: seconds and memory.
workers   ten unequal archives with one worker on one core and two workers on two, in turn, and one worker on two
          cores, whose parser takes the second: wall-clock seconds of ingest. Beside them what the machine gives: the
          text of their pages alone, all by one process on one core, and halves by two processes that share nothing.
copies    1, 3 and 10 copies of web-open.warc.gz (--copies 1 100 for more): CPU seconds a page, memory.
range     the pairs of one of 1,024 hash ranges of a deduplication of a billion documents.
start     seconds from the command to the first document.

Each part runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks import bench

CONSOLE = Console(width=100)
SPLIT_SIZE = 16_000_000
"""The default of manifests; with more, the small archives would share one split."""
DOCUMENTS, BANDS_EACH, RANGES = 1_000_000_000, 14, 1024


def build(manifest: str, out: str, workers: str, until: str, cores: str) -> None:
    """Build a workspace on some cores."""
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.build.build import build_workspace

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    build_workspace(manifest, out, Running(workers=int(workers)), until=until)


def extract_share(data: str, share: str, of: str) -> None:
    """Extract the text of each `of`-th page of web-open.warc.gz on a core of its own, and print the seconds."""
    from corpus.extract import extract
    from tests.benchmarks.supervision_benchmark import pages

    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(share)]})
    records = list(pages(Path(data)))[int(share) :: int(of)]
    extract(records[0], "fast")
    begin = time.perf_counter()
    for record in records:
        extract(record, "fast")
    print(time.perf_counter() - begin)


def plan(manifest: str) -> None:
    """Print the number of splits, the seconds of planning them and the peak of memory in MB."""
    from corpus.pipelines.build.plan import make_plan
    from corpus.pipelines.build.plan_files import plan_fingerprint

    begin = time.perf_counter()
    made = make_plan(manifest)
    plan_fingerprint(made)
    print(len(made.splits), time.perf_counter() - begin, _peak())


def pair_range() -> None:
    """Print the entries of one range, its candidate pairs, CPU seconds and the peak of memory in MB."""
    from corpus.dedup.pairs import BAND_DTYPE, generate_candidate_pairs

    entries = DOCUMENTS * BANDS_EACH // RANGES
    random = np.random.default_rng(1)
    bands = np.empty(entries, BAND_DTYPE)
    bands["key"] = random.integers(0, 1 << 64, entries, dtype=np.uint64)
    bands["number"] = (random.integers(0, 90_000, entries) << 32) | random.integers(0, 11_000, entries)
    bands["order"] = random.integers(0, 1 << 63, entries, dtype=np.uint64)
    near, at = entries // 10, 0
    while at < near:  # a tenth in groups of 2 to 1,000, most of them small
        size = min(int(2 * random.pareto(1.2) + 2), 1000, near - at)
        bands["key"][at : at + size] = bands["key"][at]
        at += size
    begin, count = time.process_time(), 0
    for piece in generate_candidate_pairs(bands, 256):
        count += len(piece)
    print(entries, count, time.process_time() - begin, _peak())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_apart(function: Callable[..., None], *arguments: object) -> str:
    """Run a function of this module in a process of its own, so that its memory is its own; return what it printed."""
    call = f"scale_benchmark.{function.__name__}(*sys.argv[1:])"
    code = f"import sys; from tests.benchmarks import scale_benchmark; {call}"
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return done.stdout


def manifest(
    folder: Path, paths: list[Path], split_size: int = SPLIT_SIZE, rules: str = "fineweb, language"
) -> Path:
    path = folder / "manifest.yaml"
    listed = json.dumps([str(found) for found in paths])
    path.write_text(
        f"name: scale\nsplit_size: {split_size}\nsources:\n"
        f"  web: {{kind: warc, paths: {listed}, rules: [{rules}]}}\n"
    )
    return path


def planning(folder: Path) -> None:
    texts = folder / "texts"
    for number in range(1000):
        path = texts / f"{number // 100:02d}" / f"{number:04d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "' + f"{number} " * 50 + '"}\n' + " " * 102_000)
    path = folder / "manifest.yaml"
    path.write_text(
        f"name: plan\nsplit_size: 1024\nsources: {{a: {{kind: jsonl, paths: ['{texts}/*/*.jsonl']}}}}\n"
    )
    splits, seconds, peak = run_apart(plan, path).split()
    CONSOLE.print(
        f"planning: {int(splits):,} splits in {float(seconds):.1f} s, {float(peak):.0f} MB at the peak"
    )


def workers(folder: Path, warc: Path) -> None:
    """Ten archives of unequal size, 8,376 pages: 19 % of them in the largest, 1 % in the smallest."""
    paths = pieces(warc, folder, [19, 17, 15, 13, 11, 9, 7, 5, 3, 1])
    for path in paths:  # four times, or starting Beam's workers would be a tenth of it
        path.write_bytes(path.read_bytes() * 4)
    made = manifest(folder, paths)
    seconds: dict[tuple[int, int], list[float]] = {(1, 1): [], (1, 2): [], (2, 2): []}
    for turn in range(2):
        for count, cores in seconds:
            out = folder / f"out-{turn}-{count}-{cores}"
            begin = time.perf_counter()
            run_apart(build, made, out, count, "ingest", cores)
            seconds[count, cores].append(time.perf_counter() - begin)
            shutil.rmtree(out)
    alone = min(extract_by(1) for _ in range(2))
    shared = min(extract_by(2) for _ in range(2))
    one, helped, two = (min(found) for found in seconds.values())
    CONSOLE.print(
        f"workers: ten unequal archives, one worker on one core {one:.1f} s, two on two {two:.1f} s: "
        f"{one / two:.2f} times (one on two {helped:.1f} s); extraction alone, in one process {alone:.1f} s, in two "
        f"that share nothing {shared:.1f} s: {alone / shared:.2f} times"
    )


def extract_by(processes: int) -> float:
    """Return the wall-clock seconds of extracting all pages by as many processes at a time."""
    data = bench.sample_data()
    with ThreadPoolExecutor(processes) as pool:
        said = pool.map(lambda share: run_apart(extract_share, data, share, processes), range(processes))
        return max(map(float, said))


def pieces(warc: Path, folder: Path, shares: list[int]) -> list[Path]:
    """An archive cut at its pages into archives with shares of them, in percent."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with warc.open("rb") as stream:
        places = [found.stream_pos for found in ArchiveIterator(stream, record_types=WarcRecordType.response)]
    content, paths, begun = warc.read_bytes(), [], 0
    for number, share in enumerate(shares):
        until = begun + share
        start = places[len(places) * begun // 100]
        end = places[len(places) * until // 100] if until < 100 else len(content)
        paths.append(folder / f"piece-{number}.warc.gz")
        paths[-1].write_bytes(content[start:end])
        begun = until
    return paths


def copies(folder: Path, warc: Path, counts: list[int]) -> None:
    table = Table(title="copies of web-open.warc.gz")
    for column in ("copies", "pages", "CPU s", "ms a page", "peak MB of a process"):
        table.add_column(column, justify="right")
    for count in counts:
        paths = [folder / f"copy-{number:03d}.warc.gz" for number in range(count)]
        for path in paths:
            if not path.exists():
                shutil.copy(warc, path)
        out = folder / f"out-{count}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_apart(build, manifest(folder, paths), out, 2, "decide", 2)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        pages = 2094 * count
        table.add_row(
            str(count),
            f"{pages:,}",
            f"{spent:.0f}",
            f"{spent / pages * 1e3:.1f}",
            f"{after.ru_maxrss / 1024:.0f}",
        )
        shutil.rmtree(out)
    CONSOLE.print(table)


def hash_range() -> None:
    entries, count, spent, peak = run_apart(pair_range).split()
    CONSOLE.print(
        f"range: one of {RANGES:,} for a billion documents, {int(entries):,} bands: {int(count):,} candidate pairs in "
        f"{float(spent):.1f} CPU s, {float(peak):.0f} MB at the peak"
    )


def start(folder: Path, warc: Path) -> None:
    """Until the first row group of documents is being written: its temporary file is there."""
    made, out = manifest(folder, [warc], 1 << 30), folder / "out-start"
    process = subprocess.Popen(
        [sys.executable, "-m", "corpus.pipelines.cli", "build", str(made), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    begin = time.perf_counter()
    finished = threading.Event()
    while not finished.wait(0.02) and process.poll() is None:
        if any(out.rglob("documents/**/*.tmp")):
            break
    CONSOLE.print(f"start: the first document after {time.perf_counter() - begin:.1f} s")
    process.kill()
    process.wait()


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 3, 10])
    options = parser.parse_args()
    parts = options.parts or ["planning", "workers", "copies", "range", "start"]
    warc = bench.sample_data() / "warc/web-open.warc.gz"
    work = {
        "planning": lambda folder: planning(folder),
        "workers": lambda folder: workers(folder, warc),
        "copies": lambda folder: copies(folder, warc, options.copies),
        "range": lambda folder: hash_range(),
        "start": lambda folder: start(folder, warc),
    }
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            work[part](Path(folder))


if __name__ == "__main__":
    main()
