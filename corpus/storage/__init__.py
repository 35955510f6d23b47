"""The one module that touches the filesystem: local paths and any fsspec URL alike."""

from __future__ import annotations

import glob
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import fsspec

from corpus.storage.compressed import DAMAGE, Bomb, decompressed

__all__ = ["DAMAGE", "Bomb", "decompressed"]


@dataclass(frozen=True, slots=True)
class File:
    """An input file: where to open it, its name inside its source, its size in bytes."""

    path: str
    name: str
    size: int


def is_remote(path: str) -> bool:
    """Whether `path` is an fsspec URL rather than a local path."""
    return "://" in path and not path.startswith("file://")


def local(path: str) -> str:
    """A local path with a possible `file://` removed."""
    return path.removeprefix("file://")


def join(root: str, *names: str) -> str:
    """`root/name/name`, for local paths and URLs."""
    return "/".join([root.rstrip("/") or "/", *names]) if names else root


def _filesystem(path: str) -> tuple[Any, str]:
    return cast("tuple[Any, str]", fsspec.core.url_to_fs(path))


def exists(path: str) -> bool:
    if not is_remote(path):
        return os.path.exists(local(path))
    filesystem, inner = _filesystem(path)
    return bool(filesystem.exists(inner))


def size(path: str) -> int:
    if not is_remote(path):
        return os.path.getsize(local(path))
    filesystem, inner = _filesystem(path)
    return int(filesystem.size(inner))


def open_input(path: str, offset: int = 0) -> BinaryIO:
    """The raw bytes of a file, seekable, positioned at `offset`."""
    if not is_remote(path):
        stream: BinaryIO = open(local(path), "rb")  # noqa: SIM115 - the caller closes it
    else:
        stream = cast(BinaryIO, fsspec.open(path, "rb").open())
    if offset:
        stream.seek(offset)
    return stream


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
        filesystem, inner = _filesystem(path)
        stream = filesystem.open(inner, "wb", autocommit=False)
        try:
            yield stream
            stream.close()
            stream.commit()
        except BaseException:
            stream.discard()
            raise
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


def remove(path: str) -> None:
    """Remove a file; nothing happens when it is not there."""
    if not is_remote(path):
        if os.path.exists(local(path)):
            os.unlink(local(path))
        return
    filesystem, inner = _filesystem(path)
    if filesystem.exists(inner):
        filesystem.rm_file(inner)


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
    filesystem, inner = _filesystem(folder)
    base = inner.rstrip("/") + "/"
    return sorted(join(folder, name.removeprefix(base)) for name in filesystem.find(inner))


def is_file(path: str) -> bool:
    """Whether exactly this path is a file."""
    if not is_remote(path):
        return os.path.isfile(local(path))
    filesystem, inner = _filesystem(path)
    return bool(filesystem.isfile(inner))


def expand(pattern: str) -> list[str]:
    """The files a path, URL or glob names, sorted; empty when there are none.

    A file whose name looks like a glob (`[1].jsonl`) is itself before it is a glob.
    """
    if is_file(pattern):
        return [pattern if is_remote(pattern) else local(pattern)]
    if not is_remote(pattern):
        return sorted(p for p in glob.glob(local(pattern), recursive=True) if os.path.isfile(p))
    filesystem, inner = _filesystem(pattern)
    if not glob.has_magic(pattern):
        return [pattern]
    return sorted(filesystem.unstrip_protocol(name) for name in filesystem.glob(inner))


def sha256(path: str) -> str:
    """SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with open_input(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
