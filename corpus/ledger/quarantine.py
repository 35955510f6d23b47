"""Quarantine: records that could not be read, with place and reason, in Parquet parts beside the documents."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.document import RETRIED_REASONS, Failure
from corpus.errors import MAX_ERROR_CHARACTERS, shorten_line
from corpus.ledger.reasons import name_reason
from corpus.storage.part_writer import PART_GROUP_ROWS, PartWriter
from corpus.workspace import Workspace, read_table

QUARANTINE_PART_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("split", pa.string()),
        pa.field("file", pa.string()),
        pa.field("offset", pa.int64()),
        pa.field("length", pa.int64()),
        pa.field("bytes", pa.int64()),
        pa.field("url", pa.string()),
        pa.field("step", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("error", pa.string()),
    ]
)
"""`offset` and `length` are the position of a record as its source stores it, `bytes` is its size as passed to the
parser (null if it was not read that far). `step` is the one that failed: read, extract. `reason`: one of
`document.QUARANTINE_REASONS`."""


def replace_surrogates(text: str) -> str:
    """Return a text that UTF-8 can encode: halves of surrogate pairs are replaced."""
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


class QuarantineWriter:
    """Writes the quarantine part of an input split while failures occur; without failures there is no file."""

    def __init__(self, path: str, source: str, split: str, fingerprint: str) -> None:
        self.path, self.source, self.split, self.fingerprint = path, source, split, fingerprint
        self._waiting: list[dict[str, Any]] = []
        self._writer: PartWriter | None = None

    def __enter__(self) -> QuarantineWriter:
        self._stack = ExitStack()
        return self

    def add(self, failure: Failure) -> None:
        self._waiting.append(
            {
                "source": self.source,
                "split": self.split,
                "file": replace_surrogates(failure.file),
                "offset": failure.offset,
                "length": failure.length,
                "bytes": failure.bytes,
                "url": replace_surrogates(failure.url) if failure.url is not None else None,
                "step": failure.step,
                "reason": failure.reason,
                "error": shorten_line(failure.error, MAX_ERROR_CHARACTERS),
            }
        )
        if len(self._waiting) >= PART_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._writer is None:
            self._writer = self._stack.enter_context(
                PartWriter(self.path, QUARANTINE_PART_SCHEMA, self.fingerprint)
            )
        self._writer.write(pa.Table.from_pylist(self._waiting, QUARANTINE_PART_SCHEMA))
        self._waiting = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._waiting:
            self._flush()
        elif kind is None and self._writer is None:
            storage.remove(self.path)
        self._stack.__exit__(kind, error, trace)


def read_quarantine_parts(workspace: Workspace) -> Iterator[pa.Table]:
    """Yield the quarantine part of every input split that has one, in the order of the input splits."""
    present = set(storage.list_files(workspace.path("quarantine")))
    for path in workspace.quarantine_parts() if present else ():
        if path in present:
            yield read_table(path).replace_schema_metadata(None)


def find_retryable_splits(workspace: Workspace) -> list[tuple[str, str]]:
    """Return the (source, split) of input splits with records that may be read with larger budgets."""
    splits = set()
    for part in read_quarantine_parts(workspace):
        if pc.any(pc.is_in(part.column("reason"), pa.array(RETRIED_REASONS))).as_py():
            splits.add((part.column("source")[0].as_py(), part.column("split")[0].as_py()))
    return sorted(splits)


def count_by_reason(workspace: Workspace, *reasons: str) -> dict[str, Counter[tuple[str, str]]]:
    """Count the records in quarantine for each of these reasons, by source and input split."""
    counts: dict[str, Counter[tuple[str, str]]] = {reason: Counter() for reason in reasons}
    for part in read_quarantine_parts(workspace):
        for reason in reasons:
            if number := pc.sum(pc.equal(part.column("reason"), reason)).as_py():
                counts[reason][part.column("source")[0].as_py(), part.column("split")[0].as_py()] += number
    return counts


RECORD_STEPS = ("read", "extract", "language")
"""Steps whose failures are records that became no document; other steps fail on documents."""


def rank_reasons(
    workspace: Workspace, source: str, limit: int = 3
) -> tuple[int, int, list[tuple[str, int, str]]]:
    """Return a source's records that became no document, its documents that some step failed on, and the top reasons.

    A reason is (reason, records, example). Memory: 24 bytes for a document that a step failed on.
    """
    counts: Counter[str] = Counter()
    places: dict[str, str] = {}
    records = 0
    failed: set[bytes] = set()
    for part in read_quarantine_parts(workspace):
        if part.column("source")[0].as_py() != source:
            continue
        counts.update(part.column("reason").to_pylist())
        is_record = pc.is_in(part.column("step"), pa.array(RECORD_STEPS))
        records += pc.sum(is_record).as_py() or 0
        for row in part.filter(pc.invert(is_record)).select(["split", "file", "offset"]).to_pylist():
            failed.add(hashlib.blake2b(repr(row).encode(), digest_size=8).digest())
        firsts = [(name, "first") for name in ("file", "offset", "error")]
        for row in part.group_by("reason", use_threads=False).aggregate(firsts).to_pylist():
            place = f"{row['file_first']} @ {row['offset_first']}: {row['error_first']}"
            places.setdefault(row["reason"], place)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return records, len(failed), [(reason, number, places[reason]) for reason, number in ranked]


def sample_quarantine(
    workspace: Workspace, number: int, seed: int = 0, source: str | None = None, reason: str | None = None
) -> list[dict[str, Any]]:
    """Draw rows at random, the same for the same seed, in the order of `read_quarantine_parts`. Memory: one part.

    `reason` is a reason, one as the ledger names it, or the beginning of an error.
    """

    def draws() -> Iterator[tuple[bytes, int, dict[str, Any]]]:
        at = 0
        for part in read_quarantine_parts(workspace):
            for row in part.to_pylist():
                at += 1
                named = name_reason(row["reason"], row["error"])
                fits = reason in (None, row["reason"]) or row["error"].startswith(reason) or named == reason
                if fits and source in (None, row["source"]):
                    key = f"{seed}\0{row['source']}\0{row['split']}\0{row['file']}\0{row['offset']}\0{row['error']}"
                    yield hashlib.blake2b(key.encode(), digest_size=8).digest(), at, row

    chosen = heapq.nsmallest(number, draws(), key=lambda draw: draw[:2])
    return [row for _, _, row in sorted(chosen, key=lambda draw: draw[1])]
