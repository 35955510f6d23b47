"""What the build of an exported corpus did, out of its ledger: for export.json and the card."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from corpus import storage
from corpus.export.shard_plan import UNKNOWN_LABEL
from corpus.ledger.tables import read_ledger
from corpus.ledger.views import build_view
from corpus.workspace import Workspace


def read_build_facts(
    workspace: Workspace, source: str | None = None, language: str | None = None
) -> dict[str, Any] | None:
    """Return what the build read, stopped, dropped and kept, of one source or language if given; None if unfinished.

    `outcomes` are documents by source; `gates`, `rules` and `duplicates` are as `corpus stats --json` gives them. The
    texts that a gate stops have no language, so with one there are no gates.
    """
    if "build" not in (state := workspace.read_state() or {}):
        return None
    tables = {
        name: _select(table, source, language)
        for name, table in read_ledger(workspace, ["counts", "rules", "tokens", "duplicates"]).items()
    }
    text = storage.read_text(workspace.path("manifest.yaml"))
    manifest = yaml.safe_load(text)
    sources = {
        name: {"kind": entry["kind"], "rules": [str(rule) for rule in entry.get("rules") or []]}
        for name, entry in manifest["sources"].items()
        if source in (None, name)
    }
    return {
        "name": manifest["name"],
        "manifest_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "fingerprint": state["build"],
        "vocabulary_size": workspace.tokens()["vocabulary_size"],
        "sources": sources,
        "deduplication": [
            level for level in ("exact", "url", "minhash") if (manifest.get("dedup") or {}).get(level)
        ],
        "outcomes": build_view(tables, "source"),
        "gates": build_view(tables, "gate"),
        "rules": build_view(tables, "rule"),
        "duplicates": build_view(tables, "duplicate"),
    }


def _select(table: pa.Table, source: str | None, language: str | None) -> pa.Table:
    for name, value in (("source", source), ("language", language)):
        if value is not None and name in table.column_names:
            column = table.column(name)
            mask = pc.equal(column, value)
            if name == "language":
                mask = pc.or_(mask, pc.starts_with(column, f"{value}_"))
            table = table.filter(mask)
    return table


def count_tokens(workspace: Workspace, sums: list[dict[str, Any]]) -> dict[tuple[str, str, str], int] | None:
    """Return the tokens by (split, source, language) of documents that `sums` counts.

    None if the workspace has no tokens, or if they are of other documents.
    """
    if not storage.exists(workspace.path("tokens", "dataset.json")):
        return None
    tokens: dict[tuple[str, str, str], int] = {}
    documents: dict[tuple[str, str, str], int] = {}
    for split, side in workspace.tokens()["totals"].items():
        for source, of_source in side["sources"].items():
            for language, sizes in of_source["languages"].items():
                tokens[split, source, language or UNKNOWN_LABEL] = sizes["tokens"]
                documents[split, source, language or UNKNOWN_LABEL] = sizes["rows"]
    exported: dict[tuple[str, str, str], int] = {}
    for row in sums:
        key = (row["split"], row["source"], row["language"])
        exported[key] = exported.get(key, 0) + row["documents"]
    return tokens if all(documents.get(key) == count for key, count in exported.items()) else None
