"""The data of the report: the ledger as compact numbers, of bounded size for any corpus.

Everything that can be filtered is given by group, a pair of source and language; the largest groups have their own
numbers, the others of a source share one with the language `others`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

import corpus
from corpus.inspect.cuts import Cuts
from corpus.inspect.html_text import (
    MAX_PLACE_CHARACTERS,
    excerpt_lines,
    shorten,
    shorten_middle,
    shorten_paths,
)
from corpus.inspect.samples import edit_document
from corpus.languages.names import is_language, name_language
from corpus.ledger.alarms import find_alarms
from corpus.ledger.duplicate_alarms import find_duplicate_alarms
from corpus.ledger.reasons import MAX_REASON_CHARACTERS
from corpus.ledger.views import group_outcomes, sum_totals, summarize_names
from corpus.rules.known_signals import describe_signal
from corpus.rules.rule import BOUND_KINDS
from corpus.validation import Validation

OTHERS = "others"
MAX_NAME_CHARACTERS = 80
"""Characters of a name from the web (a domain, a licence, a reason) that are shown."""
MAX_PLACE_SHOWN = 160
"""Characters of a path or an address that are shown; the whole appears under the mouse."""
MAX_EXCERPT_CHARACTERS, MAX_EXCERPT_LINES = 360, 12
MAX_MANIFEST_CHARACTERS = 40_000
MAX_LISTED_PATHS = 4
MAX_SOURCES = 24
MAX_LISTED_ROWS = 20
MAX_PAIRED_RULES = 24
MAX_ALARMS, MAX_ALARM_CHARACTERS = 40, 700
MAX_STREAMS = 200
Json = dict[str, Any]


class Groups:
    """The groups of a ledger, largest first, and the group of each source and language."""

    def __init__(self, counts: pa.Table, most: int) -> None:
        sizes: dict[tuple[str, str], int] = defaultdict(int)
        of_source: dict[str, int] = defaultdict(int)
        for row in counts.filter(pc.equal(counts.column("what"), "read")).to_pylist():
            sizes[row["source"], row["language"]] += row["documents"]
            of_source[row["source"]] += row["documents"]
        sources = sorted(of_source, key=lambda name: (-of_source[name], name))
        self.sources = set(sources if len(sources) <= MAX_SOURCES else sources[: MAX_SOURCES - 1])
        pairs = sorted(sizes, key=lambda pair: (-sizes[pair], pair))
        own = {pair for pair in pairs[:most] if pair[0] in self.sources}
        numbers: dict[tuple[str, str], int] = {}
        self._of: dict[tuple[str, str], int] = {}
        for pair in pairs:
            group = pair if pair in own else (pair[0] if pair[0] in self.sources else OTHERS, OTHERS)
            self._of[pair] = numbers.setdefault(group, len(numbers))
        self.pairs = list(numbers)

        both = [f"{source}\t{language}" for source, language in self._of]
        self._keys, self._numbers = pa.array(both, pa.string()), pa.array(self._of.values(), pa.int32())

    def number_of(self, source: str, language: str) -> int | None:
        """Return the number of a pair's group; None for a pair of which no record was read."""
        return self._of.get((source, language))

    def sum_by_group(self, table: pa.Table, keys: list[str], numbers: list[str]) -> list[Json]:
        """Sum a table of the ledger by `group` and other keys, sorted by them."""
        both = pc.binary_join_element_wise(table.column("source"), table.column("language"), "\t")
        group = self._numbers.take(pc.index_in(both, value_set=self._keys))
        whole = table.select([*keys, *numbers]).append_column("group", group)
        whole = whole.filter(pc.is_valid(whole.column("group")))
        by = [*keys, "group"]
        sums = whole.group_by(by).aggregate([(name, "sum") for name in numbers])
        sums = sums.sort_by([(name, "ascending") for name in by]).rename_columns([*by, *numbers])
        rows: list[Json] = sums.to_pylist()
        return rows


