"""Charts of experiments: what they show of an interval that says next to nothing."""

from __future__ import annotations

from xml.etree import ElementTree

from corpus.experiments.charts import CurveChart, Line, curve_reach, draw_curves


def chart_ladder(high: float) -> CurveChart:
    runs = Line(name="runs", xs=[1e3, 1e4], ys=[2.0, 1.0], color=0, dots=True)
    prediction = Line(
        name="prediction", xs=[1e5], ys=[1.0], lows=[0.9], highs=[high], color=1, dots=True, hollow=True
    )
    return CurveChart(title="t", about="a", x="tokens", y="bits", lines=[runs, prediction], log_x=True)


def test_a_narrow_interval_is_shown_whole() -> None:
    low, high = curve_reach(chart_ladder(2.2))
    assert (round(low, 2), round(high, 2)) == (0.84, 2.26)


def test_a_wide_interval_flattens_nothing() -> None:
    """It ends at the edge of the chart, half the reach of the points above them."""
    chart = chart_ladder(2190.0)
    assert round(curve_reach(chart)[1], 2) == 2.56
    svg = ElementTree.fromstring(draw_curves(chart)).find(".//svg")
    assert svg is not None
    dots = [float(circle.attrib["cy"]) for circle in svg.iter("circle")]
    assert max(dots) - min(dots) > 100
    places = [float(line.attrib["y1"]) for line in svg.iter("line")]
    assert min(places) >= 0
