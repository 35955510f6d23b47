"""Convert dates to ISO 8601: those of papers, as precise as they are (`2007`, `2007-10`), and whole days on pages.

Pages write them in any language and script: 2021年3月5日, 5 марта 2021, ٥ مارس ٢٠٢١.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR = 1900
"""No page of a web archive tells of its own publication before."""
CHINESE_NUMERALS = "〇○零一二三四五六七八九十百"
CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_YEAR_4 = r"(?<![\d.])(\d{4}|[〇○零一二三四五六七八九]{4})"
_ASIDE = r"(?:\s?[(（][^()（）\n]{1,10}[)）])?"
"""The year in another calendar, in brackets."""
_SHORT = r"(\d{1,2}|[一二三四五六七八九十]{1,3})"
YEAR_FIRST = re.compile(rf"{_YEAR_4}{_ASIDE}\s?[-/.年년]{_ASIDE}\s?{_SHORT}\s?[-/.月월]\s?{_SHORT}(?!\d)")
ERA_STARTS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}
ERA_DATE = re.compile(
    rf"({'|'.join(ERA_STARTS)})\s?(元|\d{{1,3}}|[{CHINESE_NUMERALS}]{{1,6}})\s?年{_ASIDE}\s?{_SHORT}\s?月\s?{_SHORT}(?!\d)"
)
JAPANESE_ERAS = {"r": 2018, "h": 1988, "s": 1925}
JAPANESE_SHORT = re.compile(
    r"(?<![a-z\d])([rhs])\s?(\d{1,2})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)"
)
TAIWANESE_DATE = re.compile(r"(?<![\d./-])(1[01]\d)\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?![\d./-])")
"""A day whose year is the Republic of China's without its name, on pages from Taiwan."""
PERSIAN_SHORT = re.compile(r"(?<![\d./-])(\d\d)/(\d{1,2})/(\d{1,2})(?![\d./-])")
MONGOLIAN_DATE = re.compile(r"(?<!\d)(\d{4}) оны (\d{1,2})[- ]?(?:р|(?:ду|дү)г[аэ]+р) сарын (\d{1,2})(?!\d)")
COMPACT_DATE = re.compile(
    r"\s*((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:[t ]?\d{2}:?\d{2}(?::?\d{2})?.{0,8})?\s*"
)
"""A text that is a day without separators, and perhaps a time."""
VIETNAMESE_DATE = re.compile(r"(?<!\d)(\d{1,2})\s*(?:tháng|thg)\s*(\d{1,2})\s*,?\s*(?:năm\s*)?(\d{4})(?!\d)")
NUMERIC_DATE = re.compile(r"(?<![\d.,/-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4})(?!\d)")
NUMERIC_SHORT = re.compile(r"(?<![\d.,/-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?![\d./-])")
MONTH_FIRST_REGIONS = frozenset({"US", "PH", "PW", "FM", "MH", "PR", "GU"})
MONTH_FIRST_LANGUAGES = frozenset({"en", "fil", "tl"})
PERSIAN_LANGUAGES = frozenset({"fa", "prs", "ps"})
DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PERSIAN_YEAR = re.compile("(?<![\u06f0-\u06f9])\u06f1[\u06f3\u06f4][\u06f0-\u06f9]{2}(?![\u06f0-\u06f9])")
HAS_DIGIT = re.compile(r"\d|[〇○零一二三四五六七八九十元]年")
WORDS_BY_NUMBER = re.compile(r"\d[^\d\n]{0,24}[^\W\d_]|[^\W\d_][^\d\n]{0,12}\d")
GAP = r"[^\w\n]{0,4}(?:[^\W\d_]{1,5}[^\w\n]{1,3}){0,2}"
"""What may stand between the parts of a date: dots, commas, up to two short words (5 de marzo de 2021)."""
CLOCK = r",?\s{1,2}\d{1,2}:\d\d(?::\d\d)?\s(?:[a-z]{3,4}\s|[+-]\d{4}\s)?"
"""What programs write between a day and its year: Tue Mar 05 10:00:00 EST 2024."""
ORDINAL_ENDINGS = "st|nd|rd|th|er|re|e|ª|º|ος|ης|η|го|-го|-е|-ші|日|일"
DATE_WORDS = re.compile(
    r"\b(?:de|del|di|of|den|г|р|год|года|года|року|tháng|năm|ngày|sd|utc)\b|[\W\d_年月日년월일]"
)
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


@dataclass(frozen=True, slots=True)
class DateForms:
    """Hold how the dates of a language are written: the months by name, and what finds a date that names one."""

    months: dict[str, int]
    named: tuple[tuple[re.Pattern[str], str], ...]
    short: tuple[tuple[re.Pattern[str], str], ...]
    """The same for years of two digits."""


