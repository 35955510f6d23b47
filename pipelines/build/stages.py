"""Define the stages of a build: what each takes from the plan, and the pipelines it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from corpus import storage
from corpus.dedup.rows import SplitRows, split_rows
from corpus.errors import UserError
from corpus.inspect.report import write_report
from corpus.ledger.tables import merge_group, write_ledger
from corpus.pipelines import decide as decide_pipeline
from corpus.pipelines import dedup as dedup_pipeline
from corpus.pipelines import ingest as ingest_pipeline
from corpus.pipelines import tokenize as tokenize_pipeline
from corpus.pipelines.beam.fanout import FanOut
from corpus.pipelines.build.plan import Plan
from corpus.pipelines.build.run import Build
from corpus.pipelines.decide import Judge, judged
from corpus.rules.rule import Rule
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import read_fingerprint
from corpus.workspace import Workspace

QUALITY = "quality.score"
GROUPS = "stats/groups"
GROUP_PARTS = 256
"""Parts whose statistics are merged into one group, before the groups are merged."""


def ingest_parameters(plan: Plan) -> Any:
    """Return what ingest depends on besides documents: the steps and the signatures."""
    steps = {
        step: [step_filter.version, dict(step_filter.parameters)]
        for step, step_filter in plan.tools.filters.items()
    }
    signatures = plan.tools.signatures
    return [steps, signatures and dict(signatures.parameters)]


def ingested(plan: Plan) -> str:
    """Return the fingerprint that state.json has for ingest if the documents and signals are those of a plan."""
    documents = fingerprint([plan.tools.documents_fingerprint(split) for split in plan.splits])
    return fingerprint([documents, ingest_parameters(plan)])


def ingest(build: Build) -> None:
    """Run ingest for every input split."""
    plan, running = build.plan, build.sized("ingest")
    build.run(
        "ingest",
        lambda claims: ingest_pipeline.pipeline(
            build.workspace.root, plan.tools, plan.splits, running, claims
        ),
        len(plan.splits),
        running=running,
        weights=[split.end - split.start for split in ingest_pipeline.in_order(plan.splits)],
    )


def decide(build: Build) -> None:
    """Compute thresholds of top shares, find duplicates, then write the decisions and counts of every split."""
    plan, workspace = build.plan, build.workspace
    manifest = plan.file.manifest
    running = build.sized("decide")
    judge = Judge(
        rules=plan.rules,
        steps=tuple(plan.steps),
        seed=manifest.seed,
        thresholds=thresholds(build),
    )
    clusters = None
    if manifest.dedup.exact or manifest.dedup.url or manifest.dedup.minhash is not None:
        clusters = workspace.path("dedup", "clusters.parquet")
        load = Rows(
            workspace.root,
            judge,
            {name: source.priority for name, source in manifest.sources.items()},
            manifest.quality is not None,
        )
        documents = [plan.tools.documents_fingerprint(split) for split in plan.splits]
        wanted = fingerprint(
            [documents, ingest_parameters(plan), load.parameters, manifest.dedup.model_dump(mode="json")]
        )
        finding = build.sized("dedup")
        build.run(
            "dedup",
            lambda claims: dedup_pipeline.pipeline(
                workspace, plan.names, load, manifest.dedup, wanted, finding, claims
            ),
            len(plan.splits),
            running=finding,
        )
    else:
        storage.remove(workspace.path("dedup", "clusters.parquet"))
    build.run(
        "decide",
        lambda claims: decide_pipeline.pipeline(
            workspace.root, judge, manifest.validation.share, clusters, plan.names, running, claims
        ),
        len(plan.splits),
        running=running,
    )


def thresholds(build: Build) -> dict[tuple[str, str], float]:
    """Compute the score at each language's top share, for every `top_share` rule."""
    shares: dict[str, Rule] = {}
    sources: dict[str, list[str]] = {}
    for source, rule in build.plan.rules.shares():
        if shares.setdefault(rule.signal, rule) != rule:
            raise UserError(
                f"{rule.name} has another value in {source} than in {sources[rule.signal][0]}: "
                "a top share is taken over all sources that have one, so say it once, under `rules`"
            )
        sources.setdefault(rule.signal, []).append(source)
    path = build.workspace.path("stats", "thresholds.json")
    storage.remove(path)
    if not shares:
        return {}
    running = build.sized("decide")
    build.run(
        "thresholds",
        lambda claims: decide_pipeline.thresholds_pipeline(
            build.workspace.root, shares, sources, build.plan.names, path, running, claims
        ),
        len(build.plan.names),
        running=running,
    )
    return stored_thresholds(build.workspace)


