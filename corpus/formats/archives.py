"""Read members of tar and zip archives as streams: nothing is unpacked to disk, no name or size is trusted.

What an archive can do to its reader, and how it is handled: names that lead out of the archive (`..`, absolute,
drives, NUL) and links that do are Failures; so are second members of a name, entries of a zip that share bytes,
encrypted members, members over `max_bytes`, and whatever is truncated or damaged. Other links, folders and devices
have no content and are skipped. Behind damage, reading of a tar resumes at the next whole header. A stream that
decompresses without end is stopped as described in `corpus.storage.open_decompressed`.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from corpus.document import Failure
from corpus.formats.tar import PAX_TYPES, TAR_BLOCK_BYTES, read_extended_header, read_header, stored_size
from corpus.storage import DAMAGE, open_decompressing

ARCHIVE_READ_BYTES = 1 << 16
MAX_TAR_HEADER_BYTES = 1 << 20
"""What a long name or a pax header may take. Real ones take a few hundred bytes; the format allows 8 GiB."""
MAX_ARCHIVE_MEMBER_BYTES = 64 << 20
"""Default limit of one member."""
MAX_ARCHIVE_MEMBERS = 5_000_000
"""Members of one archive: their names are remembered as hashes, 100 bytes each. The largest bulk archives of
papers and code hold some hundred thousand."""
MAX_ZIP_DIRECTORY_BYTES = 1 << 30
"""Size of a zip's directory, which is held in memory: some ten million members."""

DRIVE_LETTER = re.compile(r"^[A-Za-z]:")
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, KeyError, *DAMAGE)
"""What zipfile raises: RuntimeError for a password, NotImplementedError for an unknown compression."""


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """Hold a file of an archive: its name there, the offset of its header, its bytes, and its length with the header.

    In a compressed tar, offsets count decompressed bytes.
    """

    name: str
    offset: int
    data: bytes
    length: int


def read_archive(
    stream: BinaryIO, file: str, max_bytes: int = MAX_ARCHIVE_MEMBER_BYTES
) -> Iterator[ArchiveMember | Failure]:
    """Yield the members of a tar (plain, .gz, .bz2, .xz, .zst) or zip, in the order of their bytes in it.

    `file` names the archive in failures; `stream` must be seekable. Memory: one member, plus the directory of a
    zip. Raises nothing because of the archive's content.

    >>> import tarfile, io
    >>> packed = io.BytesIO()
    >>> with tarfile.open(fileobj=packed, mode="w") as archive:
    ...     header = tarfile.TarInfo("a/文.txt")
    ...     header.size = 6
    ...     archive.addfile(header, io.BytesIO("你好".encode()))
    >>> _ = packed.seek(0)
    >>> [(one.name, one.data.decode()) for one in members(packed, "papers.tar")]
    [('a/文.txt', '你好')]
    """
    head = stream.read(4)
    stream.seek(0)
    if head.startswith(ZIP_MAGICS):
        yield from _drop_repeated_names(read_zip(stream, file, max_bytes), file)
    else:
        yield from _drop_repeated_names(read_tar(open_decompressing(stream), file, max_bytes), file)


def _drop_repeated_names(
    entries: Iterator[ArchiveMember | Failure], file: str
) -> Iterator[ArchiveMember | Failure]:
    """Yield the first entry of every name, and no more than `MAX_ARCHIVE_MEMBERS` of them.

    A repeated name is a failure, and so is the first member over the limit, where reading ends.
    """
    seen: set[int] = set()
    for entry in entries:
        if isinstance(entry, ArchiveMember):
            name = hash_name(entry.name)
            if name in seen:
                yield _make_failure(
                    file, entry.offset, entry.length, f"a second member called {quote_name(entry.name)}"
                )
                continue
            if len(seen) == MAX_ARCHIVE_MEMBERS:
                yield _make_failure(
                    file, entry.offset, 0, f"over {MAX_ARCHIVE_MEMBERS:,} members: the rest is not read"
                )
                return
            seen.add(name)
        yield entry


