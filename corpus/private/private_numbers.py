"""Find phones, cards and national numbers among the runs of digits of a text, in the digits of any script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from corpus.private.digit_regions import Region, search_regions
from corpus.private.private_words import read_words

_SEPARATORS = r" \u00a0\u2009\u202f.\-‐‑–－/()·・"
_RUN = re.compile(rf"[+＋(]{{0,2}}\d(?:(?! / )[{_SEPARATORS}]{{0,3}}\d){{5,24}}\)?")
_EXTENSION = re.compile(
    r"\s?(?:[x#]|ext\.?|extension|доб\.?|poste|内线|內線|转|轉|分机|分機|내선)\s?\d{1,6}", re.IGNORECASE
)
_LETTERED = re.compile(
    r"(?<![A-Za-z0-9~_/.-])(?:[A-Z]{1,6}-?\d[A-Z0-9().-]{5,16}"  # codice fiscale, CURP, HKID, NIE, Taiwan, Singapore
    r"|\d{17}[Xx](?![A-Za-z0-9])"  # resident identity cards
    r"|\d{6}[-+ABCDEFUVWXY]\d{3}[0-9A-Z](?![A-Za-z0-9])"  # henkilötunnus
    r"|\d{7,8}-?[A-Z]{1,2}(?![A-Za-z0-9])"  # DNI, PPS
    r"|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Z](?![A-Za-z0-9]))",  # National Insurance
    re.ASCII,
)
_DATE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:[0-2]?\d|3[01])(?!\d)|(?:[0-2]?\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d(?!\d)"
)
_BESIDE_CHARACTERS = 40
_LAST_BREAK = re.compile(r".*[\d\n]", re.DOTALL)
_INTERNATIONAL = re.compile(r"\+|00(?=[1-9])")
_IN_LONGER = re.compile(r"[\w,@=&%$€£¥₹₽#_]")
RUN_MARGIN_CHARACTERS = 8
"""Any four digits of a run are a region of their own, so only its first and last signs are outside of all."""
LETTERED_MARGIN_CHARACTERS = 24
MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15
CARD_LENGTHS = range(12, 20)


class DigitRun(NamedTuple):
    """A run of digits: place in the text, what is written there, its digits alone in ASCII."""

    start: int
    end: int
    written: str
    digits: str


def find_runs(text: str, regions: list[Region]) -> list[DigitRun]:
    """Find the runs of at least 6 digits with at most 3 separators between two, none in a longer word or number."""
    runs: list[DigitRun] = []
    for match in search_regions(_RUN, text, regions, RUN_MARGIN_CHARACTERS):
        start, end = match.span()
        before = text[start - 1 : start]
        if (before and _IN_LONGER.match(before) and not _is_spaceless_letter(before)) or _is_continued(
            text, end
        ):
            continue
        written = text[start:end]
        if written.endswith(")") and "(" not in written:
            written, end = written[:-1], end - 1
        digits = "".join(character for character in written if character.isdigit())
        if not digits.isascii():
            digits = "".join(str(int(digit)) for digit in digits)
        runs.append(DigitRun(start, end, written, digits))
    return runs


def _is_spaceless_letter(character: str) -> bool:
    return character >= "\u0e00" and character.isalpha()


def _is_continued(text: str, end: int) -> bool:
    after = text[end : end + 2]
    if not after:
        return False
    if after[0] in "_@%=$€£¥₹₽" or (after[0].isalpha() and not _is_spaceless_letter(after[0])):
        return not _EXTENSION.match(text, end)
    return after[0] in ",." and after[1:].isdigit()


def find_phones(text: str, runs: list[DigitRun]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of runs with a country code, or beside a word for phones, with their extension."""
    words = read_words().phone
    last = -MAX_PHONE_DIGITS
    for run in runs:
        count = len(run.digits)
        if not MIN_PHONE_DIGITS - 1 <= count <= MAX_PHONE_DIGITS + 3 or _DATE.search(run.written):
            continue
        written = run.written.lstrip("(").replace("＋", "+")
        is_phone = bool(_INTERNATIONAL.match(written)) and _is_possible(written, run.digits)
        if not is_phone and count <= MAX_PHONE_DIGITS:
            is_phone = 0 <= run.start - last <= 3 and "\n" not in text[last : run.start]
            is_phone = is_phone or _ends_with_word(_read_gap(text, run.start), words)
        if is_phone:
            extension = _EXTENSION.match(text, run.end)
            last = extension.end() if extension else run.end
            yield run.start, last


def _read_gap(text: str, start: int) -> str:
    """Return what stands before a number, from the number or line break before it on."""
    gap = text[max(0, start - _BESIDE_CHARACTERS) : start]
    last = _LAST_BREAK.match(gap)
    return gap if last is None else gap[last.end() :]


def _ends_with_word(gap: str, words: re.Pattern[str]) -> bool:
    """Return whether a word of `words` stands in the gap with no other number or sentence between it and the end."""
    last = None
    for match in words.finditer(gap):
        last = match
    if last is None:
        return False
    between = gap[last.end() :]
    return len(between) <= 24 and not re.search(r"[\d\n]|[!?。！？]|\.\s+\w", between)


