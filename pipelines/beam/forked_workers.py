"""Ask for local workers: the process that forks them is started before the first, and again where it has ended."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from signal import SIGKILL

from corpus.child_process import python_command
from corpus.pipelines.beam.loading import is_whole, will_be_whole

WORKER_MODULE = "corpus.pipelines.beam.local_worker"
"""The module in the command line of the process that forks workers, and of each worker."""


class ForkedWorker:
    """A worker process: its `pid`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        self._changed = threading.Condition()

    def wait(self) -> int:
        """Return the exit code, or minus the signal, when the process has ended."""
        with self._changed:
            while self._code is None:
                self._changed.wait()
            return self._code

    def kill(self) -> None:
        with self._changed:  # while it is held, nothing says that the process has ended
            if self._code is None:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, SIGKILL)

    def end(self, code: int) -> None:
        """Note that the process has ended."""
        with self._changed:
            self._code = code
            self._changed.notify_all()


class _Nursery:
    """The process that forks workers, and those of its workers that have not ended."""

    def __init__(self, whole: bool) -> None:
        ours, theirs = socket.socketpair()
        self.is_whole, self._streams = whole, ours
        self._connection = Connection(os.dup(ours.fileno()))
        self.process = subprocess.Popen(
            python_command(WORKER_MODULE, str(theirs.fileno()), str(int(not self.is_whole))),
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._connection.send({"modules": _list_modules(), "disabled": logging.root.manager.disable})
        self._workers: dict[int, ForkedWorker] = {}
        self._started: list[ForkedWorker] = []
        self._changed = threading.Condition()
        self.has_ended = False
        threading.Thread(target=self._listen, name="forked workers", daemon=True).start()

    def start(self, environment: Mapping[str, str]) -> ForkedWorker:
        """Return a new worker; one that has ended, if this process was killed while it forked it.

        Raises OSError where it had ended before.
        """
        if self.has_ended:
            raise BrokenPipeError
        request = {
            "modules": _list_modules(),
            "environment": {**os.environ, **environment},
            "folder": os.getcwd(),
            "path": sys.path,
            "disabled": logging.root.manager.disable,
        }
        socket.send_fds(self._streams, [b"+"], [1, 2])
        self._connection.send(request)
        with self._changed:
            while not (self._started or self.has_ended):
                self._changed.wait()
            if self._started:
                return self._started.pop()
        # It may have forked one that nobody knows of: another of the same name would meet it.
        worker = ForkedWorker(0)
        worker.end(-SIGKILL)
        return worker

    def close(self) -> None:
        """End the process, and with it its workers."""
        with suppress(OSError):
            self._streams.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                message = self._connection.recv()
                with self._changed:
                    if "started" in message:
                        worker = self._workers[message["started"]] = ForkedWorker(message["started"])
                        self._started.append(worker)
                        self._changed.notify_all()
                    else:
                        self._workers.pop(message["ended"]).end(message["code"])
        code = self.process.wait()
        with self._changed:
            self.has_ended = True
            for worker in [*self._workers.values(), *self._started]:
                worker.end(code or -SIGKILL)
            self._changed.notify_all()
        self._connection.close()
        self._streams.close()


_SHARED_MODULES = ("corpus.pipelines.", "corpus.clean.", "corpus.private.")


def _list_modules() -> list[str]:
    """Return the modules of pipelines that are imported, since what one was made of is what its workers read it with,
    and those of searches: their patterns are compiled once for all workers."""
    return sorted(name for name in sys.modules if name.startswith(_SHARED_MODULES))


_nursery: _Nursery | None = None
_lock = threading.Lock()


def start_worker(environment: Mapping[str, str]) -> ForkedWorker:
    """Return a new worker process with this process's environment and `environment`, folder and standard streams.

    What libraries read of the environment when they are imported is as it was when the process that forks workers was
    started.
    Raises OSError where no process can be started. Cost: 20 ms, once the process that forks them is there.
    """
    global _nursery
    with _lock:
        if _nursery is not None and _nursery.is_whole == is_whole():
            with suppress(OSError):  # killed since: begun anew
                return _nursery.start(environment)
        _nursery = _begin(is_whole())
        return _nursery.start(environment)


def expect_workers(local_only: bool) -> None:
    """Start what forks workers, so that it imports Beam while this process does; `local_only` as in `load_beam`.

    Raises OSError where no process can be started. Cost: a second of imports in that process, and 150 MB, which workers
    share, until this process ends.
    """
    global _nursery
    whole = will_be_whole(local_only)
    with _lock:
        if _nursery is None or _nursery.is_whole != whole:
            _nursery = _begin(whole)


def _begin(whole: bool) -> _Nursery:
    if _nursery is not None:
        _nursery.close()
    return _Nursery(whole)
