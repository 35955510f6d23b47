"""`corpus.open(DIR)`: what a build made, as Arrow datasets that DuckDB and Hugging Face datasets read."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

import corpus
from corpus.errors import UserError
from corpus.tokens.encode import load_encoder
from corpus.workspace import Workspace
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


def test_everything_is_an_arrow_dataset(workspace: Workspace) -> None:
    found = [workspace.documents(), workspace.decisions(), workspace.signals("gopher"), workspace.shards()]
    assert all(isinstance(dataset, ds.Dataset) for dataset in [*found, *workspace.stats().values()])
    rows = {dataset.count_rows() for dataset in found[:3]}
    assert len(rows) == 1
    assert {"counts", "rules", "histograms", "domains", "tokens"} <= set(workspace.stats())


def test_shards_have_a_row_for_each_kept_document(workspace: Workspace) -> None:
    shards = workspace.shards().to_table(columns=["doc_id", "split", "source", "language", "tokens"])
    documents = workspace.documents().to_table(columns=["id", "language", "source"])
    decisions = workspace.decisions().to_table(columns=["kept", "split"])
    kept = documents.append_column("split", decisions["split"]).filter(decisions["kept"])
    names = ["id", "language", "source", "split"]
    rows = shards.select(["doc_id", *names[1:]]).rename_columns(names)
    assert sorted(rows.to_pylist(), key=str) == sorted(kept.select(names).to_pylist(), key=str)
    assert len(shards["tokens"].combine_chunks().flatten()) == sum(
        side["tokens"] for side in workspace.tokens()["totals"].values()
    )


def test_duckdb_asks_datasets_and_files_alike(workspace: Workspace) -> None:
    duckdb = pytest.importorskip("duckdb")
    counts, decisions = workspace.stats()["counts"], workspace.decisions()  # noqa: F841 - DuckDB finds it
    ask = "SELECT source, sum(documents)::BIGINT FROM {} WHERE what = 'kept' GROUP BY ALL ORDER BY 1"
    by_source = duckdb.sql(ask.format("counts")).fetchall()
    assert by_source == duckdb.sql(ask.format(f"'{workspace.path('stats', 'counts.parquet')}'")).fetchall()
    plain = "SELECT source, count(*) FROM decisions WHERE kept GROUP BY ALL ORDER BY 1"
    assert by_source == duckdb.sql(plain).fetchall()
    assert decisions.count_rows(filter=pc.field("kept")) == sum(count for _, count in by_source)


def test_hugging_face_datasets_reads_the_shards(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    files = {
        side: [
            workspace.path("tokens", s["path"]) for s in workspace.tokens()["shards"] if s["split"] == name
        ]
        for side, name in (("train", "train"), ("validation", "valid"))
    }
    found = datasets.load_dataset("arrow", data_files=files, cache_dir=str(tmp_path))
    assert {side: part.num_rows for side, part in found.items()} == {
        "train": workspace.tokens()["totals"]["train"]["rows"],
        "validation": workspace.tokens()["totals"]["valid"]["rows"],
    }
    row = found["train"][0]
    text = load_encoder(workspace.path("tokenizer", "tokenizer.json")).decode(row["tokens"])
    assert len(text.encode()) == row["bytes"]


def test_an_unfinished_build_is_told_in_a_line(tmp_path: Path) -> None:
    made = Workspace.create(str(tmp_path / "new"))
    with pytest.raises(UserError, match="has no token shards yet: its build is not finished"):
        made.shards()
    with pytest.raises(UserError, match="has no documents yet"):
        made.documents()
    with pytest.raises(UserError, match="is not a workspace: `corpus build MANIFEST --out"):
        corpus.open(str(tmp_path / "nowhere"))


def test_what_is_no_workspace_is_told_with_what_to_name(tmp_path: Path) -> None:
    root = tmp_path / "語料"
    (Path(Workspace.create(str(root)).root) / "documents" / "source=web").mkdir(parents=True)
    (tmp_path / "m.yaml").write_text("name: a\n")
    for path, advice in (
        (root / "documents", f"it lies in one: name that, {root}"),
        (root / "documents" / "source=web", f"it lies in one: name that, {root}"),
        (
            tmp_path / "m.yaml",
            "it is a file: name the folder that `corpus build MANIFEST --out DIR` has made",
        ),
        (tmp_path / "new", f"`corpus build MANIFEST --out {tmp_path}/new` makes one"),
    ):
        with pytest.raises(UserError) as caught:
            corpus.open(str(path))
        assert str(caught.value) == f"{path} is not a workspace: {advice}"


def test_the_polars_line_of_the_documentation_gives_the_source(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    polars = pytest.importorskip("polars")
    page = (Path(__file__).parents[1] / "docs/python.md").read_text(encoding="utf-8")
    line = next(line for line in page.split("\n") if line.startswith("pl.scan_parquet("))
    (tmp_path / "demo-workspace").symlink_to(demo_workspace())
    monkeypatch.chdir(tmp_path)
    frame = eval(line, {"pl": polars}).select("source").collect()
    assert set(frame["source"]) == set(
        workspace.documents().to_table(columns=["source"])["source"].to_pylist()
    )


def test_datasets_reads_documents_without_their_map(workspace: Workspace, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    table = workspace.documents().to_table(columns=["id", "text"])
    assert datasets.Dataset(table).column_names == ["id", "text"]
    assert len(datasets.Dataset(table)) == workspace.documents().count_rows()
