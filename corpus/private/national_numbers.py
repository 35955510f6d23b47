"""Find national numbers: by check digits or form, beside a word of their country where these are not enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from corpus.private.check_digits import OWN_CHECKS
from corpus.private.digit_regions import Region, search_regions
from corpus.private.private_numbers import DigitRun, ends_with_word, read_gap, to_ascii_digits
from corpus.private.private_words import read_words

_LETTER_FIRST = re.compile(
    r"[A-Z](?<![A-Za-z0-9~_/.-][A-Z])(?:"
    r"[A-Z]{0,5}-?\d[A-Z0-9().-]{4,16}"  # codice fiscale, CURP, HKID, NIE, Taiwan, Singapore, PAN
    r"|[A-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-Z](?![A-Za-z0-9]))",  # National Insurance
    re.ASCII,
)
_DIGIT_FIRST = re.compile(
    r"\d(?<![A-Za-z0-9~_/.-]\d)(?=[\d ]{4,18}[-+A-Za-z])(?:"
    r"\d{16}[Xx]"  # resident identity cards
    r"|\d{5}[-+ABCDEFUVWXY]\d{3}[0-9A-Z]"  # henkilötunnus
    r"|\d{6,8}-?[A-Z]{1,2}"  # DNI, PPS, Cyprus, older ones of Sri Lanka
    r"|\d{7,8}[A-Z]\d{2}"  # Zimbabwe
    r"|\d ?\d{6} ?[A-Z] ?\d{3}"  # Rentenversicherungsnummer
    r"|\d{7} ?\d ?[A-Z0-9]{2}\d"  # cartão de cidadão
    r"| ?\d\d ?\d\d ?2[AB] ?\d{3} ?\d{3} ?\d\d"  # NIR of those born on Corsica
    r")(?![A-Za-z0-9])",
    re.ASCII,
)
_MARKS = re.compile(r"[\s.\-/()‐‑–]")
LETTERED_MARGIN_CHARACTERS = 24
RUN_DIGITS = range(7, 19)
_USUAL = ("NationalID", "DNI", "NIE", "SocialSecurityNumber", "OldNationalID", "OldIDNumber")
"""Names by which idnumbers calls the numbers of persons."""


def find_national_numbers(
    text: str, regions: list[Region], runs: list[DigitRun]
) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of national numbers: beside a word of their country, or of a country whose form is enough."""
    words = read_words()
    candidates = [
        (run.start, run.end, run.written.strip("()+＋")) for run in runs if len(run.digits) in RUN_DIGITS
    ]
    candidates += [
        (match.start(), match.end(), match[0].rstrip(".-("))
        for pattern in (_LETTER_FIRST, _DIGIT_FIRST)
        for match in search_regions(pattern, text, regions, LETTERED_MARGIN_CHARACTERS)
    ]
    for start, end, written in candidates:
        gap = read_gap(text, start)
        named = []
        if len(gap) > 1 and words.any_national.search(gap):
            named = [code for code, pattern in words.national.items() if ends_with_word(gap, pattern)]
        distinct = sorted(words.bare) if _is_distinct(written) else []
        ascii = to_ascii_digits(written)
        if any(is_national_number(country, ascii, True) for country in named) or any(
            is_national_number(country, ascii, False) for country in distinct
        ):
            yield start, start + len(written) if text.startswith(written, start) else end


def is_national_number(country: str, written: str, loosely: bool) -> bool:
    """Return whether `written` is a number of the country; `loosely`, also if it would be without spaces and marks."""
    forms = [written.strip(), written.replace(" ", "")]
    plain = _MARKS.sub("", written)
    if loosely:
        forms.append(plain)
    for name in read_words().numbers.get(country, ()):
        if name in OWN_CHECKS and OWN_CHECKS[name](plain.upper()):
            return True
    return any(
        _accepts(validate, form) for validate in _list_validators(country) for form in dict.fromkeys(forms)
    )


def _accepts(validate: Callable[[str], bool], form: str) -> bool:
    try:
        return bool(validate(form))
    except (ValueError, IndexError, KeyError, TypeError):
        return False


@cache
def _list_validators(country: str) -> list[Callable[[str], bool]]:
    """Return idnumbers' checks of the numbers of a country: those that the words' file names, or those of persons."""
    named = read_words().numbers.get(country)
    theirs = [name for name in named if name not in OWN_CHECKS] if named is not None else list(_USUAL)
    if not theirs:
        return []
    module = import_module(f"idnumbers.nationalid.{country}")
    validators: list[Callable[[str], bool]] = []
    for name in theirs:
        validate = getattr(getattr(module, name, None), "validate", None)
        if validate is not None and validate not in validators:
            validators.append(validate)
    return validators


def _is_distinct(written: str) -> bool:
    """Return whether a form needs no word: it has letters, or 13 digits and more."""
    plain = _MARKS.sub("", written)
    return len(plain) >= 13 or any(character.isalpha() for character in plain)
