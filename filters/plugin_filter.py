"""Filters of users, named in a manifest as `module:Class` or `module`: checked here, run in the process that parses.

A class has `version`, `signals` and `measure(page)`; a module has VERSION, SIGNALS and `measure`. Their signals are
preceded by the name of the step: the class's `step`, else its name in snake case (a module: its STEP, or its name).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from corpus import filters, plugins
from corpus.document import Record
from corpus.errors import UserError, describe_briefly, describe_error
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.calls import call_once, call_plugin, make_call
from corpus.extract.process.supervised import RejectedRecord
from corpus.filters.filter import Filter, FunctionFilter
from corpus.plugins import Plugin, check_version
from corpus.storage import sha256
from corpus.text.page import Page

FAILED = "failed"
"""The signal `STEP.failed` of every plug-in: 1 for a document that it failed on, which is then not kept."""
STEP_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}")
SIGNAL_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_SIGNALS = 1_000
MAX_VALUE = float(np.finfo(np.float32).max)
TEST_TEXT = "The river rises in the north. It reaches the sea after 120 km."
"""What a plug-in must be able to measure before a build begins."""
MEASURE_CALL = "corpus.filters.plugin_filter:measure_record"
DESCRIBE_CALL = "corpus.filters.plugin_filter:describe_filter"


@dataclass(frozen=True, kw_only=True)
class PluginFilter:
    """A filter whose code runs in the process that parses: `call` are the arguments of `measure_record`."""

    step: str
    version: int
    signals: tuple[str, ...]
    call: tuple[Any, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, page: Page) -> Sequence[float]:
        """Return the signals of one page; where the plug-in fails, `failed` is 1 and nothing else is measured."""
        answer = call_once(Budgets(), make_call(MEASURE_CALL, self.call, page.text, page.language, page.url))
        if isinstance(answer, RejectedRecord):
            return [*[math.nan] * (len(self.signals) - 1), 1.0]
        return to_values(answer, len(self.signals))


def open_plugin_filter(name: str, options: Mapping[str, Any], budgets: Budgets) -> PluginFilter:
    """Return the filter that a manifest names. Its module is not imported here. Raises UserError for a wrong one."""
    plugin = plugins.find_plugin(name, "filter")
    text = json.dumps(options, sort_keys=True)
    described = _describe(plugin, text, plugin.code, budgets)
    content = hash_files(options)
    return PluginFilter(
        step=described["step"],
        version=described["version"],
        signals=(*described["signals"], f"{described['step']}.{FAILED}"),
        call=(name, dict(options)),
        parameters={
            "plugin": name,
            "code": plugin.code,
            "options": content,
            "own": described["parameters"],
        },
    )


def hash_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the hash of the file in the place of a path, for fingerprints: keys `path` and `model`."""
    return {
        key: sha256(value) if key in ("path", "model") and isinstance(value, str) else value
        for key, value in options.items()
    }


@lru_cache(maxsize=64)
def _describe(plugin: Plugin, options: str, code: str, budgets: Budgets) -> Any:
    """Return what `describe_filter` says of a filter with this code. Raises UserError if it cannot be used."""
    call = make_call(DESCRIBE_CALL, [plugin.reference, json.loads(options)], TEST_TEXT, "eng_Latn")
    return call_plugin(plugin.reference, budgets, call)


def to_values(answer: Sequence[float | None], size: int) -> list[float]:
    """Return the signals that a call gave, with `failed` at the end."""
    values = [math.nan if value is None else value for value in answer]
    return [*values, 0.0] if len(values) < size else values


# What follows runs in the process that parses.


def describe_filter(name: str, options: dict[str, Any], record: Record) -> dict[str, Any]:
    """Load a filter and measure the record; return its step, version, signals and parameters."""
    loaded = _load(name, json.dumps(options))
    try:
        parameters = json.loads(json.dumps(dict(loaded.parameters)))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{name}: `parameters` must be what JSON can hold: {describe_briefly(error)}"
        ) from None
    try:
        _measure(name, loaded, Page(str(record.body), record.language, record.url))
    except UserError as error:
        raise UserError(f"{error} (on the trial text {str(record.body)[:30]!r}...)") from error
    return {
        "step": loaded.step,
        "version": loaded.version,
        "signals": list(loaded.signals),
        "parameters": parameters,
    }


def measure_record(name: str, options: dict[str, Any], record: Record) -> list[float | None]:
    """Return the signals of the text of a record, None for one that is not measured."""
    return _measure(name, _load(name, json.dumps(options)), _page(record.body, record.language, record.url))


