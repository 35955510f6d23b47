"""`corpus build`: a manifest becomes a workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from corpus.workspace import Workspace

EXAMPLE = """Read, filter, deduplicate and tokenize what a manifest names, into the folder DIR.

Killed at any moment, the same command goes on where it stopped; a finished build does nothing.

Example: corpus build manifests/demo.yaml --out demo-workspace --workers 2

Records that crash or outgrow their budgets are in quarantine (corpus sample DIR --quarantine shows them), and
--retry-quarantine tries them again.

Options of Beam follow after --, for instance: -- --runner=DataflowRunner --project=P --region=R"""


def build(
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="A YAML file: see docs/manifest.md.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="The workspace: a folder or URL.")],
    workers: Annotated[int, typer.Option(min=1, max=256, help="Local processes.")] = 1,
    retry_quarantine: Annotated[
        bool,
        typer.Option("--retry-quarantine", help="Read what outgrew its budgets again, with 4 times as much."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
    beam_options: Annotated[list[str] | None, typer.Argument(metavar="[-- BEAM OPTIONS]")] = None,
) -> None:
    import apache_beam.runners
    from rich.console import Console

    from corpus.errors import UserError
    from corpus.pipelines.beam.options import Running, check_unknown
    from corpus.pipelines.build.run import build as run_build
    from corpus.pipelines.cli.stats import print_stats
    from corpus.pipelines.cli.watching import watching

    extra = tuple(beam_options or ())
    stray = [option for option in extra if not option.startswith("-")]
    if stray and not any(option.startswith("-") and "=" not in option for option in extra):
        raise UserError(
            f"unexpected argument {stray[0]!r}: one manifest, then --out DIR; Beam options follow after --"
        )
    unknown = check_unknown(extra)
    if unknown:
        raise UserError(f"{unknown[0]}: no such option of Beam")
    for option in extra:
        if option.startswith("--runner="):
            try:
                apache_beam.runners.create_runner(option.partition("=")[2])
            except (ValueError, ImportError, AttributeError) as error:
                raise UserError(f"{option}: {' '.join(str(error).split())[:200]}") from None
    with watching() as (say, show):
        running = Running(workers=workers, extra=extra)
        workspace = run_build(manifest, out, running, say, show, retry_quarantine=retry_quarantine)
    if as_json:
        typer.echo(json.dumps(workspace.tokens()["totals"]))
    else:
        print_stats(workspace, Console())
    check_result(workspace)


def check_result(workspace: Workspace) -> None:
    """Raises RunError where no text could be read at all; says so where none was kept."""
    import pyarrow.compute as pc

    from corpus.errors import RunError
    from corpus.ledger.alarms import told_unvalidated
    from corpus.ledger.tables import read_ledger

    tables = read_ledger(workspace, ["counts", "quarantine", "tokens"])
    documents = {"read": 0, "passed": 0, "kept": 0}
    for row in tables["counts"].select(["what", "documents"]).to_pylist():
        if row["what"] in documents:
            documents[row["what"]] += row["documents"]
    if not documents["passed"]:
        lost = sum(tables["quarantine"].column("records").to_pylist())
        raise RunError(
            f"no text was read: {documents['read']} records were stopped by gates, {lost} are in quarantine "
            f"({workspace.path('quarantine')}); are kind and fields right?"
        )
    untested = told_unvalidated(tables["tokens"]) if documents["kept"] else None
    if untested:
        typer.echo(f"corpus: {untested}", err=True)
    for source in sorted(
        {name for name, _ in workspace.splits()} - set(tables["counts"]["source"].to_pylist())
    ):
        found = tables["quarantine"].filter(pc.equal(tables["quarantine"]["source"], source)).to_pylist()
        lost = (
            f", {sum(row['records'] for row in found)} in quarantine ({found[0]['reason']})" if found else ""
        )
        typer.echo(f"corpus: nothing came from the source {source}: 0 records read{lost}", err=True)
    if not documents["kept"]:
        typer.echo(
            f"corpus: no document was kept of {documents['passed']}: `corpus sample {workspace.root} --dropped`",
            err=True,
        )
