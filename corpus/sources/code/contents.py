"""Describe what a repository holds, however it is packed: its files, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from corpus.document import Failure
from corpus.sources.code.license_files import MAX_LICENSE_BYTES, is_license_file, is_notice_file
from corpus.sources.code.licenses import Licensing
from corpus.sources.code.packages import PackageMetadata, is_package_file, read_package
from corpus.sources.code.reuse import Annotations, is_annotation_file

MAX_SURVEYED_BYTES = 64 << 20
"""Bytes of licences and metadata of one repository that are held; large monorepos have a few MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of a repository: its path there, its size, and `read`, which may be called until the next one is asked
    for. `origin` and `offset` place it in the input."""

    path: str
    size: int
    read: Callable[[], bytes]
    origin: str
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class RepositoryInfo:
    """What is known of a repository as a whole. `prefix` is a folder that all its files are in, left out of paths."""

    repository: str
    commit: str | None = None
    version: str | None = None
    date: str | None = None
    prefix: str = ""
    licensing: Licensing = field(default_factory=Licensing)
    annotations: Annotations = field(default_factory=Annotations)

    def license_of(self, path: str, own: str | None) -> str | None:
        """Return the licence of a file that states `own` itself: what is said of the file, else of its folders."""
        return self.annotations.resolve(path, own) or self.licensing.of(path)

    def path(self, path: str) -> str:
        """Return a path in the repository, without the folder that holds everything."""
        return path.removeprefix(self.prefix)


class RepositoryContents(Protocol):
    """An input of the kind. `files` may be called more than once, and gives files in the same order each time."""

    def about(self) -> RepositoryInfo:
        """Return what is known of the repository. Raises the errors of reading it."""
        ...

    def files(self) -> Iterator[SourceFile | Failure]: ...


def repository_name(path: str, file: str) -> str:
    """Return the name of a repository that nothing else names: its place in the source, its folder's name for `..`."""
    return os.path.basename(os.path.realpath(path)) if file.strip("./") == "" else file


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What the files of a repository say of it: licences of folders and of single files, package metadata, and the
    folder that all files are in (`name-1.0/`, or "")."""

    licensing: Licensing
    annotations: Annotations
    package: PackageMetadata
    prefix: str


def survey(files: Iterable[SourceFile | Failure]) -> Survey:
    """Read the licences and the metadata of a repository.

    Memory: the first `MAX_LICENSE_BYTES` of licence files and of metadata files, together at most `MAX_SURVEYED_BYTES`;
    the rest is not read.
    """
    room = MAX_SURVEYED_BYTES
    license_files: list[tuple[str, bytes]] = []
    packages: list[tuple[str, bytes]] = []
    annotated: list[tuple[str, bytes]] = []
    tops: set[str] = set()
    for file in files:
        if isinstance(file, Failure):
            continue
        top, slash, _ = file.path.partition("/")
        if len(tops) < 2:
            tops.add(top if slash else "")
        kept = (
            annotated
            if is_annotation_file(file.path)
            else license_files
            if is_license_file(file.path) or is_notice_file(file.path)
            else packages
            if is_package_file(file.path)
            else None
        )
        if kept is not None and room > 0:
            kept.append((file.path, file.read()[:MAX_LICENSE_BYTES]))
            room -= len(kept[-1][1])
    top = min(tops, default="")
    prefix = f"{top}/" if len(tops) == 1 and top else ""
    licensing = Licensing()
    package = read_package([(path.removeprefix(prefix), body) for path, body in packages])
    for path, body in license_files:
        licensing.add(path.removeprefix(prefix), body)
    licensing.declared = package.license
    annotations = Annotations()
    for path, body in annotated:
        annotations.add(path.removeprefix(prefix), body)
    return Survey(licensing=licensing, annotations=annotations, package=package, prefix=prefix)
