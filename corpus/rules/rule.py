"""Rules: bounds on signals, and the evaluation of which documents fail them.

A rule is one bound on one signal, named `<signal>.min`, `.max`, `.top_share` or `.pareto`; a row with a
rule whose signal was not measured fails `<signal>.missing` instead. `corpus.rules.presets` reads rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from corpus.languages.labels import language_part
from corpus.text.hashes import finalize

if TYPE_CHECKING:
    import pyarrow as pa

BOUND_KINDS = ("min", "max", "top_share", "pareto")
NO_BOUND = float("nan")
"""No bound: every comparison with it is false."""

Values = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]
Thresholds = Mapping[tuple[str, str], float]
"""(signal, language) -> the least value in the top share; see `compute_threshold`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One bound on one signal, with the values from all places that set it; nan means that there is no bound.

    `languages` and `manifest` are the values of the manifest (for a label such as `cmn_Hant` or a bare language
    such as `cmn`; and in general, None if unset). `calibrated` holds the values of manifests/languages/ by name,
    `default` its value for all but the languages in `as_presets` (None if unset). `preset` is the preset's value.
    """

    signal: str
    bound: str
    languages: Mapping[str, float]
    manifest: float | None
    calibrated: Mapping[str, float]
    default: float | None
    as_presets: frozenset[str]
    preset: float

    @property
    def name(self) -> str:
        return f"{self.signal}.{self.bound}"

    def __eq__(self, other: object) -> bool:
        """Compare the values as text: nan, which stands for no bound, differs from itself."""
        return isinstance(other, Rule) and _describe_rule(self) == _describe_rule(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def limit(self, language: str) -> float:
        """Return the bound for a language label: the first that is set of the manifest for the language (in its
        script, then in any), the manifest in general, the calibrated value, and the preset's."""
        keys = (language, language_part(language))
        for key in keys:
            if key in self.languages:
                return self.languages[key]
        if self.manifest is not None:
            return self.manifest
        for key in keys:
            if key in self.calibrated:
                return self.calibrated[key]
        if self.default is not None and not any(key in self.as_presets for key in keys):
            return self.default
        return self.preset

    def is_set(self) -> bool:
        """Return whether there is a bound for any language."""
        values = [
            self.manifest,
            self.default,
            self.preset,
            *self.languages.values(),
            *self.calibrated.values(),
        ]
        return any(value is not None and not math.isnan(value) for value in values)

    def named_languages(self) -> tuple[str, ...]:
        """Return every language that has a value of its own, or is exempt from the default of all languages."""
        spared = self.as_presets if self.default is not None else ()
        return tuple(sorted({*self.languages, *self.calibrated, *spared}))


