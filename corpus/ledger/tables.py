"""The merged ledger: the tables of DIR/stats, their schemas, how they are made and read. See docs/ledger.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.dedup.removed import read_groups
from corpus.errors import UserError
from corpus.ledger.bins import edges
from corpus.ledger.counts import NUMBERS, PART
from corpus.ledger.stages import stage_table
from corpus.ledger.sums import TableSums, Top
from corpus.rules.rule import RuleSet, Thresholds
from corpus.storage.part_writer import PartWriter
from corpus.workspace import Workspace, read_table

GROUP = PART.append(pa.field("source", pa.string()))
GROUP_KEYS = [name for name in GROUP.names if name not in NUMBERS]
"""Statistics of several parts: those of one, with its source."""
DOMAINS = 10_000
LICENSES = 1_000
REASONS = 1_000
REASON_CHARACTERS = 120
SAME_ERRORS = r"(?s)^(?:[a-z0-9+]+://\S+: )?([^:]*(?::[^:]*)?).*$"
"""An error up to its second colon, without the address before it: its kind and what it says, not what differs."""


KINDS = {"text": pa.string(), "count": pa.int64(), "bin": pa.int16(), "value": pa.float64()}


def _build_schema(**columns: str) -> pa.Schema:
    """A schema from kinds and the names of the columns of each."""
    return pa.schema([(name, KINDS[kind]) for kind, names in columns.items() for name in names.split()])


SIZES = "documents characters bytes"
COUNTS = _build_schema(text="source language snapshot what key", count=SIZES)
OVERLAPS = _build_schema(text="source language rule other", count="documents")
BINNED = _build_schema(text="source language signal", bin="bin", count="documents kept")
HISTOGRAMS = _build_schema(text="source language signal", bin="bin", value="low high", count="documents kept")
DOMAIN_SUMS = _build_schema(text="source domain", count=f"{SIZES} kept kept_bytes")
LICENSE_SUMS = _build_schema(text="source license", count=f"{SIZES} kept kept_bytes")
DUPLICATES = _build_schema(text="source level", count="cluster_size documents")
TOKENS = _build_schema(text="split source language", count="documents tokens bytes")
QUARANTINE = _build_schema(text="source step reason", count="records")
REASON_SUMS = _build_schema(text="place reason", count="records")
RULES = _build_schema(text="source language rule signal bound", value="limit")


def write_ledger(
    workspace: Workspace,
    fingerprint: str,
    rules: RuleSet,
    thresholds: Thresholds,
    groups: Sequence[str] | None = None,
) -> dict[str, pa.Table]:
    """Merge the statistics of all parts of the plan, or of `groups` of them, write the ledger, and give its tables.

    Memory: three times the merged tables, whatever the number of parts.
    """
    tables = merge(map(read_table, groups) if groups is not None else parts_of(workspace, workspace.splits()))
    tables["duplicates"] = duplicate_table(workspace.path("dedup", "clusters.parquet"))
    tables["quarantine"] = quarantine_table(workspace)
    tables["tokens"] = token_table(workspace)
    tables["rules"] = rule_table(tables["counts"], rules, thresholds)
    tables["stages"] = stage_table(tables["counts"], tables["tokens"])
    for name, table in tables.items():
        with PartWriter(workspace.path("stats", f"{name}.parquet"), table.schema, fingerprint) as writer:
            writer.write(table)
    return tables


def read_ledger(workspace: Workspace, names: Sequence[str]) -> dict[str, pa.Table]:
    """Tables of the ledger by name; raises UserError where the build has not come that far."""
    missing = [name for name in names if not storage.exists(workspace.path("stats", f"{name}.parquet"))]
    if missing:
        raise UserError(
            f"{workspace.root} has no statistics of {missing[0]} yet: its build is not finished, "
            "`corpus build` goes on"
        )
    return {name: read_table(workspace.path("stats", f"{name}.parquet")) for name in names}


def parts_of(workspace: Workspace, splits: Iterable[tuple[str, str]]) -> Iterator[pa.Table]:
    """The statistics of some splits, each with its source: rows of `GROUP`."""
    for source, split in splits:
        part = read_table(workspace.part("stats/parts", source, split)).replace_schema_metadata(None)
        yield part.append_column("source", pa.array([source]).take(pa.array(np.zeros(len(part), np.int8))))


def merge_group(workspace: Workspace, splits: Iterable[tuple[str, str]], path: str, fingerprint: str) -> None:
    """Sum the statistics of some splits into a group at `path`. Memory: three times what they come to."""
    sums = TableSums(GROUP, GROUP_KEYS)
    for part in parts_of(workspace, splits):
        sums.add(part)
    with PartWriter(path, GROUP, fingerprint) as writer:
        writer.write(sums.result())


def merge(parts: Iterable[pa.Table]) -> dict[str, pa.Table]:
    """The five tables that parts, or groups of them, hold, merged."""
    counts = TableSums(COUNTS, COUNTS.names[:5])
    overlaps = TableSums(OVERLAPS, OVERLAPS.names[:4])
    histograms = TableSums(BINNED, BINNED.names[:4])
    domains = Top(DOMAIN_SUMS, "source", "domain", "documents", DOMAINS)
    licenses = Top(LICENSE_SUMS, "source", "license", "documents", LICENSES)
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
    low, high = edges(binned.column("bin").to_numpy())
    binned = binned.append_column("low", pa.array(low)).append_column("high", pa.array(high))
    return {
        "counts": counts.result(),
        "overlaps": overlaps.result(),
        "histograms": binned.select(HISTOGRAMS.names),
        "domains": domains.result(),
        "licenses": licenses.result(),
    }


def duplicate_table(clusters: str) -> pa.Table:
    """Documents that went as duplicates by source, level and size of their cluster.

    n distinct sizes take n(n + 1) / 2 documents, so three billion make at most 77,000.
    """
    sums = TableSums(DUPLICATES, DUPLICATES.names[:3])
    if storage.exists(clusters):
        for group in read_groups(clusters):
            group = group.replace_schema_metadata(None).select(["source", "level", "cluster_size"])
            sums.add(group.append_column("documents", pa.array(np.ones(len(group), np.int64))))
    return sums.result()


def token_table(workspace: Workspace) -> pa.Table:
    """Documents, tokens and bytes in the shards, per split, source and the documents' own language."""
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
    return pa.Table.from_pylist(rows, TOKENS).sort_by([(key, "ascending") for key in TOKENS.names[:3]])


