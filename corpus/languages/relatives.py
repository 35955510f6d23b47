"""Tell languages by words that relatives do not write: `tko` is Croatian, `uslov` Bosnian or Serbian, `frae` Scots.

Models learn close languages from texts that are labelled by where they come from, and most of their sentences would be
the same in the others; what differs is some hundreds of words. Of languages that they were not taught they name a
relative, and are sure. The words are in manifests/relatives.yaml.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

RELATIVES_FILE = "relatives.yaml"
MAX_WORDS = 8
"""Different words of a text that count for the same languages: beyond, a text on one thing would count it again."""
WORD_WEIGHT = 3.0
"""Evidence of a word, in natural logarithms of odds."""
LEAST_SCORE = 0.03
"""Score of a language that models do not name: two words more than those of a language that they are sure of are
enough, one is not. These two were chosen by sentences of news and of Tatoeba and by messages of programs."""
MIN_DOUBTED_WORDS, DOUBT = 8, 0.4
"""Words of a text from which one in so many must be a doubted language's own, and what its score is multiplied by where
fewer are. Words that come again count again: in a long text most different words are no longer those of the grammar."""
_WORD = re.compile(r"[^\s.,;:!?()\[\]\"“”„«»।|/]+")


@dataclass(frozen=True)
class Relatives:
    """Languages in a script, and words that some of them write, with these.

    `parts` are beginnings (`op*`) and ends (`*maq`) of words, `sizes` their lengths, the longest first; `doubted` are
    languages that models name too often, and of how many words of a text one must be theirs.
    """

    languages: tuple[str, ...]
    script: str
    words: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]]
    sizes: tuple[int, ...]
    doubted: Mapping[str, int]

    def count_words(self, words: Iterable[str]) -> dict[str, int]:
        """Return of each language how many of some different words tell it from another."""
        counted: dict[tuple[str, ...], int] = {}
        for word in words:
            languages = self.words.get(word) or self._find_part(word)
            if languages is not None:
                counted[languages] = counted.get(languages, 0) + 1
        counts = dict.fromkeys(self.languages, 0)
        for languages, count in counted.items():
            for language in languages:
                counts[language] += min(MAX_WORDS, count)
        return counts

    def is_written(self, language: str, word: str) -> bool:
        """Return whether a word is one that tells a language from others."""
        return language in (self.words.get(word) or self._find_part(word) or ())

    def has_others(self, language: str, line: str) -> bool:
        """Return whether a word of a line, with blanks around it, is one that a language does not write."""
        return not self._others[language].isdisjoint(line.split())

    @cached_property
    def _others(self) -> dict[str, frozenset[str]]:
        return {
            language: frozenset(word for word, theirs in self.words.items() if language not in theirs)
            for language in self.languages
        }

    def _find_part(self, word: str) -> tuple[str, ...] | None:
        """Return the languages of the longest part that a word begins with, or ends in."""
        for size in self.sizes:
            begun = self.parts.get(f"{word[:size]}*")
            if (languages := begun or self.parts.get(f"*{word[-size:]}")) is not None:
                return languages
        return None


def weigh_words(
    code: str, scores: dict[str, float], line: str, scripts: Iterable[str]
) -> tuple[str, dict[str, float]]:
    """Return (language, scores) of a line in some scripts that models call `code`, with what its words say.

    The scores of relatives together stay what they are. Cost: none for languages without relatives; for 1,500
    characters in one that has some 15 us, and 100 us if they have a word of another.
    """
    group = _find_group(code, scripts)
    if group is None:
        return code, scores
    line = line.lower()
    if not (group.parts or code in group.doubted or group.has_others(code, line)):
        return code, scores
    running = _WORD.findall(line)
    counts = group.count_words(set(running))
    if code in group.doubted and len(running) >= MIN_DOUBTED_WORDS and counts[code] == max(counts.values()):
        own = sum(group.is_written(code, word) for word in running)
        if own * group.doubted[code] < len(running):
            return code, {**scores, code: DOUBT * scores.get(code, 0.0)}
    if len(set(counts.values())) == 1:
        return code, scores
    evidence = {
        name: math.log(max(scores.get(name, 0.0), LEAST_SCORE)) + WORD_WEIGHT * count
        for name, count in counts.items()
    }
    most = max(evidence.values())
    shares = {name: math.exp(total - most) for name, total in evidence.items()}
    whole = sum(shares.values())
    theirs = min(1.0, sum(scores.get(name, 0.0) for name in counts))
    weighed = {**scores, **{name: theirs * share / whole for name, share in shares.items()}}
    return max(shares, key=shares.__getitem__), weighed


def relatives_of(language: str, scripts: Iterable[str]) -> tuple[str, ...]:
    """Return a language in some scripts and those that words tell it from; nothing if there are none."""
    group = _find_group(language, scripts)
    return group.languages if group is not None else ()


def list_told() -> frozenset[str]:
    """Return the languages that words tell."""
    return frozenset(language for group in _read_groups() for language in group.languages)


def list_doubted() -> frozenset[str]:
    """Return the languages that models name too often."""
    return frozenset(language for group in _read_groups() for language in group.doubted)


@cache
def fingerprint_words() -> str:
    """Return what identification depends on here."""
    return fingerprint([data_path(RELATIVES_FILE).read_text(encoding="utf-8")])


def _find_group(language: str, scripts: Iterable[str]) -> Relatives | None:
    present = list(scripts)
    return next((group for group in _groups_of().get(language, ()) if group.script in present), None)


@cache
def _groups_of() -> dict[str, list[Relatives]]:
    groups: dict[str, list[Relatives]] = {}
    for group in _read_groups():
        for language in group.languages:
            groups.setdefault(language, []).append(group)
    return groups


@cache
def _read_groups() -> list[Relatives]:
    groups = []
    rows, _ = load_yaml(data_path(RELATIVES_FILE).read_text(encoding="utf-8"), RELATIVES_FILE)
    for row in rows:
        all_words = {
            word: tuple(languages.split())
            for languages, listed in row["words"].items()
            for word in listed.split()
        }
        parts = {word: languages for word, languages in all_words.items() if "*" in word}
        groups.append(
            Relatives(
                languages=tuple(row["languages"]),
                script=row["script"],
                words=all_words,
                parts=parts,
                sizes=tuple(sorted({len(part) - 1 for part in parts}, reverse=True)),
                doubted=row.get("doubted", {}),
            )
        )
    return groups
