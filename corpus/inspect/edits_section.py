"""The report's section on edits: what was marked in texts, by kind, source and language."""

from __future__ import annotations

from typing import Any

from corpus import storage
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.workspace import Workspace, read_table

MAX_EDIT_ROWS = 400
"""Rows of the section at the most; the rest are summed up by kind and source."""


def build_edits_section(workspace: Workspace) -> list[dict[str, Any]]:
    """Return rows of kind, source, language, documents, spans and characters, the most characters first.

    None where nothing was searched for; a language is null in a row that sums up others.
    """
    path = workspace.path("stats", "edits.parquet")
    if not storage.exists(path):  # of a build before edits were counted
        return []
    names = ["kind", "source", "language", "documents", "spans", "characters"]
    rows: list[dict[str, Any]] = read_table(path).select(names).to_pylist()
    rows.sort(key=lambda row: (-row["characters"], row["kind"], row["source"], row["language"]))
    for row in rows:
        row["language"] = row["language"] or UNKNOWN_LABEL
    rest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows[MAX_EDIT_ROWS:]:
        of_kind = rest.setdefault(
            (row["kind"], row["source"]), {**row, "language": None, **dict.fromkeys(names[3:], 0)}
        )
        for name in names[3:]:
            of_kind[name] += row[name]
    return [*rows[:MAX_EDIT_ROWS], *(rest[key] for key in sorted(rest))]
