"""Signals of languages besides a document's own, by paragraphs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from corpus.filters import load_filter
from corpus.languages.identify import Identifier
from corpus.languages.labels import language_part
from corpus.languages.paragraphs import MAX_PARAGRAPHS, are_related, label_paragraphs
from corpus.text.page import Page
from tests.filters.measuring import list_measured

PARAGRAPHS = {
    "eng_Latn": "The ferry leaves the northern quay at seven, and whoever misses it waits until the evening tide.",
    "cmn_Hans": "渡船早上七点离开北码头，错过的人只能等到傍晚涨潮，那时候河面上常常起雾，谁也看不清对岸。",
    "cmn_Hant": "渡船早上七點離開北碼頭，錯過的人只能等到傍晚漲潮，那時候河面上常常起霧，誰也看不清對岸。",
    "jpn_Jpan": "渡し船は朝七時に北の桟橋を出る。乗り遅れた人は夕方の満ち潮まで待つしかなく、川にはよく霧がかかる。",
    "tha_Thai": "เรือข้ามฟากออกจากท่าเรือทางเหนือตอนเจ็ดโมงเช้า และใครที่พลาดเรือจะต้องรอจนถึงน้ำขึ้นในตอนเย็น",
    "arb_Arab": "تغادر العبّارة الرصيف الشمالي في السابعة صباحًا، ومن يفوته الموعد ينتظر حتى مدّ المساء قرب المنارة.",
    "hin_Deva": "नाव सुबह सात बजे उत्तरी घाट से चलती है, और जो उसे चूक जाता है वह शाम के ज्वार तक वहीं प्रतीक्षा करता है।",
    "rus_Cyrl": "Паром отходит от северного причала в семь, и кто опоздал, ждёт вечернего прилива до самой темноты.",
}


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_paragraphs_are_named_and_placed(language: str) -> None:
    other = "rus_Cyrl" if language != "rus_Cyrl" else "eng_Latn"
    text = f"1.\n{PARAGRAPHS[language]}\n\n{PARAGRAPHS[other]}"
    first, second = label_paragraphs(text, Identifier())
    assert [each.label for each in (first, second)] == [language, other]
    assert text[first.begin : first.end] == PARAGRAPHS[language] and second.end == len(text)


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_shares_of_the_second_and_of_other_languages(language: str) -> None:
    measure = load_filter("mixed_language").measure
    own = PARAGRAPHS[language]
    assert measure(Page("\n".join([own] * 3), language)) == (0.0, 0.0, 0.0)
    others = [PARAGRAPHS[label] for label in ("tha_Thai", "arb_Arab", "jpn_Jpan") if label != language]
    first, last = others[:2]
    second, both, unknown = measure(Page("\n".join([own, first, first, last]), language))
    sizes = [len(text.encode()) for text in (own, first, first, last)]
    assert second == pytest.approx(2 * sizes[1] / sum(sizes))
    assert both == pytest.approx(1 - sizes[0] / sum(sizes)) and unknown == 0


def test_close_relatives_are_the_documents_own_and_nothing_is_made_of_short_lines() -> None:
    measure = load_filter("mixed_language").measure
    assert measure(Page(PARAGRAPHS["cmn_Hant"], "yue_Hant"))[1] == 0
    assert are_related("hrv_Latn", "srp_Cyrl") and not are_related("rus_Cyrl", "bul_Cyrl")
    assert all(math.isnan(value) for value in measure(Page("Home\nAbout us\n首页", "eng_Latn")))
    for unknown in ("code_Python", "und_Zyyy", None):
        assert all(math.isnan(value) for value in measure(Page(PARAGRAPHS["eng_Latn"], unknown)))
    runes = "ᚠᚢᚦ ᚨᚱᚲ ᚷᚹᚺ " * 8  # of no language that is known
    assert measure(Page(f"{PARAGRAPHS['eng_Latn']}\n{runes}", "eng_Latn"))[2] > 0.4


def test_of_many_paragraphs_some_are_looked_at_from_beginning_to_end() -> None:
    text = "\n".join([PARAGRAPHS["eng_Latn"]] * 100 + [PARAGRAPHS["tha_Thai"]] * 100)
    paragraphs = label_paragraphs(text, Identifier())
    assert len(paragraphs) == MAX_PARAGRAPHS
    assert sum(language_part(each.label) == "tha" for each in paragraphs) == MAX_PARAGRAPHS // 2


@pytest.mark.parametrize("is_read", [False, True])
def test_it_is_measured_only_where_a_rule_reads_it(tmp_path: Path, is_read: bool) -> None:
    rules = "rules: {mixed_language.others: {max: 0.4}}\n" if is_read else ""
    assert ("mixed_language" in list_measured(tmp_path, "jsonl", rules)) == is_read
