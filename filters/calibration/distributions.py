"""Show how both sides of a calibration lie around a cut: as lines of text, and as a picture."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from corpus.errors import UserError
from corpus.filters.calibration.language_values import Calibration
from corpus.filters.calibration.signal_cuts import Cut, SignalValues
from corpus.storage import write_bytes, write_text

BINS = 40
BLOCKS = " ▁▂▃▄▅▆▇█"
PANEL_WIDTH, PANEL_HEIGHT, COLUMNS = 340, 120, 3
COLORS = ("#3b6ea8", "#c4622d")

Shares = npt.NDArray[np.float64]


def draw_lines(calibration: Calibration, cut: Cut) -> list[str]:
    """Return the two sides as bars of characters, and the cut below them."""
    edges, shares = bin_sides(calibration, cut)
    tallest = max(float(each.max(initial=0)) for each in shares) or 1.0
    bars = ["".join(BLOCKS[int(np.ceil(8 * (share / tallest) ** 0.5))] for share in each) for each in shares]
    at = int(np.clip(np.searchsorted(edges, cut.value), 0, BINS))
    arrow = "keeps >" if cut.bound == "min" else "< keeps"
    below = f"{'':>11}{' ' * at}^ {cut.value:g} {arrow}"
    return [f"  reference {bars[0]}", f"  sample    {bars[1]}", below]


def bin_sides(calibration: Calibration, cut: Cut) -> tuple[Shares, list[Shares]]:
    """Return the edges of the bins, and the share of each side in each; what lies outside counts at the ends."""
    sides = [values[~np.isnan(values)] for values in calibration.values[cut.signal]]
    pooled = np.concatenate([*sides, [cut.value]])
    low, high = np.quantile(pooled, (0.002, 0.998))
    low, high = min(float(low), cut.value), max(float(high), cut.value)
    if high <= low:
        high = low + 1
    edges = np.linspace(low, high, BINS + 1)
    return edges, [_share_in_bins(side, edges) for side in sides]


def _share_in_bins(side: SignalValues, edges: Shares) -> Shares:
    counts, _ = np.histogram(np.clip(side, edges[0], edges[-1]), edges)
    return counts / max(len(side), 1)


def write_picture(calibration: Calibration, path: str) -> None:
    """Write both sides of every cut as one picture: .svg by itself, other formats by matplotlib.

    Raises UserError where that is not installed.
    """
    cuts = calibration.kept_cuts() or list(calibration.cuts)
    cuts = [cut for cut in cuts if cut.signal in calibration.values]
    if path.lower().endswith(".svg"):
        write_text(path, draw_svg(calibration, cuts))
        return
    try:
        import matplotlib
    except ImportError:
        raise UserError(
            f"--plot {path}: install matplotlib (pip install 'corpusmill[plots]'), or name a .svg file"
        ) from None
    matplotlib.use("Agg")
    write_bytes(path, _draw_by_matplotlib(calibration, cuts, path.rpartition(".")[2]))


def draw_svg(calibration: Calibration, cuts: Sequence[Cut]) -> str:
    """Return the picture as SVG: a panel a cut, the reference blue, the sample orange, the cut a line."""
    rows = max(1, -(-len(cuts) // COLUMNS))
    width, height = COLUMNS * PANEL_WIDTH, rows * PANEL_HEIGHT + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><title>{html.escape(calibration.language)}: signals of the reference and of the sample</title>'
        f'<text x="8" y="16"><tspan fill="{COLORS[0]}">reference</tspan> '
        f'<tspan fill="{COLORS[1]}">sample</tspan></text>'
    ]
    for number, cut in enumerate(cuts):
        left, top = number % COLUMNS * PANEL_WIDTH + 8, number // COLUMNS * PANEL_HEIGHT + 24
        parts.append(f'<g transform="translate({left},{top})">{_draw_panel(calibration, cut)}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _draw_panel(calibration: Calibration, cut: Cut) -> str:
    edges, shares = bin_sides(calibration, cut)
    tallest = max(float(each.max(initial=0)) for each in shares) or 1.0
    width, height = PANEL_WIDTH - 24, PANEL_HEIGHT - 44
    curves = []
    for each, color in zip(shares, COLORS, strict=True):
        points = [
            f"{x:.1f},{14 + height * (1 - (share / tallest) ** 0.5):.1f}"
            for at, share in enumerate(each)
            for x in (width * at / BINS, width * (at + 1) / BINS)
        ]
        curves.append(f'<polyline fill="none" stroke="{color}" points="{" ".join(points)}"/>')
    x = width * (cut.value - edges[0]) / (edges[-1] - edges[0])
    title = f"{cut.signal}.{cut.bound} {cut.value:g} (loses {cut.lost:.1%}, removes {cut.removed:.1%})"
    return (
        f'<text y="8">{html.escape(title)}</text>{"".join(curves)}'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="12" y2="{14 + height}" stroke="#444" stroke-dasharray="3 2"/>'
        f'<text y="{height + 26}" fill="#666">{edges[0]:.3g}</text>'
        f'<text x="{width}" y="{height + 26}" fill="#666" text-anchor="end">{edges[-1]:.3g}</text>'
    )


def _draw_by_matplotlib(calibration: Calibration, cuts: Sequence[Cut], format: str) -> bytes:
    from io import BytesIO

    from matplotlib import pyplot

    rows = max(1, -(-len(cuts) // COLUMNS))
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.2 * rows), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, cut in zip(axes.flat, cuts, strict=False):
        axis.set_axis_on()
        edges, shares = bin_sides(calibration, cut)
        for each, color, name in zip(shares, COLORS, ("reference", "sample"), strict=True):
            axis.stairs(np.sqrt(each), edges, color=color, label=name)
        axis.axvline(cut.value, color="#444", linestyle="--")
        axis.set_title(f"{cut.signal}.{cut.bound} {cut.value:g}", fontsize=8)
        axis.set_yticks([])
    if cuts:
        axes.flat[0].legend(fontsize=7)
    figure.tight_layout()
    buffer = BytesIO()
    try:
        figure.savefig(buffer, format=format, metadata={"Date": None} if format == "pdf" else None)
    except ValueError as error:
        raise UserError(f"--plot: {error}") from None
    finally:
        pyplot.close(figure)
    return buffer.getvalue()
