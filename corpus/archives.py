"""Members of tar and zip archives as streams: nothing is unpacked to disk, no name or size is believed.

What an archive can do to its reader, and what becomes of it: names that lead out of the archive (`..`, absolute,
drives, NUL) and links that do are Failures; so are second members of a name, entries of a zip that share bytes,
encrypted members, members over `max_bytes`, and whatever is cut or damaged. Other links, folders and devices
have no content and are passed over. A tar goes on at the next whole header behind damage. A stream that
decompresses without end stops as `corpus.storage.open_decompressed` says.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from corpus.document import Failure
from corpus.storage import DAMAGE, decompressed

BLOCK = 512
PIECE = 1 << 16
HEADER_BYTES = 1 << 20
"""What a long name or a pax header may take. Real ones take a few hundred bytes; the format allows 8 GiB."""
MAX_BYTES = 64 << 20
"""Default limit of one member."""
MAX_MEMBERS = 5_000_000
"""Members of one archive: their names are remembered as hashes, 100 bytes each. The largest bulk archives of
papers and code hold some hundred thousand."""
DIRECTORY_BYTES = 1 << 30
"""Size of a zip's directory, which is held in memory: some ten million members."""

DRIVE = re.compile(r"^[A-Za-z]:")
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, *DAMAGE)
"""What zipfile raises: RuntimeError for a password, NotImplementedError for an unknown compression."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, read: its name there, the offset of its header, its bytes.

    In a compressed tar offsets count decompressed bytes.
    """

    name: str
    offset: int
    data: bytes


