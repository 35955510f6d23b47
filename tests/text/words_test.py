"""Words, their hashes and sentences in many scripts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.text.units import LETTER, LOWER, NUMBER, SYMBOL, WORD, kinds, to_text, to_units
from corpus.text.words import find_sentences, hash_words, segment_words, versions

ANY_TEXT = st.text(
    st.characters(exclude_categories=[]) | st.sampled_from("aA b.\n中文ไทย\U0001f600\ud800"), max_size=60
)


def words(text: str, language: str | None = None) -> list[str]:
    found = segment_words(text, language)
    return [to_text(found.units[start:end]) for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "eng_Latn",
            "It's 3.14 e-mails, don't you think?",
            ["It's", "3.14", "e", "mails", "don't", "you", "think"],
        ),
        ("cmn_Hans", "我们都是学生，今天天气很好。", ["我们", "都是", "学生", "今天", "天气", "很好"]),
        ("cmn_Hant", "我們都是學生，今天天氣很好。", ["我們", "都是", "學生", "今天", "天氣", "很好"]),
        ("jpn_Jpan", "私は東京で働いています。", ["私", "は", "東京", "で", "働", "い", "てい", "ます"]),
        ("tha_Thai", "ภาษาไทยง่ายนิดเดียว", ["ภาษา", "ไทย", "ง่าย", "นิด", "เดียว"]),
        ("khm_Khmr", "ខ្ញុំជាសិស្ស", ["ខ្ញុំ", "ជា", "សិស្ស"]),
        ("lao_Laoo", "ຂ້ອຍຮັກເຈົ້າ", ["ຂ້ອຍ", "ຮັກ", "ເຈົ້າ"]),
        ("arb_Arab", "ذهبَ الولدُ إلى المدرسة؟", ["ذهبَ", "الولدُ", "إلى", "المدرسة"]),
        ("hin_Deva", "मैं स्कूल जाता हूँ।", ["मैं", "स्कूल", "जाता", "हूँ"]),
        ("rus_Cyrl", "Кто-то пришёл в 10:30.", ["Кто", "то", "пришёл", "в", "10", "30"]),
        ("kor_Hang", "나는 학교에 갑니다.", ["나는", "학교에", "갑니다"]),
        ("jav_Java", "ꦧꦱꦗꦮ​ꦭꦤ꧀ꦱꦏ꧈", ["ꦧ", "ꦱ", "ꦗ", "ꦮ", "ꦭ", "ꦤ꧀ꦱ", "ꦏ"]),
        ("ban_Bali", "ᬩᬲᬩᬮᬶ᭟", ["ᬩ", "ᬲ", "ᬩ", "ᬮᬶ"]),
        ("nod_Lana", "ᨣᩤᩴᨾᩮᩬᩥᨦ", ["ᨣᩤᩴ", "ᨾᩮᩬᩥ", "ᨦ"]),
        ("iii_Yiii", "ꆈꌠꁱꂷ", ["ꆈ", "ꌠ", "ꁱ", "ꂷ"]),
        ("fin_Latn", "EU:n maat", ["EU:n", "maat"]),
        (None, "𠀀𠮷 x𝒜 😀 ½ Ⅷ", ["𠀀", "𠮷", "x𝒜", "½", "Ⅷ"]),
        (None, " \n\t…!?#😀 ", []),
        (None, "", []),
    ],
)
def test_a_text_falls_into_words(language: str | None, text: str, expected: list[str]) -> None:
    assert words(text, language) == expected


def test_offsets_count_utf_16_units() -> None:
    found = segment_words("😀 中文 𠀀b")
    assert found.starts.tolist() == [3, 6, 8]
    assert found.ends.tolist() == [5, 8, 9]
    assert found.boundaries.tolist() == [0, 2, 3, 5, 6, 8, 9]


def test_equal_words_have_equal_hashes_whatever_their_case_and_place() -> None:
    hashes = segment_words("The cat and THE dog, and the Cat.").hashes
    assert hashes[0] == hashes[3] == hashes[6]
    assert hashes[1] == hashes[7]
    assert hashes[2] == hashes[5]
    assert len(set(hashes.tolist())) == 4
    assert np.array_equal(hash_words(["the", "cat", "and"]), hashes[:3])


def test_case_is_folded_in_every_script_that_has_it() -> None:
    for pair in (
        "ΟΔΟΣ οδος",
        "МОСКВА москва",
        "ԵՐԵՎԱՆ երևան"[:6] + " " + "երեվան",
        "ÉCOLE école",
        "ĞÜZEL ğüzel",
    ):
        first, second = segment_words(pair).hashes
        assert first == second


def test_hashes_do_not_change() -> None:
    """Signatures on disk depend on them: a change needs a new `words.VERSION`."""
    assert hash_words(["corpus", "中文"]).tolist() == [15689402357931866686, 14378950949958240614]
    assert versions()["words"] == "2"


@given(ANY_TEXT)
def test_segments_cover_any_text_and_words_are_those_with_letters_or_numbers(text: str) -> None:
    found = segment_words(text)
    assert to_text(found.units).encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")
    borders = found.boundaries
    assert borders[0] == 0 and borders[-1] == len(found.units) and (np.diff(borders) > 0).all()
    has_word = [bool((found.kinds[a:b] & WORD).any()) for a, b in itertools.pairwise(borders)]
    assert found.starts.tolist() == [int(a) for a, word in zip(borders, has_word, strict=False) if word]
    pieces = [to_text(found.units[a:b]) for a, b in zip(found.starts, found.ends, strict=True)]
    assert np.array_equal(found.hashes, hash_words(pieces))


@given(
    st.lists(st.text(min_size=1, max_size=8), unique_by=lambda word: to_units(word).tobytes(), max_size=30)
)
def test_different_words_have_different_hashes(found: list[str]) -> None:
    lowered = {word_key(word): int(hash) for word, hash in zip(found, hash_words(found), strict=True)}
    assert len(set(lowered.values())) == len(lowered)


def word_key(word: str) -> bytes:
    return LOWER[to_units(word)].tobytes()


def test_long_texts_and_lone_surrogates_are_no_trouble() -> None:
    long = segment_words("中文字 and words\n" * 60_000)
    assert len(long.units) == 840_000
    assert len(long) == 4 * 60_000
    assert long.hashes[-1] == hash_words(["words"])[0]
    assert words("a\ud83d b") == ["a", "b"]
    assert len(find_sentences("\udc00. \ud83d")) >= 2


def test_a_pair_counts_once_and_a_lone_surrogate_as_nothing() -> None:
    classes = kinds(to_units("a𠀀😀\ud8001"))
    assert [int(value) for value in classes] == [LETTER, LETTER, 0, SYMBOL, 0, 64, NUMBER]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("他说：“好。”然后走了。真的吗？", ["他说：“好。”", "然后走了。", "真的吗？"]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है। ", "यह दूसरा है।"]),
        ("这是一行\n这是另一行", ["这是一行\n", "这是另一行"]),
        ("Who; Me;", ["Who; Me;"]),
        ("Costs 3.50 at example.com today", ["Costs 3.50 at example.com today"]),
    ],
)
def test_a_text_falls_into_sentences(text: str, expected: list[str]) -> None:
    starts = find_sentences(text)
    assert [text[a:b] for a, b in itertools.pairwise(starts)] == expected


def test_a_semicolon_asks_in_greek_alone() -> None:
    text = "Τι κάνεις; Καλά είμαι."
    assert len(find_sentences(text, "ell_Grek")) == 3
    assert len(find_sentences(text, "eng_Latn")) == 2
