"""What a change of a bound does beside what it says."""

from __future__ import annotations

from typing import Any

from corpus.rules.effects import describe_effects
from corpus.rules.known_signals import read_known_signals
from corpus.rules.presets import load_rules

PRESETS = {"web": ["gopher_quality"], "books": [], "posts": []}


def effects(
    change: dict[str, float | str], before: dict[str, Any], after: dict[str, Any], held: tuple[str, ...] = ()
) -> list[str]:
    sides = [load_rules(PRESETS, rules, set(read_known_signals().ranges)) for rules in (before, after)]
    return describe_effects(*sides, change, held)


def test_sources_without_a_rule_gain_it() -> None:
    lines = effects({"gopher.hashes.max": 0.2}, {}, {"gopher.hashes": {"max": 0.2}})
    assert lines == ["gopher.hashes.max=0.2: books and posts had no such rule and will have it"]
    only = {"gopher.hashes": {"max": 0.2, "where": {"sources": ["posts"]}}}
    assert effects({"gopher.hashes.max": 0.2}, {}, only) == [
        "gopher.hashes.max=0.2: posts had no such rule and will have it"
    ]
    assert effects({"gopher.hashes.max": "off"}, {}, {"gopher.hashes": {"max": "off"}}) == []


def test_values_of_languages_that_are_replaced_are_named() -> None:
    change: dict[str, float | str] = {"gopher.mean_word_length.min": 2.5}
    held = ("cmn_Hans", "jpn_Jpan", "eng_Latn")
    (gain, line) = effects(change, {}, {"gopher.mean_word_length": {"min": 2.5}}, held)
    assert gain == "gopher.mean_word_length.min=2.5: books and posts had no such rule and will have it"
    assert line.startswith(
        "gopher.mean_word_length.min=2.5 replaces the values that languages have of their own in web: "
    )
    first = line.partition(" in web: ")[2].split(" ")[0]
    assert first in ("cmn", "cmn_Hans") and " becomes 2.5, " in line and " more; " in line
    assert line.endswith(" beside it keeps one") and f"; gopher.mean_word_length.min@{first}=" in line
    own = {"gopher.words": {"min": 50}, "languages": {"tha": {"gopher.words": {"min": 20}}}}
    kept = {"gopher.words": {"min": 30}, "languages": {"tha": {"gopher.words": {"min": 20}}}}
    assert effects({"gopher.words.min": 30.0}, own, kept) == []


def test_a_value_for_one_language_says_who_gains_it() -> None:
    after = {"languages": {"tha": {"gopher.words": {"min": 9}}}}
    assert effects({"gopher.words.min@th": 9.0}, {}, after) == [
        "gopher.words.min@th=9: books and posts had no such rule for tha and will have it"
    ]
