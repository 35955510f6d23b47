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


_OTHER, _MARK, _ALIEN, _IDEOGRAPH = range(4)
"""Classes of characters; those that are evidence follow, a class for each row of weights."""
_CHUNK_UNITS = 1 << 16
"""Code units that are counted at a time."""


@cache
def _classes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Return the class of each UTF-16 code unit, uint8[65536], and what classes are worth, float64[languages, classes].

    Characters of evidence with the same weights are one class: there are about twenty.
    """
    rows = np.zeros((0x10000, len(_EVIDENCE)))
    for at, groups in enumerate(_EVIDENCE.values()):
        for weight, characters in groups.items():
            rows[list(map(ord, characters)), at] = weight
    evidence = np.flatnonzero(rows.any(axis=1))
    worths, numbers = np.unique(rows[evidence], axis=0, return_inverse=True)
    table = np.full(0x10000, _OTHER, np.uint8)
    table[_FIRST:_LAST] = _IDEOGRAPH
    table[list(map(ord, string.ascii_letters + string.digits))] = _ALIEN
    table[list(map(ord, _CLAUSE_MARKS))] = _MARK
    table[evidence] = numbers.ravel() + _IDEOGRAPH + 1
    return table, np.concatenate([np.zeros((_IDEOGRAPH + 1, len(_EVIDENCE))), worths]).T


def _count_classes(classes: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.int64]:
    """Return how many code units each class has, without a wider copy of a long text."""
    counts = np.zeros(number, np.int64)
    for start in range(0, len(classes), _CHUNK_UNITS):
        counts += np.bincount(classes[start : start + _CHUNK_UNITS], minlength=number)
    return counts


def tell_sinitic(text: str) -> tuple[str, float] | None:
    """Return (code, score) of a text in ideographs: lzh, yue or wuu where its characters say so, else cmn; None for a
    text too short to say. The score is .5 and more, by the share of the evidence that is for it. Some .1 ms for 1,500
    characters, and 3 bytes a character."""
    table, worths = _classes()
    classes = table[np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)]
    counts = _count_classes(classes, worths.shape[1])
    ideographs = int(counts[_IDEOGRAPH:].sum())
    if ideographs < MIN_IDEOGRAPHS:
        return None
    rates = dict(zip(_EVIDENCE, (worths @ counts * (100 / ideographs)).tolist(), strict=True))
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
        not counts[_OTHER] + counts[_ALIEN]
        and int(counts[worths[0] == 1.0].sum()) * 100 <= MAX_VERSE_PARTICLES * ideographs
        and _is_verse(classes >= _IDEOGRAPH, text.count("、"))
    ):
        return CLASSICAL, _score(3.0 + classical, standard)
    standard += int(counts[_ALIEN]) * ALIEN_WEIGHT * 100 / ideographs
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


def _is_verse(is_ideograph: npt.NDArray[np.bool_], listed: int) -> bool:
    """Return whether the runs of ideographs are short clauses of one length or two, or a song's; `listed` is the number
    of enumeration commas."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_ideograph, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    if len(lengths) < MIN_VERSE_CLAUSES or 2 * listed > len(lengths):
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
