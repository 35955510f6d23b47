"""Sources with other fields, dates and metadata become one table for every reader, in files of a given size."""

from __future__ import annotations

import io
import json
import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.json
import pyarrow.parquet as pq
import pytest
import zstandard

import corpus
from corpus import storage
from corpus.errors import RunError, UserError
from corpus.export import documents as documents_module
from corpus.export.documents import export_documents, group_shards
from corpus.export.file_writers import EXPORT_SCHEMA, to_basic_times
from corpus.export.shard_plan import DocumentSelection, ExportShard, add_rows, name_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.workspace import Workspace
from tests.pipelines.small import SENTENCES

DATES = [
    "2021-03-04",
    "2021-03-04T05:06:07Z",
    "2021-03-04 05:06:07",
    "2021-03-04T05:06:07-08:00",
    "2021-03",
    "2021",
]


def make_rows(name: str, languages: list[str], count: int, extra: Any) -> list[dict[str, Any]]:
    dice = random.Random(name)
    return [
        {
            "id": f"{name}{at}",
            "text": "\n".join(dice.choices(SENTENCES[languages[at % len(languages)]], k=12)),
            **extra(at),
        }
        for at in range(count)
    ]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("sources")
    sources = {
        # all dates look like times, numbers are integers, a list is empty
        "a": make_rows(
            "a", ["eng", "cmn"], 30, lambda at: {"date": f"2024-01-{at % 28 + 1:02d}", "n": at, "tags": []}
        ),
        # no date, no address before the twentieth, numbers with fractions, structs and lists instead of each other
        "b": make_rows(
            "b",
            ["rus", "tha"],
            30,
            lambda at: {
                "n": at / 7,
                "tags": {"x": at},
                **({"url": f"https://b.example/{at}"} if at > 19 else {}),
            },
        ),
        "c": make_rows(
            "c",
            ["cmn", "eng"],
            12,
            lambda at: {"date": DATES[at % 6], "n": "many", "deep": [[], {"k": None}]},
        ),
    }
    sources["c"][3]["text"] = "\n".join(random.Random(3).choices(SENTENCES["cmn"], k=9000))
    for name, rows in sources.items():
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    manifest = folder / "manifest.yaml"
    manifest.write_text(
        "name: mixed\nsources:\n"
        "  a: {kind: jsonl, paths: [a.jsonl], rules: [], fields: {metadata: [n, tags]}}\n"
        "  b: {kind: jsonl, paths: [b.jsonl], rules: [], fields: {metadata: [n, tags]}}\n"
        '  c: {kind: jsonl, paths: [c.jsonl], rules: [], fields: {metadata: [n, deep]}, snapshot: "2024-05-06"}\n'
        "dedup: {exact: false, url: false, minhash: null}\nvalidation: {share: 0.3}\ntokenizer: {vocabulary: 300}\n",
        encoding="utf-8",
    )
    build_workspace(str(manifest), str(folder / "made"), Running(workers=1))
    return corpus.open(str(folder / "made"))


def list_files(folder: Path, format: str) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*.{format}"))


def read_lines(path: Path) -> list[dict[str, Any]]:
    data = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read()
    return [json.loads(line) for line in data.split(b"\n") if line]


