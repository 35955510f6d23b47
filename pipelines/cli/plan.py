"""`corpus plan`: what a build would do, and a forecast of its result, before it starts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.pipelines.cli.console import room_beside
from corpus.pipelines.cli.plugin_option import PluginFolders, use_plugin_folders

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from corpus.pipelines.build.dry_run import Forecast
    from corpus.pipelines.build.plan import BuildPlan
    from corpus.pipelines.build.probe import Probe

SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


DRY_RUN_DOCUMENTS, DRY_RUN_SECONDS = 1000, 30.0
"""What a dry run takes at most where nobody says how much."""
MAX_REPEATED = 3
"""Sources and languages that the mixture repeats too often of which a line each is printed, at most."""


def plan(
    manifest: Annotated[
        str,
        typer.Argument(
            metavar="MANIFEST",
            help="YAML file with the sources, rules and tokenizer to use, such as `corpus init` writes.",
        ),
    ],
    documents: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--documents",
            min=0,
            help="Number of documents to process in the dry run, shared equally among the sources; 0 skips it "
            "(default: 1000, but of small sources a fifth, and in 30 seconds).",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds after which the dry run reads no more documents, shared equally among the sources "
            "(default: 30, or no limit with --documents).",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=256,
            help="Number of worker processes to assume in the estimate of the build time; the dry run "
            "uses one.",
        ),
    ] = 1,
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            help="Maximum rows to show per forecast table (sources, languages, mixture); --json has "
            "every row.",
        ),
    ] = 20,
    plugins: PluginFolders = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the plan and the forecast as one JSON object instead of tables."),
    ] = False,
) -> None:
    """Show a manifest's input splits and rules, and a dry run on documents from all over it that predicts the build.

    Reads MANIFEST and part of the input files that it names; the dry run works in a temporary folder and leaves
    nothing behind. Prints the rules with their bounds, rules that have no effect, how likely near-duplicates are to be
    compared, and a forecast of documents, tokens, mixture, time, disk and memory.

    Example: corpus plan first.yaml --documents 500
    """
    from corpus.pipelines.beam.loading import keep_pandas_out
    from corpus.pipelines.build.plan import make_plan

    use_plugin_folders(plugins)
    build_plan = make_plan(manifest)  # what is wrong is said before the rest is imported
    keep_pandas_out()
    from corpus.pipelines.build.dry_run import dry_run
    from corpus.pipelines.build.plan import describe_empty_files, describe_replaced, describe_unnameable
    from corpus.pipelines.build.probe import check_text_fields, describe_unmatched_fields, probe_files
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.watching import show_progress

    check_text_fields(build_plan)
    for line in (
        *describe_replaced(build_plan.file),
        *describe_unnameable(build_plan.file),
        *describe_empty_files(build_plan),
        *describe_unmatched_fields(build_plan),
    ):
        typer.echo(f"corpus: {line}", err=True)
    with show_progress() as show:
        probe = probe_files(build_plan, show)
    description: dict[str, Any] = {**describe_plan(build_plan), "probe": describe_probe(probe)}
    forecast = None
    if documents != 0:
        limit_seconds = DRY_RUN_SECONDS if seconds is None and documents is None else seconds
        with show_progress() as show:
            forecast = dry_run(
                build_plan,
                documents or DRY_RUN_DOCUMENTS,
                show,
                seconds=limit_seconds,
                is_small=documents is None,
            )
    if as_json:
        typer.echo(json.dumps({**description, "forecast": forecast and asdict(forecast)}, ensure_ascii=False))
        return
    console = make_console()
    print_plan(console, description)
    if forecast is not None:
        print_forecast(console, forecast, workers, limit)


def describe_plan(plan: BuildPlan) -> dict[str, Any]:
    """What is known of a plan without reading a document: input splits, rules, idle rules, MinHash."""
    from corpus.rules.recipe_lint import describe_recipe, find_idle_rules

    manifest = plan.file.manifest
    sources = []
    for name, source in manifest.sources.items():
        sizes = [split.end - split.start for split in plan.splits if split.source == name]
        files = {piece.file for split in plan.splits if split.source == name for piece in split.pieces}
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
        "recipes": {name: describe_recipe(rules) for name, rules in plan.rules.rules.items()},
        "idle": {
            name: [asdict(idle) for idle in find_idle_rules(rules)]
            for name, rules in plan.rules.rules.items()
        },
        "minhash": curve,
    }


def describe_probe(probe: Probe) -> dict[str, Any]:
    """What the beginnings of the input files came to, as rows."""
    return {
        "looked_at": probe.looked_at,
        "files": probe.files,
        "failures": probe.failures.rows(),
        "textless": [
            {
                "source": one.source,
                "records": one.records,
                "reasons": dict(one.reasons),
                "line": one.describe(),
            }
            for one in probe.textless
        ],
    }


def print_failures(console: Console, rows: list[dict[str, Any]], seen: str) -> None:
    """Print what would go to quarantine: records by source and reason, and the first places."""
    from rich.text import Text

    from corpus.inspect.readable import make_printable

    if not rows:
        return
    console.print(f"[bold]what would go to quarantine[/] ({seen})")
    for row in rows:
        count = "1 record" if row["records"] == 1 else f"{row['records']:,} records"
        places = ", ".join(row["places"])
        line = f"  {row['source']}: {count}: {row['reason']}: {places}"
        console.print(Text(make_printable(line), "yellow"), soft_wrap=True)
    console.print()


def print_plan(console: Console, description: dict[str, Any]) -> None:
    """Print the input splits, the rules (once for all sources that share them), idle rules and the match curve."""
    from rich.text import Text

    from corpus.inspect.readable import (
        format_count,
        format_size,
        format_things,
        make_printable,
        shorten_rule_name,
    )
    from corpus.pipelines.cli.stats import to_plain_text

    table = _make_table("input", "source", ("kind", "files", "input splits", "bytes", "largest"))
    for row in description["sources"]:
        numbers = (
            format_count(row["files"]),
            format_count(row["splits"]),
            format_size(row["bytes"]),
            format_size(row["largest"]),
        )
        table.add_row(to_plain_text(row["source"]), to_plain_text(row["kind"]), *numbers)
    console.print(table, "")
    if "probe" in description:
        probe = description["probe"]
        seen = (
            f"first record of {format_count(probe['looked_at'])} of {format_things(probe['files'], 'file')}"
        )
        print_failures(console, probe["failures"], seen)
        for row in probe["textless"]:
            console.print(Text(make_printable(row["line"]), "yellow"), soft_wrap=True)
        if probe["textless"]:
            console.print()
    same: dict[str, list[str]] = {}
    for name, rules in description["recipes"].items():
        same.setdefault(json.dumps(rules), []).append(name)
    for text, names in same.items():
        rules = json.loads(text)
        title = f"rules for {', '.join(names)}"
        if not rules:
            console.print(Text.assemble((title, "bold"), ": none, so every document with text passes\n"))
            continue
        heads = ("rule", "bound", "from", "other languages")
        table = _make_table(title, heads[0], heads[1:])
        rows = [
            (
                shorten_rule_name(rule["rule"], room_beside(console, 42)),
                _format_bound(rule),
                rule["from"],
                _name_languages(rule["languages"]),
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
            table.add_row(*map(to_plain_text, row))
        console.print(table, "")
    idle: dict[str, list[str]] = {}
    for name, rules in description["idle"].items():
        for rule in rules:
            where = ", ".join(language or "all languages" for language in rule["languages"])
            idle.setdefault(f"{rule['rule']} ({where}): {rule['why']}", []).append(name)
    if idle:
        console.print("[bold]rules that have no effect[/]")
        for text, names in idle.items():
            console.print(Text(make_printable(f"  {', '.join(names)}: {text}"), "yellow"))
        console.print()
    curve = description["minhash"]
    if curve:
        title = f"near-duplicates: {curve['bands']} bands of {curve['rows']} rows, dropped from similarity "
        title += f"{curve['threshold']:g}"
        console.print(Text(title, "bold"))
        for similarity, chance in curve["compared"].items():
            bar = "█" * round(40 * chance)
            console.print(f"  {similarity:<5}{bar:<41}{chance:.1%} of pairs are compared", highlight=False)
        console.print()


def _format_bound(rule: dict[str, Any]) -> str:
    """The bound of a row of a recipe: `off` where somebody set that, `-` where some languages alone have one."""
    from corpus.rules.recipe_lint import BY_LANGUAGE

    if rule["bound"] is not None:
        return f"{rule['bound']:g}"
    return "-" if rule["from"] == BY_LANGUAGE else "off"


def _name_languages(bounds: dict[str, float | None]) -> str:
    """The languages with a bound of their own, the first few by name."""
    named = [f"{name} {'off' if value is None else f'{value:g}'}" for name, value in sorted(bounds.items())]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def print_forecast(console: Console, forecast: Forecast, workers: int, limit: int) -> None:
    """Print what the dry run predicts."""
    from rich.text import Text

    from corpus.inspect.readable import format_count, format_short, format_size, make_printable
    from corpus.ledger.alarms import MAX_EPOCHS, describe_repeated
    from corpus.pipelines.cli.stats import to_plain_text

    console.print(
        Text.assemble(
            ("dry run", "bold"),
            f": {format_count(forecast.documents)} documents, {forecast.share:.2%} of the input, "
            f"in {format_time(forecast.measured)}, of every source and {len(forecast.languages):,} "
            f"{'language' if len(forecast.languages) == 1 else 'languages'}, scaled to the full build:\n",
        )
    )
    if forecast.stopped:
        names = ", ".join(dict.fromkeys(forecast.stopped))
        line = f"time was up before all was read that was to be of {names}: --seconds gives it more"
        console.print(to_plain_text(line), style="yellow", soft_wrap=True)
    for key, rows in (("source", forecast.sources), ("language", forecast.languages)):
        table = _make_table(f"by {key}", key, ("read", "kept", "yield", "bytes", "tokens", "b/tok"))
        for row in rows[:limit]:
            share = f"{row['kept'] / row['read']:.1%}" if row["read"] else "-"
            rate = f"{row['bytes'] / row['tokens']:.2f}" if row["tokens"] else "-"
            numbers = (
                format_count(row["read"]),
                format_count(row["kept"]),
                share,
                format_size(row["bytes"]),
                format_short(row["tokens"]),
                rate,
            )
            table.add_row(to_plain_text(row[key]), *numbers)
        console.print(table)
        _print_more(console, len(rows), limit)
    table = _make_table("mixture", "source", ("language", "tokens", "weight", "epochs"))
    rows = sorted(forecast.mixture, key=lambda row: (-row["weight"], row["source"], row["language"]))
    for row in rows[:limit]:
        shares = (format_short(row["tokens"]), f"{row['weight']:.2%}", f"{row['epochs']:.2f}")
        table.add_row(to_plain_text(row["source"]), to_plain_text(row["language"]), *shares)
    console.print(table)
    _print_more(console, len(rows), limit)
    repeated = [row for row in rows if row["epochs"] > MAX_EPOCHS]
    for row in repeated[:MAX_REPEATED]:
        console.print(to_plain_text(describe_repeated(row)), style="yellow", soft_wrap=True)
    if len(repeated) > MAX_REPEATED:
        console.print(f"[yellow]mixture: {len(repeated) - MAX_REPEATED:,} more are repeated as often[/]")
    print_failures(console, forecast.failures, "of the records looked at, not scaled")
    ingest, encode = forecast.seconds["ingest"], forecast.seconds["encode"]
    reading = max(ingest / workers, forecast.seconds["largest"])
    console.print("[bold]expected cost[/]")
    console.print(
        f"  time    {format_time(reading)} to read and {format_time(encode / workers)} to tokenize with "
        f"{workers} process{'es' if workers > 1 else ''}, plus deduplication and decisions",
        highlight=False,
    )
    if reading > ingest / workers:
        console.print(
            "          (of one input split, which processes cannot share: a smaller `split_size` or file divides it)",
            highlight=False,
        )
    sizes = ", ".join(f"{name} {format_size(count)}" for name, count in forecast.disk.items())
    console.print(f"  disk    {format_size(sum(forecast.disk.values()))}: {sizes}", highlight=False)
    console.print(
        f"  memory  {format_size(forecast.memory)} per worker process, including its parser", highlight=False
    )
    if forecast.shadowed:
        console.print("\n[bold]rules that dropped nothing that another rule did not[/] (dry run)")
        for rule, other, texts in forecast.shadowed:
            console.print(
                Text(make_printable(f"  {rule}: all {texts} texts that fail it also fail {other}"), "yellow")
            )


def format_time(seconds: float) -> str:
    """Seconds in a readable unit."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _make_table(title: str, name: str, columns: tuple[str, ...]) -> Table:
    from rich.table import Table

    from corpus.pipelines.cli.stats import to_plain_text

    table = Table(
        title=to_plain_text(title), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    table.add_column(name, overflow="fold")
    for column in columns:
        left = column in ("kind", "from", "language", "other languages")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    return table


def _print_more(console: Console, rows: int, limit: int) -> None:
    from corpus.inspect.readable import format_things

    left = format_things(rows - limit, "more row")
    console.print(f"[dim]... {left} (raise --limit to show them)[/]\n" if rows > limit else "")
