"""Merges learned from counts are those that the trainer of `tokenizers` learns from the text."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.tokens import vocabulary
from corpus.tokens.merges import learn_merges
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from tests.tokens.made import TEXTS


def both(counts: pa.Table, options: TokenizerOptions) -> tuple[str | None, str]:
    """tokenizer.json as learned from the counts, and from the text."""
    own = vocabulary._learn_from_counts(counts, options)
    theirs = vocabulary._learn_from_text(counts, options)
    theirs.pre_tokenizer = None
    return own.to_str() if own is not None else None, theirs.to_str()


def counted(pieces: dict[str, int]) -> pa.Table:
    table = pa.table({"piece": list(pieces), "count": list(pieces.values())})
    return table.cast(vocabulary.PIECE_COUNTS_SCHEMA)


@settings(max_examples=300)
@given(
    st.dictionaries(st.text("ab", min_size=2, max_size=14), st.integers(1, 4), max_size=12)
    | st.dictionaries(st.text("abcñ中 ", min_size=2, max_size=9), st.integers(1, 60), max_size=30),
    st.integers(1, 3),
)
def test_any_pieces_give_the_same_merges(pieces: dict[str, int], least: int) -> None:
    own, theirs = both(counted(pieces), TokenizerOptions(vocabulary=300, min_frequency=least))
    assert own is None or own == theirs


def test_overlapping_pairs_are_merged_from_left_to_right() -> None:
    for pieces in ({"aaaaa": 3, "aaaab": 2}, {"abababa": 5, "baba": 2}, {"  ": 9, "   ": 7, "     ": 5}):
        own, theirs = both(counted(pieces), TokenizerOptions(vocabulary=280))
        assert own == theirs


def test_texts_in_many_languages_give_the_same_tokenizer() -> None:
    texts = [f"{text} {text[i % 9 :]}" for i in range(40) for text in TEXTS.values()]
    counts = vocabulary.count_pieces(texts, DEFAULT_PATTERN)
    for options in (
        TokenizerOptions(vocabulary=2000),
        TokenizerOptions(vocabulary=900, min_frequency=7, end_of_text="</s>"),
        TokenizerOptions(vocabulary=400, end_of_text="e"),
    ):
        own, theirs = both(counts, options)
        assert own == theirs


def test_two_merges_to_one_token_are_left_to_tokenizers() -> None:
    symbols = {"abc": 0, "a": 1, "b": 2, "c": 3}
    pieces = pa.array([1, 2, 3]).to_numpy()
    ones = pa.array([3]).to_numpy(), pa.array([5]).to_numpy()
    assert learn_merges(pieces, *ones, symbols, 9, 1) is None
    counts = counted({"<|x|>": 5, "ab": 2})
    options = TokenizerOptions(vocabulary=300, end_of_text="<|x|>")
    own, theirs = both(counts, options)
    assert own is None
    assert '"<|x|>"' in vocabulary.train_tokenizer(counts, options) and '"<|x|>"' in theirs
