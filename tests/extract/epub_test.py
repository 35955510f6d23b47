"""EPUB: chapters in reading order, front matter cut, notes and readings in their place, tricks refused."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from corpus.document import Failure, Record
from corpus.extract import ExtractedText, extract
from corpus.extract.books.epub import MAX_EPUB_MEMBER_BYTES, EpubError
from corpus.extract.books.gutenberg import PUBLIC_DOMAIN
from corpus.sources.books import Books

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
CC = "http://creativecommons.org/licenses/by/4.0/"


def document(body: str, types: str = "") -> str:
    attribute = f' epub:type="{types}"' if types else ""
    return (
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>t</title></head><body{attribute}>{body}</body></html>'
    )


def package(names: list[str], metadata: str = "", guide: str = "", extra: str = "") -> str:
    items = "".join(
        f'<item id="i{at}" href="{name}" media-type="application/xhtml+xml" properties="{name[:3]}"/>'
        for at, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="i{at}"/>' for at in range(len(names)))
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>草木</dc:title><dc:creator>甲</dc:creator><dc:creator>乙</dc:creator><dc:language>zh-TW</dc:language>{metadata}"
        f"</metadata><manifest>{items}{extra}</manifest><spine>{spine}</spine><guide>{guide}</guide></package>"
    )


def epub(chapters: dict[str, str], **more: str) -> bytes:
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER}
    members["OPS/book.opf"] = package(list(chapters), **more)
    members |= {f"OPS/{name}": text for name, text in chapters.items()}
    return zipped(members)


def zipped(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


def read(data: bytes) -> ExtractedText:
    record = Record(
        native_id="x", file="x", offset=0, length=len(data), media_type="application/epub+zip", body=data
    )
    found = extract(record, "fast")
    assert found is not None
    return found


def text_of(body: str) -> str:
    return read(epub({"a.xhtml": document(body)})).text


def from_source(path: Path, **options: object) -> list[Record | Failure]:
    return list(Books(paths=["x"], **options).read(str(path), path.name, 0, path.stat().st_size))


def test_chapters_follow_the_reading_order_not_the_archive() -> None:
    found = read(
        epub({"z.xhtml": document("<h1>Eins</h1><p>甲。</p>"), "a.xhtml": document("<h1>Zwei</h1><p>ب</p>")})
    )
    assert found.text == "Eins\n\n甲。\n\nZwei\n\nب"


def test_the_package_says_title_authors_language_licence_and_date() -> None:
    rights = f"<dc:rights>Free under {CC} forever</dc:rights><dc:date>2011-01-02</dc:date>"
    found = read(epub({"a.xhtml": document("<p>a</p>")}, metadata=rights))
    assert (found.license, found.date, found.language) == ("CC-BY-4.0", "2011-01-02", "cmn_Hant")
    assert found.metadata["title"] == "草木" and found.metadata["author"] == "甲; 乙"
    public = read(
        epub({"a.xhtml": document("<p>a</p>")}, metadata="<dc:rights>Public domain in the USA.</dc:rights>")
    )
    assert public.license == PUBLIC_DOMAIN
    assert (
        read(epub({"a.xhtml": document("<p>a</p>")}, metadata="<dc:rights>© 2020</dc:rights>")).license
        is None
    )


def test_front_matter_is_cut_however_it_is_marked() -> None:
    links = "".join(f'<p><a href="c.xhtml#{n}">Chapter number {n}</a></p>' for n in range(12))
    found = read(
        epub(
            {
                "cover.xhtml": document("<p>a cover</p>"),
                "x1.xhtml": document("<p>a title page</p>", "frontmatter titlepage"),
                "nav.xhtml": document("<nav><ol><li>contents</li></ol></nav>"),
                "x2.xhtml": document(f"<h1>What is where</h1>{links}"),
                "x3.xhtml": document("<p>an old guide's imprint</p>"),
                "x4.xhtml": document(
                    '<section epub:type="copyright-page"><p>© nobody</p></section><p>A preface.</p>'
                ),
                "c.xhtml": document("<h1>One</h1><p>Text.</p>", "bodymatter"),
                "後付.xhtml": document("<p>底本：全集</p>", "backmatter"),
                "title.xhtml": document(f"<h1>The Title</h1><p>{'A chapter of that name. ' * 400}</p>"),
            },
            guide='<reference type="copyright-page" href="x3.xhtml"/><reference type="text" href="c.xhtml"/>',
        )
    )
    assert found.text.startswith("A preface.\n\nOne\n\nText.\n\nThe Title\n\nA chapter of that name.")


def test_notes_follow_their_chapter() -> None:
    body = (
        '<p>Said he<a epub:type="noteref" href="#n1">1</a>, once<sup><a href="#n2">2</a></sup>.</p>'
        '<aside epub:type="footnote" id="n1"><p>[1] A note. <a role="doc-backlink" href="#r">↩</a></p></aside>'
        "<p>Then.</p>"
    )
    assert text_of(body) == "Said he[1], once[2].\n\nThen.\n\n[1] A note."


def test_japanese_readings_go_and_lines_meet_without_a_space() -> None:
    body = "<p\n ><span>山<ruby>路<rp>(</rp><rt>みち</rt><rp>)</rp></ruby>を登り</span>\n "
    body += "<span>ながら、\n考えた。</span></p>"
    assert text_of(body) == "山路を登りながら、考えた。"
    assert text_of("<p>「虚無僧［＃ルビは底本では別］をかい」</p>") == "「虚無僧をかい」"
    assert text_of("<p>two\nwords</p><p>두\n낱말</p>") == "two words\n\n두 낱말"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>一<?page 12?>二<!-- 三 -->四</p>", "一二四"),
        ("<pre>甲<br/>  乙<br/>丙</pre>", "```\n甲\n  乙\n丙\n```"),
        ("<address>Москва<br/>Арбат</address><address>Тверь</address>", "Москва\nАрбат\n\nТверь"),
        (
            "<figure><p>١</p><figcaption>صورة</figcaption></figure><footer>نهاية</footer>",
            "١\n\nصورة\n\nنهاية",
        ),
        (
            '<p><span style="display:block">一行</span><span style="display: block; margin-left: 1em">二行</span></p>',
            "一行\n二行",
        ),
        ('<p><span style="display:block; float:left">О</span>днажды</p>', "Однажды"),
        (
            '<table><tr><td rowspan="2">年</td><td>1</td></tr><tr><td>2</td></tr>'
            "<tr><td>月</td><td>3</td></tr></table>",
            "年 | 1\n| 2\n月 | 3",
        ),
        ('<ol><li value="7">เจ็ด</li><li>แปด</li></ol>', "7. เจ็ด\n8. แปด"),
    ],
)
def test_no_line_is_glued_to_its_neighbour(body: str, expected: str) -> None:
    assert text_of(body) == expected


LINES = ("甲乙，", "丙丁。", "सुबह,", "вечер.")


def lay_out(stanza: str, line: str, poem: str = "<div>{}</div>") -> str:
    """Two stanzas of two lines, in these elements."""
    stanzas = (LINES[:2], LINES[2:])
    return poem.format("\n".join(stanza.format("\n".join(map(line.format, lines))) for lines in stanzas))


@pytest.mark.parametrize(
    "body",
    [
        lay_out('<div class="stanza">{}</div>', "<p>{}</p>"),
        lay_out(
            '<div class="stanza">{}</div>',
            '<div class="verse indent0">{}</div>',
            '<div class="poetry">{}</div>',
        ),
        lay_out('<div class="stanza">{}</div>', '<p class="v">{}</p>', '<section class="poem">{}</section>'),
        lay_out('<div class="linegroup">{}</div>', '<div class="line"><p>{}</p></div>'),
        lay_out('<p class="strophe">{}</p>', '<span class="line">{}</span>'),
        lay_out('<div class="poem">{}</div>', '<span class="c8">{}</span>'),
        lay_out("<section>{}</section>", "<p>{}</p>", '<section epub:type="z3998:poem">{}</section>'),
        lay_out('<div epub:type="z3998:verse">{}</div>', "<p><i>{}</i></p>"),
        lay_out("<p>{}</p>", '<span style="display:block; margin: 0">{}</span>'),
        lay_out("{}<p>\xa0</p>", "<p>{}</p>", '<div class="block extract-verse">{}</div>'),
        lay_out("{}<hr/>", '<p class="poemLine">{}</p>').replace("<hr/>", "<p/>"),
        lay_out("<linegroup>{}</linegroup>", "<line>{}</line>", "<poem>{}</poem>"),
        lay_out('<p class="poem">{}</p>', "{}<br/>"),
        lay_out('<div class="stanza">{}</div>', '<p>{}</p><span class="pagenum">[7]</span>'),
    ],
)
def test_verse_has_a_line_a_line_and_a_blank_one_between_stanzas(body: str) -> None:
    assert text_of(f"<p>a</p>{body}<p>b</p>") == "a\n\n甲乙，\n丙丁。\n\nसुबह,\nвечер.\n\nb"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '<div class="verse"><h2>Song</h2><p>One,</p><p>two.</p><p class="source">—ANON.</p></div>',
            "Song\n\nOne,\ntwo.\n\n—ANON.",
        ),
        (f'<div class="poem"><p>{"long " * 50}</p><p>b</p></div>', f"{'long ' * 50}".strip() + "\n\nb"),
        ('<p class="verse">a<br/>b</p><p class="verse">c</p><p class="verse">d</p>', "a\nb\n\nc\n\nd"),
        ('<div class="universe line"><p>a</p><p>b</p></div>', "a\n\nb"),
        ('<p class="verse"><span class="num">1</span> <span>In the beginning</span></p>', "1 In the beginning"),
        ('<div class="poem">\n  Roses, roses,\n  “And more.\n</div>', "Roses, roses,\n“And more."),
        ('<div class="poem">\n  Roses, roses,\n  and more.\n</div>', "Roses, roses, and more."),
        ('<p>He: <span style="display:block">one</span><span style="display:block">two</span> so.</p>',
         "He:\n\none\n\ntwo\n\nso."),
    ],
)  # fmt: skip
def test_what_stands_beside_verse_stays_apart(body: str, expected: str) -> None:
    assert text_of(body) == expected


def test_quotations_have_their_marks() -> None:
    body = "<p>He said, <q>come <q>here</q></q>. «<q>Да</q>» <q>“是”</q></p><p>中\n文 ไทย\nไทย</p><pre>中\n文</pre>"
    assert text_of(body) == "He said, “come ‘here’”. «Да» “是”\n\n中文 ไทยไทย\n\n```\n中\n文\n```"


def test_verse_lists_tables_and_formulas_keep_their_shape() -> None:
    body = (
        "<p>Roses,<br/>roses.</p><ul><li>ein</li><li>zwei</li></ul><table><tr><td>1</td><td>2</td></tr></table>"
        '<p>So <math xmlns="http://www.w3.org/1998/Math/MathML" alttext="x^2"><mi>x</mi></math>'
        " &amp;&nbsp;&eacute;.</p>"
    )
    assert text_of(body) == "Roses,\nroses.\n\n- ein\n- zwei\n\n1 | 2\n\nSo $x^2$ & é."


MATH = "http://www.w3.org/1998/Math/MathML"
SQUARE = "<msup><mi>r</mi><mn>2</mn></msup>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'<p>So <math xmlns="{MATH}">{SQUARE}</math>.</p>', "So $r^2$."),
        (f'<p>So <math xmlns="{MATH}" alttext="r squared">{SQUARE}</math>.</p>', "So $r^2$."),
        (f'<p>だ <math xmlns="{MATH}" alttext="rの二乗">{SQUARE}</math>。</p>', "だ $r^2$。"),
        (f'<p>So <math xmlns="{MATH}" alttext="r squared"/>.</p>', "So r squared."),
        (f'<p>So <math xmlns="{MATH}" alttext="\\frac{{a}}{{b}}">{SQUARE}</math>.</p>', "So $\\frac{a}{b}$."),
        (
            f'<p>So <math xmlns="{MATH}"><semantics>{SQUARE}<annotation encoding="application/x-tex">r^{{2}}'
            "</annotation></semantics></math>.</p>",
            "So $r^{2}$.",
        ),
        (
            '<p>So <epub:switch><epub:case required-namespace="m">'
            f'<math xmlns="{MATH}">{SQUARE}</math></epub:case>'
            "<epub:default>r squared</epub:default></epub:switch>.</p>",
            "So $r^2$.",
        ),
        ('<p>So <img class="math" src="a.png" alt="r^2"/>.</p>', "So $r^2$."),
        (
            f'<p>So <m:math xmlns:m="{MATH}"><m:mfrac><m:mi>a</m:mi><m:mi>b</m:mi></m:mfrac></m:math>.</p>',
            "So $\\frac{a}{b}$.",
        ),
    ],
)
def test_formulas_are_latex_whatever_they_come_with(body: str, expected: str) -> None:
    assert text_of(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("au XVIII<sup>e</sup> siècle", "au XVIIIe siècle"),
        ('au <span class="smcap">xiv</span><sup>e</sup> siècle', "au xive siècle"),
        ("le 1<sup>er</sup> mai, la 2<sup>e</sup>", "le 1er mai, la 2e"),
        ("M<sup>lle</sup> Anne, D<sup>r</sup> Roux, S<sup>te</sup> Marie", "Mlle Anne, Dr Roux, Ste Marie"),
        ("n<sup>o</sup> 7, N<sup>o</sup> 8", "no 7, No 8"),
        ("the 21<sup>st</sup> and the 5<sup>th</sup>", "the 21st and the 5th"),
        ("в 1<sup>-й</sup> раз", "в 1-й раз"),
        ("1<sup>a</sup> parte", "1a parte"),
        ("Boat<sup>TM</sup>", "Boat™"),
        ("<i>x</i><sup>k</sup> and 2<sup>n</sup> and 10<sup>3</sup>", "x^k and 2ⁿ and 10³"),
        ("e<sup>x</sup> and R<sup>d</sup>", "e^x and R^d"),
        ("a word<sup>a</sup> with a note", "a word^a with a note"),
    ],
)
def test_raised_letters_end_words_and_exponents_stay(body: str, expected: str) -> None:
    assert text_of(f"<p>{body}</p>") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>They <span class="pagenum">[Pg 7]</span>rowed.</p>', "They rowed."),
        ('<p>They <a class="pageno" id="p7">{7}</a> rowed.</p>', "They rowed."),
        (
            '<p>They ro<span class="x-ebookmaker-pageno" title="7"><a id="Page_7">7</a></span>wed.</p>',
            "They rowed.",
        ),
        ('<p>They <span id="Page_xii">xii</span>rowed.</p>', "They rowed."),
        ('<p>Sie <span class="seitenzahl">[S. 7]</span>ruderten.</p>', "Sie ruderten."),
        ("<p>They [Pg 7] rowed.</p>", "They rowed."),
        ('<p>船は<span class="page-number">7頁</span>出た。</p>', "船は出た。"),
        ('<p>They <span role="doc-pagebreak">7</span>rowed.</p>', "They rowed."),
        ('<p class="page7">There were 7 boats.</p>', "There were 7 boats."),
        ('<p>In <span class="year">1907</span> they rowed.</p>', "In 1907 they rowed."),
    ],
)
def test_numbers_of_printed_pages_go(body: str, expected: str) -> None:
    assert text_of(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p><img alt="T" src="t.png"/>hree boats.</p>', "Three boats."),
        ('<div class="dropcap"><img alt="T" src="t.png"/></div><p>hree boats.</p>', "Three boats."),
        ('<p>彼は<img class="gaiji" alt="鷗" src="a.png"/>を見た。</p>', "彼は鷗を見た。"),
        ('<p>彼は<img class="gaiji" alt="「區＋鳥」、第3水準" src="a.png"/>を見た。</p>', "彼は〓を見た。"),
        ('<p>Boats.</p><p><img alt="A picture of a boat" src="b.png"/></p>', "Boats."),
        ('<p>Boats <img alt="a small boat" src="b.png"/>here.</p>', "Boats here."),
        (
            '<p>Seen <span hidden="hidden">not seen</span> <b style="display: none">nor this</b>here.</p>',
            "Seen here.",
        ),
    ],
)
def test_letters_that_are_pictures_are_read_and_hidden_text_is_not(body: str, expected: str) -> None:
    assert text_of(body) == expected


def test_rows_of_tables_are_lines_whatever_is_in_their_cells() -> None:
    body = (
        "<table><caption>Boats</caption><thead><tr><th>船</th><th><p>帆</p></th></tr></thead>"
        "<tr><td><p>Anna</p></td><td><div>3</div></td></tr><tr><td></td><td>4<br/>5</td></tr>"
        "<tr><td>Ida</td><td></td><td>x<sup>2</sup></td></tr><tr><td> </td></tr></table><p>End.</p>"
    )
    assert text_of(body) == "Boats\n\n船 | 帆\nAnna | 3\n| 4 5\nIda | | x²\n\nEnd."
    layout = f"<table><tr><td><p>{'One. ' * 400}</p><p>Two.</p></td></tr></table>"
    assert text_of(layout).endswith("One.\n\nTwo.")


def test_what_project_gutenberg_puts_around_a_book_goes() -> None:
    old = (
        "<pre>The Project Gutenberg EBook of Boats\n\nThis eBook is for the use of anyone anywhere\n\n"
        "*** START OF THIS PROJECT GUTENBERG EBOOK BOATS ***\n</pre><p>They rowed out.</p>"
    )
    end = "<p>They came home.</p><pre>End of the Project Gutenberg EBook of Boats\n\n*** END OF THIS</pre><p>Terms.</p>"
    license = (
        "<h2>THE FULL PROJECT GUTENBERG LICENSE</h2><p>Section 1. General Terms of Use and Redistributing</p>"
        "<p>The Project Gutenberg Literary Archive Foundation</p>"
    )
    new = '<section class="pg-boilerplate pgheader" id="pg-header"><p>Words.</p></section><p>第一回</p>'
    footer = '<div id="pg-footer"><p>Words.</p></div>'
    chapters = {"a.xhtml": old, "b.xhtml": new + footer, "c.xhtml": end, "d.xhtml": license}
    found = read(epub({name: document(body) for name, body in chapters.items()}))
    assert found.text == "They rowed out.\n\n第一回\n\nThey came home."


@pytest.mark.parametrize(
    ("rights", "license"),
    [
        ("This book is not in the public domain.", None),
        ("Ce livre n’est pas dans le domaine public.", None),
        ("本書不屬於公有領域", None),
        ("この本はパブリックドメインではありません。", None),
        ("Эта книга не является общественным достоянием", None),
        ("هذا الكتاب ليس في الملك العام", None),
        ("यह सार्वजनिक डोमेन में नहीं है", None),
        ("All rights reserved. The cover is under CC BY 4.0.", None),
        (f"The cover image is licensed under {CC}.", None),
        (f"This book is not licensed under {CC}.", None),
        ("Public domain in Australia", None),
        ("In the public domain; this edition Copyright 2020 A. Keeper", None),
        ("In the public domain and not protected by copyright", PUBLIC_DOMAIN),
        ("公有領域", PUBLIC_DOMAIN),
        ("Domaine public", PUBLIC_DOMAIN),
        (f"The text and the pictures are under {CC}.", "CC-BY-4.0"),
        (f"All of it is under {CC}. The cover is not.", "CC-BY-4.0"),
    ],
)
def test_a_statement_that_denies_gives_no_licence(rights: str, license: str | None) -> None:
    metadata = f"<dc:rights>{rights}</dc:rights>"
    assert read(epub({"a.xhtml": document("<p>a</p>")}, metadata=metadata)).license == license


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            "<dc:rights>GNU Free Documentation License, Version 1.3 or any later version</dc:rights>",
            "GFDL-1.3-or-later",
        ),
        ("<dc:rights>Shared under the GNU Free Documentation License 1.2.</dc:rights>", "GFDL-1.2-only"),
        ("<dc:rights>Not under the GFDL.</dc:rights>", None),
        ("<dc:rights>A CreativeCommons Attribution-ShareAlike (3.0) licence</dc:rights>", "CC-BY-SA-3.0"),
        ("<dc:rights>CC\u00ad-BY\u00ad-4.0</dc:rights>", "CC-BY-4.0"),
    ],
)
def test_rights_name_other_licences_in_other_spellings(metadata: str, expected: str | None) -> None:
    assert read(epub({"a.xhtml": document("<p>a</p>")}, metadata=metadata)).license == expected


@pytest.mark.parametrize(
    ("name", "imprint", "rights", "expected"),
    [
        ("copyright.xhtml", f"Some people. Released under CC BY 4.0. Terms: {CC}", "", "CC-BY-4.0"),
        (
            "x9.xhtml",
            "© 2019 A. Some rights reserved. This story is CC\u00ad BY\u00ad-NC\u00ad 4.0 licensed.",
            "",
            "CC-BY-NC-4.0",
        ),
        ("x9.xhtml", "Dieses Buch steht unter der Lizenz CC BY-SA 3.0.", "", "CC-BY-SA-3.0"),
        ("x9.xhtml", "本書はCC BY 4.0 ライセンスで公開する。", "", "CC-BY-4.0"),
        ("x9.xhtml", "Она писала: CC BY 4.0 удобна.", "", None),
        ("imprint.xhtml", "The text is CC BY 4.0. The tale is CC BY-NC 4.0.", "", None),
        ("copyright.xhtml", "CC BY 4.0", "<dc:rights>© 2020, all rights reserved</dc:rights>", None),
    ],
)
def test_an_imprint_gives_the_licence_of_a_book_that_states_no_rights(
    tmp_path: Path, name: str, imprint: str, rights: str, expected: str | None
) -> None:
    data = epub({"a.xhtml": document("<p>甲</p>"), name: document(f"<p>{imprint}</p>")}, metadata=rights)
    assert read(data).license == expected
    (tmp_path / "a.epub").write_bytes(data)
    chapter = from_source(tmp_path / "a.epub", unit="chapter")[0]
    assert isinstance(chapter, Record) and chapter.license == expected


@pytest.mark.parametrize(
    ("stated", "date"),
    [
        (
            '<dc:date opf:event="modification">2020-05-05</dc:date><dc:date opf:event="publication">1999</dc:date>',
            "1999",
        ),
        ('<dc:date opf:event="conversion">2020-05-05</dc:date><dc:date>2001-02</dc:date>', "2001-02"),
        ('<dc:date opf:event="publication">2008-3-9</dc:date>', "2008-03-09"),
        ("<dc:date>2005, 2006, 2007, 2008, 2009, 2010</dc:date>", "2005"),
        ("<dc:date>0101-01-01T00:00:00+00:00</dc:date>", None),
        ("<dc:date>2019-06-22T15:01:38Z</dc:date>", "2019-06-22T15:01:38Z"),
    ],
)
def test_the_date_is_that_of_the_publication(stated: str, date: str | None) -> None:
    stated = stated.replace("<dc:date ", '<dc:date xmlns:opf="http://www.idpf.org/2007/opf" ')
    assert read(epub({"a.xhtml": document("<p>a</p>")}, metadata=stated)).date == date


def test_languages_by_mistaken_codes_and_authors_by_their_roles() -> None:
    book = epub({"a.xhtml": document("<p>a</p>")}, metadata='<meta refines="#t" property="role">trl</meta>')
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    opf = members["OPS/book.opf"]
    for stated, code in (("jp", "jpn"), ("English", "eng"), ("ua-UA", "ukr"), ("he", "heb"), ("xx", None)):
        members["OPS/book.opf"] = opf.replace("zh-TW", stated).replace(
            "<dc:creator>乙", '<dc:creator id="t">乙'
        )
        found = read(zipped(members))
        assert (found.language, found.metadata["author"]) == (code, "甲")
    members["OPS/book.opf"] = opf.replace(
        "zh-TW</dc:language>", "??</dc:language><dc:language>th</dc:language>"
    )
    assert read(zipped(members)).language == "tha"


def test_letters_with_names_of_the_document_itself_are_written_out() -> None:
    names = '<!DOCTYPE html [<!ENTITY q "&#8220;"><!ENTITY Q "&#x201D;"><!ENTITY ruin "&q;&q;"><!ENTITY b "<b>">]>'
    chapter = document("<p>&q;甲&Q; &ruin; &b; &eacute;</p>").replace("<!DOCTYPE html>", names)
    assert read(epub({"a.xhtml": chapter})).text == "“甲” &ruin; &b; é"


@pytest.mark.parametrize(
    "title", ["Contents", "Table des matières", "目　次", "Оглавление", "المحتويات", "विषय-सूची", "สารบัญ"]
)
def test_contents_inside_a_document_go_with_their_title(title: str) -> None:
    lines = [f'<p><a href="b.xhtml#c{at}">Chapter {at}</a> . . . {at}</p>' for at in range(9)]
    prose = "The keeper counted his boats before the light failed. " * 9
    pages = (
        f"<div><h2>{title}</h2></div>{''.join(lines)}",
        f"<h3>{title}:</h3><ul><li>{'</li><li>'.join(lines)}</li></ul>",
    )
    for page in pages:
        assert text_of(f"<p>a</p>{page}<p>{prose}</p>") == f"a\n\n{prose.strip()}"
    for page in (pages[1].replace(title, "The classes are"), f"<h2>{title}</h2>{''.join(lines[:3])}"):
        assert "Chapter 2" in text_of(f"{page}<p>{prose}</p>")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>a PNG picture:</p><img src="a.png" alt="PNG"/><p>b</p>', "a PNG picture:\n\nb"),
        ('<table><tr><td><img alt="aew" style="width: 10em"/>甲</td><td>乙</td></tr></table>', "甲 | 乙"),
        ('<p><img alt="圖" width="400"/>甲</p>', "甲"),
        ('<p><img alt="圖" style="max-width:100%"/><br/>甲</p>', "甲"),
        ('<p>𠮟る<b><img src="g.png" alt="吉"/></b>田</p>', "𠮟る吉田"),
        ('<p><span><img alt="T" height="40"/></span>he ship</p>', "The ship"),
        ("<p>x<sup>n</sup> + y<sup>n</sup></p>", "xⁿ + yⁿ"),
        ('<div class="page_number">2/16</div><p>जंगल</p>', "जंगल"),
        ('<p>a <span class="pagenum">Page 3 of 20</span>b</p>', "a b"),
        (
            '<object data="q.xml"><h2>Questions</h2><ol><li>Which planet is the largest of them all?</li>'
            "<li>Which is nearest?</li></ol></object>",
            "Questions\n\n1. Which planet is the largest of them all?\n2. Which is nearest?",
        ),
        (
            "<p>a</p><object><p>Your reading system does not support this video, sorry for that.</p></object>",
            "a",
        ),
        (
            "<table><tr><td>Ann:</td><td></td><td>Yes.</td></tr><tr><td>Bo:</td><td> </td><td>No.</td></tr></table>",
            "Ann: | Yes.\nBo: | No.",
        ),
        ("<table><tr><td>1</td><td/><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>", "1 | | 2\n3 | 4"),
    ],
)
def test_what_real_books_showed(body: str, expected: str) -> None:
    assert text_of(body) == expected


def test_drawings_and_pictures_in_the_reading_order(tmp_path: Path) -> None:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="a" href="a.svg" media-type="image/svg+xml"/><item id="b" href="b.jpg" media-type="image/jpeg" '
        'fallback="c"/><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="d" href="d.png" media-type="image/png"/></manifest><spine>{}</spine></package>'
    )
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><text><tspan y="1">甲板</tspan></text></svg>'
    members = {"META-INF/container.xml": CONTAINER, "OPS/a.svg": drawing, "OPS/b.jpg": "", "OPS/d.png": ""}
    members["OPS/c.xhtml"] = document("<p>Instead of a picture.</p>")
    spine = '<itemref idref="a"/><itemref idref="b"/><itemref idref="d"/>'
    assert (
        read(zipped({**members, "OPS/book.opf": opf.format(spine)})).text == "甲板\n\nInstead of a picture."
    )
    path = tmp_path / "comic.epub"
    path.write_bytes(zipped({**members, "OPS/book.opf": opf.format('<itemref idref="d"/>')}))
    for unit in ("book", "chapter"):
        (record,) = from_source(path, unit=unit)
        assert isinstance(record, Record) and record.gate == "books.pictures"


def test_drawn_pages_give_their_lines() -> None:
    lines = [
        "Il en avait rêvé, au moins depuis la",
        "communale.",
        "La géographie, alors que l’histoire res-",
        "tait là.",
    ]
    spans = "".join(f'<tspan x="0" y="{at * 12}">{line}</tspan>' for at, line in enumerate(lines))
    body = f'<svg xmlns="http://www.w3.org/2000/svg"><style>p {{}}</style><text>{spans}</text></svg>'
    assert text_of(body) == (
        "Il en avait rêvé, au moins depuis la communale.\n\nLa géographie, alors que l’histoire restait là."
    )


def test_a_sentence_goes_on_from_one_drawn_page_to_the_next() -> None:
    pages = ("Des fruits gros, où", "le vent est chaud.", "la", "Une autre,", "в лесу", "В поле")
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><text><tspan y="1">{}</tspan></text></svg>'
    drawn = {f"{at}.xhtml": document(drawing.format(page)) for at, page in enumerate(pages)}
    text = "Des fruits gros, où le vent est chaud.\n\nla\n\nUne autre, в лесу\n\nВ поле"
    assert read(epub(drawn)).text == text
    chapters = {name: document(f"<p>{page}</p>") for name, page in zip(drawn, pages, strict=True)}
    assert read(epub(chapters)).text == "\n\n".join(pages)


def test_hostile_xml_is_harmless(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    bomb = (
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>here &x;&b; there</p></body></html>'
    )
    found = read(epub({"a.xhtml": bomb})).text
    assert (
        "secret" not in found and "aaaa" not in found and found.startswith("here") and found.endswith("there")
    )


def test_bombs_are_refused_in_time() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OPS/book.opf", package(["a.xhtml"]))
        with archive.open("OPS/a.xhtml", "w") as member:
            for _ in range(MAX_EPUB_MEMBER_BYTES // (1 << 20) + 1):
                member.write(b" " * (1 << 20))
    with pytest.raises(EpubError, match="unpacks to more than"):
        read(packed.getvalue())


def test_a_damaged_chapter_costs_itself() -> None:
    data = bytearray(
        epub({"a.xhtml": document("<p>" + "good " * 50 + "</p>"), "b.xhtml": document("<p>bad</p>")})
    )
    at = data.index(b"OPS/b.xhtml") + len("OPS/b.xhtml")
    data[at : at + 20] = bytes(20)
    found = read(bytes(data))
    assert found.text == ("good " * 50).strip()
    assert "OPS/b.xhtml" in found.metadata["lost"]


@pytest.mark.parametrize(
    "algorithm", ["http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.idpf.org/2008/embedding"]
)
def test_text_under_drm_stops_at_its_gate_and_mangled_fonts_do_not(tmp_path: Path, algorithm: str) -> None:
    encryption = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><e:EncryptedData '
        f'xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptionMethod Algorithm="{algorithm}"/><e:CipherData>'
        '<e:CipherReference URI="OPS/a.xhtml"/></e:CipherData></e:EncryptedData></encryption>'
    )
    members = {"META-INF/container.xml": CONTAINER, "META-INF/encryption.xml": encryption}
    path = tmp_path / "a.epub"
    path.write_bytes(
        zipped({**members, "OPS/book.opf": package(["a.xhtml"]), "OPS/a.xhtml": document("<p>a</p>")})
    )
    (record,) = from_source(path)
    assert isinstance(record, Record)
    assert record.gate == (None if "idpf" in algorithm else "books.encrypted")


def test_chapters_as_documents(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    chapters = {
        "nav.xhtml": document("<nav/>"),
        "a.xhtml": document("<p>甲</p>"),
        "b.xhtml": document("<p>乙</p>"),
    }
    path.write_bytes(epub(chapters))
    found = [one for one in from_source(path, unit="chapter") if isinstance(one, Record)]
    texts = [extract(one, "fast") if not one.gate else None for one in found]
    assert [one.gate for one in found] == ["books.front_matter", None, None]
    assert [one.text for one in texts if one] == ["甲", "乙"]
    assert {(one.language, one.metadata["title"]) for one in found} == {("cmn_Hant", "草木")}
    (group,) = {one.group for one in found}
    assert group is not None and group.startswith("book:"), "a hash of the file, wherever it lies"
    assert len({one.native_id for one in found}) == 3


def test_a_book_of_pictures_goes_on_without_them(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    members = {"META-INF/container.xml": CONTAINER, "OPS/book.opf": package(["a.xhtml"])}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, "OPS/a.xhtml": document("<p>圖</p>")}.items():
            archive.writestr(name, text)
        archive.writestr("OPS/a.jpg", bytes(9 << 20))
    (record,) = from_source(path)
    assert isinstance(record, Record) and len(record.body) < 5000 and record.length > 9 << 20
    found = extract(record, "fast")
    assert found is not None and found.text == "圖"
    (again,) = from_source(path)
    assert isinstance(again, Record) and again.body == record.body


def test_zips_of_books_and_plain_files(tmp_path: Path) -> None:
    path = tmp_path / "books.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("99/99.txt", "Sehr geehrte Leser.")
        archive.writestr("99/readme.txt", "not a book")
        archive.writestr("../evil.txt", "out")
        archive.writestr("b.epub", epub({"a.xhtml": document("<p>内</p>")}))
    found = from_source(path)
    records = [one for one in found if isinstance(one, Record)]
    assert [one.metadata["member"] for one in records] == ["99/99.txt", "b.epub"]
    assert [one.text for record in records if (one := extract(record, "fast"))] == [
        "Sehr geehrte Leser.",
        "内",
    ]
    assert ["leads out of the archive" in one.error for one in found if isinstance(one, Failure)] == [True]
    large = tmp_path / "large.txt"
    large.write_text("a" * 5000)
    (failure,) = from_source(large, max_bytes=2000)
    assert isinstance(failure, Failure) and "max_bytes" in failure.error


@pytest.mark.parametrize(
    "piece",
    [
        "<p>",
        "<a href='#'><sup>1",
        "<aside>",
        "<span>\n甲",
        "&amp;",
        "<div class='poem'>",
        "<p class='verse'>a</p>",
    ],
)
def test_no_document_is_slow(piece: str) -> None:
    data = epub({"a.xhtml": document(piece * 20_000), "b.xhtml": document("<p>b</p>")})
    begin = time.process_time()
    assert read(data).text.endswith("b")
    assert time.process_time() - begin < 5


BROKEN = {
    "ocf-container-not-ocf-error.epub": "no package document",
    "ocf-zip-unreadable-empty-fatal.epub": "the file is empty",
    "ocf-zip-unreadable-no-end-header-fatal.epub": "not a zip that can be read: it has no directory at its end",
}


def test_the_broken_archives_of_epubcheck_are_read_or_named(data: Path) -> None:
    outcomes = {}
    for path in sorted((data / "dirty/epubcheck").iterdir()):
        (one,) = from_source(path)
        if isinstance(one, Record):
            try:
                found = extract(one, "fast")
                outcomes[path.name] = found.text if found else ""
            except EpubError as error:
                outcomes[path.name] = str(error)
        else:
            outcomes[path.name] = one.error
    assert len(outcomes) == 12
    for name, outcome in outcomes.items():
        assert BROKEN.get(name, "Call me Ishmael.") in outcome, name


def test_real_books(data: Path) -> None:
    books = {
        path.stem.removeprefix("idpf-"): read(path.read_bytes()) for path in (data / "books/epub").iterdir()
    }
    kusamakura = books["kusamakura-japanese-vertical-writing"]
    assert kusamakura.text.startswith(
        "一\n\n山路を登りながら、こう考えた。\n\n智に働けば角が立つ。情に棹させば流される。"
    )
    assert "やまみち" not in kusamakura.text and "表紙" not in kusamakura.text
    assert (kusamakura.language, kusamakura.license, kusamakura.metadata["author"]) == (
        "jpn",
        "CC0-1.0",
        "夏目 漱石",
    )
    moby = books["moby-dick"]
    assert moby.text.startswith("ETYMOLOGY.\n\n(Supplied by a Late Consumptive Usher to a Grammar School)")
    assert "\n\nChapter 1. Loomings.\n\nCall me Ishmael. Some years ago" in moby.text
    assert "Transcriber" not in moby.text and moby.license == "CC-BY-SA-3.0"
    arabic = books["regime-anticancer-arabic"]
    assert arabic.text.startswith("الفصل الثاني\n\nما هو السرطان؟")
    assert "[1] لمزيد من المعلومات حول هذا الفصل" in arabic.text and arabic.language == "arb"
    assert (
        "l’histoire restait toujours l’histoire, et quelquefois l’histoire-géo" in books["sous-le-vent"].text
    )
    assert "Children’s" not in books["childrens-literature"].text[:20]
    assert books["childrens-literature"].text.startswith("SECTION IV FAIRY STORIES—MODERN FANTASTIC TALES")
