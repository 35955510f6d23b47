"""`corpus verify`: check that a workspace is complete and consistent with itself and its input."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.pipelines.cli.plugin_option import PluginFolders, use_plugin_folders
from corpus.pipelines.cli.refusals import refuse_options

if TYPE_CHECKING:
    from corpus.verify.findings import Findings

CAUSES = ("files", "checksums", "schema", "fingerprints")
"""Checks of single files: what fails them is missing or wrong in every other check, too."""


def verify(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace whose build is finished.")],
    rebuild: Annotated[
        int,
        typer.Option(
            min=0,
            help="Also rebuild this many randomly chosen input splits from the input, in a temporary "
            "folder, and compare the files byte by byte; 0 rebuilds none.",
        ),
    ] = 0,
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="MANIFEST",
            help="With --rebuild, the manifest file that was built: needed if its input paths are "
            "relative and it has moved since (default: the copy in the workspace, its paths from where "
            "the manifest lay).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With --rebuild, random seed for choosing the input splits.")] = 0,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Number of local worker processes for the checks.")
    ] = 1,
    plugins: PluginFolders = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the result of each check (items checked, failures, examples) as JSON instead "
            "of a table.",
        ),
    ] = False,
) -> None:
    """Check that a workspace is complete, undamaged and consistent with itself.

    Reads every file of the workspace: checksums, schemas, fingerprints, decisions, ids, splits, shards, tokens and
    counts. Writes nothing. Exits with status 1 if a check fails.

    Example: corpus verify demo-workspace

    Example: corpus verify first --rebuild 3 --manifest first.yaml
    """
    from corpus.errors import RunError
    from corpus.pipelines.cli.watching import show_progress
    from corpus.verify.findings import REPAIRS
    from corpus.verify.workspace import verify_workspace as check

    if not rebuild:
        refuse_options("no --rebuild", {"--manifest": manifest is not None, "--seed": seed != 0})
    use_plugin_folders(plugins)
    with show_progress() as show:
        findings = check(workspace, workers, show)
        if rebuild:
            from corpus.pipelines.build.rebuild import rebuild_splits as again

            findings.add(again(workspace, rebuild, seed, manifest, show))
    if as_json:
        typer.echo(
            json.dumps({name: asdict(check) for name, check in findings.checks.items()}, ensure_ascii=False)
        )
    else:
        print_findings(findings)
    if not findings.good:
        wrong = [name for name, check in findings.checks.items() if check.wrong]
        causes, others = divide_findings(findings)
        first = [*causes, *others][0]
        begin = f"{'begin with' if causes and others else 'to mend'} {first}"
        raise RunError(
            f"{workspace} fails {len(wrong)} of {len(findings.checks)} checks: {', '.join(wrong)}; {begin}: "
            f"{REPAIRS[first]}"
        )


def divide_findings(findings: Findings) -> tuple[list[str], list[str]]:
    """Return the failed checks that may be the cause of others, files that are missing or damaged, and the others."""
    wrong = [name for name, check in findings.checks.items() if check.wrong]
    return [name for name in wrong if name in CAUSES], [name for name in wrong if name not in CAUSES]


def print_findings(findings: Findings) -> None:
    """Print one line per check, and below them what is wrong."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.readable import format_count, make_printable
    from corpus.pipelines.cli.console import RULE_WIDTH, make_console
    from corpus.verify.findings import CHECKS, REPAIRS

    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("check", "left"),
        ("what must hold", "left"),
        ("checked", "right"),
        ("wrong", "right"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, check in findings.checks.items():
        wrong = Text(format_count(check.wrong), "bold red") if check.wrong else Text("0", "green")
        if not check.looked and not check.wrong:
            wrong = Text("-", "dim")
        table.add_row(name, CHECKS[name], format_count(check.looked), wrong)
    console = make_console()
    console.print(table, width=None if console.is_terminal else RULE_WIDTH)
    causes, others = divide_findings(findings)
    for name in [*causes, *others]:
        check = findings.checks[name]
        if causes and others and name == others[0]:
            console.print(
                "The rest may follow from that: mend it first, then verify again.",
                soft_wrap=True,
                highlight=False,
            )
        for problem in check.problems:
            console.print(Text.assemble((f"{name}: ", "bold red"), make_printable(problem)), soft_wrap=True)
        if check.wrong > len(check.problems) and check.problems:
            console.print(Text(f"{name}: {check.wrong:,} wrong in total", "dim"))
        if not (causes and name in others):
            console.print(Text(f"{name}: to mend it, {REPAIRS[name]}"), soft_wrap=True)
