"""Read zip and tar archives as repositories: a code host's downloads, sdists and wheels, npm tarballs, crates."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from corpus.document import Failure
from corpus.formats.archives import ZIP_DAMAGE, ZIP_MAGICS, read_archive
from corpus.sources.code.contents import RepositoryInfo, SourceFile, survey
from corpus.storage import open_decompressing, open_input

MAX_MEMBER_BYTES = 64 << 20
"""Largest member that is read at all; one over the source's own limit stops at a gate."""
UNPACKED_BYTES_BUDGET = 1 << 30, 200
"""Bytes that all members of an archive may hold: that many, or that many times the archive's own size."""
_EXTENSIONS = re.compile(
    r"\.(?:zip|whl|egg|tar|tgz|tbz2?|txz|tzst|crate|gem|(?:tar\.(?:gz|bz2|xz|zst)))$", re.IGNORECASE
)
_COMMIT = re.compile(rb"\d+ comment=([0-9a-f]{40,64})\n")
_HASH = re.compile(r"-(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_VERSION = re.compile(r"-v?\d+(?:\.\d+)*(?:[-.+]?[0-9A-Za-z.]+)?$")


def is_archive(path: str, head: bytes) -> bool:
    """Return whether a file is an archive, by its name and its first 512 bytes."""
    return bool(_EXTENSIONS.search(path)) or head.startswith(ZIP_MAGICS) or head[257:262] == b"ustar"


@dataclass(frozen=True)
class CodeArchive:
    """The files of an archive in the order in which they are in it. It is read twice: licences may come last."""

    path: str
    file: str
    size: int

    @cached_property
    def _about(self) -> RepositoryInfo:
        surveyed = survey(self.files())
        commit = self._commit()
        return RepositoryInfo(
            repository=surveyed.package.url or _repository_name(surveyed.prefix, self.file),
            commit=commit,
            version=surveyed.package.version,
            prefix=surveyed.prefix,
            licensing=surveyed.licensing,
            annotations=surveyed.annotations,
        )

    def about(self) -> RepositoryInfo:
        return self._about

    def files(self) -> Iterator[SourceFile | Failure]:
        budget = left = max(UNPACKED_BYTES_BUDGET[0], UNPACKED_BYTES_BUDGET[1] * self.size)
        with open_input(self.path) as stream:
            for member in read_archive(stream, self.file, MAX_MEMBER_BYTES):
                if isinstance(member, Failure):
                    yield member
                    continue
                left -= len(member.data)
                if left < 0:
                    message = f"its members hold over {budget:,} bytes: the rest is not read"
                    yield Failure(
                        file=self.file, offset=member.offset, length=0, step="archive", error=message
                    )
                    return
                path = member.name.removeprefix("./")
                yield SourceFile(
                    path=path,
                    size=len(member.data),
                    read=member.data.__bytes__,
                    origin=f"{self.file}/{path}",
                    offset=member.offset,
                )

    def _commit(self) -> str | None:
        """Return the commit that `git archive` writes into what it packs."""
        try:
            with open_input(self.path) as stream:
                head = stream.read(4)
                stream.seek(0)
                if head.startswith(ZIP_MAGICS):
                    comment = zipfile.ZipFile(stream).comment.decode("ascii", "replace")
                    return comment if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", comment) else None
                header = open_decompressing(stream).read(1536)
        except ZIP_DAMAGE:
            return None  # what is damaged is named where the files are read
        match = _COMMIT.search(header) if header[156:157] == b"g" else None
        return match[1].decode() if match else None


def _repository_name(prefix: str, file: str) -> str:
    """Return the repository's name without version or commit: of the folder that holds everything, else of the
    archive.
    """
    name = prefix.rstrip("/") or _EXTENSIONS.sub("", file.rpartition("/")[2])
    return _VERSION.sub("", _HASH.sub("", name)) or name
