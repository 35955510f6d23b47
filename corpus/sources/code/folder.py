"""Read a folder of files, or a single file, as a repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from corpus.sources.code.contents import RepositoryInfo, SourceFile, repository_name, survey
from corpus.storage import folders, join, open_input
from corpus.storage.names import printable_name


@dataclass(frozen=True)
class FolderContents:
    """The files of a folder that begin in [start, end) of all of them laid end to end."""

    folder: str
    file: str
    start: int = 0
    end: int = 1 << 62

    def about(self) -> RepositoryInfo:
        surveyed = survey(FolderContents(self.folder, self.file).files())
        return RepositoryInfo(
            repository=repository_name(self.folder, self.file),
            licensing=surveyed.licensing,
            annotations=surveyed.annotations,
        )

    def files(self) -> Iterator[SourceFile]:
        for name, size in folders.walk_range(self.folder, self.start, self.end):
            yield SourceFile(
                path=printable_name(name),
                size=size,
                read=partial(_read_file, join(self.folder, name)),
                origin=f"{self.file}/{printable_name(name)}",
            )


@dataclass(frozen=True)
class FileContents:
    """A file by itself, which is its own repository."""

    path: str
    file: str
    size: int

    def about(self) -> RepositoryInfo:
        return RepositoryInfo(repository=self.file)

    def files(self) -> Iterator[SourceFile]:
        yield SourceFile(
            path=self.file, size=self.size, read=partial(_read_file, self.path), origin=self.file
        )


def _read_file(path: str) -> bytes:
    with open_input(path) as stream:
        return stream.read()
