"""Which documents keep their text: the key `keep_text` of a manifest.

Where not all do, a document that fails a rule when it is read is stored without its text. Its content hash, its
lengths, its signature and all of its signals stay, so ledger, report and decisions are the same; what would need
the text again (other rules, other signals) reads the input again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import SCHEMA
from corpus.rules.rule import RuleSet, uniform
from corpus.storage.fingerprint import fingerprint

SAMPLE = 0.05
"""The share of the dropped documents whose text `kept+sample` keeps: the first that `corpus sample` draws, whose
seed is 0 unless one is given."""


@dataclass(frozen=True)
class TextRules:
    """What a document must pass to keep its text: every rule that its own signals decide, so no `top_share`.

    `made` is what signals and decisions come from, for fingerprints.
    """

    mode: str
    rules: RuleSet
    seed: int
    made: Mapping[str, Any]

    @cached_property
    def _own_rules(self) -> RuleSet:
        rules = self.rules.rules.items()
        return RuleSet(
            rules={
                name: tuple(rule for rule in source_rules if rule.bound != "top_share")
                for name, source_rules in rules
            }
        )

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """By source, what the texts that are kept depend on."""
        draws = {
            name: any(rule.bound == "pareto" for rule in source_rules)
            for name, source_rules in self._own_rules.rules.items()
        }
        return {
            source: fingerprint(
                [self.mode, SAMPLE, self.seed if draws[source] else None, source_rules, dict(self.made)]
            )
            for source, source_rules in self._own_rules.parameters().items()
        }

    def kept(
        self, documents: pa.RecordBatch, signals: Iterable[pa.RecordBatch], source: str
    ) -> pa.RecordBatch:
        """Rows of a documents part, without the texts of those that fail; `signals` are those of every step."""
        columns = {name: batch.column(name) for batch in signals for name in batch.schema.names}
        ids = documents.column("id")
        _, passes = self._own_rules.evaluate(
            pa.table(columns),
            documents.column("language"),
            source,
            gates=documents.column("gate"),
            ids=ids,
            seed=self.seed,
        )
        if self.mode == "kept+sample":
            passes = passes | (uniform(ids, 0) < SAMPLE)
        at = SCHEMA.get_field_index("text")
        texts = pc.if_else(pa.array(passes), documents.column(at), pa.scalar(None, pa.string()))
        return documents.set_column(at, SCHEMA.field(at), texts)


NOT_KEPT = "(its text was not kept: keep_text in the manifest)"
"""Stands where a text would be shown."""


def shown_text(row: Mapping[str, Any]) -> str:
    """The text of a document, or why it has none; empty behind a gate."""
    return str(row["text"] or "") or (NOT_KEPT if row["content_hash"] is not None else "")


def is_absent(documents: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of a documents part had a text that was not kept."""
    absent = pc.and_(pc.is_null(documents.column("text")), pc.is_valid(documents.column("content_hash")))
    return np.asarray(absent, np.bool_)
