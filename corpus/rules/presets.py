"""Read rules: presets, corrections for languages, and the rules of the manifest.

```yaml
rules:
  gopher.words: {min: 50, max: 100000}
  gopher.stop_words: off                            # no rule on this signal
  fineweb.short_lines: {max: 0.8, where: {sources: [forum]}}
  quality.score: {top_share: 0.1}                   # the best tenth of each language; or {pareto: 9}
  languages:
    tha: {gopher.mean_word_length: {min: 2, max: off}}
```

A preset is a file of manifests/rules/ with `description`, `source`, `include` (other presets) and `rules` as
above. The value of each bound is the first that is given of these: the manifest for the language, the manifest,
manifests/languages/, the preset. So a value in a manifest replaces the calibrated one of every language, and a
language file corrects the bounds of presets but adds none. A bound in the manifest holds for all sources, or
for those named by `where`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.data import cache_data, list_data, read_data
from corpus.errors import UserError, collect_mistakes
from corpus.formats.yaml_lines import KeyPath, load_yaml
from corpus.languages.labels import language_part
from corpus.languages.names import WrongLanguageError, normalize_labels
from corpus.rules.rule import BOUND_KINDS, NO_BOUND, Rule, RuleSet
from corpus.suggestions import MAX_SUGGESTED_NAMES, find_nearest, suggest_names
from corpus.text.conventions import DEFAULT_FILE_NAME, language_files

Bounds = dict[tuple[str, str], float]
"""(signal, bound) -> value, nan for off."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A file of manifests/rules/, its `include`s resolved into `rules`."""

    name: str
    description: str
    source: str
    rules: Mapping[tuple[str, str], float]


def list_presets() -> list[str]:
    """Return the names of all presets, sorted."""
    return list_data("rules")


@cache_data
def read_preset(name: str, inside: tuple[str, ...] = ()) -> Preset:
    """Read a preset by name, one that those in `inside` include. Raises UserError for an unknown or malformed one."""
    if name not in list_presets():
        raise UserError(f"no rules named {name!r}: {suggest_names(name, list_presets())}")
    text, path = read_data("rules", name)
    data, _ = load_yaml(text, path)
    known = {"description", "source", "include", "rules"}
    if not isinstance(data, dict) or set(data) - known or not {"description", "source"} <= set(data):
        raise UserError(f"{path}: a preset has description, source, and include or rules")
    rules: Bounds = {}
    included = data.get("include", [])
    if not isinstance(included, list):
        raise UserError(f"{path}: include is a list of presets, such as [fineweb, language]")
    for other in included:
        if other in (*inside, name):
            raise UserError(f"{path}: {other} includes itself")
        rules.update(read_preset(str(other), (*inside, name)).rules)
    try:
        rules.update(_parse_bounds(data.get("rules", {}), ("rules",)))
    except UserError as error:
        raise UserError(f"{path}: {'.'.join(map(str, error.path))}: {error}") from None
    return Preset(name=name, description=data["description"], source=data["source"], rules=rules)


def list_included(names: Iterable[str]) -> set[str]:
    """Return these presets and all that they include, as far as there are such."""
    known, waiting, reached = set(list_presets()), list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in known - reached:
            reached.add(name)
            content, _ = load_yaml(*read_data("rules", name))
            included = content.get("include") if isinstance(content, dict) else None
            waiting += map(str, included) if isinstance(included, list) else []
    return reached


def count_corrections(signal: str) -> int:
    """Return how many languages have bounds of their own on a signal, in manifests/languages/ or a user's files."""
    return sum(any(name == signal for name, _ in bounds) for bounds in _read_calibrated().values())


