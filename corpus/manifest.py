"""Manifests: the sources, rules, mixture and options of a build. `corpus docs manifest` describes every key."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, field_validator, model_validator

from corpus import data, plugins
from corpus.clean.options import REPEAT_KINDS, CleanOptions
from corpus.decontamination.options import DecontaminationOptions
from corpus.dedup.options import DedupOptions
from corpus.document import Failure, Record
from corpus.errors import UserError, describe_briefly
from corpus.extract import DEFAULT_MODE, EXTRACTION_MODES
from corpus.extract.opt_outs import expand_opt_outs
from corpus.extract.process.budgets import Budgets
from corpus.extras import install_advice
from corpus.formats.yaml_lines import KeyPath, format_path, line_of
from corpus.formats.yaml_lines import load_yaml as load_yaml
from corpus.languages.names import normalize_labels
from corpus.languages.word_lists import WordLists
from corpus.manifest_mistakes import validate
from corpus.private.options import KINDS as PRIVATE_KINDS
from corpus.private.options import Redact
from corpus.sources import KINDS, is_plugin_kind, source_class
from corpus.sources.source import Source
from corpus.storage import exists, is_remote, join, read_bytes
from corpus.storage.names import describe_link
from corpus.suggestions import find_nearest, suggest_names
from corpus.tokens.options import MixtureOptions, TokenizerOptions, TokensOptions
from corpus.validation import Validation
from corpus.web.block_lists.options import UrlOptions

MAX_NAME_CHARACTERS, MAX_NAME_BYTES = 64, 192
NAME_PATTERN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_NAME_CHARACTERS - 1}}}")
"""What a name in ASCII is; letters of other scripts are as good."""
PLACES_KEYS = (("dedup", "against"), ("urls", "block"), ("urls", "allow"), ("words",))
"""Keys whose values are a place or a list of places, relative ones beside the manifest."""
VARIABLE_PATTERN = re.compile(r"\$\{(\w+)\}")


class _ManifestModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Extraction(_ManifestModel):
    """How the text of HTML pages is extracted (see `corpus.extract.html.main_text.MODES`, or a plug-in), and what one
    document of any format may cost (see `corpus.extract.process.budgets`)."""

    mode: str = DEFAULT_MODE
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 32)] = ByteSize(Budgets.max_bytes)
    max_text: Annotated[ByteSize, Field(ge=1, le=1 << 32)] = ByteSize(Budgets.max_text)
    max_tags: Annotated[int, Field(ge=1)] = Budgets.max_tags
    max_depth: Annotated[int, Field(ge=1, le=Budgets.max_depth)] = Budgets.max_depth
    memory: Annotated[ByteSize, Field(ge=1 << 26)] = ByteSize(Budgets.memory)
    seconds: Annotated[float, Field(gt=0, le=86_400)] = Budgets.seconds

    @property
    def budgets(self) -> Budgets:
        return Budgets(
            max_bytes=int(self.max_bytes),
            max_text=int(self.max_text),
            max_tags=self.max_tags,
            max_depth=self.max_depth,
            memory=int(self.memory),
            seconds=self.seconds,
        )

    @property
    def names_engine(self) -> bool:
        """Return whether the metadata of documents say which engine read them."""
        return self.mode == "corpus" or self.mode not in EXTRACTION_MODES

    @field_validator("mode")
    @classmethod
    def _check_installed(cls, mode: str) -> str:
        if mode == "resiliparse" and find_spec("resiliparse") is None:
            raise ValueError(f"resiliparse is not installed: {install_advice('resiliparse')}")
        if mode not in EXTRACTION_MODES and not plugins.is_plugin_name(mode, "extractor"):
            known = [*EXTRACTION_MODES, *plugins.list_short_names("extractor")]
            near = find_nearest(mode, known, 1)
            advice = f"say {', '.join(known)}, or a plug-in, module:Class"
            if mode.casefold() == "trafilatura":
                advice = (
                    f"did you mean fast, in which trafilatura reads pages by its own rules? Else {advice}"
                )
            raise ValueError(f"no such mode: {f'did you mean {near[0]}?' if near else advice}")
        return mode


class Identification(_ManifestModel):
    """The model that identifies languages: lid.176 combined with CLD2, a fastText model by its path, or a plug-in."""

    model: str | None = None


class Quality(_ManifestModel):
    """A classifier made by `corpus model train classifier`; its signal is `quality.score`."""

    model: str


_NO_TEXT_NAMES = {
    "a number": re.compile(
        r"[+-]?(?:\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?|0x[\da-f]+|0b[01]+|inf(?:inity)?|nan)", re.IGNORECASE
    ),
    "a date": re.compile(
        r"\d{4}([.-])\d{1,2}\1\d{1,2}|\d{1,2}([.-])\d{1,2}\2\d{4}|\d{8}T\d{4,6}|epoch", re.IGNORECASE
    ),
    "true or false": re.compile(r"true|false", re.IGNORECASE),
}
"""Names of folders that pyarrow, polars or DuckDB read as something else than text."""


class Manifest(_ManifestModel):
    """A manifest with every default filled in."""

    name: str
    seed: int = 0
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    languages: Literal["all"] | list[str] = "all"
    split_size: Annotated[ByteSize, Field(ge=1024)] = ByteSize(16_000_000)
    extraction: Extraction = Extraction()
    keep_text: Literal["all", "kept", "kept+sample"] = "all"
    max_failures: Annotated[float, Field(ge=0, le=1)] | None = None
    identification: Identification = Identification()
    urls: UrlOptions = UrlOptions()
    opt_outs: Annotated[list[str], BeforeValidator(expand_opt_outs)] = []
    clean: CleanOptions = CleanOptions()
    redact: Redact = None
    filters: dict[str, dict[str, Any]] = {}
    quality: Quality | None = None
    words: WordLists = []
    rules: dict[str, Any] = {}
    dedup: DedupOptions = Field(default_factory=lambda: DedupOptions())
    decontaminate: DecontaminationOptions = DecontaminationOptions()
    validation: Validation = Validation()
    tokenizer: TokenizerOptions = Field(default_factory=lambda: TokenizerOptions())
    tokens: TokensOptions = Field(default_factory=lambda: TokensOptions())
    mixture: MixtureOptions = Field(default_factory=lambda: MixtureOptions())

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        return _check_plain_name(name)

    @field_validator("languages", mode="before")
    @classmethod
    def _normalize_labels(cls, languages: Any) -> Any:
        if languages == "all":
            return languages
        if not languages:
            raise ValueError("no languages: say all, or name some")
        if isinstance(languages, str):
            return list(normalize_labels([languages]))
        if not isinstance(languages, list):
            raise ValueError("languages are written [eng, cmn_Hans], or all")
        return list(normalize_labels(languages))

    @field_validator("sources")
    @classmethod
    def _check_distinct_names(cls, sources: dict[str, Source]) -> dict[str, Source]:
        seen: dict[str, str] = {}
        for name in sources:
            kind = next((kind for kind, names in _NO_TEXT_NAMES.items() if names.fullmatch(name)), None)
            if kind is not None:
                raise ValueError(
                    f"{name} is {kind}, and pyarrow, polars or DuckDB read it from folders as such (007 as 7): "
                    f"call it s{name}"
                )
            if seen.setdefault(name.casefold(), name) != name:
                raise ValueError(
                    f"{seen[name.casefold()]} and {name} differ only in case: some file systems confuse them"
                )
        return sources

    @field_validator("filters", mode="before")
    @classmethod
    def _map_options(cls, value: Any) -> Any:
        """Accept a list of plug-ins, each a name or a mapping of a name to its options."""
        if not isinstance(value, list):
            return value
        filters: dict[str, Any] = {}
        for entry in value:
            named = {entry: {}} if isinstance(entry, str) else entry
            if not isinstance(named, dict) or len(named) != 1:
                raise ValueError("a filter is written module:Class, or {module:Class: {option: value}}")
            if next(iter(named)) in filters:
                raise ValueError(f"{next(iter(named))} is there twice")
            filters |= {name: options or {} for name, options in named.items()}
        return filters

    @field_validator("dedup", mode="before")
    @classmethod
    def _switch_dedup(cls, value: Any) -> Any:
        if value is False:
            return {"exact": False, "url": False, "minhash": False}
        return {} if value is True else value

    @model_validator(mode="after")
    def _resolve_edits(self) -> Manifest:
        """Give every source the private data that is searched for in it, and the rules on its lines."""
        sources = {}
        for name, source in self.sources.items():
            missing: dict[str, Any] = {}
            if source.redact is None:
                missing["redact"] = source.default_redact() if self.redact is None else self.redact
            if source.clean is None:
                missing["clean"] = source.default_clean() if self.clean.lines is None else self.clean.lines
            sources[name] = source.model_copy(update=missing) if missing else source
        object.__setattr__(self, "sources", sources)
        return self

    @property
    def private_kinds(self) -> list[str]:
        """Return the kinds of private data that are searched for in some source, in their order."""
        named = {kind for source in self.sources.values() for kind in source.private_data}
        return [kind for kind in PRIVATE_KINDS if kind in named]

    @property
    def cleans(self) -> bool:
        """Return whether lines are searched for by rules in some source."""
        return any(source.clean for source in self.sources.values())

    @property
    def reads_dates(self) -> bool:
        """Return whether some source is made of rows, whose dates may be written so that they cannot be read."""
        return any(hasattr(source, "fields") for source in self.sources.values())

    def list_plugins(self) -> list[tuple[KeyPath, str, str]]:
        """Return (key, kind, name) of every plug-in that the manifest names."""
        named: list[tuple[KeyPath, str, str]] = [
            (("sources", name, "kind"), "source", source.kind)
            for name, source in self.sources.items()
            if is_plugin_kind(source.kind)
        ]
        named += [(("filters", name), "filter", name) for name in self.filters]
        if self.extraction.mode not in EXTRACTION_MODES:
            named.append((("extraction", "mode"), "extractor", self.extraction.mode))
        if self.identification.model is not None and plugins.is_reference(self.identification.model):
            named.append((("identification", "model"), "identifier", self.identification.model))
        return named

    def model_dump_yaml(self) -> str:
        """Return the manifest as YAML with all defaults, in the order of its keys."""
        return yaml.safe_dump(self.dump(), sort_keys=False, allow_unicode=True)

    def dump(self) -> dict[str, Any]:
        """Return the manifest as JSON values, every source with the keys of its kind, in the order of the keys."""
        dumped = self.model_dump(mode="json", exclude={"sources"})
        dumped["sources"] = {name: source.model_dump(mode="json") for name, source in self.sources.items()}
        return {name: dumped[name] for name in type(self).model_fields}


@dataclass(frozen=True)
class ManifestFile:
    """A manifest with its path and the lines of its keys, so that errors can name the line."""

    path: str
    manifest: Manifest
    lines: dict[KeyPath, int]
    own_files: Mapping[str, str] = field(default_factory=dict)
    """The user's own data files (see `corpus.data`) that were beside it or in folders of plug-ins: name -> text."""
    place: str | None = None
    """The manifest that this one is a copy of, whose folder its paths start from; None for one that is no copy."""
    mistakes: list[UserError] = field(default_factory=list, compare=False)
    """What is wrong with it, as far as it was read: `load_manifest` raises them."""
    unset: list[KeyPath] = field(default_factory=list, compare=False)
    """Values with an environment variable that is not set: what else is wrong with them follows from that."""

    @property
    def folder(self) -> str:
        """The folder that relative paths start from."""
        path = self.place or self.path
        return path.rpartition("/")[0] if is_remote(path) else os.path.dirname(os.path.abspath(path))

    def error(self, path: KeyPath, message: str) -> UserError:
        """Return a one-line error about a key: file, line, key, message."""
        if path[:1] == ("filters",) and path not in self.lines and self.manifest is not None:
            named = list(self.manifest.filters)
            place = named.index(path[1]) if len(path) > 1 and path[1] in named else None
            if place is not None and ("filters", place) in self.lines:
                path = ("filters", place)  # a list in the file, a mapping once it is read
        if path and isinstance(path[-1], int) and path not in self.lines and path[:-1] in self.lines:
            path = path[:-1]  # one value in the file, a list of one once it is read
        key = f"{format_path(path)}: " if path else ""
        return UserError(f"{self.path}:{line_of(path, self.lines)}: {key}{message}", path)

    def note(self, path: KeyPath, message: str) -> None:
        """Add a mistake, and go on reading. One that a key, or one within it, has already is not added again."""
        if any(path[: len(unset)] == unset for unset in self.unset):
            return
        mistake = self.error(path, message)
        for known in self.mistakes:
            shared = min(len(path), len(known.path))
            if known.path[:shared] == path[:shared] and str(known).endswith(f": {message}"):
                return
        self.mistakes.append(mistake)

    def raise_mistakes(self) -> None:
        """Raise all mistakes as one UserError, in the order of their lines; nothing if there are none."""
        if self.mistakes:
            ordered = sorted(self.mistakes, key=lambda mistake: line_of(mistake.path, self.lines))
            raise UserError.join(ordered)


