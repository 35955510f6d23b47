"""Every item is done once, by any number of workers, and workers leave with the build."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest

from corpus.pipelines.beam.fanout import fan_out, make_claims_folder
from corpus.pipelines.beam.options import Running


class Mark:
    """Leaves a file with the item and the process that did it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, item: str) -> Iterator[str]:
        (Path(self.folder) / f"{item}-{os.getpid()}").touch()
        time.sleep(0.02)
        yield item


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_done_once(tmp_path: Path, workers: int) -> None:
    running = Running(workers=workers)
    items = [f"件{i:03}" for i in range(40)]
    with make_claims_folder(running) as claims, beam.Pipeline(options=running.options("test")) as pipeline:
        _ = pipeline | fan_out(items, Mark(str(tmp_path)), running, claims)
    done = [name.rpartition("-") for name in os.listdir(tmp_path)]
    assert sorted(item for item, _, _ in done) == items
    assert len({process for *_, process in done}) == workers


def test_items_begin_in_their_order(tmp_path: Path) -> None:
    running = Running()
    items = [f"{i:03}" for i in range(30, 0, -1)]
    begun: list[str] = []
    with make_claims_folder(running) as claims, beam.Pipeline(options=running.options("test")) as pipeline:
        _ = pipeline | fan_out(items, Mark(str(tmp_path)), running, claims)
    found = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    begun = [path.name.partition("-")[0] for path in found]
    assert begun == items


def test_workers_leave_when_the_build_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from tests.pipelines.fanout_test import *\n"
        "class Slow(Mark):\n"
        "    def __call__(self, item):\n"
        "        yield from super().__call__(item); time.sleep(60)\n"
        "running = Running(workers=2)\n"
        "with make_claims_folder(running) as claims, beam.Pipeline(options=running.options('test')) as pipeline:\n"
        "    pipeline | fan_out(['a', 'b'], Slow(sys.argv[1]), running, claims)\n"
    )
    build = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while len(list(tmp_path.iterdir())) < 2:
        assert time.time() < deadline
        time.sleep(0.1)
    build.kill()
    build.wait()
    workers = [int(path.name.partition("-")[2]) for path in tmp_path.iterdir()]
    while any(os.path.exists(f"/proc/{worker}") for worker in workers):
        assert time.time() < deadline
        time.sleep(0.1)


def test_work_is_shared_evenly_enough(tmp_path: Path) -> None:
    running = Running(workers=2)
    items = [f"{i}" for i in range(60)]
    with make_claims_folder(running) as claims, beam.Pipeline(options=running.options("test")) as pipeline:
        _ = pipeline | fan_out(items, Mark(str(tmp_path)), running, claims)
    shares = Counter(name.rpartition("-")[2] for name in os.listdir(tmp_path))
    assert min(shares.values()) >= 10
