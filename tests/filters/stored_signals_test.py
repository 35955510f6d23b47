"""Signals as they are stored: null, never NaN, for what was not measured."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq

from corpus.filters import load_filter
from corpus.pipelines.measure import signal_schema, to_signals


def test_what_was_not_measured_is_null_and_other_tools_find_the_rest(tmp_path: Path) -> None:
    """pyarrow leaves NaN out of the statistics of a column, so that engines skip row groups which hold it."""
    language = load_filter("language")
    values = np.full((6, len(language.signals)), np.nan, np.float32)
    values[:3, 0], values[1, 1], values[4] = [0.25, 0.5, 4.0], math.inf, 0.75
    path = tmp_path / "signals.parquet"
    with pq.ParquetWriter(path, signal_schema(language)) as writer:
        writer.write_batch(to_signals(language, values), row_group_size=2)

    def count(where: str) -> int:
        rows = duckdb.connect().execute(f"select count(*) from '{path}' where {where}").fetchall()
        return int(rows[0][0])

    for signal in language.signals:
        assert count(f'isnan("{signal}")') == 0
    assert count('"language.score" is null') == 2
    assert count('"language.score" > 3') == 1
    assert count('"language.script" is null') == 4
    assert count('"language.script" > 3') == 1
