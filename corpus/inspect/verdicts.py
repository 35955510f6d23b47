"""Texts about a sampled document: kept or why not, the document that it resembles, its signals."""

from __future__ import annotations

from typing import Any

MAX_CHARACTERS_SHOWN = 1500
"""Characters of a text that are shown unless --full is given."""


def describe_own_id(row: dict[str, Any]) -> str:
    """Return the id that a row of a table has of its own, after two spaces; empty for documents without one."""
    own = dict(row.get("metadata") or ()).get("id")
    return f"  id {own}" if own else ""


def describe_verdict(row: dict[str, Any]) -> str:
    """Describe whether a document was kept, and why not."""
    if row["kept"]:
        return f"kept for {'validation' if row['split'] == 'valid' else 'training'}"
    if row["gate"]:
        return f"dropped by the gate {row['gate']}"
    if row["failed_rules"]:
        return f"dropped by {', '.join(row['failed_rules'])}"
    relation = row.get("relation")
    how = "" if relation is None else f" ({describe_relation(relation)})"
    return f"dropped as a duplicate of {row.get('stands', row['duplicate_of'])}{how}"


def describe_document(row: dict[str, Any]) -> str:
    """Describe a document by its title and address, or its place in the input; and its id."""
    names = [row["metadata"].get("title"), row["url"]]
    place = f"{row['origin']['file']} @ {row['origin']['offset']}"
    return f"{'  '.join(name for name in names if name) or place} [{row['id']}]"


def has_pair(row: dict[str, Any]) -> bool:
    """Return whether the document that a duplicate resembles is there to be shown beside it."""
    stayed = row.get("stayed")
    return stayed is not None and stayed["origin"] is not None


def describe_relation(relation: dict[str, Any]) -> str:
    """Describe how a duplicate relates to the kept document: minhash .93, cluster of 4."""
    similarity = "" if relation["similarity"] is None else f" {relation['similarity']:.2f}"
    return f"{relation['level']}{similarity}, cluster of {relation['cluster_size']}"


def describe_signals(row: dict[str, Any], asked: str | None = None) -> str:
    """Describe the signals of the rules that a document fails, and the one that was asked for: gopher.words 12."""
    signals = dict.fromkeys(name.rpartition(".")[0] for name in row["failed_rules"] or ())
    if asked is not None:
        signals[asked] = None
    return "  ".join(f"{name} {row['signals'][name]:g}" for name in signals if name in row["signals"])
