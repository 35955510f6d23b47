"""Records, failures and documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

MAX_DOCUMENT_BYTES = 8 << 20
"""Default limit of one document: measuring 8 MiB of English takes a worker 870 MB. Web pages have a limit
of their own, before their text is extracted."""


QUARANTINE_REASONS = ("bytes", "tags", "memory", "time", "crash", "depth", "damaged", "decode", "remote")
"""Why a record is in quarantine. With larger budgets the first five may come out otherwise."""
RETRIED_REASONS = QUARANTINE_REASONS[:5]


@dataclass(slots=True, kw_only=True)
class Record:
    """One record of a source before extraction.

    `offset` and `length` are its position in `file`: in bytes of the file as it is stored, where records can be
    reached there (a gzip member, a frame, a bz2 stream, an archive's member with its header), else in bytes of the
    decompressed file. A record with `gate` set was stopped by its source (a redirect, a wrong MIME type) and needs
    no body.
    """

    native_id: str
    file: str
    offset: int
    length: int
    media_type: str = "text/plain"
    body: bytes | str = b""
    url: str | None = None
    date: str | None = None
    snapshot: str | None = None
    license: str | None = None
    opt_out: str | None = None
    group: str | None = None
    charset: str | None = None
    language: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    gate: str | None = None


@dataclass(slots=True, kw_only=True)
class Failure:
    """Input that could not be read: where it is, which step failed, and why.

    `reason` is a word for the kind of failure (see `QUARANTINE_REASONS`), `error` one line about it, `bytes`
    the size of the record as it was passed to the parser.
    """

    file: str
    offset: int
    length: int
    step: str
    error: str
    reason: str = "damaged"
    bytes: int | None = None
    url: str | None = None


@dataclass(slots=True, kw_only=True)
class Document:
    """A row of a documents part: see `corpus.document_schema`.

    `language_score` is no column but a signal: it is None where the text has been read from a part.
    """

    id: str
    file: str
    offset: int
    length: int
    content_hash: str | None = None
    text: str | None = None
    url: str | None = None
    date: str | None = None
    snapshot: str | None = None
    language: str | None = None
    license: str | None = None
    opt_out: str | None = None
    group: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    gate: str | None = None
    language_score: float | None = None


def document_id(source: str, native_id: str) -> str:
    """Return the 128-bit BLAKE2b of (source, native record id) as 32 hex digits."""
    return hashlib.blake2b(
        f"{source}\0{native_id}".encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()


def content_hash(text: str) -> str:
    """Return the 128-bit BLAKE2b of the text in UTF-8 as 32 hex digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
