"""Explain which stages a build repeats in an existing workspace, and why: one line per stage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from corpus import storage
from corpus.decontamination.item_index import FOLDER as INDEX_FOLDER
from corpus.decontamination.item_index import read_index_facts
from corpus.environment import describe_changes
from corpus.errors import RunError, UserError
from corpus.manifest import load_manifest
from corpus.pipelines.build.file_changes import compare_files, find_gone_files, is_shared_out, name_some
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import describe_inputs
from corpus.pipelines.build.stages import STAGES
from corpus.progress import built_with
from corpus.storage.part_writer import count_rows
from corpus.workspace import Workspace

DECISION_KEYS = ("rules", "dedup", "decontaminate", "validation", "seed", "clean", "redact")
TOKENIZE_KEYS = ("tokenizer", "tokens", "mixture")
DECIDING_SOURCE_KEYS = ("rules", "priority", "redact", "clean")
"""Keys of a source that decisions, but not its documents, depend on."""


def check_name(workspace: Workspace, name: str) -> None:
    """Raise UserError if the workspace holds a corpus of another name, which would be replaced."""
    _, manifest = _read_last_build(workspace)
    before = manifest.get("name", name) if isinstance(manifest, dict) else name
    if before != name:
        raise UserError(
            f"{workspace.root} holds the corpus {before!r}, and this manifest is of {name!r}: give another --out, or "
            "remove the folder"
        )


def explain_changes(
    workspace: Workspace, plan: BuildPlan, state: dict[str, str], absent: Sequence[str]
) -> list[str]:
    """Return a line for every stage that repeats work, with the reason; none for a new workspace.

    `absent`: the parts that a finished build has and this workspace lacks.
    """
    before, manifest = _read_last_build(workspace)
    if before is None or "documents" not in before:
        return []
    manifest, now = _add_later_keys(workspace, manifest), _dump_manifest(plan)
    for written in (manifest, now):
        written.get("validation", {}).pop("resolved", None)  # what a build came to, not what was asked
    changed = list_changed_keys(manifest, now)
    reading = [key for key in changed if _is_read_by(key, plan.file.manifest.keep_text)]
    environment = describe_changes(built_with(workspace.path("timings.json")))
    lines = _explain_ingest(workspace, before, plan, reading, environment)
    ingests = bool(lines)
    lost = count_unread_splits(workspace, plan, absent)
    if not ingests and lost and "ingest" in state:
        what = "input split has" if lost == 1 else "input splits have"
        lines.append(f"ingest: {lost:,} {what} lost parts: reading again")
        ingests = True
    decided = [key for key in changed if key.split(".")[0] in DECISION_KEYS or _is_deciding(key)]
    indexed = read_index_facts(workspace.path(INDEX_FOLDER)).get("sets")
    if indexed is not None and plan.tools.sets_identity not in (None, indexed):
        decided.append("the content of evaluation sets")
    decides = bool(decided) or ingests
    if decided and not (ingests and set(decided) & set(reading)):
        lines.append(f"decide: again, without reading the input: {name_some(decided)} changed")
    elif ingests and "decide" in state:
        lines.append("decide: again: documents or signals changed")
    tokenized = [key for key in changed if key.split(".")[0] in TOKENIZE_KEYS]
    if tokenized:
        lines.append(f"tokenize: again: {name_some(tokenized)} changed")
    elif decides and "tokenize" in state:
        lines.append("tokenize: again where decisions changed")
    options, card = plan.file.manifest.tokenizer, workspace.path("tokenizer", "card.json")
    trains = decides or any(key.startswith("tokenizer.") for key in tokenized)
    if trains and options.path is None and not options.keep and storage.exists(card):
        lines.append(
            "vocabulary: trained again if other documents are kept, and models trained on this one will then not fit: "
            "`tokenizer: {keep: true}` keeps it"
        )
    if not lines:
        lines.append(f"resuming: {_describe_standing(len(plan.names), lost, state)}")
    return lines


def _describe_standing(splits: int, unread: int, state: Collection[str]) -> str:
    """Return which stages are done and which remain; within the first, how many input splits."""
    names = [name for name, _ in STAGES]
    done, left = ([name for name in names if (name in state) is there] for there in (True, False))
    if not done:
        what = "input split was" if splits == 1 else "input splits were"
        remain = "none remains" if not unread else "1 remains" if unread == 1 else f"{unread:,} remain"
        return f"{splits - unread:,} of {splits:,} {what} read before; {remain} to be read"
    remain = f"{', '.join(left)} {'remains' if len(left) == 1 else 'remain'}" if left else "nothing remains"
    return f"{', '.join(done)} {'was' if len(done) == 1 else 'were'} done before; {remain} to be done"


def count_unread_splits(workspace: Workspace, plan: BuildPlan, absent: Collection[str]) -> int:
    """Return how many splits lack documents or signals."""
    folders, lost = ["documents", *(f"signals/{step}" for step in plan.measured_steps)], set(absent)
    parts = [(name, workspace.part(folder, *name)) for name in plan.names for folder in folders]
    if plan.tools.signatures is not None:
        parts += [(name, workspace.part("dedup/signatures", *name, "arrow")) for name in plan.names]
    return len({name for name, part in parts if part in lost})


def _explain_ingest(
    workspace: Workspace, before: dict[str, Any], plan: BuildPlan, keys: Sequence[str], environment: str
) -> list[str]:
    """Return the line on ingest: splits that are new, changed (by some of `keys`) or removed, and missing signals.

    `environment` says which versions the last build had that this one has not; empty if they are the same.
    """
    then: dict[tuple[str, str], Any] = {
        (name[0], name[1]): made for name, made in zip(before["splits"], before["documents"], strict=True)
    }
    now = describe_inputs(plan)
    names = plan.names
    new = [at for at, name in enumerate(names) if name not in then]
    other = [
        at for at, name in enumerate(names) if then.get(name, now["documents"][at]) != now["documents"][at]
    ]
    reasons = []
    if other:
        again = compare_files(before, plan, other)
        why = f"{name_some(keys)} changed" if keys else again.describe()
        if not keys and all("/".join(names[at]) in plan.tools.retries for at in other):
            why = f"larger budgets, or {why}" if why else "larger budgets"
        elif not keys and (not why or (len(other) == len(names) and not again.is_known)):
            own = "this version of corpus reads it differently"
            why = f"all input changed, or {environment or own}"
        reasons.append(f"{len(other):,} of {len(names):,} input splits to read again: {why}")
    removed = sorted(then.keys() - set(names))
    alone = [at for at in new if not plan.splits[at].files]
    new_files = {(plan.splits[at].source, plan.splits[at].file) for at in alone}
    whole = [pair for pair in removed if not is_shared_out(before, plan, pair)]
    replaced = _find_replaced(workspace, whole, new_files)
    if replaced:
        reread = {at for at in alone if (plan.splits[at].source, plan.splits[at].file) in replaced.values()}
        new = [at for at in new if at not in reread]
        whole = [name for name in whole if name not in replaced]
        documents = sum(_count_documents(workspace, *name) for name in replaced)
        changed = [file for _, file in sorted(set(replaced.values()))]
        reasons.append(
            f"{name_some(changed)} changed: {_count_splits(len(reread))} to read in place of {len(replaced):,} with "
            f"{documents:,} documents"
        )
    if new:
        files = compare_files(before, plan, new)
        what = name_some(sorted({*files.new, *files.changed})) or "the same files, shared out anew"
        reasons.append(f"{len(new):,} new input {'split' if len(new) == 1 else 'splits'}: {what}")
    if gone := find_gone_files(before, plan, removed):
        what = "a file that shared an input split" if len(gone) == 1 else "files that shared input splits"
        reasons.append(f"{what} removed: {name_some(gone)}")
    reasons += _describe_removed(workspace, whole, set(plan.file.manifest.sources))
    steps = [step for step, made in now["made"].items() if made and before["made"].get(step) != made]
    if steps and not (other and len(other) == len(names)):
        stored = "stored text" if plan.file.manifest.keep_text == "all" else "input"
        reasons.append(f"signals to compute again from the {stored}: {name_some(steps)}")
    return [f"ingest: {'; '.join(reasons)}"] if reasons else []


def _find_replaced(
    workspace: Workspace, removed: Iterable[tuple[str, str]], new: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the removed splits whose file has new ones, so that the file has changed: split -> (source, file).

    `new` are the files of new splits, by source. A split without documents does not say what its file was called.
    """
    sources = {source for source, _ in new}
    replaced = {}
    for source, split in removed:
        file = _read_file_name(workspace, source, split) if source in sources else None
        if file is not None and (source, file) in new:
            replaced[source, split] = (source, file)
    return replaced


