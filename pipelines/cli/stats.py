"""`corpus stats`: what is in a workspace, and what every rule did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.table import Table

    from corpus.workspace import Workspace

VIEWS = ("source", "language", "rule")


def stats(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace.")],
    by: Annotated[
        str, typer.Option(help="Which tables: source, language, rule, or several with commas.")
    ] = "source,language,rule",
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
) -> None:
    """Documents, bytes and tokens by source and language, and what each rule dropped, alone and in all.

    Example: corpus stats demo-workspace --by source,rule
    """
    from rich.console import Console

    import corpus
    from corpus.errors import UserError

    views = [view.strip() for view in by.split(",") if view.strip()]
    for view in views:
        if view not in VIEWS:
            raise UserError(f"--by {view}: it is one of {', '.join(VIEWS)}, or several with commas between")
    opened = corpus.open(workspace)
    if as_json:
        typer.echo(json.dumps({view: rows(opened, view) for view in views}, ensure_ascii=False))
    else:
        print_stats(opened, Console(), views)


def rows(workspace: Workspace, view: str) -> list[dict[str, Any]]:
    """The rows of one view, the largest first, as plain values."""
    tables = ledger(workspace)
    return _rules(tables["counts"]) if view == "rule" else _by(tables["counts"], tables["tokens"], view)


def ledger(workspace: Workspace) -> dict[str, pa.Table]:
    """The ledger; raises UserError where the build has not come that far."""
    from corpus.errors import UserError

    tables = workspace.stats()
    if "counts" not in tables:
        raise UserError(
            f"{workspace.root} has no statistics yet: its build is not finished, `corpus build` goes on"
        )
    return tables


def _by(counts: pa.Table, tokens: pa.Table, key: str) -> list[dict[str, Any]]:
    """Per source or language: documents at every stage, bytes and tokens kept, bytes a token."""
    found: dict[str, dict[str, Any]] = {}
    blank = {"read": 0, "gated": 0, "rules": 0, "duplicate": 0, "kept": 0, "bytes": 0, "tokens": 0}
    for row in counts.select([key, "what", "documents", "bytes"]).to_pylist():
        entry = found.setdefault(row[key], {key: row[key], **blank})
        if row["what"] in entry:
            entry[row["what"]] += row["documents"]
        if row["what"] == "kept":
            entry["bytes"] += row["bytes"]
    for row in tokens.select([key, "tokens"]).to_pylist():
        if row[key] in found:
            found[row[key]]["tokens"] += row["tokens"]
    return sorted(found.values(), key=lambda entry: (-entry["bytes"], -entry["read"], entry[key]))


def _rules(counts: pa.Table) -> list[dict[str, Any]]:
    """Per rule: texts that fail it, that fail it alone, and their share of all texts."""
    texts = 0
    found: dict[str, dict[str, Any]] = {}
    for row in counts.select(["what", "key", "documents", "bytes"]).to_pylist():
        if row["what"] == "passed":
            texts += row["documents"]
        elif row["what"] in ("failed", "failed_only"):
            entry = found.setdefault(
                row["key"], {"rule": row["key"], "failed": 0, "failed_only": 0, "bytes": 0}
            )
            entry[row["what"]] += row["documents"]
            entry["bytes"] += row["bytes"] if row["what"] == "failed" else 0
    for entry in found.values():
        entry["share"] = round(entry["failed"] / max(1, texts), 4)
    return sorted(found.values(), key=lambda entry: (-entry["failed"], entry["rule"]))


def print_stats(workspace: Workspace, console: Console, views: list[str] | None = None) -> None:
    """The tables for a terminal of 80 columns."""
    from rich.table import Table

    tables = ledger(workspace)
    for view in views or list(VIEWS):
        if view == "rule":
            _print_rules(console, tables["counts"])
            continue
        table = Table(
            title=f"documents by {view}", title_justify="left", title_style="bold", box=None, pad_edge=False
        )
        table.add_column(view, overflow="fold")
        for name in ("read", "gated", "rules", "duplicate", "kept", "bytes", "tokens", "b/tok"):
            table.add_column(name, justify="right")
        shown = _by(tables["counts"], tables["tokens"], view)
        for row in shown:
            _add(table, row[view], row)
        if len(shown) > 1:
            total = {key: sum(row[key] for row in shown) for key in shown[0] if key != view}
            table.add_section()
            _add(table, "all", total)
        console.print(table)
        console.print()
    quarantined = tables["quarantine"].to_pylist()
    if quarantined:
        table = Table(title="quarantine", title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name in ("source", "step", "reason"):
            table.add_column(name, overflow="fold")
        table.add_column("records", justify="right")
        for row in quarantined:
            table.add_row(row["source"], row["step"], row["reason"], f"{row['records']:,}")
        console.print(table)


def _add(table: Table, name: str, row: dict[str, Any]) -> None:
    """One line of counts; gated, rules, duplicate and kept add up to read."""
    ratio = f"{row['bytes'] / row['tokens']:.2f}" if row["tokens"] else "-"
    counts = [f"{row[key]:,}" for key in ("read", "gated", "rules", "duplicate", "kept")]
    table.add_row(name, *counts, size(row["bytes"]), short(row["tokens"]), ratio)


def _print_rules(console: Console, counts: pa.Table) -> None:
    from rich.table import Table

    table = Table(
        title="texts by failed rule", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    table.add_column("rule", overflow="fold")
    for name in ("failed", "share", "only this", "bytes"):
        table.add_column(name, justify="right")
    for row in _rules(counts):
        table.add_row(
            row["rule"],
            f"{row['failed']:,}",
            f"{row['share']:.1%}",
            f"{row['failed_only']:,}",
            size(row["bytes"]),
        )
    console.print(table)
    console.print()


def size(count: float) -> str:
    """Bytes for people: 12.3 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def short(count: float) -> str:
    """A large number for people: 12.3M."""
    for unit in ("", "k", "M"):
        if count < 1000:
            return f"{count:.0f}" if not unit else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:,.1f}B"
