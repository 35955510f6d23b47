"""Decide what a site's robots.txt allows (RFC 9309), parsed by protego."""

from __future__ import annotations

import math
from dataclasses import dataclass

from protego import Protego

from corpus.formats.http import Payload, decode_body

MAX_ROBOTS_BYTES = 512 << 10
"""RFC 9309 asks for 500 KiB at least; what follows is not read."""
MAX_DECODED_BYTES = 16 << 20
"""A compressed robots.txt that decodes to more is no robots.txt."""


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
        rules = Protego.parse(cut.decode("utf-8-sig", "replace"))
        delay = rules.crawl_delay(agent)
        rate = rules.request_rate(agent)
        if rate is not None and rate.requests:
            delay = max(delay or 0.0, _request_interval(rate.seconds, rate.requests))
        return Robots("rules", None if delay is None else max(0.0, float(delay)), rules)
    if 400 <= status < 500 and status != 429:
        return Robots("none")
    return Robots("unreachable", reason=f"status {status}")


def _request_interval(seconds: int, requests: int) -> float:
    """Return the time between two requests; numbers of any length may occur in a robots.txt."""
    try:
        return seconds / requests
    except OverflowError:
        return math.inf
