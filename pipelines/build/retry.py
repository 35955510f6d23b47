"""Handle quarantine in a build: fail if there is too much of it, and retry it with larger budgets."""

from __future__ import annotations

import json
from dataclasses import replace

from corpus import storage
from corpus.document import RETRIED_REASONS
from corpus.edits.parts import counts_path, edits_path
from corpus.edits.steps import DECONTAMINATION_STEP, REPEATS_STEP
from corpus.errors import RunError, UserError
from corpus.extract.process.budgets import RETRY_BUDGET_FACTOR
from corpus.ledger import quarantine
from corpus.pipelines.build.plan import BuildPlan
from corpus.rules.rule import STORED_STEPS
from corpus.storage.part_writer import count_rows
from corpus.workspace import Workspace

RETRIES_FILE = "retries.json"
"""File of the splits with larger budgets: "source/split" to their factor. Parts depend on it."""


UNREAD_FILE = "unread.json"
"""File of the (source, split) whose remote files became unreachable before their end."""


def apply_retries(plan: BuildPlan, workspace: Workspace, again: bool) -> BuildPlan:
    """Return the plan with the larger budgets of earlier retries.

    With `again`, the budgets of every split with records that exceeded them are multiplied by four. Small files keep
    their budgets when others come or go and they share another split. Raises UserError if there is nothing to retry.
    """
    path = workspace.path(RETRIES_FILE)
    stored = json.loads(storage.read_text(path)) if storage.exists(path) else {}
    retries: dict[str, int] = {}
    split_size = int(plan.file.manifest.split_size)
    for split in plan.splits if stored else ():
        names = split.list_names(split_size)
        factors = [stored.get(f"{split.source}/{name}", 1) for name in names]
        if max(factors) > 1:
            retries[f"{split.source}/{split.name}"] = max(factors)
    if again:
        if not storage.exists(workspace.path("plan.json")):
            raise UserError(f"--retry-quarantine: nothing was built in {workspace.root} yet")
        to_retry = [f"{source}/{split}" for source, split in quarantine.find_retryable_splits(workspace)]
        if not to_retry:
            reasons = ", ".join(RETRIED_REASONS)
            raise UserError(
                f"--retry-quarantine: no record of {workspace.root} was quarantined for "
                f"{reasons}: larger budgets would change nothing"
            )
        for name in to_retry:
            retries[name] = retries.get(name, 1) * RETRY_BUDGET_FACTOR
        storage.write_text(path, json.dumps(retries, indent=1, sort_keys=True) + "\n")
    return replace(plan, tools=replace(plan.tools, retries=retries))


def remember_unread(workspace: Workspace, splits: list[tuple[str, str]]) -> None:
    """Store the splits whose files became unreachable before their end; remove the file if there are none."""
    path = workspace.path(UNREAD_FILE)
    if splits:
        storage.write_text(path, json.dumps(splits) + "\n")
    else:
        storage.remove(path)


def has_unread_parts(workspace: Workspace) -> bool:
    """Return whether the next build reads splits again whose files became unreachable before their end."""
    return storage.exists(workspace.path(UNREAD_FILE))


def remove_unread_parts(workspace: Workspace) -> None:
    """Remove the parts of splits whose files became unreachable before their end, so that they are read again.

    What depends on their documents is removed too, since complete ones have the same fingerprints: decisions of these
    splits, and everything that is made of all splits.
    """
    path = workspace.path(UNREAD_FILE)
    if not has_unread_parts(workspace):
        return
    for source, split in json.loads(storage.read_text(path)):
        for folder in ("documents", "decisions", *(f"signals/{step}" for step in STORED_STEPS)):
            storage.remove(workspace.part(folder, source, split))
        for step in STORED_STEPS:
            storage.remove(edits_path(workspace, step, source, split))
    for step in STORED_STEPS:
        storage.remove(counts_path(workspace, step))
    storage.remove(workspace.path("dedup", "clusters.parquet"))
    for folder in (
        f"edits/{REPEATS_STEP}",
        f"edits/{DECONTAMINATION_STEP}",
        f"signals/{DECONTAMINATION_STEP}",
        DECONTAMINATION_STEP,
        "stats",
        "tokenizer",
        "tokens",
    ):
        storage.remove_folder(workspace.path(folder))


def check_failures(plan: BuildPlan, workspace: Workspace) -> None:
    """Raise RunError if a source has more records in quarantine than its `max_failures` allows."""
    manifest = plan.file.manifest
    for name, source in manifest.sources.items():
        share = source.max_failures if source.max_failures is not None else manifest.max_failures
        if share is None:
            continue
        lost, failed, reasons = quarantine.rank_reasons(workspace, name)
        failures = lost + failed
        if not failures:
            continue
        read = lost + sum(
            count_rows(workspace.part("documents", *pair)) for pair in plan.names if pair[0] == name
        )
        if failures > share * read:
            top_reasons = "; ".join(f"{reason} {count:,} ({place})" for reason, count, place in reasons)
            raise RunError(
                f"{name}: {failures:,} of {read:,} records ({failures / read:.1%}) are in quarantine, over "
                f"max_failures {share:g}: {top_reasons}. `corpus sample {workspace.root} --quarantine` shows them; "
                "raise max_failures and resume with the same command"
            )
