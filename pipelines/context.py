"""Provide what a process needs to work on input splits: sources, filters, rules, models, fingerprints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib import metadata
from typing import Any

from corpus import filters
from corpus.dedup.signatures import SignatureStep
from corpus.extract.process.budgets import Budgets
from corpus.filters.filter import Filter
from corpus.filters.url import read_url_lists as address_lists
from corpus.languages.identify import Identifier
from corpus.manifest import Manifest
from corpus.pipelines import decide
from corpus.rules.kept_texts import TextRules
from corpus.rules.presets import load_rules
from corpus.rules.rule import RuleSet
from corpus.sources.input_split import InputSplit
from corpus.sources.source import Source
from corpus.storage.fingerprint import fingerprint

VERSION = 5
"""Increased when ingest itself would give other documents from the same input."""

DOCUMENT_LIBRARIES = ("trafilatura", "lxml", "faust-cchardet", "fastwarc", "warcio", "tldextract")
"""Libraries that documents depend on, for their text, its encoding, its location or its group."""


@dataclass(frozen=True)
class Tools:
    """Sources, filters, rules and models for input splits; models are loaded at their first use, once per process.

    `retries` maps "source/split" to the factor of the budgets of that input split.
    """

    manifest: Manifest
    retries: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def identifier(self) -> Identifier:
        return Identifier(self.manifest.identification.model)

    @cached_property
    def filters(self) -> dict[str, Filter]:
        return load_filters(self.manifest)

    @cached_property
    def filter_versions(self) -> dict[str, list[object]]:
        """Return [version, parameters] of every filter, by step: what its signals depend on besides the document."""
        return {
            step: [step_filter.version, dict(step_filter.parameters)]
            for step, step_filter in self.filters.items()
        }

    @cached_property
    def signatures(self) -> SignatureStep | None:
        minhash = self.manifest.dedup.minhash
        return SignatureStep(minhash) if minhash is not None else None

    @cached_property
    def rules(self) -> RuleSet:
        """Return the rules of every source. Raises UserError, with the path of the manifest's key, if one is wrong."""
        presets = {name: list(source.rules or []) for name, source in self.manifest.sources.items()}
        signals = {signal for step_filter in self.filters.values() for signal in step_filter.signals}
        return load_rules(presets, self.manifest.rules, signals)

    @cached_property
    def text_rules(self) -> TextRules | None:
        """Return the rules that documents must pass to keep their text; None if all keep it."""
        if self.manifest.keep_text == "all":
            return None
        versions = {**self.filter_versions, "decide": decide.VERSION}
        return TextRules(self.manifest.keep_text, self.rules, self.manifest.seed, versions)

    @cached_property
    def _common(self) -> dict[str, Any]:
        """Return what documents depend on besides their source and the bytes of their input split."""
        other = self.manifest.extraction.mode == "resiliparse"
        libraries = (*DOCUMENT_LIBRARIES, "resiliparse") if other else DOCUMENT_LIBRARIES
        return {
            "ingest": VERSION,
            "extraction": self.manifest.extraction.mode,
            "languages": self.manifest.languages,
            "language": dict(self.identifier.parameters),
            "addresses": address_lists().identity,
            "libraries": {name: metadata.version(name) for name in libraries},
        }

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

    def documents_fingerprint(self, split: InputSplit) -> str:
        inputs = {
            **self._common,
            "budgets": asdict(self.budgets(split)),
            "source": self.source(split).parameters(),
            "input": [split.source, split.file, split.start, split.end, split.identity],
        }
        if self.text_rules is not None:
            inputs["keep_text"] = self.text_rules.fingerprints[split.source]
        return fingerprint(inputs)

    def step_fingerprint(self, documents: str, step: str) -> str:
        return fingerprint([documents, step, *self.filter_versions[step]])

    def signatures_fingerprint(self, documents: str) -> str:
        assert self.signatures is not None
        return fingerprint([documents, "signatures", dict(self.signatures.parameters)])


def load_filters(manifest: Manifest) -> dict[str, Filter]:
    """Load the filters of a manifest, by step: all that need no options, and those whose options it gives."""
    options: dict[str, dict[str, Any]] = {"language": {"model": manifest.identification.model}}
    if manifest.quality is not None:
        options["quality"] = {"model": manifest.quality.model}
    steps = [step for step in filters.FILTERS if step != "quality" or manifest.quality is not None]
    return {step: filters.load_filter(step, options.get(step, {})) for step in steps}


@lru_cache(maxsize=1)
def load_tools(manifest_json: str, retries_json: str) -> Tools:
    """Return the tools of this process, loaded once."""
    return Tools(manifest_from_json(manifest_json), json.loads(retries_json))


def manifest_to_json(manifest: Manifest) -> str:
    dumped = manifest.model_dump(mode="json")
    dumped["sources"] = {name: source.model_dump(mode="json") for name, source in manifest.sources.items()}
    return json.dumps(dumped)


def manifest_from_json(text: str) -> Manifest:
    from corpus.sources import source_class

    data = json.loads(text)
    data["sources"] = {n: source_class(o["kind"]).model_validate(o) for n, o in data["sources"].items()}
    return Manifest.model_validate(data)
