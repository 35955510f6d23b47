"""Read the TeX files of a submission to arXiv: one file, or a tar archive, gzipped or not, never unpacked to disk."""

from __future__ import annotations

import gzip
import io
import posixpath
import zlib
from typing import BinaryIO, cast

from corpus.formats.tar import TAR_BLOCK_BYTES, TarLoss, is_tar, read_members

GZIP_MAGIC = b"\x1f\x8b"
MAX_INFLATED_BYTES = 1 << 30
"""Bytes that a submission may inflate to, figures included; these are passed over, not held."""
MAX_SOURCE_BYTES = 32 << 20
"""Bytes of text files held of one submission."""

_SKIPPED = frozenset(
    (
        *(
            "eps",
            "ps",
            "epsi",
            "epsf",
            "pdf",
            "png",
            "jpg",
            "jpeg",
            "gif",
            "bmp",
            "tif",
            "tiff",
            "svg",
            "fig",
            "cdr",
        ),
        *(
            "dvi",
            "bst",
            "bib",
            "aux",
            "log",
            "toc",
            "blg",
            "pfb",
            "ttf",
            "otf",
            "tfm",
            "pk",
            "mf",
            "zip",
            "gz",
            "z",
        ),
        *(
            "dat",
            "csv",
            "mp4",
            "mov",
            "avi",
            "mp3",
            "wav",
            "xls",
            "doc",
            "ppt",
            "py",
            "ipynb",
            "cry",
            "ds_store",
        ),
    )
)
"""Extensions that hold no prose. Others are looked at: papers come as `paper.ii` and without any."""


class SubmissionError(ValueError):
    """Raised for a submission that is damaged, or larger than allowed."""


def read_tex_files(body: bytes) -> dict[str, bytes]:
    """Return name -> bytes of what may be TeX in a submission; a file without a name is called "".

    Raises SubmissionError if the data is truncated or damaged, or exceeds a limit.
    """
    stream: BinaryIO = io.BytesIO(body)
    if body.startswith(GZIP_MAGIC):
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    bounded = cast(BinaryIO, _BoundedStream(stream, MAX_INFLATED_BYTES))
    try:
        head = bounded.read(TAR_BLOCK_BYTES)
        replay = cast(BinaryIO, _ReplayedStream(head, bounded))
        if is_tar(head):
            return _read_members(replay)
        data = replay.read(MAX_SOURCE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SubmissionError(f"damaged: {error}") from None
    if len(data) > MAX_SOURCE_BYTES:
        raise SubmissionError(f"more than {MAX_SOURCE_BYTES} bytes of TeX")
    return {"": data}


def _read_members(stream: BinaryIO) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = MAX_SOURCE_BYTES

    def wanted(name: str, size: int) -> bool:
        base = posixpath.basename(name)
        extension = base.rpartition(".")[2].lower()
        return extension not in _SKIPPED and not base.startswith("._") and 0 < size <= room

    for member in read_members(stream, 0, 1 << 62, wanted):
        if isinstance(member, TarLoss):
            raise SubmissionError(f"the archive is damaged at {member.offset}: {member.error}")
        if member.body is not None:
            room -= member.size
            files.setdefault(posixpath.normpath(member.name), member.body)
    return files


class _BoundedStream:
    """Read a stream, and refuse to return more than `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise SubmissionError(f"inflates to more than {MAX_INFLATED_BYTES} bytes")
        return data


class _ReplayedStream:
    """Read a stream from its beginning again, given what was already read of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head + self._rest.read(size - len(head)) if len(head) < size else head
