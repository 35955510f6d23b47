"""Build: every stage in order, each from the parts of the one before; what is done is not done again."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.ledger import quarantine
from corpus.pipelines.beam.fanout import claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.changes import check_name, explain, unread
from corpus.pipelines.build.plan import Plan, make_plan, plan_fingerprint, write_plan
from corpus.pipelines.build.retry import ask_again, check_failures, remember_unread, with_retries
from corpus.pipelines.build.stop import stoppable
from corpus.progress import Standing, Status, Tally
from corpus.storage.lock import locked
from corpus.workspace import Workspace

STAGES = ("ingest", "decide", "tokenize", "count")
"""The stages of a build in their order; each is a function of `corpus.pipelines.build.stages`."""

ATTEMPTS = 3
"""How often a pipeline is begun: a worker that dies takes it down, and it goes on from its parts."""


@dataclass
class Build:
    """One build at work."""

    plan: Plan
    workspace: Workspace
    running: Running
    status: Status
    say: Callable[[str], None]
    state: dict[str, str] = field(default_factory=dict)

    def stage(self, name: str, wanted: str, work: Callable[[], Any]) -> None:
        """Do a stage unless the workspace says that it was done with the same fingerprint."""
        if self.state.get(name) == wanted:
            return
        self.forget(name)
        work()
        self.state[name] = wanted
        storage.write_text(self.workspace.path("state.json"), json.dumps(self.state, indent=1) + "\n")

    def forget(self, name: str) -> None:
        """The stage and all after it are no longer done."""
        if name in self.state:
            names = list(self.state)
            for later in names[names.index(name) :]:
                del self.state[later]
            storage.write_text(self.workspace.path("state.json"), json.dumps(self.state, indent=1) + "\n")

    def sized(self, stage: str) -> Running:
        """How to run the pipelines of a stage."""
        return self.running.sized(stage, self.plan.size)

    def run(
        self,
        name: str,
        build: Callable[[str | None], Callable[[Any], Any]],
        total: int,
        *,
        running: Running,
        weights: Sequence[int] | None = None,
    ) -> None:
        """Run a Beam pipeline; `build(claims)` puts its transforms on a Pipeline. Begun up to three times.

        `weights`: the sizes of its items, in the order in which they are dealt out, for the time left.
        """
        with self.status.timed(name, running.workers):
            self._run(name, build, weights or [1] * total, running)

    def _run(
        self,
        name: str,
        build: Callable[[str | None], Callable[[Any], Any]],
        weights: Sequence[int],
        running: Running,
    ) -> None:
        import apache_beam as beam

        total = len(weights)
        self.status.at(Standing(stage=name, total=total))
        options = running.options(name)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                pipeline = beam.Pipeline(options=options)
            except ValueError as error:
                reason = " ".join(str(error).replace("Pipeline has validations errors:", "").split())
                raise UserError(f"Beam cannot run with these options: {reason.strip(' .')}") from None
            with (
                claims_folder(running, self.workspace.root) as claims,
                self._watch(name, claims, weights),
            ):
                try:
                    with pipeline:
                        build(claims)(pipeline)
                    break
                except Exception as error:
                    logging.getLogger(__name__).debug("pipeline failed", exc_info=True)
                    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
                    if attempt == ATTEMPTS:
                        raise RunError(
                            f"{name} failed {ATTEMPTS} times, last with: {reason}. What was finished is kept: "
                            "the same command goes on from there (--debug shows where it stopped)"
                        ) from error
                    self.say(
                        f"{name} stopped ({reason}); going on from its parts, attempt {attempt + 1} of {ATTEMPTS}"
                    )
        documents = self.status.standing.documents
        rate = self.status.standing.rate
        self.status.at(Standing(stage=name, done=total, total=total, documents=documents, rate=rate))

    @contextlib.contextmanager
    def _watch(self, name: str, claims: str | None, weights: Sequence[int]) -> Iterator[None]:
        """Progress by what workers count, twice a second, and once at the end."""
        if claims is None or not weights:
            yield
            return
        finished = threading.Event()
        tally = Tally(name, claims, weights)

        def look() -> None:
            while not finished.wait(0.5):
                with contextlib.suppress(OSError):  # a full disk: the work itself will tell
                    self.status.at(tally.look())

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
            self.status.standing = tally.look()


def build(
    manifest: str,
    out: str,
    running: Running,
    say: Callable[[str], None] = lambda line: None,
    show: Callable[[Standing], None] | None = None,
    until: str | None = None,
    retry_quarantine: bool = False,
) -> Workspace:
    """Build a workspace from a manifest, or go on with one. Raises UserError or RunError, one line each.

    A finished build of the same manifest and input does nothing. `until` names the last stage to do
    (one of `STAGES`): a later build without it goes on from there. `retry_quarantine` reads the splits with
    records in quarantine again, with four times the budgets.
    """
    out = storage.local(out)
    check_out(out)
    with stoppable():
        return _build(manifest, out, running, say, show, until, retry_quarantine)


def _build(
    manifest: str,
    out: str,
    running: Running,
    say: Callable[[str], None],
    show: Callable[[Standing], None] | None,
    until: str | None,
    retry_quarantine: bool,
) -> Workspace:
    plan = make_plan(manifest, say)
    with locked(out) as release:
        workspace = Workspace.create(out)
        check_name(workspace, plan.file.manifest.name)
        plan = with_retries(plan, workspace, retry_quarantine)
        ask_again(workspace)
        wanted = plan_fingerprint(plan)
        state = read_state(workspace)
        if state.get("build") == wanted and not missing_parts(workspace, plan):
            say("nothing to do: the workspace is complete")
            return workspace
        for name, source in plan.file.manifest.sources.items():
            if not plan.rules.rules[name] and source.rules is None:
                say(
                    f"{name}: no rules decide on this source; give it some, such as `rules: [fineweb, language]`, "
                    "or say so with `rules: []`"
                )
            elif source.kind in ("jsonl", "parquet", "text") and not source.rules:
                say(f"{name}: only the manifest's own rules decide on this source")
        status = Status(out, show)
        builder = Build(plan, workspace, running, status, say, state)
        with told(status, release):
            stages(builder, wanted, until)
    return workspace


@contextlib.contextmanager
def told(status: Status, release: Callable[[], None]) -> Iterator[None]:
    """However the block ends, its status says so; Ctrl-C and SIGTERM end it at once and let go of its lock.

    What a disk or a store refuses becomes a RunError.
    """
    try:
        with stoppable(lambda: (status.end("stopped"), release()), status.where):
            yield
    except OSError as error:
        status.end("failed", error=str(error)[:1000])
        place = f" ({error.filename})" if error.filename else ""
        raise RunError(
            f"{error.strerror or error}{place}. What was finished is kept: the same command goes on from there"
        ) from error
    except BaseException as error:
        status.end("failed", error=str(error)[:1000] or type(error).__name__)
        raise
    status.end("done")


def check_out(out: str) -> None:
    """Raises UserError where `out` cannot become, or is not, a workspace."""
    if not out:
        raise UserError("--out is empty: name a folder or URL")
    if out.startswith(("http://", "https://")):
        raise UserError(
            f"--out {out}: a web server cannot be written to: name a folder, s3://... or gs://..."
        )
    if storage.is_remote(out) or storage.exists(storage.join(out, "workspace.json")):
        return
    place = os.path.abspath(out)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise UserError(f"--out {out}: the file {place} is in the way: name a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"--out {out}: {place} cannot be written to")
    if os.path.isdir(out) and any(name != ".lock" and not name.endswith(".tmp") for name in os.listdir(out)):
        raise UserError(f"--out {out}: the folder has other things in it: name a new one, or a workspace")


def read_state(workspace: Workspace) -> dict[str, str]:
    """Which stages are done, by the fingerprint they were done with, in their order."""
    path = workspace.path("state.json")
    if not storage.exists(path):
        return {}
    found: dict[str, str] = json.loads(storage.read_text(path))
    return found


def missing_parts(workspace: Workspace, plan: Plan) -> list[str]:
    """Parts that a finished build has and this workspace has not."""
    folders = ["documents", "decisions", *(f"signals/{step}" for step in plan.steps)]
    present = {path for folder in folders for path in storage.list_files(workspace.path(folder))}
    expected = [workspace.part(folder, *name) for folder in folders for name in plan.names]
    dataset = workspace.path("tokens", "dataset.json")
    expected += [
        dataset,
        workspace.path("stats", "counts.parquet"),
        workspace.path("tokenizer", "tokenizer.json"),
    ]
    if storage.exists(dataset):
        expected += [workspace.path("tokens", shard["path"]) for shard in workspace.tokens()["shards"]]
    return [path for path in expected if path not in present and not storage.exists(path)]


def after_ingest(builder: Build) -> None:
    """What quarantine means for the build. Raises RunError where it has more than a source's `max_failures`."""
    found = quarantine.count(builder.workspace, "time", "remote")
    late, unread = found["time"].total(), sorted(found["remote"])
    remember_unread(builder.workspace, unread)
    if unread:
        what = "split was" if len(unread) == 1 else "splits were"
        builder.say(f"{len(unread):,} {what} not read to the end: the next build asks for what is missing")
    builder.status.more["time_dependent"] = late
    if late:
        builder.say(
            f"{late:,} records were stopped by their seconds: another machine may get further, so this build "
            "depends on time (`--retry-quarantine` gives them four times as much)"
        )
    check_failures(builder.plan, builder.workspace)


def stages(builder: Build, wanted: str, until: str | None = None) -> None:
    """All stages of a build, in order, or those up to `until`."""
    from corpus.pipelines.build import stages as work

    absent = missing_parts(builder.workspace, builder.plan)
    for line in explain(builder.workspace, builder.plan, builder.state, absent):
        builder.say(line)
    builder.forget("build")
    if absent:
        builder.forget("ingest" if unread(builder.workspace, builder.plan, absent) else "decide")
    write_plan(builder.workspace, builder.plan)
    prints = {"ingest": work.ingested(builder.plan)}
    for name in STAGES:
        builder.stage(name, prints.get(name, wanted), partial(getattr(work, name), builder))
        if name == "ingest":
            after_ingest(builder)
        if name == until:
            return
    builder.stage("build", wanted, partial(work.finish, builder))
