"""Alarms about duplicates: one cluster that is too large, and none where there must be some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.ledger.alarms import Alarm

MIN_GIANT_CLUSTER, MAX_CLUSTER_SHARE = 100, 0.05
"""Documents of a cluster, and its share of what passes the rules, from which it is giant: chains of resemblances and
pages of one template look so, copies of a text seldom."""
MIN_WITHOUT_DUPLICATES = 20_000
"""Documents among which some are copies: a crawl has some 20 % of them, curated collections 1 %."""


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
    return alarms


def _sum(counts: pa.Table, what: str) -> int:
    chosen = counts.filter(pc.equal(counts.column("what"), what))
    return int(pc.sum(chosen.column("documents")).as_py() or 0)
