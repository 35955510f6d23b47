"""A whole build: the same bytes with any number of workers and after any crash, nothing lost, nothing repeated."""

from __future__ import annotations

import fcntl
import json
import random
import shutil
import time
from pathlib import Path

import pyarrow.compute as pc
import pytest

import corpus
from corpus.errors import RunError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from tests.pipelines.small import digests, killed_build, run_build, write_inputs

KILLS = 4


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def built(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A finished workspace and the seconds that it took."""
    out = tmp_path_factory.mktemp("built") / "workspace"
    began = time.monotonic()
    done = run_build(inputs, out)
    assert done.returncode == 0, done.stderr
    return out, time.monotonic() - began


def test_every_input_is_a_document_or_in_quarantine(built: tuple[Path, float]) -> None:
    workspace = corpus.open(str(built[0]))
    documents = workspace.documents().to_table()
    counts = {row["values"]: row["counts"] for row in pc.value_counts(documents["source"]).to_pylist()}
    assert counts == {"web": 60, "wikipedia": 20, "mine": 8}
    quarantine = workspace.stats()["quarantine"].to_table().to_pylist()
    assert [(row["source"], row["step"], row["records"]) for row in quarantine] == [
        ("mine", "read", 1),
        ("web", "read", 2),
    ]
    languages = set(documents["language"].to_pylist())
    assert {"eng_Latn", "cmn_Hans", "rus_Cyrl", "tha_Thai", "arb_Arab"} <= languages


def test_counts_equal_a_plain_count(built: tuple[Path, float]) -> None:
    workspace = corpus.open(str(built[0]))
    counts = workspace.stats()["counts"].to_table()
    total = {what: 0 for what in ("read", "gated", "rules", "duplicate", "kept")}
    for row in counts.to_pylist():
        if row["what"] in total:
            total[row["what"]] += row["documents"]
    decisions = workspace.decisions().to_table()
    kept = pc.sum(decisions["kept"]).as_py()
    assert total["read"] == decisions.num_rows == sum(total[what] for what in total if what != "read")
    assert total["kept"] == kept
    shards = workspace.tokens()
    assert sum(shard["rows"] for shard in shards["shards"]) == kept
    texts = workspace.documents().to_table(columns=["bytes"])["bytes"].filter(decisions["kept"])
    assert sum(shard["bytes"] for shard in shards["shards"]) == pc.sum(texts).as_py()


def test_a_duplicate_names_a_document_that_was_kept(built: tuple[Path, float]) -> None:
    workspace = corpus.open(str(built[0]))
    decisions = workspace.decisions().to_table()
    ids = workspace.documents().to_table(columns=["id"])["id"]
    kept = set(ids.filter(decisions["kept"]).to_pylist())
    named = [name for name in decisions["duplicate_of"].to_pylist() if name is not None]
    assert len(named) >= 3
    assert set(named) <= kept


@pytest.mark.parametrize("workers", [2, 5])
def test_any_number_of_workers_gives_the_same_bytes(
    built: tuple[Path, float], inputs: Path, tmp_path: Path, workers: int
) -> None:
    done = run_build(inputs, tmp_path / "out", workers=workers)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "out") == digests(built[0])


def test_a_finished_build_does_nothing(built: tuple[Path, float], inputs: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns
        for path in built[0].rglob("*.*")
        if path.name not in (".lock", "status.json", "timings.json")
    }
    done = run_build(inputs, built[0])
    assert "nothing to do" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


def kill_and_go_on(built: tuple[Path, float], inputs: Path, folder: Path, kills: int, seed: int) -> None:
    """Builds killed at random moments and started again end with the bytes of an undisturbed one."""
    reference, seconds = built
    wanted = digests(reference)
    draw = random.Random(seed)
    interrupted = 0
    for kill in range(kills):
        out = folder / f"killed-{kill}"
        workers = 1 + (kill % 5 == 4)
        interrupted += not killed_build(inputs, out, draw.uniform(0.1, 0.8) * seconds, workers)
        whole = [path for path in out.rglob("part-*.parquet") if "documents" in path.parts]
        before = {path: path.stat().st_ino for path in whole}
        done = run_build(inputs, out, workers)
        assert done.returncode == 0, done.stderr
        assert digests(out) == wanted
        assert {path: path.stat().st_ino for path in before} == before, "a finished split was read again"
        shutil.rmtree(out)
    assert interrupted >= kills // 4, "the machine was far busier when the time was taken"


@pytest.mark.timeout(900)
def test_killed_anywhere_it_goes_on_to_the_same_bytes(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    kill_and_go_on(built, inputs, tmp_path, KILLS, seed=20260102)


def test_a_second_build_at_once_is_refused(built: tuple[Path, float], inputs: Path) -> None:
    with open(built[0] / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run_build(inputs, built[0])
    assert done.returncode == 1
    assert "another build is running here" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_new_rule_decides_again_without_reading_a_page(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(built[0], tmp_path / "again")
    parts = {
        path: path.stat().st_ino for path in out.rglob("part-*") if {"documents", "signals"} & set(path.parts)
    }
    changed = inputs.with_name("stricter.yaml")
    changed.write_text(inputs.read_text() + "rules: {text.characters: {min: 700}}\n")
    done = run_build(changed, out)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_ino for path in parts} == parts
    rules = {
        row["key"]
        for row in corpus.open(str(out)).stats()["counts"].to_table().to_pylist()
        if row["what"] == "failed"
    }
    assert "text.characters.min" in rules
    again = run_build(inputs, out)
    assert again.returncode == 0
    assert digests(out) == digests(built[0])


def test_a_changed_file_is_read_again_and_the_others_are_not(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    manifest = shutil.copytree(inputs.parent, tmp_path / "inputs") / inputs.name
    out = shutil.copytree(built[0], tmp_path / "out")
    parts = {path: path.stat().st_ino for path in out.rglob("documents/*/part-*")}
    lines = manifest.with_name("mine.jsonl")
    lines.write_text(lines.read_text().replace("morning", "evening", 1))
    assert run_build(manifest, out).returncode == 0
    changed = {path.parent.name for path, inode in parts.items() if path.stat().st_ino != inode}
    assert changed == {"source=mine"}


def test_inputs_that_went_take_their_parts_with_them(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    manifest = shutil.copytree(inputs.parent, tmp_path / "inputs") / inputs.name
    out = shutil.copytree(built[0], tmp_path / "out")
    manifest.with_name("crawl-1.warc.gz").unlink()
    assert run_build(manifest, out).returncode == 0
    fresh = tmp_path / "fresh"
    assert run_build(manifest, fresh).returncode == 0
    assert digests(out) == digests(fresh)


def test_a_killed_change_of_manifest_is_not_believed(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(built[0], tmp_path / "out")
    other = inputs.with_name("other.yaml")
    other.write_text(inputs.read_text().replace("rules: []", "rules: [], fields: {text: id}"))
    killed_build(other, out, 0.6 * built[1])
    done = run_build(inputs, out)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(built[0])


def test_what_was_deleted_is_made_again(built: tuple[Path, float], inputs: Path, tmp_path: Path) -> None:
    out = shutil.copytree(built[0], tmp_path / "out")
    next(out.glob("tokens/split=train/*/*/shard-*.arrow")).unlink()
    next(out.glob("signals/gopher/*/part-*")).unlink()
    done = run_build(inputs, out)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(built[0])


def test_a_part_of_other_documents_is_refused(built: tuple[Path, float], tmp_path: Path) -> None:
    out = shutil.copytree(built[0], tmp_path / "out")
    first, second = sorted(out.glob("signals/gopher/source=web/part-*"))[:2]
    shutil.copy(first, second)
    with pytest.raises(RunError, match="was not made from the documents beside it"):
        list(corpus.open(str(out)).rows(["id"], steps=["gopher"]))


def test_without_deduplication_nothing_of_it_is_left(
    built: tuple[Path, float], inputs: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(built[0], tmp_path / "out")
    off = inputs.with_name("off.yaml")
    off.write_text(inputs.read_text() + "dedup: false\n")
    assert run_build(off, out).returncode == 0
    assert not list(out.glob("dedup/*.parquet"))
    assert not list(out.glob("dedup/signatures/*/*"))
    assert not any(corpus.open(str(out)).decisions().to_table()["duplicate_of"].is_valid().to_pylist())


def test_a_workspace_on_another_filesystem_goes_on_too(inputs: Path) -> None:
    root = "memory://build-test"
    said: list[str] = []
    build_workspace(str(inputs), root, Running(), said.append)
    documents = corpus.open(root).documents().count_rows()
    stricter = inputs.with_name("stricter-remote.yaml")
    stricter.write_text(inputs.read_text() + "rules: {text.characters: {min: 700}}\n")
    build_workspace(str(stricter), root, Running(), said.append)
    assert corpus.open(root).documents().count_rows() == documents == 88
    build_workspace(str(stricter), root, Running(), said.append)
    assert said[-1] == "nothing to do: the workspace is complete"
    assert len([line for line in said if line.startswith("nothing to do")]) == 1


def test_a_top_share_is_taken_over_the_sources_that_have_the_rule(inputs: Path, tmp_path: Path) -> None:
    manifest = inputs.with_name("share.yaml")
    rule = "{text.characters: {top_share: 0.5, where: {sources: [mine]}}}"
    manifest.write_text(inputs.read_text() + f"rules: {rule}\n")
    workspace = build_workspace(str(manifest), str(tmp_path / "out"), Running())
    kept = [
        row["kept"]
        for source, _, table in workspace.rows(["id"])
        if source == "mine"
        for row in table.to_pylist()
    ]
    assert (sum(kept), len(kept)) == (4, 8)


def test_wrong_arguments_get_one_line_and_status_2(inputs: Path, tmp_path: Path) -> None:
    wrong = inputs.with_name("wrong.yaml")
    wrong.write_text(inputs.read_text() + "rules:\n  gopher.mean_wrd_length: {max: 8}\n")
    done = run_build(wrong, tmp_path / "out")
    assert done.returncode == 2
    assert f"{wrong}:11: rules.gopher.mean_wrd_length: " in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
    wrong.write_text(inputs.read_text().replace("*.jsonl", "*.jsnl"))
    done = run_build(wrong, tmp_path / "out")
    assert done.returncode == 2
    assert f"{wrong}:5: sources.mine.paths[0]: no such file: *.jsnl" in done.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    done = run_build(inputs, tmp_path / "other")
    assert done.returncode == 2
    assert "contains other files" in done.stderr


def test_status_tells_how_it_stands(built: tuple[Path, float]) -> None:
    status = json.loads((built[0] / "status.json").read_text())
    assert status["state"] == "done"
    assert status["done"] == status["total"]
