"""What the report's page draws: the ledger as compact numbers, bounded whatever the corpus.

Everything that can be filtered is given by group, a pair of source and language; the largest groups have their own
numbers, the others of a source share one with the language `others`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa

from corpus.ledger.alarms import alarms
from corpus.ledger.cuts import Cuts
from corpus.ledger.views import named, totals
from corpus.rules import BOUNDS
from pipelines.html_text import cut

OTHERS = "others"
NAME = 80
"""Characters of a name from the web (a domain, a licence, a reason) that are shown."""
EXCERPT = 360
SOURCES = 24
LISTED = 20
PAIRED_RULES = 24
ALARMS = 40
STREAMS = 200
Json = dict[str, Any]


class Groups:
    """The groups of a ledger, largest first, and which of them a source and language belong to."""

    def __init__(self, counts: pa.Table, most: int) -> None:
        sizes: dict[tuple[str, str], int] = defaultdict(int)
        of_source: dict[str, int] = defaultdict(int)
        for row in counts.select(["source", "language", "what", "documents"]).to_pylist():
            if row["what"] == "read":
                sizes[row["source"], row["language"]] += row["documents"]
                of_source[row["source"]] += row["documents"]
        sources = sorted(of_source, key=lambda name: (-of_source[name], name))
        self.sources = set(sources if len(sources) <= SOURCES else sources[: SOURCES - 1])
        pairs = sorted(sizes, key=lambda pair: (-sizes[pair], pair))
        own = {pair for pair in pairs[:most] if pair[0] in self.sources}
        self.pairs: list[tuple[str, str]] = []
        self._of: dict[tuple[str, str], int] = {}
        for pair in pairs:
            group = pair if pair in own else (pair[0] if pair[0] in self.sources else OTHERS, OTHERS)
            if group not in self.pairs:
                self.pairs.append(group)
            self._of[pair] = self.pairs.index(group)

    def of(self, row: Json) -> int | None:
        """The number of a row's group; None for a pair of which no record was read."""
        return self._of.get((row["source"], row["language"]))


def report_data(
    tables: dict[str, pa.Table], shards: Json, cuts: Cuts, name: str, validation: float, most: int
) -> Json:
    """Everything the page needs, as JSON values; `most` groups of their own, `validation` the share asked for."""
    groups = Groups(tables["counts"], most)
    rules = _rules(tables, groups, cuts)
    return {
        "name": cut(name, NAME),
        "totals": totals(tables["counts"], tables["tokens"]),
        "validation": validation,
        "vocabulary": shards.get("vocabulary_size"),
        "alarms": [cut(a.text, 400) for a in alarms(tables, shards.get("mixture", {}), validation)][:ALARMS],
        "groups": groups.pairs,
        "outcomes": _outcomes(tables, groups),
        "gates": _keyed(tables["counts"], groups, ("gated",)),
        "duplicates": _keyed(tables["counts"], groups, ("duplicate",)),
        "rules": rules,
        "histograms": _histograms(tables["histograms"], groups, {rule["signal"] for rule in rules}),
        "overlaps": _overlaps(tables, groups),
        "clusters": _clusters(tables["duplicates"]),
        "mixture": _mixture(shards),
        "domains": _named(tables["domains"], "domain"),
        "licenses": _named(tables["licenses"], "license"),
        "quarantine": _quarantine(tables["quarantine"]),
    }


def _outcomes(tables: dict[str, pa.Table], groups: Groups) -> Json:
    """Per group: documents by outcome, bytes of texts and of kept ones, and tokens."""
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
    found = {name: [0] * len(groups.pairs) for name in names}
    for row in tables["counts"].to_pylist():
        what = row["key"] if row["what"] == "kept" else row["what"]
        group = groups.of(row)
        if what in found and group is not None:
            found[what][group] += row["documents"]
        if row["what"] in ("passed", "kept") and group is not None:
            found["bytes" if row["what"] == "kept" else "text_bytes"][group] += row["bytes"]
    for row in tables["tokens"].to_pylist():
        group = groups.of(row)
        if group is not None:
            found["tokens"][group] += row["tokens"]
    return found


def _keyed(counts: pa.Table, groups: Groups, kinds: tuple[str, ...]) -> list[Json]:
    """Per key of some kinds of count: its name, and for each kind [group, documents, group, ...]."""
    found: dict[str, dict[str, dict[int, int]]] = defaultdict(
        lambda: {kind: defaultdict(int) for kind in kinds}
    )
    for row in counts.to_pylist():
        group = groups.of(row)
        if row["what"] in kinds and group is not None:
            found[row["key"]][row["what"]][group] += row["documents"]
    return [
        {"name": key, **{kind: _sparse(found[key][kind]) for kind in kinds}}
        for key in sorted(found, key=lambda key: (-sum(found[key][kinds[0]].values()), key))
    ]


