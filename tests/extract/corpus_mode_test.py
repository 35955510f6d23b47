"""Mode `corpus`: blocks of a page, what they are written as, and which of them are kept."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser

from corpus.document import Record
from corpus.errors import UserError
from corpus.extract import extract
from corpus.extract.html.blocks import block_model, element_tokens
from corpus.extract.html.blocks.block_model import read_model, write_model
from corpus.extract.html.blocks.element_tokens import name_element
from corpus.extract.html.blocks.features import LEVELS, TOP, measure_blocks, measure_sizes
from corpus.extract.html.blocks.main_blocks import (
    CODE_BONUS,
    MIN_CODE_BLOCKS,
    ROW_BONUS,
    SOFT_BELOW,
    STRICTNESS,
    UNLIKELY_ARTICLE_SIBLING,
    UNLIKELY_BETWEEN,
    UNLIKELY_CODE,
    choose_blocks,
    extract_blocks_text,
    find_headings,
    has_code,
    join_structures,
    keep_between,
    keep_likely_headings,
    keep_siblings,
    keep_terms,
    load_model,
    write_blocks,
)
from corpus.extract.html.blocks.page_blocks import BlockKind, read_blocks
from corpus.extract.html.blocks.page_group import PageGroup
from corpus.extract.html.blocks.page_head import STATEMENTS, PageHead
from corpus.extract.html.blocks.page_head import read_head as read_found
from corpus.extract.html.blocks.second_look import (
    ESTIMATE_FEATURES,
    expect,
    expect_each,
    measure_expectation,
)
from corpus.extract.html.blocks.training.block_labels import label_by_text
from corpus.extract.html.blocks.training.gold_pages import read_gold_folder
from corpus.extract.html.blocks.training.trainer import (
    ExtractorOptions,
    evaluate_extractor,
    fold_of,
    train_extractor,
)
from corpus.extract.html.main_text import extract_main, extract_main_text
from corpus.extract.html.page_depth import is_too_deep
from corpus.formats.encodings import decode

SENTENCES = {
    "en": "The ferry leaves the northern quay at seven, and whoever misses it waits until the evening tide.",
    "zh-Hans": "渡船早上七点离开北码头，错过的人只能等到傍晚涨潮，那时候河面上常常起雾，谁也看不清对岸。",
    "zh-Hant": "渡船早上七點離開北碼頭，錯過的人只能等到傍晚漲潮，那時候河面上常常起霧，誰也看不清對岸。",
    "ja": "渡し船は朝七時に北の桟橋を出る。乗り遅れた人は夕方の満ち潮まで待つしかなく、川にはよく霧がかかる。",
    "th": "เรือข้ามฟากออกจากท่าเรือทางเหนือตอนเจ็ดโมงเช้า และใครที่พลาดเรือจะต้องรอจนถึงน้ำขึ้นในตอนเย็น",
    "ar": "تغادر العبّارة الرصيف الشمالي في السابعة صباحًا، ومن يفوته الموعد ينتظر حتى مدّ المساء قرب المنارة.",
    "hi": "नाव सुबह सात बजे उत्तरी घाट से चलती है, और जो उसे चूक जाता है वह शाम के ज्वार तक वहीं प्रतीक्षा करता है।",
    "ru": "Паром отходит от северного причала в семь утра, а кто опоздал, ждёт вечернего прилива у старого маяка.",
}
MENU = "<nav><ul>" + "".join(f"<li><a href='/{i}'>{i} {i}</a></li>" for i in range(9)) + "</ul></nav>"


def blocks(body: str) -> list[str]:
    """Return the lines of each block by itself, so that those that a page has twice are there twice."""
    page = read_blocks(f"<html><head><title>T</title></head><body>{body}</body></html>")
    return "\n".join(write_blocks(page, [at]) for at in range(len(page.texts))).split("\n")


def write_body(body: str) -> list[str]:
    """Return the lines of all blocks."""
    page = read_blocks(f"<html><head><title>T</title></head><body>{body}</body></html>")
    return write_blocks(page, list(range(len(page.texts)))).split("\n")


def read_head(html: str) -> PageHead:
    tree = LexborHTMLParser(html)
    return read_found([(element, element.tag, element.attributes) for element in tree.css(STATEMENTS)])


def make_page(*parts: str) -> str:
    return (
        f"<html><head><title>T</title></head><body>{MENU}<div class=content><h1>T</h1>{''.join(parts)}</div>"
        f"<footer><a href=/x>x</a> | <a href=/y>y</a></footer></body></html>"
    )


@pytest.mark.parametrize("language", SENTENCES)
def test_paragraphs_are_kept_and_menus_are_not(language: str) -> None:
    paragraphs = [f"{SENTENCES[language]} ({i})" for i in range(6)]
    page = extract_main(make_page(*(f"<p>{paragraph}</p>" for paragraph in paragraphs)), None, "corpus")
    assert page.engine == "corpus" and page.text is not None
    lines = page.text.split("\n")
    assert [line for line in lines if line != "T"] == paragraphs


@pytest.mark.parametrize("language", SENTENCES)
def test_line_breaks_inline_elements_and_readings(language: str) -> None:
    one = SENTENCES[language]
    half = len(one) // 2
    assert blocks(f"<div>{one}<br><br>\n{one}<br>{one}</div>") == [one, one, one]
    assert blocks(f"<p>{one[:half]}<b>{one[half:]}</b></p>") == [one]
    assert blocks(f"<p><ruby>{one}<rp>(</rp><rt>yomi</rt><rp>)</rp></ruby></p>") == [one]
    assert blocks(f"{one}<p>{one}</p>{one}<my-part>{one}</my-part>") == [one, one, one + one]
    assert blocks(f"<my-part>{one}</my-part><p>{one}</p>") == [one, one]


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "ja"])
def test_lines_wrapped_in_the_source_are_joined_without_a_space(language: str) -> None:
    one = SENTENCES[language]
    assert blocks(f"<p>{one[:9]}\n   {one[9:]}</p><p>{one[:9]}<i>\n{one[9:]}</i></p>") == [one, one]
    english = SENTENCES["en"]
    assert blocks(f"<p>{english[:9]}\n{english[9:]}</p><p>{one[:2]}\n{one[2:9]}</p>")[1:] == [one[:9]]


@pytest.mark.parametrize("language", SENTENCES)
def test_what_a_browser_hides_is_no_block(language: str) -> None:
    one = SENTENCES[language]
    page = (
        f"<p>{one}</p><p>{one} shown</p><div hidden><p>{one} no</p></div>"
        f"<p>{one[:9]}<span hidden>no</span>{one[9:]}</p>"
        f"<dialog><p>{one} no</p></dialog><template><p>{one} no</p></template><select><option>no</select>"
        f"<div><template shadowrootmode=open><p>{one} shadow</p></template></div><dialog open>{one} open</dialog>"
    )
    assert blocks(page) == [one, f"{one} shown", one, f"{one} shadow", f"{one} open"]
    most = "".join(f"<p>{one} {i}</p>" for i in range(5))
    assert len(blocks(f"<div hidden>{most}</div><p>wait</p>")) == 6
    assert blocks(f"<p>{one}</p><div hidden id=S:1><p>{one} late</p></div>") == [one, f"{one} late"]


@pytest.mark.parametrize("language", SENTENCES)
def test_tables_of_data_are_rows_and_layouts_are_paragraphs(language: str) -> None:
    one = SENTENCES[language]
    data = "<table><tr><th></th><th>A</th></tr><tr><td>b<br>c</td><td><p>1</p></td></tr></table>"
    assert blocks(data) == ["|  | A |", "| b c | 1 |"]
    cell = f"<td>{one}<br><br>{one}<p>{one}</p></td>"
    assert blocks(f"<table><tr><td><a href=/>x</a></td>{cell}</tr></table>") == [one, one, one]
    assert blocks(f"<table><tr><td>{data}</td><td>{one}</td></tr></table>") == [
        "|  | A |",
        "| b c | 1 |",
        one,
    ]
    assert blocks(f"<table role=presentation><tr><td>a</td><td>b</td></tr></table><p>{one}") == [
        "a",
        "b",
        one,
    ]


@pytest.mark.parametrize("language", SENTENCES)
def test_menus_and_feet_of_a_page_are_no_blocks_but_those_around_its_text_are(language: str) -> None:
    one = SENTENCES[language] * 3
    for frame in ("nav", "footer", "header"):
        assert read_blocks(f"<{frame}><p>{one}</p></{frame}><p>{one} a</p>").texts == [f"{one} a"]
        assert read_blocks(f"<{frame}><p>{one}</p></{frame}>").texts == [one]
        for inner in ("main", "article", "h1"):
            assert read_blocks(f"<{frame}><p>{one}</p><div><{inner}>{one} a</{inner}></div>").texts == [
                one,
                f"{one} a",
            ]
    assert read_blocks(f"<section><header><h2>{one}</h2></header>{one}</section>").texts == [one, one]
    for text in ("article", "main", "blockquote"):
        assert read_blocks(f"<{text}><p>{one}</p><div><footer>{one} a</footer></div></{text}>").texts == [
            one,
            f"{one} a",
        ]


@pytest.mark.parametrize(
    ("name", "language"), [("注記", "ja"), ("警告", "zh-Hans"), ("Примечание", "ru"), ("تحذير", "ar")]
)
def test_a_note_beside_its_icon_has_no_bars(name: str, language: str) -> None:
    one = SENTENCES[language]
    note = (
        f"<table summary={name}><tr><td rowspan=2><img alt='[{name}]' src=note.png></td><th>{name}</th></tr>"
        f"<tr><td><p>{one}</p><ul><li><p>{one} 1</p></li><li>{one} 2</li></ul></td></tr></table>"
    )
    assert blocks(note) == [name, one, f"- {one} 1", f"- {one} 2"]
    page = read_blocks(f"<body>{note}")
    assert set(page.kinds) == {BlockKind.ROW}  # they stand or fall together
    features = "".join(f"<tr><td>{name} {at}</td><td><img src=yes.png></td></tr>" for at in range(3))
    assert blocks(f"<table>{features}</table>") == [f"{name} {at}" for at in range(3)]
    row = f"<tr><td>{name}</td><td>1</td></tr>"  # one row with two cells, and the columns of all are known
    assert blocks(f"<table>{features}{row}</table>")[0] == f"| {name} 0 |  |"


def test_lists_are_marked_and_indented() -> None:
    page = (
        "<ul><li>a <b>b</b><ul><li><p>c</p><p>d</p></li></ul></li><li>e</li></ul><dl><dt>f<dd>g</dl><p>h</p>"
    )
    assert blocks(page) == ["- a b", "  - c", "d", "- e", "- f", "- g", "h"]


@pytest.mark.parametrize("language", SENTENCES)
def test_code_keeps_its_lines(language: str) -> None:
    one = SENTENCES[language]
    code = f"def f(x):\n    # {one}\n\n    return x <b>+</b> 1"
    lines = ["def f(x):", f"    # {one}", "", "    return x + 1"]
    assert blocks(f"<p>{one}</p><pre><code class=language-python>{code}\n</code></pre>") == [
        one, "```python", *lines, "```",
    ]  # fmt: skip
    rows = "".join(
        f"<div class=line><span class=lineno>{i}</span>{line}</div>" for i, line in enumerate("ab")
    )
    assert blocks(f"<div class=highlight><pre>{rows}</pre></div>") == ["```", "a", "b", "```"]
    numbered = "<table class=highlight><tr><td><pre>1\n2\n</pre></td><td class=code><pre>a\n  b</pre></td></tr></table>"
    assert blocks(numbered) == ["```", "a", "  b", "```"]
    assert blocks("<pre>Dear all,\n  yours</pre>") == ["Dear all,", "  yours"]
    assert blocks("<pre><code>a\n```\nb</code></pre>") == ["````", "a", "```", "b", "````"]


def test_formulas_are_tex_between_dollars() -> None:
    mathml = "<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>"
    noted = (
        "<math display=block><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation>"
        "</semantics></math>"
    )
    katex = (
        f"<span class=katex><span class=katex-mathml>{noted}</span><span class=katex-html>x2</span></span>"
    )
    assert blocks(f"<p>We see {mathml} here.</p>") == [r"We see $\frac{a}{b}$ here."]
    assert blocks(f"<p>{noted}</p><p>And {katex}.</p>") == ["$$x^2$$", "And $$x^2$$."]
    assert blocks(r"<p><math alttext='{\displaystyle \sqrt{n}}'><mi>n</mi></math></p>") == [r"$\sqrt{n}$"]
    scripts = "<span class=MathJax_Preview>y</span><script type='math/tex'>y_1</script>"
    assert blocks(f"<p>So {scripts} and <script type='math/tex; mode=display'>z</script></p>") == [
        "So $y_1$ and $$z$$"
    ]


@pytest.mark.parametrize("language", SENTENCES)
def test_signs_for_places_on_the_page_are_no_text(language: str) -> None:
    one = SENTENCES[language]
    for sign in ("¶", " # ", "🔗", "§", "↩︎", "<span>¶</span>", "<b>^</b>"):
        link = f'<a class="headerlink" href="/page#part">{sign}</a>'
        assert blocks(f"<h2>{one}{link}</h2><h2>{link} {one}</h2><p>{one} {link}") == [one, one, one]
    edit = '<span class="mw-editsection"><span>[</span><a href="/edit">edit</a><span>]</span></span>'
    called = '<a href="#r0"><sup><b>a</b></sup></a> <a href="#r1"><sup>b</sup></a>'
    note = f'<span class="mw-cite-backlink">^ {called}</span>'
    wiki = f'<body class="mediawiki ltr"><h2>{one}{edit}</h2><ol><li>{note} <span>{one}</span></ol>'
    page = read_blocks(wiki)
    assert (page.texts, page.marks) == ([one, one], ["", "- "])
    # What says more, or leads to another page, stays.
    assert blocks(f'<p>{one} <a href="#a">#</a>3 <a href="#b">§</a> 5 <a href="#c">§ 7</a></p>') == [
        f"{one} #3 § 5 § 7"
    ]
    assert blocks(f'<p>{one} <a href="https://example.org/">🔗</a> ¶ # ^</p>') == [f"{one} 🔗 ¶ # ^"]


@pytest.mark.parametrize("language", SENTENCES)
def test_an_item_has_one_mark(language: str) -> None:
    one = SENTENCES[language]
    signs = ("• ", "•", "●&nbsp;", "▪ ", "<span>◦</span> ", "· ")
    assert blocks(f"<ul>{''.join(f'<li>{sign}{one}</li>' for sign in signs)}</ul>") == [f"- {one}"] * 6
    kept = f"<ul><li>-1 {one}<li>●●○ {one}<li>•</ul><p>• {one}</p>"
    assert blocks(kept) == [f"- -1 {one}", f"- ●●○ {one}", "- •", f"• {one}"]


@pytest.mark.parametrize("language", SENTENCES)
def test_an_empty_line_at_the_end_of_a_block_is_none(language: str) -> None:
    one = SENTENCES[language]
    assert read_blocks(f"<p>{one}<br>&nbsp;<br>{one}<br>&nbsp;</p>").texts == [one, one]
    assert read_blocks(f"<p>{one}<br>{one}&nbsp;</p>").texts == [f"{one}\n{one}"]


def test_quotations_and_headings_are_in_their_order() -> None:
    one, two = SENTENCES["ru"], SENTENCES["hi"]
    assert blocks(f"<h2>{one}</h2><blockquote><p>{two}</p></blockquote>{one}") == [one, two, one]


def hostile() -> Iterator[tuple[str, str]]:
    one = SENTENCES["zh-Hant"]
    yield "nested", "<div>" * 200_000 + one
    yield "nested inline", "<b>" * 200_000 + one
    yield "closed", "</div>" * 200_000 + f"<p>{one}</p>"
    yield "rows", "<table>" + f"<tr><td>a</td><td>{one}</td></tr>" * 20_000 + "</table>"
    yield "long", f"<p>{one * 40_000}</p>"
    yield "breaks", f"{one}<br>" * 50_000
    yield "items", "<ul>" + f"<li><a href=x>{one}</a></li>" * 20_000 + "</ul>"
    yield "links", "<p>" + f"<a href=x class=y>{one}</a> " * 20_000
    yield "menus in menus", "<nav><h1>" * 3000 + one * 3
    yield "tables in tables", "<table><tr><td>" * 900 + one


@pytest.mark.parametrize("name", [name for name, _ in hostile()])
def test_hostile_pages_cost_little(name: str) -> None:
    body = dict(hostile())[name]
    before = time.process_time()
    text = extract_main_text(f"<html><body>{body}</body></html>", mode="corpus")
    assert time.process_time() - before < 10
    assert text is None or SENTENCES["zh-Hant"][:20] in text


def test_only_deep_pages_are_too_deep() -> None:
    assert is_too_deep("<div>" * 15_000) and is_too_deep("</b>" * 9000 + "<i>" * 15_000)
    assert is_too_deep("<div></b>" * 15_000)
    assert not is_too_deep("<div>" * 9000)
    assert (
        not is_too_deep("<p>a" * 19_000)
        and not is_too_deep("<div></div>" * 19_000)
        and not is_too_deep("< " * 19_000)
    )
    assert not is_too_deep("<img>" * 19_000)


def test_a_page_without_text_has_none() -> None:
    for page in (
        "",
        " ",
        "<html><body></body></html>",
        "<frameset><frame src=a></frameset>",
        "<script>a()</script>",
    ):
        assert extract_main_text(page, mode="corpus") is None


def test_a_text_does_not_depend_on_the_pages_before_it() -> None:
    pages = [make_page(*(f"<p>{text} {i}</p>" for i in range(5))) for text in SENTENCES.values()]
    forward = [extract_main_text(page, mode="corpus") for page in pages]
    backward = [extract_main_text(page, mode="corpus") for page in pages[::-1]]
    assert forward == backward[::-1]


def make_record(body: str | bytes) -> Record:
    return Record(native_id="a", file="f", offset=0, length=0, media_type="text/html", body=body)


@pytest.mark.parametrize("charset", ("utf-8", "utf-8-sig", "utf-16", "gb18030", "windows-1251", "ascii"))
@pytest.mark.parametrize("broken", (b"", b"\xff<p>\xc3</p>", "\ufffd".encode()))
def test_bytes_give_the_text_of_the_page_that_they_are(charset: str, broken: bytes) -> None:
    language = {"gb18030": "zh-Hans", "windows-1251": "ru", "ascii": "en"}.get(charset, "ar")
    page = make_page(f"<meta charset={charset}>", *(f"<p>{SENTENCES[language]} {i}</p>" for i in range(5)))
    body = page.encode(charset, "replace") + broken
    from_bytes, from_text = (extract(make_record(one), "corpus") for one in (body, decode(body)[0]))
    assert from_bytes is not None and from_bytes.metadata["extractor"] == "corpus"
    assert from_bytes == from_text and SENTENCES[language] in from_bytes.text


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    extract_main_text(make_page(f"<p>{SENTENCES['hi']}</p>"), mode="corpus")
    assert gc.isenabled()
    gc.disable()
    try:
        extract_main_text(make_page(f"<p>{SENTENCES['hi']}</p>"), mode="corpus")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("kept", [0, 1, 20_000])
def test_elements_are_named_by_what_they_say_of_themselves(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(element_tokens, "MAX_CACHED", kept)
    named = {
        ("p", ()): ("<p",),
        ("p", (("class", None),)): ("<p",),
        ("div", (("class", "post-body post_42 b a-Title navBar XMLView"),)): (
            "<div", "post", "body", "title", "nav", "bar", "xml", "view",
        ),
        ("li", (("class", "item"), ("id", "item-7"), ("data-testid", "card"))): ("<li", "item", "card"),
        ("div", (("class", "标题 main-é"),)): ("<div", "main"),
        ("div", (("class", " ".join(["aa", "b"] * 9) + " zz"),)): ("<div", "aa"),
        ("nav", (("role", "Navigation"), ("aria-hidden", "true"))): ("<nav", "=navigation", "!aria"),
        ("div", (("itemtype", "https://schema.org/Recipe/"), ("itemprop", "Step"), ("href", "x"))): (
            "<div", "@step", "@recipe",
        ),
        ("div", (("style", "color: red; Display : none"), ("id", "x1"))): ("<div", "!none"),
        ("a", (("href", "/x"),)): ("<a",),
        ("a", (("href", "/x"), ("data-n", None))): ("<a",),
        ("a", (("href", "/x"), ("class", "more link"))): ("<a", "more", "link"),
        ("a", (("class", "more link"), ("href", "/y"))): ("<a", "more", "link"),
        ("a", (("class", None), ("href", "/y"))): ("<a",),
        ("h2", (("id", "part-one"), ("class", "title"), ("title", "x"))): ("<h2", "title", "part", "one"),
        ("h2", (("class", "title"), ("title", "x"), ("id", "part-one"))): ("<h2", "title", "part", "one"),
    }  # fmt: skip
    for _ in range(2):  # read, then remembered
        assert {key: name_element(key[0], dict(key[1])) for key in named} == named


def test_the_document_says_who_has_read_it() -> None:
    page = make_page(*(f"<p>{SENTENCES['en']} {i}</p>" for i in range(5)))
    deep = f"<html><body>{'<div>' * 13_000}{page}"
    for html, engine in ((page, "corpus"), (deep, "trafilatura")):
        extracted = extract(make_record(html.encode()), "corpus")
        assert extracted is None or extracted.metadata["extractor"] == engine


def test_estimates_do_not_depend_on_the_elements_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_model(write_model(load_model()), "again")
    pages = [
        read_blocks(
            make_page(f"<p class=c{i}>{text} <a class=d{i} href=/>x</a></p>", f"<ul id=e{i}><li>{text}</ul>")
        )
        for i, text in enumerate(SENTENCES.values())
    ]
    groups = [PageGroup([page], [measure_sizes(page)]) for page in pages]
    alone = [read_model(write_model(model), "new").estimate(group).tolist() for group in groups]
    for kept in (block_model.MAX_CACHED, 3):
        monkeypatch.setattr(block_model, "MAX_CACHED", kept)
        for _ in range(2):
            assert [model.estimate(group).tolist() for group in groups] == alone


def test_sums_are_exact_in_either_width(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [read_blocks(make_page(f"<p>{text}</p>" * 40)) for text in SENTENCES.values()]
    group = PageGroup(pages, list(map(measure_sizes, pages)))
    single = load_model().estimate(group).tolist()
    monkeypatch.setattr(block_model, "MAX_SUM", 0)
    assert load_model().estimate(group).tolist() == single


@pytest.mark.parametrize(("term", "language"), [("RAID 1", "ja"), ("БРИЗ", "ru"), ("حبر", "ar")])
def test_terms_stay_with_their_definitions(term: str, language: str) -> None:
    text = SENTENCES[language]
    lists = f"<dl><dt>{term}</dt><dd><p>{text}</p></dd><dt>{term} 2</dt><dt>{term} 3</dt><dd>{text}</dd>"
    lists += f"<dt><a href=/x>{term} 4</a></dt><dd>{text}<dl><dt>{term} 5</dt><dd>{text}</dd></dl></dd></dl>"
    page = read_blocks(make_page(f"<p>{term}</p>{lists}<p>{text}</p>"))
    terms = {at: block for at, block in enumerate(page.texts) if block.startswith(term)}
    first, *others = terms
    kept = [at for at in range(len(page.texts)) if at not in terms]
    added = sorted(set(keep_terms(page, kept)) - set(kept))
    assert first not in added and [page.texts[at] for at in added] == [
        term,
        f"{term} 2",
        f"{term} 3",
        f"{term} 5",
    ]
    assert keep_terms(page, [first]) == [first]
    assert keep_terms(page, others) == others


def test_tokens_are_summed_up_however_many_elements_are_new() -> None:
    model = load_model()
    lexicon = list(model.lexicon)
    draw = np.random.default_rng(0)
    table = draw.integers(-127, 128, (len(lexicon), 160)).astype(np.int8)
    rows = block_model._TokenRows(model.lexicon, table)
    words = [*lexicon, "字", "хлеб"]  # the last are known to nobody
    elements = [
        tuple(words[at] for at in draw.integers(0, len(words), draw.integers(0, 12))) for _ in range(5_000)
    ]
    around, inner = rows.sum([*elements, ("字",), ()], elements[:9])
    for at, tokens in enumerate(elements):
        known = [model.lexicon[token] for token in tokens if token in model.lexicon]
        assert (around[at] == table[known, :120].sum(0, dtype=np.int64)).all(), tokens
    assert not around[-2:].any() and (inner[0] == rows.sum([], elements[:1])[1][0]).all()


@pytest.mark.parametrize("language", SENTENCES)
def test_white_space_is_one_space_and_that_which_is_written_stays(language: str) -> None:
    one = SENTENCES[language]
    for before, after in (("", ""), (" ", "  "), ("\n\t ", " \r\n"), ("\f", "\n\f")):
        assert blocks(f"<p>{before}{one}{after}</p>") == [one]
    assert blocks(f"<p>{one} \t {one}</p>") == [f"{one} {one}"]
    assert blocks(f"<p>{one}\u3000{one}</p><p>{one}&nbsp;{one}</p>") == [
        f"{one}\u3000{one}",
        f"{one}\xa0{one}",
    ]


def test_features_are_whole_numbers_and_sums_are_exact_in_any_order() -> None:
    page = read_blocks(make_page(*(f"<p class=a{i}>{text}</p>" for i, text in enumerate(SENTENCES.values()))))
    sizes = measure_sizes(page)
    features = measure_blocks(PageGroup([page], [sizes]))
    assert (features == np.floor(features)).all() and features.min() >= 0 and features.max() <= TOP
    model = load_model()
    dense = model.dense.astype(np.float32)
    exact = features.astype(np.int64) @ model.dense.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(dense))
    for product in (
        features @ dense,
        features[:, order] @ dense[order],
        np.vstack([features] * 3)[: len(features)] @ dense,
    ):
        assert (product == exact).all()
    for table in (model.dense, model.second, model.last):
        assert np.abs(table.astype(np.int64)).sum(0).max() * TOP < block_model.MAX_SUM


def test_the_cut_is_the_one_that_promises_most() -> None:
    logits, sizes = np.array([300, -300, 200, 150]), np.array([100, 100, 100, 300])
    estimates = block_model.squash(logits - STRICTNESS)
    kept, confidence = choose_blocks(logits, sizes)
    scores = {}
    for cut in ((0,), (0, 2), (0, 2, 3), (0, 1, 2, 3)):
        right = sum(int(estimates[at] * sizes[at]) for at in cut)
        whole = int((estimates * sizes).sum())
        scores[cut] = 2 * right / (1024 * sum(int(sizes[at]) for at in cut) + whole)
    assert tuple(kept) == max(scores, key=lambda cut: scores[cut]) and SOFT_BELOW < confidence < 1024
    unsure = choose_blocks(np.array([40, -20, -30, -500]), np.array([100, 100, 100, 100]))
    assert unsure[0] == [0, 1, 2] and unsure[1] < SOFT_BELOW


def test_pages_of_short_lines_are_read_more_generously() -> None:
    logits = np.array([20, -30, -60, -85, -85])
    short, _ = choose_blocks(logits, np.full(5, 60))
    long, _ = choose_blocks(logits, np.full(5, 600))
    assert set(long) < set(short)


def test_a_heading_goes_with_what_it_heads() -> None:
    logits, sizes = np.array([300, 90, 320, 90, 80, -300, 120, -300]), np.full(8, 300)
    headings = [True, True, False, True, True, False, True, False]
    assert choose_blocks(logits, sizes)[0] == [0, 1, 2, 3, 4, 6]
    inner = np.array([300, -60, 300, -200, 300])
    sections = [False, True, False, True, False]
    assert choose_blocks(inner, np.full(5, 300), sections)[0] == [0, 1, 2, 4]
    # The last is sure of itself; the two before it head nothing that is kept.
    assert choose_blocks(logits, sizes, headings)[0] == [0, 1, 2, 6]
    page = read_blocks("<body><h1>One</h1><h2>Two</h2><p>Three</p><h3><a href=/>Four</a></h3>")
    assert find_headings(page) == [False, True, False, True]


def test_a_likely_heading_stays_between_what_stays() -> None:
    headings = [at in (1, 4, 9) for at in range(11)]
    kept = [0, 3, 6, 10]
    logits = np.array([300, 40, -90, 300, 40, -90, 300, -90, -90, 40, 300])
    assert keep_likely_headings(kept, headings, logits) == [0, 1, 3, 4, 6, 9, 10]
    unlikely = np.where(logits == 40, 20, logits)
    assert keep_likely_headings(kept, headings, unlikely) == kept
    assert keep_likely_headings([0, 10], headings, logits) == [0, 10]  # too far away
    assert keep_likely_headings([3, 6], headings, logits) == [3, 4, 6]  # nothing before the first


@pytest.mark.parametrize("language", SENTENCES)
def test_rows_of_a_table_stand_together_and_code_near_its_text(language: str) -> None:
    one = SENTENCES[language]
    rows = "".join(f"<tr><td>{one[:9]}</td><td>{at}</td></tr>" for at in range(3))
    table = f"<table><tr><th>a</th><th>b</th></tr>{rows}</table>"
    page = read_blocks(
        f"<body><p>{one}</p>{table}<pre><code>x = 1</code></pre><pre>{one}</pre><p>$x$</p><p>$</p>"
    )
    sizes = measure_sizes(page)
    joined = join_structures(page, np.array([300, 200, 0, -100, -200, 50, 50, 9, 9]), sizes).tolist()
    assert joined[0] == 300 and len(set(joined[1:5])) == 1 and -200 < joined[1] - ROW_BONUS < 200
    assert joined[5:] == [50 + CODE_BONUS, 50, 9 + CODE_BONUS, 9]
    links = table.replace("<td>", "<td><a href=/>").replace("</td>", "</a></td>")
    page = read_blocks(f"<body><p>{one}</p>{links}")
    assert join_structures(page, np.zeros(5, np.int64), measure_sizes(page)).tolist() == [0] * 5


@pytest.mark.parametrize("language", SENTENCES)
def test_a_copy_of_what_is_written_is_left_out(language: str) -> None:
    texts = [f"{SENTENCES[language]} ({at})" for at in range(8)]
    whole = " ".join(texts)
    paragraphs = "".join(f"<p>{text}</p>" for text in texts)
    assert write_body(f"{paragraphs}<div>{whole}</div><div>{whole}</div>") == texts
    other = f"{texts[0]} {whole[::-1]}"
    assert write_body(f"{paragraphs}<div>{other}</div>") == [*texts, other]


@pytest.mark.parametrize("language", SENTENCES)
def test_what_a_page_has_twice_is_written_once(language: str) -> None:
    one, two = f"{SENTENCES[language]} (1)", f"{SENTENCES[language]} (2)"
    assert write_body(f"<p>{one}</p><p>{one}</p><p>{one}</p><p>{two}</p>") == [one, two]
    assert write_body(f"<li>{one}</li><p>{one}</p>") == [f"- {one}"]
    wide, small = f"<div class=wide><p>{one}</p><p>{two}</p></div>", f"<p class=small>{one}</p>"
    assert write_body(f"{wide}<div class=small><p>{one}</p><p>{two}</p></div>") == [one, two]
    assert write_body(f"{wide}<blockquote>{one}</blockquote>3") == [one, two, "3"]
    # The same step or question once more, in the same kind of element.
    assert write_body(f"<p>{one}</p><p>{two}</p><p>{one}</p>") == [one, two, one]
    # What is short may be said in several places, but not right behind itself.
    short = one[:24].replace(" ", "-")
    assert write_body(f"<p>{short}</p><p>{two}</p>{small.replace(one, short)}") == [short, two, short]
    assert write_body(f"<p>{short}</p>{small.replace(one, short)}") == [short]
    assert write_body("<p>Yes</p><p>Yes</p>") == ["Yes", "Yes"]
    # A heading behind its item in the contents, code, rows.
    assert write_body(f"<li>{one}</li><h2>{one}</h2><h2>{one}</h2>") == [f"- {one}", one]
    assert write_body(f"<li>{one}</li><p>{two}</p><h2>{one}</h2>") == [f"- {one}", two, one]
    assert write_body(f"<pre><code>{one}</code></pre>" * 2) == ["```", one, "```"] * 2
    rows = f"<table><tr><th>{one}</th><td>1</td></tr><tr><th>{one}</th><td>1</td></tr></table>"
    assert write_body(rows) == [f"| {one} | 1 |"] * 2


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<span>Merrell</span><span>Moab 3 Hiking Shoes</span>", "Merrell Moab 3 Hiking Shoes"),
        ("<a href=/a>Action</a><a href=/b>Adventure</a><a href=/c>3D</a>", "Action Adventure 3D"),
        ("<label>Cameras</label><span><b>74</b></span>", "Cameras 74"),
        ("<b>€49.99</b><small>VAT included</small>", "€49.99 VAT included"),
        ("<b>ISBN</b><i>978</i><i>Paper</i>", "ISBN 978 Paper"),
        ("<b>Price:</b><i>Low</i>", "Price: Low"),
        ("<b>Quick meals.</b><a href=/a>Shop now</a>", "Quick meals. Shop now"),
        ("<b>Автор</b><a href=/a>Анна Ким</a><b>СССР</b>", "Автор Анна Ким СССР"),
        ("<b>Συγγραφέας</b><i>Ελένη</i>", "Συγγραφέας Ελένη"),
        ("<q><b>One</b><b>Two</b></q> x<sup><b>ab</b><b>cd</b></sup>", "“One Two” x^abcd"),
        # One word, or perhaps one.
        ("<b>Co</b><i>rnell</i> <b>B</b><i>reakfast</i>", "Cornell Breakfast"),
        ("<b>i</b><b>Phone</b> <b>T</b><b>HE</b> <b>F</b><b>L</b>", "iPhone THE FL"),
        ("<b>17</b><b>07</b> <b>json.</b><b>JSONDecoder</b>", "1707 json.JSONDecoder"),
        ("Java<b>Script</b> Vec<wbr>Deque Hello<!-- -->World", "JavaScript VecDeque HelloWorld"),
        (
            "<b>on</b> <b>Top</b><template shadowrootmode=open><p>a</p></template>Ja<!---->va<!---->Scr<i>Ipt</i>",
            "on Top\na\nJavaScrIpt",
        ),
        ("<b>on</b> <b>Top</b><div></div>Ja<!---->va<!---->Scr<i>Ipt</i>", "on Top\nJavaScrIpt"),
        ("<code><b>get</b></code> <pre><b>Foo</b><b>Bar</b></pre>", "get\nFooBar"),
        ("<b>一</b><b>Python</b><b>教程</b>", "一Python教程"),
        ("<b>第一</b><b>章节</b> <b>かな</b><b>カナ</b>", "第一章节 かなカナ"),
        ("<b>หนึ่ง</b><b>สอง</b> <b>كتا</b><b>ب</b> <b>कि</b><b>ताब</b>", "หนึ่งสอง كتاب किताब"),
        # Once for the eye and once for those who listen.
        ("<a href=/a><span>Get it now</span><span>Get it now</span></a>", "Get it now"),
        ("<b>EUR 163.12</b><b>EUR 163.12</b><b>EUR 163.12</b>", "EUR 163.12"),
        ("<b>免费下载</b><b>免费下载</b> <b>谢</b><b>谢</b>", "免费下载 谢谢"),
        ("<b>1000</b><b>1000</b> <b>0</b><b>0</b>", "10001000 00"),
    ],
)
def test_words_of_elements_that_touch_are_set_apart(markup: str, text: str) -> None:
    assert "\n".join(blocks(f"<div>{markup}</div>")) == text


@pytest.mark.parametrize("language", SENTENCES)
def test_pictures_of_signs_are_the_signs(language: str) -> None:
    one = SENTENCES[language]
    signs = ("👍", "☹️", "👩‍💻", ":)", ";-)", ":D", ":'(")
    for name in ("emoji", "smilie smilie--emoji", "wp-smiley"):
        for sign in signs:
            assert blocks(f'<p>{one} <img class="{name}" alt="{sign}"></p>') == [f"{one} {sign}"]
    for picture in (
        'class="smilie" alt=":unsure:"',
        'class="emoji" alt="Smile"',
        'class="icon" alt="→"',
        "alt=🙂",
    ):
        assert blocks(f"<p>{one} <img {picture}></p>") == [one]


@pytest.mark.parametrize("language", SENTENCES)
def test_labels_follow_the_gold_in_every_script(language: str) -> None:
    one = SENTENCES[language]
    texts = ["1", one, f"{one} and more", "2", "3", one[::-1]]
    labels = label_by_text(texts, f"{one}\n{one} — and more\n2\n")
    assert labels.round(1).tolist() == [0, 1, 1, 1, 0, 0]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """A tiny folder of gold: ten sites, with pages in several scripts."""
    folder = tmp_path / "gold"
    folder.mkdir()
    rows = []
    for at in range(30):
        texts = [f"{text} {at} {i}" for i, text in enumerate(list(SENTENCES.values())[at % 5 : at % 5 + 3])]
        html = make_page(*(f"<p class=text>{text}</p>" for text in texts))
        url = f"https://site{at % 10}.example/{at}"
        rows.append({"url": url, "html": html, "text": "\n".join(texts), "kind": "article"})
    (folder / "pages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_training_gives_the_same_bytes_and_learns(gold: Path, tmp_path: Path) -> None:
    options = ExtractorOptions(epochs=30, folds=2, teachers=1)
    files = [str(tmp_path / name) for name in ("a.npz", "b.npz")]
    cards = [
        train_extractor([read_gold_folder(str(gold))], file, options, lambda html: None, report=len)
        for file in files
    ]
    assert Path(files[0]).read_bytes() == Path(files[1]).read_bytes() and cards[0] == cards[1]
    assert json.loads(Path(f"{files[0]}.card.json").read_text())["scores"]["gold"]["article"]["pages"] == 30
    scores = evaluate_extractor(files[0], [read_gold_folder(str(gold))])
    assert scores["gold"]["all"]["words"] > 0.9
    model = read_model(Path(files[0]).read_bytes(), files[0])
    assert write_model(model) == Path(files[0]).read_bytes()
    assert extract_blocks_text(make_page(f"<p class=text>{SENTENCES['th']}</p>" * 3), model).text


def test_sites_are_on_one_side() -> None:
    assert {fold_of("a.example", 5) for _ in range(3)} == {fold_of("a.example", 5)}
    assert {fold_of(f"{i}.example", 5) for i in range(200)} == set(range(5))


GOLD_LINE = {"url": "https://a.example/1", "html": "<p>早上好\u2028世界", "text": "早上好\u2028世界"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"url": "https://b.example", "text": "Доброе утро"}, "no `html`: a line has url, html, text"),
        ({"url": "https://b.example", "html": "<p>Доброе утро"}, "no `text`: a line has url, html, text"),
        ({**GOLD_LINE, "html": 3}, "`html` must be text, not int"),
        ({**GOLD_LINE, "url": ["a"]}, "`url` must be text, not list"),
        (["صباح"], "a mapping with url, html and text is expected"),
    ],
)
def test_a_wrong_line_of_gold_is_named_by_file_and_number(tmp_path: Path, line: Any, message: str) -> None:
    rows = [json.dumps(row, ensure_ascii=False) + "\n" for row in (GOLD_LINE, line)]
    file = tmp_path / "pages.jsonl"
    file.write_text(rows[0], encoding="utf-8")
    (page,) = read_gold_folder(str(tmp_path)).pages
    assert (page.text, page.site, page.kind) == ("早上好\u2028世界", "a.example", "article")
    file.write_text("".join(rows), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_gold_folder(str(tmp_path))
    assert str(caught.value).startswith(f"{file}:2: {message}")


def test_bad_gold_and_bad_weights_are_one_line(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none", "no such folder"), (tmp_path, "no gold in it")):
        with pytest.raises(UserError, match=message):
            read_gold_folder(str(path))
    (tmp_path / "pages.jsonl").write_text("")
    with pytest.raises(UserError, match="no page with gold"):
        read_gold_folder(str(tmp_path))
    with pytest.raises(UserError, match="no weights of an extractor"):
        read_model(b"no", "x.npz")
    model = load_model()
    other = write_model(type(model)(**{**vars_of(model), "card": {"version": 99}}))
    with pytest.raises(UserError, match="weights of version 99"):
        read_model(other, "x.npz")


def vars_of(model: block_model.BlockModel) -> dict[str, object]:
    return {name: getattr(model, name) for name in type(model).__dataclass_fields__}


def test_rows_are_one_kind() -> None:
    page = read_blocks("<table><tr><th>a</th><td>b</td></tr></table>")
    assert page.kinds == [BlockKind.ROW] and page.ends[0] == 1


@pytest.mark.parametrize("language", SENTENCES)
def test_a_page_states_its_kind_and_how_it_begins(language: str) -> None:
    text = SENTENCES[language]
    heads = (
        f'<meta property="og:type" content="article"><meta name="description" content="{text}">',
        f"<META CONTENT='Article' PROPERTY='og:type'><meta content='{text}' property=og:description>",
        f"""<script type="application/ld+json">{{"@type": ["Thing", "NewsArticle"], "articleBody": "{text}  \\n x"}}
        </script><meta data-x="a > b" name=Description content="{text.replace(" ", "&#32;&#10;")}">""",
    )
    for head in heads:
        stated = read_head(f"<html><head>{head}</head><body><p>x</p>")
        assert stated.is_article and len(stated.beginnings) == 1
        assert " ".join(text.split()).startswith(stated.beginnings[0])
    assert stated.body == f"{' '.join(text.split())} x"
    for other in (
        "og:type",
        'description content=""',
        "ld+json {",
        'ld+json "@type": "Product"',
        "<meta description",
    ):
        assert not read_head(f'<meta name="{other}">{heads[0][:20]}').is_article
    assert not read_head('<meta itemprop="og:type" content="article">').is_article


