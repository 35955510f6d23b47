"""Join lines that the source of a page wraps: those of Chinese and Japanese, and those beside a `br`."""

from __future__ import annotations

import re
import sys
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lxml.html import HtmlElement

CJK = "\u2e80-\u2fff\u3001-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffef\U00020000-\U0003ffff"
"""Characters of scripts that set no spaces between words and break a line anywhere; Korean sets spaces."""
_INLINE = (
    r"a|abbr|acronym|b|bdi|big|cite|code|dfn|em|font|i|ins|kbd|label|mark|nobr|q|rb|rp|rt|rtc|ruby|s|small|span|strike"
    r"|strong|sub|sup|time|tt|u|var"
)
_INLINE_STARTS = frozenset(name[:2] for name in (*_INLINE.split("|"), "wbr"))
"""What these begin with, or all of their name."""
_TAG = rf"</?(?:{_INLINE})(?:\s[^<>]*)?>"
_UNSEEN = r"<!--[^<>]*-->|</?wbr\s*/?>"
"""What a browser shows nothing of, wherever lines end around it."""
SHARED_SIGNS = "“”‘’—…·"
"""Signs that Chinese and Japanese share with scripts that set spaces: they join only what is beside a character."""
MAX_MARKUP = 8
"""Tags and comments between two characters that a line end is between: bounds the work on hostile pages."""
_INLINE_MARKUP = rf"(?i:(?:{_TAG}|(?:{_UNSEEN})\s*){{0,{MAX_MARKUP}}})"
_CJK_START = re.compile(rf"{_INLINE_MARKUP}[{CJK}]")
_SIGN_START = re.compile(rf"{_INLINE_MARKUP}[{CJK}{SHARED_SIGNS}]")
_LINE_END = re.compile(r"[ \t]*\r?\n[ \t\r\f\n]*")
_INLINE_TAGS = frozenset(_INLINE.split("|"))
_LAST_ASCII = 127
_OLD_LINE_END = re.compile(r"\r(?!\n)")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_INLINE_TAG = re.compile(rf"{_TAG}|(?P<unseen>{_UNSEEN})", re.IGNORECASE)
_PREFORMATTED = ("pre", "textarea", "script", "style", "listing", "xmp")
_PREFORMATTED_START = re.compile(rf"<({'|'.join(_PREFORMATTED)})\b", re.IGNORECASE)
_PREFORMATTED_ENDS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _PREFORMATTED}
_CJK_COMMON = "。，的をる"
"""One of which any Chinese or Japanese text has: finding one is ten times as fast as a pattern. Their last byte is no
letter's, for which a search would stop at each of these (as for の, U+306E)."""


_REFERENCE = re.compile(r"&#(?:(\d{5,6})|[xX]([0-9a-fA-F]{4,5}));?")
"""A character written as its number, of which no sign of markup has so many digits."""


def write_out_references(html: str) -> str:
    """Return the source of a page in ASCII with Chinese and Japanese characters in place of references to them."""
    if not html.isascii() or "&#" not in html:
        return html
    return _REFERENCE.sub(_write_out, html)


def _write_out(match: re.Match[str]) -> str:
    number = int(match[1]) if match[1] else int(match[2], 16)
    character = chr(number) if number <= sys.maxunicode else ""
    return character if _CJK_CHARACTER.match(character) is not None else match[0]


def has_cjk_text(html: str) -> bool:
    """Return whether a page has text in Chinese or Japanese."""
    return not html.isascii() and any(character in html for character in _CJK_COMMON)


def join_wrapped_lines(html: str) -> str:
    """Return the source of a Chinese or Japanese page without the line ends between two characters of these scripts,
    also where inline tags stand around them: a browser shows a space there that no reader expects.

    `pre` and the like are left alone.
    """
    text = _OLD_LINE_END.sub("\n", html) if _has_old_line_end(html) else html
    breaks = list(_iter_wrapped(text))
    if not breaks:
        return html
    kept = _find_preformatted(text)
    pieces, start = [], 0
    for end, beginning in breaks:
        at = bisect(kept, (end, len(text))) - 1
        if at < 0 or kept[at][1] <= end:
            pieces.append(text[start:end])
            start = beginning
    return "".join((*pieces, text[start:]))


def _has_old_line_end(html: str) -> bool:
    return "\r" in html and html.count("\r") > html.count("\r\n")


def _find_preformatted(html: str) -> list[tuple[int, int]]:
    """Return where elements begin and end whose lines are kept. One without an end tag is none."""
    elements = []
    unclosed = set()
    at = 0
    while (start := _PREFORMATTED_START.search(html, at)) is not None:
        at = start.end()
        name = start[1].lower()
        if name in unclosed:
            continue
        if (end := _PREFORMATTED_ENDS[name].search(html, at)) is None:
            unclosed.add(name)
        else:
            at = end.end()
            elements.append((start.start(), at))
    return elements


