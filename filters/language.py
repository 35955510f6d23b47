"""How sure the language of a document is."""

from __future__ import annotations

from corpus.filters.filter import Filter, Measure
from corpus.languages.identify import Identifier
from corpus.languages.scripts import script_counts, script_shares
from corpus.text.page import Page

STEP = "language"
VERSION = 1
SIGNALS = ("language.score", "language.script")


def create(model: str | None = None) -> Filter:
    """`model`: the fastText model that names languages, None for lid.176 joined with CLD2."""
    identifier = Identifier(model)

    def measure(page: Page) -> tuple[float, ...]:
        """`score`: what the models give the document's language, from 0 to 1, nan where they do not know
        it (a source said it). `script`: share of the letters that are of the script most of the text is in."""
        _, score = identifier.identify(page.text, page.language)
        shares = script_shares(script_counts(page.text))
        return score, next(iter(shares.values()), 0.0)

    return Measure(
        step=STEP, version=VERSION, signals=SIGNALS, measure=measure, parameters=dict(identifier.parameters)
    )
