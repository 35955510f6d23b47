"""Score texts against gold: words, sequences of words, and pieces that must and must not appear."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from corpus.text.words import segment_words

_WORDS = re.compile(r"\w+")


def score_counts(ours: Counter[Hashable], theirs: Counter[Hashable]) -> float:
    """Return the F1 of two bags."""
    if not theirs:
        return float(not ours)
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())


def score_words(text: str, gold: str) -> float:
    """Return the F1 of words, as WCXB counts them: runs of letters and digits, in lower case."""
    return score_counts(Counter(_WORDS.findall(text.lower())), Counter(_WORDS.findall(gold.lower())))


def score_sequences(text: str, gold: str) -> float:
    """Return the F1 of sequences of four words, by ICU's words."""
    return score_counts(_list_sequences(text), _list_sequences(gold))


def _list_sequences(text: str) -> Counter[Hashable]:
    words = segment_words(text, None).hashes.tolist()
    return Counter(zip(*(words[at:] for at in range(4)), strict=False))


@dataclass
class Scores:
    """Sums over pages: F1 of words and of sequences where the whole text is known, else pieces."""

    words: list[float] = field(default_factory=list)
    sequences: list[float] = field(default_factory=list)
    kept: int = 0
    lost: int = 0
    wrong: int = 0
    pages: int = 0

    def add(self, text: str, gold: str | None, wanted: Iterable[str], unwanted: Iterable[str]) -> None:
        """Score one more page; one whose gold text is empty was not annotated, and is left out."""
        if gold == "":
            return
        self.pages += 1
        if gold is not None:
            self.words.append(score_words(text, gold))
            self.sequences.append(score_sequences(text, gold))
            return
        for piece in wanted:
            if piece in text:
                self.kept += 1
            else:
                self.lost += 1
        self.wrong += sum(piece in text for piece in unwanted)

    def to_row(self) -> dict[str, float | int | None]:
        """Return the means, None for what no page of these has gold for."""
        pieces = self.kept + self.lost + self.wrong
        return {
            "pages": self.pages,
            "words": round(sum(self.words) / len(self.words), 4) if self.words else None,
            "sequences": round(sum(self.sequences) / len(self.sequences), 4) if self.sequences else None,
            "pieces": round(2 * self.kept / (pieces + self.kept), 4) if pieces else None,
        }
