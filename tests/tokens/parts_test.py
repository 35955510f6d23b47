from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus import storage
from corpus.errors import RunError
from corpus.tokens import parts, vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from corpus.tokens.parts import PartBatch, encode_part, read_batches, read_index, read_part_fingerprint
from corpus.workspace import Workspace
from tests.tokens.made import TEXTS, Doc, corpus_of, make_workspace, write_split

SPLIT = ("web", "aa")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    counts = vocabulary.count_pieces([*TEXTS.values()] * 3, DEFAULT_PATTERN)
    return Encoder(vocabulary.train_tokenizer(counts, TokenizerOptions(vocabulary=600)).encode())


def encoded(
    workspace: Workspace, encoder: Encoder, batch_tokens: int = 1 << 20
) -> tuple[list[PartBatch], list[pa.RecordBatch]]:
    """The index and the batches of the split's token part, just made."""
    path = workspace.path("tokens", "part.arrow")
    documents, decisions = (workspace.part(folder, *SPLIT) for folder in ("documents", "decisions"))
    index = encode_part(path, documents, decisions, encoder, "made", batch_tokens)
    assert read_index(path) == index
    assert read_part_fingerprint(path) == "made"
    with storage.open_input(path) as stream:
        return index, list(read_batches(stream, range(len(index))))


def test_kept_documents_are_sorted_by_side_and_language_in_their_order(
    tmp_path: Path, encoder: Encoder
) -> None:
    docs = [
        Doc("one", "eng_Latn"),
        Doc("一", "cmn_Hant"),
        Doc("two", "eng_Latn", "valid"),
        Doc("dropped", "eng_Latn", None),
        Doc(None, None, None),
        Doc("three", "eng_Latn"),
        Doc("?", None),
    ]
    workspace = make_workspace(tmp_path, {SPLIT: docs}, rows_a_group=3)
    index, batches = encoded(workspace, encoder)
    found = {(batch.side, batch.language): table for batch, table in zip(index, batches, strict=True)}
    texts = {
        key: [encoder.decode(row[:-1]) for row in table.column("tokens").to_pylist()]
        for key, table in found.items()
    }
    assert texts == {
        ("train", "cmn_Hant"): ["一"],
        ("train", "eng_Latn"): ["one", "three"],
        ("train", "und_Zyyy"): ["?"],
        ("valid", "eng_Latn"): ["two"],
    }
    assert [batch.bytes for batch in index] == [3, 8, 1, 3]
    english = found["train", "eng_Latn"]
    assert english.column("bytes").to_pylist() == [3, 5]
    assert english.column("language").to_pylist() == ["eng_Latn", "eng_Latn"]
    assert [row[-1] for row in english.column("tokens").to_pylist()] == [encoder.end_of_text] * 2


def test_a_row_is_what_the_contract_says(tmp_path: Path, encoder: Encoder) -> None:
    _, batches = encoded(make_workspace(tmp_path, {SPLIT: [Doc("one")]}), encoder)
    types = {field.name: field.type for field in batches[0].schema}
    assert types == {
        "doc_id": pa.string(),
        "bytes": pa.uint32(),
        "language": pa.string(),
        "tokens": pa.list_(pa.uint16()),
    }


@pytest.mark.parametrize("batch_tokens", [1, 60, 500])
def test_batches_keep_to_their_size_and_lose_nothing(
    tmp_path: Path, encoder: Encoder, batch_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = corpus_of(12)
    workspace = make_workspace(tmp_path, {SPLIT: docs}, rows_a_group=30)
    monkeypatch.setattr(parts, "ENCODE_CHUNK_BYTES", 2000)
    monkeypatch.setattr(parts, "MAX_HELD_BYTES", 20_000)
    index, batches = encoded(workspace, encoder, batch_tokens)
    rows = []
    for entry, batch in zip(index, batches, strict=True):
        lengths = [len(tokens) for tokens in batch.column("tokens").to_pylist()]
        assert (entry.rows, entry.tokens) == (batch.num_rows, sum(lengths))
        assert entry.tokens <= batch_tokens or entry.rows == 1
        texts = [encoder.decode(tokens[:-1]) for tokens in batch.column("tokens").to_pylist()]
        assert [len(text.encode()) for text in texts] == batch.column("bytes").to_pylist()
        rows += [(entry.side, entry.language, text) for text in texts]
    expected = [(doc.side, doc.language, doc.text) for doc in docs]
    assert sorted(rows) == sorted(expected)
    for side, language in {row[:2] for row in rows}:
        order = [row for row in rows if row[:2] == (side, language)]
        assert order == [row for row in expected if row[:2] == (side, language)]


def test_nothing_kept_is_a_part_without_rows(tmp_path: Path, encoder: Encoder) -> None:
    for docs in ([], [Doc("gone", side=None)]):
        index, batches = encoded(make_workspace(tmp_path, {SPLIT: docs}), encoder)
        assert index == batches == []


def test_decisions_of_other_documents_are_refused(tmp_path: Path, encoder: Encoder) -> None:
    workspace = make_workspace(tmp_path, {SPLIT: corpus_of(1)})
    write_split(workspace, "web", "bb", corpus_of(2))
    documents, decisions = workspace.part("documents", "web", "aa"), workspace.part("decisions", "web", "bb")
    with pytest.raises(RunError, match="have different rows: decide again"):
        encode_part(workspace.path("tokens", "x.arrow"), documents, decisions, encoder, "made", 100)
    assert not storage.exists(workspace.path("tokens", "x.arrow"))


def test_a_part_that_is_cut_short_is_none(tmp_path: Path, encoder: Encoder) -> None:
    workspace = make_workspace(tmp_path, {SPLIT: corpus_of(1)})
    encoded(workspace, encoder)
    path = tmp_path / "tokens" / "part.arrow"
    path.write_bytes(path.read_bytes()[:-100])
    assert read_part_fingerprint(str(path)) is None
    assert read_part_fingerprint(str(tmp_path / "absent.arrow")) is None


def test_large_vocabularies_make_four_byte_tokens() -> None:
    assert parts.token_schema(np.dtype(np.uint32)).field("tokens").type == pa.list_(pa.uint32())
