"""Find public IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from corpus.private.digit_regions import MARGIN_CHARACTERS, Region, search_regions

_FOUR = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}", re.ASCII)
_BEFORE_FOUR = re.compile(
    r"(?:[A-Za-z0-9_.-]|(?:\bv|\bver\.?|\bversion|\bversión|versione|версия|버전|バージョン|版本)[\s:]{0,2})\Z",
    re.IGNORECASE,
)
_AFTER_FOUR = re.compile(r"[A-Za-z0-9_-]|\.\d")
_SIX = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){0,7}(?![A-Za-z0-9_:])"
)
_WORD = re.compile(r"\bips?\b|адрес|地址|アドレス|주소|כתובת|عنوان", re.IGNORECASE)
FOUR_MARGIN_CHARACTERS = 4
"""Every four octets stand so close together that a region has them but for a digit or two."""
MIN_PLAIN_OCTET = 32
"""An address without an octet of at least this value is as likely a number of a section or version: it needs a word."""


def find_addresses(text: str, regions: list[Region]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every address that the internet routes, version 4 and 6."""
    dotted = [(start, end) for start, end in regions if text.count(".", max(0, start), end) >= 3]
    for match in search_regions(_FOUR, text, dotted, FOUR_MARGIN_CHARACTERS):
        if _is_public_four(text, match):
            yield match.span()
    colons = [(start, end) for start, end in regions if text.count(":", max(0, start), end) >= 2]
    for match in search_regions(_SIX, text, [*colons, *_find_double_colons(text)]):
        if _is_global(match[0]) and any(map(str.isdigit, match[0])):
            yield match.span()


def _find_double_colons(text: str) -> Iterator[Region]:
    at = text.find("::")
    while at >= 0:
        yield at - MARGIN_CHARACTERS, at + MARGIN_CHARACTERS
        at = text.find("::", at + 2)


def _is_public_four(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    if not _is_global(match[0]) or _AFTER_FOUR.match(text, end):
        return False
    before = text[max(0, start - 12) : start]
    if _BEFORE_FOUR.search(before):
        return False
    octets = [int(octet) for octet in match[0].split(".")]
    return max(octets) >= MIN_PLAIN_OCTET or bool(_WORD.search(text[max(0, start - 24) : start]))


def _is_global(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
        return parsed.is_global and not parsed.is_multicast
    except ValueError:
        return False
