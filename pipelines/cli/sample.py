"""`corpus sample`: read documents as a person."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.inspect.readable import printable
from corpus.inspect.verdicts import MAX_CHARACTERS_SHOWN, called, measured, verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from corpus.inspect.differences import Pieces
    from corpus.workspace import Workspace



def sample(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace.")],
    documents: Annotated[int, typer.Option("-n", "--documents", min=1, help="How many.")] = 5,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Documents that went (default: that stayed).")
    ] = False,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    language: Annotated[str | None, typer.Option(help="In this language: tha_Thai, or tha.")] = None,
    snapshot: Annotated[str | None, typer.Option(help="Of this snapshot.")] = None,
    domain: Annotated[str | None, typer.Option(help="Of this registered domain.")] = None,
    rule: Annotated[str | None, typer.Option(help="That fail this rule, or this signal's rules.")] = None,
    gate: Annotated[str | None, typer.Option(help="That this gate stopped.")] = None,
    score: Annotated[
        str | None,
        typer.Option(
            metavar="SIGNAL=LOW..HIGH", help="Kept or dropped, with a signal in a range: gopher.words=40..60"
        ),
    ] = None,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="That went as duplicates, beside those that stayed.")
    ] = False,
    cluster: Annotated[
        str | None, typer.Option(metavar="ID", help="All that hangs together with this one.")
    ] = None,
    id: Annotated[str | None, typer.Option(help="This one.")] = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Records that could not be read: where they are and why.")
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(help="In quarantine for this, as `corpus stats DIR --by quarantine` names it."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed shows others.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="Whole texts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write them as a page.")] = None,
    pager: Annotated[bool, typer.Option(help="Page through them in a terminal.")] = True,
) -> None:
    """Show documents that were kept or dropped, chosen by chance, the same ones for the same seed.

    Example: corpus sample demo-workspace --dropped --rule gopher.words.min -n 3

    Example: corpus sample demo-workspace --quarantine --reason crash

    A duplicate is shown beside the one that stayed, with the words marked that only one of them has.
    """
    from rich.console import Console

    from corpus.errors import UserError
    from corpus.inspect.known import check_names
    from corpus.inspect.samples import Wanted, choose
    from corpus.pipelines.cli.opening import open_workspace

    opened = open_workspace(workspace)
    if quarantine or reason is not None:
        show_quarantine(opened, documents, seed, source, reason, as_json)
        return
    kept: bool | None = not (dropped or rule is not None or gate is not None or duplicates)
    if (score is not None and not dropped) or id is not None:
        kept = None
    wanted = Wanted(
        kept=kept,
        source=source,
        language=language,
        snapshot=snapshot,
        domain=domain,
        rule=rule,
        gate=gate,
        score=None if score is None else parse_score(score),
        duplicates=duplicates,
        ids=None if id is None else [id],
    )
    check_names(opened, wanted)
    chosen = in_cluster(opened, cluster) if cluster else choose(opened, wanted, documents, seed)
    if not chosen:
        raise UserError(f"{workspace} has no such documents: `corpus stats {workspace}` shows what there is")
    add_relations(opened, chosen, pairs=duplicates or cluster is not None)
    if as_json:
        for row in chosen:
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    if html is not None:
        from corpus import storage
        from corpus.inspect.sample_page import page

        count = "1 document" if len(chosen) == 1 else f"{len(chosen):,} documents"
        storage.write_text(html, page(chosen, f"{count} of {workspace}", full))
        typer.echo(f"{html}: {count}")
        return
    console = Console()
    with paged(console) if pager and console.is_terminal else contextlib.nullcontext():
        for row in chosen:
            show(console, row, full)


def show_quarantine(
    workspace: Workspace, number: int, seed: int, source: str | None, reason: str | None, as_json: bool
) -> None:
    """Records in quarantine: where they are, how large, and what became of them."""
    from rich.console import Console
    from rich.text import Text

    from corpus.errors import UserError
    from corpus.ledger.quarantine import sample

    rows = sample(workspace, number, seed, source, reason)
    if not rows:
        raise UserError(
            f"{workspace.root} has no such records in quarantine: `corpus stats {workspace.root} --by quarantine` "
            "shows what there is"
        )
    console = Console()
    for row in rows:
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False))
            continue
        size = "" if row["bytes"] is None else f"  {row['bytes']:,} bytes"
        head = Text.assemble(
            (row["reason"], "bold red"), f"  {printable(row['source'])}  {row['step']}{size}"
        )
        console.print(head)
        console.print(Text(printable(row["error"])))
        place = f"{row['url'] or '-'}  {row['file']} @ {row['offset']} + {row['length']}"
        console.print(Text(printable(place), "dim"), soft_wrap=True)
        console.print()


def parse_score(text: str) -> tuple[str, float, float]:
    """`gopher.words=40..60`; either end may be left out."""
    from corpus.errors import UserError

    signal, _, limits = text.partition("=")
    low, dots, high = limits.partition("..")
    try:
        found = (signal, float(low or "-inf"), float(high or "inf"))
    except ValueError:
        found = (signal, 1.0, 0.0)
    if not dots or found[1] > found[2]:
        raise UserError(
            f"--score {text}: it is SIGNAL=LOW..HIGH, such as gopher.words=40..60 or c4.sentences=..3"
        )
    return found


def in_cluster(workspace: Workspace, id: str) -> list[dict[str, Any]]:
    """The documents that went in the cluster of a document."""
    from corpus.inspect.samples import cluster, find

    found = cluster(workspace, id)
    rows = find(workspace, [row["removed_id"] for row in found], kept=False)
    return [rows[id] for id in dict.fromkeys(row["removed_id"] for row in found)]


def add_relations(workspace: Workspace, rows: list[dict[str, Any]], pairs: bool) -> None:
    """`relation` (level, similarity, cluster_size) of every duplicate and `stands`, the name of the one that stands for
    it; with `pairs` that document, `stayed`."""
    from corpus.inspect.samples import find, relations

    duplicates = [row for row in rows if row["duplicate_of"] is not None]
    found = {row["removed_id"]: row for row in relations(workspace, [row["id"] for row in duplicates])}
    stayed = find(workspace, sorted({row["duplicate_of"] for row in duplicates}), kept=True)
    for row in duplicates:
        relation = found[row["id"]]
        row["relation"] = {name: relation[name] for name in ("level", "similarity", "cluster_size")}
        other = stayed[row["duplicate_of"]]
        row["stands"] = called(other)
        if pairs:
            row["stayed"] = {name: other[name] for name in ("id", "source", "url", "text", "origin")}


@contextlib.contextmanager
def paged(console: Console) -> Any:
    """Everything through the pager, in colour; nothing happens to what fits a screen."""
    os.environ.setdefault("LESS", "-FRX")
    with console.pager(styles=True):
        yield


def show(console: Console, row: dict[str, Any], full: bool) -> None:
    """One document for the terminal; control characters in its text are shown, never sent."""
    from rich.rule import Rule
    from rich.text import Text

    from corpus.rules.kept_texts import shown_text

    origin = row["origin"]
    console.print(Rule(style="dim"))
    head = Text.assemble(
        (row["id"], "bold"), f"  {printable(row['source'])}  {row['language'] or '-'}  ",
        (printable(verdict(row)), "green" if row["kept"] else "red"),
    )  # fmt: skip
    console.print(head)
    place = f"{row['url'] or '-'}  {origin['file']} @ {origin['offset']}"
    console.print(Text(printable(place), "dim"))
    if row["failed_rules"]:
        console.print(Text(measured(row), "dim"))
    console.print()
    if row.get("stayed") is not None:
        show_pair(console, row, full)
        return
    text = shown_text(row)
    shown = text if full else text[:MAX_CHARACTERS_SHOWN]
    console.print(Text(printable(shown), "" if row["kept"] else "strike"))
    if len(shown) < len(text):
        console.print(Text(f"... {len(text) - len(shown):,} more characters (--full shows them)", "dim"))


def show_pair(console: Console, row: dict[str, Any], full: bool) -> None:
    """A duplicate beside the document that stayed: what only one has is marked, equal lines are left out."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.differences import side_by_side

    pairs = side_by_side(row["text"], row["stayed"]["text"] or "", row["language"], None if full else 1)
    table = Table(box=None, pad_edge=False, expand=True)
    marks = [("[-", "-]", "bold red strike"), ("{+", "+}", "bold green")]
    for name in ("went", "stayed"):
        table.add_column(name, ratio=1, overflow="fold")
    for pair in pairs:
        if pair.skipped:
            table.add_row(*[Text(f"... {pair.skipped} equal lines", "dim")] * 2)
        if pair.one is not None or pair.other is not None:
            sides = [
                marked(side, mark, console) for side, mark in zip((pair.one, pair.other), marks, strict=True)
            ]
            table.add_row(*sides)
    console.print(table)


def marked(pieces: Pieces | None, mark: tuple[str, str, str], console: Console) -> Text:
    """One side of a line; where there are no colours, brackets mark what the other side lacks."""
    from rich.text import Text

    opening, closing, style = mark
    text = Text()
    for piece, differs in pieces or []:
        shown = printable(piece)
        if differs and not console.is_terminal:
            shown = f"{opening}{shown}{closing}"
        text.append(shown, style if differs else "")
    return text