def advise_init(path: str) -> str:
    """Return what to do with data that was given in place of a manifest."""
    return f"`corpus init {shlex.quote(path)} --out first.yaml` writes one for data, then `corpus build first.yaml`"


def _advise_name(path: str) -> str:
    """Return which manifest may be meant by the path of none, or how to make one."""
    if is_remote(path):
        return "check the URL"
    if (link := describe_link(path)) is not None:
        return link
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):  # of a folder that is not there, or cannot be listed: no guess
        names = sorted(name for name in os.listdir(folder or ".") if name.endswith((".yaml", ".yml")))
        by_stem = {name.rpartition(".")[0]: name for name in names}
        asked = re.sub(r"\.ya?ml$", "", os.path.basename(path))
        if near := find_nearest(asked, by_stem, 1):
            return f"did you mean {os.path.join(folder, by_stem[near[0]])}?"
    return f"`corpus init FOLDER --out {shlex.quote(path)}` writes one for the data in a folder"


def load_manifest(path: str) -> ManifestFile:
    """Read and check a manifest. Raises UserError, one line with the file, the line and the key, if it is wrong; where
    several keys are, the others follow in its `others`."""
    file = read_manifest(path)
    file.raise_mistakes()
    return file


def read_manifest(path: str) -> ManifestFile:
    """Read a manifest as far as it can be read, with its `mistakes`; `manifest` lacks what is wrong, or is None.

    Raises UserError for a file that is no manifest at all.
    """
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 at byte {error.start}, so no manifest: {advise_init(path)}"
        ) from None
    except IsADirectoryError:
        if exists(join(path, "workspace.json")):
            raise UserError(
                f"{path} is a workspace, not a manifest: give the YAML file that it is built from, and --out {path}"
            ) from None
        raise UserError(f"{path} is a folder, not a manifest: {advise_init(path)}") from None
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such manifest: {_advise_name(path)}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot read the manifest: {error.strerror or error}") from None
    is_named_so = path.endswith((".yaml", ".yml"))
    try:
        content, lines = load_yaml(text, path)
    except UserError as error:
        if is_named_so:
            raise
        raise UserError(f"{error}, so no manifest: {advise_init(path)}") from None
    source_file = ManifestFile(path, None, lines)  # type: ignore[arg-type]
    if not isinstance(content, dict) or not (is_named_so or {"name", "sources"} & content.keys()):
        advice = advise_init("FOLDER" if is_named_so else path)
        what = "the file is empty" if content is None else "no manifest"
        raise source_file.error(
            (), f"{what}: a manifest is a mapping with at least `name` and `sources`: {advice}"
        )
    for bad in [key for key in content if not isinstance(key, str)]:
        raise source_file.error((bad,), "keys must be text")
    content = _resolve_values(source_file, content, (), False)
    _find_plugins(source_file, content)
    beside = [] if is_remote(path) else [source_file.folder]
    data.use_own_files(data.find_own_files([*beside, *plugins.plugin_folders()]))
    if isinstance(content.get("mixture"), str):
        content["mixture"] = _read_named_mixture(source_file, content["mixture"])
    _read_named_clearances(source_file, content.get("decontaminate"))
    sources = content.get("sources")
    loaded = {}
    if isinstance(sources, dict):
        loaded = {name: _load_source(source_file, name, options) for name, options in sources.items()}
        content["sources"] = {name: source for name, source in loaded.items() if source is not None}
    lacks = len(loaded) > len(content.get("sources", ()))
    manifest = validate(source_file, Manifest, content, (), lacks)
    if manifest is None and "name" not in content and content.get("sources"):
        manifest = validate(source_file, Manifest, {**content, "name": "unnamed"}, (), lacks)
    if manifest is None:
        return source_file
    for key in ("weights", "epochs"):
        for name in getattr(manifest.mixture, key) or {}:
            if name not in loaded:
                source_file.note(("mixture", key, name), f"no such source: {suggest_names(name, loaded)}")
    if not any(mistake.path[:1] == ("dedup",) and len(mistake.path) < 3 for mistake in source_file.mistakes):
        _check_cuts(source_file, manifest)
    return replace(source_file, manifest=manifest, own_files=_list_used_files(manifest))


