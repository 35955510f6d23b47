"""WACZ: its archives are read where they lie, and each record can be found there."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile
from pathlib import Path

import pytest

from corpus.document import Failure, Record
from corpus.sources.web.warc import Warc
from tests.sources.warc_heads_test import PAGES, bodies, read, record


def write_wacz(path: Path, files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("datapackage.json", '{"profile": "data-package", "wacz_version": "1.1.1"}')
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def packed(*numbers: int, line_end: bytes = b"\r\n") -> bytes:
    return b"".join(gzip.compress(record(PAGES[n], n, line_end=line_end), mtime=0) for n in numbers)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("split_size", [1, 1 << 40])
def test_all_archives_are_read_once_whatever_the_splits(
    tmp_path: Path, packing: int, split_size: int
) -> None:
    files = {
        "pages/pages.jsonl": b"{}",
        "archive/a.warc.gz": packed(0, 1),
        "archive/b.warc": record(PAGES[2], 2),
        "archive/c.warc.gz": packed(3, 4, line_end=b"\n"),
        "__MACOSX/archive/._c.warc.gz": b"\0\0",
        "indexes/index.cdx.gz": gzip.compress(b""),
    }
    outcomes = read(write_wacz(tmp_path / "a.wacz", files, packing), split_size)
    assert bodies(outcomes) == PAGES
    assert [one.metadata["archive"] for one in outcomes if isinstance(one, Record)] == [
        *["archive/a.warc.gz"] * 2,
        "archive/b.warc",
        *["archive/c.warc.gz"] * 2,
    ]


def test_records_are_placed_in_the_wacz_itself(tmp_path: Path) -> None:
    path = write_wacz(
        tmp_path / "a.wacz", {"archive/a.warc.gz": packed(0, 1), "archive/b.warc.gz": packed(2)}
    )
    content = path.read_bytes()
    for number, one in enumerate(read(path)):
        assert (one.file, one.length > 0) == ("a.wacz", True)
        assert gzip.decompress(content[one.offset : one.offset + one.length]) == record(PAGES[number], number)


def test_damage_in_one_archive_is_named_and_costs_one_record(tmp_path: Path) -> None:
    path = write_wacz(
        tmp_path / "a.wacz", {"archive/a.warc.gz": packed(0, 1, 2), "archive/b.warc.gz": packed(3)}
    )
    content = bytearray(path.read_bytes())
    at = content.index(packed(1)) + 20
    content[at : at + 40] = b"\xff" * 40
    path.write_bytes(content)
    outcomes = read(path)
    assert [one.body for one in outcomes if isinstance(one, Record)] == [PAGES[0], PAGES[2], PAGES[3]]
    (failure,) = [one for one in outcomes if isinstance(one, Failure)]
    assert failure.offset == at - 20
    assert "archive/a.warc.gz" in failure.error


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("packings", itertools.product((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), repeat=2))
@pytest.mark.parametrize("split_size", [1, 1 << 40])
def test_a_wacz_of_wacz_gives_the_pages_of_all(
    tmp_path: Path, packings: tuple[int, int], split_size: int
) -> None:
    first = zipped({"archive/a.warc.gz": packed(0, 1)}, packings[0])
    inner = zipped({"crawl/archive/2024/b.warc": record(PAGES[2], 2), "more.WACZ": first}, packings[0])
    files = {
        "multi/x.wacz": inner,
        "archive/c.warc.gz.open": packed(3),
        "archive/rec-1": packed(4),
        "pages/a.jsonl": b"{}",
    }
    path = write_wacz(tmp_path / "a.wacz", files, packings[1])
    outcomes = read(path, split_size)
    assert sorted(bodies(outcomes)) == sorted(PAGES)
    names = [one.metadata["archive"] for one in outcomes if isinstance(one, Record)]
    inside = ["multi/x.wacz/crawl/archive/2024/b.warc", *["multi/x.wacz/more.WACZ/archive/a.warc.gz"] * 2]
    assert names == [*inside, "archive/c.warc.gz.open", "archive/rec-1"]
    if set(packings) == {zipfile.ZIP_STORED}:
        content = path.read_bytes()
        for one in outcomes:
            assert isinstance(one, Record) and isinstance(one.body, bytes)
            piece = content[one.offset : one.offset + one.length]
            assert one.body in (gzip.decompress(piece) if piece.startswith(b"\x1f") else piece)


def test_what_is_wrong_inside_a_wacz_of_wacz_is_named(tmp_path: Path) -> None:
    deep = zipped({"archive/a.warc.gz": packed(0)})
    for _ in range(3):
        deep = zipped({"x.wacz": deep})
    empty = zipped({"pages/pages.jsonl": b"{}"})
    path = write_wacz(tmp_path / "a.wacz", {"deep.wacz": deep, "empty.wacz": empty, "cut.wacz": deep[:-9]})
    errors = [one.error for one in read(path) if isinstance(one, Failure)]
    assert [error.rpartition(" (in ")[2] for error in errors] == [
        "'deep.wacz')",
        "'empty.wacz')",
        "'cut.wacz')",
    ]
    assert "more than 3 WACZ are inside of each other" in errors[0]
    listed = tmp_path / "multi.json"
    listed.write_text(
        '{"profile": "multi-wacz-package", "resources": [{"path": "https://example.org/a.wacz"}]}'
    )
    (failure,) = read(listed)
    assert isinstance(failure, Failure) and failure.error.startswith("a list of WACZ files")


def test_a_zip_without_archives_and_a_cut_one_say_so(tmp_path: Path) -> None:
    empty = write_wacz(tmp_path / "a.wacz", {"pages/pages.jsonl": b"{}"})
    (failure,) = read(empty)
    assert isinstance(failure, Failure)
    assert failure.error == "a zip without web archives: a WACZ has them in archive/"
    whole = write_wacz(tmp_path / "b.wacz", {"archive/a.warc.gz": packed(0)})
    whole.write_bytes(whole.read_bytes()[:-30])
    (failure,) = read(whole)
    assert isinstance(failure, Failure)
    assert failure.error.startswith("not a zip that can be read")


def test_a_zip_cannot_lead_out_of_itself_or_say_its_bytes_twice(tmp_path: Path) -> None:
    path = write_wacz(
        tmp_path / "a.wacz", {"../../archive/a.warc.gz": packed(0), "archive/b.warc.gz": packed(1)}
    )
    outcomes = read(path)
    assert [type(one) for one in outcomes] == [Failure, Record]
    assert "leads out of the archive" in str(getattr(outcomes[0], "error", ""))


def test_records_without_an_id_have_names_of_their_own(tmp_path: Path) -> None:
    def nameless(number: int) -> bytes:
        return gzip.compress(record(PAGES[number]).replace(b"WARC-Record-ID", b"X-Other"))

    files = {"archive/a.warc.gz": nameless(0) + nameless(1), "archive/b.warc.gz": nameless(2)}
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        outcomes = read(write_wacz(tmp_path / f"{packing}.wacz", files, packing))
        assert len({one.native_id for one in outcomes if isinstance(one, Record)}) == 3


def test_a_real_wacz_gives_the_page_that_warcio_reads(data: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    path = data / "warc" / "pywb" / "valid_example_1.wacz"
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.startswith("archive/")]
        theirs = [
            one.content_stream().read()
            for one in ArchiveIterator(io.BytesIO(archive.read(name)))
            if one.rec_type == "response"
        ]
    source = Warc(paths=["x"])
    ours = [
        one.body
        for one in source.read(str(path), path.name, 0, path.stat().st_size)
        if isinstance(one, Record)
    ]
    assert ours == theirs
