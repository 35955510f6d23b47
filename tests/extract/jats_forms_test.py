"""Forms in which publishers write tables, formulas and translations in JATS."""

from __future__ import annotations

import pytest

from corpus.document import Failure, Record
from corpus.extract import extract
from corpus.extract.pubmed import jats, medline
from corpus.sources.papers.pubmed import Pubmed

OPEN = (
    '<article xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:oasis="http://docs.oasis-open.org/ns/table" '
    'xml:lang="en">'
)
META = (
    "<front><article-meta><title-group><article-title>Boats</article-title></title-group>"
    "<pub-date pub-type='epub'><year>2020</year><month>3</month><day>9</day></pub-date>"
    "<permissions><license xmlns:x='http://www.w3.org/1999/xlink' x:href='https://creativecommons.org/licenses/by/4.0/'/>"
    "</permissions></article-meta></front>"
)


def text_of(body: str) -> str:
    xml = f"{OPEN}{META}<body>{body}</body></article>".encode()
    record = Record(native_id="1", file="f", offset=0, length=1, media_type="application/jats+xml", body=xml)
    extracted = jats.extract_text(record, "fast")
    assert extracted is not None
    return extracted.text


ROWS = "<tr><td>Anna</td><td>3</td></tr>"


@pytest.mark.parametrize(
    "table",
    [
        f"<table-wrap><label>Table 1</label><alternatives><graphic/><table>{ROWS}</table></alternatives></table-wrap>",
        f"<table-wrap><label>Table 1</label><alternatives><table>{ROWS}</table><graphic/></alternatives></table-wrap>",
        f"<table-wrap><label>Table 1</label><alternatives><media/><p>words</p><table>{ROWS}</table></alternatives>"
        "</table-wrap>",
        "<table-wrap><label>Table 1</label><oasis:table><oasis:tgroup cols='2'><oasis:tbody><oasis:row>"
        "<oasis:entry>Anna</oasis:entry><oasis:entry>3</oasis:entry></oasis:row></oasis:tbody></oasis:tgroup>"
        "</oasis:table></table-wrap>",
        "<table-wrap><label>Table 1</label><alternatives><graphic/><oasis:table><oasis:tgroup cols='2'>"
        "<oasis:tbody><oasis:row><oasis:entry>Anna</oasis:entry><oasis:entry>3</oasis:entry></oasis:row>"
        "</oasis:tbody></oasis:tgroup></oasis:table></alternatives></table-wrap>",
    ],
)
def test_a_table_is_text_whatever_stands_beside_it(table: str) -> None:
    assert text_of(f"<p>Counted.</p>{table}") == "Boats\n\nCounted.\n\nTable 1.\n\nAnna | 3"


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        (
            "We ran <code>lm(y)</code> in R, then <code>summary(m)</code>.",
            "We ran lm(y) in R, then summary(m).",
        ),
        ("<code>船(1)</code>を呼び、<code>帆(2)</code>", "船(1)を呼び、帆(2)"),
        ("Run it:<code>make all</code>", "Run it:\n\nmake all"),
        ("Run it <code>make\n  all</code> and wait.", "Run it\n\nmake\n  all\n\nand wait."),
        ("<code>make all</code>", "make all"),
        ("We saw <preformat>a  b</preformat> here.", "We saw\n\na  b\n\nhere."),
    ],
)
def test_code_of_one_line_stays_in_its_sentence(paragraph: str, expected: str) -> None:
    assert text_of(f"<p>{paragraph}</p>") == f"Boats\n\n{expected}"