STORED_STEPS = ("clean", "private")
"""The steps whose signals are measured on stored texts, once all are stored."""
LATE_STEP = "dedup"
CLUSTER_SIZE = f"{LATE_STEP}.cluster_size"
"""The signal of kept documents that says how many documents each stands for, itself included."""


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of every source, in the order of their names."""

    rules: Mapping[str, tuple[Rule, ...]]

    def signals(self, source: str | None = None) -> tuple[str, ...]:
        """Return the names of the signals that the rules of a source (or of all sources) use, sorted."""
        chosen = self.rules.values() if source is None else [self.rules[source]]
        return tuple(sorted({rule.signal for rules in chosen for rule in rules}))

    def steps(self, source: str | None = None) -> tuple[str, ...]:
        """Return the steps that compute those signals, sorted."""
        return tuple(sorted({signal.partition(".")[0] for signal in self.signals(source)}))

    def early(self) -> RuleSet:
        """Return the rules on signals that are known before duplicates are looked for."""
        return self._choose(late=False)

    def late(self) -> RuleSet:
        """Return the rules on signals that are known once duplicates are removed: those of the step `LATE_STEP`."""
        return self._choose(late=True)

    def without(self, step: str) -> RuleSet:
        """Return the rules on signals of all other steps."""
        chosen = {
            source: tuple(rule for rule in rules if not rule.signal.startswith(f"{step}."))
            for source, rules in self.rules.items()
        }
        return RuleSet(rules=chosen)

    def _choose(self, late: bool) -> RuleSet:
        chosen = {
            source: tuple(rule for rule in rules if rule.signal.startswith(f"{LATE_STEP}.") == late)
            for source, rules in self.rules.items()
        }
        return RuleSet(rules=chosen)

    def shares(self) -> Iterator[tuple[str, Rule]]:
        """Yield (source, rule) of every `top_share` rule: each needs `Thresholds`."""
        for source, rules in self.rules.items():
            for rule in rules:
                if rule.bound == "top_share":
                    yield source, rule

    def parameters(self) -> dict[str, Any]:
        """Return every rule as JSON values, for fingerprints."""
        return {
            source: [_describe_rule(rule) for rule in rules] for source, rules in sorted(self.rules.items())
        }

    def evaluate(
        self,
        signals: pa.Table,
        languages: pa.Array | pa.ChunkedArray,
        source: str,
        *,
        gates: pa.Array | pa.ChunkedArray | None = None,
        ids: pa.Array | pa.ChunkedArray | None = None,
        seed: int = 0,
        thresholds: Thresholds | None = None,
    ) -> tuple[pa.Array, Masks]:
        """Return the rules that each row of a part fails, and which rows pass.

        `signals` has a column per signal, `languages` a label per row (null counts as a language without
        a file). The result is list<string>, the names of the failed rules in alphabetical order, and a mask, True
        where there are none. A gated row fails no rule (null) and does not pass. `pareto` needs `ids` (32
        hex digits), `top_share` the `thresholds` of every language that it holds for; ValueError otherwise.

        Signals are float32, and so are the bounds when they are compared: a page exactly at a bound passes.
        """
        import pyarrow.compute as pc

        count = signals.num_rows
        codes, labels = _encode_labels(languages)
        gated = np.zeros(count, np.bool_) if gates is None else np.asarray(pc.is_valid(gates), np.bool_)
        names: list[str] = []
        masks: list[Masks] = []
        missing: dict[str, Masks] = {}
        for rule in self.rules[source]:
            values = _read_column(signals, rule.signal)
            limits = np.array([rule.limit(label) for label in labels], np.float64)
            applies = ~np.isnan(limits)[codes]
            if rule.bound == "top_share":
                limits = _resolve_shares(rule, labels, limits, codes[applies & ~np.isnan(values)], thresholds)
            unmeasured = np.isnan(values) & applies
            missing[rule.signal] = missing.get(rule.signal, False) | unmeasured
            names.append(rule.name)
            masks.append(_find_failures(rule.bound, values, limits.astype(np.float32)[codes], ids, seed))
        names += [f"{signal}.missing" for signal in missing]
        masks += list(missing.values())
        order = sorted(range(len(names)), key=names.__getitem__)
        table = np.array([masks[at] for at in order], np.bool_).reshape(len(order), count)
        table[:, gated] = False
        return _build_lists(table, [names[at] for at in order], gated), ~table.any(axis=0) & ~gated


def compute_threshold(scores: npt.NDArray[np.floating[Any]], share: float) -> float:
    """Return the least value in the top `share` of scores, nan left out: of n scores, the ceil(share * n)-th
    largest (equal ones pass together). Returns nan if there are none."""
    measured = scores[~np.isnan(scores)]
    if not len(measured):
        return NO_BOUND
    place = len(measured) - max(1, math.ceil(share * len(measured) - 1e-9))
    return float(np.partition(measured, place)[place])


def draw_uniform(ids: pa.Array | pa.ChunkedArray, seed: int) -> npt.NDArray[np.float64]:
    """Return a number in [0, 1) for each document id (32 hex digits), the same for the same id and seed."""
    digits = "".join(ids.to_pylist())
    halves = np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64).reshape(-1, 2)
    salt = finalize(np.array([seed % (1 << 64)], np.uint64))
    mixed = finalize(halves[:, 0] ^ finalize(halves[:, 1] ^ salt))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _find_failures(
    bound: str, values: Values, limits: Values, ids: pa.Array | pa.ChunkedArray | None, seed: int
) -> Masks:
    if bound == "max":
        return np.asarray(values > limits)
    if bound != "pareto":
        return np.asarray(values < limits)
    if ids is None:
        raise ValueError("a pareto rule needs the ids of the documents")
    draws = (1.0 - draw_uniform(ids, seed)) ** (-1.0 / limits) - 1.0  # as numpy.random.Generator.pareto
    return np.asarray(~(draws > 1.0 - values) & ~np.isnan(draws) & ~np.isnan(values))


def _resolve_shares(
    rule: Rule,
    labels: Sequence[str],
    limits: npt.NDArray[np.float64],
    needed: npt.NDArray[np.int32],
    thresholds: Thresholds | None,
) -> npt.NDArray[np.float64]:
    """Return the score at each language's share, for the languages that rows need."""
    scores = limits.copy()
    for code in np.unique(needed).tolist():
        key = (rule.signal, labels[code])
        if thresholds is None or key not in thresholds:
            raise ValueError(f"no threshold for the top share of {key[0]} in {key[1] or 'no language'}")
        scores[code] = thresholds[key]
    return scores


def _build_lists(table: Masks, names: list[str], nulls: Masks) -> pa.Array:
    import pyarrow as pa

    rows, rules = np.nonzero(table.T)
    offsets = np.zeros(table.shape[1] + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=table.shape[1]), out=offsets[1:])
    values = pa.array(names, pa.string()).take(pa.array(rules, pa.int64()))
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(nulls))


def _encode_labels(languages: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return a code per row, and the label of each code; "" for null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = languages.combine_chunks() if isinstance(languages, pa.ChunkedArray) else languages
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    encoded = pc.fill_null(array.cast(pa.string()), "").dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int32), encoded.dictionary.to_pylist()


def _read_column(signals: pa.Table, name: str) -> Values:
    values: Values = signals.column(name).to_numpy().astype(np.float32)
    return values


def _describe_rule(rule: Rule) -> list[Any]:
    numbers = [rule.manifest, rule.default, rule.preset]
    return [
        rule.name,
        sorted(rule.as_presets),
        *[None if value is None else str(value) for value in numbers],
        *[{key: str(value) for key, value in sorted(t.items())} for t in (rule.languages, rule.calibrated)],
    ]
