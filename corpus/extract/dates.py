"""Convert dates as papers give them to ISO 8601, as precise as they are: `2007`, `2007-10`, `2007-10-18`."""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)


def iso_date(year: str, month: str = "", day: str = "") -> str | None:
    """Return the date of a year, a month by number or English name, and a day; None without a year.

    A value that is not a month (`Spring`) or a day is left out, with what follows it.
    """
    year, month, day = year.strip(), month.strip(), day.strip()
    if not (len(year) == 4 and year.isascii() and year.isdecimal()):
        return None
    number = _parse_month(month)
    if number is None:
        return year
    if not (day.isascii() and day.isdecimal() and 1 <= int(day) <= 31):
        return f"{year}-{number:02}"
    return f"{year}-{number:02}-{int(day):02}"


def first_date(text: str) -> str | None:
    """Return the year, and the month behind it, of a loose date such as `1998 Dec-1999 Jan`."""
    year = _YEAR.search(text)
    if year is None:
        return None
    month = _MONTH.match(text[year.end() :].lstrip())
    return iso_date(year[1], month[1] if month else "")


def _parse_month(month: str) -> int | None:
    if month.isascii() and month.isdecimal():
        return int(month) if 1 <= int(month) <= 12 else None
    return _MONTHS.index(month[:3].lower()) + 1 if month[:3].lower() in _MONTHS else None
