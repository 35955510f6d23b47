"""Tokens whose spelling does not matter, and where they stand in the text."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.decontamination.folded_tokens import GRAM, fold_tokens
from corpus.text.units import to_text, to_units

SAME = {
    "case and punctuation": (
        "Which gas do plants take in, at night: oxygen or nitrogen?",
        "WHICH GAS - do plants take in at night; “oxygen” or nitrogen",
    ),
    "labels of options": (
        "Iron copper. A) silver B) gold C) zinc D) lead",
        "iron copper silver gold zinc lead",
    ),
    "width": ("ＡＢＣ広場の入口はどちらですか１２３", "abc広場の入口はどちらですか123"),
    "half-width kana": ("ｶﾞﾗｽの窓をふいてください", "ガラスの窓をふいてください"),
    "Chinese scripts": ("國家圖書館的開放時間是幾點", "国家图书馆的开放时间是几点"),
    "Chinese punctuation": ("水，在零度时；变成冰。对吗", "水在零度时变成冰对吗"),
    "digits": ("في عام ١٩٤٥ انتهت الحرب العالمية الثانية", "في عام 1945 انتهت الحرب العالمية الثانية"),
    "tatweel and soft hyphens": ("الحـــرب العا\u00adلمية الثانية", "الحرب العالمية الثانية"),
    "no-break spaces": (
        "Москва\u00a0столица России и\u202fкрупнейший город",
        "москва столица россии и крупнейший город",
    ),
    "ideographic spaces": ("問題\u3000答案\u3000選項", "问题 答案 选项"),
    "spaces between phrases in Thai": ("ฉันชอบกินข้าวผัด และดื่มน้ำส้มทุกเช้า", "ฉันชอบกินข้าวผัดและดื่มน้ำส้มทุกเช้า"),
    "Khmer": ("ខ្ញុំរស់នៅក្នុងទីក្រុងភ្នំពេញ", "ខ្ញុំរស់នៅ ក្នុងទីក្រុង ភ្នំពេញ"),
    "Hindi": ("भारत की राजधानी क्या है?", "भारत की राजधानी क्या है।"),
}


@pytest.mark.parametrize("name", SAME)
def test_two_ways_to_write_a_text_have_the_same_grams(name: str) -> None:
    one, other = (fold_tokens(text) for text in SAME[name])
    assert len(one) == len(other) > 0
    for length in (1, 2, GRAM):
        assert np.array_equal(one.hash_grams(length), other.hash_grams(length))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A naïve café, B.", ["naïve", "café"]),
        ("東京タワーは333m", ["東", "京", "タ", "ワ", "ー", "は", "333m"]),
        ("𠮷野家で🍣を食べる", ["𠮷", "野", "家", "で", "🍣", "を", "食", "べ", "る"]),
        ("zero\u200bwidth x ﬁne", ["zero\u200bwidth", "ﬁne"]),
        ("don't stop-word", ["don", "stop", "word"]),
    ],
)
def test_tokens_stand_where_they_are_in_the_text(text: str, tokens: list[str]) -> None:
    folded, units = fold_tokens(text), to_units(text)
    spans = zip(folded.starts.tolist(), folded.ends.tolist(), strict=True)
    assert [to_text(units[start:end]) for start, end in spans] == tokens


def test_a_gram_is_the_same_wherever_it_stands() -> None:
    text = "the slow green turtle swam under nine wooden bridges yesterday"
    alone, inside = fold_tokens(text), fold_tokens(f"Long before that, {text} and then slept.")
    assert np.isin(alone.hash_grams(GRAM), inside.hash_grams(GRAM)).all()
    assert not np.isin(alone.hash_grams(GRAM), fold_tokens(text[::-1]).hash_grams(GRAM)).any()


def test_letters_without_spaces_are_grouped_the_same_after_anything() -> None:
    text = "ประเทศไทยมีจังหวัดทั้งหมดเจ็ดสิบเจ็ดจังหวัดรวมกรุงเทพมหานคร"
    alone, inside = fold_tokens(text), fold_tokens(f"ก่อนอื่นขอบอกว่า{text}นะครับ")
    assert len(text) / 5 < len(alone) < len(text) / 2
    assert np.isin(alone.hash_grams(3)[1:-1], inside.hash_grams(3)).all()


@pytest.mark.parametrize("text", ["", " ", "\n", "a", "A B C", "，。", "\ud800", "👍"])
def test_texts_of_next_to_nothing(text: str) -> None:
    folded = fold_tokens(text)
    assert len(folded) <= 1
    assert len(folded.hash_grams(GRAM)) == 0


def test_a_group_of_letters_that_goes_on_behind_a_space_ends_where_it_ends() -> None:
    text = "44 ตัว สระ 21 รูป และวรรณยุกต์ 4 รูป เชื่อกันว่า หลัง บน หรือล่างพยัญชนะ และเขียนติดกันโดยไม่เว้นวรรค " * 3
    tokens = fold_tokens(text)
    assert len(tokens.starts) == len(tokens.ends)
    assert (tokens.starts < tokens.ends).all() and (tokens.ends[:-1] <= tokens.starts[1:]).all()
    assert tokens.ends[-1] == len(text.rstrip())