def test_a_shop_or_forum_is_no_article() -> None:
    article = '<meta property="og:type" content="article">'
    for kind in ("Product", "QAPage", "ItemList"):
        script = f'<script type="application/ld+json">{{"@type":"{kind}"}}</script>'
        assert not read_head(f"{article}{script}").is_article
    assert read_head(article).is_article and not read_head("").is_article


def test_the_second_look_sees_whole_numbers_of_what_is_expected() -> None:
    page = read_blocks(make_page(*(f"<div><p>{text}</p></div>" * 3 for text in SENTENCES.values())))
    sizes = measure_sizes(page)
    group = PageGroup([page], [sizes])
    for logits in (np.full(len(sizes), -600), np.full(len(sizes), 600), np.arange(len(sizes)) * 16 - 100):
        seen = expect_each(group, block_model.squash(logits))
        assert (seen.kept[0], seen.scores[0]) == expect(block_model.squash(logits), sizes)
        table = measure_expectation(group, logits, seen)
        assert table.shape == (len(sizes), ESTIMATE_FEATURES) and table.max() <= TOP + 1
    # Of the last: the share expected before each block only grows, to nearly all.
    before = table[:, 5 + 3 * LEVELS].tolist()
    assert before == sorted(before) and before[0] == 0 and before[-1] > TOP / 2
    assert load_model().again is not None


