"""Write exchanges as WARC 1.1: a request and a response record each, with digests, by warcio."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

_NAMESPACE = uuid.UUID("6f5f2f0e-93a5-5a0e-8a51-3f1c3f3f7c11")
HOP_BY_HOP_HEADERS = {"transfer-encoding"}
"""Undone on arrival, as by every crawler: kept under `X-Crawler-` names so that the headers fit the stored body."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer; `body` as it was sent, content encoding and all, without transfer encoding;
    only its beginning where `truncated`."""

    url: str
    date: str
    address: str | None
    request_line: str
    request_headers: list[tuple[str, str]]
    version: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool = False

    def header(self, name: str) -> str:
        """Return the first header of a name (in lower case), empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class WarcFolder:
    """The WARC files of a folder: `fetch-00000.warc.gz` and so on, appended to."""

    def __init__(self, folder: str, ends: dict[str, int], limit: int, software: str) -> None:
        self._folder, self._limit, self._software = folder, limit, software
        self._number = 0
        self._ends: dict[str, int] = {}
        for name in sorted(os.listdir(folder)):
            if name.startswith("fetch-") and name.endswith(".warc.gz"):
                # What follows the last entry of the journal was in progress when the run was killed.
                os.truncate(os.path.join(folder, name), ends.get(name, 0))
                self._number = int(name[6:11])
        self._open()

    @property
    def name(self) -> str:
        return f"fetch-{self._number:05}.warc.gz"

    def _open(self) -> None:
        path = os.path.join(self._folder, self.name)
        self._output = open(path, "ab")  # noqa: SIM115 - closed by `close`
        self._writer = WARCWriter(self._output, gzip=True, warc_version="1.1")
        if not self._output.tell():
            info = self._writer.create_warcinfo_record(
                self.name, {"software": self._software, "format": "WARC File Format 1.1"}
            )
            self._writer.write_record(info)

    def write(self, exchange: Exchange) -> tuple[str, int, int]:
        """Append both records; return (file, offset, length) of the response."""
        if self._output.tell() >= self._limit:
            self._ends = self.flush()
            self.sync()
            self._output.close()
            self._number += 1
            self._open()
        identity = f"{exchange.url}\0{exchange.date}\0{self.name}\0{self._output.tell()}"
        response_id, request_id = (
            f"<urn:uuid:{uuid.uuid5(_NAMESPACE, f'{kind}{identity}')}>" for kind in ("response", "request")
        )
        common = {"WARC-Date": exchange.date}
        if exchange.address:
            common["WARC-IP-Address"] = exchange.address
        headers = [
            (f"X-Crawler-{name}" if name.lower() in HOP_BY_HOP_HEADERS else name, value)
            for name, value in exchange.headers
        ]
        status = StatusAndHeaders(
            f"{exchange.status} {exchange.reason}".strip(),
            headers,
            protocol=exchange.version,
            is_http_request=False,
        )
        response = self._writer.create_warc_record(
            exchange.url,
            "response",
            payload=BytesIO(exchange.body),
            http_headers=status,
            warc_headers_dict={
                **common,
                "WARC-Record-ID": response_id,
                **({"WARC-Truncated": "length"} if exchange.truncated else {}),
            },
        )
        request_headers = StatusAndHeaders(
            exchange.request_line, exchange.request_headers, is_http_request=True
        )
        request = self._writer.create_warc_record(
            exchange.url,
            "request",
            http_headers=request_headers,
            warc_headers_dict={
                **common,
                "WARC-Record-ID": request_id,
                "WARC-Concurrent-To": response_id,
            },
        )
        offset = self._output.tell()
        self._writer.write_record(response)
        length = self._output.tell() - offset
        self._writer.write_record(request)
        return self.name, offset, length

    def flush(self) -> dict[str, int]:
        """Hand all output to the system; return the ends of the files written to since the last call."""
        self._output.flush()
        ends, self._ends = {**self._ends, self.name: self._output.tell()}, {}
        return ends

    def sync(self) -> None:
        """Sync everything handed to the system to disk."""
        os.fsync(self._output.fileno())

    def close(self) -> None:
        self._output.close()
