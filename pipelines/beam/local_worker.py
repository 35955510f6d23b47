"""Run Beam's local workers: one process imports what they need, and each worker is a fork of it.

To start a worker is 20 ms then, where an interpreter that imports Beam takes a second. The process has one thread of
Python, no channel and no open file but its socket, so a fork of it is whole. It ends when the process that asks it for
workers has, and its workers then do, even during their start: Beam's own worker waits two minutes for a parent that was
killed, and keeps its terminal busy. A worker logs no more than that process does.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import signal
import socket
import struct
import sys
from importlib import import_module
from typing import Any

from corpus.child_process import exit_with_parent

LENGTH = struct.Struct("!I")
"""What stands before every message: its bytes."""


def main() -> None:
    """Fork a worker for every request on the socket whose number is the first argument, and say when one has ended.

    The second is 1 if Beam is imported for local runs alone. First come the names of modules that workers need, and
    the level up to which logging is disabled. A request comes with the standard output and error of its worker, and
    says its environment, folder, module path and that level again.
    """
    requests = socket.socket(fileno=int(sys.argv[1]))
    needs = receive(requests)
    logging.disable(needs["disabled"])  # Beam logs what it has not found
    _import_all(needs["modules"], local_only=sys.argv[2] == "1")
    gc.freeze()  # what is here stays, and the pages that hold it stay shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the workers too
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    server = os.getpid()
    while True:
        ready, _, _ = select.select([requests.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ended(requests)
        if requests.fileno() in ready:
            streams = receive_streams(requests)
            if not streams:
                os._exit(0)
            request = receive(requests)
            worker = os.fork()
            if worker == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                for number in (woken, wake):
                    os.close(number)
                requests.close()
                exit_with_parent(server)
                _run(request, streams)
            for stream in streams:
                os.close(stream)
            send(requests, {"started": worker})


def _import_all(modules: list[str], local_only: bool) -> None:
    from corpus.pipelines.beam.loading import keep_pandas_out, load_beam, own_process

    if local_only:
        own_process()
    load_beam(local_only=True)
    keep_pandas_out()
    for name in modules:
        import_module(name)


def _report_ended(requests: socket.socket) -> None:
    while True:
        try:
            worker, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if worker == 0:
            return
        send(requests, {"ended": worker, "code": os.waitstatus_to_exitcode(status)})


def _run(request: dict[str, Any], streams: list[int]) -> None:
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


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    content = json.dumps(message).encode()
    connection.sendall(LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Return the next message. Raises EOFError where the other side has ended."""
    (length,) = LENGTH.unpack(_receive_exactly(connection, LENGTH.size))
    message: dict[str, Any] = json.loads(_receive_exactly(connection, length))
    return message


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        piece = connection.recv(length - len(content))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def send_streams(connection: socket.socket, streams: list[int]) -> None:
    socket.send_fds(connection, [b"+"], streams)


def receive_streams(connection: socket.socket) -> list[int]:
    """Return the open files that the other side sends; none where it has ended."""
    return socket.recv_fds(connection, 1, 2)[1]
