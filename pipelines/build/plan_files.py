"""What a workspace keeps of a plan: the fingerprint of all that results depend on, plan.json, and the manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

from corpus import data, storage
from corpus.clean.options import REPEAT_KINDS
from corpus.decontamination import judging, scanning
from corpus.decontamination.hits import STEP as DECONTAMINATION_STEP
from corpus.decontamination.item_index import index_fingerprint
from corpus.dedup.options import drop_unset
from corpus.edits.parts import counts_path, edits_path
from corpus.edits.steps import CLEAN_STEP, EDIT_STEPS, PRIVATE_STEP, REPEATS_STEP
from corpus.manifest import Manifest
from corpus.pipelines import clean, decide, decontaminate, dedup, item_hits, redact, repeats
from corpus.pipelines.beam.fanout import CLAIMS_PREFIX
from corpus.pipelines.build.plan import BuildPlan
from corpus.sources.input_split import InputSplit
from corpus.storage.fingerprint import fingerprint
from corpus.tokens import encode, sample, shards, vocabulary
from corpus.tokens import parts as token_parts
from corpus.validation import LanguageShare, Shares
from corpus.workspace import Workspace

RESULT_VERSIONS = [
    decide.VERSION,
    dedup.VERSION,
    encode.VERSION,
    token_parts.VERSION,
    sample.VERSION,
    shards.VERSION,
    vocabulary.VERSION,
]
"""Versions that results after ingest depend on; each is increased when its module's results change."""
PART_FOLDERS = (
    "documents",
    "decisions",
    "stats/parts",
    "tokenizer/sample/histograms",
    "tokenizer/sample/pieces",
)
"""Folders with a part for every split, besides those of the signals."""
SEARCH_PARTS = ("candidates", "counts", "hits")
"""Folders below `decontamination` with a part for every split."""
FINGERPRINT_DIGITS = 8
"""Hex digits of each split's fingerprint that plan.json stores: enough to detect a change."""


def plan_fingerprint(plan: BuildPlan) -> str:
    """Return the fingerprint of everything that a build's results depend on."""
    manifest = plan.file.manifest
    dumped = manifest.model_dump(mode="json", exclude={"sources", "max_failures"})
    del dumped["validation"]["resolved"]
    for name in ("clean", "redact"):  # part of what follows, if anything is searched for or cut
        del dumped[name]
    if not manifest.filters:
        del dumped["filters"]  # as workspaces have it that were built before there were plug-ins
    dumped["dedup"] = drop_unset(dumped["dedup"])
    decontaminated = []
    if manifest.decontaminate.is_empty:
        del dumped["decontaminate"]  # as workspaces have it that were built before items were looked for
    else:
        dumped["decontaminate"]["sets"] = [
            [each["name"], each["action"]] for each in dumped["decontaminate"]["sets"]
        ]
        versions = [item_hits.VERSION, scanning.VERSION, judging.VERSION]
        decontaminated = [index_fingerprint(plan.tools.sets_identity or ""), versions]
    tokenizer = storage.sha256(manifest.tokenizer.path) if manifest.tokenizer.path is not None else None
    signatures = plan.tools.signatures
    priorities = {name: source.priority for name, source in plan.file.manifest.sources.items()}
    return fingerprint(
        [
            RESULT_VERSIONS,
            dumped,
            tokenizer,
            plan.document_fingerprints,
            plan.names,
            plan.tools.filter_versions,
            plan.rules.parameters(),
            signatures and dict(signatures.parameters),
            priorities,
            *([repeats.VERSION] if manifest.dedup.repeats else []),
            *_identify_edits(plan),
            *decontaminated,
        ]
    )


