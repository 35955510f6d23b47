"""Opt-outs: what pages and their responses say about being trained on, and what only looks like it."""

from __future__ import annotations

import time

import pytest

from corpus.document import Document, Record
from corpus.extract import ExtractedText, extract
from corpus.extract.html.blocks.page_blocks import read_blocks
from corpus.extract.html.main_text import MODES
from corpus.extract.opt_outs import (
    AI_CRAWLERS,
    KINDS,
    expand_opt_outs,
    find_header_opt_outs,
    find_page_opt_outs,
    read_opt_outs,
)
from corpus.formats.http import read_head
from corpus.pipelines.ingest import add_extraction


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("X-Robots-Tag: noai, noimageai", "noai noimageai"),
        ("x-robots-tag:NoAI", "noai"),
        ("X-ROBOTS-TAG: all\nX-Robots-Tag: googlebot: nofollow, noml", "noai"),
        ("X-Robots-Tag: *: noai", "noai"),
        ("X-Robots-Tag: unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT, noimageai", "noimageai"),
        ("X-Robots-Tag: max-image-preview: large,\n noai", "noai"),
        ("TDM-Reservation: 1\nTDM-Policy: https://example.org/policy.json", "tdm-reservation"),
        ("tdm-reservation: 1\ntdm-reservation: 1", "tdm-reservation"),
        ("tdm-reservation: 0\nTDM-Reservation: 1", "tdm-reservation"),
        ("tdm-reservation: , 1", "tdm-reservation"),
        ("X-Robots-Tag: GPTBot/1.2: noindex\nX-Robots-Tag: *: nofollow", "ai-crawler"),
        ("X-Robots-Tag: bingbot: noindex, otherbot: noai", "noai"),
        ("X-Robots-Tag: CCBot: nofollow, bingbot: noindex", None),
        ("Content-Usage: train-ai=n", "train-ai"),
        ("Content-Signal: search=yes, ai-train=no", "train-ai"),
        ("X-Robots-Tag: GPTBot: noindex, nofollow", "ai-crawler"),
        ("X-Robots-Tag: bingbot: nofollow, ccbot: none", "ai-crawler"),
        ("X-Robots-Tag: Google-Extended: noarchive\nX-Robots-Tag: index", "ai-crawler"),
        ("X-Robots-Tag: GPTBot: nofollow\nX-Robots-Tag: noindex", None),
        ("X-Robots-Tag: noindex, nofollow, noarchive", None),
        ("X-Robots-Tag: googlebot: noindex", None),
        ("tdm-reservation: 0", None),
        ("Content-Usage: train-ai=y", None),
        ("X-Noai: yes", None),
    ],
)
def test_headers(lines: str, expected: str | None) -> None:
    written = lines.replace("\n", "\r\n")
    head = read_head(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{written}\r\n\r\n<p>".encode())
    assert find_header_opt_outs(head.headers) == expected


@pytest.mark.parametrize(
    "line", ["TDM-Reservation: 1", "Content-Usage: train-ai=n", "Content-Signal: ai-train=no"]
)
def test_headers_behind_an_empty_line_may_begin_with_an_opt_out(line: str) -> None:
    head = read_head(f"HTTP/1.1 200 OK\n\n{line}\nContent-Type: text/html\n\n<p>".encode())
    assert find_header_opt_outs(head.headers) is not None
    assert head.headers["content-type"] == "text/html"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<meta name="robots" content="noai, noimageai">', "noai noimageai"),
        ("<META CONTENT=NoAI NAME=Robots>", "noai"),
        ("<meta\n name = 'robots'\n content = 'max-snippet:-1,\tNOIMAGEAI'/>", "noimageai"),
        ('<meta name="googlebot" content="noai"/>', "noai"),
        ('<meta http-equiv="X-Robots-Tag" content="noai">', "noai"),
        ('<meta name="tdm-reservation" content="1">', "tdm-reservation"),
        ('<meta property="TDM-Reservation" content=1>', "tdm-reservation"),
        ('<meta name="CCBot" content="nofollow, noindex">', "ai-crawler"),
        ('<meta name="robots" content="no&#97;i">', "noai"),
        ('<meta name="rob&#x6F;ts" content="no&#X0041I&#44;&Tab;noimage&#097;i">', "noai noimageai"),
        ('<meta name="tdm&#45;reservation" content="&#49;">', "tdm-reservation"),
        ('<meta name="CC&#66;ot" content="no&#105;ndex">', "ai-crawler"),
        ('<meta name="robots" content="no&amp;#97;i">', ""),
        ('<meta name="robots" content="no&#97i2">', ""),
        (f'<meta name="robots" content="&#{"9" * 5000};"><meta name="robots" content="noai">', "noai"),
        ("<p don't><meta name=robots content='noai'>", "noai"),
        ("<!--><meta name=robots content=noai>", "noai"),
        ('<meta name="robots" content="noindex, nofollow, noarchive">', ""),
        ('<meta name="description" content="noai, and what it means">', ""),
        ('<!-- <meta name="robots" content="noai"> -->', ""),
        ('<script>write(\'<meta name="robots" content="noai">\')</script>', ""),
        ("<textarea><meta name=robots content=noai></textarea>", ""),
        ("<p title='<meta name=robots content=noai>'>", ""),
        ("<p>noai, tdm-reservation: 1</p>", ""),
        ('<meta name="tdm-reservation" content="0">', ""),
    ],
)
def test_pages(page: str, expected: str) -> None:
    """Whether their source is searched or our own extractor has parsed it."""
    assert find_page_opt_outs(f"<html><head>{page}</head>".encode()) == expected
    assert read_opt_outs(read_blocks(f"<html><head>{page}</head>").statements) == expected


