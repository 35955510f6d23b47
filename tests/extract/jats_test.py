# ruff: noqa: E501
"""JATS and MEDLINE: the text a reader sees, in its language, without references; licences, dates, retractions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corpus.document import Record
from corpus.extract import ExtractedText, extract
from corpus.extract.creative_commons import find_cc_license
from corpus.extract.dates import first_date, iso_date
from corpus.extract.mathml import to_latex
from corpus.formats.xml import XmlError, parse_tree

META = "<article-meta><title-group><article-title>T</article-title></title-group>{}</article-meta>"


def article(body: str = "", meta: str = "", back: str = "", attributes: str = "") -> ExtractedText:
    xml = (
        f'<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML"{attributes}>'
        f"<front>{META.format(meta)}</front><body>{body}</body><back>{back}</back></article>"
    )
    return extracted(xml, "application/jats+xml")


def extracted(xml: str, media_type: str, **metadata: str) -> ExtractedText:
    record = Record(
        native_id="x",
        file="x",
        offset=0,
        length=0,
        media_type=media_type,
        body=xml.encode(),
        metadata=metadata,
    )
    found = extract(record, "fast")
    assert found is not None
    return found


def cite(number: str) -> str:
    return f'<xref ref-type="bibr" rid="b{number}">{number}</xref>'


@pytest.mark.parametrize(
    "body, text",
    [
        ("<p>One <italic>E. coli</italic> and\n   <bold>two</bold>.</p><p>Three.</p>", "One E. coli and two.\n\nThree."),
        ("<sec><title>Results</title><p>数据显示，效果<italic>显著</italic>。</p></sec>", "Results\n\n数据显示，效果显著。"),
        (f"<p>Known [{cite('1')}, {cite('2')}–{cite('5')}]. More{cite('6')}.</p>", "Known. More."),
        (f"<p>Известно<sup>{cite('1')},{cite('2')}</sup>, что так ({cite('3')}).</p>", "Известно, что так."),
        (f"<p>是的 [{cite('1')}]。ใช่ ({cite('2')}) แล้ว نعم ({cite('3')})، हाँ [{cite('4')}]।</p>", "是的。ใช่ แล้ว نعم، हाँ।"),
        (f"<p>Found (see {cite('Li et al., 2005')}; {cite('Wu, 2006')}) by {cite('Ma (2007)')}.</p>", "Found by Ma (2007)."),
        ("<p>10<sup>−3</sup> m<sup>2</sup>, CO<sub>2</sub>, the 19<sup>th</sup></p>", "10⁻³ m², CO₂, the 19th"),
        ("<p>See <xref ref-type='fig' rid='f'>Fig. 1</xref>.</p>", "See Fig. 1."),
        (
            "<list><list-item><p>one</p></list-item><list-item><label>b)</label><p>two</p></list-item></list>",
            "- one\nb) two",
        ),
        (
            "<p>As in<disp-formula><tex-math>\\documentclass{x}\\begin{document}$$E=mc^2$$\\end{document}</tex-math>"
            "</disp-formula>holds <inline-formula><mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mn>2</mml:mn></mml:mfrac>"
            "</mml:math></inline-formula>.</p>",
            "As in\n\n$$E=mc^2$$\n\nholds $\\frac{a}{2}$.",
        ),
        (
            "<fig><label>图1</label><caption><title>细胞</title><p>活着。</p><p>真的。</p></caption></fig>",
            "图1. 细胞\n\n活着。 真的。",
        ),
        (
            "<table><tr><td rowspan='2'>猫</td><td>a</td><td rowspan='3'>x</td></tr><tr><td>b</td></tr>"
            "<tr><td colspan='2'>c</td></tr><tr><td rowspan='9999999'>d</td><td>e</td></tr><tr><td>f</td></tr></table>",
            "猫 | a | x\n | b\nc\nd | e\nf",
        ),
        (
            "<fig><label>Figure 1</label><caption><title>A cell.</title><p>It lives.</p></caption><graphic/></fig>",
            "Figure 1. A cell. It lives.",
        ),
        (
            "<table-wrap><label>Table 1</label><caption><p>Ages</p></caption><table><tr><th>Sex<sup>a</sup></th><th>n</th>"
            "</tr><tr><td>男</td><td>3<sup>2</sup></td></tr></table><table-wrap-foot><p>a: x</p></table-wrap-foot></table-wrap>",
            "Table 1. Ages\n\nSex | n\n男 | 3²",
        ),
        ("<def-list><def-item><term>PCR</term><def><p>a reaction</p></def></def-item></def-list>", "PCR: a reaction"),
        ("<p>A&nbsp;&alpha;<!-- no --><?pi no?> b</p>", "A α b"),
    ],
)  # fmt: skip
def test_the_body_of_an_article(body: str, text: str) -> None:
    assert article(body).text == f"T\n\n{text}"


def test_what_is_no_prose_goes() -> None:
    back = (
        "<ack><p>Thanks</p></ack><ref-list><ref><mixed-citation>Old paper</mixed-citation></ref></ref-list>"
    )
    back += "<app-group><app><title>Appendix A</title><p>Kept.</p></app></app-group><fn-group><fn><p>No</p></fn></fn-group>"
    meta = "<contrib-group><contrib><name><surname>Li</surname></name></contrib></contrib-group><abstract><p>In short.</p>"
    meta += "</abstract><abstract abstract-type='graphical'><p>Picture</p></abstract>"
    assert article("<p>Long.</p>", meta, back).text == "T\n\nIn short.\n\nLong.\n\nAppendix A\n\nKept."


def test_what_an_article_says_of_itself() -> None:
    meta = """<article-id pub-id-type="pmid">7</article-id><article-id pub-id-type="pmc">12</article-id>
    <pub-date pub-type="ppub"><month>3</month><year>2019</year></pub-date>
    <pub-date pub-type="epub"><day>9</day><month>02</month><year>2019</year></pub-date>
    <permissions><license xlink:href="http://creativecommons.org/licenses/by-nc/4.0/"/></permissions>
    <related-article related-article-type="retraction-forward"/>"""
    found = article("<p>x</p>", meta, attributes=' xml:lang="zh" article-type="research-article"')
    assert (found.license, found.date, found.language) == ("CC-BY-NC-4.0", "2019-02-09", "zh")
    assert found.metadata == {
        "article_type": "research-article", "title": "T", "pmid": "7", "pmcid": "PMC12", "retracted": "yes",
    }  # fmt: skip


@pytest.mark.parametrize("name, space", [("article", "xmlns"), ("j:article", "xmlns:j")])
def test_an_article_in_a_namespace(name: str, space: str) -> None:
    prefix = name.removesuffix("article")
    body = re.sub(
        "<(/?)(?=[a-z])",
        rf"<\1{prefix}",
        "<article><front><article-meta><title-group><article-title>题目</article-title></title-group></article-meta>"
        "</front><body><sec><title>Ergebnis</title><p>Ja.</p></sec></body></article>",
    )
    opening = f'<{name} {space}="https://jats.nlm.nih.gov/ns/archiving/1.3/">'
    found = extracted(body.replace(f"<{name}>", opening), "application/jats+xml")
    assert (found.text, found.metadata["title"]) == ("题目\n\nErgebnis\n\nJa.", "题目")


def test_the_licence_is_the_articles_own_and_not_that_of_a_letter_behind_it() -> None:
    by = '<permissions><license xlink:href="http://creativecommons.org/licenses/by/{}/"/></permissions>'
    letter = f"</back><sub-article><front-stub>{by.format('3.0')}</front-stub></sub-article><back>"
    assert article(back=letter).license is None
    assert article(meta=by.format("4.0"), back=letter).license == "CC-BY-4.0"
    assert (
        article(meta="<copyright-statement>under CC BY-NC 2.0</copyright-statement>").license
        == "CC-BY-NC-2.0"
    )


def test_a_translated_abstract_is_asked_for_by_its_number() -> None:
    meta = """<trans-abstract xml:lang="es"><title>Resumen</title><p>Hola.</p></trans-abstract>"""
    title = '<trans-title-group xml:lang="es"><trans-title>El título</trans-title></trans-title-group>'
    front = META.format(meta).replace("</title-group>", f"{title}</title-group>")
    xml = f"<article><front>{front}</front><body><p>English.</p></body></article>"
    found = extracted(xml, "application/jats+xml", translation="0")
    assert (found.text, found.language) == ("El título\n\nResumen\n\nHola.", "es")
    assert extracted(xml, "application/jats+xml").text == "T\n\nEnglish."


def test_an_article_that_is_damaged_is_refused() -> None:
    with pytest.raises(XmlError):
        extracted("<article><front></article>", "application/jats+xml")
    with pytest.raises(XmlError, match="not an article"):
        extracted("<html><body/></html>", "application/jats+xml")


def test_deep_and_wide_articles_end() -> None:
    assert "x" in article(f"{'<sec>' * 900}<p>x</p>{'</sec>' * 900}").text
    assert len(article(f"<p>{'( ' * 100_000}{cite('1') * 3}{'[' * 50_000}</p>").text) > 100_000


CITATION = """<PubmedArticle><MedlineCitation><PMID Version="1">5</PMID><Article><Journal><JournalIssue><PubDate>
<MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue><Title>J</Title></Journal>
<ArticleTitle>[On <i>E. coli</i> &#x3b2;<sub>2</sub>].</ArticleTitle>
<Abstract><AbstractText Label="METHODS">We  looked.</AbstractText><AbstractText Label="UNLABELLED">It was.</AbstractText>
<CopyrightInformation>This is an open access article under the CC BY-NC-ND license.</CopyrightInformation></Abstract>
<Language>chi</Language><PublicationTypeList><PublicationType>Retracted Publication</PublicationType></PublicationTypeList>
<VernacularTitle>大肠杆菌的研究</VernacularTitle></Article>
<OtherAbstract Language="chi"><AbstractText>我们观察了。</AbstractText></OtherAbstract></MedlineCitation></PubmedArticle>"""

SCRIPTS = [
    ("f(d) = exp(−(d<sup>Q</sup>))", "f(d) = exp(−(d^Q))"),
    ("C<sub>max</sub> 与 t<sub>1/2</sub>，x<sub>i</sub><sup>2</sup>", "C_max 与 t_(1/2)，x_i²"),
    ("2<sup>n</sup>, 2<sup>n+1</sup>, e<sup>−kt</sup>, π<sup>n/2</sup>", "2ⁿ, 2ⁿ⁺¹, e^(−kt), π^(n/2)"),
    ("α<sub>i</sub>x<sub>i</sub><sup>Q</sup>, n<sub>e,i</sub>, F<sub>[2,4]</sub>", "α_(i)x_i^Q, n_(e,i), F_[2,4]"),
    ("Bcl2<sup>−/−</sup>, Ca<sup>2+</sup>, PM<sub>2.5</sub>, Pax6<sup>fl/fl</sup>", "Bcl2⁻/⁻, Ca²⁺, PM₂.₅, Pax6^(fl/fl)"),
    ("19<sup>th</sup>, 1<sup>er</sup>, 2<sup>я</sup>, 37<sup>o</sup>C, p<sup>*</sup>, Boat<sup>TM</sup>",
     "19th, 1er, 2я, 37°C, p*, Boat™"),
    ("<sup>14</sup>C, <sup>a</sup>Table; Δ<sub>KCN </sub>de", "¹⁴C, aTable; Δ_KCN de"),
    ("показано<sup>1,2</sup>, ثابت K<sub>m</sub>", "показано¹,², ثابت K_m"),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "text"), SCRIPTS)
def test_superscripts_and_subscripts_stay_apart(markup: str, text: str) -> None:
    assert article(f"<p>{markup}</p>").text == f"T\n\n{text}"
    citation = CITATION.replace("We  looked.", markup)
    assert f"METHODS: {text}\n" in extracted(citation, "application/x-medline+xml").text


def test_spaces_inside_markup_stay() -> None:
    citation = CITATION.replace("We  looked.", "<i>E. coli </i>grew in H<sub>2 </sub>gas.")
    assert "METHODS: E. coli grew in H₂ gas.\n" in extracted(citation, "application/x-medline+xml").text


def test_a_citation() -> None:
    found = extracted(CITATION, "application/x-medline+xml")
    assert found.text == "On E. coli β₂\n\nMETHODS: We looked.\n\nIt was."
    assert (found.license, found.date, found.language) == ("CC-BY-NC-ND", "1998-12", "eng")
    assert found.metadata["retracted"] == "yes" and found.metadata["language_of_paper"] == "chi"
    other = extracted(CITATION, "application/x-medline+xml", translation="0")
    assert (other.text, other.language) == ("大肠杆菌的研究\n\n我们观察了。", "chi")


@pytest.mark.parametrize(
    "text, name",
    [
        ("http://creativecommons.org/licenses/by/2.0", "CC-BY-2.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/igo/", "CC-BY-NC-SA-3.0-IGO"),
        ("creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("licensed under a Creative Commons Attribution 4.0 International License, which", "CC-BY-4.0"),
        (
            "Creative Commons Attribution-NonCommercial-NoDerivatives License 4.0 (CC-BY-NC-ND)",
            "CC-BY-NC-ND-4.0",
        ),
        ("the Creative Commons Attribution Non-Commercial License, which permits", "CC-BY-NC"),
        ("open access under the CC BY-NC-SA 4.0 license", "CC-BY-NC-SA-4.0"),
        ("© 2015 Elsevier. All rights reserved.", None),
    ],
)
def test_licences_by_their_spdx_names(text: str, name: str | None) -> None:
    assert find_cc_license(text) == name


def test_dates_as_far_as_they_are_given() -> None:
    assert [iso_date("2007"), iso_date("2007", "Oct", "3"), iso_date("2007", "10"), iso_date("2007", "Spring", "3")] == [
        "2007", "2007-10-03", "2007-10", "2007",
    ]  # fmt: skip
    assert [iso_date("07", "1"), first_date("Winter 1998"), first_date("none")] == [None, "1998", None]


def test_mathml_becomes_latex() -> None:
    xml = b"""<math><msubsup><mi>x</mi><mrow><mi>i</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></msubsup><mo>=</mo>
    <msqrt><mi>sin</mi><mi>y</mi></msqrt><mover><mi>z</mi><mo>^</mo></mover><mtext>for all</mtext></math>"""
    assert " ".join(to_latex(parse_tree(xml)).split()) == "x_{i+1}^2=\\sqrt{\\sin y}\\hat{z}\\text{for all}"


SENTENCES = {
    "1471-2180-11-174.nxml": "This within-population variation can have far reaching life history consequences.",
    "6605965a.nxml": "",
    "PMC5828200.nxml": "Alzheimer's disease (AD) is the most",
    "PMC7417471.nxml": "Graphene (the first ever reported 2D paper like lightweight material) is a sp² hybridized carbon atoms",
    "mds526.nxml": "early-stage detection renders currently available treatments more effective",
    "pone.0000217.nxml": "",
    "elife00013.xml": "¹H NMR (600 MHz, DMSO) and ¹³C NMR (600 MHz, DMSO): see Table 3.",
    "elife04953.xml": "T cells undergo a series of actin dependent shape changes and signaling steps. These ligands include",
}
DEBRIS = re.compile(
    r"\[\s*[,;–]?\s*\]|\(\s*[,;]?\s*\)|\[ |,,|\x01|\x02|\x03|et al\.?,? ?\(?\)| ,|xref|doi\.org"
)


def test_real_articles_read_well(data: Path) -> None:
    read = 0
    for path in sorted(data.glob("pubmed/*-jats/*")):
        found = extracted(path.read_text("utf-8"), "application/jats+xml")
        assert SENTENCES[path.name].casefold() in found.text.casefold(), path.name
        assert DEBRIS.findall(found.text) == [], path.name
        assert "References" not in found.text.splitlines()
        assert found.date and found.metadata["doi"]
        read += 1
    assert read == len(SENTENCES)
