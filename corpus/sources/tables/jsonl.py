"""Read JSON Lines, plain or compressed, with field names mapped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field, field_validator

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.formats.encodings import check_encoding, codec_of, is_wide
from corpus.sources.source import Source, ranges
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.lines import read_lines, read_wide_lines
from corpus.storage import DAMAGE, is_compressed, open_decompressed

MAX_PEEKED_BYTES = 16 << 20


class Jsonl(Source):
    """One JSON object a line. Plain files are split at line ends, compressed ones are read whole.

    Text is UTF-8 unless `encoding` says otherwise; files in UTF-16 are read whole.

    A file whose first byte is `[` is not JSON Lines: its lines become failures, each with its place. A line
    of more than `max_bytes` is a failure too. Memory: at most `max_bytes` of a line.
    """

    kind: Literal["jsonl"] = "jsonl"
    fields: Fields = Fields()
    encoding: str | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @field_validator("encoding")
    @classmethod
    def _charset(cls, label: str | None) -> str | None:
        return check_encoding(label)

    @classmethod
    def version(cls) -> int:
        return 4

    def parameters(self) -> dict[str, Any]:
        parameters = super().parameters()
        if self.encoding is None:
            del parameters["encoding"]  # as workspaces have it that were built before there was this key
        return parameters

    @property
    def _codec(self) -> str:
        return codec_of(self.encoding) or "utf-8"

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return [(0, size)] if is_compressed(path) or is_wide(self._codec) else ranges(size, split_size)

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        codec = self._codec
        is_wide_file = is_wide(codec)
        lines = (
            read_wide_lines(path, file, codec, self.max_bytes)
            if is_wide_file
            else read_lines(path, file, start, end, self.max_bytes)
        )
        for line in lines:
            if isinstance(line, Failure):
                yield line
                continue
            offset, content = line
            whole = content.lstrip(b"\0")
            if zeros := len(content) - len(whole):  # a hole: what a download leaves that was never finished
                message = f"{zeros:,} bytes of zeros"
                yield Failure(file=file, offset=offset, length=zeros, step="read", error=message)
            if whole.strip():
                length = len(whole.decode().encode(codec)) if is_wide_file else len(whole)
                yield self._record(whole, file, offset + zeros, length)

    def first_rows(self, path: str, count: int) -> list[dict[str, Any]]:
        """Return the first rows of a file that are JSON objects, of its first `count` lines and `MAX_PEEKED_BYTES`.

        Raises what is in `DAMAGE` where the file is damaged before its first row.
        """
        rows: list[dict[str, Any]] = []
        size = 0
        with TextIOWrapper(open_decompressed(path), self._codec, "replace", newline="\n") as stream:
            for _ in range(count):
                try:
                    line = stream.readline(self.max_bytes + 1)
                except DAMAGE:
                    if not rows:
                        raise
                    break
                try:
                    row = json.loads(line.removeprefix("\ufeff")) if line.strip() else None
                except (ValueError, RecursionError):
                    continue
                if isinstance(row, dict):
                    rows.append(row)
                size += len(line)
                if not line or size >= MAX_PEEKED_BYTES:
                    break
        return rows

    def _decode(self, line: bytes) -> str:
        """Return a line as text; of a file in UTF-16 it is UTF-8 already."""
        return line.decode("utf-8" if is_wide(self._codec) else self._codec)

    def _record(self, line: bytes, file: str, offset: int, length: int) -> Record | Failure:
        try:
            row: Any = json.loads(line if self.encoding is None else self._decode(line))
            if not isinstance(row, dict):
                raise ValueError(f"a JSON object is expected, not {type(row).__name__}")
            return self.fields.record(row, file, offset, length, self.snapshot, self.license)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            return Failure(
                file=file, offset=offset, length=length, step="read", error=f"not a JSON line: {error}"
            )
        except ValueError as error:
            message = str(error)
            return Failure(file=file, offset=offset, length=length, step="read", error=message)