def _list_used_files(manifest: Manifest) -> dict[str, str]:
    """Return those of the user's own data files that a build of the manifest may use, by name.

    Languages may occur in any text, and a training run may name any mixture; presets and layouts are named here.
    """
    files, used = data.own_files(), data.list_read_files()
    if any(name.startswith("rules/") for name in files):
        from corpus.rules.presets import list_included

        named = {name for source in manifest.sources.values() for name in source.rules or ()}
        used |= {f"rules/{name}.yaml" for name in list_included(named)}
    return {
        name: text
        for name, text in files.items()
        if name in used or name.startswith(("languages/", "mixtures/"))
    }


def _check_cuts(source_file: ManifestFile, manifest: Manifest) -> None:
    """Note where repeated text is to be cut that nothing marks; with `repeats: true` one mark is enough."""
    repeats = manifest.clean.repeats
    unmarked = [name for name in repeats if getattr(manifest.dedup, name) is None]
    if unmarked and (not manifest.dedup.repeats or len(repeats) < len(REPEAT_KINDS)):
        what = "text" if len(repeats) == len(REPEAT_KINDS) else unmarked[0]
        source_file.note(
            ("clean", "repeats"),
            f"nothing marks the repeated {what} that it cuts: say `dedup: {{{unmarked[0]}: true}}` too",
        )


