"""`corpus build`: turn a manifest into a workspace."""

from __future__ import annotations

import json
import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError
from corpus.pipelines.build.slice import Slice
from corpus.pipelines.cli.beam_options import BeamOptions, check_beam_options
from corpus.pipelines.cli.plugin_option import PluginFolders, use_plugin_folders
from corpus.storage.names import printable_name

if TYPE_CHECKING:
    from corpus.workspace import Workspace

MAX_NAMED_RULES = 5
"""Rules that a message names, those that most texts fail."""
BUILD_HELP = """Read, filter, deduplicate and tokenize the sources of a manifest into a workspace.

Reads MANIFEST and the input files that it names. Writes documents, signals, decisions, token shards, the ledger and
report.html to the folder given by --out. If a build is interrupted, run the same command to resume it; if it is
already finished, nothing is done. Exit status: 0 if documents were kept, 1 if none were or the build could not be
finished, 2 for wrong input.

Example: corpus build first.yaml --out first --workers 2

Records that crash the parser or exceed its budgets are quarantined: `corpus sample DIR --quarantine` shows them, and
--retry-quarantine reads them again with larger budgets.

Where machines share nothing but a folder or bucket, each runs the command with --slice K/N, and one runs it without
when all are done.

Options for Apache Beam follow `--`: corpus build MANIFEST --out DIR -- --runner=PortableRunner --job_endpoint=HOST:PORT
(`corpus docs engines`)"""


def build(
    manifest: Annotated[
        str,
        typer.Argument(
            metavar="MANIFEST",
            help="YAML file with the sources, rules and tokenizer to use, such as `corpus init` writes.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Workspace to create or resume: a local folder, or a URL such as s3://BUCKET/PATH.",
        ),
    ],
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=256,
            help="Number of local worker processes. Small inputs use one regardless; ignored with a "
            "Beam --runner.",
        ),
    ] = 1,
    retry_quarantine: Annotated[
        bool,
        typer.Option(
            "--retry-quarantine",
            help="Read input splits again that have records quarantined for size, memory, time or a "
            "crash, with 4 times the parser budgets they had last time.",
        ),
    ] = False,
    slice_text: Annotated[
        str | None,
        typer.Option(
            "--slice",
            metavar="K/N",
            help="Make the parts of the K-th of N fixed shares of the input splits, K from 1, and nothing else. "
            "Slices may run at the same time in one DIR, be stopped and be run again.",
        ),
    ] = None,
    plugins: PluginFolders = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print token shard totals (documents, tokens, bytes by split, source, language) as "
            "JSON instead of tables.",
        ),
    ] = False,
    beam_options: BeamOptions = None,
) -> None:
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.build.build import build_workspace as run_build
    from corpus.pipelines.cli.stats import print_result
    from corpus.pipelines.cli.watching import Hearing, watch_build

    share = check_slice(slice_text, {"--retry-quarantine": retry_quarantine, "--json": as_json}, beam_options)
    extra = check_beam_options(beam_options, "give one manifest and --out DIR, with Beam options after --")
    running = Running(workers=workers, extra=extra)
    use_plugin_folders(plugins)
    with watch_build() as (say, show):
        hearing = Hearing(say)
        workspace = run_build(
            manifest, out, running, hearing, show, retry_quarantine=retry_quarantine, share=share
        )
    if share is not None:
        return
    if as_json:
        typer.echo(json.dumps(workspace.tokens()["totals"]))
    else:
        print_result(workspace, hearing)
    report_result(workspace)


def check_slice(
    text: str | None, others: Mapping[str, bool], beam_options: Sequence[str] | None
) -> Slice | None:
    """Return the slice that --slice names. Raises UserError for a wrong one, and for options that only a whole build
    takes: `others` says which are given."""
    if text is None:
        return None
    share = Slice.parse(text)
    given = next((name for name, is_given in others.items() if is_given), None)
    if given is not None:
        raise UserError(
            f"{given} has no effect with --slice: leave it out, and give it to the build after all slices"
        )
    if any(option.startswith("--runner") for option in beam_options or ()):
        raise UserError("--slice is for machines without an engine: leave out --slice, or --runner")
    return share


def report_result(workspace: Workspace) -> None:
    """Raises RunError if no document was kept; prints a line for whatever else came out empty."""
    from rich.console import Console

    from corpus.ledger.alarms import describe_unvalidated
    from corpus.ledger.tables import read_ledger
    from corpus.pipelines.cli.stats import print_lost_sources

    check_kept(workspace)
    tables = read_ledger(workspace, ["tokens"])
    share = workspace.read_manifest()["validation"]["share"]
    untested = describe_unvalidated(tables["tokens"]) if share else None
    if untested:
        typer.echo(f"corpus: {untested}", err=True)
    print_lost_sources(workspace, Console(stderr=True))


