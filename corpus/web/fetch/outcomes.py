"""Record the outcome of every URL: a journal that survives a kill, and the ledger in the order of the list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.storage.part_writer import PartWriter

LEDGER_FILE = "ledger.parquet"
ROBOTS_FILE = "robots.parquet"
JOURNAL_FILE = "journal.jsonl"
LEDGER_GROUP_ROWS = 1 << 14

FETCH_OUTCOMES = {
    "fetched": "a page is stored",
    "status": "the response status is not 2xx",
    "robots": "robots.txt disallows it or could not be fetched",
    "crawl_delay": "robots.txt asks for more time between requests than --max-delay",
    "address": "the host's address is not public or not valid",
    "dns": "the host name does not resolve",
    "connect": "no connection",
    "tls": "invalid certificate or TLS failure",
    "timeout": "too slow",
    "size": "larger than --max-bytes",
    "content_type": "neither HTML nor text",
    "redirects": "too many redirects, or a redirect loop",
    "protocol": "the response is not HTTP or was truncated",
    "host": "skipped: the host failed for other pages or asked for too long a wait",
}
"""Every outcome, with what it means."""

LEDGER_SCHEMA = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("status", pa.int32()),
        pa.field("robots", pa.string()),
        pa.field("final_url", pa.string()),
        pa.field("redirects", pa.int32(), nullable=False),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("date", pa.string()),
        pa.field("file", pa.string()),
        pa.field("offset", pa.int64()),
        pa.field("length", pa.int64()),
    ]
)
"""A row a URL, in the order of the list. `file`, `offset` and `length` place the WARC record of the page."""

ROBOTS_SCHEMA = pa.schema(
    [
        pa.field("origin", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("delay", pa.float64()),
        pa.field("reason", pa.string()),
        pa.field("date", pa.string()),
    ]
)
"""A row for each robots.txt that was asked for."""


@dataclass(slots=True, kw_only=True)
class LedgerEntry:
    """The outcome of one URL; the fields of `LEDGER_SCHEMA` but for `hash`, and its row in the list."""

    row: int
    url: str
    outcome: str
    reason: str | None = None
    status: int | None = None
    robots: str | None = None
    final_url: str | None = None
    redirects: int = 0
    attempts: int = 0
    date: str | None = None
    file: str | None = None
    offset: int | None = None
    length: int | None = None


class Journal:
    """Entries as lines of JSON, in the order in which they were appended.

    A line is in the operating system's hands when `append` returns, so it survives a kill of the process; it is on
    disk after `sync`, so it survives the machine. On opening, a line that was cut is removed, and the first one whose
    records are not in their WARC, with all after it. `ends` tells how far each WARC is whole: what follows belongs to
    pages that no entry names.
    """

    def __init__(self, folder: str, list_identity: str) -> None:
        self.path = os.path.join(folder, JOURNAL_FILE)
        self.ends: dict[str, int] = {}
        self.identity: str | None = None
        known = os.path.exists(self.path)
        if known:
            self._recover()
        self._output: BinaryIO = open(self.path, "ab")  # noqa: SIM115 - closed by `close`
        if self.identity is None:
            self.identity = list_identity
            self.append([{"kind": "list", "identity": list_identity}])

    def _recover(self) -> None:
        end = 0
        folder = os.path.dirname(self.path)
        sizes = {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)}
        with open(self.path, "rb+") as stream:
            for line in stream:
                entry = _parse_line(line)
                if entry is None or any(
                    sizes.get(name, 0) < at for name, at in entry.get("ends", {}).items()
                ):
                    break
                end += len(line)
                self.ends.update(entry.get("ends", {}))
                if entry["kind"] == "list":
                    self.identity = entry["identity"]
            stream.truncate(end)

    def append(self, lines: list[dict[str, Any]], ends: dict[str, int] | None = None) -> None:
        """Add lines; `ends` are the ends of the WARCs that their records are in."""
        if ends:
            lines = [*lines[:-1], {**lines[-1], "ends": ends}]
            self.ends.update(ends)
        self._output.write(b"".join(json.dumps(line, ensure_ascii=True).encode() + b"\n" for line in lines))
        self._output.flush()

    def sync(self) -> None:
        os.fsync(self._output.fileno())

    def close(self) -> None:
        self._output.close()

    def done(self, rows: int) -> NDArray[np.bool_]:
        """Return which rows of the list have an entry."""
        has_entry = np.zeros(rows, bool)
        for line in self._lines(b'{"kind": "url"'):
            has_entry[line["row"]] = True
        return has_entry

    def _lines(self, beginning: bytes) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as stream:
            for line in stream:
                if line.startswith(beginning):
                    yield json.loads(line)


def _parse_line(line: bytes) -> dict[str, Any] | None:
    """Parse a line of the journal; None where it was cut or torn."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "kind" in entry else None


def make_url_line(entry: LedgerEntry) -> dict[str, Any]:
    """Return an entry as a line of the journal."""
    return {"kind": "url", **{name: value for name, value in asdict(entry).items() if value is not None}}


def write_ledger(folder: str, rows: int, hashes: Iterator[tuple[int, int]], made: str) -> dict[str, int]:
    """Write the journal as ledger.parquet, a row a URL in the order of the list, and robots.parquet.

    Returns the counts by outcome. `hashes` gives (row, hash) in order. Memory: 8 bytes a URL.
    """
    journal = os.path.join(folder, JOURNAL_FILE)
    places = np.full(rows, -1, np.int64)
    robots: dict[str, dict[str, Any]] = {}
    at = 0
    with open(journal, "rb") as stream:
        for line in stream:
            if line.startswith(b'{"kind": "url"'):
                places[json.loads(line)["row"]] = at
            elif line.startswith(b'{"kind": "robots"'):
                entry = json.loads(line)
                robots[entry["origin"]] = {name: entry.get(name) for name in ROBOTS_SCHEMA.names}
            at += len(line)
        counts: dict[str, int] = {}
        with PartWriter(os.path.join(folder, LEDGER_FILE), LEDGER_SCHEMA, made) as writer:
            waiting: list[dict[str, Any]] = []
            for row, hashed in hashes:
                stream.seek(places[row])
                entry = json.loads(stream.readline())
                counts[entry["outcome"]] = counts.get(entry["outcome"], 0) + 1
                waiting.append({**{name: entry.get(name) for name in LEDGER_SCHEMA.names}, "hash": hashed})
                if len(waiting) == LEDGER_GROUP_ROWS:
                    writer.write(pa.Table.from_pylist(waiting, LEDGER_SCHEMA))
                    waiting = []
            if waiting or not rows:
                writer.write(pa.Table.from_pylist(waiting, LEDGER_SCHEMA))
    with PartWriter(os.path.join(folder, ROBOTS_FILE), ROBOTS_SCHEMA, made) as writer:
        writer.write(pa.Table.from_pylist([robots[origin] for origin in sorted(robots)], ROBOTS_SCHEMA))
    return counts
