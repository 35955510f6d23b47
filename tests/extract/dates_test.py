"""Dates as pages write them, in many languages, scripts and calendars."""

from __future__ import annotations

import time

import pytest

from corpus.extract.dates import find_dates, is_only_date, load_months


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("发布时间：2019年11月08日 08:15", "zh"),
        ("2019 年 11 月 8 日", "zh"),
        ("２０１９年１１月８日", "ja"),
        ("二零一九年十一月八日", "zh"),
        ("二○一九年十一月八日", "zh"),
        ("民國一百零八年十一月八日", "zh"),
        ("2019年（令和元年）11月8日", "ja"),
        ("2019(令和元)年11月8日", "ja"),
        ("令和元年(2019年)11月8日", "ja"),
        ("R1.11.8", "ja"),
        ("2019 жылғы 8 қараша", "kk"),
        ("2019 оны 11-р сарын 8", "mn"),
        ("๘ พ.ย. ๒๕๖๒", "th"),
        ("17 آبان 1398", "en"),
        ("۱۳۹۸/۰۸/۱۷", None),
        ("Fri Nov 08 10:00:00 CET 2019", "en"),
        ("20191108", None),
        ("20191108T101500Z", None),
        ("二〇一九年十一月八日", "zh"),
        ("民國108年11月8日", "zh"),
        ("令和元年11月8日", "ja"),
        ("2019/11/8", "ja"),
        ("등록 2019.11.08 08:15", "ko"),
        ("2019년 11월 8일", "ko"),
        ("8 ноября 2019, 08:15", "ru"),
        ("8 листопада 2019 р.", "uk"),
        ("8 listopada 2019", "pl"),
        ("8. listopadu 2019", "cs"),
        ("8 नवंबर 2019", "hi"),
        ("८ नवम्बर २०१९", "hi"),
        ("৮ নভেম্বর ২০১৯", "bn"),
        ("8 நவம்பர் 2019", "ta"),
        ("٨ نوفمبر ٢٠١٩", "ar"),
        ("8 تشرين الثاني 2019", "ar"),
        ("8 نونبر 2019", "ar"),
        ("۱۷ آبان ۱۳۹۸", "fa"),
        ("۱۳۹۸/۸/۱۷", "fa"),
        ("8 בנובמבר 2019", "he"),
        ("8 พฤศจิกายน 2562", "th"),
        ("8 พ.ย. 2562", "th"),
        ("8 tháng 11, 2019", "vi"),
        ("ngày 8/11/2019", "vi"),
        ("Friday, November 8th, 2019", "en"),
        ("8 Nov. 2019", "en"),
        ("8-Nov-2019", "en"),
        ("8 de noviembre de 2019", "es"),
        ("8. November 2019", "de"),
        ("le 8 novembre 2019", "fr"),
        ("2019. november 8.", "hu"),
        ("2019 m. lapkričio 8 d.", "lt"),
        ("2019. gada 8. novembris", "lv"),
        ("8. marraskuuta 2019", "fi"),
        ("8 Νοεμβρίου 2019", "el"),
        ("8 Kasım 2019", "tr"),
        ("8 November 2019", "id"),
        ("2019-11-08T23:59:00+09:00", None),
        ("8 novembre 2019", None),
        ("8 ноября 2019", "en"),
    ],
)
def test_a_day_in_many_languages(text: str, language: str | None) -> None:
    assert find_dates(text, language) == ["2019-11-08"]


def test_day_and_month_go_by_the_language_of_the_page() -> None:
    assert find_dates("04/03/2020", "fr") == find_dates("04/03/2020", "en", "GB") == ["2020-03-04"]
    assert find_dates("04/03/2020", "en") == find_dates("04/03/2020", "en", "US") == ["2020-04-03"]
    assert find_dates("25/03/2020", "en") == find_dates("03/25/2020", "de") == ["2020-03-25"]
    assert find_dates("04/03/2020") == []
    assert find_dates("04.03.2020") == ["2020-03-04"]
    assert find_dates("8 listopada 2019", "hr") == ["2019-10-08"]
    assert (find_dates("04.03.20", "de"), find_dates("04.03.20", "de", short_years=True)) == (
        [],
        ["2020-03-04"],
    )


def test_short_years_are_buddhist_in_thai() -> None:
    for text in ("8 พ.ย. 62", "๘ พ.ย. ๖๒ ๑๐:๐๐ น.", "08/11/62"):
        assert find_dates(text, "th", short_years=True) == ["2019-11-08"]
    assert find_dates("08/11/19", "th", short_years=True) == ["2019-11-08"]


@pytest.mark.parametrize(
    "text",
    ["2019年13月8日", "31 June 2019", "8 ноября", "12:30:2019", "1.2.3.2019", "page 8 of 2019", "8 Xyz 2019"],
)
def test_what_is_no_day(text: str) -> None:
    assert find_dates(text, "en") == []


def test_several_dates_stand_in_their_order() -> None:
    assert find_dates("更新：2020-01-02 发布：2020年1月1日", "zh") == ["2020-01-02", "2020-01-01"]


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("May 2020", True),
        ("20 de marzo de 2020", True),
        ("5 мая 2020 года", True),
        ("2020年5月", True),
        ("मई 2020", True),
        ("it closed in May 2020", False),
        ("1984", True),
        ("this", False),
    ],
)
def test_a_text_that_is_only_a_date(text: str, only: bool) -> None:
    assert is_only_date(text) is only


def test_every_language_has_twelve_months() -> None:
    assert all(len(months) == 12 and all(months) for months in load_months().values())


@pytest.mark.parametrize("piece", ["5 a ", "8 ", "2019年", "1.1", "may 5 ", "十"])
def test_time_is_linear(piece: str) -> None:
    start = time.process_time()
    find_dates(piece * 4000, "en")
    assert time.process_time() - start < 4
