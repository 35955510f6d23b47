"""Provide what a process needs to work on input splits: sources, filters, rules, models, fingerprints."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from corpus import data, filters, plugins
from corpus.clean.options import SIGNALS as CLEAN_SIGNALS
from corpus.errors import RunError, UserError, describe_briefly
from corpus.extract import EXTRACTION_MODES, PAGE_MEDIA_TYPES
from corpus.extract.html.blocks.weights import identify_extractor
from corpus.extract.plugin_extractor import describe_extractor, make_mode
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.calls import call_plugin, make_call
from corpus.filters.filter import Filter
from corpus.filters.plugin_filter import FAILED, PluginFilter, hash_files, open_plugin_filter
from corpus.filters.url import read_url_lists as address_lists
from corpus.formats import recoding
from corpus.holding import DECONTAMINATION as DECONTAMINATION_STEP
from corpus.holding import SIGNALS as DECONTAMINATION_SIGNALS
from corpus.languages import plugin_identifier
from corpus.languages.identify import Identifier
from corpus.manifest import Manifest
from corpus.private.options import name_signals
from corpus.rules.presets import load_rules
from corpus.rules.rule import CLUSTER_SIZE, RuleSet
from corpus.sources import KINDS_WITHOUT_PAGES, source_class
from corpus.sources.input_split import InputSplit
from corpus.sources.source import Source
from corpus.storage.fingerprint import fingerprint
from corpus.web.block_lists.address_lists import (
    AddressLists,
    identify_lists,
    open_packed,
    pack_lists,
    read_lists,
)
from corpus.web.block_lists.layouts import ListReport

if TYPE_CHECKING:
    from corpus.dedup.signatures import SignatureStep
    from corpus.rules.kept_texts import TextRules

VERSION = 13
"""Increased when ingest itself would give other documents from the same input."""

DOCUMENT_LIBRARIES = ("trafilatura", "lxml", "faust-cchardet", "fastwarc", "warcio", "tldextract")
"""Libraries that documents depend on, for their text, its encoding, its location or its group."""


@dataclass(frozen=True)
class Tools:
    """Sources, filters, rules and models for input splits; models are loaded at their first use, once per process.

    `retries` maps "source/split" to the factor of the budgets of that input split.
    `packed_lists`: the folder of the packed lists of addresses, and their identity; without it the lists are read here.
    """

    manifest: Manifest
    retries: Mapping[str, int] = field(default_factory=dict)
    packed_lists: tuple[str, str] | None = None

    @cached_property
    def identifier(self) -> Identifier:
        return Identifier(self.manifest.identification.model)

    @cached_property
    def available_filters(self) -> dict[str, Filter]:
        """Return the filters whose signals rules may read, by step."""
        self.plugin_codes  # noqa: B018 - known before the first call, so that one process answers all
        return load_filters(self.manifest)

    @cached_property
    def filters(self) -> dict[str, Filter]:
        """Return the filters that are measured, by step: of those on request the ones that a rule or a source asks
        for."""
        asked = {*self.rules.steps(), *(source.kind for source in self.manifest.sources.values())}
        unread = filters.ON_REQUEST - asked
        return {step: each for step, each in self.available_filters.items() if step not in unread}

    @cached_property
    def calls(self) -> dict[str, tuple[Any, ...]]:
        """Return the steps that are measured in the process that parses, each with the arguments of its calls."""
        available = self.available_filters.items()
        calls = {step: each.call for step, each in available if isinstance(each, PluginFilter)}
        if self.identifier_plugin is not None:
            calls["language"] = ("language", {"model": self.identifier_plugin})
        return calls

    @property
    def identifier_plugin(self) -> str | None:
        """Return the plug-in that identifies languages, None if there is none."""
        model = self.manifest.identification.model
        return model if model is not None and plugins.is_reference(model) else None

    @cached_property
    def identifier_version(self) -> int | None:
        """Return the version of the plug-in that identifies languages, None if there is none.

        Raises UserError if it cannot name the language of a sentence.
        """
        name = self.identifier_plugin
        if name is None:
            return None
        self.plugin_codes  # noqa: B018 - known before the first call
        call = make_call(
            "corpus.languages.plugin_identifier:try_identifier", [name], plugin_identifier.TEST_TEXT
        )
        return int(call_plugin(name, self.manifest.extraction.budgets, call)[1])

    @cached_property
    def extractor_description(self) -> dict[str, Any] | None:
        """Return version, code and media types of the plug-in that extracts, None if there is none."""
        mode = self.manifest.extraction.mode
        if mode in EXTRACTION_MODES:
            return None
        return {"plugin": mode, **describe_extractor(mode, self.manifest.extraction.budgets)}

    @property
    def extraction_jobs(self) -> dict[str, str]:
        """Return the function that reads each media type whose records a plug-in extracts."""
        described = self.extractor_description or {"media_types": []}
        return dict.fromkeys(described["media_types"], "corpus.extract.plugin_extractor:extract_text")

    @cached_property
    def extraction_mode(self) -> str:
        """Return the mode that the parser is given: of a plug-in with the hash of its code."""
        mode = self.manifest.extraction.mode
        return mode if mode in EXTRACTION_MODES else make_mode(mode, self.plugin_codes[mode])

    @cached_property
    def plugin_codes(self) -> dict[str, str]:
        """Return the hash of the code of every plug-in that the manifest names, as it was first read.

        Raises UserError with the path of the manifest's key for one that is not there."""
        codes = {}
        for path, kind, name in self.manifest.list_plugins():
            try:
                codes[name] = plugins.find_plugin(name, kind).code
            except UserError as error:
                raise UserError(str(error), path) from None
        return codes

    def check_plugins(self, codes: Mapping[str, str] | None = None) -> None:
        """Raise RunError if the code of a plug-in is not, or no longer, that of `codes` (by default, as first read)."""
        wanted = self.plugin_codes if codes is None else codes
        for _, kind, name in self.manifest.list_plugins():
            plugin = plugins.find_plugin(name, kind)
            if plugin.code != wanted.get(name):
                raise RunError(
                    f"the plug-in {name} ({plugin.root}) is not the one that the build was planned with: run the "
                    "build again; on other machines, install the same version"
                )

    @cached_property
    def filter_versions(self) -> dict[str, list[object]]:
        """Return [version, parameters] of every filter, by step: what its signals depend on besides the document."""
        return {
            step: [step_filter.version, dict(step_filter.parameters)]
            for step, step_filter in self.filters.items()
        }

    @cached_property
    def signatures(self) -> SignatureStep | None:
        from corpus.dedup.signatures import SignatureStep

        minhash = self.manifest.dedup.minhash
        return SignatureStep(minhash) if minhash is not None else None

    @cached_property
    def rules(self) -> RuleSet:
        """Return the rules of every source. Raises UserError, with the path of the manifest's key, if one is wrong."""
        presets = {name: list(source.rules or []) for name, source in self.manifest.sources.items()}
        signals = {signal for each in self.available_filters.values() for signal in each.signals}
        dedup = self.manifest.dedup
        if dedup.exact or dedup.url or dedup.minhash is not None:
            signals.add(CLUSTER_SIZE)
        signals.update(name_signals(self.manifest.private_kinds))
        signals.update(CLEAN_SIGNALS if self.manifest.cleans else ())
        limits = {
            name: {
                (signal, "max"): float(options.drop_above)
                for kind, options in source.private_data.items()
                for signal in name_signals([kind])
                if options.drop_above is not None
            }
            for name, source in self.manifest.sources.items()
        }
        bounds: dict[str, Any] = {}
        if not self.manifest.decontaminate.is_empty:
            signals |= set(DECONTAMINATION_SIGNALS)
            if self.manifest.decontaminate.drops:
                bounds[f"{DECONTAMINATION_STEP}.drop"] = {"max": 0}
        failed = {f"{step}.{FAILED}": {"max": 0} for step in self.calls if f"{step}.{FAILED}" in signals}
        return load_rules(presets, {**failed, **bounds, **self.manifest.rules}, signals, limits)

    @cached_property
    def text_rules(self) -> TextRules | None:
        """Return the rules that documents must pass to keep their text; None if all keep it."""
        if self.manifest.keep_text == "all":
            return None
        from corpus.pipelines import decide
        from corpus.rules.kept_texts import TextRules

        versions = {**self.filter_versions, "decide": decide.VERSION}
        rules = self.rules.early().without(DECONTAMINATION_STEP)  # which is known when texts are stored
        return TextRules(self.manifest.keep_text, rules, self.manifest.seed, versions)

    @cached_property
    def _common(self) -> dict[str, Any]:
        """Return what documents depend on besides their source and the bytes of their input split."""
        mode = self.manifest.extraction.mode
        libraries = (*DOCUMENT_LIBRARIES, "resiliparse") if mode == "resiliparse" else DOCUMENT_LIBRARIES
        described = self.extractor_description
        left = described is not None and "text/html" not in described["media_types"]  # pages, by the plug-in
        return {
            "ingest": VERSION,
            "extraction": described or mode,
            **({"extractor": identify_extractor()} if mode == "corpus" or left else {}),
            "languages": reduce_languages(self.manifest.languages),
            "language": dict(self.identifier.parameters)
            | ({"plugin_version": self.identifier_version} if self.identifier_plugin else {}),
            "recoding": recoding.VERSION,
            "addresses": address_lists().identity,
            **({"lists": self.lists_identity} if self.lists_identity is not None else {}),
            **({"opt_outs": self.manifest.opt_outs} if self.manifest.opt_outs else {}),
            "libraries": {name: metadata.version(name) for name in libraries},
        }

    @cached_property
    def sets_identity(self) -> str | None:
        """Return the identity of the evaluation sets, None if there is none. Reads their files once.

        Raises UserError, with the path of the manifest's key, for one that cannot be read."""
        from corpus.decontamination.evaluation_sets import identify_sets

        options = self.manifest.decontaminate
        return None if options.is_empty else identify_sets(options)

    @cached_property
    def lists_identity(self) -> str | None:
        """Return the identity of the user's lists of addresses, None if there is none. Reads them once.

        Raises UserError, with the path of the manifest's key, for one that cannot be read."""
        if self.manifest.urls.is_empty:
            return None
        return self.packed_lists[1] if self.packed_lists is not None else identify_lists(self.manifest.urls)

    @cached_property
    def lists(self) -> AddressLists | None:
        """Return the user's lists of addresses, None if there is none."""
        if self.manifest.urls.is_empty:
            return None
        return open_packed(*self.packed_lists) if self.packed_lists else read_lists(self.manifest.urls)[0]

    def pack_lists(self, folder: str) -> tuple[Tools, dict[str, ListReport]]:
        """Return tools that read the lists of addresses from packed ones in a folder, which are made if they are not
        there, and what each list gave that was read now."""
        if self.lists_identity is None:
            return self, {}
        reports = pack_lists(folder, self.manifest.urls, self.lists_identity)
        return replace(self, packed_lists=(folder, self.lists_identity)), reports or {}

    def budget_factor(self, split: InputSplit) -> int:
        """Return the factor of a split's budgets: 1, or more if its quarantined records were retried."""
        return self.retries.get(f"{split.source}/{split.name}", 1)

    def budgets(self, split: InputSplit) -> Budgets:
        return self.manifest.extraction.budgets.multiply_by(self.budget_factor(split))

    def source(self, split: InputSplit) -> Source:
        """Return the source of a split, its own limit of bytes multiplied by the same factor as the budgets."""
        source, factor = self.manifest.sources[split.source], self.budget_factor(split)
        limit = getattr(source, "max_bytes", None)
        return (
            source
            if factor == 1 or limit is None
            else source.model_copy(update={"max_bytes": limit * factor})
        )

    def source_parameters(self, split: InputSplit) -> dict[str, Any]:
        """Return what the records of a split depend on besides the input. Raises UserError if a plug-in cannot say."""
        source = self.source(split)
        if source.kind not in self.plugin_codes:
            return source.parameters()
        try:
            parameters = json.loads(json.dumps(source.parameters()))
        except (Exception, SystemExit) as error:
            message = f"{source.kind}: `parameters` failed: {describe_briefly(error)}"
            raise UserError(message, ("sources", split.source, "kind")) from error
        return hash_files(parameters)

    @cached_property
    def _common_without_pages(self) -> dict[str, Any]:
        """Return what `_common` does for sources without web pages, whatever reads these.

        A plug-in may read other types than theirs, too: then it counts.
        """
        described = self.extractor_description or {"media_types": []}
        if set(described["media_types"]) - set(PAGE_MEDIA_TYPES):
            return self._common
        common = {
            name: value for name, value in self._common.items() if name not in ("extraction", "extractor")
        }
        return {**common, "libraries": {name: metadata.version(name) for name in DOCUMENT_LIBRARIES}}

    def documents_fingerprint(self, split: InputSplit) -> str:
        has_pages = self.manifest.sources[split.source].kind not in KINDS_WITHOUT_PAGES
        inputs = {
            **(self._common if has_pages else self._common_without_pages),
            "budgets": asdict(self.budgets(split)),
            "source": self.source_parameters(split),
            "input": split.input,
        }
        kind = self.manifest.sources[split.source].kind
        if kind in self.plugin_codes:
            inputs["plugin"] = self.plugin_codes[kind]
        if self.text_rules is not None:
            inputs["keep_text"] = self.text_rules.fingerprints[split.source]
        return fingerprint(inputs)

    def step_fingerprint(self, documents: str, step: str) -> str:
        return fingerprint([documents, step, *self.filter_versions[step]])

    def signatures_fingerprint(self, documents: str) -> str:
        assert self.signatures is not None
        return fingerprint([documents, "signatures", dict(self.signatures.parameters)])


