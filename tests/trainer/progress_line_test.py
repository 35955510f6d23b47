"""What a training run says of its progress where there is no terminal."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from corpus.trainer import report
from corpus.trainer.report import ProgressLine


def test_a_run_that_ends_behind_its_minutes_has_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last line says so by a whole 100%; the one before tells the time by the steps until then."""
    clock = iter([0.0, 0.0, 30.0, 61.0])
    monkeypatch.setattr(report, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written = io.StringIO()
    line = ProgressLine(Console(file=written, width=120))
    for progress in (0.0, 0.5, 1.01):
        line.update(progress, step=7, loss=4.0, bits=2.0, speed=5000, rate=1e-3)
    numbers = "step 7  loss 4.000  2.000 bits/byte  5,000 tokens/s  rate 1.0e-03"
    assert written.getvalue().splitlines() == [f" 50%  {numbers}  30 s left", f"100%  {numbers}"]
