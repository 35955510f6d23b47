"""Fairness: what rules lose of one text in its languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import UserError
from corpus.filters.calibration.fairness import compare_languages
from corpus.filters.calibration.parallel_texts import (
    cut_passages,
    find_language,
    is_prose,
    read_parallel_texts,
)
from corpus.pipelines.cli.calibrate import calibrate
from tests.filters.prose import PROSE


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("debian-reference.zh-cn.txt.gz", "cmn_Hans"),
        ("book.pt-br.txt", "por"),
        ("deu_1996.html", "deu"),
        ("cmn_hant.html", "cmn_Hant"),
        ("books/de/chapter1.txt", "deu"),
        ("068.html", None),
        ("notes.txt", None),
    ],
)
def test_the_language_is_that_of_the_name(name: str, language: str | None) -> None:
    assert find_language(name) == language


def test_passages_end_at_the_same_places_of_a_text() -> None:
    paragraphs = [f"{'слово ' * 30}{number}." for number in range(20)]
    for joiner in ("\n\n", "\n"):
        passages = cut_passages(joiner.join(paragraphs), 5)
        assert [passage.count("\n") + 1 for passage in passages] == [4] * 5
        assert "\n".join(passages).split("\n") == paragraphs
    assert not is_prose("| chromium | V:37 | 212471 | X |") and not is_prose(
        "# apt-get -y 2>&1 | tee $LOG/x.log"
    )
    assert all(is_prose(line) for text in PROSE.values() for line in text.split("\n"))


def test_a_language_that_a_rule_wrongs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["rus_Cyrl", "cmn_Hans", "tha_Thai", "hin_Deva", "deu_Latn"]
    folder = tmp_path / "book"
    folder.mkdir()
    for label in labels:
        text = "\n\n".join(PROSE[label].replace("\n", " " if label != "cmn_Hans" else "") for _ in range(4))
        (folder / f"book.{label}.txt").write_text(text, encoding="utf-8")
    (folder / "readme.txt").write_text("?")
    texts = read_parallel_texts(str(folder))
    assert sorted(texts.passages) == sorted(labels) and len(texts.unread) == 1
    fair = compare_languages(texts.passages, ["text_only"])
    assert fair.is_fair and fair.ratio == pytest.approx(1) and fair.wronged == ()
    own = tmp_path / "rules.jsonl"
    rows = [{"text": PROSE[label], "language": label} for label in labels]
    own.write_text(
        "".join(json.dumps(row) + "\n" for row in [*rows, {"text": "Ja. Nein. " * 30, "language": "de"}])
    )
    unfair = compare_languages(read_parallel_texts(str(own)).passages, ["gopher_repetition"])
    assert unfair.wronged == ("deu_Latn",) and not unfair.is_fair and unfair.losses[0].language == "deu_Latn"
    assert any(rule.startswith("gopher_repetition.duplicate_") for rule, _ in unfair.losses[0].rules)
    calibrate(check=str(own), rules=["gopher_repetition"], as_json=False)
    printed = capsys.readouterr().out
    assert "deu_Latn loses 50.0%, more than 2 times the mean" in printed and printed.endswith("not fair\n")


def test_one_language_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "a.de.txt").write_text(PROSE["deu_Latn"])
    with pytest.raises(UserError, match="texts in 1 languages, two are needed"):
        read_parallel_texts(str(tmp_path))
