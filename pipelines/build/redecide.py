"""Apply other rules to the stored signals without reading the input: change the workspace, or only compare."""

from __future__ import annotations

import heapq
import json
import math
import os
import shutil
import tempfile
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.clean.options import MODES as CLEAN_MODES
from corpus.clean.options import REPEAT_KINDS, RULES, WORDS, find_rules
from corpus.clean.options import SIGNALS as CLEAN_SIGNALS
from corpus.decontamination.item_index import FOLDER as INDEX_FOLDER
from corpus.decontamination.item_index import read_index_facts
from corpus.edits.applied import AppliedKinds, read_applied
from corpus.edits.edit_counts import COUNT_KEYS, COUNT_NUMBERS, count_edits
from corpus.edits.parts import read_edits
from corpus.errors import RunError, UserError
from corpus.filters import ON_REQUEST
from corpus.filters.filter import Filter
from corpus.holding import SIGNALS as DECONTAMINATION_SIGNALS
from corpus.inspect.samples import DocumentPlace, read_documents
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.languages.names import normalize_label
from corpus.ledger.tables import read_ledger
from corpus.ledger.views import group_outcomes
from corpus.manifest import Manifest, ManifestFile
from corpus.manifest import load_manifest as load_manifest
from corpus.pipelines.beam.engines import check_engine
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages as work
from corpus.pipelines.build.changes import count_unread_splits
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import find_applied, plan_fingerprint
from corpus.pipelines.build.run import NOTHING_TO_DO, Build, report_end
from corpus.pipelines.build.sequence import list_missing_parts, run_stages
from corpus.pipelines.build.stop import exit_on_signals
from corpus.pipelines.context import Tools
from corpus.private.options import KINDS as PRIVATE_KINDS
from corpus.private.options import MODES, RedactKind, name_signals
from corpus.progress import StageProgress, Status, built_from
from corpus.rules.effects import MAX_NAMED_LANGUAGES, describe_effects, find_rule
from corpus.rules.kept_texts import is_absent
from corpus.rules.rule import BOUND_KINDS, LATE_STEP, RuleSet, draw_uniform
from corpus.sources.source import Source
from corpus.storage.lock import hold_lock
from corpus.storage.part_writer import read_fingerprint
from corpus.suggestions import suggest_names
from corpus.workspace import Workspace

CHANGEABLE_KEYS = {
    "name",
    "seed",
    "rules",
    "dedup",
    "decontaminate",
    "clean",
    "redact",
    "validation",
    "tokenizer",
    "tokens",
    "mixture",
}
"""Manifest keys that may change without making documents or signals again."""
Changes = Mapping[str, float | str]
"""`gopher.words.min` or `gopher.words.min@tha` -> a number or `off`; `redact.email` -> `mask`, `count` or `off`;
`clean.cookies` -> `cut`, `count` or `off`; `clean.repeats` -> `on` or `off`."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class StoredSplit:
    """A split of a workspace, whose part takes the place of its input."""

    source: str
    name: str
    end: int
    start: int = 0
    files: tuple[()] = ()


@dataclass(frozen=True)
class StoredTools(Tools):
    """Tools that take the fingerprints of documents from the parts, and read no input."""

    root: str = ""

    @cached_property
    def filters(self) -> dict[str, Filter]:
        """Return the filters whose signals the workspace has: those on request only if a rule asked for them."""
        unread = {
            step
            for step in ON_REQUEST
            if not storage.expand_pattern(f"{self.root}/signals/{step}/*/part-*.parquet")
        }
        return {step: each for step, each in self.available_filters.items() if step not in unread}

    @cached_property
    def sets_identity(self) -> str | None:
        """Return the identity of the evaluation sets that the workspace's index was made from."""
        if self.manifest.decontaminate.is_empty:
            return None
        identity: str = read_index_facts(Workspace(self.root).path(INDEX_FOLDER)).get("sets", "")
        return identity

    def documents_fingerprint(self, split: Any) -> str:
        stored = read_fingerprint(Workspace(self.root).part("documents", split.source, split.name))
        if stored is None:
            raise RunError(
                f"documents of input split {split.name} of {split.source} are missing or damaged: remove what "
                "`corpus verify` names, then run `corpus build`"
            )
        return stored


