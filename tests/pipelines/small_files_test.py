"""Many small files share input splits: which do, where their documents come from, and what a change costs."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage
from corpus.document import Failure
from corpus.errors import RunError
from corpus.pipelines import ingest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.dry_run import dry_run
from corpus.pipelines.build.plan import BuildPlan, make_plan
from corpus.pipelines.build.probe import probe_files
from corpus.pipelines.build.rebuild import rebuild_splits
from corpus.pipelines.ingest import read_records
from corpus.sources.input_split import MAX_SHARED_FILES, InputSplit, share_splits
from corpus.sources.source import Source
from corpus.workspace import Workspace, read_table
from tests.pipelines.small import SPREAD, article, digests

NAMES = ["зима", "冬天的故事", "شتاء", "ฤดูหนาว", "सर्दी", "hiver", "\udce9t\udce9", "a b", "冬" * 40, "[1]"]


def made(count: int, size: int = 1000, source: str = "s") -> list[InputSplit]:
    """Splits of whole files in no order."""
    splits = [
        InputSplit(source, f"/in/{at}", f"{NAMES[at % len(NAMES)]}/{at}.txt", 0, size, str(at))
        for at in range(count)
    ]
    random.Random(count).shuffle(splits)
    return splits


def members(splits: list[InputSplit]) -> list[set[str]]:
    return [{piece.file for piece in split.pieces} for split in splits]


def test_what_shares_a_split_depends_on_the_files_alone() -> None:
    splits = made(3000)
    shared = share_splits(splits, 1 << 20)
    assert share_splits(splits[::-1], 1 << 20) == shared
    assert sorted(piece.file for split in shared for piece in split.pieces) == sorted(s.file for s in splits)
    assert all(
        2 <= len(split.files) <= MAX_SHARED_FILES and split.end == 1000 * len(split.files) for split in shared
    )
    assert len({split.name for split in shared}) == len(shared) < 20
    assert all(InputSplit.from_json(split.to_json()) == split for split in shared)
    moved = [InputSplit("s", "/else" + s.path, s.file, s.start, s.end, s.identity) for s in splits]
    again = share_splits(moved, 1 << 20)
    assert [(s.name, s.input) for s in again] == [(s.name, s.input) for s in shared]


def test_a_file_more_or_less_changes_its_own_split() -> None:
    for count in (40, 600, 3000):
        splits = made(count)
        before = members(share_splits(splits, 1 << 20))
        for at in range(0, count, max(1, count // 60)):
            less = members(share_splits(splits[:at] + splits[at + 1 :], 1 << 20))
            gone = [files for files in before if files not in less]
            assert sum(map(len, gone)) <= MAX_SHARED_FILES + 1, "a split halves, or two become one"
            assert any(splits[at].file in files for files in gone)


def test_budgets_stay_with_the_files(tmp_path: Path) -> None:
    """Larger ones, for records that were retried: also where the split halves, two join, or a file leaves it."""
    splits = made(600)
    whole, halves, few = (share_splits(each, 1 << 20) for each in (splits[:500], splits, splits[:3]))
    assert (len(whole), len(few)) == (1, 3)
    assert len(halves) > 1
    for before, after in ((whole, halves), (halves, whole), (whole, few), (few, whole)):
        for split in after:
            assert {each.name for each in before} & set(split.list_names(1 << 20))
    assert not {each.name for each in few} & set(made(10)[-1].list_names(1 << 20)[1:])
    large = InputSplit("s", "/large", "large", 0, 1 << 30, "x")
    assert large.list_names(1 << 20) == [large.name], "what small files had is not for it"


def test_sizes_bound_what_is_shared() -> None:
    few = made(3)
    assert share_splits(few, 1 << 20) == few, "as few as these keep splits of their own, and their names"
    large = made(40, size=300_000)
    assert share_splits(large, 1 << 20) == large
    mixed = [*large, *made(200, size=20_000, source="s")[:160]]
    mixed = list({split.file: split for split in mixed}.values())
    shared = [split for split in share_splits(mixed, 1 << 20) if split.files]
    assert shared
    assert all(split.end <= 1 << 20 for split in shared)
    pieces = [InputSplit("s", "/in/x", "x", at, at + 10, "x") for at in range(0, 100, 10)]
    assert share_splits(pieces, 1 << 20) == pieces, "a file that is cut stays cut"
    lost = [InputSplit("s", f"/in/{at}", f"lost {at}", 0, 0, "unreadable", "no answer") for at in range(9)]
    assert share_splits([*lost, *made(9)], 1 << 20)[:9] == lost, "every build tries these again"
    empty = share_splits(made(10_000, size=0), 1 << 20)
    assert len(empty) < 80
    assert {split.end for split in empty} == {0}


def test_names_of_one_file_stay_as_they_were() -> None:
    assert (
        InputSplit("s", "/a", "日本.txt", 0, 10, "x").name
        == InputSplit("t", "/b", "日本.txt", 0, 10, "y").name
    )
    assert InputSplit("s", "/a", "a.jsonl", 0, 10, "x").name == "528626ffb152655a"


def write_rows(path: Path, *numbers: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"text": article("cmn", number, 4)}, ensure_ascii=False) for number in numbers]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8", errors="surrogateescape")


MANIFEST = """\
name: many
sources:
  one: {kind: jsonl, paths: ["one/**/*.jsonl"], rules: []}
  two: {kind: jsonl, paths: ["two/**/*.jsonl"], rules: []}
