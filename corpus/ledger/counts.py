"""Counts of the documents of one input split, made while their decisions are made.

One Parquet part holds five tables, distinguished by the column `table`, with the columns that each needs:

table       keys                               numbers
counts      language, snapshot, what, key      documents, characters, bytes
overlaps    language, key, other (two rules)   documents that fail both
histograms  language, key (a signal), bin      documents, kept
domains     key (a registered domain)          documents, characters, bytes, kept, kept_bytes
licenses    key                                documents, characters, bytes, kept, kept_bytes

`what` of counts is the kind of count, `key` its value:

what        key                 counted
read        -                   every record that became a row
gated       the gate            rows stopped by a gate
passed      -                   rows that no gate stopped: they have a text
failed      a rule              texts that fail the rule
failed_only a rule              texts that fail it and no other
near_failed a rule              texts that fail it narrowly: see `near_width`
near_passed a rule              texts that pass it narrowly
rules       -                   texts that fail any rule
duplicate   exact, url, minhash texts that fail no rule and are removed in favour of another
kept        train, valid        kept texts, by side
extracted   an engine           texts by what read them, of documents that say so (`extractor` in their metadata)
opted_out   an opt-out          rows whose `opt_out` has the word; opted_out_kept: those of them that are kept
undated     -                   rows whose date could not be read (see `find_undated`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.groups import registered_domain
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.ledger.bins import bin_values
from corpus.ledger.sums import CodedSums
from corpus.rules.rule import Rule, Thresholds

TEXT_COLUMNS = ("table", "language", "snapshot", "what", "key", "other")
NUMBER_COLUMNS = ("documents", "characters", "bytes", "kept", "kept_bytes")
PART_SCHEMA = pa.schema(
    [
        *[pa.field(name, pa.string()) for name in TEXT_COLUMNS],
        pa.field("bin", pa.int16()),
        *[pa.field(name, pa.int64()) for name in NUMBER_COLUMNS],
    ]
)
COUNTED_COLUMNS = ["language", "snapshot", "license", "url", "gate", "characters", "bytes"]
"""Document columns that counting needs; of `metadata` and `opt_out`, which may be there too, it counts the engines and
the words, and of `undated` the rows where it is true."""
ENGINE_KEY = "extractor"
DATE_KEY = "date"
"""Where a row's date is null, the metadata that state it as it was written."""
COUNT_KINDS = (
    "read",
    "gated",
    "passed",
    "failed",
    "failed_only",
    "near_failed",
    "near_passed",
    "rules",
    "duplicate",
    "kept",
    "extracted",
    "opted_out",
    "opted_out_kept",
    "undated",
)
MAX_LICENSE_CHARACTERS = 200
HOST_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)"
BIN_BITS, NAME_BITS, WHAT_BITS, SNAPSHOT_BITS = 13, 20, 4, 12
ZERO_BIN = 1 << (BIN_BITS - 1)

Integers = npt.NDArray[np.int64]


