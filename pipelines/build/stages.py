"""Define the stages of a build: what each takes from the plan, and the pipelines it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from corpus import storage
from corpus.decontamination import item_index
from corpus.decontamination.hits import STEP as DECONTAMINATION_STEP
from corpus.decontamination.hits import sets_path
from corpus.dedup.rows import SplitRows, build_split_rows
from corpus.edits.applied import write_applied
from corpus.edits.parts import counts_path
from corpus.edits.steps import CLEAN_STEP, PRIVATE_STEP, REPEATS_STEP
from corpus.errors import UserError
from corpus.inspect.report import write_report
from corpus.ledger.tables import merge_group, write_ledger
from corpus.manifest import Manifest
from corpus.pipelines import (
    decide,
    decontaminate,
    dedup,
    ingest,
    item_hits,
    item_scan,
    repeats,
    stored_search,
    tokenize,
)
from corpus.pipelines.beam.fanout import fan_out_pipeline
from corpus.pipelines.build import shares as validation_shares
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import find_applied
from corpus.pipelines.build.run import Build
from corpus.pipelines.build.separate_ids import separate_ids
from corpus.pipelines.context import Tools
from corpus.pipelines.decide import Judge, judge_split
from corpus.pipelines.stored_search import StoredSearch
from corpus.rules.rule import STORED_STEPS, Rule
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import read_fingerprint
from corpus.web.block_lists import address_lists
from corpus.workspace import Workspace

QUALITY_SIGNAL = "quality.score"
GROUPS_FOLDER = "stats/groups"
PARTS_PER_GROUP = 256
"""Parts whose statistics are merged into one group, before the groups are merged."""


def ingest_parameters(plan: BuildPlan) -> Any:
    """Return what ingest depends on besides documents: the steps and the signatures."""
    signatures = plan.tools.signatures
    return [plan.tools.filter_versions, signatures and dict(signatures.parameters)]


def ingest_fingerprint(plan: BuildPlan) -> str:
    """Return the fingerprint that state.json has for ingest if the documents and signals are those of a plan."""
    return fingerprint([fingerprint(plan.document_fingerprints), ingest_parameters(plan)])


def pack_lists(build: Build) -> Tools:
    """Keep the lists of addresses packed in the workspace, for all workers; say what each gave. Return the tools."""
    try:
        tools, reports = build.plan.tools.pack_lists(build.workspace.path(address_lists.FOLDER))
    except UserError as error:
        raise build.plan.file.error(error.path, str(error)) from None
    for place, report in reports.items():
        build.say(address_lists.describe_report(place, report))
    return tools


def make_parts(build: Build) -> None:
    """Run ingest for every input split of the plan."""
    plan, running = build.plan, build.for_stage("ingest")
    tools = pack_lists(build)
    ordered = ingest.order_splits(plan.splits)
    build.run(
        "ingest",
        lambda claims: ingest.ingest_pipeline(build.workspace.root, tools, plan.splits, running, claims),
        len(plan.splits),
        running=running,
        weights=[split.end - split.start for split in ordered],
        groups=[split.source for split in ordered],
    )


def run_ingest(build: Build) -> None:
    """Run ingest for every input split, then give documents that share an id ids of their own."""
    make_parts(build)
    separate_ids(build.workspace, build.plan.names, keeps_copies=not build.plan.file.manifest.dedup.exact)


def run_decide(build: Build) -> None:
    """Compute thresholds of top shares, find duplicates, then write the decisions and counts of every split."""
    plan, workspace = build.plan, build.workspace
    manifest = plan.file.manifest
    running = build.for_stage("decide")
    judge = Judge(
        rules=plan.rules,
        steps=tuple(plan.steps),
        seed=manifest.seed,
        thresholds=compute_thresholds(build),
        engines=manifest.extraction.names_engine,
        dates=manifest.reads_dates,
    )
    clusters = None
    if manifest.dedup.exact or manifest.dedup.url or manifest.dedup.minhash is not None:
        clusters = workspace.path("dedup", "clusters.parquet")
        load = PassingRows(
            workspace.root,
            judge,
            {name: source.priority for name, source in manifest.sources.items()},
            manifest.quality is not None,
        )
        wanted = fingerprint(
            [
                plan.document_fingerprints,
                ingest_parameters(plan),
                load.parameters,
                manifest.dedup.parameters,
                *identify_found(build),
            ]
        )
        finding = build.for_stage("dedup")
        build.run(
            "dedup",
            lambda claims: dedup.dedup_pipeline(
                workspace, plan.names, load, manifest.dedup, wanted, finding, claims
            ),
            len(plan.splits),
            running=finding,
        )
    else:
        for name in ("clusters.parquet", "against.parquet", "sizes.parquet", "audit.parquet"):
            storage.remove(workspace.path("dedup", name))
    shares = validation_shares.find_shares(build, judge, clusters)
    build.run(
        "decide",
        lambda claims: decide.decide_pipeline(
            workspace.root, judge, shares, clusters, plan.names, running, claims
        ),
        len(plan.splits),
        running=running,
    )


def identify_found(build: Build) -> list[Any]:
    """Return what the signals of searches in stored texts depend on, of those that rules use: which documents are
    compared depends on it too."""
    plan, workspace = build.plan, build.workspace
    used = {
        signal.partition(".")[0]
        for name in plan.file.manifest.sources
        for signal in plan.rules.early().signals(name)
    }
    identities: list[Any] = []
    for step in (step for step in STORED_STEPS if step in used):
        identities.append([step, read_fingerprint(counts_path(workspace, step))])
    if DECONTAMINATION_STEP in used:
        options = plan.file.manifest.decontaminate
        identities.append([DECONTAMINATION_STEP, item_hits.identify_signals(workspace, options)])
    return identities


def run_repeats(build: Build) -> None:
    """Find the text that kept documents repeat if the manifest asks for it; if not, remove what is there."""
    plan, workspace, options = build.plan, build.workspace, build.plan.file.manifest.dedup
    if not options.repeats:
        storage.remove_folder(workspace.path("edits", REPEATS_STEP))
        return
    running = build.for_stage("repeats")
    sites = list_sites(plan.file.manifest)
    build.run(
        "repeats",
        lambda claims: repeats.repeats_pipeline(
            workspace,
            plan.names,
            options,
            running,
            claims,
            sites=sites,
            priorities={name: source.priority for name, source in plan.file.manifest.sources.items()},
            quality=("quality", QUALITY_SIGNAL) if plan.file.manifest.quality is not None else None,
        ),
        len(plan.splits),
        running=running,
    )


def list_sites(manifest: Manifest) -> list[str]:
    """Return the sources whose documents are pages of sites, for `dedup.lines`."""
    options = manifest.dedup.lines
    if options is None:
        return []
    if options.sources is not None:
        return sorted(options.sources)
    return sorted(name for name, source in manifest.sources.items() if options.takes(source.kind))


SEARCH_STAGES = {CLEAN_STEP: "clean", PRIVATE_STEP: "redact"}
"""The names of the stages that search stored texts, by step."""


def run_searches(build: Build) -> None:
    """Search the stored texts for what the manifest asks for; of what it does not, remove what is there."""
    plan, workspace = build.plan, build.workspace
    for step in set(STORED_STEPS).difference(search.step for search in plan.searches):
        storage.remove_folder(workspace.path("edits", step))
    documents = dict(zip(plan.names, plan.document_fingerprints, strict=True))
    for search in plan.searches:
        _run_search(build, replace(search, root=workspace.root), documents)


def _run_search(build: Build, search: StoredSearch, documents: Mapping[tuple[str, str], str]) -> None:
    if stored_search.is_searched(search, documents):
        return
    storage.remove(
        counts_path(build.workspace, search.step)
    )  # else it vouches for parts that others replace now
    stage = SEARCH_STAGES[search.step]
    running = build.for_stage(stage)
    build.run(
        stage,
        lambda claims: stored_search.search_pipeline(search, documents, running, claims),
        len(build.plan.splits),
        running=running,
    )


def run_decontaminate(build: Build) -> None:
    """Find items of the manifest's evaluation sets in all documents; without sets, remove what is there."""
    plan, workspace, options = build.plan, build.workspace, build.plan.file.manifest.decontaminate
    if options.is_empty:
        for name in (
            DECONTAMINATION_STEP,
            f"edits/{DECONTAMINATION_STEP}",
            f"signals/{DECONTAMINATION_STEP}",
        ):
            storage.remove_folder(workspace.path(name))
        storage.remove(sets_path(workspace))
        return
    running = build.for_stage("decontaminate")
    sets = plan.tools.sets_identity or ""
    folder = workspace.path(item_index.FOLDER)
    try:
        facts = item_index.write_index(folder, options, sets)
    except UserError as error:
        raise plan.file.error(error.path, str(error)) from None
    for line in item_index.describe_index(folder):
        build.say(line)
    scan = item_scan.ScanJob(workspace.root, facts["fingerprint"])
    build.run(
        "decontaminate",
        lambda claims: item_scan.scan_pipeline(scan, plan.names, running, claims),
        len(plan.names),
        running=running,
    )
    weights = item_scan.merge_splits(scan, plan.names)
    judge = item_hits.JudgeJob(scan, weights, options.model_dump_json())
    build.run(
        "judge",
        lambda claims: item_hits.judge_pipeline(judge, plan.names, running, claims),
        len(plan.names),
        running=running,
    )
    decontaminate.write_tables(workspace, plan.names, options, fingerprint([weights, judge.options]))
    for line in decontaminate.describe_sets(workspace, plan.names):
        build.say(line)


