"""Find numbers of bank accounts (ISO 13616), by the length of their country and their remainder by 97."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.private.digit_regions import Region, search_regions
from corpus.private.private_words import read_words

_IBAN = re.compile(r"[A-Z]{2}\d{2}(?:[ \u00a0\u202f-]?[A-Z0-9]){11,30}(?![a-z])", re.ASCII)
_SPACES = " \u00a0\u202f-"
_WITHOUT_SPACES = str.maketrans("", "", _SPACES)


def find_ibans(text: str, regions: list[Region]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every account number whose length and remainder by 97 are right."""
    lengths = read_words().iban_lengths
    for match in search_regions(_IBAN, text, regions):
        start = match.start()
        before = text[start - 1 : start]
        length = lengths.get(match[0][:2])
        if length is None or (before.isascii() and before.isalnum()):
            continue
        end, taken = start, 0
        while taken < length and end < match.end():
            taken += text[end] not in _SPACES
            end += 1
        after = text[end : end + 1]
        number = text[start:end].translate(_WITHOUT_SPACES)
        if taken == length and not (after.isascii() and after.isalnum()) and is_iban(number):
            yield start, end


def is_iban(number: str) -> bool:
    """Return whether a number without spaces has the remainder 1 by 97, its first four characters moved to the end."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1
