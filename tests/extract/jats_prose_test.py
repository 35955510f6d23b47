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
    assert (
        text_of(f"<p>船{cited}\n  出た。帆\n  {cited}も{cited}\n{cited}\n見た。</p>") == "船出た。帆も見た。"
    )
    assert text_of(f"<p>船\n  {cited}\n  出た。Лодка\n  {cited}\n  ушла.</p>") == "船出た。Лодка ушла."


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


def make_list(kind: str, *items: str, attributes: str = "") -> str:
    inner = "".join(f"<list-item>{item}</list-item>" for item in items)
    return f"<list list-type='{kind}'{attributes}>{inner}</list>"


@pytest.mark.parametrize(
    ("kind", "marks"),
    [
        ("order", ["1.", "2.", "3."]),
        ("alpha-lower", ["a.", "b.", "c."]),
        ("alpha-upper", ["A.", "B.", "C."]),
        ("roman-lower", ["i.", "ii.", "iii."]),
        ("roman-upper", ["I.", "II.", "III."]),
        ("Ordered", ["1.", "2.", "3."]),
        ("bullet", ["-", "-", "-"]),
        ("simple", ["-", "-", "-"]),
    ],
)
def test_items_are_marked_as_the_type_of_their_list_says(kind: str, marks: list[str]) -> None:
    texts = ["船。", "Лодка", "เรือ"]
    expected = "\n".join(f"{mark} {text}" for mark, text in zip(marks, texts, strict=True))
    assert text_of(make_list(kind, *(f"<p>{text}</p>" for text in texts))) == expected


def test_labels_and_numbers_in_the_text_stand_for_the_number_of_an_item() -> None:
    items = (
        "<label>（一）</label><p>船</p>",
        "<p>帆</p>",
        "<label>•</label><p>桅</p>",
        "<label>iv)</label><p>舵</p>",
    )
    assert text_of(make_list("order", *items)) == "（一） 船\n2. 帆\n- 桅\niv) 舵"
    numbered = make_list(
        "order", "<p>1. Лодки</p>", "<p>(b) Паруса</p>", "<p>1. Мачты</p>", "<p>D. melanogaster</p>"
    )
    assert text_of(numbered) == "1. Лодки\n(b) Паруса\n3. 1. Мачты\n4. D. melanogaster"


def test_a_list_goes_on_where_another_ended() -> None:
    first = make_list("order", "<p>एक</p>", "<p>दो</p>", attributes=" id='l'")
    second = make_list("order", "<p>तीन</p>", attributes=" continued-from='l' prefix-word='Step'")
    assert text_of(f"{first}<p>और</p>{second}") == "1. एक\n2. दो\n\nऔर\n\nStep 3. तीन"


def test_lists_in_lists_are_indented_and_so_is_what_goes_on_in_an_item() -> None:
    deepest = make_list("alpha-lower", "<p>кровь</p>", "<p>دم</p>")
    inner = make_list("bullet", f"<p>one a{deepest}</p>", "<p>one b</p><p>Further.</p>")
    outer = make_list("order", f"<p>one</p>{inner}", "<p>two</p>")
    assert text_of(outer) == ("1. one\n  - one a\n    a. кровь\n    b. دم\n  - one b\n    Further.\n2. two")
    assert text_of(f"<table><tr><td>{outer}</td><td>x</td></tr></table>") == (
        "1. one - one a a. кровь b. دم - one b Further. 2. two | x"
    )


def test_lists_in_lists_without_end_are_read() -> None:
    deep = "<list><list-item><p>船</p>" * 60 + "</list-item></list>" * 60
    lines = text_of(deep).split("\n")
    assert [len(line) - len(line.lstrip()) for line in (lines[0], lines[1], lines[-1])] == [0, 2, 32]


def test_verses_are_lines_and_stanzas_paragraphs() -> None:
    poem = (
        "<verse-group><title>静夜思</title>"
        "<verse-group><verse-line>床前<italic>明月</italic>光</verse-line>\n<verse-line>疑是地上霜</verse-line></verse-group>"
        "<verse-group><verse-line>Белеет парус</verse-line><verse-line>одинокой</verse-line></verse-group>"
        "<attrib>— 李白</attrib></verse-group>"
    )
    read = "静夜思\n\n床前明月光\n疑是地上霜\n\nБелеет парус\nодинокой\n\n— 李白"
    assert text_of(f"<p>读：{poem}再读。</p>") == f"读：\n\n{read}\n\n再读。"
    assert text_of(f"<disp-quote>{poem}</disp-quote>") == read