@pytest.mark.parametrize("language", SENTENCES)
def test_code_and_paragraphs_between_what_stays_stay(language: str) -> None:
    one = SENTENCES[language]
    body = f"<div><p>{one} 1<p>{one} 2<pre>make {one}</pre><p>{one} 3<p>{one} 4</div><div class=more><p>{one} 5</div>"
    page = read_blocks(f"<body>{body}")
    logits = np.array([90, -30, -150, 90, 90, 90])
    assert keep_between(page, [0, 3, 4, 5], logits) == [
        0,
        3,
        4,
        5,
    ]  # code and text between are no row of one kind
    assert keep_between(page, [0, 1, 3, 4], logits) == [0, 1, 2, 3, 4]
    assert keep_between(page, [1, 3], logits) == [1, 2, 3]  # nothing before the first or behind the last
    unlikely = np.array([90, UNLIKELY_BETWEEN, 90, 90, 90, 90])
    assert keep_between(page, [0, 2, 3, 4], np.where(logits < 0, -30, logits)) == [0, 1, 2, 3, 4]
    assert keep_between(page, [0, 2, 3, 4], unlikely) == [0, 2, 3, 4]
    bar = np.where(logits == -150, UNLIKELY_CODE, logits)
    assert keep_between(page, [1, 3], bar) == [1, 3]
    stated = read_blocks(f'<head><meta property="og:type" content="article"></head><body>{body}')
    assert keep_between(stated, [0, 2, 3, 4], logits) == [0, 2, 3, 4]
    assert keep_between(stated, [1, 3], logits) == [1, 2, 3]


