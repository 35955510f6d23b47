"""The score of a trained classifier: which of two collections a document resembles."""

from __future__ import annotations

from corpus.classifier.quality_model import VERSION as SCORE_VERSION
from corpus.classifier.quality_model import Classifier
from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.languages import fasttext_models
from corpus.text.page import Page
from corpus.text.words import versions

STEP = "quality"
VERSION = 1
SIGNALS = ("quality.score",)


def create(model: str | None = None) -> Filter:
    """Create the filter. `model`: a classifier from `corpus model train classifier`; nothing is measured without."""
    if model is None:
        return FunctionFilter(
            step=STEP, version=VERSION, signals=SIGNALS, measure=lambda page: (NOT_MEASURED,)
        )
    classifier = Classifier(model)

    def measure(page: Page) -> tuple[float, ...]:
        """Return the probability that the document is of the positive side, from 0 to 1; nan without words, and
        in a language that the classifier has not learned."""
        return (classifier.score(page.words, page.language),)

    parameters = {
        "model": fasttext_models.file_hash(model),
        "languages": sorted(classifier.card.languages),
        "score": SCORE_VERSION,
        **versions(),
    }
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=lambda: parameters,
    )
