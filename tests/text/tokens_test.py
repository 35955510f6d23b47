"""Tokens as rule-based tokenizers cut them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.text.tokens import tokenize
from corpus.text.units import LETTER, NUMBER, to_text
from corpus.text.words import segment_words


def cut(text: str) -> list[str]:
    words = segment_words(text)
    found = tokenize(words)
    return [to_text(words.units[start:end]) for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", "Hello , world !"),
        ("Wait... what? -- Yes.", "Wait ... what ? -- Yes ."),
        ("(yes) [no] {maybe}", "( yes ) [ no ] { maybe }"),
        ("I don't know what it's for.", "I don 't know what it 's for ."),
        ("O’Brien’s well-known e-mail", "O’Brien ’s well - known e - mail"),
        ("In the U.S. and at 10:21 a.m. by J. Smith.", "In the U.S. and at 10:21 a.m. by J. Smith ."),
        ("Half is 1/2, and/or 2-3 of 1,000.5 at 50%.", "Half is 1/2 , and / or 2 - 3 of 1,000.5 at 50 % ."),
        ("Ask @name or #tag in /usr/bin -al", "Ask @name or # tag in /usr / bin -al"),
        (
            "See https://example.com/a-b?c=d, me@example.org!",
            "See https://example.com/a-b?c=d , me@example.org !",
        ),
        ("今天很好，真的……好——吧。", "今天 很好 ， 真的 …… 好 —— 吧 。"),
        ("a中,文/b", "a 中 , 文 / b"),
        ("好😀😀", "好 😀 😀"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_text_falls_into_tokens(text: str, expected: str) -> None:
    assert cut(text) == expected.split()


def test_tokens_know_what_is_in_them() -> None:
    found = tokenize(segment_words("B2B, 42 isn't"))
    assert [bool(kind & LETTER) for kind in found.kinds] == [True, False, False, True, True]
    assert [bool(kind & NUMBER) for kind in found.kinds] == [True, False, True, False, False]


@given(
    st.text(
        st.sampled_from("ab1 .,-/:@'’\"()…—中ก\n😀é\u0301%#_") | st.characters(exclude_categories=["Cs"]),
        max_size=60,
    )
)
def test_tokens_are_all_that_can_be_seen_in_order_and_once(text: str) -> None:
    words = segment_words(text)
    found = tokenize(words)
    assert len(found.starts) == len(found.ends) == len(found.kinds)
    assert (found.starts < found.ends).all()
    assert (found.ends[:-1] <= found.starts[1:]).all()
    covered = {
        unit for start, end in zip(found.starts, found.ends, strict=True) for unit in range(start, end)
    }
    for start, end in zip(words.starts, words.ends, strict=True):
        assert covered.issuperset(range(start, end))
