"""The page of an experiment, one file without scripts, and its picture."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus import storage
from corpus.experiments.charts import (
    CurveChart,
    ForestChart,
    ForestRow,
    Line,
    draw_curves,
    draw_forest,
    draw_panel_of,
)
from corpus.experiments.loss_curve import CURVE_NAMES, LossCurve
from corpus.languages.names import name_language

Chart = CurveChart | ForestChart
STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --dim: #5b6670; --line: #d9dee3; --paper: #fff; --box: #f5f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --dim: #9aa5af; --line: #38424b; --paper: #14181c; --box: #1d2329; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 34px 0 2px; }
p { margin: 4px 0 8px; } section > p, .dim { color: var(--dim); }
.verdict { background: var(--box); border-left: 4px solid #3b6ea8; padding: 10px 14px; margin: 10px 0; }
.failed { border-color: #c4622d; } .plain { border-color: #8b8b8b; }
svg { width: 100%; min-width: 680px; height: auto; display: block; } svg text { font-size: 12px; fill: currentColor; }
.grid { stroke: var(--line); stroke-width: 1; } .zero { stroke: var(--dim); stroke-width: 1.4; }
.legend span { display: inline-block; margin-right: 18px; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: right; padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.name { text-align: left; }
"""
NAMES = {"pair", "arm", "source", "language", "parameter", "run"}
"""Columns of a table that hold words."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(result: dict[str, Any], path: Path) -> None:
    """Write the page of a comparison or a ladder: no script, no other file, the same bytes for the same result."""
    body = _build_comparison(result) if result["kind"] == "compare" else _build_ladder(result)
    names = " and ".join(arm["name"] for arm in result["arms"])
    title = html.escape(
        f"{names}: compared" if result["kind"] == "compare" else "A ladder and its prediction"
    )
    content = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body><main>\n<h1>{title}</h1>\n{body}\n</main></body>\n</html>\n"
    )
    storage.write_text(str(path), content)


def write_picture(result: dict[str, Any], path: Path) -> bool:
    """Write the page's charts as one PNG; return whether there is matplotlib to draw it."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    charts = build_charts_of(result)
    heights = [1.2 + 0.3 * len(chart.rows) if isinstance(chart, ForestChart) else 3.6 for chart in charts]
    figure, axes = pyplot.subplots(
        len(charts),
        1,
        figsize=(9.5, sum(heights)),
        squeeze=False,
        layout="constrained",
        height_ratios=heights,
    )
    for axis, chart in zip(axes.flat, charts, strict=True):
        draw_panel_of(axis, chart)
    figure.savefig(path, dpi=110, metadata={"Software": "corpus"})
    pyplot.close(figure)
    return True


def build_charts_of(result: dict[str, Any]) -> list[Chart]:
    """Return the charts of a result, in the order of the page."""
    if result["kind"] == "scaling":
        return _chart_ladder(result)
    charts: list[Chart] = []
    for size, of_size in result["sizes"].items():
        charts += [_chart_verdict(size, verdict) for verdict in of_size["verdicts"]]
        charts.append(_chart_curves(size, of_size["runs"]))
    return charts


def _draw(chart: Chart) -> str:
    return draw_forest(chart) if isinstance(chart, ForestChart) else draw_curves(chart)


def _box(text: str, kind: str = "") -> str:
    return f'<p class="verdict {kind}">{html.escape(text)}</p>'


def _build_comparison(result: dict[str, Any]) -> str:
    options = result["options"]
    about = (
        f"{options['tokens']:,} tokens a run, {options['seeds']} paired seeds, one tokenizer; epochs: "
        f"{options['matching']}. Bits per byte on held-out text: fewer are better. A ranking at this size, no score of "
        "what a model can do."
    )
    parts = [f'<p class="dim">{html.escape(about)}</p>']
    for size, of_size in result["sizes"].items():
        for verdict in of_size["verdicts"]:
            text = f"{size}, {verdict['second']} against {verdict['first']}: {verdict['sentence']}"
            parts.append(_box(text, "" if verdict["resolved"] else "plain"))
    if result["controls"]:
        parts.append("<h2>Controls</h2>")
    parts += [_box(c["sentence"], "plain" if c["passed"] else "failed") for c in result["controls"].values()]
    parts += [f'<p class="dim">{html.escape(note)}</p>' for note in result["notes"]]
    parts += [_draw(chart) for chart in build_charts_of(result)]
    for size, of_size in result["sizes"].items():
        parts.append(_table_bits(size, of_size["bits"]))
        rows = [
            [f"{v['second']} against {v['first']}", name, f"{noise:.2f} %"]
            for v in of_size["verdicts"]
            for name, noise in v["noise"].items()
        ]
        parts.append(
            _table(f"{size}: noise of each arm over its seeds", ["pair", "arm", "standard deviation"], rows)
        )
    parts += [_table_arms(result["arms"]), _table_held_out(result["held_out"])]
    return "\n".join(parts)


