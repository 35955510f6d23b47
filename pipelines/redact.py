"""Find private data in the texts of all documents: DIR/edits/private, and the signals `private.KIND`.

A mask is what may take the place of each address or number. Signals of kinds that nothing asks for in the source are
null. How texts are read, and what is written: `corpus.pipelines.stored_search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from corpus.edits.parts import EDITS_SCHEMA
from corpus.edits.steps import PRIVATE_STEP
from corpus.pipelines.stored_search import Columns, StoredSearch, Values
from corpus.private.options import name_signals
from corpus.storage.fingerprint import fingerprint

VERSION = 1
"""Increased when the same spans would give other edits or signals."""
SIGNALS_FOLDER = f"signals/{PRIVATE_STEP}"


@dataclass(frozen=True)
class PrivateSearch(StoredSearch):
    """A search for private data. `kinds` are in their order; `signals` are those of all kinds. Picklable."""

    step: ClassVar[str] = PRIVATE_STEP

    def fingerprint(self, source: str, documents: str | None) -> str:
        from corpus.private.kinds import identify_search

        kinds = [name.removeprefix(f"{PRIVATE_STEP}.") for name in self.signals]
        return fingerprint([VERSION, identify_search(self.kinds[source]), kinds, documents])

    def search_texts(
        self, source: str, first: int, texts: Sequence[str | None], languages: Sequence[str | None]
    ) -> tuple[Columns, Values]:
        """Return the edits of texts, and how many places of each kind they have."""
        from corpus.private.kinds import find_private, name_masks

        kinds = self.kinds[source]
        columns: Columns = {name: [] for name in EDITS_SCHEMA.names}
        values: Values = np.full((len(texts), len(self.signals)), np.nan, np.float32)
        places = {
            kind: self.signals.index(name) for kind, name in zip(kinds, name_signals(kinds), strict=True)
        }
        for row, text in enumerate(texts):
            if text is None:
                continue
            values[row, list(places.values())] = 0
            spans = find_private(text, kinds)
            for span, mask in zip(spans, name_masks(text, spans), strict=True):
                values[row, places[span.kind]] += 1
                edit = (first + row, span.start, span.end, span.kind, mask)
                for name, value in zip(EDITS_SCHEMA.names, edit, strict=True):
                    columns[name].append(value)
        return columns, values
