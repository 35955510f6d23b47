"""The merged ledger: build, write and read the tables of DIR/stats. See docs/ledger.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.decontamination.hits import SETS_SCHEMA, SETS_TABLE, has_hits
from corpus.dedup.removed import read_cluster_groups
from corpus.edits.edit_counts import build_edit_table
from corpus.ledger.bins import bin_edges
from corpus.ledger.counts import NUMBER_COLUMNS, PART_SCHEMA
from corpus.ledger.reasons import name_reasons
from corpus.ledger.shared_ids import build_shared_id_table
from corpus.ledger.stages import build_stage_table
from corpus.ledger.sums import TableSums, TopSums
from corpus.rules.rule import RuleSet, Thresholds
from corpus.storage.part_writer import PartWriter
from corpus.workspace import Workspace, read_table

GROUP_SCHEMA = PART_SCHEMA.append(pa.field("source", pa.string()))
GROUP_KEYS = [name for name in GROUP_SCHEMA.names if name not in NUMBER_COLUMNS]
"""Schema of the statistics of several parts: that of one part, with its source."""
MAX_DOMAINS = 10_000
MAX_LICENSES = 1_000
MAX_REASONS = 1_000
MAX_PLACES = 4_000
"""Reasons of which a place is noted."""

COLUMN_TYPES = {"text": pa.string(), "count": pa.int64(), "bin": pa.int16(), "value": pa.float64()}


def _build_schema(**columns: str) -> pa.Schema:
    """Build a schema from kinds and the names of the columns of each."""
    return pa.schema(
        [(name, COLUMN_TYPES[kind]) for kind, names in columns.items() for name in names.split()]
    )


SIZE_COLUMNS = "documents characters bytes"
COUNTS_SCHEMA = _build_schema(text="source language snapshot what key", count=SIZE_COLUMNS)
OVERLAPS_SCHEMA = _build_schema(text="source language rule other", count="documents")
BINNED_SCHEMA = _build_schema(text="source language signal", bin="bin", count="documents kept")
HISTOGRAMS_SCHEMA = _build_schema(
    text="source language signal", bin="bin", value="low high", count="documents kept"
)
DOMAIN_SUMS_SCHEMA = _build_schema(text="source domain", count=f"{SIZE_COLUMNS} kept kept_bytes")
LICENSE_SUMS_SCHEMA = _build_schema(text="source license", count=f"{SIZE_COLUMNS} kept kept_bytes")
DUPLICATES_SCHEMA = _build_schema(text="source level", count="cluster_size documents")
CANARIES_SCHEMA = _build_schema(
    text="language kind", value="likeness expected", count="pairs candidates verified found right"
)
CANARY_BANDS_SCHEMA = _build_schema(count="band pairs shared")
TOKENS_SCHEMA = _build_schema(text="split source language", count="documents tokens bytes")
QUARANTINE_SUMS_SCHEMA = _build_schema(text="source step reason file", count="records offset")
REASON_SUMS_SCHEMA = _build_schema(text="place reason", count="records")
RULES_SCHEMA = _build_schema(text="source language rule signal bound", value="limit")


def write_ledger(
    workspace: Workspace,
    fingerprint: str,
    rules: RuleSet,
    thresholds: Thresholds,
    groups: Sequence[str] | None = None,
) -> dict[str, pa.Table]:
    """Merge the statistics of all parts of the plan, or of `groups` of them, write the ledger, and return its tables.

    Memory: three times the merged tables, whatever the number of parts.
    """
    tables = merge_parts(
        map(read_table, groups) if groups is not None else read_statistics(workspace, workspace.splits())
    )
    tables["duplicates"] = build_duplicate_table(workspace.path("dedup", "clusters.parquet"))
    tables["canaries"], tables["canary_bands"] = build_canary_tables(workspace.path("dedup", "audit.parquet"))
    tables["edits"] = build_edit_table(workspace)
    tables["quarantine"] = build_quarantine_table(workspace)
    tables["shared_ids"] = build_shared_id_table(workspace)
    tables["tokens"] = build_token_table(workspace)
    tables["rules"] = build_rule_table(tables["counts"], rules, thresholds)
    tables["stages"] = build_stage_table(tables["counts"], tables["tokens"])
    for name, table in tables.items():
        with PartWriter(workspace.path("stats", f"{name}.parquet"), table.schema, fingerprint) as writer:
            writer.write(table)
    return tables


def read_ledger(workspace: Workspace, names: Sequence[str]) -> dict[str, pa.Table]:
    """Read tables of the ledger by name; that of evaluation sets is empty where the build looked for none.

    Raises UserError if the build has not written them yet."""
    tables = (
        {SETS_TABLE: SETS_SCHEMA.empty_table()} if SETS_TABLE in names and not has_hits(workspace) else {}
    )
    names = [name for name in names if name not in tables]
    missing = [name for name in names if not storage.exists(workspace.path("stats", f"{name}.parquet"))]
    if missing:
        raise workspace.unfinished_error(f"statistics of {missing[0]}")
    return tables | {name: read_table(workspace.path("stats", f"{name}.parquet")) for name in names}


def read_statistics(workspace: Workspace, splits: Iterable[tuple[str, str]]) -> Iterator[pa.Table]:
    """Yield the statistics of some input splits, each with its source: rows of `GROUP_SCHEMA`."""
    for source, split in splits:
        part = read_table(workspace.part("stats/parts", source, split)).replace_schema_metadata(None)
        yield part.append_column("source", pa.array([source]).take(pa.array(np.zeros(len(part), np.int8))))


def merge_group(workspace: Workspace, splits: Iterable[tuple[str, str]], path: str, fingerprint: str) -> None:
    """Sum the statistics of some input splits into a group at `path`. Memory: three times their sums."""
    sums = TableSums(GROUP_SCHEMA, GROUP_KEYS)
    for part in read_statistics(workspace, splits):
        sums.add(part)
    with PartWriter(path, GROUP_SCHEMA, fingerprint) as writer:
        writer.write(sums.result())


def merge_parts(parts: Iterable[pa.Table]) -> dict[str, pa.Table]:
    """Merge parts, or groups of them, into the five tables that they hold."""
    counts = TableSums(COUNTS_SCHEMA, COUNTS_SCHEMA.names[:5])
    overlaps = TableSums(OVERLAPS_SCHEMA, OVERLAPS_SCHEMA.names[:4])
    histograms = TableSums(BINNED_SCHEMA, BINNED_SCHEMA.names[:4])
    domains = TopSums(DOMAIN_SUMS_SCHEMA, "source", "domain", "documents", MAX_DOMAINS)
    licenses = TopSums(LICENSE_SUMS_SCHEMA, "source", "license", "documents", MAX_LICENSES)
    sums_by_table: dict[str, tuple[TableSums, dict[str, str]]] = {
        "counts": (counts, {}),
        "overlaps": (overlaps, {"key": "rule"}),
        "histograms": (histograms, {"key": "signal"}),
        "domains": (domains, {"key": "domain"}),
        "licenses": (licenses, {"key": "license"}),
    }
    for part in parts:
        part = part.replace_schema_metadata(None)
        for name, (sums, renamed) in sums_by_table.items():
            rows = part.filter(pc.equal(part.column("table"), name))
            sums.add(rows.rename_columns([renamed.get(column, column) for column in rows.column_names]))
    binned = histograms.result()
    low, high = bin_edges(binned.column("bin").to_numpy())
    binned = binned.append_column("low", pa.array(low)).append_column("high", pa.array(high))
    return {
        "counts": counts.result(),
        "overlaps": overlaps.result(),
        "histograms": binned.select(HISTOGRAMS_SCHEMA.names),
        "domains": domains.result(),
        "licenses": licenses.result(),
    }


def build_duplicate_table(clusters: str) -> pa.Table:
    """Return the removed duplicates by source, level and size of their cluster.

    n distinct sizes need n(n + 1) / 2 documents, so three billion make at most 77,000.
    """
    sums = TableSums(DUPLICATES_SCHEMA, DUPLICATES_SCHEMA.names[:3])
    if storage.exists(clusters):
        for group in read_cluster_groups(clusters):
            group = group.replace_schema_metadata(None).select(["source", "level", "cluster_size"])
            sums.add(group.append_column("documents", pa.array(np.ones(len(group), np.int64))))
    return sums.result()


def build_canary_tables(audit: str) -> tuple[pa.Table, pa.Table]:
    """Return what was found of canaries by language, kind and step of likeness, and how many pairs share each band.

    `expected` is the number of candidates that the banding leads one to expect."""
    if not storage.exists(audit):
        return CANARIES_SCHEMA.empty_table(), CANARY_BANDS_SCHEMA.empty_table()
    from corpus.dedup.canaries import find_step  # not for commands that read the ledger: it imports much

    table = read_table(audit).replace_schema_metadata(None)
    step = find_step(table["likeness"].to_numpy())
    columns = {
        "language": table["language"],
        "kind": table["kind"],
        "likeness": pa.array(step),
        "pairs": pa.array(np.ones(len(table), np.int64)),
        "expected": table["expected"],
        "candidates": table["candidate"].cast(pa.int64()),
        "verified": table["verified"].cast(pa.int64()),
        "found": table["found"],
        "right": table["right"],
    }
    keys, numbers = ["language", "kind", "likeness"], ["expected", *CANARIES_SCHEMA.names[4:]]
    sums = pa.table(columns).group_by(keys).aggregate([(name, "sum") for name in numbers])
    sums = sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])
    canaries = sums.select(CANARIES_SCHEMA.names).cast(CANARIES_SCHEMA)
    masks = table["shared"].to_numpy()
    bands = range(pc.max(table["bands"]).as_py() or 0)
    shared = [int(np.count_nonzero(masks >> np.uint64(band) & np.uint64(1))) for band in bands]
    rows = [
        {"band": band, "pairs": len(table), "shared": count}
        for band, count in zip(bands, shared, strict=True)
    ]
    return (
        canaries.sort_by([(key, "ascending") for key in keys]).combine_chunks(),
        pa.Table.from_pylist(rows, CANARY_BANDS_SCHEMA),
    )


def read_canary_tables(workspace: Workspace) -> dict[str, pa.Table]:
    """Read the tables on canaries; empty ones of a build before there were any."""
    schemas = {"canaries": CANARIES_SCHEMA, "canary_bands": CANARY_BANDS_SCHEMA}
    paths = {name: workspace.path("stats", f"{name}.parquet") for name in schemas}
    return {
        name: read_table(paths[name]) if storage.exists(paths[name]) else schema.empty_table()
        for name, schema in schemas.items()
    }


def build_token_table(workspace: Workspace) -> pa.Table:
    """Return documents, tokens and bytes in the shards, per split, source and the documents' own language."""
    rows = [
        {
            "split": split,
            "source": source,
            "language": language,
            "documents": sizes["rows"],
            "tokens": sizes["tokens"],
            "bytes": sizes["bytes"],
        }
        for split, side in workspace.tokens()["totals"].items()
        for source, of_source in side["sources"].items()
        for language, sizes in of_source["languages"].items()
    ]
    return pa.Table.from_pylist(rows, TOKENS_SCHEMA).sort_by(
        [(key, "ascending") for key in TOKENS_SCHEMA.names[:3]]
    )


