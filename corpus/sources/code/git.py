"""Read git repositories, bare or cloned, from their objects: nothing is checked out, nothing of theirs is run.

dulwich (under its Apache licence) reads packs and loose objects at 49 MB/s; `git cat-file --batch` gives 86, but obeys
the repository's configuration, which can name programs to run.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from corpus.document import Failure
from corpus.errors import UserError, describe_error
from corpus.sources.code.contents import RepositoryInfo, SourceFile, repository_name, survey
from corpus.storage import is_remote, local_path
from corpus.storage.names import printable_name

MAX_FOLDER_DEPTH = 200
"""Folders inside each other; a tree that holds itself has no end."""
MAX_DELTA_CHAIN = 5000
"""Deltas on deltas; git writes 50, 4,095 at most."""
MAX_OBJECT_BYTES = 64 << 20
"""Largest object that is unpacked, trees and commits included."""
_DELTA_TYPES = (6, 7)
_SCP = re.compile(r"(?:[^@/\s]+@)?([A-Za-z0-9.-]+):(?!//)(.+)")
_URL = re.compile(r"(?:https?|ssh|git)://(?:[^@/\s]*@)?([A-Za-z0-9.-]+)(?::\d+)?/(.+)")


def find_git_folder(path: str) -> str | None:
    """Return the folder that holds the objects of a repository at `path`: itself if bare, or its .git.

    None if it is no repository.
    """
    if is_remote(path):
        return None
    folder = local_path(path)
    for place in (folder, os.path.join(folder, ".git")):
        has = os.path.isfile(os.path.join(place, "HEAD")) and os.path.isdir(os.path.join(place, "objects"))
        if has and os.path.isdir(os.path.join(place, "refs")):
            return place
    return None


@dataclass(frozen=True)
class GitContents:
    """The files of one commit. `place` is what `find_git_folder` found."""

    place: str
    file: str
    revision: str = "HEAD"

    @cached_property
    def _store(self) -> Any:
        from dulwich.object_store import DiskObjectStore

        # No configuration is read, and no path outside is followed but the alternates, which are refused.
        if os.path.exists(os.path.join(self.place, "objects", "info", "alternates")):
            raise ValueError(
                "its objects lie in another repository (objects/info/alternates): clone it without sharing"
            )
        return DiskObjectStore(os.path.join(self.place, "objects"), loose_object_size_limit=MAX_OBJECT_BYTES)

    @cached_property
    def commit(self) -> str:
        """The hash of the commit at `revision`: HEAD, a branch, a tag, or a hash. Raises UserError."""
        from dulwich.refs import DiskRefsContainer, Ref

        refs = DiskRefsContainer(self.place)
        names = (
            self.revision,
            *(f"refs/{kind}/{self.revision}" for kind in ("heads", "tags", "remotes/origin")),
        )
        try:
            for name in names:
                try:
                    target = refs[Ref(name.encode())]
                except KeyError:
                    continue
                return self._peel(target.decode())
            if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", self.revision):
                return self._peel(self.revision)
        except Exception as error:
            raise UserError(f"cannot read the git repository {printable_name(self.place)}: {error}") from None
        raise UserError(
            f"{printable_name(self.place)}: no commit at revision {self.revision!r}: name a branch, tag or commit"
        )

    @property
    def size(self) -> int:
        """4 KiB for each file: what is stored changes whenever git packs, and the split is named by it."""
        return 1 + 4096 * sum(1 for _ in self.files())

    def _peel(self, name: str) -> str:
        """Return the commit that a tag, or a tag of a tag, points to."""
        for _ in range(10):
            kind, body = self._read_object(name)
            if kind == 1:
                return name
            target = re.match(rb"object ([0-9a-f]{40,64})\n", body)
            if kind != 4 or target is None:
                break
            name = target[1].decode()
        raise ValueError(f"{name} is no commit")

    def _read_object(self, name: str) -> tuple[int, bytes]:
        """Return (type, content) of an object. Raises ValueError for one that is too large."""
        from dulwich.objects import hex_to_sha

        _, largest = self._sizes(hex_to_sha(name))
        if largest > MAX_OBJECT_BYTES:
            raise ValueError(f"an object of {largest:,} bytes, over the limit of {MAX_OBJECT_BYTES:,}")
        kind, body = self._store.get_raw(name.encode())
        return int(kind), bytes(body)

    def _sizes(self, sha: bytes) -> tuple[int, int]:
        """Return the size that an object declares, and the largest of it and of the deltas and the base below it.

        0 where the object is not there.
        """
        for pack in self._store.packs:
            try:
                at = pack.index.object_offset(sha)
            except KeyError:
                continue
            return _read_declared_sizes(pack, at, len(sha))
        name = sha.hex()
        try:
            with open(os.path.join(self.place, "objects", name[:2], name[2:]), "rb") as stream:
                head = zlib.decompressobj().decompress(stream.read(1024), 40)
        except (OSError, zlib.error):
            return 0, 0  # reading it says what is wrong
        header = re.match(rb"[a-z]+ (\d{1,20})\0", head)
        size = int(header[1]) if header else 0
        return size, size

    def about(self) -> RepositoryInfo:
        _, body = self._read_object(self.commit)
        surveyed = survey(self.files())
        return RepositoryInfo(
            repository=self._name(),
            commit=self.commit,
            date=_commit_date(body),
            licensing=surveyed.licensing,
            annotations=surveyed.annotations,
        )

    def _name(self) -> str:
        """Return host/owner/name of where it was cloned from, without a password; else the folder's name."""
        folder = os.path.dirname(self.place) if os.path.basename(self.place) == ".git" else self.place
        try:
            with open(os.path.join(self.place, "config"), encoding="utf-8", errors="replace") as lines:
                config = lines.read(1 << 20)
        except OSError:
            config = ""
        section = re.search(r'(?m)^\[remote "origin"\]\s*\n((?:[ \t].*\n?)*)', config)
        url = re.search(r"(?m)^\s*url\s*=\s*(\S+)", section[1]) if section else None
        match = (_URL.match(url[1]) or _SCP.match(url[1])) if url else None
        return (
            f"{match[1].lower()}/{match[2].strip('/').removesuffix('.git')}"
            if match
            else repository_name(folder, self.file)
        )

    def files(self) -> Iterator[SourceFile | Failure]:
        """Yield the blobs of the commit in the order of paths; links and submodules are skipped."""
        _, body = self._read_object(self.commit)
        tree = re.match(rb"tree ([0-9a-f]{40,64})\n", body)
        if tree is None:
            raise ValueError(f"{self.commit} is no commit")
        yield from self._walk(tree[1].decode(), "", 0)

    def _walk(self, tree: str, above: str, depth: int) -> Iterator[SourceFile | Failure]:
        from dulwich.objects import Tree

        try:
            if depth > MAX_FOLDER_DEPTH:
                raise ValueError(f"more than {MAX_FOLDER_DEPTH} folders inside each other")
            kind, body = self._read_object(tree)
            if kind != 2:
                raise ValueError(f"{tree} is no tree")
            parsed = Tree.from_raw_string(2, body)
            assert isinstance(parsed, Tree)
            entries = list(parsed.iteritems(name_order=True))
        except Exception as error:
            yield Failure(
                file=f"{self.file}/{above}", offset=0, length=0, step="read", error=describe_error(error)
            )
            return
        for entry in entries:
            name = above + printable_name(os.fsdecode(entry.path))
            if stat.S_ISDIR(entry.mode):
                yield from self._walk(entry.sha.decode(), f"{name}/", depth + 1)
            elif stat.S_ISREG(entry.mode):
                yield self._file(name, entry.sha.decode())

    def _file(self, path: str, sha: str) -> SourceFile | Failure:
        from dulwich.objects import hex_to_sha

        origin = f"{self.file}/{path}"
        try:
            size, _ = self._sizes(hex_to_sha(sha))
        except Exception as error:
            return Failure(file=origin, offset=0, length=0, step="read", error=describe_error(error))
        return SourceFile(path=path, size=size, read=partial(self._blob, sha), origin=origin)

    def _blob(self, sha: str) -> bytes:
        kind, body = self._read_object(sha)
        if kind != 3:
            raise ValueError(f"{sha} is no file")
        return body


