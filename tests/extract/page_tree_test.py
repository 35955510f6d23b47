"""What a browser shows of a page is in its text in every extraction mode, and what it hides is not."""

from __future__ import annotations

import re

import pytest

from corpus.extract.html.captions import find_caption
from corpus.extract.html.main_text import MODES, extract_main_text
from corpus.extract.raised_text import SUPERSCRIPTS
from tests.extract.html_test import PROSE

MENU = '<td width=100><a href="/">Start</a><br><a href="/a">Archive</a><br><a href="/b">Contact us</a></td>'


def lines(body: str, mode: str) -> list[str]:
    text = (
        extract_main_text(f"<html><head><title>T</title></head><body>{body}</body></html>", mode=mode) or ""
    )
    return [line.strip().removeprefix("• ").removeprefix("- ") for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("separator", ["<br><br>", "<p>", "<br>\n"])
@pytest.mark.parametrize("language", PROSE)
def test_a_layout_table_gives_paragraphs(mode: str, separator: str, language: str) -> None:
    texts = [f"{PROSE[language]} ({i})" for i in range(4)]
    cell = f"<td><font size=2>{separator.join(texts)}</font></td>"
    assert lines(f"<table><tr>{MENU}<td>&nbsp;</td>{cell}</tr></table>", mode) == texts
    assert lines(f"<table><tr><td><table><tr>{cell}</tr></table></td></tr></table>", mode) == texts


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_a_table_of_data_stays_rows(mode: str) -> None:
    table = "<table><tr><td>Planks</td><td>30</td></tr><tr><td>Rails</td><td>12</td></tr></table>"
    got = lines(f"<p>{PROSE['en']}</p>{table}<p>{PROSE['en']} 2</p><p>{PROSE['en']} 3</p>", mode)
    assert "| Planks | 30 |" in got and "| Rails | 12 |" in got


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("frame", ["{}", "<div class=section>{}</div>", "<article>{}</article>"])
@pytest.mark.parametrize(
    "item", ["<div class=para>{}</div>", "<p>{}</p>", "<section><div>{}</div></section>", "{}"]
)
@pytest.mark.parametrize("language", PROSE)
def test_items_that_hold_blocks_are_kept_whole(mode: str, frame: str, item: str, language: str) -> None:
    sentence = PROSE[language]
    items = [f"{sentence} <code>c{i}</code> {sentence} ({i})" for i in range(7)]
    page = "<ul>" + "".join(f"<li>{item.format(text)}</li>" for text in items) + "</ul>"
    got = lines(frame.format(f"<p>{sentence} A</p>{page}<p>{sentence} B</p>"), mode)
    assert [line.replace(" ", "") for line in got[1:-1]] == [
        text.replace("<code>", "").replace("</code>", "").replace(" ", "") for text in items
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", ["zh", "ja"])
def test_wrapped_and_marked_chinese_and_japanese_has_no_spaces(mode: str, language: str) -> None:
    text = PROSE[language]
    a, b, c = text[:5], text[5:12], text[12:]
    for written in (
        f"{a}\n  {b}\r\n{c}",
        f"{a}<b>{b}</b>{c}",
        f"{a}\n<a href=x>{b}</a>\n{c}",
        f"{a}<span>{b}</span>{c}",
        f"{text[:-2]}<b class=x>{text[-2]}</b>{text[-1]}",
    ):
        assert lines(f"<p>{written}</p>", mode) == [text]


@pytest.mark.parametrize("mode", MODES)
def test_what_a_browser_shows_is_kept_and_what_it_hides_is_not(mode: str) -> None:
    prose = PROSE["en"]
    text = "\n".join(
        lines(
            f"<p>Signed on <time>5 May 1901</time> in the hall, <q>gladly</q> and soon. {prose}</p>"
            f"<figure><img src=a><figcaption>A view of the bridge from the mill.</figcaption></figure>"
            f"<template><p>One unseen. {prose}</p></template><div hidden><p>Two unseen. {prose}</p></div>"
            f"<dialog><p>Three unseen. {prose}</p></dialog><dialog open><p>Four seen. {prose}</p></dialog>"
            f"<our-text>Five seen. {prose}</our-text><p>{prose} <ruby>橋<rp>(</rp><rt>はし</rt><rp>)</rp></ruby></p>",
            mode,
        )
    )
    shown = "“gladly”" if mode == "corpus" else "gladly"
    assert f"Signed on 5 May 1901 in the hall, {shown} and soon." in text
    for piece in ("A view of the bridge", "Four seen", "Five seen", "橋"):
        assert piece in text
    assert "unseen" not in text and "はし" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
def test_a_list_takes_nothing_from_the_paragraphs_before_and_behind_it(mode: str, language: str) -> None:
    sentence = PROSE[language]
    items = "".join(f"<li><p>{sentence} {sentence} item {i}</p></li>" for i in range(6))
    page = (
        f"<div class=chapter><h1>{sentence}</h1><p>{sentence} first</p><p>{sentence} second</p>"
        f"<div class=part><h2>{sentence}</h2><ul>{items}</ul></div><p>{sentence} last</p></div>"
    )
    text = "\n".join(lines(page, mode))
    places = [text.find(word) for word in ("first", "second", *(f"item {i}" for i in range(6)), "last")]
    assert -1 not in places and places == sorted(places)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
def test_definitions_in_prose_are_paragraphs_without_bullets(mode: str, language: str) -> None:
    sentence = PROSE[language]
    definitions = "".join(
        f"<dt>term{i}</dt><dd>{sentence} {sentence} A{i}<p>{sentence} B{i}</p><ul><li>{sentence} C{i}</li></ul></dd>"
        for i in range(3)
    )
    first, last = f"<h1>{sentence}</h1><p>{sentence} first</p>", f"<p>{sentence} last</p>"
    page = f"<html><body>{first}<dl>{definitions}</dl>{last}</body></html>"
    text = extract_main_text(page, mode=mode) or ""
    got = [line.strip() for line in text.split("\n") if line.strip()]
    for i in range(3):
        assert f"term{i}" in got and f"{sentence} {sentence} A{i}" in got and f"{sentence} B{i}" in got
        assert {f"- {sentence} C{i}", f"• {sentence} C{i}"} & set(got)
    order = [text.find(word) for word in ("first", "term0", "A0", "B0", "C0", "term1", "B2", "last")]
    assert -1 not in order and order == sorted(order)


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_terms_of_links_stay_a_list(mode: str) -> None:
    sentence = PROSE["en"]
    entries = "".join(f"<dt><a href=/{i}>Part {i}</a></dt><dd>short {i}</dd>" for i in range(4))
    got = lines(
        f"<article><p>{sentence} A</p><dl>{entries}</dl><p>{sentence} B</p><p>{sentence} C</p></article>",
        mode,
    )
    assert got[0].endswith("A") and got[-1].endswith("C") and f"{sentence} B" in got


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_items_are_marked_beside_their_text_however_the_source_is_indented(mode: str) -> None:
    sentence = PROSE["en"]
    items = "".join(f"<li>\n      <p>\n  {sentence} ({i})\n  </p>\n   </li>\n" for i in range(3))
    definitions = "".join(f"<dt>name{i}</dt>\n<dd>\n   <p>{sentence} means {i}</p>\n</dd>" for i in range(3))
    page = f"<html><body><p>{sentence}</p><ul>\n{items}</ul><dl>\n{definitions}</dl></body></html>"
    got = (extract_main_text(page, mode=mode) or "").split("\n")
    assert [line for line in got if line] == [
        sentence,
        *(f"- {sentence} ({i})" for i in range(3)),
        *(line for i in range(3) for line in (f"name{i}", f"{sentence} means {i}")),
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
def test_what_scripts_will_show_is_kept(mode: str, language: str) -> None:
    sentence = PROSE[language]
    article = "".join(f"<p>{sentence} paragraph {i}</p>" for i in range(4))
    for page in (
        f'<main><div hidden id="S:0">{article}</div></main><template id="B:0"></template>',
        f"<div hidden class=app>{article}</div><p>Loading</p>",
        f"<p>{sentence}</p><p>{sentence}</p><div hidden=until-found>{article}</div>",
    ):
        text = "\n".join(lines(page, mode))
        assert all(f"paragraph {i}" in text for i in range(4)), page
    unseen = lines(
        f"<p>{sentence}</p><p>{sentence}</p><p>{sentence}</p><div hidden><p>{sentence} no</p></div>", mode
    )
    assert f"{sentence} no" not in unseen


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", PROSE)
def test_captions_and_own_elements_are_not_judged_by_names_of_classes(mode: str, language: str) -> None:
    sentence = PROSE[language]
    page = (
        f"<p>{sentence} one</p><app-seen class=in-viewport><div><p>{sentence} two</p></div></app-seen>"
        f"<figure class=wp-caption><img src=a><figcaption class=image-caption><p>{sentence} three</p></figcaption>"
        f"</figure>\n{sentence} <b>four</b> {sentence}<p>{sentence} five</p>"
        f"<p><figure><img src=b><figcaption class=caption>{sentence} six</figcaption></figure>{sentence} seven</p>"
    )
    text = "\n".join(lines(page, mode))
    words = ("one", "two", "three", "four", "five", "six", "seven")
    places = [text.find(word) for word in words]
    assert -1 not in places and places == sorted(places), text


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("Foto: Anna Berg / dpa", None),
        ("Photo by Lee Moss", None),
        ("© Bundesarchiv, Erich Lang", None),
        ("写真：山田太郎", None),
        ("图片来源：新华社", None),
        ("Фото: Иван Петров", None),
        ("The mill burned down in May. (Photo: Ann Lee/AP)", "The mill burned down in May."),
        ("The new bridge was opened by the mayor.Credit: Getty", "The new bridge was opened by the mayor."),
        ("村民们在新桥上庆祝丰收的节日。（张三 摄）", "村民们在新桥上庆祝丰收的节日。"),
        ("สะพานใหม่ที่ชาวบ้านสร้างขึ้นเมื่อปีที่แล้ว", "สะพานใหม่ที่ชาวบ้านสร้างขึ้นเมื่อปีที่แล้ว"),
        ("Жители собрались у моста через реку.", "Жители собрались у моста через реку."),
    ],
)
def test_captions_that_say_something_stay_without_their_credits(caption: str, said: str | None) -> None:
    assert find_caption(caption) == said


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", PROSE)
def test_a_lead_behind_a_figure_stays_and_the_name_of_a_caption_goes(mode: str, language: str) -> None:
    sentence = PROSE[language]
    figure = f"<figure><img src=a><figcaption><b>Image caption</b> {sentence} one</figcaption></figure>"
    page = f"<article>{figure} <span class=lead>{sentence} two</span><p>{sentence} three</p><p>{sentence} four</p>"
    got = lines(page + "</article>", mode)
    assert got == [f"{sentence} {name}" for name in ("one", "two", "three", "four")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize(
    "written",
    [
        "(<doc-ref><a href='/n/3'>3</a></doc-ref>, <doc-ref><a href='/n/4'>4</a></doc-ref>).",
        "<shop-sum>$</shop-sum><shop-sum>512</shop-sum><shop-sum>.99</shop-sum>",
        "[<sup><doc-ref><a href='/n/3'>3</a></doc-ref></sup>, <sup><doc-ref><a href='/n/4'>4</a></doc-ref></sup>]",
        "<b><doc-name>Ada</doc-name></b>, <i><doc-name>Bo</doc-name></i> & <doc-name><a href='/c'>Cy</a></doc-name>",
        "<math-box><math-row><math-i>E</math-i><math-o>=</math-o><math-i>mc</math-i></math-row></math-box>!",
    ],
)
def test_own_elements_stay_in_their_sentence(mode: str, language: str, written: str) -> None:
    prose = PROSE[language]
    paragraphs = [f"{prose} ({i}) {written} {prose}" for i in range(3)] + [f"{prose} 4 {written}"]
    body = "<article>" + "".join(f"<p>{text}</p>" for text in paragraphs) + "</article>"
    if mode == "corpus":
        paragraphs = [re.sub("<sup>.*?</sup>", _raise, text) for text in paragraphs]
    expected = [re.sub("<[^>]*>", "", text) for text in paragraphs]
    assert [line.replace(" ", "") for line in lines(body, mode)] == [
        line.replace(" ", "") for line in expected
    ]


def _raise(script: re.Match[str]) -> str:
    return re.sub("<[^>]*>", "", script[0]).translate(SUPERSCRIPTS)


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_own_elements_stay_in_items_and_cells(mode: str) -> None:
    prices = "<ul><li>$<a-sum>88</a-sum> / <a-sum>99</a-sum></li><li>Boat (<a-sum>7</a-sum>)</li></ul>"
    table = (
        "<table><tr><th>Boat</th><th>Price</th></tr><tr><td>Skiff</td><td>€<a-sum>7</a-sum></td></tr></table>"
    )
    got = lines(f"<article><p>{PROSE['en']}</p>{prices}{table}<p>{PROSE['en']} 2</p></article>", mode)
    assert {"$88 / 99", "Boat (7)", "| Skiff | €7 |"} <= set(got)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("nested", ["<ul><li>", "<ol><li><p>", "<dl><dd>"])
def test_lists_in_a_thousand_lists_are_read(mode: str, nested: str) -> None:
    page = f"<p>{PROSE['en']}</p>" + f"{nested}{PROSE['en']} " * 1000
    assert PROSE["en"] in "\n".join(lines(page, mode))


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", PROSE)
def test_lists_of_pictures_and_links_beside_a_text_stay_out_of_it(mode: str, language: str) -> None:
    sentence = PROSE[language]
    prose = "".join(f"<p>{sentence} {sentence} {i}</p>" for i in range(4))
    items = "".join(
        f"<li><div><span>Reader {i}</span> <a href=/c{i}>{sentence}</a></div></li>" for i in range(5)
    )
    text = "\n".join(lines(f"<article>{prose}</article><ul class=latest-comments>{items}</ul>", mode))
    assert "Reader" not in text and f"{sentence} 3" in text


NOT_OURS = ["fast", "precision", "resiliparse"]
"""Modes that read a mended tree of lxml or of resiliparse."""


@pytest.mark.parametrize("mode", [*NOT_OURS, "corpus"])
@pytest.mark.parametrize("language", PROSE)
def test_panels_that_a_heading_opens_are_text_and_menus_that_open_are_not(mode: str, language: str) -> None:
    sentence = PROSE[language]
    button = "<button aria-expanded=false aria-controls={}>{}</button>"
    page = (
        f"<header>{button.format('m', 'Menu')}<div id=m hidden><p>{sentence} menu</p></div></header><article>"
        f"<p>{sentence} {sentence} first</p><h3>{button.format('a1', sentence)}</h3>"
        f"<div id=a1 role=region hidden><p>{sentence} {sentence} answer</p></div>"
        f"<button aria-haspopup=true aria-expanded=false aria-controls=d1>?</button>"
        f"<div id=d1 hidden><p>{sentence} popup</p></div><div hidden id=e><p>{sentence} error</p></div>"
        f"<p>{sentence} {sentence} last</p></article>"
    )
    text = "\n".join(lines(page, mode))
    assert all(f"{sentence} {word}" in text for word in ("first", "answer", "last"))
    assert not any(f"{sentence} {word}" in text for word in ("menu", "popup", "error"))


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", PROSE)
def test_rows_of_numbered_notes_are_kept_whole(mode: str, language: str) -> None:
    sentence = PROSE[language]
    number = '<td><p><a href="#c{0}"><img class=callout alt={0} src={0}.png></a> </p></td>'
    notes = [f"{sentence} <code>--o{i}</code> {sentence[:30].strip()} ({i})" for i in range(4)]
    rows = "".join(
        f"<tr>{number.format(i)}<td><div class=para>\n\t{note}\n</div></td></tr>"
        for i, note in enumerate(notes)
    )
    long = f"<p>{sentence} {sentence} {sentence}</p>"
    got = lines(f"<div>{long}<table border=0>{rows}</table>{long}</div>", mode)
    assert [line for line in got if "--o" in line] == [re.sub("</?code>", "", note) for note in notes]


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", PROSE)
def test_a_teaser_of_a_name_for_articles_is_no_frame(mode: str, language: str) -> None:
    sentence = PROSE[language]
    items = "".join(f"<ul><li><p><b>{i}</b> {sentence} item {i}</p></li></ul>" for i in range(9))
    teaser = (
        f'<div class="hero"><div class="blog-post-content"><h1>{sentence[:20]}</h1><p>Tea</p></div></div>'
    )
    more = f"<section><article class=card><h3>{sentence[:25]}</h3></article></section>"
    parts = (
        f"<p>{sentence} {sentence} first</p>{items}<h2>{sentence[:25]}</h2><p>{sentence} {sentence} last</p>"
    )
    text = "\n".join(lines(f"{teaser}<div class=column>{parts * 2}</div>{more}", mode))
    assert all(f"item {i}" in text for i in range(9)) and "first" in text and "last" in text


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_lists_of_choices_are_no_text(mode: str) -> None:
    choices = "".join(f"<a role=menuitemradio href=/l{i}><span>Language {i}</span></a>" for i in range(40))
    options = "".join(f"<li role=option>Country {i}</li>" for i in range(40))
    page = f"<h1>Boats</h1><p>{PROSE['en']}</p><div>{choices}</div><ul role=listbox>{options}</ul>"
    text = "\n".join(lines(f"<div>{page}</div>", mode))
    assert PROSE["en"] in text and "Language" not in text and "Country" not in text


@pytest.mark.parametrize("mode", [*NOT_OURS, "corpus"])
@pytest.mark.parametrize("tag", ["b", "code", "del", "s", "kbd", "span", "em"])
@pytest.mark.parametrize(
    "around",
    [
        "<ul><li>Head<br>{}</li></ul>",
        "<ul><li><p>Head</p><p>{}</p></li></ul>",
        "<ol><li><div>{}</div><div>{}</div></li></ol>",
        "<dl><dt>Head</dt><dd><p>Head</p>\n<p>{}</p></dd></dl>",
        "<blockquote>Head<br>{}</blockquote>",
        "<p>Head<br>{}</p>",
    ],
)
def test_words_in_inline_elements_keep_the_spaces_around_them(mode: str, tag: str, around: str) -> None:
    for sentence in (PROSE["en"], PROSE["ru"], PROSE["hi"], PROSE["ar"]):
        first, second, rest = sentence.split(" ", 2)
        line = f"{first} <{tag}>{second}</{tag}> {rest}"
        got = lines(
            f"<article><p>{sentence} A</p>{around.format(line, line)}<p>{sentence} B</p></article>", mode
        )
        assert sentence in [re.sub(r"^1\. ", "", text) for text in got[1:-1]], (line, got)


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize(
    "item",
    [
        "<p>{0}</p><pre>\n{1}\n</pre><p>{2}</p>",
        "<p>{0}</p><div><pre>{1}</pre></div><p>{2}</p>",
        "{0}<pre>{1}</pre>{2}",
    ],
)
@pytest.mark.parametrize("language", PROSE)
def test_listings_in_items_keep_their_lines(mode: str, item: str, language: str) -> None:
    sentence = PROSE[language]
    listing = "$ cd /media/<em><code>disk</code></em>/<b>one</b>\n$ grep 'x  y' settings"
    filled = item.format(f"{sentence} 1", listing, f"{sentence} 2")
    text = (
        extract_main_text(
            f"<html><body><article><p>{sentence}</p><ul><li>{filled}</li></ul><p>{sentence}</p></article></body></html>",
            mode=mode,
        )
        or ""
    )
    wanted = [f"- {sentence} 1", "$ cd /media/disk/one", "$ grep 'x  y' settings", f"{sentence} 2"]
    assert [line for line in text.split("\n") if line][1:-1] == wanted


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "around", ["<p>{}</p>", "<ul><li>{}</li><li>{}</li></ul>", "<blockquote>{}</blockquote>"]
)
@pytest.mark.parametrize(
    "tag", ["label", "output", "noindex", "blink", "marquee", "menuitem", "slot", "time"]
)
@pytest.mark.parametrize("language", ["en", "ru", "hi", "ar"])
def test_words_in_elements_of_forms_and_of_old_pages_stay(
    mode: str, around: str, tag: str, language: str
) -> None:
    sentence = PROSE[language]
    first, second, rest = sentence.split(" ", 2)
    line = f"{first} <{tag}>{second}</{tag}> {rest}"
    text = "\n".join(
        lines(f"<article><p>{sentence} A</p>{around.format(line, line)}<p>{sentence} B</p></article>", mode)
    )
    assert text.count(second) - 2 * sentence.count(second) >= sentence.count(second)


@pytest.mark.parametrize("mode", ["fast", "precision", "recall", "resiliparse"])
def test_buttons_are_words_within_a_sentence_alone_and_labels_none_beside_a_field(mode: str) -> None:
    sentence = PROSE["en"]
    body = (
        f"<p>{sentence} A</p><p>Dann <button>Speichern</button> drücken und das Fenster wieder schließen.</p>"
        f"<p>{sentence} <button>Teilen</button></p>"
        f"<p><label>Anschrift</label> <input> {sentence}</p><p>{sentence} B</p>"
    )
    text = "\n".join(lines(f"<article>{body}</article>", mode))
    assert "Dann Speichern drücken und" in text
    assert "Teilen" not in text and "Anschrift" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize(
    "block",
    [
        "<center>{}</center>",
        "<section>{}</section>",
        "<search>{}</search>",
        "<menu><li>{}</li><li>{}</li></menu>",
        "<dir><li>{}</li><li>{}</li></dir>",
        "<listing>{}</listing>",
        "<fieldset><legend>A</legend>{}</fieldset>",
        "<fieldset><legend>A</legend><p>{}</p></fieldset>",
        "<details><summary>A</summary>{}</details>",
        "<details><summary>{}</summary><p>{}</p></details>",
    ],
)
def test_text_that_no_paragraph_holds_is_kept(mode: str, language: str, block: str) -> None:
    sentence = 3 * PROSE[language]
    got = lines(
        f"<div><h1>A</h1><p>1 {sentence}</p>{block.format(f'3 {sentence}', f'4 {sentence}')}<p>2 {sentence}</p></div>",
        mode,
    )
    text = "\n".join(got)
    assert all(f"{at} {sentence}" in text for at in range(1, 3 + block.count("{}"))), got


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
def test_menus_of_links_and_fields_in_boxes_are_no_text(mode: str) -> None:
    sentence = 4 * PROSE["en"]
    body = (
        f"<p>{sentence} A</p><menu><li><a href='/a'>Start</a></li><li><a href='/b'>Kontakt</a></li></menu>"
        f"<fieldset><legend>Anmeldung</legend><label>Name</label><input></fieldset><p>{sentence} B</p>"
    )
    text = "\n".join(lines(f"<article>{body}</article>", mode))
    assert not any(word in text for word in ("Start", "Kontakt", "Anmeldung", "Name"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("局长说，\n“渡轮将恢复。”\n他很高兴", "局长说，“渡轮将恢复。”他很高兴"),
        ("渡轮——\n  恢复了……\n真的", "渡轮——恢复了……真的"),
        ("横渡<!-- a -->\n海湾<!-- b -->\n<b>的</b>\n渡轮", "横渡海湾的渡轮"),
        ("横渡<b>海湾</b>的<i>渡轮</i>和<a href=x>船</a>很<em>快</em>。", "横渡海湾的渡轮和船很快。"),
        ("港<b>を</b>渡<i>る</i>船", "港を渡る船"),
    ],
)
def test_signs_and_single_characters_of_chinese_and_japanese(mode: str, source: str, shown: str) -> None:
    around = f"<p>{PROSE['zh']}</p>" * 3
    assert shown in lines(f"<article>{around}<p>{source}</p>{around}</article>", mode)


@pytest.mark.parametrize("mode", [*NOT_OURS, "recall"])
@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_layouts_with_headings_columns_forms_and_rows_of_paragraphs_are_no_data(
    mode: str, language: str
) -> None:
    texts = [f"{PROSE[language]} {PROSE[language]} ({i})" for i in range(4)]
    menu = MENU.removeprefix("<td width=100>").removesuffix("</td>")
    article = "<br><br>".join(texts)
    for table in (
        f"<table><colgroup><col width=90><col></colgroup><tr>{MENU}<td>{article}</td></tr></table>",
        f"<table><tr><th>{menu}</th><td>{article}</td></tr></table>",
        f"<table><thead><tr><td colspan=2>Mill</td></tr></thead><tr>{MENU}<td>{article}</td></tr></table>",
        f"<table><form><tr>{MENU}<td>{article}</td></tr></form></table>",
        f"<table><tr>{MENU}<td><span class=t>{article}</span></td></tr></table>",
        "<table>" + "".join(f"<tr><td>&nbsp;</td><td>{text}</td></tr>" for text in texts) + "</table>",
    ):
        got = lines(table, mode)
        assert [line for line in got if line in texts] == texts and "Archive" not in got, table


@pytest.mark.parametrize("mode", ["fast", "precision", "recall"])
@pytest.mark.parametrize("language", ["en", "ru", "hi"])
def test_quotations_in_figures_and_words_between_inline_elements_stay(mode: str, language: str) -> None:
    sentence = PROSE[language]
    body = (
        f"<p>{sentence} A</p><figure><blockquote>{sentence} quoted</blockquote><figcaption>X</figcaption></figure>"
        f"<p><b>{sentence}</b> (<time>9 May 1901</time>) <i>{sentence}</i></p>"
        f"<p>{sentence} <o:p>{sentence[:9]} of Word</o:p></p>"
        f"<div popover><p>{sentence} unseen</p></div><p>{sentence} B</p>"
    )
    text = "\n".join(lines(f"<article>{body}</article>", mode))
    assert all(words in text for words in ("quoted", "9 May 1901", "of Word")) and "unseen" not in text


@pytest.mark.parametrize("mode", ["fast", "precision", "recall", "resiliparse"])
@pytest.mark.parametrize("language", ["zh", "ja"])
def test_lines_are_joined_around_what_no_browser_shows(mode: str, language: str) -> None:
    text = PROSE[language]
    first, rest = text[:6], text[6:]
    written = ["".join(f"&#{ord(sign)};" for sign in part) for part in (first, rest)]
    for source in (
        f"{first}\n<!-- a -->\n{rest}",
        f"{first}\n<wbr>\n{rest}",
        f"{first}\n<nobr>{rest}</nobr>",
        "\n".join(written),
        "".join(f"<span>{sign}</span>" for sign in text),
    ):
        assert lines(f"<p>{source}</p>", mode) == [text], source


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", ["en", "hi", "ru", "ar"])
@pytest.mark.parametrize(
    "source",
    [
        "<abbr><time>{}</time></abbr>",
        "<u><time>{}</time></u>",
        "<font color=red><mark><time>{}</time></mark></font>",
        "<!-- a --><time>{}</time><!-- b -->",
    ],
)
def test_days_in_inline_elements_and_between_comments_are_words(
    mode: str, language: str, source: str
) -> None:
    sentence = PROSE[language]
    first, rest = sentence.split(" ", 1)
    page = f"<article><p>{sentence} A</p><p>{first} {source.format('5.5.1901')} {rest}</p><p>{sentence} B</p></article>"
    assert f"{first} 5.5.1901 {rest}" in lines(page, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("目录<code>cron</code> 和 <code>anacron</code>都在系统里。", "目录cron 和 anacron都在系统里。"),
        ("港は<b>一</b> と <i>二</i>である。", "港は一 と 二である。"),
        ("Open <b>Menu</b> → <b>Share</b> to send it.", "Open Menu → Share to send it."),
        ("สะพาน <b>ก</b> – <b>ข</b> เปิดแล้ว", "สะพาน ก – ข เปิดแล้ว"),
        (
            "From <time>5.5.1901</time> – <time>6.5.1901</time> in the hall.",
            "From 5.5.1901 – 6.5.1901 in the hall.",
        ),
    ],
)
def test_single_characters_between_spaces_and_elements_stay(mode: str, source: str, shown: str) -> None:
    around = f"<p>{PROSE['en']} {PROSE['zh']}</p>" * 3
    text = "".join(lines(f"<article>{around}<p>{source}</p>{around}</article>", mode)).replace("`", "")
    assert shown.replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize("mode", MODES)
