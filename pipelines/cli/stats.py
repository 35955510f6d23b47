"""`corpus stats`: what a workspace contains, what every rule dropped, and how two workspaces differ."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.pipelines.cli.console import room_beside
from corpus.pipelines.cli.refusals import refuse_options
from corpus.suggestions import list_choices

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from corpus.pipelines.cli.watching import Hearing
    from corpus.workspace import Workspace

LIMIT = 30
DEFAULT_VIEWS = "source,language,rule"
VIEW_TITLES = {
    "source": "documents by source",
    "language": "documents by language",
    "snapshot": "documents by snapshot",
    "gate": "records stopped by a gate",
    "rule": "texts by failed rule; share: of the texts the rule applies to",
    "duplicate": "duplicates by level",
    "canary": "canaries by likeness: shares expected, paired (95 % interval), found, right",
    "edit": "private data and lines by rules in all documents, repeated text in kept ones",
    "set": "evaluation sets: items, and hits of them in all documents",
    "domain": "documents by domain",
    "license": "documents by license",
    "quarantine": "quarantined records (of damaged ones, the reason says what is wrong)",
    "engine": "web pages by what read them",
    "opt_out": "documents by what their pages say about being trained on",
}
VIEW_COLUMNS = {
    "source": ("read", "gated", "rules", "duplicate", "kept", "bytes", "tokens", "b/tok"),
    "gate": ("documents",),
    "rule": ("failed", "share", "failed_only", "near_failed", "near_passed"),
    "duplicate": ("documents", "bytes", "largest"),
    "canary": ("pairs", "expected", "candidates", "low", "high", "found", "precision"),
    "edit": ("documents", "spans", "characters"),
    "set": ("items", "looked_for", "items_hit", "documents", "hits", "cleared", "common"),
    "domain": ("documents", "kept", "bytes", "kept_bytes"),
    "quarantine": ("records",),
    "engine": ("documents", "bytes"),
}
VIEW_LAYOUTS = {"language": "source", "snapshot": "source", "license": "domain", "opt_out": "domain"}
COLUMN_HEADS = {
    "failed_only": "alone",
    "near_failed": "just\nfail",
    "near_passed": "just\npass",
    "kept_bytes": "bytes\nkept",
    "largest": "largest cluster",
    "looked_for": "looked\nfor",
    "items_hit": "items\nhit",
}
SHARE_COLUMNS = ("expected", "candidates", "low", "high", "found", "precision")
RULE_NUMBERS, RULE_CHANGES = 42, 55
"""Places that the numbers of a rule take, and those of two workspaces; the rest of the line is its name's."""
COMPARED_COLUMNS = {
    "source": ("kept", "tokens"),
    "rule": ("failed", "failed_only"),
    "domain": ("documents", "kept"),
}


def stats(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace to show.")],
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="DIR",
            help="Second workspace to compare the first with, table by table (default: no comparison).",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help="Tables to show, separated by commas: source, language, snapshot, gate, rule, "
            "duplicate, canary, edit, set, domain, license, quarantine, engine, opt_out."
        ),
    ] = DEFAULT_VIEWS,
    limit: Annotated[
        int, typer.Option(min=1, help="Maximum rows to show per table; --json and --csv print every row.")
    ] = LIMIT,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the tables as one JSON object with every row, instead of text."),
    ] = False,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="Print the table named by --by as CSV with every row; --by must name exactly one."
        ),
    ] = False,
) -> None:
    """Show documents, bytes and tokens by source and language, and how many texts each rule dropped.

    Reads the ledger of a workspace, or of two to compare them; writes nothing. For each rule it counts the texts that
    fail it, those that fail no other rule (alone), and those within a tenth of its bound (just fail, just pass).

    Example: corpus stats demo-workspace --by source,rule

    Example: corpus stats one-workspace other-workspace --by language
    """
    from corpus.errors import UserError
    from corpus.ledger.views import NAME_COLUMNS, TABLES_OF_VIEWS, compare_rows
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.opening import is_finished, open_workspace

    views = [view.strip() for view in by.split(",") if view.strip()]
    for view in views:
        if view not in TABLES_OF_VIEWS:
            raise UserError(
                f"--by {view}: {list_choices(view, TABLES_OF_VIEWS)}; several are separated by commas"
            )
    if as_json:
        refuse_options("--json", {"--csv": as_csv})
    if as_json or as_csv:
        refuse_options("--json" if as_json else "--csv", {"--limit": limit != LIMIT})
    if as_csv and len(views) != 1:
        raise UserError("--csv prints one table: choose it, for example --by language")
    opened = open_workspace(workspace)
    tables = (
        {view: read_rows(opened, view) for view in views} if as_json or as_csv or other is not None else {}
    )
    if other is not None:
        beside = open_workspace(other)
        tables = {
            view: compare_rows(tables[view], read_rows(beside, view), NAME_COLUMNS[view]) for view in views
        }
    if as_json:
        typer.echo(json.dumps(tables, ensure_ascii=False))
    elif as_csv:
        typer.echo(to_csv(tables[views[0]]), nl=False)
    elif other is not None:
        print_compared(make_console(), tables, workspace, other, limit)
    if other is not None and (note := describe_tokenizers(opened, open_workspace(other))):
        typer.echo(f"corpus: {note}", err=True)
    if as_json or as_csv or other is not None:
        return
    print_stats(opened, make_console(), views, limit)
    if is_finished(opened):  # sources of a plan that is being built are in no table yet
        print_lost_sources(opened, make_console())