@pytest.mark.parametrize("name", sorted(AI_CRAWLERS))
def test_each_crawler_is_told_by_its_name(name: str) -> None:
    for page in (
        f'<meta name="{name.upper()}" content="noindex">',
        f'<meta name="robots" content="{name}: noarchive">',
        f'<meta http-equiv="x-robots-tag" content="{name}: none">',
    ):
        assert find_page_opt_outs(page.encode()) == "ai-crawler"
        assert read_opt_outs(read_blocks(page).statements) == "ai-crawler"
    other = f'<meta name="my-{name}" content="noindex">'
    assert find_page_opt_outs(other.encode()) == read_opt_outs(read_blocks(other).statements) == ""


def test_a_page_overrules_its_response_on_mining_alone() -> None:
    open_again = b'<meta name="tdm-reservation" content="0">'
    assert find_page_opt_outs(open_again, "noai tdm-reservation") == "noai"
    assert find_page_opt_outs(b"<p>", "tdm-reservation") == "tdm-reservation"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_every_extraction_mode_has_them(mode: str, charset: str) -> None:
    prose = "На этой странице написано довольно много, чтобы её прочитали целиком. " * 8
    page = f"<html><head><meta name='robots' content='noai'></head><body><article><p>{prose}</p></article></body>"
    record = Record(
        native_id="1", file="f", offset=0, length=1, media_type="text/html", body=page.encode(charset),
        url="https://a.example/", opt_out="tdm-reservation",
    )  # fmt: skip
    extracted = extract(record, mode)
    assert extracted is not None and extracted.opt_out == "noai tdm-reservation"


def test_a_gate_stops_what_is_asked_for_alone() -> None:
    def stop(stopped: list[str]) -> Document:
        document = Document(id="1", file="f", offset=0, length=1, opt_out="noimageai")
        add_extraction(document, ExtractedText(text="words", opt_out="noimageai ai-crawler"), stopped)
        return document

    assert stop([]).gate is None and stop([]).opt_out == "noimageai ai-crawler"
    assert stop(["noai", "tdm-reservation"]).gate is None
    assert stop(["ai-crawler"]).gate == "opt_out.ai-crawler"
    assert stop(list(KINDS)).gate == "opt_out.noimageai"


def test_the_key_names_kinds() -> None:
    assert expand_opt_outs("all") == expand_opt_outs(True) == list(KINDS)
    assert expand_opt_outs(["tdm-reservation", "noai"]) == ["noai", "tdm-reservation"]
    assert expand_opt_outs(False) == expand_opt_outs([]) == []
    for wrong in ("noia", {"noai": True}, [1]):
        with pytest.raises(ValueError, match="opt-out"):
            expand_opt_outs(wrong)


def test_hostile_pages_take_linear_time() -> None:
    begun = time.process_time()
    for piece in (b"<meta ", b"<meta noai ", b'<meta noai><a ="', b"<meta noai><!--", b"<script><meta noai>"):
        find_page_opt_outs(piece * 20_000)
    find_page_opt_outs(b"<meta content='" + b"&#97" * 20_000 + b"'>" + b"<meta &#97 noai>" * 20_000)
    find_page_opt_outs(b"<meta " + b"a" * 40_000 + b"><meta noai>")
    assert time.process_time() - begun < 2


def test_a_meta_element_in_a_quoted_attribute_hides_no_opt_out() -> None:
    assert find_page_opt_outs(b'<meta name="robots" title="the <meta> tag" content="noai">') == "noai"
    assert find_page_opt_outs(b'<meta name="robots" content="<meta name=robots>, noai">') == "noai"