def load_rules(
    presets: Mapping[str, Sequence[str]],
    manifest: Mapping[str, Any],
    produced: Collection[str],
    limits: Mapping[str, Bounds] | None = None,
) -> RuleSet:
    """Return the rules of every source of a manifest.

    `presets` names the presets of each source, `manifest` is its key `rules`, `produced` are the signals that
    the build computes, `limits` are bounds by source that other keys of the manifest set. Raises UserError with the
    path of the manifest key for an unknown preset or source, a signal that nothing produces, a bound that is no number,
    and a minimum above its maximum.
    """
    languages = manifest.get("languages", {})
    if not isinstance(languages, Mapping):
        raise UserError("rules by language are written tha: {SIGNAL: {min: 2}}", ("rules", "languages"))
    particular: dict[str, Bounds] = {}
    mistakes: list[UserError] = []
    named: dict[str, str] = {}
    try:
        named = normalize_labels(languages)
    except WrongLanguageError as error:
        mistakes.append(UserError(str(error), ("rules", "languages", list(languages)[error.at])))
    for label, name in named.items():
        with collect_mistakes(mistakes):
            particular[label] = _parse_bounds(languages[name], ("rules", "languages", name))
    general = {key: value for key, value in manifest.items() if key != "languages"}
    mistakes += [
        UserError(_explain_unproduced(signal, produced), (*path, signal))
        for path, signals in (
            (("rules",), general),
            *((("rules", "languages", name), rules) for name, rules in languages.items()),
        )
        for signal in (signals if isinstance(signals, Mapping) else ())
        if signal not in produced
    ]
    chosen: dict[str, tuple[Rule, ...]] = {}
    for source, names in presets.items():
        with collect_mistakes(mistakes):
            chosen[source] = _build_source_rules(
                source, names, general, particular, produced, list(presets), (limits or {}).get(source, {})
            )
    if mistakes:
        raise UserError.join(mistakes)
    rules = RuleSet(rules=chosen)
    _check_shares(rules)
    for late in (rule for chosen in rules.late().rules.values() for rule in chosen):
        if late.bound not in ("min", "max"):
            raise UserError(
                f"{late.signal} is known too late for {late.bound}: give min or max", ("rules", late.signal)
            )
    return rules


def _check_shares(rules: RuleSet) -> None:
    """Raise UserError if a `top_share` differs between sources: the share is one of the texts of all of them."""
    first: dict[str, tuple[str, Rule]] = {}
    for source, rule in rules.shares():
        other, same = first.setdefault(rule.signal, (source, rule))
        if same != rule:
            raise UserError(
                f"{rule.name} has another value in {source} than in {other}: a top share is taken over all sources "
                "that have one, so set it once, under `rules`",
                ("rules",),
            )


def _build_source_rules(
    source: str,
    names: Sequence[str],
    general: Mapping[str, Any],
    particular: Mapping[str, Bounds],
    produced: Collection[str],
    sources: Sequence[str],
    limits: Bounds,
) -> tuple[Rule, ...]:
    preset: Bounds = dict(limits)
    manifest: Bounds = {}
    mistakes: list[UserError] = []
    for at, name in enumerate(names):
        with collect_mistakes(mistakes):
            preset.update(_read_usable_preset(name, ("sources", source, "rules", at), produced))
    with collect_mistakes(mistakes):
        manifest = _parse_bounds(general, ("rules",), source, sources)
    if mistakes:
        raise UserError.join(mistakes)
    calibrated = _read_calibrated()
    as_presets = frozenset(name for name, file in language_files().items() if file.as_presets)
    keys = {*preset, *manifest, *(key for bounds in particular.values() for key in bounds)}
    rules: list[Rule] = []
    for key in sorted(keys):
        corrected = calibrated if key in preset else {}
        rule = Rule(
            signal=key[0],
            bound=key[1],
            languages={name: bounds[key] for name, bounds in particular.items() if key in bounds},
            manifest=manifest.get(key),
            calibrated={
                name: bounds[key]
                for name, bounds in corrected.items()
                if key in bounds and name != DEFAULT_FILE_NAME
            },
            default=corrected.get(DEFAULT_FILE_NAME, {}).get(key),
            as_presets=as_presets,
            preset=preset.get(key, NO_BOUND),
        )
        if rule.is_set():
            rules.append(rule)
    _check_order(rules)
    return tuple(rules)


def _read_usable_preset(
    name: str, where: KeyPath, produced: Collection[str]
) -> Mapping[tuple[str, str], float]:
    """Return the bounds of a preset. Raises UserError if there is none, or one of its signals is not measured."""
    try:
        bounds = read_preset(name).rules
    except UserError as error:
        raise UserError(str(error), where) from None
    for signal, _ in bounds:
        if signal not in produced:
            raise UserError(f"the rules {name} need {_explain_unproduced(signal, produced)}", where)
    return bounds


@cache_data
def _read_calibrated() -> dict[str, Bounds]:
    """Return the corrections by the languages that the files cover: a script's override its language's."""
    corrections: dict[str, Bounds] = {}
    for name, file in language_files().items():
        try:
            corrections[name] = _parse_bounds(file.rules, ("rules",))
        except UserError as error:
            _, path = read_data("languages", file.name)
            raise UserError(f"{path}: {'.'.join(map(str, error.path))}: {error}") from None
    return corrections


