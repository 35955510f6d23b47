"""Plan a build: read the manifest and its input, and report everything that is wrong before any work."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import yaml

from corpus import data, storage
from corpus.clean import clean_spans
from corpus.clean.options import REPEAT_KINDS
from corpus.clean.options import SIGNALS as CLEAN_SIGNALS
from corpus.decontamination import judging, scanning
from corpus.decontamination.evaluation_sets import list_sets
from corpus.decontamination.hits import STEP as DECONTAMINATION_STEP
from corpus.decontamination.item_index import check_sets, index_fingerprint
from corpus.dedup.options import drop_unset
from corpus.edits.parts import CLEAN_STEP, EDIT_STEPS, PRIVATE_STEP, REPEATS_STEP, counts_path, edits_path
from corpus.errors import UserError, describe_briefly, shorten_line
from corpus.formats.yaml_lines import KeyPath
from corpus.languages.names import normalize_label, suggest_nameable
from corpus.manifest import Manifest, ManifestFile, read_manifest
from corpus.manifest import load_manifest as load_manifest
from corpus.pipelines import clean, decide, decontaminate, dedup, item_hits, redact, repeats
from corpus.pipelines.against import list_old_parts
from corpus.pipelines.beam.fanout import CLAIMS_PREFIX
from corpus.pipelines.clean import CleanSearch
from corpus.pipelines.context import Tools
from corpus.pipelines.redact import PrivateSearch
from corpus.pipelines.stored_search import StoredSearch
from corpus.private.kinds import identify_search
from corpus.private.options import name_signals
from corpus.rules.rule import RuleSet
from corpus.sources import is_plugin_kind
from corpus.sources.input_split import InputSplit, plan_splits, share_splits
from corpus.sources.inputs import list_files
from corpus.storage.fingerprint import fingerprint
from corpus.suggestions import suggest_names
from corpus.text.conventions import list_replaced_languages
from corpus.text.page import Page
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
SIGNAL_KEYS = (("filters",), ("quality",), ("redact",), ("decontaminate",))
"""Keys that signals come from: where one of them is wrong, a rule may be right that names none there is."""
FINGERPRINT_DIGITS = 8
"""Hex digits of each split's fingerprint that plan.json stores: enough to detect a change."""


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """The plan of a build: its input splits, sorted by source and name, its tools and its rules."""

    file: ManifestFile
    splits: list[InputSplit]
    tools: Tools
    rules: RuleSet

    @property
    def names(self) -> list[tuple[str, str]]:
        """Return (source, split name), sorted: the order of everything after ingest."""
        return [(split.source, split.name) for split in self.splits]

    @property
    def size(self) -> int:
        """Return the bytes of input as it is stored."""
        return sum(split.end - split.start for split in self.splits)

    @cached_property
    def document_fingerprints(self) -> list[str]:
        """Return the fingerprint of every split's documents, in the order of `splits`; computed once."""
        return [self.tools.documents_fingerprint(split) for split in self.splits]

    @property
    def searches(self) -> list[StoredSearch]:
        """Return the searches in stored texts that the manifest asks for, in their order, without a workspace."""
        manifest = self.file.manifest
        sources = manifest.sources.items()
        searches: list[StoredSearch] = []
        if manifest.cleans:
            rules = {name: list(source.clean or ()) for name, source in sources}
            searches.append(CleanSearch("", rules, CLEAN_SIGNALS, manifest.clean.spare))
        if manifest.private_kinds:
            kinds = {name: list(source.private_data) for name, source in sources}
            searches.append(PrivateSearch("", kinds, name_signals(manifest.private_kinds)))
        return searches

    @property
    def measured_steps(self) -> list[str]:
        """Return the steps whose signals are measured with the text, at ingest."""
        return list(self.tools.filters)

    @property
    def steps(self) -> list[str]:
        """Return the steps of all signals that decisions can use: those of filters, and of searches in stored texts."""
        steps = [*self.measured_steps, *(search.step for search in self.searches)]
        return steps if self.file.manifest.decontaminate.is_empty else [*steps, DECONTAMINATION_STEP]


