"""What is left of damaged files: every kind of file, damaged in every way, read, and counted.

`python -m tests.damage` prints the table of docs/hardening.md. A record is readable if the damage touches none of
its bytes and its format lets a reader find it: what follows damage in a stream of one piece (a .gz around a whole
file) is not.
"""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard
from fastwarc.stream_io import Lz4Writer

from corpus.document import Failure, Record
from corpus.sources.source import Source
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.web.warc import Warc
from corpus.sources.wikipedia.wiki_dump import Wikipedia

RECORDS = 12
HIT = 5
"""The record that is damaged."""
WORDS = [
    "早上好",
    "世界",
    "สวัสดี",
    "مرحبا",
    "Привет",
    "नमस्ते",
    "morning",
    "bread",
    "river",
    "clock",
    "窗口",
    "снег",
]


def text_of(number: int) -> str:
    """A text that does not compress to nothing."""
    draw = random.Random(number)
    return " ".join(draw.choice(WORDS) + str(draw.randrange(10**6)) for _ in range(120))


@dataclass(frozen=True)
class Kind:
    """A file of `RECORDS` records: its pieces in order, which piece each record is in, and how it is read.

    `resumes`: whether records behind a damaged piece can be found.
    """

    name: str
    pieces: list[bytes]
    source: Source
    resumes: bool = True
    first: int = 0

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)

    def span(self, record: int) -> tuple[int, int]:
        """The bytes of a record's piece."""
        start = sum(map(len, self.pieces[: self.first + record]))
        return start, start + len(self.pieces[self.first + record])


def warc_records() -> list[bytes]:
    found = []
    for number in range(RECORDS):
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        content = http + f"<html><body><p>{text_of(number)}</p></body></html>".encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032}>\r\n"
            f"WARC-Target-URI: https://example.org/{number}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        found.append(head.encode() + content + b"\r\n\r\n")
    return found


def arc_pieces() -> list[bytes]:
    version = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    found = [b"filedesc://a.arc 0.0.0.0 20260102030405 text/plain %d\n" % len(version) + version + b"\n"]
    for number in range(RECORDS):
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        content = http + f"<html><body><p>{text_of(number)}</p></body></html>".encode()
        head = f"https://example.org/{number} 192.0.2.1 20260102030405 text/html {len(content)}\n"
        found.append(head.encode() + content + b"\n")
    return found


def wiki_pieces() -> list[bytes]:
    head = "<mediawiki><siteinfo><dbname>testwiki</dbname></siteinfo>\n"
    pages = [
        f"<page><title>Page {number}</title><ns>0</ns><id>{number + 1}</id><revision><id>{number + 100}</id>"
        f"<text>{text_of(number)}</text></revision></page>\n"
        for number in range(RECORDS)
    ]
    return [piece.encode() for piece in (head, *pages, "</mediawiki>\n")]


def lz4(data: bytes) -> bytes:
    packed = io.BytesIO()
    with Lz4Writer(packed) as stream:
        stream.write(data)
    return packed.getvalue()


def kinds() -> list[Kind]:
    """Every kind of file."""
    warc, wiki, arc = warc_records(), wiki_pieces(), arc_pieces()
    lines = [f'{{"id": "{number}", "text": "{text_of(number)}"}}\n'.encode() for number in range(RECORDS)]
    web, wikipedia, jsonl = Warc(paths=["x"]), Wikipedia(paths=["x"]), Jsonl(paths=["x"])
    return [
        Kind("WARC .gz", [gzip.compress(one, mtime=0) for one in warc], web),
        Kind("WARC", warc, web),
        Kind("WARC .zst", [zstandard.compress(one) for one in warc], web),
        Kind("WARC .lz4", [lz4(one) for one in warc], web),
        Kind("ARC .gz", [gzip.compress(one, mtime=0) for one in arc], web, first=1),
        Kind("ARC", arc, web, first=1),
        Kind("Wikipedia .bz2, streams", [bz2.compress(one) for one in wiki], wikipedia, first=1),
        Kind("Wikipedia XML", wiki, wikipedia, first=1),
        Kind("JSON Lines", lines, jsonl),
        Kind("JSON Lines .gz, one member", [gzip.compress(b"".join(lines), mtime=0)], jsonl, resumes=False),
    ]