@pytest.mark.parametrize("format", ["jsonl.zst", "parquet"])
def test_datasets_reads_any_order_of_files_as_one_schema(
    workspace: Workspace, tmp_path: Path, format: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    export_documents(workspace, str(tmp_path / "out"), format, shard_size=20_000)
    files = [str(path) for path in list_files(tmp_path / "out", format)]
    kind = "parquet" if format == "parquet" else "json"
    strings = {name: datasets.Value("string") for name in EXPORT_SCHEMA.names}
    for order in (files, files[::-1]):
        rows = (
            datasets.load_dataset(
                kind, data_files=order, split="train", cache_dir=str(tmp_path / "cache"), chunksize=4_000
            )
            if kind == "json"
            else datasets.load_dataset(
                kind, data_files=order, split="train", cache_dir=str(tmp_path / "cache")
            )
        )
        assert dict(rows.features) == strings
        assert len(rows) == 72
        dates = {row["date"] for row in rows if row["source"] == "c"}
        if format == "parquet":
            assert dates == set(DATES)
        else:
            assert dates == {
                "20210304",
                "20210304T050607Z",
                "20210304T050607",
                "20210304T050607-0800",
                "2021-03",
                "2021",
            }
        metadata = {row["source"]: json.loads(row["metadata"]) for row in rows}
        assert set(metadata["b"]) == {"id", "n", "tags"} and set(metadata["c"]) == {"id", "n", "deep"}


def test_every_block_of_the_lines_has_the_same_types(workspace: Workspace, tmp_path: Path) -> None:
    export_documents(workspace, str(tmp_path / "out"))
    for path in list_files(tmp_path / "out", "jsonl.zst"):
        for line in zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read().splitlines():
            assert pa.json.read_json(io.BytesIO(line)).schema == EXPORT_SCHEMA


def test_parquet_is_plain_strings_for_every_reader(workspace: Workspace, tmp_path: Path) -> None:
    duckdb, pandas = pytest.importorskip("duckdb"), pytest.importorskip("pandas")
    export_documents(workspace, str(tmp_path / "out"), "parquet", shard_size=20_000)
    for path in list_files(tmp_path / "out", "parquet"):
        file = pq.ParquetFile(path)
        assert file.metadata.metadata is None  # no schema of Arrow, no extension types
        assert {column.physical_type for column in file.schema} == {"BYTE_ARRAY"}
        assert {str(column.logical_type) for column in file.schema} == {"String"}
        assert file.schema_arrow.equals(EXPORT_SCHEMA)
    folder = f"{tmp_path}/out/train"
    count = ds.dataset(folder).count_rows()
    assert list(pandas.read_parquet(folder).columns) == EXPORT_SCHEMA.names
    assert len(pandas.read_parquet(folder)) == count
    query = f"SELECT count(*), count(DISTINCT id), count(url) FROM read_parquet('{folder}/*/*.parquet')"
    assert duckdb.sql(query).fetchall()[0][:2] == (count, count)


@pytest.mark.parametrize(
    ("given", "basic"),
    [
        ("2024-01-31", "20240131"),
        ("2024-01-31T23:59:59Z", "20240131T235959Z"),
        ("2024-01-31 23:59:59.25", "20240131T235959.25"),
        ("2024-01-31t23:59:59-05:30", "20240131T235959-0530"),
        ("2024-01-31T23", "20240131T23"),
        ("CC-MAIN-2024-10", "CC-MAIN-2024-10"),
        ("2024-10", "2024-10"),
        ("2024-01-31-final", "2024-01-31-final"),
        ("三月 2021", "三月 2021"),
        ("", ""),
    ],
)
def test_times_are_strings_to_readers_that_guess(given: str, basic: str) -> None:
    assert to_basic_times(pa.chunked_array([[given]])).to_pylist() == [basic]
    table = pa.json.read_json(io.BytesIO(json.dumps({"date": basic}).encode()))
    assert table.schema.field("date").type == pa.string()


@pytest.mark.parametrize("format", ["jsonl.zst", "parquet"])
def test_files_are_as_full_as_their_size_allows_with_any_number_of_workers(
    workspace: Workspace, tmp_path: Path, format: Any
) -> None:
    size = 9_000
    one = export_documents(workspace, str(tmp_path / "one"), format, shard_size=size)
    if format == "parquet":
        assert export_documents(workspace, str(tmp_path / "two"), format, shard_size=size, workers=2) == one
    by_folder = defaultdict(list)
    for name, file in one["files"].items():
        split, language, last = name.split("/")
        by_folder[split, language].append((last, file))
        assert file["bytes"] < file["size"] and (file["size"] <= size or file["documents"] == 1)
        if format == "jsonl.zst":
            with (tmp_path / "one" / name).open("rb") as stream:
                assert len(zstandard.ZstdDecompressor().stream_reader(stream).read()) == pytest.approx(
                    file["size"], rel=0.03
                )
        assert (file["split"], file["language"]) == (split, language)
    assert ("train", "tha_Thai") in by_folder and ("train", "cmn_Hans") in by_folder
    assert (
        max(file["bytes"] for _, file in by_folder["train", "cmn_Hans"]) > 500_000
    )  # one long document, on its own
    for (split, _), files in by_folder.items():
        names = [f"{split}-{at:05d}-of-{len(files):05d}.{format}" for at in range(len(files))]
        assert [last for last, _ in files] == names
        for (_, file), (_, following) in pairwise(files):
            assert file["size"] + following["size"] > size  # none was ended too early to hold what follows
    whole = export_documents(workspace, str(tmp_path / "whole"), format)
    assert {
        "/train-00000-of-00001." in name or "/valid-00000-of-00001." in name for name in whole["files"]
    } == {True}
    if format == "jsonl.zst":
        for split, language in by_folder:
            parts = sorted((tmp_path / "one" / split / language).iterdir())
            (entire,) = (tmp_path / "whole" / split / language).iterdir()
            assert [row for part in parts for row in read_lines(part)] == read_lines(entire)


def test_rows_are_dealt_out_without_a_gap() -> None:
    files: list[ExportShard] = []
    for group, sizes in enumerate([[40, 40, 40], [], [200, 10, 90], [1]]):
        row_sizes = np.array(sizes, np.int64)
        add_rows(files, row_sizes, row_sizes - 1, 100, (0, group), ("train", "tha_Thai"))
    pieces = [[(piece.group, piece.start, piece.end) for piece in file.pieces] for file in files]
    assert pieces == [[(0, 0, 2)], [(0, 2, 3)], [(2, 0, 1)], [(2, 1, 3)], [(3, 0, 1)]]
    assert [(file.documents, file.size, file.bytes) for file in files] == [
        (2, 80, 78), (1, 40, 39), (1, 200, 199), (2, 100, 98), (1, 1, 0),
    ]  # fmt: skip
    groups = list(group_shards(files, 150))
    assert [[file.number for file in group] for group in groups] == [[0, 1], [2], [3, 4]]


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("cmn_Hans", "cmn_Hans"),
        ("code_c++", "code_c++"),
        ("code_objective-c", "code_objective-c"),
        ("code_c#", "code_c%23"),
        ("code_f*", "code_f%2A"),
        ("..", "%2E%2E"),
        ("a/../b", "a%2F%2E%2E%2Fb"),
        ("中文", "%E4%B8%AD%E6%96%87"),
    ],
)
def test_folders_of_labels_are_names_in_any_pattern(label: str, folder: str) -> None:
    assert name_folder(label) == folder


