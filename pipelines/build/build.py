"""Build a workspace: what is wrong with the manifest is said before Beam is imported."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from corpus import storage
from corpus.errors import UserError
from corpus.pipelines.beam.loading import keep_pandas_out
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.slice import Slice
from corpus.pipelines.build.stop import exit_on_signals
from corpus.progress import StageProgress
from corpus.storage.outputs import check_output_folder

if TYPE_CHECKING:
    from corpus.pipelines.beam.options import Running
    from corpus.workspace import Workspace

REMAINS = {"plan.json", "state.json"}
"""Files of every workspace that a build came some way with."""


def build_workspace(
    manifest: str,
    out: str,
    running: Running,
    say: Callable[[str], None] = lambda line: None,
    show: Callable[[StageProgress], None] | None = None,
    until: str | None = None,
    retry_quarantine: bool = False,
    share: Slice | None = None,
) -> Workspace:
    """Build a workspace from a manifest, or continue one. Raises UserError or RunError, one line each.

    A finished build of the same manifest and input does nothing. `until` names the last stage to do
    (one of `stages.STAGES`): a later build without it continues from there. `retry_quarantine` reads the splits with
    records in quarantine again, with four times the budgets. `share` makes the parts of a slice alone.
    """
    out = storage.local_path(out)
    refusal: UserError | None = None
    try:
        check_out(out)
    except UserError as error:
        if storage.is_remote(out) or not storage.exists(storage.join(out, "state.json")):
            raise
        refusal = error  # unless there is nothing to do
    if not running.local and not storage.is_remote(out):
        out = os.path.abspath(out)  # workers have other current folders
    with exit_on_signals():
        if not running.local:
            from corpus.pipelines.beam.engines import check_engine

            check_engine(running, out)
        plan = make_plan(
            manifest, say if share is None else None
        )  # what is wrong is said before more is imported
        keep_pandas_out()
        if refusal is not None:
            from corpus.pipelines.build.sequence import WHOLE, find_finished

            finished = None if share is not None or retry_quarantine else find_finished(plan, out)
            if finished is None:
                raise refusal
            say(WHOLE)
            return finished
        if share is not None:
            from corpus.pipelines.build.slices import build_slice

            return build_slice(plan, manifest, out, share, running, say, show)
        from corpus.pipelines.build.sequence import build_locked

        return build_locked(plan, manifest, out, running, say, show, until, retry_quarantine)


def check_out(out: str) -> None:
    """Raise UserError if `out` is not a workspace and cannot become one."""
    check_output_folder("--out", out)
    if storage.is_remote(out) or storage.exists(storage.join(out, "workspace.json")):
        return
    names = {name for name in os.listdir(out) if not name.endswith(".tmp")} if os.path.isdir(out) else set()
    if names >= REMAINS:  # of a workspace that has lost its workspace.json, which a build makes anew
        return
    if names - {".lock"} and "workspace.json" not in names:  # which a slice may just have written
        raise UserError(f"--out {out}: the folder contains other files: name a new one, or a workspace")
