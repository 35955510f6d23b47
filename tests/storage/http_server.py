"""An HTTP server on loopback with ranges and scripted faults, for tests of remote input."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Files by path, what is wrong with them, and what was asked.

    `faults[path]` are taken one a request, then all is well; those in `always[path]` stay. A fault is a status
    (`503`, `429 retry-after=1`), `reset N` (N bytes of the body, then a reset), `short N` (N bytes of the body it
    announced, then the end), `less N` (a whole answer, of N bytes only), `length` (a Content-Length that is too
    large), `stall N` (N bytes of the body, and then nothing any more), `trickle` (a byte of it now and then), `page` (a
    page that says sorry, with status 200), or `other` (another ETag).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        self.always: dict[str, str] = {}
        self.ranges = True
        self.latency = 0.0
        self.asked: list[tuple[str, str | None]] = []
        self.sent: Counter[str] = Counter()
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        site, path = self.site, self.path
        time.sleep(site.latency)
        wanted = self.headers.get("Range")
        site.asked.append((path, wanted))
        queue = site.faults[path]
        fault, _, detail = (queue.pop(0) if queue else site.always.get(path, "")).partition(" ")
        if path.startswith("/moved/"):
            return self.answer(302, b"", Location=path.removeprefix("/moved"))
        if fault.isdigit():
            name, _, value = detail.partition("=")
            return self.answer(int(fault), b"sorry", **({name.title(): value} if name else {}))
        if fault == "page":
            return self.answer(200, b"<html><body>Sorry, try later</body></html>")
        if path not in site.files:
            return self.answer(404, b"gone")
        body = site.files[path]
        headers = {"ETag": '"other"' if fault == "other" else f'"{hash(body) & 0xFFFFFF:x}"'}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        status, begin, end = 200, 0, len(body)
        if match and site.ranges:
            begin, end = int(match[1]), min(int(match[2]) + 1, len(body))
            if begin >= len(body):
                return self.answer(416, b"", **{"Content-Range": f"bytes */{len(body)}"})
            status = 206
            if fault == "less":
                end = min(end, begin + int(detail))
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(body)}"
        piece = body[begin:end]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(piece) + (1000 if fault == "length" else 0)))
        self.end_headers()
        if fault in ("reset", "short", "stall"):
            piece = piece[: int(detail)]
        try:
            while fault == "trickle" and piece:
                self.wfile.write(piece[:1])
                piece = piece[1:]
                time.sleep(0.02)
            self.wfile.write(piece)
            self.wfile.flush()
            if fault == "stall":
                self.connection.recv(1)  # until the other side gives up
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            return None
        site.sent[path] += len(piece)
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        if fault in ("reset", "short", "length", "stall"):
            self.close_connection = True
        return None

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):  # a fault closed it
            return


@contextmanager
def serving() -> Iterator[Site]:
    """A server on a free port of loopback."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