def quarantine_table(workspace: Workspace) -> pa.Table:
    """Records in quarantine by source, step and reason (of damaged ones the error up to its second colon)."""
    sums = Top(REASON_SUMS, "place", "reason", "records", REASONS)
    for path in _list_quarantine_parts(workspace):
        part = read_table(path).replace_schema_metadata(None)
        error = pc.replace_substring_regex(part.column("error"), SAME_ERRORS, "\\1")
        reason = pc.if_else(pc.equal(part.column("reason"), "damaged"), error, part.column("reason"))
        place = pc.binary_join_element_wise(part.column("source"), part.column("step"), "\t")
        columns = [place, pc.utf8_slice_codeunits(reason, 0, REASON_CHARACTERS)]
        sums.add(pa.table([*columns, pa.array(np.ones(len(part), np.int64))], schema=REASON_SUMS))
    summed = sums.result()
    place = pc.split_pattern(summed.column("place"), "\t")
    reason = pc.fill_null(summed.column("reason"), "others")
    columns = [pc.list_element(place, 0), pc.list_element(place, 1), reason, summed.column("records")]
    table = pa.table(columns, schema=QUARANTINE)
    return table.sort_by([(key, "ascending") for key in QUARANTINE.names[:3]]).combine_chunks()


def _list_quarantine_parts(workspace: Workspace) -> Iterator[str]:
    names = {workspace.quarantine_part(source, split) for source, split in workspace.splits()}
    for path in storage.list_files(workspace.path("quarantine")):
        if path in names:
            yield path


def rule_table(counts: pa.Table, rules: RuleSet, thresholds: Thresholds) -> pa.Table:
    """The bound of every rule for every language with texts; for `top_share` the score that it comes to."""
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
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(RULES)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RULES, strict=True)]
    return pa.table(arrays, schema=RULES)
