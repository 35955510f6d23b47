"""Texts with their edits applied: overlaps, masks, whole lines."""

from __future__ import annotations

import itertools
import random

import pytest

from corpus.edits.regions import Edit, Region, apply_edits, find_regions, join_edits


def cut(text: str, *pieces: str) -> list[Edit]:
    """A cut of each piece where it first stands."""
    return [Edit(text.index(piece), text.index(piece) + len(piece), "line") for piece in pieces]


def mask(text: str, piece: str, replacement: str) -> Edit:
    return Edit(text.index(piece), text.index(piece) + len(piece), "email", replacement)


def test_without_edits_a_text_is_itself():
    assert apply_edits("  один \n\n два\n", []) == "  один \n\n два\n"


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("one two three", ["two "], "one three"),
        ("第一段。第二段。第三段。", ["第二段。"], "第一段。第三段。"),
        ("สวัสดีชาวโลก", ["ชาว"], "สวัสดีโลก"),
        ("𠮷野家で𠮷と書く", ["𠮷野家で"], "𠮷と書く"),
        ("नमस्ते दुनिया", ["नमस्ते "], "दुनिया"),
        ("all", ["all"], ""),
    ],
)
def test_a_cut_takes_its_characters_and_no_others(text, gone, left):
    assert apply_edits(text, cut(text, *gone)) == left


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("a\nb\nc", ["b"], "a\nc"),
        ("a\n\nb\n\nc", ["b"], "a\n\nc"),
        ("a\n\nb\nc", ["b"], "a\n\nc"),
        ("a\nb\n\nc", ["b"], "a\n\nc"),
        ("a\n  b \t\nc", ["b"], "a\nc"),
        ("a\n\nb\n\n    indented", ["b"], "a\n\n    indented"),
        ("a\nb", ["a"], "b"),
        ("a\nb", ["b"], "a"),
        ("a\n\nb\n\nc", ["b", "c"], "a"),
        ("a\n\nb\n\nc", ["a", "b"], "c"),
        ("a\n\nb\n\nc", ["a", "b", "c"], ""),
        ("a\nb\n", ["b"], "a"),
        ("x\nA B\ny", ["A", "B"], "x\ny"),
        ("首页\n正文。\n上一篇", ["首页", "上一篇"], "正文。"),
        ("x A\nB y", ["A", "B"], "x \n y"),
    ],
)
def test_whole_lines_go_with_the_breaks_on_one_side(text, gone, left):
    assert apply_edits(text, cut(text, *gone)) == left


def test_a_mask_takes_the_place_of_what_it_hides():
    text = "Пишите: ann@example.org или звоните."
    assert apply_edits(text, [mask(text, "ann@example.org", "[email]")]) == "Пишите: [email] или звоните."


def test_a_line_that_is_masked_keeps_its_breaks():
    text = "a\nann@example.org\nb"
    assert apply_edits(text, [mask(text, "ann@example.org", "[email]")]) == "a\n[email]\nb"


def test_a_mask_inside_a_cut_goes_with_it():
    text = "Text.\nWrite to ann@example.org now\nMore."
    edits = [*cut(text, "Write to ann@example.org now"), mask(text, "ann@example.org", "[email]")]
    assert apply_edits(text, edits) == apply_edits(text, edits[::-1]) == "Text.\nMore."


def test_a_mask_that_reaches_beyond_a_cut_stays():
    text = "0123456789"
    assert join_edits([Edit(1, 5, "span"), Edit(3, 7, "ip", "[ip]")], 10) == [
        Region(1, 7, "[ip]", ("span", "ip"))
    ]
    assert apply_edits(text, [Edit(3, 7, "ip", "[ip]"), Edit(1, 5, "span")]) == "0[ip]789"


def test_of_masks_that_overlap_the_first_replaces_all():
    edits = [Edit(2, 6, "ip", "[ip]"), Edit(4, 8, "phone", "[phone]"), Edit(7, 9, "card", "[card]")]
    assert apply_edits("0123456789", edits) == "01[ip]9"


def test_masks_at_both_ends_of_a_cut_both_stay():
    edits = [Edit(0, 3, "ip", "<"), Edit(2, 8, "line"), Edit(7, 10, "ip", ">")]
    assert apply_edits("0123456789", edits) == "<>"


def test_masks_that_touch_stay_apart():
    edits = [Edit(0, 2, "ip", "A"), Edit(2, 4, "ip", "B")]
    assert [region.replacement for region in join_edits(edits, 4)] == ["A", "B"]


@pytest.mark.parametrize("edit", [Edit(-1, 2, "x"), Edit(2, 2, "x"), Edit(3, 1, "x"), Edit(0, 5, "x")])
def test_an_edit_outside_of_the_text_is_an_error(edit):
    with pytest.raises(ValueError, match="characters"):
        join_edits([edit], 4)


def test_any_edits_leave_what_no_edit_covers_but_breaks_and_blanks():
    draw = random.Random(3)
    for _ in range(300):
        text = "".join(draw.choice("ab \n好𠮷") for _ in range(draw.randint(1, 40)))
        edits = []
        for _ in range(draw.randint(0, 6)):
            start = draw.randrange(len(text))
            replacement = draw.choice([None, None, "#"])
            edits.append(Edit(start, draw.randint(start + 1, len(text)), "k", replacement))
        covered = {at for edit in edits for at in range(edit.start, edit.end)}
        left = "".join(letter for at, letter in enumerate(text) if at not in covered)
        draw.shuffle(edits)
        result = apply_edits(text, edits)
        assert "".join(result.replace("#", "").split()) == "".join(left.split())
        regions = find_regions(text, edits)
        assert all(one.end <= other.start for one, other in itertools.pairwise(regions))
