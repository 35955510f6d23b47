"""Private data: what is found, in many scripts, and what only looks like it."""

from __future__ import annotations

import itertools
import time

import pytest

from corpus.private.kinds import PrivateSpan, find_private, name_masks
from corpus.private.options import KINDS


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
        "2.11.1.0.20170917~dfsg-7.4",
        "0x0000000000000000000000000000000000000000",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert locate(text) == []


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
