"""A proxy on loopback that fails some requests: before, in the middle of, and after what they do."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ("503", "cut", "lost")
"""A refusal; a connection reset when half of what was sent is read; an answer that never comes though the work is
done."""


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: int
    share: float
    draw: random.Random
    met: Counter[str]
    lock = threading.Lock()

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        with self.lock:
            fault = self.draw.choice(FAULTS) if self.draw.random() < self.share else ""
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "cut":
            self.met[f"{fault} {self.command}"] += 1
            self.rfile.read(length // 2)
            return self._reset()
        body = self.rfile.read(length)
        if fault == "503":
            self.met[f"{fault} {self.command}"] += 1
            return self._answer(503, [], b"slow down")
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if fault == "lost":
            self.met[f"{fault} {self.command}"] += 1
            return self._reset()
        return self._answer(response.status, response.getheaders(), content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):  # a fault closed it
            return


@contextmanager
def proxy(target: int, share: float, seed: int) -> Iterator[tuple[int, Counter[str]]]:
    """(port, faults met) of a proxy to `target` on loopback, `share` of whose requests fail."""
    met: Counter[str] = Counter()
    fields = {"target": target, "share": share, "draw": random.Random(seed), "met": met}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("FaultyProxy", (Proxy,), fields))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_port, met
    finally:
        server.shutdown()
        server.server_close()
