"""A worker that dies takes its pipeline down at once, whenever it dies; nothing waits for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import apache_beam as beam
import pytest

from corpus.child_process import list_descendants
from corpus.errors import RunError
from corpus.pipelines.beam.forked_workers import WORKER_MODULE
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.workers import WatchedWorker

LONG = 300.0


class Sleep(beam.DoFn):
    def process(self, element: tuple[int, object]) -> None:
        time.sleep(LONG)


class DoNothing(beam.DoFn):
    def process(self, element: tuple[int, object]) -> None:
        pass


class Say(beam.DoFn):
    def process(self, element: tuple[int, object]) -> None:
        print(os.getcwd(), os.environ["OF_NOW"])


class Die(beam.DoFn):
    def process(self, element: tuple[int, object]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def run(work: beam.DoFn) -> None:
    with beam.Pipeline(options=Running(workers=2).options("test")) as pipeline:
        made = pipeline | beam.Create([(number, "") for number in range(8)], reshuffle=False)
        made | beam.GroupByKey() | beam.ParDo(work)


def workers() -> list[int]:
    """The forks of the process that makes them."""
    return [worker for server in makers() for worker in list_descendants(server)]


def makers() -> list[int]:
    """The processes that fork workers."""
    found = []
    for process in list_descendants(os.getpid()):
        with open(f"/proc/{process}/stat") as status:
            parent = int(status.read().rpartition(") ")[2].split()[1])
        with open(f"/proc/{process}/cmdline", "rb") as command:
            if WORKER_MODULE.encode() in command.read() and parent == os.getpid():
                found.append(process)
    return found


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam's threads print a traceback for what a dead worker did not send."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


@pytest.mark.usefixtures("quiet")
def test_a_worker_that_dies_at_work() -> None:
    began = time.monotonic()
    with pytest.raises((RuntimeError, RunError), match="a worker process ended before finishing its work"):
        run(Die())
    assert time.monotonic() - began < LONG


@pytest.mark.usefixtures("quiet")
def test_without_what_forks_them_all_end_and_the_next_pipeline_has_another() -> None:
    def kill() -> None:
        while not workers():
            time.sleep(0.001)
        os.kill(makers()[0], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    began = time.monotonic()
    with pytest.raises((RuntimeError, RunError), match="a worker process ended before finishing its work"):
        run(Sleep())
    assert time.monotonic() - began < LONG
    run(DoNothing())
    assert len(makers()) == 1


def test_what_forks_them_starts_with_the_options_of_a_pipeline() -> None:
    Running(workers=2).options("test")
    begun = makers()
    assert len(begun) == 1
    run(DoNothing())
    assert makers() == begun


def test_a_worker_has_the_environment_the_folder_and_the_streams_of_now(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(DoNothing())
    monkeypatch.setenv("OF_NOW", "\u4eca")
    monkeypatch.chdir(tmp_path)
    run(Say())
    assert f"{tmp_path} \u4eca" in capfd.readouterr().out


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0])
def test_one_that_is_killed_before_it_has_begun_ends_the_other_too(seconds: float) -> None:
    """Some have not said yet that they are there; of the first moment, the other is not there at all."""

    def kill() -> None:
        while not (found := workers()):
            time.sleep(0.001)
        time.sleep(seconds)
        os.kill(found[0], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    began = time.monotonic()
    with pytest.raises((RuntimeError, RunError), match="a worker process ended before finishing its work"):
        run(Sleep())
    assert time.monotonic() - began < LONG
    deadline = time.monotonic() + 30
    while workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workers()


def test_one_that_never_asks_for_work_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline fails while its workers still start."""

    def start(self: WatchedWorker) -> None:
        begin(self)
        raise RunError("before anything")

    begin = WatchedWorker.start_worker
    monkeypatch.setattr(WatchedWorker, "start_worker", start)
    began = time.monotonic()
    with pytest.raises(RunError, match="before anything"):
        run(Sleep())
    assert not workers()
    assert time.monotonic() - began < LONG
