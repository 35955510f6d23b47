"""News pages: headline, date, text; what is no article, no whole one, or no free one stops at a gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpus.document import Record
from corpus.extract import ExtractedText, extract
from corpus.extract.html.news_article import _strip_site_name
from corpus.sources.web.news import News

SENTENCES = {
    "eng": "The council of the harbour town decided on Tuesday to rebuild the old bridge before winter. ",
    "cmn": "港口城市的议会星期二决定，在冬天到来之前重建那座古老的桥梁，工程将于下个月开始。",
    "jpn": "港町の議会は火曜日、冬が来る前に古い橋を建て直すことを決め、工事は来月から始まる。",
    "tha": "สภาเมืองท่าตัดสินใจเมื่อวันอังคารว่าจะสร้างสะพานเก่าขึ้นใหม่ก่อนฤดูหนาวจะมาถึง ",
    "rus": "Совет портового города во вторник решил восстановить старый мост до наступления зимы. ",
    "arb": "قرر مجلس المدينة الساحلية يوم الثلاثاء إعادة بناء الجسر القديم قبل حلول فصل الشتاء. ",
    "hin": "बंदरगाह नगर की परिषद ने मंगलवार को सर्दियों से पहले पुराने पुल को फिर से बनाने का निर्णय लिया। ",
}


def article(
    language: str = "eng", times: int = 4, head: str = "", end: str = "", title: str = "Bridge to be rebuilt"
) -> str:
    body = "".join(f"<p>{SENTENCES[language] * 2}({at})</p>" for at in range(times))
    return (
        f"<html><head><title>{title} | Harbour Times</title><meta property='og:site_name' content='Harbour Times'>"
        f"<meta property='og:type' content='article'><meta property='article:published_time' "
        f"content='2024-03-05T08:00:00Z'>{head}</head><body><article><h1>{title}</h1>{body}{end}</article></body></html>"
    )


def news(
    html: str, url: str = "https://harbour.example.org/2024/03/05/bridge.html?utm_source=x"
) -> ExtractedText | None:
    metadata = {"captured": "2024-03-06T00:00:00Z"}
    record: Any = {"native_id": "1", "file": "f", "offset": 0, "length": 1, "metadata": metadata}
    return extract(Record(media_type="text/x-news", body=html, url=url, **record), "fast")


@pytest.mark.parametrize("language", SENTENCES)
def test_an_article_has_its_headline_its_date_and_its_text(language: str) -> None:
    found = news(article(language))
    assert found is not None and found.gate is None
    assert (found.date, found.metadata["headline"]) == ("2024-03-05", "Bridge to be rebuilt")
    assert found.text.startswith("Bridge to be rebuilt\n") and found.text.count("Bridge to be rebuilt") == 1
    assert found.text.count(SENTENCES[language].strip()) == 8
    assert found.metadata["site"] == "Harbour Times"


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("Brücke - Sport - Harbour Times", "Brücke - Sport"),
        ("桥 | harbour times", "桥"),
        ("Мост – Harbour-Times", "Мост"),
        ("Bridge - a history", "Bridge - a history"),
        ("Harbour Times", "Harbour Times"),
    ],
)
def test_a_headline_is_without_the_name_of_the_site(title: str, headline: str) -> None:
    assert _strip_site_name(title, "Harbour Times", "https://harbour.example.org/a") == headline


def test_the_date_is_never_after_the_capture_and_none_where_nothing_states_it() -> None:
    late = article().replace("2024-03-05T08", "2031-01-01T08")
    found = news(late, "https://harbour.example.org/bridge-to-be-rebuilt-soon.html")
    assert found is not None and found.date is None


@pytest.mark.parametrize(
    ("gate", "html", "url"),
    [
        ("news.not_article", article(), "https://harbour.example.org/"),
        (
            "news.not_article",
            article().replace("article", "website").replace("<website", "<article"),
            "https://a.org/about",
        ),
        ("news.stub", article(times=1), "https://a.org/2024/03/05/x"),
        ("news.stub", article("cmn", times=1), "https://a.org/2024/03/05/x"),
        (
            "news.paywall",
            article(end="<p>Subscribe to continue reading this story.</p>"),
            "https://a.org/2024/03/05/x",
        ),
        (
            "news.paywall",
            article("cmn", end="<p>订阅后继续阅读全文，每月只需十元。</p>"),
            "https://a.org/2024/03/05/x",
        ),
        (
            "news.paywall",
            article("jpn", end="<p>この記事は有料です。続きを読むには登録してください。</p>"),
            "https://a.org/2024/03/05/x",
        ),
        (
            "news.paywall",
            article("rus", end="<p>Материал доступен только для подписчиков издания.</p>"),
            "https://a.org/2024/03/05/x",
        ),
        (
            "news.paywall",
            article(
                head='<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false}</script>'
            ),
            "https://a.org/2024/03/05/x",
        ),
    ],
)
def test_what_is_no_whole_free_article_stops_at_a_gate(gate: str, html: str, url: str) -> None:
    found = news(html, url)
    assert found is not None and found.gate == gate


def test_a_locked_page_that_has_its_whole_text_is_kept_and_marked() -> None:
    head = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": "False"}</script>'
    )
    found = news(article(times=30, head=head))
    assert found is not None and found.gate is None and found.metadata["paywall"] == "marked"


def test_a_page_goes_by_the_address_that_it_gives_as_its_own() -> None:
    own = "<link rel='canonical' href='https://www.harbour.example.org/2024/03/05/bridge'>"
    foreign = "<link rel='canonical' href='https://elsewhere.example.com/2024/bridge'>"
    front = "<link rel='canonical' href='https://harbour.example.org/'>"
    addresses = [getattr(news(article(head=head)), "url", "") for head in (own, foreign, front, "")]
    assert addresses == ["https://www.harbour.example.org/2024/03/05/bridge", None, None, None]


def test_a_list_of_domains_chooses_sites(tmp_path: Path) -> None:
    listed = tmp_path / "domains.txt"
    listed.write_text(
        "# papers\nharbour.example.co.uk\n россия.рф \nzeitung.example # and all below\n", encoding="utf-8"
    )
    source = News.model_validate({"kind": "news", "paths": ["x"], "domains": str(listed)})
    urls = {
        "http://www.harbour.example.co.uk/a": True,
        "https://m.harbour.example.co.uk/a": True,
        "https://other.example.co.uk/a": False,
        "https://lokal.zeitung.example:8080/a": True,
        "https://notzeitung.example/": False,
    }
    assert {url: source.is_wanted(url) for url in urls} == urls
    assert not source.is_wanted(None)


def test_articles_of_a_real_archive(data: Path) -> None:
    path = data / "warc" / "dolma" / "sample-0000.warc.gz"
    source = News.model_validate({"kind": "news", "paths": ["x"]})
    gates = {}
    for record in source.read(str(path), path.name, 0, path.stat().st_size):
        assert isinstance(record, Record)
        found = extract(record, "fast")
        gates[record.url] = "extract.empty" if found is None else found.gate
    assert gates["https://soldaini.net/"] == "news.not_article"
    assert set(gates.values()) <= {None, "extract.empty", "news.not_article", "news.stub"}
