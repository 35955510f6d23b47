"""`corpus export --bin`: the tokens of the shards end to end, as nanoGPT maps them."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

import corpus
from corpus.errors import RunError
from corpus.export.bin import export_bin
from corpus.pipelines.cli.export import export
from corpus.tokens.encode import load_encoder
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


def test_the_files_hold_every_document_of_their_side_once(workspace: Workspace, tmp_path: Path) -> None:
    printed = run(export, workspace.root, "--bin", "--out", str(tmp_path / "bin"))
    assert "train.bin" in printed and "val.bin" in printed
    encoder = load_encoder(workspace.path("tokenizer", "tokenizer.json"))
    rows = workspace.shards().to_table(columns=["doc_id", "split"])
    kept = {row["doc_id"]: row["split"] for row in rows.to_pylist()}
    documents = workspace.documents().to_table(columns=["id", "text"])
    chosen = documents.filter(workspace.decisions().to_table()["kept"]).to_pylist()
    for name, side in (("train.bin", "train"), ("val.bin", "valid")):
        tokens = np.memmap(tmp_path / "bin" / name, np.uint16, "r")  # as nanoGPT opens it
        ends = np.flatnonzero(tokens == encoder.end_of_text)
        texts = [encoder.decode(part[:-1]) for part in np.split(tokens, ends + 1)[:-1]]
        assert ends[-1] == len(tokens) - 1
        assert sorted(texts) == sorted(row["text"] for row in chosen if kept[row["id"]] == side)
    meta = pickle.loads((tmp_path / "bin/meta.pkl").read_bytes())
    assert meta == {"vocab_size": encoder.vocabulary_size}
    described = json.loads((tmp_path / "bin/export.json").read_text())
    assert (described["dtype"], described["end_of_text"]) == ("uint16", encoder.end_of_text)


def test_one_language_also_where_it_shares_a_shard(workspace: Workspace, tmp_path: Path) -> None:
    table = workspace.shards().to_table()
    language = pc.value_counts(table["language"]).to_pylist()[-1]["values"]
    found = export_bin(workspace, str(tmp_path / "bin"), language=language)
    rows = table.filter(pc.equal(table["language"], language))
    sizes = [file for file in found["files"].values() if "tokens" in file]
    assert sum(file["documents"] for file in sizes) == rows.num_rows
    assert sum(file["tokens"] for file in sizes) == len(rows["tokens"].combine_chunks().flatten())


def test_a_shard_that_is_not_what_it_was_is_an_error(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.root, tmp_path / "copy")
    copy = corpus.open(str(tmp_path / "copy"))
    shard = tmp_path / "copy/tokens" / copy.tokens()["shards"][0]["path"]
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(RunError, match="cannot be read"):
        export_bin(copy, str(tmp_path / "bin"))
    assert not (tmp_path / "bin/train.bin").exists()
