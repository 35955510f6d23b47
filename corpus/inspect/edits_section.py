"""The report's section on edits: what was marked in texts, by kind, source and language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpus import storage
from corpus.edits.edit_counts import APPLIED_STEP
from corpus.edits.steps import PRIVATE_STEP
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.workspace import Workspace, read_table

MAX_EDIT_ROWS = 400
"""Rows of the section at the most; the rest are summed up by kind and source."""


def build_edits_section(workspace: Workspace) -> list[dict[str, Any]]:
    """Return rows of kind, what is done, source, language, documents, spans and characters, the most characters first.

    What is done is `masked`, `cut`, `counted` (nothing), or `left out` of a whole document. None where nothing was
    searched for; a language is null in a row that sums up others.
    """
    path = workspace.path("stats", "edits.parquet")
    if not storage.exists(path):  # of a build before edits were counted
        return []
    names = ["kind", "source", "language", "documents", "spans", "characters"]
    table = read_table(path)
    rows: list[dict[str, Any]] = [
        {"kind": row["kind"], "done": _name_deed(row), **{name: row[name] for name in names[1:]}}
        for row in table.to_pylist()
    ]
    rows.sort(key=lambda row: (-row["characters"], row["kind"], row["source"], row["language"]))
    for row in rows:
        row["language"] = row["language"] or UNKNOWN_LABEL
    rest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows[MAX_EDIT_ROWS:]:
        of_kind = rest.setdefault(
            (row["kind"], row["done"], row["source"]),
            {**row, "language": None, **dict.fromkeys(names[3:], 0)},
        )
        for name in names[3:]:
            of_kind[name] += row[name]
    return [*rows[:MAX_EDIT_ROWS], *(rest[key] for key in sorted(rest))]


def _name_deed(row: Mapping[str, Any]) -> str:
    """Return what is done with the spans of a row of stats/edits.parquet."""
    if row["step"] == APPLIED_STEP:
        return "left out"
    if not row.get("applied"):
        return "counted"
    return "masked" if row["step"] == PRIVATE_STEP else "cut"
