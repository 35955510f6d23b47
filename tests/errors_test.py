"""Exceptions as one line: whole where they are kept, cut between words where they are shown."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.document import Failure
from corpus.errors import MAX_ERROR_CHARACTERS, describe_briefly, describe_error, shorten_line
from corpus.ledger.quarantine import QuarantineWriter


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no  such\n\tchapter"), "ValueError: no such chapter"),
        (ValueError(), "ValueError"),
        (KeyError("第一章"), "KeyError: '第一章'"),
        (ValueError("half \ud83d of a pair"), "ValueError: half ? of a pair"),
        (Mute(), "Mute: (its message cannot be read: RuntimeError)"),
    ],
)
def test_an_exception_is_its_type_and_message(error: Exception, line: str) -> None:
    assert describe_error(error) == describe_briefly(error) == line


@pytest.mark.parametrize(
    ("text", "most", "line"),
    [
        ("the third volume has no index", 29, "the third volume has no index"),
        ("the third volume has no index", 28, "the third volume has no…"),
        ("the third volume, has no index", 18, "the third volume…"),
        ("Волга впадает в Каспийское море", 17, "Волга впадает в…"),
        ("в" * 30, 10, "ввввввввв…"),
        ("长江发源于青藏高原，流经十一个省市", 8, "长江发源于青藏…"),
        ("黄河は中国の北部を流れる大きな川です", 10, "黄河は中国の北部を…"),
        ("ที่ปากแม่น้ำ", 9, "ที่ปากแ…"),
        ("हिन्दीहिन्दी", 8, "हिन्दी…"),
        ("نهر النيل طويل جدا", 12, "نهر النيل…"),
        ("path /a/" + "b" * 40, 20, "path /a/bbbbbbbbbbb…"),
    ],
)
def test_a_line_is_cut_between_words_or_letters(text: str, most: int, line: str) -> None:
    assert shorten_line(text, most) == line
    assert len(line) <= most


def test_what_is_huge_is_cut_without_reading_all_of_it() -> None:
    line = describe_error(ValueError("word " * 10_000_000))
    assert MAX_ERROR_CHARACTERS * 0.9 < len(line) <= MAX_ERROR_CHARACTERS and line.endswith("word…")
    assert shorten_line("a" + " " * 100_000 + "b", 10) == "a…"


def test_the_quarantine_has_errors_whole(tmp_path: Path) -> None:
    error = describe_error(ValueError(" ".join(f"reason{at}" for at in range(300))))
    assert len(error) > 2000
    path = str(tmp_path / "part.parquet")
    with QuarantineWriter(path, "books", "0", "f") as writer:
        writer.add(Failure(file="a.epub", offset=0, length=9, step="read", error=error))
    assert pq.read_table(path)["error"].to_pylist() == [error]
