"""The curves of a run as a self-contained HTML page, and as a picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.extras import install_advice
from corpus.inspect.curve_data import Chart, build_charts
from corpus.inspect.report import render_page
from corpus.trainer.start import read_run_config

LINE_STYLES = ("-", "--", ":", "-.")
"""Styles of lines: one for every ten curves, which have a colour each."""
MAX_LEGEND_ROWS = 22
"""Names in a column of a legend, which stands beside its panel and covers no curve."""


def write_curves_page(run: Path, out: Path) -> None:
    """Write one HTML page that needs no other file and no network."""
    config = read_run_config(run)
    model = config.model
    data = {
        "name": f"{config.dataset}: {config.size}",
        "about": (
            f"{model.parameters() / 1e6:,.1f}M parameters, {model.depth} blocks of width {model.width}, context "
            f"{model.context:,}, {config.step_tokens:,} tokens per step, {config.optimizer}"
        ),
        "charts": [dataclasses.asdict(chart) for chart in build_charts(run)],
    }
    out.write_text(render_page(data, script="curves.js", kind="training"), encoding="utf-8")


def write_curves_picture(run: Path, out: Path) -> None:
    """Write one PNG, one panel a chart. Raises UserError if matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise UserError(f"a picture needs matplotlib: {install_advice('plots')}") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    config = read_run_config(run)
    chart_list = build_charts(run)
    rows = -(-len(chart_list) // 2)
    figure, axes = pyplot.subplots(rows, 2, figsize=(15, 3.6 * rows), squeeze=False, layout="constrained")
    for axis, chart in zip(axes.flat, chart_list, strict=False):
        draw_panel(axis, chart)
    for axis in axes.flat[len(chart_list) :]:
        axis.set_visible(False)
    figure.suptitle(f"{config.dataset}: {config.size}")
    figure.savefig(out, dpi=110, metadata={"Software": "corpus"})
    pyplot.close(figure)


def draw_panel(axis: Any, chart: Chart) -> None:
    """Draw a chart on matplotlib's axis, with the legend to the right of it."""
    for number, curve in enumerate(chart.curves):
        few = len(curve.steps) < 40
        style = LINE_STYLES[number // 10 % len(LINE_STYLES)]
        axis.plot(
            curve.steps, curve.values, style, marker="." if few else None, linewidth=1.2, label=curve.name
        )
    axis.set_title(f"{chart.title}{', ' + chart.unit if chart.unit else ''}", fontsize=10)
    axis.grid(alpha=0.3)
    if chart.log_scale:
        axis.set_yscale("log")
    if len(chart.curves) > 1:
        columns = -(-len(chart.curves) // MAX_LEGEND_ROWS)
        axis.legend(
            fontsize=6,
            ncols=columns,
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            borderaxespad=0,
            frameon=False,
        )
