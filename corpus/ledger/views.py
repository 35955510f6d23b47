"""Views: the ledger as small tables for people, one list of rows a view, the largest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Row = dict[str, Any]
Tables = Mapping[str, pa.Table]
TABLES_OF_VIEWS = {
    "source": ("counts", "tokens"),
    "language": ("counts", "tokens"),
    "snapshot": ("counts", "stages"),
    "gate": ("counts",),
    "rule": ("counts", "rules"),
    "duplicate": ("counts", "duplicates"),
    "canary": ("canaries",),
    "edit": ("edits",),
    "set": ("evaluation_sets",),
    "domain": ("domains",),
    "license": ("licenses",),
    "quarantine": ("quarantine",),
    "engine": ("counts",),
    "opt_out": ("counts",),
}
"""The views, and the tables of the ledger that each needs."""
NAME_COLUMNS = {name: "reason" if name == "quarantine" else name for name in TABLES_OF_VIEWS}
"""The column that names the rows of a view."""
OUTCOMES = ("read", "gated", "rules", "duplicate", "kept")


def build_view(tables: Tables, name: str, engines: Mapping[str, str] | None = None) -> list[Row]:
    """Return the rows of a view as plain values: numbers are integers, shares between 0 and 1.

    `engines`: what has read the texts of a source of which no document says it (see `corpus.inspect.page_engines`).
    """
    if name in ("source", "language"):
        return group_outcomes(tables["counts"], tables["tokens"], name)
    if name == "snapshot":
        stages = tables["stages"]
        last = stages.filter(pc.equal(stages.column("stage"), "tokens"))
        return group_outcomes(
            tables["counts"], last.select([name]).append_column("tokens", last["tokens_out"]), name
        )
    if name == "gate":
        rows = sum_counts(tables["counts"], "gated", "key", name)
        return sorted(rows, key=lambda row: (-row["documents"], row[name]))
    if name == "engine":
        return summarize_engines(tables["counts"], engines or {})
    if name == "opt_out":
        return summarize_opt_outs(tables["counts"])
    if name == "rule":
        return summarize_rules(tables["counts"], tables["rules"])
    if name == "duplicate":
        return summarize_duplicates(tables["counts"], tables["duplicates"])
    if name == "canary":
        return summarize_canaries(tables["canaries"])
    if name == "edit":
        return summarize_edits(tables["edits"])
    if name == "set":
        return summarize_sets(tables["evaluation_sets"])
    if name == "quarantine":
        order = [("records", "descending"), *[(key, "ascending") for key in ("source", "step", "reason")]]
        quarantined: list[Row] = tables[name].sort_by(order).to_pylist()
        return quarantined
    return summarize_names(tables["domains" if name == "domain" else "licenses"], name)


def group_outcomes(counts: pa.Table, tokens: pa.Table, key: str) -> list[Row]:
    """Return, per source, language or snapshot: documents by outcome, bytes and tokens kept."""
    rows_by_name: dict[str, Row] = {}
    sums = counts.group_by([key, "what"]).aggregate([("documents", "sum"), ("bytes", "sum")])
    for row in sums.to_pylist():
        entry = rows_by_name.setdefault(
            row[key], {key: row[key], **dict.fromkeys((*OUTCOMES, "bytes", "tokens"), 0)}
        )
        if row["what"] in OUTCOMES:
            entry[row["what"]] = row["documents_sum"]
        if row["what"] == "kept":
            entry["bytes"] = row["bytes_sum"]
    for row in tokens.group_by([key]).aggregate([("tokens", "sum")]).to_pylist():
        if row[key] in rows_by_name:
            rows_by_name[row[key]]["tokens"] = row["tokens_sum"] or 0
    return sorted(rows_by_name.values(), key=lambda row: (-row["bytes"], -row["read"], row[key]))


def sum_totals(counts: pa.Table, tokens: pa.Table) -> Row:
    """Sum up the workspace in one row: documents by outcome, bytes, tokens, and documents in validation."""
    rows = group_outcomes(counts, tokens, "source")
    sums: Row = {name: sum(row[name] for row in rows) for name in (*OUTCOMES, "bytes", "tokens")}
    kept = {row["side"]: row["documents"] for row in sum_counts(counts, "kept", "key", "side")}
    return {**sums, "valid": kept.get("valid", 0)}


def sum_counts(counts: pa.Table, what: str, key: str, name: str) -> list[Row]:
    """Sum documents and bytes of one kind of count by `key`, which is renamed to `name`."""
    chosen = counts.filter(pc.equal(counts.column("what"), what))
    sums = chosen.group_by([key]).aggregate([("documents", "sum"), ("bytes", "sum")])
    rows = sums.sort_by(key).to_pylist()
    return [{name: row[key], "documents": row["documents_sum"], "bytes": row["bytes_sum"]} for row in rows]


def summarize_engines(counts: pa.Table, engines: Mapping[str, str]) -> list[Row]:
    """Return, per engine: the texts that say it has read them, and all texts of sources that it is named for here and
    of which none says anything."""
    rows_by_engine = {row["engine"]: row for row in sum_counts(counts, "extracted", "key", "engine")}
    says = set(counts.filter(pc.equal(counts.column("what"), "extracted")).column("source").to_pylist())
    for row in sum_counts(counts, "passed", "source", "source"):
        engine = engines.get(row["source"]) if row["source"] not in says else None
        if engine is not None:
            entry = rows_by_engine.setdefault(engine, {"engine": engine, "documents": 0, "bytes": 0})
            for number in ("documents", "bytes"):
                entry[number] += row[number]
    return sorted(rows_by_engine.values(), key=lambda row: (-row["documents"], row["engine"]))


def summarize_opt_outs(counts: pa.Table) -> list[Row]:
    """Return, per word of `corpus.extract.opt_outs`: documents that say it and their bytes, and those that are kept."""
    kept = {row["opt_out"]: row for row in sum_counts(counts, "opted_out_kept", "key", "opt_out")}
    rows = [
        {
            **row,
            "kept": kept.get(row["opt_out"], {}).get("documents", 0),
            "kept_bytes": kept.get(row["opt_out"], {}).get("bytes", 0),
        }
        for row in sum_counts(counts, "opted_out", "key", "opt_out")
    ]
    return sorted(rows, key=lambda row: (-row["documents"], row["opt_out"]))


def summarize_rules(counts: pa.Table, bounds: pa.Table) -> list[Row]:
    """Return, per rule: texts that fail it, that fail it alone, narrowly, and that pass narrowly; bytes that fail;
    `texts` in the sources and languages that have a bound of it, and the share of these that fails."""
    kinds = ("failed", "failed_only", "near_failed", "near_passed")
    having = count_texts_of_rules(counts, bounds)
    rows_by_rule: dict[str, Row] = {}
    for what in kinds:
        for row in sum_counts(counts, what, "key", "rule"):
            entry = rows_by_rule.setdefault(
                row["rule"], {"rule": row["rule"], **dict.fromkeys(kinds, 0), "bytes": 0}
            )
            entry[what] = row["documents"]
            entry["bytes"] += row["bytes"] if what == "failed" else 0
    everything = sum(row["documents"] for row in sum_counts(counts, "passed", "key", "key"))
    for name, entry in rows_by_rule.items():
        entry["texts"] = having.get(name) or everything
        entry["share"] = round(entry["failed"] / max(1, entry["texts"]), 6)
    return sorted(rows_by_rule.values(), key=lambda entry: (-entry["failed"], entry["rule"]))


def count_texts_of_rules(counts: pa.Table, bounds: pa.Table, by: str | None = None) -> dict[Any, int]:
    """Return, per rule, the texts in the sources and languages that have a bound of it; for `SIGNAL.missing`, that have
    any bound on the signal. With `by` (source or language), per pair of that and the rule."""
    passed = counts.filter(pc.equal(counts.column("what"), "passed"))
    texts = {
        (row["source"], row["language"]): row["documents_sum"]
        for row in passed.group_by(["source", "language"]).aggregate([("documents", "sum")]).to_pylist()
    }
    having = set()
    for row in bounds.select(["source", "language", "rule", "signal"]).to_pylist():
        for name in (row["rule"], f"{row['signal']}.missing"):
            having.add((row["source"], row["language"], name))
    texts_by_rule: dict[Any, int] = defaultdict(int)
    for source, language, name in having:
        place = {"source": source, "language": language}
        texts_by_rule[name if by is None else (place[by], name)] += texts.get((source, language), 0)
    return texts_by_rule


def summarize_sets(sets: pa.Table) -> list[Row]:
    """Return, per evaluation set: its items, those looked for and those that documents hold, hits and documents."""
    rows: list[Row] = sets.filter(pc.is_null(sets["source"])).drop_columns(["source"]).to_pylist()
    return sorted(rows, key=lambda row: (-row["documents"], row["set"]))


def summarize_duplicates(counts: pa.Table, clusters: pa.Table) -> list[Row]:
    """Return, per level: removed documents, their bytes, and the size of their largest cluster."""
    rows_by_level = {
        row["duplicate"]: {**row, "largest": 0} for row in sum_counts(counts, "duplicate", "key", "duplicate")
    }
    for row in clusters.group_by(["level"]).aggregate([("cluster_size", "max")]).to_pylist():
        if row["level"] in rows_by_level:
            rows_by_level[row["level"]]["largest"] = row["cluster_size_max"]
    return sorted(rows_by_level.values(), key=lambda row: (-row["documents"], row["duplicate"]))


def summarize_canaries(canaries: pa.Table) -> list[Row]:
    """Return, for all languages and for each one, per step of likeness: pairs; the shares that are candidates, with
    their 95 % interval, that the banding leads one to expect, and that are found; and the share of what is found that
    is rightly so (None: nothing is found)."""
    numbers = ("pairs", "expected", "candidates", "verified", "found", "right")
    sums: dict[tuple[str, float], dict[str, float]] = {}
    for row in canaries.to_pylist():
        for language in ("", row["language"]):
            entry = sums.setdefault((language, row["likeness"]), dict.fromkeys(numbers, 0))
            for name in numbers:
                entry[name] += row[name]
    if len({language for language, _ in sums}) == 2:  # one language is all
        sums = {key: entry for key, entry in sums.items() if key[0]}
    rows = []
    for language, likeness in sorted(sums):
        entry = sums[language, likeness]
        count = entry["pairs"]
        low, high = find_interval(int(entry["candidates"]), int(count))
        rows.append(
            {
                "canary": f"{language or 'all'} {likeness:.1f}",
                "language": language or None,
                "likeness": likeness,
                "pairs": int(count),
                "expected": round(entry["expected"] / count, 4),
                "candidates": round(entry["candidates"] / count, 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "found": round(entry["verified"] / count, 4),
                "precision": round(entry["right"] / entry["found"], 4) if entry["found"] else None,
            }
        )
    return rows


def find_interval(count: int, of: int, errors: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share: of 95 % by default."""
    share, square = count / of, errors**2 / of
    middle = (share + square / 2) / (1 + square)
    half = errors / (1 + square) * (share * (1 - share) / of + square / (4 * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def summarize_edits(edits: pa.Table) -> list[Row]:
    """Return, per kind of edit: documents that have some, the spans in them, and their characters."""
    numbers = ("documents", "spans", "characters")
    sums = edits.group_by(["kind"]).aggregate([(name, "sum") for name in numbers]).to_pylist()
    rows = [{"edit": row["kind"], **{name: row[f"{name}_sum"] for name in numbers}} for row in sums]
    return sorted(rows, key=lambda row: (-row["characters"], row["edit"]))


def summarize_names(table: pa.Table, key: str) -> list[Row]:
    """Return, per domain or licence: documents, kept ones, bytes read and kept; the rest as one row with key None."""
    numbers = ("documents", "kept", "bytes", "kept_bytes")
    sums = table.group_by([key]).aggregate([(name, "sum") for name in (*numbers, "names")])
    rows = []
    for row in sums.to_pylist():
        names = row["names_sum"] if row[key] is None else 1
        rows.append({key: row[key], **{name: row[f"{name}_sum"] for name in numbers}, "names": names})
    return sorted(rows, key=lambda row: (row[key] is None, -row["documents"], row[key] or ""))


def compare_rows(one: list[Row], other: list[Row], key: str) -> list[Row]:
    """Join the rows of two workspaces: numbers become [one's, other's]; a row that one lacks has zeros."""
    rows: dict[Any, Row] = {}
    for at, side in enumerate((one, other)):
        for row in side:
            entry = rows.setdefault(row[key], {key: row[key]})
            for name, value in row.items():
                if isinstance(value, int | float):
                    entry.setdefault(name, [0, 0])[at] += value
    return list(rows.values())