def _read_file_name(workspace: Workspace, source: str, split: str) -> str | None:
    """Return the file that the documents of a split come from; None without documents, or where these are damaged."""
    path = workspace.part("documents", source, split)
    if not storage.exists(path):
        return None
    try:
        with storage.open_input(path) as stream:
            for rows in pq.ParquetFile(stream).iter_batches(1, columns=["origin"], use_threads=False):
                return str(rows.column("origin")[0].as_py()["file"])
    except pa.ArrowInvalid:
        return None
    return None


def _count_splits(count: int) -> str:
    return f"{count:,} input {'split' if count == 1 else 'splits'}"


def _describe_removed(
    workspace: Workspace, removed: Iterable[tuple[str, ...]], sources: Collection[str]
) -> list[str]:
    """Return what goes with input splits that are no longer there, by source: the splits and their documents."""
    splits_by_source: dict[str, list[str]] = {}
    for source, split in removed:
        splits_by_source.setdefault(source, []).append(split)
    reasons = []
    for source, splits in splits_by_source.items():
        documents = sum(_count_documents(workspace, source, split) for split in splits)
        size = (
            f"{len(splits):,} input {'split' if len(splits) == 1 else 'splits'} "
            f"with {documents:,} {'document' if documents == 1 else 'documents'}"
        )
        reasons.append(
            f"removed from {source}: {size}" if source in sources else f"the source {source} removed: {size}"
        )
    return reasons