def test_spans_of_oasis_tables_keep_the_columns() -> None:
    table = (
        "<table-wrap><table xmlns='http://docs.oasis-open.org/ns/oasis-exchange/table'><tgroup cols='3'>"
        "<colspec colname='a' colnum='1'/><colspec colname='b' colnum='2'/><colspec colname='c' colnum='3'/>"
        "<thead><row><entry morerows='1'>船</entry><entry namest='b' nameend='c'>桅</entry></row>"
        "<row><entry>前</entry><entry>後</entry></row></thead>"
        "<tbody><row><entry>Анна</entry><entry>1</entry><entry>2</entry></row></tbody></tgroup></table></table-wrap>"
    )
    assert text_of(table) == "Boats\n\n船 | 桅\n | 前 | 後\nАнна | 1 | 2"


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("<inline-formula><tex-math>$$x^2$$</tex-math></inline-formula>", "$x^2$"),
        ("<inline-formula><tex-math>$$ $x^2$ $$</tex-math></inline-formula>", "$x^2$"),
        ("<inline-formula><tex-math>\\(x^2\\)</tex-math></inline-formula>", "$x^2$"),
        ("<inline-formula><tex-math>\\[x^2\\]</tex-math></inline-formula>", "$x^2$"),
        ("$<inline-formula><tex-math>x^2</tex-math></inline-formula>$", "$x^2$"),
        (
            "<inline-formula><tex-math>\\begin{document}$$x^2$$\\end{document}</tex-math></inline-formula>",
            "$x^2$",
        ),
        ("<inline-formula><tex-math>\\begin{math}x^2\\end{math}</tex-math></inline-formula>", "$x^2$"),
        ("<inline-formula><tex-math>$a$ and $b$</tex-math></inline-formula>", "$a$ and $b$"),
    ],
)
def test_a_formula_has_one_pair_of_delimiters(formula: str, shown: str) -> None:
    assert text_of(f"<p>Here {formula} holds.</p>") == f"Boats\n\nHere {shown} holds."


def test_a_displayed_formula_has_its_own_line() -> None:
    tex = "<disp-formula><tex-math>\\begin{equation*} y = 1 \\end{equation*}</tex-math></disp-formula>"
    assert text_of(f"<p>So</p>{tex}") == "Boats\n\nSo\n\n$$y = 1$$"


def test_translations_of_the_whole_article_are_documents_of_their_own_language() -> None:
    translations = "".join(
        f"<sub-article article-type='translation' xml:lang='{code}'><front-stub><title-group><article-title>{title}"
        f"</article-title></title-group><abstract><p>{abstract}</p></abstract></front-stub><body><p>{text}</p></body>"
        "</sub-article>"
        for code, title, abstract, text in (
            ("es", "Barcos", "Un resumen.", "El marinero contó los barcos del puerto."),
            ("zh", "船", "摘要。", "老水手数了港口里的船。"),
        )
    )
    reply = "<sub-article article-type='reply'><body><p>We thank them.</p></body></sub-article>"
    xml = f"{OPEN}{META}<body><p>The sailor counted.</p></body>{reply}{translations}</article>".encode()
    found = []
    for record in Pubmed(kind="pubmed", paths=["a"])._records(iter([xml]), "a", 0, None):
        assert not isinstance(record, Failure)
        extracted = extract(record, "fast")
        assert extracted is not None
        found.append(
            (record.native_id, extracted.language, extracted.text, extracted.license, extracted.date)
        )
    assert len({native for native, *_ in found}) == 3
    assert [row[1:] for row in found] == [
        ("en", "Boats\n\nThe sailor counted.", "CC-BY-4.0", "2020-03-09"),
        (
            "es",
            "Barcos\n\nUn resumen.\n\nEl marinero contó los barcos del puerto.",
            "CC-BY-4.0",
            "2020-03-09",
        ),
        ("zh", "船\n\n摘要。\n\n老水手数了港口里的船。", "CC-BY-4.0", "2020-03-09"),
    ]


@pytest.mark.parametrize("title", ["[Not Available].", "[Not available]", "Not Available."])
def test_a_title_that_is_not_available_is_none(title: str) -> None:
    xml = (
        f"<MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{title}</ArticleTitle><Abstract><AbstractText>"
        "Ships were counted.</AbstractText></Abstract></Article></MedlineCitation>"
    ).encode()
    record = Record(
        native_id="1", file="f", offset=0, length=1, media_type="application/x-medline+xml", body=xml
    )
    extracted = medline.extract_text(record, "fast")
    assert extracted is not None
    assert extracted.text == "Ships were counted." and "title" not in extracted.metadata


def article_of(body: str, back: str, attributes: str = "") -> str:
    xml = f"{OPEN[:-1]}{attributes}>{META}<body>{body}</body><back>{back}</back></article>".encode()
    record = Record(native_id="1", file="f", offset=0, length=1, media_type="application/jats+xml", body=xml)
    extracted = jats.extract_text(record, "fast")
    assert extracted is not None
    return extracted.text.removeprefix("Boats\n\n")


FIGURE = "<fig><label>图 7</label><caption><p>港口里的船。</p></caption></fig>"