def check_kept(workspace: Workspace) -> None:
    """Raise RunError if a finished workspace keeps no document, with the gates and rules that stopped how many; or none
    of which edits leave anything."""
    from corpus.errors import RunError
    from corpus.ledger.tables import read_ledger

    tables = read_ledger(workspace, ["counts", "quarantine"])
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in tables["counts"].select(["what", "key", "documents"]).to_pylist():
        counts[row["what"]][row["key"]] += row["documents"]
    if not counts["passed"].total():
        raise RunError(_describe_no_text(workspace, counts["gated"], tables["quarantine"].to_pylist()))
    if not counts["kept"].total():
        raise RunError(_describe_none_kept(workspace, counts))
    emptied = sum(sum(of.values()) for of in workspace.tokens().get("emptied", {}).values())
    if emptied == counts["kept"].total():
        raise RunError(
            f"edits leave nothing of all {emptied:,} kept documents: `corpus stats {workspace.root} --by edit` has "
            f"their kinds, `corpus sample {workspace.root}` strikes through what goes"
        )


def _describe_none_kept(workspace: Workspace, counts: Mapping[str, Counter[str]]) -> str:
    """Return why a build kept no document: the gates, the rules and the kinds of duplicates, each with its texts."""
    texts = counts["passed"].total()
    named = [
        f"{count:,} {'fails' if count == 1 else 'fail'} {rule}"
        for rule, count in counts["failed"].most_common(MAX_NAMED_RULES)
    ]
    if more := len(counts["failed"]) - len(named):
        named.append(f"{more:,} more rules fail some")
    named += [
        f"{count:,} {'is a duplicate' if count == 1 else 'are duplicates'} ({kind})"
        for kind, count in counts["duplicate"].most_common()
    ]
    parts = [f"of {texts:,} {'text' if texts == 1 else 'texts'}, {', '.join(named)}"]
    if gates := counts["gated"]:
        stopped = ", ".join(f"{count:,} by {name}" for name, count in gates.most_common())
        parts.append(f"before them gates stopped {stopped}")
    advice = f"`corpus sample {workspace.root} --dropped` shows some"
    rule = next((rule for rule, _ in counts["failed"].most_common() if not rule.endswith(".missing")), None)
    if rule is not None:
        advice += f", `corpus decide {workspace.root} --what-if {rule}=off` what a rule does"
    return f"no document was kept: {'; '.join(parts)}: {advice}"


def _describe_no_text(workspace: Workspace, gates: Counter[str], quarantined: list[dict[str, Any]]) -> str:
    """Return why a build read no text: the gates and the reasons of quarantine, each with its records."""
    reasons: Counter[str] = Counter()
    files: dict[str, str] = {}
    for row in quarantined:
        reasons[row["reason"]] += row["records"]
        if row["file"]:
            files.setdefault(row["reason"], row["file"])
    parts = [f"{count:,} stopped by the gate {name}" for name, count in gates.most_common()]
    parts += [
        f"{count:,} in quarantine ({reason}{_name_first(files.get(reason), count)})"
        for reason, count in reasons.most_common()
    ]
    commands = [
        f"`corpus sample {shlex.quote(workspace.root)} {option}` shows {whose}"
        for option, whose, rows in (
            ("--quarantine", "those in quarantine", reasons),
            ("--dropped", "some that were stopped", gates),
        )
        if rows
    ]
    sources = list(workspace.read_manifest()["sources"].values())
    if not gates:
        commands.append(f"check {_list_input_keys(sources)} in the manifest")
    sizes = workspace.input_sizes().values()
    nothing = (
        _describe_no_records(sources) if any(each["bytes"] for each in sizes) else "the input is empty files"
    )
    what = f"of the records, {'; '.join(parts)}" if parts else nothing
    return f"no text was read: {what}: {'; '.join(commands)}"


def _list_input_keys(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return the keys of sources that say what is read, as far as some of these has them."""
    from corpus.sources.web.urls import WAYS

    ways = {key for source in sources if source["kind"] == "urls" for key in WAYS if source.get(key)}
    has_paths = any(source["kind"] != "urls" for source in sources)
    has = {"kind"} | ({"urls", *ways} if ways else set()) | ({"paths"} if has_paths else set())
    has |= {"fields"} if any("fields" in source for source in sources) else set()
    named = [f"`{key}`" for key in ("kind", "paths", "fields", "urls", *WAYS) if key in has]
    return f"{', '.join(named[:-1])} and {named[-1]}"


def _describe_no_records(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return why input that is not empty has no records: of archives of a list alone, that no page of it is there."""
    if all(source["kind"] == "urls" and source.get("warcs") for source in sources):
        lists = list(dict.fromkeys(source["urls"] for source in sources))
        return f"the archives hold none of the addresses of {', '.join(map(printable_name, lists))}"
    return "the input has no records"


def _name_first(file: str | None, records: int) -> str:
    if file is None:
        return ""
    return f": {printable_name(file)}" if records == 1 else f": {printable_name(file)} and others"
