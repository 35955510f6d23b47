"""`corpus coverage`: what became of every URL of a list."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def coverage(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace.")],
    urls: Annotated[str, typer.Argument(metavar="URLS", help="The list: Parquet with a column `url`.")],
    source: Annotated[str | None, typer.Option(help="Only documents of this source.")] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Parquet with the outcome of each URL.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Say what became of every URL of a list: a kept document, or why there is none.

    Example: corpus coverage openwebtext links/urls.parquet --out outcomes.parquet
    """
    from rich.console import Console
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.web.url_lists.coverage import coverage as count
    from corpus.workspace import Workspace

    if not storage.exists(urls):
        raise UserError(f"no such file: {urls}")
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
    Console().print(table)