def make_plan(path: str, say: Callable[[str], None] | None = None, place: str | None = None) -> BuildPlan:
    """Read a manifest, find its files, divide them into splits, and check its rules against its signals.

    Relative paths start from the manifest's folder, or from that of `place`, the manifest that it is a copy of.

    Sources that must create their input first (by fetching pages) do so here if `say` is given, a function
    that takes lines for the terminal. Raises UserError, one line, for anything wrong. Cost: reads every local
    input file once, and a few KB of remote ones (see `file_identity`).
    """
    file = replace(read_manifest(path), place=place)
    if file.manifest is None:
        file.raise_mistakes()
    manifest = file.manifest
    tools = Tools(manifest)
    is_right = not file.mistakes
    if is_right:
        check_models(file, tools)
    rules = _load_rules(file, tools)
    for name in (manifest.dedup.lines.sources or ()) if manifest.dedup.lines is not None else ():
        if name not in manifest.sources and is_right:
            known = suggest_names(name, manifest.sources)
            file.note(("dedup", "lines", "sources"), f"there is no source {name}: {known}")
    splits: list[InputSplit] = []
    for name, source in manifest.sources.items():
        try:
            if not file.mistakes:
                source.prepare(say)
            files = list_files(source.paths, file.folder, source.base, source.folders)
            if file.mistakes:
                continue
            split_size = int(manifest.split_size)
            splits += (planned := share_splits(plan_splits(name, source, files, split_size), split_size))
            if planned:
                tools.source_parameters(planned[0])
        except UserError as error:
            for each in error.all:
                is_whole = each.path[:2] == ("sources", name)
                file.note(each.path if is_whole else ("sources", name, *each.path), str(each))
        except (Exception, SystemExit) as error:
            if not is_plugin_kind(source.kind):
                raise
            file.note(("sources", name, "kind"), f"{source.kind} failed: {describe_briefly(error)}")
    file.raise_mistakes()
    assert rules is not None  # or there is a mistake
    splits.sort(key=lambda split: (split.source, split.name))
    check_sets_apart(file, splits)
    return BuildPlan(file=file, splits=splits, tools=tools, rules=rules)


def _load_rules(file: ManifestFile, tools: Tools) -> RuleSet | None:
    """Return the rules of a manifest, once its plug-ins, lists and sets were found usable; None for a mistake, which is
    noted. Of a manifest with mistakes the rules alone are read, and where these may come of those, nothing."""
    is_right = not file.mistakes
    try:
        if is_right:
            tools.extraction_jobs  # noqa: B018 - a plug-in that cannot be used is refused here
        elif any(mistake.path[:1] in SIGNAL_KEYS for mistake in file.mistakes):
            return None
        rules = tools.rules
        if is_right:
            tools.lists_identity  # noqa: B018 - a list that cannot be read is refused here
            check_sets(file.manifest.decontaminate)
    except UserError as error:
        for each in error.all:
            if is_right or not _names_wrong_source(file, each.path):
                file.note(each.path, str(each))
        return None
    try:
        list_old_parts(file.manifest.dedup)
    except UserError as error:
        file.note(("dedup", "against"), str(error))
    return rules


def _names_wrong_source(file: ManifestFile, path: KeyPath) -> bool:
    """Return whether a value at a path of `rules` is the name of a source, which is there but is wrong itself."""
    value: Any = file.manifest.rules
    for step in path[1:] if path[-2:-1] == ("sources",) else ():
        value = value[step]
    return isinstance(value, str) and ("sources", value) in file.lines


def check_sets_apart(file: ManifestFile, splits: Sequence[InputSplit]) -> None:
    """Raise UserError if a file of an evaluation set is input of a source: all of it would be evaluation."""
    inputs = {storage.local_path(piece.path): split.source for split in splits for piece in split.pieces}
    for each in list_sets(file.manifest.decontaminate):
        for path, _ in each.files:
            if (source := inputs.get(storage.local_path(path))) is not None:
                raise file.error(
                    ("decontaminate", "sets", each.place),
                    f"{path} is input of the source {source}: a set that is the corpus leaves nothing of it",
                )


