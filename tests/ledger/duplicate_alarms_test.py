"""What is conspicuous about duplicates."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.ledger.duplicate_alarms import find_duplicate_alarms
from corpus.ledger.tables import COUNTS_SCHEMA, DUPLICATES_SCHEMA

ALL = {"exact": True, "url": True, "minhash": {}}


def alarms(passed: int, dropped: int, clusters: list[tuple[int, int]], dedup: dict[str, object]) -> list[str]:
    """Of documents that pass, of which rules drop some, with clusters of (size, removed documents)."""
    counts = [
        {
            "source": source,
            "language": "tha_Thai",
            "snapshot": "",
            "what": what,
            "key": "",
            "documents": count,
        }
        for source in ("web", "wiki")
        for what, count in (("passed", passed // 2), ("rules", dropped // 2), ("read", passed))
    ]
    sizes = [
        {"source": "web", "level": "minhash", "cluster_size": size, "documents": count}
        for size, count in clusters
    ]
    tables = {
        "counts": pa.Table.from_pylist(counts, COUNTS_SCHEMA),
        "duplicates": pa.Table.from_pylist(sizes, DUPLICATES_SCHEMA),
    }
    return [alarm.text for alarm in find_duplicate_alarms(tables, dedup)]


@pytest.mark.parametrize(
    ("passed", "dropped", "clusters", "expected"),
    [
        (2000, 0, [(101, 100), (3, 2)], "holds 101 of the 2,000 documents"),
        (4000, 2000, [(101, 100)], "holds 101 of the 2,000 documents"),  # of what the rules leave
        (4000, 0, [(101, 100)], None),
        (200, 0, [(60, 59)], None),  # few documents
        (20_000, 0, [], "none of 20,000 documents is a duplicate"),
        (20_000, 0, [(2, 1)], None),
        (19_000, 0, [], None),
        (0, 0, [], None),
    ],
)
def test_a_giant_cluster_and_none_at_all(
    passed: int, dropped: int, clusters: list[tuple[int, int]], expected: str | None
) -> None:
    texts = alarms(passed, dropped, clusters, ALL)
    assert len(texts) == (expected is not None)
    assert expected is None or expected in texts[0]


def test_nothing_is_missed_that_nobody_looked_for() -> None:
    assert not alarms(50_000, 0, [], {})
    assert not alarms(50_000, 0, [], {"exact": False, "url": False, "minhash": None})
    assert alarms(50_000, 0, [], {"exact": True, "url": False, "minhash": None})