def hash_name(name: str) -> int:
    """Return a hash of a name, 64 bits."""
    import xxhash

    return int(xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass")))


def find_name_problem(name: str, number: int) -> str | None:
    """Return what is wrong with the name of a member; None for one that stays inside the archive. `number` counts
    from 1, in the order in which `unzip -l` and `tar -t` list members."""
    plain = name.replace("\\", "/")
    if not plain.strip("/ ."):
        if name:
            return f"the name of member {number:,}, {quote_name(name)}, is no file name"
        return f"member {number:,} has no name"
    if "\0" in plain:
        return f"a name with a NUL in it: {quote_name(name)}"
    if plain.startswith("/") or DRIVE_LETTER.match(plain) or ".." in plain.split("/"):
        return f"a name that leads out of the archive: {quote_name(name)}"
    return None


def quote_name(name: str) -> str:
    """Return a name in printable form, at most 200 characters."""
    return ascii(name) if not name.isprintable() else repr(name[:200])


def read_tar(
    stream: BinaryIO, file: str, max_bytes: int = MAX_ARCHIVE_MEMBER_BYTES
) -> Iterator[ArchiveMember | Failure]:
    """Yield the files of a plain tar, in order; the stream is read once and needs no seeking."""
    tar = _TarReader(stream)
    long_name: str | None = None
    lost_from: int | None = None
    any_header = False
    number = 0
    while True:
        at = tar.at
        try:
            block = tar.read(TAR_BLOCK_BYTES)
            if len(block) < TAR_BLOCK_BYTES:
                if block.strip(b"\0") or not any_header:
                    lost_from = at if lost_from is None else lost_from
                break
            if not block.strip(b"\0"):
                continue
            header = read_header(block)
            if header is None:
                lost_from = at if lost_from is None else lost_from
                continue
            if lost_from is not None:
                yield _make_failure(file, lost_from, at - lost_from, "damaged: no tar header here")
                lost_from = None
            any_header = True
            if header.type == tarfile.GNUTYPE_LONGNAME or header.type in PAX_TYPES:
                if header.size > MAX_TAR_HEADER_BYTES:
                    yield _make_failure(
                        file, at, stored_size(header.size), f"a header of {header.size:,} bytes"
                    )
                    tar.skip(header.size)
                    continue
                name, size = read_extended_header(header.type, tar.read_content(header.size))
                long_name = name if name is not None else long_name
                tar.next_size = size if size is not None else tar.next_size
                continue
            number += 1
            name, long_name = long_name or header.name, None
            size, tar.next_size = tar.next_size if tar.next_size is not None else header.size, None
            if header.issym() or header.islnk():
                out = header.linkname if header.islnk() else _resolve_link(name, header.linkname)
                if find_name_problem(out, number):
                    yield _make_failure(
                        file, at, TAR_BLOCK_BYTES, f"a link that leads out of the archive: {quote_name(name)}"
                    )
                continue
            if not header.isreg() and header.type not in (tarfile.CONTTYPE, b"\0"):
                tar.skip(size if header.type in tarfile.GNU_TYPES or header.type == tarfile.XGLTYPE else 0)
                if header.issparse():
                    yield _make_failure(
                        file, at, stored_size(size), f"a sparse file is not read: {quote_name(name)}"
                    )
                continue
            problem = find_name_problem(name, number)
            if problem is None and size > max_bytes:
                problem = f"{quote_name(name)} has {size:,} bytes, over the limit of {max_bytes:,}"
            if problem is not None:
                yield _make_failure(file, at, stored_size(size), problem)
                tar.skip(size)
                continue
            yield ArchiveMember(name, at, tar.read_content(size), stored_size(size))
        except EOFError as error:
            yield _make_failure(file, at, tar.at - at, f"cut: {error}")
            return
        except DAMAGE as error:
            yield _make_failure(file, at, 0, f"damaged: {error}")
            return
    if lost_from is not None:
        message = "damaged: no tar header here" if any_header else "not an archive"
        yield _make_failure(file, lost_from, tar.at - lost_from, message)


class _TarReader:
    """Read a stream and count its bytes; parts are read whole or EOFError is raised. `next_size` is a pax header's."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.at = stream, 0
        self.next_size: int | None = None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end."""
        pieces: list[bytes] = []
        while size > 0 and (piece := self.stream.read(min(size, ARCHIVE_READ_BYTES))):
            pieces.append(piece)
            size -= len(piece)
            self.at += len(piece)
        return b"".join(pieces)

    def read_content(self, size: int) -> bytes:
        """Return the `size` bytes of a member, and skip the padding behind them."""
        data = self.read(size)
        if len(data) < size:
            raise EOFError(f"{len(data):,} of {size:,} bytes are there")
        self.read(-size % TAR_BLOCK_BYTES)
        return data

    def skip(self, size: int) -> None:
        left = size + (-size % TAR_BLOCK_BYTES)
        while left > 0:
            piece = self.read(min(left, ARCHIVE_READ_BYTES))
            if not piece:
                raise EOFError(f"{left:,} of {size:,} bytes are not there")
            left -= len(piece)


def _resolve_link(name: str, link: str) -> str:
    """Return where a symbolic link leads, from the archive's root: `..` is left in if it leads out."""
    if link.startswith("/"):
        return link
    way: list[str] = name.replace("\\", "/").split("/")[:-1]
    for step in link.replace("\\", "/").split("/"):
        if step == ".." and way and way[-1] != "..":
            way.pop()
        elif step not in ("", "."):
            way.append(step)
    return "/".join(way) or "root"


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """Hold a file of a zip as its directory has it: where its header begins, and its length there with the header.

    `stored_at` is where its bytes lie in the zip as they are, None where they are packed or encrypted.
    """

    info: zipfile.ZipInfo
    offset: int
    length: int
    stored_at: int | None

    @property
    def name(self) -> str:
        return self.info.filename


def describe_zip_damage(error: Exception) -> str:
    """Return what is wrong with a zip, where `zipfile` says no more than that it is none."""
    if str(error) == "File is not a zip file":
        return "it has no directory at its end: it is cut, or another format; get it again"
    return str(error) or type(error).__name__


def open_zip(stream: BinaryIO, file: str) -> zipfile.ZipFile | Failure:
    """Open a zip whose directory can be held in memory; the stream must be seekable."""
    try:
        stream.seek(0, io.SEEK_END)
        length = stream.tell()
        size = _directory_size(stream, length)
        if size > MAX_ZIP_DIRECTORY_BYTES:
            return _make_failure(file, 0, length, f"a directory of {size:,} bytes")
        return zipfile.ZipFile(stream)
    except ZIP_DAMAGE as error:
        return _make_failure(file, 0, 0, f"not a zip that can be read: {describe_zip_damage(error)}")


def list_zip(stream: BinaryIO, archive: zipfile.ZipFile, file: str) -> Iterator[ZipEntry | Failure]:
    """Yield the files of a zip in the order of their bytes, without their content; links and folders are none."""
    end = 0
    listed = enumerate(archive.infolist(), 1)
    for number, info in sorted(listed, key=lambda entry: entry[1].header_offset):
        at = info.header_offset
        begins, end = at >= end, max(end, at + 30 + len(info.orig_filename) + info.compress_size)
        if info.filename.endswith("/"):  # `is_dir` of Python 3.11 fails on an empty name
            continue
        length = _stored_length(stream, info)
        problem = find_name_problem(info.orig_filename, number)
        if problem is None and not begins:
            problem = f"{quote_name(info.filename)} shares bytes with another member"
        if problem is not None:
            yield _make_failure(file, at, length, problem)
        elif (info.external_attr >> 16) & 0o170000 != 0o120000:  # no symbolic link
            is_stored = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
            yield ZipEntry(info, at, length, at + length - info.compress_size if is_stored else None)


def read_zip(
    stream: BinaryIO, file: str, max_bytes: int = MAX_ARCHIVE_MEMBER_BYTES
) -> Iterator[ArchiveMember | Failure]:
    """Yield the files of a zip by its directory, in the order of their bytes; the stream must be seekable."""
    archive = open_zip(stream, file)
    if isinstance(archive, Failure):
        yield archive
        return
    for entry in list_zip(stream, archive, file):
        yield entry if isinstance(entry, Failure) else read_zip_entry(archive, entry, file, max_bytes)


def read_zip_entry(
    archive: zipfile.ZipFile, entry: ZipEntry, file: str, max_bytes: int
) -> ArchiveMember | Failure:
    """Return the content of a file of a zip, unless it is damaged or has more than `max_bytes`."""
    problem = None
    data = b""
    limit = f"over the limit of {max_bytes:,}"
    if entry.info.file_size > max_bytes:
        problem = f"{quote_name(entry.name)} has {entry.info.file_size:,} bytes, {limit}"
    else:
        try:
            with archive.open(entry.info) as member:
                data = _read_up_to(member, max_bytes + 1)
        except ZIP_DAMAGE as error:
            problem = f"{quote_name(entry.name)}: {error}"
        if len(data) > max_bytes:
            problem = f"{quote_name(entry.name)} has more bytes than it says, {limit}"
    if problem is not None:
        return _make_failure(file, entry.offset, entry.length, problem)
    return ArchiveMember(entry.name, entry.offset, data, entry.length)


def _stored_length(stream: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return the bytes of an entry with its own header, whose extra field need not be as long as the directory's."""
    stream.seek(entry.header_offset)
    header = stream.read(30)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return len(header) + names + entry.compress_size


def _read_up_to(member: IO[bytes], limit: int) -> bytes:
    """Return up to `limit` bytes, and some more, read in small pieces: 4 KiB of bzip2 may give 80 MB in one piece."""
    pieces: list[bytes] = []
    while limit > 0 and (piece := member.read(4096)):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _directory_size(stream: BinaryIO, length: int) -> int:
    """Return the size that a zip states for its directory; 0 if there is no end record."""
    stream.seek(max(0, length - (1 << 16) - 22))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    return min(size, length) if size != 0xFFFFFFFF else length


def _make_failure(file: str, offset: int, length: int, error: str) -> Failure:
    return Failure(file=file, offset=offset, length=max(0, length), step="archive", error=error)
