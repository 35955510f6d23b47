"""Where a record is, as documents and quarantine say it: cut out of the file there, it is that record."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import zstandard
from fastwarc import ArchiveIterator

from corpus.document import Failure, Record
from corpus.sources.books import Books
from corpus.sources.papers.arxiv import Arxiv
from corpus.sources.papers.pubmed import Pubmed
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.web.warc import Warc
from corpus.sources.wikipedia.wiki_dump import Wikipedia
from tests.damage import (
    DAMAGES,
    HIT,
    RECORDS,
    Kind,
    arc_pieces,
    kinds,
    lz4,
    text_of,
    warc_records,
    wiki_pieces,
)

PACKED = {"gz": partial(gzip.compress, mtime=0), "zst": zstandard.compress, "lz4": lz4, "plain": bytes}
WEB = Warc(paths=["x"])


def read(source: Warc | Jsonl | Arxiv | Books | Pubmed, path: Path) -> list[Record | Failure]:
    return list(source.read(str(path), path.name, 0, path.stat().st_size))


def cut(path: Path, one: Record | Failure) -> bytes:
    """What stands there, as a shell gets it."""
    command = ["dd", f"if={path}", "bs=1M", "iflag=skip_bytes,count_bytes", "status=none"]
    done = subprocess.run(
        [*command, f"skip={one.offset}", f"count={one.length}"], capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind.resumes], ids=lambda kind: kind.name)
def test_a_record_is_cut_out_by_its_offset_and_length(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(kind.content)
    found = list(kind.source.read(str(path), "file", 0, len(kind.content)))
    pieces = kind.pieces[kind.first : kind.first + RECORDS]
    whole = kind.name not in ("ARC", "Wikipedia XML")  # the line end behind a record is no part of those
    assert [cut(path, one) for one in found] == [piece if whole else piece[:-1] for piece in pieces]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds() if "WARC" in kind.name], ids=lambda kind: kind.name
)
@pytest.mark.parametrize("damage", ["half of it noise", "zeros over it", "its second half missing"])
def test_a_loss_is_exactly_what_no_record_takes(kind: Kind, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DAMAGES[damage](kind.content, *kind.span(HIT)))
    found = list(kind.source.read(str(path), "file", 0, path.stat().st_size))
    assert sum(isinstance(one, Failure) for one in found) == 1
    assert b"".join(cut(path, one) for one in found) == path.read_bytes()


@pytest.mark.parametrize("pack", ["gz", "zst", "lz4"])
def test_records_of_one_member_are_placed_in_what_it_unpacks_to(pack: str, tmp_path: Path) -> None:
    whole = b"".join(warc_records())
    path, unpacked = tmp_path / "file", tmp_path / "unpacked"
    path.write_bytes(PACKED[pack](whole))
    unpacked.write_bytes(whole)
    assert [cut(unpacked, one) for one in read(WEB, path)] == warc_records()
    half = sum(map(len, warc_records()[:7]))
    path.write_bytes(PACKED[pack](whole[:half]) + PACKED[pack](whole[half:]))
    assert [cut(unpacked, one) for one in read(WEB, path)] == warc_records()


def test_records_of_an_arc_in_one_member_are_placed_in_what_it_unpacks_to(tmp_path: Path) -> None:
    pieces = arc_pieces()
    path, unpacked = tmp_path / "file.arc.gz", tmp_path / "unpacked"
    unpacked.write_bytes(b"".join(pieces))
    path.write_bytes(gzip.compress(unpacked.read_bytes()))
    assert [cut(unpacked, one) for one in read(WEB, path)] == [piece[:-1] for piece in pieces[1:]]
    path.write_bytes(gzip.compress(b"".join(pieces[:5])) + gzip.compress(b"".join(pieces[5:])))
    assert [cut(unpacked, one) for one in read(WEB, path)] == [piece[:-1] for piece in pieces[1:]]


def test_pages_of_a_bz2_stream_are_placed_by_the_stream(tmp_path: Path) -> None:
    head, *pages, foot = wiki_pieces()
    streams = [
        head,
        b"".join(pages[:5]),
        b"".join(pages[5:8]),
        b"".join(pages[8:])[:-70],
        pages[-1][-70:],
        foot,
    ]
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(b"".join(map(bz2.compress, streams)))
    found = list(Wikipedia(paths=["x"]).read(str(path), "file", 0, path.stat().st_size))
    for number, one in enumerate(found):
        assert isinstance(one, Record)
        page = bz2.decompress(cut(path, one))[int(one.metadata["offset_in_stream"]) :]
        assert page.startswith(b"<page><title>Page %d<" % number) and b"</page>" in page
    assert [one.length for one in found[:5]] == [len(bz2.compress(streams[1]))] * 5


def test_lines_are_placed_in_the_file_or_in_what_it_unpacks_to(tmp_path: Path) -> None:
    lines = [f'{{"text": "{text_of(number)}"}}\n'.encode() for number in range(4)]
    lines[2] = b"{broken\n"
    unpacked = tmp_path / "a.jsonl"
    unpacked.write_bytes(b"".join(lines))
    for name, pack in PACKED.items():
        if name == "lz4":
            continue
        path = tmp_path / f"file.{name}"
        path.write_bytes(pack(unpacked.read_bytes()))
        assert [cut(unpacked, one) for one in read(Jsonl(paths=["x"]), path)] == lines


def test_members_of_archives_are_placed_with_their_headers(tmp_path: Path) -> None:
    papers = {f"0303/math0303{n:03}.gz": gzip.compress(b"\\documentclass{article}" * n) for n in range(1, 4)}
    path = tmp_path / "papers.tar"
    with tarfile.open(path, "w") as archive:
        for name, body in papers.items():
            header = tarfile.TarInfo(name)
            header.size = len(body)
            archive.addfile(header, io.BytesIO(body))
    for one, (name, body) in zip(read(Arxiv(paths=["x"]), path), papers.items(), strict=True):
        with tarfile.open(fileobj=io.BytesIO(cut(path, one))) as archive:
            assert archive.getnames() == [name]
            member = archive.extractfile(name)
            assert member is not None and member.read() == body
    texts = {f"{n}.txt": ("早上好，世界。\n\n" * 40 * n).encode() for n in range(1, 4)}
    path = tmp_path / "books.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in texts.items():
            packed.writestr(name, body)
    for one, (name, body) in zip(read(Books(paths=["x"]), path), texts.items(), strict=True):
        entry = cut(path, one)
        assert zlib.decompress(entry[30 + sum(struct.unpack("<HH", entry[26:30])) :], -15) == body
        assert entry[30 : 30 + len(name)] == name.encode()


def test_a_body_that_does_not_decode_is_named_with_its_address(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\n\r\n"
    content = head + bytes(range(256)) * 4
    top = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/%E6%96%87\r\n"
    length = b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n" % len(content)
    path.write_bytes(gzip.compress(top + length + content + b"\r\n\r\n"))
    (one,) = read(WEB, path)
    assert isinstance(one, Failure)
    assert (one.step, one.url) == ("http", "https://example.org/%E6%96%87")
    assert (one.offset, one.length) == (0, path.stat().st_size)


def test_a_page_that_is_over_max_bytes_is_fetched_by_its_place_in_quarantine(tmp_path: Path) -> None:
    records = [gzip.compress(record) for record in warc_records()]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"".join(records))
    small = Warc(paths=["x"], max_bytes=64)
    for number, one in enumerate(read(small, path)):
        assert isinstance(one, Failure) and one.reason == "bytes"
        (body,) = [found.reader.read() for found in ArchiveIterator(io.BytesIO(cut(path, one)))]
        assert text_of(number).encode() in body


LENGTH = {
    "too short": b"Content-Length: 20",
    "too long": b"Content-Length: 99999999",
    "a little too long": b"Content-Length: 2500",
    "negative": b"Content-Length: -5",
    "no number": b"Content-Length: 12ab",
    "beyond numbers": b"Content-Length: 99999999999999999999999999",
    "missing": b"X-Nothing: 1",
}


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("lie", LENGTH)
@pytest.mark.parametrize("hit", [0, HIT, RECORDS - 1])
def test_a_record_whose_length_is_wrong_is_read_by_what_stands_around_it(
    pack: str, lie: str, hit: int, tmp_path: Path
) -> None:
    records = warc_records()
    head, _, rest = records[hit].partition(b"Content-Length: ")
    records[hit] = head + LENGTH[lie] + rest[rest.index(b"\r\n") :]
    path = tmp_path / "file"
    path.write_bytes(b"".join(map(PACKED[pack], records)))
    found = read(WEB, path)
    assert [type(one) for one in found] == [Record] * RECORDS, [
        one for one in found if isinstance(one, Failure)
    ]
    assert [text_of(number) in one.body.decode() for number, one in enumerate(found)] == [True] * RECORDS
    assert all(one.body.count(b"<html>") == 1 for one in found)
    assert [cut(path, one) for one in found] == [PACKED[pack](record) for record in records]


@pytest.mark.parametrize("packed", [True, False], ids=["dictionary packed", "dictionary plain"])
def test_zstd_frames_with_a_dictionary_are_read_also_behind_damage(packed: bool, tmp_path: Path) -> None:
    records = warc_records()
    dictionary = zstandard.train_dictionary(4096, [record[:500] for record in records] * 40)
    raw = dictionary.as_bytes()
    head = zstandard.compress(raw) if packed else raw
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    frames = [compressor.compress(record) for record in records]
    # One record is in two frames, its header and its content, as the format allows.
    top, _, content = records[3].partition(b"\r\n\r\n")
    frames[3] = compressor.compress(top + b"\r\n\r\n") + compressor.compress(content)
    path = tmp_path / "a.warc.zst"
    begin = b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(head)) + head
    path.write_bytes(begin + b"".join(frames))
    assert [cut(path, one) for one in read(WEB, path)] == frames
    at = len(begin) + sum(map(len, frames[:HIT]))
    spoiled = bytearray(path.read_bytes())
    spoiled[at : at + 20] = bytes(20)
    path.write_bytes(spoiled)
    found = read(WEB, path)
    assert [isinstance(one, Record) for one in found] == [number != HIT for number in range(RECORDS)]
    assert (found[HIT].offset, found[HIT].length) == (at, len(frames[HIT]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.replace(
            b"WARC-Type: response\r\n", b"WARC-Type: response\r\n\xff no header\r\n", 1
        ),
        lambda record: record.replace(b"WARC/1.0\r\n", b"WARC/1.\xff\r\n", 1),
        lambda record: record[:30] + b"\0" * 40 + record[70:],
        lambda record: record.replace(b"Content-Length", b"\r\n\r\nContent-Length", 1),
    ],
)
@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("hit", [0, HIT, RECORDS - 1])
def test_a_record_whose_header_is_spoiled_is_lost_alone(
    pack: str, hit: int, spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    pieces = [PACKED[pack](spoil(one) if n == hit else one) for n, one in enumerate(warc_records())]
    path = tmp_path / "file"
    path.write_bytes(b"".join(pieces))
    found = read(WEB, path)
    whole = [one for one in found if isinstance(one, Record) and one.gate is None]
    others = {text_of(number) for number in range(RECORDS) if number != hit}
    assert others <= {
        text for text in map(text_of, range(RECORDS)) for one in whole if text in one.body.decode()
    }
    assert b"".join(cut(path, one) for one in found) == path.read_bytes()