def decide_again(
    root: str,
    manifest: str | None,
    changes: Changes,
    running: Running,
    say: Say,
    show: Callable[[StageProgress], None] | None = None,
) -> Workspace:
    """Apply the rules of `manifest` (by default of the workspace) with `changes` to a finished workspace.

    Decisions, duplicates, tokens, ledger and report are updated where something changed, to the bytes that a
    build of the same manifest gives. Raises UserError if documents or signals would have to be made again, which is
    the case for any other rules if the workspace does not keep every text.
    """
    root = storage.local_path(root)
    if not running.local and not storage.is_remote(root):
        root = os.path.abspath(root)  # workers have other current folders
    check_engine(running, root)
    workspace = Workspace.open(root)
    with exit_on_signals(), hold_lock(root) as release:
        plan = make_stored_plan(workspace, manifest, changes, finished=False)
        _check_texts(workspace, plan)
        wanted = plan_fingerprint(plan)
        state = workspace.read_state() or {}
        if state.get("build") == wanted:
            say(f"{NOTHING_TO_DO}: the workspace already follows these rules")
            return workspace
        for line in describe_changes(workspace, manifest, changes):
            say(line)
        status = Status(root, show)
        builder = Build(plan, workspace, running, status, say, state)
        with report_end(status, release, builder.cancel):
            run_stages(builder, wanted)
    return workspace


