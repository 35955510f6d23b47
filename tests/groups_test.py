"""Groups keep what belongs together on one side of training and validation."""

from __future__ import annotations

import pytest

from corpus.groups import registered_domain


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.example.co.uk/a", "example.co.uk"),
        ("https://news.bbc.co.uk/", "bbc.co.uk"),
        ("https://someone.github.io/blog", "someone.github.io"),
        ("https://a.b.site.example/x", "site.example"),
        ("http://localhost:8000/", "localhost"),
        ("http://127.0.0.1/x", "127.0.0.1"),
        ("https://例え.テスト/", "例え.テスト"),
        ("https://президент.рф/", "президент.рф"),
    ],
)
def test_the_registered_domain(url: str, domain: str) -> None:
    assert registered_domain(url) == domain
