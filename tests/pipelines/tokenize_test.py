from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.fanout import make_claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.tokenize import TokenizeJob, tokenize_splits
from corpus.tokens.encode import load_encoder
from corpus.tokens.options import MixtureOptions, TokenizerOptions, TokensOptions
from corpus.workspace import Workspace
from tests.tokens.made import TEXTS, Doc, corpus_of, make_workspace, write_split

SPLITS = {
    ("web", "aa"): corpus_of(12),
    ("web", "bb"): [*corpus_of(3), Doc("dropped", side=None), Doc(None, side=None)],
    ("wiki", "cc"): [Doc(f"{text} {i}", "eng_Latn") for i, text in enumerate(TEXTS.values())],
    ("wiki", "dd"): [Doc("dropped", side=None)],
}
OPTIONS = TokensOptions(max_shard_tokens=3000, min_language_tokens=400)


def job_of(workspace: Workspace, workers: int = 1, **given: Any) -> tuple[TokenizeJob, list[str]]:
    """A job over the splits of a workspace, and the list where the names of its pipelines will be."""
    running = Running(workers=workers)
    ran: list[str] = []

    def run(
        name: str, build: Callable[[str | None], Any], total: int, *, weights: Sequence[int] | None = None
    ) -> None:
        assert weights is None or len(weights) == total
        ran.append(f"{name} {total}")
        with make_claims_folder(running) as claims, beam.Pipeline(options=running.options(name)) as start:
            build(claims)(start)

    parts = Path(workspace.root, "documents").glob("*/*.parquet")
    options: dict[str, Any] = {
        "splits": sorted((p.parent.name[7:], p.stem[5:]) for p in parts),
        "tokenizer": TokenizerOptions(vocabulary=900),
        "tokens": OPTIONS,
        "mixture": MixtureOptions(),
    }
    job = TokenizeJob(
        workspace=workspace, name="test", seed=0, running=running, run=run, **{**options, **given}
    )
    return job, ran


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("tokens", "tokenizer")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A tokenized workspace and its dataset.json; tests that change it take a copy."""
    root = tmp_path_factory.mktemp("workspace")
    job, _ = job_of(make_workspace(root, SPLITS))
    return root, tokenize_splits(job)


@pytest.fixture
def copied(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(built[0], tmp_path / "copy"))


def test_every_kept_document_is_in_the_shards_once_and_reads_back(built: tuple[Path, dict[str, Any]]) -> None:
    root, description = built
    encoder = load_encoder(str(root / "tokenizer" / "tokenizer.json"))
    rows = []
    for shard in description["shards"]:
        path = root / "tokens" / shard["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == shard["sha256"]
        table = pa.ipc.open_file(path).read_all()
        tokens = table.column("tokens").to_pylist()
        assert shard["rows"] == table.num_rows
        assert shard["tokens"] == sum(map(len, tokens)) <= 3000
        assert shard["bytes"] == sum(table.column("bytes").to_pylist())
        assert all(row[-1] == description["end_of_text"] for row in tokens)
        assert {"eng_Latn"} == set(table.column("language").to_pylist()) or shard["language"] != "eng_Latn"
        texts = [encoder.decode(row[:-1]) for row in tokens]
        languages = table.column("language").to_pylist()
        rows += [(shard["split"], shard["source"], *row) for row in zip(languages, texts, strict=True)]
    expected = [
        (doc.side, source, doc.language, doc.text)
        for (source, _), docs in SPLITS.items()
        for doc in docs
        if doc.side is not None
    ]
    assert sorted(rows) == sorted(expected)


def test_the_shards_are_one_arrow_dataset(built: tuple[Path, dict[str, Any]]) -> None:
    root, description = built
    paths = [str(root / "tokens" / shard["path"]) for shard in description["shards"]]
    found = ds.dataset(paths, format="ipc", partitioning="hive", partition_base_dir=str(root / "tokens"))
    assert found.schema.field("tokens").type == pa.list_(pa.uint16())
    assert found.count_rows() == sum(shard["rows"] for shard in description["shards"])


def test_dataset_json_says_what_a_trainer_needs(built: tuple[Path, dict[str, Any]]) -> None:
    root, description = built
    assert json.loads((root / "tokens" / "dataset.json").read_text()) == description
    tokenizer = root / "tokens" / description["tokenizer"]["path"]
    assert hashlib.sha256(tokenizer.read_bytes()).hexdigest() == description["tokenizer"]["sha256"]
    assert (description["schema_version"], description["name"]) == (1, "test")
    assert (description["vocabulary_size"], description["dtype"]) == (900, "uint16")
    totals = description["totals"]
    for side in ("train", "valid"):
        inside = [shard for shard in description["shards"] if shard["split"] == side]
        for what in ("rows", "tokens", "bytes"):
            assert totals[side][what] == sum(shard[what] for shard in inside)
            for source, found in totals[side]["sources"].items():
                assert found[what] == sum(s[what] for s in inside if s["source"] == source)
                assert found[what] == sum(sizes[what] for sizes in found["languages"].values())
    assert set(totals["train"]["sources"]["web"]["languages"]) == set(TEXTS)
    streams = {(s["source"], s["language"]): s for s in description["mixture"]["streams"]}
    assert streams.keys() == {(s["source"], s["language"]) for s in description["shards"]}
    assert ("web", "other") in streams and ("web", "eng_Latn") in streams
    assert sum(s["weight"] for s in streams.values()) == pytest.approx(1)


def test_the_card_says_what_the_tokenizer_learned_from(built: tuple[Path, dict[str, Any]]) -> None:
    card = json.loads((built[0] / "tokenizer" / "card.json").read_text())
    assert (card["kind"], card["engine"], card["end_of_text"]) == ("trained", "tiktoken", "<|endoftext|>")
    assert set(card["sample"]) == set(TEXTS)
    thai = card["sample"]["tha_Thai"]
    assert thai["documents"] == thai["of_documents"] == 11 + 2


def test_done_again_nothing_is_done(copied: Path) -> None:
    before = digests(copied)
    job, ran = job_of(Workspace(str(copied)))
    tokenize_splits(job)
    assert ran == []
    assert digests(copied) == before


@pytest.mark.soak
def test_two_workers_give_the_same_bytes(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    job, _ = job_of(make_workspace(tmp_path, SPLITS), workers=2)
    assert tokenize_splits(job) == built[1]
    assert digests(tmp_path) == digests(built[0])


@pytest.mark.parametrize(
    ("lost", "again"),
    [
        (["tokens/dataset.json"], []),
        (["tokens/parts/source=web/part-bb.arrow"], ["encode 1"]),
        (["tokens/split=valid/source=web/language=other/shard-00000.arrow"], ["shards 1"]),
        (["tokens/parts/shards/split=valid/source=web/language=other/shard-00000.arrow.json"], ["shards 1"]),
        (["tokenizer/card.json"], []),
        (["tokenizer/tokenizer.json", "tokenizer/sample/pieces/source=web/part-aa.parquet"], ["pieces 1"]),
        (["tokens", "tokenizer"], ["sample 4", "pieces 4", "encode 4", "shards 6"]),
    ],
)
def test_what_is_lost_is_made_again_and_nothing_else(copied: Path, lost: list[str], again: list[str]) -> None:
    before = digests(copied)
    for name in lost:
        path = copied / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    job, ran = job_of(Workspace(str(copied)))
    tokenize_splits(job)
    assert [name.split()[0] for name in ran] == [name.split()[0] for name in again]
    assert [int(name.split()[1]) for name in ran if "shards" not in name] == [
        int(name.split()[1]) for name in again if "shards" not in name
    ]
    assert digests(copied) == before


def test_a_damaged_shard_is_written_again(copied: Path) -> None:
    before = digests(copied)
    path = copied / "tokens" / "split=train" / "source=web" / "language=eng_Latn" / "shard-00000.arrow"
    path.write_bytes(path.read_bytes()[:-20])
    job, ran = job_of(Workspace(str(copied)))
    tokenize_splits(job)
    assert ran == ["shards 1"]
    assert digests(copied) == before


def test_new_decisions_make_what_a_fresh_workspace_would_have(copied: Path, tmp_path: Path) -> None:
    changed = {key: docs for key, docs in SPLITS.items() if key != ("wiki", "cc")}
    changed["web", "bb"] = [replace(doc, side="valid" if doc.side else None) for doc in SPLITS["web", "bb"]]
    write_split(Workspace(str(copied)), "web", "bb", changed["web", "bb"])
    for folder in ("documents", "decisions"):
        (copied / folder / "source=wiki" / "part-cc.parquet").unlink()
    job, _ = job_of(Workspace(str(copied)))
    description = tokenize_splits(job)
    fresh, _ = job_of(make_workspace(tmp_path / "fresh", changed))
    assert tokenize_splits(fresh) == description
    ours, theirs = digests(copied), digests(tmp_path / "fresh")
    leftover = {"tokenizer/sample/histograms/source=wiki/part-cc.parquet"}
    leftover |= {"tokenizer/sample/pieces/source=wiki/part-cc.parquet"}
    assert {name: digest for name, digest in ours.items() if name not in leftover} == theirs


def test_a_workspace_on_another_filesystem_is_the_same(
    built: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    workspace = Workspace.create("memory://bucket/workspace")
    for (source, split), docs in SPLITS.items():
        write_split(workspace, source, split, docs)
    job, _ = job_of(workspace, splits=sorted(SPLITS))
    storage.write_text(workspace.path("tokens", "split=train", "stale.arrow"), "of an earlier plan")
    assert tokenize_splits(job) == built[1]
    assert not storage.exists(workspace.path("tokens", "split=train", "stale.arrow"))
    job, ran = job_of(workspace, splits=sorted(SPLITS))
    assert tokenize_splits(job) == built[1] and ran == []
    shard = built[1]["shards"][0]["path"]
    assert storage.read_bytes(workspace.path("tokens", shard)) == (built[0] / "tokens" / shard).read_bytes()


def test_another_mixture_changes_dataset_json_alone(copied: Path) -> None:
    before = digests(copied)
    job, ran = job_of(Workspace(str(copied)), mixture=MixtureOptions(weights={"wiki": 3}))
    description = tokenize_splits(job)
    assert ran == []
    changed = {name for name, digest in digests(copied).items() if before[name] != digest}
    assert changed == {"tokens/dataset.json"}
    wiki = sum(s["weight"] for s in description["mixture"]["streams"] if s["source"] == "wiki")
    assert wiki == pytest.approx(0.75)


def test_a_given_tokenizer_is_taken_as_it_is(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    given = tmp_path / "given.json"
    raw = json.loads((built[0] / "tokenizer" / "tokenizer.json").read_text())
    given.write_text(json.dumps(raw))
    job, ran = job_of(make_workspace(tmp_path / "w", SPLITS), tokenizer=TokenizerOptions(path=str(given)))
    description = tokenize_splits(job)
    assert [name.split()[0] for name in ran] == ["encode", "shards"]
    assert (tmp_path / "w" / "tokenizer" / "tokenizer.json").read_bytes() == given.read_bytes()
    assert description["totals"] == built[1]["totals"]
    job, ran = job_of(Workspace(str(tmp_path / "w")), tokenizer=TokenizerOptions(path=str(given)))
    assert tokenize_splits(job) == description and ran == []


def test_a_given_tokenizer_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "given.json").write_text("{}")
    options = TokenizerOptions(path=str(tmp_path / "given.json"))
    job, ran = job_of(make_workspace(tmp_path / "w", SPLITS), tokenizer=options)
    with pytest.raises(UserError, match=r"given\.json: not a tokenizer\.json"):
        tokenize_splits(job)
    assert ran == []


def test_nothing_kept_is_a_dataset_without_shards(tmp_path: Path) -> None:
    job, _ = job_of(make_workspace(tmp_path, {("web", "aa"): [Doc("gone", side=None)], ("web", "bb"): []}))
    description = tokenize_splits(job)
    assert description["shards"] == description["mixture"]["streams"] == []
    assert description["totals"]["train"] == {"rows": 0, "tokens": 0, "bytes": 0, "sources": {}}
    assert description["vocabulary_size"] == 257


def test_a_split_that_was_not_decided_is_an_error(copied: Path) -> None:
    (copied / "decisions" / "source=wiki" / "part-cc.parquet").unlink()
    job, _ = job_of(Workspace(str(copied)))
    with pytest.raises(RunError, match="input split cc of wiki has no documents or decisions"):
        tokenize_splits(job)
