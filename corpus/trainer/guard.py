"""One trainer a run, and a stop that saves."""

from __future__ import annotations

import fcntl
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from corpus.errors import UserError


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Refuses a second trainer in the same run."""
    with (run / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{run} is being trained by another process: wait for it, or use another --out"
            ) from None
        yield


@contextmanager
def signals() -> Iterator[list[str]]:
    """A list that receives the name of the first SIGTERM or SIGINT; a second one acts as ever."""
    caught: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def catch(number: int, _: FrameType | None) -> None:
        caught.append(signal.Signals(number).name)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
