"""What a resumed build says: documents of earlier runs, and sources that a manifest no longer has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.progress import StageProgress


def write_rows(path: Path, count: int) -> None:
    rows = [
        json.dumps({"text": f"แม่น้ำสายที่ {at} ใน {path.stem} ไหลผ่านเมือง"}, ensure_ascii=False)
        for at in range(count)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, count in (("one", 30), ("two", 20), ("three", 5)):
        write_rows(tmp_path / f"{name}.jsonl", count)
    return tmp_path


def build(
    folder: Path, *sources: str, until: str | None = None
) -> tuple[list[str], dict[str, StageProgress]]:
    """The lines of a build of some sources, and the last progress of each stage."""
    entries = "".join(f"  {name}: {{kind: jsonl, paths: [{name}.jsonl], rules: []}}\n" for name in sources)
    (folder / "m.yaml").write_text(f"name: resumed\ndedup: false\nsources:\n{entries}")
    said: list[str] = []
    last: dict[str, StageProgress] = {}

    def show(standing: StageProgress) -> None:
        last[standing.stage] = standing

    build_workspace(
        str(folder / "m.yaml"), str(folder / "w"), Running(workers=1), said.append, show, until=until
    )
    return said, last


def test_documents_of_earlier_runs_and_removed_sources_are_told(folder: Path) -> None:
    _, last = build(folder, "one", "two")
    assert (last["ingest"].documents, last["ingest"].earlier) == (50, 0)
    _, last = build(folder, "one", "three", "two")
    assert (last["ingest"].done, last["ingest"].documents, last["ingest"].earlier) == (3, 5, 50)
    (folder / "two.jsonl").write_text("")
    write_rows(folder / "one.jsonl", 31)
    said, last = build(folder, "one", "three")
    (line,) = [line for line in said if line.startswith("ingest: ")]
    assert line.startswith(
        "ingest: one.jsonl changed: 1 input split to read in place of 1 with 30 documents; "
    )
    assert "new input" not in line
    assert line.endswith("the source two removed: 1 input split with 20 documents")
    assert last["ingest"].documents + last["ingest"].earlier == 36
    named = {path.name for path in (folder / "w").rglob("source=*")}
    assert named == {"source=one", "source=three"}
    assert not [path for path in (folder / "w").rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_a_resumed_build_says_what_was_done_and_what_remains(folder: Path) -> None:
    assert resume(folder, until="ingest") == []
    state, ingested = (
        folder / "w" / "state.json",
        ["ingest was done before; decide, tokenize, count remain to be done"],
    )
    assert resume(folder, until="tokenize") == ingested
    assert resume(folder) == ["ingest, decide, tokenize were done before; count remains to be done"]
    state.write_text("{}")
    assert resume(folder) == ["2 of 2 input splits were read before; none remains to be read"]
    state.write_text("{}")
    (part,) = (folder / "w" / "documents" / "source=two").iterdir()
    part.unlink()
    assert resume(folder) == ["1 of 2 input splits were read before; 1 remains to be read"]


def resume(folder: Path, until: str | None = None) -> list[str]:
    """What a build of two sources says of going on from what is there."""
    said, _ = build(folder, "one", "two", until=until)
    return [line.removeprefix("resuming: ") for line in said if line.startswith("resuming: ")]
