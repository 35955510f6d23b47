"""Count how many letters of each script a text has, by ISO 15924 code."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.unicode_ranges import list_categories

_SCRIPT_BY_NAME = {
    "ADLAM": "Adlm",
    "AHOM": "Ahom",
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "AVESTAN": "Avst",
    "BALINESE": "Bali",
    "BAMUM": "Bamu",
    "BASSA": "Bass",
    "BATAK": "Batk",
    "BENGALI": "Beng",
    "BOPOMOFO": "Bopo",
    "BRAHMI": "Brah",
    "BUGINESE": "Bugi",
    "BUHID": "Buhd",
    "CANADIAN": "Cans",
    "CHAKMA": "Cakm",
    "CHAM": "Cham",
    "CHEROKEE": "Cher",
    "CJK": "Hani",
    "COPTIC": "Copt",
    "CUNEIFORM": "Xsux",
    "CYRILLIC": "Cyrl",
    "DESERET": "Dsrt",
    "DEVANAGARI": "Deva",
    "EGYPTIAN": "Egyp",
    "ETHIOPIC": "Ethi",
    "GEORGIAN": "Geor",
    "GLAGOLITIC": "Glag",
    "GOTHIC": "Goth",
    "GRANTHA": "Gran",
    "GREEK": "Grek",
    "GUJARATI": "Gujr",
    "GUNJALA": "Gong",
    "GURMUKHI": "Guru",
    "HANGUL": "Hang",
    "HANIFI": "Rohg",
    "HANUNOO": "Hano",
    "HEBREW": "Hebr",
    "HIRAGANA": "Hira",
    "JAVANESE": "Java",
    "KANNADA": "Knda",
    "KATAKANA": "Kana",
    "KATAKANA-HIRAGANA": "Kana",
    "KAYAH": "Kali",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "LATIN": "Latn",
    "LEPCHA": "Lepc",
    "LIMBU": "Limb",
    "LISU": "Lisu",
    "MALAYALAM": "Mlym",
    "MANDAIC": "Mand",
    "MASARAM": "Gonm",
    "MEDEFAIDRIN": "Medf",
    "MEETEI": "Mtei",
    "MENDE": "Mend",
    "MIAO": "Plrd",
    "MONGOLIAN": "Mong",
    "MRO": "Mroo",
    "MYANMAR": "Mymr",
    "NEW": "Talu",
    "NEWA": "Newa",
    "NKO": "Nkoo",
    "NYIAKENG": "Hmnp",
    "OGHAM": "Ogam",
    "OL": "Olck",
    "ORIYA": "Orya",
    "OSAGE": "Osge",
    "PAHAWH": "Hmng",
    "PAU": "Pauc",
    "PHAGS-PA": "Phag",
    "PHOENICIAN": "Phnx",
    "REJANG": "Rjng",
    "RUNIC": "Runr",
    "SAMARITAN": "Samr",
    "SAURASHTRA": "Saur",
    "SHAVIAN": "Shaw",
    "SINHALA": "Sinh",
    "SORA": "Sora",
    "SUNDANESE": "Sund",
    "SYLOTI": "Sylo",
    "SYRIAC": "Syrc",
    "TAGALOG": "Tglg",
    "TAGBANWA": "Tagb",
    "TAI LE": "Tale",
    "TAI THAM": "Lana",
    "TAI VIET": "Tavt",
    "TAMIL": "Taml",
    "TANGUT": "Tang",
    "TELUGU": "Telu",
    "THAANA": "Thaa",
    "THAI": "Thai",
    "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng",
    "TIRHUTA": "Tirh",
    "TOTO": "Toto",
    "VAI": "Vaii",
    "WANCHO": "Wcho",
    "WARANG": "Wara",
    "YI": "Yiii",
}
"""First word (or two) of a character's Unicode name -> script. Characters of other names count as common."""

SCRIPTS = ("Zyyy", *sorted(set(_SCRIPT_BY_NAME.values())))
_SCRIPT_NUMBERS = {script: number for number, script in enumerate(SCRIPTS)}
_ALIKE = (
    (0x3400, 0xA000, "Hani"),
    (0xA000, 0xA48D, "Yiii"),
    (0xAC00, 0xD7B0, "Hang"),
)
"""Where all letters are of one script: most of all, whose names need not be looked up."""

