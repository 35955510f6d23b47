"""The ledger of a whole build: every total equals a plain count over documents, decisions and shards."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

import corpus
from corpus.errors import UserError
from corpus.groups import registered_domain
from corpus.ledger.bins import bin_values
from corpus.ledger.stages import build_stage_table
from corpus.ledger.tables import (
    COUNTS_SCHEMA,
    TOKENS_SCHEMA,
    merge_group,
    merge_parts,
    read_ledger,
    read_statistics,
)
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages
from corpus.pipelines.build.redecide import make_plan_of_parts
from corpus.pipelines.build.run import Build
from corpus.progress import Status
from corpus.rules.rule import CLUSTER_SIZE
from corpus.workspace import Workspace, read_table
from tests.ledger.demo import demo_workspace

COLUMNS = ["id", "language", "snapshot", "license", "url", "characters", "bytes", "gate", "metadata"]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


@pytest.fixture(scope="module")
def ledger(workspace: Workspace) -> dict[str, pa.Table]:
    return {name: table.to_table() for name, table in workspace.stats().items()}


@pytest.fixture(scope="module")
def documents(workspace: Workspace) -> list[dict[str, Any]]:
    return list(plain(workspace))


def plain(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """Every document with its decision, as dictionaries."""
    for source, _, table in workspace.rows(COLUMNS):
        for row in table.to_pylist():
            yield {**row, "source": source, "language": row["language"] or "und_Zyyy"}


def sums(table: pa.Table, *keys: str) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in table.to_pylist():
        found[tuple(row[key] for key in keys)] += row["documents"]
    return found


def test_counts(ledger: dict[str, pa.Table], documents: list[dict[str, Any]]) -> None:
    expected: Counter[Any] = Counter()
    for row in documents:
        here = (row["source"], row["language"], row["snapshot"] or "")
        expected[*here, "read", ""] += 1
        if row["gate"]:
            expected[*here, "gated", row["gate"]] += 1
            continue
        expected[*here, "passed", ""] += 1
        if engine := dict(row["metadata"] or ()).get("extractor"):
            expected[*here, "extracted", engine] += 1
        failed = row["failed_rules"]
        for name in failed:
            expected[*here, "failed", name] += 1
            expected[*here, "failed_only", name] += failed == [name]
        expected[*here, "rules", ""] += bool(failed)
        if row["kept"]:
            expected[*here, "kept", row["split"]] += 1
    found = sums(ledger["counts"], "source", "language", "snapshot", "what", "key")
    duplicates = sum(number for key, number in found.items() if key[3] == "duplicate")
    assert duplicates == sum(row["duplicate_of"] is not None for row in documents) > 0
    left_out = ("duplicate", "near_failed", "near_passed")
    assert {k: v for k, v in found.items() if k[3] not in left_out} == {
        k: v for k, v in expected.items() if v
    }


def test_bytes_and_characters(ledger: dict[str, pa.Table], documents: list[dict[str, Any]]) -> None:
    for size in ("characters", "bytes"):
        kept = [row[size] for row in ledger["counts"].to_pylist() if row["what"] == "kept"]
        assert sum(kept) == sum(row[size] for row in documents if row["kept"])


def test_overlaps(ledger: dict[str, pa.Table], documents: list[dict[str, Any]]) -> None:
    expected: Counter[Any] = Counter()
    for row in documents:
        failed = row["failed_rules"] or []
        for at, one in enumerate(failed):
            for other in failed[at + 1 :]:
                expected[row["source"], row["language"], one, other] += 1
    assert sums(ledger["overlaps"], "source", "language", "rule", "other") == expected


def test_histograms(
    ledger: dict[str, pa.Table], documents: list[dict[str, Any]], workspace: Workspace
) -> None:
    expected: Counter[Any] = Counter()
    kept: Counter[Any] = Counter()
    for step in workspace.steps():
        table = workspace.signals(step).to_table().drop_columns(["source"])
        for signal in table.column_names:
            values = table.column(signal).to_numpy()
            places = bin_values(np.nan_to_num(values.astype(np.float32)))
            for row, value, place in zip(documents, values.tolist(), places.tolist(), strict=True):
                if value == value:
                    expected[row["source"], row["language"], signal, place] += 1
                    kept[row["source"], row["language"], signal, place] += row["kept"]
    represented = Counter(row["duplicate_of"] for row in documents if row["duplicate_of"])
    for row in (row for row in documents if row["kept"]):
        place = int(bin_values(np.array([1 + represented[row["id"]]], np.float32))[0])
        expected[row["source"], row["language"], CLUSTER_SIZE, place] += 1
        kept[row["source"], row["language"], CLUSTER_SIZE, place] += 1
    found = ledger["histograms"]
    assert sums(found, "source", "language", "signal", "bin") == expected
    columns = ("source", "language", "signal", "bin", "kept")
    assert {tuple(r[c] for c in columns) for r in found.to_pylist()} == {(*k, v) for k, v in kept.items()}


def test_domains_and_licenses(ledger: dict[str, pa.Table], documents: list[dict[str, Any]]) -> None:
    domains: Counter[Any] = Counter()
    licenses: Counter[Any] = Counter()
    for row in documents:
        if row["url"]:
            domains[row["source"], registered_domain(row["url"])] += 1
        licenses[row["source"], row["license"] or ""] += 1
    assert sums(ledger["domains"], "source", "domain") == domains
    assert sums(ledger["licenses"], "source", "license") == licenses
    assert sum(ledger["domains"]["kept"].to_pylist()) <= sum(row["kept"] for row in documents)


def test_duplicates_by_cluster(ledger: dict[str, pa.Table], workspace: Workspace) -> None:
    removed = pq.read_table(workspace.path("dedup", "clusters.parquet")).to_pylist()
    expected = Counter((row["source"], row["level"], row["cluster_size"]) for row in removed)
    assert sums(ledger["duplicates"], "source", "level", "cluster_size") == expected


def test_tokens_equal_the_shards(ledger: dict[str, pa.Table], workspace: Workspace) -> None:
    rows, tokens, size = 0, 0, 0
    for shard in workspace.tokens()["shards"]:
        with pa.memory_map(workspace.path("tokens", shard["path"])) as source:
            table = pa.ipc.open_file(source).read_all()
        rows += table.num_rows
        tokens += sum(len(row) for row in table["tokens"].to_pylist())
        size += sum(table["bytes"].to_pylist())
    found = ledger["tokens"].to_pylist()
    assert [sum(row[key] for row in found) for key in ("documents", "tokens", "bytes")] == [
        rows,
        tokens,
        size,
    ]
    last = [row for row in ledger["stages"].to_pylist() if row["stage"] == "tokens"]
    assert sum(row["documents_out"] for row in last) == rows
    assert sum(row["tokens_out"] for row in last) == tokens


def test_each_stage_takes_what_the_one_before_gave(ledger: dict[str, pa.Table]) -> None:
    rows = ledger["stages"].to_pylist()
    for before, after in pairwise(rows):
        if after["stage"] != "gates":
            sizes = ("documents", "characters", "bytes", "tokens")
            assert [before[f"{size}_out"] for size in sizes] == [after[f"{size}_in"] for size in sizes]


@pytest.mark.parametrize("masked", [0, 50])
def test_tokens_of_texts_that_go_are_told_by_their_bytes(masked: int) -> None:
    def count(language: str, snapshot: str, what: str, size: int) -> dict[str, Any]:
        names = ("source", "language", "snapshot", "what", "key", "documents", "characters", "bytes")
        return dict(zip(names, ("web", language, snapshot, what, "", 1, size, size), strict=True))

    rows = [count("tha_Thai", "2024", what, 300) for what in ("read", "passed")]
    rows += [count("tha_Thai", "2024", "rules", 100), count("tha_Thai", "2024", "kept", 200)]
    rows += [count("tha_Thai", "2025", what, 100) for what in ("read", "passed", "kept")]
    rows += [count("lao_Laoo", "2025", what, 60) for what in ("read", "passed", "rules")]
    shards = {"split": "train", "source": "web", "language": "tha_Thai", "documents": 2}
    tokens = pa.Table.from_pylist([{**shards, "tokens": 100, "bytes": 300 - masked}], TOKENS_SCHEMA)
    found = {
        (row["language"], row["snapshot"], row["stage"]): (row["tokens_in"], row["tokens_out"])
        for row in build_stage_table(pa.Table.from_pylist(rows, COUNTS_SCHEMA), tokens).to_pylist()
    }
    assert found["tha_Thai", "2024", "rules"] == (99, 66)
    assert found["tha_Thai", "2024", "tokens"] == (66, 66)
    assert found["tha_Thai", "2025", "tokens"] == (34, 34)
    assert found["lao_Laoo", "2025", "rules"] == (20, 0)


def test_rules_have_their_bounds(ledger: dict[str, pa.Table]) -> None:
    limits = {
        (row["source"], row["language"], row["rule"]): row["limit"] for row in ledger["rules"].to_pylist()
    }
    assert limits["web", "eng_Latn", "gopher.words.min"] == 50
    failing = {row["key"] for row in ledger["counts"].to_pylist() if row["what"] == "failed"}
    assert failing <= {rule for _, _, rule in limits}


def test_an_unfinished_workspace_is_refused_in_a_sentence(tmp_path: Any) -> None:
    workspace = Workspace.create(str(tmp_path))
    with pytest.raises(UserError, match="is not finished"):
        read_ledger(workspace, ["counts"])


def test_groups_of_parts_merge_to_the_same_ledger(workspace: Workspace, tmp_path: Path) -> None:
    """The parts' statistics go when a build ends; deciding anew on its documents brings them back."""
    shutil.copytree(workspace.root, tmp_path / "copy")
    copy = Workspace.open(str(tmp_path / "copy"))
    assert not Path(copy.path("stats", "parts")).exists()
    plan = make_plan_of_parts(copy, load_manifest(copy.path("manifest.yaml")))
    stages.run_decide(Build(plan, copy, Running(workers=1), Status(copy.root), print))
    splits = copy.splits()
    paths = [copy.path("stats", "groups", f"{number}.parquet") for number in range(0, len(splits), 3)]
    for number, path in enumerate(paths):
        merge_group(copy, splits[3 * number : 3 * number + 3], path, "group")
    stored = read_ledger(workspace, ["counts", "overlaps", "histograms", "domains", "licenses"])
    for merged in (merge_parts(read_statistics(copy, splits)), merge_parts(map(read_table, paths))):
        assert {name: table.replace_schema_metadata(None) for name, table in stored.items()} == merged
