"""Stopping a build: one line, no worker left behind, nothing to repair."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def descendants(process: int) -> list[int]:
    """Processes below one, by /proc; none on systems without it, where workers leave by themselves."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children") as children:
                for child in map(int, children.read().split()):
                    found += [child, *descendants(child)]
    except OSError:
        return found
    return found


@contextmanager
def stoppable(before: Callable[[], object], where: Callable[[], str] = str) -> Iterator[None]:
    """In the block, Ctrl-C and SIGTERM end this process and its workers at once, with 128 + the signal.

    That is as safe as any crash: parts are whole or absent. `before` is called first, and `where`
    says how far it came. Beam would take the
    interruption of its thread for a failure of the work, and begin again.
    """

    def stop(number: int, _: FrameType | None) -> None:
        threading.excepthook = lambda _: None  # Beam's threads watch the workers, and would tell of their end
        for process in descendants(os.getpid()):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        before()
        place = where()
        at = f" in {place}" if place else ""
        sys.stderr.write(f"\ncorpus: stopped{at}; the same command goes on from there\n")
        sys.stderr.flush()
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
