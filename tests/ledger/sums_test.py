"""Sums that are made a few rows at a time equal sums of everything at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.ledger import sums
from corpus.ledger.sums import CodedSums, TableSums, TopSums

SCHEMA = pa.schema([("source", pa.string()), ("domain", pa.string()), ("documents", pa.int64())])
Row = tuple[str, str, int]
rows_of = st.lists(st.tuples(st.sampled_from("ab"), st.text("xyz", max_size=3), st.integers(0, 9)))


def table(rows: list[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MIN_WAITING_ROWS", 3)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_coded_sums(rows: list[tuple[int, int, int]]) -> None:
    one, other = Counter[int](), Counter[int]()
    coded = CodedSums(2)
    for code, first, second in rows:
        one[code] += first
        other[code] += second
        coded.add(np.array([code]), np.array([first]), np.array([second]))
    codes, numbers = coded.result()
    assert codes.tolist() == sorted(one)
    assert numbers.tolist() == [[one[code] for code in sorted(one)], [other[code] for code in sorted(one)]]


@settings(max_examples=60)
@given(st.lists(rows_of, max_size=5))
def test_table_sums(parts: list[list[Row]]) -> None:
    expected = Counter[tuple[str, str]]()
    together = TableSums(SCHEMA, ["source", "domain"])
    for rows in parts:
        together.add(table(rows))
        for source, domain, documents in rows:
            expected[source, domain] += documents
    found = together.result().to_pylist()
    assert found == [{"source": s, "domain": d, "documents": expected[s, d]} for s, d in sorted(expected)]


@settings(max_examples=60)
@given(st.lists(rows_of, max_size=5), st.integers(1, 4))
def test_top_is_exact_in_memory_and_from_disk(parts: list[list[Row]], most: int) -> None:
    totals, each = Counter[str](), Counter[tuple[str, str]]()
    tops = [TopSums(SCHEMA, "source", "domain", "documents", most, spill) for spill in (1 << 20, 2)]
    for rows in parts:
        for top in tops:
            top.add(table(rows))
        for source, domain, documents in rows:
            totals[domain] += documents
            each[source, domain] += documents
    memory, disk = (top.result() for top in tops)
    assert memory.equals(disk)
    best = sorted(totals, key=lambda domain: (-totals[domain], domain))[:most]
    rest: dict[str, list[int]] = {}
    for (source, domain), documents in each.items():
        if domain not in best:
            sums_of = rest.setdefault(source, [0, 0])
            sums_of[0] += documents
            sums_of[1] += 1
    expected = {(s, d, each[s, d], 1) for s, d in each if d in best}
    expected |= {(s, None, documents, names) for s, (documents, names) in rest.items()}
    got = [(r["source"], r["domain"], r["documents"], r["names"]) for r in memory.to_pylist()]
    assert set(got) == expected
    assert len(got) == len(expected)
