"""Ctrl-C ends any command with one line and status 130, and the workers with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from corpus.child_process import WorkerPool, list_descendants
from corpus.data import data_path
from corpus.pipelines.cli import stopping
from corpus.pipelines.cli.stopping import end_stopped, raise_on_signals
from tests.ledger.demo import demo_workspace


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["export", "DEMO", "--documents", "--format", "parquet", "--workers", "2", "--out", "OUT"],
            "the same command",
        ),
        (["plan", str(data_path("demo.yaml")), "-n", "100000"], "nothing was changed"),
    ],
)
def test_one_line_and_no_process(tmp_path: Path, words: list[str], line: str) -> None:
    """The terminal sends the signal to all processes of the command, whatever they are doing."""
    given = [{"DEMO": str(demo_workspace()), "OUT": str(tmp_path / "out")}.get(word, word) for word in words]
    process = subprocess.Popen(
        [sys.executable, "-m", "corpus.pipelines.cli", *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    while not list_descendants(process.pid):
        assert process.poll() is None
        time.sleep(0.001)
    workers = list_descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (130, "")
    (only,) = said.strip().splitlines()
    assert only.startswith("corpus: stopped; ") and line in only
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{worker}") for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [path.name for path in tmp_path.iterdir() if path.name != "out"] == []


def test_workers_hear_no_interrupt_and_end_where_the_block_is_left() -> None:
    with pytest.raises(KeyboardInterrupt), WorkerPool(1) as pool:
        worker = pool.submit(os.getpid).result()
        os.kill(worker, signal.SIGINT)
        os.kill(worker, signal.SIGHUP)
        assert pool.submit(os.getpid).result() == worker
        waiting = pool.submit(time.sleep, 600)
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert isinstance(waiting.exception(), BrokenProcessPool)


@pytest.fixture
def _signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stopping, "_received", [])
    before = {number: signal.getsignal(number) for number in stopping.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize(
    ("number", "command", "status", "line"),
    [
        (signal.SIGINT, "sample", 130, "corpus: stopped\n"),
        (signal.SIGTERM, "verify", 143, "corpus: stopped; nothing was changed\n"),
        (signal.SIGHUP, "fetch", 129, "corpus: stopped; resume with the same command\n"),
    ],
)
def test_every_signal_has_its_status(
    capsys: pytest.CaptureFixture[str], number: signal.Signals, command: str, status: int, line: str
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    raise_on_signals()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
        time.sleep(1)
    assert (end_stopped([command, "DIR"]), capsys.readouterr().err) == (status, line)


@pytest.mark.usefixtures("_signals")
def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_on_signals()
    os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