_Places = dict[tuple[str, str], tuple[str | None, int | None]]
"""(source and step, reason) -> file and offset."""


def build_quarantine_table(workspace: Workspace) -> pa.Table:
    """Return records in quarantine by source, step and reason, with the place of the first of each."""
    sums = TopSums(REASON_SUMS_SCHEMA, "place", "reason", "records", MAX_REASONS)
    firsts: _Places = {}
    for path in _list_quarantine_parts(workspace):
        part = read_table(path).replace_schema_metadata(None)
        place = pc.binary_join_element_wise(part.column("source"), part.column("step"), "\t")
        columns = [place, name_reasons(part)]
        sums.add(pa.table([*columns, pa.array(np.ones(len(part), np.int64))], schema=REASON_SUMS_SCHEMA))
        if len(firsts) < MAX_PLACES:
            _note_first_places(firsts, columns, part)
    summed = sums.result()
    place = pc.split_pattern(summed.column("place"), "\t")
    reason = pc.fill_null(summed.column("reason"), "others")
    keys = zip(summed.column("place").to_pylist(), reason.to_pylist(), strict=True)
    shown = [firsts.get(key, (None, None)) for key in keys]
    table = pa.table(
        [
            pc.list_element(place, 0),
            pc.list_element(place, 1),
            reason,
            pa.array([file for file, _ in shown], pa.string()),
            summed.column("records"),
            pa.array([offset for _, offset in shown], pa.int64()),
        ],
        schema=QUARANTINE_SUMS_SCHEMA,
    )
    return table.sort_by([(key, "ascending") for key in QUARANTINE_SUMS_SCHEMA.names[:3]]).combine_chunks()