def test_sections_behind_the_article_go_on_with_it() -> None:
    back = (
        "<ack><p>We thank the harbour.</p></ack><sec><title>Данные</title><p>Они лежат в архиве.</p></sec>"
        f"<sec sec-type='display-objects'><title>插图</title>{FIGURE}</sec>"
        "<app-group><app><title>Anhang A</title><p>Segel und Masten.</p></app></app-group><ref-list/>"
    )
    assert article_of("<p>Counted.</p>", back) == (
        "Counted.\n\nДанные\n\nОни лежат в архиве.\n\n插图\n\n图 7. 港口里的船。\n\nAnhang A\n\nSegel und Masten."
    )


@pytest.mark.parametrize(
    "title",
    [
        "Acknowledgements",
        "AUTHOR CONTRIBUTIONS",
        "Authors’ contributions",
        "Conflict of Interest",
        "Declaration of interests",
        "Funding",
        "5. Danksagung",
        "Conflits d’intérêts",
        "Financiación",
        "Contribuição dos autores",
        "Благодарности",
        "利益冲突",
        "謝辞",
        "Supplementary data",
    ],
)
def test_declarations_behind_the_article_are_left_out_and_their_figures_are_not(title: str) -> None:
    back = f"<sec><title>{title}</title><p>A.B. and C.D. drew.</p>{FIGURE}</sec>"
    assert article_of("<p>Counted.</p>", back) == "Counted.\n\n图 7. 港口里的船。"
    kind = f"<sec sec-type='supplementary-material'><title>附加</title><p>A file.</p>{FIGURE}</sec>"
    assert article_of("<p>Counted.</p>", kind) == "Counted.\n\n图 7. 港口里的船。"
    assert article_of(f"<sec><p>Counted.</p></sec>{back}<!-- -->{kind.replace(FIGURE, '')}", "") == (
        "Counted.\n\n图 7. 港口里的船。"
    )
    inner = article_of(
        f"<sec><title>{title}</title><p>We count them.</p></sec><sec><p>Counted.</p></sec>", ""
    )
    assert inner == f"{title}\n\nWe count them.\n\nCounted."


@pytest.mark.parametrize(
    ("target", "sentence", "read"),
    [
        (
            "<fig id='k'><label>Figure 4</label></fig>",
            "See Fig. <xref ref-type='fig' rid='k'/>.",
            "See Fig. 4.",
        ),
        (
            "<fig id='k'><label>Рис. 4.</label></fig>",
            "См. рис. <xref ref-type='fig' rid='k'/>.",
            "См. рис. 4.",
        ),
        ("<fig id='k'><label>図4</label></fig>", "図<xref ref-type='fig' rid='k'/>を見よ。", "図4を見よ。"),
        ("<fig/><fig id='k'/>", "Voir la figure <xref ref-type='fig' rid='k'/>.", "Voir la figure 2."),
        (
            "<sec id='k'><label>3.1</label></sec>",
            "(Section <xref ref-type='sec' rid='k'/>).",
            "(Section 3.1).",
        ),
        (
            "<disp-formula id='k'><label>(5)</label></disp-formula>",
            "By Eq. (<xref ref-type='disp-formula' rid='k'/>) and (<xref ref-type='disp-formula' rid='none'/>).",
            "By Eq. (5) and.",
        ),
    ],
)
def test_a_reference_without_text_prints_the_number_of_what_it_names(
    target: str, sentence: str, read: str
) -> None:
    assert article_of(f"<p>{sentence}</p>{target}", "").split("\n\n")[0] == read


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("Boats sail (TEK, [{}]).", "Boats sail (TEK)."),
        ("Boats sail [{}] [{}].", "Boats sail."),
        ("Boats sail ({}) ({}) and rest.", "Boats sail and rest."),
        ("Boats (e.g., [{}, {}]) sail.", "Boats sail."),
        ("Boats (cf. {}) sail.", "Boats sail."),
        ("船（{}）が出る。", "船が出る。"),
        ("Boats (e.g., sloops [{}]) sail.", "Boats (e.g., sloops) sail."),
    ],
)
def test_numbers_that_cite_take_their_brackets_with_them(sentence: str, read: str) -> None:
    number = "<xref ref-type='bibr' rid='r'>3</xref>"
    assert article_of(f"<p>{sentence.replace('{}', number)}</p>", "") == read


