"""PubMed files cut into articles and citations: whatever holds them, whatever is broken beside them."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
from collections import Counter
from pathlib import Path

import pytest

from corpus.document import Failure, Record
from corpus.sources.papers.pubmed import Pubmed, cut_records
from tests.extract.jats_test import CITATION

ARTICLE = (
    '<article article-type="research-article"><front><article-meta><article-id pub-id-type="pmid">{0}</article-id>'
    '<article-id pub-id-type="pmc">{0}0</article-id></article-meta></front><body><p>text {0}</p></body></article>'
)


def read(path: Path, **options: object) -> list[Record | Failure]:
    source = Pubmed.model_validate({"kind": "pubmed", "paths": ["x"], **options})
    assert source.plan(str(path), path.stat().st_size, 1024) == [(0, path.stat().st_size)]
    return list(source.read(str(path), path.name, 0, path.stat().st_size))


def names(items: list[Record | Failure]) -> list[str]:
    return [item.native_id if isinstance(item, Record) else item.error for item in items]


def archive(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def test_a_baseline_file_is_cut_into_citations(tmp_path: Path) -> None:
    path = tmp_path / "pubmed25n0001.xml.gz"
    head = "<?xml version='1.0'?><!DOCTYPE PubmedArticleSet [<!ENTITY a 'b'>]>"
    text = f"{head}<PubmedArticleSet>\n{CITATION}\n{CITATION}</PubmedArticleSet>"
    path.write_bytes(gzip.compress(text.encode()))
    first, other, *rest = read(path)
    assert isinstance(first, Record) and isinstance(other, Record) and len(rest) == 2
    assert (first.native_id, first.group, first.url) == (
        "pmid:5.1:",
        "pmid:5",
        "https://pubmed.ncbi.nlm.nih.gov/5/",
    )
    assert text.encode()[first.offset :][: first.length] == first.body == CITATION.encode()
    assert (other.native_id, other.metadata) == ("pmid:5.1:#0", {"retracted": "yes", "translation": "0"})


def test_an_archive_of_articles(tmp_path: Path) -> None:
    path = tmp_path / "oa_comm.tar.gz"
    body = archive(
        ("PMC001xxxxxx/PMC10.xml", ARTICLE.format(1).encode()),
        ("../../etc/passwd", b"no"),
        ("PMC001xxxxxx/PMC20.xml", b"<article><front>"),
        ("PMC001xxxxxx/PMC30.nxml", ARTICLE.format(3).encode()),
        ("PMC001xxxxxx/PMC40.xml", b"<html/>"),
    )
    path.write_bytes(gzip.compress(body))
    items = read(path)
    assert names(items) == [
        "pmcid:PMC10",
        "PMC001xxxxxx/PMC20.xml: cut: the record does not end",
        "pmcid:PMC30",
        "PMC001xxxxxx/PMC40.xml: no article or citation in it",
    ]
    assert [item.offset for item in items] == [0, 2048, 3072, 4096]
    assert isinstance(items[2], Record) and items[2].metadata == {"member": "PMC001xxxxxx/PMC30.nxml"}
    path.write_bytes(gzip.compress(body)[:-60])
    assert names(read(path))[0] == "pmcid:PMC10" and "damaged" in names(read(path))[-1]


def test_a_cut_citation_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    half = CITATION[:300]
    path.write_text(f"<PubmedArticleSet>{half}{CITATION}{half}")
    assert names(read(path)) == [
        "cut: the record does not end",
        "pmid:5.1:",
        "pmid:5.1:#0",
        "cut: the record does not end",
    ]


def test_records_over_the_limit_are_gated_and_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<s>{ARTICLE.format(1)}<article>{'x' * 3_000_000}</article>{ARTICLE.format(2)}</s>")
    items = read(path, max_bytes=2000)
    assert [(item.gate, item.length) for item in items if isinstance(item, Record)] == [
        (None, len(ARTICLE.format(1))), ("pubmed.size", 3_000_019), (None, len(ARTICLE.format(2))),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_chunks_do_not_matter(size: int) -> None:
    text = f"<s>{CITATION}<x/>{ARTICLE.format(1)}{CITATION[:90]}{CITATION}<article>".encode()
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(cut_records(iter(chunks), 1 << 20)) == list(cut_records(iter([text]), 1 << 20))
    assert [length for _, length, _ in cut_records(iter([text]), 1 << 20)] == [
        len(CITATION.encode()), len(ARTICLE.format(1)), 90, len(CITATION.encode()), 9,
    ]  # fmt: skip


def test_retracted_papers_may_be_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<s>{CITATION}{ARTICLE.format(1)}</s>")
    gates = [item.gate for item in read(path, retracted="drop") if isinstance(item, Record)]
    assert gates == ["pubmed.retracted", "pubmed.retracted", None]


def test_other_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"")
    assert names(read(path)) == ["no article or citation in it"]


def test_the_sample_baseline_is_read_whole(data: Path) -> None:
    path = data / "pubmed/medline/medline16n0902.xml.gz"
    items = read(path)
    assert Counter(type(item).__name__ for item in items) == {"Record": 604}
    assert len(set(names(items))) == 604


@pytest.mark.parametrize(
    "record",
    [
        "<article><front><article-meta>" + "<trans-abstract>" * 20_000 + "</article-meta></front></article>",
        "<article><article-meta>" + '<article-id pub-id-type="pmc" ' * 20_000 + "</article-meta></article>",
        '<article><article-meta><article-id x="'
        + ' pub-id-type="pmc"' * 20_000
        + "</article-meta></article>",
        "<article><article-meta>Retracted" + "<article-title " * 20_000 + "</article-meta></article>",
        '<article><article-meta>Retracted<article a="'
        + "article-type= " * 50_000
        + "</article-meta></article>",
        "<PubmedArticle>" + "<OtherAbstract>" * 20_000 + "</PubmedArticle>",
    ],
)
def test_tags_that_do_not_close_cost_linear_time(record: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.xml"
    path.write_text(record)
    begun = time.process_time()
    assert len(read(path)) == 1
    assert time.process_time() - begun < 2  # minutes where every tag is looked for to the end
