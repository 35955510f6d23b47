"""Read a user's source in a process of its own, so that one that hangs, crashes or prints costs an input split at most.

The process is kept for the next split. It is sent a line of JSON, and answers with frames: a length, then a marshalled
tuple (kind, ...) of a record, a failure, an error or the end. A full pipe makes it wait, so it reads ahead no more than
that.
"""

from __future__ import annotations

import atexit
import json
import marshal
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, BinaryIO

from corpus import plugins, storage
from corpus.child_process import python_command
from corpus.document import Failure, Record
from corpus.errors import UserError, describe_error

FRAME_HEADER = struct.Struct("<Q")
RECORD, FAILURE, ERROR, END = range(4)
MAX_OFFSET = (1 << 63) - 1
READ_BYTES = 1 << 20

RECORD_FIELDS = tuple(field.name for field in fields(Record))
FAILURE_FIELDS = tuple(field.name for field in fields(Failure))
_TEXT_FIELDS = {Record: ("native_id", "file", "media_type"), Failure: ("file", "step", "error", "reason")}
_OPTIONAL_FIELDS = {
    Record: ("url", "date", "snapshot", "license", "opt_out", "group", "charset", "language", "gate"),
    Failure: ("url",),
}

_idle: list[SourceReader] = []
_lock = threading.Lock()


def read_watched(
    kind: str, options: dict[str, Any], split: tuple[str, str, int, int], seconds: float
) -> Iterator[Record | Failure]:
    """Yield what `read(path, file, start, end)` of a plug-in with these options yields, checked.

    Raises TimeoutError if it takes more than `seconds` to its next record, ChildProcessError if its process died, and
    ValueError with one line for what it raised. A malformed record is yielded as a failure. Memory: one record.
    """
    with _lock:
        codes = plugins.codes_in_use()
        reader = next((each for each in _idle if each.codes == codes), None)
        if reader is not None:
            _idle.remove(reader)
    reader = reader or SourceReader(codes)
    is_whole = False
    try:
        yield from reader.read(kind, options, split, seconds)
        is_whole = True
    finally:
        if is_whole:
            with _lock:
                _idle.append(reader)
        else:
            reader.kill()


