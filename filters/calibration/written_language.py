"""What texts say of how a language is written: its most frequent words, their length, and what ends its sentences."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus.filters.calibration.signal_cuts import SignalValues
from corpus.text.conventions import CHARACTER_TABLE_SIZE, Conventions
from corpus.text.hashes import Hashes
from corpus.text.units import to_text
from corpus.text.words import segment_words

STOP_WORD_RATE = 0.003
"""Share of all words from which a word is frequent enough to be a stop word, in all parts of the reference but one."""
MIN_STOP_WORDS, MAX_STOP_WORDS = 8, 30
REFERENCE_PARTS = 8
"""Parts of the reference, taken by turns: a word that is frequent in few of them belongs to a subject."""

MIN_MARK_SHARE = 0.02
"""Share of the lines that end in a mark from which it counts as the end of a sentence."""
MIN_MARKED_LINES = 100
"""Lines that end in a mark from which the shares of marks say something."""
NO_ENDS = frozenset(",:;/\\&@#%*_=+<>~^`·•،、，：；")
"""Marks that join or begin, whatever ends in them."""

ENGLISH_MEDIAN, ENGLISH_BOUNDS = 4.9, (3.0, 10.0)
"""Characters of a word at the median of English pages, and Gopher's bounds for English."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What was counted: stop words, most frequent first; marks that end sentences; the middle of texts' mean word
    length and the bounds scaled by it. `words` and `lines` are how many were counted."""

    stop_words: tuple[str, ...]
    marks: tuple[str, ...]
    word_length: float
    word_bounds: tuple[float, float]
    words: int
    lines: int


def describe_writing(
    texts: Sequence[str],
    words: Sequence[Hashes],
    lengths: SignalValues,
    conventions: Conventions,
    language: str,
) -> Writing:
    """Count the words and marks of texts. `words` are the hashes of the words of each, `lengths` their mean lengths."""
    middle = float(np.median(lengths)) if len(lengths) else ENGLISH_MEDIAN
    low, high = (bound * middle / ENGLISH_MEDIAN for bound in ENGLISH_BOUNDS)
    ends = _count_ends(texts)
    return Writing(
        stop_words=tuple(find_stop_words(texts, words, language)),
        marks=tuple(_choose_marks(ends, conventions)),
        word_length=middle,
        word_bounds=(max(1.0, float(f"{low:.2g}")), float(f"{high:.2g}")),
        words=sum(map(len, words)),
        lines=ends.total(),
    )


def find_stop_words(texts: Sequence[str], words: Sequence[Hashes], language: str) -> list[str]:
    """Return the words that are frequent all over the texts, most frequent first: at least `MIN_STOP_WORDS`,
    if there are so many different ones that consist of letters."""
    if not sum(map(len, words)):
        return []
    together = np.concatenate(words)
    unique, first, inverse = np.unique(together, return_index=True, return_inverse=True)
    parts = np.repeat(np.arange(len(words)) % REFERENCE_PARTS, [len(each) for each in words])
    size = REFERENCE_PARTS * len(unique)
    counts = np.bincount(parts * len(unique) + inverse, minlength=size).reshape(REFERENCE_PARTS, -1)
    sizes = counts.sum(axis=1, keepdims=True)
    rates = (counts / np.maximum(sizes, 1))[sizes[:, 0] > 0]
    least = np.sort(rates, axis=0)[min(1, len(rates) - 1)]
    whole = np.bincount(inverse) / len(together)
    order = np.lexsort((unique, -whole, -least))[: 4 * MAX_STOP_WORDS]
    begins = np.cumsum([0, *map(len, words)])
    chosen: list[tuple[float, str]] = []
    for at in order.tolist():
        if len(chosen) == MAX_STOP_WORDS or (least[at] < STOP_WORD_RATE and len(chosen) >= MIN_STOP_WORDS):
            break
        number = int(np.searchsorted(begins, first[at], "right")) - 1
        word = _read_word(texts[number], int(first[at] - begins[number]), language)
        if _is_word(word):
            chosen.append((float(whole[at]), word))
    return [word for _, word in sorted(chosen, key=lambda pair: (-pair[0], pair[1]))]


def _read_word(text: str, at: int, language: str) -> str:
    words = segment_words(text, language)
    return to_text(words.units[words.starts[at] : words.ends[at]]).lower()


def _is_word(word: str) -> bool:
    """Return whether a word consists of letters (with marks and inner signs on them), and is found again alone."""
    if not all(unicodedata.category(sign)[0] in "LM" or sign in "'’-·\u200c\u200d" for sign in word):
        return False
    return len(segment_words(word)) == 1 and not word.isspace()


def _count_ends(texts: Sequence[str]) -> Counter[str]:
    """Count the last characters of lines, where they are punctuation."""
    ends = Counter(line[-1] for text in texts for line in map(str.rstrip, text.split("\n")) if line)
    return Counter({end: count for end, count in ends.items() if unicodedata.category(end)[0] in "PS"})


def _choose_marks(ends: Counter[str], conventions: Conventions) -> list[str]:
    """Return marks that end enough lines and are not known to end one."""
    total = ends.total()
    if total < MIN_MARKED_LINES:
        return []
    known = conventions.line_ends | conventions.bullets
    return [
        mark
        for mark, count in sorted(ends.items(), key=lambda pair: (-pair[1], pair[0]))
        if count >= MIN_MARK_SHARE * total
        and mark not in NO_ENDS
        and unicodedata.category(mark) == "Po"
        and ord(mark) < CHARACTER_TABLE_SIZE
        and not known[ord(mark)]
    ]
