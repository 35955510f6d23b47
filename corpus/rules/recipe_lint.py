"""Checks of a recipe before it runs: its rules as rows, and those among them that have no effect.

A rule has no effect if its bound is outside the range of its signal (`manifests/signals.yaml`), or if every text that
fails it fails another rule as well: `gopher.words.min: 50` leaves nothing to `text.words.min: 3`, since the words
without symbols are at most the words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.rules.known_signals import KnownSignals, read_known_signals
from corpus.rules.rule import Rule

BY_LANGUAGE = "manifest, by language"
"""The origin of a rule that nothing sets but the manifest, for some languages."""


@dataclass(frozen=True, kw_only=True)
class IdleRule:
    """A rule that has no effect, or drops everything, in some `languages` ("" for all others)."""

    rule: str
    languages: tuple[str, ...]
    why: str


def describe_recipe(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the rules of a source as rows: name, bound (None if it holds for some languages only), the languages that
    have another bound, and the origin of the bound (manifest, calibration or preset; `BY_LANGUAGE` where there is none
    but for languages that the manifest names)."""
    rows = []
    for rule in rules:
        limit = rule.limit("")
        others = {name: rule.limit(name) for name in rule.named_languages()}
        others = {name: value for name, value in others.items() if not _is_same(value, limit)}
        origins = [("manifest", rule.manifest), ("calibration", rule.default), ("preset", rule.preset)]
        rows.append(
            {
                "rule": rule.name,
                "bound": _none_if_nan(limit),
                "from": BY_LANGUAGE
                if _is_by_language(rule)
                else next(name for name, value in origins if value is not None),
                "languages": {name: _none_if_nan(value) for name, value in others.items()},
            }
        )
    return rows


def _is_by_language(rule: Rule) -> bool:
    general = (rule.manifest, rule.default)
    return (
        general == (None, None) and math.isnan(rule.preset) and bool(rule.languages) and not rule.calibrated
    )


def find_idle_rules(rules: Sequence[Rule], signals: KnownSignals | None = None) -> list[IdleRule]:
    """Return the rules that no text can fail or none can pass, and those whose failures also fail another rule."""
    signals = signals or read_known_signals()
    idle = []
    for rule in rules:
        by_why: dict[str, list[str]] = {}
        for language in ("", *rule.named_languages()):
            why = _explain_idle(rule, language, rules, signals)
            if why:
                by_why.setdefault(why, []).append(language)
        idle += [IdleRule(rule=rule.name, languages=tuple(names), why=why) for why, names in by_why.items()]
    return idle


def _explain_idle(rule: Rule, language: str, rules: Sequence[Rule], signals: KnownSignals) -> str | None:
    limit = rule.limit(language)
    if math.isnan(limit) or rule.bound not in ("min", "max"):
        return None
    least, most = signals.ranges.get(rule.signal, (-math.inf, math.inf))
    span = (
        f"{rule.signal} is at least {least:g}"
        if most == math.inf
        else f"{rule.signal} is between {least:g} and {most:g}"
    )
    if (rule.bound == "min" and limit <= least) or (rule.bound == "max" and limit >= most):
        return f"no text can fail it: {span}, the bound {limit:g}"
    if (rule.bound == "min" and limit > most) or (rule.bound == "max" and limit < least):
        return f"every text fails it: {span}, the bound {limit:g}"
    for other in _find_stricter(rule, rules, signals):
        bound = other.limit(language)
        if (rule.bound == "min" and bound >= limit) or (rule.bound == "max" and bound <= limit):
            return (
                f"shadowed by {other.name} {bound:g}: every text that fails this ({limit:g}) fails that too"
            )
    return None


def _find_stricter(rule: Rule, rules: Sequence[Rule], signals: KnownSignals) -> Iterator[Rule]:
    """Yield rules on signals that are never above (for a minimum) or never below (for a maximum) this rule's."""
    for low, high in signals.at_most:
        ours, theirs = (high, low) if rule.bound == "min" else (low, high)
        if rule.signal == ours:
            yield from (other for other in rules if other.signal == theirs and other.bound == rule.bound)


def _is_same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
