"""Versions of Python and libraries that bytes depend on, and how a difference is put."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from corpus.environment import describe_changes, list_versions
from corpus.progress import StageProgress, Status, built_with


def test_versions_of_here_differ_in_nothing() -> None:
    versions = list_versions()
    assert versions["Python"] == platform.python_version()
    assert {"Unicode", "machine", "pyarrow", "lxml", "tokenizers"} <= set(versions)
    assert describe_changes({name: [version] for name, version in versions.items()}) == ""
    assert describe_changes({}) == ""


def test_a_difference_names_both_sides() -> None:
    python, lxml = platform.python_version(), list_versions()["lxml"]
    assert describe_changes({"Python": ["3.9.1"], "lxml": ["1.0", lxml], "an-extra": ["1"]}) == (
        f"built with Python 3.9.1, lxml 1.0 and {lxml}; here: Python {python}, lxml {lxml}"
    )


def test_the_runs_count_that_made_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    assert built_with(str(path)) == {}
    status = Status(str(tmp_path))
    with status.time_stage("ingest", workers=1):
        status.at(StageProgress(stage="ingest", done=1, total=1))
    status.end("done")
    assert built_with(str(path)) == {name: [version] for name, version in list_versions().items()}

    def run(python: str, *stages: str) -> dict[str, object]:
        return {"stages": [{"stage": stage} for stage in stages], "versions": {"Python": python}}

    before_versions = {"stages": [{"stage": "ingest"}]}
    runs = [run("3.9.0", "ingest"), run("3.11.7", "ingest", "decide"), run("3.13.0", "decide"), run("3.14.0")]
    path.write_text(json.dumps({"runs": runs}))
    assert built_with(str(path)) == {"Python": ["3.13.0", "3.11.7"]}
    path.write_text(json.dumps({"runs": [before_versions]}))
    assert built_with(str(path)) == {}
