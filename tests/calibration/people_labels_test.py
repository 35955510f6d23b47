"""Labels of people: the schemes that are read, and those that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import UserError
from corpus.filters.calibration.judged import compare_recall
from corpus.filters.calibration.people_labels import read_labels


@pytest.mark.parametrize(
    ("row", "is_bad"),
    [
        ({"label": "good"}, False),
        ({"label": "Bad"}, True),
        ({"label": 1}, False),
        ({"label": 0.0}, True),
        ({"label": True}, False),
        ({"quality": "drop"}, True),
        ({"bad": 1}, True),
        ({"bad": "no"}, False),
        ({"good": False}, True),
        ({"porn": 0, "unnatural": 0, "lang_correct": 1}, False),
        ({"porn": 0, "unnatural": 1, "lang_correct": 1}, True),
        ({"porn": 0, "unnatural": 0, "lang_correct": 0}, True),
    ],
)
def test_a_scheme_is_read(tmp_path: Path, row: dict[str, Any], is_bad: bool) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"text": "字", "lang": "zho_Hans", **row}) + "\n\n")
    (judged,) = read_labels(str(path))
    assert judged.is_bad is is_bad and judged.language == "cmn_Hans"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"text": "a", "label": "perhaps"}',
            ":1: label: 'perhaps' is no label: expected good or bad, or 1 or 0",
        ),
        ('{"text": "a", "label": 3}', "3 is no label"),
        ('{"text": "a", "label": null}', "None is no label"),
        ('{"text": "a", "stars": 3}', "no label: expected one of the keys label, .*, found text, stars"),
        ('{"words": "a", "label": 1}', "no key `text` with a text, only words, label"),
        ('["a", 1]', ":1: not a JSON object"),
        ("text,label", ":1: not a JSON object"),
        ("", "no labelled text in it"),
    ],
)
def test_another_scheme_is_refused_in_one_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=message) as caught:
        read_labels(str(path))
    assert "\n" not in str(caught.value)


def test_recall_is_that_at_95_percent_of_the_good() -> None:
    labels = ["tha_Thai"] * 120 + ["rus_Cyrl"] * 120
    is_bad = np.tile(np.arange(120) >= 100, 2)
    useless = np.zeros(240, np.int64)
    half = np.where(is_bad & (np.arange(240) % 2 == 0), 1, 0)
    rows = {row.language: row for row in compare_recall(useless, half, is_bad, labels)}
    assert rows["all"].before == pytest.approx(0.05) and rows["all"].after == pytest.approx(0.5 + 0.5 * 0.05)
    assert rows["all"].low > 0 and rows["tha_Thai"].bad == 20
    same = compare_recall(half, half, is_bad, labels)
    assert all(row.low == row.high == 0 for row in same)
