"""Scores on the questions that a run was not trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import corpus
from corpus.errors import UserError
from corpus.inference.clean_items import find_trained_items
from corpus.inference.cloze import Accuracy
from tests.pipelines.decontaminate_test import ITEMS, page, write_corpus, write_out

OTHER = {
    "question": "Which of the two lighthouses was painted green after the flood of the northern harbour?",
    "choices": ["the one on the cliff", "the one on the island"],
}


@pytest.mark.parametrize(
    ("share", "count", "interval"),
    [(0.5, 100, (0.404, 0.596)), (1.0, 10, (0.722, 1.0)), (0.0, 1, (0.0, 0.793)), (0.25, 4, (0.046, 0.699))],
)
def test_intervals_are_wilsons(share: float, count: int, interval: tuple[float, float]) -> None:
    accuracy = Accuracy(
        name="x",
        questions=count,
        accuracy=share,
        accuracy_by_bytes=share,
        chance=0.25,
        probability=0.3,
        probability_by_bytes=0.25,
        probability_error=0.01 if count > 1 else None,
    )
    assert accuracy.interval == pytest.approx(interval, abs=0.001)
    half = {100: 0.0198, 10: 0.0226, 4: 0.0318}.get(count)  # Student's t with one degree of freedom less
    probable = (0.0, 1.0) if half is None else (0.25 - half, 0.25 + half)
    assert accuracy.probability_interval == pytest.approx(probable, abs=0.0001)


def test_items_in_training_documents_are_found_by_stored_hits_and_by_a_search(tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    items = [*ITEMS["proverbs"][:1], OTHER, *ITEMS["arithmetic"], *ITEMS["常识"]]
    file.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    manifest = write_corpus(tmp_path)
    with (tmp_path / "two.jsonl").open("a", encoding="utf-8") as more:
        more.write(
            json.dumps(
                {"id": "last", "text": page(7, write_out(ITEMS["常识"][0])), "url": "https://x.example"}
            )
            + "\n"
        )
    said: list[str] = []
    corpus.build(str(manifest), str(tmp_path / "out"), workers=1)
    root = str(tmp_path / "out")
    assert find_trained_items(root, str(file), said.append).tolist() == [True, False, False, False, True]
    assert "which was built without them" in said[0]
    stored = [
        find_trained_items(root, str(tmp_path / "sets" / f"{name}.jsonl"), said.append).tolist()
        for name in ITEMS
    ]
    assert stored == [[False, False], [False], [True, False, False]]  # dropped, cut, marked
    assert len(said) == 1
    with pytest.raises(UserError, match="is no workspace any more"):
        find_trained_items(str(tmp_path / "gone"), str(file), said.append)
