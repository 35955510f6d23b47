"""Plain text files, plain or compressed: a document a file, a paragraph or a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from corpus.document import Failure, Record
from corpus.sources.base import Source
from corpus.sources.jsonl import DAMAGE
from corpus.storage import open_decompressed

MAX_BYTES = 256 << 20
"""A single document's limit: more is a failure, so that one file cannot fill the memory."""


class Text(Source):
    """A document is a whole file, a paragraph (`unit: paragraph`, blank lines between), or a line.

    Text is UTF-8 unless `encoding` says otherwise or the bytes show it. Offsets count decompressed bytes.
    """

    kind: Literal["text"] = "text"
    unit: Literal["file", "paragraph", "line"] = "file"
    encoding: str | None = None
    language: str | None = None

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        return [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        offset, begin = 0, 0
        pending: list[bytes] = []
        pending_bytes = 0
        with open_decompressed(path) as stream:
            while True:
                try:
                    line = stream.readline(MAX_BYTES)
                except DAMAGE as error:
                    if pending:
                        yield self._record(b"".join(pending), file, begin)
                    yield Failure(file=file, offset=offset, length=0, step="read", error=f"damaged: {error}")
                    return
                ends = not line or self.unit == "line" or (self.unit == "paragraph" and not line.strip())
                pending.append(line)
                pending_bytes += len(line)
                offset += len(line)
                if ends and pending_bytes:
                    body = b"".join(pending)
                    if body.strip():
                        yield self._record(body, file, begin)
                if ends:
                    pending, pending_bytes, begin = [], 0, offset
                if not line:
                    return
                if pending_bytes > MAX_BYTES:
                    message = f"a document of more than {MAX_BYTES} bytes: use unit paragraph or line"
                    yield Failure(file=file, offset=begin, length=pending_bytes, step="read", error=message)
                    return

    def _record(self, body: bytes, file: str, offset: int) -> Record:
        return Record(
            native_id=file if self.unit == "file" else f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=len(body),
            body=body,
            charset=self.encoding,
            language=self.language,
            snapshot=self.snapshot,
            license=self.license,
        )
