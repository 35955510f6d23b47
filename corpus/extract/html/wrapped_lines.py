"""Join the lines of Chinese and Japanese pages that their source wraps."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator

CJK = "\u2e80-\u2fff\u3001-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffef\U00020000-\U0003ffff"
"""Characters of scripts that set no spaces between words and break a line anywhere; Korean sets spaces."""
_INLINE = r"a|abbr|b|bdi|big|cite|code|dfn|em|font|i|ins|kbd|mark|q|rb|ruby|s|small|span|strong|sub|sup|tt|u|var|wbr"
_INLINE_STARTS = frozenset(name[:2] for name in _INLINE.split("|"))
"""What these begin with, or all of their name."""
_MARKUP = rf"</?(?:{_INLINE})(?:\s[^<>]*)?>|<!--[^<>]*-->"
SHARED_SIGNS = "“”‘’—…·"
"""Signs that Chinese and Japanese share with scripts that set spaces: they join only what is beside a character."""
_CJK_START = re.compile(rf"(?i:(?:{_MARKUP})*)[{CJK}]")
_SIGN_START = re.compile(rf"(?i:(?:{_MARKUP})*)[{CJK}{SHARED_SIGNS}]")
_OLD_LINE_END = re.compile(r"\r(?!\n)")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_INLINE_TAG = re.compile(_MARKUP, re.IGNORECASE)
_PREFORMATTED = re.compile(
    r"<(pre|textarea|script|style|listing|xmp)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_CJK_COMMON = "。，的をる"
"""One of which any Chinese or Japanese text has: finding one is ten times as fast as a pattern. Their last byte is no
letter's, for which a search would stop at each of these (as for の, U+306E)."""


def has_cjk_text(html: str) -> bool:
    """Return whether a page has text in Chinese or Japanese."""
    return not html.isascii() and any(character in html for character in _CJK_COMMON)


def join_wrapped_lines(html: str) -> str:
    """Return the source of a Chinese or Japanese page without the line ends between two characters of these scripts,
    also where inline tags stand around them: a browser shows a space there that no reader expects.

    `pre` and the like are left alone.
    """
    text = _OLD_LINE_END.sub("\n", html) if html.count("\r") > html.count("\r\n") else html
    breaks = list(_iter_wrapped(text))
    if not breaks:
        return html
    kept = [element.span() for element in _PREFORMATTED.finditer(text)]
    pieces, start = [], 0
    for end, beginning in breaks:
        at = bisect(kept, (end, len(text))) - 1
        if at < 0 or kept[at][1] <= end:
            pieces.append(text[start:end])
            start = beginning
    return "".join((*pieces, text[start:]))


def _iter_wrapped(html: str) -> Iterator[tuple[int, int]]:
    """Yield where a line ends in a Chinese or Japanese character and where the next that is not blank begins with one,
    but for spaces and inline tags. Lines of other blocks cost a comparison each, and no pattern."""
    start, end = 0, -1
    for line in html.split("\n"):
        text = line.lstrip(" \t\r\f")
        if text:
            beginning = start + len(line) - len(text)
            if end >= 0 and (text[0] > "\u2e7f" or text[0] in SHARED_SIGNS or _may_be_inline(text)):
                while end and html[end - 1] in " \t":
                    end -= 1
                if (pattern := _find_start(html, end)) is not None and pattern.match(html, beginning):
                    yield end, beginning
            end = start + len(line.removesuffix("\r"))
        start += len(line) + 1


def _may_be_inline(text: str) -> bool:
    """Return whether a text may begin with an inline tag: the names of most blocks begin with other letters."""
    if text[0] != "<":
        return False
    if text[1:2] == "!":
        return True
    start = text[1:4].removeprefix("/")[:2].lower()
    return start in _INLINE_STARTS or not (start.isalpha() or start[:1] not in _INLINE_STARTS)


def _find_start(html: str, end: int) -> re.Pattern[str] | None:
    """Return what the next line must begin with to go on with what ends at `end` in a Chinese or Japanese character, or
    in a sign, but for inline tags; None if it ends in another character."""
    while end and html[end - 1] == ">":
        start = html.rfind("<", 0, end)
        if (
            start < 0
            or not _may_be_inline(html[start : start + 4])
            or _INLINE_TAG.fullmatch(html, start, end) is None
        ):
            return None
        end = start
    if end == 0:
        return None
    if _CJK_CHARACTER.match(html[end - 1]) is not None:
        return _SIGN_START
    return _CJK_START if html[end - 1] in SHARED_SIGNS else None