def _count_documents(workspace: Workspace, source: str, split: str) -> int:
    """Return the documents of a split; 0 where its part is absent or damaged, as one that goes may be."""
    path = workspace.part("documents", source, split)
    if not storage.exists(path):
        return 0
    try:
        return count_rows(path)
    except pa.ArrowInvalid:
        return 0


def _is_deciding(key: str) -> bool:
    pieces = key.split(".")
    return pieces[0] == "sources" and len(pieces) > 2 and pieces[2] in DECIDING_SOURCE_KEYS


def _is_read_by(key: str, keep_text: str) -> bool:
    """Return whether documents depend on a key; if dropped ones keep no text, they depend on the rules too."""
    if keep_text != "all" and (
        key.split(".")[0] in ("rules", "seed", "quality", "words") or key.endswith(".rules")
    ):
        return True
    pieces = key.split(".")
    if pieces[0] == "sources" and pieces[2:] == ["redact"]:
        return True  # a switch, as source code has it
    if pieces[0] in (*DECISION_KEYS, *TOKENIZE_KEYS, "quality", "words") or _is_deciding(key):
        return False
    return not (pieces[0] == "sources" and len(pieces) > 2 and pieces[2] in ("paths", "base"))


def list_changed_keys(before: Any, after: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Return the keys whose values differ, dotted, in the order of `after`, then the removed ones.

    >>> changed_keys({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 4}, "e": 5})
    ['a.c', 'e', 'd']
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [] if before == after else [".".join(path)]
    keys: list[str] = []
    for key in [*after, *(key for key in before if key not in after)]:
        here = (*path, str(key))
        if key in before and key in after:
            keys += list_changed_keys(before[key], after[key], here)
        else:
            keys.append(".".join(here))
    return keys


def _dump_manifest(plan: BuildPlan) -> Any:
    """Return the manifest as it is written into the workspace and read back."""
    return yaml.safe_load(plan.file.manifest.model_dump_yaml())


def _add_later_keys(workspace: Workspace, manifest: Any) -> Any:
    """Return the manifest of the last build with the defaults of keys that came after it, so that only what a user
    wrote is said to have changed; as it is if this version cannot read it."""
    try:
        return yaml.safe_load(load_manifest(workspace.path("manifest.yaml")).manifest.model_dump_yaml())
    except UserError:
        return manifest


def _read_last_build(workspace: Workspace) -> tuple[dict[str, Any] | None, Any]:
    """Read plan.json and manifest.yaml of the last build; None if there was none."""
    try:
        return workspace.read_json("plan.json"), workspace.read_manifest()
    except (FileNotFoundError, RunError):
        return None, None
