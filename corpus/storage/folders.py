"""Read folders as inputs: their files, in one order."""

from __future__ import annotations

import os
from collections.abc import Iterator

import xxhash

from corpus.storage import File, is_remote, join, local_path
from corpus.storage.fingerprint import file_identity

VERSION_CONTROL_NAMES = frozenset({".git", ".hg", ".svn", ".bzr", "CVS"})
"""Folders that version control keeps next to the files."""


def is_folder(path: str) -> bool:
    """Return whether a path is a folder on a local disk. An object store has none: pack them into archives there."""
    return not is_remote(path) and os.path.isdir(local_path(path))


def walk(folder: str) -> Iterator[tuple[str, int]]:
    """Yield (name below the folder, size in bytes) of every regular file, in the order of names, folder by folder.

    Links are not followed; devices, pipes and version control's own folders are skipped. Memory: the names of
    one folder at each depth.
    """
    yield from _walk(local_path(folder), "")


def plan_ranges(folder: str, split_size: int) -> list[tuple[int, int]]:
    """Return ranges of a folder's files laid end to end in the order of their names.

    Each file counts one byte more than it has, so that every one begins somewhere. A range holds the files that begin
    in it.
    """
    starts, at = [0], 0
    for _, size in walk(folder):
        if at - starts[-1] >= split_size:
            starts.append(at)
        at += size + 1
    return list(zip(starts, [*starts[1:], max(at, starts[-1] + 1)], strict=True))


def walk_range(folder: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Yield what `walk` yields for the files that begin in [start, end) of `plan_ranges`."""
    at = 0
    for name, size in walk(folder):
        if start <= at < end:
            yield name, size
        at += size + 1


def identity(folder: str) -> str:
    """Identify the content of a folder: its files' names and `file_identity`. Reads them all."""
    digest = xxhash.xxh3_128()
    for name, size in walk(folder):
        digest.update(f"{len(name)} {name} {size} ".encode("utf-8", "surrogatepass"))
        digest.update(file_identity(File(join(folder, name), name, size)).encode())
    return digest.hexdigest()


def _walk(folder: str, above: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        sorted_entries = sorted(entries, key=lambda entry: entry.name)
    for entry in sorted_entries:
        if entry.name in VERSION_CONTROL_NAMES:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{above}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield f"{above}{entry.name}", entry.stat(follow_symlinks=False).st_size
