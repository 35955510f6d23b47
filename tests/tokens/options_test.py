from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from corpus.tokens.options import Mixture, Tokenizer, Tokens


def test_a_tokenizer_is_trained_or_given_by_its_path() -> None:
    assert Tokenizer.model_validate({"vocabulary": 32000}) == Tokenizer()
    assert Tokenizer.model_validate("mine/tokenizer.json") == Tokenizer(path="mine/tokenizer.json")
    assert Tokenizer.model_validate({"sample_bytes": "10MB"}).sample_bytes == 10_000_000


def test_what_a_manifest_resolves_to_can_be_read_again() -> None:
    for options in (
        Tokenizer(vocabulary=500),
        Tokenizer(path="x.json"),
        Mixture(epochs={"wiki": 2}),
        Tokens(),
    ):
        assert type(options).model_validate(options.model_dump(mode="json")) == options


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (Tokenizer, {"vocab": 32000}, "Extra inputs are not permitted"),
        (Tokenizer, {"vocabulary": 256}, "greater than or equal to 257"),
        (Tokenizer, {"path": "x.json", "vocabulary": 1000}, "vocabulary would do nothing"),
        (Mixture, {"weights": {"a": 1}, "epochs": {"a": 1}}, "keep one of them"),
        (Mixture, {"weights": {"a": -1}}, "greater than or equal to 0"),
        (Mixture, {"temperature": 5}, r"T = 5 is 0\.2"),
        (Mixture, {"temperature": 0}, r"outside \(0, 1\]"),
        (Tokens, {"max_shard_tokens": 0}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        options.model_validate(given)
