"""Tell the written Chinese languages apart: standard, classical, Cantonese, Wu.

All of them share nearly all ideographs, so models that count those take one for another. What differs are the
characters that do the work of grammar: 的了们这 in the standard language, 之也矣曰 in the classical, 嘅喺咗啲 in
Cantonese, 侬搿弗覅 in Wu; and the marks: classical verse has clauses of one length. Each character counts what it is
worth as evidence, per hundred ideographs.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

SINITIC = STANDARD, CLASSICAL, CANTONESE, WU = "cmn", "lzh", "yue", "wuu"

MIN_IDEOGRAPHS = 6
"""Ideographs from which a text says anything of this."""
MIN_SPOKEN_RATE = 1.5
"""Evidence per hundred ideographs from which a text may be Cantonese or Wu."""
MIN_CLASSICAL_RATE, MIN_SHORT_CLASSICAL_RATE, MIN_LONG_CLASSICAL_RATE = 4.0, 8.0, 2.0
"""The same of the classical language; of a text of less than `SHORT` ideographs; and of one of more than `LONG` without
any evidence for the standard language, which hardly writes a paragraph without its own particles."""
SHORT, LONG = 20, 60
MAX_STANDARD_RATE, NO_STANDARD_RATE = 0.8, 0.35
"""Evidence for the standard language per hundred ideographs in a classical text: notes and names bring some."""
ALIEN_WEIGHT = 0.2
"""A Latin letter or a digit counts so much for the standard language."""
MAX_LISTED = 3.0
"""Enumeration commas per hundred ideographs from which a text is a list of names."""
VERSE_LENGTHS = (4, 5, 6, 7)
MIN_VERSE_CLAUSES, MIN_VERSE_SHARE = 4, 0.75
"""Clauses of a verse, and the share of them that have its two most frequent lengths, where these are those of verse."""
MIN_SONG_CLAUSES, MAX_SONG_CLAUSE, MAX_SONG_MEAN = 6, 11, 6.5
"""Clauses of a song, whose lengths vary: at most so many ideographs, and so many in the mean."""
MAX_VERSE_PARTICLES = 2.0
"""Particles of the standard language (those that are worth one) per hundred ideographs of a verse."""

_EVIDENCE: Mapping[str, Mapping[float, str]] = {
    STANDARD: {
        1.0: "的们們这這吗嗎她它么麼吧您呢啊",
        0.5: "了你很没沒哪怎",
        0.3: "他是给給个個啦",
        0.2: "在还還把我",
    },
    CLASSICAL: {
        1.0: "矣焉哉曰乎兮歟欤耶邪吾汝爾尔豈岂蓋盖遂孰奚",
        0.7: "也之其者而以於于乃則则夫",
        0.4: "為为何無无弗故皆所",
    },
    CANTONESE: {1.0: "嘅喺咗啲冇嚟嗰哋嘢唔咁噉畀喎㗎搵瞓攞嗌諗谂乜咩嘥咪囖啫噃惗吖咋", 0.5: "佢喇吓㨃睇"},
    WU: {1.0: "侬儂搿覅朆侪呒嘸伲囥汏垃", 0.2: "勿仔辣"},
}
_PARTICLES = _EVIDENCE[STANDARD][1.0]
_PAIRS: Mapping[str, re.Pattern[str]] = {
    CANTONESE: re.compile("同埋|而家|[點点]解|[邊边][個个]|呢[個个啲]|係咪|[鍾钟]意|得閒|試下"),
    WU: re.compile(
        "阿拉(?![伯斯巴善木法加提尔爾])|伊拉(?![克斯])|辰光|交[关關](?!于|於)|[里裏浪]向|搭仔|[勒垃辣][拉海]|"
        "弗[是要会會好曉晓]|[迭搿]个|晓得伐"
    ),
}
"""Words whose characters say nothing alone; each is worth two."""

_FIRST, _LAST = 0x3400, 0xA000
_CLAUSE_MARKS = "，。！？；：、,.!?;:\n “”「」『』《》（）□[]"


@cache
def _weights() -> npt.NDArray[np.float64]:
    """Return float64[languages, 65536]: what a character is worth."""
    table = np.zeros((len(_EVIDENCE), 0x10000))
    for row, groups in enumerate(_EVIDENCE.values()):
        for weight, characters in groups.items():
            table[row, list(map(ord, characters))] = weight
    return table


@cache
def _aliens() -> npt.NDArray[np.bool_]:
    """Return which characters are Latin letters and digits."""
    table = np.zeros(0x10000, np.bool_)
    table[list(map(ord, string.ascii_letters + string.digits))] = True
    return table


@cache
def _marks() -> npt.NDArray[np.bool_]:
    table = np.zeros(0x10000, np.bool_)
    table[list(map(ord, _CLAUSE_MARKS))] = True
    return table


def tell_sinitic(text: str) -> tuple[str, float] | None:
    """Return (code, score) of a text in ideographs: lzh, yue or wuu where its characters say so, else cmn; None for a
    text too short to say. The score is .5 and more, by the share of the evidence that is for it. Some .04 ms a text."""
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    is_ideograph = (units >= _FIRST) & (units < _LAST)
    ideographs = int(np.count_nonzero(is_ideograph))
    if ideographs < MIN_IDEOGRAPHS:
        return None
    rates = dict(
        zip(_EVIDENCE, (_weights()[:, units].sum(axis=1) * (100 / ideographs)).tolist(), strict=True)
    )
    for code, pairs in _PAIRS.items():
        rates[code] += len(pairs.findall(text)) * 200 / ideographs
    standard, classical = rates[STANDARD], rates[CLASSICAL]
    spoken = max((CANTONESE, WU), key=lambda code: rates[code])
    if (
        rates[spoken] >= MIN_SPOKEN_RATE
        and rates[spoken] > 0.4 * standard
        and _is_enough(rates[spoken], ideographs)
    ):
        return spoken, _score(rates[spoken], 0.4 * standard)
    listed = text.count("、") * 100 > MAX_LISTED * ideographs
    if (
        _is_verse(units, is_ideograph)
        and sum(map(text.count, _PARTICLES)) * 100 <= MAX_VERSE_PARTICLES * ideographs
    ):
        return CLASSICAL, _score(3.0 + classical, standard)
    standard += int(np.count_nonzero(_aliens()[units])) * ALIEN_WEIGHT * 100 / ideographs
    if not listed and _is_classical(classical, standard, ideographs):
        return CLASSICAL, _score(classical, standard)
    return STANDARD, _score(standard + 1.0, rates[spoken])


def _is_classical(classical: float, standard: float, ideographs: int) -> bool:
    if ideographs > LONG and standard <= NO_STANDARD_RATE and classical >= MIN_LONG_CLASSICAL_RATE:
        return True
    least = MIN_SHORT_CLASSICAL_RATE if ideographs < SHORT else MIN_CLASSICAL_RATE
    allowed = MAX_STANDARD_RATE + 0.12 * classical
    return classical >= least and standard <= allowed and _is_enough(classical, ideographs)


def _is_enough(rate: float, ideographs: int) -> bool:
    """Return whether a rate rests on two characters and more."""
    return rate * ideographs / 100 >= 2


def _score(evidence: float, against: float) -> float:
    """Return a share of evidence, from .5 up."""
    return 0.5 + 0.5 * evidence / (evidence + 2 * against + 0.25)


def _is_verse(units: npt.NDArray[np.uint16], is_ideograph: npt.NDArray[np.bool_]) -> bool:
    """Return whether a text consists of short clauses of one length or two, or of a song's, and of nothing else."""
    if not (_marks()[units] | is_ideograph).all():
        return False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_ideograph, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    if len(lengths) < MIN_VERSE_CLAUSES or 2 * np.count_nonzero(units == ord("、")) > len(lengths):
        return False
    counted = np.bincount(lengths, minlength=8)
    best = counted[list(VERSE_LENGTHS)]
    if np.sort(best)[-2:].sum() >= MIN_VERSE_SHARE * len(lengths) and best.max() >= 0.4 * len(lengths):
        return True
    return bool(
        len(lengths) >= MIN_SONG_CLAUSES
        and lengths.max() <= MAX_SONG_CLAUSE
        and lengths.mean() <= MAX_SONG_MEAN
    )
