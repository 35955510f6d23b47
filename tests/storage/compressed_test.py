"""Compressed files are read to their end, and an end that comes too early is an error."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from corpus.document import Failure, Record
from corpus.sources.wikipedia import mediawiki_chunks
from corpus.sources.wikipedia.wiki_dump import Wikipedia
from corpus.storage import DAMAGE, Bomb, compressed, open_decompressed

TEXT = "".join(f"{i} 早安，世界。สวัสดี Доброе утро\n" for i in range(20_000)).encode()
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}


def read_until_damage(path: Path) -> tuple[bytes, BaseException | None]:
    """What can be read line by line, and what ended it."""
    found = []
    with open_decompressed(str(path)) as stream:
        try:
            while line := stream.readline():
                found.append(line)
        except DAMAGE as error:
            return b"".join(found), error
    return b"".join(found), None


@pytest.mark.parametrize("packer", PACKERS)
def test_several_members_are_one_text(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(
        b"".join(PACKERS[packer](piece) for piece in (TEXT[:1], b"", TEXT[1:70_000], TEXT[70_000:]))
    )
    assert read_until_damage(path) == (TEXT, None)


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("left_out", [1, 1000])
def test_a_cut_file_raises_at_its_end(tmp_path: Path, packer: str, left_out: int) -> None:
    path = tmp_path / "file"
    path.write_bytes((PACKERS[packer](TEXT) * 2)[:-left_out])
    found, error = read_until_damage(path)
    assert isinstance(error, EOFError)
    assert (TEXT * 2).startswith(found)
    assert len(found) > len(TEXT)


def test_a_zstd_file_that_ends_with_its_magic_number_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(zstandard.compress(TEXT) + b"\x28\xb5\x2f\xfd")
    found, error = read_until_damage(path)
    assert found == TEXT
    assert isinstance(error, EOFError)


def test_a_zstd_file_with_something_else_behind_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(zstandard.compress(TEXT) + b"and more")
    found, error = read_until_damage(path)
    assert found == TEXT
    assert isinstance(error, zstandard.ZstdError)


def test_a_dump_with_a_long_window_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=31, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path.write_bytes(packer.compress(TEXT) + packer.flush())
    assert read_until_damage(path) == (TEXT, None)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_bomb_ends_after_a_stretch_of_it(
    tmp_path: Path, packer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressed, "BOMB_CHECK_BYTES", 8 << 20)
    path = tmp_path / "file"
    path.write_bytes(PACKERS[packer](TEXT) + PACKERS[packer](bytes(64 << 20)))
    given = 0
    with open_decompressed(str(path)) as stream, pytest.raises(Bomb, match="a decompression bomb"):
        while piece := stream.read(1 << 16):
            given += len(piece)
    assert len(TEXT) <= given < 40 << 20


def test_a_dump_with_a_bomb_in_it_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediawiki_chunks, "BOMB_CHECK_BYTES", 8 << 20)
    page = (
        "<page><title>早安</title><ns>0</ns><id>1</id><revision><id>2</id><text>世界</text></revision></page>"
    )
    path = tmp_path / "wiki.xml.bz2"
    path.write_bytes(
        bz2.compress(b"<mediawiki>") + bz2.compress(page.encode()) + bz2.compress(bytes(64 << 20))
    )
    found = list(Wikipedia(paths=["x"]).read(str(path), "wiki", 0, path.stat().st_size))
    assert isinstance(found[0], Record)
    assert ["a decompression bomb" in one.error for one in found[1:] if isinstance(one, Failure)] == [True]
