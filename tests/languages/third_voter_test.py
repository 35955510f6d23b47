"""The third voter: byte n-grams alone, and what their vote changes."""

from __future__ import annotations

import pytest

from corpus.languages.byte_ngrams import load_ngrams, predict_by_ngrams
from corpus.languages.identify import Identifier
from corpus.languages.labels import labels
from corpus.languages.third_voter import ask_third

RELATIVES = {
    "mkd": "Мостот беше поправен пред зимата, а траектот престана да вози во ноември.",
    "bul": "Мостът беше ремонтиран преди зимата, а фериботът спря да се движи през ноември.",
    "rus": "Мост отремонтировали до наступления зимы, и паром перестал ходить в ноябре.",
    "ind": "Jembatan itu diperbaiki sebelum musim dingin karena banyak warga membutuhkannya.",
    "zsm": "Jambatan itu telah dibaiki sebelum musim sejuk kerana ramai penduduk memerlukannya.",
    "dan": "Broen blev repareret før vinteren, og færgen holdt op med at sejle i november.",
    "nno": "Brua vart reparert før vinteren, og ferja slutta å gå i november. Eg veit ikkje kvifor.",
    "hrv": "Tko je vlasnik tvrtke, pitali su jučer novinari tijekom tiskovne konferencije u siječnju.",
    "hin": "पुल की मरम्मत सर्दियों से पहले कर दी गई और नौका ने नवंबर में चलना बंद कर दिया।",
    "mar": "हिवाळ्यापूर्वी पुलाची दुरुस्ती करण्यात आली आणि नोव्हेंबरमध्ये होडी बंद झाली.",
    "arb": "تم إصلاح الجسر قبل حلول الشتاء، وتوقفت العبارة عن العمل في شهر نوفمبر الماضي.",
    "urd": "پل کی مرمت سردیوں سے پہلے کر دی گئی تھی اور کشتی نے نومبر میں چلنا بند کر دیا۔",
}
ALL = frozenset(load_ngrams().codes)


@pytest.mark.parametrize("code", RELATIVES)
def test_ngrams_tell_relatives_apart(code: str) -> None:
    shares = predict_by_ngrams(RELATIVES[code], ALL)
    assert next(iter(shares)) == code
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert Identifier().identify(RELATIVES[code])[0][:3] == code


def test_only_languages_of_the_script_are_considered() -> None:
    assert set(predict_by_ngrams(RELATIVES["mkd"], frozenset({"mkd", "bul", "tha"}))) == {"mkd", "bul"}
    assert predict_by_ngrams(RELATIVES["mkd"], frozenset({"tha"})) == {}
    assert predict_by_ngrams("", ALL) == {}
    for text in ("สะพานได้รับการซ่อมแซม", "大桥修好了", "大橋修好了", "橋は修理され"):
        assert ask_third("eng", {"eng": 0.3}, text, ["Thai", "Hani", "Jpan"], agreed=False) is None


def test_any_bytes_can_be_asked() -> None:
    for text in ("\ud800", "a", "\x00\x01", "ß" * 1000, "\U0001f600 ok", "ABC DEF"):
        shares = predict_by_ngrams(text, ALL)
        assert not shares or sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_it_is_asked_in_doubt_or_for_close_relatives() -> None:
    text = RELATIVES["zsm"]
    assert ask_third("deu", {"deu": 0.95}, text, ["Latn"], agreed=False) is None
    assert ask_third("deu", {"deu": 0.5}, text, ["Latn"], agreed=True) is None
    assert ask_third("cbk", {"cbk": 0.5}, text, ["Latn"], agreed=False) is None  # which it does not know
    asked = ask_third("ind", {"ind": 0.6, "zsm": 0.4}, text, ["Latn"], agreed=True)
    assert asked is not None
    code, scores = asked
    assert code == "zsm" and max(scores, key=scores.__getitem__) == "zsm"


def test_it_gives_no_certainty_that_the_models_lack() -> None:
    asked = ask_third(
        "ile", {"ita": 0.1, "spa": 0.1, "ile": 0.0}, "Ma un altri popul", ["Latn"], agreed=False
    )
    assert asked is None  # Occidental, which n-grams do not know
    asked = ask_third("ita", {"ita": 0.1, "spa": 0.1}, "Ma un altri popul", ["Latn"], agreed=False)
    assert asked is not None and max(asked[1].values()) < 0.3


def test_a_language_is_known_in_its_commonest_script() -> None:
    """The n-grams know Tatar and Kazakh in Cyrillic, and would take them for Turkish in Latin."""
    text = "Mın sine yaratam, digän süzlärne ul bik ozaq äytä almadı."
    assert ask_third("tat", {"tat": 0.4}, text, ["Latn"], agreed=False) is None


def test_serbo_croatian_is_one_of_its_languages() -> None:
    asked = ask_third("hbs", {"hbs": 0.6, "slv": 0.1}, RELATIVES["hrv"], ["Latn"], agreed=False)
    assert asked is not None and asked[0] == "hrv" and "hbs" not in asked[1]


def test_the_file_is_of_the_languages_of_the_table() -> None:
    assert set(labels().langid) == ALL
    assert len(ALL) == 96


def test_texts_that_grow_in_lower_case_have_probabilities() -> None:
    for text in ("a" + "\u0130" * 299, "a" * 300, "de " * 100):
        shares = predict_by_ngrams(text, ALL)
        assert all(round(share, 6) == share for share in shares.values())
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