def build_report_data(tables: dict[str, pa.Table], shards: Json, cuts: Cuts, most: int) -> Json:
    """Return the page's data of all groups; `most` of them have numbers of their own."""
    groups = Groups(tables["counts"], most)
    counts = groups.sum_by_group(tables["counts"], ["what", "key"], ["documents", "bytes"])
    rules = _build_rules(counts, tables["rules"], groups, cuts)
    return {
        "vocabulary": shards.get("vocabulary_size"),
        "groups": groups.pairs,
        "outcomes": _build_outcomes(counts, tables["tokens"], groups),
        "gates": _group_by_key(counts, ("gated",)),
        "duplicates": _group_by_key(counts, ("duplicate",)),
        "rules": rules,
        "histograms": _build_histograms(tables["histograms"], groups, {rule["signal"] for rule in rules}),
        "overlaps": _build_overlaps(counts, tables["overlaps"], groups),
        "clusters": _build_clusters(tables["duplicates"]),
        "mixture": _build_mixture(shards),
        "domains": _build_names(tables["domains"], "domain"),
        "licenses": _build_names(tables["licenses"], "license"),
        "quarantine": _build_quarantine(tables["quarantine"]),
        "valid_tokens": _sum_valid_tokens(tables["tokens"], groups),
    }


def build_head_data(tables: dict[str, pa.Table], shards: Json, manifest: str, inputs: Json) -> Json:
    """Return the data at the top of the page: what was built from what, totals, alarms, names of languages.

    `manifest` is the workspace's manifest.yaml, `inputs` the `files` and `bytes` of each source (`input_sizes`).
    """
    parsed = yaml.safe_load(manifest)
    held_out = Validation.model_validate(parsed.get("validation") or {}).shares()
    alarm_list = find_alarms(tables, shards.get("mixture") or {}, held_out)
    alarm_list += find_duplicate_alarms(tables, parsed.get("dedup") or {})
    alarm_list.sort(key=lambda alarm: (-alarm.weight, alarm.text))
    languages = group_outcomes(tables["counts"], tables["tokens"], "language")
    return {
        "name": shorten(parsed["name"], MAX_NAME_CHARACTERS),
        "version": corpus.__version__,
        "manifest": shorten(manifest, MAX_MANIFEST_CHARACTERS),
        "sources": _build_sources(tables, parsed["sources"], inputs),
        "more_sources": max(0, len(parsed["sources"]) - MAX_SOURCES),
        "totals": sum_totals(tables["counts"], tables["tokens"]),
        "languages": {
            "read": sum(is_language(row["language"]) for row in languages),
            "kept": sum(is_language(row["language"]) and row["kept"] > 0 for row in languages),
        },
        "names": {row["language"]: name for row in languages if (name := name_language(row["language"]))},
        "minhash": _describe_minhash(parsed.get("dedup") or {}),
        "validation": held_out.base,
        "shares": {
            row["language"]: share
            for row in languages
            if (share := held_out.of(row["language"]).share) != held_out.base
        },
        "alarms": [shorten(alarm.text, MAX_ALARM_CHARACTERS) for alarm in alarm_list][:MAX_ALARMS],
    }


def _describe_minhash(dedup: Json) -> Json | None:
    """Return bands, rows and threshold of a manifest's `dedup`; None without MinHash."""
    options = dedup.get("minhash")
    return {name: options.get(name) for name in ("bands", "rows", "threshold")} if options else None


def _build_sources(tables: dict[str, pa.Table], sources: Json, inputs: Json) -> list[Json]:
    """Return what each source is and gave, those that gave most texts first; of many, the first `MAX_SOURCES`."""
    outcomes = {row["source"]: row for row in group_outcomes(tables["counts"], tables["tokens"], "source")}
    names = sorted(sources, key=lambda name: (-outcomes.get(name, {}).get("bytes", 0), name))
    rows = []
    for name in names[:MAX_SOURCES]:
        source, outcome = sources[name], outcomes.get(name, {})
        paths = source.get("paths") or []
        listed = [str(path) for path in paths[:MAX_LISTED_PATHS]]
        rows.append(
            {
                "name": shorten(name, MAX_NAME_CHARACTERS),
                "kind": shorten(str(source.get("kind")), MAX_NAME_CHARACTERS),
                "paths": shorten_paths(listed, MAX_PLACE_SHOWN),
                "whole_paths": [shorten(path, MAX_PLACE_CHARACTERS) for path in listed],
                "more_paths": max(0, len(paths) - MAX_LISTED_PATHS),
                "rules": [shorten(str(rule), MAX_NAME_CHARACTERS) for rule in source.get("rules") or []],
                "license": shorten(source.get("license") or "", MAX_NAME_CHARACTERS),
                **{key: (inputs.get(name) or {}).get(key) for key in ("files", "bytes")},
                **{key: outcome.get(key, 0) for key in ("read", "kept", "tokens")},
                "kept_bytes": outcome.get("bytes", 0),
            }
        )
    return rows