def join_source_lines(tree: HtmlElement) -> None:
    """Make line ends of the source spaces in text beside a `br`, as a browser does and extractors do elsewhere."""
    for parent in {element.getparent() for element in tree.iter("br")}:
        if parent.tag in _PREFORMATTED or next(parent.iterancestors(*_PREFORMATTED), None) is not None:
            continue
        children = list(parent)
        are_words = [False, *(child.tag in _INLINE_TAGS for child in children), False]
        if parent.text and "\n" in parent.text:
            parent.text = _join_lines(parent.text, False, are_words[1])
        for at, child in enumerate(children, 1):
            if child.tail and "\n" in child.tail:
                child.tail = _join_lines(child.tail, are_words[at], are_words[at + 1])


def _join_lines(text: str, after_word: bool, before_word: bool) -> str:
    """Return a text on one line, but for line ends at its edges where no inline element is."""
    begin = 0 if after_word else len(text) - len(text.lstrip())
    end = len(text) if before_word else len(text.rstrip())
    return text[:begin] + _LINE_END.sub(" ", text[begin:end]) + text[max(begin, end) :]


def _iter_wrapped(html: str) -> Iterator[tuple[int, int]]:
    """Yield where a line ends in a Chinese or Japanese character and where the next that is not blank begins with one,
    but for spaces and inline tags."""
    for end, beginning in _list_gaps(html):
        # Most gaps are between blocks: the tag before them tells soonest.
        if (pattern := _find_start(html, end)) is None or _LINE_END.fullmatch(html, end, beginning) is None:
            continue
        if pattern.match(html, beginning) is not None:
            yield end, beginning


def _list_gaps(html: str) -> list[tuple[int, int]]:
    """Return where blanks begin and end that may be a line end within a Chinese or Japanese text: behind a tag or a
    character beyond ASCII, before such a character or what may be an inline tag. Others cost no Python each."""
    characters = _list_code_points(html)
    printed = characters > ord(" ")
    ends = np.flatnonzero(printed[:-1] > printed[1:])
    beginnings = np.flatnonzero(printed[:-1] < printed[1:]) + 1
    if len(html) and not printed[0]:
        beginnings = beginnings[1:]
    ends = ends[: len(beginnings)]
    kept = (characters[ends + 1] == ord("\n")) | (beginnings > ends + 2)
    ends, beginnings = ends[kept], beginnings[kept]
    before, after = characters[ends], characters[beginnings]
    kept = ((before > _LAST_ASCII) | (before == ord(">"))) & ((after > _LAST_ASCII) | (after == ord("<")))
    ends, beginnings = ends[kept], beginnings[kept]
    kept = (after[kept] > _LAST_ASCII) | _may_be_inline_at(characters, beginnings)
    return list(zip((ends[kept] + 1).tolist(), beginnings[kept].tolist(), strict=True))


def _list_code_points(html: str) -> NDArray[np.unsignedinteger]:
    """Return the code points of a text, in two bytes each if none needs more."""
    units = np.frombuffer(html.encode("utf-16-le", "surrogatepass"), np.uint16)
    if len(units) == len(html):
        return units
    return np.frombuffer(html.encode("utf-32-le", "surrogatepass"), np.uint32)


def _may_be_inline_at(characters: NDArray[np.unsignedinteger], places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return for each of `places` of a `<` whether an inline tag may begin there."""
    names = places + 1
    names += characters.take(names, mode="clip") == ord("/")
    first, second = (np.minimum(characters.take(names + at, mode="clip"), _LAST_ASCII) for at in (0, 1))
    may_be_inline: NDArray[np.bool_] = _list_starts()[first, second]
    return may_be_inline


@cache
def _list_starts() -> NDArray[np.bool_]:
    """Return what `_may_be_inline` says of each pair of characters behind a `<`; beyond ASCII all are alike."""
    signs = [chr(code) for code in range(_LAST_ASCII + 1)]
    return np.array([[_may_be_inline(f"<{first}{second}") for second in signs] for first in signs])


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
    for _ in range(MAX_MARKUP):
        if not end or html[end - 1] != ">":
            break
        start = html.rfind("<", 0, end)
        if start < 0 or not _may_be_inline(html[start : start + 4]):
            return None
        if (tag := _INLINE_TAG.fullmatch(html, start, end)) is None:
            return None
        end = start
        while tag["unseen"] and end and html[end - 1] in " \t\r\n":
            end -= 1
    if end == 0:
        return None
    if _CJK_CHARACTER.match(html[end - 1]) is not None:
        return _SIGN_START
    return _CJK_START if html[end - 1] in SHARED_SIGNS else None
