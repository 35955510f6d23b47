"""The log of a run as curves, which `corpus plot` draws."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import UserError
from corpus.trainer.log import explain_no_run

MAX_CURVE_POINTS = 2000
"""Points of a curve at most; of more, means of equal sections are drawn."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a chart: step by value."""

    name: str
    steps: list[int]
    values: list[float]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Some curves under one title; `unit` is the unit of the values."""

    title: str
    unit: str
    curves: list[Curve]
    log_scale: bool = False


@dataclass(kw_only=True)
class _Log:
    steps: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    consumed: list[dict[str, Any]] = field(default_factory=list)
    skips: list[int] = field(default_factory=list)


def _read_log(run: Path) -> _Log:
    out = _Log()
    try:
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise explain_no_run(run) from None
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            kind = entry["kind"]
        except (ValueError, KeyError, TypeError):
            if number == len(lines):
                break  # a run that is writing, or was killed
            raise UserError(f"{run}/log.jsonl, line {number}: not a line of a run's log") from None
        if kind in ("step", "skip"):
            out.steps.append(entry)
        if kind == "skip":
            out.skips.append(entry["step"])
        if kind == "evaluate":
            out.evaluations.append(entry)
        if kind == "consumed":
            out.consumed.append(entry)
    if not out.steps:
        raise UserError(f"{run}/log.jsonl has no steps yet: plot it after the first ones")
    return out


def thin_curve(name: str, steps: list[int], values: list[float]) -> Curve:
    """Return a curve of at most `MAX_CURVE_POINTS` points, each the mean of those that it replaces."""
    size = -(-len(steps) // MAX_CURVE_POINTS)
    if size > 1:
        cuts = np.arange(0, len(steps), size)
        counts = np.diff(np.append(cuts, len(steps)))
        steps = [steps[min(cut + size, len(steps)) - 1] for cut in cuts.tolist()]
        values = (np.add.reduceat(np.array(values), cuts) / counts).tolist()
    return Curve(name=name, steps=steps, values=values)


def build_charts(run: Path) -> list[Chart]:
    """Return the charts of a run: loss, bits per byte by language, learning rate, gradient, throughput, tokens read.

    Raises UserError if there is no log, or no step in it.
    """
    log = _read_log(run)
    at = [entry["step"] for entry in log.steps]

    def curve_of(name: str, key: str) -> Curve:
        return thin_curve(name, at, [float(entry[key]) for entry in log.steps])

    out = [
        Chart(title="training loss", unit="nats per token", curves=[curve_of("loss", "loss")]),
        Chart(title="bits per byte on validation", unit="bits per byte", curves=_build_language_curves(log)),
        Chart(title="learning rate", unit="", curves=[curve_of("learning rate", "rate")]),
        Chart(title="gradient norm", unit="", curves=[curve_of("gradient norm", "norm")], log_scale=True),
        Chart(title="throughput", unit="tokens per second", curves=[curve_of("tokens per second", "speed")]),
    ]
    if any("mfu" in entry for entry in log.steps):
        shares = thin_curve("utilization", at, [entry.get("mfu", 0.0) for entry in log.steps])
        out.append(Chart(title="share of the device's peak", unit="", curves=[shares]))
    out.append(
        Chart(title="tokens read, by source and language", unit="tokens", curves=_build_consumed_curves(log))
    )
    if log.skips:
        spikes = Curve(
            name="skipped", steps=[0, *log.skips], values=[float(n) for n in range(len(log.skips) + 1)]
        )
        out.append(Chart(title="steps skipped so far", unit="", curves=[spikes]))
    return [chart for chart in out if chart.curves]


def _build_language_curves(log: _Log) -> list[Curve]:
    """Return curves over all and of each language, its sources weighted by their bytes."""
    if not log.evaluations:
        return []
    at = [entry["step"] for entry in log.evaluations]
    values_by_language: dict[str, list[float]] = {
        "all": [entry["bits_per_byte"] for entry in log.evaluations]
    }
    for language in sorted({score["language"] for score in log.evaluations[-1]["scores"]}):
        values = []
        for entry in log.evaluations:
            mine = [score for score in entry["scores"] if score["language"] == language]
            size = sum(score["all_bytes"] for score in mine)
            values.append(sum(score["bits_per_byte"] * score["all_bytes"] for score in mine) / max(1, size))
        values_by_language[language] = values
    return [thin_curve(name, at, values) for name, values in values_by_language.items()]


def _build_consumed_curves(log: _Log) -> list[Curve]:
    if not log.consumed:
        return []
    at = [0, *(entry["step"] for entry in log.consumed)]
    last = sorted(log.consumed[-1]["streams"], key=lambda row: -row["drawn"])
    curves = []
    for row in last:
        key = (row["source"], row["language"])
        values = [0.0]
        for entry in log.consumed:
            drawn = {(r["source"], r["language"]): r["drawn"] for r in entry["streams"]}
            values.append(float(drawn.get(key, 0)))
        curves.append(thin_curve("/".join(key), at, values))
    return curves