def members(stream: BinaryIO, file: str, max_bytes: int = MAX_BYTES) -> Iterator[Member | Failure]:
    """The members of a tar (plain, .gz, .bz2, .xz, .zst) or zip, in the order in which they lie in it.

    `file` names the archive in failures; `stream` must be seekable. Memory: one member, plus the directory of a
    zip. Raises nothing of what the archive does.

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
    if head.startswith(ZIP):
        yield from _once(zip_members(stream, file, max_bytes), file)
    else:
        yield from _once(tar_members(decompressed(stream), file, max_bytes), file)


def _once(found: Iterator[Member | Failure], file: str) -> Iterator[Member | Failure]:
    """Every name once, and no more than `MAX_MEMBERS` of them."""
    seen: set[int] = set()
    for one in found:
        if isinstance(one, Member):
            name = hash_of(one.name)
            if name in seen:
                yield _failure(file, one.offset, len(one.data), f"a second member called {shown(one.name)}")
                continue
            if len(seen) == MAX_MEMBERS:
                yield _failure(file, one.offset, 0, f"over {MAX_MEMBERS:,} members: the rest is not read")
                return
            seen.add(name)
        yield one


def hash_of(name: str) -> int:
    """64 bits of a name."""
    import xxhash

    return int(xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass")))


def problem_of(name: str) -> str | None:
    """What is wrong with the name of a member; None for one that stays in the archive."""
    plain = name.replace("\\", "/")
    if not plain.strip("/ ."):
        return "a member without a name"
    if "\0" in plain:
        return f"a name with a NUL in it: {shown(name)}"
    if plain.startswith("/") or DRIVE.match(plain) or ".." in plain.split("/"):
        return f"a name that leads out of the archive: {shown(name)}"
    return None


def shown(name: str) -> str:
    """A name as it can be printed, at most 200 characters."""
    return ascii(name) if not name.isprintable() else repr(name[:200])


def tar_members(stream: BinaryIO, file: str, max_bytes: int = MAX_BYTES) -> Iterator[Member | Failure]:
    """The files of a plain tar, in order; the stream is read once and needs no seeking."""
    tar = _Tar(stream)
    long_name: str | None = None
    lost_from: int | None = None
    any_header = False
    while True:
        at = tar.at
        try:
            block = tar.read(BLOCK)
            if len(block) < BLOCK:
                if block.strip(b"\0") or not any_header:
                    lost_from = at if lost_from is None else lost_from
                break
            if not block.strip(b"\0"):
                continue
            header = _header(block)
            if header is None:
                lost_from = at if lost_from is None else lost_from
                continue
            if lost_from is not None:
                yield _failure(file, lost_from, at - lost_from, "damaged: no tar header here")
                lost_from = None
            any_header = True
            if header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                if header.size > HEADER_BYTES:
                    yield _failure(file, at, header.size, f"a header of {header.size:,} bytes")
                    tar.skip(header.size)
                    continue
                name, size = _extended(header.type, tar.content(header.size))
                long_name = name if name is not None else long_name
                tar.next_size = size if size is not None else tar.next_size
                continue
            name, long_name = long_name or header.name, None
            size, tar.next_size = tar.next_size if tar.next_size is not None else header.size, None
            if header.issym() or header.islnk():
                out = header.linkname if header.islnk() else _target(name, header.linkname)
                if problem_of(out):
                    yield _failure(file, at, BLOCK, f"a link that leads out of the archive: {shown(name)}")
                continue
            if not header.isreg() and header.type not in (tarfile.CONTTYPE, b"\0"):
                tar.skip(size if header.type in tarfile.GNU_TYPES or header.type == tarfile.XGLTYPE else 0)
                if header.issparse():
                    yield _failure(file, at, size, f"a sparse file is not read: {shown(name)}")
                continue
            problem = problem_of(name)
            if problem is None and size > max_bytes:
                problem = f"{shown(name)} has {size:,} bytes, over the limit of {max_bytes:,}"
            if problem is not None:
                yield _failure(file, at, size, problem)
                tar.skip(size)
                continue
            yield Member(name, at, tar.content(size))
        except EOFError as error:
            yield _failure(file, at, tar.at - at, f"cut: {error}")
            return
        except DAMAGE as error:
            yield _failure(file, at, 0, f"damaged: {error}")
            return
    if lost_from is not None:
        message = "damaged: no tar header here" if any_header else "not an archive"
        yield _failure(file, lost_from, tar.at - lost_from, message)


class _Tar:
    """A stream that counts, and reads whole or raises EOFError. `next_size` is a pax header's."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.at = stream, 0
        self.next_size: int | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer at the end only."""
        pieces: list[bytes] = []
        while size > 0 and (piece := self.stream.read(min(size, PIECE))):
            pieces.append(piece)
            size -= len(piece)
            self.at += len(piece)
        return b"".join(pieces)

    def content(self, size: int) -> bytes:
        """The `size` bytes of a member, and past the padding behind them."""
        data = self.read(size)
        if len(data) < size:
            raise EOFError(f"{len(data):,} of {size:,} bytes are there")
        self.read(-size % BLOCK)
        return data

    def skip(self, size: int) -> None:
        left = size + (-size % BLOCK)
        while left > 0:
            piece = self.read(min(left, PIECE))
            if not piece:
                raise EOFError(f"{left:,} of {size:,} bytes are not there")
            left -= len(piece)


def _header(block: bytes) -> tarfile.TarInfo | None:
    """A tar header whose checksum is right; None for anything else."""
    try:
        found = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return None
    return found if found.size >= 0 else None


def _extended(kind: bytes, data: bytes) -> tuple[str | None, int | None]:
    """The name and the size that a GNU long name or a pax header gives to the next member."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return data.rstrip(b"\0").decode("utf-8", "surrogateescape"), None
    name: str | None = None
    size: int | None = None
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 1:
            break
        key, _, value = data[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        at += int(length)
    return name, size


def _target(name: str, link: str) -> str:
    """Where a symbolic link leads, from the archive's root: `..` left in where it leads out."""
    if link.startswith("/"):
        return link
    way: list[str] = name.replace("\\", "/").split("/")[:-1]
    for step in link.replace("\\", "/").split("/"):
        if step == ".." and way and way[-1] != "..":
            way.pop()
        elif step not in ("", "."):
            way.append(step)
    return "/".join(way) or "root"


def zip_members(stream: BinaryIO, file: str, max_bytes: int = MAX_BYTES) -> Iterator[Member | Failure]:
    """The files of a zip by its directory, in the order in which they lie; the stream must be seekable."""
    try:
        stream.seek(0, io.SEEK_END)
        length = stream.tell()
        size = _directory_size(stream, length)
        if size > DIRECTORY_BYTES:
            yield _failure(file, 0, length, f"a directory of {size:,} bytes")
            return
        archive = zipfile.ZipFile(stream)
    except ZIP_DAMAGE as error:
        yield _failure(file, 0, 0, f"not a zip that can be read: {error}")
        return
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    end = 0
    for entry in entries:
        at = entry.header_offset
        begins, end = at >= end, max(end, at + 30 + len(entry.orig_filename) + entry.compress_size)
        if entry.is_dir():
            continue
        problem = problem_of(entry.orig_filename)
        if problem is None and not begins:
            problem = f"{shown(entry.filename)} shares bytes with another member"
        if problem is None and entry.file_size > max_bytes:
            problem = (
                f"{shown(entry.filename)} has {entry.file_size:,} bytes, over the limit of {max_bytes:,}"
            )
        if problem is not None:
            yield _failure(file, at, entry.compress_size, problem)
            continue
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:  # a symbolic link
            continue
        try:
            with archive.open(entry) as member:
                data = _read_up_to(member, max_bytes + 1)
        except (*ZIP_DAMAGE, zlib.error) as error:
            yield _failure(file, at, entry.compress_size, f"{shown(entry.filename)}: {error}")
            continue
        if len(data) > max_bytes:
            message = f"{shown(entry.filename)} has more bytes than it says, over the limit of {max_bytes:,}"
            yield _failure(file, at, entry.compress_size, message)
            continue
        yield Member(entry.filename, at, data)


def _read_up_to(member: IO[bytes], limit: int) -> bytes:
    """Up to `limit` bytes, and some more. In little pieces: 4 KiB of bzip2 may give 80 MB, and all comes at once."""
    pieces: list[bytes] = []
    while limit > 0 and (piece := member.read(4096)):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _directory_size(stream: BinaryIO, length: int) -> int:
    """What a zip says of the size of its directory; 0 where no end record is found."""
    stream.seek(max(0, length - (1 << 16) - 22))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    return min(size, length) if size != 0xFFFFFFFF else length


def _failure(file: str, offset: int, length: int, error: str) -> Failure:
    return Failure(file=file, offset=offset, length=max(0, length), step="archive", error=error)
