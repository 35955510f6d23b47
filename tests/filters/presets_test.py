"""Presets and the rules of a manifest: what is read, and what is refused with the key that is wrong."""

from __future__ import annotations

import math
from typing import Any

import pytest

from corpus import filters
from corpus.errors import UserError
from corpus.rules.presets import list_presets, load_rules, read_preset
from corpus.text.conventions import conventions, language_files
from tests.filters.measuring import SIGNALS

PRODUCED = {*SIGNALS, "language.score", "quality.score"}


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_can_be_used_and_names_its_source(name: str) -> None:
    preset = read_preset(name)
    assert preset.description and preset.source and preset.rules
    assert load_rules({"web": [name]}, {}, PRODUCED).rules["web"]


def test_language_files_and_presets_speak_of_signals_that_exist() -> None:
    """A correction of a signal that was renamed would be lost in silence."""
    known = {"language.score", *SIGNALS}
    for name in list_presets():
        assert {signal for signal, _ in read_preset(name).rules} <= known, name
    for file in language_files().values():
        assert file.rules.keys() <= known, file.name


def test_every_language_with_stop_words_is_judged_by_them_and_no_other() -> None:
    rules = load_rules({"web": ["gopher_quality"]}, {}, PRODUCED).rules["web"]
    (stop_words,) = [rule for rule in rules if rule.signal == "gopher.stop_words"]
    for name in language_files().keys() - {"lzh"}:  # verse does without
        assert math.isnan(stop_words.limit(name)) == (not len(conventions(name).stop_words)), name


def test_fineweb_is_gopher_and_what_it_adds() -> None:
    fineweb = read_preset("fineweb").rules
    assert {
        **read_preset("gopher_quality").rules,
        **read_preset("gopher_repetition").rules,
    }.items() <= fineweb.items()
    assert fineweb[("fineweb.terminal_lines", "min")] == 0.12
    assert not any(signal == "c4.sentences" for signal, _ in fineweb)


@pytest.mark.parametrize(
    ("presets", "manifest", "path", "words"),
    [
        (
            ["fineweeb"],
            {},
            ("sources", "web", "rules", 0),
            "no rules named 'fineweeb': did you mean fineweb?",
        ),
        (
            [],
            {"gopher.wrods": {"min": 1}},
            ("rules", "gopher.wrods"),
            "did you mean gopher.words",
        ),
        ([], {"perplexity.score": {"min": 1}}, ("rules", "perplexity.score"), "nothing computes"),
        ([], {"a": {"min": 1}}, ("rules", "a"), "nothing computes"),
        (
            [],
            {"gopher.words": {"min": 5, "max": 4}},
            ("rules", "gopher.words"),
            "minimum 5 is above the maximum 4",
        ),
        (["gopher_quality"], {"gopher.words": {"max": 4}}, ("rules", "gopher.words"), "minimum 50"),
        (
            [],
            {"gopher.words": {"min": "many"}},
            ("rules", "gopher.words", "min"),
            "expected a number or `off`",
        ),
        ([], {"gopher.words": {"min": True}}, ("rules", "gopher.words", "min"), "a number"),
        ([], {"gopher.words": {"min": float("inf")}}, ("rules", "gopher.words", "min"), "a number"),
        ([], {"gopher.words": {"minimum": 1}}, ("rules", "gopher.words", "minimum"), "unknown bound"),
        ([], {"gopher.words": 5}, ("rules", "gopher.words"), "a rule is `off` or bounds"),
        ([], {"gopher.words": {}}, ("rules", "gopher.words"), "a rule is `off` or bounds"),
        (
            [],
            {"gopher.words": {"where": {"sources": ["web"]}}},
            ("rules", "gopher.words"),
            "needs bounds beside it",
        ),
        (
            [],
            {"gopher.words": {"min": 1, "where": {"sources": ["wbe"]}}},
            ("rules", "gopher.words", "where", "sources", 0),
            "no source named 'wbe': did you mean web?",
        ),
        ([], {"gopher.words": {"min": 1, "where": "web"}}, ("rules", "gopher.words", "where"), "is written"),
        ([], {"quality.score": {"top_share": 10}}, ("rules", "quality.score", "top_share"), "a share"),
        ([], {"quality.score": {"pareto": 0}}, ("rules", "quality.score", "pareto"), "Pareto"),
        ([], {"languages": ["tha"]}, ("rules", "languages"), "written tha"),
        ([], {"languages": {"nowhere": {}}}, ("rules", "languages", "nowhere"), "is not a language"),
        (
            [],
            {"languages": {"tha": {"x.y": {"min": 1}}}},
            ("rules", "languages", "tha", "x.y"),
            "nothing computes",
        ),
        (
            ["gopher_quality"],
            {"languages": {"tha": {"gopher.words": {"min": 200_000}}}},
            ("rules", "languages", "tha", "gopher.words"),
            "above the maximum 100000 for tha",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(
    presets: list[str], manifest: dict[str, Any], path: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(UserError) as caught:
        load_rules({"web": presets}, manifest, PRODUCED)
    assert caught.value.path == path
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_preset_needs_the_signals_that_it_judges() -> None:
    with pytest.raises(UserError, match=r"the rules fineweb need the signal .*nothing computes") as caught:
        load_rules({"web": ["language", "fineweb"]}, {}, {"language.score", "text.mojibake"})
    assert caught.value.path == ("sources", "web", "rules", 1)


def test_filters_are_loaded_by_step_and_refuse_options_they_do_not_have() -> None:
    assert filters.load_filter("gopher").signals[0] == "gopher.words"
    with pytest.raises(UserError, match="unknown filter 'gohper': choose from text"):
        filters.load_filter("gohper")
    with pytest.raises(UserError, match="filter gopher has no option 'fast'"):
        filters.load_filter("gopher", {"fast": True})


def test_signals_carry_the_name_of_their_step_and_stand_once() -> None:
    assert len(SIGNALS) == len(set(SIGNALS))
    for step in ("text", "url", "gopher", "gopher_repetition", "c4", "fineweb"):
        found = filters.load_filter(step)
        assert found.step == step
        assert all(signal.startswith(f"{step}.") for signal in found.signals)
