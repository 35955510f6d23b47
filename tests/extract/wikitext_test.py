"""Wikitext to text: what a reader sees, in many scripts; never slow, never an error."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.extract.plain_text import clean_text
from corpus.extract.wikitext.names import load_wiki_languages, load_wiki_names
from corpus.extract.wikitext.templates import compile_pattern, load_templates
from corpus.extract.wikitext.variants import detect_script
from corpus.extract.wikitext.wiki_page import to_text
from corpus.sources.wikipedia.wiki_dump import Wikipedia


@pytest.mark.parametrize(
    "wikitext, text",
    [
        ("'''Rome''' is the ''capital'' of [[Italy]].", "Rome is the capital of Italy."),
        ("[[Bank (geography)|bank]]s of the [[river]]", "banks of the river"),
        ("See [[Paris (Texas)|]] and [[Paris, Texas|]].", "See Paris and Paris."),
        ("[[#History|above]], [[#History]], [[C Sharp#Syntax]]", "above, History, C Sharp#Syntax"),
        ("[[:Category:Rivers|rivers]], [[wikt:stream|stream]], [[w:de:Fluss]]", "rivers, stream, Fluss"),
        ("At [https://example.org/a?b=c the site], [http://example.org].", "At the site."),
        ("l'''Iliade'' e l''''Odissea''' di Omero", "l'Iliade e l'Odissea di Omero"),
        ("H<sub>2</sub>O; 10<sup>−3</sup> m<sup>2</sup>, the 19<sup>th</sup>", "H₂O; 10⁻³ m², the 19th"),
        ("1&nbsp;km &mdash; &lt;b&gt; &#x6570;&#23398; &#99999999999999999999;", "1 km — <b> 数学 \ufffd"),
        ("a<ref>b</ref> c<ref name=x />.<ref name=\"y\">{{cite|{{}}</ref>", "a c."),
        ("A<ref>unclosed <ref>note</ref> text.", "Aunclosed text."),
        ("x<!-- {{ -->y<!-- never closed {{", "xy"),
        ("one\n<!-- alone on its line -->\ntwo", "one\ntwo"),
        ("<nowiki>'''[[kept]]''' &amp; {{so}}</nowiki>", "'''[[kept]]''' & {{so}}"),
        ("<math>\\frac{a}{b}\n + {{c}}</math> holds", "$\\frac{a}{b} + {{c}}$ holds"),
        ('<source lang="c">\nint f() {\n    return a[b[0]];\n}\n</source>', "int f() {\n    return a[b[0]];\n}"),
        ("<gallery>\nA.jpg|b\n</gallery>Text<br />more__NOTOC__ __НЕТ__ __init__", "Text\nmore __init__"),
        ("a <b>&</b> <unknown> <div style='x'>c</div>", "a & <unknown>\nc"),
        ("<ruby>漢字<rt>かんじ</rt></ruby>と<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>", "漢字（かんじ）と字(じ)"),
    ],
)  # fmt: skip
def test_inline_markup(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


@pytest.mark.parametrize(
    "wikitext, text",
    [
        ("{{Infobox|a={{b|c}}|d=[[e]]}}\nText.", "Text."),
        ("{{lang|fr|mot}}, {{lang-ru|дом}}, {{nowrap|{{lang|de|[[Haus|Häuser]]}}}}", "mot, дом, Häuser"),
        ("{{convert|5|km|mi}}, {{convert|5|to|10|km2}}", "5 km, 5 to 10 km²"),
        ("{{convert|6|ft|2|in|cm}}, {{cvt|20|C}}, {{convert|a}}.", "6 ft 2 in, 20 °C."),
        ("{{Nihongo|'''Tokyo'''|東京|Tōkyō}}", "Tokyo (東京, Tōkyō)"),
        ("{{zh|s=台湾|t=台灣|p=Táiwān}}", "台湾, 台灣, Táiwān"),
        ("{{仮リンク|山林|en|forest}}と{{ruby|柳橋|やなぎばし}}", "山林と柳橋（やなぎばし）"),
        ("{{нп5|Дом|дома|en|House}}, {{s|19 век}}", "дома, 19 век"),
        ("{{s|XIX|e}}, {{-s|III|e}}, {{sp-|I|er|et|II|e}}", "XIXe siècle, IIIe siècle av. J.-C., Ier et IIe"),
        ("{{1er}}, {{XXe siècle}}, {{М.}}", "1er, XXe siècle, М."),
        ("{{frac|3}}, {{frac|2|3}}, {{frac|1|2|3}}, {{val|6.2|e=18|u=m}}", "1/3, 2/3, 1 2/3, 6.2×10¹⁸ m"),
        ("{{chem|Ge|9|4-}}, {{chem|SO|4|2−}}, {{fchim|H|2|O}}", "Ge₉⁴⁻, SO₄²⁻, H₂O"),
        ("{{chem|238|92|U}}, {{chem|14|C}}, {{chem|e||-}}, {{chem|Na||+}}", "²³⁸₉₂U, ¹⁴C, e⁻, Na⁺"),
        ("{{chem|C|n|H|2n+2}}, {{chem|Fe|2|(SO|4|)|3}}", "C_nH_(2n+2), Fe₂(SO₄)₃"),
        ("{{chem2|SO4(2-)}}, {{chem2|[Fe(CN)6](4-)}}, {{chem2|NH4+}}", "SO₄²⁻, [Fe(CN)₆]⁴⁻, NH₄⁺"),
        ("{{chem2|2 H2O <-> H3O+ + OH-}}, {{chem2|CuSO4*5H2O}}", "2 H₂O ↔ H₃O⁺ + OH⁻, CuSO₄·5H₂O"),
        ("水{{chem2|^{14}C}}の <chem>SO4^2-</chem>, <ce>H2O</ce>", "水¹⁴Cの $\\ce{SO4^2-}$, $\\ce{H2O}$"),
        ("{{birth date|1564|4|23}}, {{ДН|14|3|1854}}", "1564-04-23, 1854-03-14"),
        ("{{date|11|novembre|1866}}, {{OldStyleDate|May 2|1905|April 20}}", "11 novembre 1866, May 2 1905"),
        ("{{As of|2014|6}}, {{as of|2010|lc=y}}", "As of June 2014, as of 2010"),
        ("{{hlist|a|b|{{lang|el|γ}}}}", "a, b, γ"),
        ("{{Quote|text=Know thyself.|author=Thales}}", "Know thyself."),
        ("{{formatnum:1234}} {{PAGENAME}} {{#if:x|y}}", "1234"),
        ("{{{1|default}}} a {{ {{x}} | y }} b", "a b"),
        ("a {{unclosed\n| b = c\n| d\nText.", "a unclosed\nText."),
        ("{{Unclosed box\n| b = c\n| d = e\nText.", "Text."),
        ("text }} and ]] stay readable", "text and ]] stay readable"),
    ],
)  # fmt: skip
def test_templates(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


@pytest.mark.parametrize(
    "wikitext, text",
    [
        ("'''Albedo''' ({{IPAc-en|æ}}) is", "Albedo is"),
        ("'''Paris''' ({{IPA-fr|a}} ; {{x}}, born 1950)", "Paris (born 1950)"),
        ("'''Moscow''' ({{lang-ru|Москва}}; {{IPA-ru|x}}), capital", "Moscow (Москва), capital"),
        ("'''數學'''（{{IPA|a|b}}；{{x}}）是", "數學是"),
        ("'''東京'''（とうきょう、{{x}}、{{y}}）は、{{sfn|a}}。", "東京（とうきょう）は。"),
        ("'''กรุงเทพ''' ({{x}}, {{y}}) เป็น", "กรุงเทพ เป็น"),
        ("'''القاهرة''' ({{x}}، {{y}}) عاصمة", "القاهرة عاصمة"),
        ("'''दिल्ली''' ({{x}}; {{lang-en|Delhi}}) भारत {{cn}} ।", "दिल्ली (Delhi) भारत।"),
        ("「{{x}}」と『』", "と『』"),
        ("Call f() and g( ) as before{{cn}} .", "Call f() and g( ) as before."),
        ("した。<ref>a</ref>。次", "した。次"),
        ("A, {{x}}, B; {{y}}.", "A, B."),
        ("one {{x}} two{{y}}three", "one twothree"),
        ("* {{flagicon|US}} [[John]]\n* {{x}}\n* , ISBN", "- John\n- ISBN"),
    ],
)  # fmt: skip
def test_holes_are_mended(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


HIDDEN = """
File:A.jpg|thumb|a [[b]] [http://c d]
Datei:A.jpg|mini|b
ファイル:あ.png|thumb|[[い]]
চিত্র:ক.jpg
ملف:أ.jpg|تصغير
תמונה:א.jpg
Файл:А.ogv|міні
图像:一.svg
image:small.gif
Xyz:unknown prefix.webm|b
Kategorie:B
หมวดหมู่:ก
분류:가
श्रेणी:क
Thể loại:B
Κατηγορία:Α
Կատեգորիա:Ա
fr:Titre
zh-min-nan:a
"""


@pytest.mark.parametrize("link", HIDDEN.split("\n")[1:-1])
def test_files_categories_and_languages_are_dropped(link: str) -> None:
    assert to_text(f"Before [[{link}]] after.") == "Before after."


def test_a_line_of_links_with_a_prefix_nobody_knows_is_taken_for_categories() -> None:
    assert to_text("Text.\n\n[[Qwerty:Asdf]]\n[[Qwerty:Uiop|*]] [[Qwerty:Hjkl]]") == "Text."
    assert to_text("* [[Qwerty:Asdf]]\n[[2001: A Space Odyssey]]") == "- Qwerty:Asdf\n2001: A Space Odyssey"


def test_tables_are_dropped_with_what_is_in_them() -> None:
    inner = '{| class="x"\n|-\n! a\n| [[b]] || {{c}}\n{|\n| inner\n|}\n|}'
    assert to_text(f"Before.\n{inner}\nAfter.") == "Before.\n\nAfter."
    assert (
        to_text(":{|\n|x\n|}\n<table><tr><td>a<table><tr></tr></table></td></tr></table>After.") == "After."
    )
    assert to_text("Before.\n{| unclosed\n|-\n| cell\n\nAfter.") == "Before.\n\nAfter."


def test_sections_lists_and_paragraphs_stay_readable() -> None:
    wikitext = """'''ไทย''' เป็น
ประเทศ

== ประวัติ ==
=== Empty ===
=== 歷史 ===
* one
** two
*** three
# first
# second
## inner
# third

Paragraph.
; Term
: Definition
:: Deeper
----
Last.
== Nothing below ==
== Nor here =="""
    text = """ไทย เป็น
ประเทศ

ประวัติ

歷史

- one
  - two
    - three
1. first
2. second
  1. inner
3. third

Paragraph.
Term
Definition
Deeper

Last."""
    assert to_text(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("10<sup>&minus;17</sup>, 2<sup>''n''</sup>, 2<sup>n+1</sup>, ''q''<sub>''1''</sub>, PM<sub>2.5</sub>",
         "10⁻¹⁷, 2ⁿ, 2ⁿ⁺¹, q₁, PM₂.₅"),
        ("১.৩×১০<sup>৬</sup> কিমি<sup>২</sup>, ২×১০<sup>−১৭</sup>", "১.৩×১০^৬ কিমি^২, ২×১০^(−১৭)"),
        ("''v''<sub>max</sub>, ''n''<sub>e,i</sub>, v<sub>сер</sub>, SO<sub>x</sub>", "v_max, n_(e,i), v_сер, SO_x"),
        ("e<sup>x</sup>, e<sup>−kt</sup>, 2<sup>1/2</sup>, x<sup>2k</sup>, &pi;<sup>k</sup>, ψ<sup>*</sup>",
         "e^x, e^(−kt), 2^(1/2), x^2k, π^k, ψ*"),
        ("XIX<sup>e</sup>, 1<sup>er</sup>, M<sup>lle</sup>, n<sup>o</sup> 7, 1<sup>-й</sup>, Boat<sup>TM</sup>",
         "XIXe, 1er, Mlle, no 7, 1-й, Boat™"),
        ("浅草<sup>(全部)</sup>、算術<sub>又</sub>、<sup>14</sup>C, 37<sup>o</sup>C, so<sup>1,2</sup>",
         "浅草(全部)、算術又、¹⁴C, 37°C, so¹,²"),
    ],
)  # fmt: skip
def test_superscripts_and_subscripts_stay_apart(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("* {{cite book|a}}. The chasing\n* b\n{{x}}. Many", "- The chasing\n- b\nMany"),
        ("* {{x}}。光を\n* {{x}}। नदी\n* {{x}}、川", "- 光を\n- नदी\n- 川"),
        ("* .eu\n* ... และ\n* ? — Київ\n* :-)x", "- .eu\n- ... และ\n- ? — Київ\n- :-)x"),
    ],
)
def test_a_dropped_beginning_takes_its_punctuation_along(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("Текст.\n== Примітки ==\n;Коментарі\n{{reflist|group=к}}\n\n;Примітки\n{{reflist|3}}", "Текст."),
        ("川。\n; 行政\n: [http://a.jp 県]\n\n; その他\n: {{Kotobank|x}}\n{{end}}", "川。\n行政\n県"),
        ("; نهر\n{|\n|a\n|}\n; بحر\n* ماء", "بحر\n- ماء"),
        ("; 甲\n; 乙\n; 丙\n\n== 丁 ==\n文。", "甲\n乙\n丙\n\n丁\n\n文。"),
        ("; Fluss : ein Gewässer", "Fluss : ein Gewässer"),
        ("নদী।\n'''বইসমূহ'''\n{{div col}}\n* {{cite|a}}. {{b}}\n{{div col end}}\n== x ==", "নদী।"),
        ("'''甲'''\n* 川\n\n'''乙'''\n{{x}}\n'''丙'''\n* {{y}}", "甲\n- 川"),
        ("Да.\n\n'''Конец.'''\n\n== x ==\n{{y}}", "Да.\n\nКонец."),
    ],
)
def test_titles_without_a_section_go_with_what_stood_below_them(wikitext: str, text: str) -> None:
    assert to_text(wikitext) == text


def test_a_title_with_text_behind_it_is_still_one() -> None:
    assert to_text("== রাজনীতি == জর্ডানের রাজধানী") == "রাজনীতি\n\nজর্ডানের রাজধানী"


BACK_MATTER = """
See also, Siehe auch, Einzelnachweise, Voir aussi, Véase también, См. также, Див. також, 参考文献
外部連結, 脚注, 関連項目, 같이 보기, انظر أيضًا, ראו גם, इन्हें भी देखें, আরও দেখুন, ดูเพิ่ม, Xem thêm, Δείτε επίσης
What is known of it
"""


@pytest.mark.parametrize("title", re.split(", |\n", BACK_MATTER.strip()))
def test_sections_of_links_and_sources_go_where_they_are_only_lists(title: str) -> None:
    known = title != "What is known of it"
    lists = f"Text.\n== {title} ==\n* [[a]]\n=== [[b]] ===\n* [http://c d]\n== Next ==\nMore."
    assert (title in to_text(lists)) is not known
    assert to_text(lists).endswith("Next\n\nMore.")
    prose = f"Text.\n== {title} ==\n{'Prose that someone wrote. ' * 6}\n* [[a]]"
    assert title in to_text(prose) and to_text(prose).endswith("- a")


def test_chinese_variants_follow_the_script_of_the_page() -> None:
    rule = "-{zh-hans:软件; zh-hant:軟體; zh-hk:軟件}-"
    assert to_text(f"这个{rule}的时间，-{{原文}}-") == "这个软件的时间，原文"
    assert to_text(f"這個{rule}的時間") == "這個軟體的時間"
    assert to_text(f"这个{rule}", language="cmn_Hant") == "这个軟體"
    assert to_text("-{T|zh-hans:甲;zh-hant:乙}--{H|a:b}-正文-{zh-cn:一;zh-tw:二}-。") == "正文一。"
    assert to_text("a-{A|zh-hans:-{zh-cn:内}-;zh-hant:外}-b") == "a内b"
    assert (detect_script("他们说这是中国"), detect_script("他們說這是中國"), detect_script("")) == (
        "Hans",
        "Hant",
        "Hans",
    )


def test_the_title_stands_first_and_alone_is_nothing() -> None:
    assert to_text("'''It'''.", "*Title*") == "*Title*\n\nIt."
    assert to_text("{{PAGENAME}} is", "Oslo") == "Oslo\n\nOslo is"
    assert to_text("{{Infobox}}\n== See also ==", "Oslo") == ""


PIECES = """
{{ }} {{{ }}} [[ ]] {| |} |- | == = ''' '' <ref> </ref> <ref/> <!-- --> -{ }- <math> </math> <nowiki> </nowiki>
[http://a ] ( ) （ ） 、 ; , File:a.jpg Category:b lang|fr| nowrap| convert|1|km zh-hans: &nbsp; &#0; &lt; __TOC__
<br> <table> </table> <li> <sup>2</sup> 1= {{!}} See 字 ไทย word عربي
"""
SPACES = [" ", "\n", "\r\n", "\n* ", "\n# ", "\n: ", "== See also ==\n", "\x00", "\x01", "\x001\x00"]
MARKUP = st.sampled_from([*PIECES.split(), *SPACES])


@settings(max_examples=300)
@given(st.lists(MARKUP, max_size=60).map("".join))
@example("[[" * 9 + "a]]" * 12)
@example("\x000\x00<nowiki>a</nowiki>")
def test_any_markup_gives_text_without_marks_of_ours(wikitext: str) -> None:
    text = to_text(wikitext)
    assert not re.search("[\x00\x01]", text)
    assert text == text.strip("\n")
    assert "\n\n\n" not in text or "<nowiki>" in wikitext
    assert to_text(wikitext) == text


@settings(max_examples=100)
@given(st.text(st.characters(categories=["L", "M"]), min_size=1).map(lambda text: text.strip()).filter(bool))
def test_plain_words_are_left_alone(text: str) -> None:
    assert clean_text(to_text(f"Word {text} word.")) == clean_text(f"Word {text} word.")


HOSTILE = [
    "{{",
    "[[",
    "\n{|",
    "<ref>",
    "<ref ",
    "<!--",
    "-{",
    "{{nowrap|",
    "{{lang|a|",
    "[[File:a|",
    "[http://",
    "(<ref/>",
    "({{x}},",
]
HOSTILE += [
    "{{x}} ",
    "&#9",
    "a'''b",
    "__a_",
    "==a\n",
    "<b ",
    "<sup>1",
    "<table>",
    "{{{",
    "{{}}}",
    "{{a|",
    "\n[[a:b]]x",
    "<math>",
    "(",
]
HOSTILE += [
    "-{zh-hans:",
    "== a ==\n",
    "== See also ==\n* a\n",
    "<li>",
    "\n{|\n|}",
    "{{hlist|a|",
    "{{convert|1|",
    "[[a|]]",
    "\n*#:",
    "  ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_is_linear_on_hostile_input(piece: str) -> None:
    """Quadratic work on 100,000 repetitions would take minutes."""
    closing = {"{{": "}}", "[[": "]]", "\n{": "\n|}", "<r": "</ref>", "-{": "}-"}.get(piece[:2], "")
    start = time.process_time()
    to_text(piece * 100_000)
    to_text(piece * 50_000 + closing * 50_000)
    assert time.process_time() - start < 8


def test_patterns_of_templates() -> None:
    def shown(show: str, call: str) -> str:
        from corpus.extract.wikitext.template_arguments import Arguments

        return compile_pattern(show)("t", Arguments(call))

    assert shown("{1}[ ({2}[, {3}])]", "t|a|b") == "a (b)"
    assert shown("{1}[ ({2}[, {3}])]", "t|a||c") == "a (, c)"
    assert shown("{lt|1}", "t|en| a | lt = b ") == "b"
    assert shown("{-1}", "t|a|b|c") == "c"
    assert shown("{*, }", "t|a||b|1=z") == "z, b"
    assert shown("<{1}>", "t") == ""
    with pytest.raises(ValueError, match="brackets do not match"):
        compile_pattern("{1}[ {2}")


def test_the_data_files_are_whole() -> None:
    assert {"lang", "convert", "nowrap"} <= set(load_templates().rules)
    assert load_wiki_languages()["zh"] is None and load_wiki_languages()["no"] == "nob_Latn"
    assert all(
        label is None or re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", label)
        for label in load_wiki_languages().values()
    )
    assert load_wiki_names("de").redirect == {"redirect", "weiterleitung"}
    assert "dp" in load_wiki_names("nl").disambiguation and "dp" not in load_wiki_names("de").disambiguation
    assert load_wiki_names("tlh") == load_wiki_names()


DEBRIS = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||</?ref|'''|^\|-|thumb\||&nbsp;|\(\s*[,;)]|（[、；）]|[\x00\x01]", re.M
)


def test_real_pages_leave_next_to_no_debris(data: Path) -> None:
    for path in sorted((data / "wiki").glob("*/*")):
        found = Wikipedia(paths=["x"]).read(str(path), path.name, 0, path.stat().st_size)
        texts = [to_text(record.body) for record in found if getattr(record, "gate", "") is None]  # type: ignore[union-attr]
        text = re.sub(r"\$[^$\n]*\$", "", "\n".join(texts[:150]))
        assert len(DEBRIS.findall(text)) <= 2 + len(text) / 100_000, path