split_size: 16kB
tokenizer: {vocabulary: 400}
"""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Twenty-four files of three rows in each of two sources, with the same names, some of them broken."""
    for source, first in (("one", 0), ("two", 5000)):
        for at in range(24):
            write_rows(
                tmp_path / source / NAMES[at % 10] / f"{at}.jsonl", *range(first + 3 * at, first + 3 * at + 3)
            )
    (tmp_path / "one" / "ฤดูหนาว" / "broken.jsonl").write_bytes(b"\xff\xfe{no json\n")
    (tmp_path / "one" / "empty.jsonl").write_bytes(b"")
    (tmp_path / "m.yaml").write_text(MANIFEST)
    return tmp_path


def build(folder: Path, out: str = "w", workers: int = 1) -> list[str]:
    """The lines that a build says."""
    said: list[str] = []
    build_workspace(str(folder / "m.yaml"), str(folder / out), Running(workers=workers), said.append, None)
    return said


def origins(folder: Path, out: str = "w") -> dict[tuple[str, str, int], str]:
    """The text of every document by its source and place."""
    table = Workspace.open(str(folder / out)).documents().to_table(columns=["source", "text", "origin"])
    return {
        (row["source"], row["origin"]["file"], row["origin"]["offset"]): row["text"]
        for row in table.to_pylist()
    }


def part_times(folder: Path) -> dict[str, int]:
    parts = (folder / "w" / "documents").rglob("*.parquet")
    return {path.name: path.stat().st_mtime_ns for path in parts}


