"""Commands say how far they are: bars in a terminal, in a file or a pipe a plain line now and then."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
from rich.console import Console

from corpus.pipelines.cli import watching
from corpus.pipelines.cli.watching import show_progress, watch_build
from corpus.progress import StageProgress, is_live


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    return clock


@pytest.fixture(params=[{}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}, {"TTY_COMPATIBLE": "1"}])
def environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given: dict[str, str] = request.param
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_a_log_gets_a_plain_line_every_half_minute(
    clock: Clock, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress() as show:
        for done in range(0, 1001):
            clock.now = done / 10
            show("files", done, 1000)
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "files: 301 of 1,000, 70 s left",
        "files: 602 of 1,000, 40 s left",
        "files: 903 of 1,000, 10 s left",
        "files: 1,000 of 1,000",
    ]
    assert said.isascii() and not set(said) & set("\r\x1b")


def test_a_command_of_a_moment_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress() as show:
        for stage in ("documents", "signals"):
            for done in range(11):
                clock.now += 1
                show(stage, done, 10)
    assert capsys.readouterr().err == ""


def test_time_left_of_a_resumed_command_goes_by_what_it_did_itself(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress() as show:
        show("files", 900, 1000)
        clock.now = 31
        show("files", 931, 1000)
    assert capsys.readouterr().err == "files: 931 of 1,000, 69 s left\n"


def test_what_has_no_total_is_counted_by_its_name(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("files looked at") as show:
        show("init", 1, None)
        clock.now = 40
        show("init", 12_345, None)
    assert capsys.readouterr().err == "init: 12,345 files looked at\n"


def test_a_build_says_when_a_stage_begins_and_ends(
    clock: Clock, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with watch_build() as (say, show):
        say("数据: a line of [its] own, of any length" + " and more" * 30)
        show(StageProgress(stage="ingest", total=9))
        clock.now = 20
        show(StageProgress(stage="ingest", total=9, done=2, documents=40, rate=2.0, left=70.0))
        clock.now = 31
        show(StageProgress(stage="ingest", total=9, done=3, documents=62, rate=2.0, left=62.0))
        show(StageProgress(stage="ingest", total=9, done=9, documents=180, rate=2.0))
        show(StageProgress(stage="decide", total=4))
    said = capsys.readouterr().err
    assert said.splitlines()[1:] == [
        "ingest: 0 of 9",
        "ingest: 3 of 9, 62 documents, 2/s, 62 s left",
        "ingest: 9 of 9, 180 documents, 2/s",
        "decide: 0 of 4",
    ]
    assert not set(said) & set("\r\x1b")


@pytest.fixture
def terminal() -> Iterator[io.TextIOWrapper]:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as stream:
        yield stream
    os.close(ours)


def test_a_terminal_alone_is_overwritten(terminal: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert is_live(Console(file=terminal))
    assert not is_live(Console(file=io.StringIO(), force_terminal=True))
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(Console(file=terminal))