def _names_evaluation_set(path: KeyPath) -> bool:
    """Return whether the value at a path is the place of an evaluation set."""
    if path[:2] != ("decontaminate", "sets"):
        return False
    inside = path[2:]  # of one set alone: path; of several: 0, or 0.path
    return inside in ((), ("path",)) or (isinstance(inside[0], int) and inside[1:] in ((), ("path",)))


def _read_named_clearances(source_file: ManifestFile, options: Any) -> None:
    """Put what a file lists in the place of its name, if `decontaminate.clear` is one; note one that is no list."""
    named = options.get("clear") if isinstance(options, dict) else None
    if not isinstance(named, str) or not named.endswith((".yaml", ".yml")):
        return
    path = str(_join_folder(source_file.folder, named))
    options["clear"] = []
    try:
        cleared, _ = load_yaml(read_bytes(path).decode(), path)
    except (OSError, UnicodeDecodeError) as error:
        source_file.note(("decontaminate", "clear"), f"{path}: {describe_briefly(error)}")
        return
    except UserError as error:
        source_file.note(("decontaminate", "clear"), str(error))
        return
    if cleared is not None and not isinstance(cleared, list):
        source_file.note(("decontaminate", "clear"), f"{path}: a list of hits is expected: - SET/ITEM")
        return
    options["clear"] = cleared or []


