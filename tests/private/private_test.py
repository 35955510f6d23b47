"""Private data: what is found, in many scripts, and what only looks like it."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.private.check_digits import OWN_CHECKS
from corpus.private.kinds import PrivateSpan, find_private, name_masks
from corpus.private.options import KINDS
from corpus.private.private_words import read_words


def locate(text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_private(text, kinds or KINDS)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Write to jane.doe+news@mail.example.org.", "jane.doe+news@mail.example.org"),
        ("联系邮箱zhang_wei@163.com，谢谢", "zhang_wei@163.com"),
        ("邮箱：li@公司.中国。", "li@公司.中国"),
        ("почта: иван@почта.рф", "иван@почта.рф"),
        ("연락처 kim@naver.com으로 보내세요", "kim@naver.com"),
        ("メール：sato＠example.co.jpまで", "sato＠example.co.jp"),
        ("info (at) verein.de", "info (at) verein.de"),
        ("max [at] uni-bonn [dot] de oder", "max [at] uni-bonn [dot] de"),
        ("<a@b.co.uk>", "a@b.co.uk"),
        ("อีเมล somchai@chula.ac.th ครับ", "somchai@chula.ac.th"),
        ("بريد ahmed@example.com.sa الآن", "ahmed@example.com.sa"),
    ],
)
def test_email_addresses(text: str, address: str) -> None:
    assert locate(text, "email") == [("email", address)]


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:owner/name.git",
        "icon@2x.png and lodash@4.17.21",
        "@decorator\ndef f(): meet @ 5pm",
        "user@localhost",
        "postgres://u:pw@host.example.org/db",
        "look (at) this",
        "在@中国",
    ],
)
def test_what_is_no_email_address(text: str) -> None:
    assert locate(text, "email") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Tel.: 0471 80 60 745 * info", "0471 80 60 745"),
        ("call us on +44 (0)20 7946 0958 today", "+44 (0)20 7946 0958"),
        ("电话：010-64870663", "010-64870663"),
        ("手机13800138000。", "13800138000"),
        ("電話 ０３－１２３４－５６７８", "０３－１２３４－５６７８"),
        ("전화 02-123-4567로", "02-123-4567"),
        ("тел. 8 (495) 123-45-67 доб. 12", "8 (495) 123-45-67 доб. 12"),
        ("هاتف: ٠٥٠١٢٣٤٥٦٧", "٠٥٠١٢٣٤٥٦٧"),
        ("फोन: ९८७६५४३२१०", "९८७६५४३२१०"),
        ("โทร 02-218-2000", "02-218-2000"),
        ("Phone (office): (555) 234-5678 x22", "(555) 234-5678 x22"),
        ("0049 30 901820", "0049 30 901820"),
        ("ទូរស័ព្ទលេខ 023 123 456", "023 123 456"),
        ("ဖုန်း ၀၉-၄၂၁၂၃၄၅၆", "၀၉-၄၂၁၂၃၄၅၆"),
        ("ໂທ 021 212 345", "021 212 345"),
        ("tālr. 67 123 456", "67 123 456"),
        ("ફોન: 079 2630 1234", "079 2630 1234"),
    ],
)
def test_phones_with_a_code_or_a_word(text: str, number: str) -> None:
    assert locate(text, "phone") == [("phone", number)]


@pytest.mark.parametrize(
    "text",
    [
        "The population was 1,234,567 in 2011-2012.",
        "Call of Duty sold well. In 2003 the total was 10000000",
        "ISBN 978-3-16-148410-0",
        "date: 2026-11-28 12:30:45",
        "phone 13, 256GB",
        "+1234567890123456789",
        "3.14159265358979",
        "id=15812345678&x",
    ],
)
def test_what_is_no_phone(text: str) -> None:
    assert locate(text, "phone") == []


def test_several_phones_after_one_word() -> None:
    assert [number for _, number in locate("Tel: 021-54098575 / 021-54098577", "phone")] == [
        "021-54098575",
        "021-54098577",
    ]
    for text in ("电话：021-54098575 54098577 传真", "call 54098575 or 54098577", "тел. 54098575, 54098577"):
        numbers = [number for _, number in locate(text, "phone")]
        assert [number[-8:] for number in numbers] == ["54098575", "54098577"]
    assert len(locate("call 54098575 or 5409857", "phone")) == 2
    assert len(locate("call 54098575 about 12345678", "phone")) == 1


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("nameserver 212.27.32.176", "ip", "212.27.32.176"),
        ("from 2001:67c:2564:a119::77.", "ip", "2001:67c:2564:a119::77"),
        ("IBAN DE89 3704 0044 0532 0130 00 bei", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("card 4012 8888 8888 1881 exp", "card", "4012 8888 8888 1881"),
        ("378282246310005", "card", "378282246310005"),
        ("身份证号码：11010519491231002X，", "national_id", "11010519491231002X"),
        ("PESEL: 44051401359", "national_id", "44051401359"),
        ("CPF 529.982.247-25", "national_id", "529.982.247-25"),
        ("codice fiscale RSSMRA85T10A562S", "national_id", "RSSMRA85T10A562S"),
        ("hetu 131052-308T", "national_id", "131052-308T"),
        ("NIR : 2 69 05 2A 004 123 14 ", "national_id", "2 69 05 2A 004 123 14"),
        ("személyi száma 3 050630 0011", "national_id", "3 050630 0011"),
        ("СНИЛС 112-233-445 95", "national_id", "112-233-445 95"),
        ("CUIT 20-12345678-6", "national_id", "20-12345678-6"),
        ("NHS number 943 476 5919", "national_id", "943 476 5919"),
        ("SV-Nummer 15 070649 C 103", "national_id", "15 070649 C 103"),
        ("کد ملی: ۰۰۱-۲۳۴۵۶۷-۹", "national_id", "۰۰۱-۲۳۴۵۶۷-۹"),
        ("картка 9804 0000 1234 5673", "card", "9804 0000 1234 5673"),
        ("账户GB82WEST12345698765432，", "iban", "GB82WEST12345698765432"),
        ("地址1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa。", "wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "wallet", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"),
        ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "wallet", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "wallet",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        ),
        (
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "wallet",
            "0x52908400098527886E0F7030069857D2E4169EE7",
        ),
    ],
)
def test_numbers_with_check_sums(text: str, kind: str, value: str) -> None:
    assert locate(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "version 8.31.4.200 and v10.44.0.99",
        "section 1.2.3.4, 127.0.0.1, 192.168.1.1, 10.0.0.8, 224.0.0.251",
        "12:30:45:12 and std::vector<int> a::b::c",
        "DE89 3704 0044 0532 0130 01",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "RSSMRA85T10A562T",
        "44051401359",
        "https://www.example.com/posts/4012888888881881",
        "személyi száma 3 050630 0012",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "----------------------------------------------------------------",
        "2.11.1.0.20170917~dfsg-7.4",
        "0x0000000000000000000000000000000000000000",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert locate(text) == []


def list_checks() -> Iterator[tuple[str, str, type[Any] | None]]:
    """Yield country, name, and class of idnumbers (None: of our own) of every check of national numbers."""
    words = read_words()
    for country in words.national:
        for name in words.numbers.get(country, ["NationalID"]):
            own = name in OWN_CHECKS
            module = None if own else import_module(f"idnumbers.nationalid.{country}")
            yield country, name, None if module is None else getattr(module, name)


def test_national_numbers_of_every_country_are_found_by_their_check_digits() -> None:
    data, _ = load_yaml(data_path("private.yaml").read_text(encoding="utf-8"), "private.yaml")
    checked = set()
    for country, name, library in list_checks():
        if library is None:
            checked.add(country)
            continue
        example = library.METADATA.example
        word = re.sub(r"\\s\?|\?", "", data["national_ids"][country]["words"].split("|")[0]).replace("\\", "")
        assert locate(f"{word}: {example}", "national_id") == [("national_id", example)], (country, name)
        if library.METADATA.checksum:
            checked.add(country)
    documented = re.search(r"check digits:? (\d+) countries", read_documentation())
    assert documented is not None and int(documented[1]) == len(checked) >= 30
    assert f"in {len(read_words().national)} countries" in read_documentation()


def read_documentation() -> str:
    return " ".join((Path(__file__).parents[2] / "docs" / "edits.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("AMKA", "01018012342"), ("CI", "11111111"), ("CUIT", "20123456786"), ("IDNP", "1008600038413"),
        ("INN", "500100732259"), ("NHS", "9434765919"), ("RVNR", "15070649C103"), ("SNILS", "11223344595"),
        ("SVNR", "1237010180"), ("Since1997", "30506300011"), ("Thai", "2171084821741"),
    ],
)  # fmt: skip
def test_our_own_check_digits(name: str, number: str) -> None:
    check = OWN_CHECKS[name]
    at = 3 if name == "SVNR" else len(number) - 1
    others = [number[:at] + str(digit) + number[at + 1 :] for digit in range(10)]
    assert [other for other in others if check(other)] == [number]
    assert not any(check(other) for other in ("", "abc", number[1:], f"{number}0"))


def test_spans_are_in_order_and_apart() -> None:
    text = "Mail a@b.org, phone +49 30 901820, card 4012 8888 8888 1881, IBAN DE89 3704 0044 0532 0130 00; a@b.org"
    spans = find_private(text)
    assert [span.kind for span in spans] == ["email", "phone", "card", "iban", "email"]
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert find_private(text, ["email"]) == [span for span in spans if span.kind == "email"]
    assert find_private("") == [] and find_private("a" * 100_000) == []
    assert isinstance(spans[0], PrivateSpan)


def test_the_same_value_has_the_same_mask() -> None:
    text = "Write to a@b.org or C@b.org; A@B.org again. Tel: +49 30 901820, +49 (30) 90 18 20."
    spans = find_private(text)
    assert name_masks(text, spans) == ["<email-1>", "<email-2>", "<email-1>", "<phone-1>", "<phone-1>"]


def test_a_long_list_takes_linear_time() -> None:
    seconds = []
    for count in (2_000, 20_000):
        text = "".join(f"name{number}@example.org, " for number in range(count))
        begun = time.process_time()
        assert len(find_private(text, ["email", "ip"])) == count
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 30 * seconds[0]
