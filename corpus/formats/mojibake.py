"""Measure how much a text looks as if it had been decoded with the wrong charset."""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

_NEUTRAL, _BAD, _SYMBOL, _RARE, _EAST_ASIAN, _OTHER = range(6)
_LOWER, _UPPER, _LATIN_LOWER, _LATIN_UPPER = 6, 7, 8, 9
_CASED = {"CYRILLIC": 10, "GREEK": 12}
_UNCASED = {"HEBREW": 14, "ARABIC": 15, "THAI": 16}
_CLASSES = 17

_COMMON_SETS = {"gb2312": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "euc_jp": (0xB0, 0xCF), "euc_kr": (0xB0, 0xC8)}
"""Lead bytes of the level-1 (everyday) characters: hanzi of GB 2312 and Big5, kanji of JIS X 0208,
hangul syllables of KS X 1001."""

_EXPECTED = {"cp932": "kana", "euc_jp": "kana", "cp949": "hangul", "gb18030": "han", "big5hkscs": "han"}

BMP_CODE_POINTS = 1 << 16
SAMPLE_CHARACTERS = 1 << 20


def _list_common_east_asian() -> set[str]:
    characters: set[str] = set()
    for codec, (first, last) in _COMMON_SETS.items():
        pairs = bytes(
            b for lead in range(first, last + 1) for trail in range(0xA1, 0xFF) for b in (lead, trail)
        )
        characters.update(pairs.decode(codec, "ignore"))
    low = bytes(b for lead in range(0xA4, 0xC7) for trail in range(0x40, 0x7F) for b in (lead, trail))
    characters.update(low.decode("big5", "ignore"))
    return characters


def _class_of(character: str, common: set[str]) -> int:
    code, category = ord(character), unicodedata.category(character)
    if code < 0x80:
        if category[0] == "L":
            return _LOWER if category == "Ll" else _UPPER
        return _BAD if category == "Cc" and character not in "\t\n\r\f" else _NEUTRAL
    if category in ("Cc", "Cn", "Co", "Cs") or character == "\ufffd" or 0x2500 <= code < 0x25A0:
        return _BAD
    if 0xFF61 <= code < 0xFFA0:
        return _RARE
    if category[0] in "LM":
        if 0x3040 <= code < 0x3100 or 0xFF00 <= code < 0xFFF0:
            return _EAST_ASIAN
        if 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0 or 0xF900 <= code < 0xFB00:
            return _EAST_ASIAN if character in common else _RARE
        name = unicodedata.name(character, "").split(" ", 1)[0]
        if name in _CASED:
            return _CASED[name] + (category == "Lu")
        if name in _UNCASED:
            return _UNCASED[name]
        if name == "LATIN" and category in ("Ll", "Lu"):
            return _LATIN_LOWER if category == "Ll" else _LATIN_UPPER
        return _OTHER
    return _SYMBOL if 0xA1 <= code <= 0xF7 else _NEUTRAL


@cache
def _build_tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the class of every BMP code point (uint8), the cost of a class, and the cost of two adjacent classes."""
    common = _list_common_east_asian()
    classes = np.array([_class_of(chr(code), common) for code in range(BMP_CODE_POINTS)], np.uint8)
    single = np.zeros(_CLASSES, np.float32)
    single[_BAD], single[_RARE], single[_SYMBOL] = 2.0, 0.6, 0.05
    alphabets = [
        [_LOWER, _UPPER, _LATIN_LOWER, _LATIN_UPPER],
        *([[first, first + 1] for first in _CASED.values()]),
        *([[only] for only in _UNCASED.values()]),
    ]
    pair = np.zeros((_CLASSES, _CLASSES), np.float32)
    for alphabet in alphabets:
        for other in alphabets:
            if alphabet is not other:
                pair[np.ix_(alphabet, other)] = 1.0
        for letter in alphabet:
            if letter not in (_LOWER, _UPPER):
                pair[letter, _SYMBOL] = pair[_SYMBOL, letter] = 0.4
                pair[letter, _EAST_ASIAN] = pair[_EAST_ASIAN, letter] = 0.6
                pair[letter, _RARE] = pair[_RARE, letter] = 0.6
    for lower in (_LOWER, _LATIN_LOWER, *_CASED.values()):
        for upper in (_UPPER, _LATIN_UPPER, *(value + 1 for value in _CASED.values())):
            if (lower, upper) != (_LOWER, _UPPER):
                pair[lower, upper] = 1.0
    latin = [_LATIN_LOWER, _LATIN_UPPER]
    pair[np.ix_(latin, latin)] = np.maximum(pair[np.ix_(latin, latin)], 0.5)
    return classes, single, pair


def measure_mojibake(text: str) -> float:
    """Return oddities per non-ASCII character: 0 for clean text in any script, mostly over .3 for garbage.

    Counts what a wrong charset leaves behind: unassigned and control characters, rare ideographs,
    letters of two alphabets in one word, a capital after a small letter, runs of accented letters,
    signs inside words. Reads the first 2^20 characters; about 5 ns a character.
    """
    units = np.frombuffer(text[:SAMPLE_CHARACTERS].encode("utf-16-le", "surrogatepass"), np.uint16)
    beyond = units >= 0x80
    count = int(np.count_nonzero(beyond))
    if not count:
        return 0.0
    classes, single, pair = _build_tables()
    kinds = classes.take(units)
    cost = float(single.take(kinds).sum()) + float(pair[kinds[:-1], kinds[1:]].sum())
    return cost / count


def measure_atypicality(text: str, codec: str) -> float:
    """Return .2 if the text lacks what nearly every text in an East Asian charset has, else 0.

    Japanese has kana, Korean has hangul, Chinese has neither: this distinguishes charsets that share
    their byte ranges (EUC-JP, EUC-KR and GB 2312), whose wrong readings are everyday ideographs.
    """
    if codec not in _EXPECTED:
        return 0.0
    units = np.frombuffer(text[:SAMPLE_CHARACTERS].encode("utf-16-le", "surrogatepass"), np.uint16)
    kana = int(np.count_nonzero((units >= 0x3041) & (units < 0x30FF)))
    hangul = int(np.count_nonzero((units >= 0xAC00) & (units < 0xD7B0)))
    han = int(np.count_nonzero((units >= 0x4E00) & (units < 0xA000)))
    total = kana + hangul + han
    if not total:
        return 0.2
    expected = {"kana": kana >= 0.1 * total, "hangul": hangul >= 0.9 * total, "han": han >= 0.7 * total}
    return 0.0 if expected[_EXPECTED[codec]] else 0.2
