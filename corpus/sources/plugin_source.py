"""Read a user's source in a thread of its own, so that one that hangs ends in a failure; check its records."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, TextIO

from corpus.document import Failure, Record

MAX_WAITING_RECORDS = 32
"""Records that are read ahead."""

THREAD_PREFIX = "corpus-plugin-"

_TEXT_FIELDS = ("native_id", "file", "media_type")
_OPTIONAL_FIELDS = ("url", "date", "snapshot", "license", "group", "charset", "language", "gate")


def read_watched(
    kind: str, read: Callable[[], Iterator[Record | Failure]], seconds: float
) -> Iterator[Record | Failure]:
    """Yield what a plug-in's `read()` yields, checked. Memory: `MAX_WAITING_RECORDS` records.

    Raises TimeoutError if it takes more than `seconds` to its next record, and whatever it raises itself. A record
    that is none, or has a field of a wrong type, is yielded as a failure.
    """
    waiting: queue.Queue[object] = queue.Queue(MAX_WAITING_RECORDS)
    end = object()
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.5)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for record in read():
                if not put(record):
                    return
            put(end)
        except BaseException as error:  # raised again in the thread that waits
            put(_Raised(error))

    if not isinstance(sys.stdout, _OutputByThread):
        sys.stdout = _OutputByThread(sys.stdout)
    threading.Thread(target=work, name=f"{THREAD_PREFIX}{kind}", daemon=True).start()
    at = 0
    try:
        while True:
            try:
                item = waiting.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError(f"{kind} has given no record for {seconds:g} s") from None
            if item is end:
                return
            if isinstance(item, _Raised):
                raise item.error
            checked = _check(kind, item, at)
            at = checked.offset
            yield checked
    finally:
        stopped.set()


class _OutputByThread:
    """Standard output, but standard error for threads that read plug-ins: standard output is the command's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        is_plugin = threading.current_thread().name.startswith(THREAD_PREFIX)
        return getattr(sys.stderr if is_plugin else self._stream, name)


class _Raised:
    """What a plug-in raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = (
            error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
        )


def _check(kind: str, item: object, at: int) -> Record | Failure:
    """Return a record or failure as it is, or the failure of one that is malformed."""
    if isinstance(item, Failure):
        return item
    if not isinstance(item, Record):
        return _make_failure(kind, f"yields {type(item).__name__}, not Record or Failure", at)
    wrong = _find_wrong_field(item)
    if wrong is None:
        return item
    offset = item.offset if isinstance(item.offset, int) else at
    return _make_failure(
        kind, f"yields a Record whose {wrong} is {type(getattr(item, wrong)).__name__}", offset
    )


def _find_wrong_field(record: Record) -> str | None:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    wrong = [name for name in _TEXT_FIELDS if not isinstance(values[name], str)]
    wrong += [name for name in _OPTIONAL_FIELDS if not isinstance(values[name], str | None)]
    wrong += [name for name in ("offset", "length") if not isinstance(values[name], int)]
    wrong += [] if isinstance(record.body, bytes | str) else ["body"]
    metadata = record.metadata
    is_text = isinstance(metadata, dict) and all(
        isinstance(name, str) and isinstance(value, str) for name, value in metadata.items()
    )
    return [*wrong, *([] if is_text else ["metadata"]), None][0]


def _make_failure(kind: str, what: str, offset: int) -> Failure:
    return Failure(file="", offset=offset, length=0, step="read", error=f"{kind} {what}")
