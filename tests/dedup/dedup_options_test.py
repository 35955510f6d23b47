"""What a manifest may say about duplicates."""

from __future__ import annotations

from typing import Any

import pytest
from datasketch import MinHashLSH
from pydantic import ValidationError

from corpus.dedup.options import FALSE_NEGATIVE_WEIGHT, DedupOptions, MinHashOptions


def test_the_default_is_finewebs_banding() -> None:
    options = DedupOptions()
    assert options.exact and options.url and options.closure == "best"
    assert options.minhash is not None
    assert (options.minhash.threshold, options.minhash.banding, options.minhash.width) == (0.7, (14, 8), 112)
    assert (options.minhash.words, options.minhash.characters) == (5, 8)


def test_repeated_text_is_searched_for_where_asked() -> None:
    assert DedupOptions().repeats == {}
    assert DedupOptions.model_validate({"spans": False}).parameters == DedupOptions().parameters
    options = DedupOptions.model_validate({"spans": True, "paragraphs": {"documents": 3}, "lines": {}})
    assert options.parameters == DedupOptions().parameters  # clusters do not depend on it
    assert options.repeats == {
        "paragraphs": {"documents": 3, "min_characters": 50, "code": False},
        "lines": {"pages": 10, "min_characters": 1, "code": False},
        "spans": {"min_tokens": 50, "min_characters": 100, "code": False},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"spans": {"min_tokens": 8}}, "min_tokens"),
        ({"spans": {"min_characters": 10}}, "min_characters"),
        ({"spans": {"tokens": 50}}, "tokens"),
        ({"spans": 50}, "spans"),
        ({"lines": {"pages": 1}}, "pages"),
        ({"paragraphs": {"documents": "many"}}, "documents"),
    ],
)
def test_wrong_options_on_repeated_text_are_refused(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        DedupOptions.model_validate(given)


def test_it_is_also_what_the_optimizer_finds() -> None:
    index = MinHashLSH(
        threshold=0.7, num_perm=112, weights=(1 - FALSE_NEGATIVE_WEIGHT, FALSE_NEGATIVE_WEIGHT)
    )
    assert (index.b, index.r) == MinHashOptions().banding


@pytest.mark.parametrize(
    ("given", "banding", "permutations"),
    [
        ({"threshold": 0.5}, (23, 4), 112),
        ({"threshold": 0.8}, (10, 11), 112),
        ({"permutations": 256}, None, 256),
        ({"bands": 20, "rows": 13}, (20, 13), 260),
        ({"bands": 3, "rows": 3, "permutations": 64}, (3, 3), 64),
        ({"threshold": 1.0}, (2, 56), 112),
    ],
)
def test_a_threshold_or_a_banding_settles_the_rest(
    given: dict[str, float], banding: tuple[int, int] | None, permutations: int
) -> None:
    options = MinHashOptions.model_validate(given)
    assert options.width == permutations
    assert banding is None or options.banding == banding
    assert options.banding[0] * options.banding[1] <= permutations


def test_the_resolved_options_say_it_all_and_mean_the_same() -> None:
    options = DedupOptions.model_validate({"minhash": {"threshold": 0.8}})
    dumped = options.model_dump(mode="json")
    assert dumped["minhash"]["bands"] == 10
    assert DedupOptions.model_validate(dumped) == options


@pytest.mark.parametrize(
    ("given", "expected"), [(False, None), (None, None), (True, MinHashOptions()), ({}, MinHashOptions())]
)
def test_minhash_can_be_switched(given: object, expected: MinHashOptions | None) -> None:
    assert DedupOptions.model_validate({"minhash": given}).minhash == expected


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"minhash": {"bands": 14}}, "give both bands and rows"),
        ({"minhash": {"bands": 20, "rows": 8, "permutations": 112}}, "need 160 permutations, not 112"),
        ({"minhash": {"threshold": 0}}, "greater than 0"),
        ({"minhash": {"ngram": 5}}, "Extra inputs"),
        ({"minhash": {"fold": ["kana"]}}, "fold"),
        ({"closure": "all"}, "'best' or 'transitive'"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        DedupOptions.model_validate(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, ("case", "chinese", "digits", "punctuation", "width")),
        (False, ()),
        ("case", ("case",)),
        (["width", "case", "width"], ("case", "width")),
    ],
)
def test_what_is_folded_can_be_named(given: object, expected: tuple[str, ...]) -> None:
    assert MinHashOptions.model_validate({"fold": given}).fold == expected


@pytest.mark.parametrize(("threshold", "least"), [(0.7, 79), (0.75, 84), (0.5, 56), (1.0, 112), (0.001, 1)])
def test_the_least_number_of_equal_values_is_exact(threshold: float, least: int) -> None:
    assert MinHashOptions(threshold=threshold, permutations=112).matches == least