def describe_tokenizers(one: Workspace, other: Workspace) -> str | None:
    """Return a line if two workspaces have different tokenizers, so that their tokens cannot be compared."""
    from corpus.errors import UserError

    try:
        sides = [workspace.tokens() for workspace in (one, other)]
    except UserError:  # a build that is not finished has no tokens to compare
        return None
    if sides[0]["tokenizer"]["sha256"] == sides[1]["tokenizer"]["sha256"]:
        return None
    rates = []
    for side in sides:
        size, tokens = (sum(shard[name] for shard in side["shards"]) for name in ("bytes", "tokens"))
        rates.append(f"{size / tokens:.2f}" if tokens else "no")
    return (
        f"the tokenizers differ ({rates[0]} and {rates[1]} bytes a token), so that numbers of tokens cannot be "
        "compared: compare documents and bytes, or build both with one tokenizer (`tokenizer: PATH`)"
    )


def read_rows(workspace: Workspace, view: str) -> list[dict[str, Any]]:
    """The rows of one table, the largest first, as plain values."""
    from corpus.ledger.tables import read_ledger
    from corpus.ledger.views import TABLES_OF_VIEWS
    from corpus.ledger.views import build_view as view_of

    engines = None
    if view == "engine":
        from corpus.inspect.page_engines import find_engines

        engines = find_engines(workspace)
    return view_of(read_ledger(workspace, TABLES_OF_VIEWS[view]), view, engines)


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV with a header line; the numbers of two workspaces become two columns."""
    flat = []
    for row in rows:
        entry: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, list):
                entry[f"{name}_1"], entry[f"{name}_2"] = value
            else:
                entry[name] = value
        flat.append(entry)
    names = list(dict.fromkeys(name for row in flat for name in row))
    output = io.StringIO()
    writer = csv.DictWriter(output, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return output.getvalue()


def print_stats(
    workspace: Workspace, console: Console, views: list[str] | None = None, limit: int = 30
) -> None:
    """A line of totals, then the tables, for a terminal of 80 columns."""
    from corpus.ledger.tables import read_canary_tables, read_ledger

    print_totals(workspace, console)
    tables = read_ledger(workspace, ["quarantine"])
    chosen = list(views or DEFAULT_VIEWS.split(","))
    if views is None and tables["quarantine"].num_rows:
        chosen.append("quarantine")
    if views is None and read_canary_tables(workspace)["canaries"].num_rows:
        chosen.append("canary")
    for view in chosen:
        _print_view(console, view, read_rows(workspace, view), limit)


def print_totals(workspace: Workspace, console: Console) -> None:
    """A line of totals."""
    from corpus.inspect.readable import format_count, format_short, format_size
    from corpus.ledger.tables import read_ledger
    from corpus.ledger.views import sum_totals

    tables = read_ledger(workspace, ["counts", "tokens"])
    total = sum_totals(tables["counts"], tables["tokens"])
    share = total["kept"] / max(1, total["read"])
    console.print(
        f"{format_count(total['kept'])} of {format_count(total['read'])} documents kept ({share:.1%}), "
        f"{format_size(total['bytes'])}, {format_short(total['tokens'])} tokens, "
        f"{format_count(total['valid'])} in validation\n",
        highlight=False,
    )


def print_lost_sources(workspace: Workspace, console: Console) -> None:
    """A line on each source of which nothing is kept, and on each with dates that could not be read."""
    from corpus.ledger.losses import describe_lost_sources, describe_unread_dates

    for line in (*describe_lost_sources(workspace), *describe_unread_dates(workspace)):
        console.print(to_plain_text(line), style="yellow", soft_wrap=True)


def print_result(workspace: Workspace, hearing: Hearing) -> None:
    """What a build or `corpus decide` came to: all tables, or the totals alone where there was nothing to do."""
    from corpus.pipelines.cli.console import make_console

    if not hearing.has_nothing_to_do:
        print_stats(workspace, make_console())
        return
    print_totals(workspace, make_console())
    typer.echo(
        f"`corpus stats {workspace.root}` shows what every rule did, `corpus verify {workspace.root}` checks what is "
        "in the files"
    )


def _print_view(console: Console, view: str, entries: list[dict[str, Any]], limit: int) -> None:
    table = _make_table(view)
    numbers = VIEW_COLUMNS[VIEW_LAYOUTS.get(view, view)]
    if view == "quarantine":
        for name in ("source", "step"):
            table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(COLUMN_HEADS.get(name, name), justify="right")
    for row in entries[:limit]:
        extra = [to_plain_text(row["source"]), to_plain_text(row["step"])] if view == "quarantine" else []
        table.add_row(
            _format_name(view, row, room_beside(console, RULE_NUMBERS)),
            *extra,
            *[_format_number(name, row) for name in numbers],
        )
    if VIEW_LAYOUTS.get(view, view) == "source" and len(entries) > 1:
        total = {
            name: sum(row[name] or 0 for row in entries)
            for name in entries[0]
            if isinstance(entries[0][name], int)
        }
        table.add_section()
        table.add_row(to_plain_text("all"), *[_format_number(name, total) for name in numbers])
    _print_table(console, table, entries, limit)


def print_compared(
    console: Console, tables: dict[str, list[dict[str, Any]]], one: str, other: str, limit: int
) -> None:
    """Print the tables of two workspaces: both numbers of each row and how they differ."""
    from rich.text import Text

    from corpus.inspect.readable import format_change, format_count, make_printable

    console.print(Text(make_printable(f"1: {one}\n2: {other}\n")))
    for view, entries in tables.items():
        table = _make_table(view)
        table.title = VIEW_TITLES[view].partition(";")[0]
        numbers = COMPARED_COLUMNS.get(
            VIEW_LAYOUTS.get(view, view), VIEW_COLUMNS[VIEW_LAYOUTS.get(view, view)][:1]
        )
        for name in numbers:
            head = COLUMN_HEADS.get(name, name)
            for label in (f"{head} 1", f"{head} 2", "change"):
                table.add_column(label, justify="right")
        for row in entries[:limit]:
            cells: list[str] = []
            for name in numbers:
                before, after = row.get(name, [0, 0])
                cells += [format_count(before), format_count(after), format_change(before, after)]
            table.add_row(_format_name(view, row, room_beside(console, RULE_CHANGES)), *cells)
        _print_table(console, table, entries, limit)


def _make_table(view: str) -> Table:
    from rich.table import Table

    from corpus.ledger.views import NAME_COLUMNS

    table = Table(title=VIEW_TITLES[view], title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column(NAME_COLUMNS[view], overflow="fold")
    return table


def _print_table(console: Console, table: Table, entries: list[Any], limit: int) -> None:
    from corpus.inspect.readable import format_things

    console.print(table if entries else f"[bold]{table.title}[/]: none")
    if len(entries) > limit:
        left = format_things(len(entries) - limit, "more row")
        console.print(f"[dim]... {left} (raise --limit, or use --json or --csv)[/]")
    console.print()


def _format_name(view: str, row: dict[str, Any], width: int | None) -> Text:
    from corpus.inspect.readable import shorten_rule_name
    from corpus.ledger.views import NAME_COLUMNS

    value = row[NAME_COLUMNS[view]]
    if value is None:
        names = row.get("names", 0)
        count = names[0] if isinstance(names, list) else names
        return to_plain_text(f"({count:,} others)")
    return to_plain_text(shorten_rule_name(value, width) if view == "rule" else value or "-")


def to_plain_text(text: str) -> Text:
    """Untrusted text without markup or terminal control characters."""
    from rich.text import Text

    from corpus.inspect.readable import make_printable

    return Text(make_printable(text))


def _format_number(name: str, row: dict[str, Any]) -> str:
    from corpus.inspect.readable import format_count, format_short, format_size

    if name == "b/tok":
        return f"{row['bytes'] / row['tokens']:.2f}" if row["tokens"] else "-"
    if name in SHARE_COLUMNS:
        return "-" if row[name] is None else f"{row[name]:.3f}"
    if name == "share":
        return f"{row['share']:.1%}"
    if name in ("bytes", "kept_bytes"):
        return format_size(row[name])
    if name == "tokens":
        return "-" if row[name] is None else format_short(row[name])
    return format_count(row[name])
