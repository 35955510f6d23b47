"""Charsets: what a page is read as when it declares the right one, none, or a wrong one."""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.formats.encodings import codec_of, decode, find_declared_label, find_wide_order
from corpus.formats.mojibake import measure_atypicality, measure_mojibake

TEXTS = {
    "windows-1252": "Où est passé le « garçon » ? Il était à l’hôtel, près de la forêt où il chassait.",
    "iso-8859-2": "Zażółć gęślą jaźń, rzekł wieśniak, gdy źrebię wbiegło w świeżo zaorane pole pełne żab.",
    "windows-1251": "Съешь же ещё этих мягких французских булок, да выпей чаю, пока они не остыли.",
    "koi8-r": "Широкая электрификация южных губерний даст мощный толчок подъёму сельского хозяйства.",
    "iso-8859-7": "Ο καλύμνιος σφουγγαράς ψιθύρισε πως θα βουτήξει χωρίς να διστάζει στα βαθιά νερά.",
    "windows-1255": "דג סקרן שט בים מאוכזב ולפתע מצא לו חברה נעימה בין השוניות הצבעוניות של אילת.",
    "windows-1256": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق في المدينة.",
    "iso-8859-9": "Pijamalı hasta yağız şoföre çabucak güvendi ve ışıklı yoldan dağ köyüne doğru gitti.",
    "tis-620": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน จงฝ่าฟันพัฒนาวิชาการ",
    "gb2312": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "big5": "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。",
    "shift_jis": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "euc-jp": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "iso-2022-jp": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "euc-kr": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 이성을 가졌다.",
    "utf-8": "人人生而自由。 Все люди рождаются свободными. すべての人間は自由である。 Où est l'été ?",
}


def page(text: str, label: str | None = None) -> str:
    meta = f'<meta charset="{label}">' if label else ""
    return f"<!doctype html><html><head>{meta}<title>1</title></head><body><p>{text}</p></body></html>"


def encode(text: str, label: str) -> bytes:
    codec = codec_of(label)
    assert codec is not None
    return text.encode(codec)


@pytest.mark.parametrize("label", TEXTS)
def test_a_right_declaration_in_http_or_in_the_page(label: str) -> None:
    text = page(TEXTS[label])
    assert decode(encode(text, label), label)[0] == text
    text = page(TEXTS[label], label)
    assert decode(encode(text, label))[0] == text


@pytest.mark.parametrize("label", TEXTS)
def test_no_declaration(label: str) -> None:
    text = page(TEXTS[label])
    assert decode(encode(text, label))[0] == text


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1", "gb2312", "shift_jis"])
@pytest.mark.parametrize("label", TEXTS)
def test_a_wrong_declaration(label: str, wrong: str) -> None:
    text = page(TEXTS[label])
    assert decode(encode(text, label), wrong)[0] == text


def test_utf8_beats_a_wrong_single_byte_declaration() -> None:
    assert decode("Où est l'été ?".encode(), "iso-8859-1") == ("Où est l'été ?", "utf-8")


def test_labels_mean_what_browsers_take_them_for() -> None:
    assert [
        codec_of(label) for label in ("GB2312", " latin1 ", "'Shift_JIS'", "ks_c_5601-1987", "TIS-620")
    ] == [
        "gb18030",
        "cp1252",
        "cp932",
        "cp949",
        "cp874",
    ]
    assert codec_of("no-such-charset") is None
    assert codec_of(None) is None


def test_characters_beyond_the_charset_declared() -> None:
    assert decode(encode(page("朱镕基是中国前总理，生于湖南长沙。"), "gb18030"), "gb2312")[0].count("镕") == 1
    assert (
        decode(encode(page("①ばんめの人は、東京に住んでいます。"), "shift_jis"), "shift_jis")[0].count("①")
        == 1
    )


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
def test_unicode_with_and_without_a_byte_order_mark(codec: str) -> None:
    text = page("Plain English with a «quotation» and some more words, as pages have.")
    assert decode(text.encode(codec))[0] == text


def test_no_page_is_lost_to_one_byte() -> None:
    text = page(TEXTS["utf-8"] * 5)
    damaged = text.encode().replace("Все".encode(), b"\xd0\xff" + "Все".encode()[2:], 1)
    got, codec = decode(damaged, "utf-8")
    assert codec == "utf-8"
    assert got.count("\ufffd") == 2
    assert "人人生而自由" in got

    text = page(TEXTS["gb2312"] * 5)
    got, codec = decode(encode(text, "gb2312") + b"\xff", "gb2312")
    assert codec == "gb18030"
    assert got == text + "\ufffd"


def test_a_page_cut_inside_a_character() -> None:
    body = page(TEXTS["utf-8"] * 5).encode()
    cut = body[: body.rindex("自由".encode()) + 4]
    assert decode(cut)[0] == cut.decode(errors="replace")
    assert decode(cut)[1] == "utf-8"


