"""JSON Lines, Parquet and text: field names mapped, broken rows placed."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard

from corpus.document import Failure, Record, document_id
from corpus.errors import UserError
from corpus.manifest import load_manifest
from corpus.sources.source import Source
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.tables.parquet import Parquet
from corpus.sources.tables.text_files import Text
from tests.sources import text_of

TEXTS = [
    "Guten Morgen, Welt.",
    "早安，世界。",
    "おはよう世界",
    "สวัสดีชาวโลก",
    "صباح الخير",
    "सुप्रभात",
    "Доброе утро",
]
PACKERS = {
    "": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}

BOOK = "一行很长的字。" * 60_000 + "\n"
"""A line of 1.2 MB."""


def read(source: Source, path: Path, split_size: int = 1 << 40) -> list[Record | Failure]:
    found: list[Record | Failure] = []
    for start, end in source.plan(str(path), path.stat().st_size, split_size):
        found += source.read(str(path), path.name, start, end)
    return found


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("split_size", [1, 37, 1 << 40])
def test_json_lines_come_once_with_mapped_fields(tmp_path: Path, packer: str, split_size: int) -> None:
    path = tmp_path / "docs.jsonl"
    lines = [json.dumps({"no": i, "body": t, "when": 1e9}, ensure_ascii=False) for i, t in enumerate(TEXTS)]
    path.write_bytes(PACKERS[packer]("\n".join(lines).encode()))
    source = Jsonl(paths=["x"], fields=Fields(id="no", text="body", date="when", metadata=["no"]))
    found = [r for r in read(source, path, split_size) if isinstance(r, Record)]
    assert [r.body for r in found] == TEXTS
    assert [r.native_id for r in found] == [str(i) for i in range(len(TEXTS))]
    assert {r.date for r in found} == {"2001-09-09T01:46:40Z"}
    assert found[3].metadata == {"id": "3", "no": "3"}


def test_broken_lines_are_placed_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    lines = [
        b'{"text": "eins"}',
        b'{"text": ',
        b"[1]",
        b'{"nothing": 1}',
        b"",
        '{"text": "二"}'.encode(),
        b'{"text": 5}',
    ]
    path.write_bytes(b"\n".join([*lines, b"\xff"]))
    found = read(Jsonl(paths=["x"]), path)
    assert [r.body for r in found if isinstance(r, Record)] == ["eins", "二"]
    assert [f.offset for f in found if isinstance(f, Failure)] == [17, 27, 31, 63, 75]


def test_a_cut_archive_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl.gz"
    lines = [json.dumps({"text": f"{t} {i}"}) for i in range(2000) for t in TEXTS]
    packed = gzip.compress("\n".join(lines).encode())
    path.write_bytes(packed[: len(packed) // 2])
    found = read(Jsonl(paths=["x"]), path)
    assert len(found) > 2000
    assert [type(r).__name__ for r in found[:-1]] == ["Record"] * (len(found) - 1)
    assert isinstance(found[-1], Failure)


@pytest.mark.parametrize("split_size", [1, 400, 1 << 40])
def test_parquet_rows_come_once_with_their_row_numbers(tmp_path: Path, split_size: int) -> None:
    path = tmp_path / "docs.parquet"
    table = pa.table({"content": [*TEXTS, None], "url": [f"https://example.org/{i}" for i in range(8)]})
    pq.write_table(table, path, row_group_size=3)
    source = Parquet(paths=["x"], fields=Fields(text="content"))
    found = read(source, path, split_size)
    assert [(r.body, r.offset) for r in found if isinstance(r, Record)] == list(
        zip(TEXTS, range(7), strict=True)
    )
    assert [f.offset for f in found if isinstance(f, Failure)] == [7]


TIMES = {
    "timestamp[ns]": (
        [10**18, 10**18 + 1, None],
        ["2001-09-09T01:46:40", "2001-09-09T01:46:40.000000001", None],
    ),
    "timestamp[us]": ([0, 2**62, None], ["1970-01-01T00:00:00", None, None]),
    "zoned": ([0, 1_500_000, 2**62], ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01.500000Z", None]),
    "date32": ([0, 2**30, None], ["1970-01-01", None, None]),
    "string": (["", "2001", None], [None, "2001", None]),
}


@pytest.mark.parametrize("kind", TIMES)
def test_parquet_dates_are_iso_8601_whatever_python_can_hold(tmp_path: Path, kind: str) -> None:
    given, expected = TIMES[kind]
    path = tmp_path / "docs.parquet"
    column = pa.array(
        given, pa.timestamp("us", "Europe/Berlin") if kind == "zoned" else pa.type_for_alias(kind)
    )
    pq.write_table(pa.table({"text": TEXTS[:3], "date": column}), path)
    found = read(Parquet(paths=["x"]), path)
    assert [r.date if isinstance(r, Record) else r for r in found] == expected


def test_a_parquet_value_that_python_cannot_hold_costs_its_row(tmp_path: Path) -> None:
    path = tmp_path / "docs.parquet"
    times = pa.array([[0], [2**62], [0]], pa.list_(pa.timestamp("us")))
    pq.write_table(pa.table({"text": TEXTS[:3], "when": times}), path)
    found = read(Parquet(paths=["x"], fields=Fields(metadata=["when"])), path)
    assert [(type(r), r.offset) for r in found] == [(Record, 0), (Failure, 1), (Record, 2)]


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"text": pa.array([], pa.string())})])
@pytest.mark.parametrize("split_size", [1, 1 << 40])
def test_a_parquet_file_without_rows_gives_nothing(tmp_path: Path, table: pa.Table, split_size: int) -> None:
    path = tmp_path / "docs.parquet"
    pq.write_table(table, path)
    assert read(Parquet(paths=["x"]), path, split_size) == []
    pq.ParquetWriter(path, table.schema).close()
    assert pq.ParquetFile(path).num_row_groups == 0
    assert read(Parquet(paths=["x"]), path, split_size) == []


def test_a_parquet_file_without_the_text_is_one_failure(tmp_path: Path) -> None:
    path = tmp_path / "docs.parquet"
    pq.write_table(pa.table({"body": TEXTS, "number": range(7)}), path)
    (failure,) = read(Parquet(paths=["x"]), path)
    assert isinstance(failure, Failure)
    assert (failure.offset, failure.length) == (0, 7)
    assert failure.error == "no column 'text' for the text: there is body, number"


def test_a_parquet_row_over_the_limit_is_placed_and_the_next_one_read(tmp_path: Path) -> None:
    path = tmp_path / "docs.parquet"
    table = pa.table({"text": ["eins", BOOK, "二", "三"], "note": ["", "", None, BOOK], "else": [BOOK] * 4})
    pq.write_table(table, path)
    source = Parquet.model_validate({"paths": ["x"], "max_bytes": "1MiB", "fields": {"metadata": ["note"]}})
    found = read(source, path)
    assert [r.body if isinstance(r, Record) else (r.offset, r.length) for r in found] == [
        "eins",
        (1, 1),
        "二",
        (3, 1),
    ]
    assert [f.error for f in found if isinstance(f, Failure)] == [
        f"a row of {size:,} bytes is over the limit of 1,048,576: max_bytes of the source raises it"
        for size in (1_260_001, 1_260_004)
    ]


def test_what_is_no_parquet_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "docs.parquet"
    path.write_bytes(b"PAR1 but no more")
    (failure,) = read(Parquet(paths=["x"]), path)
    assert isinstance(failure, Failure)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("file", ["一行\n二行\n\nthree\n"]),
        ("paragraph", ["一行\n二行\n\n", "three\n"]),
        ("line", ["一行\n", "二行\n", "three\n"]),
    ],
)
def test_text_by_file_paragraph_or_line(tmp_path: Path, unit: str, expected: list[str]) -> None:
    path = tmp_path / "poem.txt.gz"
    path.write_bytes(gzip.compress("一行\n二行\n\nthree\n".encode()))
    found = read(Text.model_validate({"paths": ["x"], "unit": unit}), path)
    assert [r.body.decode() for r in found if isinstance(r, Record) and isinstance(r.body, bytes)] == expected
    assert len({r.native_id for r in found if isinstance(r, Record)}) == len(expected)


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("split_size", [1000, 500_000, 1 << 40])
def test_a_json_line_over_the_limit_is_placed_and_the_next_one_read(
    tmp_path: Path, packer: str, split_size: int
) -> None:
    path = tmp_path / "docs.jsonl"
    lines = [json.dumps({"text": text}, ensure_ascii=False).encode() for text in ("eins", BOOK, "二", BOOK)]
    path.write_bytes(PACKERS[packer](b"\n".join(lines)))
    source = Jsonl.model_validate({"paths": ["x"], "max_bytes": "64KiB"})
    found = read(source, path, split_size)
    assert [r.body if isinstance(r, Record) else (r.offset, r.length) for r in found] == [
        "eins",
        (17, len(lines[1]) + 1),
        "二",
        (17 + len(lines[1]) + 1 + len(lines[2]) + 1, len(lines[1])),
    ]
    assert isinstance(found[1], Failure)
    assert found[1].step == "read"
    assert found[1].error == (
        "a line of 1,260,015 bytes is over the limit of 65,536: max_bytes of the source raises it"
    )


@pytest.mark.parametrize("source", [Jsonl, Text])
def test_a_line_without_an_end_takes_no_memory(tmp_path: Path, source: type[Source]) -> None:
    path = tmp_path / "zeros.zst"
    path.write_bytes(zstandard.compress(b"0" * (200 << 20)))
    tracemalloc.start()
    (failure,) = read(source.model_validate({"kind": source.__name__.lower(), "paths": ["x"]}), path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(failure, Failure)
    assert (failure.offset, failure.length) == (0, 200 << 20)
    assert peak < 80 << 20


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("file", [(0, 1_260_054)]),
        ("paragraph", ["早安\n世界\n\n", (15, 1_260_012), "สวัสดี\nจบ\n"]),
        ("line", ["早安\n", "世界\n", (15, 1_260_001), "二行\n", "สวัสดี\n", "จบ\n"]),
    ],
)
def test_a_text_over_the_limit_is_one_failure_and_the_next_one_is_read(
    tmp_path: Path, unit: str, expected: list[object]
) -> None:
    path = tmp_path / "book.txt"
    path.write_text(f"早安\n世界\n\n{BOOK}二行\n \t \n\nสวัสดี\nจบ\n", encoding="utf-8")
    found = read(Text.model_validate({"paths": ["x"], "unit": unit, "max_bytes": 65536}), path)
    assert [
        r.body.decode() if isinstance(r, Record) and isinstance(r.body, bytes) else (r.offset, r.length)
        for r in found
    ] == expected
    assert all(f"a {unit} of " in f.error for f in found if isinstance(f, Failure))


def test_a_text_at_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text(BOOK, encoding="utf-8")
    size = path.stat().st_size
    (record,) = read(Text.model_validate({"paths": ["x"], "max_bytes": size}), path)
    assert isinstance(record, Record)
    assert record.length == size
    assert isinstance(read(Text.model_validate({"paths": ["x"], "max_bytes": size - 1}), path)[0], Failure)


def test_half_a_surrogate_pair_becomes_a_replacement_character(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    half = r"\ud83d"
    keys = ("text", "url", "date", "license", "language", "group", "title")
    path.write_text(
        "{" + ", ".join(f'"{key}": "a{half}世\\ud83d\\ude00"' for key in keys) + "}\n", encoding="utf-8"
    )
    fields = Fields(language="language", group="group", metadata=["title"])
    (record,) = read(Jsonl(paths=["x"], fields=fields), path)
    assert isinstance(record, Record)
    found = [
        record.body,
        record.url,
        record.metadata["date"],
        record.metadata["license"],
        record.language,
        record.group,
    ]
    assert [*found, record.metadata["title"]] == ["a\ufffd世😀"] * 7


def test_ids_that_differ_in_half_a_surrogate_pair_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text(
        r"""{"id": "\ud83d", "text": "一"}
{"id": "\ud83e", "text": "一"}""",
        encoding="utf-8",
    )
    ids = {document_id("s", r.native_id) for r in read(Jsonl(paths=["x"]), path) if isinstance(r, Record)}
    assert len(ids) == 2


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_id_is_no_id(tmp_path: Path, value: str | None) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text("\n".join(json.dumps({"id": value, "text": text}) for text in TEXTS), encoding="utf-8")
    found = read(Jsonl(paths=["x"]), path)
    assert len({r.native_id for r in found if isinstance(r, Record)}) == len(TEXTS)


def test_utf16_is_read_where_the_manifest_says_so(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_bytes("早安，世界。今天天气很好。".encode("utf-16-le"))
    (record,) = read(Text(paths=["x"], encoding="utf-16"), path)
    assert isinstance(record, Record)
    assert text_of(record) == "早安，世界。今天天气很好。"


@pytest.mark.parametrize("unit", ["line", "paragraph"])
def test_utf16_is_never_cut_at_bytes(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "page.txt"
    path.write_bytes("早安\n世界".encode("utf-16"))
    (failure,) = read(Text.model_validate({"paths": ["x"], "unit": unit}), path)
    assert isinstance(failure, Failure)
    assert failure.error == "a file in UTF-16 is read whole: say unit: file, or convert it to UTF-8"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "日本"}, "encoding: no such encoding: say utf-8, windows-1251, "),
        ({"encoding": "latin2x"}, "encoding: no such encoding: did you mean latin2?"),
        ({"encoding": "utf8-sig"}, "encoding: no such encoding: did you mean utf8?"),
        (
            {"language": "deutsch"},
            "language: 'deutsch' is not a language: did you mean deu (German)?",
        ),
        ({"encoding": "utf-16le", "unit": "line"}, "files in utf-16le are read whole: say unit: file"),
        ({"max_bytes": 0}, "max_bytes: "),
        ({"max_bytes": "much"}, "max_bytes: "),
    ],
)
def test_wrong_options_are_refused_with_the_manifest(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        yaml.safe_dump({"name": "m", "sources": {"t": {"kind": "text", "paths": ["x"], **options}}})
    )
    with pytest.raises(UserError) as caught:
        load_manifest(str(path))
    assert f"sources.t{'.' if ': ' in message[:12] else ': '}{message}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"encoding": "Shift_JIS"}, {"language": "eng_Latn"}, {"language": "tha"}]
)
def test_right_options_are_taken(options: dict[str, str]) -> None:
    Text.model_validate({"paths": ["x"], **options})
