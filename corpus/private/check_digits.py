"""Check digits of national numbers that idnumbers does not have, or not as they are given today.

Every function takes a number without spaces and marks, in ASCII capitals, and returns whether its check digits are
right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

_CUIT_KINDS = frozenset(["20", "23", "24", "25", "26", "27", "30", "33", "34"])
_RVNR_WEIGHTS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def _is_dated(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _sum_weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_luhn(digits: str) -> bool:
    """Return whether the last digit is Luhn's."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    singles = sum(map(int, digits[-1::-2]))
    return (singles + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def is_hungarian_since_1997(number: str) -> bool:
    """Személyi szám of those born after 1996, whose weights fall from 10 to 1. No number has the remainder 10."""
    if not re.fullmatch(r"[1-8]\d{10}", number):
        return False
    century = 1900 if number[0] in "1256" else 2000
    year = century + int(number[1:3])
    if year < 1997 or not _is_dated(year, int(number[3:5]), int(number[5:7])):
        return False
    return _sum_weighted(number, range(10, 0, -1)) % 11 == int(number[10])


def is_cuit(number: str) -> bool:
    """Argentina's CUIT and CUIL."""
    if not re.fullmatch(r"\d{11}", number) or number[:2] not in _CUIT_KINDS:
        return False
    return (11 - _sum_weighted(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(number[10])


def is_snils(number: str) -> bool:
    """Russia's СНИЛС."""
    if not re.fullmatch(r"\d{11}", number) or int(number[:9]) < 1_001_998:
        return False
    return _sum_weighted(number[:9], range(9, 0, -1)) % 101 % 100 == int(number[9:])


def is_inn(number: str) -> bool:
    """Russia's ИНН of a person, which has two check digits."""
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    return bool(re.fullmatch(r"\d{12}", number)) and all(
        _sum_weighted(number[:size], weights[11 - size :]) % 11 % 10 == int(number[size]) for size in (10, 11)
    )


def is_amka(number: str) -> bool:
    """Greece's ΑΜΚΑ: the day of birth and Luhn's digit."""
    if not re.fullmatch(r"\d{11}", number) or not _is_dated(2000, int(number[2:4]), int(number[:2])):
        return False
    return is_luhn(number)


def is_idnp(number: str) -> bool:
    """Moldova's IDNP."""
    return bool(re.fullmatch(r"[0-2]\d{12}", number)) and _sum_weighted(
        number[:12], (7, 3, 1) * 4
    ) % 10 == int(number[12])


def is_rvnr(number: str) -> bool:
    """Germany's Rentenversicherungsnummer; the letter counts as the two digits of its place in the alphabet."""
    if not re.fullmatch(r"\d{8}[A-Z]\d{3}", number):
        return False
    digits = f"{number[:8]}{ord(number[8]) - 64:02}{number[9:11]}"
    sums = (
        sum(map(int, str(int(digit) * weight))) for digit, weight in zip(digits, _RVNR_WEIGHTS, strict=True)
    )
    return sum(sums) % 10 == int(number[11])


def is_svnr(number: str) -> bool:
    """Austria's Sozialversicherungsnummer: the fourth digit is the check digit."""
    if not re.fullmatch(r"[1-9]\d{9}", number) or not 1 <= int(number[4:6]) <= 31:
        return False
    return _sum_weighted(number[:3] + number[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == int(number[3])


def is_uruguayan(number: str) -> bool:
    """Uruguay's cédula de identidad."""
    if not re.fullmatch(r"[1-9]\d{6,7}", number):
        return False
    digits = number.zfill(8)
    return -_sum_weighted(digits, (2, 9, 8, 7, 6, 3, 4)) % 10 == int(digits[7])


def is_nhs(number: str) -> bool:
    """The NHS number of the United Kingdom."""
    if not re.fullmatch(r"[1-9]\d{9}", number):
        return False
    return (11 - _sum_weighted(number[:9], range(10, 1, -1)) % 11) % 11 == int(number[9])


def is_thai(number: str) -> bool:
    """Thailand's number of identity, whatever office of registration its second to fifth digits name."""
    if not re.fullmatch(r"[0-8]\d{12}", number):
        return False
    return (11 - _sum_weighted(number[:12], range(13, 1, -1)) % 11) % 10 == int(number[12])


def is_pan(number: str) -> bool:
    """India's PAN: a form, with the kind of its holder."""
    return bool(re.fullmatch(r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", number))


OWN_CHECKS: dict[str, Callable[[str], bool]] = {
    "AMKA": is_amka,
    "CI": is_uruguayan,
    "CUIT": is_cuit,
    "IDNP": is_idnp,
    "INN": is_inn,
    "NHS": is_nhs,
    "PAN": is_pan,
    "RVNR": is_rvnr,
    "SNILS": is_snils,
    "SVNR": is_svnr,
    "Since1997": is_hungarian_since_1997,
    "Thai": is_thai,
}
"""By the names in manifests/private.yaml."""
