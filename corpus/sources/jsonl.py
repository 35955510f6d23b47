"""JSON Lines, plain or compressed, with field names mapped."""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import zstandard

from corpus.document import Failure, Record
from corpus.sources.base import Source, ranges
from corpus.sources.fields import Fields
from corpus.storage import open_decompressed, open_input

COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def is_compressed(path: str) -> bool:
    """Whether a file begins like .gz, .bz2, .xz or .zst."""
    with open_input(path) as stream:
        return stream.read(6).startswith(COMPRESSED)


class Jsonl(Source):
    """One JSON object a line. Plain files are split at line ends, compressed ones are read whole.

    A file whose first byte is `[` is not JSON Lines: its lines become failures, each with its place.
    """

    kind: Literal["jsonl"] = "jsonl"
    fields: Fields = Fields()

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return [(0, size)] if is_compressed(path) else ranges(size, split_size)

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        offset = 0
        if is_compressed(path):
            stream, end = open_decompressed(path), 1 << 62
        else:
            stream = open_input(path)
            if start:
                stream.seek(start - 1)
                offset = start - 1 + len(stream.readline())
        with stream:
            while offset < end:
                try:
                    line = stream.readline()
                except DAMAGE as error:
                    yield Failure(file=file, offset=offset, length=0, step="read", error=f"damaged: {error}")
                    return
                if not line:
                    return
                if line.strip():
                    yield self._record(line, file, offset)
                offset += len(line)

    def _record(self, line: bytes, file: str, offset: int) -> Record | Failure:
        try:
            row: Any = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a JSON object is expected, not {type(row).__name__}")
            return self.fields.record(row, file, offset, len(line), self.snapshot, self.license)
        except (ValueError, RecursionError) as error:
            message = f"{type(error).__name__}: {error}"
            return Failure(file=file, offset=offset, length=len(line), step="read", error=message)
