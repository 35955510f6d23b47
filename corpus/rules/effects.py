"""What a change of a bound does beside what it says: rules that sources gain, values of languages that it replaces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from corpus.languages.labels import language_part
from corpus.languages.names import normalize_label
from corpus.rules.rule import NO_BOUND, Rule, RuleSet

MAX_NAMED_LANGUAGES = 5


def describe_effects(
    before: RuleSet, after: RuleSet, changes: Mapping[str, float | str], held: Sequence[str] = ()
) -> list[str]:
    """Return lines on the sources that gain a rule by `changes`, and on the languages whose own values these replace.

    `changes` are `gopher.words.min` or `gopher.words.min@tha` -> a number or `off`. `held` are the labels of documents,
    the commonest first: of many languages these are named.
    """
    lines = []
    for name, value in changes.items():
        rule, _, given = name.partition("@")
        language = normalize_label(given) if given else ""
        change = f"{name}={value if isinstance(value, str) else f'{value:g}'}"
        sides = {
            source: (find_rule(before.rules.get(source, ()), rule), find_rule(rules, rule))
            for source, rules in after.rules.items()
        }
        gaining = [source for source, (old, new) in sides.items() if _is_gained(old, new, language)]
        if gaining:
            who = _join_names(gaining)
            lines.append(
                f"{change}: {who} had no such rule{' for ' + language if language else ''} and will have it"
            )
        if language:
            continue
        sources_by_values: dict[tuple[tuple[str, float, float], ...], list[str]] = {}
        for source, (old, new) in sides.items():
            replaced = _list_replaced(old, new)
            if replaced:
                ranked = tuple(sorted(replaced, key=lambda row: _rank_label(row[0], held)))
                sources_by_values.setdefault(ranked, []).append(source)
        for replaced, sources in sources_by_values.items():
            named = [
                f"{label} {_format_bound(value)} becomes {_format_bound(other)}"
                for label, value, other in replaced[:MAX_NAMED_LANGUAGES]
            ]
            more = f" and {len(replaced) - len(named):,} more" if len(replaced) > len(named) else ""
            first, own_value, _ = replaced[0]
            lines.append(
                f"{change} replaces the values that languages have of their own in {_join_names(sources)}: "
                f"{', '.join(named)}{more}; {rule}@{first}={_format_bound(own_value)} beside it keeps one"
            )
    return lines


def find_rule(rules: Iterable[Rule], name: str) -> Rule | None:
    """Return the rule of a name; None where there is none."""
    return next((rule for rule in rules if rule.name == name), None)


def _is_gained(old: Rule | None, new: Rule | None, language: str) -> bool:
    if new is None or math.isnan(new.limit(language)):
        return False
    return old is None or (math.isnan(old.limit(language)) if language else not old.is_set())


def _list_replaced(old: Rule | None, new: Rule | None) -> tuple[tuple[str, float, float], ...]:
    """Return (language, old value, new value) where a language had another value than the rule in general."""
    if old is None:
        return ()
    limits = [
        (label, old.limit(label), new.limit(label) if new is not None else NO_BOUND)
        for label in old.named_languages()
    ]
    general = old.limit("")
    return tuple(row for row in limits if not _is_same(row[1], general) and not _is_same(row[1], row[2]))


def _rank_label(label: str, held: Sequence[str]) -> int:
    """Return the place among the labels held of a language, or a language in a script."""
    return next((at for at, other in enumerate(held) if label in (other, language_part(other))), len(held))


def _is_same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _format_bound(value: float) -> str:
    return "off" if math.isnan(value) else f"{value:g}"


def _join_names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
