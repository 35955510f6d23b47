"""Of a damaged compressed file, what its checksums confirm is given, and nothing else."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from corpus import storage
from corpus.document import Failure, Record
from corpus.sources.posts.reddit_comments import RedditComments
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.tables.text_files import Text
from corpus.storage import checked, compressed, open_checked
from corpus.web.url_lists.submissions import read_submissions

WORDS = ["清晨的市场", "かぜが吹く", "ตลาดเช้า", "صباح الخير", "утро", "सुबह", "market"]


def make_lines(first: int, count: int) -> list[bytes]:
    return [
        json.dumps(
            {"id": f"n{number}", "text": f"{number * 7919} {WORDS[number % 7]} {number * 104729 % 99991}"},
            ensure_ascii=False,
        ).encode()
        + b"\n"
        for number in range(first, first + count)
    ]


def compress_zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": compress_zst,
}
MEMBERS = [make_lines(first, 400) for first in range(0, 2000, 400)]


def pack(packer: str) -> list[bytes]:
    return [PACKERS[packer](b"".join(lines)) for lines in MEMBERS]


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def read(path: Path, **options: Any) -> tuple[list[bytes], list[Failure]]:
    """The lines that were read, and the failures."""
    source = Jsonl(paths=["x"], fields={"metadata": ["id"]}, **options)
    outcomes = list(source.read(str(path), "f", 0, path.stat().st_size))
    records = [one for one in outcomes if isinstance(one, Record)]
    lines = [
        json.dumps({"id": one.metadata["id"], "text": one.body}, ensure_ascii=False).encode() + b"\n"
        for one in records
    ]
    return lines, [one for one in outcomes if isinstance(one, Failure)]


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("held", [16 << 20, 100])
def test_a_whole_file_is_read_whole(
    tmp_path: Path, packer: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "MAX_HELD_BYTES", held)
    path = tmp_path / "f"
    path.write_bytes(b"".join(pack(packer)) + bytes(1024))
    assert read(path) == ([line for lines in MEMBERS for line in lines], [])


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("held", [16 << 20, 100])
def test_a_damaged_member_costs_itself_and_is_named(
    tmp_path: Path, packer: str, share: float, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "MAX_HELD_BYTES", held)
    members = pack(packer)
    members[2] = flip(members[2], int(len(members[2]) * share))
    path = tmp_path / "f"
    path.write_bytes(b"".join(members))
    lines, failures = read(path)
    before, behind = [*MEMBERS[0], *MEMBERS[1]], [*MEMBERS[3], *MEMBERS[4]]
    assert lines[: len(before)] == before
    assert lines[-len(behind) :] == behind
    assert set(lines) <= {line for member in MEMBERS for line in member}
    assert len(failures) == 1
    assert failures[0].offset >= len(b"".join(before))
    assert failures[0].length <= len(b"".join(MEMBERS[2])) * 2
    assert failures[0].error.startswith("damaged: ")


@pytest.mark.parametrize("packer", PACKERS)
def test_nothing_of_a_single_damaged_member_is_used(tmp_path: Path, packer: str) -> None:
    whole = b"".join(line for lines in MEMBERS for line in lines)
    packed = PACKERS[packer](whole)
    path = tmp_path / "f"
    for share in (0.1, 0.4, 0.6, 0.97):
        path.write_bytes(flip(packed, int(len(packed) * share)))
        lines, failures = read(path)
        assert lines == []
        assert [one.offset for one in failures] == [0]
        assert "does not decode" in failures[0].error
        assert "get the file again" in failures[0].error


def test_blocks_of_bzip2_before_the_damage_are_used(tmp_path: Path) -> None:
    lines = make_lines(0, 6000)
    packed = bz2.compress(b"".join(lines), 1)
    path = tmp_path / "f"
    path.write_bytes(flip(packed, int(len(packed) * 0.9)))
    given, (failure,) = read(path)
    assert given == lines[: len(given)]
    assert 3000 < len(given) < 6000
    assert failure.offset == len(b"".join(given))


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("held", [16 << 20, 100])
def test_a_cut_file_gives_its_whole_lines(
    tmp_path: Path, packer: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "MAX_HELD_BYTES", held)
    members = pack(packer)
    path = tmp_path / "f"
    path.write_bytes(b"".join(members)[: -len(members[4]) // 3])
    lines, (failure,) = read(path)
    assert lines == [line for member in MEMBERS for line in member][: len(lines)]
    assert len(lines) >= 1600
    assert failure.offset == len(b"".join(lines))
    assert "the file ends inside" in failure.error


def test_zeros_and_noise_between_members_are_named(tmp_path: Path) -> None:
    members = pack("gz")
    path = tmp_path / "f"
    path.write_bytes(members[0] + bytes(5000) + members[1] + b"\x1f\x8b\x08noise" * 3 + members[2])
    lines, failures = read(path)
    assert lines == [*MEMBERS[0], *MEMBERS[1], *MEMBERS[2]]
    assert ["zeros" in failures[0].error, "does not decode" in failures[1].error] == [True, True]
    assert len(failures) == 2


def test_frames_without_a_checksum_are_left_out_where_they_do_not_decode(tmp_path: Path) -> None:
    frames = [zstandard.compress(b"".join(lines)) for lines in MEMBERS]
    frames[1] = frames[1][:40] + bytes(60) + frames[1][100:]
    path = tmp_path / "f"
    path.write_bytes(b"".join(frames))
    lines, (failure,) = read(path)
    assert lines == [line for member in (0, 2, 3, 4) for line in MEMBERS[member]]
    assert failure.offset == len(b"".join(MEMBERS[0]))


def test_a_bomb_behind_lines_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "BOMB_CHECK_BYTES", 8 << 20)
    path = tmp_path / "f"
    for packer in PACKERS.values():
        path.write_bytes(packer(b"".join(MEMBERS[0])) + packer(bytes(64 << 20)))
        lines, failures = read(path)
        assert lines == MEMBERS[0]
        assert "a decompression bomb" in failures[-1].error
        path.write_bytes(packer(bytes(1 << 20)) * 64)
        assert "a decompression bomb" in read(path)[1][-1].error


def test_a_look_at_the_beginning_checks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f"
    packed = gzip.compress(b"".join(make_lines(0, 30_000)), mtime=0)
    path.write_bytes(flip(packed, len(packed) - 3))
    records = Jsonl(paths=["x"]).read(str(path), "f", 0, path.stat().st_size)
    with checked.peeking():
        assert isinstance(next(records), Record)
    with checked.peeking():
        outcomes = list(Jsonl(paths=["x"]).read(str(path), "f", 0, path.stat().st_size))
    assert isinstance(outcomes[-1], Failure)
    assert isinstance(next(Jsonl(paths=["x"]).read(str(path), "f", 0, path.stat().st_size)), Failure)


@pytest.mark.parametrize("unit", ["line", "paragraph"])
def test_text_leaves_out_the_unit_that_damage_interrupts(tmp_path: Path, unit: str) -> None:
    end = "\n" if unit == "line" else "\n\n"
    units = [f"{number} {WORDS[number % 7]}" for number in range(900)]
    blocks = ["".join(one + end for one in units[first : first + 300]).encode() for first in (0, 300, 600)]
    moved = [blocks[0] + blocks[1][:20], blocks[1][20:-20], blocks[1][-20:] + blocks[2]]
    members = [gzip.compress(one, mtime=0) for one in moved]
    members[1] = flip(members[1], len(members[1]) // 2)
    path = tmp_path / "f.txt.gz"
    path.write_bytes(b"".join(members))
    outcomes = list(Text(paths=["x"], unit=unit).read(str(path), "f", 0, path.stat().st_size))
    texts = [bytes(one.body).decode().strip() for one in outcomes if isinstance(one, Record)]
    assert set(texts) <= set(units)
    assert set(units[:300] + units[601:]) <= set(texts)
    (failure,) = [one for one in outcomes if isinstance(one, Failure)]
    assert failure.error.startswith("damaged: a gzip member does not decode")
    assert failure.length > 0


def test_a_text_that_is_damaged_or_cut_is_no_document(tmp_path: Path) -> None:
    packed = gzip.compress("".join(f"{n} 早安，世界\n" for n in range(30_000)).encode(), mtime=0)
    path = tmp_path / "f.txt.gz"
    for content in (flip(packed, len(packed) // 2), packed[:-9], flip(packed, len(packed) - 6)):
        path.write_bytes(content)
        (outcome,) = Text(paths=["x"]).read(str(path), "f", 0, len(content))
        assert isinstance(outcome, Failure)
        assert (outcome.offset, outcome.length > 1000) == (0, True)


def test_comments_and_submissions_leave_out_what_is_damaged(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"c{number}",
            "link_id": f"t3_{number:x}",
            "subreddit": "kochen",
            "body": f"{WORDS[number % 7]} {number * 7919}",
            "url": f"https://example.org/{number * 7919}",
            "score": 5,
        }
        for number in range(3000)
    ]
    packed = [
        compress_zst("".join(json.dumps(row) + "\n" for row in rows[at : at + 1000]).encode())
        for at in (0, 1000, 2000)
    ]
    packed[1] = flip(packed[1], len(packed[1]) // 2)
    path = tmp_path / "RC_2031-01.zst"
    path.write_bytes(b"".join(packed))
    outcomes = list(RedditComments(paths=["x"]).read(str(path), "f", 0, path.stat().st_size))
    assert [sum(isinstance(one, kind) for one in outcomes) for kind in (Record, Failure)] == [2000, 1]
    tables = list(read_submissions(str(path), "f"))
    urls = pa.concat_tables([one for one in tables if isinstance(one, pa.Table)])["url"].to_pylist()
    assert urls == [rows[at]["url"] for at in (*range(1000), *range(2000, 3000))]
    assert len([one for one in tables if isinstance(one, Failure)]) == 1
    path.write_bytes(packed[1] + packed[2])
    urls = [one for one in read_submissions(str(path), "f") if isinstance(one, pa.Table)]
    assert sum(one.num_rows for one in urls) == 1000


def test_a_reader_that_cannot_resume_gets_an_error(tmp_path: Path) -> None:
    members = pack("gz")
    members[1] = flip(members[1], 300)
    path = tmp_path / "f"
    path.write_bytes(b"".join(members))
    with open_checked(str(path)) as stream:
        stream.raises = True
        given = 0
        with pytest.raises(storage.DAMAGE, match="does not decode"):
            while piece := stream.read1(1 << 16):
                given += len(piece)
    assert given == len(b"".join(MEMBERS[0]))


@pytest.mark.parametrize("packer", PACKERS)
def test_a_file_whose_beginning_is_damaged_is_read_by_its_name(tmp_path: Path, packer: str) -> None:
    members = pack(packer)
    path = tmp_path / f"f.jsonl.{packer}"
    for head in (b"\0\1\2" * 20 + members[0], bytes(90) + members[0][90:], members[0][5:]):
        path.write_bytes(head + b"".join(members[1:]))
        lines, failures = read(path)
        assert lines[-1600:] == [line for member in MEMBERS[1:] for line in member]
        assert 1 <= len(failures) <= 2  # zeros, and what does not decode
        texts = list(Text(paths=["x"], unit="line").read(str(path), "f", 0, path.stat().st_size))
        assert all("{" in bytes(one.body).decode() for one in texts if isinstance(one, Record))
    path.write_bytes("早安，世界\n".encode())
    (text,) = Text(paths=["x"]).read(str(path), "f", 0, 1)
    assert isinstance(text, Record)
