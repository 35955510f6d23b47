"""Build a planned workspace: every stage in order, each from the parts of the one before; finished ones are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from functools import partial

from corpus import storage
from corpus.decontamination.hits import hits_path, sets_path
from corpus.edits.applied import applied_path
from corpus.edits.parts import counts_path, edits_path
from corpus.edits.steps import DECONTAMINATION_STEP, EDIT_STEPS, REPEATS_STEP
from corpus.errors import UserError
from corpus.ledger import quarantine
from corpus.pipelines import decontaminate
from corpus.pipelines.beam.engines import check_inputs
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.changes import check_name, count_unread_splits, explain_changes
from corpus.pipelines.build.plan import (
    BuildPlan,
    describe_empty_files,
    describe_replaced,
    describe_unnameable,
)
from corpus.pipelines.build.plan_files import (
    find_applied,
    plan_fingerprint,
    read_shares,
    remove_empty_folders,
    remove_unfinished,
    write_plan,
)
from corpus.pipelines.build.probe import check_text_fields, describe_unmatched_fields
from corpus.pipelines.build.retry import (
    apply_retries,
    check_failures,
    has_unread_parts,
    remember_unread,
    remove_unread_parts,
)
from corpus.pipelines.build.run import NOTHING_TO_DO, Build, report_end
from corpus.pipelines.build.stages import STAGES, ingest_fingerprint, remove_part_statistics
from corpus.pipelines.tokenize import check_kept_tokenizer
from corpus.progress import StageProgress, Status, merge_slice_timings
from corpus.storage import is_remote
from corpus.storage.lock import hold_lock
from corpus.workspace import LATER_TABLES, LEDGER_TABLES, Workspace

WHOLE = f"{NOTHING_TO_DO}: the workspace is complete"


def find_finished(plan: BuildPlan, out: str) -> Workspace | None:
    """Return the workspace of a local folder if it is a finished build of a plan, without writing to it."""
    workspace = Workspace.open(out)
    plan = apply_retries(plan, workspace, again=False)
    if (
        (workspace.read_state() or {}).get("build") != plan_fingerprint(plan)
        or has_unread_parts(workspace)
        or list_missing_parts(workspace, plan)
    ):
        return None
    check_failures(plan, workspace)
    return workspace


def build_locked(
    plan: BuildPlan,
    manifest: str,
    out: str,
    running: Running,
    say: Callable[[str], None],
    show: Callable[[StageProgress], None] | None,
    until: str | None,
    retry_quarantine: bool,
) -> Workspace:
    """Build, or continue, the workspace of a manifest's plan at `out`, which no other process can build meanwhile."""
    check_inputs(running, [piece.path for split in plan.splits for piece in split.pieces])
    if not storage.exists(storage.join(out, "workspace.json")):
        check_text_fields(plan)  # before there is a folder
    with hold_lock(out) as release:
        workspace = Workspace.create(out)
        check_name(workspace, plan.file.manifest.name)
        try:
            check_kept_tokenizer(workspace, plan.file.manifest.tokenizer)
        except UserError as error:
            raise plan.file.error(error.path, str(error)) from None
        plan = apply_retries(plan, workspace, retry_quarantine)
        remove_unread_parts(workspace)
        wanted = plan_fingerprint(plan)
        state = workspace.read_state() or {}
        if state.get("build") == wanted and not list_missing_parts(workspace, plan):
            check_failures(plan, workspace)  # its bound is no part of what was built
            say(WHOLE)
            return workspace
        check_text_fields(plan)
        say_about_manifest(plan, say)
        merge_slice_timings(out)
        status = Status(out, show, manifest if is_remote(manifest) else os.path.abspath(manifest))
        builder = Build(plan, workspace, running, status, say, state)
        with report_end(status, release, builder.cancel):
            run_stages(builder, wanted, until)
    return workspace


def say_about_manifest(plan: BuildPlan, say: Callable[[str], None]) -> None:
    """Say a line for whatever in a manifest can be meant, and hardly is."""
    for line in (
        *describe_replaced(plan.file),
        *describe_unnameable(plan.file),
        *describe_empty_files(plan),
        *describe_unmatched_fields(plan),
    ):
        say(line)
    for name, source in plan.file.manifest.sources.items():
        if not plan.rules.rules[name] and source.rules is None:
            say(
                f"{name}: no rules apply to this source: give it some, such as `rules: [fineweb, language]`, "
                "or set `rules: []`"
            )
        elif source.kind in ("jsonl", "csv", "parquet", "text") and not source.rules:
            say(f"{name}: only the manifest's own rules apply to this source")


def list_missing_parts(workspace: Workspace, plan: BuildPlan) -> list[str]:
    """Return the parts that a finished build has and this workspace lacks."""
    folders = ["documents", "decisions", *(f"signals/{step}" for step in plan.steps)]
    present = {path for folder in folders for path in storage.list_files(workspace.path(folder))}
    expected = _list_split_parts(workspace, plan, plan.names, plan.steps)
    dataset = workspace.path("tokens", "dataset.json")
    expected += [
        workspace.path("plan.json"),
        workspace.path("manifest.yaml"),
        dataset,
        *(workspace.path("stats", f"{name}.parquet") for name in (*LEDGER_TABLES, *LATER_TABLES)),
        workspace.path("tokenizer", "tokenizer.json"),
        workspace.path("tokenizer", "card.json"),
    ]
    options = plan.file.manifest.dedup
    if options.exact or options.url or options.minhash is not None:
        expected.append(workspace.path("dedup", "clusters.parquet"))
    if options.canaries:
        expected.append(workspace.path("dedup", "audit.parquet"))
    if options.repeats:
        expected.append(counts_path(workspace, REPEATS_STEP))
    expected += [counts_path(workspace, search.step) for search in plan.searches]
    if find_applied(plan.file.manifest):
        expected.append(applied_path(workspace))
    if not plan.file.manifest.decontaminate.is_empty:
        expected += decontaminate.list_tables(workspace)
    if storage.exists(dataset):
        expected += [workspace.path("tokens", shard["path"]) for shard in workspace.tokens()["shards"]]
    return [path for path in expected if path not in present and not storage.exists(path)]