@dataclass
class Difference:
    """The changes by other rules: rows by source and language, and samples of documents kept again or dropped.

    A row has `kept` (documents before and after), `back`, `gone`, `bytes` and estimated `tokens` (both before and
    after). `edits` are rows by kind, source and language of what is applied to kept documents, where that changes:
    `documents`, `spans` and `characters`, each before and after. `absent` of the documents that are kept again have no
    text in the workspace (see `kept_texts`): their
    splits would be read again. `effects` are lines on what the changes do beside what they say.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    back: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)
    absent: int = 0
    edits: list[dict[str, Any]] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)


def compare_changes(
    root: str, manifest: str | None, changes: Changes, running: Running, count: int
) -> Difference:
    """Return what `decide_again` would change, with `count` samples in each direction; the workspace is not changed.

    Runs the same stages in a temporary folder that uses documents, signals and signatures of the workspace, so
    duplicates are updated too: if a document is dropped, a duplicate of it may be kept instead.
    """
    root = root if storage.is_remote(root) else os.path.abspath(storage.local_path(root))
    with (
        tempfile.TemporaryDirectory(prefix="corpus-what-if-") as folder,
        exit_on_signals(lambda: shutil.rmtree(folder, ignore_errors=True), after="nothing was changed"),
    ):
        workspace = Workspace.open(root)
        plan = make_stored_plan(workspace, manifest, changes, finished=True)
        if plan.file.manifest.decontaminate != load_stored_manifest(workspace).manifest.decontaminate:
            raise plan.file.error(
                ("decontaminate",),
                "--what-if shows other rules, not other evaluation sets, actions or clearances",
            )
        other = Workspace.scratch(folder, workspace)
        names = {"splits": plan.names, "steps": plan.steps}
        storage.write_text(other.path("plan.json"), json.dumps(names))
        work.run_decide(Build(plan, other, running, Status(folder), lambda line: None))
        difference = compare_decisions(workspace, other, count, all_texts=plan.tools.text_rules is None)
        applied = find_applied(plan.file.manifest)
        return replace(
            difference,
            edits=compare_edits(workspace, other, applied),
            effects=describe_changes(workspace, manifest, changes),
        )


def compare_edits(one: Workspace, other: Workspace, applied: AppliedKinds) -> list[dict[str, Any]]:
    """Return what of the edits on record is applied to kept documents, before and after, where that changes.

    Reads edits, decisions and languages, no texts. Memory: the edits of one split.
    """
    sums: dict[tuple[str, ...], npt.NDArray[np.int64]] = defaultdict(lambda: np.zeros((2, 3), np.int64))
    before = read_applied(one)
    for source, split in one.splits():
        sides = ((one, before.get(source, {})), (other, applied.get(source, {})))
        if not any(steps for _, steps in sides):
            continue
        languages = _read_columns(one.part("documents", source, split), ["language"])["language"].to_pylist()
        for at, (workspace, steps) in enumerate(sides):
            path = workspace.part("decisions", source, split)
            kept = _read_columns(path, ["kept"])["kept"].to_numpy()
            if steps:
                edits = read_edits(one, source, split, sorted(steps), steps)
                rows = edits.to_table()
                counts = count_edits(rows.filter(pa.array(kept[edits.row])), source, languages)
                for row in counts.to_pylist():
                    numbers = [row[name] for name in COUNT_NUMBERS]
                    sums[tuple(row[name] for name in COUNT_KEYS)][at] += numbers
    return [
        {
            **dict(zip(COUNT_KEYS, key, strict=True)),
            **{name: numbers[:, at].tolist() for at, name in enumerate(COUNT_NUMBERS)},
        }
        for key, numbers in sorted(sums.items())
        if (numbers[0] != numbers[1]).any()
    ]


def load_stored_manifest(workspace: Workspace) -> ManifestFile:
    """Return the manifest that a workspace was built from, by its copy there. Errors name the user's own file, not a
    line of the copy, which nobody wrote."""
    copy = workspace.path("manifest.yaml")
    try:
        return load_manifest(copy)
    except UserError as error:
        place = built_from(workspace.path("timings.json"))
        if place is None or not str(error).startswith(f"{copy}:"):
            raise
        message = str(error).removeprefix(f"{copy}:").partition(": ")[2]
        raise UserError(f"{place}: {message} (the workspace {workspace.root} was built from it)") from None


def describe_changes(workspace: Workspace, manifest: str | None, changes: Changes) -> list[str]:
    """Return lines on the sources that gain a rule by `changes`, and on the languages whose values these replace."""
    file = load_stored_manifest(workspace) if manifest is None else load_manifest(manifest)
    before, after = (
        StoredTools(each.manifest, root=workspace.root).rules for each in (file, change_bounds(file, changes))
    )
    lines = describe_effects(before, after, changes, _rank_languages(workspace))
    return [*lines, *_describe_unmeasured(workspace, before, after, changes)]


def _describe_unmeasured(
    workspace: Workspace, before: RuleSet, after: RuleSet, changes: Changes
) -> list[str]:
    """Return a line on each change by which texts come to fail that have no value of the signal, with their languages:
    those that a classifier has not learned, texts without words."""
    lines = []
    for name, value in changes.items():
        rule = name.partition("@")[0]
        signal = rule.rpartition(".")[0]
        if is_edit(name) or name.startswith(f"{LATE_STEP}.") or value == "off":
            continue
        unmeasured: Counter[str] = Counter()
        for source, split in workspace.splits():
            sides = [find_rule(each.rules.get(source, ()), rule) for each in (before, after)]
            path = workspace.part(f"signals/{signal.partition('.')[0]}", source, split)
            if sides[1] is None or not storage.exists(path):
                continue
            values = _read_columns(path, [signal])[signal].to_numpy().astype(np.float32)
            documents = _read_columns(workspace.part("documents", source, split), ["language", "gate"])
            lacks = np.isnan(values) & documents["gate"].is_null().to_numpy()
            labels = documents["language"].filter(pa.array(lacks)).to_pylist()
            for label, count in Counter(label or UNKNOWN_LABEL for label in labels).items():
                limits = [math.nan if side is None else side.limit(label) for side in sides]
                if math.isnan(limits[0]) and not math.isnan(limits[1]):
                    unmeasured[label] += count
        if unmeasured:
            named = [f"{label} {count:,}" for label, count in unmeasured.most_common(MAX_NAMED_LANGUAGES)]
            more = f" and {len(unmeasured) - len(named):,} more" if len(unmeasured) > len(named) else ""
            first = unmeasured.most_common(1)[0][0]
            why = ": the classifier has not learned them" if signal.startswith("quality.") else ""
            lines.append(
                f"{name}={value}: {unmeasured.total():,} texts have no {signal}{why} ({', '.join(named)}{more}), "
                f"and fail {signal}.missing; {rule}@{first}=off beside it spares those in {first}"
            )
    return lines


def _rank_languages(workspace: Workspace) -> list[str]:
    """Return the labels of a workspace's documents, the commonest first; none if it is not finished."""
    if not storage.exists(workspace.path("stats", "counts.parquet")):
        return []
    tables = read_ledger(workspace, ["counts", "tokens"])
    rows = group_outcomes(tables["counts"], tables["tokens"], "language")
    return [row["language"] for row in sorted(rows, key=lambda row: (-row["read"], row["language"]))]


