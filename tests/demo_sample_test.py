"""The demo sample: rebuilt to the byte from its sources, readable by both WARC readers, and what it promises to be."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastwarc.warc import ArchiveIterator as FastArchiveIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

DEMO = Path(__file__).resolve().parents[1] / "manifests" / "demo"
WARC = DEMO / "web.warc.gz"
DUMPS = sorted(DEMO.glob("*.xml.bz2"))
EXPORT = "{http://www.mediawiki.org/xml/export-0.11/}"
LANGUAGES = {
    "eng_Latn", "cmn_Hans", "cmn_Hant", "jpn_Jpan", "kor_Hang", "tha_Thai", "arb_Arab", "hin_Deva", "rus_Cyrl",
    "deu_Latn", "fra_Latn", "spa_Latn", "por_Latn", "ind_Latn", "tur_Latn", "vie_Latn", "ukr_Cyrl", "swh_Latn",
}  # fmt: skip


def truth() -> list[dict[str, Any]]:
    lines = (DEMO / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def web() -> list[dict[str, Any]]:
    return [row for row in truth() if row["file"] == "web.warc.gz"]


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    subprocess.run(
        [sys.executable, str(DEMO / "make_sample.py"), "--out", str(out)], check=True, capture_output=True
    )
    return out


def test_sources_give_the_committed_content(rebuilt: Path) -> None:
    names = ["truth.jsonl", WARC.name, *(dump.name for dump in DUMPS)]
    assert sorted(path.name for path in rebuilt.iterdir()) == sorted(names)
    assert (rebuilt / "truth.jsonl").read_bytes() == (DEMO / "truth.jsonl").read_bytes()
    assert gzip.decompress((rebuilt / WARC.name).read_bytes()) == gzip.decompress(WARC.read_bytes())


def test_sources_give_the_committed_files_byte_for_byte(rebuilt: Path) -> None:
    for dump in DUMPS:
        assert (rebuilt / dump.name).read_bytes() == dump.read_bytes(), dump.name
    if "ng" in zlib.ZLIB_RUNTIME_VERSION:
        pytest.skip("zlib-ng packs the same content into other bytes")
    assert (rebuilt / WARC.name).read_bytes() == WARC.read_bytes()


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in [WARC, *DUMPS]) < 1_500_000


def test_warcio_and_fastwarc_read_the_same_records() -> None:
    with WARC.open("rb") as stream:
        slow = [
            (record.rec_headers["WARC-Record-ID"], record.rec_type, record.content_stream().read())
            for record in ArchiveIterator(stream)
        ]
    with WARC.open("rb") as stream:
        fast = [
            (record.headers["WARC-Record-ID"], record.headers["WARC-Type"], record.reader.read())
            for record in FastArchiveIterator(
                stream, record_types=WarcRecordType.any_type, verify_digests=True
            )
        ]
    assert fast == slow
    kinds = Counter(kind for _, kind, _ in slow)
    assert kinds["warcinfo"] == kinds["revisit"] == 1
    assert kinds["request"] > 10
    assert [name for name, kind, _ in slow if kind == "response"] == [row["id"] for row in web()]


def test_every_promised_language_has_articles() -> None:
    articles = Counter(row["language"] for row in web() if row["kind"] == "article")
    assert set(articles) == LANGUAGES
    assert min(articles.values()) >= 8
    assert 350 <= len(web()) <= 400


def test_pages_are_written_in_the_charset_they_declare() -> None:
    charsets: Counter[str | None] = Counter()
    with WARC.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type != "response":
                continue
            kind = record.http_headers.get_header("Content-Type") or ""
            if kind.startswith("text/html"):
                charset = kind.partition("charset=")[2] or None
                charsets[charset] += 1
                record.content_stream().read().decode(charset or "latin-1")
    assert {"utf-8", "gbk", "shift_jis", "windows-1251", "euc-kr", None} == set(charsets)


def test_planted_copies_lead_to_pages_of_the_sample() -> None:
    addresses = {row["url"] for row in web() if row["kind"] == "article"}
    copies = [row for row in web() if row["duplicate_of"]]
    assert {row["kind"] for row in copies} == {"exact", "mirror", "edited", "recapture"}
    assert len(copies) >= 50
    assert {row["duplicate_of"] for row in copies} <= addresses
    assert all((row["url"] == row["duplicate_of"]) == (row["kind"] == "recapture") for row in copies)
    times = Counter(row["url"] for row in web())
    assert sorted(url for url, count in times.items() if count > 1) == sorted(
        row["url"] for row in copies if row["kind"] == "recapture"
    )


def test_junk_of_many_kinds_is_among_the_pages() -> None:
    kinds = {row["kind"] for row in web() if row["kind"].startswith("junk.")}
    assert {
        "junk." + kind for kind in ("keywords", "repeat", "links", "lorem", "login", "empty", "mojibake")
    } <= kinds
    assert {row["status"] for row in web()} == {200, 301, 302, 404}


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.name)
def test_a_dump_is_multistream_and_holds_the_pages_of_the_truth(dump: Path) -> None:
    data = dump.read_bytes()
    decompressor = bz2.BZ2Decompressor()
    head = decompressor.decompress(data).decode()
    assert "<dbname>demowiki</dbname>" in head
    assert "<page>" not in head
    assert len(decompressor.unused_data) > 0
    root = ElementTree.fromstring(bz2.decompress(data))
    pages = [
        (
            int(page.findtext(f"{EXPORT}id", "")),
            page.findtext(f"{EXPORT}title"),
            int(page.findtext(f"{EXPORT}ns", "")),
        )
        for page in root.iter(f"{EXPORT}page")
    ]
    rows = [row for row in truth() if row["file"] == dump.name]
    assert pages == [(row["id"], row["title"], row["namespace"]) for row in rows]


def test_the_dumps_hold_redirects_a_talk_page_and_articles_in_many_languages() -> None:
    rows = [row for row in truth() if row["file"] != "web.warc.gz"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"article", "redirect", "other"}
    assert 1 in {row["namespace"] for row in rows}
    articles = Counter(row["language"] for row in rows if row["kind"] == "article")
    assert articles["eng_Latn"] >= 100
    assert set(articles) >= {
        "cmn_Hans",
        "cmn_Hant",
        "jpn_Jpan",
        "rus_Cyrl",
        "deu_Latn",
        "arb_Arab",
        "hin_Deva",
    }