def test_a_few_signs_in_english_do_not_overrule_the_declaration() -> None:
    text = page("The price was £5 — or €6 — for a ½ pint, the café’s owner said. " * 3)
    assert decode(encode(text, "windows-1252"), "windows-1252")[0] == text
    assert decode(encode(text, "windows-1252"))[0] == text


def test_the_declaration_is_read_where_pages_put_it() -> None:
    assert (
        find_declared_label(b'<meta http-equiv="Content-Type" content="text/html; charset=euc-jp">')
        == "euc-jp"
    )
    assert find_declared_label(b"<META CHARSET = gbk >") == "gbk"
    assert find_declared_label(b'<?xml version="1.0" encoding="koi8-r"?><rss>') == "koi8-r"
    assert find_declared_label(b'<!-- <meta charset="big5"> --><meta charset="utf-8">') == "utf-8"
    assert find_declared_label(b'<metacharset="big5">') is None
    assert find_declared_label(b'<meta charset="bogus"><meta charset="iso8859-2">') == "iso8859-2"
    assert find_declared_label(b" " * 3000 + b'<meta charset="big5">') == "big5"
    assert decode("<meta charset=koi8-r>текст".encode("koi8-r"), html=False)[1] != "utf-8"


def test_mojibake_counts_what_a_wrong_charset_leaves_behind() -> None:
    for text in TEXTS.values():
        assert measure_mojibake(text) < 0.15
    assert measure_mojibake("Съешь же ещё этих мягких".encode("cp1251").decode("cp1252", "replace")) > 0.3
    assert measure_mojibake(TEXTS["shift_jis"].encode("cp932").decode("cp949", "replace")) > 0.3
    assert measure_mojibake("plain ASCII") == 0.0
    assert measure_mojibake("") == 0.0


def test_east_asian_charsets_are_told_apart_by_what_their_languages_must_have() -> None:
    korean = TEXTS["euc-kr"].encode("cp949")
    assert measure_atypicality(korean.decode("cp949"), "cp949") == 0.0
    assert measure_atypicality(korean.decode("gb18030", "replace"), "cp949") > 0.0
    assert measure_atypicality(korean.decode("euc_jp", "replace"), "euc_jp") > 0.0


@given(
    st.binary(max_size=400), st.sampled_from([None, "utf-8", "gbk", "shift_jis", "iso-2022-jp", "nonsense"])
)
def test_any_bytes_give_some_text(body: bytes, declared: str | None) -> None:
    text, codec = decode(body, declared)
    assert isinstance(text, str)
    assert "\udc80" not in text
    assert codec
    text.encode("utf-8")


@given(st.text(max_size=300))
def test_utf8_with_a_mark_is_read_exactly(text: str) -> None:
    assert decode(b"\xef\xbb\xbf" + text.encode())[0] == text


SUFFIX = re.compile(
    r"-(croatian|czech|hungarian|polish|slovak|slovene|bulgarian|russian|arabic|greek|turkish|romanian|hebrew)$"
)
DECLARATION = re.compile(rb"(?i)(encoding|charset)\s*=\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_\-]+)")