def find_dates(
    text: str, language: str | None = None, region: str | None = None, short_years: bool = False
) -> list[str]:
    """Return the whole dates in a short text, as ISO 8601, in the order in which they stand there.

    `language` (`hi`) and `region` (`GB`) say what months are called and whether 5/3 is in March or in May; where they
    do not, such a date is left out. Digits are those of any script; years are also Buddhist (Thai), Persian, and
    those of Japanese eras and of the Republic of China. `short_years`: 05.03.21 is a date too.
    """
    if not HAS_DIGIT.search(text):
        return []
    text = DIRECTION_MARKS.sub("", unicodedata.normalize("NFC", text)).lower()
    if PERSIAN_YEAR.search(text):
        language = "fa"
    places: dict[int, str] = {}
    taken: list[tuple[int, int]] = []
    for match, parts in _scan(text, language, region, short_years):
        start, end = match.span()
        if any(start < last and first < end for first, last in taken):
            continue
        day = _to_day(*parts, language)
        if day is not None:
            taken.append((start, end))
            places[start] = day
    return [places[start] for start in sorted(places)]


def _scan(
    text: str, language: str | None, region: str | None, short_years: bool
) -> Iterator[tuple[re.Match[str], tuple[int, int, int]]]:
    for match in YEAR_FIRST.finditer(text):
        yield match, (_to_number(match[1]), _to_number(match[2]), _to_number(match[3]))
    for match in ERA_DATE.finditer(text):
        year = 1 if match[2] == "元" else _to_number(match[2])
        yield match, (ERA_STARTS[match[1]] + year, _to_number(match[3]), _to_number(match[4]))
    for match in VIETNAMESE_DATE.finditer(text):
        yield match, (int(match[3]), int(match[2]), int(match[1]))
    for match in MONGOLIAN_DATE.finditer(text):
        yield match, (int(match[1]), int(match[2]), int(match[3]))
    if language == "ja":
        for match in JAPANESE_SHORT.finditer(text):
            yield match, (JAPANESE_ERAS[match[1]] + int(match[2]), int(match[3]), int(match[4]))
    if language == "zh" and region == "TW":
        for match in TAIWANESE_DATE.finditer(text):
            yield match, (ERA_STARTS["民國"] + int(match[1]), int(match[2]), int(match[3]))
    if short_years and language in PERSIAN_LANGUAGES:
        for match in PERSIAN_SHORT.finditer(text):
            year = int(match[1]) + (1300 if int(match[1]) >= 50 else 1400)
            yield match, (year, int(match[2]), int(match[3]))
    if compact := COMPACT_DATE.fullmatch(text):
        yield compact, (int(compact[1]), int(compact[2]), int(compact[3]))
    for form in _forms_for(text, language):
        for pattern, order in (*form.named, *(form.short if short_years else ())):
            for match in pattern.finditer(text):
                parts = dict(zip(order, match.groups(), strict=True))
                month = form.months.get(parts["m"].replace(".", ""))
                if month is not None:
                    year = _lengthen_year(parts["y"], language)
                    yield match, _to_gregorian(year, month, int(parts["d"]), parts["m"])
    for match in NUMERIC_SHORT.finditer(text) if short_years else NUMERIC_DATE.finditer(text):
        year = _lengthen_year(match[4], language)
        ordered = order_numbers(int(match[1]), int(match[3]), match[2], language, region)
        if ordered is not None:
            yield match, (year, *ordered)


def _lengthen_year(year: str, language: str | None) -> int:
    """Return a year of four digits; one of two is of this century, and Buddhist in Thai from 40 on."""
    if len(year) == 4:
        return int(year)
    return int(year) + (2500 if language == "th" and int(year) >= 40 else 2000)


def _to_gregorian(year: int, month: int, day: int, name: str) -> tuple[int, int, int]:
    """Return a date whose month has a Persian name in the Gregorian calendar, any other as it is."""
    if 1300 <= year < 1500 and any(name in names for names in load_months()["fa"]):
        converted = _convert_persian(year, month, day)
        if converted is not None:
            date = datetime.date.fromisoformat(converted)
            return date.year, date.month, date.day
    return year, month, day


def order_numbers(
    first: int, second: int, separator: str, language: str | None, region: str | None
) -> tuple[int, int] | None:
    """Return month and day of 5/3 or 3/5; None where nothing tells which is which."""
    if first > 12 or first == second or separator == ".":
        return second, first
    if second > 12:
        return first, second
    if region is not None and language in (None, "en", "es"):
        return (first, second) if region in MONTH_FIRST_REGIONS else (second, first)
    if language is None:
        return None
    return (first, second) if language in MONTH_FIRST_LANGUAGES else (second, first)


