"""Identify the language of documents, measure their signals, and apply rules to them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from corpus import data, plugins
from corpus.document import content_hash
from corpus.errors import RunError, UserError, describe_briefly
from corpus.extract.process.budgets import Budgets
from corpus.filters import FILTERS, load_filter
from corpus.filters.filter import Filter
from corpus.filters.plugin_filter import FAILED, open_plugin_filter
from corpus.languages.identify import Identifier
from corpus.pipelines.beam.types import PCollection, Transform, par_do
from corpus.pipelines.transforms.batches import BatchedWork
from corpus.pipelines.transforms.elements import DocumentRow, to_document
from corpus.rules.presets import load_rules, read_preset
from corpus.rules.rule import RuleSet
from corpus.text.page import Page

RULES_SOURCE = "documents"
"""The name of the one source that `ApplyRules` has rules for."""


class IdentifyLanguage(Transform):
    """Set `language` and `language_score` of documents with a text.

    `model` is the path of a fastText model on the workers, None for lid.176 together with CLD2. `language_hint`
    decides where the text can be in that language. Cost: up to .3 ms a document.

    Raises UserError for a plug-in: it would run in the worker, without limits. A build supervises it.
    """

    def __init__(self, model: str | None = None) -> None:
        super().__init__()
        if model is not None and plugins.is_reference(model):
            raise UserError(f"IdentifyLanguage takes a fastText model, not the plug-in {model}", ("model",))
        self.model = model

    def expand(self, documents: PCollection[Any]) -> Any:
        return documents | "Identify" >> par_do(_IdentifyEach(self.model), DocumentRow)


class _IdentifyEach(beam.DoFn):
    def __init__(self, model: str | None) -> None:
        self.model = model

    def setup(self) -> None:
        self.identifier = Identifier(self.model)

    def process(self, element: Any) -> Iterator[DocumentRow]:
        document = to_document(element)
        if document.text is not None:
            language, score = self.identifier.identify(document.text, document.language_hint)
            document = document._replace(language=language, language_score=score)
        yield document


class Measure(Transform):
    """Add the signals of filters to documents with a text, as float32 values: the same as a build's.

    `steps` are names of filters (`gopher`, `fineweb`: see `corpus.filters`) or plug-ins (`module:Class`, installed on
    the workers: `corpus docs extending`), `options` what each is created with
    (`{"quality": {"model": PATH}}`; the file must exist on the workers). Words are those of `language`, or of
    `language_hint` where there is none: so it comes after `IdentifyLanguage`.

    Raises UserError, in one line, for an unknown filter or option. Cost: 1 ms for all filters of a page of 5 KB.
    """

    def __init__(self, steps: Sequence[str], options: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__()
        self.steps = {step: dict((options or {}).get(step, {})) for step in steps}
        for step in options or {}:
            if step not in self.steps:
                raise UserError(f"Measure has options for {step!r}, which it does not measure", (step,))
        for step, given in self.steps.items():
            open_filter(step, given)

    def expand(self, documents: PCollection[Any]) -> Any:
        return documents | "Measure" >> par_do(_MeasureEach(self.steps), DocumentRow)


def open_filter(step: str, options: Mapping[str, Any]) -> Filter:
    """Return a filter of corpus, or a plug-in. Raises UserError if there is none."""
    if step not in FILTERS and plugins.is_plugin_name(step, "filter"):
        return open_plugin_filter(step, options, Budgets())
    return load_filter(step, options)


class _MeasureEach(beam.DoFn):
    def __init__(self, steps: Mapping[str, Mapping[str, Any]]) -> None:
        self.steps, self.own_files, self.folders = steps, data.own_files(), plugins.plugin_folders()

    def setup(self) -> None:
        plugins.add_folders(folder for folder in self.folders if os.path.isdir(folder))
        data.use_own_files(self.own_files)
        self.filters = {step: open_filter(step, given) for step, given in self.steps.items()}

    def process(self, element: Any) -> Iterator[DocumentRow]:
        document = to_document(element)
        if document.text is not None:
            page = Page(document.text, document.language or document.language_hint, document.url)
            signals = dict(document.signals)
            for step, each in self.filters.items():
                try:
                    values = each.measure(page)
                except Exception as error:
                    raise RunError(
                        f"the filter {step} failed on the document {document.id}: {describe_briefly(error)}"
                    ) from error
                signals.update(zip(each.signals, np.array(values, np.float32).tolist(), strict=True))
            document = document._replace(signals=signals)
        yield document


class ApplyRules(Transform):
    """Set `failed_rules` of documents with a text: the rules of presets that their signals fail, sorted.

    `presets` are names of files in manifests/rules/, `rules` more bounds as in a manifest's `rules`, `seed` the
    manifest's. `steps` are plug-ins that were measured: documents that one failed on fail `STEP.failed.max`. A signal
    that is NaN fails `SIGNAL.missing`, one that `Measure` was not asked for fails the pipeline.

    Raises UserError, in one line, for an unknown preset or signal, and for `top_share`, which no single document
    decides.
    """

    def __init__(
        self,
        presets: Sequence[str] = (),
        rules: Mapping[str, Any] | None = None,
        seed: int = 0,
        steps: Sequence[str] = (),
    ) -> None:
        super().__init__()
        used = {signal for name in presets for signal, _ in read_preset(name).rules} | set(rules or {})
        needed = [step for step in FILTERS if any(signal.startswith(f"{step}.") for signal in used)]
        produced = {signal for step in needed for signal in load_filter(step).signals}
        measured = [open_filter(step, {}) for step in steps if step not in FILTERS]
        produced |= {signal for each in measured for signal in each.signals}
        failed = {f"{each.step}.{FAILED}": {"max": 0} for each in measured}
        self.rules = load_rules({RULES_SOURCE: list(presets)}, {**failed, **(rules or {})}, produced)
        self.seed = seed
        for _, rule in self.rules.shares():
            raise UserError(f"{rule.name} needs the scores of a whole corpus: a build has them", ("rules",))

    def expand(self, documents: PCollection[Any]) -> Any:
        return documents | "Apply" >> par_do(_ApplyToBatch(self.rules, self.seed), DocumentRow)


class _ApplyToBatch(BatchedWork):
    def __init__(self, rules: RuleSet, seed: int) -> None:
        self.rules, self.seed = rules, seed

    def work(self, elements: Sequence[Any]) -> Iterator[object]:
        documents = [to_document(element) for element in elements]
        columns = {name: _read_signal(documents, name) for name in self.rules.signals(RULES_SOURCE)}
        failed, _ = self.rules.early().evaluate(
            pa.table(columns or {"": pa.nulls(len(documents))}),
            pa.array([document.language for document in documents], pa.string()),
            RULES_SOURCE,
            gates=pa.array([None if document.text is not None else "no text" for document in documents]),
            ids=pa.array([content_hash(document.id) for document in documents], pa.string()),
            seed=self.seed,
        )
        for document, names in zip(documents, failed.to_pylist(), strict=True):
            yield document._replace(failed_rules=names or ())


def _read_signal(documents: Sequence[DocumentRow], name: str) -> pa.Array:
    """Return a signal as a float32 column, NaN for a document without text."""
    values = []
    for document in documents:
        if document.text is not None and name not in document.signals:
            raise RunError(f"{name} was not measured: add {name.partition('.')[0]!r} to Measure")
        values.append(document.signals.get(name, math.nan))
    return pa.array(values, pa.float32())
