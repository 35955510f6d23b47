"""Quality classifiers: fastText on ICU words, which side of two collections a text resembles.

GPT-3 told curated text from raw crawl by logistic regression on hashed words, DCLM instruction data and
explanations from web text by fastText on bigrams, 100,000 documents each. Here both sides have the same
number of documents of each language, so that the classifier cannot learn languages instead, and a
language that one side lacks has no score. `classifier_training` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from corpus import storage
from corpus.errors import UserError
from corpus.languages import fasttext_models
from corpus.text.units import LOWER, to_text
from corpus.text.words import Words

VERSION = 1
"""Raised when the same text and model would give another score."""

SIDES = ("positive", "negative")
WORDS = 2000
"""Words of a text that are looked at, from its start."""


@dataclass(frozen=True, kw_only=True)
class LanguageCard:
    """What a classifier learned of a language: texts of each side, how many of both were held out, and
    how well it tells those apart (None where one side has none)."""

    documents: int
    held_out: int
    auc: float | None


@dataclass(frozen=True, kw_only=True)
class Card:
    """What stands beside a model in `MODEL.card.json`: what it is, and all that it depends on.

    `auc` is the area under the ROC curve on the held-out texts of all languages; `left_out` has the texts
    (positive, negative) of languages that were not learned because a side lacks them.
    """

    sha256: str
    auc: float | None
    languages: Mapping[str, LanguageCard]
    left_out: Mapping[str, list[int]]
    sources: Mapping[str, list[str]]
    training: Mapping[str, float | int | None]
    versions: Mapping[str, str]
    version: int = VERSION


def line_of(words: Words) -> str:
    """The first 2,000 words in lower case, a space between: what fastText reads.

    Underscores become hyphens, so that no word looks like fastText's labels. About 10 ns a character.
    """
    starts, ends = words.starts[:WORDS].astype(np.int64), words.ends[:WORDS].astype(np.int64)
    if not len(starts):
        return ""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    places = np.arange(int(lengths.sum()))
    taken = LOWER[words.units[places + np.repeat(starts - before, lengths)]]
    line = np.full(len(taken) + len(starts), ord(" "), np.uint16)
    line[places + np.repeat(np.arange(len(starts)), lengths)] = np.where(taken == ord("_"), ord("-"), taken)
    return to_text(line[:-1])


@dataclass(frozen=True)
class Classifier:
    """A trained classifier; the model is loaded when first used, once a process."""

    path: str

    @cached_property
    def card(self) -> Card:
        """What stands beside the model. Raises UserError where nothing does, or it is of another model."""
        path = card_path(self.path)
        if not storage.exists(path):
            raise UserError(f"no {path} beside the model: `corpus model train classifier` makes both")
        data = json.loads(storage.read_text(path))
        languages = {name: LanguageCard(**row) for name, row in data.pop("languages").items()}
        card = Card(languages=languages, **data)
        if card.sha256 != fasttext_models.file_hash(self.path):
            raise UserError(f"{path} is of another model than {self.path}: train it again")
        return card

    def score(self, words: Words, language: str | None) -> float:
        """Probability (0 to 1) that a text is of the positive side; nan for a language it has not learned
        and for a text without words. About .1 ms for 500 words."""
        if language not in self.card.languages or not len(words):
            return float("nan")
        return positive_share(fasttext_models.load(self.path), line_of(words))


def positive_share(model: Any, line: str) -> float:
    """The probability that a model gives the positive side of a line made by `line_of`."""
    return dict(fasttext_models.ask(model, line, len(SIDES))).get(SIDES[0], 0.0)


def card_path(model: str) -> str:
    """Where the card of a model is."""
    return f"{model}.card.json"
