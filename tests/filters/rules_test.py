"""Rules: what holds for whom, and what fails."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.rules.presets import load_rules
from corpus.rules.rule import Rule, RuleSet, compute_threshold, draw_uniform

PRODUCED = {
    "gopher.words",
    "gopher.mean_word_length",
    "gopher.stop_words",
    "quality.score",
    "text.words",
    "a.b",
    "a.c",
}


def rules(manifest: dict[str, Any], presets: list[str] | None = None) -> RuleSet:
    produced = {
        *PRODUCED,
        *(f"gopher.{name}" for name in ("hashes", "ellipses", "bullet_lines", "ellipsis_lines")),
    }
    return load_rules({"web": presets or [], "wiki": []}, manifest, {*produced, "gopher.alphabetic_words"})


def evaluate(
    found: RuleSet, rows: dict[str, list[float | None]], languages: list[str | None], **more: Any
) -> Any:
    table = pa.table({name: pa.array(values, pa.float32()) for name, values in rows.items()})
    failed, passes = found.evaluate(table, pa.array(languages, pa.string()), "web", **more)
    assert failed.type == pa.list_(pa.string())
    return failed.to_pylist(), passes.tolist()


def limit(found: RuleSet, name: str, language: str, source: str = "web") -> float | None:
    values = [rule.limit(language) for rule in found.rules[source] if rule.name == name]
    return None if not values or math.isnan(values[0]) else values[0]


def test_every_failed_rule_is_named_in_order() -> None:
    found = rules({"a.b": {"min": 1, "max": 2}, "a.c": {"max": 5}})
    failed, passes = evaluate(found, {"a.b": [0, 1, 2, 3], "a.c": [9, 5, 6, 0]}, ["eng_Latn"] * 4)
    assert failed == [["a.b.min", "a.c.max"], [], ["a.c.max"], ["a.b.max"]]
    assert passes == [False, True, False, False]


def test_a_page_at_a_bound_passes_though_signals_are_float32() -> None:
    found = rules({"a.b": {"min": 0.1, "max": 0.1}})
    assert evaluate(found, {"a.b": [0.1]}, [None])[1] == [True]


def test_what_was_not_measured_fails_by_name_where_a_rule_holds() -> None:
    found = rules({"a.b": {"min": 1, "max": 2}, "languages": {"tha": {"a.b": "off"}}})
    failed, passes = evaluate(found, {"a.b": [None, float("nan"), None]}, ["eng_Latn", None, "tha_Thai"])
    assert failed == [["a.b.missing"], ["a.b.missing"], []]
    assert passes == [False, False, True]


def test_a_gated_row_fails_nothing_and_does_not_pass() -> None:
    found = rules({"a.b": {"min": 1}})
    gates = pa.array(["url.domain", None, None])
    failed, passes = evaluate(found, {"a.b": [None, 0, 1]}, ["eng_Latn"] * 3, gates=gates)
    assert failed == [None, ["a.b.min"], []]
    assert passes == [False, False, True]


def test_nothing_fails_where_there_are_no_rules() -> None:
    table = pa.table({"a.b": pa.array([1.0, None], pa.float32())})
    failed, passes = rules({}).evaluate(table, pa.array(["eng_Latn", None]), "wiki")
    assert (failed.to_pylist(), passes.tolist()) == ([[], []], [True, True])


def test_a_signal_that_is_not_in_the_table_is_no_reason_to_keep() -> None:
    with pytest.raises(KeyError):
        evaluate(rules({"a.b": {"min": 1}}), {"a.c": [1]}, [None])


def test_the_most_particular_value_holds() -> None:
    preset, name = ["gopher_quality"], "gopher.mean_word_length.max"
    assert limit(rules({}, preset), name, "eng_Latn") == 10
    assert limit(rules({}, preset), name, "cmn_Hant") == limit(rules({}, preset), name, "wuu_Hans") == 5
    assert limit(rules({}, preset), name, "") == limit(rules({}, preset), name, "xho_Latn") == 20
    manifest: dict[str, Any] = {"gopher.mean_word_length": {"max": 8}}
    assert [limit(rules(manifest, preset), name, language) for language in ("eng_Latn", "cmn_Hans", "")] == [
        8,
        8,
        8,
    ]
    manifest["languages"] = {
        "cmn": {"gopher.mean_word_length": {"max": 6}},
        "cmn_Hant": {"gopher.mean_word_length": {"max": "off"}},
    }
    found = rules(manifest, preset)
    assert [limit(found, name, language) for language in ("cmn_Hans", "cmn_Hant", "eng_Latn")] == [6, None, 8]
    assert limit(found, "gopher.mean_word_length.min", "cmn_Hant") == 1


def test_a_rule_can_be_taken_back() -> None:
    found = rules({"gopher.words": False, "gopher.stop_words": {"min": "off"}}, ["gopher_quality"])
    assert (
        limit(found, "gopher.words.min", "eng_Latn") is limit(found, "gopher.words.max", "eng_Latn") is None
    )
    assert limit(found, "gopher.stop_words.min", "eng_Latn") is None
    assert "gopher.words" not in [
        rule.signal for rule in found.rules["web"] if limit(found, rule.name, "eng_Latn")
    ]


def test_a_rule_of_the_manifest_holds_for_all_sources_or_for_those_it_names() -> None:
    found = rules({"a.b": {"min": 1}, "a.c": {"min": 2, "where": {"sources": ["wiki"]}}})
    assert [found.signals(source) for source in ("web", "wiki")] == [("a.b",), ("a.b", "a.c")]
    assert found.signals() == ("a.b", "a.c")
    assert found.steps() == ("a",)


def test_languages_may_come_as_a_dictionary_and_in_chunks() -> None:
    found = rules({"a.b": {"min": 1}, "languages": {"tha": {"a.b": {"min": 3}}}})
    table = pa.table({"a.b": pa.array([2.0, 2.0, 2.0], pa.float32())})
    languages = pa.chunked_array([["eng_Latn"], ["tha_Thai", None]]).dictionary_encode()
    _failed, passes = found.evaluate(table, languages, "web")
    assert passes.tolist() == [True, False, True]


def test_the_top_share_of_each_language_stays() -> None:
    found = rules(
        {"quality.score": {"top_share": 0.5}, "languages": {"eng": {"quality.score": {"top_share": 0.25}}}}
    )
    scores = [0.1, 0.2, 0.3, 0.4, 0.7, 0.8]
    languages = ["eng_Latn"] * 4 + ["cmn_Hans"] * 2
    (_source, rule), *_ = list(found.shares())
    thresholds = {
        ("quality.score", label): compute_threshold(
            np.array(
                [score for score, its in zip(scores, languages, strict=True) if its == label], np.float32
            ),
            rule.limit(label),
        )
        for label in ("eng_Latn", "cmn_Hans")
    }
    failed, passes = evaluate(found, {"quality.score": scores}, languages, thresholds=thresholds)
    assert passes == [False, False, False, True, False, True]
    assert failed[0] == ["quality.score.top_share"]
    with pytest.raises(ValueError, match="cmn_Hans"):
        evaluate(found, {"quality.score": [1.0]}, ["cmn_Hans"], thresholds={})


def test_gpt_3s_draw_keeps_more_the_better_the_score_and_is_the_same_each_time() -> None:
    found = rules({"quality.score": {"pareto": 9}})
    ids = pa.array([f"{number:016x}{number * 7919:016x}" for number in range(20_000)])
    kept = {}
    for score in (0.0, 0.5, 1.0):
        rows = {"quality.score": [score] * len(ids)}
        _failed, passes = evaluate(found, rows, [None] * len(ids), ids=ids, seed=3)
        assert evaluate(found, rows, [None] * len(ids), ids=ids, seed=3)[1] == passes
        assert evaluate(found, rows, [None] * len(ids), ids=ids, seed=4)[1] != passes or score == 1
        kept[score] = sum(passes) / len(ids)
    # A Pareto draw of numpy is above x with probability (1 + x) ** -9.
    assert kept[0.0] == pytest.approx(2.0**-9, abs=0.001)
    assert kept[0.5] == pytest.approx(1.5**-9, abs=0.004)
    assert kept[1.0] == 1


def test_draws_are_uniform() -> None:
    draws = draw_uniform(pa.array([f"{number:032x}" for number in range(10_000)]), 0)
    assert draws.min() >= 0 and draws.max() < 1
    assert np.histogram(draws, 10, (0, 1))[0].min() > 900


@given(
    st.lists(st.floats(0, 1, width=32) | st.just(float("nan")), min_size=1, max_size=50), st.floats(0.01, 1)
)
def test_a_threshold_leaves_at_least_the_share(scores: list[float], share: float) -> None:
    values = np.array(scores, np.float32)
    measured = values[~np.isnan(values)]
    least = compute_threshold(values, share)
    if len(measured):
        assert (measured >= np.float32(least)).sum() >= math.floor(share * len(measured))
        assert (measured > np.float32(least)).sum() < max(1, math.ceil(share * len(measured)))
    else:
        assert math.isnan(least)


@given(
    st.lists(
        st.tuples(st.floats(-5, 5, width=32) | st.none(), st.sampled_from(["eng_Latn", "cmn_Hans", None])),
        max_size=20,
    )
)
def test_columns_are_judged_as_rows_would_be(rows: list[tuple[float | None, str | None]]) -> None:
    found = rules({"a.b": {"min": -1, "max": 1}, "languages": {"cmn": {"a.b": {"min": 0, "max": "off"}}}})
    failed, passes = evaluate(
        found, {"a.b": [value for value, _ in rows]}, [language for _, language in rows]
    )
    for (value, language), names, kept in zip(rows, failed, passes, strict=True):
        low, high = (0, math.inf) if language == "cmn_Hans" else (-1, 1)
        expected = (
            ["a.b.missing"] if value is None else ["a.b.max"] * (value > high) + ["a.b.min"] * (value < low)
        )
        assert names == expected
        assert kept == (not expected)


def test_parameters_are_plain_values_that_change_with_a_rule() -> None:
    first, second = rules({"a.b": {"min": 1}}).parameters(), rules({"a.b": {"min": 2}}).parameters()
    assert first != second
    assert rules({"a.b": {"min": 1.0}}).parameters() == first


def test_rules_without_a_bound_in_a_preset_are_equal() -> None:
    """nan stands for no bound, and dataclasses of Python 3.13 compare their fields one by one."""
    rules = [
        Rule(
            signal="quality.score",
            bound="top_share",
            languages={},
            manifest=0.5,
            calibrated={},
            default=None,
            as_presets=frozenset(),
            preset=float("nan"),
        )
        for _ in range(2)
    ]
    assert rules[0] == rules[1] and len(set(rules)) == 1
    assert rules[0] != replace(rules[0], manifest=0.4)
