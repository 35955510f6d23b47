"""Signals of the language."""

from __future__ import annotations

import math

import pytest

from corpus.filters import load_filter
from corpus.languages.identify import Identifier
from corpus.text.page import Page
from tests.filters.prose import MENUS, PROSE


def test_score_is_of_the_documents_own_language() -> None:
    measure = load_filter("language").measure
    english = "The bridge was repaired before the winter, and the ferry stopped in November."
    assert measure(Page(english, "eng_Latn"))[0] > 0.8
    assert measure(Page(english, "deu_Latn"))[0] < 0.1
    assert math.isnan(measure(Page(english, "lij_Latn"))[0])


@pytest.mark.parametrize(
    "hint", [None, "zh-TW", "eng_Latn", "mya", "code_python", "no language", "sr", "hbs"]
)
def test_a_score_that_is_known_is_that_which_would_be_found(hint: str | None) -> None:
    """A build identifies a text once, and measures it then; a filter measured later identifies it again."""
    measure = load_filter("language").measure
    for text in [*PROSE.values(), *MENUS.values(), "", "123", "Ⅷ", "日本", "ျမန္မာ ျပည္ သို႔ ", "Мост abcd"]:
        label, score = Identifier().identify(text, hint)
        again = measure(Page(text, label))
        assert str(again[0]) == str(score), (text, label)
        assert str(measure(Page(text, label, language_score=score))) == str(again)
        assert measure(Page(text, label, language_score=0.25))[0] == 0.25


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("大橋在冬天到來之前修好了", "cmn_Hant", 1.0),
        ("橋は冬が来る前に修理された", "jpn_Jpan", 1.0),
        ("Мост abcd", "rus_Cyrl", 0.5),
        ("123", "und_Zyyy", 0.0),
    ],
)
def test_share_of_the_main_script(text: str, language: str, share: float) -> None:
    assert load_filter("language").measure(Page(text, language))[1] == share


def test_fingerprint_names_the_models() -> None:
    language = load_filter("language")
    assert language.signals == ("language.score", "language.script")
    assert {"model", "cld2", "labels"} <= set(language.parameters)
