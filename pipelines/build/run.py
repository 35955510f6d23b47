"""Run a build: its plan and workspace, the stages that are done, and its pipelines, restarted if they fail."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpus import storage
from corpus.errors import MAX_ERROR_CHARACTERS, RunError, shorten_line
from corpus.pipelines.beam.engines import (
    cancel_job,
    check_engine,
    describe_job,
    find_missing_pool,
    read_engine_error,
    run_job,
)
from corpus.pipelines.beam.fanout import make_claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.remote_work import find_work_error
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.stop import exit_on_signals
from corpus.progress import StageProgress, Status, Tally
from corpus.storage.outputs import name_place
from corpus.validation import Shares
from corpus.workspace import Workspace

NOTHING_TO_DO = "nothing to do"
"""What the line on a workspace that is as it should be begins with."""
LOOK_SECONDS = 0.5
ENGINE_LOOK_SECONDS = 2.0
REMOTE_LOOK_SECONDS = 15.0
"""Seconds between two looks at the workers' counts: of local ones, of another engine's, and on an object store."""
MAX_ATTEMPTS = 3
"""How often a pipeline is started at most: a worker that dies makes it fail, and it continues from its parts."""


@dataclass
class Build:
    """One build in progress."""

    plan: BuildPlan
    workspace: Workspace
    running: Running
    status: Status
    say: Callable[[str], None]
    state: dict[str, str] = field(default_factory=dict)
    held_before: Shares | None = None
    """The shares of validation that the last build came to."""
    job: Any = None
    """Beam's result of the job that another engine runs now."""

    def stage(self, name: str, wanted: str, work: Callable[[], Any]) -> None:
        """Run a stage unless state.json has it as done with the same fingerprint."""
        if self.state.get(name) == wanted:
            return
        self.forget(name)
        work()
        self.state[name] = wanted
        storage.write_text(self.workspace.path("state.json"), json.dumps(self.state, indent=1) + "\n")

    def forget(self, name: str) -> None:
        """Mark the stage and all later ones as not done."""
        if name in self.state:
            names = list(self.state)
            for later in names[names.index(name) :]:
                del self.state[later]
            storage.write_text(self.workspace.path("state.json"), json.dumps(self.state, indent=1) + "\n")

    def for_stage(self, stage: str) -> Running:
        """Return how to run the pipelines of a stage."""
        return self.running.for_stage(stage, self.plan.size)

    def run(
        self,
        name: str,
        build: Callable[[str | None], Callable[[Any], Any]],
        total: int,
        *,
        running: Running,
        weights: Sequence[int] | None = None,
        groups: Sequence[str] | None = None,
    ) -> None:
        """Run a Beam pipeline, up to three times; `build(claims)` returns what puts its transforms on a Pipeline.

        `weights` and `groups` (see `Tally`): the sizes and kinds of its items, in the order in which they are started,
        to estimate the time left.
        """
        with self.status.time_stage(name, running.workers):
            self._run(name, build, weights or [1] * total, groups, running)

    def _run(
        self,
        name: str,
        build: Callable[[str | None], Callable[[Any], Any]],
        weights: Sequence[int],
        groups: Sequence[str] | None,
        running: Running,
    ) -> None:
        total = len(weights)
        self.status.at(StageProgress(stage=name, total=total))
        for attempt in range(1, MAX_ATTEMPTS + 1):
            check_engine(running, self.workspace.root)
            pipeline = running.open_pipeline(name)
            with (
                make_claims_folder(running, self.workspace.root) as claims,
                self._watch(name, claims, weights, groups),
            ):
                try:
                    if running.local:
                        with pipeline:
                            build(claims)(pipeline)
                    else:
                        run_job(pipeline, build(claims), self._watch_job)
                    break
                except Exception as error:
                    logging.getLogger(__name__).debug("pipeline failed", exc_info=True)
                    said = read_engine_error(error)
                    lines = said.strip().splitlines() or [type(error).__name__]
                    reason = (
                        find_work_error(said) or find_missing_pool(running, said) or shorten_line(lines[-1])
                    )
                    if isinstance(reason, RunError):
                        raise reason from error
                    if attempt == MAX_ATTEMPTS:
                        raise RunError(
                            f"{name} failed {MAX_ATTEMPTS} times, last with: {reason}. Finished parts are kept: "
                            "resume with the same command (--debug shows where it stopped)"
                        ) from error
                    self.say(
                        f"{name} stopped ({reason}); resuming from its parts, attempt {attempt + 1} of {MAX_ATTEMPTS}"
                    )
        standing = self.status.standing
        self.status.at(
            StageProgress(
                stage=name,
                done=total,
                total=total,
                documents=standing.documents,
                earlier=standing.earlier,
                rate=standing.rate,
            )
        )

    def _watch_job(self, job: Any) -> None:
        """Remember the job of another engine, and put its id into status.json."""
        self.job = job
        self.status.more["job"] = describe_job(job)

    def cancel(self) -> None:
        """Cancel the job that another engine runs, if there is one."""
        if self.job is not None:
            cancel_job(self.job)

    @contextlib.contextmanager
    def _watch(
        self, name: str, claims: str | None, weights: Sequence[int], groups: Sequence[str] | None
    ) -> Iterator[None]:
        """Update the progress from the workers' counts twice a second, and once at the end."""
        if claims is None or not weights:
            yield
            return
        finished = threading.Event()
        tally = Tally(name, claims, weights, groups)
        engine_seconds = REMOTE_LOOK_SECONDS if storage.is_remote(claims) else ENGINE_LOOK_SECONDS
        every = LOOK_SECONDS if self.running.local else engine_seconds

        def look() -> None:
            while not finished.wait(every):
                with contextlib.suppress(OSError):  # a full disk: the work itself will tell
                    self.status.at(tally.read_progress())

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
            self.status.standing = tally.read_progress()


@contextlib.contextmanager
def report_end(
    status: Status, release: Callable[[], None], cancel: Callable[[], object] = bool
) -> Iterator[None]:
    """Record in `status` how the block ends; on Ctrl-C and SIGTERM, end the process and release its lock.

    `cancel` ends what the build has at work on other machines then.

    OSError from a disk or an object store becomes RunError.
    """

    def stop() -> None:
        status.end("stopped")
        cancel()
        release()

    try:
        with exit_on_signals(stop, status.where):
            yield
    except OSError as error:
        status.end("failed", error=shorten_line(str(error), MAX_ERROR_CHARACTERS))
        place = f" ({named})" if (named := name_place(error)) else ""
        raise RunError(
            f"{error.strerror or error}{place}. Finished parts are kept: resume with the same command"
        ) from error
    except BaseException as error:
        status.end("failed", error=shorten_line(str(error), MAX_ERROR_CHARACTERS) or type(error).__name__)
        raise
    status.end("done")
