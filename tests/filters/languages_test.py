"""Rules that make sense in every language: prose stays, menus and spam go, whatever the script."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import lxml.html
import pytest

from corpus.text.conventions import DEFAULT_FILE_NAME, language_files
from tests.filters.measuring import failed, measure
from tests.filters.prose import MENUS, PROSE

PRESETS = ["fineweb", "gopher_quality", "text_only"]


@pytest.mark.parametrize("language", PROSE)
def test_prose_passes(language: str) -> None:
    assert failed(PROSE[language], language, PRESETS) == []


@pytest.mark.parametrize("language", [name for name in PROSE if name not in ("tha_Thai", "jpn_Jpan")])
def test_prose_passes_c4(language: str) -> None:
    assert failed(f"{PROSE[language]}\n{PROSE[language]}", language, ["c4"]) == []


@pytest.mark.parametrize("language", PROSE)
def test_the_menu_of_a_shop_fails_for_what_it_is(language: str) -> None:
    """Many words, one a line, none of them a function word and none the end of a sentence."""
    words = MENUS[language].split()
    space = "" if language[:3] in ("cmn", "jpn") else " "
    menu = "\n".join(f"{word}{space}{other}" for word in words for other in words)
    found = failed(menu, language, PRESETS)
    assert "gopher.stop_words.min" in found
    if language != "tha_Thai":
        assert "fineweb.terminal_lines.min" in found
    assert not any(name.endswith(".missing") for name in found)


@pytest.mark.parametrize("language", PROSE)
def test_a_paragraph_pasted_over_and_over_fails_for_repetition(language: str) -> None:
    found = failed("\n".join([PROSE[language].splitlines()[0]] * 9), language, ["gopher_repetition"])
    assert {"gopher_repetition.duplicate_lines.max", "gopher_repetition.duplicate_10_grams.max"} <= set(found)


@pytest.mark.parametrize("language", PROSE)
def test_a_table_of_numbers_fails_for_want_of_letters(language: str) -> None:
    numbers = " ".join(f"{number * 37}, {number}.5;" for number in range(60))
    found = failed(f"{PROSE[language].splitlines()[0]}\n{numbers}", language, ["gopher_quality", "text_only"])
    assert {"gopher.alphabetic_words.min", "text.letters.min"} <= set(found)


@pytest.mark.parametrize("language", PROSE)
def test_prose_in_another_language_has_not_its_stop_words(language: str) -> None:
    chinese = {"cmn_Hans", "cmn_Hant"}
    for other, text in PROSE.items():
        if language in chinese and other == "jpn_Jpan":
            continue  # 中 and 一 are words of both
        same = other == language or {other, language} <= chinese
        assert (measure(text, language)["gopher.stop_words"] >= 2) == same, other


def test_english_bounds_alone_would_drop_chinese() -> None:
    """Why values are by language: the words of Chinese are two characters long."""
    assert "gopher.mean_word_length.min" in failed(PROSE["cmn_Hans"], "eng_Latn", ["gopher_quality"])


def test_a_language_without_a_file_is_judged_by_what_holds_anywhere() -> None:
    text = "\n".join(
        line.translate(str.maketrans("aeiou", "eioua")) for line in PROSE["eng_Latn"].splitlines()
    )
    assert failed(text, "zul_Latn", PRESETS) == []
    assert failed(text, None, PRESETS) == []
    assert "gopher.stop_words.min" in failed(text, "eng_Latn", PRESETS)


UDHR = {
    "arb": "arb", "ben": "ben", "bod": "bod", "bul": "bul", "ces": "ces", "cmn_Hans": "cmn_hans",
    "cmn_Hant": "cmn_hant",
    "deu": "deu_1996", "ell": "ell_monotonic", "eng": "eng", "fas": "pes_1", "fin": "fin", "fra": "fra", "heb": "heb",
    "hin": "hin", "hrv": "hrv", "hun": "hun", "ind": "ind", "ita": "ita", "jpn": "jpn", "kat": "kat", "khm": "khm",
    "kor": "kor", "lao": "lao", "mal": "mal", "mya": "mya", "nld": "nld", "pan_Guru": "pan", "pol": "pol",
    "por": "por_PT", "ron": "ron_2006", "rus": "rus", "spa": "spa", "swe": "swe", "swh": "swh", "tam": "tam",
    "afr_Latn": "afr", "azj_Cyrl": "azj_cyrl", "bel_Cyrl": "bel", "cym_Latn": "cym", "gla_Latn": "gla",
    "gle_Latn": "gle", "mlt_Latn": "mlt", "uig_Arab": "uig_arab", "yue": "yue",
    "tel": "tel", "tha": "tha", "tur": "tur", "ukr": "ukr", "urd": "urd", "yor": "yor",
}  # fmt: skip


def test_a_good_text_passes_in_every_language_that_there_is_one_in(data: Path) -> None:
    """The Universal Declaration of Human Rights repeats itself ("everyone has the right to"), all else should hold."""
    served = {name[:3] for name in language_files()} - {DEFAULT_FILE_NAME[:3]}
    seen = 0
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for label, name in UDHR.items():
            file = archive.extractfile(f"declaration/{name}.html")
            assert file is not None and label[:3] in served
            page = lxml.html.fromstring(file.read().decode())
            blocks = [re.sub(r"\s+", " ", block.text_content()).strip() for block in page.iter("h1", "p")]
            text = "\n".join(block for block in blocks if block)
            names = failed(text, label, ["gopher_quality", "text_only", "fineweb"])
            assert [one for one in names if not one.startswith("gopher_repetition.duplicate_")] == [], label
            seen += 1
    assert seen == len(UDHR)
