"""What a build says of itself while it runs, and what it keeps of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.pipelines.cli.watching import describe_pace
from corpus.progress import (
    StageProgress,
    Status,
    Tally,
    count_documents,
    count_earlier,
    count_into,
    describe_command,
    format_time,
    read_timings,
)


def claim(folder: Path, item: int) -> str:
    path = folder / str(item)
    path.touch()
    return str(path)


def test_documents_of_all_workers_are_added_up(tmp_path: Path) -> None:
    tally = Tally("ingest", str(tmp_path), [600, 300, 100])
    with count_into(claim(tmp_path, 0)):
        count_documents(40)
        count_documents(20)
        standing = tally.read_progress()
        assert (standing.done, standing.total, standing.documents) == (0, 3, 40)  # written twice a second
    with count_into(claim(tmp_path, 2)):
        count_documents(10)
    count_documents(99)  # outside of any item
    standing = tally.read_progress()
    assert (standing.done, standing.documents) == (2, 70)
    assert standing.rate is not None and standing.left is not None


def test_time_left_goes_by_what_took_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally("ingest", str(tmp_path), [500, 400, 100])
    with count_into(claim(tmp_path, 0)):
        pass  # done in an earlier run: no document went through
    with count_into(claim(tmp_path, 2)):
        count_documents(50)
    (tmp_path / "2").write_text("50 10.0 done")
    assert tally.read_progress().left == pytest.approx(40)  # 100 of 500 took ten seconds


def test_time_left_goes_by_the_pace_of_each_source(tmp_path: Path) -> None:
    tally = Tally("ingest", str(tmp_path), [100] * 8, ["slow", "quick"] * 4)
    for item, text in enumerate(["9 50.0 done", "9 1.0 done", "4 20.0", "7 0.5"]):
        (tmp_path / str(item)).write_text(text)
    assert tally.read_progress().left == pytest.approx((50 - 20 + 2 * 50 + 0.5 + 2) / 2)
    tally = Tally("ingest", str(tmp_path), [100] * 3, ["slow", "quick", "new"])
    assert tally.read_progress().left == pytest.approx(max(0.0, (50 + 1) / 2 - 20))


def test_an_item_whose_worker_died_is_not_done(tmp_path: Path) -> None:
    tally = Tally("ingest", str(tmp_path), [1, 1])
    with pytest.raises(KeyError), count_into(claim(tmp_path, 0)):
        raise KeyError
    assert tally.read_progress().done == 0


def test_status_and_timings_are_as_documented(tmp_path: Path) -> None:
    for run in range(2):
        status = Status(str(tmp_path))
        with status.time_stage("ingest", workers=2):
            status.at(StageProgress(stage="ingest", done=3, total=14, documents=88, rate=12.34, left=60.4))
            found = json.loads((tmp_path / "status.json").read_text())
            assert found["documents_per_second"] == 12.3
            assert (found["state"], found["seconds_left"], found["process"]) == ("running", 60, os.getpid())
            assert status.where() == "ingest, 3 of 14"
            if run:
                status.end("stopped")
        if not run:
            status.end("done")
    documented = (Path(__file__).parent.parent / "docs" / "workspace.md").read_text()
    for key in json.loads((tmp_path / "status.json").read_text()):
        assert key in documented, key
    runs = read_timings(str(tmp_path / "timings.json"))
    assert [one["state"] for one in runs] == ["done", "stopped"]
    for one in runs:
        assert next((stage["stage"], stage["documents"]) for stage in one["stages"]) == ("ingest", 88)
        assert one["versions"]["Python"] == platform.python_version() and "command" in one


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/venv/bin/corpus", "build", "日本 語.yaml", "--out", "o"], "corpus build '日本 語.yaml' --out o"),
        (["/x/corpus/pipelines/cli/__main__.py", "build", "m.yaml"], "corpus build m.yaml"),
        (["/x/corpus/__main__.py", "plan", "m.yaml"], "corpus plan m.yaml"),
        (["/venv/bin/pytest", "-q"], ""),
        ([""], ""),
        ([], ""),
    ],
)
def test_a_run_says_how_it_was_started(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], command: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert describe_command() == command


def test_damaged_timings_are_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "timings.json").write_text("{")
    Status(str(tmp_path)).end("done")
    assert len(read_timings(str(tmp_path / "timings.json"))) == 1


def test_the_pace_is_said_as_far_as_it_is_known() -> None:
    assert describe_pace(StageProgress(stage="ingest", total=9)) == ""
    told = describe_pace(
        StageProgress(stage="ingest", done=1, total=9, documents=12345, rate=61.2, left=200.0)
    )
    assert told == "12,345 documents, 61/s, 3 min left"
    assert [format_time(seconds) for seconds in (40, 720, 12_000, 190_800)] == [
        "40 s",
        "12 min",
        "3 h 20 min",
        "2 d 5 h",
    ]


def test_documents_of_an_earlier_run_are_counted_apart(tmp_path: Path) -> None:
    tally = Tally("ingest", str(tmp_path), [500, 400, 100])
    with count_into(claim(tmp_path, 0)):
        count_earlier(900)
    with count_into(claim(tmp_path, 2)):
        count_documents(50)
    count_earlier(7)  # outside of any item
    (tmp_path / "2").write_text("50 10.0 done 0")
    standing = tally.read_progress()
    assert (standing.done, standing.documents, standing.earlier) == (2, 50, 900)
    assert standing.left == pytest.approx(40)
    assert (
        describe_pace(replace(standing, rate=5.0, left=None))
        == "950 documents (900 from an earlier run), 5/s"
    )
