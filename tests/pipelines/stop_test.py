"""A build that is stopped ends at once with one line, leaves no worker, and goes on later."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus.child_process import list_descendants
from tests.pipelines.small import SPREAD, command, digests, run_build, write_inputs


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_stopped_by_a_signal(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    manifest = write_inputs(tmp_path / "inputs", pages=20)
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(manifest, out, workers),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **SPREAD},
    )
    deadline = time.monotonic() + 60
    while not (out / "status.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.5)
    workers_before = list_descendants(process.pid)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(r"corpus: stopped( in \w+, \d+ of \d+)?; resume with the same command", last)
    assert "Traceback" not in said
    while any(os.path.exists(f"/proc/{worker}") for worker in workers_before):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert run_build(manifest, out).returncode == 0
    assert run_build(manifest, tmp_path / "fresh").returncode == 0
    assert digests(out) == digests(tmp_path / "fresh")


def test_stopped_twice_while_workers_start(tmp_path: Path) -> None:
    """Nothing is left that holds its terminal: the pipe is closed at once."""
    manifest = write_inputs(tmp_path / "inputs", pages=4)
    process = subprocess.Popen(
        command(manifest, tmp_path / "out", 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **SPREAD},
    )
    while not list_descendants(process.pid):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert said.strip().splitlines()[-1].endswith("resume with the same command")
    assert "Traceback" not in said


def test_what_if_is_stopped_by_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    manifest, out, scratch = (
        write_inputs(tmp_path / "inputs", pages=4),
        tmp_path / "out",
        tmp_path / "scratch",
    )
    assert run_build(manifest, out).returncode == 0
    before = digests(out)
    scratch.mkdir()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "corpus.pipelines.cli",
            "decide",
            str(out),
            "--what-if",
            "text.characters.min=700",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **SPREAD, "TMPDIR": str(scratch)},
    )
    while not list(scratch.glob("corpus-what-if-*/plan.json")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (128 + signal.SIGINT, "")
    assert said == "\ncorpus: stopped; nothing was changed\n"
    assert not list(scratch.glob("corpus-what-if-*"))
    assert digests(out) == before


def test_a_build_that_reads_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": null, "body": "the text stands in another field"}\n')
    manifest = tmp_path / "m.yaml"
    manifest.write_text("name: nothing\nsources: {mine: {kind: jsonl, paths: a.jsonl}}\n")
    done = run_build(manifest, tmp_path / "out")
    assert done.returncode == 1
    assert "no text was read: of the records, 1 in quarantine (" in done.stderr
