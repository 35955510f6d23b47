"""Quality classifiers: fastText on ICU words estimates which of two collections a text resembles.

GPT-3 distinguished curated text from raw crawl by logistic regression on hashed words, DCLM instruction data and
explanations from web text by fastText on bigrams, 100,000 documents each. Here both sides have the same
number of documents of each language, so that the classifier cannot learn languages instead, and a
language that one side lacks has no score. `corpus.classifier.training` trains them.
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
"""Increased when the same text and model would give another score."""

CLASSIFIER_SIDES = ("positive", "negative")
MAX_CLASSIFIER_WORDS = 2000
"""Words of a text that are used, from its start."""


@dataclass(frozen=True, kw_only=True)
class LanguageCard:
    """Training results of one language: texts of each side, how many of both were held out, and the AUC on
    those (None for fewer than ten of a side: it would be chance)."""

    documents: int
    held_out: int
    auc: float | None


@dataclass(frozen=True, kw_only=True)
class ClassifierCard:
    """The contents of `MODEL.card.json` beside a model: its description, and all that it depends on.

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


def build_line(words: Words) -> str:
    """Return the first 2,000 words in lower case, separated by spaces: the input of fastText.

    Underscores become hyphens, so that no word looks like fastText's labels. Cost: about 10 ns a character.
    """
    starts, ends = (
        words.starts[:MAX_CLASSIFIER_WORDS].astype(np.int64),
        words.ends[:MAX_CLASSIFIER_WORDS].astype(np.int64),
    )
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
    """A trained classifier; the model is loaded on first use, once a process."""

    path: str

    @cached_property
    def card(self) -> ClassifierCard:
        """The card beside the model. Raises UserError if there is none, or if it belongs to another model."""
        path = card_path(self.path)
        if not storage.exists(path):
            raise UserError(f"no {path} beside the model: `corpus model train classifier` makes both")
        data = json.loads(storage.read_text(path))
        languages = {name: LanguageCard(**row) for name, row in data.pop("languages").items()}
        card = ClassifierCard(languages=languages, **data)
        if card.sha256 != fasttext_models.file_hash(self.path):
            raise UserError(f"{path} belongs to another model than {self.path}: train again")
        return card

    def score(self, words: Words, language: str | None) -> float:
        """Return the probability (0 to 1) that a text is of the positive side; nan for a language that was not
        learned and for a text without words. Cost: about .1 ms for 500 words."""
        if language not in self.card.languages or not len(words):
            return float("nan")
        return predict_positive_share(fasttext_models.load(self.path), build_line(words))


def predict_positive_share(model: Any, line: str) -> float:
    """Return the probability that a model gives the positive side for a line from `build_line`."""
    return dict(fasttext_models.ask(model, line, len(CLASSIFIER_SIDES))).get(CLASSIFIER_SIDES[0], 0.0)


def card_path(model: str) -> str:
    """Return the path of a model's card."""
    return f"{model}.card.json"
