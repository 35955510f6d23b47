"""Sources of which nothing is kept, each with what took most of its records, and dates that could not be read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from corpus.errors import shorten_line
from corpus.ledger.counts import DATE_KEY
from corpus.ledger.tables import read_ledger
from corpus.workspace import Workspace

NUMBERS_OF_DATE = re.compile(r"\s*\d{1,2}([-./])\d{1,2}\1(?:\d{4}|\d\d)(?:[ ,T].*)?")
"""Numbers of which the first may be the day or the month: 06/05/2023."""


def describe_lost_sources(workspace: Workspace) -> list[str]:
    """Return a line for each source without a kept document, sorted: records read, the main reason, and what to run."""
    tables = read_ledger(workspace, ["counts", "quarantine"])
    read: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    reasons: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in tables["counts"].select(["source", "what", "key", "documents"]).to_pylist():
        source, what, documents = row["source"], row["what"], row["documents"]
        if what == "read":
            read[source] += documents
        elif what == "kept":
            kept[source] += documents
        elif what in ("gated", "failed"):
            reasons[source][what, row["key"]] += documents
        elif what == "duplicate":
            reasons[source][what, ""] += documents
    for row in tables["quarantine"].to_pylist():
        reasons[row["source"]]["quarantine", row["reason"]] += row["records"]
    lost = sorted({source for source, _ in workspace.splits() if not kept[source]})
    return [_describe_loss(source, read[source], reasons[source], workspace.root) for source in lost]


def describe_unread_dates(workspace: Workspace) -> list[str]:
    """Return a line for each source with dates that could not be read, sorted: how many, one of them, what to do.

    Reads dates and metadata of such a source up to the first.
    """
    counts = read_ledger(workspace, ["counts"])["counts"].select(["source", "what", "documents"])
    number: Counter[str] = Counter()
    read: Counter[str] = Counter()
    for row in counts.to_pylist():
        if row["what"] in ("undated", "read"):
            (number if row["what"] == "undated" else read)[row["source"]] += row["documents"]
    lines = []
    for source in sorted(number):
        date = _find_unread_date(workspace, source)
        advice = (
            f"`language` of `fields` says whether the day or the month of {date} comes first"
            if NUMBERS_OF_DATE.fullmatch(date)
            else "a date such as 2023-05-06 is read in every language"
        )
        lines.append(
            f"source {source}: {number[source]:,} of {read[source]:,} dates could not be read, such as "
            f"{date!r}: their documents have none, and metadata `date` as it was written; {advice}"
        )
    return lines


def _find_unread_date(workspace: Workspace, source: str) -> str:
    """Return the first date of a source that could not be read, as it was written."""
    chosen = (ds.field("source") == source) & ds.field("date").is_null()
    for batch in workspace.documents().to_batches(columns=["metadata"], filter=chosen):
        stated = pc.drop_null(pc.map_lookup(batch.column("metadata"), pa.scalar(DATE_KEY), "first"))
        if len(stated):
            return shorten_line(str(stated[0]), 60)
    return "?"


def _describe_loss(source: str, read: int, reasons: Counter[tuple[str, str]], root: str) -> str:
    """Return the line on one source. Records in quarantine became no document, so they are none of those `read`."""
    whole = (
        f"source {source}: none of {read:,} documents kept" if read else f"source {source}: 0 records read"
    )
    if not reasons:
        return f"{whole}: its input has none: check its `kind` and `paths` in the manifest"
    (what, name), number = min(reasons.items(), key=lambda item: (-item[1], item[0]))
    sample = f"`corpus sample {root}"
    why, then = {
        "gated": (f"stopped by the gate {name}", f"{sample} --source {source} --gate {name}` shows them"),
        "failed": (f"failed {name}", f"{sample} --source {source} --rule {name}` shows them"),
        "duplicate": ("are duplicates", f"{sample} --source {source} --duplicates` shows them"),
        "quarantine": (f"in quarantine ({name})", f"{sample} --source {source} --quarantine` shows them"),
    }[what]
    mainly = "mainly " if len(reasons) > 1 else ""
    return f"{whole}: {mainly}{number:,} {why}: {then}"