def _is_possible(written: str, digits: str) -> bool:
    """Return whether a number with its country code could be dialled, by libphonenumber's lengths."""
    import phonenumbers

    international = digits.removeprefix("00") if not written.startswith("+") else digits
    try:
        number = phonenumbers.parse(f"+{international}")
    except phonenumbers.NumberParseException:
        return False
    if phonenumbers.is_possible_number(number):
        return True
    trunk = re.sub(r"\(0\)", "", written)
    if trunk == written:
        return False
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(trunk)))
    except phonenumbers.NumberParseException:
        return False


def find_cards(runs: list[DigitRun]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of numbers of payment cards: the first digits and length of a brand, Luhn's check digit."""
    for run in runs:
        if len(run.digits) in CARD_LENGTHS and _is_card_grouped(run.written) and is_card(run.digits):
            yield run.start, run.end


def _is_card_grouped(written: str) -> bool:
    groups = re.split(r"[ \u00a0-]", written)
    if any(not group.isdigit() for group in groups):
        return False
    lengths = [len(group) for group in groups]
    return (
        len(groups) == 1
        or lengths in ([4, 6, 5], [4, 6, 4])
        or (set(lengths[:-1]) == {4} and lengths[-1] <= 4)
    )


_BRANDS: tuple[tuple[range, int, tuple[int, ...]], ...] = (
    (range(4, 5), 1, (13, 16, 19)),
    (range(51, 56), 2, (16,)),
    (range(2200, 2205), 4, (16, 17, 18, 19)),
    (range(2221, 2721), 4, (16,)),
    (range(34, 35), 2, (15,)),
    (range(37, 38), 2, (15,)),
    (range(300, 306), 3, (14, 16)),
    (range(36, 37), 2, (14,)),
    (range(38, 40), 2, (14, 16)),
    (range(35, 36), 2, (16, 17, 18, 19)),
    (range(1800, 1801), 4, (15,)),
    (range(2131, 2132), 4, (15,)),
    (range(50, 51), 2, (12, 13, 14, 15, 16, 17, 18, 19)),
    (range(56, 59), 2, (12, 13, 14, 15, 16, 17, 18, 19)),
    (range(60, 68), 2, (16, 18, 19)),
    (range(6304, 6305), 4, (12, 13, 14, 15)),
    (range(639, 640), 3, (12, 13, 14, 15)),
    (range(67, 68), 2, (12, 13, 14, 15)),
    (range(81, 82), 2, (16, 17, 18, 19)),
)
"""The first digits of each brand's numbers, how many these are, and the lengths of the numbers."""


def is_card(digits: str) -> bool:
    """Return whether digits are a card's: a brand's beginning and length, and Luhn's sum."""
    if len(set(digits)) < 3 or not any(
        int(digits[:size]) in first and len(digits) in lengths for first, size, lengths in _BRANDS
    ):
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (
        sum(map(int, digits[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)
    ) % 10 == 0


@cache
def _validator(country: str) -> list[Callable[[str], bool]]:
    module = import_module(f"idnumbers.nationalid.{country}")
    names = ["NationalID", "DNI", "NIE", "SocialSecurityNumber", "OldNationalID", "OldIDNumber"]
    validators: list[Callable[[str], bool]] = []
    for name in names:
        validate = getattr(getattr(module, name, None), "validate", None)
        if validate is not None and validate not in validators:
            validators.append(validate)
    return validators


def is_national_number(country: str, written: str, loosely: bool) -> bool:
    """Return whether `written` is a number of the country; `loosely`, also if it would be without spaces and marks."""
    forms = [written.strip(), written.replace(" ", "")]
    if loosely:
        forms.append(re.sub(r"[\s.\-/()‐‑–]", "", written))
    for validate in _validator(country):
        for form in dict.fromkeys(forms):
            try:
                if validate(form):
                    return True
            except (ValueError, IndexError, KeyError, TypeError):
                continue
    return False


def find_national_numbers(
    text: str, regions: list[Region], runs: list[DigitRun]
) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of national numbers: beside a word of their country, or of a country whose form is enough."""
    words = read_words()
    candidates = [
        (run.start, run.end, run.written.strip("()+＋")) for run in runs if 7 <= len(run.digits) <= 18
    ]
    candidates += [
        (match.start(), match.end(), match[0].rstrip(".-("))
        for match in search_regions(_LETTERED, text, regions, LETTERED_MARGIN_CHARACTERS)
    ]
    for start, end, written in candidates:
        gap = _read_gap(text, start)
        named = []
        if len(gap) > 1 and words.any_national.search(gap):
            named = [code for code, pattern in words.national.items() if _ends_with_word(gap, pattern)]
        distinct = sorted(words.bare) if _is_distinct(written) else []
        if any(is_national_number(country, written, True) for country in named) or any(
            is_national_number(country, written, False) for country in distinct
        ):
            yield start, start + len(written) if text.startswith(written, start) else end


def _is_distinct(written: str) -> bool:
    """Return whether a form needs no word: it has letters, or 13 digits and more."""
    plain = re.sub(r"[\s.\-/()]", "", written)
    return len(plain) >= 13 or any(character.isalpha() for character in plain)
