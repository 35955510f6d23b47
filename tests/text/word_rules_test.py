"""Words by rules in arrays: broken where ICU breaks, for any sequence of characters."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pytest

from corpus.text.units import to_units
from corpus.text.word_rules import OTHER, UNRULY, _class_table, find_word_boundaries
from corpus.text.words import MIN_RULED_UNITS, _find_word_boundaries, segment_words

CLASSES = _class_table(_find_word_boundaries)


def check(text: str) -> None:
    units = to_units(text)
    assert np.array_equal(
        find_word_boundaries(text, units, _find_word_boundaries), _find_word_boundaries(text)
    ), ascii(text)


@pytest.mark.parametrize(
    "text",
    [
        "It's 3.14 e-mails, don't you think?  Isn't it 1,000:00 a.m.?\r\n\r\n“Yes”, l'été.",
        "Ça, c’est l’œuvre d'été: 1 000 €, 20\u202f%.\u2028Zweite\u0085Zeile\x0b",
        "нельзя\u0301 Привет,\u00ad мир_1",
        "میخواهم می\u200cخواهم ۱۲۳٫۴ ذهبَ الولدُ؟",
        "मैं स्कूल जाता हूँ। क्\u200dष കൺ\u200dമണി",
        "\u0301a \n\u0301b c\u0301\u0301 \u0301d\u200d\u0301",
        "ሰላም፡ለዓለም። გამარჯობა Ελλάδα; ελληνικά",
        "English 中文字符 and 한국어 mixed, カタカナ, ไทย and שלום\"ה word's ends",
        "flags 🇩🇪🇫🇷🇪, 👨‍👩‍👧 and ℹ\u200dℹ Ⓜ\u200dⓂ a\u200d☺ \ud800 \udc00x",
        "oq'al\u3000 ut  \u2003 x\u3000\u3000y\u1680 z",
        "中\n\u0301x\n中 \u0301\nfoo中\r\nbar\r中\r",
        "aא'b א\"א",
    ],
)
def test_texts_of_many_scripts(text: str) -> None:
    check(text)
    check(text * 40)


def test_any_sequence_of_characters_of_every_class() -> None:
    by_class: dict[int, list[str]] = {}
    for code in np.flatnonzero(CLASSES).tolist():
        by_class.setdefault(int(CLASSES[code]), []).append(chr(code))
    by_class[UNRULY] = [*"中あカไ한א😀🇩", "👍🏽", "\ud800", "\udc00"]
    draw = random.Random(22)
    for _ in range(3_000):
        weights = [draw.random() ** 3 for _ in by_class]
        kinds = draw.choices(list(by_class), weights, k=draw.randrange(1, 200))
        check("".join(draw.choice(by_class[kind]) for kind in kinds))


def test_a_long_text_has_the_words_of_its_lines() -> None:
    line = "The river's 3.5 km – 中国, ไทยแลนด์ – it’s here: naïve_1 users' e\u0301tat.\n"
    whole = segment_words(line * 200)
    assert len(whole.units) > MIN_RULED_UNITS
    one = segment_words(line)
    assert whole.starts.reshape(200, -1)[:, 0].tolist() == [at * len(one.units) for at in range(200)]
    assert (whole.hashes.reshape(200, -1) == one.hashes).all()


def test_signs_that_are_not_asked_about_break_everywhere() -> None:
    signs = np.arange(0x2500, 0x2C00)
    assert (CLASSES[signs] == OTHER).all()
    assert not {unicodedata.category(chr(code))[0] for code in signs.tolist()} & {"L", "M", "N"} - {"N"}
    check(
        "".join(f"a{chr(code)}{chr(code)}1{chr(code)}1_{chr(code)} {chr(code)} \n" for code in signs.tolist())
    )