def _chart_verdict(size: str, verdict: dict[str, Any]) -> ForestChart:
    languages = sorted(verdict["languages"], key=lambda row: -row["percent"])
    rows = [_make_row(row, _say_language(row["language"])) for row in languages]
    rows.append(_make_row(verdict, "all", summary=True))
    together = f"those of the {len(languages)} languages hold together" if len(languages) > 1 else ""
    return ForestChart(
        title=f"{size}: {verdict['second']} against {verdict['first']}, by language",
        about=f"Percent of bits per byte, with 95 % intervals; {together}. Filled: resolved.",
        left=f"{verdict['first']} better",
        right=f"{verdict['second']} better",
        rows=rows,
    )


def _make_row(row: dict[str, Any], name: str, *, summary: bool = False) -> ForestRow:
    note = f"{row['percent']:+.2f} ({row['low']:+.2f}, {row['high']:+.2f})"
    return ForestRow(
        name=name,
        value=row["percent"],
        low=row["low"],
        high=row["high"],
        strong=row["resolved"],
        note=note,
        summary=summary,
    )


def _say_language(label: str) -> str:
    name = name_language(label)
    return f"{name} ({label})" if name else label


def _chart_curves(size: str, runs: dict[str, list[dict[str, Any]]]) -> CurveChart:
    lines = []
    for number, (name, of_arm) in enumerate(runs.items()):
        tokens = [point["tokens"] for point in of_arm[0]["curve"]]
        bits = np.array([[point["bits"] for point in run["curve"]] for run in of_arm])
        spread = bits.std(0, ddof=1)
        mean = bits.mean(0)
        lines.append(
            Line(
                name=name,
                xs=tokens,
                ys=mean.tolist(),
                lows=(mean - 2 * spread).tolist(),
                highs=(mean + 2 * spread).tolist(),
                color=number,
            )
        )
    return CurveChart(
        title=f"{size}: bits per byte over training",
        about="Mean over seeds; the band is two standard deviations of one run on either side.",
        x="tokens",
        y="bits per byte",
        lines=lines,
    )


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # The names that begin a row are left-aligned, its numbers are not.
    kinds = [' class="name"' if name in NAMES else "" for name in head]
    cells = "".join(f"<th{kind}>{html.escape(name)}</th>" for kind, name in zip(kinds, head, strict=True))
    lines = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{html.escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<h2>{html.escape(title)}</h2><div class="scroll"><table><tr>{cells}</tr>{lines}</table></div>'


def _table_bits(size: str, bits: dict[str, list[dict[str, Any]]]) -> str:
    names = list(bits)
    rows = []
    for at, cell in enumerate(bits[names[0]]):
        values = [np.array(bits[name][at]["bits_per_byte"]) for name in names]
        shown = [f"{v.mean():.4f} ± {v.std(ddof=1):.4f}" for v in values]
        rows.append([cell["source"], _say_language(cell["language"]), *shown])
    return _table(
        f"{size}: bits per byte, mean and standard deviation over seeds", ["source", "language", *names], rows
    )


def _table_arms(arms: Sequence[dict[str, Any]]) -> str:
    rows = []
    for arm in arms:
        for source, own in arm["sources"].items():
            cleared = sum(count for name, count in arm["cleared"].items() if name != "without text")
            rows.append(
                [arm["name"], source, f"{own['tokens']:,}", f"{own['kept']:.0%}", f"{own['weight']:.1%}",
                 f"{own['epochs']:.2f}", f"{cleared:,}"]
            )  # fmt: skip
    head = ["arm", "source", "tokens", "kept of them", "weight", "epochs", "documents cleared (arm)"]
    return _table("What was trained on", head, rows)


def _table_held_out(cells: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            cell["source"],
            _say_language(cell["language"]),
            f"{cell['pieces']:,}",
            f"{cell['bytes']:,}",
            f"{cell['weight']:.1%}",
        ]
        for cell in cells
    ]
    return _table("Held-out text", ["source", "language", "pieces", "bytes", "weight in all"], rows)


