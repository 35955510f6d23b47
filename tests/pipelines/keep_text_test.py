"""`keep_text`: what fails a rule is stored without its text, and nothing else is different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import corpus
from corpus.errors import UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import compare_changes, decide_again
from corpus.pipelines.cli.sample import sample
from corpus.rules.kept_texts import NOT_KEPT_MESSAGE, is_absent
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.pipelines.small import digests, write_inputs

RULES = "rules: {gopher.words: {min: 180}}\n"
ONE = Running(workers=1)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    manifest = write_inputs(tmp_path_factory.mktemp("inputs"))
    manifest.write_text(manifest.read_text() + RULES + "redact: []\n")  # searches what is kept alone
    return manifest


@pytest.fixture(scope="module")
def whole(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build_workspace(str(inputs), str(tmp_path_factory.mktemp("whole") / "out"), ONE)


@pytest.fixture(scope="module")
def kept(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build_workspace(str(keeping(inputs, "kept")), str(tmp_path_factory.mktemp("kept") / "out"), ONE)


def keeping(manifest: Path, mode: str, more: str = "") -> Path:
    """A copy of a manifest beside it, with this `keep_text`."""
    path = manifest.with_name(f"{mode}{more and 'more'}.yaml")
    path.write_text(manifest.read_text() + f"keep_text: {mode}\n{more}")
    return path


def rows(workspace: Workspace, folder: str) -> list[dict[str, Any]]:
    paths = sorted(Path(workspace.root, folder).rglob("*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def test_what_fails_a_rule_has_no_text_and_all_else_is_the_same(whole: Workspace, kept: Workspace) -> None:
    verdicts = rows(whole, "decisions")
    assert rows(kept, "decisions") == verdicts
    fails = [bool(row["failed_rules"]) for row in verdicts]
    assert 0 < sum(fails) < len(fails)
    for one, other, failed in zip(rows(whole, "documents"), rows(kept, "documents"), fails, strict=True):
        assert other == {**one, "text": None if failed else one["text"]}
    signals = [f"signals/{step}" for step in whole.steps()]
    for folder in [*signals, "stats", "quarantine"]:
        assert rows(kept, folder) == rows(whole, folder)
    one, other = (corpus.open(workspace.root).shards().to_table() for workspace in (whole, kept))
    assert one.equals(other)


def test_verify_takes_no_text_for_right_only_where_a_rule_failed(
    inputs: Path, whole: Workspace, kept: Workspace
) -> None:
    assert verify_workspace(kept.root).good
    manifest = Path(whole.path("manifest.yaml"))
    before = manifest.read_text()
    parts = {path: path.read_bytes() for path in Path(whole.root, "documents").rglob("*.parquet")}
    try:
        for path in parts:
            stored = pq.read_table(path)
            empty = pc.if_else(pc.equal(stored.column("language"), "tha_Thai"), None, stored.column("text"))
            pq.write_table(stored.set_column(2, stored.schema.field(2), empty), path)
        manifest.write_text(before.replace("keep_text: all", "keep_text: kept"))
        found = verify_workspace(whole.root)
        assert found.checks["checksums"].wrong > 0
    finally:
        manifest.write_text(before)
        for path, content in parts.items():
            path.write_bytes(content)


def test_two_workers_and_a_second_build_give_the_same_bytes(
    inputs: Path, kept: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_SPREAD_FROM", "0")
    again = build_workspace(str(keeping(inputs, "kept")), str(tmp_path / "out"), Running(workers=2))
    assert digests(Path(again.root)) == digests(Path(kept.root))
    for path in Path(again.root, "signals").rglob("*.parquet"):
        path.unlink()
    for path in list(Path(again.root, "documents").rglob("*.parquet"))[:2]:
        path.unlink()
    build_workspace(str(keeping(inputs, "kept")), again.root, ONE)
    assert digests(Path(again.root)) == digests(Path(kept.root))


def test_other_rules_read_the_input_again(inputs: Path, kept: Workspace, tmp_path: Path) -> None:
    other = keeping(inputs, "kept", "# other rules\n")
    other.write_text(other.read_text().replace("min: 180", "min: 172"))
    fresh = build_workspace(str(other), str(tmp_path / "fresh"), ONE)
    assert sum(row["text"] is not None for row in rows(fresh, "documents")) > sum(
        row["text"] is not None for row in rows(kept, "documents")
    )
    changed = build_workspace(str(keeping(inputs, "kept")), str(tmp_path / "changed"), ONE)
    said: list[str] = []
    build_workspace(str(other), changed.root, ONE, said.append)
    assert any("input splits to read again: rules.gopher.words.min changed" in line for line in said)
    assert not any("without reading the input" in line for line in said)
    assert digests(Path(changed.root)) == digests(Path(fresh.root))


def test_what_other_rules_would_bring_back_is_told_and_they_are_for_a_build(
    inputs: Path, whole: Workspace, kept: Workspace
) -> None:
    changes = {"gopher.words.min": 172.0}
    found, with_all = (compare_changes(workspace.root, None, changes, ONE, 2) for workspace in (kept, whole))
    assert found.rows == with_all.rows and found.absent == sum(row["back"] for row in found.rows) > 0
    assert with_all.absent == 0
    with pytest.raises(UserError, match=r"keep_text: kept.*other rules need `corpus build`"):
        decide_again(kept.root, None, changes, ONE, lambda _: None)
    said: list[str] = []
    decide_again(kept.root, None, {}, ONE, said.append)
    assert said == ["nothing to do: the workspace already follows these rules"]


def test_a_sample_of_the_dropped_keeps_its_text(
    inputs: Path, kept: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.rules.kept_texts.KEPT_SAMPLE_SHARE", 0.5)
    sampled = build_workspace(str(keeping(inputs, "kept+sample")), str(tmp_path / "out"), ONE)
    absent = [int(is_absent(corpus.open(one.root).documents().to_table()).sum()) for one in (kept, sampled)]
    assert 0 < absent[1] < absent[0]
    assert verify_workspace(sampled.root).good
    drawn = run(sample, sampled.root, "--dropped", "--rule", "gopher.words.min", "-n", "1")
    assert NOT_KEPT_MESSAGE not in drawn, "the first that are drawn are those that were kept"
    assert NOT_KEPT_MESSAGE in run(sample, kept.root, "--dropped", "--rule", "gopher.words.min", "-n", "1")