def test_years_of_names_in_the_sentence_stay() -> None:
    cited = "<xref ref-type='bibr' rid='r'>{}</xref>"
    year, other, whole = cited.format("1998"), cited.format("2004a"), cited.format("Bo et al. 2011")
    body = f"<p>Ito ({year}) and others (Mäki, {other}; Li, {year}) met ({whole}, {year}).</p>"
    assert article_of(body, "") == "Ito (1998) and others (Mäki, 2004a; Li, 1998) met."


def test_lines_broken_around_punctuation_leave_no_spaces() -> None:
    names = "<italic>Alca torda</italic>\n  ,\n  <italic>Uria aalge</italic>"
    body = f"<p>Two (\n  {names}\n  ) dive\n  .\n  Rest\n  .5 m.</p>"
    assert article_of(body, "") == "Two (Alca torda, Uria aalge) dive. Rest .5 m."


def test_languages_in_capitals_and_titles_that_name_their_own() -> None:
    xml = (
        '<article xml:lang="EN"><front><article-meta><title-group><article-title>Boats</article-title>'
        '<trans-title-group><trans-title xml:lang="pt">Barcos</trans-title></trans-title-group></title-group>'
        '<trans-abstract xml:lang="PT"><p>Contámos os barcos.</p></trans-abstract></article-meta></front>'
        "<body><p>Counted.</p></body></article>"
    ).encode()
    records = [
        Record(
            native_id="1",
            file="f",
            offset=0,
            length=1,
            media_type="application/jats+xml",
            body=xml,
            metadata=metadata,
        )
        for metadata in ({}, {"translation": "0"})
    ]
    read = [jats.extract_text(record, "fast") for record in records]
    assert [(text.language, text.text) for text in read if text is not None] == [
        ("en", "Boats\n\nCounted."),
        ("pt", "Barcos\n\nContámos os barcos."),
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<array><tbody><tr><td>甲</td><td>1</td></tr><tr><td>乙</td><td>2</td></tr></tbody></array>",
            "甲 | 1\n乙 | 2",
        ),
        (
            "<def-list><term-head>Термин</term-head><def-head>Смысл</def-head>"
            "<def-item><term>ДНК</term><def><p>кислота</p></def></def-item></def-list>",
            "Термин: Смысл\n\nДНК: кислота",
        ),
        ("<p><ruby><rb>漢字</rb><rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>を読む。</p>", "漢字を読む。"),
        ("<p>एक<hr/>दो</p>", "एक दो"),
        ("<p>k<sub>the rate at which all of it is lost</sub></p>", "k the rate at which all of it is lost"),
    ],
)
def test_no_text_is_glued_to_its_neighbour(body: str, text: str) -> None:
    assert text_of(body) == f"Boats\n\n{text}"


def test_formulas_side_by_side_stay_three() -> None:
    formulas = "".join(f"<inline-formula><tex-math>{name}</tex-math></inline-formula> " for name in "abc")
    assert text_of(
        f"<p>{formulas}и $$ <inline-formula><tex-math>d</tex-math></inline-formula> $</p>"
    ).endswith("$a$ $b$ $c$ и $$ $d$ $")
    assert text_of("<p>$<inline-formula><tex-math>α</tex-math></inline-formula>$ и</p>").endswith("\n$α$ и")


@pytest.mark.parametrize(
    ("math", "shown"),
    [
        (
            "<mml:mmultiscripts><mml:mi>C</mml:mi><mml:mprescripts/><mml:mn>6</mml:mn><mml:mn>14</mml:mn></mml:mmultiscripts>",
            "{}_6^{14}C",
        ),
        (
            "<mml:mmultiscripts><mml:mi>X</mml:mi><mml:mi>a</mml:mi><mml:none/><mml:none/><mml:mi>b</mml:mi>"
            "</mml:mmultiscripts>",
            "X_a{}^b",
        ),
        ("<mml:mtext>если\u00a0</mml:mtext><mml:mi>x</mml:mi>", "\\text{если }x"),
        ("<mml:mtext> если </mml:mtext><mml:mi>x</mml:mi>", "\\text{если}x"),
    ],
)
def test_scripts_and_words_of_mathml(math: str, shown: str) -> None:
    formula = f"<inline-formula><mml:math>{math}</mml:math></inline-formula>"
    assert text_of(f"<p>看 {formula}。</p>") == f"Boats\n\n看 ${shown}$。"
