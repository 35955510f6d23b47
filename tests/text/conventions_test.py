"""The language files: what they say, and that they can be meant."""

from __future__ import annotations

import pytest

from corpus.languages.labels import is_code, labels
from corpus.text.conventions import DEFAULT_FILE_NAME, conventions, language_files, language_layers
from corpus.text.hashes import contains
from corpus.text.units import to_text
from corpus.text.words import hash_words, segment_words

FILES = {file.name: file for file in language_files().values()}
LARGE = (
    "eng cmn jpn tha arb hin rus deu fra spa por ita nld pol tur kor vie ind "
    "ukr fas ben tam ell heb swe ces swh urd"
)


def test_every_large_language_has_stop_words() -> None:
    for language in LARGE.split():
        assert len(conventions(language).stop_words) >= 8, language


@pytest.mark.parametrize("name", sorted(FILES))
def test_stop_words_and_abbreviations_are_single_words_so_that_they_can_be_met(name: str) -> None:
    for word in [*(FILES[name].stop_words or ()), *(FILES[name].abbreviations or ())]:
        found = segment_words(word)
        assert [to_text(found.units[a:b]) for a, b in zip(found.starts, found.ends, strict=True)] == [word]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_serves_a_language_that_is_identified(name: str) -> None:
    if name != DEFAULT_FILE_NAME and not is_code(name):
        served = {name, *FILES[name].same_as}
        assert {name[:3] for name in served} & labels().nameable


@pytest.mark.parametrize("name", sorted(FILES))
def test_phrases_are_in_lower_case_so_that_they_can_be_found(name: str) -> None:
    for phrase in (*(FILES[name].policy_phrases or ()), *(FILES[name].placeholder_phrases or ())):
        assert phrase == phrase.lower()


def test_a_script_takes_from_its_language_and_that_from_the_default() -> None:
    assert [file.name for file in language_layers("cmn_Hant")] == [DEFAULT_FILE_NAME, "cmn"]
    assert [file.name for file in language_layers("hau_Latn")] == [DEFAULT_FILE_NAME, "hau_Latn"]
    assert [file.name for file in language_layers("hau_Arab")] == [DEFAULT_FILE_NAME]
    assert [file.name for file in language_layers("pes_Arab")] == [DEFAULT_FILE_NAME, "fas"]
    assert [file.name for file in language_layers(None)] == [DEFAULT_FILE_NAME]


def test_lists_replace_the_defaults_and_phrases_add_to_them() -> None:
    german, chinese, default = conventions("deu_Latn"), conventions("cmn_Hans"), conventions(None)
    assert {"cookie policy", "datenschutzerklärung"} <= set(german.policy_phrases)
    assert set(default.policy_phrases) <= set(german.policy_phrases)
    assert chinese.ellipses != default.ellipses == german.ellipses
    assert chinese.terminal_punctuation[ord("」")] and not default.terminal_punctuation[ord("」")]
    assert not conventions("tha_Thai").terminal_punctuation[ord("。")]


def test_both_chinese_scripts_have_their_stop_words() -> None:
    for word in ("的", "这", "這", "为", "為"):
        assert contains(conventions("cmn_Hans").stop_words, hash_words([word])).all()


def test_sentences_end_in_every_script() -> None:
    for mark in "。！？؟۔।॥။።։៕.!?":
        assert conventions(None).terminal_punctuation[ord(mark)], mark