def _check_texts(workspace: Workspace, plan: BuildPlan) -> None:
    """Raise UserError if the rules of a plan keep other texts than the workspace does."""
    kept = Tools(load_stored_manifest(workspace).manifest).text_rules
    wanted = plan.tools.text_rules
    if kept is not None and (wanted is None or kept.fingerprints != wanted.fingerprints):
        raise UserError(
            f"{workspace.root} keeps no text of documents that fail its rules (keep_text: {kept.mode}), so other "
            "rules need `corpus build`, which reads the input again; --what-if shows what they would change"
        )


def make_stored_plan(
    workspace: Workspace, path: str | None, changes: Changes, *, finished: bool
) -> BuildPlan:
    """Return the plan of a workspace with the rules of a manifest and `changes`. Reads no input.

    Raises UserError if documents or signals are missing or of another version; with `finished`, if anything else is
    missing too.
    """
    before = load_stored_manifest(workspace)
    file = change_bounds(before if path is None else load_manifest(path), changes)
    tools = StoredTools(file.manifest, root=workspace.root)
    _check_same(before, file, tools)
    computed = {signal for step_filter in tools.available_filters.values() for signal in step_filter.signals}
    computed.update(name_signals(file.manifest.private_kinds))
    computed.update(CLEAN_SIGNALS if file.manifest.cleans else ())
    if not file.manifest.decontaminate.is_empty:
        computed |= set(DECONTAMINATION_SIGNALS)
    for name in changes:
        if is_edit(name):
            continue
        signal = name.partition("@")[0].rpartition(".")[0]
        if signal not in computed:
            raise UserError(
                f"{name}: nothing computes the signal {signal}: {suggest_names(signal, computed, 'it has')}"
            )
    for step in sorted(ON_REQUEST.intersection(tools.rules.steps()) - tools.filters.keys()):
        raise UserError(
            f"{file.path}: {step} was not measured, since no rule read it when {workspace.root} was built: run "
            "`corpus build`"
        )
    plan = make_plan_of_parts(workspace, file)
    if finished:
        _check_searched(before, file)
    state = workspace.read_state() or {}
    absent = list_missing_parts(workspace, plan)
    lacks = (
        bool(absent) or "build" not in state if finished else count_unread_splits(workspace, plan, absent) > 0
    )
    if lacks or state.get("ingest") != work.ingest_fingerprint(plan):
        changed = [] if lacks else _list_changed_files(before, file)
        if changed:
            raise UserError(
                f"{file.path}: signals depend on {', '.join(changed)}, which {workspace.root} was not built with: "
                "run `corpus build`"
            )
        raise UserError(f"{workspace.root} is not a finished build of this version: run `corpus build` first")
    return plan


def _check_searched(before: ManifestFile, after: ManifestFile) -> None:
    """Raise UserError for private data, lines and repeated text that the workspace was not searched for."""
    for name, source in after.manifest.sources.items():
        searched = before.manifest.sources[name].private_data
        for kind in source.private_data:
            if kind not in searched:
                raise UserError(
                    f"{kind} is not among the private data that {name} was searched for: `corpus decide` without "
                    "--what-if searches the stored texts for it, and later --what-if can count it"
                )
        lines = before.manifest.sources[name].clean or {}
        for rule in source.clean or ():
            if rule not in lines:
                raise UserError(
                    f"{rule} is not among the rules on lines that {name} was searched by: `corpus decide` without "
                    "--what-if searches the stored texts by it, and later --what-if can count what it finds"
                )
    counted, wanted = (StoredTools(file.manifest).rules for file in (before, after))
    for name, source in after.manifest.sources.items():
        if source.clean and WORDS in wanted.signals(name) and WORDS not in counted.signals(name):
            raise UserError(
                f"{WORDS} of {name} was not counted, for no rule asked for it: `corpus decide` without --what-if "
                "counts it, and later --what-if can try other bounds"
            )
    for name in after.manifest.clean.repeats:
        if getattr(before.manifest.dedup, name) is None and getattr(after.manifest.dedup, name) is not None:
            raise UserError(
                f"repeated {name} were not searched for: `corpus decide` without --what-if does, and later "
                "--what-if can count them"
            )


