"""Build the demo sample from its sources: `python manifests/demo/make_sample.py [--out DIR]`.

Writes web.warc.gz, wiki-*.xml.bz2 and truth.jsonl (what every record is), the same bytes every time, and refuses
to write when the planted duplicates are not as alike, or the other pages as different, as `planted.yaml` promises.
Takes about five seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from sample_check import check
from sample_web import Builder, Page, number
from sample_wiki import WikiPage, dump, read_pages
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HERE = Path(__file__).resolve().parent
# dump: (xml:lang, languages in it, first page number)
DUMPS = {
    "wiki-en.xml.bz2": ("en", ["eng_Latn"], 1001),
    "wiki-zh.xml.bz2": ("zh", ["cmn_Hans", "cmn_Hant"], 20001),
    "wiki-mixed.xml.bz2": ("mul", [], 30001),  # every other language of sources/wiki
}
_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 404: "Not Found"}


def _record_id(*parts: str | bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return f"<urn:uuid:{uuid.UUID(bytes=digest.digest(), version=4)}>"


def response_id(page: Page) -> str:
    """The WARC-Record-ID of a page: a hash of its address, date and body."""
    return _record_id("response", page.url, page.date.isoformat(), page.body)


def warc(pages: list[Page]) -> bytes:
    """WARC 1.1, one gzip member a record: warcinfo, the responses, requests for one page in eight, one revisit."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")

    def headers(page: Page, record_id: str, **more: str) -> dict[str, str]:
        date = page.date.isoformat() + "Z"
        address = f"192.0.2.{1 + number(page.url.split('/')[2], 254)}"  # TEST-NET-1 of RFC 5737
        named = {key.replace("_", "-"): value for key, value in more.items()}
        return {"WARC-Record-ID": record_id, "WARC-Date": date, "WARC-IP-Address": address, **named}

    info = writer.create_warcinfo_record(
        "web.warc.gz",
        {
            "software": "make_sample.py",
            "format": "WARC File Format 1.1",
            "description": "Invented pages on reserved domains, written for the demo. Apache-2.0.",
        },
    )
    info.rec_headers.replace_header("WARC-Date", "2024-03-01T06:00:00Z")
    info.rec_headers.replace_header("WARC-Record-ID", _record_id("warcinfo", "web.warc.gz"))
    writer.write_record(info)
    for page in pages:
        fields = [("Server", "nginx"), ("Date", page.date.strftime("%a, %d %b %Y %H:%M:%S GMT"))]
        if page.content_type:
            fields.append(("Content-Type", page.content_type))
        if page.location:
            fields.append(("Location", page.location))
        fields.append(("Content-Length", str(len(page.body))))
        status = StatusAndHeaders(f"{page.status} {_REASONS[page.status]}", fields, protocol="HTTP/1.1")
        kind = {"WARC_Identified_Payload_Type": page.content_type.split(";")[0]} if page.content_type else {}
        record_id = response_id(page)
        writer.write_record(
            writer.create_warc_record(
                page.url,
                "response",
                payload=io.BytesIO(page.body),
                length=len(page.body),
                http_headers=status,
                warc_headers_dict=headers(page, record_id, **kind),
            )
        )
        if number(page.url + "request", 8) == 0:
            host, _, path = page.url.removeprefix("https://").partition("/")
            asked = StatusAndHeaders(
                f"GET /{path} HTTP/1.1",
                [("Host", host), ("User-Agent", "demo-crawler/1.0")],
                is_http_request=True,
            )
            request_id = _record_id("request", page.url, page.date.isoformat())
            writer.write_record(
                writer.create_warc_record(
                    page.url,
                    "request",
                    payload=io.BytesIO(),
                    http_headers=asked,
                    warc_headers_dict=headers(page, request_id, WARC_Concurrent_To=record_id),
                )
            )
    page = next(page for page in pages if page.kind == "article")
    revisit = writer.create_revisit_record(
        page.url,
        digest="sha1:" + "A" * 32,
        refers_to_uri=page.url,
        refers_to_date=page.date.isoformat() + "Z",
        warc_headers_dict=headers(page, _record_id("revisit", page.url)),
    )
    writer.write_record(revisit)
    return out.getvalue()


def wiki_pages(sources: Path) -> dict[str, list[WikiPage]]:
    """The pages of every dump, by file name."""
    named = [language for _, languages, _ in DUMPS.values() for language in languages]
    rest = sorted(path.stem for path in (sources / "wiki").glob("*.wiki") if path.stem not in named)
    out: dict[str, list[WikiPage]] = {}
    for name, (_, languages, first) in DUMPS.items():
        pages = out[name] = []
        for language in languages or rest:
            pages.extend(read_pages(sources / "wiki" / f"{language}.wiki", first + len(pages)))
    return out


def truth(pages: list[Page], wikis: dict[str, list[WikiPage]]) -> str:
    """One JSON line for every response and every page of a dump."""
    rows: list[dict[str, Any]] = [
        {
            "file": "web.warc.gz",
            "id": response_id(page),
            "url": page.url,
            "date": page.date.isoformat() + "Z",
            "kind": page.kind,
            "language": page.language,
            "article": page.article,
            "duplicate_of": page.duplicate_of,
            "status": page.status,
        }
        for page in pages
    ]
    rows.extend(
        {
            "file": name,
            "id": page.number,
            "title": page.title,
            "namespace": page.namespace,
            "kind": "redirect" if page.redirect else "article" if page.namespace == 0 else "other",
            "language": page.language,
        }
        for name, wiki in wikis.items()
        for page in wiki
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def build(sources: Path) -> dict[str, bytes]:
    """Every file of the sample by name, checked."""
    builder = Builder(sources)
    pages = builder.pages()
    check(builder, pages)
    wikis = wiki_pages(sources)
    files = {"web.warc.gz": warc(pages), "truth.jsonl": truth(pages, wikis).encode()}
    files.update({name: dump(wiki, DUMPS[name][0]) for name, wiki in wikis.items()})
    _summary(pages, wikis, builder)
    return files


def _summary(pages: list[Page], wikis: dict[str, list[WikiPage]], builder: Builder) -> None:
    print("pages:", dict(sorted(Counter(page.kind.split(".")[0] for page in pages).items())))
    languages = Counter(page.language for page in pages if page.kind == "article")
    print("articles by language:", dict(languages.most_common()))
    web = sum(len(article.text.encode()) for article in builder.articles.values())
    every = sum(len((page.text or "").encode()) for page in pages)
    wiki = sum(len(page.text.encode()) for pages in wikis.values() for page in pages)
    print(f"text: {web:,} bytes of articles, {every:,} with copies and junk, {wiki:,} bytes of wikitext")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the demo sample from manifests/demo/sources.")
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder to write to (default: beside this script)"
    )
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, data in build(HERE / "sources").items():
        (out / name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
