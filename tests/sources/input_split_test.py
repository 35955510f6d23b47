"""Which files a source has, what they are called, and what is said where there are none."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from corpus.document import Document, Record
from corpus.document_schema import to_documents_batch
from corpus.errors import UserError
from corpus.sources.input_split import InputSplit, plan_splits
from corpus.sources.inputs import list_files
from corpus.sources.tables.jsonl import Jsonl


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"text": name}) + "\n", encoding="utf-8")


def names(folder: Path, *patterns: str) -> list[str]:
    return [file.name for file in list_files(patterns, str(folder))]


def refusal(folder: Path, *patterns: str) -> str:
    with pytest.raises(UserError) as caught:
        list_files(patterns, str(folder))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    message.encode()
    return message


def test_files_are_named_from_the_manifest_or_the_fixed_part(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jsonl", "a/b/2.jsonl")
    assert names(tmp_path, "a/**/*.jsonl") == ["a/1.jsonl", "a/b/2.jsonl"]
    assert names(tmp_path, "./a/1.jsonl") == ["a/1.jsonl"]
    assert names(Path("/"), f"{tmp_path}/a/**/*.jsonl") == ["1.jsonl", "b/2.jsonl"]
    assert names(Path("/"), f"{tmp_path}/a/b/2.jsonl") == ["2.jsonl"]
    assert names(Path("/"), f"file://{tmp_path}/a/b/2.jsonl") == ["2.jsonl"]


def test_a_file_is_no_glob_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path, "[1] 名.jsonl", "1 名.jsonl", "what?.jsonl", "whatx.jsonl", "[2]/a.jsonl", "2/a.jsonl")
    assert names(tmp_path, "[1] 名.jsonl") == ["[1] 名.jsonl"]
    assert names(tmp_path, "what?.jsonl") == ["what?.jsonl"]
    assert names(Path("/"), f"{tmp_path}/[2]/a.jsonl") == ["a.jsonl"]
    assert names(tmp_path, "[12]/a.jsonl") == ["2/a.jsonl"]


def test_a_manifest_may_lie_in_a_folder_that_looks_like_a_glob(tmp_path: Path) -> None:
    write(tmp_path, "[1] 語料/docs/a.jsonl", "1 語料/docs/b.jsonl")
    assert names(tmp_path / "[1] 語料", "docs/*.jsonl") == ["docs/a.jsonl"]


def test_every_pattern_that_names_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path, "甲/1.jsonl")
    with pytest.raises(UserError) as caught:
        list_files(["乙.jsonl", "甲/*.jsonl", "@丙.txt", "丁/*.gz"], str(tmp_path))
    assert [each.path for each in caught.value.all] == [("paths", 0), ("paths", 2), ("paths", 3)]
    for each, name in zip(caught.value.all, ("乙.jsonl", "丙.txt", "丁/*.gz"), strict=True):
        assert name in str(each)


def test_a_file_that_is_reached_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jsonl", "a/2.jsonl")
    os.symlink(tmp_path / "a" / "2.jsonl", tmp_path / "a" / "latest.jsonl")
    os.symlink(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path, "a/*.jsonl") == ["a/1.jsonl", "a/2.jsonl"]
    assert names(tmp_path, "a/1.jsonl", f"{tmp_path}/a/*.jsonl", "b/*") == ["2.jsonl", "a/1.jsonl"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jsonl", "b/1.jsonl")
    message = refusal(tmp_path, f"{tmp_path}/a/*.jsonl", f"{tmp_path}/b/*.jsonl")
    assert "would both be called 1.jsonl" in message


def test_lists_name_files_from_their_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "lists/a/世界.jsonl")
    (tmp_path / "lists" / "all").write_bytes(gzip.compress("\ufeff a/世界.jsonl \r\n\n".encode()))
    assert names(tmp_path, "@lists/all") == ["a/世界.jsonl"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it names no file"),
        (b" \n\n", "it names no file"),
        (b"a.jsonl\ncaf\xe9.jsonl\n", "it is not UTF-8 at byte 11"),
        (gzip.compress(b"a.jsonl\n" * 100, mtime=0)[:-12], "ended before the end-of-stream marker"),
        (gzip.compress(b"a.jsonl", mtime=0)[:-8] + bytes(8), "CRC check failed"),
        (b"\x28\xb5\x2f\xfd\x00", "the file ends inside a zstd frame"),
        (b"gone.jsonl\n", "no such file: gone.jsonl"),
        (b"a\0b\n", "no such file: "),
    ],
)
def test_a_list_that_names_nothing_gets_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    write(tmp_path, "a.jsonl")
    (tmp_path / "list").write_bytes(content)
    assert message in refusal(tmp_path, "@list")


@pytest.mark.parametrize(
    "pattern", ["gone.jsonl", "*.nothing", "@gone", "@.", ".", "caf\udce9.txt", "@\udce9"]
)
def test_what_is_not_there_gets_one_line(tmp_path: Path, pattern: str) -> None:
    refusal(tmp_path, pattern)


def test_names_that_are_not_utf8_show_their_bytes(tmp_path: Path) -> None:
    for name in (b"caf\xe9.jsonl", b"caf\xe8.jsonl", "café.jsonl".encode()):
        with open(os.path.join(os.fsencode(tmp_path), name), "w") as output:
            output.write('{"text": "Guten Morgen, Welt."}\n')
    source = Jsonl(paths=["*.jsonl"])
    splits = plan_splits("s", source, list_files(source.paths, str(tmp_path)), 1 << 30)
    assert [split.file for split in splits] == [r"caf\xe8.jsonl", r"caf\xe9.jsonl", "café.jsonl"]
    assert len({split.name for split in splits}) == 3
    for split in splits:
        assert InputSplit.from_json(split.to_json()) == split
        (record,) = source.read(split.path, split.file, split.start, split.end)
        assert isinstance(record, Record)
        batch = to_documents_batch([Document(id="0" * 32, file=record.file, offset=0, length=1)])
        assert batch.column("origin").to_pylist()[0]["file"] == split.file
        assert isinstance(batch, pa.RecordBatch)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_gets_one_line(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    (tmp_path / "a.jsonl").chmod(0)
    with pytest.raises(UserError, match=r"cannot read .*a\.jsonl: Permission denied"):
        plan_splits("s", Jsonl(paths=["x"]), list_files(["a.jsonl"], str(tmp_path)), 1 << 30)


def test_a_file_that_goes_between_listing_and_planning_gets_one_line(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    files = list_files(["a.jsonl"], str(tmp_path))
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(UserError, match=r"cannot read .*a\.jsonl: No such file"):
        plan_splits("s", Jsonl(paths=["x"]), files, 1 << 30)


def test_patterns_may_be_urls(tmp_path: Path) -> None:
    remote = fsspec.filesystem("memory")
    for name in ("a/1.jsonl", "a/[2].jsonl", "a/2.jsonl", "list"):
        remote.pipe(f"/splits_test/{name}", b"1.jsonl\n" if name == "list" else name.encode())
    root = "memory://splits_test"
    assert names(tmp_path, f"{root}/a/1.jsonl") == ["1.jsonl"]
    assert names(tmp_path, f"{root}/a/[2].jsonl") == ["[2].jsonl"]
    assert [f.name for f in list_files(["a/1.jsonl"], root)] == ["a/1.jsonl"]
    with pytest.raises(UserError, match="no such file"):
        list_files([f"{root}/gone.jsonl"], root)
