"""The documents that keep their text: the key `keep_text` of a manifest.

Unless all texts are kept, a document that fails a rule when it is read is stored without its text. Its content hash,
lengths, signature and signals are stored, so ledger, report and decisions are the same; a build that needs the text
again (for other rules or signals) reads the input again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.rules.rule import STORED_STEPS, RuleSet, draw_uniform
from corpus.storage.fingerprint import fingerprint

KEPT_SAMPLE_SHARE = 0.05
"""The share of the dropped documents whose text `kept+sample` keeps: those that `corpus sample` draws first with its
default seed, 0."""


@dataclass(frozen=True)
class TextRules:
    """The rules that a document must pass to keep its text: all that its own signals decide, so no `top_share`,
    and no rule on what is searched for in stored texts.

    `made` holds what signals and decisions depend on, for fingerprints.
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
                name: tuple(
                    rule
                    for rule in source_rules
                    if rule.bound != "top_share" and rule.signal.partition(".")[0] not in STORED_STEPS
                )
                for name, source_rules in rules
            }
        )

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints, by source, of what the kept texts depend on."""
        draws = {
            name: any(rule.bound == "pareto" for rule in source_rules)
            for name, source_rules in self._own_rules.rules.items()
        }
        return {
            source: fingerprint(
                [
                    self.mode,
                    KEPT_SAMPLE_SHARE,
                    self.seed if draws[source] else None,
                    source_rules,
                    dict(self.made),
                ]
            )
            for source, source_rules in self._own_rules.parameters().items()
        }

    def kept(
        self, documents: pa.RecordBatch, signals: Iterable[pa.RecordBatch], source: str
    ) -> pa.RecordBatch:
        """Return rows of a documents part without the texts of those that fail; `signals` are those of every step."""
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
            passes = passes | (draw_uniform(ids, 0) < KEPT_SAMPLE_SHARE)
        at = DOCUMENTS_SCHEMA.get_field_index("text")
        texts = pc.if_else(pa.array(passes), documents.column(at), pa.scalar(None, pa.string()))
        return documents.set_column(at, DOCUMENTS_SCHEMA.field(at), texts)


NOT_KEPT_MESSAGE = "(its text was not kept: keep_text in the manifest)"
"""Shown in place of a text."""


def text_or_reason(row: Mapping[str, Any]) -> str:
    """Return the text of a document, or why it has none; an empty text for a gated document."""
    return str(row["text"] or "") or (NOT_KEPT_MESSAGE if row["content_hash"] is not None else "")


def is_absent(documents: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows of a documents part had a text that was not kept, as a mask."""
    absent = pc.and_(pc.is_null(documents.column("text")), pc.is_valid(documents.column("content_hash")))
    return np.asarray(absent, np.bool_)
