"""Keys: every spelling of a page has one, and no two pages share one."""

from __future__ import annotations

import pytest

from corpus.web.url_lists.index_key import clean_url, hash_of, hashes_of, key_of, sort_key


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        (
            "example.org/a?b=1&c=2",
            [
                "http://example.org/a?b=1&c=2",
                "HTTPS://WWW.Example.ORG:443/a/?c=2&b=1#top",
                "http://m.example.org/a?utm_source=x&c=2&b=1&fbclid=123",
                " https://user:pw@example.org./a?c=2&amp;b=1 ",
                "https://www.google.com/amp/s/example.org/a?c=2&b=1",
                "https://example-org.cdn.ampproject.org/c/s/amp.example.org/a/amp/?b=1&c=2",
                "https://example.org/a?b=1&c=2&outputType=amp",
            ],
        ),
        (
            "zh.wikipedia.org/wiki/%E6%B1%89%E8%AF%AD",
            [
                "https://zh.wikipedia.org/wiki/汉语",
                "https://zh.m.wikipedia.org/wiki/%e6%b1%89%e8%af%ad",
                "http://zh.wikipedia.org/wiki/%E6%B1%89%E8%AF%AD#历史",
            ],
        ),
        ("th.wikipedia.org/wiki/%E0%B9%84%E0%B8%97%E0%B8%A2", ["https://th.m.wikipedia.org/wiki/ไทย"]),
        ("xn--r8jz45g.jp/%E5%A4%A9%E6%B0%97", ["https://例え.jp/天気", "http://www.xn--r8jz45g.jp/天気/"]),
        ("xn--h1alffa9f.xn--p1ai/%D0%BD", ["http://россия.рф/н"]),
        ("m.co/x", ["http://m.co/x"]),
        ("1.2.3.4:8080", ["http://1.2.3.4:8080/"]),
    ],
)
def test_all_spellings_of_a_page_have_one_key(key: str, spellings: list[str]) -> None:
    assert {key_of(spelling) for spelling in spellings} == {key}


def test_different_pages_keep_different_keys() -> None:
    urls = [
        "http://example.org/",
        "http://example.org/A",
        "http://example.org/a",
        "http://example.org/a?id=1",
        "http://example.org/a?id=2",
        "http://example.org/a%2Fb",
        "http://example.org/a/b",
        "http://example.org:8080/a",
        "http://mobile.example.org.evil.example/a",
        "http://amp/a.example.org/",
    ]
    keys = [key_of(url) for url in urls]
    assert keys.pop() is None  # a host of one label is nobody's page
    assert len(set(keys)) == len(keys) and None not in keys


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/a",
        "javascript:alert(1)",
        "http://",
        "http://[bad",
        "example.org",
        "http://x/" + "a" * 3000,
    ],
)
def test_what_is_no_web_address_has_no_key(url: str) -> None:
    assert key_of(url) is None
    assert hashes_of([url, None]).tolist() == [0, 0]


def test_the_address_to_fetch_stays_as_it_was_submitted() -> None:
    assert (
        clean_url("http://m.example.org/a?x=1&amp;utm_source=y") == "http://m.example.org/a?x=1&utm_source=y"
    )
    assert clean_url("https://www.google.de/amp/s/www.example.org/a") == "https://www.example.org/a"


def test_pages_of_a_site_stand_together() -> None:
    keys = ["example.org/b", "blog.example.org/a", "example.com/c", "example.org", "example.org:81/a"]
    assert sorted(map(sort_key, keys)) == [
        "com,example)/c",
        "org,example)/",
        "org,example)/b",
        "org,example,blog)/a",
        "org,example:81)/a",
    ]


def test_hashes_are_fixed_for_ever() -> None:
    key = key_of("https://www.example.org/a")
    assert key is not None and hash_of(key) == hashes_of(["http://example.org/a/"])[0] == 10976400313353529233
