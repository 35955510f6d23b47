"""Which spellings of an address are one address."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.dedup.url_key import canonicalize_urls, hash_urls


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.COM/a/b/", "example.com/a/b"),
        ("http://example.com:80/a/b#top", "example.com/a/b"),
        ("https://example.com:443/a/b", "example.com/a/b"),
        ("http://example.com:8080/a", "example.com:8080/a"),
        ("https://user:secret@example.com./", "example.com"),
        ("https://example.com?", "example.com"),
        ("https://example.com/A?q=B", "example.com/A?q=B"),
        ("https://example.com/?utm_source=x&id=7&utm_medium=y&fbclid=z&page=2", "example.com?id=7&page=2"),
        ("https://example.com/?UTM_Source=x&gclid", "example.com"),
        ("https://example.com/?fbclid2=1&xfbclid=2&utm=3", "example.com?fbclid2=1&xfbclid=2&utm=3"),
        ("https://ja.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC", "ja.wikipedia.org/wiki/日本"),
        ("https://ja.wikipedia.org/wiki/日本", "ja.wikipedia.org/wiki/日本"),
        ("https://example.com/a%2fb%3Fc", "example.com/a%2Fb%3Fc"),  # an escaped slash is no slash
        ("https://example.com/%e9t%e9", "example.com/%E9t%E9"),  # Latin-1
        ("http://[2001:DB8::1]:80/x", "[2001:db8::1]/x"),
        ("  https://example.com/x \n", "example.com/x"),
        ("urn:isbn:9780140328721", "urn:isbn:9780140328721"),
        ("", None),
        (None, None),
    ],
)
def test_canonical(url: str | None, expected: str | None) -> None:
    assert canonicalize_urls(pa.array([url], pa.string())).to_pylist() == [expected]


def test_hashes_are_equal_where_the_address_is_and_none_is_zero() -> None:
    found = hash_urls(
        pa.array(["http://a.example/x/", None, "https://A.example/x?utm_id=1", "https://a.example/y"])
    )
    assert found[0] == found[2] != found[3]
    assert found[1] == 0
    assert hash_urls(pa.array([None], pa.null())).tolist() == [0]
    assert hash_urls(pa.array([], pa.string())).tolist() == []