def decide_and_mark(build: Build) -> None:
    """Search the stored texts, for items of evaluation sets too, decide on every document, then find repeated text.

    Say which edits are applied.
    """
    run_searches(build)
    run_decontaminate(build)
    run_decide(build)
    run_repeats(build)
    write_applied(build.workspace, find_applied(build.plan.file.manifest))


def compute_thresholds(build: Build) -> dict[tuple[str, str], float]:
    """Compute the score at each language's top share, for every `top_share` rule."""
    shares: dict[str, Rule] = {}
    sources: dict[str, list[str]] = {}
    for source, rule in build.plan.rules.shares():
        shares.setdefault(rule.signal, rule)
        sources.setdefault(rule.signal, []).append(source)
    path = build.workspace.path("stats", "thresholds.json")
    storage.remove(path)
    if not shares:
        return {}
    running = build.for_stage("decide")
    build.run(
        "thresholds",
        lambda claims: decide.thresholds_pipeline(
            build.workspace.root, shares, sources, build.plan.names, path, running, claims
        ),
        len(build.plan.names),
        running=running,
    )
    return read_thresholds(build.workspace)


def read_thresholds(workspace: Workspace) -> dict[tuple[str, str], float]:
    """Read the scores at top shares, by signal and language; empty if there are no such rules."""
    path = workspace.path("stats", "thresholds.json")
    rows = json.loads(storage.read_text(path)) if storage.exists(path) else []
    return {(signal, language): value for signal, language, value in rows}


