"""Tables of characters are what each character by itself says."""

from __future__ import annotations

import unicodedata

import pytest

from corpus.unicode_ranges import cut_range, list_categories

WHOLE = 0x20000


def test_categories_are_those_of_each_character() -> None:
    expected = [unicodedata.category(chr(code)) for code in range(WHOLE)]
    assert [row.tobytes().decode() for row in list_categories(0, WHOLE)] == expected


@pytest.mark.parametrize(
    "bounds", [(0x41, 0x5B), (0x3400, 0x4DB6), (0x4E01, 0x9FFF), (0x17000, 0x18800), (7, 7)]
)
def test_parts_of_a_range_follow_one_another(bounds: tuple[int, int]) -> None:
    start, end = bounds
    parts = list(cut_range(start, end))
    assert [code for first, last, _ in parts for code in range(first, last)] == list(range(start, end))
    assert len(list_categories(start, end)) == end - start


def test_alike_characters_are_alike_in_all_that_tables_ask_for() -> None:
    parts = [part[:2] for part in cut_range(0, WHOLE) if part[2]]
    assert sum(last - first for first, last in parts) > 0xC000
    for first, last in parts:
        said = {
            (
                unicodedata.category(character),
                unicodedata.decomposition(character),
                unicodedata.is_normalized("NFC", character),
                character.isprintable(),
                character.isspace(),
                character.lower() == character,
            )
            for character in map(chr, range(first, last))
        }
        assert len(said) == 1, hex(first)
