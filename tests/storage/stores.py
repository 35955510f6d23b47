"""Object stores on loopback: moto's S3 and an emulator of Google Cloud Storage, each in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import fsspec

from tests.storage.faulty_proxy import proxy


@dataclass(frozen=True)
class Store:
    """A running store: the root of an empty bucket, and what a process needs to reach it."""

    root: str
    environment: dict[str, str]
    met: Counter[str] = field(default_factory=Counter)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], port: int, address: str = "127.0.0.1") -> Iterator[None]:
    """A server process, from when it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((address, port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, command
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _configured(protocol: str, options: dict[str, object]) -> Iterator[dict[str, str]]:
    """fsspec's configuration of a protocol, here and as an environment variable."""
    name, text = f"FSSPEC_{protocol.upper()}", json.dumps(options)
    before = fsspec.config.conf.get(protocol)
    fsspec.config.conf[protocol] = options
    os.environ[name] = text
    try:
        yield {name: text}
    finally:
        del os.environ[name]
        fsspec.config.conf.pop(protocol)
        if before is not None:
            fsspec.config.conf[protocol] = before


@contextmanager
def s3(fault_share: float = 0.0, seed: int = 0, address: str = "127.0.0.1") -> Iterator[Store]:
    """The empty bucket of a server of moto's at an address of this machine. A `fault_share` of the requests fail, in
    `store.met` by kind; they are those to 127.0.0.1."""
    port, bucket = free_port(), "corpus-test"
    code = f"from moto.server import main; main(['-H', '{address}', '-p', '{port}'])"
    with (
        _process([sys.executable, "-c", code], port, address),
        proxy(port, fault_share, seed) as (faulty, met),
    ):
        options: dict[str, object] = {"key": "test", "secret": "test"}
        direct = fsspec.filesystem("s3", **options, endpoint_url=f"http://{address}:{port}")
        direct.mkdir(bucket)
        options["endpoint_url"] = f"http://{address}:{faulty if fault_share else port}"
        with _configured("s3", options) as environment:
            yield Store(f"s3://{bucket}", environment, met)


@contextmanager
def gcs() -> Iterator[Store]:
    """An emulator of Google Cloud Storage, in memory."""
    port = free_port()
    code = (
        "import http.server; http.server.HTTPServer = http.server.ThreadingHTTPServer; "  # one stuck is not all
        "from gcp_storage_emulator.server import create_server; "
        f"create_server('127.0.0.1', {port}, in_memory=True, default_bucket='corpus-test').run()"
    )
    options: dict[str, object] = {"token": "anon", "endpoint_url": f"http://127.0.0.1:{port}"}
    with _process([sys.executable, "-c", code], port), _configured("gs", options) as environment:
        yield Store("gs://corpus-test", environment)