def _parse_bounds(
    rules: Any, path: KeyPath, source: str | None = None, sources: Sequence[str] = ()
) -> Bounds:
    """Parse a mapping of signals to bounds; with `source`, only the bounds that hold for it."""
    if not isinstance(rules, Mapping):
        raise UserError("rules are written as SIGNAL: {min: 1, max: 2}", path)
    parsed: Bounds = {}
    mistakes: list[UserError] = []
    for signal, entry in rules.items():
        with collect_mistakes(mistakes):
            parsed.update(_parse_entry(signal, entry, (*path, signal), source, sources))
    if mistakes:
        raise UserError.join(mistakes)
    return parsed


def _parse_entry(
    signal: str, entry: Any, here: KeyPath, source: str | None, sources: Sequence[str]
) -> Bounds:
    """Parse what a mapping has for a signal; nothing if it does not hold for the source."""
    if _is_off(entry):
        return {(signal, bound): NO_BOUND for bound in BOUND_KINDS}
    if not isinstance(entry, Mapping) or not entry:
        raise UserError("a rule is `off` or bounds, such as {min: 1, max: 2}", here)
    bounds = dict(entry)
    chosen = _parse_where(bounds.pop("where"), here, sources) if "where" in bounds else None
    if chosen is not None and not bounds:
        raise UserError("`where` needs bounds beside it, such as {min: 1, where: {sources: [web]}}", here)
    numbers = {
        (signal, bound): _parse_number(bound, value, (*here, bound)) for bound, value in bounds.items()
    }
    return numbers if chosen is None or source in chosen else {}


def _is_off(value: Any) -> bool:
    return value is False or value == "off"


def _parse_number(bound: str, value: Any, path: KeyPath) -> float:
    if bound not in BOUND_KINDS:
        near = find_nearest(str(bound), (*BOUND_KINDS, "where"), 1)
        advice = f"did you mean {near[0]}?" if near else f"say {', '.join(BOUND_KINDS)} or where"
        raise UserError(f"unknown bound: {advice}", path)
    if _is_off(value):
        return NO_BOUND
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"expected a number or `off`, not {value!r}", path)
    if bound == "top_share" and not 0 < value <= 1:
        raise UserError(f"a share must be above 0 and at most 1, not {value}", path)
    if bound == "pareto" and value <= 0:
        raise UserError(f"the shape of a Pareto distribution must be above 0, not {value}", path)
    return float(value)


def _parse_where(where: Any, path: KeyPath, sources: Sequence[str]) -> list[str]:
    if not isinstance(where, Mapping) or set(where) != {"sources"} or not isinstance(where["sources"], list):
        raise UserError("`where` is written {sources: [NAME, ...]}", (*path, "where"))
    if not sources:
        raise UserError("`where` belongs in the rules of a manifest, not here", (*path, "where"))
    unknown = [
        UserError(
            f"no source named {name!r}: {suggest_names(str(name), sources)}", (*path, "where", "sources", at)
        )
        for at, name in enumerate(where["sources"])
        if name not in sources
    ]
    if unknown:
        raise UserError.join(unknown)
    return list(where["sources"])


def _check_order(rules: Sequence[Rule]) -> None:
    least = {rule.signal: rule for rule in rules if rule.bound == "min"}
    for rule in rules:
        if rule.bound != "max" or rule.signal not in least:
            continue
        other = least[rule.signal]
        named = {**rule.languages, **other.languages}
        for language in ("", *rule.named_languages(), *other.named_languages()):
            low, high = other.limit(language), rule.limit(language)
            if low > high:
                key = next((key for key in (language, language_part(language)) if key in named), None)
                path: KeyPath = ("rules", "languages", key, rule.signal) if key else ("rules", rule.signal)
                of = f" for {language}" if language else ""
                raise UserError(f"the minimum {low:g} is above the maximum {high:g}{of}", path)


def _explain_unproduced(signal: Any, produced: Collection[str]) -> str:
    plain = str(signal).rpartition(".")[2]
    near = sorted(name for name in produced if name.partition(".")[2] == plain)
    near = near or find_nearest(str(signal), produced)
    steps = sorted({name.partition(".")[0] for name in produced})
    step = str(signal).partition(".")[0]
    same = sorted(name for name in produced if name.partition(".")[0] == step)
    known = f"{step} computes {', '.join(same)}" if same else f"known steps are {', '.join(steps)}"
    advice = f"did you mean {' or '.join(near[:MAX_SUGGESTED_NAMES])}?" if near else known
    return f"the signal {signal}, which nothing computes: {advice}"
