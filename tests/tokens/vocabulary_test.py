from __future__ import annotations

import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.tokens import vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from tests.tokens.made import TEXTS


def counted(*texts: str) -> dict[str, int]:
    table = vocabulary.count_pieces(texts, DEFAULT_PATTERN)
    return dict(zip(table.column("piece").to_pylist(), table.column("count").to_pylist(), strict=True))


def test_words_keep_the_space_before_them_and_digits_go_in_threes() -> None:
    assert counted("The fox, the fox!  It's 12345 €.\n") == {
        "The": 1, " fox": 2, " the": 1, " It": 1, "'s": 1, "123": 1, "45": 1, " €.\n": 1,
    }  # fmt: skip


def test_vowel_signs_stay_in_their_words() -> None:
    assert counted("हिन्दी में वُهبوا") == {"हिन्दी": 1, " में": 1, " वُهبوا": 1}


def test_scripts_without_spaces_are_counted_by_words() -> None:
    assert counted("中国人民，中国。") == {"中国": 2, "人民": 1, "，": 1, "。": 1}
    assert counted("ภาษาไทยเป็นภาษา ที่ดี") == {"ภาษา": 2, "ไทย": 1, "เป็น": 1, " ที่": 1, "ดี": 1}
    assert counted("コンピューターのデータ") == {"コンピューター": 1, "の": 1, "データ": 1}
    assert counted("用Python写𠀀𠀁") == {"用": 1, "Python": 1, "写": 1, "𠀀": 1, "𠀁": 1}


def test_what_teaches_nothing_is_left_out() -> None:
    assert counted("a b " + "x" * 200 + " " + "\uffff") == {" b": 1}


def test_counts_do_not_depend_on_when_they_were_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} {i % 3}" for i in range(5) for text in TEXTS.values()]
    whole = vocabulary.count_pieces(texts, DEFAULT_PATTERN)
    monkeypatch.setattr(vocabulary, "MAX_HELD_PIECES", 10)
    assert vocabulary.count_pieces(texts, DEFAULT_PATTERN).equals(whole)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=5))
def test_no_letter_is_lost(texts: list[str]) -> None:
    found: dict[str, int] = {}
    for piece, times in counted(*texts).items():
        for character in piece:
            found[character] = found.get(character, 0) + times
    for character in set("".join(texts)):
        if ord(character) > 0x7F and character != "\uffff":
            assert found.get(character, 0) == "".join(texts).count(character)


def test_the_rarest_pieces_are_left_out_beyond_the_limit() -> None:
    counts = pa.table({"piece": ["aa", "bb", "cc", "dd", "ee", "ff"], "count": [1, 9, 1, 1, 5, 1]})
    kept = vocabulary.select_most_frequent(counts.cast(vocabulary.PIECE_COUNTS_SCHEMA), 8).to_pydict()
    assert {"bb", "ee"} < set(kept["piece"]) and len(kept["piece"]) == 4
    assert kept["piece"] == sorted(kept["piece"])
    assert vocabulary.select_most_frequent(counts.cast(vocabulary.PIECE_COUNTS_SCHEMA), 12).num_rows == 6


def test_a_vocabulary_has_the_bytes_the_end_and_merges_in_their_order() -> None:
    raw = json.loads(
        vocabulary.train_tokenizer(
            vocabulary.count_pieces(TEXTS.values(), DEFAULT_PATTERN), TokenizerOptions(vocabulary=400)
        )
    )
    vocab = raw["model"]["vocab"]
    assert vocab["<|endoftext|>"] == 0
    assert sorted(vocab.values()) == list(range(len(vocab))) and len(vocab) <= 400
    assert [vocab[a + b] for a, b in raw["model"]["merges"]] == list(range(257, len(vocab)))


def test_a_pair_seen_less_than_min_frequency_is_not_merged() -> None:
    counts = vocabulary.count_pieces([" abc abc abc xyz"], DEFAULT_PATTERN)
    often = Encoder(
        vocabulary.train_tokenizer(counts, TokenizerOptions(vocabulary=300, min_frequency=3)).encode()
    )
    assert len(often.encode(" abc")) == 1
    assert len(often.encode(" xyz")) == 4


def test_learning_from_nothing_gives_bytes() -> None:
    encoder = Encoder(vocabulary.train_tokenizer(vocabulary.merge_counts([]), TokenizerOptions()).encode())
    assert encoder.vocabulary_size == 257
    assert encoder.decode(encoder.encode("Größe 中文 ไทย")) == "Größe 中文 ไทย"


def test_the_same_sample_gives_the_same_bytes_with_any_number_of_threads() -> None:
    program = (
        "import hashlib; from corpus.tokens import vocabulary as v; from corpus.tokens.options import *;"
        "from tests.tokens.made import TEXTS;"
        "c = v.count_pieces([f'{t} {t[i % 9:]}' for i in range(400) for t in TEXTS.values()], DEFAULT_PATTERN);"
        "print(hashlib.sha256(v.train_tokenizer(c, TokenizerOptions(vocabulary=2000)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads, seed in (("1", "1"), ("2", "2"), ("4", "3"))
    }
    assert len(digests) == 1


def test_distinct_pieces_decide_not_the_order_they_come_in() -> None:
    table = vocabulary.count_pieces(TEXTS.values(), DEFAULT_PATTERN)
    shuffled = table.take(pc.sort_indices(table, [("count", "descending"), ("piece", "descending")]))
    options = TokenizerOptions(vocabulary=600)
    assert vocabulary.train_tokenizer(table, options) == vocabulary.train_tokenizer(shuffled, options)
