"""What an HTTP response says about its body, and the body with its encodings undone."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass

import brotli
import zstandard

HTML_TYPES = {"text/html", "application/xhtml+xml", "application/html", "text/xhtml"}
UNKNOWN_TYPES = {"", "application/octet-stream", "unknown/unknown", "application/unknown", "*/*"}
CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
SNIFF = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|div|table|p|h1)\b", re.IGNORECASE)
BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a]")
CHUNK = re.compile(rb"[ \t\r\n]{0,8}([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
GZIP = b"\x1f\x8b\x08"
ZSTD = b"\x28\xb5\x2f\xfd"
TWICE = 2
"""How often a body is unpacked beyond what its headers say."""
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

    A body that was stored decoded under headers that still name the encoding is taken as it is. One that is
    packed otherwise than they say, or without their saying so, is told by what it unpacks to.
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
            decoded = _guessed(body, max_bytes)
        if decoded is None:
            return f"content encoding {encoding[:40]!r} does not decode"
        body = decoded
    for _ in range(TWICE):
        if not body.startswith((GZIP, ZSTD)):
            break
        decoded = _decompress(body, "gzip" if body.startswith(GZIP) else "zstd", max_bytes)
        if decoded is None:
            return "packed, and it does not decode"
        body = decoded
    return None if len(body) > max_bytes else body


def _guessed(body: bytes, max_bytes: int) -> bytes | None:
    """What a body unpacks to whose encoding is another than its headers say; None where that is no text."""
    for encoding in ("gzip", "zstd", "deflate", "br"):
        decoded = _decompress(body, encoding, max_bytes)
        if decoded and not BINARY.search(decoded[:4096]):
            return decoded
    return None


def _unchunk(body: bytes) -> bytes:
    """Chunks joined; the body as it is where it is not chunked; what is behind the last whole chunk as it is, too."""
    pieces: list[bytes] = []
    at = 0
    while match := CHUNK.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(pieces)
        at = match.end() + size
        pieces.append(body[match.end() : at])
    return b"".join([*pieces, body[at:]])


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
            return _unbrotli(body, limit)
        if encoding == "zstd":
            return _unzstd(body, limit)
    except (ValueError, EOFError, zlib.error, zstandard.ZstdError, brotli.error):
        return None
    return None


def _unbrotli(body: bytes, limit: int) -> bytes:
    """Up to `limit` bytes of a brotli stream. Raises brotli.error, EOFError where it is cut before its first byte."""
    decoder = brotli.Decompressor()
    pieces = [decoder.process(body, output_buffer_limit=limit)]
    limit -= len(pieces[0])
    while limit > 0 and not decoder.is_finished() and pieces[-1]:
        pieces.append(decoder.process(b"", output_buffer_limit=limit))
        limit -= len(pieces[-1])
    if not pieces[0] and not decoder.is_finished():
        raise EOFError("cut")
    return b"".join(pieces)


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
    if first and not inflater.eof and not any(pieces):
        raise zlib.error("cut before its first byte")
    return b"".join(pieces)


def _unzstd(body: bytes, limit: int) -> bytes:
    """Up to `limit` bytes of all frames of a zstd body, of the first where no frame follows it.

    Raises ZstdError where the first one is damaged.
    """
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    try:
        with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            found = bytes(reader.read(limit))
    except zstandard.ZstdError:
        with decoder.stream_reader(io.BytesIO(body)) as reader:
            found = bytes(reader.read(limit))
    if not found and zstandard.frame_content_size(body) != 0:
        raise EOFError("cut before its first byte")
    return found
