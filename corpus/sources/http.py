"""What an HTTP response says about its body, and the body with its encodings undone."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass

import zstandard
from fastwarc.stream_io import BrotliReader, ChunkedReader

HTML_TYPES = {"text/html", "application/xhtml+xml", "application/html", "text/xhtml"}
UNKNOWN_TYPES = {"", "application/octet-stream", "unknown/unknown", "application/unknown", "*/*"}
CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
SNIFF = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|div|table|p|h1)\b", re.IGNORECASE)
BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a]")
GZIP = b"\x1f\x8b\x08"
BLOCK = 1 << 14
"""Compressed bytes given to zlib at once: what it does not use of them is copied for every member."""
ZSTD_WINDOW = 1 << 27
"""Memory that a body may ask for. RFC 8878 recommends, and browsers take, 8 MiB; archives hold more."""


@dataclass(slots=True)
class Payload:
    """The headers of a response that decide how its body is read."""

    status: int
    content_type: str
    declared_type: str
    transfer_encoding: str = ""
    content_encoding: str = ""

    @property
    def charset(self) -> str | None:
        """The charset of the Content-Type header."""
        found = CHARSET.search(self.declared_type)
        return found.group(1) if found else None


def media_type_of(payload: Payload, raw: bytes) -> str | None:
    """`text/html`, `text/plain`, or None for anything else.

    A missing or meaningless type is decided by the first 4 KB: it is HTML where a common tag is near.
    """
    declared = payload.content_type.partition(";")[0].strip().lower()
    if declared in HTML_TYPES:
        return "text/html"
    if declared == "text/plain":
        return (
            "text/html"
            if raw[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
            else "text/plain"
        )
    if declared in UNKNOWN_TYPES or "/" not in declared:
        head = raw[:4096]
        return "text/html" if SNIFF.search(head) and not BINARY.search(head) else None
    return None


def body_of(payload: Payload, raw: bytes, max_bytes: int) -> bytes | str | None:
    """The body without transfer and content encodings; None over `max_bytes`; a str says what failed.

    A body that was stored decoded under headers that still name the encoding is taken as it is.
    """
    body = raw
    if "chunked" in payload.transfer_encoding.lower():
        body = _unchunk(body)
    for encoding in reversed([e.strip().lower() for e in payload.content_encoding.split(",")]):
        if encoding in ("", "identity", "none", "utf-8", "8bit", "binary"):
            continue
        decoded = _decompress(body, encoding, max_bytes)
        if decoded is None:
            if SNIFF.search(body[:4096]) and not BINARY.search(body[:4096]):
                continue
            return f"content encoding {encoding[:40]!r} does not decode"
        body = decoded
    return None if len(body) > max_bytes else body


def _unchunk(body: bytes) -> bytes:
    """Chunks joined; the body as it is where it is not chunked, or what could be read of broken chunks."""
    if not re.match(rb"[0-9a-fA-F]{1,8}[ \t]*(?:;[^\r\n]*)?\r?\n", body):
        return body
    reader = ChunkedReader(io.BytesIO(body))
    pieces: list[bytes] = []
    try:
        while piece := reader.read(1 << 16):
            pieces.append(piece)
    except (OSError, ValueError, EOFError, RuntimeError):
        return b"".join(pieces) or body
    return b"".join(pieces)


def _decompress(body: bytes, encoding: str, max_bytes: int) -> bytes | None:
    """At most `max_bytes` + 1 bytes of the decompressed body; None if nothing decodes.

    Of a body that was cut, what is there: browsers show it too, and crawlers store cut bodies as they came.
    """
    limit = max_bytes + 1
    try:
        if encoding in ("gzip", "x-gzip", "deflate"):
            try:
                return _inflate(body, 47, limit)
            except zlib.error:
                return _inflate(body, -15, limit)
        if encoding == "br":
            return BrotliReader(io.BytesIO(body)).read(limit) or None
        if encoding == "zstd":
            return _unzstd(body, limit)
    except (OSError, ValueError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError):
        return None
    return None


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Up to `limit` bytes of a deflate stream or of all members of a gzip body.

    `window` is zlib's: 47 for gzip or zlib, -15 for neither. What follows the last member is ignored, and a
    later member ends the body where it is damaged. Raises zlib.error where the first one is damaged.
    """
    pieces: list[bytes] = []
    inflater = zlib.decompressobj(window)
    at, first = 0, True
    while at < len(body) and limit > 0:
        block = body[at : at + BLOCK]
        try:
            piece = inflater.decompress(block, limit)
        except zlib.error:
            if first:
                raise
            break
        pieces.append(piece)
        limit -= len(piece)
        at += len(block) - len(inflater.unused_data)
        if inflater.eof:
            if not body.startswith(GZIP, at):
                break
            inflater, first = zlib.decompressobj(window), False
    return b"".join(pieces)


def _unzstd(body: bytes, limit: int) -> bytes:
    """Up to `limit` bytes of all frames of a zstd body, of the first where no frame follows it.

    Raises ZstdError where the first one is damaged.
    """
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    try:
        with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            return bytes(reader.read(limit))
    except zstandard.ZstdError:
        with decoder.stream_reader(io.BytesIO(body)) as reader:
            return bytes(reader.read(limit))
