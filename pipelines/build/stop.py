"""Stop a build on a signal: print one line, leave no worker process and nothing to repair."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from corpus.child_process import kill_descendants

BUILD_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 10.0
"""Seconds that a stopped build may take to record this in its workspace."""


def is_ignored(number: signal.Signals) -> bool:
    """Return whether this process was started to ignore a signal, as `nohup` does for SIGHUP."""
    return signal.getsignal(number) == signal.SIG_IGN


@contextmanager
def exit_on_signals(
    before: Callable[[], object] = bool,
    where: Callable[[], str] = str,
    after: str = "resume with the same command",
) -> Iterator[None]:
    """In the block, end this process and its workers immediately on Ctrl-C or SIGTERM, with status 128 + the signal.

    That is as safe as any crash: parts are complete or absent. `before` is called first and has `STOP_SECONDS` to
    finish; a second signal skips it. `where` returns the progress and `after` is the advice in the line printed.
    Beam would treat an interruption of its thread as a failure of the work, and start it again.
    """
    stopping = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        again, stopping = stopping, True
        threading.excepthook = lambda _: None  # Beam's threads watch the workers, and would tell of their end
        kill_descendants()
        if not again:
            last = threading.Thread(target=before, daemon=True)  # a store may be out of reach
            last.start()
            last.join(STOP_SECONDS)
        place = where()
        at = f" in {place}" if place else ""
        sys.stderr.write(f"\ncorpus: stopped{at}; {after}\n")
        sys.stderr.flush()
        kill_descendants()  # those that were being started
        os._exit(128 + number)

    heard = [each for each in BUILD_STOP_SIGNALS if each != signal.SIGHUP or not is_ignored(each)]
    previous = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
