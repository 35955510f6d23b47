"""The day of a news page: stated, in its address, or beside its headline; never that of another story."""

from __future__ import annotations

import pytest

from corpus.extract.html.news_date import find_address_date, find_publication_date
from corpus.extract.html.trafilatura_text import parse_page

TEXTS = {
    "en": "The ferry across the bay will run again from Monday, said the harbour master on the quay this morning.",
    "zh": "港务局长今天早上在码头上宣布，横渡海湾的渡轮将从星期一起恢复运行，票价保持不变。",
    "ru": "Паром через залив снова будет ходить с понедельника, сообщил утром на причале начальник порта.",
    "hi": "बंदरगाह के प्रमुख ने आज सुबह घाट पर कहा कि खाड़ी के पार नौका सोमवार से फिर चलेगी और किराया वही रहेगा।",
    "ar": "قال مدير الميناء صباح اليوم على الرصيف إن العبارة عبر الخليج ستعود إلى العمل يوم الاثنين بالأجرة نفسها.",
    "th": "นายท่าเรือกล่าวเมื่อเช้านี้ที่ท่าว่าเรือข้ามอ่าวจะกลับมาให้บริการอีกครั้งตั้งแต่วันจันทร์โดยค่าโดยสารคงเดิม",
    "ja": "港長は今朝、湾を渡るフェリーが月曜日から再び運航し、運賃は変わらないと埠頭で述べた。",
}
URL = "https://news.example.org/ferry-runs-again-from-monday"
OTHER = '<a href="/other">Lighthouse opens to the public</a>'


def day(body: str, language: str = "en", head: str = "", url: str = URL) -> str | None:
    text = TEXTS.get(language[:2], TEXTS["en"])
    body = body.replace("TEXT", f"<p>{text}</p>")
    page = f"<html lang='{language}'><head><title>Ferry</title>{head}</head><body>{body}</body></html>"
    tree = parse_page(page)
    assert tree is not None
    return find_publication_date(tree, url, f"Ferry\n{text}", "2020-06-30")


@pytest.mark.parametrize(
    ("shown", "language"),
    [
        ("2018年09月04日 来源：港报", "zh"),
        ("4 сентября 2018, 09:30", "ru"),
        ("4 सितंबर 2018", "hi"),
        ("٤ سبتمبر ٢٠١٨", "ar"),
        ("4 กันยายน 2561", "th"),
        ("平成30年9月4日", "ja"),
        ("107/09/04", "zh-TW"),
        ("۹۷/۰۶/۱۳", "fa"),
        ("04/09/2018", "en-GB"),
        ("09/04/2018", "en-US"),
        ("Updated 6 September 2018. Published 4 September 2018", "en"),
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        "<h1>Ferry</h1><div class='info'>DAY</div>TEXT",
        "<article><header><h1>Ferry</h1><ul class='meta'><li>By A. B.</li><li>DAY</li></ul></header>TEXT</article>",
        "<div><span>DAY</span><h1>Ferry</h1></div>TEXT",
        "<span class='date'>DAY</span>TEXT",
    ],
)
def test_the_day_that_a_reader_sees(shown: str, language: str, page: str) -> None:
    assert day(page.replace("DAY", shown), language) == "2018-09-04"


