"""A workspace under other rules: decisions and edits of its own, beside the documents of the one it came from."""

from __future__ import annotations

import json
import os
import shutil

from corpus import storage
from corpus.decontamination.hits import STEP, sets_path
from corpus.edits.steps import EDIT_STEPS
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages
from corpus.pipelines.build.redecide import Changes, make_stored_plan
from corpus.pipelines.build.run import Build
from corpus.progress import Status
from corpus.workspace import Workspace

OWN_SIGNALS = tuple(f"signals/{step}" for step in EDIT_STEPS)
"""Signals of searches in stored texts, which other rules may change."""


def decide_scratch(root: str, manifest: str | None, changes: Changes, folder: str) -> Workspace:
    """Return a workspace in a local folder with the decisions and edits that other rules give the documents of `root`.

    What `root` was searched for is taken from it, and searched again only where the rules ask for something else; text
    that kept documents repeat depends on which are kept, and is looked for anew where these differ. What is there
    already is kept if it is of the same rules. Raises UserError as `redecide.compare_changes`.
    """
    root = root if storage.is_remote(root) else os.path.abspath(storage.local_path(root))
    workspace = Workspace.open(root)
    plan = make_stored_plan(workspace, manifest, changes, finished=True)
    other = Workspace.scratch(folder, workspace, OWN_SIGNALS)
    for name in (*(f"edits/{step}" for step in EDIT_STEPS), *OWN_SIGNALS, STEP):
        for path in storage.list_files(workspace.path(*name.split("/"))):
            _take(path, other.path(path.removeprefix(workspace.path("")).lstrip("/")))
    if storage.exists(sets_path(workspace)):
        _take(sets_path(workspace), sets_path(other))
    storage.write_text(other.path("plan.json"), json.dumps({"splits": plan.names, "steps": plan.steps}))
    stages.decide_and_mark(Build(plan, other, Running(workers=1), Status(folder), lambda line: None))
    return other


def _take(path: str, target: str) -> None:
    """Link a file, or copy it where it cannot be linked, unless the target is there. Files are never written in place,
    so neither changes with the other."""
    if storage.exists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not storage.is_remote(path):
        try:
            os.link(storage.local_path(path), target)
            return
        except OSError:  # on another device, or the file system has no links
            pass
    with storage.open_input(path) as stream, storage.atomic_output(target) as output:
        shutil.copyfileobj(stream, output)
