"""Tables in CSV: cells with line ends and quotes, charsets, delimiters, places, and rows that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from corpus.document import Failure, Record
from corpus.sources.tables.csv_rows import Csv
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.jsonl import Jsonl

POEM = '"Auf die Berge will ich steigen,\nwo die frommen Hütten stehen"'
ROWS = (
    ("1", "春眠不覺曉，\n處處聞啼鳥。", "孟浩然"),
    ("2", 'هو قال: "نعم"', "x"),
    ("3", "ไม้ไผ่; ริมน้ำ", ""),
    ("4", "тихо, очень тихо", "y"),
)


def write_csv(rows: tuple[tuple[str, ...], ...], delimiter: str, end: str = "\r\n") -> str:
    def quote(cell: str) -> str:
        doubled = cell.replace('"', '""')
        return f'"{doubled}"' if any(sign in cell for sign in f'{delimiter}"\n') else cell

    return "".join(delimiter.join(map(quote, row)) + end for row in rows)


def read(path: Path, **options: Any) -> list[Record | Failure]:
    source = Csv(paths=["x"], **options)
    (split,) = source.plan(str(path), path.stat().st_size, 1)
    return list(source.read(str(path), path.name, *split))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16-le", "utf-16"), ("utf-16", "utf-16")],
)
def test_cells_come_as_they_are(
    tmp_path: Path, delimiter: str, end: str, codec: str, encoding: str | None
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(write_csv((("no", "body", "who"), *ROWS), delimiter, end).encode(codec))
    fields = Fields(id="no", text="body", metadata=["who"])
    records = [one for one in read(path, fields=fields, encoding=encoding) if isinstance(one, Record)]
    assert [(one.native_id, one.body) for one in records] == [(no, text) for no, text, _ in ROWS]
    assert records[0].metadata == {"id": "1", "who": "孟浩然"}


@pytest.mark.parametrize(
    ("codec", "encoding", "text"),
    [
        ("gb18030", "gbk", "河边的人们说，这条河，\n是一条大河。" * 3),
        ("big5", "big5", "河邊的人們說，功蓋天下，許多人\n" * 3),
        ("cp932", "shift_jis", "表示された川、能力と予定\n" * 3),  # bytes that end in \\ and |
        ("cp949", "euc-kr", "강가의 사람들이 말한다,\n큰 강이다." * 3),
        ("cp1251", "windows-1251", "Люди у реки, говорят:\n«река»" * 3),
        ("cp1256", "windows-1256", "الناس عند النهر, يقولون\n" * 3),
    ],
)
def test_charsets_of_before_utf8(tmp_path: Path, codec: str, encoding: str, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(write_csv((("text",), (text,), ("x",)), ",").encode(codec))
    assert [one.body for one in read(path, encoding=encoding) if isinstance(one, Record)] == [text, "x"]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le"])
def test_offset_and_length_cut_the_row_out(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(write_csv((("no", "text"), *((no, text) for no, text, _ in ROWS)), ",").encode(codec))
    encoding = "utf-16" if codec != "utf-8" else None
    for one, (no, text, _) in zip(read(path, encoding=encoding), ROWS, strict=True):
        piece = path.read_bytes()[one.offset : one.offset + one.length].decode(codec)
        assert piece == write_csv(((no, text),), ",")


def test_what_is_no_row_is_placed_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = 'a,text\n1,eins\n2,"never closed\n3,drei\n\n4,vier,funf\n5\n6,5" wide\n'
    path.write_text(text, encoding="utf-8")
    found = read(path)
    assert [one.body for one in found if isinstance(one, Record)] == ["eins", "drei", '5" wide']
    assert [(one.offset, one.error) for one in found if isinstance(one, Failure)] == [
        (text.index("2,"), "a quote that nothing closes"),
        (text.index("4,"), "a row of 3 cells, but there are 2 columns"),
        (text.index("5\n"), "a row of 1 cell, but there are 2 columns"),
    ]


def test_a_row_of_too_few_cells_is_no_document_and_unnamed_columns_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,языка,年\nแม่น้ำโขง,th,1\nкусок строки\n長江,zh,\nالنيل,ar\n", encoding="utf-8")
    found = read(path)
    assert [one.body for one in found if isinstance(one, Record)] == ["แม่น้ำโขง", "長江"]
    assert [one.error for one in found if isinstance(one, Failure)] == [
        "a row of 1 cell, but there are 3 columns",
        "a row of 2 cells, but there are 3 columns",
    ]
    path.write_text("text,lang,\nगंगा,hi\n長江,zh,\n", encoding="utf-8")
    assert [one.body for one in read(path) if isinstance(one, Record)] == ["गंगा", "長江"]


def test_long_rows_and_quotes_that_go_on_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    long_cell = "\n".join(["河" * 20] * 9)
    path.write_text(f'text\n"{long_cell}"\nshort\n"open\n' + "more\n" * 90, encoding="utf-8")
    found = read(path, max_bytes=200)
    assert [one.body for one in found if isinstance(one, Record)] == ["short", *["more"] * 90]
    too_long, never_closed = (one.error for one in found if isinstance(one, Failure))
    assert too_long.startswith("a row of 551 bytes is over the limit of 200")
    assert never_closed == "a quote that nothing closes"


def test_columns_of_a_table_that_does_not_name_them(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress("7\tแม่น้ำโขง\n8\tแม่น้ำปิง\n".encode()))
    found = read(path, columns=["no", "text"], fields=Fields(id="no"))
    assert [(one.native_id, one.body) for one in found if isinstance(one, Record)] == [
        ("7", "แม่น้ำโขง"),
        ("8", "แม่น้ำปิง"),
    ]


def test_a_cut_file_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    whole = write_csv((("text",), *((f"{at}: 河",) for at in range(9000))), ",")
    path.write_bytes(gzip.compress(whole.encode())[:-4000])
    found = read(path)
    assert len(found) > 1000 and isinstance(found[-1], Failure) and found[-1].error.startswith("damaged: ")
    assert [one.body for one in found[:-1] if isinstance(one, Record)] == [
        f"{at}: 河" for at in range(len(found) - 1)
    ]


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("gb18030", "gb18030"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16be"), ("utf-16-le", "utf-16")],
)
@pytest.mark.parametrize("split_size", [7, 1 << 30])
def test_json_lines_in_other_charsets(tmp_path: Path, codec: str, encoding: str, split_size: int) -> None:
    path = tmp_path / "a.jsonl"
    texts = ["上海的雨，Ċਊ下了" if codec != "gb18030" else "上海的雨", "北京", "second"]
    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
    path.write_bytes("".join(lines).encode(codec))
    source = Jsonl(paths=["x"], encoding=encoding)
    found = [
        one
        for start, end in source.plan(str(path), path.stat().st_size, split_size)
        for one in source.read(str(path), path.name, start, end)
    ]
    assert [one.body for one in found if isinstance(one, Record)] == texts and len(found) == 3
    whole = path.read_bytes()
    for one, line in zip(found, lines, strict=True):
        assert whole[one.offset : one.offset + one.length].decode(codec).strip("\ufeff\n") == line.strip()
    assert [row["text"] for row in source.first_rows(str(path), 9)] == texts


def test_a_source_of_rows_is_identified_as_before_there_were_encodings() -> None:
    assert "encoding" not in Jsonl(paths=["x"]).parameters()
    assert Jsonl(paths=["x"], encoding="gbk").parameters()["encoding"] == "gbk"