class SourceReader:
    """The process that reads; `codes` are the hashes of the plug-ins that it may import."""

    def __init__(self, codes: dict[str, str]) -> None:
        self.codes = codes
        ours, theirs = os.pipe()
        self.process = subprocess.Popen(
            python_command("corpus.sources.plugin_source", str(theirs)),
            pass_fds=[theirs],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        self._frames = ours
        self._held = bytearray()

    def read(
        self, kind: str, options: dict[str, Any], split: tuple[str, str, int, int], seconds: float
    ) -> Iterator[Record | Failure]:
        request = {"kind": kind, "options": options, "split": split, "folders": plugins.plugin_folders()}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            answer, *values = self._receive(kind, seconds)
            if answer == RECORD:
                yield Record(**dict(zip(RECORD_FIELDS, values, strict=True)))
            elif answer == FAILURE:
                yield Failure(**dict(zip(FAILURE_FIELDS, values, strict=True)))
            elif answer == ERROR:
                raise ValueError(values[0])
            else:
                return

    def _receive(self, kind: str, seconds: float) -> tuple[Any, ...]:
        """Return the next frame."""
        deadline = time.monotonic() + seconds
        while True:
            if len(self._held) >= FRAME_HEADER.size:
                end = FRAME_HEADER.size + FRAME_HEADER.unpack_from(self._held)[0]
                if len(self._held) >= end:
                    frame: tuple[Any, ...] = marshal.loads(memoryview(self._held)[FRAME_HEADER.size : end])
                    del self._held[:end]
                    return frame
            if not select.select([self._frames], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"{kind} has given no record for {seconds:g} s")
            data = os.read(self._frames, READ_BYTES)
            if not data:
                status = self.process.wait()
                how = f"signal {-status}" if status < 0 else f"status {status}"
                raise ChildProcessError(f"{kind}: its process ended with {how}")
            self._held += data

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        os.close(self._frames)
        if self.process.stdin is not None:
            self.process.stdin.close()


@atexit.register
def close_idle_readers() -> None:
    """End the processes that no thread uses: at the end of this process."""
    while _idle:
        _idle.pop().kill()


# What follows runs in the process that reads.


def main() -> None:
    """Answer requests from standard input on the pipe whose number is the first argument, until there are no more."""
    with os.fdopen(int(sys.argv[1]), "wb") as frames:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            plugins.add_folders(request["folders"])
            try:
                _answer(request, frames)
                _send(frames, (END,))
            except BrokenPipeError:
                return
            except BaseException as error:  # said to the process that asked
                _send(frames, (ERROR, describe_error(error)))


def _answer(request: dict[str, Any], frames: BinaryIO) -> None:
    from corpus.sources import import_plugin_source

    kind = request["kind"]
    source = import_plugin_source(kind).model_validate(request["options"])
    at, unread = request["split"][2], storage.count_failed_reads()
    for item in source.read(*request["split"]):
        checked = _check(kind, item, at)
        at = checked.offset
        checked.file = checked.file or request["split"][1]
        if isinstance(checked, Failure) and storage.count_failed_reads() > unread:
            checked.reason, unread = "remote", storage.count_failed_reads()
        if isinstance(checked, Record):
            _send(frames, (RECORD, *map(_plain, attrgetter(*RECORD_FIELDS)(checked))))
        else:
            _send(frames, (FAILURE, *map(_plain, attrgetter(*FAILURE_FIELDS)(checked))))


def describe_source(kind: str, record: Record) -> bool:
    """Import a source, in the process that parses. Raises UserError for what is wrong with it."""
    from corpus.sources import import_plugin_source

    import_plugin_source(kind)
    return True


def plan_file(
    kind: str, options: dict[str, Any], file: list[Any], split_size: int, record: Record
) -> tuple[str | None, list[tuple[int, int]]]:
    """Return (identity, byte ranges) of a file, in the process that parses; no identity if it is the usual one.

    Raises UserError for ranges that are none.
    """
    from corpus.sources import import_plugin_source
    from corpus.sources.source import Source

    path, name, size = file
    source = import_plugin_source(kind).model_validate(options)
    is_usual = type(source).identity is Source.identity
    identity = None if is_usual else source.identity(storage.File(path, name, size))
    ranges = [(start, end) for start, end in source.plan(path, size, split_size)]
    for start, end in ranges:
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= MAX_OFFSET):
            raise UserError(f"{kind}: `plan` must return byte ranges, not {(start, end)!r}")
    if len(set(ranges)) < len(ranges) or not isinstance(identity, str | None):
        raise UserError(f"{kind}: `plan` returns a range twice, or `identity` is no text")
    return identity, ranges


def _send(frames: BinaryIO, frame: tuple[Any, ...]) -> None:
    data = marshal.dumps(frame)
    frames.write(FRAME_HEADER.pack(len(data)) + data)
    frames.flush()


def _plain(value: Any) -> Any:
    """Return a value of a type that marshal can write: subclasses of `str` and `bytes` are common in parsers."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return bytes(value)
    return {str(name): str(item) for name, item in value.items()} if isinstance(value, dict) else value


def _check(kind: str, item: object, at: int) -> Record | Failure:
    """Return a record or failure as it is, or the failure of one that is malformed."""
    if not isinstance(item, Record | Failure):
        return _make_failure(kind, f"yields {type(item).__name__}, not Record or Failure", at)
    wrong = _find_wrong_field(item)
    if wrong is None:
        return item
    name = type(item).__name__
    shown = (
        type(getattr(item, wrong)).__name__
        if wrong not in ("offset", "length")
        else repr(getattr(item, wrong))[:40]
    )
    return _make_failure(kind, f"yields a {name} whose {wrong} is {shown}", at)


def _find_wrong_field(item: Record | Failure) -> str | None:
    """Return the first field of a wrong type, or of a place outside 63 bits."""
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    for name in _TEXT_FIELDS[type(item)]:
        if not isinstance(values[name], str):
            return name
    for name in _OPTIONAL_FIELDS[type(item)]:
        if not isinstance(values[name], str | None):
            return name
    for name in ("offset", "length"):
        if (
            isinstance(values[name], bool)
            or not isinstance(values[name], int)
            or not 0 <= values[name] <= MAX_OFFSET
        ):
            return name
    if isinstance(item, Failure):
        return None if isinstance(item.bytes, int | None) else "bytes"
    if not isinstance(item.body, bytes | str):
        return "body"
    is_text = isinstance(item.metadata, dict) and all(
        isinstance(name, str) and isinstance(value, str) for name, value in item.metadata.items()
    )
    return None if is_text else "metadata"


def _make_failure(kind: str, what: str, offset: int) -> Failure:
    return Failure(file="", offset=offset, length=0, step="read", error=f"{kind} {what}")