def stored_thresholds(workspace: Workspace) -> dict[tuple[str, str], float]:
    """Read the scores at top shares, by signal and language; empty if there are no such rules."""
    path = workspace.path("stats", "thresholds.json")
    rows = json.loads(storage.read_text(path)) if storage.exists(path) else []
    return {(signal, language): value for signal, language, value in rows}


@dataclass(frozen=True)
class Rows:
    """Load the rows of a split that pass gates and rules, for deduplication. Picklable."""

    root: str
    judge: Judge
    priorities: dict[str, int]
    quality: bool

    @property
    def parameters(self) -> Any:
        return [self.judge.parameters, self.priorities, self.quality]

    def __call__(self, source: str, split: str) -> SplitRows:
        workspace = Workspace(self.root)
        first = 0
        rows, ids, hashes, urls, lengths = [], [], [], [], []
        for group in judged(workspace, self.judge, source, split):
            chosen = np.flatnonzero(group.passes)
            light = group.documents.take(chosen)
            rows.append(chosen + first)
            ids.append(light.column("id"))
            hashes.append(light.column("content_hash"))
            urls.append(light.column("url"))
            lengths.append(light.column("characters").to_numpy())
            first += group.documents.num_rows
        row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        quality = None
        if self.quality:
            scores = decide_pipeline.read_columns(workspace.part("signals/quality", source, split), [QUALITY])
            quality = scores.column(QUALITY).to_numpy()[row]
        return split_rows(
            row=row,
            id=flat(ids),
            content_hash=flat(hashes),
            url=flat(urls),
            priority=self.priorities[source],
            quality=quality,
            length=np.concatenate(lengths) if lengths else np.zeros(0, np.int64),
        )


def flat(columns: list[Any]) -> Any:
    """Concatenate chunked string columns into one array."""
    import pyarrow as pa

    chunks = [chunk for column in columns for chunk in column.chunks]
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())


def tokenize(build: Build) -> None:
    """Make the vocabulary and the token shards."""
    manifest = build.plan.file.manifest
    running = build.sized("tokenize")
    tokenize_pipeline.tokenize(
        tokenize_pipeline.Job(
            workspace=build.workspace,
            name=manifest.name,
            splits=build.plan.names,
            tokenizer=manifest.tokenizer,
            tokens=manifest.tokens,
            mixture=manifest.mixture,
            seed=manifest.seed,
            running=running,
            run=partial(build.run, running=running),
        )
    )


def count(build: Build) -> None:
    """Write the merged ledger and the report; many parts are merged in groups first, by all workers."""
    workspace, names = build.workspace, build.plan.names
    groups = None
    if len(names) > GROUP_PARTS:
        running = build.sized("decide")
        pieces = [names[at : at + GROUP_PARTS] for at in range(0, len(names), GROUP_PARTS)]
        groups = [workspace.path(GROUPS, f"group-{number:05d}.parquet") for number in range(len(pieces))]
        items = [json.dumps([path, piece]) for path, piece in zip(groups, pieces, strict=True)]
        work = MergeWork(workspace.root)
        build.run(
            "merge",
            lambda claims: lambda start: start | "Merge" >> FanOut(items, work, running, claims),
            len(items),
            running=running,
        )
    made_of = fingerprint(build.state.get("tokenize", ""))
    write_ledger(workspace, made_of, build.plan.rules, stored_thresholds(workspace), groups)
    write_report(workspace)


class MergeWork:
    """Sum the statistics of some splits into one group per call, unless the group exists already. Picklable."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __call__(self, item: str) -> Iterator[str]:
        path, piece = json.loads(item)
        workspace, splits = Workspace(self.root), [(source, split) for source, split in piece]
        made_by = [read_fingerprint(workspace.part("stats/parts", *split)) for split in splits]
        wanted = fingerprint([piece, made_by])
        if read_fingerprint(path) != wanted:
            merge_group(workspace, splits, path, wanted)
        yield path


def finish(build: Build) -> None:
    """Remove the statistics of the parts: the ledger holds their sums, and those of a crawl are many times its size."""
    for folder in ("stats/parts", GROUPS):
        storage.remove_folder(build.workspace.path(folder))


STAGES: tuple[tuple[str, Callable[[Build], None]], ...] = (
    ("ingest", ingest),
    ("decide", decide),
    ("tokenize", tokenize),
    ("count", count),
)
"""The stages of a build by name, in their order."""
