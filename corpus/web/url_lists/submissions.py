"""Read submissions of Reddit's dumps: NDJSON (.zst with any window, .xz, .bz2, .gz, plain) and CSV.

Only the fields that decide are parsed. A block of lines is parsed by Arrow's JSON reader. One that it refuses
(a score that is a string, a broken line) is parsed by orjson line by line, and what is no submission becomes a
Failure with its place.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.json as pj

from corpus.document import Failure
from corpus.errors import MAX_ERROR_CHARACTERS, shorten_line
from corpus.storage import DAMAGE, CheckedReader, open_checked

VERSION = 2
SUBMISSION_BLOCK_BYTES = 4 << 20
MAX_SUBMISSION_BYTES = 32 << 20
"""A longer line is a failure: the longest submissions have 0.5 MB."""

SUBMISSION_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("url", pa.string()),
        pa.field("score", pa.int64()),
        pa.field("created", pa.int64()),
        pa.field("subreddit", pa.string()),
        pa.field("over_18", pa.bool_()),
        pa.field("is_self", pa.bool_()),
        pa.field("media", pa.bool_()),
        pa.field("hint", pa.string()),
    ]
)
"""One submission a row; null where the dump has no value. `created` in seconds since 1970."""

_RAW_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("score", pa.int64()),
        ("created_utc", pa.float64()),
        ("subreddit", pa.string()),
        ("over_18", pa.bool_()),
        ("is_self", pa.bool_()),
        ("is_video", pa.bool_()),
        ("is_reddit_media_domain", pa.bool_()),
        ("post_hint", pa.string()),
        ("domain", pa.string()),
        ("permalink", pa.string()),
    ]
)
_PERMALINK = r"/r/(?P<subreddit>[^/]+)/comments/(?P<id>[0-9a-z]+)"
_TRUE_TEXT = re.compile(r"(?i)true|1|yes|t")


def read_submissions(path: str, file: str) -> Iterator[pa.Table | Failure]:
    """Yield the submissions of a dump as tables of `SUBMISSION_SCHEMA`, in order, a few thousand rows each.

    Memory: a block.
    A CSV export is recognized by its first byte, which is no `{`. At least 50 MB of NDJSON a second on a core (see
    tests/benchmarks/urls_benchmark.py).
    """
    try:
        stream = open_checked(path)
    except OSError as error:
        yield Failure(file=file, offset=0, length=0, step="read", error=f"cannot be opened: {error}")
        return
    with stream:
        begins = 0
        try:
            while not (head := _first_bytes(stream)) and stream.damage is not None:
                damage = stream.damage
                yield _make_damage_failure(file, begins, damage.length, damage.error)
                begins += damage.length
                if not stream.resume():
                    return
        except DAMAGE as error:
            yield _make_damage_failure(file, begins, 0, str(error))
            return
        if not head:
            yield Failure(file=file, offset=0, length=0, step="read", error="the file is empty")
        elif head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
            yield from _read_lines(stream, head, file, begins)
        elif head.lstrip()[:1] == b"[":
            message = "a JSON array: one submission a line is expected"
            yield Failure(file=file, offset=0, length=0, step="read", error=message)
        else:
            stream.raises = True
            yield from _read_csv(stream, head, file)


def _first_bytes(stream: BinaryIO) -> bytes:
    return stream.read(1 << 10)


def _make_damage_failure(file: str, offset: int, length: int, error: str) -> Failure:
    return Failure(file=file, offset=offset, length=length, step="read", error=f"damaged: {error}")


def _read_lines(stream: CheckedReader, head: bytes, file: str, offset: int) -> Iterator[pa.Table | Failure]:
    """Parse blocks of whole lines with Arrow, or line by line where it refuses one.

    The line that a damaged stretch interrupts is part of it; the first one behind it may be the rest of one.
    """
    rest = head.removeprefix(b"\xef\xbb\xbf")
    while True:
        try:
            block = _read_block(stream)
        except DAMAGE as error:
            yield _make_damage_failure(file, offset, len(rest), str(error))
            return
        cut = block.rfind(b"\n") + 1
        if cut == 0 and block and len(rest) + len(block) <= MAX_SUBMISSION_BYTES:
            rest += block
            continue
        if cut == 0 and block:
            skipped, rest = _skip_line(stream, rest + block)
            message = f"a line of {skipped:,} bytes: no submission has {MAX_SUBMISSION_BYTES:,}"
            yield Failure(file=file, offset=offset, length=skipped, step="read", error=message)
            offset += skipped
            continue
        lines, rest = (rest + block[:cut], block[cut:]) if block else (rest, b"")
        damage = stream.damage if not block else None
        if damage is not None:
            whole = lines.rfind(b"\n") + 1
            lines, rest = lines[:whole], lines[whole:]
        if lines:
            yield from _parse_lines(lines, file, offset)
            offset += len(lines)
        if damage is not None:
            lost = len(rest) + damage.length
            yield _make_damage_failure(file, offset, lost, damage.error)
            offset, rest = offset + lost, b""
            if not stream.resume():
                return
        elif not block:
            return


def _read_block(stream: CheckedReader) -> bytes:
    """Return up to `SUBMISSION_BLOCK_BYTES` bytes; none at the end and where damage follows."""
    pieces, size = [], 0
    while size < SUBMISSION_BLOCK_BYTES and (piece := stream.read1(SUBMISSION_BLOCK_BYTES - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _skip_line(stream: CheckedReader, begun: bytes) -> tuple[int, bytes]:
    """Read to the end of an overlong line: its length, and what follows of the last block."""
    length = len(begun)
    while True:
        block = stream.read(SUBMISSION_BLOCK_BYTES)
        at = block.find(b"\n")
        if at >= 0:
            return length + at + 1, block[at + 1 :]
        if not block:
            return length, b""
        length += len(block)


def _parse_lines(lines: bytes, file: str, offset: int) -> Iterator[pa.Table | Failure]:
    try:
        table = pj.read_json(
            io.BytesIO(lines),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            parse_options=pj.ParseOptions(explicit_schema=_RAW_SCHEMA, unexpected_field_behavior="ignore"),
        )
        table.validate(full=True)  # the reader takes bytes that are no UTF-8
    except pa.ArrowInvalid:
        rows: list[dict[str, Any]] = []
        at = offset
        for line in lines.splitlines(keepends=True):
            row = _parse_row(line, file, at)
            if isinstance(row, Failure):
                yield row
            elif row is not None:
                rows.append(row)
            at += len(line)
        yield _tidy(pa.Table.from_pylist(rows, _RAW_SCHEMA))
        return
    yield _tidy(table)


def _parse_row(line: bytes, file: str, offset: int) -> dict[str, Any] | Failure | None:
    if not line.strip(b"\0 \t\r\n"):
        return None
    try:
        row = orjson.loads(line)
        if not isinstance(row, dict):
            raise ValueError(f"a JSON object is expected, not {type(row).__name__}")
        return {column.name: _convert_value(row.get(column.name), column.type) for column in _RAW_SCHEMA}
    except ValueError as error:
        message = shorten_line(f"not a submission: {error}", MAX_ERROR_CHARACTERS)
        return Failure(file=file, offset=offset, length=len(line), step="read", error=message)


def _convert_value(value: Any, kind: pa.DataType) -> Any:
    """Convert a value of a field to the type of its column; None where it cannot be."""
    if value is None or value == "":
        return None
    if kind == pa.string():
        return value if isinstance(value, str) else str(value)
    if kind == pa.bool_():
        return value if isinstance(value, bool) else bool(_TRUE_TEXT.fullmatch(str(value)))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not abs(number) < 2**53:
        return None
    return int(number) if kind == pa.int64() else number


def _read_csv(stream: BinaryIO, head: bytes, file: str) -> Iterator[pa.Table | Failure]:
    """A CSV export with a header that names `url` and `score`."""
    names = _read_csv_names(head.split(b"\n")[0])
    if "url" not in names or "score" not in names:
        message = "neither NDJSON nor CSV with columns url and score"
        yield Failure(file=file, offset=0, length=0, step="read", error=message)
        return
    wanted = [column.name for column in _RAW_SCHEMA if column.name in names]
    bad: list[str] = []

    def invalid(row: Any) -> str:
        bad.append(f"row {row.number}: {row.actual_columns} fields, not {row.expected_columns}")
        return "skip"

    done = 0
    try:
        with pv.open_csv(
            pa.PythonFile(_HeadedStream(head, stream), "r"),
            read_options=pv.ReadOptions(use_threads=False, block_size=SUBMISSION_BLOCK_BYTES),
            parse_options=pv.ParseOptions(newlines_in_values=True, invalid_row_handler=invalid),
            convert_options=pv.ConvertOptions(
                include_columns=wanted,
                column_types={name: pa.string() for name in wanted},
                strings_can_be_null=True,
                check_utf8=False,
            ),
        ) as reader:
            for batch in reader:
                rows = _decode_leniently(batch).to_pylist()
                values = [
                    {c.name: _convert_value(row.get(c.name), c.type) for c in _RAW_SCHEMA} for row in rows
                ]
                yield _tidy(pa.Table.from_pylist(values, _RAW_SCHEMA))
                done += batch.num_rows
                for message in bad:
                    yield Failure(file=file, offset=done, length=0, step="read", error=f"CSV: {message}")
                bad.clear()
    except (*DAMAGE, pa.ArrowException, ValueError) as error:
        message = shorten_line(f"CSV after row {done}: {error}", MAX_ERROR_CHARACTERS)
        yield Failure(file=file, offset=done, length=0, step="read", error=message)


def _decode_leniently(batch: pa.RecordBatch) -> pa.Table:
    """Decode the columns as text: bytes that are no UTF-8 become U+FFFD."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        raw = column.cast(pa.binary()).to_pylist()
        columns[name] = pa.array([v if v is None else v.decode("utf-8", "replace") for v in raw], pa.string())
    return pa.table(columns)