def load_source(name: str, options: Mapping[str, Any], folder: str) -> Source:
    """Return a source as a manifest in `folder` would have it under `name`. Raises UserError, one line with the key."""
    here = ManifestFile(os.path.join(folder, ""), None, {})  # type: ignore[arg-type]
    try:
        _find_plugins(here, {"sources": {name: options}})
        source = _load_source(here, name, _resolve_values(here, dict(options), ("sources", name), False))
        here.raise_mistakes()
    except UserError as error:
        key = f"sources.{name}."
        message = str(error).removeprefix(f"{here.path}:1: ")
        raise UserError(message.removeprefix(key), error.path) from None
    assert source is not None  # or there is a mistake
    return source


def _find_plugins(source_file: ManifestFile, content: dict[str, Any]) -> None:
    """Find every plug-in that a manifest names before any is imported, and note wrong ones with their keys."""
    plugins.add_folders(())
    named: list[tuple[KeyPath, str, Any]] = []
    for key, kind, inner in (("extraction", "extractor", "mode"), ("identification", "identifier", "model")):
        if isinstance(content.get(key), dict):
            named.append(((key, inner), kind, content[key].get(inner)))
    filters = content.get("filters")
    if isinstance(filters, dict | list):
        entries = filters if isinstance(filters, list) else list(filters)
        for at, entry in enumerate(entries):
            name = next(iter(entry), None) if isinstance(entry, dict) else entry
            named.append((("filters", at if isinstance(filters, list) else str(name)), "filter", name))
    sources = content.get("sources")
    for name, options in sources.items() if isinstance(sources, dict) else ():
        if isinstance(options, dict):
            named.append((("sources", name, "kind"), "source", options.get("kind")))
    for key_path, kind, name in named:
        if isinstance(name, str) and (kind == "filter" or plugins.is_plugin_name(name, kind)):
            try:
                plugins.find_plugin(name, kind, None if is_remote(source_file.path) else source_file.folder)
            except UserError as error:
                source_file.note(key_path, str(error))