def describe_unnameable(file: ManifestFile) -> list[str]:
    """Return a line, with file and line, for each language that a manifest names and no text is identified as.

    None where the model is the user's, or where the rows of a source state their languages; one that the key `language`
    of a source states is left out.
    """
    manifest = file.manifest
    sources = manifest.sources.values()
    states_by_row = any(getattr(getattr(source, "fields", None), "language", None) for source in sources)
    if manifest.identification.model is not None or states_by_row:
        return []
    stated_languages = {
        normalize_label(stated).partition("_")[0]
        for source in sources
        if isinstance(stated := getattr(source, "language", None), str)
    }
    lines = []
    for path, name in _list_languages(manifest):
        label = normalize_label(name)
        advice = suggest_nameable(label) if label.partition("_")[0] not in stated_languages else None
        if advice is not None:
            what = label if label == name else f"{name} ({label})"
            lines.append(
                str(file.error(path, f"no text is identified as {what} by the models at hand: {advice}"))
            )
    return lines


def describe_replaced(file: ManifestFile) -> list[str]:
    """Return a line on each data file of corpus that a user's own takes the place of, as far as a build uses it."""
    languages: dict[str, list[str]] = {}
    for language, shipped in list_replaced_languages():
        languages.setdefault(shipped, []).append(language)
    lines = [
        f"languages/{shipped}.yaml of corpus gives way to your file for {', '.join(named)}: what yours leaves out "
        "is as for every language"
        for shipped, named in languages.items()
    ]
    for name in data.list_replaced_files(file.own_files):
        if not name.startswith("languages/"):
            lines.append(f"{name} of corpus gives way to your file: rename yours to have both")
    return lines


def _list_languages(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield the languages that a manifest names: under `languages`, of rules, and of validation, each with its key."""
    if manifest.languages != "all":
        yield from ((("languages", at), label) for at, label in enumerate(manifest.languages))
    for label in manifest.rules.get("languages") or {}:
        yield ("rules", "languages", label), label
    for label in manifest.validation.languages:
        yield ("validation", "languages", label), label


def check_models(file: ManifestFile, tools: Tools) -> None:
    """Load the models and the tokenizer that the manifest names and use each once. Raises UserError for wrong ones."""
    models = {
        "identification": file.manifest.identification.model is not None,
        "quality": file.manifest.quality is not None,
    }
    for key in [key for key, is_named in models.items() if is_named]:
        try:
            if key == "identification" and tools.identifier_plugin is not None:
                tools.identifier_version  # noqa: B018 - a plug-in that cannot be used is refused here
            elif key == "identification":
                tools.identifier.identify("one two three")
            else:
                tools.filters[key].measure(Page("one two three", "eng_Latn"))
        except Exception as error:
            if isinstance(error, UserError) and error.path:  # of a plug-in that is loaded with the models
                raise file.error(error.path, str(error)) from None
            reason = shorten_line(str(error)) or type(error).__name__
            raise file.error((key, "model"), f"this model cannot be used: {reason}") from None
    options = file.manifest.tokenizer
    if options.path is not None:
        try:
            encode.load_encoder(options.path, options.end_of_text).encode("one two three")
        except (UserError, OSError) as error:
            place = ("tokenizer", "path") if ("tokenizer", "path") in file.lines else ("tokenizer",)
            raise file.error(place, shorten_line(str(error), 400)) from None


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
    searches = {name: identify_search(kinds) for name, kinds in redacted.items() if kinds}
    applied = find_applied(plan.file.manifest)
    cleaned = {name: source.clean for name, source in plan.file.manifest.sources.items() if source.clean}
    lines = {
        "clean": [clean.VERSION, cleaned, clean_spans.identify_search((), plan.file.manifest.clean.spare)]
    }
    edited = {
        "redact": [redact.VERSION, redacted, searches],
        **(lines if cleaned else {}),
        "applied": applied,
    }
    return [edited] if searches or cleaned or applied else []


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
    path = workspace.path("manifest.yaml")
    if not storage.exists(path):
        return None
    written = yaml.safe_load(storage.read_text(path)).get("validation") or {}
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
