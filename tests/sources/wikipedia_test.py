"""Wikipedia dumps: every page once, whatever the file, the split size and the damage."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.document import Failure, Record
from corpus.sources.wikipedia import mediawiki, mediawiki_chunks
from corpus.sources.wikipedia.wiki_dump import Wikipedia, snapshot_of
from tests.sources import text_of

SITEINFO = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="{lang}">
  <siteinfo>
    <sitename>W</sitename>
    <dbname>{lang}wiki</dbname>
    <base>https://{lang}.wikipedia.org/wiki/Main_Page</base>
    <namespaces><namespace key="0" /><namespace key="1">Talk</namespace></namespaces>
  </siteinfo>
"""
TITLES = ["数学", "東京都", "กรุงเทพ", "القاهرة", "दिल्ली", "Москва", "Achilles' heel", "AT&T", "C/1995 O1"]


def page(
    number: int, text: str = "Text.", title: str | None = None, *, ns: int | None = 0, inside: str = ""
) -> str:
    name = TITLES[number % len(TITLES)] + f" {number}" if title is None else title
    return (
        f"  <page>\n    <title>{escape(name)}</title>\n"
        + (f"    <ns>{ns}</ns>\n" if ns is not None else "")
        + f"    <id>{number}</id>\n{inside}    <revision>\n      <id>{1000 + number}</id>\n"
        "      <timestamp>2024-05-06T07:08:09Z</timestamp>\n"
        "      <contributor><username>A</username><id>7</id></contributor>\n"
        f'      <text bytes="1" xml:space="preserve">{escape(text)}</text>\n    </revision>\n  </page>\n'
    )


def dump(pages: list[str], lang: str = "en") -> bytes:
    return (SITEINFO.format(lang=lang) + "".join(pages) + "</mediawiki>\n").encode()


def multistream(pages: list[str], per_stream: int = 2) -> bytes:
    texts = [SITEINFO.format(lang="en")]
    texts += ["".join(pages[i : i + per_stream]) for i in range(0, len(pages), per_stream)]
    return b"".join(bz2.compress(text.encode()) for text in [*texts, "</mediawiki>\n"])


def read(path: Path, split_size: int = 1 << 30, **options: object) -> list[Record | Failure]:
    source = Wikipedia(paths=["x"], **options)
    found: list[Record | Failure] = []
    for start, end in source.plan(str(path), path.stat().st_size, split_size):
        found += source.read(str(path), path.name, start, end)
    return found


def numbers(found: list[Record | Failure]) -> list[int]:
    return [int(record.metadata["page_id"]) for record in found if isinstance(record, Record)]


def failures(found: list[Record | Failure]) -> list[Failure]:
    return [item for item in found if isinstance(item, Failure)]


def test_a_page_becomes_a_record(tmp_path: Path) -> None:
    path = tmp_path / "enwiki-20240501-pages-articles.xml"
    path.write_bytes(dump([page(8, "'''AT&T''' is a company.", "AT&T & co")]))
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.native_id == "enwiki:8:1008"
    assert record.url == "https://en.wikipedia.org/wiki/AT%26T_%26_co"
    assert record.body == "'''AT&T''' is a company."
    assert (record.date, record.snapshot) == ("2024-05-06T07:08:09Z", "20240501")
    assert (record.license, record.group, record.language) == ("CC-BY-SA-4.0", "enwiki:8", "eng_Latn")
    assert record.media_type == "text/x-wiki" and record.gate is None
    assert path.read_bytes()[record.offset :][: record.length].startswith(b"<page>\n    <title>AT&amp;T")
    assert text_of(record) == "AT&T & co\n\nAT&T is a company."


def test_the_title_is_left_out_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(dump([page(1, "Some text.", "T")]))
    (record,) = read(path, title=False)
    assert isinstance(record, Record) and text_of(record) == "Some text."


@pytest.mark.parametrize(
    "lang, language", [("zh", None), ("ja", "jpn_Jpan"), ("th", "tha_Thai"), ("simple", "eng_Latn")]
)
def test_the_wiki_names_the_language_where_it_has_one(
    tmp_path: Path, lang: str, language: str | None
) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump([page(1)], lang))
    (record,) = read(path)
    assert isinstance(record, Record) and (record.language, record.group) == (language, f"{lang}wiki:1")


