"""Bits per byte: against sums by hand, and independent of how it is computed."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from corpus.trainer.config import ModelConfig
from corpus.trainer.dataset import Dataset, open_dataset
from corpus.trainer.evaluate import (
    Score,
    bits_per_byte,
    choose_documents,
    evaluate,
    read_documents,
    read_validation,
)
from corpus.trainer.loader import TokenStream
from corpus.trainer.model import GPT, initialize_weights
from tests.trainer.sentences import SMALL, shard, write_workspace


@pytest.fixture
def dataset(workspace: Path) -> Dataset:
    return open_dataset(str(workspace))


@pytest.fixture
def model(dataset: Dataset) -> GPT:
    model = GPT(ModelConfig(vocabulary=dataset.vocabulary, **SMALL))
    initialize_weights(model, 0)
    with torch.no_grad():
        model.embedding.weight.mul_(20)  # far from uniform, so that a slip shows
    return model


def rows(dataset: Dataset, source: str, language: str) -> list[tuple[list[int], int]]:
    """(tokens, bytes) of the validation documents in a language, by pyarrow's own reader."""
    found = []
    for entry in dataset.shards:
        if entry.split == "valid" and entry.source == source:
            table = pa.ipc.open_file(str(dataset.folder / entry.path)).read_all()
            found += [(r["tokens"], r["bytes"]) for r in table.to_pylist() if r["language"] == language]
    return found


def by_hand(model: GPT, dataset: Dataset, source: str, language: str) -> float:
    context = model.config.context
    nats, size = 0.0, 0
    for tokens, length in rows(dataset, source, language):
        text = tokens[:-1]
        before = [dataset.end_of_text, *text]
        for start in range(0, len(text), context):
            window = before[start : start + context][: len(text) - start]
            scores = model.logits(torch.tensor([window]))[0].double().log_softmax(dim=1)
            nats -= sum(float(scores[i, text[start + i]].detach()) for i in range(len(window)))
        size += length
    return nats / math.log(2) / size


def run(model: GPT, dataset: Dataset, *, tokens: int = 0, samples: int = 8) -> list[Score]:
    return evaluate(model, read_validation(dataset, tokens), end_of_text=dataset.end_of_text, samples=samples)


def test_each_source_and_language_has_the_sum_of_its_nats_over_its_bytes(
    model: GPT, dataset: Dataset
) -> None:
    scores = run(model, dataset)
    assert [(s.source, s.language, s.documents) for s in scores] == [
        ("books", "rus_Cyrl", 2),
        ("web", "arb_Arab", 2),
        ("web", "cmn_Hans", 4),
        ("web", "eng_Latn", 3),
        ("web", "tha_Thai", 1),
    ]
    for score in scores:
        assert score.bits_per_byte == pytest.approx(
            by_hand(model, dataset, score.source, score.language), rel=1e-6
        )


def test_a_model_that_knows_nothing_needs_the_log_of_its_vocabulary_a_token(
    model: GPT, dataset: Dataset
) -> None:
    with torch.no_grad():
        model.embedding.weight.zero_()
    for score in run(model, dataset):
        found = rows(dataset, score.source, score.language)
        tokens, size = sum(len(ids) - 1 for ids, _ in found), sum(length for _, length in found)
        assert (score.tokens, score.bytes) == (tokens, size)
        assert score.bits_per_byte == pytest.approx(tokens * math.log2(dataset.vocabulary) / size, rel=1e-6)


def test_batches_of_any_size_give_the_same(model: GPT, dataset: Dataset) -> None:
    expected = [score.bits_per_byte for score in run(model, dataset, samples=1)]
    for samples in (2, 7, 64):
        found = [score.bits_per_byte for score in run(model, dataset, samples=samples)]
        assert found == pytest.approx(expected, rel=1e-6)


def test_the_whole_weighs_each_group_by_its_bytes_in_the_split() -> None:
    def score(nats: float, size: int, everything: int) -> Score:
        return Score(
            source="s", language="l", documents=1, tokens=1, bytes=size, all_bytes=everything, nats=nats
        )

    one, two = score(math.log(2) * 100, 50, 50), score(math.log(2) * 10, 10, 150)
    assert bits_per_byte([one, two]) == pytest.approx((2 * 50 + 1 * 150) / 200)


def test_a_budget_takes_whole_documents_and_at_least_one_a_group(dataset: Dataset, model: GPT) -> None:
    everything = read_validation(dataset, 0)
    some = read_validation(dataset, 250)
    assert [g.language for g in some] == [g.language for g in everything]
    assert [g.all_bytes for g in some] == [g.all_bytes for g in everything]
    assert all(1 <= len(a.documents) <= len(b.documents) for a, b in zip(some, everything, strict=True))
    assert sum(len(g.documents) for g in some) < sum(len(g.documents) for g in everything)
    assert read_validation(dataset, 1)[0].documents
    shortest = min(everything[0].documents, key=lambda document: len(document.tokens))
    assert read_validation(dataset, 1)[0].documents[0].bytes == shortest.bytes
    assert len(run(model, dataset, tokens=250)) == 5


def test_what_is_chosen_does_not_depend_on_what_else_would_fit(dataset: Dataset) -> None:
    found = read_documents(TokenStream(dataset.folder, dataset.streams("train")[2]))
    assert len(found) == 33
    few, more = choose_documents(found, 300), choose_documents(found, 600)
    assert {document.tokens.tobytes() for document in few} <= {document.tokens.tobytes() for document in more}
    assert sum(len(document.tokens) for document in few) <= 300


def test_without_a_validation_split_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "w", {("web", "eng_Latn"): {"train": [shard("eng_Latn", 4)]}})
    assert read_validation(open_dataset(str(root)), 0) == ()
