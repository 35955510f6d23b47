"""English verdicts are those of the source that a preset names."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from corpus.rules.presets import load_rules
from tests.filters.measuring import SIGNALS, failed
from tests.filters.texts import TEXTS, VERDICTS

REASONS = {
    "gopher_short_doc": "gopher.words.min",
    "gopher_long_doc": "gopher.words.max",
    "gopher_below_avg_threshold": "gopher.mean_word_length.min",
    "gopher_above_avg_threshold": "gopher.mean_word_length.max",
    "gopher_too_many_hashes": "gopher.hashes.max",
    "gopher_too_many_ellipsis": "gopher.ellipses.max",
    "gopher_too_many_bullets": "gopher.bullet_lines.max",
    "gopher_too_many_end_ellipsis": "gopher.ellipsis_lines.max",
    "gopher_below_alpha_threshold": "gopher.alphabetic_words.min",
    "gopher_enough_stop_words": "gopher.stop_words.min",
    "dup_line_frac": "gopher_repetition.duplicate_lines.max",
    "dup_para_frac": "gopher_repetition.duplicate_paragraphs.max",
    "dup_line_char_frac": "gopher_repetition.duplicate_line_characters.max",
    "dup_para_char_frac": "gopher_repetition.duplicate_paragraph_characters.max",
    **{f"top_{n}_gram": f"gopher_repetition.top_{n}_gram.max" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"gopher_repetition.duplicate_{n}_grams.max" for n in range(5, 11)},
    "line_punct_ratio": "fineweb.terminal_lines.min",
    "short_line_ratio": "fineweb.short_lines.max",
    "char_dup_ratio": "fineweb.duplicate_line_characters.max",
    "list_ratio": "fineweb.new_lines.max",
}
"""datatrove's reasons and our rules."""

C4_REASONS = {
    "too_few_sentences": "sentences.min",
    "lorem_ipsum": "filler.max",
    "curly_bracket": "curly_bracket.max",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("preset", ["gopher_quality", "gopher_repetition"])
def test_gopher_keeps_and_drops_what_datatrove_does(name: str, preset: str) -> None:
    reason = VERDICTS[name][["gopher_quality", "gopher_repetition"].index(preset)]
    ours = failed(TEXTS[name], "eng_Latn", [preset])
    assert bool(ours) == bool(reason)
    assert not reason or REASONS[reason] in ours


@pytest.mark.parametrize("name", TEXTS)
def test_fineweb_keeps_and_drops_what_datatrove_does(name: str) -> None:
    reason = VERDICTS[name][2]
    ours = [rule for rule in failed(TEXTS[name], "eng_Latn", ["fineweb"]) if rule.startswith("fineweb.")]
    assert bool(ours) == bool(reason)
    assert not reason or REASONS[reason] in ours


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("preset", "column", "reading"), [("c4", 3, ""), ("fineweb", 4, "unpunctuated_")])
def test_c4_keeps_and_drops_what_datatrove_does(name: str, preset: str, column: int, reading: str) -> None:
    reason = VERDICTS[name][column]
    ours = [rule for rule in failed(TEXTS[name], "eng_Latn", [preset]) if rule.startswith("c4.")]
    assert bool(ours) == bool(reason)
    assert not reason or f"c4.{reading}{C4_REASONS[reason]}" in ours


def test_every_reason_that_datatrove_can_give_is_known_and_most_are_met() -> None:
    given = {reason for verdicts in VERDICTS.values() for reason in verdicts[:3] if reason}
    assert given <= REASONS.keys()
    assert len(given) >= 20
    assert {
        reason for verdicts in VERDICTS.values() for reason in verdicts[3:] if reason
    } == C4_REASONS.keys()


def test_the_english_presets_are_the_sources_values_unchanged() -> None:
    rules = load_rules({"web": ["fineweb", "c4", "language"]}, {}, {*SIGNALS, "language.score"})
    for rule in rules.rules["web"]:
        assert rule.limit("eng_Latn") == rule.preset


def test_the_pinned_verdicts_are_datatroves() -> None:
    python = os.environ.get("DATATROVE_PYTHON")
    if not python:
        pytest.skip("DATATROVE_PYTHON is not set: no Python that has datatrove 0.10.1")
    script = Path(__file__).with_name("datatrove_verdicts.py")
    run = subprocess.run(
        [python, str(script)], input=json.dumps(TEXTS), capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == VERDICTS