def _identify_edits(plan: BuildPlan) -> list[Any]:
    """Return what edits depend on besides documents and decisions, and which are applied; nothing if there are none."""
    redacted = {
        name: {kind: options.mode for kind, options in source.private_data.items()}
        for name, source in plan.file.manifest.sources.items()
    }
    applied = find_applied(plan.file.manifest)
    cleaned = {name: source.clean for name, source in plan.file.manifest.sources.items() if source.clean}
    searches: dict[str, list[object]] = {}
    if any(redacted.values()):
        from corpus.private.kinds import identify_search

        searches = {name: identify_search(kinds) for name, kinds in redacted.items() if kinds}
    if not (searches or cleaned or applied):
        return []
    edited: dict[str, Any] = {"redact": [redact.VERSION, redacted, searches], "applied": applied}
    if cleaned:
        from corpus.clean import clean_spans

        search = clean_spans.identify_search((), plan.file.manifest.clean.spare)
        edited["clean"] = [clean.VERSION, cleaned, search]
    return [edited]


def find_applied(manifest: Manifest) -> dict[str, dict[str, list[str]]]:
    """Return which edits are applied to the texts of a build, by source and step."""
    repeated = [
        REPEAT_KINDS[name] for name in manifest.clean.repeats if getattr(manifest.dedup, name) is not None
    ]
    contaminated = [item_hits.EDIT_KIND] if manifest.decontaminate.cuts else []
    applied = {}
    for name, source in manifest.sources.items():
        masked = [kind for kind, options in source.private_data.items() if options.mode == "mask"]
        cut = [rule for rule, mode in (source.clean or {}).items() if mode == "cut"]
        steps = {
            CLEAN_STEP: cut,
            PRIVATE_STEP: masked,
            REPEATS_STEP: repeated,
            DECONTAMINATION_STEP: contaminated,
        }
        if any(steps.values()):
            applied[name] = {step: sorted(kinds) for step, kinds in steps.items() if kinds}
    return applied


def describe_inputs(plan: BuildPlan) -> dict[str, Any]:
    """Return what plan.json stores about the inputs of parts: documents by split, and the steps."""
    steps = {
        step: fingerprint(made_by)[:FINGERPRINT_DIGITS]
        for step, made_by in plan.tools.filter_versions.items()
    }
    signatures = plan.tools.signatures
    return {
        "documents": [digits[:FINGERPRINT_DIGITS] for digits in plan.document_fingerprints],
        "made": {
            **steps,
            "signatures": fingerprint(dict(signatures.parameters))[:FINGERPRINT_DIGITS]
            if signatures
            else None,
        },
    }


def digest_shared_files(plan: BuildPlan) -> dict[str, dict[str, str]]:
    """Return the files of every split that small files share, each with a digest: {source/split: {file: digest}}."""
    return {
        f"{split.source}/{split.name}": {
            piece.file: fingerprint(piece.input)[:FINGERPRINT_DIGITS] for piece in split.files
        }
        for split in plan.splits
        if split.files
    }


def read_shared_files(workspace: Workspace, plan: BuildPlan) -> dict[str, dict[str, str]]:
    """Return what `digest_shared_files` does; of a plan of stored parts, as plan.json has it."""
    if not all(isinstance(split, InputSplit) for split in plan.splits):
        return workspace.shared_files()
    return digest_shared_files(plan)


def measure_sources(workspace: Workspace, plan: BuildPlan) -> dict[str, dict[str, int]]:
    """Return the input `files` and their stored `bytes` by source; of a plan of stored parts, as plan.json has them."""
    if not all(isinstance(split, InputSplit) for split in plan.splits):
        return workspace.input_sizes()
    files: dict[str, set[str]] = {name: set() for name in plan.file.manifest.sources}
    sizes = dict.fromkeys(files, 0)
    for split in plan.splits:
        files[split.source].update(piece.file for piece in split.pieces)
        sizes[split.source] += split.end - split.start
    return {name: {"files": len(files[name]), "bytes": sizes[name]} for name in sorted(files)}


