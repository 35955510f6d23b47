"""Charts of an experiment as data, drawn twice: as SVG in the page, and by matplotlib for the picture."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLORS = ("#3b6ea8", "#c4622d", "#3f8f5b", "#8a5aa8", "#b8922e", "#2f8f93", "#b5527a", "#6b7a8f")
WIDTH = 860
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 44
ROW = 24
"""Height of a row of a forest plot."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve: points, and the band around it where `lows` and `highs` are given. `dots` draws no line."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    color: int = 0
    dots: bool = False
    dashed: bool = False
    hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class CurveChart:
    """Curves over one another."""

    title: str
    about: str
    x: str
    y: str
    lines: Sequence[Line]
    log_x: bool = False


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """An estimate with its interval; `strong` draws it as resolved."""

    name: str
    value: float
    low: float
    high: float
    strong: bool
    note: str = ""
    summary: bool = False


@dataclass(frozen=True, kw_only=True)
class ForestChart:
    """Estimates below one another, around zero."""

    title: str
    about: str
    left: str
    """What a value below zero means."""
    right: str
    rows: Sequence[ForestRow]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers between two bounds."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    first = math.ceil(low / step - 1e-9)
    return [first * step + i * step for i in range(int((high - first * step) / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten and their multiples by 2 and 5, thinned to a few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    return marks if len(marks) <= 7 else [m for m in marks if f"{m:e}".startswith("1.0")]


def short(value: float) -> str:
    """Format a number for an axis: 12M, 0.35."""
    for unit in ("", "k", "M", "G"):
        if abs(value) < 1000 or unit == "G":
            return f"{value:.4g}{unit}"
        value /= 1000
    return f"{value:g}"


def curve_reach(chart: CurveChart) -> tuple[float, float]:
    """Return the lowest and the highest y that a chart shows.

    An interval of a point is shown as far as the points reach, and half of that beyond: one that says next to nothing
    would flatten all else.
    """
    ys = [y for line in chart.lines for y in (*line.ys, *(() if line.dots else (*line.lows, *line.highs)))]
    span = max(ys) - min(ys) or abs(max(ys)) or 1.0
    ends = [y for line in chart.lines if line.dots for y in (*line.lows, *line.highs)]
    low = max(min([*ys, *ends]), min(ys) - 0.5 * span)
    high = min(max([*ys, *ends]), max(ys) + 0.5 * span)
    return low - 0.06 * span, high + 0.06 * span


class _Axes:
    """Maps numbers to places of a chart, and draws its frame."""

    def __init__(self, chart: CurveChart, height: int) -> None:
        xs = [x for line in chart.lines for x in line.xs]
        self.low, self.high = curve_reach(chart)
        self.log, self.height = chart.log_x, height
        if self.log:
            self.first, self.last = min(xs) * 0.9, max(xs) * 1.1
        else:
            self.first, self.last = min(0.0, min(xs)), max(xs) * 1.02

    def x(self, value: float) -> float:
        first, last = (math.log(v) if self.log else v for v in (self.first, self.last))
        share = ((math.log(value) if self.log else value) - first) / ((last - first) or 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / (self.high - self.low) * (self.height - TOP - BOTTOM)

    def frame(self, chart: CurveChart) -> list[str]:
        parts = []
        for mark in ticks(self.low, self.high):
            parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(mark):.1f}" y2="{self.y(mark):.1f}"/>'
            )
            parts.append(
                f'<text x="{LEFT - 8}" y="{self.y(mark) + 4:.1f}" text-anchor="end">{short(mark)}</text>'
            )
        marks = log_ticks(self.first, self.last) if self.log else ticks(self.first, self.last, 7)
        floor = self.height - BOTTOM
        for mark in marks:
            parts.append(
                f'<line class="grid" x1="{self.x(mark):.1f}" x2="{self.x(mark):.1f}" y1="{TOP}" y2="{floor}"/>'
            )
            parts.append(
                f'<text x="{self.x(mark):.1f}" y="{floor + 16}" text-anchor="middle">{short(mark)}</text>'
            )
        parts.append(
            f'<text x="{(WIDTH + LEFT) / 2}" y="{self.height - 6}" text-anchor="middle">{html.escape(chart.x)}</text>'
        )
        middle = TOP + (floor - TOP) / 2
        parts.append(
            f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
            f"{html.escape(chart.y)}</text>"
        )
        return parts


def draw_curves(chart: CurveChart, height: int = 330) -> str:
    """Return a chart of curves as SVG, with its legend below it."""
    axes = _Axes(chart, height)
    parts = axes.frame(chart)
    for line in chart.lines:
        color = COLORS[line.color % len(COLORS)]
        points = [f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in zip(line.xs, line.ys, strict=True)]
        if line.lows and not line.dots:
            band = [f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in zip(line.xs, line.highs, strict=True)]
            band += [
                f"{axes.x(x):.1f},{axes.y(y):.1f}"
                for x, y in reversed(list(zip(line.xs, line.lows, strict=True)))
            ]
            parts.append(f'<polygon points="{" ".join(band)}" fill="{color}" opacity=".18"/>')
        if not line.dots:
            dash = ' stroke-dasharray="6 4"' if line.dashed else ""
            parts.append(
                f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="1.8"{dash}/>'
            )
            continue
        for at, point in enumerate(points):
            x, y = point.split(",")
            if line.lows:
                top, floor = (
                    axes.y(min(max(value, axes.low), axes.high)) for value in (line.highs[at], line.lows[at])
                )
                parts.append(
                    f'<line x1="{x}" x2="{x}" y1="{top:.1f}" y2="{floor:.1f}" stroke="{color}" stroke-width="1.6"/>'
                )
            # A ring stays in sight around a dot at the same place.
            fill, radius = ("none", 7) if line.hollow else (color, 4.5)
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" stroke="{color}" stroke-width="1.6"/>'
            )
    legend = "".join(
        f'<span><i style="background:{COLORS[line.color % len(COLORS)]}"></i>{html.escape(line.name)}</span>'
        for line in chart.lines
        if line.name
    )
    return _wrap(chart.title, chart.about, parts, height, f'<p class="legend">{legend}</p>')


def draw_forest(chart: ForestChart) -> str:
    """Return a forest plot as SVG: a row an estimate, zero in the middle."""
    name_width = 12 + 7.2 * max(len(row.name) for row in chart.rows)
    note_width = 150
    first, last = LEFT - 50 + name_width, WIDTH - RIGHT - note_width
    reach = forest_reach(chart.rows)
    height = TOP + ROW * len(chart.rows) + BOTTOM + 12

    def x(value: float) -> float:
        return first + (max(-reach, min(reach, value)) + reach) / (2 * reach) * (last - first)

    floor = TOP + ROW * len(chart.rows) + 4
    parts = []
    for mark in ticks(-reach, reach, 6):
        css = "zero" if abs(mark) < 1e-12 else "grid"
        parts.append(f'<line class="{css}" x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{TOP}" y2="{floor}"/>')
        parts.append(
            f'<text x="{x(mark):.1f}" y="{floor + 16}" text-anchor="middle">{abs(mark):.4g} %</text>'
        )
    for at, row in enumerate(chart.rows):
        y = TOP + ROW * (at + 0.5)
        color = COLORS[1 if row.value >= 0 else 0] if row.strong else "#8b8b8b"
        weight = ' font-weight="600"' if row.summary else ""
        parts.append(
            f'<text x="{first - 10:.0f}" y="{y + 4:.1f}" text-anchor="end"{weight}>{html.escape(row.name)}</text>'
        )
        parts.append(
            f'<line x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y}" y2="{y}" stroke="{color}" stroke-width="2"/>'
        )
        size = 5.5 if row.summary else 4
        parts.append(
            f'<rect x="{x(row.value) - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}" '
            f'fill="{color if row.strong else "none"}" stroke="{color}" stroke-width="1.6"/>'
        )
        parts.append(f'<text x="{last + 12:.0f}" y="{y + 4:.1f}"{weight}>{html.escape(row.note)}</text>')
    middle = (first + last) / 2
    parts.append(
        f'<text x="{middle - 14:.0f}" y="{floor + 36}" text-anchor="end">← {html.escape(chart.left)}</text>'
    )
    parts.append(f'<text x="{middle + 14:.0f}" y="{floor + 36}">{html.escape(chart.right)} →</text>')
    return _wrap(chart.title, chart.about, parts, height, "")


def forest_reach(rows: Sequence[ForestRow]) -> float:
    """Return how far from zero a forest plot goes: to all values, and to three times the farthest of them at most."""
    farthest = max(abs(row.value) for row in rows) or 1.0
    ends = max(max(abs(row.low), abs(row.high)) for row in rows)
    return 1.05 * min(ends, 3 * farthest) or 1.0


def _wrap(title: str, about: str, parts: list[str], height: int, below: str) -> str:
    return (
        f"<section><h2>{html.escape(title)}</h2><p>{html.escape(about)}</p>"
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}">'
        f"{''.join(parts)}</svg></div>{below}</section>"
    )


