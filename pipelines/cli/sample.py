"""`corpus sample`: read documents as a person."""

from __future__ import annotations

import hashlib
import heapq
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.workspace import Workspace

SHOWN = 1500
"""Characters of a text that are shown unless --full is given."""


def sample(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace.")],
    documents: Annotated[int, typer.Option("-n", "--documents", min=1, help="How many.")] = 5,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Documents that went (default: that stayed).")
    ] = False,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    language: Annotated[str | None, typer.Option(help="In this language: tha_Thai, or tha.")] = None,
    rule: Annotated[str | None, typer.Option(help="That fail this rule, or this signal's rules.")] = None,
    gate: Annotated[str | None, typer.Option(help="That this gate stopped.")] = None,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="That went as duplicates.")] = False,
    id: Annotated[str | None, typer.Option(help="This one.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed shows others.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="Whole texts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show documents that were kept or dropped, chosen by chance, the same ones for the same seed.

    Example: corpus sample demo-workspace --dropped --rule gopher.words.min -n 3
    """
    from rich.console import Console

    import corpus
    from corpus.errors import UserError

    opened = corpus.open(workspace)
    chosen = choose(
        opened,
        documents,
        seed,
        {
            "dropped": dropped or rule is not None or gate is not None or duplicates,
            "source": source,
            "language": language,
            "rule": rule,
            "gate": gate,
            "duplicates": duplicates,
            "id": id,
        },
    )
    if as_json:
        for row in chosen:
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    if not chosen:
        raise UserError(f"{workspace} has no such documents: `corpus stats {workspace}` shows what there is")
    console = Console()
    for row in chosen:
        show(console, row, full)


def choose(workspace: Workspace, count: int, seed: int, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """`count` documents with the smallest hash of (seed, id) among those wanted. Reads texts of those only."""
    import pyarrow.parquet as pq

    from corpus import storage

    best: list[tuple[int, str, str, str, int, int]] = []
    light = ["id", "language", "gate"]
    for source, split in workspace.splits():
        if wanted["source"] not in (None, source):
            continue
        documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
        decisions = pq.ParquetFile(storage.open_input(workspace.part("decisions", source, split)))
        for group in range(documents.num_row_groups):
            facts = documents.read_row_group(group, columns=light).to_pylist()
            verdicts = decisions.read_row_group(group).to_pylist()
            for row, (fact, verdict) in enumerate(zip(facts, verdicts, strict=True)):
                if _fits(fact, verdict, wanted):
                    key = hashlib.blake2b(f"{seed}\0{fact['id']}".encode(), digest_size=8).digest()
                    entry = (-int.from_bytes(key, "big"), fact["id"], source, split, group, row)
                    if len(best) < count:
                        heapq.heappush(best, entry)
                    elif entry > best[0]:
                        heapq.heapreplace(best, entry)
        documents.close(force=True)
        decisions.close(force=True)
    return [
        _read(workspace, *place)
        for *_, source, split, group, row in sorted(best, reverse=True)
        for place in [(source, split, group, row)]
    ]


def _fits(fact: dict[str, Any], verdict: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if wanted["id"] is not None:
        return bool(fact["id"] == wanted["id"])
    if verdict["kept"] == wanted["dropped"]:
        return False
    language = wanted["language"]
    if language is not None and language not in (
        fact["language"],
        (fact["language"] or "").partition("_")[0],
    ):
        return False
    if wanted["gate"] is not None and fact["gate"] != wanted["gate"]:
        return False
    if wanted["duplicates"] and verdict["duplicate_of"] is None:
        return False
    rule = wanted["rule"]
    return rule is None or any(
        name == rule or name.rpartition(".")[0] == rule for name in verdict["failed_rules"] or ()
    )


def _read(workspace: Workspace, source: str, split: str, group: int, row: int) -> dict[str, Any]:
    """One document with its decision and all its signals."""
    import pyarrow.parquet as pq

    from corpus import storage

    found: dict[str, Any] = {"source": source}
    folders = ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]
    signals: dict[str, float] = {}
    for folder in folders:
        with storage.open_input(workspace.part(folder, source, split)) as stream:
            values = pq.ParquetFile(stream).read_row_group(group).slice(row, 1).to_pylist()[0]
        if folder.startswith("signals/"):
            signals.update({name: round(value, 5) for name, value in values.items() if value is not None})
        else:
            found.update(values)
    found["metadata"] = dict(found["metadata"] or [])
    found["signals"] = signals
    return found


def show(console: Console, row: dict[str, Any], full: bool) -> None:
    """One document for the terminal; control characters in its text are shown, never sent."""
    from rich.markup import escape
    from rich.rule import Rule

    origin = row["origin"]
    verdict = "kept" if row["kept"] else "dropped"
    if row["gate"]:
        verdict += f" by the gate {row['gate']}"
    elif row["failed_rules"]:
        verdict += f" by {', '.join(row['failed_rules'])}"
    elif row["duplicate_of"]:
        verdict += f" as a duplicate of {row['duplicate_of']}"
    console.print(Rule(style="dim"))
    color = "green" if row["kept"] else "red"
    head = f"[bold]{row['id']}[/]  {escape(row['source'])}  {row['language'] or '-'}"
    place = (
        f"{escape(printable(row['url'] or '-'))}  {escape(printable(origin['file']))} @ {origin['offset']}"
    )
    console.print(f"{head}  [{color}]{escape(verdict)}[/]", highlight=False)
    console.print(f"[dim]{place}[/]", highlight=False)
    text = row["text"] or ""
    shown = text if full else text[:SHOWN]
    console.print(escape(printable(shown)), highlight=False, style=None if row["kept"] else "strike")
    if len(shown) < len(text):
        console.print(
            f"[dim]... {len(text) - len(shown):,} more characters (--full shows them)[/]", highlight=False
        )


def printable(text: str) -> str:
    """The text with control and direction-changing characters made visible."""
    return "".join(
        character
        if character in "\n\t\u200c\u200d" or character.isprintable()
        else f"\\u{ord(character):04x}"
        for character in text
    )
