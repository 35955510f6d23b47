"""Beam transforms for pipelines of your own: each takes and gives rows of documented fields. See `corpus docs beam`.

    elements.py         the rows: records, failures, documents, tokens
    batches.py          elements of a bundle, worked on together
    reading.py          `ReadRecords`: a source of a manifest to records
    extracting.py       `Extract`: records to documents
    measuring.py        `IdentifyLanguage`, `Measure`, `ApplyRules`
    near_duplicates.py  `NearDuplicates`: which documents another one replaces
    duplicate_steps.py  the steps of that search that need no workspace
    tokenizing.py       `Tokenize`: texts to token ids

They run on any runner: nothing is shared but what flows, and workers load models when they first need them.
"""

from __future__ import annotations

from corpus.pipelines.transforms.elements import DocumentRow, FailureRow, RecordRow, TokensRow
from corpus.pipelines.transforms.extracting import Extract
from corpus.pipelines.transforms.measuring import ApplyRules, IdentifyLanguage, Measure
from corpus.pipelines.transforms.near_duplicates import NearDuplicates
from corpus.pipelines.transforms.reading import ReadRecords
from corpus.pipelines.transforms.tokenizing import Tokenize

__all__ = [
    "ApplyRules",
    "DocumentRow",
    "Extract",
    "FailureRow",
    "IdentifyLanguage",
    "Measure",
    "NearDuplicates",
    "ReadRecords",
    "RecordRow",
    "Tokenize",
    "TokensRow",
]