def test_bare_pages_take_the_wiki_from_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "zh_yuewiki-20150423-id13.xml"
    path.write_text(page(13, title="數學"))
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.url == "https://zh-yue.wikipedia.org/wiki/%E6%95%B8%E5%AD%B8"
    assert (record.group, record.language) == ("zh_yuewiki:13", "yue_Hani")
    path = path.rename(tmp_path / "export.xml")
    (record,) = read(path)
    assert isinstance(record, Record) and (record.url, record.group) == (None, None)
    (record,) = read(path, wiki="dewiki")
    assert isinstance(record, Record) and record.url == "https://de.wikipedia.org/wiki/%E6%95%B8%E5%AD%B8"


def test_gates(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    texts = [
        page(1, "An article with {{disambiguation needed}}."),
        page(2, "Talk.", ns=1),
        page(3, "#REDIRECT [[A]]", inside='    <redirect title="A" />\n'),
        page(4, "#перенаправление [[А]]"),
        page(5, "'''Mercury''' may be:\n* a planet\n{{Disambig|geo}}"),
        page(6, "__DISAMBIG__"),
        page(7, ""),
        page(8, "x").replace("</timestamp>", "</timestamp><model>javascript</model>"),
        page(9, "x", "Talk:Old dumps give no number", ns=None),
        page(10, "{{消歧义}}"),
        "<page><title>No text</title><id>11</id></page>",
        page(12, "x").replace(' xml:space="preserve">x</text>', ' deleted="deleted" />'),
    ]
    path.write_bytes(dump(texts).replace(b"enwiki", b"unknown"))
    gates = [
        item.gate and item.gate.removeprefix("wikipedia.") for item in read(path) if isinstance(item, Record)
    ]
    assert gates == [
        *(None, "namespace", "redirect", "redirect", "disambiguation", "disambiguation"),
        *("empty", "model", "namespace", "disambiguation", "empty", "empty"),
    ]
    assert [item.gate for item in read(path, namespaces=[1])[1:2]] == [None]


def test_disambiguation_goes_by_the_templates_of_the_wiki(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    for lang, gate in [("nl", "wikipedia.disambiguation"), ("en", None)]:
        path.write_bytes(dump([page(1, "{{dp}} Text.")], lang))
        (record,) = read(path)
        assert isinstance(record, Record) and record.gate == gate


PAGES = [page(n, f"Seite {n} " * (n % 7 * 40)) for n in range(40)]


@pytest.mark.parametrize("split_size", [1, 77, 500, 4096, 1 << 30])
def test_plain_xml_is_read_once_from_any_split(tmp_path: Path, split_size: int) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(PAGES[:9] if split_size == 1 else PAGES))
    found = read(path, split_size)
    assert found == read(path) and not failures(found)
    assert numbers(found) == list(range(len(found))) and len(found) >= 9


@pytest.mark.parametrize("split_size", [100, 300, 1000, 1 << 30])
def test_multistream_is_read_once_from_any_split(tmp_path: Path, split_size: int) -> None:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(multistream(PAGES, 3))
    found = read(path, split_size)
    assert found == read(path) and not failures(found)
    assert numbers(found) == list(range(40))
    first = found[20]
    assert isinstance(first, Record)
    stream = bz2.BZ2Decompressor().decompress(path.read_bytes()[first.offset :])
    assert stream[int(first.metadata["offset_in_stream"]) :][: first.length].startswith(b"<page>")


def test_a_single_stream_is_one_split(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(dump(PAGES)))
    assert Wikipedia(paths=["x"]).plan(str(path), path.stat().st_size, 100) == [(0, path.stat().st_size)]
    assert numbers(read(path)) == list(range(40))


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(0, 400), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 6000), max_size=12),
    split_size=st.integers(1, 3000),
)
def test_streams_may_end_inside_a_page(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], cuts: list[int], split_size: int
) -> None:
    """As pbzip2 writes them: cut every so many bytes."""
    data = dump([page(n, "ü" * length) for n, length in enumerate(lengths)])
    edges = [0, *sorted(set(cut for cut in cuts if cut < len(data))), len(data)]
    path = tmp_path_factory.mktemp("cut") / "dump.xml.bz2"
    path.write_bytes(b"".join(bz2.compress(data[a:b]) for a, b in pairwise(edges)))
    found = read(path, split_size)
    assert numbers(found) == list(range(len(lengths))) and not failures(found)
    plain = path.with_name("dump.xml")
    plain.write_bytes(data)
    assert numbers(read(plain, split_size)) == list(range(len(lengths)))


