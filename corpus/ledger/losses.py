"""Sources of which nothing is kept, each with what took most of its records."""

from __future__ import annotations

from collections import Counter, defaultdict

from corpus.ledger.tables import read_ledger
from corpus.workspace import Workspace


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
