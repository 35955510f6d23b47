"""Web archives: every readable record once, whatever the splits; every loss in its place."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.document import Failure, Record
from corpus.sources.web.warc import Warc

PAGES = {
    "https://example.org/zh": "<html><body><p>早上好，世界。今天天气很好。</p></body></html>",
    "https://example.org/th": "<html><body><p>สวัสดีชาวโลก วันนี้อากาศดี</p></body></html>",
    "https://example.org/ar": "<html><body><p>مرحبا بالعالم</p></body></html>",
    "https://example.org/ru": "<html><body><p>Привет, мир</p></body></html>",
}
SOURCE = Warc(paths=["unused"])


def write_warc(
    path: Path, pages: dict[str, str], compress: bool = True, headers: tuple[tuple[str, str], ...] = ()
) -> list[int]:
    """A WARC of the pages; the offset of each record."""
    offsets = []
    with open(path, "wb") as output:
        writer = WARCWriter(output, gzip=compress)
        for url, html in pages.items():
            offsets.append(output.tell())
            http = StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8"), *headers], protocol="HTTP/1.1"
            )
            body = io.BytesIO(html.encode())
            writer.write_record(
                writer.create_warc_record(
                    url,
                    "response",
                    payload=body,
                    http_headers=http,
                    warc_headers_dict={"WARC-Date": "2026-01-02T03:04:05Z"},
                )
            )
    return offsets


def read(path: Path, split_size: int = 1 << 40) -> list[Record | Failure]:
    size = path.stat().st_size
    found: list[Record | Failure] = []
    for start, end in SOURCE.plan(str(path), size, split_size):
        found += SOURCE.read(str(path), path.name, start, end)
    return found


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("split_size", [1, 100, 500, 1 << 40])
def test_every_page_comes_once_whatever_the_splits(tmp_path: Path, compress: bool, split_size: int) -> None:
    path = tmp_path / "a.warc"
    offsets = write_warc(path, PAGES, compress)
    found = read(path, split_size)
    assert [(r.url, r.offset) for r in found if isinstance(r, Record)] == list(
        zip(PAGES, offsets, strict=True)
    )
    assert [r.body.decode() for r in found if isinstance(r, Record) and isinstance(r.body, bytes)] == list(
        PAGES.values()
    )
    assert {(r.media_type, r.charset, r.date) for r in found if isinstance(r, Record)} == {
        ("text/html", "utf-8", "2026-01-02T03:04:05Z")
    }


@pytest.mark.parametrize("split_size", [50, 1 << 40])
def test_a_damaged_record_costs_itself_only(tmp_path: Path, split_size: int) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = write_warc(path, PAGES)
    content = bytearray(path.read_bytes())
    for at in range(offsets[1] + 30, offsets[1] + 60):
        content[at] ^= 0xFF
    path.write_bytes(content)
    found = read(path, split_size)
    urls = [r.url for r in found if isinstance(r, Record)]
    failures = [f for f in found if isinstance(f, Failure)]
    assert urls == [url for url in PAGES if not url.endswith("/th")]
    assert [(f.offset, f.offset + f.length) for f in failures] == [(offsets[1], offsets[2])]


def test_a_file_cut_in_a_record_that_a_gate_stops_says_so(tmp_path: Path) -> None:
    """A revisit: nothing of it is missed, but what stood behind it is."""
    path = tmp_path / "a.warc.gz"
    write_warc(path, PAGES)
    whole = path.read_bytes()
    with open(path, "ab") as output:
        writer = WARCWriter(output, gzip=True)
        writer.write_record(
            writer.create_revisit_record(
                "https://a.example/", "sha1:AAAA", "https://a.example/", "2026-01-01T00:00:00Z"
            )
        )
    path.write_bytes(path.read_bytes()[:-12])
    found = list(Warc(paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size))
    assert [record.gate for record in found if isinstance(record, Record)][-1] == "warc.revisit"
    (failure,) = [record for record in found if isinstance(record, Failure)]
    assert (failure.offset, failure.error) == (len(whole), "the file ends inside this record")


def test_a_file_cut_in_its_last_record_loses_that_one_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = write_warc(path, PAGES)
    path.write_bytes(path.read_bytes()[: offsets[3] + 80])
    found = read(path)
    assert [r.url for r in found if isinstance(r, Record)] == list(PAGES)[:3]
    assert [f.offset for f in found if isinstance(f, Failure)] == [offsets[3]]


def test_one_gzip_member_around_all_records_is_read_whole(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.warc", tmp_path / "b.warc.gz"
    write_warc(plain, PAGES, compress=False)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(SOURCE.plan(str(packed), packed.stat().st_size, 100)) == 1
    assert [r.url for r in read(packed, 100) if isinstance(r, Record)] == list(PAGES)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a not an archive", b"\x1f\x8b\x08\x00garbage", b"PK\x03\x04zip"]
)
def test_what_is_no_archive_is_a_failure_with_its_place(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)
    (failure,) = read(path)
    assert isinstance(failure, Failure)
    assert (failure.offset, failure.step) == (0, "read")


def test_gates_name_what_stopped_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with open(path, "wb") as output:
        writer = WARCWriter(output, gzip=True)
        for status, kind, body in [
            ("404 Not Found", "text/html", b"<html>gone</html>"),
            ("200 OK", "image/png", b"\x89PNG"),
            ("200 OK", "text/html", b"   "),
            ("200 OK", "", b"<!doctype html><p>no type but HTML</p>"),
            ("200 OK", "application/octet-stream", b"\x00\x01\x02<p>"),
        ]:
            http = StatusAndHeaders(status, [("Content-Type", kind)] if kind else [], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    "http://example.org/", "response", payload=io.BytesIO(body), http_headers=http
                )
            )
    gates = [r.gate for r in read(path) if isinstance(r, Record)]
    assert gates == ["warc.status", "warc.media_type", "warc.empty", None, "warc.media_type"]


def test_content_encodings_are_undone_and_false_ones_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    html = PAGES["https://example.org/zh"].encode()
    chunked = f"{len(html):x}\r\n".encode() + html + b"\r\n0\r\n\r\n"
    with open(path, "wb") as output:
        writer = WARCWriter(output, gzip=True)
        for name, value, body in [
            ("Content-Encoding", "gzip", gzip.compress(html)),
            ("Content-Encoding", "gzip", html),
            ("Transfer-Encoding", "chunked", chunked),
            ("Transfer-Encoding", "chunked", html),
            ("Content-Encoding", "identity", html),
        ]:
            http = StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html"), (name, value)], protocol="HTTP/1.1"
            )
            writer.write_record(
                writer.create_warc_record(
                    "http://example.org/", "response", payload=io.BytesIO(body), http_headers=http
                )
            )
    assert [r.body for r in read(path) if isinstance(r, Record)] == [html] * 5


@pytest.mark.parametrize("kind", ["warc.gz", "warc", "wacz", "arc"])
def test_headers_that_speak_of_training_are_kept(tmp_path: Path, kind: str) -> None:
    said = (
        ("X-Robots-Tag", "GPTBot: nofollow"),
        ("x-robots-tag", "noindex"),
        ("X-Robots-Tag", "otherbot: NoImageAI, NOAI"),
        ("TDM-Reservation", "1"),
    )
    path = tmp_path / f"a.{kind}"
    if kind == "arc":
        head = "".join(f"{name}: {value}\r\n" for name, value in said).encode()
        write_arc(path, {url: html.encode() for url, html in PAGES.items()}, head)
    else:
        plain = tmp_path / "a.warc.gz" if kind == "wacz" else path
        write_warc(plain, PAGES, compress=kind != "warc", headers=said)
        if kind == "wacz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(plain, "archive/a.warc.gz")
    records = [one for one in read(path) if isinstance(one, Record)]
    assert len(records) == len(PAGES)
    assert {one.opt_out for one in records} == {"noai noimageai tdm-reservation"}


def write_arc(path: Path, bodies: dict[str, bytes], headers: bytes = b"") -> None:
    """An ARC file, plain."""

    def record(head: bytes, content: bytes) -> bytes:
        return head % len(content) + content + b"\n"

    version = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    pieces = [record(b"filedesc://a.arc 0.0.0.0 20260102030405 text/plain %d\n", version)]
    for url, body in bodies.items():
        response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + headers + b"\r\n" + body
        pieces.append(record(url.encode() + b" 1.2.3.4 20260102030405 text/html %d\n", response))
    path.write_bytes(b"".join(pieces))


def test_a_body_over_the_limit_is_gated_and_not_read(tmp_path: Path) -> None:
    big = b"<html><p>" + b"x " * (4 << 20) + b"</p></html>"
    small = PAGES["https://example.org/th"].encode()
    source = Warc.model_validate({"kind": "warc", "paths": ["x"], "max_bytes": "64KiB"})
    arc, warc = tmp_path / "a.arc", tmp_path / "a.warc.gz"
    write_arc(arc, {"http://a.org/": small, "http://b.org/": big, "http://c.org/": small})
    write_warc(
        warc,
        {"http://a.org/": small.decode(), "http://b.org/": big.decode(), "http://c.org/": small.decode()},
    )
    for path in (arc, warc):
        tracemalloc.start()
        found = list(source.read(str(path), path.name, 0, path.stat().st_size))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [(r.url, r.reason if isinstance(r, Failure) else r.gate) for r in found] == [
            ("http://a.org/", None),
            ("http://b.org/", "bytes"),
            ("http://c.org/", None),
        ]
        assert peak < len(big), path.name


@pytest.mark.parametrize(
    "folder", ["warc/warcio-testdata", "warc/pywb", "warc/resiliparse", "warc/cc-whirlwind"]
)
def test_real_archives_give_the_same_records_for_any_splits(data: Path, folder: str) -> None:
    seen = 0
    for path in sorted((data / folder).iterdir()):
        if not path.name.endswith(
            (".warc", ".warc.gz", ".arc", ".arc.gz", ".bad", ".lz4", ".wet.gz", ".wacz")
        ):
            continue
        whole, pieces = read(path), read(path, 1000)
        assert [(type(r), r.offset) for r in whole] == [(type(r), r.offset) for r in pieces], path.name
        seen += len(whole)
    assert seen > 2


def test_known_bad_archives_place_their_losses(data: Path) -> None:
    folder = data / "warc" / "warcio-testdata"
    assert [f.offset for f in read(folder / "bad.arc") if isinstance(f, Failure)] == [262]


def test_a_real_record_that_says_it_is_shorter_than_it_is_is_read_whole(data: Path) -> None:
    (page,) = read(data / "warc" / "warcio-testdata" / "example-trunc.warc")
    assert isinstance(page, Record)
    assert (page.offset, page.length) == (1197, 2566 - 1197)
    assert bytes(page.body).rstrip().endswith(b"</html>")  # packed: two bytes less would not decode


def test_every_page_of_a_real_crawl_is_there(data: Path) -> None:
    counts = Counter(type(r).__name__ for r in read(data / "warc" / "web-open.warc.gz", 1 << 20))
    assert counts == {"Record": 2094}