def _build_outcomes(counts: list[Json], tokens: pa.Table, groups: Groups) -> Json:
    """Return, per group: documents by outcome, bytes of texts and of kept ones, and tokens."""
    names = (
        "read",
        "gated",
        "passed",
        "rules",
        "duplicate",
        "train",
        "valid",
        "text_bytes",
        "bytes",
        "tokens",
    )
    numbers_by_name = {name: [0] * len(groups.pairs) for name in names}
    for row in counts:
        what = row["key"] if row["what"] == "kept" else row["what"]
        if what in numbers_by_name:
            numbers_by_name[what][row["group"]] += row["documents"]
        if row["what"] in ("passed", "kept"):
            numbers_by_name["bytes" if row["what"] == "kept" else "text_bytes"][row["group"]] += row["bytes"]
    for row in groups.sum_by_group(tokens, [], ["tokens"]):
        numbers_by_name["tokens"][row["group"]] += row["tokens"]
    return numbers_by_name


def _sum_valid_tokens(tokens: pa.Table, groups: Groups) -> list[int]:
    """Return the tokens in validation of each group."""
    sums = [0] * len(groups.pairs)
    for row in groups.sum_by_group(tokens.filter(pc.equal(tokens.column("split"), "valid")), [], ["tokens"]):
        sums[row["group"]] += row["tokens"]
    return sums


def _group_by_key(counts: list[Json], kinds: tuple[str, ...]) -> list[Json]:
    """Return, per key of some kinds of count: its name, and for each kind [group, documents, group, ...]."""
    counts_by_key: dict[str, dict[str, dict[int, int]]] = defaultdict(
        lambda: {kind: defaultdict(int) for kind in kinds}
    )
    for row in counts:
        if row["what"] in kinds:
            counts_by_key[row["key"]][row["what"]][row["group"]] += row["documents"]
    return [
        {"name": key, **{kind: _to_sparse(counts_by_key[key][kind]) for kind in kinds}}
        for key in sorted(counts_by_key, key=lambda key: (-sum(counts_by_key[key][kinds[0]].values()), key))
    ]


def _to_sparse(numbers: dict[int, int]) -> list[int]:
    return [value for group in sorted(numbers) for value in (group, numbers[group])]


def _build_rules(counts: list[Json], bounds: pa.Table, groups: Groups, cuts: Cuts) -> list[Json]:
    kinds = ("failed", "failed_only", "near_failed", "near_passed")
    rules = {rule["name"]: rule for rule in _group_by_key(counts, kinds)}
    limits: dict[str, dict[int, float]] = defaultdict(dict)
    signals: dict[str, str] = {}
    for row in bounds.to_pylist():
        group = groups.number_of(row["source"], row["language"])
        signals[row["rule"]] = row["signal"]
        if group is not None:
            limits[row["rule"]].setdefault(group, row["limit"])
    rows = []
    for name in sorted({*signals, *rules}):
        signal = signals.get(name, name.rpartition(".")[0])
        known = rules.get(name, {"name": name, **{kind: [] for kind in kinds}})
        bound = name.rpartition(".")[2]
        rows.append(
            {
                **known,
                "signal": signal,
                "measures": describe_signal(signal),
                "bound": bound if bound in BOUND_KINDS else "missing",
                "limits": [value for group in sorted(limits[name]) for value in (group, limits[name][group])],
                "samples": [
                    _build_sample(row, kept) for kept in (False, True) for row in cuts.get((name, kept), [])
                ],
            }
        )
    rows.sort(key=lambda rule: (-sum(rule["failed"][1::2]), rule["name"]))
    return rows


def _build_histograms(histograms: pa.Table, groups: Groups, signals: set[str]) -> dict[str, list[list[int]]]:
    """Return, per signal and group: the group, then bin, documents and kept ones of every bin that is not empty."""
    wanted = pc.is_in(histograms.column("signal"), value_set=pa.array(sorted(signals), pa.string()))
    binned: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for row in groups.sum_by_group(histograms.filter(wanted), ["signal", "bin"], ["documents", "kept"]):
        of_group = binned[row["signal"]].setdefault(row["group"], [row["group"]])
        of_group += [row["bin"], row["documents"], row["kept"]]
    return {signal: [by_group[group] for group in sorted(by_group)] for signal, by_group in binned.items()}


def _build_sample(row: Json, kept: bool) -> Json:
    """Return a document near the bound, its text shortened and made harmless."""
    place = row["url"] or f"{row['origin']['file']} @ {row['origin']['offset']}"
    return {
        "kept": kept,
        "value": row["value"],
        "limit": row["limit"],
        "id": row["id"],
        "source": row["source"],
        "language": row["language"],
        "url": shorten_middle(place, MAX_PLACE_SHOWN),
        "whole_url": shorten(place, MAX_PLACE_CHARACTERS) if len(place) > MAX_PLACE_SHOWN else "",
        "also": [name for name in row["failed_rules"] or ()][:8],
        "text": excerpt_lines(edit_document(row), MAX_EXCERPT_CHARACTERS, MAX_EXCERPT_LINES),
    }