def _build_ladder(result: dict[str, Any]) -> str:
    parts = [
        '<p class="dim">L(N, D) = E + A / N^alpha + B / D^beta, N without embeddings, by variable projection.</p>'
    ]
    for outcome in (result["prediction"], result["measured"]):
        if outcome:
            inside = outcome.get("inside", True)
            parts.append(_box(outcome["sentence"], "" if inside else "failed"))
    parts += [_box(f"{name} left the curve of the others", "failed") for name in result["fit"]["left"]]
    parts += [f'<p class="dim">{html.escape(note)}</p>' for note in result["notes"]]
    parts += [_draw(chart) for chart in build_charts_of(result)]
    spans = result["fit"]["intervals"]
    rows = [
        [CURVE_NAMES[name], f"{value:.4g}", f"{spans[name][0]:.4g} to {spans[name][1]:.4g}"]
        for name, value in result["fit"]["curve"].items()
    ]
    parts.append(_table("The curve", ["parameter", "value", "95 % interval"], rows))
    runs = [
        [p["name"], f"{p['parameters']:,}", f"{p['tokens']:,}", f"{p['bits']:.4f}",
         f"{100 * result['fit']['residuals'][p['name']]:+.2f} %"]
        for p in result["points"]
    ]  # fmt: skip
    parts.append(_table("The runs", ["run", "parameters", "tokens", "bits per byte", "off the curve"], runs))
    parts.append(_table_arms(result["arms"]))
    return "\n".join(parts)


def _chart_ladder(result: dict[str, Any]) -> list[Chart]:
    curve = LossCurve(**result["fit"]["curve"])
    by_size: dict[float, list[dict[str, Any]]] = {}
    for point in result["points"]:
        by_size.setdefault(point["parameters"], []).append(point)
    longest = max(point["tokens"] for point in result["points"])
    prediction, measured = result["prediction"], result["measured"]
    if prediction:
        longest = max(longest, prediction["tokens"])
    shortest = min(point["tokens"] for point in result["points"])
    lengths = [shortest * math.exp(i / 40 * math.log(longest / shortest)) for i in range(41)]
    lines = []
    for number, (size, points) in enumerate(sorted(by_size.items())):
        name = points[0]["name"].partition(",")[0]
        lines.append(
            Line(
                name="",
                xs=lengths,
                ys=[float(curve.predict(size, d)) for d in lengths],
                color=number,
                dashed=True,
            )
        )
        stayed = [p for p in points if p["name"] not in result["fit"]["left"]]
        left = [p for p in points if p["name"] in result["fit"]["left"]]
        lines.append(
            Line(
                name=name,
                xs=[p["tokens"] for p in stayed],
                ys=[p["bits"] for p in stayed],
                color=number,
                dots=True,
            )
        )
        if left:
            lines.append(
                Line(name=f"{name}, left the curve", xs=[p["tokens"] for p in left], ys=[p["bits"] for p in left],
                     color=number, dots=True, hollow=True)
            )  # fmt: skip
    if prediction:
        lines.append(
            Line(name=f"prediction, {prediction['name']}", xs=[prediction["tokens"]], ys=[prediction["bits"]],
                 lows=[prediction["low"]], highs=[prediction["high"]], color=len(by_size), dots=True, hollow=True)
        )  # fmt: skip
    if measured:
        lines.append(
            Line(
                name="measured",
                xs=[measured["tokens"]],
                ys=[measured["bits"]],
                color=len(by_size) + 1,
                dots=True,
            )
        )
    return [
        CurveChart(
            title="The ladder and its prediction",
            about="Dashed: the fitted curve of each size. Hollow: predicted before it was run, with its 95 % interval.",
            x="tokens",
            y="bits per byte",
            lines=lines,
            log_x=True,
        )
    ]
