"""Which of two collections a document resembles: the score of a trained classifier."""

from __future__ import annotations

from corpus.classifier.quality_model import VERSION as SCORE_VERSION
from corpus.classifier.quality_model import Classifier
from corpus.filters.filter import NOT_MEASURED, Filter, Measure
from corpus.languages import fasttext_models
from corpus.text.page import Page
from corpus.text.words import versions

STEP = "quality"
VERSION = 1
SIGNALS = ("quality.score",)


def create(model: str | None = None) -> Filter:
    """`model`: a classifier made by `corpus model train classifier`; nothing is measured without one."""
    if model is None:
        return Measure(step=STEP, version=VERSION, signals=SIGNALS, measure=lambda page: (NOT_MEASURED,))
    classifier = Classifier(model)

    def measure(page: Page) -> tuple[float, ...]:
        """Probability that the document is of the positive side, from 0 to 1: nan without words, and in a
        language that the classifier has not learned."""
        return (classifier.score(page.words, page.language),)

    return Measure(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        parameters={
            "model": fasttext_models.file_hash(model),
            "languages": sorted(classifier.card.languages),
            "score": SCORE_VERSION,
            **versions(),
        },
    )
