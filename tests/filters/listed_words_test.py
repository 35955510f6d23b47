"""Lists of words: what counts as one in each script, what only looks like it, and lists that are none."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from corpus import filters
from corpus.errors import UserError
from corpus.filters.listed_words import find_phrases, make_measures, make_phrases
from corpus.languages.word_lists import expand_word_lists, read_word_lists
from corpus.text.batch import PageBatch
from corpus.text.page import Page


@pytest.mark.parametrize(
    ("language", "phrases", "text", "expected"),
    [
        (
            "eng_Latn",
            ["ass", "ball room", "room"],
            "An Ass, a class, ASS; ball\nroom passes.",
            ["ass", "ass", "ball room"],
        ),
        ("eng_Latn", ["café noir"], "CAFÉ NOIR, cafe noir", ["café noir"]),
        ("deu_Latn", ["straße"], "Die Straße, Straßenbahn", ["straße"]),
        ("rus_Cyrl", ["кот"], "Кот и который, скот; КОТ.", ["кот", "кот"]),
        ("arb_Arab", ["كلب"], "كلب وكلبهم كلـب", ["كلب", "كلب"]),
        ("hin_Deva", ["कुत्ता"], "कुत्ता, कुत्ताघर", ["कुत्ता"]),
        ("cmn_Hans", ["電影", "苹果树"], "看电影。苹果树下的電影院和ＡＢ电影", ["電影", "苹果树", "電影"]),
        ("cmn_Hans", ["国民"], "中国民间的故事，国民收入", ["国民"]),
        ("cmn_Hans", ["性"], "安全性和性別，“性”", ["性"]),
        ("jpn_Jpan", ["テレビ", "3d"], "ﾃﾚﾋﾞを見る。テレビジョン、３Ｄ", ["テレビ", "3d"]),
        ("tha_Thai", ["แมว"], "ฉันรักแมวมาก", ["แมว"]),
        ("kor_Hang", ["고양이"], "고양이를 보고 고양이들은 고양이과학", ["고양이", "고양이"]),
    ],
)
def test_whole_words_count_whatever_their_spelling(
    language: str, phrases: list[str], text: str, expected: list[str]
) -> None:
    page = Page(text, language)
    those = make_phrases(language[:3], phrases)
    assert len(find_phrases(page, those)) == len(expected), find_phrases(page, those)
    measure, _ = make_measures({language[:3]: phrases})
    assert measure(page) == (len(expected), len(expected) / len(page.words))


def test_batches_measure_what_pages_do() -> None:
    lists = {"cmn": ["电影", "ＡＢ", "😀"], "eng": ["ball room", "😀"]}
    measure, measure_batch = make_measures(lists)
    for language, texts in (
        ("cmn_Hans", ["電影", "", "好看的电影😀。", "ab 电影院\u200b电\u200b影"]),
        ("eng_Latn", ["ball", "room", "A ball room 😀😀", "", "Ball  room"]),
        ("fra_Latn", ["ball room"]),
    ):
        pages = [Page(text, language) for text in texts]
        table = measure_batch(PageBatch(pages))
        for page, row in zip(pages, table.tolist(), strict=True):
            assert row == pytest.approx(measure(page), nan_ok=True)
    assert all(map(math.isnan, measure(Page("ball room", "fra_Latn")))) and all(
        map(math.isnan, measure(Page("x")))
    )


def test_lists_are_named_after_their_languages(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "en").write_bytes("\ufeffball room\r\n# note\r\n\r\n  Ball   room \r\nhall\r\n".encode())
    (folder / "fr-CA").write_text("caf\u0065\u0301\n", "utf-8")
    (folder / "LICENSE").write_text("nothing to do with it\n")
    (tmp_path / "zh.txt").write_text("电影\n", "utf-16")
    lists = read_word_lists([str(folder), str(tmp_path / "zh.txt")])
    assert lists == {"cmn": ["电影"], "eng": ["Ball room", "ball room", "hall"], "fra": ["café"]}
    step = filters.load_filter("words", {"lists": [str(folder)]})
    assert list(step.measure(Page("the Hall", "eng_Latn"))) == [1, 0.5]
    (folder / "en").write_text("hall\n")
    assert filters.load_filter("words", {"lists": [str(folder)]}).parameters != step.parameters


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("en", b"", "no list of words"),
        ("en", b"x" * 201, "en:1: no word or phrase"),
        ("en", b"good\n\xff\xfa\n", "en:2: not UTF-8"),
        ("en", b"\x00\x01\x02", "en:1: no word"),
        ("words.txt", b"word\n", "named after its language"),
        ("en", None, "no such file"),
        ("nowhere", None, "no such file"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, name: str, content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=expected) as caught:
        read_word_lists([str(tmp_path / name)])
    assert caught.value.path == ("words", 0)
    with pytest.raises(UserError, match="no list of words"):
        read_word_lists([str(_make_empty(tmp_path))])
    for wrong in (1, [1], {"eng": "x"}, [""]):
        with pytest.raises(ValueError, match="lists of words are named"):
            expand_word_lists(wrong)


def _make_empty(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir()
    return empty


def test_long_texts_take_linear_time() -> None:
    measure, _ = make_measures({"eng": ["a" * n for n in range(1, 100)] + ["a a a b"]})
    begun = time.process_time()
    measure(Page("a " * 30_000, "eng_Latn"))
    assert time.process_time() - begun < 3
