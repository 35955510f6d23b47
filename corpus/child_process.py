"""Child Python processes that find the same modules as their parent, whatever its current folder, and end with it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP)
"""Signals that a terminal sends to every process of a command at once."""
PARENT_CHECK_SECONDS = 0.5
_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {module} import main; main()"


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that calls `main()` of a module in a new interpreter, with `arguments` in sys.argv.

    The module is named in the command line. `-m` would put the current folder first, where a `corpus.py` or a
    `pipelines.py` of the user may lie; the module path of this process, which found `corpus`, is passed on instead.
    """
    return [sys.executable, "-I", "-c", _START.format(module=module), json.dumps(sys.path), *arguments]


def exit_with_parent(parent: int) -> None:
    """End this process soon after its parent process, `parent`, has ended, however: a thread looks every half second.

    The parent's id is given, since it may have ended before this process could ask for it.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class WorkerPool(ProcessPoolExecutor):
    """Worker processes that hear no Ctrl-C, from their first instruction on, and die where the block is left by one.

    The terminal sends Ctrl-C to the workers, too: each would print a traceback. The signals are blocked while one is
    started, which it inherits. Any other pool finishes all its work before it lets an exception through.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(workers, mp_context=multiprocessing.get_context("spawn"))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with _block_terminal_signals():
            return super().submit(fn, *args, **kwargs)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if kind is not None:
            for process in list((self._processes or {}).values()):
                process.kill()
        return super().__exit__(kind, error, traceback)


@contextmanager
def _block_terminal_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def list_descendants(process: int) -> list[int]:
    """Return the descendants of a process from /proc; none on systems without it, where workers end by themselves."""
    processes: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children") as children:
                for child in map(int, children.read().split()):
                    processes += [child, *list_descendants(child)]
    except OSError:
        return processes
    return processes


def kill_descendants() -> None:
    """Kill every descendant of this process."""
    for process in list_descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
