"""Main text of pages by trafilatura: what is kept, what goes, and that no page depends on another."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import tarfile
from functools import partial
from pathlib import Path

import pytest
import trafilatura
from lxml.etree import XPath

from corpus.extract.html.div_paragraphs import mend_paragraphs
from corpus.extract.html.main_text import extract_main_text
from corpus.extract.html.trafilatura_text import parse_page
from corpus.formats.encodings import decode

extract = partial(extract_main_text, mode="fast")

PROSE = {
    "en": "The committee met on Tuesday and agreed that the bridge would be repaired before the winter.",
    "zh": "委员会星期二开会，一致同意在冬天到来之前修好这座桥，费用由市政府和居民共同承担。",
    "ja": "委員会は火曜日に開かれ、冬が来る前に橋を修理することで合意した。費用は市と住民が分担する。",
    "th": "คณะกรรมการประชุมเมื่อวันอังคารและตกลงกันว่าจะซ่อมสะพานให้เสร็จก่อนฤดูหนาว",
    "ar": "اجتمعت اللجنة يوم الثلاثاء واتفقت على إصلاح الجسر قبل حلول فصل الشتاء في المدينة القديمة.",
    "hi": "समिति की बैठक मंगलवार को हुई और यह तय हुआ कि सर्दियों से पहले पुल की मरम्मत कर दी जाएगी।",
    "ru": "Комитет собрался во вторник и решил, что мост будет отремонтирован до наступления зимы.",
}


def page(main: str) -> str:
    return f"""<!DOCTYPE html><html><head><title>A page</title><style>p {{color: red}}</style></head><body>
      <nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>
      <article><h1>The bridge</h1>{main}</article>
      <div id="comments"><p>First! Great article, thanks for sharing it with all of us here.</p></div>
      <footer>Copyright 2024 · Terms of use</footer><script>var x = 1;</script></body></html>"""


@pytest.mark.parametrize("language", PROSE)
def test_prose_is_kept_and_the_rest_of_the_page_is_not(language: str) -> None:
    text = extract(page("".join(f"<p>{PROSE[language]} ({i})</p>" for i in range(4))))
    assert text == "The bridge\n" + "\n".join(f"{PROSE[language]} ({i})" for i in range(4))


def test_lists_and_tables_stay_readable() -> None:
    text = extract(
        page(
            f"<p>{PROSE['en']}</p><ul><li>new planks</li><li>new rails</li></ul>"
            "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Planks</td><td>30</td></tr></table>"
            f"<p>{PROSE['en']} Again.</p>" * 2
        )
    )
    assert text is not None
    assert "- new planks\n- new rails" in text
    assert "| Item | Price |" in text
    assert "| Planks | 30 |" in text


def test_zero_width_joiners_survive() -> None:
    persian = "من می\u200cخواهم به خانه&zwnj;ها بروم و کتاب&#8204;ها و نامه&#x200C;ها را ببینم. " * 3
    text = extract(page(f"<p>{persian}</p><p>👩\u200d👩\u200d👧 {PROSE['en']}</p>"))
    assert text is not None
    for word in ("می\u200cخواهم", "خانه\u200cها", "کتاب\u200cها", "نامه\u200cها", "👩\u200d👩\u200d👧"):
        assert word in text


def test_signs_that_stand_in_for_joiners_are_left_alone_where_a_page_has_them() -> None:
    text = extract(page(f"<p>SignWriting ends in \U0001da88 or \U0001da87. {PROSE['en']} {PROSE['en']}</p>"))
    assert text is not None
    assert "ends in \U0001da88 or \U0001da87." in text


def test_unclosed_tags_do_not_cut_a_page_short() -> None:
    paragraphs = [f"Paragraph {i}. {PROSE['en']}" for i in range(400)]
    text = extract("<html><body>" + "".join(f"<div><font><p>{p}</p>" for p in paragraphs))
    assert text is not None
    assert text.count("Paragraph") == 400


@pytest.mark.parametrize("html", ["", " ", "<p>one tag</p>", "\0\0\0", "<html></html>", "<" * 10_000])
def test_what_is_no_page_has_no_text(html: str) -> None:
    assert extract(html) is None


def test_unknown_mode() -> None:
    with pytest.raises(
        ValueError, match="no extraction mode 'best': choose from corpus, fast, precision, recall"
    ):
        extract_main_text(page(""), mode="best")


def _gold(data: Path, count: int) -> dict[str, str]:
    pages: dict[str, str] = {}
    with tarfile.open(data / "html_gold/trafilatura/pages.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                pages[Path(member.name).name] = decode(stream.read())[0]
            if len(pages) == count:
                break
    return pages


def _extract_all(pages: list[str]) -> list[str | None]:
    return [extract(html) for html in pages]


def test_the_text_of_a_page_does_not_depend_on_the_pages_before_it(data: Path) -> None:
    """50 real pages, with boilerplate in common: in order, in reverse, and alone in a fresh process."""
    pages = list(_gold(data, 50).values())
    assert len(pages) == 50
    forward = _extract_all(pages)
    assert sum(text is not None for text in forward) > 45
    assert _extract_all(pages[::-1]) == forward[::-1]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        alone = [pool.apply(_extract_all, ([html],))[0] for html in pages[::25]]
    assert alone == forward[::25]


@pytest.mark.parametrize("mode", ["fast", "precision"])
def test_trafilatura_with_its_own_expressions_finds_the_same_text(data: Path, mode: str) -> None:
    """60 real pages; all 2,094 of web-open.warc.gz were compared with the same result."""
    pages = list(_gold(data, 60).values())
    ours = [extract_main_text(html, mode=mode) for html in pages]
    spec = importlib.util.spec_from_file_location("fresh_xpaths", trafilatura.xpaths.__file__)
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    replaced, before = 0, []
    for name in dir(fresh):
        expressions = getattr(trafilatura.xpaths, name)
        if name.endswith("_XPATH") and isinstance(expressions, list):
            replaced += sum(not isinstance(expression, XPath) for expression in expressions)
            kept = expressions[:]
            expressions[:] = getattr(fresh, name)
            before.append((expressions, kept))
    try:
        assert replaced > 8
        assert [extract_main_text(html, mode=mode) for html in pages] == ours
    finally:
        for expressions, kept in before:
            expressions[:] = kept


def test_gold_segments(data: Path) -> None:
    """F1 over segments that must and must not appear; the whole set of 502 pages gives .919."""
    gold = json.loads((data / "html_gold/trafilatura/evaldata.json").read_text())
    pages = _gold(data, 100)
    found = missed = wrong = 0
    for entry in gold.values():
        if entry["file"] in pages:
            text = extract(pages[entry["file"]]) or ""
            found += sum(segment in text for segment in entry["with"])
            missed += sum(segment not in text for segment in entry["with"])
            wrong += sum(segment in text for segment in entry["without"])
    assert 2 * found / (2 * found + missed + wrong) > 0.9


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("每一台机器都有一个主要的名称，保存在文件", "里，由启动时的脚本交给内核，以后也可以用命令再改。"),
        (
            "يحمل كل جهاز اسماً رئيسياً يحفظ في الملف",
            "ثم يمرره برنامج الإقلاع إلى النواة عند بدء التشغيل كل مرة.",
        ),
        (
            "У каждой машины есть главное имя, оно хранится в файле",
            "и передаётся ядру сценарием при запуске системы.",
        ),
        (
            "Every machine has a main name of its own that is kept in",
            "and given to the kernel when it starts.",
        ),
    ],
)
def test_a_div_that_is_a_paragraph_keeps_its_beginning(before: str, after: str) -> None:
    para = f'<div class="para">{before} <code>/etc/hostname</code> {after}</div>'
    page = f"<html><body><div><h1>1</h1>{para}<p>{before}。</p></div></body></html>"
    assert f"{before} /etc/hostname {after}" in (extract(page) or "")


def test_a_div_with_blocks_or_little_text_stays_one() -> None:
    long = "Words enough to make a paragraph of them, wherever they stand, and then some more of them."
    page = (
        f"<div>{long}<ul><li>{long}</ul></div><div>Home</div><div>{long}</div><div>{long}<b><img></b></div>"
    )
    tree = parse_page(f"<html><body>{page}</body></html>")
    assert tree is not None
    mend_paragraphs(tree)
    assert [element.tag for element in tree.find("body")] == ["div", "div", "p", "div"]
