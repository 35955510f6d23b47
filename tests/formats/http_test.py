"""Bodies of HTTP responses: encodings undone, as far as they go."""

from __future__ import annotations

import gzip
import io
import time
import zlib
from functools import partial

import brotli
import pytest
import zstandard

from corpus.formats.http import Payload, decode_body, media_type_of, read_head, read_opening

LINES = "".join(f"<p>{n} 早上好，世界。{n * 7919} Привет, мир.</p>" for n in range(9000))
"""Longer than a block of zstd."""
PAGE = "<html><body><p>早上好，世界。Привет, мир. สวัสดีชาวโลก</p></body></html>".encode() * 400
LIMIT = 1 << 20


def decoded(body: bytes, encoding: str, max_bytes: int = LIMIT) -> bytes | str | None:
    return decode_body(Payload(200, "text/html", "text/html", content_encoding=encoding), body, max_bytes)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("zstd", zstandard.compress),
        ("br", partial(brotli.compress, quality=5)),
    ],
)
def test_a_packed_body_is_unpacked_and_a_cut_one_as_far_as_it_goes(encoding: str, pack) -> None:  # type: ignore[no-untyped-def]
    packed = pack(PAGE)
    assert decoded(packed, encoding) == PAGE
    whole = LINES.encode()
    cut = decoded(pack(whole)[:-5], encoding)
    assert isinstance(cut, bytes) and len(cut) > len(whole) // 2
    assert whole.startswith(cut)
    assert decoded(packed[:11], encoding) == f"content encoding {encoding!r} does not decode"
    assert decoded(packed, encoding, len(PAGE) - 1) is None


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_all_members_of_a_body_are_read(encoding: str, pack) -> None:  # type: ignore[no-untyped-def]
    body = pack(PAGE[:100]) + pack(b"") + pack(PAGE[100:5000]) + pack(PAGE[5000:])
    assert decoded(body, encoding) == PAGE
    assert decoded(body, encoding, len(PAGE)) == PAGE
    assert decoded(body, encoding, len(PAGE) - 1) is None
    assert decoded(body, encoding, 4999) is None


def test_what_follows_the_last_member_is_ignored() -> None:
    assert decoded(gzip.compress(PAGE) + b"\0" * 512, "gzip") == PAGE
    assert decoded(gzip.compress(PAGE) + b"\x1f\x8b\x08 is no member", "gzip") == PAGE
    assert decoded(zlib.compress(PAGE) + b"\r\n", "deflate") == PAGE
    assert decoded(zstandard.compress(PAGE) + b"\r\n", "zstd") == PAGE


PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress, "br": brotli.compress}


@pytest.mark.parametrize("said", PACKERS)
@pytest.mark.parametrize("packed", PACKERS)
def test_a_body_that_is_packed_otherwise_than_its_headers_say_is_read(packed: str, said: str) -> None:
    assert decoded(PACKERS[packed](PAGE), said) == PAGE


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_body_that_is_packed_without_saying_so_or_twice_is_read(packed: str) -> None:
    once = PACKERS[packed](PAGE)
    assert decoded(once, "") == PAGE
    assert decoded(PACKERS[packed](once), packed) == PAGE
    assert decoded(once, "", len(PAGE) - 1) is None


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def unchunked(body: bytes) -> bytes | str | None:
    return decode_body(Payload(200, "text/html", "text/html", transfer_encoding="chunked"), body, LIMIT)


