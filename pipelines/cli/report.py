"""`corpus report`: one HTML page about a build."""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace to report on.")],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="HTML file to write, including when and how the last build ran: command, versions, workers, times "
            "(default: DIR/report.html, without them).",
        ),
    ] = None,
) -> None:
    """Write the report of a workspace: one HTML page that opens from disk, without a network.

    Reads the ledger and a few documents; writes one file with what was built from what, totals, alarms, and for each
    rule a histogram of its signal and documents near its bound. A build writes DIR/report.html itself, without
    times, so that the same input gives the same page.

    Example: corpus report demo-workspace --out report.html
    """
    from corpus.inspect.report import write_report
    from corpus.pipelines.cli.opening import open_workspace
    from corpus.progress import last_run
    from corpus.storage.outputs import check_output_file

    opened = open_workspace(workspace)
    check_output_file("--out", opened.path("report.html") if out is None else out)
    typer.echo(write_report(opened, out, last_run(opened.path("timings.json")) if out else None))