def _to_day(year: int, month: int, day: int, language: str | None) -> str | None:
    if language in PERSIAN_LANGUAGES and 1300 <= year < 1500:
        return _convert_persian(year, month, day)
    if 2400 <= year < 2700:
        year -= 543
    try:
        return datetime.date(year, month, day).isoformat() if year >= FIRST_YEAR else None
    except ValueError:
        return None


def _convert_persian(year: int, month: int, day: int) -> str | None:
    """Return the Gregorian day of a date of the Persian solar calendar, by its cycle of 33 years."""
    if not (1 <= month <= 12 and 1 <= day <= (31 if month <= 6 else 30)):
        return None
    leap_years = sum((at * 8 + 29) % 33 < 8 for at in range(1342, year)) if year > 1342 else 0
    leap_years -= sum((at * 8 + 29) % 33 < 8 for at in range(year, 1342)) if year < 1342 else 0
    days = (year - 1342) * 365 + leap_years + 31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1
    return (datetime.date(1963, 3, 21) + datetime.timedelta(days)).isoformat()


def _to_number(text: str) -> int:
    """Return a number in digits of any script or in Chinese numerals: 二〇二一, 二十五."""
    if text.isdecimal():
        return int(text)
    digits = text.translate(CHINESE_DIGITS)
    if "百" in digits:
        hundreds, _, rest = digits.partition("百")
        return int(hundreds or 1) * 100 + (_to_number(rest.lstrip("0")) if rest.strip("0") else 0)
    if "十" not in digits:
        return int(digits)
    tens, _, ones = digits.partition("十")
    return int(tens or 1) * 10 + int(ones or 0)


def _forms_for(text: str, language: str | None) -> list[DateForms]:
    """Return the forms of the page's language, then those of all languages, for pages that name a wrong one."""
    if not WORDS_BY_NUMBER.search(text):
        return []
    own = [load_date_forms(language)] if language in load_months() else []
    return [*own, load_date_forms(None)]


@cache
def load_months() -> dict[str, list[list[str]]]:
    """Return the names of the twelve months by language, from manifests/months.yaml."""
    path = data_path("months.yaml")
    months: dict[str, list[list[str]]] = load_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    return months


@cache
def load_date_forms(language: str | None) -> DateForms:
    """Return how a language writes dates; for None, the names that mean one month in all languages that have them."""
    named: dict[str, set[int]] = {}
    tables = load_months()
    for months in [tables[language]] if language else tables.values():
        for number, names in enumerate(months, 1):
            for name in names:
                named.setdefault(name.replace(".", ""), set()).add(number)
    months_by_name = {name: numbers.pop() for name, numbers in named.items() if len(numbers) == 1}
    names = sorted(months_by_name, key=lambda name: (-len(name), name))
    month = "|".join(_write_name(name) for name in names)
    month = rf"(?<![^\W\d_])({month})(?:(?<=[^\W\d_]{{4}})[^\W\d_]{{0,4}})?(?![^\W\d_])\.?"
    day = rf"(?<!\d)(\d{{1,2}})(?!\d)(?:{ORDINAL_ENDINGS})?"
    year = r"(?<!\d)(\d{4})(?!\d)"
    written = (
        (GAP.join((day, month, year)), "dmy"),
        (GAP.join((month, day, year)), "mdy"),
        (GAP.join((year, month, day)), "ymd"),
        (GAP.join((year, day, month)), "ydm"),
        (GAP.join((month, day)) + CLOCK + year, "mdy"),
    )
    short = GAP.join((day, month)) + r"[^\w\n]{0,4}(\d{2})(?![\d:.]\d|\d)"
    return DateForms(
        months_by_name,
        tuple((re.compile(pattern), order) for pattern, order in written),
        ((re.compile(short), "dmy"),) if language == "th" else (),
    )


def _write_name(name: str) -> str:
    """Return a pattern for the name of a month; Thai abbreviations have dots between their letters."""
    if len(name) <= 5 and "\u0e00" <= name[0] <= "\u0e7f":
        return r"\.?".join(map(re.escape, name))
    return re.escape(name)


def is_only_date(text: str) -> bool:
    """Return whether a text is a date and nothing else, as precise as it may be: `May 2020`, `20 de marzo de 2020`."""
    if not (4 <= len(text) <= 40 and re.search(r"\d{4}", text)):
        return False
    rest = load_any_month().sub("", unicodedata.normalize("NFC", text).lower())
    return not DATE_WORDS.sub("", rest)


@cache
def load_any_month() -> re.Pattern[str]:
    """Return what matches the name of a month in any language."""
    names = {name for months in load_months().values() for month in months for name in month}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b")
