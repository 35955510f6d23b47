from __future__ import annotations

from corpus.document import Record
from corpus.extract import extract


def text_of(record: Record) -> str | None:
    """The text of a record as a build stores it."""
    found = extract(record, "fast")
    return found.text if found is not None else None
