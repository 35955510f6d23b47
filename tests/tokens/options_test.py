from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from corpus.tokens.options import MixtureOptions, TokenizerOptions, TokensOptions


def test_a_tokenizer_is_trained_or_given_by_its_path() -> None:
    assert TokenizerOptions.model_validate({"vocabulary": 32000}) == TokenizerOptions()
    assert TokenizerOptions.model_validate("mine/tokenizer.json") == TokenizerOptions(
        path="mine/tokenizer.json"
    )
    assert TokenizerOptions.model_validate({"sample_bytes": "10MB"}).sample_bytes == 10_000_000


def test_what_a_manifest_resolves_to_can_be_read_again() -> None:
    for options in (
        TokenizerOptions(vocabulary=500),
        TokenizerOptions(path="x.json"),
        MixtureOptions(epochs={"wiki": 2}),
        TokensOptions(),
    ):
        assert type(options).model_validate(options.model_dump(mode="json")) == options


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (TokenizerOptions, {"vocab": 32000}, "Extra inputs are not permitted"),
        (TokenizerOptions, {"vocabulary": 256}, "greater than or equal to 257"),
        (TokenizerOptions, {"path": "x.json", "vocabulary": 1000}, "vocabulary would have no effect"),
        (MixtureOptions, {"weights": {"a": 1}, "epochs": {"a": 1}}, "keep one of them"),
        (MixtureOptions, {"weights": {"a": -1}}, "greater than or equal to 0"),
        (MixtureOptions, {"temperature": 5}, r"T = 5 is 0\.2"),
        (MixtureOptions, {"temperature": 0}, r"outside \(0, 1\]"),
        (TokensOptions, {"max_shard_tokens": 0}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        options.model_validate(given)
