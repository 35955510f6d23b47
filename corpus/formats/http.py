"""Read the head of an HTTP response as archives hold it, and undo the encodings of its body."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard

HTML_TYPES = {
    "text/html",
    "application/xhtml+xml",
    "application/html",
    "text/xhtml",
    "application/vnd.wap.xhtml+xml",
}
UNKNOWN_TYPES = {"", "application/octet-stream", "unknown/unknown", "application/unknown", "*/*"}
SNIFFED_TYPES = UNKNOWN_TYPES | {
    *(
        "binary/octet-stream",
        "application/octetstream",
        "application/x-unknown",
        "application/x-unknown-content-type",
    ),
    *(
        "application/force-download",
        "application/x-download",
        "application/download",
        "application/x-octet-stream",
    ),
    *(
        "application/x-httpd-php",
        "text/x-server-parsed-html",
        "application/x-asp",
        "text/asp",
        "text/php",
        "text/htm",
    ),
    *("text/*", "text/x-html", "text/html5", "text/unknown", "text/text"),
}
"""What servers say that do not know better."""
TOP_LEVEL_TYPES = frozenset(
    (
        "text",
        "application",
        "image",
        "audio",
        "video",
        "font",
        "model",
        "message",
        "multipart",
        "chemical",
        "x-world",
    )
)
XML_TYPES = {"application/xml", "text/xml"}
HTML_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*){0,4}<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
"""XHTML that is sent as XML."""
STATED_TYPE = re.compile(r"\s*([\w.+*-]+/[\w.+*-]+)\s*(?:;.*)?", re.ASCII | re.DOTALL)
"""A media type as it should be stated."""
TYPE_IN_TEXT = re.compile(
    r"(?<![\w/.+-])(text|application|image|audio|video|font|model|message|multipart)\s*[/\\]\s*([\w.+*-]+)",
    re.ASCII | re.IGNORECASE,
)
CHARSET_ON = re.compile(r"charset.*", re.IGNORECASE | re.DOTALL)
CHARSET_PARAMETER = re.compile(
    r"charset\s*[=:]+(?:\s*charset\s*[=:])?\s*(?:[\"'\\“”]|&quot;|â\x80\x9c)*\s*([\w.:-]+)", re.IGNORECASE
)
STATUS_LINE = re.compile(
    rb"(?:\xef\xbb\xbf)?[\r\n]{0,8}(?:HTTP(?:/\d{1,2}(?:\.\d{1,2})?)?(?:[ \t]*(?=\d{3}\b)|[ \t]+)|ICY[ \t]+)"
    rb"(\d{1,3})(?!\d)([^\r\n]*)",
    re.IGNORECASE,
)
HEADER_OPENING = re.compile(
    rb"(?:content-(?:type|length|encoding|language)|date|server|last-modified|connection|cache-control|expires|"
    rb"transfer-encoding|set-cookie|location|etag|vary|pragma|accept-ranges|tdm-(?:reservation|policy)|content-(?:usage|signal)|"
    rb"x-[\w-]+)[ \t]*:[^\r\n]*\r{0,2}\n",
    re.IGNORECASE,
)
"""The first header of a head that lost its status line."""
HEAD_END = re.compile(rb"\n(?:\r{0,2}\n|\r{0,2}(?=<))")
"""An empty line ends a head, whatever its line ends. So does a line that begins as a tag: the empty line is missing."""
LINE_END = re.compile("\r\n?|\n")
ODD_HEADER_LINES = (b"\n ", b"\n\t", b"\nHTTP/")
"""A header that goes on in the next line, an interim response without its empty line."""
USED_HEADER = re.compile(
    rb"\n(?i:(content-(?:type|length|encoding|usage|signal)|transfer-encoding|x-robots-tag|tdm-reservation))"
    rb"[ \t]*:([^\r\n]*)"
)
BARE_CR = re.compile(rb"\r(?=[^\r\n])")
CR_HEAD_END = re.compile(rb"\r\r\n?|\r(?=<)")
"""The same where lines end in CR alone, as old Macintoshes wrote them."""
HEADERS_APART = frozenset(["x-robots-tag"])
"""Headers whose values may begin with a name that the rest of the value alone is said to."""
MAX_HEAD_BYTES = 1 << 18
"""Longest head of a response. Servers and browsers take some ten KB."""
MAX_INTERIM_RESPONSES = 8
MAX_OPENING_LINES = 200
"""Lines of a head that are read one by one."""
HTML_SNIFF = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|div|table|p|h1)\b", re.IGNORECASE)
BINARY_BYTES = re.compile(rb"[\x00-\x06\x0e-\x1a]")
CHUNK_HEADER = re.compile(rb"[ \t\r\n]{0,8}([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
GZIP_DEFLATE_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_EXTRA_UNPACKINGS = 2
"""How many times a body is unpacked beyond what its headers state."""
INFLATE_BLOCK_BYTES = 1 << 14
"""Compressed bytes given to zlib in one call: what it does not use of them is copied for every member."""
MAX_ZSTD_WINDOW_BYTES = 1 << 27
"""Memory that a body may ask for. RFC 8878 recommends, and browsers take, 8 MiB; archives hold more."""


@dataclass(slots=True)
class Payload:
    """Hold the headers of a response that decide how its body is read."""

    status: int
    content_type: str
    declared_type: str
    transfer_encoding: str = ""
    content_encoding: str = ""

    @property
    def charset(self) -> str | None:
        """The charset of the Content-Type header."""
        match = CHARSET_PARAMETER.search(self.declared_type)
        return match.group(1) if match else None


@dataclass(slots=True)
class ResponseHead:
    """Hold the head of a response: its status (None: no status line), headers by lower-case name, where it ends.

    Values of a header that occurs several times are joined by commas; those of `HEADERS_APART` by line breaks. Of an
    ordinary head it has those that say how the body is read and to what it may be put; `has_headers` tells whether
    there are any.
    """

    status: int | None
    headers: dict[str, str]
    end: int
    has_headers: bool = False

    @property
    def is_final(self) -> bool:
        """Return whether no other head can follow: it is of no interim response, nor what a proxy said."""
        return self.status is None or (
            self.status >= 200 and (self.status > 200 or "content-type" in self.headers)
        )

    def payload(self, default_type: str = "", identified_type: str = "") -> Payload:
        """Return what decides how the body is read; `default_type` is taken where no type is stated.

        Without a status line the response is taken for a page: HTTP/0.9 has none, and some writers drop it.
        """
        headers = self.headers
        declared = headers.get("content-type", "") or default_type
        return Payload(
            status=200 if self.status is None else self.status,
            content_type=identified_type or declared,
            declared_type=declared,
            transfer_encoding=headers.get("transfer-encoding", ""),
            content_encoding=headers.get("content-encoding", ""),
        )


def read_head(block: bytes) -> ResponseHead:
    """Read the head of a response at the beginning of a block, with line ends of any kind.

    Interim responses (100 Continue) and what a proxy said (200 Connection established) are passed over. A block without
    a head is all body.
    """
    head = _read_one_head(block, 0)
    for _ in range(MAX_INTERIM_RESPONSES):
        if head.is_final or not STATUS_LINE.match(block, head.end):
            break
        head = _read_one_head(block, head.end)
    if not head.has_headers and head.status is not None and HEADER_OPENING.match(block, head.end):
        # an empty line between the status and the headers
        headers = _read_one_head(block, head.end)
        head = ResponseHead(head.status, headers.headers, headers.end, headers.has_headers)
    return head


def read_opening(read_line: Callable[[], bytes]) -> bytes:
    """Read the lines of a block up to the empty one behind the first head, or to the first that looks like none.

    What is behind the head can then be read alone: cutting the head from a block costs as much as reading it.
    """
    line = read_line()
    lines = [line]
    if STATUS_LINE.match(line):
        while _is_plain_line(line) and len(lines) < MAX_OPENING_LINES:
            line = read_line()
            lines.append(line)
            if line in (b"\r\n", b"\n") or b":" not in line or line.startswith(b"<"):
                break
    return b"".join(lines)


def _is_plain_line(line: bytes) -> bool:
    return line.endswith(b"\n") and b"\r" not in line[:-2]


def _read_one_head(block: bytes, at: int) -> ResponseHead:
    status = STATUS_LINE.match(block, at)
    if status is None and not HEADER_OPENING.match(block, at):
        return ResponseHead(None, {}, at)
    begin = at if status is None else status.end()
    has_cr_lines = status is not None and BARE_CR.match(block, begin) is not None
    ending = (CR_HEAD_END if has_cr_lines else HEAD_END).search(block, begin, at + MAX_HEAD_BYTES)
    stop, end = ending.span() if ending is not None else (len(block), len(block))
    if status is not None and _has_plain_lines(block, begin, stop + 1):
        return ResponseHead(
            int(status[1]), _read_used_headers(block, begin, stop), end, block.find(b":", begin, stop) >= 0
        )
    headers: dict[str, str] = {}
    name = ""
    code = int(status[1]) if status is not None else None
    for line in LINE_END.split(block[begin:stop].decode("latin-1")):
        key, colon, value = line.partition(":")
        if line.startswith((" ", "\t")) and name:
            headers[name] = f"{headers[name]} {line.strip()}".strip()
        elif line.startswith("HTTP/") and (later := STATUS_LINE.match(line.encode("latin-1"))):
            # an interim response without its empty line
            code, name = int(later[1]), ""
            headers.clear()
        elif colon:
            name, value = key.strip().lower(), value.strip()
            before = headers.setdefault(name, value)
            if before != value:
                headers[name] = _join_values(name, before, value)
    return ResponseHead(code, headers, end, bool(headers))


def _has_plain_lines(block: bytes, begin: int, stop: int) -> bool:
    """Return whether between two places each line is a header, and none ends in CR alone."""
    if block.count(b"\r", begin, stop) != block.count(b"\r\n", begin, stop):
        return False
    return all(block.find(sign, begin, stop) < 0 for sign in ODD_HEADER_LINES)


def _read_used_headers(block: bytes, begin: int, stop: int) -> dict[str, str]:
    """Return the headers between two places that say how a body is read; each is a line."""
    headers: dict[str, str] = {}
    for match in USED_HEADER.finditer(block, begin, stop):
        name, value = match[1].decode("latin-1").lower(), match[2].decode("latin-1").strip()
        before = headers.setdefault(name, value)
        if before != value:
            headers[name] = _join_values(name, before, value)
    return headers


def _join_values(name: str, before: str, value: str) -> str:
    """Return the values of a header that occurs again."""
    joint = "\n" if name in HEADERS_APART else ", "
    return f"{before}{joint}{value}" if before else value


def media_type_of(payload: Payload, raw: bytes) -> str | None:
    """Return `text/html`, `text/plain`, or None for anything else.

    A missing or meaningless type is decided by the first 4 KB: it is HTML if a common tag occurs there. So is one that
    does not parse, unless all the types that are named in it agree.
    """
    declared = stated_type(payload.content_type)
    if declared in HTML_TYPES:
        return "text/html"
    if declared == "text/plain":
        return (
            "text/html"
            if raw[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
            else "text/plain"
        )
    if declared in XML_TYPES:
        return "text/html" if HTML_ROOT.match(raw[:4096]) else None
    if declared in SNIFFED_TYPES or declared.partition("/")[0] not in TOP_LEVEL_TYPES:
        head = raw[:4096]
        return "text/html" if HTML_SNIFF.search(head) and not BINARY_BYTES.search(head) else None
    return None


def stated_type(content_type: str) -> str:
    """Return the media type that a Content-Type states, in lower case; empty where it states none, or several.

    >>> stated_type('"text/html" charset=utf-8'), stated_type("text/html, image/png"), stated_type("html")
    ('text/html', '', '')
    """
    match = STATED_TYPE.fullmatch(content_type)
    if match is not None:
        return match[1].lower()
    named = TYPE_IN_TEXT.findall(CHARSET_ON.sub("", content_type))
    kinds = {"/".join(pair).lower() for pair in named} - UNKNOWN_TYPES
    if len(kinds) > 1 and kinds <= {*HTML_TYPES, "text/plain"}:
        return "text/plain" if "text/plain" in kinds else "text/html"
    return kinds.pop() if len(kinds) == 1 else ""


def decode_body(payload: Payload, raw: bytes, max_bytes: int) -> bytes | str | None:
    """Return the body without transfer and content encodings: None if over `max_bytes`, a str that says what failed.

    A body that was stored decoded under headers that still name the encoding is returned as it is. One that is packed
    in another way than they state, or without their stating it, is recognized by what it unpacks to.
    """
    body = raw
    is_markup = raw.startswith(b"<") and not BINARY_BYTES.search(raw, 0, 256)
    if is_markup and not payload.transfer_encoding and not payload.content_encoding:
        return None if len(raw) > max_bytes else raw
    stated = f"{payload.transfer_encoding},{payload.content_encoding}".lower().count("chunked")
    for _ in range(max(min(stated, 2), _is_chunked(raw))):
        body = _unchunk(body)
    for encoding in reversed([e.strip().lower() for e in payload.content_encoding.split(",")]):
        if encoding in ("", "identity", "none", "utf-8", "8bit", "binary", "chunked"):
            continue
        decoded = _decompress(body, encoding, max_bytes)
        if decoded is None:
            if HTML_SNIFF.search(body[:4096]) and not BINARY_BYTES.search(body[:4096]):
                continue
            decoded = _guess_encoding(body, max_bytes)
        if decoded is None:
            return f"content encoding {encoding[:40]!r} does not decode"
        body = decoded
    for _ in range(MAX_EXTRA_UNPACKINGS):
        if not body.startswith((GZIP_DEFLATE_MAGIC, ZSTD_MAGIC)):
            break
        decoded = _decompress(body, "gzip" if body.startswith(GZIP_DEFLATE_MAGIC) else "zstd", max_bytes)
        if decoded is None:
            return "packed, and it does not decode"
        body = decoded
    if BINARY_BYTES.search(body[:256]) and not HTML_SNIFF.search(body[:4096]):
        unpacked = _decompress(body, "br", max_bytes)
        if unpacked and HTML_SNIFF.search(unpacked[:4096]) and not BINARY_BYTES.search(unpacked[:4096]):
            body = unpacked
    return None if len(body) > max_bytes else body


def _guess_encoding(body: bytes, max_bytes: int) -> bytes | None:
    """Return what a body unpacks to if its encoding is not the one of its headers; None if the result is not text."""
    for encoding in ("gzip", "zstd", "deflate", "br"):
        decoded = _decompress(body, encoding, max_bytes)
        if decoded and not BINARY_BYTES.search(decoded[:4096]):
            return decoded
    return None


def _is_chunked(body: bytes) -> bool:
    """Return whether a body is in chunks, though no header may say so: the first ends where it says, and a last one of
    no bytes ends the body."""
    first = CHUNK_HEADER.match(body)
    if first is None or not body[-16:].rstrip().endswith(b"\n0"):
        return False
    return body.startswith((b"\r\n", b"\n"), first.end() + int(first[1], 16))


def _unchunk(body: bytes) -> bytes:
    """Join the chunks of a body. A body that is not chunked is returned as it is, and so is what follows the last whole
    chunk.
    """
    pieces: list[bytes] = []
    at = 0
    while match := CHUNK_HEADER.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(pieces)
        at = match.end() + size
        pieces.append(body[match.end() : at])
    return b"".join([*pieces, body[at:]])


def _decompress(body: bytes, encoding: str, max_bytes: int) -> bytes | None:
    """Return at most `max_bytes` + 1 bytes of the decompressed body; None if nothing decodes.

    Of a truncated body, return what is there: browsers show it too, and crawlers store truncated bodies as they came.
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
    """Return up to `limit` bytes of a brotli stream.

    Raises brotli.error, and EOFError if the stream ends before its first byte of output.
    """
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
    """Return up to `limit` bytes of a deflate stream or of all members of a gzip body.

    `window` is zlib's: 47 for gzip or zlib, -15 for neither. What follows the last member is ignored, and a
    damaged later member ends the body. Raises zlib.error if the first one is damaged.
    """
    pieces: list[bytes] = []
    inflater = zlib.decompressobj(window)
    at, first = 0, True
    while at < len(body) and limit > 0:
        block = body[at : at + INFLATE_BLOCK_BYTES]
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
            if not body.startswith(GZIP_DEFLATE_MAGIC, at):
                break
            inflater, first = zlib.decompressobj(window), False
    if first and not inflater.eof and not any(pieces):
        raise zlib.error("cut before its first byte")
    return b"".join(pieces)


def _unzstd(body: bytes, limit: int) -> bytes:
    """Return up to `limit` bytes of all frames of a zstd body, or of the first if no frame follows it.

    Raises ZstdError if the first one is damaged.
    """
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES)
    try:
        with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            unpacked = bytes(reader.read(limit))
    except zstandard.ZstdError:
        with decoder.stream_reader(io.BytesIO(body)) as reader:
            unpacked = bytes(reader.read(limit))
    if not unpacked and zstandard.frame_content_size(body) != 0:
        raise EOFError("cut before its first byte")
    return unpacked
