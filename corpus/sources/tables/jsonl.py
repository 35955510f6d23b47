"""Read JSON Lines, plain or compressed, with field names mapped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.sources.source import Source, ranges
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.lines import read_lines
from corpus.storage import is_compressed, open_decompressed

MAX_PEEKED_BYTES = 16 << 20


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
        return 3

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return [(0, size)] if is_compressed(path) else ranges(size, split_size)

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        for line in read_lines(path, file, start, end, self.max_bytes):
            if isinstance(line, Failure):
                yield line
                continue
            offset, content = line
            whole = content.lstrip(b"\0")
            if zeros := len(content) - len(whole):  # a hole: what a download leaves that was never finished
                message = f"{zeros:,} bytes of zeros"
                yield Failure(file=file, offset=offset, length=zeros, step="read", error=message)
            if whole.strip():
                yield self._record(whole, file, offset + zeros)

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