@pytest.mark.parametrize("language", SENTENCES)
def test_the_last_paragraphs_stay_with_those_like_them(language: str) -> None:
    one = SENTENCES[language]
    body = "".join(f"<p>{one} {at}</p>" for at in range(6))
    body = f"<body><div>{body}<p><a href=/>{one}</a></p><p>{one} 7</p></div><div><p>{one} 8</p></div><p>{one} 9</p>"
    page, stated = read_blocks(body), read_blocks(f'<meta property="og:type" content="article">{body}')
    sizes, held = measure_sizes(page), np.zeros(10, np.int64)
    logits = np.array([-20, 60, 90, 90, -20, -20, 90, 90, 90, 90])
    kept = [1, 2, 3, 7]
    assert keep_siblings(stated, kept, logits, held, sizes) == [0, 1, 2, 3, 4, 5, 7]  # up to the link
    assert keep_siblings(page, kept, logits, held, sizes) == kept
    assert keep_siblings(page, kept, logits + 30, held, sizes) == [0, 1, 2, 3, 4, 5, 7]
    unlikely = np.where(logits == -20, UNLIKELY_ARTICLE_SIBLING, logits)
    assert keep_siblings(stated, kept, unlikely, held, sizes) == kept
    held[4:] = 96  # as of comments, or outside of the article
    assert keep_siblings(stated, kept, logits, held, sizes) == [0, 1, 2, 3, 7]
    held[:] = 96
    assert keep_siblings(stated, kept, logits, held, sizes) == [0, 1, 2, 3, 4, 5, 7]
    alone = np.full(10, 10)  # one of them, or a few of many, show nothing of the others
    assert keep_siblings(stated, [5], alone, held, sizes) == [5]
    assert keep_siblings(stated, [4, 5], alone, held, sizes) == [4, 5]
    assert keep_siblings(stated, [8], alone, held, sizes) == [8]
    assert keep_siblings(stated, [], alone, held, sizes) == []


def test_pages_with_code_are_read_less_strictly() -> None:
    sizes = np.full(8, 300)
    logits = np.array([300, 300, 300, 300, 300, 300, 20, 300])
    assert 6 not in choose_blocks(logits, sizes)[0]
    assert 6 in choose_blocks(logits, sizes, has_code=True)[0]
    assert 6 not in choose_blocks(logits, sizes, has_code=True, is_article=True)[0]
    page = read_blocks("<body>" + "<p>渡船早上七点离开北码头<pre>make</pre>" * MIN_CODE_BLOCKS)
    assert has_code(page) and not has_code(read_blocks("<body><p>one<pre>make</pre>"))
