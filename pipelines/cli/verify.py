"""`corpus verify`: is a workspace whole, and does it agree with itself and with its input?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from corpus.verify.findings import Findings


def verify(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A finished workspace.")],
    rebuild: Annotated[
        int, typer.Option(min=0, help="Make so many splits again from the input, and compare bytes.")
    ] = 0,
    manifest: Annotated[
        str | None, typer.Option(help="For --rebuild: where the input's relative paths start from.")
    ] = None,
    seed: Annotated[int, typer.Option(help="For --rebuild: another seed draws other splits.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Local processes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check a workspace: checksums, schemas, fingerprints, ids, sides, shards, tokens and counts.

    Example: corpus verify demo-workspace

    Example: corpus verify demo-workspace --rebuild 3

    Everything is read, nothing written. Exit status 1 where a check does not hold.
    """
    from corpus.errors import RunError
    from corpus.pipelines.cli.progress import progress
    from corpus.verify.workspace import verify as check

    with progress() as show:
        found = check(workspace, workers, show)
        if rebuild:
            from corpus.pipelines.build.rebuild import rebuild as again

            found.add(again(workspace, rebuild, seed, manifest, show))
    if as_json:
        typer.echo(
            json.dumps({name: asdict(check) for name, check in found.checks.items()}, ensure_ascii=False)
        )
    else:
        print_findings(found)
    if not found.good:
        wrong = [name for name, check in found.checks.items() if check.wrong]
        raise RunError(f"{workspace} fails {len(wrong)} of {len(found.checks)} checks: {', '.join(wrong)}")


def print_findings(found: Findings) -> None:
    """A line a check, and below it what is wrong."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.readable import printable, whole
    from corpus.verify.findings import CHECKS

    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("check", "left"),
        ("what holds", "left"),
        ("looked at", "right"),
        ("wrong", "right"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, check in found.checks.items():
        wrong = Text(whole(check.wrong), "bold red") if check.wrong else Text("0", "green")
        if not check.looked and not check.wrong:
            wrong = Text("-", "dim")
        table.add_row(name, CHECKS[name], whole(check.looked), wrong)
    console = Console()
    console.print(table)
    for name, check in found.checks.items():
        for problem in check.problems:
            console.print(Text.assemble((f"{name}: ", "bold red"), printable(problem)))
        if check.wrong > len(check.problems) and check.problems:
            console.print(Text(f"{name}: {check.wrong:,} wrong in all", "dim"))