def reduce_languages(languages: str | list[str]) -> str | list[str]:
    """Return the languages that a manifest keeps in one order, without labels that another one covers: `cmn` stands for
    cmn_Hans. Lists that keep the same texts give the same fingerprints."""
    if isinstance(languages, str):
        return languages
    return sorted(
        label for label in set(languages) if "_" not in label or label.partition("_")[0] not in languages
    )


def load_filters(manifest: Manifest) -> dict[str, Filter]:
    """Load the filters of a manifest, by step: all that need no options, those whose options it gives, and plug-ins.

    Raises UserError with the path of the manifest's key for a plug-in that cannot be used. A plug-in costs the start
    of a process.
    """
    model = manifest.identification.model
    # Plug-ins are asked in the process that parses, once a document: paragraphs are left to our own models.
    of_paragraphs = None if model is not None and plugins.is_reference(model) else model
    options: dict[str, dict[str, Any]] = {
        "language": {"model": model},
        "mixed_language": {"model": of_paragraphs},
    }
    if manifest.quality is not None:
        options["quality"] = {"model": manifest.quality.model}
    if manifest.words:
        options["words"] = {"lists": manifest.words}
    unasked = {
        *(["quality"] if manifest.quality is None else []),
        *([] if manifest.words else ["words"]),
    }
    steps = [step for step in filters.FILTERS if step not in unasked]
    loaded = {step: filters.load_filter(step, options.get(step, {})) for step in steps}
    for name, given in manifest.filters.items():
        try:
            plugin = open_plugin_filter(name, given, manifest.extraction.budgets)
        except UserError as error:
            raise UserError(str(error), ("filters", name)) from None
        if plugin.step in loaded:
            raise UserError(
                f"{name}: the step {plugin.step} is there twice: give it another `step`", ("filters", name)
            )
        loaded[plugin.step] = plugin
    return loaded