COMPRESSORS = {
    "xz": lzma.compress,
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "xml": lambda data: data,
}


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_dump_that_is_cut_off_gives_its_whole_pages_and_one_failure(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dump.{suffix}"
    data = dump(PAGES)
    inside = data.index(b"<id>30</id>")
    path.write_bytes(COMPRESSORS[suffix](data[:inside]))
    found = read(path)
    assert numbers(found) == list(range(30))
    (failure,) = failures(found)
    assert (failure.step, failure.error.partition(" (")[0]) == ("read", "the file ends inside a page")
    start = data.rindex(b"<page>", 0, inside)
    if suffix == "bz2":
        assert (failure.offset, failure.length) == (0, path.stat().st_size)
        assert failure.error.endswith(f" (from byte {start:,} of its bz2 stream on)")
    else:
        assert (failure.offset, failure.length) == (start, inside - start)


@pytest.mark.parametrize("suffix", ["xz", "gz", "zst", "bz2"])
def test_a_compressed_file_that_is_cut_off(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dump.{suffix}"
    noise = "".join(chr(0x4E00 + n * n % 7919) for n in range(3000))
    data = COMPRESSORS[suffix](dump([page(n, noise[n:] + noise[:n]) for n in range(800)]))
    path.write_bytes(data[: len(data) * 2 // 3])
    found = read(path)
    assert numbers(found) == list(range(len(found) - 1)) and len(found) > 2
    assert len(failures(found)) == 1 and isinstance(found[-1], Failure)


def test_a_dump_cut_between_two_pages_is_a_failure_too(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(PAGES).removesuffix(b"</mediawiki>\n"))
    for split_size in (300, 1 << 30):
        found = read(path, split_size)
        assert numbers(found) == list(range(40))
        (failure,) = failures(found)
        assert failure.offset == path.stat().st_size and "cut off" in failure.error


@pytest.mark.parametrize("split_size", [200, 1 << 30])
def test_a_damaged_stream_costs_its_own_pages(tmp_path: Path, split_size: int) -> None:
    path = tmp_path / "dump.xml.bz2"
    data = bytearray(multistream(PAGES, 2))
    starts = [match.start() for match in mediawiki_chunks.BZIP2_STREAM_START.finditer(data)]
    data[starts[5] + 60] ^= 0xFF
    path.write_bytes(data)
    found = read(path, split_size)
    assert numbers(found) == [n for n in range(40) if n not in (8, 9)]
    (failure,) = failures(found)
    assert (failure.offset, failure.length) == (starts[5], starts[6] - starts[5])
    assert failure.error.startswith("damaged bz2 stream")


def test_what_only_looks_like_a_stream_is_none(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml.bz2"
    streams = [
        bz2.compress(SITEINFO.format(lang="en").encode()),
        *(bz2.compress(text.encode()) for text in PAGES[:6]),
    ]
    path.write_bytes(
        b"".join([*streams[:4], b"BZh91AY&SY by chance", *streams[4:], bz2.compress(b"</mediawiki>")])
    )
    for split_size in (sum(map(len, streams[:4])) - 1, sum(map(len, streams[:4])) + 5, 1 << 30):
        found = read(path, split_size)
        assert numbers(found) == list(range(6))
        assert len(failures(found)) <= 1


def test_a_page_that_is_never_closed_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump([PAGES[0], PAGES[1].replace("</page>", ""), PAGES[2]]))
    found = read(path)
    assert numbers(found) == [0, 2]
    assert [failure.error for failure in failures(found)] == [
        "the page is not closed before the next one begins"
    ]


def test_of_a_history_the_last_revision_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "history.xml"
    head, rest = page(1, "OLD").split("    <revision>")
    revision = "    <revision>" + rest.split("  </page>")[0]
    old = revision.replace("OLD", "old " * 50_000)
    with path.open("w") as stream:
        stream.write(SITEINFO.format(lang="en") + PAGES[3] + head)
        for _ in range(300):
            stream.write(old)
        stream.write(
            revision.replace("OLD", "new").replace("1001", "2002") + "  </page>\n" + PAGES[4] + "</mediawiki>"
        )
    tracemalloc.start()
    found = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(item.native_id, item.body[:3]) for item in found if isinstance(item, Record)] == [
        ("enwiki:3:1003", "Sei"),
        ("enwiki:1:2002", "new"),
        ("enwiki:4:1004", "Sei"),
    ]
    data = path.read_bytes()
    for item in found:
        assert isinstance(item, Record)
        element = data[item.offset :][: item.length]
        assert (
            element.startswith(b"<page>") and element.endswith(b"</page>") and element.count(b"<page>") == 1
        )
    assert len(data) > 55 << 20 and peak < 24 << 20


def test_a_page_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediawiki, "MAX_PAGE_BYTES", 1 << 20)
    path = tmp_path / "dump.xml"
    path.write_bytes(dump([PAGES[0], page(1, "x" * (5 << 20)), PAGES[2]]))
    found = read(path)
    assert numbers(found) == [0, 2]
    assert [failure.error for failure in failures(found)] == ["the page is longer than 1048576 bytes"]


def test_entities_are_those_of_xml_and_never_expanded(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    bomb = '<!DOCTYPE m [<!ENTITY a "haha"><!ENTITY f SYSTEM "file:///etc/passwd">]>\n'
    body = page(1, "TEXT").replace(
        "TEXT", "&amp;nbsp; &lt;ref&gt; &quot;&#233;&#x6570;&amp;#65; &a;&f; &#0;&#xD800;"
    )
    path.write_bytes(bomb.encode() + dump([body]))
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.body == '&nbsp; <ref> "é数&#65; &a;&f; \ufffd\ufffd'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "iso-8859-1", "utf-8-sig"])
def test_other_encodings_are_read_by_their_mark_or_declaration(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "dump.xml"
    text = dump([page(n, "Größe", "Maß") for n in range(50)]).decode()
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + f'<?xml version="1.0" encoding="{encoding}"?>\n' + text).encode(encoding))
    found = read(path, 1000)
    assert numbers(found) == list(range(50)) and not failures(found)
    assert {item.body for item in found if isinstance(item, Record)} == {"Größe"}


