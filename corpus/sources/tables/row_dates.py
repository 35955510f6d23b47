"""Read the dates of rows: in ISO 8601 where it is certain which day is meant, else not at all."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from corpus.extract.dates import MONTH_FIRST_LANGUAGES, PERSIAN_LANGUAGES, find_dates

VERSION = 1
"""Raised when the same value gives another date."""
ISO_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:[Tt ]([01]\d|2[0-4])(?::?[0-5]\d(?::?[0-6]\d(?:[.,]\d+)?)?)?\s?(?:[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
"""A year, a month or a day, and perhaps a time with its zone."""
TIME_BEHIND_SLASHES = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})[T ](\d\d:\d\d(?::\d\d)?)", re.ASCII)
"""A day with a time that only its signs keep from ISO 8601: 2023/05/06 10:00:00."""
MAIL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2,8},?\s+)?\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{4}\s+\d\d:\d\d(?::\d\d)?(?:\s+(?:[+-]\d{4}|[A-Z]{1,4}))?"
    r"(?:\s+\([^)]*\))?|[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d (?:[A-Z]{3,4} )?\d{4}",
    re.ASCII,
)
"""As mail, HTTP and `date` write it: Sat, 06 May 2023 10:00:00 +0200, Sat May  6 10:00:00 UTC 2023."""
ZONE_AMID = re.compile(r"(:\d\d )[A-Z]{3,4} (?=\d{4}$)")
NUMBER = re.compile(r"[+-]?\d{4,20}(?:\.\d+)?")
FIRST_SECOND, LAST_SECOND = 10**8, 7_258_118_400
"""Seconds since 1970 that are taken for a time, from 1973 to 2199; less are hours, counts and years."""
UNITS = (1, 10**3, 10**6, 10**9)
"""What a second may be counted in: seconds, and thousandths and so on of them."""
FIRST_YEAR, LAST_YEAR = 1000, 2199
BUDDHIST_YEAR = 2400
MAX_CHARACTERS = 100
UNSURE_LANGUAGES = MONTH_FIRST_LANGUAGES | {"es", "eng", "spa", "tgl"}
"""Languages whose readers disagree on 06/05/2023."""
SHORT_CODES = {"fas": "fa", "pes": "fa", "prs": "prs", "pus": "ps", "pbt": "ps", "tha": "th", "jpn": "ja"}
"""Codes of languages that have calendars and short years of their own, as `find_dates` knows them."""


def read_date(value: Any, language: str | None = None) -> str | None:
    """Return the date that a value states; None where there is none, or where it may be one of several days.

    Text in ISO 8601 stays as it is. Others of any language become a day (`06.05.2023`, `2023年5月6日`, `6 мая 2023`),
    those of mail and HTTP a time. Numbers become a time in UTC, by their size counted in seconds to nanoseconds, or a
    day without separators (20230506). 06/05/2023 is in May or in June: the language of the row, if it states one, says
    which, but for languages of which both are usual.
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    while isinstance(value, Mapping):  # as MongoDB exports it
        value = value.get("$date", value.get("$numberLong"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _read_number(value)
    return _read_text(value.strip(), language) if isinstance(value, str) else None


def _read_text(text: str, language: str | None) -> str | None:
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    code = SHORT_CODES.get(code, code)
    if match := ISO_DATE.fullmatch(text):
        year = int(match[1])
        if year < BUDDHIST_YEAR and (year >= 1500 or code not in PERSIAN_LANGUAGES):
            return _check_day(text, year, match[2], match[3])
    if not text or len(text) > MAX_CHARACTERS:
        return None
    if NUMBER.fullmatch(text):
        return _read_number(float(text) if "." in text else int(text))
    if match := TIME_BEHIND_SLASHES.fullmatch(text):
        day = f"{match[1]}-{int(match[3]):02}-{int(match[4]):02}"
        return _check_day(f"{day}T{match[5]}", int(match[1]), day[5:7], day[8:])
    if MAIL_DATE.fullmatch(text):
        try:
            return parsedate_to_datetime(ZONE_AMID.sub(r"\1", text)).isoformat()
        except (ValueError, TypeError, IndexError):
            return None
    days = set(find_dates(text, code if code and code not in UNSURE_LANGUAGES else None))
    return days.pop() if len(days) == 1 else None


def _check_day(text: str, year: int, month: str | None, day: str | None) -> str | None:
    """Return an ISO date as it is, without a month and a day that are zeros; None where there is no such day."""
    if not year >= FIRST_YEAR:
        return None
    if month == "00":
        return text[:4] if day in (None, "00") else None
    if day == "00":
        return _check_day(text[:7], year, month, None)
    try:
        date(year, int(month or 1), int(day or 1))
    except ValueError:
        return None
    return text


def _read_number(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    if value == int(value) and (day := _read_digits(str(int(value)))) is not None:
        return day
    seconds = next((value / unit for unit in UNITS if FIRST_SECOND <= abs(value) / unit < LAST_SECOND), None)
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1900 else None


def _read_digits(digits: str) -> str | None:
    """Return the date of a number that is a year, a day (20230506), or a day with a time (20230506101500)."""
    if len(digits) == 4 and FIRST_YEAR <= int(digits) <= LAST_YEAR:
        return digits
    if len(digits) not in (8, 14) or not digits.startswith(("19", "20")):
        return None
    try:
        moment = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment.date().isoformat() if len(digits) == 8 else moment.isoformat()