@lru_cache(maxsize=1)
def _page(text: str, language: str | None, url: str | None) -> Page:
    """Return the page of a text: several filters measure it, one after the other."""
    return Page(text, language, url)


def _measure(name: str, loaded: Filter, page: Page) -> list[float | None]:
    try:
        values = loaded.measure(page)
    except MemoryError:
        raise
    except Exception as error:
        raise UserError(f"{name} failed: {describe_error(error)}") from error
    form = f"({'value, ' * len(loaded.signals)})".replace(", )", ",)" if len(loaded.signals) == 1 else ")")
    count = "1 number" if len(loaded.signals) == 1 else f"{len(loaded.signals)} numbers"
    wanted = f"{name}: `measure` must return {count}, {form} for {', '.join(loaded.signals)}"
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        raise UserError(f"{wanted}, not {_shorten(values)}") from None
    if len(numbers) != len(loaded.signals):
        raise UserError(f"{wanted}, not {len(numbers)}")
    for signal, number in zip(loaded.signals, numbers, strict=True):
        if abs(number) > MAX_VALUE:
            raise UserError(
                f"{name}: {signal} is {number:g}, more than float32 holds; say nan for what is not measured"
            )
    return [None if math.isnan(number) else number for number in numbers]


def _shorten(value: object) -> str:
    shown = " ".join(repr(value).split())
    return f"{type(value).__name__} {shown[:60]}"


@cache
def _load(name: str, options: str) -> Filter:
    """Import and create a filter. Raises UserError, one line, for what is wrong with it."""
    given = json.loads(options)
    if name in filters.FILTERS:
        return filters.load_filter(name, given)
    plugin = plugins.find_plugin(name, "filter")
    loaded = plugins.load_plugin(plugin)
    if isinstance(loaded, ModuleType):
        return _from_module(plugin, loaded, given)
    checked = plugins.check_class(name, loaded, "measure(page)")
    step = getattr(checked, "step", None) or _to_snake_case(checked.__name__)
    signals = _check_signals(name, step, getattr(checked, "signals", None))
    created = plugins.create(name, checked, given)
    parameters = getattr(created, "parameters", {})
    return FunctionFilter(
        step=step,
        version=check_version(name, checked),
        signals=signals,
        measure=created.measure,
        find_parameters=lambda: parameters,
    )


def _from_module(plugin: Plugin, module: ModuleType, options: dict[str, Any]) -> Filter:
    """Return the filter that a module is."""
    name = plugin.reference
    if options:
        raise UserError(f"{name} is a module, which takes no options: name a class, {name}:Class")
    version = getattr(module, "VERSION", None)
    if isinstance(version, bool) or not isinstance(version, int):
        raise UserError(f"{name} has no VERSION, a whole number to increase when its results change")
    if not callable(getattr(module, "measure", None)):
        raise UserError(f"{name} has no function `measure(page)`: name a class, {name}:Class, or add one")
    step = getattr(module, "STEP", plugin.module.rpartition(".")[2].lower())
    signals = _check_signals(name, step, getattr(module, "SIGNALS", None))
    return FunctionFilter(
        step=step,
        version=version,
        signals=signals,
        measure=module.measure,
        find_parameters=lambda: getattr(module, "PARAMETERS", {}),
    )


def _check_signals(name: str, step: object, signals: object) -> tuple[str, ...]:
    """Return the full names of signals. Raises UserError for names that are missing, malformed or taken."""
    if not isinstance(step, str) or not STEP_PATTERN.fullmatch(step):
        raise UserError(f"{name}: the step {step!r} is not a name: lower-case letters, digits and _")
    if step in filters.FILTERS or step == "signatures":
        raise UserError(f"{name}: the step {step} is one of corpus: give it another name, step = ...")
    if isinstance(signals, str):
        raise UserError(f"{name}: `signals` is a text, not a list of names: write ({signals!r},)")
    if not isinstance(signals, Sequence) or not signals:
        raise UserError(f'{name} has no `signals`, the names of what it measures, such as ("words",)')
    if len(signals) > MAX_SIGNALS:
        raise UserError(f"{name} has {len(signals):,} signals, of at most {MAX_SIGNALS:,}")
    short = [str(signal).removeprefix(f"{step}.") for signal in signals]
    for signal in short:
        if not SIGNAL_PATTERN.fullmatch(signal) or signal == FAILED or short.count(signal) > 1:
            raise UserError(
                f"{name}: the signal {signal!r} is no name of its own: lower-case letters, digits and _, "
                f"not {FAILED}"
            )
    return tuple(f"{step}.{signal}" for signal in short)


def _to_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
