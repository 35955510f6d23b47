"""Open, read, list and write files: the only package that touches the filesystem.

Local paths and fsspec URLs are handled alike.

    remote.py       fsspec URLs: ranges, resumed reads, atomic writes
    retry.py        which remote errors are retried, and for how long
    compressed.py   decompressing streams, guarded against bombs
    checked.py      of compressed files, what their checksums confirm
    folders.py      folders as inputs
    names.py        file names made printable, links described
    fingerprint.py  hashes of settings and of input files
    outputs.py      whether a path can be written
    lock.py         one build at a time in a workspace
    spill.py        rows grouped by key in bounded memory
    part_writer.py  Parquet parts, whole or absent
"""

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
from corpus.storage.checked import CheckedReader
from corpus.storage.compressed import DAMAGE, HEAD_BYTES, Bomb, open_decompressing, recognize_named_frames
from corpus.storage.retry import RemoteError

__all__ = ["DAMAGE", "Bomb", "CheckedReader", "RemoteError", "open_decompressing"]


@dataclass(frozen=True, slots=True)
class File:
    """An input file: where to open it, its name inside its source, its size in bytes.

    `checksum` is a remote store's checksum of its content (ETag, MD5), None where it has none; `error` why
    the store does not give the file at all.
    """

    path: str
    name: str
    size: int
    checksum: str | None = None
    error: str | None = None


def is_remote(path: str) -> bool:
    """Return whether `path` is an fsspec URL rather than a local path."""
    return "://" in path and not path.startswith("file://")


def local_path(path: str) -> str:
    """Return a local path without a possible `file://`."""
    return path.removeprefix("file://")


def join(root: str, *names: str) -> str:
    """Return `root/name/name`, for local paths and URLs."""
    return "/".join([root.rstrip("/") or "/", *names]) if names else root


def exists(path: str) -> bool:
    """Return whether there is a file or folder."""
    return remote.exists(path) if is_remote(path) else os.path.exists(local_path(path))


def size(path: str) -> int:
    """Return the size of a file in bytes. Raises OSError."""
    return remote.stat(path).size if is_remote(path) else os.path.getsize(local_path(path))


def stat(path: str, name: str) -> File:
    """Describe the file at `path`, called `name`, as its filesystem does. Raises OSError."""
    if not is_remote(path):
        return File(path, name, os.path.getsize(local_path(path)))
    remote_stat = remote.stat(path)
    return File(path, name, remote_stat.size, remote_stat.checksum)


def filesystem(path: str) -> tuple[Any, str]:
    """Return the fsspec filesystem of a URL, for libraries that take one, and the path inside it."""
    return remote.filesystem(path)


def count_failed_reads() -> int:
    """Return how many reads of remote files this thread has given up."""
    return remote.FAILED_READS.count


def modification_time(path: str) -> float:
    """Return when a local file was last changed, in seconds since 1970."""
    return os.path.getmtime(local_path(path))


def open_input(path: str, offset: int = 0) -> BinaryIO:
    """Open the raw bytes of a file, seekable, positioned at `offset`.

    A remote file is read by ranges, and a failed read is resumed where it stopped: see `corpus.storage.remote`.
    """
    if is_remote(path):
        return remote.open_input(path, offset)
    stream: BinaryIO = open(local_path(path), "rb")  # noqa: SIM115 - the caller closes it
    if offset:
        stream.seek(offset)
    return stream


def read_range(path: str, start: int, end: int) -> bytes:
    """Return bytes [start, end) of a file, fewer at its end if it is local; a remote one must be that long."""
    if is_remote(path):
        return remote.read_range(path, start, end)
    with open(local_path(path), "rb") as stream:
        stream.seek(start)
        return stream.read(end - start)


def open_decompressed(path: str) -> BinaryIO:
    """Open a whole file, decompressed as `open_decompressing` does it."""
    return open_decompressing(open_input(path))


def open_checked(path: str, raises: bool = False) -> CheckedReader:
    """Open a whole file, decompressed; what its checksums do not confirm is left out: see `corpus.storage.checked`."""
    return CheckedReader(open_input(path), path, raises)


def is_compressed(path: str) -> bool:
    """Return whether `open_checked` decompresses a file."""
    with open_input(path) as stream:
        return recognize_named_frames(path, stream.read(HEAD_BYTES)) is not None


def read_bytes(path: str) -> bytes:
    """Return the whole content of a file."""
    with open_input(path) as stream:
        return stream.read()


def read_text(path: str) -> str:
    """Return the whole content of a file in UTF-8."""
    return read_bytes(path).decode()


@contextmanager
def atomic_output(path: str) -> Iterator[BinaryIO]:
    """Open a binary stream that becomes `path` when the block ends without an error, and never before.

    Local files are written under a unique temporary name in the same folder, synced and renamed.
    On an object store the data is one PUT (or multipart upload), which is whole or absent.
    """
    if is_remote(path):
        with remote.atomic_output(path) as stream:
            yield stream
        return
    target = local_path(path)
    folder = os.path.dirname(target) or "."
    os.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/.{os.path.basename(target)}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = target  # which a write does not name, as on a full disk
        raise


def write_bytes(path: str, content: bytes) -> None:
    """Write a whole file atomically."""
    with atomic_output(path) as stream:
        stream.write(content)


def write_text(path: str, text: str) -> None:
    """Write a whole file in UTF-8 atomically."""
    write_bytes(path, text.encode())


def create(path: str, content: bytes) -> bool:
    """Write a small remote object unless there is one; return whether it was written."""
    return remote.create(path, content)


def remove(path: str) -> None:
    """Remove a file; nothing happens when it is not there."""
    if not is_remote(path):
        if os.path.exists(local_path(path)):
            os.unlink(local_path(path))
        return
    remote.remove(path)


def remove_folder(folder: str) -> None:
    """Remove a folder with everything in it; nothing happens when it is not there."""
    if not is_remote(folder):
        shutil.rmtree(local_path(folder), ignore_errors=True)
        return
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(remove, list_files(folder)))


def list_files(folder: str) -> list[str]:
    """Return every file below `folder`, sorted, without the temporary files of unfinished writes."""
    if not is_remote(folder):
        paths = [
            f"{base}/{name}"
            for base, _, names in os.walk(local_path(folder))
            for name in names
            if not name.endswith(".tmp")
        ]
        return sorted(paths)
    return [join(folder, name) for name in remote.list_files(folder)]


def is_file(path: str) -> bool:
    """Return whether exactly this path is a file."""
    return remote.is_file(path) if is_remote(path) else os.path.isfile(local_path(path))


def expand_pattern(pattern: str, folders: bool = False) -> list[str]:
    """Return the files a path, URL or glob names, sorted; empty when there are none.

    A path that is a file is never read as a glob, even if it looks like one (`[1].jsonl`). With `folders` a glob names
    folders too.
    """
    if is_file(pattern):
        return [pattern if is_remote(pattern) else local_path(pattern)]
    if not is_remote(pattern):
        paths = {path.rstrip("/") or "/" for path in glob.glob(local_path(pattern), recursive=True)}
        return sorted(path for path in paths if folders or os.path.isfile(path))
    return remote.glob(pattern) if glob.has_magic(pattern) else []


def sha256(path: str) -> str:
    """Return the SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with open_input(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
