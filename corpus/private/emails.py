"""Find e-mail addresses: of any script, with `＠`, and written out as `name (at) host (dot) org`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from corpus.extract.secrets import find_address_begin, is_domain

_SIGNS = ("@", "＠")
_ASCII_BEFORE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{0,62}[A-Za-z0-9_+=-])?\Z")
_OTHER_BEFORE = re.compile(r"(?<!\w)\w(?:[\w.+-]{0,30}\w)?\Z")
_AFTER = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?[.．。]){1,5}"
    r"(?:xn--[A-Za-z0-9-]{2,59}(?![A-Za-z0-9-])|[A-Za-z]{2,24}(?![A-Za-z0-9@(-])|[^\W\d_]{2,12})"
)
_WRITTEN_OUT = re.compile(
    r"(?P<before>[A-Za-z0-9_][A-Za-z0-9._+-]{0,63})\s{0,2}"
    r"[\[({<]\s?(?:at|AT|At|ät|arroba|собака|chez|bei)\s?[\])}>]\s{0,2}"
    r"(?P<host>[A-Za-z0-9-]{1,63}"
    r"(?:(?:\s{0,2}[\[({<]\s?(?:dot|DOT|Dot|punkt|punto|ponto|точка)\s?[\])}>]\s{0,2}|\.)[A-Za-z0-9-]{1,63}){1,4})"
)
_DOT = re.compile(r"\s*[\[({<]\s?\w+\s?[\])}>]\s*")
_AT_WORD = re.compile(r"[\[({<]\s?(?:at|AT|At|ät|arroba|собака|chez|bei)\s?[\])}>]")
"""What stands in every address that is written out."""
_AT_BEGINNINGS = frozenset("aAäсcb \n\t\u00a0")


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every address, not in order. `git@host` and hosts without a public suffix are none."""
    for sign in _SIGNS:
        at = text.find(sign)
        while at >= 0:
            span = _read_address(text, at)
            if span is not None:
                yield span
            at = text.find(sign, at + 1)
    if _may_be_written_out(text):
        for match in _WRITTEN_OUT.finditer(text):
            if is_domain(_DOT.sub(".", match["host"])):
                yield match.span()


def _may_be_written_out(text: str) -> bool:
    for bracket in "([{<":
        at = text.find(bracket) + 1
        while at:
            if text[at : at + 1] in _AT_BEGINNINGS and _AT_WORD.match(text, at - 1):
                return True
            at = text.find(bracket, at) + 1
    return False


def _read_address(text: str, at: int) -> tuple[int, int] | None:
    after = _AFTER.match(text, at + 1, at + 260)
    if after is None:
        return None
    pattern = _ASCII_BEFORE if text[max(0, at - 1) : at].isascii() else _OTHER_BEFORE
    before = pattern.search(text, max(0, at - 64), at)
    if before is None or before[0] == "git":
        return None
    end = _find_domain_end(text, at + 1, after.end())
    begin = find_address_begin(text, before.start(), at) if end else None
    return (begin, end) if begin is not None else None


def _find_domain_end(text: str, start: int, end: int) -> int:
    """Return where the domain ends: letters that follow it without a space, as in Chinese, are not of it; 0 if none."""
    host = unicodedata.normalize("NFKC", text[start:end]).replace("。", ".")
    if is_domain(host):
        return end
    labels = host.split(".")
    ascii_end = re.match(r"[A-Za-z0-9.-]+", host)
    if ascii_end and len(ascii_end[0]) < len(host) and is_domain(ascii_end[0].rstrip(".-")):
        return start + len(ascii_end[0].rstrip(".-"))
    for count in range(len(labels) - 1, 1, -1):
        shorter = ".".join(labels[:count])
        if is_domain(shorter):
            return start + len(shorter)
    return 0
