"""Measure commands with all the processes that they start: CPU seconds, and the most memory at one time."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""
LOOK_SECONDS = 0.5
"""Between two looks at the memory."""
_BUILD = """
import os
import sys
from corpus.pipelines.beam.loading import own_process
own_process()
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
build_workspace(sys.argv[1], sys.argv[2], Running(workers=1), until=sys.argv[3])
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
"""
"""What `corpus build` does, up to a stage; it ends as the command does, without looking through what it leaves."""
_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Spent(NamedTuple):
    """What a command has taken: user and system seconds, and megabytes at the most, shared pages divided among those
    that share them (PSS)."""

    seconds: float
    megabytes: float


def measure_command(command: list[str]) -> Spent:
    """Run a command and return what it, its children, and theirs have taken. Exits if it fails.

    This process adopts the orphans that a command leaves (parsers, sandboxes) and waits for them too: nobody
    else would count them.
    """
    ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    most = [0]
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            most[0] = max(most[0], sum(map(_read_share, _list_descendants(os.getpid()))))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        ended = subprocess.run(command, capture_output=True, text=True)
    finally:
        done.set()
        watch.join()
    if ended.returncode:
        sys.exit(f"{command[:3]} failed:\n{ended.stderr[-2000:]}")
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most[0] * 1024 / 1e6)


def build_command(manifest: Path, out: Path, until: str) -> list[str]:
    """Return the command that builds a workspace by one worker, up to a stage."""
    return [sys.executable, "-c", _BUILD, str(manifest), str(out), until]


def count_kept(out: Path) -> int:
    """Return how many documents of a workspace are kept."""
    return sum(
        pq.read_table(path, columns=["kept"]).column("kept").to_pylist().count(True)
        for path in (out / "decisions").rglob("*.parquet")
    )


def _list_descendants(process: int) -> list[int]:
    """Return the processes below one, of which some may have ended meanwhile."""
    found = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *_list_descendants(child)]
    return found


def _read_share(process: int) -> int:
    """Return the kibibytes of a process, 0 if it has ended."""
    with contextlib.suppress(OSError):
        share = _SHARE.search(Path(f"/proc/{process}/smaps_rollup").read_text())
        return int(share[1]) if share else 0
    return 0
