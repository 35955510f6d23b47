"""Find public IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from corpus.private.digit_regions import Region, search_regions

_LAST_THREE = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d{1,3}", re.ASCII)
_FIRST = re.compile(r"\d{1,3}\Z", re.ASCII)
_BEFORE_FOUR = re.compile(
    r"(?:[A-Za-z0-9_.-]|(?:\bv|\bver\.?|\bversion|\bversión|versione|версия|버전|バージョン|版本)[\s:]{0,2})\Z",
    re.IGNORECASE,
)
_AFTER_FOUR = re.compile(r"[A-Za-z0-9_-]|\.\d")
_SIX = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){0,7}(?![A-Za-z0-9_:])"
)
_COLONS = re.compile(r":[0-9a-fA-F]{0,4}:")
"""What every address of version 6 has; a search for it begins with a fixed character."""
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,4}\Z")
_WORD = re.compile(r"\bips?\b|адрес|地址|アドレス|주소|כתובת|عنوان", re.IGNORECASE)
FOUR_MARGIN_CHARACTERS = 4
"""Every four octets stand so close together that a region has them but for a digit or two."""
MIN_PLAIN_OCTET = 32
"""An address without an octet of at least this value is as likely a number of a section or version: it needs a word."""


def find_addresses(text: str, regions: list[Region]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every address that the internet routes, version 4 and 6."""
    for match in search_regions(_LAST_THREE, text, regions, FOUR_MARGIN_CHARACTERS):
        first = _FIRST.search(text, max(0, match.start() - 3), match.start())
        if first is not None and _is_public_four(text, first.start(), match.end()):
            yield first.start(), match.end()
    done = 0
    for colons in _COLONS.finditer(text):
        before = _HEXADECIMAL.search(text, max(done, colons.start() - 4), colons.start())
        address = _SIX.match(text, before.start()) if before is not None else None
        if address is not None:
            done = address.end()
            if _is_global(address[0]) and any(map(str.isdigit, address[0])):
                yield address.span()


def _is_public_four(text: str, start: int, end: int) -> bool:
    address = text[start:end]
    if not _is_global(address) or _AFTER_FOUR.match(text, end):
        return False
    before = text[max(0, start - 12) : start]
    if _BEFORE_FOUR.search(before):
        return False
    octets = [int(octet) for octet in address.split(".")]
    return max(octets) >= MIN_PLAIN_OCTET or bool(_WORD.search(text[max(0, start - 24) : start]))


def _is_global(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
        return parsed.is_global and not parsed.is_multicast
    except ValueError:
        return False