@lru_cache(maxsize=1)
def load_tools(tools_json: str) -> Tools:
    """Return the tools of this process, loaded once. Raises RunError if its plug-ins are not those of the plan."""
    given = json.loads(tools_json)
    plugins.add_folders(folder for folder in given["plugin_folders"] if os.path.isdir(folder))
    data.use_own_files(given["data"])
    packed = given["packed_lists"]
    tools = Tools(manifest_from_json(given["manifest"]), given["retries"], tuple(packed) if packed else None)
    tools.check_plugins(given["plugin_codes"])
    return tools


def tools_to_json(tools: Tools) -> str:
    """Return all that another process needs to load the same tools."""
    return json.dumps(
        {
            "manifest": manifest_to_json(tools.manifest),
            "retries": dict(sorted(tools.retries.items())),
            "packed_lists": tools.packed_lists,
            "plugin_folders": plugins.plugin_folders(),
            "plugin_codes": tools.plugin_codes,
            "data": data.own_files(),
        }
    )


def manifest_to_json(manifest: Manifest) -> str:
    return json.dumps(manifest.dump())


def manifest_from_json(text: str) -> Manifest:
    dumped = json.loads(text)
    sources = {name: source_class(o["kind"]).model_validate(o) for name, o in dumped["sources"].items()}
    return Manifest.model_validate({**dumped, "sources": sources})