def test_an_interrupted_export_has_no_half_file_and_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = export_documents(workspace, str(tmp_path / "whole"), shard_size=9_000)
    out = tmp_path / "out"
    create, begun = documents_module.create_writer, []

    def create_three(*arguments: Any) -> Any:
        begun.append(1)
        if len(begun) > 3:
            raise OSError("no space left on device")
        return create(*arguments)

    monkeypatch.setattr(documents_module, "create_writer", create_three)
    with pytest.raises(OSError, match="no space left"):
        export_documents(workspace, str(out), shard_size=9_000)
    monkeypatch.undo()
    assert not (out / "export.json").exists() and (out / "export.unfinished.json").exists()
    there = {str(path.relative_to(out)): path.stat().st_ino for path in out.rglob("*.zst")}
    assert there and set(there) < set(wanted["files"])
    assert all(storage.sha256(str(out / name)) == wanted["files"][name]["sha256"] for name in there)
    name = next(iter(set(wanted["files"]) - set(there)))
    left = out / Path(name).parent / f".{Path(name).name}.0123.tmp"  # what a killed process leaves
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"half")
    assert export_documents(workspace, str(out), shard_size=9_000) == wanted
    assert {name: (out / name).stat().st_ino for name in there} == there
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == sorted(
        [*wanted["files"], "export.json"]
    )


def test_another_export_takes_nothing_over_from_an_interrupted_one(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(
        documents_module, "write_description", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        export_documents(workspace, str(out), shard_size=9_000)
    monkeypatch.undo()
    (out / "notes.txt").write_text("mine")
    exported = export_documents(workspace, str(out), "parquet", DocumentSelection(language="tha"))
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {*exported["files"], "export.json", "notes.txt"}


def test_a_foreign_file_with_a_name_of_ours_is_never_replaced(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_documents(workspace, str(out), "parquet", DocumentSelection(language="tha"))
    mine = out / "train/cmn_Hans/train-00000-of-00001.parquet"
    mine.parent.mkdir()
    mine.write_text("mine")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(
        UserError, match=r"train/cmn_Hans/train-00000-of-00001\.parquet is not of an earlier export"
    ):
        export_documents(workspace, str(out), "parquet")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_workspace_that_changes_meanwhile_is_an_error(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = documents_module.plan_shards

    def plan_more(*arguments: Any) -> Any:
        planned = plan(*arguments)
        planned.shards[-1].documents += 1
        return planned

    monkeypatch.setattr(documents_module, "plan_shards", plan_more)
    with pytest.raises(RunError, match=r"documents of .* bytes where .* were planned"):
        export_documents(workspace, str(tmp_path / "out"))
    assert not list(tmp_path.rglob("export.json"))
