"""The elements of the transforms: rows of Beam's own schemas, so that other transforms, SQL and other languages can
read them.

A transform accepts any element that has the fields it needs: these NamedTuples, `beam.Row`, a dataclass or a mapping.
It gives its own row, with the fields of the element that the row has and defaults for the rest. (A worker that
decodes a row gets a NamedTuple of the same fields whose class Beam made up, so nothing may ask for the class.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, TypeVar

from corpus.document import Failure
from corpus.pipelines.beam.types import register_row


class RecordRow(NamedTuple):
    """A record of a source before its text is extracted."""

    id: str
    """Identifies the document: 32 hex digits from the source's name and its own id of the record."""
    body: bytes = b""
    """The content as it was stored; empty for a record that has a gate."""
    media_type: str = "text/html"
    """The format of the body: a key of `corpus.extract.FORMATS`; any other is plain text."""
    is_text: bool = False
    """Whether the body is UTF-8 of text that was decoded before, so that no charset is looked for."""
    charset: str | None = None
    """The charset that the source declares."""
    language: str | None = None
    """The language that the source states, in any spelling (`zh-TW`, `eng_Latn`)."""
    url: str | None = None
    date: str | None = None
    """ISO 8601."""
    snapshot: str | None = None
    """The crawl or dump that it belongs to."""
    license: str | None = None
    """An SPDX identifier where the source states one."""
    opt_out: str | None = None
    """What it says about being trained on: words of `corpus.extract.opt_outs`."""
    group: str | None = None
    """What validation never separates: a registered domain, a repository."""
    metadata: Mapping[str, str] = {}
    gate: str | None = None
    """The gate that stopped it (`url.blocked`, `warc.status`); None if its text is to be extracted."""
    file: str = ""
    """The file it comes from, named as in the source's `paths`."""
    offset: int = 0
    """Its place in the file, in bytes, and how many it takes."""
    length: int = 0
    priority: int = 0
    """Its source's: of two duplicates, that of the higher priority is kept."""


class DocumentRow(NamedTuple):
    """A document, with all that the transforms find out about it, each field filled in by one of them."""

    id: str
    text: str | None = None
    """The text, None for a gated document."""
    gate: str | None = None
    """The gate that stopped it (see `RecordRow`; `extract.empty`: it has no text); None if none did."""
    url: str | None = None
    date: str | None = None
    snapshot: str | None = None
    license: str | None = None
    opt_out: str | None = None
    group: str | None = None
    metadata: Mapping[str, str] = {}
    language_hint: str | None = None
    """The language that the source or the page states."""
    language: str | None = None
    """Set by `IdentifyLanguage`: a label such as `cmn_Hant`."""
    language_score: float | None = None
    """Set by `IdentifyLanguage`: from 0 to 1; NaN where the models do not know the stated language."""
    signals: Mapping[str, float] = {}
    """Added to by `Measure`: signal -> value, NaN where it does not apply; empty for a gated document."""
    failed_rules: Sequence[str] = ()
    """Set by `ApplyRules`: the names of the failed rules, sorted."""
    duplicate_of: str | None = None
    """Set by `NearDuplicates`: the id of the document that is kept in its place; None if it is kept itself."""
    file: str = ""
    offset: int = 0
    length: int = 0
    priority: int = 0


class FailureRow(NamedTuple):
    """Input that could not be read or parsed: where it is, which step failed, and why."""

    file: str
    offset: int
    length: int
    step: str
    """`read`, `extract`."""
    reason: str
    """One of `corpus.document.QUARANTINE_REASONS`: bytes, tags, memory, time, crash, depth, damaged, decode, remote."""
    error: str
    """One line."""
    bytes: int | None = None
    """Size of the record, if it could be read."""
    url: str | None = None


class TokensRow(NamedTuple):
    """The tokens of a document."""

    id: str
    tokens: Sequence[int]
    """Ids in the vocabulary, without the end-of-text token."""


register_row(RecordRow, DocumentRow, FailureRow, TokensRow)

Row = TypeVar("Row", RecordRow, DocumentRow)


def to_row(row_type: type[Row], element: Any, needed: str) -> Row:
    """Return any element as a row. Raises TypeError if it lacks the field `needed`, or an id."""
    if isinstance(element, row_type):
        return element
    if getattr(element, "_fields", None) == row_type._fields:
        return row_type(*element)
    fields = element if isinstance(element, Mapping) else None
    values = {
        name: fields[name] if fields is not None else getattr(element, name)
        for name in row_type._fields
        if (name in fields if fields is not None else hasattr(element, name))
    }
    for name in ("id", needed):
        if name not in values:
            raise TypeError(f"an element needs the field {name}: {type(element).__name__} has none")
    return row_type(**values)


def to_document(element: Any) -> DocumentRow:
    """Return any element with `id` and `text` as a document."""
    return to_row(DocumentRow, element, "text")


def to_failure(failure: Failure) -> FailureRow:
    return FailureRow(**asdict(failure))