@dataclass(frozen=True)
class PassingRows:
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
        for group in judge_split(workspace, self.judge, source, split):
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
            scores = decide.read_columns(workspace.part("signals/quality", source, split), [QUALITY_SIGNAL])
            quality = scores.column(QUALITY_SIGNAL).to_numpy()[row]
        return build_split_rows(
            row=row,
            id=concat_columns(ids),
            content_hash=concat_columns(hashes),
            url=concat_columns(urls),
            priority=self.priorities[source],
            quality=quality,
            length=np.concatenate(lengths) if lengths else np.zeros(0, np.int64),
        )


def concat_columns(columns: list[Any]) -> Any:
    """Concatenate chunked string columns into one array."""
    import pyarrow as pa

    chunks = [chunk for column in columns for chunk in column.chunks]
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())


def run_tokenize(build: Build) -> None:
    """Make the vocabulary and the token shards."""
    manifest = build.plan.file.manifest
    running = build.for_stage("tokenize")
    tokenize.tokenize_splits(
        tokenize.TokenizeJob(
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
    options = manifest.tokenizer
    dataset = build.workspace.tokens()
    trained = dataset["vocabulary_size"]
    if options.path is None and not options.keep and trained < options.vocabulary:
        why = (
            "the texts have no more pieces that occur together often enough"
            if dataset["shards"]
            else "no text was kept to train it on, so its tokens are the bytes alone"
        )
        build.say(f"tokenizer: a vocabulary of {trained:,}, not {options.vocabulary:,}: {why}")


def run_count(build: Build) -> None:
    """Write the merged ledger and the report; many parts are merged in groups first, by all workers."""
    workspace, names = build.workspace, build.plan.names
    groups = None
    if len(names) > PARTS_PER_GROUP:
        running = build.for_stage("decide")
        pieces = [names[at : at + PARTS_PER_GROUP] for at in range(0, len(names), PARTS_PER_GROUP)]
        groups = [
            workspace.path(GROUPS_FOLDER, f"group-{number:05d}.parquet") for number in range(len(pieces))
        ]
        items = [json.dumps([path, piece]) for path, piece in zip(groups, pieces, strict=True)]
        work = MergeParts(workspace.root)
        build.run(
            "merge",
            lambda claims: fan_out_pipeline("Merge", items, work, running, claims),
            len(items),
            running=running,
        )
    made_of = fingerprint(build.state.get("tokenize", ""))
    write_ledger(workspace, made_of, build.plan.rules, read_thresholds(workspace), groups)
    write_report(workspace)


class MergeParts:
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


def remove_part_statistics(build: Build) -> None:
    """Remove the statistics of the parts: the ledger holds their sums, and those of a crawl are many times its size."""
    for folder in ("stats/parts", GROUPS_FOLDER):
        storage.remove_folder(build.workspace.path(folder))


STAGES: tuple[tuple[str, Callable[[Build], None]], ...] = (
    ("ingest", run_ingest),
    ("decide", decide_and_mark),
    ("tokenize", run_tokenize),
    ("count", run_count),
)
"""The stages of a build by name, in their order."""
