"""`corpus decide`: other rules on a finished workspace, without reading a page again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.pipelines.build.redecide import Difference


def decide(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A finished workspace.")],
    manifest: Annotated[
        str | None,
        typer.Argument(metavar="[MANIFEST]", help="Its manifest with other rules (default: its own)."),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if", metavar="RULE=VALUE", help="Show what this bound would change; write nothing."
        ),
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="RULE=VALUE", help="Decide with this bound.")
    ] = None,
    samples: Annotated[int, typer.Option("-n", "--samples", min=0, help="Documents shown either way.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Local processes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print what would change as JSON.")] = False,
) -> None:
    """Apply changed rules to the stored signals; duplicates, tokens and the ledger follow where they must.

    Example: corpus decide demo-workspace --what-if gopher.mean_word_length.max=8

    Example: corpus decide demo-workspace --set gopher.words.min=30 --set gopher.words.min@tha=20

    A bound is a number or off. The result is what a build with these rules gives.
    """
    from rich.console import Console

    from corpus.errors import UserError
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.build.redecide import decide_again
    from corpus.pipelines.build.redecide import what_if as see
    from corpus.pipelines.cli.stats import print_stats
    from corpus.pipelines.cli.watching import watching

    if what_if and change:
        raise UserError("--what-if shows and --set does: give one of them")
    if as_json and not what_if:
        raise UserError("--json goes with --what-if; `corpus stats DIR --json` has the numbers afterwards")
    running = Running(workers=workers)
    if what_if:
        found = see(workspace, manifest, parse(what_if), running, samples)
        if as_json:
            typer.echo(json.dumps(vars(found), ensure_ascii=False, default=str))
        else:
            show_difference(Console(), found, ", ".join(what_if))
        return
    with watching() as (say, show):
        decided = decide_again(workspace, manifest, parse(change or []), running, say, show)
    print_stats(decided, Console())


def parse(changes: list[str]) -> dict[str, float | str]:
    """`gopher.words.min=30` or `gopher.words.min@tha=off`."""
    from corpus.errors import UserError

    found: dict[str, float | str] = {}
    for one in changes:
        name, _, value = one.partition("=")
        try:
            found[name] = value if value == "off" else float(value)
        except ValueError:
            raise UserError(
                f"{one}: it is RULE=VALUE, such as gopher.words.min=30 or gopher.words.min@tha=off"
            ) from None
    return found


def show_difference(console: Console, found: Difference, changes: str) -> None:
    """What would change, by source and language, and documents that would come back or go."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.readable import change, printable, short, size, whole
    from corpus.pipelines.cli.sample import show
    from corpus.pipelines.cli.stats import plain

    if not found.rows:
        console.print(Text(printable(f"with {changes} nothing would change")))
        return
    table = Table(
        title=f"with {printable(changes)}", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for name in ("source", "language"):
        table.add_column(name, overflow="fold")
    for name in ("kept", "then", "back", "gone", "bytes", "change", "tokens"):
        table.add_column(name, justify="right")
    total: dict[str, Any] = {
        "source": "all",
        "language": "",
        "kept": [sum(row["kept"][side] for row in found.rows) for side in (0, 1)],
        "bytes": [sum(row["bytes"][side] for row in found.rows) for side in (0, 1)],
        **{name: sum(row[name] for row in found.rows) for name in ("back", "gone", "tokens")},
    }
    for row in [*found.rows, total] if len(found.rows) > 1 else found.rows:
        now, then = row["bytes"]
        more = f"{'-' if then < now else '+'}{size(abs(then - now))}"
        tokens = f"~{'-' if row['tokens'] < 0 else '+'}{short(abs(row['tokens']))}"
        counts = [whole(number) for number in (*row["kept"], row["back"], row["gone"])]
        table.add_row(plain(row["source"]), plain(row["language"]), *counts, more, change(now, then), tokens)
    console.print(table)
    if found.absent:
        console.print(
            f"{found.absent:,} of those that come back have no text here (keep_text): a build reads them again"
        )
    for title, rows in (("would come back", found.back), ("would go", found.gone)):
        if rows:
            console.print(f"\n[bold]{title}[/], for instance")
        for row in rows:
            show(console, row, full=False)