def _read_declared_sizes(pack: Any, at: int, digest: int) -> tuple[int, int]:
    """Return what the object at an offset of a pack declares: its size, and the largest of those below it.

    Names of objects have `digest` bytes.
    """
    contents = pack.data._buffer()
    result, largest = -1, 0
    for _ in range(MAX_DELTA_CHAIN):
        byte = contents[at]
        kind, size, shift, place = byte >> 4 & 7, byte & 15, 4, at + 1
        while byte & 128:
            byte = contents[place]
            size |= (byte & 127) << shift
            shift, place = shift + 7, place + 1
        largest = max(largest, size)
        if kind not in _DELTA_TYPES:
            return (size if result < 0 else result), largest
        if kind == 6:
            byte = contents[place]
            back, place = byte & 127, place + 1
            while byte & 128:
                byte = contents[place]
                back, place = (back + 1) << 7 | byte & 127, place + 1
            base = at - back
        else:
            base = pack.index.object_offset(bytes(contents[place : place + digest]))
            place += digest
        # The sizes come first, but behind the code tables of deflate, which take up to 300 bytes.
        head = zlib.decompressobj().decompress(bytes(contents[place : place + 1024]), 20)
        sizes = _read_varints(head)
        result, largest = (sizes[1] if result < 0 else result), max(largest, *sizes)
        if base < 0:
            break
        at = base
    raise ValueError("a chain of deltas without an end")


def _read_varints(head: bytes) -> tuple[int, int]:
    """Return the sizes of the base and of the result, with which a delta begins."""
    values, at = [], 0
    for _ in range(2):
        value = shift = 0
        while True:
            byte = head[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if not byte & 128:
                break
        values.append(value)
    return values[0], values[1]


def _commit_date(commit: bytes) -> str | None:
    match = re.search(rb"(?m)^committer .*> (-?\d{1,11}) [+-]\d{4}$", commit)
    if match is None:
        return None
    try:
        return datetime.fromtimestamp(int(match[1]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None
