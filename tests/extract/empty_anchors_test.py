"""Anchors that XHTML writes as empty elements are closed: what follows is no text of a link."""

from __future__ import annotations

import time

import pytest

from corpus.extract.html.blocks.page_blocks import read_blocks
from corpus.extract.html.empty_anchors import close_empty_anchors
from corpus.extract.html.main_text import extract_main_text
from corpus.extract.html.pages_ahead import prepare_page
from tests.extract.corpus_mode_test import SENTENCES

XHTML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head><body>"""


@pytest.mark.parametrize("language", SENTENCES)
def test_what_follows_an_empty_anchor_is_no_link(language: str) -> None:
    one = SENTENCES[language]
    body = f'<h1><a id="{one}"/>T</h1><div><p>{one}</p><p>{one} <a href="/">{one}</a></p></div>'
    html, data = prepare_page(XHTML + body, (XHTML + body).encode())
    page = read_blocks(html, data)
    assert page.texts == ["T", one, f"{one} {one}"]
    assert page.linked == [0, 0, len(one)] and page.links == [0, 0, 1]


@pytest.mark.parametrize("mode", ["corpus", "fast", "resiliparse"])
@pytest.mark.parametrize("language", ["ja", "zh-Hans", "ru", "ar"])
def test_a_handbook_with_anchors_is_read_as_one_without(language: str, mode: str) -> None:
    one = SENTENCES[language]
    sections = []
    for at in range(6):
        rows = "".join(
            f"<tr><td><p>apt-{row}</p></td><td><p>{one} {at}{row}</p></td></tr>" for row in range(9)
        )
        table = f'<div class="table"><table><tr><th>A {at}</th><th>B</th></tr>{rows}</table></div>'
        heading = f"<h2>ANCHOR{at}. {one[:9]}</h2>"
        sections.append(f'<div class="section">{heading}<p>{one} {at}</p><pre>apt {at}</pre>{table}</div>')
    page = f"{XHTML}<div class='chapter'><h1 class='title'>T</h1>{''.join(sections)}</div></body></html>"
    plain = extract_main_text(page.replace("ANCHOR", ""), mode=mode)
    assert plain is not None and plain.count("apt-") == 54
    for anchor in ('<a id="_a1"/>', "<a class='indexterm' id='_a2' />", "<A NAME='_a3'/>"):
        assert extract_main_text(page.replace("ANCHOR", anchor), mode=mode) == plain


def test_links_and_pages_in_html_stay_as_they_are() -> None:
    links = ('<a href="/install"/>渡船</a>', '<a id="x" href="/install" />', "<a href=/a/>渡船</a>")
    for body in (*links, "<abbr id='x'/>"):
        assert close_empty_anchors(XHTML + body) == XHTML + body
    html = '<!DOCTYPE html><html><body><a id="x"/>渡船'
    assert close_empty_anchors(html) is html
    assert close_empty_anchors(f'{XHTML}<a name="x" />渡船') == f'{XHTML}<a name="x"></a>渡船'
    assert prepare_page(html, b"data") == (html, b"data")
    assert prepare_page(f"{XHTML}<a/>", b"data") == (f"{XHTML}<a></a>", None)


@pytest.mark.parametrize(
    "piece", ["<a ", '<a id="', '<a id="x" ', "<a  " + " " * 50, "<a id" + "=" * 9, '<a id="x"']
)
def test_hostile_anchors_cost_little(piece: str) -> None:
    begin = time.process_time()
    close_empty_anchors(XHTML + piece * (1_000_000 // len(piece)))
    close_empty_anchors(XHTML + "<a" + ' id="x"' * 100_000)
    close_empty_anchors(f"{XHTML}<a{' ' * 1_000_000}")
    assert time.process_time() - begin < 2
