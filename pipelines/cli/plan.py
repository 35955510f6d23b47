"""`corpus plan`: what a build would do and come to, before it begins."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from corpus.pipelines.build.dry_run import Forecast
    from corpus.pipelines.build.plan import Plan

SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def plan(
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="A YAML file: see docs/manifest.md.")],
    documents: Annotated[
        int, typer.Option("-n", "--documents", min=0, help="Documents of the dry run; 0 for none.")
    ] = 1000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that the build will have.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown of languages and mixture.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print it all as JSON.")] = False,
) -> None:
    """Splits, rules, rules that can do nothing, and a dry run on the first documents with what to expect of it all.

    Example: corpus plan manifests/demo.yaml --documents 500

    Nothing is written: the dry run works in a temporary folder.
    """
    from rich.console import Console

    from corpus.pipelines.build.dry_run import dry_run
    from corpus.pipelines.build.plan import make_plan
    from corpus.pipelines.cli.progress import progress

    made = make_plan(manifest)
    found: dict[str, Any] = described(made)
    forecast = None
    if documents:
        with progress() as show:
            forecast = dry_run(made, documents, show)
    if as_json:
        typer.echo(json.dumps({**found, "forecast": forecast and asdict(forecast)}, ensure_ascii=False))
        return
    console = Console()
    print_plan(console, found)
    if forecast is not None:
        print_forecast(console, forecast, workers, limit)


def described(plan: Plan) -> dict[str, Any]:
    """What can be said of a plan without reading a document: splits, rules, idle rules, MinHash."""
    from corpus.rules.recipe_lint import idle_rules, recipe

    manifest = plan.file.manifest
    sources = []
    for name, source in manifest.sources.items():
        sizes = [split.end - split.start for split in plan.splits if split.source == name]
        files = {split.file for split in plan.splits if split.source == name}
        row = {"source": name, "kind": source.kind, "files": len(files), "splits": len(sizes)}
        sources.append({**row, "bytes": sum(sizes), "largest": max(sizes, default=0)})
    minhash = manifest.dedup.minhash
    curve = None
    if minhash is not None:
        chance = [1 - (1 - s**minhash.rows) ** minhash.bands for s in SIMILARITIES]  # type: ignore[operator]
        curve = {
            "threshold": minhash.threshold,
            "bands": minhash.bands,
            "rows": minhash.rows,
            "compared": dict(zip(map(str, SIMILARITIES), (round(c, 4) for c in chance), strict=True)),
        }
    return {
        "name": manifest.name,
        "sources": sources,
        "recipes": {name: recipe(rules) for name, rules in plan.rules.rules.items()},
        "idle": {
            name: [asdict(idle) for idle in idle_rules(rules)] for name, rules in plan.rules.rules.items()
        },
        "minhash": curve,
    }


def print_plan(console: Console, found: dict[str, Any]) -> None:
    """The splits, the recipes (one for all sources that share it), idle rules and the match curve."""
    from rich.text import Text

    from corpus.inspect.readable import printable, rule_name, size, whole
    from corpus.pipelines.cli.stats import plain

    table = _table("input", "source", ("kind", "files", "splits", "bytes", "largest split"))
    for row in found["sources"]:
        numbers = (whole(row["files"]), whole(row["splits"]), size(row["bytes"]), size(row["largest"]))
        table.add_row(plain(row["source"]), plain(row["kind"]), *numbers)
    console.print(table, "")
    same: dict[str, list[str]] = {}
    for name, rules in found["recipes"].items():
        same.setdefault(json.dumps(rules), []).append(name)
    for text, names in same.items():
        rules = json.loads(text)
        title = f"rules of {', '.join(names)}"
        if not rules:
            console.print(Text.assemble((title, "bold"), ": none, so everything with a text passes\n"))
            continue
        heads = ("rule", "bound", "from", "other languages")
        table = _table(title, heads[0], heads[1:])
        rows = [
            (
                rule_name(rule["rule"], console.width - 42),
                "off" if rule["bound"] is None else f"{rule['bound']:g}",
                rule["from"],
                _languages(rule["languages"]),
            )
            for rule in rules
        ]
        widths = [
            max(len(text) for text in column)
            for column in zip(heads[:3], *(row[:3] for row in rows), strict=True)
        ]
        for column, width in zip(table.columns, widths, strict=False):
            column.width = width
        table.columns[3].max_width = max(8, console.width - sum(widths) - 2 * len(widths))
        for row in rows:
            table.add_row(*map(plain, row))
        console.print(table, "")
    idle: dict[str, list[str]] = {}
    for name, rules in found["idle"].items():
        for rule in rules:
            where = ", ".join(language or "all languages" for language in rule["languages"])
            idle.setdefault(f"{rule['rule']} ({where}): {rule['why']}", []).append(name)
    if idle:
        console.print("[bold]rules that can do nothing[/]")
        for text, names in idle.items():
            console.print(Text(printable(f"  {', '.join(names)}: {text}"), "yellow"))
        console.print()
    curve = found["minhash"]
    if curve:
        title = f"near-duplicates: {curve['bands']} bands of {curve['rows']}, {curve['threshold']:g} alike or more go"
        console.print(Text(title, "bold"))
        for similarity, chance in curve["compared"].items():
            bar = "█" * round(40 * chance)
            console.print(f"  {similarity:<5}{bar:<41}{chance:.1%} are compared", highlight=False)
        console.print()


def _languages(bounds: dict[str, float | None]) -> str:
    """The languages with another bound, the first few by name."""
    told = [f"{name} {'off' if value is None else f'{value:g}'}" for name, value in sorted(bounds.items())]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def print_forecast(console: Console, found: Forecast, workers: int, limit: int) -> None:
    """What the dry run foretells."""
    from rich.text import Text

    from corpus.inspect.readable import printable, short, size, whole
    from corpus.pipelines.cli.stats import plain

    console.print(
        Text.assemble(
            ("dry run", "bold"),
            f": {whole(found.documents)} documents, {found.share:.2%} of the input. Scaled to all of it:\n",
        )
    )
    for key, rows in (("source", found.sources), ("language", found.languages)):
        table = _table(f"by {key}", key, ("read", "kept", "yield", "bytes", "tokens", "b/tok"))
        for row in rows[:limit]:
            share = f"{row['kept'] / row['read']:.1%}" if row["read"] else "-"
            rate = f"{row['bytes'] / row['tokens']:.2f}" if row["tokens"] else "-"
            numbers = (
                whole(row["read"]),
                whole(row["kept"]),
                share,
                size(row["bytes"]),
                short(row["tokens"]),
                rate,
            )
            table.add_row(plain(row[key]), *numbers)
        console.print(table)
        _more(console, len(rows), limit)
    table = _table("mixture", "source", ("language", "tokens", "weight", "epochs"))
    rows = sorted(found.mixture, key=lambda row: (-row["weight"], row["source"], row["language"]))
    for row in rows[:limit]:
        numbers = (short(row["tokens"]), f"{row['weight']:.2%}", f"{row['epochs']:.2f}")
        table.add_row(plain(row["source"]), plain(row["language"]), *numbers)
    console.print(table)
    _more(console, len(rows), limit)
    ingest, encode = found.seconds["ingest"], found.seconds["encode"]
    console.print("[bold]to expect[/]")
    console.print(
        f"  time    {duration(ingest / workers)} for reading and {duration(encode / workers)} for encoding with "
        f"{workers} process{'es' if workers > 1 else ''}; duplicates and decisions on top",
        highlight=False,
    )
    told = ", ".join(f"{name} {size(count)}" for name, count in found.disk.items())
    console.print(f"  disk    {size(sum(found.disk.values()))}: {told}", highlight=False)
    console.print(
        f"  memory  {size(found.memory)} a process, with the one that parses for it", highlight=False
    )
    if found.shadowed:
        console.print("\n[bold]rules that removed nothing which another did not[/], in the dry run")
        for rule, other, texts in found.shadowed:
            console.print(Text(printable(f"  {rule}: all {texts} texts that fail it fail {other}"), "yellow"))


def duration(seconds: float) -> str:
    """Seconds for people."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _table(title: str, name: str, columns: tuple[str, ...]) -> Table:
    from rich.table import Table

    from corpus.pipelines.cli.stats import plain

    table = Table(title=plain(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column(name, overflow="fold")
    for column in columns:
        left = column in ("kind", "from", "language", "other languages")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    return table


def _more(console: Console, rows: int, limit: int) -> None:
    console.print(f"[dim]... {rows - limit:,} more (--limit shows them)[/]\n" if rows > limit else "")