def _read_named_mixture(source_file: ManifestFile, name: str) -> dict[str, Any]:
    """Return the mixture of that name from the data files. `max_epochs` needs a run, so it is noted as a mistake."""
    if name not in data.list_data("mixtures"):
        known = suggest_names(name, data.list_data("mixtures"))
        source_file.note(("mixture",), f"no mixture named {name!r}: {known}")
        return {}
    text, path = data.read_data("mixtures", name)
    mixture, _ = load_yaml(text, path)
    if not isinstance(mixture, dict) or "max_epochs" in mixture:
        source_file.note(
            ("mixture",), f"{path} is for training alone: give it to `corpus train --mixture {name}`"
        )
        return {}
    return mixture


MISSPELT = 0.7
"""Share of letters that a key has in common with the one it is taken for: of `index` and `kind` it is .67."""


class _AnySource(Source):
    """A source whose kind is wrong: what a source of any kind has."""

    folders: ClassVar[bool] = True
    paths: list[str] = Field(default=[])

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        raise NotImplementedError


def _check_any_source(source_file: ManifestFile, name: str, options: Mapping[str, Any]) -> Source | None:
    """Return what can be told of a source whose kind is wrong, and note what would be wrong in any kind: keys that none
    has, and values of keys that all have."""
    known = {"path", *Source.model_fields}
    for kind in KINDS:
        if options.keys() <= known:
            break  # some kinds take a tenth of a second to load
        known.update(source_class(kind).model_fields)
    for key in options:
        if key not in known:
            source_file.note(("sources", name, key), f"unknown key: {suggest_names(key, known)}")
    shared = {
        key: value for key, value in options.items() if key in Source.model_fields and value is not None
    }
    return validate(source_file, _AnySource, {**shared, "kind": "any"}, ("sources", name))


