"""Variants of known likeness, in many scripts, and what MinHash makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.dedup.canaries import (
    Audit,
    audit_pairs,
    expect_candidates,
    make_variant,
    measure_likeness,
)
from corpus.dedup.options import MinHashOptions
from corpus.text.words import segment_words
from tests.dedup.texts import STORIES

OPTIONS = MinHashOptions()
SHAPE = OPTIONS.shape(None)
CODE = "\n".join(f"def name_{at}(x):\n    return x + {at}\n" for at in range(60))
OTHER_CODE = "\n".join(f"class Other{at}:\n    size = {at * at}\n" for at in range(60))


@pytest.mark.parametrize("language", ["eng_Latn", "rus_Cyrl", "arb_Arab", "cmn_Hans", "jpn_Jpan", "tha_Thai"])
@pytest.mark.parametrize("kind", ["edits", "truncation", "boilerplate"])
def test_a_variant_is_about_as_alike_as_it_was_to_be(language: str, kind: str) -> None:
    document = segment_words(STORIES[language])
    other = segment_words(STORIES["cmn_Hant" if language in ("cmn_Hans", "jpn_Jpan") else "hin_Deva"])
    for target in (0.6, 0.8, 0.9):
        alike = []
        for seed in range(8):
            text = make_variant(document, kind, target, other, SHAPE, seed)
            assert text == make_variant(document, kind, target, other, SHAPE, seed)
            assert text is not None
            alike.append(measure_likeness([document], [segment_words(text)], SHAPE)[0])
        assert abs(np.mean(alike) - target) < 0.2, (target, alike)


def test_pieces_in_another_order_hold_the_same_words() -> None:
    document = segment_words(STORIES["eng_Latn"])
    text = make_variant(document, "reordered", 0.6, document, SHAPE, 3)
    assert text is not None and text != STORIES["eng_Latn"]
    assert sorted(segment_words(text).hashes.tolist()) == sorted(document.hashes.tolist())


@pytest.mark.parametrize("language", ["cmn_Hans", "cmn_Hant"])
def test_a_text_in_the_other_script_is_the_same(language: str) -> None:
    document = segment_words(STORIES[language])
    text = make_variant(document, "script", 1, document, SHAPE, 0)
    assert text is not None and text != STORIES[language]
    audit = audit_pairs([document], [segment_words(text)], SHAPE, OPTIONS)
    assert audit.likeness.tolist() == [1] and audit.verified.all()
    case = OPTIONS.model_copy(update={"fold": ("case",)})
    assert not audit_pairs([document], [segment_words(text)], case.shape(None), case).verified.any()


def test_code_is_changed_by_lines() -> None:
    shape = OPTIONS.shape("code_python")
    document, other = segment_words(CODE), segment_words(OTHER_CODE)
    for kind in ("edits", "truncation", "boilerplate", "reordered"):
        text = make_variant(document, kind, 0.7, other, shape, 1)
        assert text is not None
        alike = measure_likeness([document], [segment_words(text)], shape)[0]
        assert 0.5 < alike < 0.9, (kind, alike)


def test_what_cannot_be_varied_gives_none() -> None:
    story = segment_words(STORIES["eng_Latn"])
    for text in ("", "one", "...", "word " * 5):
        short = segment_words(text)
        for kind in ("edits", "truncation", "boilerplate", "reordered", "script"):
            assert make_variant(short, kind, 0.7, story, SHAPE, 1) is None
    assert make_variant(story, "edits", 0.7, segment_words(""), SHAPE, 1) is None
    assert make_variant(story, "boilerplate", 0.5, segment_words("too little"), SHAPE, 1) is None
    assert make_variant(story, "script", 1, story, SHAPE, 1) is None
    with pytest.raises(ValueError, match="no kind"):
        make_variant(story, "rot13", 0.7, story, SHAPE, 1)


def test_expected_shares_are_those_of_the_formula() -> None:
    expected = expect_candidates(np.array([0, 0.5, 0.7, 0.8, 1]), OPTIONS)
    assert expected == pytest.approx([0, 0.0533, 0.5646, 0.9236, 1], abs=1e-3)


def test_a_summary_has_a_row_for_each_step_with_pairs() -> None:
    audit = Audit(
        np.array([0.5, 0.7, 0.7, 1.0]),
        np.array([False, True, True, True]),
        np.array([False, True, False, True]),
    )
    rows = audit.summarize(OPTIONS)
    assert [(row["likeness"], row["pairs"], row["candidates"], row["verified"]) for row in rows] == [
        (0.5, 1, 0, 0), (0.7, 2, 1, 0.5), (1.0, 1, 1, 1),
    ]  # fmt: skip
    assert Audit(*(np.empty(0, kind) for kind in (float, bool, bool))).summarize(OPTIONS) == []
