"""`corpus export --documents`: every kept document once, in formats that others and we ourselves read."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import zstandard

import corpus
from corpus.classifier.training_texts import read_texts
from corpus.errors import UserError
from corpus.export.documents import export_documents
from corpus.export.file_writers import EXPORT_SCHEMA
from corpus.export.shard_plan import DocumentSelection
from corpus.pipelines.cli.export import export, name_export
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl.zst")):
        lines = io.TextIOWrapper(
            zstandard.ZstdDecompressor().stream_reader(path.open("rb")), "utf-8", newline="\n"
        )
        yield from map(json.loads, lines)


def expected(workspace: Workspace) -> dict[str, dict[str, Any]]:
    columns = ["id", "text", "language", "url", "date", "snapshot", "license", "metadata"]
    found = {}
    for source, _, table in workspace.rows(columns):
        for row in table.to_pylist():
            if row["kept"]:
                row["metadata"] = dict(row["metadata"] or ())
                found[row["id"]] = {
                    "side": row["split"],
                    "source": source,
                    **{key: row[key] for key in columns},
                }
    return found


def test_every_kept_document_and_no_other_with_its_facts(workspace: Workspace, tmp_path: Path) -> None:
    done = export_documents(workspace, str(tmp_path / "out"))
    wanted = expected(workspace)
    seen = {}
    for side in ("train", "valid"):
        for row in rows_of(tmp_path / "out" / side):
            assert list(row) == EXPORT_SCHEMA.names
            seen[row["id"]] = {"side": side, **row, "metadata": json.loads(row["metadata"])}
    for row in wanted.values():
        row["date"] = re.sub("[-:]", "", row["date"])
    assert seen == {
        id: {key: "" if value is None else value for key, value in row.items()} for id, row in wanted.items()
    }
    assert {row["language"] for row in seen.values()} >= {
        "eng_Latn",
        "cmn_Hans",
        "cmn_Hant",
        "jpn_Jpan",
        "tha_Thai",
    }
    assert done["documents"] == len(wanted)
    assert done["bytes"] == sum(len(row["text"].encode()) for row in wanted.values())
    assert json.loads((tmp_path / "out/export.json").read_text()) == done


def test_parquet_has_the_same_rows_in_the_same_order(workspace: Workspace, tmp_path: Path) -> None:
    export_documents(workspace, str(tmp_path / "lines"))
    export_documents(workspace, str(tmp_path / "columns"), "parquet")
    files = sorted((tmp_path / "columns").rglob("*.parquet"))
    ids = [id for path in files for id in pq.ParquetFile(path).read(columns=["id"])["id"].to_pylist()]
    assert ids == [row["id"] for row in rows_of(tmp_path / "lines")]
    assert pq.read_schema(files[0]).equals(EXPORT_SCHEMA)


def test_one_side_one_source_one_language(workspace: Workspace, tmp_path: Path) -> None:
    options = ["--split", "train", "--source", "web", "--language", "zh"]
    run(export, workspace.root, "--documents", *options, "--out", str(tmp_path / "out"))
    found = list(rows_of(tmp_path / "out"))
    assert {row["id"] for row in found} == {
        id
        for id, row in expected(workspace).items()
        if row["side"] == "train" and row["source"] == "web" and row["language"].startswith("cmn_")
    }
    assert {row["language"] for row in found} == {"cmn_Hans", "cmn_Hant"}


def test_exported_texts_can_be_trained_on_again(workspace: Workspace, tmp_path: Path) -> None:
    for format in ("jsonl.zst", "parquet"):
        out = tmp_path / format
        run(export, workspace.root, "--documents", "--format", format, "--split", "train", "--out", str(out))
        texts = sorted(found.text for found in read_texts(str(out)))
        assert texts == sorted(row["text"] for row in expected(workspace).values() if row["side"] == "train")


def test_hugging_face_datasets_reads_the_parquet(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    export_documents(workspace, str(tmp_path / "out"), "parquet")
    files = {side: f"{tmp_path}/out/{side}/**/*.parquet" for side in ("train", "valid")}
    found = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    wanted = expected(workspace)
    for side in ("train", "valid"):
        rows = {row["id"]: row for row in found[side]}
        assert {id: row["text"] for id, row in rows.items()} == {
            id: row["text"] for id, row in wanted.items() if row["side"] == side
        }
        assert all(json.loads(row["metadata"]) == wanted[id]["metadata"] for id, row in rows.items())


def test_duckdb_reads_the_json_lines(workspace: Workspace, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    out = tmp_path / "text"
    export_documents(workspace, str(out))
    sizes = duckdb.sql(
        f"SELECT source, count(*) FROM read_json('{out}/*/*/*.jsonl.zst') GROUP BY ALL"
    ).fetchall()
    decisions = workspace.decisions().to_table(columns=["source", "kept"])
    kept = decisions.filter(decisions["kept"])["source"]
    assert dict(sizes) == {row["values"]: row["counts"] for row in pc.value_counts(kept).to_pylist()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "choose what to export: --documents for texts, --bin for tokens"),
        (("--documents", "--bin"), "give one of them"),
        (("--documents", "--format", "csv"), "--format csv: choose from jsonl.zst, parquet"),
        (("--documents", "--format", "parquett"), r"jsonl.zst, parquet \(did you mean parquet\?\)"),
        (
            ("--documents", "--split", "vaild"),
            r"--split vaild: choose from train, valid, all \(did you mean valid\?\)",
        ),
        (("--documents", "--split", "test"), "--split test: choose from train, valid, all"),
        (("--documents", "--source", "books"), "no source books: the workspace has web, wikipedia"),
        (("--documents", "--language", "xho"), "has no such kept document in xho"),
        (
            ("--bin", "--source", "books"),
            "no tokens from the source books: choose from web, wikipedia",
        ),
        (("--bin", "--language", "xho"), "no tokens in xho"),
        (
            ("--bin", "--workers", "2"),
            "--workers has no effect with --bin: leave it out, it belongs to --documents",
        ),
        (("--bin", "--split", "train"), "--split has no effect with --bin"),
        (("--bin", "--format", "jsonl.zst"), "--format has no effect with --bin"),
        (("--bin", "--shard-size", "1GB"), "--shard-size has no effect with --bin"),
        (("--documents", "--step", "3"), "--step has no effect with --documents: .* belongs to --model"),
        (("--model", "--language", "th"), "--language has no effect with --model: .* --documents and --bin"),
        (("--documents", "--shard-size", "many"), "--shard-size many: give a number of bytes such as 500MB"),
        (("--documents", "--shard-size", "0"), "--shard-size 0: give a number of bytes"),
        (("--documents", "--language", "no such"), "--language: 'no such' is not a language: say eng_Latn"),
    ],
)
def test_wrong_questions_are_answered_in_a_line(
    workspace: Workspace, tmp_path: Path, options: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(export, workspace.root, *options, "--out", str(tmp_path / "out"))


def test_a_folder_with_other_things_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="the folder contains other files"):
        export_documents(workspace, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_export_takes_the_place_of_an_earlier_one(workspace: Workspace, tmp_path: Path) -> None:
    export_documents(workspace, str(tmp_path / "out"))
    export_documents(workspace, str(tmp_path / "out"), "parquet", DocumentSelection(source="wikipedia"))
    assert not list(rows_of(tmp_path / "out"))
    assert {
        source
        for path in (tmp_path / "out").rglob("*.parquet")
        for source in pq.read_table(path)["source"].to_pylist()
    } == {"wikipedia"}


def test_an_export_of_another_workspace_is_replaced_and_named(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(export, workspace.root, "--bin", "--out", str(out))
    description = json.loads((out / "export.json").read_text())
    (out / "export.json").write_text(json.dumps({**description, "build": {"name": "another"}}))
    assert name_export(str(out)) == f"{description['export']} of another, {len(description['files'])} files"
    run(export, workspace.root, "--documents", "--out", str(out))
    assert not list(out.glob("*.bin")) and name_export(str(out)).startswith("documents of ")
    run(export, workspace.root, "--documents", "--language", "en", "--out", str(out))
    assert all(any(folder.iterdir()) for folder in out.rglob("*") if folder.is_dir())
    assert {path.parent.name for path in out.rglob("*.zst")} == {"eng_Latn"}
    assert name_export(str(tmp_path / "new")) is None


@pytest.mark.parametrize("files", [["../mine.txt"], ["/mine.txt"], ["mine.txt"], None])
def test_an_earlier_export_is_replaced_within_its_folder_alone(
    workspace: Workspace, tmp_path: Path, files: list[str] | None
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text(json.dumps({"files": files}))
    with pytest.raises(UserError, match="was not written by an export"):
        run(export, workspace.root, "--documents", "--out", str(tmp_path / "out"))
    assert (tmp_path / "mine.txt").read_text() == "mine"
