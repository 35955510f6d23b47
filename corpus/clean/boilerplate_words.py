"""Find lines that are made of the words of interfaces, whatever their order: `words` and `others` of the lists."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

MAX_LABEL = 80
"""Characters of a line that one word is enough for: longer ones are sentences."""
MIN_SHARE = 0.5
"""Share of such a line that the word fills at least, where there is more in it than words of interfaces."""
MIN_SHARE_OF_SEVERAL = 0.35
"""Share of any line that two different ones fill at least."""

_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d"
"""Signs within words, most of them vowels of Arabic and Hindi, that are no letters to `\\w`."""
_TOKEN = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_ENDS = ("", ".", ",", ":", "!", "?", ")", "...", "…")
"""What may stand right behind a word that is looked for between blanks."""
_ITEM = re.compile(r"0(?:\.0)*[.)] ")
"""How an item of a numbered list begins."""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
"""Letters of scripts in which a word is looked for within others: they have no spaces, or particles behind words."""
_SENTENCE = re.compile(r"(?<!\.\.)[.!?。！？؟।॥][\s\"'”’»›)\]）」』】]*\Z|[\u0e00-\u0eff]")
"""What a line that may be a sentence has: the mark at its end, or letters of Thai or Lao, which end it with none."""


@dataclass(frozen=True)
class LineWords:
    """The words of interfaces of a language, by class, the `others` that stand beside them, and those of `prose`.

    `keys` has the longest part of each word that stands between blanks: a line without any of them has no such word.
    """

    classes: Mapping[str, str]
    keys: frozenset[str]
    spaced: re.Pattern[str]
    unspaced: re.Pattern[str]
    others: frozenset[str]
    unspaced_others: re.Pattern[str]
    prose: re.Pattern[str]

    def find_class(self, line: str, written: str = "") -> str | None:
        """Return the class of a folded line by its first word of one, None for a line that has too few of them.

        Two different ones fill a third of a line, or one half of a short one, or it has nothing else but `others`. In a
        line that may be a sentence as it is `written`, one is not enough for half of it.
        """
        held: list[str] = []
        rest = line
        if not self.keys.isdisjoint(line.split()):
            held = self.spaced.findall(line)
            rest = self.spaced.sub(" ", line) if held else line
        if not line.isascii() and (within := self.unspaced.findall(rest)):
            held += within
            rest = self.unspaced.sub(" ", rest)
        if not held or _ITEM.match(line) is not None:
            return None
        different = set(held)
        share = sum(map(len, different)) / len(line)
        if len(different) > 1 and share >= MIN_SHARE_OF_SEVERAL:
            return self.classes[held[0]]
        if len(line) > MAX_LABEL:
            return None
        if not rest.isascii():
            rest = self.unspaced_others.sub(" ", rest)
        if self.prose.search(rest) is not None:
            return None
        if self._has_no_more(rest) or (share >= MIN_SHARE and _SENTENCE.search(written) is None):
            return self.classes[held[0]]
        return None

    def _has_no_more(self, rest: str) -> bool:
        """Return whether all that is left of a line, without those of `others` between letters, are `others`."""
        return self.others.issuperset(_TOKEN.findall(rest))


def compile_words(
    classes: Mapping[str, str], *, others: Collection[str], prose: Collection[str]
) -> LineWords:
    """Return the words of `classes` with the `others` and those of `prose`, all folded, ready to be looked for."""
    within = [word for word in classes if _IS_UNSPACED.search(word)]
    spaced = [word for word in classes if not _IS_UNSPACED.search(word)]
    return LineWords(
        classes=classes,
        keys=frozenset(max(word.split(), key=len) + end for word in spaced for end in _ENDS),
        spaced=_compile_spaced(spaced),
        unspaced=re.compile(_join(within)),
        others=frozenset(token for word in (*others, "0") for token in _TOKEN.findall(word)),
        unspaced_others=re.compile(_join(word for word in others if _IS_UNSPACED.search(word))),
        prose=re.compile(
            _compile_spaced(word for word in prose if not _IS_UNSPACED.search(word)).pattern
            + "|"
            + _join(word for word in prose if _IS_UNSPACED.search(word))
        ),
    )


def _compile_spaced(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of words that are part of no longer one."""
    return re.compile(rf"(?<![\w{_MARKS}]){_join(words)}(?![\w{_MARKS}])")


def _join(words: Iterable[str]) -> str:
    """Return an alternation of words, the longest first; those that begin alike are entered by their first letter."""
    by_letter: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words, key=lambda word: (-len(word), word)):
        by_letter[word[0]].append(re.escape(word[1:]))
    branches = [f"{re.escape(letter)}(?:{'|'.join(by_letter[letter])})" for letter in sorted(by_letter)]
    return f"(?:{'|'.join(branches)})" if branches else "(?!)"
