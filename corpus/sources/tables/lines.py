"""Read the lines of a file, plain or compressed, each with its place; what is damaged or too long is a Failure."""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from corpus.document import Failure
from corpus.storage import DAMAGE, is_compressed, open_checked

SKIP_BLOCK_BYTES = 1 << 16


def read_lines(
    path: str, file: str, start: int, end: int, max_bytes: int, what: str = "line"
) -> Iterator[tuple[int, bytes] | Failure]:
    """Yield (offset, line) for each line that begins in [start, end), of a compressed file for all; and Failures.

    Offsets count decompressed bytes. A line of more than `max_bytes`, called `what`, is a failure. So is a damaged
    stretch of a compressed file with the line that it interrupts; reading goes on behind it, and the first line
    there may be the rest of one. Memory: at most `max_bytes` of a line.
    """
    offset = 0
    if is_compressed(path):
        end = 1 << 62
    with open_checked(path) as stream:
        try:
            if start:
                stream.seek(start - 1)
                offset = start - 1 + skip_line(stream)
            while offset < end:
                line = stream.readline(max_bytes + 1)
                length = len(line)
                if length > max_bytes and not line.endswith(b"\n"):
                    length += skip_line(stream)
                damage = stream.damage
                if damage is not None and not line.endswith(b"\n"):
                    length += damage.length
                    yield make_damage_failure(file, offset, length, damage.error)
                    offset += length
                    if not stream.resume():
                        return
                    continue
                if not line:
                    return
                if length > max_bytes:
                    yield make_too_long_failure(what, length, max_bytes, file, offset)
                else:
                    yield offset, line
                offset += length
        except DAMAGE as error:
            yield make_damage_failure(file, offset, 0, str(error))


def read_wide_lines(
    path: str, file: str, codec: str, max_bytes: int, what: str = "line"
) -> Iterator[tuple[int, bytes] | Failure]:
    """Yield (offset, line in UTF-8) for each line of a whole file in UTF-16 or UTF-32; and Failures.

    Offsets count bytes of the decompressed file. Undecodable ones become U+FFFD. A damaged stretch ends the file.
    """
    offset = 0
    try:
        with TextIOWrapper(open_checked(path, raises=True), codec, "replace", newline="\n") as stream:
            while line := stream.readline(max_bytes):
                size = len(line.encode(codec, "surrogatepass"))
                while not line.endswith("\n") and (rest := stream.readline(SKIP_BLOCK_BYTES)):
                    size += len(rest.encode(codec, "surrogatepass"))
                    if rest.endswith("\n"):
                        break
                if line.startswith("\ufeff"):
                    line = line[1:]
                    mark = len("\ufeff".encode(codec))
                    offset, size = offset + mark, size - mark
                content = line.encode("utf-8", "replace")
                if size > 2 * max_bytes or len(content) > max_bytes:
                    yield make_too_long_failure(what, size, max_bytes, file, offset)
                else:
                    yield offset, content
                offset += size
    except DAMAGE as error:
        yield make_damage_failure(file, offset, 0, str(error))


def skip_line(stream: BinaryIO) -> int:
    """Read to the end of a line and return the number of bytes. Memory: a block."""
    length = 0
    while piece := stream.readline(SKIP_BLOCK_BYTES):
        length += len(piece)
        if piece.endswith(b"\n"):
            break
    return length


def make_damage_failure(file: str, offset: int, length: int, error: str) -> Failure:
    """Make the failure of bytes that are left out because none of them is certain."""
    return Failure(file=file, offset=offset, length=length, step="read", error=f"damaged: {error}")


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