def _read_csv_names(line: bytes) -> list[str]:
    """Return the names in the header of a CSV file; none where it is no text."""
    try:
        return next(csv.reader([line.decode("utf-8-sig").rstrip("\r")]), [])
    except (csv.Error, UnicodeDecodeError):
        return []


class _HeadedStream(io.RawIOBase):
    """The bytes that were read ahead, followed by the stream they came from."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head.removeprefix(b"\xef\xbb\xbf"), stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(piece) :] if self._head else b""
        buffer[: len(piece)] = piece
        return len(piece)


def _tidy(raw: pa.Table) -> pa.Table:
    """Convert rows as the dumps have them to rows of `SUBMISSION_SCHEMA`.

    Old exports have no subreddit and no id beside the permalink; a `domain` of `self.NAME` is a self post.
    """
    link = pc.extract_regex(raw["permalink"], _PERMALINK)
    self_post = pc.or_kleene(raw["is_self"], pc.starts_with(raw["domain"], "self."))
    columns = {
        "id": pc.coalesce(raw["id"], pc.struct_field(link, "id")),
        "url": raw["url"],
        "score": raw["score"],
        "created": pc.cast(pc.floor(raw["created_utc"]), pa.int64(), safe=False),
        "subreddit": pc.coalesce(raw["subreddit"], pc.struct_field(link, "subreddit")),
        "over_18": raw["over_18"],
        "is_self": self_post,
        "media": pc.or_kleene(raw["is_video"], raw["is_reddit_media_domain"]),
        "hint": raw["post_hint"],
    }
    return pa.table(columns, schema=SUBMISSION_SCHEMA)
