"""Members of archives: every whole one once, tricks and bombs named, nothing written anywhere."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
import zstandard

from corpus.document import Failure
from corpus.formats.archives import ArchiveMember, read_archive

TEXTS = {
    "en/a.txt": b"Good morning",
    "zh/早上好.txt": "早上好，世界".encode(),
    "th/" + "ยาว" * 60 + ".txt": "สวัสดี".encode(),
    "ar/b.txt": "صباح الخير".encode() * 200,
    "empty.txt": b"",
}


def tar_of(files: dict[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=kind) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return packed.getvalue()


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, data in files.items():
            header = zipfile.ZipInfo(name)
            header.compress_type = compression
            archive.writestr(header, data)
    return packed.getvalue()


def read(content: bytes, max_bytes: int = 1 << 20) -> tuple[dict[str, bytes], list[str]]:
    """The members by name, and the errors."""
    found = list(read_archive(io.BytesIO(content), "archive", max_bytes))
    names = [one.name for one in found if isinstance(one, ArchiveMember)]
    assert len(names) == len(set(names))
    return (
        {one.name: one.data for one in found if isinstance(one, ArchiveMember)},
        [one.error for one in found if isinstance(one, Failure)],
    )


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_tar_gives_its_files_whatever_it_is_packed_with(kind: int, pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(tar_of(TEXTS, kind))) == (TEXTS, [])


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_gives_its_files_in_the_order_in_which_they_lie(compression: int) -> None:
    assert read(zip_of(TEXTS, compression)) == (TEXTS, [])


def test_names_that_lead_out_are_named_and_the_others_read() -> None:
    bad = {"../up.txt": b"1", "/etc/passwd": b"2", "a/../../b": b"3", "C:\\x.txt": b"4", "..\\y.txt": b"5"}
    for packed in (tar_of({**bad, **TEXTS}), zip_of({**bad, **TEXTS})):
        found, errors = read(packed)
        assert found == TEXTS
        assert len(errors) == 5
        assert all("leads out of the archive" in error for error in errors)


def test_members_without_a_name_are_named_by_their_number() -> None:
    files = {"第一章.txt": "早上好".encode(), "": b"2", "..": b"3", "глава.txt": "Доброе утро".encode()}
    for packed in (tar_of(files), zip_of(files)):
        texts, errors = read(packed)
        assert texts == {name: data for name, data in files.items() if name.endswith(".txt")}
        assert errors == ["member 2 has no name", "the name of member 3, '..', is no file name"]


def test_links_that_lead_out_are_named_and_others_passed_over() -> None:
    packed = io.BytesIO()
    links = [("in", "en/a.txt"), ("en/back", "../zh"), ("out", "/etc"), ("en/far", "../../etc")]
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, target in links:
            header = tarfile.TarInfo(name)
            header.type, header.linkname = tarfile.SYMTYPE, target
            archive.addfile(header)
        device = tarfile.TarInfo("device")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        last = tarfile.TarInfo("last")
        last.size = 2
        archive.addfile(last, io.BytesIO(b"ok"))
    found, errors = read(packed.getvalue())
    assert found == {"last": b"ok"}
    assert [error.partition(": ")[2] for error in errors] == ["'out'", "'en/far'"]


def test_a_second_member_of_a_name_is_named() -> None:
    twice = tar_of({"a": b"1", "b": b"2"})[:2048] + tar_of({"a": b"3"})
    assert read(twice) == ({"a": b"1", "b": b"2"}, ["a second member called 'a'"])


def test_damage_in_a_tar_costs_the_damaged_member_only() -> None:
    packed = bytearray(tar_of({"a": b"1" * 600, "b": b"2" * 600, "c": b"3" * 600}))
    packed[1536 + 5] ^= 0xFF
    found, errors = read(bytes(packed))
    assert found == {"a": b"1" * 600, "c": b"3" * 600}
    assert errors == ["damaged: no tar header here"]
    (failure,) = [
        one for one in read_archive(io.BytesIO(bytes(packed)), "archive") if isinstance(one, Failure)
    ]
    assert (failure.file, failure.offset, failure.length) == ("archive", 1536, 1536)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_a_cut_tar_gives_what_is_before_the_cut(pack: Callable[[bytes], bytes]) -> None:
    noise = zlib.compress(b"".join(struct.pack("<Q", n * 2654435761) for n in range(9000)))
    packed = pack(tar_of({"a": b"1", "b": noise, "c": noise}))
    found, errors = read(packed[: len(packed) // 3])
    assert found == {"a": b"1"}
    assert len(errors) == 1 and errors[0].startswith("cut: ")


def test_bombs_are_bounded_and_named() -> None:
    big = b"0" * (40 << 20)
    for packed in (
        zip_of({"bomb": big, "a": b"1"}),
        zip_of({"bomb": big, "a": b"1"}, zipfile.ZIP_BZIP2),
        gzip.compress(tar_of({"bomb": big, "a": b"1"}), 1),
    ):
        tracemalloc.start()
        found, errors = read(packed, 1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == {"a": b"1"}
        assert errors == ["'bomb' has 41,943,040 bytes, over the limit of 1,048,576"]
        assert peak < 8 << 20


def lying_zip(files: dict[str, bytes], says: int) -> bytes:
    """A zip whose directory and headers give another size than the first member has."""
    packed = zip_of(files)
    size = struct.pack("<I", len(next(iter(files.values()))))
    return packed.replace(size, struct.pack("<I", says))


def test_a_zip_that_lies_about_sizes_is_not_believed() -> None:
    found, errors = read(lying_zip({"bomb": b"0" * (20 << 20), "a": b"1"}, 10), 1 << 20)
    assert found == {"a": b"1"}
    assert len(errors) == 1 and errors[0].startswith("'bomb': ")


def test_members_of_a_zip_that_share_bytes_are_named() -> None:
    packed = bytearray(zip_of({"a": b"text" * 9, "b": b"more" * 9}, zipfile.ZIP_STORED))
    entry = packed.rindex(b"PK\x01\x02")
    packed[entry + 42 : entry + 46] = struct.pack("<I", 0)  # b is where a is
    found, errors = read(bytes(packed))
    assert found == {"a": b"text" * 9}
    assert errors == ["'b' shares bytes with another member"]


def test_a_header_of_gigabytes_is_not_held() -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 64 << 20
    name = header.tobuf(tarfile.GNU_FORMAT) + bytes(64 << 20)
    packed = gzip.compress(name + tar_of({"a": b"1"}), 1)
    tracemalloc.start()
    found, errors = read(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {"a": b"1"}
    assert errors == ["a header of 67,108,864 bytes"]
    assert peak < 8 << 20


@pytest.mark.parametrize("content", [b"", b"plain text " * 100, b"PK\x03\x04 no zip", b"\x1f\x8b\x08 no tar"])
def test_what_is_no_archive_is_a_failure(content: bytes) -> None:
    found, errors = read(content)
    assert found == {}
    assert len(errors) == 1


def test_an_encrypted_member_is_named() -> None:
    packed = bytearray(zip_of({"secret": b"x", "open": b"y"}, zipfile.ZIP_STORED))
    packed[6] |= 1
    entry = packed.index(b"PK\x01\x02")
    packed[entry + 8] |= 1
    found, errors = read(bytes(packed))
    assert found == {"open": b"y"}
    assert len(errors) == 1 and "encrypted" in errors[0]
