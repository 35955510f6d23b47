"""The one module that touches the filesystem: local paths and any fsspec URL alike."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from corpus.storage import remote
from corpus.storage.compressed import DAMAGE, Bomb, decompressed
from corpus.storage.retry import RemoteError

__all__ = ["DAMAGE", "Bomb", "RemoteError", "decompressed"]


@dataclass(frozen=True, slots=True)
class File:
    """An input file: where to open it, its name inside its source, its size in bytes.

    `checksum` is what a remote store says of its content (ETag, MD5), None where it says nothing; `error` why
    the store does not give the file at all.
    """

    path: str
    name: str
    size: int
    checksum: str | None = None
    error: str | None = None


def is_remote(path: str) -> bool:
    """Whether `path` is an fsspec URL rather than a local path."""
    return "://" in path and not path.startswith("file://")


def local(path: str) -> str:
    """A local path with a possible `file://` removed."""
    return path.removeprefix("file://")


def join(root: str, *names: str) -> str:
    """`root/name/name`, for local paths and URLs."""
    return "/".join([root.rstrip("/") or "/", *names]) if names else root


def exists(path: str) -> bool:
    return remote.exists(path) if is_remote(path) else os.path.exists(local(path))


def size(path: str) -> int:
    return remote.stat(path).size if is_remote(path) else os.path.getsize(local(path))


def stat(path: str, name: str) -> File:
    """The file at `path`, called `name`, as its filesystem describes it. Raises OSError."""
    if not is_remote(path):
        return File(path, name, os.path.getsize(local(path)))
    found = remote.stat(path)
    return File(path, name, found.size, found.checksum)


def filesystem(path: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL, for libraries that take one, and the path inside it."""
    return remote.filesystem(path)


def unread() -> int:
    """How many reads of remote files this thread has given up."""
    return remote.UNREAD.count


def changed(path: str) -> float:
    """When a local file was last changed, in seconds since 1970."""
    return os.path.getmtime(local(path))


def open_input(path: str, offset: int = 0) -> BinaryIO:
    """The raw bytes of a file, seekable, positioned at `offset`.

    A remote file is read by ranges, and a read that fails goes on where it stopped: see `corpus.storage.remote`.
    """
    if is_remote(path):
        return remote.open_input(path, offset)
    stream: BinaryIO = open(local(path), "rb")  # noqa: SIM115 - the caller closes it
    if offset:
        stream.seek(offset)
    return stream


def read_range(path: str, start: int, end: int) -> bytes:
    """Bytes [start, end) of a file, fewer at its end if it is local; a remote one must be that long."""
    if is_remote(path):
        return remote.read_range(path, start, end)
    with open(local(path), "rb") as stream:
        stream.seek(start)
        return stream.read(end - start)


def open_decompressed(path: str) -> BinaryIO:
    """A whole file, decompressed as `decompressed` does it."""
    return decompressed(open_input(path))


def read_bytes(path: str) -> bytes:
    with open_input(path) as stream:
        return stream.read()


def read_text(path: str) -> str:
    return read_bytes(path).decode()


@contextmanager
def atomic_output(path: str) -> Iterator[BinaryIO]:
    """A binary stream that becomes `path` when the block ends without an error, and never before.

    Local files are written under a unique temporary name in the same folder, synced and renamed.
    On an object store the data is one PUT (or multipart upload), which is whole or absent.
    """
    if is_remote(path):
        with remote.atomic_output(path) as stream:
            yield stream
        return
    target = local(path)
    folder = os.path.dirname(target) or "."
    os.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/.{os.path.basename(target)}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_bytes(path: str, content: bytes) -> None:
    """Write a whole file atomically."""
    with atomic_output(path) as stream:
        stream.write(content)


def write_text(path: str, text: str) -> None:
    write_bytes(path, text.encode())


def create(path: str, content: bytes) -> bool:
    """Write a small remote object unless there is one; whether it was written."""
    return remote.create(path, content)


def remove(path: str) -> None:
    """Remove a file; nothing happens when it is not there."""
    if not is_remote(path):
        if os.path.exists(local(path)):
            os.unlink(local(path))
        return
    remote.remove(path)


def remove_folder(folder: str) -> None:
    """Remove a folder with everything in it; nothing happens when it is not there."""
    if not is_remote(folder):
        shutil.rmtree(local(folder), ignore_errors=True)
        return
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(remove, list_files(folder)))


def list_files(folder: str) -> list[str]:
    """Every file below `folder`, sorted, without the temporary files of unfinished writes."""
    if not is_remote(folder):
        found = [
            f"{base}/{name}"
            for base, _, names in os.walk(local(folder))
            for name in names
            if not name.endswith(".tmp")
        ]
        return sorted(found)
    return [join(folder, name) for name in remote.list_files(folder)]


def is_file(path: str) -> bool:
    """Whether exactly this path is a file."""
    return remote.is_file(path) if is_remote(path) else os.path.isfile(local(path))


def expand(pattern: str, folders: bool = False) -> list[str]:
    """The files a path, URL or glob names, sorted; empty when there are none.

    A file whose name looks like a glob (`[1].jsonl`) is itself before it is a glob. With `folders` a glob names
    folders too.
    """
    if is_file(pattern):
        return [pattern if is_remote(pattern) else local(pattern)]
    if not is_remote(pattern):
        found = {path.rstrip("/") or "/" for path in glob.glob(local(pattern), recursive=True)}
        return sorted(path for path in found if folders or os.path.isfile(path))
    return remote.glob(pattern) if glob.has_magic(pattern) else []


def sha256(path: str) -> str:
    """SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with open_input(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
