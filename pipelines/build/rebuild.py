"""Rebuild some input splits of a finished workspace and compare the files byte by byte."""

from __future__ import annotations

import json
import random
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow.parquet as pq

from corpus import storage
from corpus.edits.applied import read_applied_edits
from corpus.edits.parts import edits_path
from corpus.edits.steps import DECONTAMINATION_STEP, PRIVATE_STEP
from corpus.environment import describe_changes
from corpus.errors import UserError
from corpus.manifest import load_manifest
from corpus.pipelines.build.plan import BuildPlan, make_plan
from corpus.pipelines.build.retry import apply_retries
from corpus.pipelines.build.separate_ids import read_own_ids, rewrite_ids
from corpus.pipelines.build.stages import read_thresholds
from corpus.pipelines.decide import Judge, decide_part
from corpus.pipelines.ingest import ingest_part
from corpus.pipelines.tokenize import TOKEN_PARTS_FOLDER, batch_tokens_of
from corpus.progress import built_from, built_with
from corpus.sources.input_split import InputSplit
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.tokens import encode, parts, shards
from corpus.verify.findings import Findings, name_part
from corpus.workspace import Workspace

REBUILD_CHECK = "rebuild"


def rebuild_splits(
    root: str,
    count: int,
    seed: int = 0,
    manifest: str | None = None,
    show: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Findings:
    """Rebuild `count` random splits, from input to tokens, in a temporary folder, and compare all parts.

    The input is located by `manifest`, or by the workspace's copy of it from where the manifest of the build
    lay. Raises UserError if the input is missing. Cost: that of building the splits.
    """
    workspace = Workspace.open(root)
    plan = apply_retries(_plan_again(workspace, manifest), workspace, again=False)
    findings = Findings()
    environment = describe_changes(built_with(workspace.path("timings.json")))
    stored = set(workspace.splits())
    splits = [split for split in plan.splits if (split.source, split.name) in stored]
    if len(splits) != len(stored):
        findings.wrong("files", f"{len(stored) - len(splits)} input splits are no longer in the input")
    if len(plan.splits) != len(splits):
        findings.wrong(
            "files", f"the input has {len(plan.splits) - len(splits)} input splits that were not built"
        )
    chosen = random.Random(seed).sample(splits, min(count, len(splits)))
    with tempfile.TemporaryDirectory(prefix="corpus-verify-") as folder:
        again = Workspace.create(folder)
        for done, split in enumerate(chosen, 1):
            ingest_part(again, plan.tools, split)
            _separate_ids(workspace, again, split)
            _search_split(again, plan, split)
            _decide_split(workspace, again, plan, split)
            _encode_split(workspace, again, plan, split)
            for name, one, other in _list_pairs(workspace, again, plan, split):
                _compare_files(findings, name_part(name, split.source, split.name), one, other, environment)
            show("rebuild", done, len(chosen))
    return findings


def _separate_ids(workspace: Workspace, again: Workspace, split: InputSplit) -> None:
    """Give the rebuilt documents the ids of their own that all input splits together led to."""
    name = (split.source, split.name)
    own = read_own_ids(workspace, [name]).get(name)
    if own:
        rewrite_ids(again, name, {row: id for row, (id, _) in own.items()})


def _plan_again(workspace: Workspace, manifest: str | None) -> BuildPlan:
    """Plan from `manifest`, or from the workspace's copy, whose relative paths start where the original lay."""
    if manifest is not None:
        return make_plan(manifest)
    place = built_from(workspace.path("timings.json"))
    try:
        return make_plan(workspace.path("manifest.yaml"), place=place)
    except UserError as error:
        where = f" (it was built from {place})" if place else ", as relative paths need"
        raise UserError(
            f"{error}: if the input has moved since the build, name its manifest with --manifest{where}"
        ) from None


def _search_split(again: Workspace, plan: BuildPlan, split: InputSplit) -> None:
    """Search the rebuilt documents for what the manifest asks for."""
    documents = read_fingerprint(again.part("documents", split.source, split.name))
    for search in plan.searches:
        item = [split.source, split.name, search.fingerprint(split.source, documents)]
        deque(replace(search, root=again.root)(json.dumps(item)), maxlen=0)


def _decide_split(workspace: Workspace, again: Workspace, plan: BuildPlan, split: InputSplit) -> None:
    if DECONTAMINATION_STEP in plan.steps:
        _take_signals(workspace, again, f"signals/{DECONTAMINATION_STEP}", split)
    manifest = plan.file.manifest
    judge = Judge(
        rules=plan.rules,
        steps=tuple(plan.steps),
        seed=manifest.seed,
        thresholds=read_thresholds(workspace),
        engines=manifest.extraction.names_engine,
        dates=manifest.reads_dates,
    )
    clusters: str | None = workspace.path("dedup", "clusters.parquet")
    clusters = clusters if clusters is not None and storage.exists(clusters) else None
    options = load_manifest(workspace.path("manifest.yaml")).manifest.validation
    given = fingerprint(judge.parameters)
    decide_part(again, judge, options.shares(), clusters, given, split.source, split.name)


def _take_signals(workspace: Workspace, again: Workspace, folder: str, split: InputSplit) -> None:
    """Put signals that depend on the whole corpus beside the rebuilt documents."""
    one, other = (side.part(folder, split.source, split.name) for side in (workspace, again))
    documents = read_fingerprint(again.part("documents", split.source, split.name))
    with storage.open_input(one) as stream:
        file = pq.ParquetFile(stream)
        schema = file.schema_arrow.remove_metadata()
        with PartWriter(other, schema, read_fingerprint(one) or "", documents) as writer:
            for group in range(file.num_row_groups):
                writer.write(file.read_row_group(group).replace_schema_metadata(None))


def _encode_split(workspace: Workspace, again: Workspace, plan: BuildPlan, split: InputSplit) -> None:
    made_by = parts.read_part_fingerprint(_token_part_path(workspace, split))
    if made_by is None:  # told as missing
        return
    dataset = workspace.tokens()
    path = workspace.path("tokenizer", "tokenizer.json")
    added = json.loads(storage.read_text(path)).get("added_tokens") or []
    ends = [token["content"] for token in added if token["id"] == dataset["end_of_text"]]
    parts.encode_part(
        _token_part_path(again, split),
        again.part("documents", split.source, split.name),
        again.part("decisions", split.source, split.name),
        encode.load_encoder(path, ends[0] if ends else None),
        made_by,
        batch_tokens_of(plan.file.manifest.tokens),
        read_applied_edits(workspace, split.source, split.name),
    )


def _token_part_path(workspace: Workspace, split: InputSplit) -> str:
    return shards.part_path(workspace.path(TOKEN_PARTS_FOLDER), split.source, split.name)


def _list_pairs(
    workspace: Workspace, again: Workspace, plan: BuildPlan, split: InputSplit
) -> Iterator[tuple[str, str, str]]:
    """Yield (name, path in the workspace, path of the rebuilt part) of all parts of a split."""
    names = ["documents", *(f"signals/{step}" for step in plan.steps), "decisions"]
    source = split.source
    for name in names:
        yield name, workspace.part(name, source, split.name), again.part(name, source, split.name)
    for search in plan.searches:
        original, rebuilt = (edits_path(side, search.step, source, split.name) for side in (workspace, again))
        yield (
            "edits of private data" if search.step == PRIVATE_STEP else f"edits of {search.step}",
            original,
            rebuilt,
        )
    if plan.tools.signatures is not None:
        original, rebuilt = (
            side.part("dedup/signatures", source, split.name, "arrow") for side in (workspace, again)
        )
        yield "signatures", original, rebuilt
    for step in [None, *plan.tools.calls]:
        original, rebuilt = (side.quarantine_part(source, split.name, step) for side in (workspace, again))
        yield f"quarantine of {step}" if step else "quarantine", original, rebuilt
    yield "tokens", _token_part_path(workspace, split), _token_part_path(again, split)


def _compare_files(findings: Findings, name: str, one: str, other: str, environment: str) -> None:
    """Compare two files. `environment` says which versions the workspace was built with, if here are others."""
    there = [storage.exists(path) for path in (one, other)]
    if not any(there):
        return
    findings.looked(REBUILD_CHECK)
    if there != [True, True]:
        findings.wrong(
            REBUILD_CHECK, f"{name}: {'not rebuilt' if there[0] else 'missing from the workspace'}"
        )
    elif storage.sha256(one) != storage.sha256(other):
        parquet = one.endswith(".parquet")
        other_makers = parquet and read_fingerprint(one) != read_fingerprint(other)
        if not other_makers:
            why = "bytes differ"
        elif environment:
            why = "made by other versions, or from another input or manifest"
        else:
            why = "made from another input, by another version or manifest"
        findings.wrong(REBUILD_CHECK, f"{name}: {why}{f' ({environment})' if environment else ''}")