def _list_split_parts(
    workspace: Workspace, plan: BuildPlan, names: Iterable[tuple[str, str]], steps: Iterable[str]
) -> list[str]:
    """Return the parts that input splits have when a build is finished, with the signals of these steps."""
    names = list(names)
    folders = ["documents", "decisions", *(f"signals/{step}" for step in steps)]
    parts = [workspace.part(folder, *name) for folder in folders for name in names]
    if plan.file.manifest.dedup.repeats:
        parts += [edits_path(workspace, REPEATS_STEP, *name) for name in names]
    parts += [edits_path(workspace, search.step, *name) for search in plan.searches for name in names]
    if not plan.file.manifest.decontaminate.is_empty:
        parts += [edits_path(workspace, DECONTAMINATION_STEP, *name) for name in names]
        parts += [hits_path(workspace, *name) for name in names]
    if plan.tools.signatures is not None:
        parts += [workspace.part("dedup/signatures", *name, "arrow") for name in names]
    return parts


def list_lost_parts(workspace: Workspace, plan: BuildPlan, absent: Collection[str]) -> list[str]:
    """Return the absent parts that the last build had: not those of input splits and signals that are new."""
    if workspace.path("plan.json") in absent:
        return list(absent)
    names, steps = set(workspace.splits()), set(workspace.steps())
    new = set(
        _list_split_parts(workspace, plan, (name for name in plan.names if name not in names), plan.steps)
    )
    new |= {
        workspace.part(f"signals/{step}", *name)
        for step in plan.steps
        if step not in steps
        for name in plan.names
    }
    return [path for path in absent if path not in new]


def describe_missing(workspace: Workspace, absent: list[str]) -> str:
    """Return a line on the files that a finished workspace lacks, by their paths in it."""
    names = [path.removeprefix(workspace.path("")).lstrip("/") for path in absent]
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    them = "it" if len(names) == 1 else "them"
    return f"missing, and made again with what depends on {them}: {', '.join(names[:3])}{more}"


def leave_out_new(workspace: Workspace, absent: Iterable[str]) -> list[str]:
    """Return the missing files without those of searches that the workspace was not searched for before."""
    new = [
        workspace.path(*folder.split("/")) + "/"
        for step in EDIT_STEPS
        if not storage.exists(counts_path(workspace, step))
        for folder in (f"edits/{step}", f"signals/{step}", step)
    ]
    if not storage.exists(counts_path(workspace, DECONTAMINATION_STEP)):
        new.append(sets_path(workspace))
    return [path for path in absent if path != applied_path(workspace) and not path.startswith(tuple(new))]


def report_quarantine(builder: Build) -> None:
    """Report quarantined and unread records. Raises RunError if they exceed a source's `max_failures`."""
    counts = quarantine.count_by_reason(builder.workspace, "time", "remote")
    late, unread_splits = counts["time"].total(), sorted(counts["remote"])
    remember_unread(builder.workspace, unread_splits)
    if unread_splits:
        what = "input split was" if len(unread_splits) == 1 else "input splits were"
        builder.say(f"{len(unread_splits):,} {what} not read to the end: the next build retries")
    builder.status.more["time_dependent"] = late
    if late:
        builder.say(
            f"{late:,} records exceeded their time limit: a faster machine may finish them, so this build "
            "depends on time (`--retry-quarantine` gives them four times as long)"
        )
    check_failures(builder.plan, builder.workspace)


def run_stages(builder: Build, wanted: str, until: str | None = None) -> None:
    """Run all stages of a build in order, or those up to `until`."""
    absent = list_missing_parts(builder.workspace, builder.plan)
    for line in explain_changes(builder.workspace, builder.plan, builder.state, absent):
        builder.say(line)
    lost = leave_out_new(builder.workspace, list_lost_parts(builder.workspace, builder.plan, absent))
    if lost and "build" in builder.state:
        builder.say(describe_missing(builder.workspace, lost))
    builder.forget("build")
    if absent:
        builder.forget("ingest" if count_unread_splits(builder.workspace, builder.plan, absent) else "decide")
    builder.held_before = read_shares(builder.workspace)
    write_plan(builder.workspace, builder.plan)
    prints = {"ingest": ingest_fingerprint(builder.plan)}
    for name, stage in STAGES:
        builder.stage(name, prints.get(name, wanted), partial(stage, builder))
        if name == "ingest":
            report_quarantine(builder)
        if name == until:
            return
    builder.stage("build", wanted, partial(remove_part_statistics, builder))
    if not is_remote(builder.workspace.root):
        remove_unfinished(
            builder.workspace.root
        )  # of workers that were killed, and whose work was done again
    remove_empty_folders(builder.workspace)