def test_real_pages_in_forty_charsets(data: Path) -> None:
    """224 pages of chardet's collection: right wherever the charset is declared, 99 % where it is not or
    wrongly so (what is missed: DOS text in Johab, a Macintosh listing with one sign)."""
    right: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    with tarfile.open(data / "dirty/chardet-encodings/pages.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            label = SUFFIX.sub("", member.name.split("/")[0].lower())
            if stream is None or label == "euc-tw":
                continue
            codec = {
                "utf-8-sig": "utf-8-sig",
                "utf-16": "utf-16",
                "utf-16le": "utf-16-le",
                "utf-16be": "utf-16-be",
            }.get(label, codec_of(label) or label)
            body = stream.read()
            if not label.startswith("utf-"):
                body = DECLARATION.sub(b"", body)
            expected = body.decode(codec, "replace").lstrip("\ufeff")
            declarations = {"right": label, "none": None, "wrong 1": "iso-8859-1", "wrong 2": "shift_jis"}
            for case, declared in declarations.items():
                if case.startswith("wrong") and codec_of(declared) == codec:
                    continue
                text = decode(body, declared)[0].lstrip("\ufeff")
                wrong = sum(a != b for a, b in zip(text, expected, strict=False)) + abs(
                    len(text) - len(expected)
                )
                pages[case] += 1
                right[case] += wrong <= 0.02 * sum(character > "\x7f" for character in expected)
    assert pages["right"] == 224
    assert right["right"] == 224
    for case in ("none", "wrong 1", "wrong 2"):
        assert right[case] / pages[case] >= 0.99, case


UNMARKED = {
    "zh": "图书馆星期一闭馆，读者可以在门口的箱子里还书，也可以一周以后再来。",
    "zh_Hant": "圖書館星期一休館，讀者可以在門口的箱子裡還書，也可以一週以後再來。",
    "ja": "図書館は月曜日に休みます。本は入口の箱に返してください。",
    "ko": "도서관은 월요일에 쉽니다. 책은 입구의 상자에 반납해 주십시오.",
    "ru": "Библиотека закрыта по понедельникам, книги можно оставить в ящике у входа.",
    "hi": "पुस्तकालय सोमवार को बंद रहता है, किताबें दरवाज़े के पास के डिब्बे में रख दें।",
    "th": "ห้องสมุดปิดวันจันทร์ กรุณาคืนหนังสือในกล่องที่ประตูทางเข้า",
    "ar": "المكتبة مغلقة يوم الاثنين ويمكن إعادة الكتب في الصندوق عند المدخل.",
}


@pytest.mark.parametrize("language", UNMARKED)
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("label", ["utf-16", "UTF-16LE", "utf-16be"])
def test_utf16_without_a_mark_is_read_where_it_is_declared(language: str, codec: str, label: str) -> None:
    text = UNMARKED[language]
    assert decode(text.encode(codec), label, html=False) == (text, codec)
    page = f"<html><body><p>{text}</p></body></html>"
    assert decode(page.encode(codec), label) == (page, codec)
    page = f'<html><head><meta charset="utf-16"></head><body>{text * 9}</body></html>'
    assert decode(page.encode(codec)) == (page, codec)


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be"])
def test_a_wrong_declaration_of_utf16_is_not_believed(label: str) -> None:
    for language, codec in (
        ("ru", "cp1251"),
        ("zh", "gb18030"),
        ("ja", "cp932"),
        ("ru", "utf-8"),
        ("zh", "utf-8"),
    ):
        body = f"<html><body><p>{UNMARKED[language] * 3}</p></body></html>".encode(codec)
        assert UNMARKED[language] in decode(body, label)[0]


def test_seven_bit_charsets_are_read_where_they_are_declared_alone() -> None:
    for codec, label, text in (("hz", "HZ-GB-2312", UNMARKED["zh"]), ("utf-7", "utf-7", UNMARKED["ru"])):
        assert decode(text.encode(codec), label) == (text, codec)
        page = f'<meta http-equiv="content-type" content="text/html; charset={label}"><p>{text}'
        assert decode(page.replace(text, "").encode() + text.encode(codec)) == (page, codec)
    assert decode(b"1 +2 is three, and ~{ opens nothing") == ("1 +2 is three, and ~{ opens nothing", "utf-8")


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("body", [b"1 + 2\0", b"~{a} \0 +"])
def test_ascii_with_a_nul_is_read_where_nothing_is_declared(body: bytes, html: bool) -> None:
    assert decode(body, None, html=html) == (body.decode(), "utf-8")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("cp850", "Fußgänger überqueren die Straße nur bei Grün."),
        ("ibm852", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
    ],
)
def test_code_pages_of_dos_are_read_where_they_are_declared(label: str, text: str) -> None:
    assert decode(text.encode(label), label)[0] == text


@pytest.mark.parametrize("head", ["", '<meta charset="gb2312">'])
def test_hz_that_is_not_declared_as_such(head: str) -> None:
    page = f"<html><head>{head}</head><body><p>大桥在冬天到来之前修好了</p></body></html>"
    assert decode(page.encode("hz")) == (page, "hz")
    code = b"<p>if (a) ~{return b;~} or ~{ and ~}</p>"
    assert decode(code) == (code.decode(), "utf-8")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_chinese_page_in_utf_16_that_declares_nothing(codec: str) -> None:
    page = "\n<html><body><p>" + "一二一三一四伀丂一开大桥修好了" * 20 + "</p></body></html>"
    assert decode(page.encode(codec)) == (page, codec)


@pytest.mark.parametrize("codec", ["latin-1", "cp1250", "cp1251"])
@pytest.mark.parametrize(
    "text", ["\tdie Brücke über den Fluß\n", "\td\tПо реке плывут корабли\n", "\tpřes řeku\n"]
)
def test_long_texts_of_one_byte_a_character_are_no_utf16(codec: str, text: str) -> None:
    body = (text * 500).encode(codec, "ignore")
    assert [find_wide_order(body[start:]) for start in (0, 1)] == [None, None]
    assert decode(body, "utf-16", html=False)[0].count("\t") == body.count(b"\t")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "По реке плывут корабли. ",
        "河の向こうに町がある。",
        "長江是亞洲第一長河，",
        "نهر النيل طويل. ",
        "गंगा नदी। ",
    ],
)
def test_long_texts_in_utf16_without_a_mark_are_told(text: str, codec: str) -> None:
    assert [find_wide_order((text * times).encode(codec)) for times in (6, 1000)] == [codec, codec]