def _list_changed_files(before: ManifestFile, after: ManifestFile) -> list[str]:
    """Return the names of the user's own data files that differ between two manifests' folders."""
    one, other = before.own_files, after.own_files
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def make_plan_of_parts(workspace: Workspace, file: ManifestFile) -> BuildPlan:
    """Return the plan of a manifest over the documents of a workspace. Reads no input."""
    manifest = file.manifest
    tools = StoredTools(manifest, root=workspace.root)
    try:
        rules = tools.rules
    except UserError as error:
        raise file.error(error.path, str(error)) from None
    splits: list[Any] = [
        StoredSplit(source, name, storage.size(workspace.part("documents", source, name)))
        for source, name in workspace.splits()
        if storage.exists(workspace.part("documents", source, name))
    ]
    return BuildPlan(file=file, splits=splits, tools=tools, rules=rules)


def change_edits(manifest: Manifest, changes: Changes) -> Manifest:
    """Return the manifest with other edits applied: `redact.KIND`, `clean.repeats` and `clean.RULE` of `changes`.

    `redact.KIND` holds for the sources that the kind is searched for in, or for all if there is none; so does
    `clean.RULE`, for a rule on lines or a preset of them.
    """
    for name, value in changes.items():
        key, _, rest = name.partition(".")
        if name == "clean.repeats":
            manifest = _change_repeats(manifest, str(value))
        elif key == "clean" and is_edit(name):
            try:
                rules = find_rules(rest)
            except ValueError as error:
                raise UserError(f"{name}: {error}, or repeats") from None
            mode = {"on": "cut"}.get(str(value), str(value))
            if mode not in (*CLEAN_MODES, "off"):
                raise UserError(f"{name}={value}: say cut, count or off")
            holding = [
                each
                for each, source in manifest.sources.items()
                if set(rules).intersection(source.clean or ())
            ]
            sources = {
                each: _change_rules(source, rules, mode) if each in holding or not holding else source
                for each, source in manifest.sources.items()
            }
            manifest = manifest.model_copy(update={"sources": sources})
        elif key == "redact":
            if rest not in PRIVATE_KINDS:
                raise UserError(
                    f"{name}: no kind of private data is called {rest!r}: {suggest_names(rest, PRIVATE_KINDS)}"
                )
            if value not in (*MODES, "off"):
                raise UserError(f"{name}={value}: say mask, count or off")
            holding = [each for each, source in manifest.sources.items() if rest in (source.private_data)]
            sources = {
                each: _change_kind(source, rest, str(value))
                if each in holding or not (holding or source.masks_records)
                else source
                for each, source in manifest.sources.items()
            }
            manifest = manifest.model_copy(update={"sources": sources})
    return manifest


def _change_repeats(manifest: Manifest, value: str) -> Manifest:
    """Return the manifest with repeated text cut (`on`) or not (`off`)."""
    if value not in ("on", "off"):
        raise UserError(f"clean.repeats={value}: expected clean.repeats=on or clean.repeats=off")
    marked = [each for each in REPEAT_KINDS if getattr(manifest.dedup, each) is not None]
    if value == "on" and not marked:
        raise UserError("clean.repeats=on: nothing marks what is repeated: `dedup: {paragraphs: true}` does")
    clean = manifest.clean.model_copy(update={"repeats": tuple(marked) if value == "on" else ()})
    return manifest.model_copy(update={"clean": clean})


def _change_rules(source: Source, rules: Sequence[str], mode: str) -> Source:
    """Return a source that does something else with what some rules on lines find."""
    modes: dict[str, str] = {**(source.clean or {}), **dict.fromkeys(rules, mode)}
    kept = {rule: modes[rule] for rule in RULES if modes.get(rule, "off") != "off"}
    return source.model_copy(update={"clean": kept})


def is_edit(name: str) -> bool:
    """Return whether a change is of edits: `redact.KIND` or `clean.RULE`, not of a rule such as `clean.kept.min`."""
    key = name.partition(".")[0]
    return key == "redact" or (
        key == "clean" and name.partition("@")[0].rpartition(".")[0] not in CLEAN_SIGNALS
    )


