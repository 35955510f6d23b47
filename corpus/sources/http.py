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
    """At most `max_bytes` + 1 bytes of the decompressed body, also of a cut one; None if nothing decodes."""
    limit = max_bytes + 1
    try:
        if encoding in ("gzip", "x-gzip", "deflate"):
            for window in (47, -15):
                try:
                    return zlib.decompressobj(window).decompress(body, limit)
                except zlib.error:
                    continue
            return None
        if encoding == "br":
            return BrotliReader(io.BytesIO(body)).read(limit) or None
        if encoding == "zstd":
            with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(
                io.BytesIO(body)
            ) as reader:
                return bytes(reader.read(limit))
    except (OSError, ValueError, EOFError, RuntimeError, zstandard.ZstdError):
        return None
    return None
