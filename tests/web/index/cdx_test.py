"""Sorted indexes: a search finds what a scan finds; a store that fails at times changes nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage
from corpus.document import Failure, Record
from corpus.sources.web.urls import Urls
from corpus.web.index.capture import Capture
from corpus.web.index.cdx import find_first_line, lookup_ranges, merge_ranges
from corpus.web.index.ranges import MAX_GAP_BYTES, PagedFile, coalesce
from tests.storage.stores import s3


@pytest.mark.parametrize("columnar", [False, True])
def test_a_hostile_index_costs_only_its_lines(tmp_path: Path, columnar: bool) -> None:
    hostile: dict[str, dict[str, object]] = {
        "before": {"offset": -5},
        "behind": {"offset": 2**62},
        "huge": {"length": 10**14},
        "above": {"filename": "../../etc/passwd"},
        "rooted": {"filename": "/etc/passwd"},
        "remote": {"filename": "http://127.0.0.1/x.warc.gz"},
        "nul": {"filename": "a\0b"},
    }
    rows = [
        {"url": f"http://example.org/{name}", "filename": "a.warc.gz", "offset": 0, "length": 100, **bad}
        for name, bad in hostile.items()
    ]
    if columnar:
        names = {"offset": "warc_record_offset", "length": "warc_record_length", "filename": "warc_filename"}
        index = tmp_path / "index.parquet"
        table = [{names.get(key, key): value for key, value in row.items()} for row in rows]
        pq.write_table(
            pa.Table.from_pylist([{**row, "fetch_time": "20240101000000"} for row in table]), index
        )
    else:
        index = tmp_path / "index.cdxj"
        lines = [
            f"org,example)/{str(row['url']).rpartition('/')[2]} 2024 {json.dumps(row)}\n" for row in rows
        ]
        index.write_text("".join(sorted(lines)))
    pq.write_table(pa.table({"url": [str(row["url"]) for row in rows]}), tmp_path / "urls.parquet")
    source = Urls(urls=str(tmp_path / "urls.parquet"), index=[str(index)], archive=str(tmp_path), rules=[])
    found = list(source.read(str(tmp_path / "urls.parquet"), "urls.parquet", 0, 10**9))
    gates = {one.url: one.gate for one in found if isinstance(one, Record)}
    assert sum(isinstance(one, Failure) for one in found) == len(hostile)
    assert set(gates) == {str(row["url"]) for row in rows}
    assert set(gates.values()) == {"urls.not_captured", "urls.unreadable"}
    assert gates["http://example.org/huge"] == "urls.unreadable"


def test_a_binary_search_finds_the_line_that_a_scan_finds(tmp_path: Path) -> None:
    draw = random.Random(3)
    lines = sorted(
        f"org,site{draw.randrange(400)})/{'x' * draw.randrange(400)} 2024".encode() for _ in range(3000)
    )
    path = tmp_path / "a.cdxj"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    pages = PagedFile(str(path), kept=2)
    for _ in range(2000):
        key = draw.choice(lines)[: draw.randrange(1, 40)] + draw.choice([b"", b"~", b"!"])
        wanted = next((start for start, line in zip(starts, lines, strict=False) if line >= key), starts[-1])
        begin = draw.choice([start for start in starts[:50] if start <= wanted])
        assert find_first_line(pages, key, begin) == wanted


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://www.example.org/", b"org,example)/ 2024"),
        ("https://Example.org/A/B/?utm_source=x", b"org,example)/a/b 2024"),
        ("https://example.org/a?c=1&b=2", b"org,example)/a?b=2&c=1 2024"),
        ("https://example.org/a?b=2", b"org,example)/a?b=2&utm_source=x 2024"),
        ("https://example.org/a", b"org,example)/a?utm_source=x 2024"),
        ("https://zh.wikipedia.org/wiki/汉语", b"org,wikipedia,zh)/wiki/%e6%b1%89%e8%af%ad 2024"),
        ("https://m.example.org/a", b"org,example,m)/a 2024"),
        ("https://m.example.org/a", b"org,example)/a 2024"),
        ("http://example.org:8080/a%28b%29", b"org,example:8080)/a(b) 2024"),
        ("https://example.org/web/2010/http://a.example/b", b"org,example)/web/2010/http:/a.example/b 2024"),
        ("https://example.org/?open&ccm=000", b"org,example)/?ccm=000&open 2024"),
        ("http://10.2.3.4/x?a=1", b"4,3,2,10)/x?a=1 2024"),
        ("http://[2001:db8::1]/x", b"2001:db8::1)/x 2024"),
        ("http://Bücher.example./Straße", b"example,xn--bcher-kva)/stra%c3%9fe 2024"),
    ],
)
def test_the_lines_of_a_page_lie_in_its_ranges(url: str, line: bytes) -> None:
    assert any(low <= line < high for low, high in merge_ranges(lookup_ranges(url)))


def test_records_near_each_other_are_read_together() -> None:
    def capture(file: str, offset: int, length: int = 1000) -> Capture:
        return Capture(url="u", time="2024", status="200", mime="", file=file, offset=offset, length=length)

    captures = [
        capture("b", 0),
        capture("a", 2000 + MAX_GAP_BYTES),
        capture("a", 0),
        capture("a", 3000 + 2 * MAX_GAP_BYTES),
    ]
    captures += [capture("c", 0, 0), capture("c", 10), capture("d", 0, 9 << 20), capture("d", 9 << 20)]
    groups = [[(one.file, one.offset) for one in group] for group in coalesce(captures)]
    assert groups == [
        [("a", 0)],
        [("a", 2000 + MAX_GAP_BYTES), ("a", 3000 + 2 * MAX_GAP_BYTES)],
        [("b", 0)],
        [("c", 0)],
        [("c", 10)],
        [("d", 0)],
        [("d", 9 << 20)],
    ]


def test_from_a_store_that_fails_at_times_come_the_same_pages(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_REMOTE_WAIT", "0.001")
    monkeypatch.setenv("CORPUS_REMOTE_TRIES", "20")
    folder = data / "warc" / "pywb"
    lines = (folder / "iana.cdxj").read_bytes().splitlines()
    pq.write_table(
        pa.table({"url": sorted({json.loads(line.split(b" ", 2)[2])["url"] for line in lines})}),
        tmp_path / "urls.parquet",
    )

    def pages(index: str, archive: str) -> list[tuple[str | None, str | None, int, int]]:
        given = {"kind": "urls", "urls": str(tmp_path / "urls.parquet"), "index": [index], "archive": archive}
        source = Urls.model_validate(given)
        path = source.paths[0]
        found = [
            one
            for start, end in source.plan(path, 1, 1 << 30)
            for one in source.read(path, "urls", start, end)
        ]
        assert not [one for one in found if isinstance(one, Failure)]
        return [(one.url, one.gate, one.offset, len(one.body)) for one in found if isinstance(one, Record)]

    local = pages(str(folder / "iana.cdxj"), str(folder))
    with s3(fault_share=0.2, seed=5) as store:
        for name in ("iana.cdxj", "iana.warc.gz"):
            storage.write_bytes(f"{store.root}/{name}", (folder / name).read_bytes())
        assert pages(f"{store.root}/iana.cdxj", store.root) == local
        assert store.met.total() > 0
    assert sum(gate is None for _, gate, _, _ in local) == 16
