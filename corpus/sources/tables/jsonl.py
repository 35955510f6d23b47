"""Read JSON Lines, plain or compressed, with field names mapped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.sources.source import Source, ranges
from corpus.sources.tables.fields import Fields
from corpus.storage import DAMAGE, open_decompressed, open_input

COMPRESSED_MAGICS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
SKIP_BLOCK_BYTES = 1 << 16
MAX_PEEKED_BYTES = 16 << 20


def is_compressed(path: str) -> bool:
    """Return whether a file begins like .gz, .bz2, .xz or .zst."""
    with open_input(path) as stream:
        return stream.read(6).startswith(COMPRESSED_MAGICS)


class Jsonl(Source):
    """One JSON object a line. Plain files are split at line ends, compressed ones are read whole.

    A file whose first byte is `[` is not JSON Lines: its lines become failures, each with its place. A line
    of more than `max_bytes` is a failure too. Memory: at most `max_bytes` of a line.
    """

    kind: Literal["jsonl"] = "jsonl"
    fields: Fields = Fields()
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @classmethod
    def version(cls) -> int:
        return 2

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return [(0, size)] if is_compressed(path) else ranges(size, split_size)

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        offset = 0
        if is_compressed(path):
            stream, end = open_decompressed(path), 1 << 62
        else:
            stream = open_input(path)
        with stream:
            try:
                if start:
                    stream.seek(start - 1)
                    offset = start - 1 + skip_line(stream)
                while offset < end:
                    line = stream.readline(self.max_bytes + 1)
                    if not line:
                        return
                    if len(line) > self.max_bytes:
                        length = len(line) + (0 if line.endswith(b"\n") else skip_line(stream))
                        yield make_too_long_failure("line", length, self.max_bytes, file, offset)
                        offset += length
                        continue
                    whole = line.lstrip(b"\0")
                    if zeros := len(line) - len(
                        whole
                    ):  # a hole: what a download leaves that was never finished
                        message = f"{zeros:,} bytes of zeros"
                        yield Failure(file=file, offset=offset, length=zeros, step="read", error=message)
                    if whole.strip():
                        yield self._record(whole, file, offset + zeros)
                    offset += len(line)
            except DAMAGE as error:
                yield Failure(file=file, offset=offset, length=0, step="read", error=f"damaged: {error}")

    def first_rows(self, path: str, count: int) -> list[dict[str, Any]]:
        """Return the first rows of a file that are JSON objects, of its first `count` lines and `MAX_PEEKED_BYTES`.

        Raises what is in `DAMAGE`.
        """
        rows, size = [], 0
        with open_decompressed(path) as stream:
            for _ in range(count):
                line = stream.readline(self.max_bytes + 1)
                try:
                    row = json.loads(line) if line.strip() else None
                except (ValueError, RecursionError):
                    continue
                if isinstance(row, dict):
                    rows.append(row)
                size += len(line)
                if not line or size >= MAX_PEEKED_BYTES:
                    break
        return rows

    def _record(self, line: bytes, file: str, offset: int) -> Record | Failure:
        try:
            row: Any = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a JSON object is expected, not {type(row).__name__}")
            return self.fields.record(row, file, offset, len(line), self.snapshot, self.license)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            return Failure(
                file=file, offset=offset, length=len(line), step="read", error=f"not a JSON line: {error}"
            )
        except ValueError as error:
            message = str(error)
            return Failure(file=file, offset=offset, length=len(line), step="read", error=message)


def skip_line(stream: BinaryIO) -> int:
    """Read to the end of a line and return the number of bytes. Memory: a block."""
    length = 0
    while piece := stream.readline(SKIP_BLOCK_BYTES):
        length += len(piece)
        if piece.endswith(b"\n"):
            break
    return length


def make_too_long_failure(
    what: str, size: int, limit: int, file: str, offset: int, length: int | None = None
) -> Failure:
    """Make the failure of a document of `size` bytes over its source's `max_bytes`.

    `length` is the length of its place in the file, where that is not `size`.
    """
    message = f"a {what} of {size:,} bytes is over the limit of {limit:,}: max_bytes of the source raises it"
    return Failure(
        file=file,
        offset=offset,
        length=size if length is None else length,
        step="read",
        error=message,
        reason="bytes",
        bytes=size,
    )
