"""Allow one trainer per run, and save a checkpoint when a signal stops it."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from corpus.errors import UserError

GRACE_SECONDS = 5.0
"""Seconds that a step or an evaluation may continue after a signal before it is abandoned."""
TRAINER_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def lock_run(run: Path) -> Iterator[None]:
    """Hold the lock of a run; raise UserError if another trainer holds it."""
    with (run / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{run} is being trained by another process: wait for it, or use another --out"
            ) from None
        yield


@contextmanager
def catch_signals(rescue: Callable[[str], None]) -> Iterator[list[str]]:
    """Yield a list that receives the name of the first SIGTERM or SIGINT; a second signal has its usual effect.

    Python runs handlers between its own instructions, and a product of huge matrices is a single one. So a thread
    receives the signal too, through a pipe, and calls `rescue` with its name if this context is still active after
    GRACE_SECONDS seconds.
    """
    caught: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.getsignal(number) for number in TRAINER_STOP_SIGNALS}

    def catch(number: int, _: FrameType | None) -> None:
        caught.append(signal.Signals(number).name)
        for each, handler in before.items():
            signal.signal(each, handler)

    left = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while heard := os.read(reading, 1):
            if heard[0] in TRAINER_STOP_SIGNALS and not left.wait(GRACE_SECONDS):
                rescue(signal.Signals(heard[0]).name)
        os.close(reading)

    for number in before:
        signal.signal(number, catch)
    earlier = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield caught
    finally:
        left.set()
        signal.set_wakeup_fd(earlier)
        os.close(writing)
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)
