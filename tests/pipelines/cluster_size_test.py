"""The size of a cluster is a signal of the document that is kept: in rules, in the ledger, in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import corpus
from corpus.dedup.removed import read_sizes
from corpus.errors import UserError
from corpus.ledger.tables import read_ledger
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES
from tests.pipelines.against_test import write

LANGUAGES = sorted(STORIES)[:4]


def copies(count: dict[str, int]) -> dict[str, tuple[str, str]]:
    """So many copies of the story in each language, and one text alone."""
    texts = {
        f"{language} {at}": (STORIES[language], f"https://a.example/{language}/{at}")
        for language, most in count.items()
        for at in range(most)
    }
    return {**texts, "alone": (" ".join(map(str, range(300))), "https://a.example/alone")}


def test_large_clusters_can_be_dropped_whole(tmp_path: Path) -> None:
    texts = copies(dict(zip(LANGUAGES, (1, 2, 3, 5), strict=True)))
    manifest = write(tmp_path, "m", texts, "rules: {dedup.cluster_size: {max: 3}}")
    corpus.build(str(manifest), str(tmp_path / "out"))
    workspace = Workspace.open(str(tmp_path / "out"))
    assert verify_workspace(workspace.root).good
    [(source, split)] = workspace.splits()
    rows = pq.read_table(workspace.part("decisions", source, split)).to_pylist()
    failed = [row for row in rows if row["failed_rules"]]
    assert [(row["failed_rules"], row["kept"], row["duplicate_of"]) for row in failed] == [
        (["dedup.cluster_size.max"], False, None)
    ]
    assert sum(row["kept"] for row in rows) == 4
    assert sum(row["duplicate_of"] is not None for row in rows) == 0 + 1 + 2 + 4
    sizes = read_sizes(workspace.path("dedup", "sizes.parquet"), source, split)
    assert sorted(sizes.values()) == [2, 3, 5]
    histograms = read_ledger(workspace, ["histograms"])["histograms"].to_pylist()
    seen = [row for row in histograms if row["signal"] == "dedup.cluster_size"]
    assert sum(row["kept"] for row in seen) == 4
    assert {row["low"] for row in seen} >= {1.0}


def test_a_rule_that_comes_too_late_is_refused(tmp_path: Path) -> None:
    for rules, expected in (
        ("{dedup.cluster_size: {top_share: 0.1}}", "is known too late for top_share: give min or max"),
        ("{dedup.size: {max: 2}}", "which nothing computes: did you mean dedup.cluster_size"),
    ):
        manifest = write(tmp_path, "m", copies({}), f"rules: {rules}")
        with pytest.raises(UserError, match=expected):
            corpus.build(str(manifest), str(tmp_path / "out"))