def draw_panel_of(axis: Any, chart: CurveChart | ForestChart) -> None:
    """Draw a chart on matplotlib's axis."""
    axis.set_title(chart.title, fontsize=11, loc="left", fontweight="bold")
    if isinstance(chart, ForestChart):
        _draw_forest_panel(axis, chart)
        return
    for line in chart.lines:
        color = COLORS[line.color % len(COLORS)]
        if line.dots:
            errors = None
            if line.lows:
                errors = [
                    [y - low for y, low in zip(line.ys, line.lows, strict=True)],
                    [high - y for y, high in zip(line.ys, line.highs, strict=True)],
                ]
            axis.errorbar(
                line.xs, line.ys, yerr=errors, fmt="o", color=color, label=line.name or None,
                markerfacecolor="none" if line.hollow else color, markersize=9 if line.hollow else 6,
            )  # fmt: skip
            continue
        axis.plot(
            line.xs,
            line.ys,
            "--" if line.dashed else "-",
            color=color,
            label=line.name or None,
            linewidth=1.6,
        )
        if line.lows:
            axis.fill_between(line.xs, line.lows, line.highs, color=color, alpha=0.18, linewidth=0)
    if chart.log_x:
        axis.set_xscale("log")
        axis.set_xticks(log_ticks(*axis.get_xlim()))
        axis.minorticks_off()
    axis.xaxis.set_major_formatter(lambda value, _: short(value))
    axis.set_xlabel(chart.x)
    axis.set_ylabel(chart.y)
    axis.set_ylim(*curve_reach(chart))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, frameon=False)


def _draw_forest_panel(axis: Any, chart: ForestChart) -> None:
    reach = forest_reach(chart.rows)
    for at, row in enumerate(reversed(chart.rows)):
        color = COLORS[1 if row.value >= 0 else 0] if row.strong else "#8b8b8b"
        axis.plot([max(-reach, row.low), min(reach, row.high)], [at, at], color=color, linewidth=2)
        axis.plot(
            [row.value], [at], "s", color=color, markerfacecolor=color if row.strong else "white",
            markersize=8 if row.summary else 6,
        )  # fmt: skip
    axis.axvline(0, color="#555555", linewidth=1)
    axis.set_xlim(-reach, reach)
    axis.set_yticks(range(len(chart.rows)), [row.name for row in reversed(chart.rows)])
    axis.set_xlabel(f"← {chart.left}     percent of bits per byte     {chart.right} →")
    axis.grid(alpha=0.3, axis="x")
