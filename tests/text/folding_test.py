"""What counts as the same text, and what does not."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from corpus.text.folding import FOLDS, fold_word_hashes, make_folding, read_chinese_variants
from corpus.text.units import to_text, to_units
from corpus.text.words import segment_words

ALL = ("case", "chinese", "digits", "punctuation", "width")


def folded(text: str, *folds: str) -> str:
    return to_text(make_folding(folds or ALL).fold(to_units(text))[0])


@pytest.mark.parametrize(
    ("one", "other", "fold"),
    [
        ("ΣΟΦΟΣ Ёлка", "σοφος ёлка", "case"),
        ("Ｔｅｘｔ　２０２６", "Text　2026", "width"),
        ("ﾊﾞﾅﾅとﾊﾟｲﾝ", "バナナとパイン", "width"),
        ("ﺳﻼﻡ", "سلام", "width"),
        ("كتـــاب", "كتاب", "width"),
        ("eﬃcient ﬂuid", "efficient fluid", "width"),
        ("⽔⼭", "水山", "width"),
        ("豈", "豈", "width"),
        ("นํ้าคํา", "น\u0e4d้าคำ", "width"),  # only what is composed in this order
        ("ຄໍາ", "ຄຳ", "width"),
        ("می\u200cخواهم", "میخواهم", "width"),
        ("co\u00adopera\u200bte", "cooperate", "width"),
        ("١٢٣ ۴۵ ๖๗ ९", "123 45 67 9", "digits"),
        ("1 204 и 35", "0 0 и 0", "numbers"),
        ("l’été d'août", "lété daoût", "punctuation"),
        ("乾燥頭髮，裡面有麵條", "干燥头发，里面有面条", "chinese"),
        ("裏面 台灣 衞生 峯", "里面 臺湾 卫生 峰", "chinese"),
    ],
)
def test_one_fold_makes_two_spellings_one(one: str, other: str, fold: str) -> None:
    assert folded(one, fold) == folded(other, fold)
    assert folded(one, fold) == folded(folded(one, fold), fold)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x²", "x2"),
        ("½", "1⁄2"),
        ("ℝ", "R"),
        ("①", "1"),
        ("が", "か"),
        ("ب", "ت"),
        ("é", "e"),
        ("12", "13"),
        ("王", "玉"),
        ("नाव", "नव"),
    ],
)
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_characters_beyond_the_first_plane_and_lone_surrogates_stay() -> None:
    for text in ("𠮷野家𝒜", "\ud800a\udc00"):
        assert folded(text) == text.lower()


def test_where_units_went() -> None:
    units, bounds = make_folding(("case", "width")).fold(to_units("aﬃ\u00adbｶﾞ"))
    assert to_text(units) == "affibガ"
    assert bounds is not None and bounds.tolist() == [0, 1, 4, 4, 5, 6, 6]
    assert make_folding(("case",)).fold(to_units("Ab"))[1] is None
    assert len(make_folding(ALL).fold(to_units(""))[0]) == 0


def test_words_are_hashed_as_if_they_had_been_written_so() -> None:
    text = "L’EAU ﬁne ١٢ ｗｅｂ 頭髮 co\u00adop plain 3.14 ـ"
    words = segment_words(text)
    [found] = fold_word_hashes([words], make_folding(ALL))
    wanted = [
        segment_words(word).hashes[0] for word in ("leau", "fine", "12", "web", "头", "coop", "plain", "314")
    ]
    assert set(wanted) - set(found.tolist()) <= {wanted[4]}  # ICU may take two characters as one word
    assert len(found) <= len(words), "a word of which nothing is left is none"
    plain = segment_words("nothing to fold here")
    [same] = fold_word_hashes([plain], make_folding(ALL))
    np.testing.assert_array_equal(same, plain.hashes)


def test_words_of_many_documents_are_folded_as_those_of_each() -> None:
    texts = ["l'eau 12", "34 ـ", "", "ｶ", "ﾞ gone", "plain", "ـ", "頭髮 ｗｅｂ", "ราคา ํ", "า 3.14", "ไทย"]
    documents = [segment_words(text) for text in texts]
    for folds in (ALL, FOLDS):
        together = fold_word_hashes(documents, make_folding(folds))
        assert [len(hashes) for hashes in together] != [len(document.hashes) for document in documents]
        for document, hashes in zip(documents, together, strict=True):
            [alone] = fold_word_hashes([document], make_folding(folds))
            np.testing.assert_array_equal(hashes, alone)


def test_a_class_of_characters_has_one_that_stands_for_it() -> None:
    table = read_chinese_variants()
    changed = np.flatnonzero(table != np.arange(0x10000))
    assert len(changed) > 3000
    np.testing.assert_array_equal(table[table], table)
    assert all(unicodedata.name(chr(code)).startswith("CJK") for code in changed.tolist())
    for pair in ("發发", "後后", "臺台", "裏里", "裡里", "爲为", "為为", "麵面", "著着", "綫线", "線线"):
        assert table[ord(pair[0])] == table[ord(pair[1])], pair
    for pair in ("上下", "人入", "己已", "土士", "发后", "大太"):
        assert table[ord(pair[0])] != table[ord(pair[1])], pair


def test_opencc_s_own_cases_fold_to_the_same(data: Path) -> None:
    """Of the characters of its cases, .995 and more: what is left are characters beyond U+FFFF, and single words."""
    text = (data / "zh" / "opencc" / "testcases.json").read_text(encoding="utf-8")
    cases = json.loads(re.sub(r",(\s*[}\]])", r"\1", text))["cases"]
    for direction in ("s2t", "t2s", "s2tw", "tw2s", "s2hk", "hk2s", "t2tw", "t2hk"):
        pairs = [
            (folded(case["input"], "chinese"), folded(case["expected"][direction], "chinese"))
            for case in cases
            if direction in case["expected"]
        ]
        same = sum(one == other for pair in pairs for one, other in zip(*pair, strict=False))
        assert same >= 0.995 * sum(len(other) for _, other in pairs), direction
