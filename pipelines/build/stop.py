"""Stopping a build: one line, no worker left behind, nothing to repair."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS = 10.0
"""How long a build that is stopped may take to say so in its workspace."""


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


def kill_descendants() -> None:
    """Kill every process below this one."""
    for process in descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@contextmanager
def stoppable(
    before: Callable[[], object] = bool,
    where: Callable[[], str] = str,
    after: str = "the same command goes on from there",
) -> Iterator[None]:
    """In the block, Ctrl-C and SIGTERM end this process and its workers at once, with 128 + the signal.

    That is as safe as any crash: parts are whole or absent. `before` is called first, with `SECONDS` to write
    what it has to, and no time after a second signal; `where` says how far it came, `after` what now.
    Beam would take the interruption of its thread for a failure of the work, and begin again.
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
            last.join(SECONDS)
        place = where()
        at = f" in {place}" if place else ""
        sys.stderr.write(f"\ncorpus: stopped{at}; {after}\n")
        sys.stderr.flush()
        kill_descendants()  # those that were being started
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