def flipped(content: bytes, start: int, end: int) -> bytes:
    """A byte in the middle turned around."""
    at = (start + end) // 2
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def blotted(content: bytes, start: int, end: int) -> bytes:
    """The head and half of the rest overwritten with noise."""
    half = (end - start) // 2
    return content[:start] + random.Random(1).randbytes(half) + content[start + half :]


def zeroed(content: bytes, start: int, end: int) -> bytes:
    """All of it overwritten with zeros."""
    return content[:start] + bytes(end - start) + content[end:]


def inserted(content: bytes, start: int, _: int) -> bytes:
    """Noise between it and the one before."""
    return content[:start] + random.Random(2).randbytes(3000) + content[start:]


def dropped(content: bytes, start: int, end: int) -> bytes:
    """Its second half missing."""
    return content[: (start + end) // 2] + content[end:]


def cut(content: bytes, start: int, end: int) -> bytes:
    """The file ends in the middle of it."""
    return content[: (start + end) // 2]


DAMAGES: dict[str, Callable[[bytes, int, int], bytes]] = {
    "a byte flipped": flipped,
    "half of it noise": blotted,
    "zeros over it": zeroed,
    "noise before it": inserted,
    "its second half missing": dropped,
    "the file cut in it": cut,
}
EARLY = {"its second half missing": 5, "the file cut in it": 5}
"""Records before the damage in a stream of one piece, hit in its middle: none where a decoder takes it in one go."""
UNSEEN = {("WARC", "a byte flipped"), ("WARC .zst", "a byte flipped"), ("ARC", "a byte flipped")}
UNSEEN |= {("Wikipedia XML", "a byte flipped")}
"""Damage inside a text that nothing in the file tells: there is no checksum over it."""
WHOLE = {"noise before it"}
"""Damages that leave the record itself whole."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    kind: str
    damage: str
    readable: int
    used: int
    named: int
    errors: tuple[str, ...]


def readable(kind: Kind, damage: str) -> int:
    """Records that the damage leaves readable."""
    if not kind.resumes:
        return EARLY.get(damage, 0)
    if damage == "the file cut in it":
        return HIT
    if kind.name == "JSON Lines" and damage in WHOLE:
        return RECORDS - 1  # what stands before a record is on its line
    if kind.name == "JSON Lines" and damage == "its second half missing":
        return RECORDS - 2  # its line end is gone too
    return RECORDS if damage in WHOLE else RECORDS - 1


def rows() -> Iterator[Row]:
    """Every kind with every damage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for kind in kinds():
            start, end = kind.span(HIT) if kind.resumes else (0, len(kind.content))
            for damage, spoil in DAMAGES.items():
                path.write_bytes(spoil(kind.content, start, end))
                found = list(kind.source.read(str(path), "file", 0, path.stat().st_size))
                texts = {text_of(number) for number in range(RECORDS)}
                used = sum(isinstance(one, Record) and is_whole(one, texts) for one in found)
                losses = [one for one in found if isinstance(one, Failure)]
                named = len(losses)
                errors = tuple(one.error for one in losses)
                yield Row(kind.name, damage, readable(kind, damage), used, named, errors)


def is_whole(record: Record, texts: set[str]) -> bool:
    """Whether a record carries one of the texts, whole."""
    body = record.body if isinstance(record.body, str) else record.body.decode("utf-8", "replace")
    return any(text in body for text in texts)


def table() -> str:
    """The rows as Markdown."""
    lines = [
        f"| kind | damage to one record of {RECORDS} | readable | used | losses named |",
        "|---|---|---|---|---|",
    ]
    for row in rows():
        named = "not seen: no checksum" if (row.kind, row.damage) in UNSEEN else str(row.named)
        lines.append(f"| {row.kind} | {row.damage} | {row.readable} | {row.used} | {named} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
