"""`corpus report`: one page that shows what a build did."""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace.")],
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where to (default: DIR/report.html).")
    ] = None,
) -> None:
    """Write the report of a workspace: one HTML page that opens from disk.

    Example: corpus report demo-workspace --out report.html

    A build writes DIR/report.html itself, without its times, so that the same input gives the same page; a page
    written elsewhere with --out has them.
    """
    from corpus.inspect.report import write_report
    from corpus.pipelines.cli.opening import open_workspace
    from corpus.progress import last_run

    opened = open_workspace(workspace)
    typer.echo(write_report(opened, out, last_run(opened.path("timings.json")) if out else None))
