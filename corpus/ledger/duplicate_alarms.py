"""Alarms about duplicates: one cluster that is too large, none where there must be some, and pairs of known likeness
that are not found as they ought to be."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.ledger.alarms import MAX_NAMED, Alarm
from corpus.ledger.views import find_interval

MIN_GIANT_CLUSTER, MAX_CLUSTER_SHARE = 100, 0.05
"""Documents of a cluster, and its share of what passes the rules, from which it is giant: chains of resemblances and
pages of one template look so, copies of a text seldom."""
MIN_WITHOUT_DUPLICATES = 20_000
"""Documents among which some are copies: a crawl has some 20 % of them, curated collections 1 %."""
MIN_CANARIES = 100
"""Canaries of a language below which nothing is said of them."""
MISSED_SHARE, MISSED_ERRORS = 0.02, 3.0
"""By how much fewer are candidates than expected, besides what chance makes of so many pairs, for an alarm."""
MAX_WRONG_SHARE = 0.01
SKEWED_ERRORS, MAX_BAND_SKEW = 6.0, 0.3
"""By how many standard errors, and by what share, a band differs from the middle one to be skewed."""


def find_duplicate_alarms(tables: Mapping[str, pa.Table], dedup: Mapping[str, Any]) -> list[Alarm]:
    """Return the alarms about duplicates; `dedup` is what the resolved manifest says of them."""
    counts = tables["counts"]
    passed, failed = (_sum(counts, what) for what in ("passed", "rules"))
    passing = passed - failed
    largest = pc.max(tables["duplicates"].column("cluster_size")).as_py() or 0
    alarms = []
    if largest >= MIN_GIANT_CLUSTER and largest > MAX_CLUSTER_SHARE * passing:
        text = f"one cluster of duplicates holds {largest:,} of the {passing:,} documents that pass the rules: are "
        text += "they copies, or pages of one template? `corpus sample DIR --duplicates` shows some; `dedup: {minhash: "
        alarms.append(Alarm(largest, text + "{threshold: 0.8}}` takes only what is more alike"))
    searched = dedup.get("exact") or dedup.get("url") or dedup.get("minhash")
    if searched and passing >= MIN_WITHOUT_DUPLICATES and not len(tables["duplicates"]):
        text = f"none of {passing:,} documents is a duplicate of another: were they compared before, or is something "
        alarms.append(Alarm(passing, text + "wrong with their texts? `corpus sample DIR -n 10` shows some"))
    return [*alarms, *_check_canaries(tables), *_check_bands(tables)]


def _check_canaries(tables: Mapping[str, pa.Table]) -> list[Alarm]:
    """Return alarms on canaries that were not paired as their likeness leads one to expect, or wrongly found."""
    missed, weight = [], 0
    alike = right = 0
    sums: dict[str, list[float]] = {}
    for row in tables["canaries"].to_pylist() if "canaries" in tables else ():
        entry = sums.setdefault(row["language"], [0, 0, 0])
        for at, name in enumerate(("pairs", "expected", "candidates")):
            entry[at] += row[name]
        alike, right = alike + row["found"], right + row["right"]
    for language, (pairs, expected, candidates) in sorted(sums.items()):
        high = find_interval(int(candidates), int(pairs), MISSED_ERRORS)[1]
        if pairs >= MIN_CANARIES and high < expected / pairs - MISSED_SHARE:
            missed.append(
                f"{language or '?'} ({candidates / pairs:.0%} of {int(pairs):,}, expected {expected / pairs:.0%})"
            )
            weight += int(pairs)
    alarms = []
    if missed:
        more = f" and {len(missed) - MAX_NAMED} more languages" if len(missed) > MAX_NAMED else ""
        text = "canaries missed: fewer pairs of known likeness became candidates than their bands allow in "
        text += f"{', '.join(missed[:MAX_NAMED])}{more}: "
        text += "are groups of one band larger than `dedup: {max_group}`? `corpus stats DIR --by canary` has the steps"
        alarms.append(Alarm(weight, text))
    if alike >= MIN_CANARIES and right < (1 - MAX_WRONG_SHARE) * alike:
        text = f"{alike - right:,} of {alike:,} documents that canaries were found alike to are less alike than the "
        text += "threshold allows: a larger `dedup: {minhash: {permutations}}` errs less"
        alarms.append(Alarm(alike, text))
    return alarms


def _check_bands(tables: Mapping[str, pa.Table]) -> list[Alarm]:
    """Return an alarm on bands that far more, or fewer, canaries share with their documents than other bands."""
    bands = tables["canary_bands"].to_pylist() if "canary_bands" in tables else []
    if not bands:
        return []
    pairs, middle = bands[0]["pairs"], median(row["shared"] for row in bands)
    spread = max(1.0, middle * (1 - middle / max(1, pairs))) ** 0.5
    skewed = [
        row
        for row in bands
        if abs(row["shared"] - middle) > max(SKEWED_ERRORS * spread, MAX_BAND_SKEW * middle)
    ]
    if pairs < MIN_CANARIES or not skewed:
        return []
    named = ", ".join(f"{row['band'] + 1} ({row['shared']:,})" for row in skewed[:MAX_NAMED])
    text = f"bands are skewed: of {pairs:,} canaries {middle:,.0f} share each band with their documents, but band "
    return [Alarm(pairs, f"{text}{named}: signatures may be damaged: `corpus verify DIR` makes some again")]


def _sum(counts: pa.Table, what: str) -> int:
    chosen = counts.filter(pc.equal(counts.column("what"), what))
    return int(pc.sum(chosen.column("documents")).as_py() or 0)