def _load_source(source_file: ManifestFile, name: Any, options: Any) -> Source | None:
    """Return the source that a manifest describes, without what is wrong in it, which is noted; None where that is all
    that it has."""
    where: KeyPath = ("sources", name)
    try:
        _check_plain_name(name)
    except ValueError as error:
        source_file.note(where, str(error))
    if not isinstance(options, dict):
        source_file.note(where, "a source is a mapping with `kind` and `paths`")
        return None
    if "kind" not in options and (near := find_nearest("kind", list(map(str, options)), 1, MISSPELT)):
        source_file.note((*where, near[0]), "unknown key: did you mean kind?")
        return _check_any_source(
            source_file, name, {key: value for key, value in options.items() if key != near[0]}
        )
    if "kind" not in options:
        source_file.note(where, f"no `kind`: say {', '.join(KINDS)}, or a plug-in, module:Class")
        return _check_any_source(source_file, name, options)
    try:
        kind = source_class(str(options["kind"]))
        defaults = {"rules": kind.default_rules(), "priority": kind.default_priority()}
        for key in kind.FILE_KEYS:
            if key in options:
                options = {**options, key: _join_folder(source_file.folder, options[key])}
        given = {key: value for key, value in options.items() if value is not None}
        return validate(source_file, kind, {**defaults, **given}, where)
    except UserError as error:
        source_file.note((*where, *error.path), str(error))
        if not is_plugin_kind(str(options["kind"])):
            return _check_any_source(source_file, name, options)
    except (Exception, SystemExit) as error:
        if not is_plugin_kind(str(options.get("kind"))):
            raise
        source_file.note((*where, "kind"), f"{options['kind']} failed: {describe_briefly(error)}")
    return None


def _join_folder(folder: str, value: Any) -> Any:
    """Join paths, or lists of them, with a folder unless they are absolute or URLs."""
    if isinstance(value, list):
        return [_join_folder(folder, item) for item in value]
    if not isinstance(value, str) or is_remote(value) or os.path.isabs(value):
        return value
    if value.startswith("@"):
        return f"@{_join_folder(folder, value[1:])}"
    return join(folder, value) if is_remote(folder) else os.path.normpath(os.path.join(folder, value))


def _check_plain_name(name: Any) -> str:
    """Return a name that is part of paths: letters and digits of any script. Raises ValueError for any other."""
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(re.sub(r"[^\x00-\x7f]", _stand_in, name)):
        raise ValueError(
            f"{name!r} is not a name: letters and digits of any script, _ . and -, at most {MAX_NAME_CHARACTERS}"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"{name!r} is too long for a path: at most {MAX_NAME_BYTES} bytes in UTF-8")
    composed = unicodedata.normalize("NFC", name)
    if composed != name:
        raise ValueError(
            f"{name!r} is written with signs of their own: as one letter each (NFC) it is {composed}"
        )
    return name


def _stand_in(match: re.Match[str]) -> str:
    """Return the ASCII sign that is as good in a name as another one is: a letter, a sign that may not begin it, or
    none."""
    kind = unicodedata.category(match[0])
    return "a" if kind in ("Lu", "Ll", "Lt", "Lo", "Lm", "Nd") else "-" if kind in ("Mn", "Mc") else " "


def _resolve_values(source_file: ManifestFile, value: Any, path: KeyPath, is_path: bool) -> Any:
    """Replace environment variables in all values, and make the paths of models and licence tables absolute.

    Variables that are not set, and files that are not there, are noted as mistakes.
    """
    if isinstance(value, dict):
        paths = {"path", "model", "licenses"}
        if path[:1] == ("sources",) and str(value.get("kind")) in KINDS:
            paths.remove("path")  # which stands for `paths`
        return {k: _resolve_values(source_file, v, (*path, k), k in paths) for k, v in value.items()}
    if isinstance(value, list):
        resolved = [_resolve_values(source_file, item, (*path, at), False) for at, item in enumerate(value)]
        return _join_folder(source_file.folder, resolved) if path in PLACES_KEYS else resolved
    if not isinstance(value, str):
        return value

    missing = dict.fromkeys(name for name in VARIABLE_PATTERN.findall(value) if name not in os.environ)
    for name in missing:
        source_file.note(path, f"the environment variable {name} is not set")
    if missing:
        source_file.unset.append(path)
        return value
    value = VARIABLE_PATTERN.sub(lambda match: os.environ[match[1]], value)
    if path == ("identification", "model") and plugins.is_reference(value):
        return value
    if path in PLACES_KEYS or _names_evaluation_set(path):
        return _join_folder(source_file.folder, value)
    if path == ("tokenizer",) or is_path:
        full = value if is_remote(value) else os.path.join(source_file.folder, value)
        if not is_remote(full) and not os.path.isfile(full):
            is_there = os.path.isdir(full)
            source_file.note(
                path, f"{full} is a folder: name a file in it" if is_there else f"no such file: {full}"
            )
        return full
    return value
