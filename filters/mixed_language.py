"""Languages of a text besides its own: translations side by side, foreign comments, menus of another language.

Paragraphs are named one by one. Close relatives of the document's language count as that language.
"""

from __future__ import annotations

from collections import Counter

from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.languages.identify import Identifier
from corpus.languages.labels import UNKNOWN_LANGUAGE, is_code, language_part
from corpus.languages.paragraphs import are_related, label_paragraphs
from corpus.text.page import Page

STEP = "mixed_language"
VERSION = 1
SIGNALS = ("mixed_language.second", "mixed_language.others", "mixed_language.unknown")
MIN_SCORE = 0.5
"""Score below which a paragraph's language counts as unknown."""


def create(model: str | None = None) -> Filter:
    """Create the filter. `model`: the fastText model that identifies languages, None for lid.176 combined with CLD2."""
    identifier = Identifier(model)

    def measure(page: Page) -> tuple[float, ...]:
        """Return `second`, the share of the paragraphs' bytes that are in the second language; `others`, in all
        languages but the document's; and `unknown`, in none that is known.

        nan without a paragraph of 60 bytes, for code, and where the document's language is unknown.
        """
        if is_code(page.language) or language_part(page.language or UNKNOWN_LANGUAGE) == UNKNOWN_LANGUAGE:
            return (NOT_MEASURED,) * len(SIGNALS)
        sizes: Counter[str] = Counter()
        for paragraph in label_paragraphs(page.text, identifier):
            written = page.text[paragraph.begin : paragraph.end].encode("utf-8", "replace")
            sizes[_name(paragraph.label, paragraph.score, page.language or "")] += len(written)
        total = sizes.total()
        if not total:
            return (NOT_MEASURED,) * len(SIGNALS)
        unknown = sizes.pop(UNKNOWN_LANGUAGE, 0)
        own = sizes.pop("", 0)
        return max(sizes.values(), default=0) / total, (total - unknown - own) / total, unknown / total

    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=lambda: dict(identifier.parameters),
    )


def _name(label: str, score: float, language: str) -> str:
    """Return the language of a paragraph, empty if it is the document's."""
    if are_related(label, language):
        return ""
    return language_part(label) if score >= MIN_SCORE else UNKNOWN_LANGUAGE