def _change_kind(source: Source, kind: str, mode: str) -> Source:
    """Return a source that does something else with a kind of private data."""
    before = source.private_data
    options = {
        each: before.get(each, RedactKind())
        if each != kind
        else before.get(kind, RedactKind()).model_copy(update={"mode": mode})
        for each in PRIVATE_KINDS
        if (each in before or each == kind) and (each != kind or mode != "off")
    }
    return source.model_copy(update={"redact": options})


def change_bounds(file: ManifestFile, changes: Changes) -> ManifestFile:
    """Return the manifest with some bounds and edits changed; other bounds of the same signal are unchanged."""
    file = replace(file, manifest=change_edits(file.manifest, changes))
    changes = {name: value for name, value in changes.items() if not is_edit(name)}
    rules: dict[str, Any] = {
        name: dict(value) if isinstance(value, dict) else value for name, value in file.manifest.rules.items()
    }
    for name, value in changes.items():
        rule, _, language = name.partition("@")
        signal, _, bound = rule.rpartition(".")
        if bound not in BOUND_KINDS or not signal:
            raise UserError(
                f"{name} is not a rule: expected SIGNAL.min, .max, .top_share or .pareto, with @tha for one language"
            )
        place = rules
        if language:
            try:
                label = normalize_label(language)
            except ValueError as error:
                raise UserError(f"{name}: {error}") from None
            before = rules.get("languages") or {}
            rules["languages"] = {normalize_label(key): dict(bounds) for key, bounds in before.items()}
            place = rules["languages"].setdefault(label, {})
        bounds_before = place.get(signal, {})
        bounds = dict(bounds_before) if isinstance(bounds_before, dict) else dict.fromkeys(BOUND_KINDS, "off")
        place[signal] = {**bounds, bound: value}
    return replace(file, manifest=file.manifest.model_copy(update={"rules": rules}))


def _check_same(before: ManifestFile, after: ManifestFile, tools: Tools) -> None:
    """Raise UserError if the manifests differ in keys that documents and signals depend on."""
    one, other = before.manifest.dump(), after.manifest.dump()
    differing = [key for key in one if key not in CHANGEABLE_KEYS | {"sources"} and one[key] != other[key]]
    for name in sorted({*before.manifest.sources, *after.manifest.sources}):
        sides = [
            file.manifest.sources[name].model_dump(
                mode="json", exclude={"rules", "priority", "redact", "clean"}
            )
            | {"redact": file.manifest.sources[name].masks_records}
            if name in file.manifest.sources
            else None
            for file in (before, after)
        ]
        if sides[0] != sides[1]:
            differing.append(f"sources.{name}")
    sets = [
        [(each.path, each.name, each.fields) for each in file.manifest.decontaminate.sets]
        for file in (before, after)
    ]
    if sets[0] != sets[1] and sets[1]:
        differing.append("decontaminate.sets")
    now, then = Tools(before.manifest).signatures, tools.signatures
    if then is not None and (now is None or dict(now.parameters) != dict(then.parameters)):
        differing.append("dedup.minhash")
    if differing:
        raise UserError(
            f"{after.path}: {', '.join(differing)} differ from the workspace: documents or signals must be made "
            "again: run `corpus build`"
        )


