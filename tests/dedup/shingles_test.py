"""What a shingle is in each way of writing."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.dedup.options import MinHashOptions
from corpus.dedup.shingles import (
    IDEOGRAPHIC,
    SPACED,
    UNSPACED,
    Shape,
    extract_letters,
    extract_lines,
    extract_tokens,
    find_writing,
    hash_shingles,
)
from corpus.text.units import to_text, to_units
from corpus.text.words import segment_words
from tests.dedup.texts import STORIES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The river", SPACED),
        ("Паром", SPACED),
        ("عبّارة", SPACED),
        ("नाव", SPACED),
        ("나룻배는 강을 건넌다", SPACED),  # Korean has spaces
        ("渡船每天过河", IDEOGRAPHIC),
        ("わたしぶね", IDEOGRAPHIC),
        ("ﾜﾀｼﾌﾞﾈ", IDEOGRAPHIC),
        ("𠀀𠀁𠀂", IDEOGRAPHIC),
        ("เรือข้ามฟาก", UNSPACED),
        ("ເຮືອຂ້າມຟາກ", UNSPACED),
        ("សាឡាង", UNSPACED),
        ("ကူးတို့", UNSPACED),
        ("གྲུ་གཟིངས", UNSPACED),
        ("渡船 ferry", SPACED),  # as most of its letters are
        ("渡船每天过河四趟 ferry", IDEOGRAPHIC),
        ("", SPACED),
        ("1234", SPACED),
    ],
)
def test_a_text_is_taken_as_most_of_its_letters_are_written(text: str, expected: int) -> None:
    assert find_writing(to_units(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("渡船，每天 过河！", "渡船每天过河"),
        ("Ｗｅｂ版「渡し船」\n№１", "ｗｅｂ版渡し船１"),
        ("𠮷野家🍚です", "𠮷野家です"),
        ("น้ำ ท่วม", "น้ำท่วม"),  # vowel and tone marks stay
        ("...", ""),
    ],
)
def test_letters_leave_out_what_pages_set_differently(text: str, expected: str) -> None:
    assert to_text(extract_letters(segment_words(text))) == expected


def test_the_lengths_follow_the_writing() -> None:
    lengths = {
        language: extract_tokens([segment_words(text, language)], [Shape()])[0][1]
        for language, text in STORIES.items()
    }
    assert lengths["eng_Latn"] == lengths["hin_Deva"] == 5
    assert lengths["cmn_Hans"] == lengths["cmn_Hant"] == lengths["jpn_Jpan"] == 8
    assert lengths["tha_Thai"] == 16


def test_line_breaks_in_chinese_and_case_in_english_make_no_difference() -> None:
    chinese, english = STORIES["cmn_Hans"], STORIES["eng_Latn"]
    wrapped = "\n".join(chinese[at : at + 20] for at in range(0, len(chinese), 20))
    for one, other in ((chinese, wrapped), (english, english.upper().replace(" ", "  "))):
        hashes, counts = hash_shingles([segment_words(one), segment_words(other)], 2 * [Shape()])
        assert counts[0] == counts[1] > 60
        np.testing.assert_array_equal(hashes[: counts[0]], hashes[counts[0] :])


def test_counts_are_those_of_windows() -> None:
    documents = [
        segment_words(text) for text in ("", "one", "1 2 3 4 5", "1 2 3 4 5 6 7", "渡船每天过河四趟走", "渡")
    ]
    hashes, counts = hash_shingles(documents, len(documents) * [Shape()])
    assert counts.tolist() == [0, 1, 1, 3, 2, 1]
    assert len(hashes) == 8
    assert hash_shingles([], [])[0].tolist() == []


FOLDED = MinHashOptions().shape(None)


def likeness(one: str, other: str, shape: Shape = FOLDED) -> float:
    hashes, counts = hash_shingles([segment_words(one), segment_words(other)], [shape, shape])
    first, second = (set(piece.tolist()) for piece in np.split(hashes, counts[:1]))
    return len(first & second) / len(first | second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("头发在台湾的后面发现了面条，乾坤不干燥", "頭髮在臺灣的後面發現了麵條，乾坤不乾燥"),
        ("L’homme n’a pas dit qu’il l’avait vu", "L'homme n'a pas dit qu'il l'avait vu"),
        ("في عام ٢٠٢٦ كان العدد ١٥ من ٣٠", "في عام 2026 كان العدد 15 من 30"),
        ("Ｗｅｂ版は２０２６年にﾃﾞｰﾀを公開した", "Web版は2026年にデータを公開した"),
        ("बैठक १२ मार्च को हुई थी आज", "बैठक 12 मार्च को हुई थी आज"),
        ("Поїзд прибув о 10 годині, п’ять хвилин тому", "Поїзд прибув о 10 годині, п'ять хвилин тому"),
        ("เขาทำงานในปี ๒๕๖๙ ที่กรุงเทพ และน้ำมาก", "เขาทํางานในปี 2569 ที่กรุงเทพ และนํ้ามาก".replace("นํ้า", "น้ํา")),
    ],
)
def test_the_same_text_in_another_skin_is_the_same(one: str, other: str) -> None:
    assert likeness(one, other) == 1
    assert likeness(one, other, Shape()) < 1


def test_code_is_compared_by_its_lines() -> None:
    shape = MinHashOptions().shape("code_python")
    code = "def area(r):\n    if r < 0:\n        raise ValueError(r)\n    return 3 * r * r\n"
    tabs = code.replace("    ", "\t").replace("\n", "\n\n")
    assert likeness(code, tabs, shape) == 1, "white space does not count"
    assert likeness(code, code.replace("{", ""), shape) == 1
    assert likeness(code, code.upper(), shape) == 0, "case does"
    assert likeness(code, code.replace("3 * r", "4 * r"), shape) == pytest.approx(2 / 4)
    assert len(extract_lines(segment_words("{\n}\n x\n\n;"))) == 1
    assert len(extract_lines(segment_words(""))) == len(extract_lines(segment_words("\n\n"))) == 0
    assert MinHashOptions(lines=0).shape("code_python") == MinHashOptions().shape("eng_Latn")


def test_code_and_prose_share_nothing() -> None:
    hashes = [
        set(hash_shingles([segment_words("word")], [MinHashOptions().shape(language)])[0].tolist())
        for language in ("code_text", "eng_Latn")
    ]
    assert not hashes[0] & hashes[1]
