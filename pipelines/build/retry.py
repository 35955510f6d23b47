"""Quarantine in a build: how much of it ends the run, and trying it again with larger budgets."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.extract.process.budgets import LARGER
from corpus.ledger import quarantine
from corpus.pipelines.build.plan import Plan
from corpus.workspace import Workspace

RETRIES = "retries.json"
"""Which splits have larger budgets, by "source/split": what they are multiplied by. Part of what makes a part."""


UNREAD = "unread.json"
"""The (source, split) whose remote files were out of reach before their end."""


def with_retries(plan: Plan, workspace: Workspace, again: bool) -> Plan:
    """The plan with the larger budgets that splits have had, and with `again` four times those for every split
    with records in quarantine that budgets have put there.

    Raises UserError where nothing can be tried again.
    """
    path = workspace.path(RETRIES)
    stored = json.loads(storage.read_text(path)) if storage.exists(path) else {}
    names = {f"{source}/{split}" for source, split in plan.names}
    retries: dict[str, int] = {name: factor for name, factor in stored.items() if name in names}
    if again:
        if not storage.exists(workspace.path("plan.json")):
            raise UserError(f"--retry-quarantine: nothing was built in {workspace.root} yet")
        found = [f"{source}/{split}" for source, split in quarantine.to_retry(workspace)]
        if not found:
            reasons = ", ".join(quarantine.RETRIED)
            raise UserError(
                f"--retry-quarantine: no record in the quarantine of {workspace.root} is there for its "
                f"{reasons}; larger budgets would change nothing"
            )
        for name in found:
            retries[name] = retries.get(name, 1) * LARGER
        storage.write_text(path, json.dumps(retries, indent=1, sort_keys=True) + "\n")
    return replace(plan, tools=replace(plan.tools, retries=retries))


def remember_unread(workspace: Workspace, splits: list[tuple[str, str]]) -> None:
    """Note the splits whose files were out of reach before their end; no file where there are none."""
    path = workspace.path(UNREAD)
    if splits:
        storage.write_text(path, json.dumps(splits) + "\n")
    else:
        storage.remove(path)


def ask_again(workspace: Workspace) -> None:
    """Have splits read again whose files were out of reach before their end.

    What was made of their documents goes too, since whole ones have the same fingerprints: decisions of the splits,
    and what is made of all splits together.
    """
    path = workspace.path(UNREAD)
    if not storage.exists(path):
        return
    for source, split in json.loads(storage.read_text(path)):
        for folder in ("documents", "decisions"):
            storage.remove(workspace.part(folder, source, split))
    storage.remove(workspace.path("dedup", "clusters.parquet"))
    for folder in ("stats", "tokenizer", "tokens"):
        storage.remove_folder(workspace.path(folder))


def check_failures(plan: Plan, workspace: Workspace) -> None:
    """Raises RunError where a source has more records in quarantine than its `max_failures` says."""
    manifest = plan.file.manifest
    for name, source in manifest.sources.items():
        share = source.max_failures if source.max_failures is not None else manifest.max_failures
        if share is None:
            continue
        failures, reasons = quarantine.top_reasons(workspace, name)
        if not failures:
            continue
        read = failures + sum(_rows(workspace, *pair) for pair in plan.names if pair[0] == name)
        if failures > share * read:
            told = "; ".join(f"{reason} {count:,} ({place})" for reason, count, place in reasons)
            raise RunError(
                f"{name}: {failures:,} of {read:,} records ({failures / read:.1%}) are in quarantine, over "
                f"max_failures {share:g}: {told}. `corpus sample {workspace.root} --quarantine` shows them; "
                "with a larger max_failures the same command goes on"
            )


def _rows(workspace: Workspace, source: str, split: str) -> int:
    with storage.open_input(workspace.part("documents", source, split)) as stream:
        return int(pq.read_metadata(stream).num_rows)