def compare_decisions(one: Workspace, other: Workspace, count: int, all_texts: bool) -> Difference:
    """Return what `other` decides differently; `all_texts`: whether the workspace keeps every text.

    Memory: the columns of one split without its text; without `all_texts`, also the texts of one row group.
    """
    sums: dict[tuple[str, str], np.ndarray[Any, np.dtype[np.int64]]] = defaultdict(
        lambda: np.zeros(6, np.int64)
    )
    drawn: dict[str, list[DocumentPlace]] = {"back": [], "gone": []}
    absent = 0
    for source, split in one.splits():
        light = _read_columns(one.part("documents", source, split), ["id", "language", "bytes"])
        kept = [
            _read_columns(workspace.part("decisions", source, split), ["kept"]).column("kept").to_numpy()
            for workspace in (one, other)
        ]
        size = light.column("bytes").to_numpy()
        languages = pc.fill_null(light.column("language"), UNKNOWN_LABEL).combine_chunks().dictionary_encode()
        moves = {"back": ~kept[0] & kept[1], "gone": kept[0] & ~kept[1]}
        if not all_texts:
            absent += _count_absent_texts(one, source, split, moves["back"])
        masks = [*kept, *moves.values()]
        for code, label in enumerate(languages.dictionary.to_pylist()):
            here = languages.indices.to_numpy() == code
            numbers = [int((mask & here).sum()) for mask in masks]
            sums[source, label] += [*numbers, *(int(size[mask & here].sum()) for mask in kept)]
        for name, mask in moves.items():
            rows = np.flatnonzero(mask)
            ids = light.column("id").take(pa.array(rows))
            draws = draw_uniform(ids, 0).tolist()
            smallest = heapq.nsmallest(count, zip(draws, ids.to_pylist(), rows.tolist(), strict=True))
            firsts = _list_first_rows(one, source, split) if smallest else []
            places = []
            for draw, id, row in smallest:
                group = bisect_right(firsts, row) - 1
                places.append(DocumentPlace(draw, id, source, split, group, row - firsts[group]))
            drawn[name] = heapq.nsmallest(count, [*drawn[name], *places])
    tokens = _bytes_per_token(one)
    rows_of: list[dict[str, Any]] = [
        {
            "source": source,
            "language": language,
            "kept": [int(now), int(then)],
            "back": int(back),
            "gone": int(gone),
            "bytes": [int(before), int(after)],
            "tokens": [
                round(side / tokens.get((source, language), tokens[""])) for side in (int(before), int(after))
            ],
        }
        for (source, language), (now, then, back, gone, before, after) in sorted(sums.items())
        if back or gone
    ]
    rows_of.sort(key=lambda row: (-row["back"] - row["gone"], row["source"], row["language"]))
    back, gone = (_describe_samples(one, other, drawn[name]) for name in ("back", "gone"))
    return Difference(rows_of, back, gone, absent)


def _count_absent_texts(workspace: Workspace, source: str, split: str, chosen: npt.NDArray[np.bool_]) -> int:
    """How many of the chosen rows of a split have no text. Reads the texts of the row groups that they are in."""
    count, first = 0, 0
    with storage.open_input(workspace.part("documents", source, split)) as stream:
        part = pq.ParquetFile(stream)
        for group in range(part.num_row_groups):
            rows = part.metadata.row_group(group).num_rows
            here = chosen[first : first + rows]
            if here.any():
                table = part.read_row_group(group, columns=["text", "content_hash"], use_threads=False)
                count += int((is_absent(table) & here).sum())
            first += rows
    return count


def _describe_samples(
    one: Workspace, other: Workspace, places: Sequence[DocumentPlace]
) -> list[dict[str, Any]]:
    """Return the documents at some places, with the decisions of the other workspace."""
    rows = read_documents(one, places)
    for row, place in zip(rows, places, strict=True):
        with storage.open_input(other.part("decisions", place.source, place.split)) as stream:
            decided = pq.ParquetFile(stream).read_row_group(place.group, use_threads=False)
        decided = decided.slice(place.row, 1).to_pylist()[0]
        row["before"] = {name: row[name] for name in ("kept", "failed_rules", "duplicate_of", "split")}
        row.update(decided)
    return rows


def _list_first_rows(workspace: Workspace, source: str, split: str) -> list[int]:
    """Return the number of the first row of every row group of a split."""
    with storage.open_input(workspace.part("decisions", source, split)) as stream:
        metadata = pq.ParquetFile(stream).metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return list(accumulate(sizes[:-1], initial=0))


def _bytes_per_token(workspace: Workspace) -> dict[Any, float]:
    """Return the bytes per token by (source, language), and over all under ""."""
    ratios: dict[Any, float] = {}
    size, tokens = 0, 0
    for side in workspace.tokens()["totals"].values():
        for source, sums in side["sources"].items():
            for language, row in sums["languages"].items():
                ratios[source, language] = row["bytes"] / max(1, row["tokens"])
                size, tokens = size + row["bytes"], tokens + row["tokens"]
    return {**ratios, "": max(size, 1) / max(tokens, 1)}


def _read_columns(path: str, columns: list[str]) -> pa.Table:
    with storage.open_input(path) as stream:
        return pq.ParquetFile(stream).read(columns=columns, use_threads=False)
