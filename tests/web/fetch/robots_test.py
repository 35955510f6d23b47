"""What a robots.txt allows one crawler, by RFC 9309."""

from __future__ import annotations

import pytest

from corpus.web.fetch.robots import parse_robots

CLOSED, OPEN = "Disallow: /\n", "Allow: /\n"


def decide(text: str, agent: str = "corpus-fetch", url: str = "https://站.example/页/a.php?b=c") -> str:
    return parse_robots(200, text.encode(), agent).decision(url, agent)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (f"User-agent: *\n{CLOSED}", False),
        (f"User-agent: CORPUS-Fetch\n{OPEN}\nUser-agent: *\n{CLOSED}", True),
        (f"User-agent: corpus-fetch/1.0 (of ours)\n{CLOSED}", False),
        (f"User-agent: corpus-fetch* # all versions\n{CLOSED}", False),
        # Groups of other names.
        (f"User-agent: corpus\n{OPEN}\nUser-agent: *\n{CLOSED}", False),
        (f"User-agent: corpus-fetcher\n{OPEN}\nUser-agent: *\n{CLOSED}", False),
        (f"User-agent: corpus-fetch2\n{CLOSED}", True),
        (f"User-agent: my-corpus-fetch\n{CLOSED}", True),
        (f"User-agent: *fetch\n{CLOSED}", True),
        # What ends a group, and what does not.
        (f"User-agent: corpus-fetch\nContent-Signal: ai-train=no\nUser-agent: b\n{CLOSED}", False),
        (f"User-agent: corpus-fetch\nCrawl-delay: 5\n\nUser-agent: b\n{CLOSED}", False),
        (f"User-agent: corpus-fetch\nSitemap: https://a.example/s.xml\nUser-agent: b\n{CLOSED}", False),
        (f"User-agent: corpus-fetch\nDisallow:\nUser-agent: b\n{CLOSED}", True),
        (f"User-agent: *\n{CLOSED}\nUser-agent: corpus-fetch\nDisallow: /x\n", True),
        ("User-agent: corpus-fetch\nDisallow: /x\nUser-agent: corpus-fetch\nDisallow: /*.php\n", False),
        (f"User-agent: corpus-fetch\n\nUser-agent: *\n{CLOSED}", False),
        # How lines are written.
        (f"\ufeffuser agent corpus-fetch\r{CLOSED}", False),
        ("UserAgent:*\r\nDissalow:/页 # pages\r\n", False),
        ("User-agent: *\nDisallow: /%E9%A1%B5/\nAllow: /页/a.php$\n", False),
        (f"User-agent: *\nAllowed: no\nno disallow: /\n# {CLOSED}", True),
        (CLOSED, True),
        ("", True),
    ],
)
def test_the_lines_that_are_about_a_crawler(text: str, allowed: bool) -> None:
    assert decide(text) == ("allowed" if allowed else "disallowed")


def test_the_pace_is_that_of_the_group() -> None:
    text = "User-agent: *\nCrawl-delay: 30\nAllow: /\n\nUser-agent: b\nUser-agent: c\nRequest-rate: 1/7\nAllow: /\n"
    assert [parse_robots(200, text.encode(), agent).delay for agent in ("a", "b", "c")] == [30, 7, 7]
