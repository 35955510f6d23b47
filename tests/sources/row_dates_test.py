"""Dates of rows: what is certain becomes ISO 8601, what may be one of several days is kept as it is, beside null."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from corpus.document import Record
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.probe import describe_unmatched_fields
from corpus.sources.recognize.row_fields import guess_fields
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.row_dates import read_date

MOMENT = 1_710_498_600  # 15 March 2024, 10:30 in UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-15", "2024-03-15"),
        ("2024-03-15T10:30:00.5+09:00", "2024-03-15T10:30:00.5+09:00"),
        ("2024-03-15 10:30:00 UTC", "2024-03-15 10:30:00 UTC"),
        ("2024-03", "2024-03"),
        (" 2024 ", "2024"),
        ("1815-06-18", "1815-06-18"),
        ("2024-03-00", "2024-03"),
        ("2024-00-00", "2024"),
        ("15.03.2024", "2024-03-15"),
        ("4.3.2024 10:30", "2024-03-04"),
        ("15/03/2024", "2024-03-15"),
        ("03/15/2024", "2024-03-15"),
        ("03/03/2024", "2024-03-03"),
        ("2024/3/15", "2024-03-15"),
        ("2024年3月15日", "2024-03-15"),
        ("民國113年3月15日", "2024-03-15"),
        ("令和6年3月15日 10:30", "2024-03-15"),
        ("2024년 3월 15일", "2024-03-15"),
        ("15 มีนาคม 2567", "2024-03-15"),
        ("15 марта 2024 г.", "2024-03-15"),
        ("١٥ مارس ٢٠٢٤", "2024-03-15"),
        ("15 मार्च 2024", "2024-03-15"),
        ("15 de marzo de 2024", "2024-03-15"),
        ("ngày 15 tháng 3 năm 2024", "2024-03-15"),
        ("March 15, 2024", "2024-03-15"),
        ("Fri, 15 Mar 2024 10:30:00 +0100", "2024-03-15T10:30:00+01:00"),
        ("Fri, 15 Mar 2024 10:30:00 GMT", "2024-03-15T10:30:00+00:00"),
        ("Fri Mar 15 10:30:00 2024", "2024-03-15T10:30:00"),
        (MOMENT, "2024-03-15T10:30:00Z"),
        (str(MOMENT), "2024-03-15T10:30:00Z"),
        (MOMENT + 0.25, "2024-03-15T10:30:00Z"),
        (MOMENT * 1000, "2024-03-15T10:30:00Z"),
        (str(MOMENT * 10**6), "2024-03-15T10:30:00Z"),
        (MOMENT * 10**9, "2024-03-15T10:30:00Z"),
        (20240315, "2024-03-15"),
        ("20240315103000", "2024-03-15T10:30:00"),
        (1998, "1998"),
        ({"$date": "2024-03-15T10:30:00Z"}, "2024-03-15T10:30:00Z"),
        ({"$date": {"$numberLong": str(MOMENT * 1000)}}, "2024-03-15T10:30:00Z"),
        (date(2024, 3, 15), "2024-03-15"),
        (datetime(2024, 3, 15, 10, 30, tzinfo=UTC), "2024-03-15T10:30:00+00:00"),
    ],
)
def test_what_is_certain_is_read(value: Any, expected: str) -> None:
    assert read_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "04/03/2024",
            "4-3-2024",
            "04.03.24",
            "0000-00-00",
            "2024-02-30",
            "2024-13-01",
            "yesterday",
            "n/a",
            "",
        ),
        *("1.2.2024 - 3.4.2024", "last seen 9 days ago", "99999999", 0, -1, 86_400, 45_366, 10**25),
        *(float("nan"), float("inf"), True, None, [2024], {"year": 2024}, "x" * 5000, 2024_13_45),
    ],
)
def test_what_is_not_is_null(value: Any) -> None:
    assert read_date(value) is None


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        *(("fr", "2024-03-04"), ("deu_Latn", "2024-03-04"), ("ru-RU", "2024-03-04"), ("vie", "2024-03-04")),
        *(("en", None), ("eng_Latn", None), ("es", None), ("fil", None), (None, None)),
    ],
)
def test_the_language_of_a_row_tells_the_order_where_it_has_one(
    language: str | None, expected: str | None
) -> None:
    assert read_date("04/03/2024", language) == expected


def test_calendars_of_languages() -> None:
    assert read_date("1402-12-25", "fas_Arab") == read_date("1402-12-25", "fa") == "2024-03-15"
    assert read_date("2567-03-15", "th") == read_date("2567-03-15") == "2024-03-15"


def test_a_date_that_is_not_read_stays_as_metadata_and_is_said(tmp_path: Path) -> None:
    rows = [{"text": f"{at} ประโยคที่ยาวพอสมควรสำหรับการทดสอบ", "date": f"0{at}/03/2024"} for at in range(1, 6)]
    records = [Fields().record(row, "a", 0, 1, None, None) for row in rows]
    assert [record.date for record in records if isinstance(record, Record)] == [None] * 2 + [
        "2024-03-03"
    ] + [None] * 2
    assert records[0].metadata == {"date": "01/03/2024"}
    assert "date" not in records[2].metadata
    guess = guess_fields(rows)
    assert guess is not None and guess.fields == {"text": "text", "date": "date"}
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = tmp_path / "m.yaml"
    manifest.write_text("name: a\nsources:\n  a: {kind: jsonl, paths: [a.jsonl]}\n")
    (line,) = describe_unmatched_fields(make_plan(str(manifest)))
    assert line == (
        f"{manifest}:3: sources.a: 4 of the first 5 rows state a date that may be one of several days, or none: "
        "01/03/2024, 02/03/2024, 04/03/2024: `date` is null there, and metadata `date` has what they state"
    )