def _build_overlaps(counts: list[Json], overlaps: pa.Table, groups: Groups) -> Json:
    """Return pairs of the rules that fail most, as [group, rule, other, documents, ...]."""
    failed: dict[str, int] = defaultdict(int)
    for row in counts:
        if row["what"] == "failed":
            failed[row["key"]] += row["documents"]
    names = sorted(failed, key=lambda name: (-failed[name], name))[:MAX_PAIRED_RULES]
    place = {name: at for at, name in enumerate(names)}
    known = pa.array(names, pa.string())
    both = pc.and_(*[pc.is_in(overlaps.column(side), value_set=known) for side in ("rule", "other")])
    pairs: list[int] = []
    for row in groups.sum_by_group(overlaps.filter(both), ["rule", "other"], ["documents"]):
        pairs += [row["group"], place[row["rule"]], place[row["other"]], row["documents"]]
    return {"rules": names, "pairs": pairs}


def _build_clusters(duplicates: pa.Table) -> list[Json]:
    """Return removed documents per source and level, by size of their cluster: exact to 8, then doubling."""
    sums: dict[tuple[str, str, int], int] = defaultdict(int)
    for row in duplicates.to_pylist():
        size = row["cluster_size"]
        sums[row["source"], row["level"], size if size <= 8 else 1 << (size.bit_length() - 1)] += row[
            "documents"
        ]
    return [
        {"source": source, "level": level, "size": size, "documents": documents}
        for (source, level, size), documents in sorted(sums.items())
    ]


def _build_mixture(shards: Json) -> Json:
    """Return the largest streams, with their planned share and that of the shards."""
    mixture = shards.get("mixture") or {}
    streams = sorted(mixture.get("streams", []), key=lambda s: (-s["weight"], s["source"], s["language"]))
    total = sum(stream["tokens"] for stream in streams) or 1
    rows = [
        {
            "source": stream["source"],
            "language": stream["language"],
            "tokens": stream["tokens"],
            "built": stream["tokens"] / total,
            "planned": stream["weight"],
            "epochs": stream["epochs"],
        }
        for stream in streams[:MAX_STREAMS]
    ]
    return {"rows": rows, "more": max(0, len(streams) - MAX_STREAMS)}


def _build_names(table: pa.Table, key: str) -> list[Json]:
    """Return the names with the most documents, and one row of all others."""
    rows = summarize_names(table, key)
    first, others = rows[:MAX_LISTED_ROWS], rows[MAX_LISTED_ROWS:]
    if len(others) > 1 and first[-1][key] is not None:
        numbers = ("documents", "kept", "bytes", "kept_bytes", "names")
        others = [{key: None, **{name: sum(row[name] for row in others) for name in numbers}}]
    return [
        {**row, key: None if row[key] is None else shorten(row[key], MAX_NAME_CHARACTERS)}
        for row in [*first, *others]
    ]


def _build_quarantine(quarantine: pa.Table) -> Json:
    """Return the kinds of failure with the most records: for each its step, its reason, and [source, records, place of
    the first] of every source, and how many kinds there are more."""
    kinds: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in quarantine.to_pylist():
        kinds[row["step"], row["reason"]].append(row)
    sizes = {kind: sum(row["records"] for row in rows) for kind, rows in kinds.items()}
    ranked = sorted(kinds, key=lambda kind: (-sizes[kind], kind))
    listed = [
        {
            "step": step,
            "reason": shorten(reason, MAX_REASON_CHARACTERS),
            "sources": [
                [row["source"], row["records"], shorten_middle(_format_place(row), MAX_PLACE_SHOWN)]
                for row in sorted(kinds[step, reason], key=lambda row: (-row["records"], row["source"]))
            ][:MAX_SOURCES],
        }
        for step, reason in ranked[:MAX_LISTED_ROWS]
    ]
    left = ranked[MAX_LISTED_ROWS:]
    return {"rows": listed, "more": len(left), "more_records": sum(sizes[kind] for kind in left)}


def _format_place(row: Json) -> str:
    """Return where the first record of a reason is; a ledger of an older version has no places."""
    return f"{row['file']} @ {row['offset']:,}" if row.get("file") is not None else ""
