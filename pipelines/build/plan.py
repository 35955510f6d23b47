"""Plan a build: read the manifest and its input, and report everything that is wrong before any work.

The command line begins with it, so what is wrong is said before more is imported than the checks need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from corpus import data, storage
from corpus.clean.options import SIGNALS as CLEAN_SIGNALS
from corpus.clean.options import WORDS
from corpus.edits.steps import EDIT_STEPS
from corpus.errors import UserError, describe_briefly, shorten_line
from corpus.filters import FILTERS
from corpus.formats.yaml_lines import KeyPath
from corpus.holding import DECONTAMINATION as DECONTAMINATION_STEP
from corpus.languages.names import normalize_label, suggest_nameable
from corpus.manifest import Manifest, ManifestFile, read_manifest
from corpus.pipelines.context import Tools
from corpus.private.options import name_signals
from corpus.rules.rule import RuleSet
from corpus.sources import is_plugin_kind
from corpus.sources.input_split import InputSplit, plan_splits, share_splits
from corpus.sources.inputs import list_files
from corpus.sources.source import Source
from corpus.storage.folders import is_folder
from corpus.storage.names import printable_name
from corpus.suggestions import find_nearest, suggest_names
from corpus.text.conventions import list_replaced_languages

if TYPE_CHECKING:
    from corpus.pipelines.stored_search import StoredSearch

SIGNAL_KEYS = {"clean", "decontaminate", "dedup", "filters", "quality", "redact"}
"""Keys that signals come from: where one of them is wrong, a rule may be right that names none there is."""
FILTER_KEYS: dict[str, Any] = {"filters": {}, "quality": None, "words": []}
"""Keys of filters that cannot be loaded where they are wrong, each with its value without them."""
MAX_NAMED_FILES = 3
"""Files that a line names."""


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
            from corpus.pipelines.clean import CleanSearch

            rules = {name: list(source.clean or ()) for name, source in sources}
            counting = frozenset(name for name in manifest.sources if WORDS in self.rules.signals(name))
            searches.append(CleanSearch("", rules, CLEAN_SIGNALS, manifest.clean.spare, counting))
        if manifest.private_kinds:
            from corpus.pipelines.redact import PrivateSearch

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
    check_models(file, tools)
    rules = _load_rules(file, tools)
    for name in (manifest.dedup.lines.sources or ()) if manifest.dedup.lines is not None else ():
        if name not in manifest.sources and ("sources", name) not in file.lines:
            known = suggest_names(name, manifest.sources)
            file.note(("dedup", "lines", "sources"), f"there is no source {name}: {known}")
    splits: list[InputSplit] = []
    for name, source in manifest.sources.items():
        try:
            if not file.mistakes:
                source.prepare(say)
            if _has_wrong_places(file, name, source):
                continue
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


def _has_wrong_places(file: ManifestFile, name: str, source: Source) -> bool:
    """Return whether a key that says where the files of a source are is wrong, or is what an unknown one may mean."""
    keys = {"path", "paths", "base", *source.FILE_KEYS}
    below = [mistake.path[2:3] for mistake in file.mistakes if mistake.path[:2] == ("sources", name)]
    meant = [find_nearest(str(key[0]), type(source).model_fields, 1) if key else [] for key in below]
    return any(not key or not keys.isdisjoint([*key, *near]) for key, near in zip(below, meant, strict=True))


def _load_rules(file: ManifestFile, tools: Tools) -> RuleSet | None:
    """Return the rules of a manifest, once its plug-ins, lists and sets were found usable; None for a mistake.

    Mistakes are noted. Of a manifest that has some the rules alone are read, and what is wrong in them is not noted
    where it may come of those.
    """
    is_right = not file.mistakes
    try:
        if is_right:
            tools.extraction_jobs  # noqa: B018 - a plug-in that cannot be used is refused here
        rules = tools.rules if is_right else Tools(_leave_out(file, FILTER_KEYS)).rules
        if is_right:
            tools.filter_versions  # noqa: B018 - a list of words or a language file that cannot be read, too
            tools.lists_identity  # noqa: B018 - a list that cannot be read is refused here
            if not file.manifest.decontaminate.is_empty:
                from corpus.decontamination.item_index import check_sets

                check_sets(file.manifest.decontaminate)
    except UserError as error:
        before = len(file.mistakes)
        for each in error.all:
            if is_right or not _may_follow(file, each):
                file.note(each.path, str(each))
        if any(mistake.path[:1] and mistake.path[0] in FILTER_KEYS for mistake in file.mistakes[before:]):
            _load_rules(file, tools)  # without what these are
        return None
    if file.manifest.dedup.against:
        from corpus.pipelines.against import list_old_parts

        try:
            list_old_parts(file.manifest.dedup)
        except UserError as error:
            file.note(("dedup", "against"), str(error))
    return rules


def _leave_out(file: ManifestFile, keys: Mapping[str, Any]) -> Manifest:
    """Return a manifest without what is wrong under these keys, each with the value that leaves it out."""
    wrong = {mistake.path[0] for mistake in file.mistakes if mistake.path}
    return file.manifest.model_copy(update={key: value for key, value in keys.items() if key in wrong})


def _may_follow(file: ManifestFile, mistake: UserError) -> bool:
    """Return whether a mistake in rules may come of others: it names a source that is wrong, or a signal that is there
    once another key is right."""
    if _names_wrong_source(file, mistake.path):
        return True
    step = re.search(r"the signal ([^.\s]+)\S*, which nothing computes", str(mistake))
    if step is None or step[1] in FILTERS.keys() - FILTER_KEYS.keys():
        return False
    wrong = {other.path[0] for other in file.mistakes if other.path}
    return not wrong.isdisjoint(SIGNAL_KEYS) or ("sources" in wrong and step[1] in EDIT_STEPS)


def _names_wrong_source(file: ManifestFile, path: KeyPath) -> bool:
    """Return whether a value at a path of `rules` is the name of a source, which is there but is wrong itself."""
    value: Any = file.manifest.rules
    for step in path[1:] if path[-2:-1] == ("sources",) else ():
        value = value[step]
    return isinstance(value, str) and ("sources", value) in file.lines


def check_sets_apart(file: ManifestFile, splits: Sequence[InputSplit]) -> None:
    """Raise UserError if a file of an evaluation set is input of a source: all of it would be evaluation."""
    if file.manifest.decontaminate.is_empty:
        return
    from corpus.decontamination.evaluation_sets import list_sets

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


def describe_empty_files(plan: BuildPlan) -> list[str]:
    """Return a line for each source with files of no byte, which have no records."""
    names: dict[str, list[str]] = {}
    for split in plan.splits:
        for piece in split.pieces:
            if piece.end == 0 and piece.error is None and not is_folder(piece.path):
                names.setdefault(piece.source, []).append(printable_name(piece.file))
    lines = []
    for source, files in names.items():
        more = f" and {len(files) - MAX_NAMED_FILES:,} more" if len(files) > MAX_NAMED_FILES else ""
        are = "is an empty file" if len(files) == 1 else "are empty files"
        lines.append(
            f"source {source}: {', '.join(sorted(files)[:MAX_NAMED_FILES])}{more} {are}: get "
            f"{'it' if len(files) == 1 else 'them'} again, or leave {'it' if len(files) == 1 else 'them'} out"
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
    """Load the models and the tokenizer that the manifest names, use each once, and note those that cannot be used."""
    from corpus.text.page import Page

    wrong = {mistake.path[0] for mistake in file.mistakes if mistake.path}
    models = {
        "identification": file.manifest.identification.model is not None and "identification" not in wrong,
        "quality": file.manifest.quality is not None and not {"quality", "filters", "words"} & wrong,
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
                file.note(error.path, str(error))
                return
            reason = shorten_line(str(error)) or type(error).__name__
            file.note((key, "model"), f"this model cannot be used: {reason}")
    options = file.manifest.tokenizer
    if options.path is not None and "tokenizer" not in wrong:
        from corpus.tokens.encode import load_encoder

        try:
            load_encoder(options.path, options.end_of_text).encode("one two three")
        except (UserError, OSError) as error:
            place = ("tokenizer", "path") if ("tokenizer", "path") in file.lines else ("tokenizer",)
            file.note(place, shorten_line(str(error), 400))
