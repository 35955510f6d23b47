"""`corpus coverage`: the outcome of every URL of a list in a workspace."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def coverage(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace to look for the URLs in.")],
    urls: Annotated[
        str,
        typer.Argument(
            metavar="URLS",
            help="List of URLs to look for: a text file with an address a line, or a Parquet file with a column "
            "`url`, such as `corpus urls` writes.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            help="Look only at documents from this source; other URLs count as not found (default: all "
            "sources)."
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Parquet file to write with the outcome of each URL, in columns url and outcome "
            "(default: none).",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the number of URLs by outcome as JSON instead of a table.")
    ] = False,
) -> None:
    """Count the URLs of a list by outcome: kept, duplicate, dropped by a rule or gate, or not found.

    Reads a list of URLs and the documents and decisions of a workspace. Prints the number and share of URLs per
    outcome; with --out also writes the outcome of each URL.

    Example: corpus coverage openwebtext links/urls.parquet --out outcomes.parquet
    """
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.pipelines.cli.console import make_console
    from corpus.storage.outputs import check_output_file
    from corpus.web.url_lists.coverage import measure_coverage as count
    from corpus.workspace import Workspace

    if not storage.exists(urls):
        raise UserError(f"{urls}: no such file: give a list of URLs, one a line, or in Parquet")
    if out is not None:
        check_output_file("--out", out)
    counts = count(Workspace.open(workspace), urls, source, out)
    if as_json:
        typer.echo(json.dumps(counts))
        return
    total = sum(counts.values())
    table = Table("outcome", "urls", "share", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for outcome, number in counts.items():
        table.add_row(outcome, f"{number:,}", f"{number / total:.1%}")
    table.add_row("all", f"{total:,}", "")
    make_console().print(table)
