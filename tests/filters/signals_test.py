"""Signals of short texts, worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.filters.url import find_url_gate
from tests.filters.measuring import SIGNALS, measure


@pytest.mark.parametrize(
    ("language", "text", "words", "length"),
    [
        ("eng_Latn", "It's an old ferry-boat.", 5, 3.6),
        ("cmn_Hans", "我们都是学生。", 3, 2.0),
        ("cmn_Hant", "我們都是學生。", 3, 2.0),
        ("tha_Thai", "ภาษาไทย", 2, 3.5),
        ("arb_Arab", "الولد في البيت؟", 3, 4.0),
        ("hin_Deva", "यह मेरा घर है।", 4, 2.5),
        (None, "𝒜𝒜𝒜 😀", 1, 3.0),
    ],
)
def test_words_and_their_mean_length_in_characters(
    language: str | None, text: str, words: int, length: float
) -> None:
    found = measure(text, language)
    assert found["gopher.words"] == found["text.words"] == words
    assert found["gopher.mean_word_length"] == pytest.approx(length)


def test_gophers_ratios_count_tokens_and_all_lines() -> None:
    found = measure("# One # two...\n\n- three four…\n• five\n", "eng_Latn")
    tokens = 12  # # One # two ... - three four … • five
    assert found["gopher.hashes"] == pytest.approx(2 / (tokens - 1))
    assert found["gopher.ellipses"] == pytest.approx(2 / (tokens - 1))
    assert found["gopher.bullet_lines"] == pytest.approx(2 / 4)
    assert found["gopher.ellipsis_lines"] == pytest.approx(2 / 4)
    assert found["gopher.alphabetic_words"] == pytest.approx(5 / (tokens - 1))


def test_chinese_ellipses_and_bullets_count() -> None:
    found = measure("・第一\n他说……\n等等⋯\n完。", "cmn_Hans")
    assert found["gopher.bullet_lines"] == found["gopher.ellipsis_lines"] / 2 == 0.25


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("eng_Latn", "The end of THE story, and that is with you.", 5),
        ("cmn_Hans", "这是我的书，也是他的书。", 5),
        ("cmn_Hant", "這是我的書，和他在一起。", 4),
        ("jpn_Jpan", "私は本を読む", 2),
        ("rus_Cyrl", "И это не он", 4),
        ("tha_Thai", "ที่บ้านและในเมือง", 3),
    ],
)
def test_different_stop_words_count_once(language: str, text: str, count: int) -> None:
    assert measure(text, language)["gopher.stop_words"] == count


def test_stop_words_of_a_language_without_a_list_are_not_measured() -> None:
    assert math.isnan(measure("Anything at all", "xho_Latn")["gopher.stop_words"])
    assert math.isnan(measure("Anything at all", None)["gopher.stop_words"])


def test_repeated_lines_and_paragraphs_by_number_and_by_characters() -> None:
    found = measure("ab\nab\ncdef\n\nab\n\nab", "eng_Latn")
    total = 18
    assert found["gopher_repetition.duplicate_lines"] == pytest.approx(3 / 5)
    assert found["gopher_repetition.duplicate_line_characters"] == pytest.approx(6 / total)
    assert found["gopher_repetition.duplicate_paragraphs"] == pytest.approx(1 / 3)
    assert found["gopher_repetition.duplicate_paragraph_characters"] == pytest.approx(2 / total)
    assert found["fineweb.duplicate_line_characters"] == pytest.approx(6 / 12)


def test_repeated_n_grams_by_characters_of_the_text() -> None:
    text = "好 x 好 x 好 x"
    found = measure(text, "cmn_Hans")
    assert found["gopher_repetition.top_2_gram"] == pytest.approx(3 * 3 / len(text))
    assert found["gopher_repetition.top_3_gram"] == pytest.approx(2 * 5 / len(text))
    assert found["gopher_repetition.duplicate_5_grams"] == 0
    long = " ".join("abcde" * 3)
    assert measure(long)["gopher_repetition.duplicate_5_grams"] == pytest.approx(10 / len(long))


ANY_TEXT = st.text(
    st.sampled_from("ab.,#-…\n \t{中。ไา1'’\ud800😀\u0301") | st.characters(exclude_categories=[]),
    max_size=200,
)
C4_LINES = """\
This line stays because it ends well.
This one does not
Too short.
We use Javascript on this page.
Our site uses cookies for everything.
"He said that it stays too."
This one trails off...
It stays with a citation.[12]"""


def test_c4_says_what_its_line_rules_would_keep() -> None:
    found = measure(C4_LINES, "eng_Latn")
    assert found["c4.lines_kept"] == pytest.approx(3 / 8)
    assert found["c4.terminal_lines"] == pytest.approx(6 / 8)
    assert found["c4.javascript_lines"] == found["c4.policy_lines"] == pytest.approx(1 / 8)
    assert found["c4.sentences"] == found["c4.tfds_sentences"] == 3
    assert found["c4.unpunctuated_sentences"] == 5
    assert found["c4.longest_word"] == len("citation.[12]")


def test_c4_reads_chinese_lines_and_phrases() -> None:
    found = measure(
        "今天我们一起去公园散步。天气非常好！\n没有句号的标题行\n本站使用cookie。\n他说：“我知道了。”",
        "cmn_Hans",
    )
    assert found["c4.sentences"] == 3
    assert found["c4.policy_lines"] == 0.25
    assert found["c4.terminal_lines"] == 0.75
    assert measure("Diese Seite verwendet Cookies.\nGut.", "deu_Latn")["c4.policy_lines"] == 0.5


def test_a_long_paragraph_in_a_script_without_spaces_is_no_long_word() -> None:
    assert measure("中文字" * 1000, "cmn_Hans")["c4.longest_word"] == 0
    assert measure("ก" * 3000, "tha_Thai")["c4.longest_word"] == 0
    assert measure("x" * 1500, "cmn_Hans")["c4.longest_word"] == 1500


@pytest.mark.parametrize(
    "good", ["L'été à « la café » : 20 °C", "Ñandú, mañana, ÇA, NÃO", "Привет, мир", "中文，字", "für Öl", ""]
)
def test_good_text_is_no_mojibake(good: str) -> None:
    assert measure(good)["text.mojibake"] == measure(good)["text.replacement"] == 0


@pytest.mark.parametrize("good", ["été für naïve", "“don’t” – yes", "Привет", "مرحبا", "中文字"])
@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_utf_8_read_wrongly_is_mojibake(good: str, wrong: str) -> None:
    bad = good.encode().decode(wrong, "replace")
    assert measure(bad)["text.mojibake"] + measure(bad)["text.replacement"] > 0.05


def test_shares_of_characters() -> None:
    found = measure("ab 12 €\ufffd कि")
    assert found["text.characters"] == 11
    assert found["text.letters"] == pytest.approx(4 / 8)
    assert found["text.digits"] == pytest.approx(2 / 8)
    assert found["text.symbols"] == pytest.approx(2 / 8)
    assert found["text.replacement"] == pytest.approx(1 / 11)
    assert measure("a b A c")["text.unique_words"] == 0.75


def test_nothing_has_signals_too() -> None:
    for text in ("", " \n\n", "。"):
        found = measure(text, "eng_Latn")
        assert {name for name, value in found.items() if math.isnan(value)} == {
            n for n in SIGNALS if n.startswith("url.")
        }
        assert found["gopher.words"] == found["fineweb.short_lines"] * 0 == 0


@settings(max_examples=60)
@given(ANY_TEXT)
def test_any_text_can_be_measured_and_shares_are_shares(text: str) -> None:
    found = measure(text, "eng_Latn", "https://example.org/")
    assert not any(math.isnan(value) or value < 0 for value in found.values())
    for name in (
        "text.letters",
        "text.unique_words",
        "gopher.alphabetic_words",
        "gopher.bullet_lines",
        "c4.lines_kept",
    ):
        assert found[name] <= 1
    assert measure(text, "eng_Latn", "https://example.org/") == found


@pytest.mark.parametrize(
    ("good", "charset", "read_as"),
    [
        ("Le pont a été réparé l'été dernier, les élèves préfèrent la rivière gelée.", "mac_roman", "cp1252"),
        ("Die Rückkehr der Grünen fällt später aus, erklärte Günther unverdächtig.", "cp850", "mac_roman"),
        ("Niewątpliwie młodzież będzie wolała dłuższą drogę przez śnieżną łąkę.", "cp1250", "latin-1"),
        ("Niewątpliwie młodzież będzie wolała dłuższą drogę przez śnieżną łąkę.", "iso8859_2", "latin-1"),
    ],
)
def test_a_latin_charset_read_as_another_is_mojibake(good: str, charset: str, read_as: str) -> None:
    assert measure(good * 5)["text.mojibake"] == 0
    assert measure(good.encode(charset).decode(read_as, "replace") * 5)["text.mojibake"] > 0.02


@pytest.mark.parametrize(
    "good",
    [
        "Poblacht na hÉireann, an tÚdarás, i nÉirinn; na hÓga agus an tÁth. ",
        "Te k´op yu´un me winik, don´t, l´été, it´s; col·legi, paral·lel, 5€, m², § 5. ",
        "iPhone, McÉwan, ÀÉÎ, “café”, São João, CAFÉ, œuvre, Ærø, ŽILINA, Čača. ",
    ],
)
def test_capitals_and_marks_in_real_words_are_no_mojibake(good: str) -> None:
    assert measure(good * 5)["text.mojibake"] == 0


@pytest.mark.parametrize(
    ("url", "gate"),
    [
        ("https://en.wikipedia.org/wiki/Ferry", None),
        ("https://www.essex.ac.uk/sussex/sextant-analysis", None),
        ("https://www.pornic.fr/tourisme", None),
        ("http://例え.jp/ページ", None),
        ("https://gold.example/page.html", None),
        ("http://8.8.8.8/page", None),
        ("ftp://example.org/file", "url.scheme"),
        ("javascript:alert(1)", "url.scheme"),
        ("http://192.168.0.1/admin", "url.host"),
        ("http://localhost/", "url.host"),
        ("http://printer.local/", "url.host"),
        ("http://abcdefghij.onion/", "url.host"),
        ("http://[::1/", "url.host"),
        ("https://de.pornhub.com/x", "url.domain"),
        ("https://free-porn.example.org/", "url.word"),
        ("https://a.example/%E8%89%B2%E6%83%85/1", "url.word"),
        ("https://a.example/видео/порно", "url.word"),
        ("https://a.example/x?q=คลิปโป๊ใหม่", "url.word"),
        ("https://a.example/online-casino", None),
        ("https://a.example/online-casino-poker", "url.soft_words"),
        ("https://a.example/博彩/六合彩", "url.soft_words"),
    ],
)
def test_addresses_that_no_corpus_wants_are_stopped(url: str, gate: str | None) -> None:
    assert find_url_gate(url) == gate


def test_addresses_are_measured() -> None:
    found = measure("x", None, "https://a-b.example/2024/05/sex-casino?q=1&p=2")
    assert found["url.length"] == 46
    assert found["url.depth"] == 3
    assert found["url.parameters"] == 2
    assert found["url.digits"] == pytest.approx(8 / 46)
    assert found["url.hyphens"] == pytest.approx(2 / 46)
    assert (found["url.hard_words"], found["url.soft_words"]) == (0, 2)
    assert math.isnan(measure("x")["url.length"])