def _sparse(numbers: dict[int, int]) -> list[int]:
    return [value for group in sorted(numbers) for value in (group, numbers[group])]


def _rules(tables: dict[str, pa.Table], groups: Groups, cuts: Cuts) -> list[Json]:
    kinds = ("failed", "failed_only", "near_failed", "near_passed")
    rules = {rule["name"]: rule for rule in _keyed(tables["counts"], groups, kinds)}
    limits: dict[str, dict[int, float]] = defaultdict(dict)
    signals: dict[str, str] = {}
    for row in tables["rules"].to_pylist():
        group = groups.of(row)
        signals[row["rule"]] = row["signal"]
        if group is not None:
            limits[row["rule"]].setdefault(group, row["limit"])
    found = []
    for name in sorted({*signals, *rules}):
        signal = signals.get(name, name.rpartition(".")[0])
        known = rules.get(name, {"name": name, **{kind: [] for kind in kinds}})
        bound = name.rpartition(".")[2]
        found.append(
            {
                **known,
                "signal": signal,
                "bound": bound if bound in BOUNDS else "missing",
                "limits": [value for group in sorted(limits[name]) for value in (group, limits[name][group])],
                "samples": [
                    _sample(row, kept) for kept in (False, True) for row in cuts.get((name, kept), [])
                ],
            }
        )
    found.sort(key=lambda rule: (-sum(rule["failed"][1::2]), rule["name"]))
    return found


def _histograms(histograms: pa.Table, groups: Groups, signals: set[str]) -> dict[str, list[list[int]]]:
    """Per signal and group: the group, then bin, documents and kept ones of every bin that is not empty."""
    binned: dict[str, dict[int, dict[int, list[int]]]] = defaultdict(lambda: defaultdict(dict))
    for row in histograms.to_pylist():
        group = groups.of(row)
        if row["signal"] in signals and group is not None:
            numbers = binned[row["signal"]][group].setdefault(row["bin"], [0, 0])
            numbers[0] += row["documents"]
            numbers[1] += row["kept"]
    return {
        signal: [
            [group, *[n for place in sorted(bins) for n in (place, *bins[place])]]
            for group, bins in sorted(by_group.items())
        ]
        for signal, by_group in sorted(binned.items())
    }


def _sample(row: Json, kept: bool) -> Json:
    """A document beside the cut, its text cut short and made harmless."""
    text = " ".join((row["text"] or "").split())
    return {
        "kept": kept,
        "value": row["value"],
        "limit": row["limit"],
        "id": row["id"],
        "source": row["source"],
        "language": row["language"],
        "url": cut(row["url"] or f"{row['origin']['file']} @ {row['origin']['offset']}", 160),
        "also": [name for name in row["failed_rules"] or ()][:8],
        "text": cut(text, EXCERPT),
    }


def _overlaps(tables: dict[str, pa.Table], groups: Groups) -> Json:
    """Pairs of the rules that fail most, as [group, rule, other, documents, ...]."""
    failed: dict[str, int] = defaultdict(int)
    for row in tables["counts"].to_pylist():
        if row["what"] == "failed":
            failed[row["key"]] += row["documents"]
    names = sorted(failed, key=lambda name: (-failed[name], name))[:PAIRED_RULES]
    place = {name: at for at, name in enumerate(names)}
    sums: dict[tuple[int, int, int], int] = defaultdict(int)
    for row in tables["overlaps"].to_pylist():
        group = groups.of(row)
        if row["rule"] in place and row["other"] in place and group is not None:
            sums[group, place[row["rule"]], place[row["other"]]] += row["documents"]
    return {"rules": names, "pairs": [n for key in sorted(sums) for n in (*key, sums[key])]}


def _clusters(duplicates: pa.Table) -> list[Json]:
    """Documents that went, per source and level, by size of their cluster: exact to 8, then doubling."""
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


def _mixture(shards: Json) -> Json:
    """Streams as planned, beside what the shards hold; the largest ones."""
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
        for stream in streams[:STREAMS]
    ]
    return {"rows": rows, "more": max(0, len(streams) - STREAMS)}


def _named(table: pa.Table, key: str) -> list[Json]:
    rows = named(table, key)
    return [{**row, key: None if row[key] is None else cut(row[key], NAME)} for row in rows[:LISTED]]


def _quarantine(quarantine: pa.Table) -> list[Json]:
    rows = sorted(quarantine.to_pylist(), key=lambda row: (-row["records"], row["source"], row["reason"]))
    return [{**row, "reason": cut(row["reason"], NAME)} for row in rows[:LISTED]]
