"""Templates that carry text: what a reader of each wiki sees of them. The table is in docs/sources/wikipedia.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corpus.document import Record
from corpus.extract.wikitext.template_arguments import Arguments
from corpus.extract.wikitext.templates import load_templates, scopes_of
from corpus.extract.wikitext.wiki_page import extract_text, to_text

MARKED_AS_DOUBTFUL = {
    "enwiki": "It {{citation needed span|never snows|date=May 2020}} and {{dubious span|text=rarely rains}}.",
    "arwiki": "المدينة {{بحاجة لمصدر|كبيرة جدا|تاريخ=مارس 2020}}.",
    "eswiki": "El puerto {{cita requerida|es muy antiguo}}, {{aclarar|dicen}}.",
    "fawiki": "این شهر {{مدرک|بسیار کهن است}}.",
    "frwiki": "Le port {{référence souhaitée|est ancien|date=mai 2020}}, {{passage évasif|dit-on}}.",
    "hewiki": "העיר {{דרוש מקור|עתיקה מאוד}}.",
    "hiwiki": "यह नगर {{उद्धरण आवश्यक|बहुत पुराना|date=मई 2020}} है।",
    "itwiki": "Il porto {{senza fonte|è antico|maggio 2020}}, {{chiarire|pare}}.",
    "jawiki": "この港は{{要検証|範囲=古い|date=2020年5月}}、{{いつ範囲|昔|date=2020年5月}}からある。",
    "kowiki": "이 항구는 {{출처 필요|매우 오래되었다}}.",
    "nlwiki": "De haven {{bron?|is oud|2020|5}}.",
    "plwiki": "Port {{doprecyzuj|jest stary|data=2020-05}}.",
    "ptwiki": "O porto {{carece de fontes2|é antigo|data=maio de 2020}}.",
    "ruwiki": "Порт {{нет источника 2|очень стар|5|5|2020}}, {{нейтральность фразы|лучший}}.",
    "svwiki": "Hamnen {{ifrågasatt uppgift|är gammal|datum=2020-05}}.",
    "ukwiki": "Порт {{джерело?|дуже старий}}.",
    "viwiki": "Cảng {{cần dẫn nguồn|rất cổ}}.",
    "zhwiki": "港口{{來源請求|非常古老|time=2020-05}}，{{何时|很久以前}}。",
}
COUNTRIES = {
    "ukwiki": "Китай, Німеччина, Франція, Fiji",
    "jawiki": "中国, ドイツ, フランス, Fiji",
    "zhwiki": "中国, 德国, 法国, Fiji",
    "bnwiki": "চীন, জার্মানি, ফ্রান্স, Fiji",
    "arwiki": "الصين, ألمانيا, فرنسا, Fiji",
    "simplewiki": "China, Germany, France, Fiji",
    "frwikivoyage": "Chine, Allemagne, France, Fiji",
}
SHOWN_OF_MARKED = {
    "enwiki": "It never snows and rarely rains.",
    "arwiki": "المدينة كبيرة جدا.",
    "eswiki": "El puerto es muy antiguo, dicen.",
    "fawiki": "این شهر بسیار کهن است.",
    "frwiki": "Le port est ancien, dit-on.",
    "hewiki": "העיר עתיקה מאוד.",
    "hiwiki": "यह नगर बहुत पुराना है।",
    "itwiki": "Il porto è antico, pare.",
    "jawiki": "この港は古い、昔からある。",
    "kowiki": "이 항구는 매우 오래되었다.",
    "nlwiki": "De haven is oud.",
    "plwiki": "Port jest stary.",
    "ptwiki": "O porto é antigo.",
    "ruwiki": "Порт очень стар, лучший.",
    "svwiki": "Hamnen är gammal.",
    "ukwiki": "Порт дуже старий.",
    "viwiki": "Cảng rất cổ.",
    "zhwiki": "港口非常古老，很久以前。",
}


@pytest.mark.parametrize("wiki", MARKED_AS_DOUBTFUL)
def test_text_that_is_marked_as_doubtful_stays(wiki: str) -> None:
    assert to_text(MARKED_AS_DOUBTFUL[wiki], wiki=wiki) == SHOWN_OF_MARKED[wiki]


@pytest.mark.parametrize(
    ("wiki", "mark"),
    [
        ("eswiki", "{{cita requerida|20 de marzo de 2020}}"),
        ("itwiki", "{{senza fonte|maggio 2020}}"),
        ("zhwiki", "{{fact|time=2020-05-01}}"),
        ("bnwiki", "{{সত্যতা|তারিখ=মে ২০২০}}"),
        ("enwiki", "{{citation needed|date=May 2020}}"),
        ("jawiki", "{{要出典|date=2020年5月}}"),
        ("ruwiki", "{{нет АИ|5|5|2020}}"),
    ],
)
def test_a_mark_that_holds_its_date_alone_shows_nothing(wiki: str, mark: str) -> None:
    assert to_text(f"Abc{mark}.", wiki=wiki) == "Abc."


@pytest.mark.parametrize(
    ("wiki", "wikitext", "text"),
    [
        # Names and words of other languages
        (
            "enwiki",
            "{{langx|ru|Река}}, {{lang-zh|t=河流|p=héliú}}, {{script|Hebr|נהר}}",
            "Река, 河流, héliú, נהר",
        ),
        ("dewiki", "({{enS|river}}, {{ruS|Река}}; {{lang|fr|fleuve}})", "(river, Река; fleuve)"),
        (
            "frwiki",
            "{{lien|langue=en|trad=River bed|fr=Lit}}, {{japonais|Fleuve|川|kawa}}",
            "Lit, Fleuve (川, kawa)",
        ),
        ("arwiki", "{{إنج|river}} {{وإو|تر=River|عر=نهر}}", "river نهر"),
        ("fawiki", "{{انگلیسی|river}}", "river"),
        ("hewiki", "{{אנגלית|river}}", "river"),
        ("kowiki", "{{llang|ja|川}}, {{임시링크|강|lang=en|2=River}}", "川, 강"),
        ("plwiki", "({{ang.}} ''river'', {{łac.}})", "(ang. river, łac.)"),
        (
            "zhwiki",
            "{{le|河床|River bed}}（{{bd|1809年|2月12日|1882年|4月19日}}）",
            "河床（1809年2月12日－1882年4月19日）",
        ),
        ("jawiki", "{{読み仮名|川面|かわも}}", "川面（かわも）"),
        ("viwiki", "{{đổi|3|km|mi}}", "3 km"),
        # Quantities, money, ordinals, initials
        (
            "frwiki",
            "{{unité|12|km}}, {{heure|7|45}}, {{Mme}} Roy, {{XVe siècle}}",
            "12 km, 7 h 45, Mme Roy, XVe siècle",
        ),
        ("ptwiki", "{{converter|12|km|mi}}", "12 km"),
        ("kowiki", "{{변환|12|km|mi}}", "12 km"),
        (
            "enwiki",
            "{{NZ$|4}}, {{CHF|9}}, {{SEK|8}}, {{currency|6|JPY}}, {{currency|eur|2}}",
            "NZ$4, CHF9, 8 kr, ¥6, €2",
        ),
        (
            "enwiki",
            "{{£sd|l=4|s=2}}, {{INRConvert|3|l}}, {{ordinal|22}}, {{ordinal|113}}",
            "£4 2s, ₹3 lakh, 22nd, 113th",
        ),
        ("enwiki", "{{height|ft=5|in=9}}, {{height|m=1.75}}, {{stn|Harbour}}", "5 ft 9 in, 1.75 m, Harbour"),
        ("ruwiki", "{{А. П.}} Чехов, {{s|И. С. Тургенев}}", "А. П. Чехов, И. С. Тургенев"),
        ("ukwiki", "{{fact|старий порт}}, {{iw2|Гавань|гавані||Harbour}}", "старий порт, гавані"),
        ("enwiki", "Press {{keypress|Ctrl|S}}.", "Press Ctrl+S."),
        # Ships
        (
            "enwiki",
            "{{MV|Gull}}, {{HMAS|Heron|D12}}, {{USS|Tern|DD-1|6}}, {{USS|Tern|DD-1|2}}",
            "MV Gull, HMAS Heron (D12), USS Tern, Tern",
        ),
        (
            "enwiki",
            "{{sclass|Tern|destroyer}}, {{sclass2|Tern|destroyer|2}}, {{ship||Gull}}",
            "Tern-class destroyer, Tern class, Gull",
        ),
        # Sister projects
        ("ruwikinews", "{{w|Пётр Чайкин|Чайкин}} и {{w|Порт}}", "Чайкин и Порт"),
        (
            "enwikivoyage",
            "{{eat|name=The Gull|alt=Old Inn|address=2 Quay|directions=by the lock|hours=9–5|price=$8|content=Fish.}}",
            "- The Gull (Old Inn), 2 Quay (by the lock). 9–5. Fish. $8",
        ),
        (
            "frwikivoyage",
            "{{Manger|nom=La Mouette|adresse=2 quai|description=Du poisson.}}",
            "- La Mouette, 2 quai. Du poisson.",
        ),
        ("dewikivoyage", "{{vCard|name=Zur Möwe|type=restaurant|beschreibung=Fisch.}}", "- Zur Möwe. Fisch."),
        ("enwikivoyage", "Near {{marker|type=see|name=Gull Rock|lat=1}} is sand.", "Near Gull Rock is sand."),
        ("enwiki", "{{see|Gull Rock}}Sand.", "Sand."),
        (
            "enwiktionary",
            "{{lb|en|archaic|_|UK}} From {{der|en|fro|port||gate}}; {{cog|de|Pforte}}.",
            "(archaic UK) From Old French port (“gate”); German Pforte.",
        ),
        (
            "enwiktionary",
            "{{plural of|en|gull}}; {{af|en|sea|-ward}}; {{suffix|en|gull|ish}}; {{syn|en|mew|cob}}",
            "plural of gull; sea + -ward; gull + -ish; Synonyms: mew, cob",
        ),
        (
            "frwiktionary",
            "{{étyl|la|fr|mot=portus|sens=port}}, {{trad+|en|harbour}}",
            "portus (« port »), harbour",
        ),
        ("dewiktionary", "{{Bedeutungen}}\n:[1] ein Vogel", "Bedeutungen:\n\n[1] ein Vogel"),
        ("enwikisource", "{{di|G}}ulls {{sc|fly}}", "Gulls fly"),
        ("enwikiquote", "{{quote|Gulls fly.}}", "Gulls fly."),
        ("enwiki", "{{subst:nowrap|a b}} {{Template:lang|fr|mot}}", "a b mot"),
    ],
)
def test_templates_of_a_wiki(wiki: str, wikitext: str, text: str) -> None:
    assert to_text(wikitext, wiki=wiki) == text


def test_what_the_documentation_says_of_each_wiki_is_so() -> None:
    page = (Path(__file__).parents[2] / "docs/sources/wikipedia.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+wik[a-z]+) \| `(.*)` \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) > 30
    for wiki, wikitext, shown in rows:
        assert to_text(wikitext.replace("\\|", "|"), wiki=wiki) == shown, wiki


def test_a_wiki_beats_its_project_and_a_project_its_language() -> None:
    assert scopes_of("zh_yuewiki") == ("zh_yuewiki", "wiki", "zh-yue")
    assert scopes_of("simplewiktionary") == ("simplewiktionary", "wiktionary", "en")
    assert load_templates("dewiktionary").find("l") is not load_templates("enwiktionary").find("l")
    assert "see" not in load_templates("enwiki").rules and "see" not in load_templates(None).rules


def test_names_of_arguments_have_vowel_signs() -> None:
    arguments = Arguments("t|पाठ|तारीख=मई|তারিখ=মে|تاریخ‌ها=۱")
    assert (arguments.positional(), set(arguments.named())) == (["पाठ"], {"तारीख", "তারিখ", "تاریخ‌ها"})


def test_a_page_is_read_by_the_wiki_that_it_is_from() -> None:
    def read(place: str) -> str:
        body, record = "{{see|name=Gull Rock}}\nSand.", {"file": "f", "offset": 0, "length": 1}
        page = Record(native_id=f"{place}:1:2", media_type="text/x-wiki", body=body, **record)  # type: ignore[arg-type]
        extracted = extract_text(page, "fast")
        return extracted.text if extracted else ""

    assert read("enwikivoyage") == "- Gull Rock\n\nSand."
    assert read("enwiki") == read("some-file.xml.bz2") == "Sand."


@pytest.mark.parametrize("end", ["{{end}}", "{{s-end}}", "{{Ende}}", "{{конец}}", "{{Gull table foot}}"])
def test_a_table_that_a_template_closes_goes_whole(end: str) -> None:
    table = "{| class=wikitable\n|-\n! Year !! Bird\n! Place\n|-\n| 1987 || Gull\n"
    assert to_text(f"Before.\n{table}{end}\nBirds fly on.\n\nLast.") == "Before.\n\nBirds fly on.\n\nLast."
    assert (
        to_text(f"Before.\n{{{{s-start}}}}\n! Year !! Bird\n|-\n| 1987\n{end}\nAfter.") == "Before.\n\nAfter."
    )


def test_lines_that_begin_with_an_exclamation_mark_stay() -> None:
    assert to_text("!Kung is spoken there.\n! Alone") == "!Kung is spoken there.\n! Alone"


@pytest.mark.parametrize(
    ("wiki", "wikitext", "shown"),
    [
        (
            "frwiki",
            "Au {{p.|12}}, le {{1er|mars}}, {{Mme|Dupont}}, {{n°}} 6.",
            "Au p. 12, le 1er mars, Mme Dupont, n° 6.",
        ),
        ("cswiki", "Slovo {{cizojazyčně|en|river}} a {{vjazyce2|de|Fluss}}.", "Slovo river a Fluss."),
        ("trwiki", "Kent {{dil|en|harbour}} ve {{dil-ru|Москва}}.", "Kent harbour ve Москва."),
        ("nlwiki", "De {{afkorting|NMBS|spoorwegen}} rijdt.", "De NMBS rijdt."),
        (
            "zhwikivoyage",
            "* {{see|name=磨坊|alt=舊磨坊|address=一号街|content=很老。}}",
            "- 磨坊（舊磨坊），一号街。很老。",
        ),
        (
            "jawikivoyage",
            "* {{see|name=水車|hours=9時|content=古い水車。|price=5円}}",
            "- 水車。9時。古い水車。5円",
        ),
        (
            "enwikivoyage",
            "* {{see|name=Mill|address=1 Mill St|content=Old.|price=€5}}",
            "- Mill, 1 Mill St. Old. €5",
        ),
    ],
)
def test_numbers_names_and_places_keep_what_stands_beside_them(wiki: str, wikitext: str, shown: str) -> None:

    assert to_text(wikitext, wiki=wiki) == shown


@pytest.mark.parametrize(
    ("wiki", "wikitext", "text"),
    [
        ("hewiki", "{{קישור שפה|אנגלית|Old ferry|המעבורת הישנה}}", "המעבורת הישנה"),
        ("hewiki", "{{קישור שפה|אנגלית|Old ferry|המעבורת הישנה|המעבורת}}", "המעבורת"),
        ("eswiki", "{{ill|en|La barca|The ferry}} a {{esd|3 km}}", "La barca a 3 km"),
        ("ptwiki", "{{ill|en|A barca|The ferry}}, {{ill|O cais|en|The quay|es|El muelle}}", "A barca, O cais"),
        ("rowiki", "{{Ill|fr|Bacul|Le bac|4=bac vechi}}, {{Ill-wd|Q12|3=cheiul}}{{Ill-wd|Q12}}.", "bac vechi, cheiul."),
        ("enwiki", "{{ill|Old ferry|fr|Vieux bac|lt=the ferry}}, {{ill|No|ja|能|de}}", "the ferry, No"),
        ("zhwiki", "{{link-en|渡船|Ferry|渡輪}}、{{le|碼頭|Quay}}、{{tsl|en|Lock|船闸}}、{{ilh|河|Canal|lang-code=en}}",
         "渡輪、碼頭、船闸、河"),
        ("zhwiki", "{{link-interwiki|zh=渡船|lang=en|lang_title=Ferry}}、{{liw|碼頭|en|Quay}}", "渡船、碼頭"),
        ("frwiki", "Le bac {{incise|le vieux}} du {{s mini|XIX}} de {{souverain-|Louis XII}}",
         "Le bac – le vieux – du XIXe siècle de Louis XII"),
        ("dewiki", "{{Bruch|3|4}} der {{Schiff|MS|Möwe}}", "3/4 der MS Möwe"),
        ("itwiki", "{{virgolette|il traghetto}}", "«il traghetto»"),
        ("jawiki", "{{訳語疑問点|渡し船|date=2020年5月}}が", "渡し船が"),
        ("viwiki", "{{khoảng|1850}}", "k. 1850"),
    ],
)  # fmt: skip
def test_templates_of_single_wikis(wiki: str, wikitext: str, text: str) -> None:
    assert to_text(wikitext, wiki=wiki) == text


@pytest.mark.parametrize(
    ("wiki", "wikitext", "text"),
    [
        ("enwiki", "{{columns-list|2|\n* [[Gull]]\n* [[Quay|Old quay]]\n}}Then", "- Gull\n- Old quay\nThen"),
        ("enwiki", "{{columns-list|colwidth=20em|* a}}\n{{Div col|20em}}\n* b\n{{Div col end}}", "- a\n- b"),
        ("enwiki", "{{div col|colwidth=7.5em|content=\n* a\n}}", "- a"),
        ("jawiki", "{{col-list|7.5em|\n* [[川]]\n* 海\n}}{{columns-list|25em|* 山}}", "- 川\n- 海\n- 山"),
        ("jawiki", "{{col|\n; 東\n* 川\n|\n; 西\n* 海\n}}", "東\n- 川\n西\n- 海"),
        ("ukwiki", "{{columns-list|3|\n* [[Річка]]\n}}", "- Річка"),
        ("bnwiki", "{{columns|width=50%\n|col1=\n* নদী\n|col2=\n* সাগর\n}}", "- নদী\n- সাগর"),
        ("enwiki", "A {{columns-list|2}}b", "A b"),
        ("bnwiki", "{{rquote|right|নদী বড়|কবি}}{{align|right|{{x}}}}", "নদী বড়"),
        ("enwiki", "{{align|right|5}} {{rotate|90|North}} {{lsp|0.1em|Gull}} {{rotate|Quay}}", "5 North Gull Quay"),
    ],
)  # fmt: skip
def test_settings_of_lists_and_quotations_are_no_text(wiki: str, wikitext: str, text: str) -> None:
    assert to_text(wikitext, wiki=wiki) == text


@pytest.mark.parametrize("wiki", COUNTRIES)
def test_codes_of_countries_show_their_names(wiki: str) -> None:
    text = to_text("{{CHN}}, {{GER}}, {{flag|FRA}}, {{flagcountry|Fiji}}.{{XYZ}}{{chn}}", wiki=wiki)
    assert text == f"{COUNTRIES[wiki]}."


def test_a_wiki_in_a_language_without_names_of_countries_shows_none() -> None:
    assert to_text("a {{CHN}} b, {{flag|FRA}}", wiki="gotwiki") == "a b, FRA"
