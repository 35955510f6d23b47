"""`corpus decide`: apply other rules to a finished workspace, without reading the input again."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.pipelines.cli.beam_options import BeamOptions, check_beam_options
from corpus.pipelines.cli.plugin_option import PluginFolders, use_plugin_folders
from corpus.pipelines.cli.refusals import refuse_options

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.pipelines.build.redecide import Difference

SAMPLES = 3
"""Documents of each kind that --what-if shows unless --samples says otherwise."""


def decide(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace whose build is finished.")],
    manifest: Annotated[
        str | None,
        typer.Argument(
            metavar="MANIFEST",
            help="Manifest with the new rules (default: the one in the workspace). Besides rules, only "
            "clean, redact, dedup, decontaminate (but its sets), validation, tokenizer, tokens, mixture, seed "
            "and source priorities may differ.",
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="RULE=VALUE",
            help="Show which documents would be kept or dropped with this bound of a rule, and write "
            "nothing: gopher.words.min=30, gopher.words.min=off to remove it, or "
            "gopher.words.min@tha=20 for one language. Edits: redact.email=mask, count or off, "
            "clean.cookies=cut, count or off, clean.repeats=on or off. Repeatable.",
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="RULE=VALUE",
            help="Change this bound of a rule and update the workspace: gopher.words.min=30, "
            "gopher.words.min=off to remove it, or gopher.words.min@tha=20 for one language. "
            "Edits: redact.email=mask, count or off, clean.cookies=cut, count or off, clean.repeats=on or off. "
            "Repeatable.",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            "-n",
            "--samples",
            min=0,
            help="With --what-if, number of example documents to show of those newly kept and of those "
            "newly dropped.",
        ),
    ] = SAMPLES,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=256, help="Number of local worker processes. Small workspaces use one regardless."
        ),
    ] = 1,
    plugins: PluginFolders = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="With --what-if, print the changes by source and language and the example documents "
            "as JSON.",
        ),
    ] = False,
    beam_options: BeamOptions = None,
) -> None:
    """Apply changed rules to the signals that a workspace stores, without reading the input again.

    Reads the documents and signals of a finished workspace. Rewrites its decisions, duplicate clusters, token shards,
    ledger and report where the rules change them; the result is the same as a build with these rules. With --what-if
    it only shows the difference and writes nothing. If it is interrupted, run the same command to resume it.

    Example: corpus decide demo-workspace --what-if gopher.mean_word_length.max=8

    Example: corpus decide demo-workspace --set gopher.words.min=30 --set gopher.words.min@tha=20

    Options for Apache Beam follow `--`, as for `corpus build`.
    """
    from rich.console import Console

    from corpus.errors import UserError
    from corpus.pipelines.beam.loading import keep_pandas_out
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.build.redecide import compare_changes as see
    from corpus.pipelines.build.redecide import decide_again
    from corpus.pipelines.cli.build import check_kept
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.stats import print_lost_sources, print_result
    from corpus.pipelines.cli.watching import Hearing, watch_build

    if manifest is not None and manifest.startswith("--"):  # the first word after `--`
        beam_options, manifest = [manifest, *(beam_options or ())], None
    extra = check_beam_options(beam_options, "give DIR and at most one manifest, with Beam options after --")
    if what_if:
        refuse_options("--what-if", {"-- BEAM OPTIONS": bool(extra)})
    if what_if and change:
        raise UserError("--what-if only shows a change and --set makes it: give one of them")
    if as_json and not what_if:
        raise UserError("--json needs --what-if: without it, run `corpus stats DIR --json` afterwards")
    if not what_if:
        refuse_options("no --what-if", {"--samples": samples != SAMPLES})
    use_plugin_folders(plugins)
    keep_pandas_out()
    running = Running(workers=workers, extra=extra)
    if what_if:
        difference = see(workspace, manifest, parse_changes(what_if), running, samples)
        if as_json:
            typer.echo(json.dumps(vars(difference), ensure_ascii=False, default=str))
        else:
            show_difference(make_console(), difference, ", ".join(what_if))
        return
    with watch_build() as (say, show):
        hearing = Hearing(say)
        decided = decide_again(workspace, manifest, parse_changes(change or []), running, hearing, show)
    print_result(decided, hearing)
    print_lost_sources(decided, Console(stderr=True))
    if change:
        typer.echo(
            "corpus: the next `corpus build` of your manifest undoes this: put these rules into it "
            f"({decided.path('manifest.yaml')} has them)",
            err=True,
        )
    check_kept(decided)


def parse_changes(changes: list[str]) -> dict[str, float | str]:
    """`gopher.words.min=30`, `gopher.words.min@tha=off` or `redact.email=count`."""
    from corpus.errors import UserError
    from corpus.rules.rule import BOUND_KINDS

    bounds: dict[str, float | str] = {}
    for text in changes:
        name, _, value = text.partition("=")
        try:
            is_bound = name.partition("@")[0].rpartition(".")[2] in BOUND_KINDS
            is_word = value == "off" or (name.startswith(("redact.", "clean.")) and not is_bound)
            bounds[name] = value if is_word else float(value)
        except ValueError:
            raise UserError(
                f"{text}: expected RULE=VALUE, such as gopher.words.min=30 or gopher.words.min@tha=off"
            ) from None
    return bounds


def show_edits(console: Console, difference: Difference, changes: str) -> None:
    """Print what of the edits of kept documents would be applied, before and after, by kind, source and language.

    A kind with several rows has one for all of them.
    """
    from rich.table import Table

    from corpus.inspect.readable import format_count, make_printable
    from corpus.pipelines.cli.stats import to_plain_text

    if not difference.edits:
        return
    table = Table(
        title=f"edits of kept documents with {make_printable(changes)}, before and after",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for name in ("edit", "source", "language"):
        table.add_column(name, overflow="fold")
    numbers = ("documents", "spans", "characters")
    for name in numbers:
        table.add_column(name, justify="right")
        table.add_column("after", justify="right")
    for kind, group in groupby(difference.edits, itemgetter("kind")):
        rows = list(group)
        for row in rows:
            names = [to_plain_text(row[name] or "-") for name in ("kind", "source", "language")]
            table.add_row(*names, *(format_count(number) for name in numbers for number in row[name]))
        if len(rows) > 1:
            sums = [sum(row[name][at] for row in rows) for name in numbers for at in (0, 1)]
            table.add_row(to_plain_text(kind), "all", "", *map(format_count, sums))
    console.print(table)


def show_difference(console: Console, difference: Difference, changes: str) -> None:
    """Print what would change by source and language, with documents that would be kept or dropped."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.readable import format_change, format_count, format_short, format_size, make_printable
    from corpus.pipelines.cli.sample import show_document
    from corpus.pipelines.cli.stats import to_plain_text

    for line in difference.effects:
        console.print(Text(make_printable(line), "yellow"), soft_wrap=True)
    show_edits(console, difference, changes)
    if not difference.rows and difference.edits:
        return
    if not difference.rows:
        console.print(Text(make_printable(f"with {changes} nothing would change")))
        return
    table = Table(
        title=f"documents kept with {make_printable(changes)}, where any come or go",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for name in ("source", "language"):
        table.add_column(name, overflow="fold")
    for name in ("before", "after", "gained", "lost", "bytes", "change", "tokens"):
        table.add_column(name, justify="right")
    total: dict[str, Any] = {
        "source": "all above",
        "language": f"{len(difference.rows):,} rows",
        **{
            name: [sum(row[name][side] for row in difference.rows) for side in (0, 1)]
            for name in ("kept", "bytes", "tokens")
        },
        **{name: sum(row[name] for row in difference.rows) for name in ("back", "gone")},
    }
    for row in [*difference.rows, total] if len(difference.rows) > 1 else difference.rows:
        now, then = row["bytes"]
        more = f"{'-' if then < now else '+'}{format_size(abs(then - now))}"
        more_tokens = row["tokens"][1] - row["tokens"][0]
        tokens = f"~{'-' if more_tokens < 0 else '+'}{format_short(abs(more_tokens))}"
        counts = [format_count(number) for number in (*row["kept"], row["back"], row["gone"])]
        table.add_row(
            to_plain_text(row["source"]),
            to_plain_text(row["language"]),
            *counts,
            more,
            format_change(now, then),
            tokens,
        )
    console.print(table)
    if difference.absent:
        console.print(
            f"{difference.absent:,} of the documents gained have no text in the workspace (keep_text): "
            "`corpus build` with these rules reads them again"
        )
    for title, rows in (("would be kept", difference.back), ("would be dropped", difference.gone)):
        if rows:
            console.print(f"\n[bold]{title}[/], for example")
        for row in rows:
            show_document(console, row, full=False)
