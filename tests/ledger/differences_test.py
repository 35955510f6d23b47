"""Two texts beside each other: words are marked in every script, equal lines are left out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.inspect.differences import LinePair, compare_lines


def only(one: str, other: str, language: str | None = None) -> LinePair:
    (pair,) = compare_lines(one, other, language)
    return pair


def test_a_changed_word_is_marked_and_not_its_line() -> None:
    pair = only("The old town by the river.", "The new town by the river.")
    assert pair.one == [("The ", False), ("old", True), (" town by the river.", False)]
    assert pair.other == [("The ", False), ("new", True), (" town by the river.", False)]


def test_words_without_spaces() -> None:
    pair = only("今天我们学习汉语。", "今天我们学习英语。", "cmn_Hans")
    assert [text for text, changed in pair.one or [] if changed] == ["汉语"]
    pair = only("ทุกเช้าคนทำขนมปังเปิดร้าน", "ทุกเช้าคนทำขนมปังปิดร้าน", "tha_Thai")
    assert [text for text, changed in pair.other or [] if changed] == ["ปิด"]
    pair = only("في كل صباح", "في كل مساء", "arb_Arab")
    assert [text for text, changed in pair.one or [] if changed] == ["صباح"]


def test_a_line_that_only_one_side_has() -> None:
    pairs = compare_lines("one\ntwo\nthree", "one\nthree")
    assert pairs == [
        LinePair([("one", False)], [("one", False)]),
        LinePair([("two", True)], None),
        LinePair([("three", False)], [("three", False)]),
    ]


def test_equal_lines_far_from_a_change_are_counted() -> None:
    lines = [f"line {number}" for number in range(20)]
    other = [*lines[:10], "changed", *lines[11:]]
    pairs = compare_lines("\n".join(lines), "\n".join(other))
    assert [pair.skipped for pair in pairs] == [9, 0, 0, 8]
    assert pairs[-1].one is pairs[-1].other is None


def test_equal_texts_show_their_beginning() -> None:
    pairs = compare_lines("one\ntwo\nthree", "one\ntwo\nthree")
    assert [pair.one and pair.one[0][0] for pair in pairs] == ["one", "two", None]
    assert pairs[-1].skipped == 1


@settings(max_examples=60)
@given(st.text("ab \nกข中文", max_size=30), st.text("ab \nกข中文", max_size=30))
def test_nothing_is_lost(one: str, other: str) -> None:
    pairs = compare_lines(one, other, around=None)
    for side, text in (("one", one), ("other", other)):
        lines = [getattr(pair, side) for pair in pairs if getattr(pair, side) is not None]
        assert "\n".join("".join(piece for piece, _ in line) for line in lines) == text
