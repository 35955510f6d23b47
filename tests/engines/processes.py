"""Servers on loopback: started in sessions of their own, waited for, and ended with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from corpus.child_process import list_descendants

START_SECONDS = 90.0
"""Seconds until a server must listen, also on a machine with other work."""


def find_port() -> int:
    """Return a port of this machine that nothing uses."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serve(
    command: Sequence[str],
    log: Path,
    port: int | None = None,
    cwd: Path | None = None,
    address: str = "localhost",
    **environment: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the block, once it listens at `port` of `address`; its output goes to `log`."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd=cwd or log.parent,
            env=clean_environment(environment),
            start_new_session=True,
        )
    try:
        if port is not None:
            wait_for_port(port, process, log, address)
        yield process
    finally:
        stop(process)


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would put a checkout on the path of Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | dict(more)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, address: str = "localhost") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"{process.args} ended:\n{log.read_text()[-2000:]}"
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        assert time.monotonic() < deadline, f"nothing listens at {port}:\n{log.read_text()[-2000:]}"
        time.sleep(0.1)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and its descendants, which may have sessions of their own."""
    left = list_descendants(process.pid)
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for each in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