def test_what_is_no_dump_is_a_failure(tmp_path: Path) -> None:
    for content, error in [
        (b"", "the file is empty"),
        (b"<html></html>", "no <page> in it: not a MediaWiki dump"),
    ]:
        path = tmp_path / "a.xml"
        path.write_bytes(content)
        assert [item.error for item in failures(read(path))] == [error]


@pytest.mark.parametrize(
    "name, pages, gates, failed",
    [
        (
            "gensim/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
            206,
            {"redirect": 99},
            0,
        ),
        ("gensim/bgwiki-latest-pages-articles-shortened.xml.bz2", 3, {"namespace": 2}, 0),
        ("ssvb-truncated/bnwiki-truncated-100k.xml.xz", 722, {"redirect": 69, "namespace": 273}, 1),
        ("ssvb-truncated/jawiki-truncated-100k.xml.xz", 238, {"redirect": 15, "disambiguation": 6}, 1),
        ("ssvb-truncated/ukwiki-truncated-100k.xml.xz", 532, {"redirect": 13, "disambiguation": 3}, 1),
        ("wikiclean/article-stubs.xml.bz2", 5, {"empty": 5}, 0),
        ("wikiclean/zhwiki-20150423-id13.xml", 1, {}, 0),
    ],
)
def test_real_dumps(data: Path, name: str, pages: int, gates: dict[str, int], failed: int) -> None:
    found = read(data / "wiki" / name, 1 << 16)
    records = [item for item in found if isinstance(item, Record)]
    assert len(records) == pages and len(failures(found)) == failed
    counted = Counter(record.gate for record in records)
    assert {name: counted[f"wikipedia.{name}"] for name in gates} == gates
    assert len({record.native_id for record in records}) == pages
    assert len({(record.offset, record.metadata.get("offset_in_stream")) for record in records}) == pages
    for failure in failures(found):
        assert failure.error == "the file ends inside a page" and failure.offset > records[-1].offset


@pytest.mark.parametrize(
    ("file", "snapshot"),
    [
        ("dewiki-20240101-pages-articles-multistream.xml.bz2", "20240101"),
        ("ptwiki-2026-09-01-p12p34567.xml.bz2", "20260901"),
        ("zh_yuewiki-2026-09-01-p1p2.xml", "20260901"),
        ("content_current/ptwiki/2026-09-01/xml/bzip2/part-1.xml.bz2", "20260901"),
        ("ptwiki/20260901/ptwiki-latest-pages-articles.xml.bz2", "20260901"),
        ("ptwiki-latest-pages-articles.xml-p000000010p000030302.bz2", None),
        ("ptwiki-2026-13-01-p1p2.xml", None),
        ("ptwiki-pages-articles.xml", None),
    ],
)
def test_the_name_of_a_dump_gives_its_snapshot(file: str, snapshot: str | None) -> None:
    assert snapshot_of(file) == snapshot
