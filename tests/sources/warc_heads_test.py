"""Heads of records and responses as tools write them: line ends of any kind, drafts of WARC, heads that are missing."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from corpus.document import Failure, Record
from corpus.sources.web.warc import Warc
from tests.damage import lz4

TEXTS = ["早上好，世界。", "สวัสดีชาวโลก", "مرحبا بالعالم", "Привет, мир", "नमस्ते दुनिया"]
PAGES = [f"<html><body>\n\n<p>{text}</p>\r\n\r\n<p>WARC/1.0</p></body></html>".encode() for text in TEXTS]
"""Pages with empty lines of both kinds, and what looks like another record."""
SOURCE = Warc(paths=["unused"])
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    ".warc": bytes,
    ".warc.gz": gzip.compress,
    ".warc.zst": zstandard.compress,
    ".warc.lz4": lz4,
}
STATUS = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


def record(
    body: bytes,
    number: int = 0,
    *,
    line_end: bytes = b"\r\n",
    version: bytes = b"WARC/1.0",
    kind: bytes = b"response",
    url: bytes | None = None,
    head: bytes = STATUS,
    media_type: bytes = b"application/http; msgtype=response",
    after: bytes | None = None,
    more: tuple[bytes, ...] = (),
    length: int | None = None,
) -> bytes:
    """A record; `after` is what ends it, `length` what it says of its block."""
    block = head + body
    lines = [
        version,
        b"WARC-Type: " + kind,
        b"WARC-Record-ID: <urn:uuid:%d>" % number,
        b"WARC-Target-URI: " + (url or b"http://example.org/%d" % number),
        b"WARC-Date: 2009-02-03T04:05:06Z",
        b"Content-Type: " + media_type,
        *more,
        b"Content-Length: %d" % (len(block) if length is None else length),
    ]
    return line_end.join(lines) + 2 * line_end + block + (2 * line_end if after is None else after)


def read(path: Path, split_size: int = 1 << 40) -> list[Record | Failure]:
    size = path.stat().st_size
    outcomes: list[Record | Failure] = []
    for start, end in SOURCE.plan(str(path), size, split_size):
        outcomes += SOURCE.read(str(path), path.name, start, end)
    return outcomes


def bodies(outcomes: list[Record | Failure]) -> list[bytes | str]:
    """The bodies; none of the outcomes may be anything but a page."""
    assert [one for one in outcomes if isinstance(one, Failure) or one.gate] == []
    return [one.body for one in outcomes if isinstance(one, Record)]


def write(path: Path, records: list[bytes]) -> Path:
    pack = PACKINGS["".join(path.suffixes)]
    path.write_bytes(b"".join(map(pack, records)))
    return path


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize("split_size", [300, 1 << 40])
@pytest.mark.parametrize("head", [STATUS, STATUS.replace(b"\r", b"")])
def test_records_whose_lines_end_in_lf_are_read(
    tmp_path: Path, suffix: str, split_size: int, head: bytes
) -> None:
    records = [record(page, n, line_end=b"\n", head=head) for n, page in enumerate(PAGES)]
    outcomes = read(write(tmp_path / f"a{suffix}", records), split_size)
    assert bodies(outcomes) == PAGES
    places = [(one.offset, one.length) for one in outcomes]
    assert places[0][0] == 0
    assert all(at + length == following for (at, length), (following, _) in pairwise(places))


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize("kinds", ["mixed heads", "some records"])
def test_mixed_line_ends_cost_nothing(tmp_path: Path, suffix: str, kinds: str) -> None:
    records = [record(page, n) for n, page in enumerate(PAGES)]
    if kinds == "some records":
        records[2] = record(PAGES[2], 2, line_end=b"\n")
        records[3] = record(PAGES[3], 3, version=b"WARC/0.16")
    else:
        ends = [b"\n\r\n", b"\r\n\n", b"\n\n", b"\r\r\n\r\r\n", b"\r\n\r\n"]
        for n, end in enumerate(ends):
            top, _, rest = records[n].partition(b"\r\n\r\n")
            records[n] = top + end + rest
    assert bodies(read(write(tmp_path / f"a{suffix}", records))) == PAGES


def test_a_record_without_http_is_not_cut_where_its_head_ends_otherwise(tmp_path: Path) -> None:
    """Nothing in the head tells that it swallowed the first lines."""
    pages = [f"{text}\r\nзаголовок\r\n\r\n{text}".encode() * 3 for text in TEXTS]
    records = [
        record(page, n, kind=b"conversion", head=b"", media_type=b"text/plain")
        for n, page in enumerate(pages)
    ]
    records = [one.replace(b"\r\n\r\n", b"\n\r\n", 1) for one in records]
    for suffix in PACKINGS:
        assert bodies(read(write(tmp_path / f"a{suffix}", records))) == pages


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize("version", [b"WARC/0.17", b"WARC/0.18", b"WARC/0.16", b"WARC/1.1", b"WARC/1.2"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_other_versions_are_read(tmp_path: Path, suffix: str, version: bytes, line_end: bytes) -> None:
    records = [record(page, n, version=version, line_end=line_end) for n, page in enumerate(PAGES)]
    assert bodies(read(write(tmp_path / f"a{suffix}", records), 400)) == PAGES


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
@pytest.mark.parametrize("counts_head", [True, False])
def test_drafts_with_all_in_the_first_line_are_read(tmp_path: Path, suffix: str, counts_head: bool) -> None:
    records = []
    for n, page in enumerate(PAGES):
        block = STATUS + page
        line = (
            b"WARC/0.9 %010d response http://example.org/%d 20060102030405 urn:x:%d application/http\r\n\r\n"
        )
        size = len(block) + (len(line % (0, n, n)) if counts_head else 0)
        records.append(line % (size, n, n) + block + b"\r\n\r\n")
    outcomes = read(write(tmp_path / f"a{suffix}", records))
    assert bodies(outcomes) == PAGES
    assert [(one.url, one.date) for one in outcomes if isinstance(one, Record)][1] == (
        "http://example.org/1",
        "2006-01-02T03:04:05Z",
    )


@pytest.mark.parametrize("after", [b"", b"\r\n", b"\n", b"\n\n", b"\r\n\r\n\r\n"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("split_size", [300, 1 << 40])
def test_what_follows_a_record_need_not_be_two_line_ends(
    tmp_path: Path, after: bytes, line_end: bytes, split_size: int
) -> None:
    records = [record(page, n, line_end=line_end, after=after) for n, page in enumerate(PAGES)]
    assert bodies(read(write(tmp_path / "a.warc", records), split_size)) == PAGES
    packed = tmp_path / "b.warc.gz"
    packed.write_bytes(gzip.compress(b"".join(records)))
    assert bodies(read(packed)) == PAGES


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
@pytest.mark.parametrize("change", [-30, 20, 4000])
def test_a_wrong_length_costs_no_other_record(tmp_path: Path, suffix: str, change: int) -> None:
    records = [record(page, n, line_end=b"\n") for n, page in enumerate(PAGES)]
    records[1] = record(PAGES[1], 1, line_end=b"\n", length=len(STATUS + PAGES[1]) + change)
    outcomes = read(write(tmp_path / f"a{suffix}", records))
    assert [one.url for one in outcomes] == [f"http://example.org/{n}" for n in range(5)]
    assert [
        one.body for one in outcomes if isinstance(one, Record) and one.url != "http://example.org/1"
    ] == [PAGES[n] for n in (0, 2, 3, 4)]


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
def test_damage_among_records_with_lf_costs_one(tmp_path: Path, suffix: str) -> None:
    packed = [PACKINGS[suffix](record(page, n, line_end=b"\n")) for n, page in enumerate(PAGES)]
    packed[2] = b"\xff" * len(packed[2])
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"".join(packed))
    outcomes = read(path)
    assert [one.body for one in outcomes if isinstance(one, Record)] == [PAGES[n] for n in (0, 1, 3, 4)]
    (failure,) = [one for one in outcomes if isinstance(one, Failure)]
    assert (failure.offset, failure.length) == (len(packed[0] + packed[1]), len(packed[2]))


def test_a_cut_file_of_records_with_lf_names_the_last(tmp_path: Path) -> None:
    for suffix in (".warc", ".warc.gz"):
        path = write(
            tmp_path / f"a{suffix}", [record(page, n, line_end=b"\n") for n, page in enumerate(PAGES)]
        )
        path.write_bytes(path.read_bytes()[:-40])
        outcomes = read(path)
        assert [one.body for one in outcomes if isinstance(one, Record)] == PAGES[:4], suffix
        assert [type(one) for one in outcomes[4:]] == [Failure], suffix


@pytest.mark.parametrize("bad", [b"\n", b"\r\n"])
def test_one_odd_record_in_a_member_of_several_costs_nothing(tmp_path: Path, bad: bytes) -> None:
    records = [record(page, n) for n, page in enumerate(PAGES)]
    records[2] = record(PAGES[2], 2, line_end=bad, version=b"WARC/0.15")
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(records)))
    assert bodies(read(path)) == PAGES


HEADS = {
    "LF": b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n",
    "LF last": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\n",
    "LF before": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\n\r\n",
    "CR CR LF": b"HTTP/1.0 200 OK\r\r\nContent-Type: text/html\r\r\n\r\r\n",
    "CR": b"HTTP/1.0 200 OK\rContent-Type: text/html\r\r",
    "CR last": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
    "hints": b"HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 102 Processing\n\n" + STATUS,
    "proxy": b"HTTP/1.0 200 Connection established\r\n\r\n" + STATUS,
    "none": b"",
    "no status": b"Content-Type: text/html\r\nServer: x\r\n\r\n",
    "no empty line": b"HTTP/1.1 200 OK\nContent-Type: text/html\n",
    "empty line first": b"\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\ncontent-type: text/html\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX-A: b\r\n\tc: d\r\nContent-Type:\r\n text/html\r\n\r\n",
    "no type": b"HTTP/1.1 200 OK\n\n",
}


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
def test_a_response_is_read_whole_whatever_its_head(tmp_path: Path, suffix: str) -> None:
    records = [record(PAGES[n % 5], n, head=head) for n, head in enumerate(HEADS.values())]
    assert bodies(read(write(tmp_path / f"a{suffix}", records))) == [PAGES[n % 5] for n in range(len(HEADS))]


def test_a_response_in_an_arc_is_read_whole_whatever_its_head(tmp_path: Path) -> None:
    pieces = [b"filedesc://a.arc 0.0.0.0 20020102030405 text/plain 2\n1\n\n"]
    for n, head in enumerate(HEADS.values()):
        block = head + PAGES[n % 5]
        pieces.append(
            b"http://a.org/%d 1.2.3.4 20020102030405 text/html %d\n" % (n, len(block)) + block + b"\n"
        )
    path = tmp_path / "a.arc"
    path.write_bytes(b"".join(pieces))
    assert bodies(read(path)) == [PAGES[n % 5] for n in range(len(HEADS))]


def test_a_redirect_behind_an_interim_response_is_none(tmp_path: Path) -> None:
    head = b"HTTP/1.1 100 Continue\n\nHTTP/1.1 301 Moved\nLocation: /\n\n"
    (outcome,) = read(write(tmp_path / "a.warc", [record(PAGES[0], head=head)]))
    assert isinstance(outcome, Record)
    assert (outcome.gate, outcome.metadata["status"]) == ("warc.status", "301")


def test_a_status_of_one_digit_and_one_without_a_blank_are_read(tmp_path: Path) -> None:
    """Browsertrix writes 0 where a browser cancelled the response."""
    heads = (
        b"HTTP/1.1 0 No Content\r\nDate: x\r\n\r\n",
        b"HTTP/1.1 404Not Found\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
    )
    outcomes = read(
        write(
            tmp_path / "a.warc",
            [record(b"" if n < 2 else PAGES[0], n, head=head) for n, head in enumerate(heads)],
        )
    )
    assert [getattr(one, "gate", "failure") for one in outcomes] == ["warc.status", "warc.status", None]


def test_a_response_that_is_neither_http_nor_a_page_is_named(tmp_path: Path) -> None:
    (outcome,) = read(write(tmp_path / "a.warc", [record(b"\x00\x01\x02 noise", head=b"")]))
    assert isinstance(outcome, Failure)
    assert outcome.error == "a response without an HTTP head, and no page"


@pytest.mark.parametrize(
    ("stated", "is_page"),
    [
        (b"text/html charset=gbk", True),
        (b"text/html, text/html; charset=utf-8", True),
        (b"'text/html'; charset=utf-8", True),
        (b"text/html Server: Apache/1.3", True),
        (b"text\\html", True),
        (b"html", True),
        (b"text/html\r\nContent-Type: text/html; charset=utf-8", True),
        (b"text/html\r\nContent-Type: image/png", True),
        (b"image/png charset=utf-8", False),
        (b"application/json, application/json", False),
        (b"text/javascript;charset=utf-8", False),
    ],
)
def test_a_media_type_that_does_not_parse_is_told_by_what_it_names(
    tmp_path: Path, stated: bytes, is_page: bool
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + stated + b"\r\n\r\n"
    (outcome,) = read(write(tmp_path / "a.warc", [record(PAGES[0], head=head)]))
    assert isinstance(outcome, Record)
    assert outcome.gate == (None if is_page else "warc.media_type")


@pytest.mark.parametrize(
    "url",
    [
        b"urn:text:https://example.org/",
        b"urn:textFinal:https://example.org/",
        b"metadata://gnu.org/software/wget/warc/wget.log",
        b"urn:X-wpull:log",
        b"urn:pageinfo:https://example.org/",
        b"screenshot:https://example.org/",
    ],
)
def test_what_tools_store_about_pages_is_no_page(tmp_path: Path, url: bytes) -> None:
    text = "\n".join(TEXTS).encode()
    records = [
        record(PAGES[0]),
        record(text, 1, url=url, kind=b"resource", head=b"", media_type=b"text/plain"),
        record(text, 2, url=url, kind=b"metadata", head=b"", media_type=b"text/plain"),
        record(PAGES[1], 3, url=b"ftp://example.org/a", kind=b"resource", head=b"", media_type=b"text/html"),
        record(PAGES[2], 4, url=b"example.org:8080/a"),
    ]
    outcomes = read(write(tmp_path / "a.warc.gz", records))
    assert [one.gate for one in outcomes if isinstance(one, Record)] == [None, "warc.no_page", None, None]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst"])
@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_a_segmented_record_is_named_and_not_cut(tmp_path: Path, name: str, apart: bool) -> None:
    segment = record(PAGES[0], 0, more=(b"WARC-Segment-Number: 01",))
    rest = record(PAGES[1], 1, kind=b"continuation", head=b"", more=(b"WARC-Segment-Number: 2",))
    whole = record(
        PAGES[2],
        2,
        more=(b"WARC-Segment-Number: 1", b"WARC-Segment-Total-Length: %d" % len(STATUS + PAGES[2])),
    )
    files = [[whole, segment], [rest, whole]] if apart else [[whole, segment, rest, whole]]
    outcomes = [one for n, file in enumerate(files) for one in read(write(tmp_path / f"{n}{name}", file))]
    (failure,) = [one for one in outcomes if isinstance(one, Failure)]
    assert failure.error.startswith("the first of several segments: write them as one record")
    assert failure.error.endswith(f"WARC-Segment-Origin-ID {state_id(segment)}")
    assert failure.file.endswith(f"0{name}") and failure.offset > 0 and failure.url is not None
    assert bodies([one for one in outcomes if isinstance(one, Record)]) == [PAGES[2]] * 2


def state_id(raw: bytes) -> str:
    """Return the id of a record as its head states it."""
    return raw.partition(b"WARC-Record-ID:")[2].split()[0].decode()


def test_joined_zstd_archives_with_dictionaries_give_all_pages(tmp_path: Path) -> None:
    joined = b""
    for first in (0, 2):
        samples = [record(page, n % 7) * 3 for n in range(60) for page in PAGES]
        dictionary = zstandard.train_dictionary(2048, samples, dict_id=first + 1)
        packer = zstandard.ZstdCompressor(dict_data=dictionary)
        raw = dictionary.as_bytes()
        joined += b"\x5d\x2a\x4d\x18" + len(raw).to_bytes(4, "little") + raw
        joined += b"".join(packer.compress(record(PAGES[n], n)) for n in (first, first + 1))
    path = tmp_path / "a.warc.zst"
    path.write_bytes(joined)
    assert bodies(read(path)) == PAGES[:4]
    path.write_bytes(b"".join(zstandard.compress(record(PAGES[4], 4)) for _ in range(2)) + joined)
    assert bodies(read(path)) == [PAGES[4], PAGES[4], *PAGES[:4]]
    path.write_bytes(b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + joined)
    assert bodies(read(path)) == PAGES[:4]


@pytest.mark.parametrize("packing", [".warc", ".warc.gz"])
@pytest.mark.parametrize("spell", [bytes.lower, bytes.upper])
def test_names_of_record_headers_have_no_case(
    tmp_path: Path, packing: str, spell: Callable[[bytes], bytes]
) -> None:
    records = [record(page, number) for number, page in enumerate(PAGES)]
    for name in (b"WARC-Type", b"Content-Length", b"WARC-Target-URI"):
        records[1:] = [item.replace(name, spell(name)) for item in records[1:]]
    path = tmp_path / f"a{packing}"
    path.write_bytes(b"".join(map(PACKINGS[packing], records)))
    assert bodies(list(SOURCE.read(str(path), path.name, 0, path.stat().st_size))) == PAGES
