"""Filters: modules that compute the signals of a document.

A new filter is a module here and one line in `FILTERS`:

    filter.py             the interface of a filter
    url.py                the URL gate, and signals of the address
    text.py               plain counts: characters, words, lines, mojibake
    language.py           confidence in the language and the script
    mixed_language.py     languages of the paragraphs besides the text's own
    gopher.py             Gopher's quality signals
    gopher_repetition.py  Gopher's repetition signals
    c4.py                 C4's line rules as signals
    fineweb.py            FineWeb's own signals
    prose.py              function words, spam, navigation between pieces
    code.py               signals of source code: The Stack, StarCoder, RedPajama
    quality.py            the score of a trained classifier
    listed_words.py       words of lists that the user gives
    plugin_filter.py      a class of the user's: found, checked, called
    calibration/          values of a language from texts in it, what rules lose in each language
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from corpus.errors import UserError
from corpus.filters.filter import Filter

FILTERS = {
    "text": "corpus.filters.text",
    "url": "corpus.filters.url",
    "gopher": "corpus.filters.gopher",
    "gopher_repetition": "corpus.filters.gopher_repetition",
    "c4": "corpus.filters.c4",
    "fineweb": "corpus.filters.fineweb",
    "prose": "corpus.filters.prose",
    "language": "corpus.filters.language",
    "mixed_language": "corpus.filters.mixed_language",
    "code": "corpus.filters.code",
    "quality": "corpus.filters.quality",
    "words": "corpus.filters.listed_words",
}
"""Step -> the module that computes it, imported on first use."""
ON_REQUEST = frozenset({"mixed_language", "code"})
"""Steps that cost much, or say nothing of most texts, and are measured only where a rule reads them; those of code for
its sources as well."""


def load_filter(step: str, options: Mapping[str, Any] | None = None) -> Filter:
    """Create the filter of a step with its options. Raises UserError for an unknown step or option."""
    if step not in FILTERS:
        raise UserError(f"unknown filter {step!r}: choose from {', '.join(FILTERS)}", path=(step,))
    create = import_module(FILTERS[step]).create
    known = inspect.signature(create).parameters
    for name in options or {}:
        if name not in known:
            raise UserError(f"filter {step} has no option {name!r}, only {list(known)}", path=(step, name))
    filter: Filter = create(**(options or {}))
    return filter
