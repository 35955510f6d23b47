"""JSON Lines, Parquet and text: field names mapped, broken rows placed."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.document import Failure, Record
from corpus.sources.base import Source
from corpus.sources.fields import Fields
from corpus.sources.jsonl import Jsonl
from corpus.sources.parquet import Parquet
from corpus.sources.text import Text

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
    assert found[3].metadata == {"no": "3"}


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
