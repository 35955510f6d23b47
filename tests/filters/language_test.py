"""Signals of the language."""

from __future__ import annotations

import math

import pytest

from corpus.filters import load_filter
from corpus.text.page import Page


def test_score_is_of_the_documents_own_language() -> None:
    measure = load_filter("language").measure
    english = "The bridge was repaired before the winter, and the ferry stopped in November."
    assert measure(Page(english, "eng_Latn"))[0] > 0.8
    assert measure(Page(english, "deu_Latn"))[0] < 0.1
    assert math.isnan(measure(Page(english, "lij_Latn"))[0])


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
