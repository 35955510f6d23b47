"""Repeated items and n-grams, against their definitions written out in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.text.ngrams import (
    count_duplicate_characters,
    count_top_characters,
    find_later_copies,
    find_repeated_ngrams,
    hash_ngrams,
)
from corpus.text.words import hash_words

ITEMS = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "中文"]), max_size=60)


def top(items: list[str], n: int) -> int:
    grams = [" ".join(items[at : at + n]) for at in range(len(items) - n + 1)]
    if not grams:
        return 0
    gram, count = Counter(grams).most_common(1)[0]
    return len(gram) * count


def duplicates(items: list[str], n: int) -> int:
    seen: set[tuple[str, ...]] = set()
    total = at = 0
    while at <= len(items) - n:
        gram = tuple(items[at : at + n])
        if gram in seen:
            total += sum(map(len, gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return total


@given(ITEMS)
def test_top_and_duplicate_characters_follow_their_definition(items: list[str]) -> None:
    lengths = np.array([len(item) for item in items], np.int64)
    ends = np.concatenate(([0], np.cumsum(lengths)))
    hashes = hash_words(items)
    found = find_repeated_ngrams(hashes, 4)
    for n, one in found.items():
        assert count_top_characters(one, n, ends) == top(items, n)
        grams = [tuple(items[at : at + n]) for at in range(len(items) - n + 1)]
        assert one.places.tolist() == [at for at, gram in enumerate(grams) if grams.count(gram) > 1]
    expected = [duplicates(items, n) for n in range(4, 11)]
    assert count_duplicate_characters(hashes, found[4].places, range(4, 11), ends) == expected


@given(ITEMS)
def test_later_copies_are_all_but_the_first(items: list[str]) -> None:
    expected = [at for at, item in enumerate(items) if item in items[:at]]
    assert sorted(find_later_copies(hash_words(items)).tolist()) == expected


@given(ITEMS, st.integers(1, 6))
def test_windows_are_equal_where_their_items_are(items: list[str], n: int) -> None:
    hashes = hash_ngrams(hash_words(items), n).tolist()
    windows = [tuple(items[at : at + n]) for at in range(max(0, len(items) - n + 1))]
    assert len(hashes) == len(windows)
    assert len(set(hashes)) == len(set(windows)) == len(set(zip(hashes, windows, strict=True)))


def test_the_order_of_items_matters() -> None:
    first, second = hash_ngrams(hash_words(["a", "b", "a"]), 2).tolist()
    assert first != second


def test_nothing_repeats_in_nothing() -> None:
    empty = np.zeros(0, np.uint64)
    assert [len(one.places) for one in find_repeated_ngrams(empty, 4).values()] == [0, 0, 0]
    assert len(find_later_copies(empty)) == len(hash_ngrams(empty, 3)) == 0
