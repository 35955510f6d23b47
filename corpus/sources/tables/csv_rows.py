"""Read tables in CSV and TSV, plain or compressed, with field names mapped."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field, field_validator

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.formats.encodings import check_encoding, codec_of, is_wide
from corpus.sources.source import Source
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.lines import make_too_long_failure, read_lines, read_wide_lines

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between two cells where the manifest does not say it; the one that makes most columns does."""
OPEN_ROW_FACTOR = 4
"""How many times `max_bytes` are searched for the end of a quoted cell."""
MAX_CELL_CHARACTERS = 1 << 30
MAX_PEEKED_BYTES = 16 << 20

Row = tuple[int, int, list[str]]
"""Offset, length in bytes, cells."""


class Csv(Source):
    """One document a row of a table whose first row names the columns, or whose columns `columns` names.

    Cells may be quoted, and hold line ends and doubled quotes then. Text is UTF-8 unless `encoding` says otherwise.
    What stands between two cells is told by the first row unless `delimiter` says it. A quote that nothing closes, a
    row with more or fewer cells than there are columns, and a row of more than `max_bytes` are failures. Files are read
    whole, since a line may begin inside a cell. Memory: at most four times `max_bytes`.
    """

    kind: Literal["csv"] = "csv"
    fields: Fields = Fields()
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    columns: list[str] | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @field_validator("encoding")
    @classmethod
    def _charset(cls, label: str | None) -> str | None:
        return check_encoding(label)

    @classmethod
    def version(cls) -> int:
        return 3

    @property
    def _codec(self) -> str:
        return codec_of(self.encoding) or "utf-8"

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        columns = self.columns
        for row in self._read_rows(path, file):
            if isinstance(row, Failure):
                yield row
                continue
            offset, length, cells = row
            if columns is None:
                columns = cells
                continue
            try:
                named = name_cells(columns, cells)
                yield self.fields.record(named, file, offset, length, self.snapshot, self.license)
            except ValueError as error:
                yield _make_failure(file, offset, length, str(error))

    def first_rows(self, path: str, count: int) -> list[dict[str, Any]]:
        """Return the first `count` rows of a file, at most `MAX_PEEKED_BYTES`, without those that cannot be read.

        Raises OSError where the file cannot be opened.
        """
        columns, rows = self.columns, []
        for row in self._read_rows(path, path):
            if isinstance(row, Failure):
                continue
            offset, _, cells = row
            if columns is None:
                columns = cells
            else:
                with suppress(ValueError):
                    rows.append(name_cells(columns, cells))
            if len(rows) >= count or offset >= MAX_PEEKED_BYTES:
                break
        return rows

    def _read_rows(self, path: str, file: str) -> Iterator[Row | Failure]:
        """Yield the rows of a file that are not empty, the names of the columns first if it has them."""
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        codec = self._codec
        lines = (
            read_wide_lines(path, file, codec, self.max_bytes, "row")
            if is_wide(codec)
            else read_lines(path, file, 0, 1 << 62, self.max_bytes, "row")
        )
        inner = "utf-8" if is_wide(codec) else codec
        first: list[tuple[int, bytes] | Failure] = []
        delimiter = self.delimiter or ","
        for line in lines:
            first.append(line)
            if not isinstance(line, Failure) and line[1].strip():
                delimiter = self.delimiter or find_delimiter(line[1].decode(inner, "replace"))
                break
        for record in _join_lines(chain(first, lines), inner, delimiter, self.max_bytes, file):
            if isinstance(record, Failure):
                yield record
                continue
            offset, size, text = record
            length = len(text.encode(codec, "replace")) if is_wide(codec) else size
            try:
                cells = next(csv.reader([text], delimiter=delimiter), [])
            except csv.Error as error:
                yield _make_failure(file, offset, length, f"not a row: {error}")
                continue
            if any(cells):
                yield offset, length, cells


def _join_lines(
    lines: Iterator[tuple[int, bytes] | Failure], codec: str, delimiter: str, max_bytes: int, file: str
) -> Iterator[tuple[int, int, str] | Failure]:
    """Yield (offset, bytes, text) of rows: lines, joined where a quoted cell goes on.

    Where nothing closes a quote in the rest of the file, or in some times `max_bytes`, or what does stands amid a cell,
    its line alone is a failure.
    """
    waiting = deque[tuple[int, bytes] | Failure]()
    while True:
        joined: list[tuple[int, bytes]] = []
        is_open, size = True, 0
        while is_open and size <= OPEN_ROW_FACTOR * max_bytes:
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None or isinstance(line, Failure):
                if line is not None:
                    yield line
                break
            joined.append(line)
            size += len(line[1])
            if line[1].count(b'"') % 2:
                is_open = len(joined) == 1 and _ends_in_quotes(line[1].decode(codec, "replace"), delimiter)
            else:
                is_open = len(joined) > 1
        text = b"".join(content for _, content in joined).decode(codec, "replace")
        if not joined:
            if line is None:
                return
            continue
        offset, content = joined[0]
        if is_open or (len(joined) > 1 and not _is_strict(text, delimiter)):
            yield _make_failure(file, offset, len(content), "a quote that nothing closes")
            waiting.extendleft(reversed(joined[1:]))
        elif size > max_bytes:
            yield make_too_long_failure("row", size, max_bytes, file, offset)
        else:
            yield offset, size, text.removeprefix("\ufeff")


def _ends_in_quotes(line: str, delimiter: str) -> bool:
    """Return whether a quoted cell goes on behind a line."""
    closed = f'{line}"'
    return not _is_strict(line, delimiter) and _is_strict(closed, delimiter)


def _is_strict(row: str, delimiter: str) -> bool:
    """Return whether a row has quotes around whole cells alone, and each of them is closed."""
    try:
        list(csv.reader([row], delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return True


def _make_failure(file: str, offset: int, length: int, error: str) -> Failure:
    return Failure(file=file, offset=offset, length=length, step="read", error=error)


def find_delimiter(row: str) -> str:
    """Return what stands between the cells of a row: of `DELIMITERS` the one that makes the most cells."""
    return max(DELIMITERS, key=lambda sign: len(next(csv.reader([row], delimiter=sign), [])))


def name_cells(columns: list[str], cells: list[str]) -> dict[str, Any]:
    """Return a row by the names of its columns. Raises ValueError where it has more cells than there are columns, or
    fewer than there are up to the last that has a name: it may be a piece of another one."""
    named = max((at for at, name in enumerate(columns, 1) if name.strip()), default=0)
    if not named <= len(cells) <= len(columns):
        size = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        raise ValueError(f"a row of {size}, but there are {len(columns)} columns")
    return {name.strip(): cell for name, cell in zip(columns, cells, strict=False) if name.strip()}
