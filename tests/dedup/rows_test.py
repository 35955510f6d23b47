"""Ids, numbers, and which document is better."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from corpus.dedup.rows import (
    SplitRows,
    build_split_rows,
    compute_coarse_order,
    number_documents,
    order_best_first,
    parse_hex,
    row_of,
    split_of,
    to_hex,
)

ID = "00112233445566778899aabbccddeeff"


def rows(*ranks: tuple[int, float, int, int]) -> SplitRows:
    """(priority, quality, length, id) of each document."""
    priority, quality, length, name = zip(*ranks, strict=True)
    count = len(ranks)
    return SplitRows(
        row=np.arange(count),
        content=np.zeros((count, 2), np.uint64),
        url=np.zeros(count, np.uint64),
        priority=np.array(priority, np.int32),
        quality=np.array(quality, np.float32),
        length=np.array(length, np.int64),
        id=np.stack([np.array(name, np.uint64) << np.uint64(48), np.zeros(count, np.uint64)], axis=1),
    )


def order(documents: SplitRows) -> list[int]:
    return order_best_first(
        priority=documents.priority,
        quality=documents.quality,
        length=documents.length,
        id=documents.id,
        number=documents.row,
        within=np.zeros(len(documents), np.int64),
    ).tolist()


def test_priority_then_quality_then_length_then_id() -> None:
    documents = rows(
        (0, 0.5, 100, 7),
        (0, 0.5, 100, 3),
        (0, 0.5, 900, 9),
        (0, 0.9, 10, 9),
        (5, 0.0, 1, 9),
        (-5, 1.0, 1000, 0),
        (0, float("nan"), 1000, 0),
        (0, float("-inf"), 1001, 0),
    )
    assert order(documents) == [4, 3, 2, 1, 0, 7, 6, 5]
    assert np.argsort(compute_coarse_order(documents)).tolist() == [4, 3, 2, 1, 0, 7, 6, 5]


def test_the_coarse_order_holds_negative_and_zero_qualities_and_far_priorities() -> None:
    documents = rows(
        (10**6, -3.0, 1, 0),
        (0, 2.0, 1, 0),
        (0, 0.0, 1, 0),
        (0, -0.0, 1, 1),
        (0, -2.0, 1, 0),
        (-(10**6), 9.0, 9, 0),
    )
    assert order(documents) == np.argsort(compute_coarse_order(documents)).tolist() == [0, 1, 2, 3, 4, 5]


def test_hex_there_and_back() -> None:
    column = pa.array([ID, "f" * 32, "0" * 32])
    assert parse_hex(column).tolist() == [
        [0x0011223344556677, 0x8899AABBCCDDEEFF],
        [2**64 - 1, 2**64 - 1],
        [0, 0],
    ]
    assert to_hex(parse_hex(column)).equals(column)
    assert to_hex(parse_hex(pa.chunked_array([column.slice(1, 1), column]))).to_pylist() == [
        "f" * 32,
        *column.to_pylist(),
    ]
    assert to_hex(parse_hex(pa.array([], pa.string()))).to_pylist() == []


@pytest.mark.parametrize("bad", [[None], ["abc"], ["g" * 32], ["é" * 16]])
def test_what_is_no_hash_is_refused(bad: list[str | None]) -> None:
    with pytest.raises(ValueError, match=r"hex|ascii"):
        parse_hex(pa.array(bad, pa.string()))


def test_numbers_hold_split_and_row() -> None:
    number = number_documents(70_000, np.array([0, 2**32 - 1]))
    assert split_of(number).tolist() == [70_000, 70_000]
    assert row_of(number).tolist() == [0, 2**32 - 1]


def test_rows_of_columns() -> None:
    found = build_split_rows(
        row=np.array([2, 5]),
        id=pa.array([ID, ID]),
        content_hash=pa.array([ID, "0" * 32]),
        url=pa.array(["https://example.com/a", None]),
        priority=3,
        quality=None,
        length=np.array([10, 20]),
    )
    assert found.row.tolist() == [2, 5]
    assert found.priority.tolist() == [3, 3]
    assert found.url[0] != 0 == found.url[1]
    with pytest.raises(ValueError, match="content has shape"):
        build_split_rows(
            row=np.array([2, 5]),
            id=pa.array([ID, ID]),
            content_hash=pa.array([ID]),
            url=None,
            priority=0,
            quality=None,
            length=np.array([1, 2]),
        )
