"""How sentences, titles, lists, verse, notes and quotations of JATS stand in the text, in several scripts."""

from __future__ import annotations

import pytest

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.pubmed import jats, medline


def extract_article(
    body: str = "", title: str = "Boats", meta: str = "", back: str = "", **metadata: str
) -> ExtractedText:
    xml = (
        '<article xmlns:xlink="http://www.w3.org/1999/xlink" xml:lang="en">'
        f"<front><article-meta><title-group><article-title>{title}</article-title></title-group>{meta}</article-meta>"
        f"</front><body>{body}</body><back>{back}</back></article>"
    )
    record = Record(
        native_id="1",
        file="f",
        offset=0,
        length=1,
        media_type="application/jats+xml",
        body=xml.encode(),
        metadata=metadata,
    )
    extracted = jats.extract_text(record, "fast")
    assert extracted is not None
    return extracted


def text_of(body: str, back: str = "") -> str:
    return extract_article(body, back=back).text.removeprefix("Boats\n\n")


LAID_OUT = [
    ("水（H<sub>2</sub>O）是\n      重要的<italic>物\n      质</italic>\n      。", "水（H₂O）是重要的物质。"),
    ("これは\n      要旨です。\n      船\n      は出る。", "これは要旨です。船は出る。"),
    ("他说“好”\n      的船…\n      来了。", "他说“好”的船…来了。"),
    ("เรือ\n      อยู่ในท่า", "เรืออยู่ในท่า"),
    ("배가\n      떠난다", "배가 떠난다"),
    ("Лодка\n      плывёт", "Лодка плывёт"),
    ("القارب\n      يبحر\n      ، ثم", "القارب يبحر، ثم"),
    ("नाव\n      चलती है\n      ।", "नाव चलती है।"),
    ("见\n      （\n      Fig\n      ）", "见（Fig）"),
    ("船\n      boat\n      船", "船 boat 船"),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "text"), LAID_OUT)
def test_a_line_end_of_the_file_is_no_space_in_a_script_without_spaces(markup: str, text: str) -> None:
    assert text_of(f"<p>\n      {markup}\n    </p>") == text
    found = extract_article(title=f"\n      {markup}\n    ")
    assert (found.metadata["title"], found.text) == (text, text)


def test_a_line_end_beside_a_citation_is_no_space_there_either() -> None:
    cited = "<sup><xref ref-type='bibr' rid='r'>1</xref></sup>"
    assert text_of(f"<p>船{cited}\n  出た。帆\n  {cited}も。</p>") == "船出た。帆も。"


def test_a_line_end_of_a_citation_in_medline_is_none_either() -> None:
    xml = (
        "<MedlineCitation><PMID>1</PMID><Article><ArticleTitle>Boats</ArticleTitle></Article><OtherAbstract "
        "Language='chi'><AbstractText>老水手\n  数了船。</AbstractText></OtherAbstract></MedlineCitation>"
    ).encode()
    record = Record(
        native_id="1", file="f", offset=0, length=1, media_type="x", body=xml, metadata={"translation": "0"}
    )
    extracted = medline.extract_text(record, "fast")
    assert extracted is not None and extracted.text == "老水手数了船。"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (
            "Effect of H<sub>2</sub>O on <italic>E. coli</italic><xref ref-type='fn' rid='f'>*</xref>",
            "Effect of H₂O on E. coli",
        ),
        ("Лодки<xref ref-type='author-notes' rid='f'>1</xref> и m<sup>2</sup>", "Лодки и m²"),
        ("船的研究<fn><p>这是一个说明。</p></fn>", "船的研究"),
        ("日本語の<break/>題名", "日本語の題名"),
        ("One<break/>two", "One two"),
        ("On <inline-formula><tex-math>$x^2$</tex-math></inline-formula>", "On $x^2$"),
    ],
)
def test_the_title_in_the_metadata_is_that_of_the_text(title: str, read: str) -> None:
    found = extract_article(title=title)
    assert (found.metadata["title"], found.text) == (read, read)


def test_terms_of_definitions_keep_their_scripts() -> None:
    gas = "<def-item><term>CO<sub>2</sub></term><def><p>γάζ</p></def></def-item>"
    items = f"{gas}<def-item><def><p>газ</p></def></def-item>"
    assert text_of(f"<def-list>{items}</def-list>") == "CO₂: γάζ\n\nгаз"
