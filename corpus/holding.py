"""Which documents hold items of evaluation sets: these train no tokenizer and no classifier, and are no validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from corpus import storage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECONTAMINATION = "decontamination"
"""The step that looks for items of evaluation sets (`corpus.decontamination`)."""
SIGNALS_FOLDER = f"signals/{DECONTAMINATION}"
ITEMS_SIGNAL = f"{DECONTAMINATION}.items"
"""The signal that counts the items that a document holds; cleared ones do not count."""
VALIDATION_FAILURE = f"{DECONTAMINATION}.validation"
"""What a document fails that would be held out for validation and holds items of evaluation sets."""
SIGNALS = (ITEMS_SIGNAL, f"{DECONTAMINATION}.score", f"{DECONTAMINATION}.drop")
"""Distinct items that a document holds; the best score of one; whether it holds one of a set whose action is `drop`."""
Flags: TypeAlias = "NDArray[np.bool_]"


def signals_beside(documents: str) -> str:
    """Return the path of the signals that `read_holding` reads, by that of the documents in the same workspace."""
    head, _, tail = documents.rpartition("/documents/")
    return f"{head}/{SIGNALS_FOLDER}/{tail}"


def read_holding(signals: str) -> Flags | None:
    """Return which documents of an input split hold items, by row, from its part of `SIGNALS_FOLDER`; None where none
    were looked for."""
    if not storage.exists(signals):
        return None
    import pyarrow.parquet as pq

    with storage.open_input(signals) as stream:
        column = pq.ParquetFile(stream).read(columns=[ITEMS_SIGNAL], use_threads=False).column(0)
    holding: Flags = column.to_numpy() > 0
    return holding