def test_hidden_figures_are_no_text(mode: str) -> None:
    prose = PROSE["en"]
    unseen = f"<figure hidden><img src=a><figcaption>Unseen. {prose}</figcaption></figure>"
    text = "\n".join(lines(f"<article>{unseen}{f'<p>{prose}</p>' * 3}</article>", mode))
    assert prose in text and "Unseen" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
def test_no_word_of_short_items_in_paragraphs_is_lost_where_a_page_names_no_frame(
    mode: str, language: str
) -> None:
    sentence = PROSE[language]
    first, second = sentence[:12].strip(), sentence[12:24].strip()
    items = "".join(
        f"<li class=item><p>{first} <code>c{i}</code> {second} ({i}); </p></li>" for i in range(3)
    )
    around = f"<p>{sentence} {sentence}</p>" * 4
    text = "".join(lines(f"<div class=part>{around}<div><ul>{items}</ul></div>{around}</div>", mode))
    for i in range(3):
        assert f"{first} c{i} {second} ({i});".replace(" ", "") in text.replace(" ", "")


SHORT_ITEMS = {
    "en": ["{} wrote Emma in Chawton", "{} wrote Middlemarch in London", "{} wrote Frankenstein in Geneva"],
    "zh": ["{}写了《呐喊》", "{}写了《骆驼祥子》", "{}写了《家》"],
    "zh-Hant": ["{}寫了《城南舊事》", "{}寫了《台北人》", "{}寫了《將軍族》"],
    "ja": ["{}は「こころ」を書いた", "{}は「雪国」を書いた", "{}は「金閣寺」を書いた"],
    "th": ["{}แต่งสี่แผ่นดินเมื่อปีก่อน", "{}แต่งข้างหลังภาพ", "{}แต่งคู่กรรมในกรุงเทพ"],
    "ru": ["{} написал «Идиота»", "{} написал «Войну и мир»", "{} написал «Дядю Ваню»"],
    "ar": ["{} كتب أولاد حارتنا في القاهرة", "{} كتب الأيام في القاهرة", "{} كتب عودة الروح في باريس"],
    "hi": ["{} ने गोदान उपन्यास लिखा", "{} ने मैला आँचल उपन्यास लिखा", "{} ने तमस उपन्यास लिखा"],
}
WRITERS = {
    "en": ["Austen", "Eliot", "Shelley"],
    "zh": ["鲁迅", "老舍", "巴金"],
    "zh-Hant": ["林海音", "白先勇", "陳映真"],
    "ja": ["漱石", "川端", "三島"],
    "th": ["คึกฤทธิ์", "ศรีบูรพา", "ทมยันตี"],
    "ru": ["Достоевский", "Толстой", "Чехов"],
    "ar": ["محفوظ", "حسين", "الحكيم"],
    "hi": ["प्रेमचंद", "रेणु", "साहनी"],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tag", ["a href=/w", "span", "nobr"])
@pytest.mark.parametrize("language", SHORT_ITEMS)
def test_short_items_of_a_page_without_a_frame_are_one_line_each(mode: str, tag: str, language: str) -> None:
    names = [f"<{tag}>{name}</{tag.split()[0]}>" for name in WRITERS[language]]
    items = [item.format(name) for item, name in zip(SHORT_ITEMS[language], names, strict=True)]
    body = f"<h1>T</h1><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
    shown = [item.format(name) for item, name in zip(SHORT_ITEMS[language], WRITERS[language], strict=True)]
    assert [line for line in lines(body, mode) if line != "T"] == shown


def test_a_short_menu_before_a_text_is_no_list_of_sentences() -> None:
    entries = "".join(
        f"<li><a href=/{name}>{name}</a> (7)</li>" for name in ("Sports", "Culture", "Politics")
    )
    prose = f"<p>{PROSE['en']}</p>" * 8
    text = "\n".join(lines(f"<ul>{entries}</ul>{prose}", "resiliparse"))
    assert PROSE["en"] in text and "Sports" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("written", ["popover", 'popover="manual"', "popover=auto class=text"])
def test_what_a_button_shows_above_a_page_is_no_text(mode: str, language: str, written: str) -> None:
    prose = f"<p>{PROSE[language]}</p>" * 2
    body = f"{prose}<div id=a {written}><p>Unseen. {PROSE[language]}</p></div>{prose}"
    text = "\n".join(lines(body, mode))
    assert PROSE[language][:20] in text and "Unseen" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("frame", ["<div>{}</div>", f"<table><tr>{MENU}<td>{{}}</td></tr></table>"])
def test_a_picture_within_a_word_does_not_cut_it(mode: str, language: str, frame: str) -> None:
    prose = PROSE[language]
    at = next(i for i in range(4, len(prose)) if prose[i - 1 : i + 1].isalpha() and not prose[i].isupper())
    cut = f'{prose[:at]}<img src="a.jpg" align="right">{prose[at:]}'
    got = lines(frame.format(f"{prose}<br>{cut}<br>{prose}<br>{prose}"), mode)
    assert not {prose[:at], prose[at:]}.intersection(got) and prose in got


MARKED = {
    "en": ("Our old ", "town hall", " in the square is of ", "1680", ", and nobody has paid for a new roof."),
    "zh": ("旧", "市政厅", "建于", "一六八〇年", "，如今空着，因为这些年来一直没有人愿意出钱修它的屋顶。"),
    "ja": ("古い", "役場", "は", "千六百八十年", "に建てられ、今は空き家で、屋根を直す人もいない。"),
    "th": ("ศาลากลาง", "เก่า", "ริมตลาดสร้างเมื่อปี ", "1680", " และไม่มีใครซ่อมหลังคา"),
    "ru": ("Старая ", "ратуша", " на площади построена в ", "1680", " году, и крышу никто не чинит."),
    "ar": ("بُنيت ", "دار البلدية", " القديمة في السوق سنة ", "1680", " ولا أحد يصلح سقفها."),
    "hi": ("बाज़ार का ", "नगर भवन", " सन ", "1680", " में बना था और छत कोई ठीक नहीं कराता।"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", ["{0}", "<div>{0}</div>", "<div>{0}<p>{1}</p></div>", "<h1>{1}</h1>{0}"])
@pytest.mark.parametrize("language", MARKED)
def test_sentences_of_short_pages_are_one_line_wherever_they_stand(
    mode: str, shape: str, language: str
) -> None:
    a, b, c, d, e = MARKED[language]
    for first, second in (("b", "i"), ("a href=/x", "span"), ("code", "strong")):
        marked = f"{a}<{first}>{b}</{first.split()[0]}>{c}<{second}>{d}</{second}>{e}"
        got = [line.replace("`", "") for line in lines(shape.format(marked, PROSE[language]), mode)]
        assert f"{a}{b}{c}{d}{e}" in got


@pytest.mark.parametrize("mode", ["fast", "recall", "resiliparse", "corpus"])
@pytest.mark.parametrize("language", PROSE)
def test_text_before_a_block_in_its_element_stays_beside_paragraphs(mode: str, language: str) -> None:
    sentence = PROSE[language]
    loose = (
        f"<div class=para>{sentence} <b>A</b> {sentence}<div class=url>→ <a href=/x>x.example</a></div></div>"
    )
    got = lines(f"<div class=section><h2>T</h2>{loose}<div class=para>{sentence} B</div></div>", mode)
    assert {f"{sentence} A {sentence}", f"{sentence} B"} <= set(got)


@pytest.mark.parametrize("mode", ["fast", "precision", "recall", "resiliparse"])
@pytest.mark.parametrize("anchor", ["<a id=x1></a>", '<a name="x1" class="indexterm"> </a>'])
@pytest.mark.parametrize("language", PROSE)
def test_anchors_that_links_lead_to_are_no_links(mode: str, anchor: str, language: str) -> None:
    sentence = PROSE[language]
    long = f"<p>{sentence * 3} ({{}})</p>"
    terms = "".join(f"<dt>T{i}</dt><dd>{anchor}<div>{sentence}</div></dd>" for i in range(3))
    short = f"<div class=section>{anchor}<h3>T</h3><p>{sentence} B</p></div>"
    body = f"<div class=page>{''.join(long.format(i) for i in range(8))}<dl>{terms}</dl>{short}</div>"
    got = lines(body, mode)
    assert got.count(sentence) == 3 and f"{sentence} B" in got


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", PROSE)
def test_text_before_a_block_in_a_cell_of_a_layout_stays(mode: str, language: str) -> None:
    texts = [f"<div class=para>{PROSE[language] * 2} ({i})</div>" for i in range(4)]
    loose = (
        f"<div class=para>{PROSE[language]} <b>A</b>. <div class=url>→ <a href=/x>x.example</a></div></div>"
    )
    cell = f"<td>{''.join(texts[:2])}{loose}{''.join(texts[2:])}</td>"
    got = lines(f"<table><tr><td align=left><p><b>T</b></p></td></tr><tr>{cell}</tr></table>", mode)
    assert f"{PROSE[language]} A." in got


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", ["en", "ru", "ar", "hi"])
def test_lines_of_the_source_beside_a_break_are_one(mode: str, language: str) -> None:
    words = PROSE[language].split()
    half = len(words) // 2
    wrapped = f"{' '.join(words[:half])} \n   <b>B</b>\n   {' '.join(words[half:])}"
    one = f"{' '.join(words[:half])} B {' '.join(words[half:])}"
    paragraphs = "".join(f"<p>{i} {PROSE[language]}<br>\n{i} {wrapped}</p>" for i in range(4))
    got = lines(f"<article>{paragraphs}</article>", mode)
    assert [line for line in got if " B " in line] == [f"{i} {one}" for i in range(4)]


@pytest.mark.parametrize("mode", MODES)
def test_lines_of_code_with_breaks_stay_lines(mode: str) -> None:
    code = "<pre>one\n  two<br>three\n</pre>\n next"
    page = f"<body><article><p>{PROSE['en']}</p>{code}<p>{PROSE['en']} 2</p></article>"
    got = extract_main_text(page, mode=mode) or ""
    assert "one\n  two" in got and "three next" not in got
