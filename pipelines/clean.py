"""Find boilerplate, and lines that the rules of known recipes drop, in the texts of all documents: DIR/edits/clean, and
the signals `clean.kept` and `clean.words`.

Source code is not searched: its signals are null, as those of sources that nothing is asked of, and `clean.words` of
sources without a rule on it: to count words costs about what the search for lines does. How texts are read, and what is
written: `corpus.pipelines.stored_search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from corpus.edits.parts import EDITS_SCHEMA
from corpus.edits.steps import CLEAN_STEP
from corpus.pipelines.stored_search import Columns, StoredSearch, Values
from corpus.storage.fingerprint import fingerprint

VERSION = 2
"""Increased when the same spans would give other edits or signals."""


@dataclass(frozen=True)
class CleanSearch(StoredSearch):
    """A search for lines that rules cut: the `kinds` of a source are its rules. Picklable.

    `counting`: the sources in which the words that are left are counted.
    """

    spare: bool = True
    counting: frozenset[str] = frozenset()
    step: ClassVar[str] = CLEAN_STEP

    def fingerprint(self, source: str, documents: str | None) -> str:
        from corpus.clean.clean_spans import identify_search

        search = identify_search(self.kinds[source], self.spare)
        return fingerprint([VERSION, search, source in self.counting, documents])

    def search_texts(
        self, source: str, first: int, texts: Sequence[str | None], languages: Sequence[str | None]
    ) -> tuple[Columns, Values]:
        """Return what rules cut from texts, and what is left of them."""
        from corpus.clean.clean_spans import clean_texts

        columns: Columns = {name: [] for name in EDITS_SCHEMA.names}
        values: Values = np.full((len(texts), len(self.signals)), np.nan, np.float32)
        cleaned = clean_texts(texts, languages, self.kinds[source], self.spare, source in self.counting)
        for row, result in enumerate(cleaned):
            if result is None:
                continue
            values[row] = (result.kept, np.nan if result.words is None else result.words)
            for span in result.spans:
                edit = (first + row, span.start, span.end, span.rule, None)
                for name, value in zip(EDITS_SCHEMA.names, edit, strict=True):
                    columns[name].append(value)
        return columns, values