def near_width(rule: Rule, limit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the distance from its bound within which a value is near: a tenth of the bound, at least 1 if the bound
    is a whole number of 2 or more (words, lines), a hundredth if it is 0 (0 itself is not near: most flags are 0)."""
    width = np.abs(limit) * 0.1
    whole = (np.abs(limit) >= 2) & (limit == np.round(limit))
    return np.where(limit == 0, 0.01, np.where(whole, np.maximum(width, 1.0), width))


class TextNumbers:
    """Numbers distinct texts in the order of their first occurrence."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return known

    def numbers(self, column: pa.Array | pa.ChunkedArray, null: str = "") -> Integers:
        """Return the number of each text of a column."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        encoded = pc.fill_null(array.cast(pa.string()), null).dictionary_encode()
        codes = np.array([self.number(text) for text in encoded.dictionary.to_pylist()], np.int64)
        taken: Integers = codes[encoded.indices.to_numpy()] if len(codes) else np.zeros(0, np.int64)
        return taken

    def column(self, numbers: Integers) -> pa.Array:
        return pa.array(self.texts, pa.string()).take(pa.array(numbers))


def number_domains(urls: pa.Array, domains: TextNumbers, known: dict[str, str]) -> Integers:
    """Return the number in `domains` of each URL's registered domain, -1 if it has none; `known` caches hosts."""
    parts = pc.extract_regex(urls, HOST_PATTERN)
    hosts = pc.fill_null(pc.struct_field(parts, "host"), "").dictionary_encode()
    codes = []
    for host in hosts.dictionary.to_pylist():
        if host not in known:
            known[host] = (registered_domain(host.lower()) or "") if host else ""
        codes.append(domains.number(known[host]) if known[host] else -1)
    taken: Integers = np.array(codes, np.int64)[hosts.indices.to_numpy()] if codes else np.zeros(0, np.int64)
    return taken


def find_undated(dates: pa.ChunkedArray, metadata: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each row whether it states a date that could not be read, which its metadata then hold."""
    stated = pc.map_lookup(metadata, pa.scalar(DATE_KEY), "first")
    return pc.and_(pc.is_null(dates), pc.is_valid(stated))


class PartCounts:
    """Counts the row groups of one input split. Memory: the counts, and one row group."""

    def __init__(self, rules: Sequence[Rule], thresholds: Thresholds) -> None:
        self.rules, self.thresholds = rules, thresholds
        self.languages, self.snapshots, self.names, self.signals = (
            TextNumbers(),
            TextNumbers(),
            TextNumbers(),
            TextNumbers(),
        )
        self.domains, self.licenses = TextNumbers(), TextNumbers()
        self._domain_of: dict[str, str] = {}
        self._counts, self._overlaps, self._histograms = CodedSums(3), CodedSums(1), CodedSums(2)
        self._by_domain, self._by_license = CodedSums(5), CodedSums(5)

    def add(self, documents: pa.Table, decisions: pa.Table, level: pa.Array, signals: pa.Table) -> None:
        """Count a row group: documents with `COUNTED_COLUMNS`, decisions, levels of duplicates, and all signals."""
        language = self.languages.numbers(documents.column("language"), UNKNOWN_LABEL)
        snapshot = self.snapshots.numbers(documents.column("snapshot"))
        gate = documents.column("gate").combine_chunks()
        kept = _to_mask(decisions.column("kept"))
        sizes = [documents.column(name).to_numpy().astype(np.int64) for name in ("characters", "bytes")]
        has_text = _to_mask(gate.is_null())
        self._groups, self._group = np.unique((language << SNAPSHOT_BITS) | snapshot, return_inverse=True)
        self._sizes = [np.ones(len(language), np.int64), *sizes]
        self._count_outcomes(gate, has_text, decisions, level, kept)
        if "metadata" in documents.column_names:
            self._count_engines(documents.column("metadata").combine_chunks())
        if "opt_out" in documents.column_names:
            self._count_opt_outs(documents.column("opt_out").combine_chunks(), kept)
        if "undated" in documents.column_names:
            undated = _find_rows(documents.column("undated").combine_chunks())
            self._count("undated", undated, self.names.number(""))
        self._count_rules(decisions.column("failed_rules").combine_chunks(), language)
        self._count_near(signals, language, has_text)
        self._count_signals(signals, language, kept)
        numbers = [*self._sizes, kept.astype(np.int64), kept * sizes[1]]
        domains = number_domains(documents.column("url").combine_chunks(), self.domains, self._domain_of)
        self._by_domain.add(domains[domains >= 0], *[number[domains >= 0] for number in numbers])
        licenses = pc.utf8_slice_codeunits(documents.column("license"), 0, MAX_LICENSE_CHARACTERS)
        self._by_license.add(self.licenses.numbers(licenses), *numbers)

    def _count(self, what: str, rows: Integers, keys: Integers | int) -> None:
        names = len(self.names.texts)
        dense = self._group[rows] * names + keys
        sums = [np.bincount(dense, size[rows]).astype(np.int64) for size in self._sizes]
        hit = np.flatnonzero(sums[0])
        group, key = np.divmod(hit, max(1, names))
        codes = (self._groups[group] << WHAT_BITS | COUNT_KINDS.index(what)) << NAME_BITS | key
        self._counts.add(codes, *[column[hit] for column in sums])

    def _count_outcomes(
        self,
        gate: pa.Array,
        has_text: npt.NDArray[np.bool_],
        decisions: pa.Table,
        level: pa.Array,
        kept: npt.NDArray[np.bool_],
    ) -> None:
        everything, blank = np.arange(len(gate)), self.names.number("")
        gated, duplicates, stays = everything[~has_text], _find_rows(level.is_valid()), everything[kept]
        sides = decisions.column("split").combine_chunks()
        self._count("read", everything, blank)
        self._count("passed", everything[has_text], blank)
        self._count("gated", gated, self.names.numbers(gate.take(pa.array(gated))))
        self._count("duplicate", duplicates, self.names.numbers(level.take(pa.array(duplicates))))
        self._count("kept", stays, self.names.numbers(sides.take(pa.array(stays))))

    def _count_engines(self, metadata: pa.Array) -> None:
        engines = pc.map_lookup(metadata, pa.scalar(ENGINE_KEY), "first")
        named = _find_rows(engines.is_valid())
        self._count("extracted", named, self.names.numbers(engines.take(pa.array(named))))

    def _count_opt_outs(self, opt_outs: pa.Array, kept: npt.NDArray[np.bool_]) -> None:
        words = pc.utf8_split_whitespace(opt_outs)
        parent = pc.list_parent_indices(words).to_numpy(zero_copy_only=False)
        names = self.names.numbers(pc.list_flatten(words))
        self._count("opted_out", parent, names)
        self._count("opted_out_kept", parent[kept[parent]], names[kept[parent]])

    def _count_rules(self, failed: pa.Array, language: Integers) -> None:
        failures = pc.fill_null(pc.list_value_length(failed), 0).to_numpy(zero_copy_only=False)
        parent = pc.list_parent_indices(failed).to_numpy(zero_copy_only=False)
        names = self.names.numbers(pc.list_flatten(failed))
        alone = failures[parent] == 1
        self._count("rules", np.flatnonzero(failures), self.names.number(""))
        self._count("failed", parent, names)
        self._count("failed_only", parent[alone], names[alone])
        together = ~alone
        parent, names = parent[together], names[together]
        present = sorted(set(names.tolist()), key=lambda number: self.names.texts[number])
        column = np.zeros(len(self.names.texts), np.int64)
        column[present] = np.arange(len(present))
        rows, at = np.unique(parent, return_inverse=True)
        fails = np.zeros((len(rows), len(present)), np.float32)
        fails[at, column[names]] = 1
        first, second = np.triu_indices(len(present), 1)
        numbers = np.array(present, np.int64)
        for code in np.unique(language[rows]).tolist():
            chosen = fails[language[rows] == code]
            both = (chosen.T @ chosen)[first, second].astype(np.int64)
            hit = both > 0
            codes = ((code << NAME_BITS | numbers[first[hit]]) << NAME_BITS) | numbers[second[hit]]
            self._overlaps.add(codes, both[hit])

    def _count_near(self, signals: pa.Table, language: Integers, has_text: npt.NDArray[np.bool_]) -> None:
        labels = self.languages.texts
        for rule in self.rules:
            if rule.bound == "pareto":
                continue
            limits = np.array([rule.limit(label) for label in labels], np.float64)
            if rule.bound == "top_share":
                keys = [(rule.signal, label) for label in labels]
                limits = np.array([self.thresholds.get(key, np.nan) for key in keys], np.float64)
            widths, here = near_width(rule, limits)[language], limits.astype(np.float32)[language]
            values = signals.column(rule.signal).to_numpy().astype(np.float32)
            close = (np.abs(values - here) <= widths) & ((here != 0) | (values != 0))
            rows = np.flatnonzero(has_text & close)
            over = values[rows] > here[rows] if rule.bound == "max" else values[rows] < here[rows]
            name = self.names.number(rule.name)
            self._count("near_failed", rows[over], name)
            self._count("near_passed", rows[~over], name)

    def _count_signals(self, signals: pa.Table, language: Integers, kept: npt.NDArray[np.bool_]) -> None:
        names = [name for name in signals.column_names if name]
        if not names or not len(language):
            return
        values = np.stack([signals.column(name).to_numpy().astype(np.float32) for name in names])
        numbers = np.array([self.signals.number(name) for name in names], np.int64)
        measured = ~np.isnan(values)
        binned = bin_values(np.where(measured, values, np.float32(0))) + ZERO_BIN
        codes = ((language << NAME_BITS)[None, :] | numbers[:, None]) << BIN_BITS | binned
        codes = np.sort((codes << 1 | kept[None, :])[measured])
        if not len(codes):
            return
        first = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
        counted = np.diff(first, append=len(codes))
        self._histograms.add(codes[first] >> 1, counted, counted * (codes[first] & 1))

    def table(self) -> pa.Table:
        """Return all counts as a table of `PART_SCHEMA`, sorted."""
        bits = (1 << NAME_BITS) - 1
        codes, numbers = self._counts.result()
        what = codes >> NAME_BITS & ((1 << WHAT_BITS) - 1)
        group = codes >> (NAME_BITS + WHAT_BITS)
        tables = [
            _build_rows(
                "counts",
                numbers,
                language=self.languages.column(group >> SNAPSHOT_BITS),
                snapshot=self.snapshots.column(group & ((1 << SNAPSHOT_BITS) - 1)),
                what=pa.array(COUNT_KINDS).take(pa.array(what)),
                key=self.names.column(codes & bits),
            )
        ]
        codes, numbers = self._overlaps.result()
        tables.append(
            _build_rows(
                "overlaps",
                numbers,
                language=self.languages.column(codes >> 2 * NAME_BITS),
                key=self.names.column(codes >> NAME_BITS & bits),
                other=self.names.column(codes & bits),
            )
        )
        codes, numbers = self._histograms.result()
        tables.append(
            _build_rows(
                "histograms",
                np.stack([numbers[0], 0 * numbers[0], 0 * numbers[0], numbers[1]]),
                language=self.languages.column(codes >> (BIN_BITS + NAME_BITS)),
                key=self.signals.column(codes >> BIN_BITS & bits),
                bin=pa.array((codes & ((1 << BIN_BITS) - 1)) - ZERO_BIN, pa.int16()),
            )
        )
        for name, names, sums in (
            ("domains", self.domains, self._by_domain),
            ("licenses", self.licenses, self._by_license),
        ):
            codes, numbers = sums.result()
            tables.append(_build_rows(name, numbers, key=names.column(codes)))
        order = [(name, "ascending") for name in (*TEXT_COLUMNS, "bin")]
        return pa.concat_tables(tables).sort_by(order).combine_chunks()


def _build_rows(table: str, numbers: npt.NDArray[np.int64], **keys: pa.Array) -> pa.Table:
    """Build the rows of one table: its keys, its numbers in the order of `NUMBER_COLUMNS`, and null for all else."""
    count = numbers.shape[1]
    columns_by_name: Mapping[str, pa.Array] = {
        "table": pa.array(np.full(count, table, object), pa.string()),
        **{name: pa.array(column) for name, column in zip(NUMBER_COLUMNS, numbers, strict=False)},
        **keys,
    }
    columns = [
        columns_by_name[field.name] if field.name in columns_by_name else pa.nulls(count, field.type)
        for field in PART_SCHEMA
    ]
    return pa.table(columns, schema=PART_SCHEMA)


def _to_mask(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    mask: npt.NDArray[np.bool_] = array.to_numpy(zero_copy_only=False).astype(np.bool_)
    return mask


def _find_rows(column: pa.Array) -> Integers:
    rows: Integers = np.flatnonzero(_to_mask(column))
    return rows