@pytest.mark.parametrize(
    "page",
    [
        f"<h1>Ferry</h1>TEXT<ul><li>{OTHER} <time datetime='2017-01-01'>1 January 2017</time></li></ul>",
        f"<div class='related'><span class='date'>1 January 2017</span></div><h1>Ferry</h1>TEXT<p>{OTHER}</p>",
        f"<div class='box'><div>{OTHER}</div><span class='date'>1 January 2017</span></div><h1>Ferry</h1>TEXT",
        f"<h1>Ferry</h1><div class='more-news'>{OTHER}<i>1 January 2017</i></div>TEXT",
        "<header><span class='clock'>Tuesday, 30 June 2020</span></header><h1>Ferry</h1>TEXT",
        "<h1>Ferry</h1>TEXT<footer>© 1 January 2017</footer>",
        "<h1>Ferry</h1>TEXT<div class='comments'><time datetime='2017-01-01'></time>posted 1 January 2017</div>",
        "<h1>Ferry</h1>TEXT<article><h2>Lighthouse</h2><time datetime='2017-01-01'>1 January 2017</time></article>",
        f"<h1>Ferry</h1><table><tr><td>{OTHER}</td><td>2017-01-01</td></tr></table>TEXT",
        "<h1>Ferry</h1><ul><li><a href='/a'>灯塔</a> 2017-01-01</li><li><a href='/b'>新船</a> 2017-01-02</li></ul>TEXT",
        "<h1>Ferry</h1><div><a href='/a'>海港的旧灯塔对公众开放</a> <i>2017-01-01</i></div>TEXT",
        "<h1>Ferry</h1><select><option>1 January 2017</option></select>TEXT",
        "<h1>Ferry</h1><div><a href='/2017/01/mayak'>Маяк ночью</a> <i>1 января 2017</i></div>TEXT",
        "<h1>Ferry</h1><p><a href='/b'>등대가 시민에게 개방됐다</a> 2017.01.01</p>TEXT",
        "<h1>Ferry</h1><p>局长说，灯塔于2017年1月1日开放。</p>TEXT",
        "<h1>Ferry</h1>TEXT",
    ],
)
def test_the_day_of_another_story_or_of_the_capture_is_none(page: str) -> None:
    assert day(page) is None


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<meta property="article:published_time" content="2018-09-04T23:00:00-05:00">', "2018-09-04"),
        ('<meta name="pubdate" content="04.09.2018">', "2018-09-04"),
        (
            '<script type=application/ld+json>{"@type":"NewsArticle","datePublished":"2018-09-04"}</script>',
            "2018-09-04",
        ),
        (
            '<script type=application/ld+json>{"@graph":[{"@type":"NewsArticle","datePublished":"2017-01-01"},'
            f'{{"@type":"NewsArticle","url":"{URL}","datePublished":"2018-09-04"}}]}}</script>',
            "2018-09-04",
        ),
        (
            '<script type=application/ld+json>{"@type":"ItemList","itemListElement":[{"@type":"NewsArticle",'
            '"datePublished":"2017-01-01"}]}</script>',
            None,
        ),
        (
            '<script type=application/ld+json>{"@type":"NewsArticle","datePublished":"1970-01-01T00:00:00Z"}</script>',
            None,
        ),
        (
            '<script type=application/ld+json>{"@type":"NewsArticle","datePublished":"2021-09-04"}</script>',
            None,
        ),
        (
            '<script type=application/ld+json>{"@type":"NewsArticle", broken "datePublished": "2018-09-04"</script>',
            "2018-09-04",
        ),
    ],
)
def test_the_day_that_a_page_states(head: str, found: str | None) -> None:
    assert day("<h1>Ferry</h1>TEXT", head=head) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/n1/2018/0904/c1001-123456.html", "2018-09-04"),
        ("/2018/09/04/ferry", "2018-09-04"),
        ("/2018-09/04/c_123.htm", "2018-09-04"),
        ("/art/20180904/ferry.html", "2018-09-04"),
        ("/t20180904_5551234.htm", "2018-09-04"),
        ("/2018/sep/04/ferry", "2018-09-04"),
        ("/ferry-2018-09-04.html", "2018-09-04"),
        ("/web/20200101120000/http://a.org/ferry", None),
        ("/story/32043234.html", None),
        ("/2018/09/ferry", None),
        ("/2018/13/45/ferry", None),
        ("/04/09/2018/ferry", "2018-09-04"),
        ("/16-09-2018", "2018-09-16"),
        ("/04-sep-2018/ferry", "2018-09-04"),
        ("/180904/", "2018-09-04"),
        ("/18/0904/12/ferry.html", "2018-09-04"),
        ("/180904", None),
        ("/189904/", None),
        ("/doc-123201809041.html", None),
    ],
)
def test_the_day_in_an_address(path: str, found: str | None) -> None:
    assert find_address_date(f"https://news.example.cn{path}") == found


def test_the_language_tells_month_from_day_in_an_address() -> None:
    url = "https://news.example.org/04/09/2018/ferry"
    assert day("<h1>Ferry</h1>TEXT", "en-US", url=url) == "2018-04-09"
    assert (
        day("<h1>Ferry</h1>TEXT", "fr", url=url)
        == day("<h1>Ferry</h1>TEXT", "en-GB", url=url)
        == "2018-09-04"
    )


def test_what_stands_below_an_article_says_that_it_was_published() -> None:
    assert day("<h1>Ferry</h1>TEXT<div>发布时间：2018年9月4日</div>", "zh") == "2018-09-04"
    assert day("<h1>Ferry</h1>TEXT<p>Published: 4 September 2018</p>") == "2018-09-04"
    assert day("<h1>Ferry</h1>TEXT<p>The race is on 4 September 2018</p>") is None


@pytest.mark.parametrize(
    "page",
    [
        "<h1>Ferry</h1><span class='date' data-timestamp='1536048000'></span>TEXT",
        "<h1>Ferry</h1><abbr class='published' title='2018-09-04T10:00:00Z'>yesterday</abbr>TEXT",
        "<h1>Ferry</h1><span>\u200f٤\u200f/\u200f٩\u200f/\u200f٢٠١٨</span>TEXT",
        "<meta property='article:published_time' content='1536048000000'><h1>Ferry</h1>TEXT",
        "<meta name='pubdate' content='20180904103000'><h1>Ferry</h1>TEXT",
    ],
)
def test_the_day_in_other_forms(page: str) -> None:
    assert day(page, "ar") == "2018-09-04"


@pytest.mark.parametrize(
    "path",
    [
        "2018年9月4日/a",
        "2018/september/4/a",
        "view/AKR20180904123456789",
        "1397/06/13/a",
        "2561/09/04/a",
        "2018-sep-04-a",
    ],
)
def test_addresses_in_other_forms_and_calendars(path: str) -> None:
    assert find_address_date(f"https://news.example.org/{path}", "2020-06-30") == "2018-09-04"