def test_who_said_a_quotation_stands_below_it_and_who_drew_a_figure_does_not() -> None:
    quotation = "<disp-quote><p>एक नाव।</p><attrib>— कबीर</attrib></disp-quote>"
    quotation += "<disp-quote><attrib>(<xref ref-type='bibr' rid='r'>Li, 1999</xref>).</attrib></disp-quote>"
    figure = "<fig><label>图1</label><caption><p>船。</p></caption><attrib>Photo: Li</attrib></fig>"
    assert text_of(f"{quotation}{figure}") == "एक नाव।\n\n— कबीर\n\n图1. 船。"


def test_translated_abstracts_have_licence_and_identifiers_of_the_article_and_their_own_title() -> None:
    def group(code: str, title: str, subtitle: str = "") -> str:
        more = f"<trans-subtitle>{subtitle}</trans-subtitle>" if subtitle else ""
        return f"<trans-title-group xml:lang='{code}'><trans-title>{title}</trans-title>{more}</trans-title-group>"

    abstracts = {"zh": "我们数了\n  船。", "ru": "Мы считали лодки.", "ar": "عددنا القوارب."}
    meta = (
        '<article-id pub-id-type="doi">10.1/b</article-id><article-id pub-id-type="pmc">12</article-id>'
        '<permissions><license xlink:href="https://creativecommons.org/licenses/by/4.0/"/></permissions>'
        + "".join(
            f"<trans-abstract xml:lang='{code}'><p>{text}</p></trans-abstract>"
            for code, text in abstracts.items()
        )
    )
    title = f"Boats</article-title>{group('zh', '船<sup>*</sup>')}{group('ru', 'Лодки', 'в порту')}<article-title>"
    found = [extract_article(title=title, meta=meta, translation=str(place)) for place in range(3)]
    assert {(each.license, each.metadata["doi"], each.metadata["pmcid"]) for each in found} == {
        ("CC-BY-4.0", "10.1/b", "PMC12")
    }
    assert [(each.language, each.metadata.get("title"), each.text) for each in found] == [
        ("zh", "船*", "船*\n\n我们数了船。"),
        ("ru", "Лодки", "Лодки\n\nв порту\n\nМы считали лодки."),
        ("ar", None, "عددنا القوارب."),
    ]


def test_translated_abstracts_of_medline_have_licence_and_identifiers_too() -> None:
    xml = (
        "<PubmedArticle><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>[Boats].</ArticleTitle><Abstract>"
        "<AbstractText>Counted.</AbstractText><CopyrightInformation>CC BY 4.0</CopyrightInformation></Abstract>"
        "<Language>jpn</Language><VernacularTitle>船</VernacularTitle></Article>"
        "<OtherAbstract Language='jpn'><AbstractText>数えた。</AbstractText></OtherAbstract></MedlineCitation>"
        "<PubmedData><ArticleIdList><ArticleId IdType='doi'>10.1/b</ArticleId></ArticleIdList></PubmedData>"
        "</PubmedArticle>"
    ).encode()
    record = Record(
        native_id="1", file="f", offset=0, length=1, media_type="x", body=xml, metadata={"translation": "0"}
    )
    found = medline.extract_text(record, "fast")
    assert found is not None
    assert (found.text, found.language, found.license) == ("船\n\n数えた。", "jpn", "CC-BY-4.0")
    assert found.metadata == {
        "title": "船", "pmid": "7", "language_of_paper": "jpn", "copyright": "CC BY 4.0", "doi": "10.1/b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<p>船很多<fn id='a'><label>1</label><p>港口的船。</p></fn>，老水手数了。</p><p>Next.</p>",
            "船很多，老水手数了。\n\n港口的船。\n\nNext.",
        ),
        (
            "<p>Лодки<fn><p>Малые.</p><p>И большие.</p></fn> и <fn><p>Ещё.</p></fn>паруса:"
            "<disp-formula><tex-math>x</tex-math></disp-formula>где x.</p>",
            "Лодки и паруса:\n\n$$x$$\n\nгде x.\n\nМалые.\n\nИ большие.\n\nЕщё.",
        ),
        ("<p>قوارب<fn><p>صغيرة<fn><p>جدا.</p></fn>.</p></fn>.</p>", "قوارب.\n\nصغيرة.\n\nجدا."),
        ("<list><list-item><p>नाव<fn><p>छोटी।</p></fn></p></list-item></list>", "- नाव\n  छोटी।"),
        (
            "<fig><label>图1</label><caption><p>船<fn><p>一说明。</p></fn>。</p></caption></fig>",
            "图1. 船。\n\n一说明。",
        ),
        ("<sec><title>เรือ<fn><p>ทุน</p></fn></title><p>x</p></sec>", "เรือ\n\nx"),
        ("<table><tr><td><p>a<fn><p>b</p></fn></p></td><td>c</td></tr></table>", "a | c"),
    ],
)
def test_a_footnote_stands_behind_its_paragraph(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize("marked", ["<sup>{}</sup>", "[{}]", "({})"])
@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        (
            "According to {}, boats sail. In ref. {} they rest.",
            "According to [1], boats sail. In ref. [2] they rest.",
        ),
        ("Adapted from refs. {}, {}–{}.", "Adapted from refs. [1], [2]–[3]."),
        ("Согласно {}, лодки плывут.", "Согласно [1], лодки плывут."),
        ("وفقا للمرجع {}، تبحر القوارب.", "وفقا للمرجع [1]، تبحر القوارب."),
        ("संदर्भ {} के अनुसार।", "संदर्भ [1] के अनुसार।"),
        ("见文献 {}。", "见文献 [1]。"),
        ("Boats sail.{} They rest, {} too. {} All do{}.", "Boats sail. They rest, too. All do."),
        ("Boats sail (see also {}, {}).", "Boats sail."),
    ],
)
def test_a_number_that_cites_is_kept_where_the_sentence_needs_it(
    marked: str, sentence: str, read: str
) -> None:
    cited = "<xref ref-type='bibr' rid='r'>{}</xref>"
    numbers = iter(cited.format(number) for number in range(1, 9))
    pieces = sentence.split("{}")
    body = pieces[0] + "".join(next(numbers) + piece for piece in pieces[1:])
    others = "".join(f"<p>Sailed{marked.format(cited.format(number))}.</p>" for number in range(10, 19))
    assert text_of(f"<p>{body}</p>{others}").split("\n\n")[0] == read


