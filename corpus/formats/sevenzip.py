"""Read members of a .7z archive as streams, with py7zr: nothing is unpacked to disk or held whole.

py7zr reads the headers and makes the decompressor. Its own `extract` requests as many bytes from it in one call as the
machine has memory; here one block is requested per call. 300 MB of zeros in 380 bytes of BZip2 take no memory worth
mentioning; methods that py7zr expands in one call whatever is requested (Deflate, zstd, Brotli: 1 GB for that) are
refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from corpus.errors import UserError
from corpus.extras import install_advice

SEVENZIP_MAGIC = b"7z\xbc\xaf\x27\x1c"
SEVENZIP_BLOCK_BYTES = 1 << 20
"""Bytes decompressed in one call, and compressed bytes read in one call."""


class SevenZipError(Exception):
    """Raised when the archive, or a member of it, cannot be read."""


def list_members(stream: BinaryIO) -> list[str]:
    """Return the names of an archive's files. Raises SevenZipError if it is not a .7z archive, or is encrypted."""
    with _open_archive(stream) as archive:
        return [str(file.filename) for file in archive.files]


def read_member(stream: BinaryIO, name: str) -> Generator[bytes, None, None]:
    """Yield the blocks of a member. What precedes it in its solid block is decompressed and discarded.

    Raises SevenZipError, after what could be read.
    """
    with _open_archive(stream) as archive:
        for file, start, packed in _list_folders(archive):
            names = [entry.filename for entry in file.files]
            if name in names:
                yield from _unpack(stream, file, archive.afterheader + start, packed, names.index(name))
                return
    raise SevenZipError(f"no {name} in the archive")


def _list_folders(archive: Any) -> Iterator[tuple[Any, int, int]]:
    """Yield each solid block of an archive, its offset behind the header, and its compressed size."""
    streams = archive.header.main_streams
    if streams is None:
        return
    places = streams.packinfo.packpositions
    for at, folder in enumerate(streams.unpackinfo.folders):
        yield folder, places[at], places[at + 1] - places[at]


def _unpack(stream: BinaryIO, folder: Any, start: int, packed: int, wanted: int) -> Iterator[bytes]:
    from py7zr.compressor import SupportedMethods
    from py7zr.properties import FILTER_BROTLI, FILTER_DEFLATE, FILTER_DEFLATE64, FILTER_ZSTD

    methods: Any = SupportedMethods
    unbounded = {FILTER_BROTLI, FILTER_DEFLATE, FILTER_DEFLATE64, FILTER_ZSTD}
    try:
        if unbounded & {methods.get_filter_id(coder) for coder in folder.coders}:
            raise SevenZipError(
                "its compression is none of LZMA, LZMA2, BZip2 and PPMd, which alone unpack in bounded memory"
            )
        decompressor = folder.get_decompressor(packed)
        stream.seek(start)
        for at, file in enumerate(folder.files):
            left, checksum = file.uncompressed, 0
            while left > 0:
                before = stream.tell()
                block = bytes(decompressor.decompress(stream, min(left, SEVENZIP_BLOCK_BYTES)))
                if not block and stream.tell() == before:
                    raise SevenZipError(f"the archive ends inside {file.filename}")
                left -= len(block)
                if at == wanted and block:
                    checksum = zlib.crc32(block, checksum)
                    yield block
            if at == wanted:
                if file.crc32 is not None and checksum != file.crc32:
                    raise SevenZipError(f"{file.filename} does not match its checksum")
                return
    except (SevenZipError, GeneratorExit):
        raise
    except Exception as error:
        raise SevenZipError(f"{type(error).__name__}: {error}") from error


@contextmanager
def _open_archive(stream: BinaryIO) -> Iterator[Any]:
    try:
        import py7zr
    except ImportError:
        raise UserError(f"reading .7z needs py7zr: {install_advice('sevenzip')}") from None
    stream.seek(0)
    try:
        archive = py7zr.SevenZipFile(stream)
        encrypted = archive.needs_password()
    except Exception as error:
        # py7zr raises whatever its parser stumbles on: struct.error, KeyError, MemoryError and its own.
        raise SevenZipError(f"not a 7z archive: {type(error).__name__}: {error}") from error
    if encrypted:
        raise SevenZipError("the archive is encrypted")
    yield archive