_PLANE = 0x10000
_IDEOGRAPHIC_PLANES = (0x20000, 0x40000)

SCRIPT_WEIGHTS = {"Hani": 3, "Hira": 3, "Kana": 3, "Hang": 3, "Yiii": 3, "Bopo": 2, "Ethi": 2, "Cans": 2}
"""Weight of a letter that carries as much as several of an alphabet: decides what a mixed text is mostly in."""

MIN_KANA_SHARE = 0.1
"""Of kana and ideographs: at least that in Japanese (prose has .4 to .6, lists of names .1), less in Chinese
that quotes some. Chosen, not measured elsewhere."""

MIN_HANGUL_SHARE = 0.2
"""Of hangul and ideographs: at least that in Korean, whose older texts mix both."""


_ASCII_LETTERS = string.ascii_letters.encode()


@cache
def _table(planes: int) -> npt.NDArray[np.uint8]:
    """Return the script number of each code point of the first planes; 0 for all but letters and marks. Cost: .02 s for
    the first, .03 s for the second."""
    begin = (planes - 1) * _PLANE
    table = np.zeros(_PLANE, np.uint8)
    categories = list_categories(begin, begin + _PLANE)[:, 0]
    letters = np.flatnonzero((categories == ord("L")) | (categories == ord("M"))) + begin
    for start, end, script in _ALIKE:
        is_inside = (letters >= start) & (letters < end)
        table[letters[is_inside] - begin] = _SCRIPT_NUMBERS[script]
        letters = letters[~is_inside]
    table[letters - begin] = [_SCRIPT_NUMBERS.get(_script_of(code) or "", 0) for code in letters.tolist()]
    return np.concatenate([_table(planes - 1), table]) if planes > 1 else table


def _script_of(code: int) -> str | None:
    """Return the script of a letter or mark, by its name."""
    words = unicodedata.name(chr(code), "").split(" ", 2)
    if words[0] in ("HALFWIDTH", "FULLWIDTH"):
        words = words[1:]
    return _SCRIPT_BY_NAME.get(words[0]) or _SCRIPT_BY_NAME.get(" ".join(words[:2]))


def script_counts(text: str) -> dict[str, int]:
    """Count letters (and marks) of each script in the text, most frequent first; others are left out."""
    if text.isascii():
        letters = len(text) - len(text.encode().translate(None, _ASCII_LETTERS))
        return {"Latn": letters} if letters else {}
    codes: npt.NDArray[Any] = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    ideographs, planes = 0, 1
    if len(codes) > len(text):  # some are pairs
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        first, last = _IDEOGRAPHIC_PLANES
        ideographs = int(np.count_nonzero((codes >= first) & (codes < last)))
        planes = 2
        codes = codes[codes < planes * _PLANE]
    counts = np.bincount(_table(planes).take(codes), minlength=len(SCRIPTS))
    counts[_SCRIPT_NUMBERS["Hani"]] += ideographs
    counts[0] = 0
    numbers = np.flatnonzero(counts).tolist()
    numbers.sort(key=lambda number: -counts[number])
    return {SCRIPTS[number]: int(counts[number]) for number in numbers}


def script_shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each script in a text (letters weighted by `SCRIPT_WEIGHTS`), largest first.

    Kana and ideographs together are Jpan where enough are kana, else Hani; hangul with a few ideographs
    is Hang.
    """
    weights = {script: count * SCRIPT_WEIGHTS.get(script, 1) for script, count in counts.items()}
    kana = weights.pop("Hira", 0) + weights.pop("Kana", 0)
    han, hangul = weights.get("Hani", 0), weights.get("Hang", 0)
    if kana and kana >= MIN_KANA_SHARE * (kana + han):
        weights["Jpan"] = kana + weights.pop("Hani", 0)
    elif hangul and hangul >= MIN_HANGUL_SHARE * (hangul + han):
        weights["Hang"] = hangul + weights.pop("Hani", 0)
    elif kana:
        weights["Hani"] = kana + han
    total = sum(weights.values())
    return {
        script: weights[script] / total for script in sorted(weights, key=lambda name: (-weights[name], name))
    }


def main_script(counts: Mapping[str, int]) -> str:
    """Return the script most of a text is in, Zyyy for a text without letters."""
    return next(iter(script_shares(counts)), "Zyyy")
