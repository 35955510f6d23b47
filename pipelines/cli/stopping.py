"""Ctrl-C, SIGTERM and SIGHUP end every command with one line, status 128 + the signal, and no process left."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED_STATUS = 128 + signal.SIGINT
_RESUME = "resume with the same command"
ADVICE = {
    **dict.fromkeys(("build", "export", "fetch", "urls"), _RESUME),
    **dict.fromkeys(("plan", "verify"), "nothing was changed"),
}
"""What the line of a command says besides that it stopped."""

_received: list[int] = []
"""The signals that came."""


def raise_on_signals() -> None:
    """Let the signals that stop a command raise KeyboardInterrupt where it is, so that what it cleans up is cleaned.

    A signal that this process was started to ignore, as `nohup` does for SIGHUP, is ignored further. Builds and
    training take the signals over while they run.
    """
    for number in STOP_SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def was_interrupted() -> bool:
    """Return whether a signal has come that this module heard."""
    return bool(_received)


def end_stopped(arguments: Sequence[str]) -> int:
    """Kill what the command started, print the line, and return the exit status."""
    from corpus.child_process import kill_descendants

    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    kill_descendants()
    command = next((word for word in arguments if not word.startswith("-")), "")
    advice = ADVICE.get(command)
    sys.stderr.write(f"corpus: stopped{f'; {advice}' if advice else ''}\n")
    return 128 + (_received[0] if _received else signal.SIGINT)


@contextmanager
def hear_interrupts() -> Iterator[None]:
    """In the block, leave Ctrl-C to Python's own handler, which asyncio replaces by one that ends tasks in order."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _received.append(signal.SIGINT)
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def run_passing_signals(command: Sequence[str]) -> int:
    """Run a command that hears signals from this process alone, not from the terminal, and return its status.

    So it is the command that says, once, that it stopped.
    """
    with subprocess.Popen(command, start_new_session=True) as child:

        def pass_on(number: int, _: FrameType | None) -> None:
            child.send_signal(number)

        before = {number: signal.signal(number, pass_on) for number in STOP_SIGNALS}
        try:
            return child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
