"""What a sample says beside a document: kept or why not, which documents it resembles, what was measured."""

from __future__ import annotations

from typing import Any

MAX_CHARACTERS_SHOWN = 1500
"""Characters of a text that are shown unless --full is given."""


def verdict(row: dict[str, Any]) -> str:
    """What became of a document, and why."""
    if row["kept"]:
        return f"kept for {'validation' if row['split'] == 'valid' else 'training'}"
    if row["gate"]:
        return f"dropped by the gate {row['gate']}"
    if row["failed_rules"]:
        return f"dropped by {', '.join(row['failed_rules'])}"
    relation = row.get("relation")
    how = "" if relation is None else f" ({alike(relation)})"
    return f"dropped as a duplicate of {row.get('stands', row['duplicate_of'])}{how}"


def called(row: dict[str, Any]) -> str:
    """How a document is called: its title and address, or where it lies; and its id."""
    names = [row["metadata"].get("title"), row["url"]]
    place = f"{row['origin']['file']} @ {row['origin']['offset']}"
    return f"{'  '.join(name for name in names if name) or place} [{row['id']}]"


def alike(relation: dict[str, Any]) -> str:
    """How a duplicate relates to the one that stayed: minhash .93, 4 in the cluster."""
    similarity = "" if relation["similarity"] is None else f" {relation['similarity']:.2f}"
    return f"{relation['level']}{similarity}, {relation['cluster_size']} in the cluster"


def measured(row: dict[str, Any]) -> str:
    """The signals of the rules that a document fails: gopher.words 12."""
    signals = dict.fromkeys(name.rpartition(".")[0] for name in row["failed_rules"] or ())
    return "  ".join(f"{name} {row['signals'][name]:g}" for name in signals if name in row["signals"])
