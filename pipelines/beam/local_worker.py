"""Run Beam's local workers: one process imports what they need, and each worker is a fork of it.

To start a worker is 20 ms then, where an interpreter that imports Beam takes a second. The process has one thread of
Python, no channel and no open file but its socket, so a fork of it is whole. It ends when the process that asks it for
workers has, and its workers then do, even during their start: Beam's own worker waits two minutes for a parent that was
killed, and keeps its terminal busy. A worker logs no more than that process does.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

from corpus.child_process import exit_with_parent


def main() -> None:
    """Fork a worker for every request on the socket whose number is the first argument, and say when one has ended.

    The second is 1 if Beam is imported for local runs alone. First come the names of modules that workers need, and
    the level up to which logging is disabled. A request comes with the standard output and error of its worker, and
    says its environment, folder, module path, and the modules and that level again.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the workers too
    streams_of = socket.socket(fileno=int(sys.argv[1]))
    requests = Connection(os.dup(streams_of.fileno()))
    needs = requests.recv()
    logging.disable(needs["disabled"])  # Beam logs what it has not found
    _import_all(needs["modules"], local_only=sys.argv[2] == "1")
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    server = os.getpid()
    while True:
        ready = wait([requests, woken])
        if woken in ready:
            os.read(woken, 4096)
            _report_ended(requests)
        if requests not in ready:
            continue
        _, streams, _, _ = socket.recv_fds(streams_of, 1, 2)
        if not streams:  # the other side has ended
            os._exit(0)
        request = requests.recv()
        _import_modules(request["modules"])  # of pipelines that have been made since
        worker = os.fork()
        if worker == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for end in (woken, wake, streams_of.detach()):
                os.close(end)
            requests.close()
            exit_with_parent(server)
            _run(request, streams)
        for stream in streams:
            os.close(stream)
        requests.send({"started": worker})


def _import_all(modules: list[str], local_only: bool) -> None:
    from corpus.pipelines.beam.loading import keep_pandas_out, load_beam, own_process

    if local_only:
        own_process()
    load_beam(local_only=True)
    keep_pandas_out()
    _import_modules(modules)


def _import_modules(names: list[str]) -> None:
    for name in names:
        import_module(name)
    gc.freeze()  # what is here stays, and the pages that hold it stay shared


def _report_ended(requests: Connection) -> None:
    while True:
        try:
            worker, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if worker == 0:
            return
        requests.send({"ended": worker, "code": os.waitstatus_to_exitcode(status)})


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Become a worker, and end."""
    code = 1
    try:
        for stream, number in zip(streams, (1, 2), strict=True):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        sys.path[:] = request["path"]
        logging.disable(request["disabled"])
        if request["disabled"] >= logging.CRITICAL:  # Beam prints what a worker raised and sends it too
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        from corpus.pipelines.beam.types import run_worker

        run_worker(sys.argv[:1])
        if parsers := sys.modules.get("corpus.extract.process.supervised"):
            parsers.close_idle_parsers()
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # all it made is in its place: no waiting for threads of libraries