def test_chunks_are_joined_as_far_as_they_go() -> None:
    body = chunked(PAGE, 1000)
    assert unchunked(body) == PAGE
    assert unchunked(PAGE) == PAGE
    cut = unchunked(body[: len(body) // 2])
    assert isinstance(cut, bytes) and len(cut) > len(PAGE) * 0.49 and PAGE.startswith(cut)
    assert unchunked(b"ffffffff\r\n" + PAGE) == PAGE  # a chunk of 4 GiB
    assert unchunked(b"%x;x=" % len(PAGE) + b"y" * 100_000 + b"\r\n" + PAGE + b"\r\n0\r\n\r\n") == PAGE
    assert unchunked(b"5\r\n" + PAGE) == PAGE  # a length that is none


def test_what_does_not_decode_is_said() -> None:
    damaged = bytearray(gzip.compress(PAGE))
    damaged[20] ^= 0xFF
    assert decoded(bytes(damaged), "gzip") == "content encoding 'gzip' does not decode"
    assert decoded(b"\x28\xb5\x2f\xfd nothing", "zstd") == "content encoding 'zstd' does not decode"


def test_a_body_of_many_empty_members_takes_no_time() -> None:
    started = time.perf_counter()
    assert decoded(gzip.compress(b"") * 100_000, "gzip") == b""
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("block", "opening"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: a\r\n\r\n<p>b: c</p>", b"HTTP/1.1 200 OK\r\nServer: a\r\n\r\n"),
        (b"HTTP/1.0 404\nServer: a\n\n\n<p>", b"HTTP/1.0 404\nServer: a\n\n"),
        (b"HTTP/1.1 200 OK\n\nbody", b"HTTP/1.1 200 OK\n\n"),
        (b"<p>no head</p>\n\n", b"<p>no head</p>\n"),
        (b"", b""),
    ],
)
def test_a_head_is_read_line_by_line(block: bytes, opening: bytes) -> None:
    assert read_opening(io.BytesIO(block).readline) == opening


@pytest.mark.parametrize(
    "block",
    [
        b"HTTP/1.1 200 OK\r\nServer: a\r\n<p>the empty line is missing: x</p>\r\n\r\n<p>",
        b"HTTP/1.1 200 OK\rServer: a\r\r<p>old line ends</p>",
        b"HTTP/1.1 200 OK\r\nServer: a\r\r\n\r\r\n<p>doubled</p>",
        b"HTTP/1.1 200 OK\r\nServer: a\r\n folded\r\nno colon\r\n\r\n<p>",
        b"HTTP/1.1 200 OK\r\nServer: a",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n<p>",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>",
    ],
)
def test_what_is_no_plain_head_is_read_with_its_block(block: bytes) -> None:
    opening = read_opening(io.BytesIO(block).readline)
    head = read_head(opening)
    assert block.startswith(opening)
    assert head.end < len(opening) or not head.is_final or head.end == read_head(block).end


@pytest.mark.parametrize(
    "stated",
    ["binary/octet-stream", "application/x-httpd-php", "text/htm", "txt/html", "text/*", "application/xml", "text/xml",
     "application/vnd.wap.xhtml+xml", "application/force-download"],
)  # fmt: skip
def test_a_page_under_a_type_that_says_little(stated: str) -> None:
    page = b'<?xml version="1.0"?>\n<!-- a -->\n<html xmlns="http://www.w3.org/1999/xhtml"><body><p>x</p></body></html>'
    assert media_type_of(Payload(200, stated, stated), page) == "text/html"
    if stated in ("application/xml", "text/xml"):
        assert (
            media_type_of(Payload(200, stated, stated), b"<?xml version='1.0'?><rss><p>x</p></rss>") is None
        )


@pytest.mark.parametrize(
    "stated",
    ["text/html; charset==gbk", "text/html; charset=charset=gbk", 'text/html;charset=\\"gbk\\"',
     "text/html; charset=&quot;gbk&quot;", "text/html;charset=;charset=gbk"],
)  # fmt: skip
def test_a_charset_behind_more_signs_than_it_should(stated: str) -> None:
    assert Payload(200, stated, stated).charset == "gbk"


def test_bodies_in_chunks_that_no_header_states_or_twice() -> None:
    page = "<html><body>渡轮</body></html>".encode()
    once = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)
    twice = b"%x\r\n%s\r\n0\r\n\r\n" % (len(once), once)
    for transfer, content, body in (
        ("", "", once),
        ("", "chunked", once),
        ("chunked, chunked", "", twice),
        ("chunked, chunked", "", once),
        ("", "", brotli.compress(page * 9)),
    ):
        want = page if body in (once, twice) else page * 9
        assert decode_body(Payload(200, "text/html", "text/html", transfer, content), body, 1 << 20) == want
    assert decode_body(Payload(200, "text/plain", "text/plain"), b"5\nfive\n0", 99) == b"5\nfive\n0"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 100 Continue\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nContent-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n Content-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type:\r\n\ttext/html\r\n\r\n",
        b"HTTP/1.1200 OK\nContent-Type: text/html\n\n",
        b"ICY 200 OK\r\nContent-Type: text/html\r\n\r\n",
        b"\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: \xe6\x85\x85content-type: b\r\n\r\n",
    ],
)
def test_heads_that_servers_and_crawlers_spoil(head: bytes) -> None:
    body = b"words\r\n\r\n<html>"
    read = read_head(head + body)
    assert (read.status, read.headers["content-type"], (head + body)[read.end :]) == (200, "text/html", body)
