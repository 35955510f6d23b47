"""Find runs of digits of a text, in the digits of any script, and phones and cards among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from corpus.private.check_digits import is_luhn
from corpus.private.digit_regions import Region, search_regions
from corpus.private.private_words import read_words

_SEPARATORS = r" \u00a0\u2009\u202f.\-‐‑–－/()·・"
_RUN = re.compile(rf"[+＋(]{{0,2}}\d(?:(?! / )[{_SEPARATORS}]{{0,3}}\d){{5,24}}\)?")
_EXTENSION = re.compile(
    r"\s?(?:[x#]|ext\.?|extension|доб\.?|poste|内线|內線|转|轉|分机|分機|내선)\s?\d{1,6}", re.IGNORECASE
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
_BETWEEN_BLANKS = re.compile(r"[^ \u00a0]+")
_JOINT = re.compile(r"[ \u00a0]?(?:[^\W\d_]{1,4}|[,;/|、，；・&+-]?)\.?[ \u00a0]?")
MAX_JOINT_CHARACTERS = 6
MAX_LENGTH_DIFFERENCE = 3
"""Digits by which a phone that is joined to another may be shorter: those of an area."""
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
        digits = to_ascii_digits("".join(character for character in written if character.isdecimal()))
        runs.append(DigitRun(start, end, written, digits))
    return runs


def to_ascii_digits(written: str) -> str:
    """Return what is written with ASCII digits in place of those of other scripts."""
    if written.isascii():
        return written
    return "".join(str(int(character)) if character.isdecimal() else character for character in written)


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
    last, size = -MAX_PHONE_DIGITS, 0
    for run in _split_runs(runs):
        count = len(run.digits)
        if not MIN_PHONE_DIGITS - 1 <= count <= MAX_PHONE_DIGITS + 3 or _DATE.search(run.written):
            continue
        written = run.written.lstrip("(").replace("＋", "+")
        is_phone = bool(_INTERNATIONAL.match(written)) and _is_possible(written, run.digits)
        if not is_phone and count <= MAX_PHONE_DIGITS:
            is_phone = abs(count - size) <= MAX_LENGTH_DIFFERENCE and _is_joined(text[last : run.start])
            is_phone = is_phone or ends_with_word(read_gap(text, run.start), words)
        if is_phone:
            extension = _EXTENSION.match(text, run.end)
            last, size = extension.end() if extension else run.end, count
            yield run.start, last


def _split_runs(runs: list[DigitRun]) -> Iterator[DigitRun]:
    """Yield runs, those that are too long for one phone as the numbers that blanks divide them into."""
    for run in runs:
        parts = list(_BETWEEN_BLANKS.finditer(run.written)) if len(run.digits) > MAX_PHONE_DIGITS else []
        digits = [to_ascii_digits("".join(filter(str.isdecimal, part[0]))) for part in parts]
        if len(parts) < 2 or not all(MIN_PHONE_DIGITS <= len(each) <= MAX_PHONE_DIGITS for each in digits):
            yield run
            continue
        for part, each in zip(parts, digits, strict=True):
            yield DigitRun(run.start + part.start(), run.start + part.end(), part[0], each)


def _is_joined(between: str) -> bool:
    """Return whether what stands between a phone and a number makes that another one: a mark or a word such as `or`."""
    return 0 < len(between) <= MAX_JOINT_CHARACTERS and _JOINT.fullmatch(between) is not None


def read_gap(text: str, start: int) -> str:
    """Return what stands before a number, from the number or line break before it on."""
    gap = text[max(0, start - _BESIDE_CHARACTERS) : start]
    last = _LAST_BREAK.match(gap)
    return gap if last is None else gap[last.end() :]


def ends_with_word(gap: str, words: re.Pattern[str]) -> bool:
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


def find_cards(text: str, runs: list[DigitRun]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of numbers of payment cards: the first digits and length of a brand, Luhn's check digit, and
    no part of an address of the web."""
    for run in runs:
        if text[run.start - 1 : run.start] == "/":
            continue
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
    (range(2200, 2206), 4, (16, 17, 18, 19)),
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
    (range(60, 70), 2, (16, 18, 19)),
    (range(6304, 6305), 4, (12, 13, 14, 15)),
    (range(639, 640), 3, (12, 13, 14, 15)),
    (range(67, 68), 2, (12, 13, 14, 15)),
    (range(81, 83), 2, (16, 17, 18, 19)),
    (range(8600, 8601), 4, (16,)),
    (range(9051, 9052), 4, (16,)),
    (range(9112, 9113), 4, (16,)),
    (range(9417, 9418), 4, (16,)),
    (range(9792, 9793), 4, (16,)),
    (range(9804, 9805), 4, (16,)),
    (range(9860, 9861), 4, (16,)),
)
"""The first digits of each brand's numbers, how many these are, and the lengths of the numbers: Visa, Mastercard,
Mir and BORICA, American Express, Diners, JCB, Maestro, Discover, UnionPay, RuPay, Verve; last the national ones of
Uzbekistan, Armenia, Belarus, Kyrgyzstan, Turkey and Ukraine."""


def is_card(digits: str) -> bool:
    """Return whether digits are a card's: a brand's beginning and length, and Luhn's sum."""
    if len(set(digits)) < 3 or not any(
        int(digits[:size]) in first and len(digits) in lengths for first, size, lengths in _BRANDS
    ):
        return False
    return is_luhn(digits)