def stop_after(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    """Make every build fail at the file with this number."""
    read, seen = ingest.read_piece, []

    def stop(source: Source, split: InputSplit, *rest: Any) -> Any:
        seen.append(split)
        if len(seen) >= files:
            raise OSError("no room")
        return read(source, split, *rest)

    monkeypatch.setattr(ingest, "read_piece", stop)


def test_a_build_that_stops_in_the_middle_goes_on(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patching:
        stop_after(patching, 30)
        with pytest.raises(RunError, match="no room"):
            build(many)
    assert part_times(many)
    build(many)
    workspace = Workspace.open(str(many / "w"))
    plan = make_plan(str(many / "m.yaml"))
    names = workspace.splits()
    assert 4 <= len(names) <= 14
    assert {split for split in plan.names} == set(names)
    placed = origins(many)
    assert len(placed) == 2 * 24 * 3
    for (source, file, offset), text in placed.items():
        path = next(p for p in (many / source).rglob("*.jsonl") if p.name == Path(file).name)
        line = path.read_bytes()[offset:].split(b"\n")[0]
        assert json.loads(line)["text"] == text
        assert file.startswith(f"{source}/")
    quarantined = [read_table(p).to_pylist() for p in workspace.quarantine_parts() if storage.exists(p)]
    ((failure,),) = quarantined
    assert (failure["file"], failure["offset"]) == ("one/ฤดูหนาว/broken.jsonl", 0)
    assert workspace.input_sizes()["one"]["files"] == 26
    assert probe_files(plan).files == 50
    rebuilt = rebuild_splits(str(many / "w"), 3, manifest=str(many / "m.yaml"))
    assert [check.problems for check in rebuilt.checks.values() if check.problems] == []
    assert dry_run(plan, 40).documents >= 40
    monkeypatch.setenv(*next(iter(SPREAD.items())))
    build(many, "two workers", workers=2)
    assert digests(many / "two workers") == digests(many / "w")


def test_a_change_costs_its_own_split(many: Path) -> None:
    build(many)
    before, placed = part_times(many), origins(many)
    write_rows(many / "one" / "新的.jsonl", 9001)
    (line,) = [line for line in build(many) if line.startswith("ingest: ")]
    assert "one/新的.jsonl" in line
    after = part_times(many)
    assert sum(after.get(name) == time for name, time in before.items()) >= len(before) - 1
    assert origins(many).items() >= placed.items()
    write_rows(many / "two" / "hiver" / "5.jsonl", 9002, 9003, 9004)
    (many / "two" / "hiver" / "15.jsonl").unlink()
    (line,) = [line for line in build(many) if line.startswith("ingest: ")]
    assert "two/hiver/5.jsonl" in line
    assert "two/hiver/15.jsonl" in line
    assert "documents of" not in line, "documents that are read again are not lost"
    build(many, "fresh")
    assert digests(many / "fresh") == digests(many / "w")


def pieces_of(folder: Path, source: str) -> tuple[BuildPlan, list[InputSplit]]:
    (folder / "m.yaml").write_text(f"name: kinds\nsources:\n  it: {source}\n")
    plan = make_plan(str(folder / "m.yaml"))
    assert any(split.files for split in plan.splits)
    return plan, plan.splits


def read_all(plan: BuildPlan, splits: list[InputSplit]) -> list[tuple[str, str, int]]:
    """What was read or failed, where."""
    outcomes = (outcome for split in splits for outcome, _ in read_records(plan.tools, split))
    return sorted(
        ("failure", each.file, each.offset)
        if isinstance(each, Failure)
        else (each[0].id, each[0].file, each[0].offset)
        for each in outcomes
    )


def write_kinds(folder: Path) -> dict[str, str]:
    """Five small files of each of several kinds, the last of them broken; each kind's options."""
    for at in range(5):
        broken = at == 4
        text = article("rus", at, 4)
        (folder / f"{at}.txt").write_bytes(b"\xff\xfe\x00" if broken else text.encode())
        body = f"<html><body><p>{text}</p></body></html>".encode()
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
        head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://site.example/{at}\r\n"
        head += f"WARC-Record-ID: <urn:uuid:{at:036}>\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
        head += f"Content-Length: {len(page)}\r\n\r\n"
        packed = gzip.compress(head.encode() + page + b"\r\n\r\n", mtime=0)
        (folder / f"{at}.warc.gz").write_bytes(packed[:-40] if broken else packed)
        tex = "\\documentclass{article}\\begin{document}" + text + "\\end{document}"
        (folder / f"2601.0000{at}.gz").write_bytes(
            b"\x1f\x8b broken" if broken else gzip.compress(tex.encode(), mtime=0)
        )
        rows = io.BytesIO()
        pq.write_table(pa.table({"text": [text, text[:200]]}), rows)
        (folder / f"{at}.parquet").write_bytes(rows.getvalue()[: -9 if broken else None])
        article_xml = (
            f'<article><front><article-meta><article-id pub-id-type="pmc">{at}</article-id><title-group>'
            f"<article-title>冬</article-title></title-group></article-meta></front><body><p>{text}</p></body></article>"
        )
        (folder / f"PMC{at}.xml").write_text("<article" if broken else article_xml, encoding="utf-8")
        with zipfile.ZipFile(folder / f"{at}.epub", "w") as book:
            book.writestr("mimetype", "application/epub+zip")
            book.writestr("a.xhtml", body)
        with zipfile.ZipFile(folder / f"pack-{at}.zip", "w") as code:
            code.writestr(f"pack-{at}/main.py", f"print({at})\n" * 9)
            code.writestr(f"pack-{at}/LICENSE", "MIT License\n")
    (folder / "4.epub").write_bytes(b"PK\x03\x04")
    (folder / "pack-4.zip").write_bytes(b"PK\x03\x04")
    return {
        "text": "{kind: text, paths: ['*.txt']}",
        "warc": "{kind: warc, paths: ['*.warc.gz']}",
        "arxiv": "{kind: arxiv, paths: ['2601.*.gz']}",
        "parquet": "{kind: parquet, paths: ['*.parquet']}",
        "pubmed": "{kind: pubmed, paths: ['PMC*.xml']}",
        "books": "{kind: books, paths: ['*.epub']}",
        "code": "{kind: code, paths: ['pack-*.zip'], content: false}",
    }


def test_every_kind_reads_shared_files_as_it_reads_each(tmp_path: Path) -> None:
    for kind, source in write_kinds(tmp_path).items():
        plan, splits = pieces_of(tmp_path, source)
        alone = [piece for split in splits for piece in split.pieces]
        assert len(alone) == 5, kind
        together = read_all(plan, splits)
        assert together == read_all(plan, alone), kind
        assert len({file for _, file, _ in together}) >= 4, kind


def test_a_file_that_vanishes_costs_itself(tmp_path: Path) -> None:
    for at in range(6):
        write_rows(tmp_path / f"{at}.jsonl", at)
    plan, (split,) = pieces_of(tmp_path, "{kind: jsonl, paths: ['*.jsonl']}")
    (tmp_path / "2.jsonl").unlink()
    outcomes = [outcome for outcome, _ in read_records(plan.tools, split)]
    assert [each.file for each in outcomes if isinstance(each, Failure)] == ["2.jsonl"]
    assert [each[0].file for each in outcomes if not isinstance(each, Failure)] == [
        f"{at}.jsonl" for at in (0, 1, 3, 4, 5)
    ]
