"""Processor time: of processes that still run, of theirs, and of those that have ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpus.processor_time import cpu_seconds

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"
"""Spend 0.3 s of processor time."""
SAY = "print(flush=True)\ninput()\n"
"""Say that it is spent, and wait."""
NESTED = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes that run are told by /proc")
@pytest.mark.parametrize("spend", [BURN, NESTED])
def test_processes_that_run_count_as_those_that_have_ended(spend: str) -> None:
    before = cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", spend + SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        running = cpu_seconds() - before
        assert running >= 0.25
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait()
    assert cpu_seconds() - before >= running - 0.05
