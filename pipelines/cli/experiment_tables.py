"""The tables of `corpus experiment`: verdicts of a comparison, the points and the curve of a ladder."""

from __future__ import annotations

from typing import Any

from corpus.experiments.loss_curve import CURVE_NAMES
from corpus.pipelines.cli.console import make_console
from corpus.pipelines.cli.stats import to_plain_text
from corpus.trainer.report import format_count, make_table


def print_verdicts(result: dict[str, Any]) -> None:
    console = make_console()
    for control in result["controls"].values():
        console.print(to_plain_text(control["sentence"]), highlight=False, soft_wrap=True)
    for size, of_size in result["sizes"].items():
        for verdict in of_size["verdicts"]:
            table = make_table(f"{size}: {verdict['second']} against {verdict['first']}")
            table.add_column("language")
            table.add_column("% better", justify="right")
            table.add_column("95 % interval", justify="right")
            table.add_column("seeds won", justify="right")
            table.add_column("verdict", overflow="fold")
            for row in [*verdict["languages"], {**verdict, "language": "all"}]:
                outcome = f"{row['better']} better" if row["resolved"] else row["sentence"].partition("; ")[2]
                table.add_row(
                    row["language"],
                    f"{row['percent']:+.2f}",
                    f"{row['low']:+.2f} to {row['high']:+.2f}",
                    f"{row['seeds_won']} of {row['seeds']}",
                    to_plain_text(outcome if row["resolved"] else f"not resolved: {outcome}"),
                )
            console.print(table)
            console.print(to_plain_text(f"{size}: {verdict['sentence']}"), highlight=False, soft_wrap=True)


def print_fit(result: dict[str, Any]) -> None:
    console = make_console()
    table = make_table("the ladder")
    for name in ("run", "parameters", "tokens", "bits/byte", "off the curve"):
        table.add_column(name, justify="left" if name == "run" else "right")
    for point in result["points"]:
        off = f"{100 * result['fit']['residuals'][point['name']]:+.2f} %"
        left = " left" if point["name"] in result["fit"]["left"] else ""
        table.add_row(
            point["name"],
            format_count(point["parameters"]),
            format_count(point["tokens"]),
            f"{point['bits']:.4f}",
            off + left,
        )
    console.print(table)
    curve, spans = result["fit"]["curve"], result["fit"]["intervals"]
    for name in curve:
        low, high = spans[name]
        console.print(f"{CURVE_NAMES[name]} {curve[name]:.4g} ({low:.4g} to {high:.4g})", highlight=False)
