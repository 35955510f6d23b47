"""The pages of a list, three ways: the same documents from archives, through an index, and fetched."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.url_lists.make import make_list
from corpus.sources.web.urls import Urls
from corpus.sources.web.warc import Warc
from corpus.web.fetch.crawl import fetch_list
from corpus.web.url_lists.coverage import measure_coverage
from corpus.web.url_lists.index_key import key_of
from corpus.web.url_lists.links import LinkRules
from corpus.workspace import Workspace
from tests.sources import text_of
from tests.web.fetch.site import Site, options

NOWHERE = "https://nowhere.example/never-archived"


class _Ranges(SimpleHTTPRequestHandler):
    """Files with byte ranges, as object stores serve them; `asked` notes each, the first of a file fails with 503."""

    asked: list[tuple[str, str | None]]
    failed: set[str]

    def log_message(self, format: str, *args: Any) -> None:
        return

    def send_head(self) -> Any:
        wanted = self.headers.get("Range")
        if self.command == "GET":
            self.asked.append((self.path, wanted))
            if self.path.endswith(".warc.gz") and self.path not in self.failed:
                self.failed.add(self.path)
                self.send_error(503)
                return None
        if wanted is None:
            return super().send_head()
        content = Path(self.translate_path(self.path)).read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(content)), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{len(content)}")
        self.send_header("Content-Length", str(end + 1 - begin))
        self.end_headers()
        self.wfile.write(content[begin : end + 1])
        return None

    def copyfile(self, source: Any, outputfile: Any) -> None:
        if source is not None:
            super().copyfile(source, outputfile)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, type[_Ranges]]]:
    """The folder over HTTP on loopback, and what was asked for."""
    handler = type("Handler", (_Ranges,), {"asked": [], "failed": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
    finally:
        server.shutdown()
        server.server_close()


def submissions(path: Path, urls: list[str]) -> Path:
    """A dump that links to the URLs: one point above the least, in two submissions."""
    rows = [
        {
            "id": f"{number}{half}",
            "url": url,
            "score": 2,
            "created_utc": 1390766784,
            "over_18": False,
            "is_self": False,
        }
        | {"subreddit": "made_up"}
        for number, url in enumerate(urls)
        for half in "ab"
    ]
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def read_all(source: Urls) -> list[Record | Failure]:
    path = source.paths[0]
    size = Path(path).stat().st_size
    return [
        found
        for start, end in source.plan(path, size, 60_000)
        for found in source.read(path, Path(path).name, start, end)
    ]


def iana_pages(data: Path) -> dict[str, Record]:
    """The pages of the crawl of iana.org, by URL."""
    path = data / "warc" / "pywb" / "iana.warc.gz"
    records = Warc(paths=["x"]).read(str(path), path.name, 0, path.stat().st_size)
    return {r.url: r for r in records if isinstance(r, Record) and r.gate is None and r.url}


class _Archived(Site):
    """A site that answers with what an archive holds."""

    pages: dict[str, Record]

    async def _route(self, request: web.Request, host: str, path: str) -> web.StreamResponse:
        found = self.pages.get(path)
        if found is None:
            return web.Response(status=404, text="gone")
        assert isinstance(found.body, bytes)
        kind = found.media_type + (f"; charset={found.charset}" if found.charset else "")
        return web.Response(body=found.body, headers={"Content-Type": kind})


def test_from_submissions_to_the_same_documents_three_ways(tmp_path: Path, data: Path) -> None:
    """Real submissions beside ones that link to archived pages; the list; three sources; every URL accounted for."""
    pages = iana_pages(data)
    linked = [url.replace("http://www.iana.org", "http://iana.org") for url in pages]
    dump = submissions(tmp_path / "RS_made_up.gz", [*linked, NOWHERE])
    real = str(data / "reddit" / "RS_v2_2005-06.xz")
    made = make_list([real, str(dump)], str(tmp_path / "links"), LinkRules(), Running())
    listed = tmp_path / "links" / "urls.parquet"
    counts = {(row["what"], row["reason"]): row["count"] for row in made["rows"]}
    assert counts["submissions", "all"] == 103 + 2 * (len(pages) + 1)
    rows = pq.read_table(listed).to_pylist()
    urls = {row["url"] for row in rows}
    assert {*linked, NOWHERE} <= urls and len(urls) == counts["urls", "listed"]

    site = _Archived()
    # The loopback site has iana.org's pages at its port: its list names them there.
    site.pages = {urlsplit(url).path: page for url, page in pages.items()}
    with site, served(data / "warc" / "pywb") as (address, handler):
        local = [site.url("www.iana.org", path) for path in site.pages]
        pq.write_table(
            pa.table({"url": [*local, site.url("www.iana.org", "/no-such-page")]}), tmp_path / "local.parquet"
        )
        fetch_list(str(tmp_path / "local.parquet"), str(tmp_path / "pages"), options())
        (tmp_path / "index").mkdir()
        (tmp_path / "index" / "iana.cdxj").write_bytes((data / "warc" / "pywb" / "iana.cdxj").read_bytes())
        manifest = {
            "name": "three-ways",
            "sources": {
                "archives": {
                    "kind": "urls",
                    "urls": str(listed),
                    "warcs": [f"{data}/warc/pywb/iana.warc.gz"],
                    "rules": [],
                },
                "index": {
                    "kind": "urls",
                    "urls": str(listed),
                    "index": ["index/*.cdxj"],
                    "archive": address,
                    "rules": [],
                },
                "live": {"kind": "urls", "fetched": "pages", "rules": []},
            },
            "dedup": False,
            "tokenizer": {"vocabulary": 300},
        }
        (tmp_path / "manifest.yaml").write_text(json.dumps(manifest), encoding="utf-8")
        build_workspace(str(tmp_path / "manifest.yaml"), str(tmp_path / "out"), Running())
        asked = list(handler.asked)
    documents: dict[str, list[dict[str, Any]]] = {
        name: ds.dataset(tmp_path / "out" / "documents" / f"source={name}").to_table().to_pylist()
        for name in ("archives", "index", "live")
    }

    def texts(name: str) -> set[tuple[str, str]]:
        return {(urlsplit(row["url"]).path, row["content_hash"]) for row in documents[name] if row["text"]}

    assert len(texts("archives")) == len(pages) == 16
    assert texts("archives") == texts("index") == texts("live")
    # Ranges only, coalesced: fewer requests than pages, and never the whole archive; the 503 was tried again.
    ranges = [wanted for path, wanted in asked if path == "/iana.warc.gz"]
    assert None not in ranges and 2 <= len(ranges) < len(pages)
    # Every URL of the list has a row, with a page or with the reason why there is none.
    assert {row["url"] for row in documents["index"] if row["gate"] == "urls.not_captured"} >= {NOWHERE}
    assert len(documents["index"]) == len(rows)
    live = Counter(row["gate"] for row in documents["live"])
    assert live == {None: 16, "fetch.status": 1}
    metadata = [dict(row["metadata"]) for row in documents["live"] if row["text"]]
    assert {(said["status"], said["robots"]) for said in metadata} == {("200", "none")}
    assert all(row["origin"]["file"] == "fetch-00000.warc.gz" for row in documents["live"] if row["text"])
    # The same, of the whole list: 16 pages have a text, and every other URL has its reason.
    workspace = Workspace.open(str(tmp_path / "out"))
    for name, missing in (("archives", "not found"), ("index", "urls.not_captured")):
        found = measure_coverage(workspace, str(listed), name, str(tmp_path / f"{name}.parquet"))
        assert found == {missing: len(rows) - 16, "kept": 16}
        assert pq.read_table(tmp_path / f"{name}.parquet").num_rows == len(rows)
    assert measure_coverage(workspace, str(tmp_path / "local.parquet"), "live", None) == {
        "kept": 16,
        "fetch.status": 1,
    }
    assert not Workspace(str(tmp_path / "out")).stats()["quarantine"].count_rows()


def test_zipnum_cdx_and_the_columnar_index_find_what_cdxj_finds(tmp_path: Path, data: Path) -> None:
    folder = data / "warc" / "pywb"
    lines = (folder / "iana.cdxj").read_bytes().splitlines(keepends=True)
    listed = tmp_path / "urls.parquet"
    urls = sorted(
        {key_of(url): url for url in (json.loads(line.split(b" ", 2)[2])["url"] for line in lines)}.values()
    )
    pq.write_table(pa.table({"url": [*urls, NOWHERE]}), listed)
    # A ZipNum cluster of blocks of ten lines, in two files.
    offset = {"cdx-00000.gz": 0, "cdx-00001.gz": 0}
    index = []
    for number, at in enumerate(range(0, len(lines), 10)):
        name = "cdx-00000.gz" if at < 80 else "cdx-00001.gz"
        block = gzip.compress(b"".join(lines[at : at + 10]))
        with open(tmp_path / name, "ab") as output:
            output.write(block)
        key = b" ".join(lines[at].split(b" ")[:2]).decode()
        index.append(f"{key}\t{name}\t{offset[name]}\t{len(block)}\t{number}\n")
        offset[name] += len(block)
    (tmp_path / "cluster.idx").write_text("".join(index), encoding="utf-8")
    rows = [
        (line.split(b" ")[0].decode(), line.split(b" ")[1].decode(), json.loads(line.split(b" ", 2)[2]))
        for line in lines
    ]
    columnar = pa.table(
        {
            "url_surtkey": [key for key, _, _ in rows],
            "url": [row["url"] for _, _, row in rows],
            "fetch_time": pa.array(
                [f"{t[:4]}-{t[4:6]}-{t[6:8]}T{t[8:10]}:{t[10:12]}:{t[12:]}" for _, t, _ in rows]
            ).cast(pa.timestamp("ms")),
            "fetch_status": pa.array([int(row.get("status", 0)) or None for _, _, row in rows], pa.int16()),
            "content_mime_type": [row["mime"] for _, _, row in rows],
            "warc_filename": [row["filename"] for _, _, row in rows],
            "warc_record_offset": pa.array([int(row["offset"]) for _, _, row in rows], pa.int32()),
            "warc_record_length": pa.array([int(row["length"]) for _, _, row in rows], pa.int32()),
        }
    )
    pq.write_table(columnar, tmp_path / "part.parquet", row_group_size=20)
    pq.write_table(columnar.drop_columns("url_surtkey"), tmp_path / "without-keys.parquet")
    (tmp_path / "packed.cdxj.gz").write_bytes(gzip.compress(b"".join(lines)))
    found = {}
    for name in (
        str(folder / "iana.cdxj"),
        str(folder / "iana.cdx"),
        *(
            str(tmp_path / one)
            for one in ("cluster.idx", "part.parquet", "without-keys.parquet", "packed.cdxj.gz")
        ),
    ):
        source = Urls.model_validate(
            {"kind": "urls", "urls": str(listed), "index": [name], "archive": str(folder)}
        )
        records = read_all(source)
        assert not [r for r in records if isinstance(r, Failure)]
        found[name] = sorted((r.url or "", r.gate or "", r.offset) for r in records if isinstance(r, Record))
    first, *others = found.values()
    assert (
        len(first) == len({tuple(one) for one in first}) and Counter(gate for _, gate, _ in first)[""] == 16
    )
    assert all(other == first for other in others)


def capture_line(time: str, offset: int, status: str = "200") -> str:
    said = {"url": "https://example.org/a", "mime": "text/html", "status": status, "filename": "a.warc.gz"}
    return f"org,example)/a {time} {json.dumps({**said, 'length': '10', 'offset': str(offset)})}\n"


@pytest.mark.parametrize(("choose", "offset"), [("newest", 30), ("nearest", 20)])
def test_one_capture_a_page_newest_or_nearest_over_all_indexes(
    tmp_path: Path, choose: str, offset: int
) -> None:
    (tmp_path / "a.cdxj").write_text(capture_line("20100101000000", 10) + capture_line("20240101", 40, "404"))
    (tmp_path / "b.cdxj").write_text(capture_line("20140101000000", 20) + capture_line("20200101000000", 30))
    (tmp_path / "a.warc.gz").write_bytes(b"")
    table = pa.table(
        {
            "url": ["http://www.example.org/a/?utm_source=x"],
            "first": pa.array([1390766784], pa.timestamp("s", "UTC")),
        }
    )
    pq.write_table(table, tmp_path / "urls.parquet")
    source = Urls.model_validate(
        {
            "kind": "urls",
            "urls": str(tmp_path / "urls.parquet"),
            "index": [f"{tmp_path}/a.cdxj", f"{tmp_path}/b.cdxj"],
            "choose": choose,
        }
    )
    lost, page = read_all(source)
    assert isinstance(page, Record) and page.gate == "urls.unreadable"
    assert isinstance(lost, Failure) and lost.error == "cut: 0 of 10 bytes"
    assert (lost.file, lost.offset) == ("a.warc.gz", offset)


def test_what_is_wrong_with_an_index_or_a_range_is_said(tmp_path: Path, data: Path) -> None:
    folder = data / "warc" / "pywb"
    pq.write_table(
        pa.table({"url": ["http://www.iana.org/", "http://www.iana.org/numbers"]}), tmp_path / "urls.parquet"
    )

    def source(**given: Any) -> Urls:
        return Urls.model_validate({"kind": "urls", "urls": str(tmp_path / "urls.parquet"), **given})

    lines = (folder / "iana.cdxj").read_text().splitlines(keepends=True)
    (tmp_path / "unsorted.cdxj").write_text("".join(reversed(lines)))
    (tmp_path / "text.cdxj").write_text("hello\nworld\n")
    (tmp_path / "shifted.cdxj").write_text("".join(lines).replace('"offset": "334"', '"offset": "335"'))
    (tmp_path / "swapped.cdxj").write_text(
        "".join(lines).replace('"length": "2258", "offset": "334"', '"length": "63663", "offset": "496277"')
    )
    for name, message in (
        ("unsorted", "must be sorted"),
        ("text", "not an index"),
        ("missing", "no such file"),
    ):
        with pytest.raises(UserError, match=message):
            source(index=[f"{tmp_path}/{name}.cdxj"]).prepare(print)
    for name, message in (("shifted", "no record of a page|[Ee]rror"), ("swapped", "of another page")):
        found = read_all(source(index=[f"{tmp_path}/{name}.cdxj"], archive=str(folder)))
        (lost,) = [one for one in found if isinstance(one, Failure)]
        gates = {one.url: one.gate for one in found if isinstance(one, Record)}
        assert gates == {"http://www.iana.org/": "urls.unreadable", "http://www.iana.org/numbers": None}
        (page,) = [one for one in found if isinstance(one, Record) and one.gate is None]
        assert page.url == "http://www.iana.org/numbers" and text_of(page)
        assert re.search(message, lost.error), lost.error
    found = read_all(source(index=[str(folder / "iana.cdxj")], archive=str(tmp_path / "no-such-folder")))
    assert [one.step for one in found if isinstance(one, Failure)] == ["range", "range"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"urls": "u"}, "exactly one of warcs, index and fetched"),
        ({"warcs": ["a"], "index": ["b"], "urls": "u"}, "exactly one of warcs, index and fetched"),
        ({"warcs": ["a"]}, "`urls` is required"),
        ({"fetched": "d", "fetch": {"contact": "a@b.org"}}, "`urls` is required"),
        ({"warcs": ["a"], "urls": "u", "archive": "x"}, "`archive` requires `index`"),
        ({"urls": "u", "fetched": "d", "fetch": {"contact": "nobody"}}, "an e-mail address"),
    ],
)
def test_a_source_comes_one_way(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Urls.model_validate({"kind": "urls", **given})
