"""Decide what a site's robots.txt allows (RFC 9309): which lines are about us, and by protego what they allow.

protego alone applies the group of `corpus` to `corpus-fetch`, not that of `corpus-fetch/1.0`, and ends a group at lines
that it does not know, such as `Content-Signal`, before the names behind them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from protego import Protego

from corpus.formats.http import Payload, decode_body

MAX_ROBOTS_BYTES = 512 << 10
"""RFC 9309 asks for 500 KiB at least; what follows is not read."""
MAX_DECODED_BYTES = 16 << 20
"""A compressed robots.txt that decodes to more is no robots.txt."""
_LINE = re.compile(
    r"\s*(?:(?P<name>user[- ]?agent)|(?P<rule>allow|dis+al+ow|diasllow|disallaw)|crawl[- ]delay|request[- ]rate)"
    r"\s*[:\s]\s*(?P<value>[^#]*)",
    re.IGNORECASE,
)
"""A line that says something: known mistakes are read as protego and other crawlers read them."""
_AGENT = re.compile(r"\*(?!\S)|[A-Za-z_-]+(?![\w-])")
"""What a crawler is called, without its version."""


@dataclass(frozen=True)
class Robots:
    """The rules of one origin. `state`: rules, none (nothing forbids), unreachable (everything is forbidden)."""

    state: str
    delay: float | None = None
    rules: Protego | None = None
    reason: str = ""

    def decision(self, url: str, agent: str) -> str:
        """Return `allowed`, `disallowed`, `none` or `unreachable`; the first and third allow."""
        if self.rules is None:
            return self.state
        return "allowed" if self.rules.can_fetch(url, agent) else "disallowed"


def parse_robots(status: int, body: bytes, agent: str, encoding: str = "") -> Robots:
    """Return the rules by the answer to /robots.txt; `encoding` is its Content-Encoding.

    4xx but for 429: there are none. 5xx, 429 and anything else, a body that does not decode among them: not
    reachable, so nothing may be asked.
    """
    if 200 <= status < 300:
        payload = Payload(status, "text/plain", "text/plain", content_encoding=encoding)
        decoded = decode_body(payload, body, MAX_DECODED_BYTES)
        if not isinstance(decoded, bytes):
            return Robots(
                "unreachable", reason=decoded or f"decodes to more than {MAX_DECODED_BYTES:,} bytes"
            )
        body = decoded
        cut = (
            body[:MAX_ROBOTS_BYTES]
            if len(body) <= MAX_ROBOTS_BYTES
            else body[:MAX_ROBOTS_BYTES].rpartition(b"\n")[0]
        )
        rules = Protego.parse(select_lines(cut.decode("utf-8-sig", "replace"), agent))
        delay = rules.crawl_delay(agent)
        rate = rules.request_rate(agent)
        if rate is not None and rate.requests:
            delay = max(delay or 0.0, _request_interval(rate.seconds, rate.requests))
        return Robots("rules", None if delay is None else max(0.0, float(delay)), rules)
    if 400 <= status < 500 and status != 429:
        return Robots("none")
    return Robots("unreachable", reason=f"status {status}")


@dataclass
class _AgentGroup:
    """Names of crawlers, and the lines that are about them."""

    agents: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    has_rules: bool = False


def select_lines(text: str, agent: str) -> str:
    """Return the lines of a robots.txt that are about the crawler `agent`, as one group for all: those of the groups
    that name it, whatever their case, else those of the groups for all."""
    groups = list(_iter_groups(text))
    chosen = [group for group in groups if agent.lower() in group.agents]
    chosen = chosen or [group for group in groups if "*" in group.agents]
    return "\n".join(["User-agent: *", *(line for group in chosen for line in group.lines)])


def _iter_groups(text: str) -> Iterator[_AgentGroup]:
    """Yield the groups. A name behind a rule begins the next; nothing else ends one."""
    group = _AgentGroup()
    for line in re.split(r"[\r\n]+", text):
        match = _LINE.match(line)
        if match is None:
            continue
        if match["name"]:
            if group.has_rules:
                yield group
                group = _AgentGroup()
            if name := _AGENT.match(match["value"]):
                group.agents.add(name[0].lower())
        else:
            group.lines.append(line)
            group.has_rules |= match["rule"] is not None
    yield group


def _request_interval(seconds: int, requests: int) -> float:
    """Return the time between two requests; numbers of any length may occur in a robots.txt."""
    try:
        return seconds / requests
    except OverflowError:
        return math.inf
