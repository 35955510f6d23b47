"""What is conspicuous about duplicates."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.dedup.planted import AUDIT_SCHEMA
from corpus.ledger.duplicate_alarms import find_duplicate_alarms
from corpus.ledger.tables import (
    CANARIES_SCHEMA,
    CANARY_BANDS_SCHEMA,
    COUNTS_SCHEMA,
    DUPLICATES_SCHEMA,
    build_canary_tables,
)
from corpus.ledger.views import summarize_canaries

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


def audit(missing: float = 0.0, bands: dict[int, int] | None = None, wrong: int = 0) -> dict[str, pa.Table]:
    """The tables on 400 canaries in Thai and in Han, of which the Thai ones lack a share of candidates."""
    canaries = [
        {
            "language": language,
            "kind": "edits",
            "likeness": 0.7,
            "pairs": 400,
            "expected": 226.0,
            "candidates": round(226 * (1 - lacking)),
            "verified": 200,
            "found": 200 + wrong,
            "right": 200,
        }
        for language, lacking in (("tha_Thai", missing), ("cmn_Hans", 0))
    ]
    shared = {band: 48 for band in range(14)} | (bands or {})
    rows = [{"band": band, "pairs": 800, "shared": count} for band, count in shared.items()]
    return {
        "counts": COUNTS_SCHEMA.empty_table(),
        "duplicates": DUPLICATES_SCHEMA.empty_table(),
        "canaries": pa.Table.from_pylist(canaries, CANARIES_SCHEMA),
        "canary_bands": pa.Table.from_pylist(rows, CANARY_BANDS_SCHEMA),
    }


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (audit(), None),
        (audit(missing=0.05), None),  # as chance may have it
        (
            audit(missing=0.3),
            "canaries missed: fewer pairs of known likeness became candidates than their bands allow ",
        ),
        (audit(missing=1), "in tha_Thai (0% of 400, expected 56%)"),
        (
            audit(bands={3: 0}),
            "bands are skewed: of 800 canaries 48 share each band with their documents, but band 4 (0)",
        ),
        (audit(bands={0: 61, 9: 40}), None),
        (audit(bands={0: 100, 13: 4}), "band 1 (100), 14 (4)"),
        (audit(wrong=40), "80 of 480 documents that canaries were found alike to are less alike"),
        (audit(wrong=1), None),
    ],
)
def test_canaries_that_are_missed_and_bands_that_differ(
    tables: dict[str, pa.Table], expected: str | None
) -> None:
    texts = [alarm.text for alarm in find_duplicate_alarms(tables, ALL)]
    assert len(texts) == (expected is not None)
    assert expected is None or expected in texts[0]


def test_what_the_ledger_and_the_terminal_say_of_canaries(tmp_path: Path) -> None:
    rows = [
        {
            **dict.fromkeys(AUDIT_SCHEMA.names, 0),
            "source": "web",
            "split": "0",
            "language": language,
            "kind": "edits",
            "likeness": likeness,
            "expected": 0.5,
            "candidate": at % 2 == 0,
            "verified": at % 4 == 0,
            "found": int(at % 4 == 0),
            "right": int(at % 8 == 0),
            "shared": 1 << (at % 3),
            "bands": 3,
        }
        for language in ("jpn_Jpan", "arb_Arab")
        for likeness in (0.3, 0.71, 1.0)
        for at in range(24)
    ]
    path = tmp_path / "audit.parquet"
    pq.write_table(pa.Table.from_pylist(rows, AUDIT_SCHEMA), path)
    canaries, bands = build_canary_tables(str(path))
    assert canaries.schema.equals(CANARIES_SCHEMA)
    assert bands.to_pylist() == [{"band": band, "pairs": 144, "shared": 48} for band in range(3)]
    view = summarize_canaries(canaries)
    assert [row["canary"] for row in view] == [
        f"{language} {step}" for language in ("all", "arb_Arab", "jpn_Jpan") for step in ("0.4", "0.7", "1.0")
    ]
    [row] = [row for row in view if row["canary"] == "all 0.7"]
    assert (row["pairs"], row["expected"], row["candidates"], row["found"], row["precision"]) == (
        48,
        0.5,
        0.5,
        0.25,
        0.5,
    )
    assert row["low"] == pytest.approx(0.364, abs=0.001)  # Wilson's interval
    assert row["high"] == pytest.approx(0.636, abs=0.001)
    assert summarize_canaries(canaries.slice(0, 0)) == []
    assert [table.num_rows for table in build_canary_tables(str(tmp_path / "none"))] == [0, 0]
