"""A recipe as rows, and the rules in it that can do nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pyarrow.compute as pc
import pytest

import corpus
from corpus.clean.options import SIGNALS as CLEAN_SIGNALS
from corpus.data import data_path, use_own_files
from corpus.filters import FILTERS
from corpus.holding import SIGNALS
from corpus.inspect.signals_page import build_signals_page
from corpus.ledger.tables import read_ledger
from corpus.private.options import KINDS, name_signals
from corpus.rules.known_signals import read_known_signals
from corpus.rules.presets import list_presets, load_rules, read_preset
from corpus.rules.recipe_lint import IdleRule, describe_recipe, find_idle_rules
from corpus.rules.rule import CLUSTER_SIZE
from tests.filters.measuring import measure, table
from tests.ledger.demo import demo_workspace


def rules_of(manifest: dict[str, Any], presets: tuple[str, ...] = ()) -> Any:
    produced = set(read_known_signals().ranges) | {"mine.number"}
    return load_rules({"web": presets}, manifest, produced).rules["web"]


def test_a_recipe_says_each_bound_and_where_it_comes_from() -> None:
    rows = describe_recipe(
        rules_of(
            {"gopher.words": {"min": 30}, "languages": {"tha": {"text.letters": {"min": 0.3}}}},
            ("text_only",),
        )
    )
    assert {"rule": "gopher.words.min", "bound": 30, "from": "manifest", "languages": {}} in rows
    assert {"rule": "text.letters.min", "bound": 0.5, "from": "preset", "languages": {"tha": 0.3}} in rows


def test_a_rule_for_some_languages_alone_is_from_no_preset() -> None:
    languages = {"languages": {"tha": {"gopher.words": {"min": 7}}}}
    (row,) = describe_recipe(rules_of(languages))
    assert row == {
        "rule": "gopher.words.min",
        "bound": None,
        "from": "manifest, by language",
        "languages": {"tha": 7},
    }
    (row,) = describe_recipe(rules_of({"gopher.words": {"min": "off"}, **languages}))
    assert (row["bound"], row["from"]) == (None, "manifest")


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ({"text.letters": {"min": 0}}, "no text can fail it: text.letters is between 0 and 1, the bound 0"),
        ({"text.letters": {"max": 1}}, "no text can fail it: text.letters is between 0 and 1, the bound 1"),
        ({"text.letters": {"min": 50}}, "every text fails it: text.letters is between 0 and 1, the bound 50"),
        ({"text.words": {"max": -1}}, "every text fails it: text.words is at least 0, the bound -1"),
        (
            {"text.words": {"min": 3}, "gopher.words": {"min": 50}},
            "shadowed by gopher.words.min 50: every text that fails this (3) fails that too",
        ),
        (
            {"gopher.words": {"max": 900}, "text.words": {"max": 500}},
            "shadowed by text.words.max 500: every text that fails this (900) fails that too",
        ),
    ],
)
def test_rules_that_can_do_nothing(manifest: dict[str, Any], why: str) -> None:
    (found,) = find_idle_rules(rules_of(manifest))
    assert (found.languages, found.why) == (("",), why)


@pytest.mark.parametrize(
    "manifest",
    [
        {"text.words": {"min": 60}, "gopher.words": {"min": 50}},
        {"text.words": {"max": 900}, "gopher.words": {"max": 500}},
        {"text.letters": {"min": 0.5, "max": 0.99}},
        {"mine.number": {"min": -5}},
    ],
)
def test_rules_that_can_do_something(manifest: dict[str, Any]) -> None:
    assert find_idle_rules(rules_of(manifest)) == []


def test_a_rule_may_be_idle_in_one_language() -> None:
    manifest = {"text.letters": {"min": 0.5}, "languages": {"jpn": {"text.letters": {"min": 0}}}}
    (found,) = find_idle_rules(rules_of(manifest))
    assert found == IdleRule(rule="text.letters.min", languages=("jpn",), why=found.why)


def test_no_rule_of_the_presets_is_out_of_range() -> None:
    presets = sorted(path.stem for path in data_path("rules").iterdir())
    assert {"code", "fineweb", "papers"} <= set(presets)
    for preset in presets:
        assert [idle for idle in find_idle_rules(rules_of({}, (preset,))) if "fail it:" in idle.why] == []


def test_every_signal_is_described_in_the_order_of_its_filter() -> None:
    signals = [signal for module in FILTERS.values() for signal in import_module(module).SIGNALS]
    known = read_known_signals()
    later = [*CLEAN_SIGNALS, *name_signals(KINDS), *SIGNALS, CLUSTER_SIZE]
    assert [*signals, *later] == list(known.signals) == list(known.ranges)
    for signal in known.signals.values():
        assert signal.measures and signal.source and signal.unit
        assert signal.most == 1 or not signal.unit.startswith("share"), signal


def test_the_page_of_signals_says_what_the_code_does() -> None:
    use_own_files({})  # those of tests before
    page = data_path("signals.yaml").parent.parent / "docs/signals.md"
    assert page.read_text(encoding="utf-8") == build_signals_page(), (
        "python -m corpus.inspect.signals_page > docs/signals.md"
    )
    rows = {
        line.split("|")[1].strip(" `"): line
        for line in build_signals_page().splitlines()
        if line.startswith("| `")
    }
    for preset in list_presets():
        for signal, bound in (key for key, value in read_preset(preset).rules.items() if value == value):
            assert f"`{preset}`" in rows[signal] and bound in rows[signal].split("|")[5], (preset, signal)
    assert "min 0.12 (`fineweb`)" in rows["fineweb.terminal_lines"]
    assert "0 to 1" in rows["language.score"] and "share of letters" in rows["language.script"]


def test_what_is_said_of_signals_holds_for_real_texts() -> None:
    workspace = corpus.open(str(demo_workspace()))
    histograms = read_ledger(workspace, ["histograms"])["histograms"]
    spans = (
        histograms.group_by("signal").aggregate([("low", "min"), ("high", "max"), ("low", "max")]).to_pylist()
    )
    known = read_known_signals()
    checked = [row for row in spans if row["signal"] in known.ranges]
    assert len(checked) > 40
    for row in checked:
        least, most = known.ranges[row["signal"]]
        assert row["low_min"] >= least and row["low_max"] <= most, row
    documents = workspace.documents().to_table(columns=["text", "language"])
    texts = zip(documents["text"].to_pylist(), documents["language"].to_pylist(), strict=True)
    measured = table([measure(text, language) for text, language in texts if text is not None])
    for one, other in known.at_most:
        assert not pc.any(pc.greater(measured[one], measured[other])).as_py(), (one, other)
