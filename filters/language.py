"""Confidence in the language of a document, and the share of its main script."""

from __future__ import annotations

from corpus.filters.filter import Filter, FunctionFilter
from corpus.languages.identify import Identifier
from corpus.languages.scripts import script_counts, script_shares
from corpus.text.page import Page

STEP = "language"
VERSION = 1
SIGNALS = ("language.score", "language.script")


def create(model: str | None = None) -> Filter:
    """Create the filter. `model`: the fastText model that identifies languages, None for lid.176 combined with CLD2."""
    identifier = Identifier(model)

    def measure(page: Page) -> tuple[float, ...]:
        """Return `score`, the models' score of the document's language from 0 to 1, nan if they do not know it
        (if a source stated it); and `script`, the share of the letters that are of the most frequent script."""
        score = page.language_score
        if score is None:
            _, score = identifier.identify(page.text, page.language)
        shares = script_shares(script_counts(page.text))
        return score, next(iter(shares.values()), 0.0)

    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=lambda: dict(identifier.parameters),
    )
