"""Join documents and shard rows by id in bounded memory: distribute them over files by hash, check file by file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.verify.findings import Findings

RECORD_DTYPE = np.dtype([("id", "<u8", 2), ("content", "<u8", 2), ("facts", "<u8"), ("kind", "u1")])
"""`content` is a hash of the text (or of its tokens), `facts` of side, source, language and size."""
KIND_KEPT, KIND_ROW, KIND_STANDS, KIND_OLD = range(4)
"""Kinds: a kept document, a row of a shard, an id that is kept in place of a removed document,
such an id of an earlier build."""
RECORDS_PER_BUCKET = 1 << 21
"""Records of a file: 86 MB, compared in 1.5 s with another 230 MB of memory."""

Records = np.ndarray[Any, np.dtype[np.void]]
Masks = npt.NDArray[np.bool_]


def parse_hex_ids(values: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Parse strings of 32 hex digits into 128-bit numbers, uint64[n, 2]."""
    return np.frombuffer(bytes.fromhex("".join(values)), "<u8").reshape(-1, 2)


def format_hex_id(id: npt.NDArray[np.uint64]) -> str:
    return id.astype("<u8").tobytes().hex()


def build_records(
    kind: int,
    ids: pa.Array | pa.ChunkedArray,
    content: npt.NDArray[np.uint64] | None = None,
    facts: Sequence[int] | None = None,
) -> Records:
    """Build records of one kind."""
    built = np.zeros(len(ids), RECORD_DTYPE)
    built["kind"] = kind
    if len(ids):
        built["id"] = parse_hex_ids(ids.to_pylist())
    if content is not None:
        built["content"] = content
    if facts is not None:
        built["facts"] = np.array(facts, np.uint64)
    return built


class Join:
    """Takes records in any order; `check` then compares those of each id. `expected` is their approximate number."""

    def __init__(self, expected: int) -> None:
        self.buckets = max(1, -(-expected // RECORDS_PER_BUCKET))

    def __enter__(self) -> Join:
        self._folder = tempfile.TemporaryDirectory(prefix="corpus-verify-")
        return self

    def add(self, batch: Records) -> None:
        bucket = batch["id"][:, 0] % np.uint64(self.buckets)
        for number in np.unique(bucket).tolist():
            with open(Path(self._folder.name, str(number)), "ab") as stream:
                stream.write(batch[bucket == number].tobytes())

    def check(self, findings: Findings) -> None:
        """Compare kept documents, shard rows and the ids kept in place of others. Memory: three times a file."""
        for path in sorted(Path(self._folder.name).iterdir(), key=lambda path: int(path.name)):
            check_records(np.fromfile(path, RECORD_DTYPE), findings)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()


def check_records(entries: Records, findings: Findings) -> None:
    """Check records, which must include all records of each id."""
    entries = entries[np.lexsort((entries["kind"], entries["id"][:, 1], entries["id"][:, 0]))]
    first = np.flatnonzero(np.r_[True, (entries["id"][1:] != entries["id"][:-1]).any(axis=1)])
    group = np.repeat(np.arange(len(first)), np.diff(first, append=len(entries)))
    kept, rows, stands, old = (
        np.bincount(group[entries["kind"] == kind], minlength=len(first)) for kind in range(4)
    )
    names = entries["id"][first]

    def report(name: str, wrong: Masks, text: str) -> None:
        for at in np.flatnonzero(wrong).tolist():
            findings.wrong(name, text.format(id=format_hex_id(names[at]), kept=kept[at], rows=rows[at]))

    findings.looked("ids", int(kept.sum() + stands.sum()))
    findings.looked("shards", int(rows.sum()))
    findings.looked("tokens", int(rows.sum()))
    report("ids", kept > 1, "document {id} is kept {kept} times")
    report(
        "ids",
        (stands > 0) & (kept == 0) & (old == 0),
        "document {id} has duplicates that refer to it but is not kept",
    )
    report("shards", (kept > 0) & (rows == 0), "kept document {id} is not in any shard")
    report("shards", (rows > 0) & (kept == 0), "document {id} is in a shard but not kept")
    report("shards", (kept > 0) & (rows > kept), "document {id} is in {rows} rows of shards")
    pairs = (kept == 1) & (rows == 1)
    kept_entry, shard_entry = entries[first[pairs]], entries[first[pairs] + 1]
    pair_names = names[pairs]
    for at in np.flatnonzero(kept_entry["facts"] != shard_entry["facts"]).tolist():
        id = format_hex_id(pair_names[at])
        findings.wrong("shards", f"document {id} has another split, source, language or size in its shard")
    for at in np.flatnonzero((kept_entry["content"] != shard_entry["content"]).any(axis=1)).tolist():
        findings.wrong(
            "tokens", f"the tokens of document {format_hex_id(pair_names[at])} do not decode to its text"
        )