def write_plan(workspace: Workspace, plan: BuildPlan) -> None:
    """Write plan.json and manifest.yaml, and remove the parts of splits and steps that are no longer in the plan."""
    names = plan.names
    inputs = measure_sources(workspace, plan)
    content = {"splits": names, "steps": plan.steps, "inputs": inputs, **describe_inputs(plan)}
    if shared := read_shared_files(workspace, plan):
        content["shared"] = shared
    storage.write_text(workspace.path("plan.json"), json.dumps(content) + "\n")
    write_manifest(workspace, plan.file.manifest, read_shares(workspace))
    write_own_files(workspace, plan.file.own_files)
    if not storage.is_remote(workspace.root):
        remove_unfinished(storage.local_path(workspace.root))
    expected = set()
    for source, split in names:
        for folder in [*PART_FOLDERS, *(f"signals/{step}" for step in plan.steps)]:
            expected.add(workspace.part(folder, source, split))
        if plan.tools.signatures is not None:
            expected.add(workspace.part("dedup/signatures", source, split, "arrow"))
        expected.add(edits_path(workspace, REPEATS_STEP, source, split))
        expected.update(edits_path(workspace, search.step, source, split) for search in plan.searches)
        expected.update(workspace.quarantine_part(source, split, step) for step in [None, *plan.tools.calls])
        if DECONTAMINATION_STEP in plan.steps:
            expected.update(
                workspace.part(f"{DECONTAMINATION_STEP}/{name}", source, split) for name in SEARCH_PARTS
            )
            expected.add(edits_path(workspace, DECONTAMINATION_STEP, source, split))
    if DECONTAMINATION_STEP in plan.steps:
        expected.update(decontaminate.list_tables(workspace))
    expected.add(counts_path(workspace, REPEATS_STEP))
    expected.update(counts_path(workspace, search.step) for search in plan.searches)
    edits = [f"edits/{step}" for step in EDIT_STEPS]
    searched = [f"{DECONTAMINATION_STEP}/{name}" for name in SEARCH_PARTS]
    for folder in (*PART_FOLDERS, "signals", "quarantine", "dedup/signatures", *edits, *searched):
        if not storage.exists(workspace.path(folder)):
            continue
        for path in storage.list_files(workspace.path(folder)):
            if path not in expected:
                storage.remove(path)


def write_manifest(workspace: Workspace, manifest: Manifest, shares: Shares | None) -> None:
    """Write manifest.yaml: the manifest with all defaults, and the shares of validation that a build came to."""
    resolved = {label: shares.of(label) for label in sorted(shares.languages)} if shares else {}
    validation = manifest.validation.model_copy(update={"resolved": resolved})
    whole = manifest.model_copy(update={"validation": validation})
    storage.write_text(workspace.path("manifest.yaml"), whole.model_dump_yaml())


def read_shares(workspace: Workspace) -> Shares | None:
    """Return the shares of validation that the last build came to; None if there was none."""
    if not storage.exists(workspace.path("manifest.yaml")):
        return None
    written = workspace.read_manifest().get("validation") or {}
    return Shares(
        written.get("share", 0.0),
        {label: LanguageShare(**share) for label, share in (written.get("resolved") or {}).items()},
    )


def write_own_files(workspace: Workspace, files: Mapping[str, str]) -> None:
    """Write the user's own data files beside manifest.yaml, where they are found again, and remove others."""
    for folder in data.OWN_FOLDERS:
        for path in (
            storage.list_files(workspace.path(folder)) if storage.exists(workspace.path(folder)) else ()
        ):
            if f"{folder}/{path.rpartition('/')[2]}" not in files:
                storage.remove(path)
    for name, text in files.items():
        storage.write_text(workspace.path(*name.split("/")), text)


BUILT_FOLDERS = (
    "documents",
    "signals",
    "decisions",
    "quarantine",
    "dedup",
    "decontamination",
    "edits",
    "stats",
    "tokenizer",
    "tokens",
)
"""Folders of a workspace that a build alone writes into."""


def remove_empty_folders(workspace: Workspace) -> None:
    """Remove the folders that sources and steps have left which are no longer in the plan."""
    if storage.is_remote(workspace.root):
        return  # an object store has no folders
    for name in BUILT_FOLDERS:
        for base, _, _ in os.walk(storage.local_path(workspace.path(name)), topdown=False):
            if not os.listdir(base):
                os.rmdir(base)


def remove_unfinished(root: str) -> None:
    """Remove the temporary files that a killed build left behind."""
    for base, _, names in os.walk(root):
        for name in names:
            if name.endswith(".tmp"):
                os.unlink(os.path.join(base, name))
    for name in os.listdir(root):
        if name.startswith(CLAIMS_PREFIX):
            shutil.rmtree(os.path.join(root, name))
