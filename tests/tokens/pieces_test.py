"""Pieces cut by arrays are those that the regular expression of `tokenizers` matches."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from corpus.tokens.options import DEFAULT_PATTERN
from corpus.tokens.pieces import cut_texts
from tests.tokens.made import TEXTS

MATCH = pre_tokenizers.Split(Regex(DEFAULT_PATTERN), "isolated").pre_tokenize_str

SIGNS = "ab中ーก่1٣Ⅳ \t\u00a0\u3000\n\r.!'€😀𠀀\u0301\u200b〇々\u0085\u1c00\x1c\x00"


def matched(texts: list[str]) -> list[list[str]]:
    return [[piece for piece, _ in MATCH(text)] for text in texts]


def cut(texts: list[str]) -> list[list[str]]:
    pieces, counts = cut_texts(texts)
    waiting = iter(pieces.to_pylist())
    result = [[next(waiting) for _ in range(count)] for count in counts.tolist()]
    assert next(waiting, None) is None
    return result


def test_the_one_space_or_sign_before_a_word_belongs_to_it() -> None:
    assert cut(["foo-bar (baz)  qux", "", "中 文 a"]) == [
        ["foo", "-bar", " (", "baz", ")", " ", " qux"],
        [],
        ["中", " 文", " a"],
    ]


def test_white_space_ends_with_its_last_line_break() -> None:
    assert cut(["a.\n\n \n\tb  \n", " \n x"]) == [["a", ".\n\n", " \n", "\tb", "  \n"], [" \n", " x"]]


@settings(max_examples=400)
@given(
    st.lists(st.text(SIGNS, max_size=12), max_size=6)
    | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=4)
)
def test_any_texts_are_cut_where_the_expression_matches(texts: list[str]) -> None:
    assert cut(texts) == matched(texts)


@settings(max_examples=100)
@given(
    st.sampled_from(["", "a", ".", "中"]),
    st.lists(st.tuples(st.sampled_from(" \t\n\r"), st.integers(0, 140)), max_size=5),
    st.sampled_from(["", "a", "1", ".", "中"]),
)
def test_long_white_space_is_cut_where_the_expression_matches(
    first: str, runs: list[tuple[str, int]], last: str
) -> None:
    text = first + "".join(space * times for space, times in runs) + last
    assert cut([text, text]) == matched([text, text])


def test_every_character_has_its_class() -> None:
    codes = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 61)]
    characters = list(map(chr, codes))
    for start in range(0, len(characters), 1 << 15):
        text = "".join(f"a{c}中 {c}" for c in characters[start : start + (1 << 15)])
        assert cut([text]) == matched([text])


def test_texts_in_many_languages() -> None:
    assert cut(list(TEXTS.values())) == matched(list(TEXTS.values()))
