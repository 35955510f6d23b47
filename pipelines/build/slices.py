"""Make the parts of a slice of a build, so that many machines can make them with nothing but a common folder.

Slices share the lock of their workspace, and a part appears whole, so they may run together, overlap, be killed and be
run again. A build takes the workspace over when all have ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from corpus import storage
from corpus.errors import UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.changes import check_name
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import plan_fingerprint
from corpus.pipelines.build.retry import apply_retries
from corpus.pipelines.build.run import NOTHING_TO_DO, Build, report_end
from corpus.pipelines.build.sequence import list_missing_parts, say_about_manifest
from corpus.pipelines.build.slice import Slice
from corpus.pipelines.build.stages import make_parts
from corpus.pipelines.tokenize import check_kept_tokenizer
from corpus.progress import SLICES_FOLDER, StageProgress, Status
from corpus.storage.lock import hold_lock
from corpus.workspace import Workspace


def build_slice(
    plan: BuildPlan,
    manifest: str,
    out: str,
    share: Slice,
    running: Running,
    say: Callable[[str], None],
    show: Callable[[StageProgress], None] | None,
) -> Workspace:
    """Make the parts of the input splits of a slice in the workspace at `out`, beside other slices.

    The plan is one without `say`: sources that fetch their input first are for a whole build alone.
    """
    with hold_lock(out, shared=True) as release:
        workspace = Workspace.create(out)
        check_name(workspace, plan.file.manifest.name)
        try:
            check_kept_tokenizer(workspace, plan.file.manifest.tokenizer)
        except UserError as error:
            raise plan.file.error(error.path, str(error)) from None
        plan = apply_retries(plan, workspace, again=False)
        state = workspace.read_state() or {}
        if state.get("build") == plan_fingerprint(plan) and not list_missing_parts(workspace, plan):
            say(f"{NOTHING_TO_DO}: the workspace is complete")
            return workspace
        say_about_manifest(plan, say)
        place = storage.join(out, SLICES_FOLDER, f"{share.number}-of-{share.count}")
        status = Status(place, show, manifest if storage.is_remote(manifest) else os.path.abspath(manifest))
        mine = replace(plan, splits=[split for split in plan.splits if share.has(split.source, split.name)])
        builder = Build(mine, workspace, running, status, say, state)
        with report_end(status, release):
            builder.forget("ingest")  # ids are compared again, and what follows depends on the new parts
            if mine.splits:
                make_parts(builder)
        say(
            f"slice {share}: the parts of {len(mine.splits):,} of {len(plan.splits):,} input splits are there; after "
            f"the last slice, `corpus build {manifest} --out {out}` goes on from them"
        )
    return workspace