def test_numbers_without_brackets_go_where_all_are_without_and_in_tables() -> None:
    cited = "<xref ref-type='bibr' rid='r'>{}</xref>"
    bare = f"<p>Boats sail {cited.format(1)}. They rest {cited.format(2)}, too.</p>"
    assert text_of(bare) == "Boats sail. They rest, too."
    marked = "".join(f"<p>Sailed [{cited.format(number)}].</p>" for number in range(10, 19))
    assert text_of(f"<table><tr><td>In {cited.format(3)}</td></tr></table>{marked}").startswith("In\n\n")


@pytest.mark.parametrize(
    "cited",
    [
        "<sup>(</sup>{a}<sup>,</sup>{b}<sup>)</sup>",
        "<sup>(</sup>{a}<sup>-</sup>{b}<sup>)</sup>",
        "<sup>{a}</sup><sup>), (</sup><sup>{b}</sup>",
        "{a}<sup>,</sup> {b}",
        "<sup>{a},{b}\n</sup>",
    ],
)
def test_raised_brackets_and_commas_go_with_the_numbers_between_them(cited: str) -> None:
    number = "<xref ref-type='bibr' rid='r'><sup>{}</sup></xref>"
    between = cited.format(a=number.format(1), b=number.format(2))
    assert text_of(f"<p>船出了港{between}。Лодка{between}, Ca<sup>+</sup>{number.format(3)}.</p>") == (
        "船出了港。Лодка, Ca⁺."
    )
    assert text_of(f"<p>Cl<sup>−</sup>{number.format(1)} and x<sup>,</sup></p>") == "Cl⁻ and x^(,)"
    assert text_of(f"<p>نص<sup>{number.format(1)} </sup>آخر</p>") == "نص آخر"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<speech><speaker>王</speaker><p>你好。</p><p>再见。</p></speech><speech><speaker>Аня:</speaker><p>Да.</p></speech>",
            "王: 你好。\n\n再见。\n\nАня: Да.",
        ),
        (
            "<p>The <abbrev>WHO<def><p>World Health Organization</p></def></abbrev> counts.</p>",
            "The WHO counts.",
        ),
        (
            "<media><label>Video 1.</label><caption><p>船出港。</p></caption></media><p>x<media/>y</p>",
            "Video 1. 船出港。\n\nxy",
        ),
        (
            "<boxed-text><label>Box 1</label><title>नाव</title><p>एक।</p></boxed-text>",
            "Box 1. नाव\n\nएक।",
        ),
        ("<p>ท่าเรือ<sig-block><sig>อันนา</sig></sig-block></p>", "ท่าเรือ\n\nอันนา"),
        (
            "<p>船<fn><p>一说明。</p></fn>：<list><list-item><p>帆</p></list-item></list></p>",
            "船：\n\n- 帆\n\n一说明。",
        ),
    ],
)
def test_speeches_abbreviations_and_videos_are_read_as_they_are_shown(body: str, text: str) -> None:
    assert text_of(body) == text


def test_the_label_of_an_appendix_stands_before_its_title() -> None:
    back = "<app-group><app><label>附录 1</label><title>Паруса</title><p>Да.</p></app></app-group>"
    assert text_of("<p>x</p>", back) == "x\n\n附录 1. Паруса\n\nДа."