def _note_first_places(firsts: _Places, keys: list[pa.ChunkedArray], part: pa.Table) -> None:
    """Note the file and the offset of the first record of each (source and step, reason) that has none yet."""
    rows = pa.table(
        [*keys, part.column("file"), part.column("offset")], names=["place", "reason", "file", "offset"]
    )
    firsts_here = rows.group_by(["place", "reason"], use_threads=False).aggregate(
        [("file", "first"), ("offset", "first")]
    )
    for row in firsts_here.to_pylist():
        firsts.setdefault((row["place"], row["reason"]), (row["file_first"], row["offset_first"]))


def _list_quarantine_parts(workspace: Workspace) -> Iterator[str]:
    present = set(storage.list_files(workspace.path("quarantine")))
    if present:
        yield from sorted(path for path in workspace.quarantine_parts() if path in present)


def build_rule_table(counts: pa.Table, rules: RuleSet, thresholds: Thresholds) -> pa.Table:
    """Return the bound of every rule for every language with texts; for `top_share` the resulting score."""
    texts = counts.filter(pc.equal(counts.column("what"), "passed")).select(["source", "language"])
    pairs = sorted({(row["source"], row["language"]) for row in texts.to_pylist()})
    rows = []
    for source, language in pairs:
        for rule in rules.rules.get(source, ()):
            limit = rule.limit(language)
            if rule.bound == "top_share" and limit == limit:
                limit = thresholds.get((rule.signal, language), limit)
            if limit == limit:
                rows.append((source, language, rule.name, rule.signal, rule.bound, limit))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(RULES_SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RULES_SCHEMA, strict=True)]
    return pa.table(arrays, schema=RULES_SCHEMA)
