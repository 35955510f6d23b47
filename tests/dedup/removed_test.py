"""The clusters file: sorted, found by split, the same bytes however it came together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.dedup import removed as clusters_file
from corpus.dedup.clusters import LEVEL_EXACT, LEVEL_MINHASH, LEVEL_URL, REMOVED_DTYPE
from corpus.dedup.removed import (
    CLUSTERS_SCHEMA,
    Clusters,
    read_cluster_groups,
    to_clusters_table,
    write_clusters,
)
from corpus.dedup.rows import number_documents
from corpus.storage.part_writer import read_fingerprint

SPLITS = [("books", "0a"), ("books", "0b"), ("web", "00"), ("web", "ff")]


def made(per_split: int) -> np.ndarray:
    found = np.zeros(per_split * len(SPLITS), REMOVED_DTYPE)
    found["number"] = np.concatenate(
        [number_documents(at, 3 * np.arange(per_split)) for at in range(len(SPLITS))]
    )
    found["id"][:, 1] = np.arange(len(found))
    found["kept"][:, 0] = 0xAB
    found["level"] = np.resize([LEVEL_EXACT, LEVEL_URL, LEVEL_MINHASH], len(found))
    found["similarity"] = np.resize([1, np.nan, 0.75], len(found))
    found["size"] = 5
    return found


def test_a_row_says_who_went_for_whom_and_why() -> None:
    table = to_clusters_table(made(3)[::-1], SPLITS)
    assert table.schema.equals(CLUSTERS_SCHEMA)
    assert table.slice(0, 3).to_pylist() == [
        {
            "removed_id": f"{at:032x}", "kept_id": "00000000000000ab" + 16 * "0", "similarity": similarity,
            "cluster_size": 5, "level": level, "source": "books", "split": "0a", "row": 3 * at,
        }
        for at, (level, similarity) in enumerate([("exact", 1.0), ("url", None), ("minhash", 0.75)])
    ]  # fmt: skip
    assert table["source"].to_pylist() == 6 * ["books"] + 6 * ["web"]
    part = made(3)[6:]
    assert to_clusters_table(part, SPLITS[2:], first=2).equals(table.slice(6))


def test_the_rows_of_a_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters_file, "CLUSTERS_GROUP_ROWS", 100)
    path, table = str(tmp_path / "clusters.parquet"), to_clusters_table(made(130), SPLITS)
    assert write_clusters(path, [table], "x") == 520
    clusters = Clusters(path)
    assert len(clusters) == 520
    for source, split in SPLITS:
        found = clusters.read_split(source, split)
        assert found["row"].to_pylist() == list(range(0, 390, 3))
        assert set(found["split"].to_pylist()) == {split}
    assert clusters.read_split("web", "zz").num_rows == 0
    assert clusters.read_split("absent", "00").num_rows == 0
    clusters.close()


def test_the_bytes_do_not_depend_on_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters_file, "CLUSTERS_GROUP_ROWS", 100)
    path, table, contents = tmp_path / "clusters.parquet", to_clusters_table(made(130), SPLITS), set()
    for step in (7, 100, 250, 1000):
        write_clusters(str(path), (table.slice(at, step) for at in range(0, 520, step)), "x")
        contents.add(path.read_bytes())
        assert pa.concat_tables(read_cluster_groups(str(path))).equals(table)
    assert len(contents) == 1


def test_no_duplicates_is_a_file_without_rows(tmp_path: Path) -> None:
    path = str(tmp_path / "clusters.parquet")
    assert write_clusters(path, [], "nothing") == 0
    assert read_fingerprint(path) == "nothing"
    clusters = Clusters(path)
    assert len(clusters) == 0
    assert clusters.read_split("web", "00").schema.equals(CLUSTERS_SCHEMA)
    clusters.close()
