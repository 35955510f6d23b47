"""Alarms: numbers of a ledger that deserve attention, each with its place and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from corpus.ledger.views import count_texts_of_rules
from corpus.validation import Shares

MIN_DOCUMENTS = 50
"""Number of documents below which shares are not significant."""
MAX_FAILED_SHARE, MIN_KEPT_SHARE, MAX_GATED_SHARE, MAX_DUPLICATE_SHARE = 0.5, 0.05, 0.9, 0.5
MAX_QUARANTINE_SHARE, MAX_DOMAIN_SHARE = 0.01, 0.2
LOST_CHANCE = 0.001
"""Chance below which it is no chance that none of a language's few texts is kept, by the share kept of all texts."""
WHOLE_SOURCE_SHARE = 0.9
"""Share of its source above which a domain counts as the source itself, such as wikipedia.org: no alarm."""
EXPLAINED_SHARE = 0.9
"""Share of the documents of an alarm from which another alarm, on their sources, says all of it."""
MAX_NAMED = 6
"""Sources or languages that one alarm names."""
MAX_EPOCHS = 4.0
"""Repeating data up to four times costs little, beyond that more and more (Muennighoff et al. 2023)."""
MIN_BYTES_PER_TOKEN = 2.0
"""Real vocabularies give 3 to 5 in the languages that they were trained on."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. `weight` orders alarms: the documents or records concerned; `text` tells what, where, what to do."""

    weight: int
    text: str


Sums = dict[tuple[str, str, str, str], int]
"""(source, language, what, key) -> documents."""


def find_alarms(tables: Mapping[str, pa.Table], mixture: Mapping[str, Any], shares: Shares) -> list[Alarm]:
    """Return all alarms, the weightiest first: one for each problem, which names all sources or languages that have it.
    `shares` are those of validation. Commands name the workspace DIR: a report has the same bytes wherever it lies."""
    sums: Sums = defaultdict(int)
    for row in tables["counts"].to_pylist():
        sums[row["source"], row["language"], row["what"], row["key"]] += row["documents"]
    lost = _find_lost_sources(sums)
    alarm_list = [
        *_check_rules(sums, count_texts_of_rules(tables["counts"], tables["rules"], "language"), lost),
        *_check_kept(sums, lost),
        *_check_sources(sums),
        *_check_quarantine(tables["quarantine"], sums),
        *_check_domains(tables["domains"], sums),
        *_check_tokens(tables["tokens"]),
        *_check_mixture(mixture),
        *_check_validation(sums, shares),
        *_check_unvalidated(tables["tokens"], shares),
    ]
    return sorted(alarm_list, key=lambda alarm: (-alarm.weight, alarm.text))


@dataclass(frozen=True, slots=True)
class _Concerned:
    """What an alarm concerns: a source, a language, a domain, with the documents or records and a number to show."""

    name: str
    weight: int
    number: str


def _list_concerned(concerned: Sequence[_Concerned], form: str = "{name} ({number})") -> str:
    """Return the names with their numbers as a list in a sentence, the weightiest first; many are cut short."""
    ranked = sorted(concerned, key=lambda one: (-one.weight, one.name))
    named = [form.format(name=one.name, number=one.number) for one in ranked[:MAX_NAMED]]
    if len(ranked) > MAX_NAMED:
        named.append(f"{len(ranked) - MAX_NAMED} more")
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _sum_weights(concerned: Sequence[_Concerned]) -> int:
    return sum(one.weight for one in concerned)


def _heaviest(concerned: Sequence[_Concerned]) -> str:
    return min(concerned, key=lambda one: (-one.weight, one.name)).name


def _check_rules(sums: Sums, having: Mapping[tuple[str, str], int], lost: set[str]) -> list[Alarm]:
    """Return alarms on rules that fail most of a language: rules that do so in the same languages share one. What fails
    in a source that is lost anyway is that source's problem."""
    failed: dict[tuple[str, str], int] = defaultdict(int)
    failed_in_lost: dict[tuple[str, str], int] = defaultdict(int)
    for (source, language, what, key), documents in sums.items():
        if what == "failed":
            failed[language, key] += documents
            failed_in_lost[language, key] += documents if source in lost else 0
    by_rule: dict[str, list[_Concerned]] = defaultdict(list)
    for (language, rule), documents in failed.items():
        texts = having.get((language, rule), 0)
        is_of_lost = failed_in_lost[language, rule] > EXPLAINED_SHARE * documents
        if texts >= MIN_DOCUMENTS and documents > MAX_FAILED_SHARE * texts and not is_of_lost:
            by_rule[rule].append(_Concerned(language, documents, f"{documents / texts:.0%}"))
    rules_by_languages: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for rule, languages in sorted(by_rule.items()):
        rules_by_languages[tuple(sorted(one.name for one in languages))].append(rule)
    return [_describe_failing(rules, by_rule) for rules in rules_by_languages.values()]


def _describe_failing(rules: list[str], by_rule: Mapping[str, list[_Concerned]]) -> Alarm:
    languages = by_rule[rules[0]]
    suits = (
        "does the bound suit the language" if len(languages) == 1 else "does the bound suit these languages"
    )
    advice = "`rules: {languages: ...}` in the manifest sets another"
    if len(rules) == 1:
        where = _list_concerned(languages, "{number} in {name}").replace(
            "% in", "% of the texts it applies to in", 1
        )
        return Alarm(_sum_weights(languages), f"{rules[0]} fails {where}: {suits}? {advice}")
    weights = {rule: _sum_weights(by_rule[rule]) for rule in rules}
    numbers = {
        rule: by_rule[rule][0].number if len(languages) == 1 else f"{weights[rule]:,}" for rule in rules
    }
    failing = _list_concerned([_Concerned(rule, weights[rule], numbers[rule]) for rule in rules])
    where = _list_concerned(languages, "{name}")
    suits = suits.replace("does the bound", "do the bounds")
    text = f"{failing} each fail more than half of the texts they apply to in {where}: {suits}? "
    return Alarm(max(weights.values()), text + advice.replace("another", "others"))


def _sum_outcomes(sums: Sums, by: int) -> dict[str, dict[str, int]]:
    """Return documents by outcome of each source (`by` 0) or language (1)."""
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, documents in sums.items():
        outcomes[key[by]][key[2]] += documents
    return outcomes


def _is_lost(did: Mapping[str, int]) -> bool:
    return did["passed"] >= MIN_DOCUMENTS and did["kept"] < MIN_KEPT_SHARE * did["passed"]


def _is_lost_whole(did: Mapping[str, int], dropped_share: float) -> bool:
    """Return whether none of some texts is kept, though by the share of all texts that are dropped some would be."""
    return did["passed"] > 0 and did["kept"] == 0 and dropped_share ** did["passed"] < LOST_CHANCE


def _find_lost_sources(sums: Sums) -> set[str]:
    return {name for name, did in _sum_outcomes(sums, 0).items() if _is_lost(did)}


def _check_kept(sums: Sums, lost: set[str]) -> list[Alarm]:
    """Return alarms on sources, and on languages, of which next to nothing is kept: on languages that are not those of
    such sources."""
    texts_in_lost: dict[str, int] = defaultdict(int)
    for (source, language, what, _), documents in sums.items():
        texts_in_lost[language] += documents if what == "passed" and source in lost else 0
    alarm_list = []
    for by, kind in enumerate(("source", "language")):
        outcomes = _sum_outcomes(sums, by)
        passed, kept = (sum(did[what] for did in outcomes.values()) for what in ("passed", "kept"))
        dropped_share = 1 - kept / max(1, passed)
        concerned = [
            _Concerned(name, did["passed"], f"{did['kept']:,} of {did['passed']:,} texts")
            for name, did in outcomes.items()
            if (_is_lost(did) or (by and _is_lost_whole(did, dropped_share)))
            and not (by and texts_in_lost[name] > EXPLAINED_SHARE * did["passed"])
        ]
        if concerned:
            sample = f"`corpus sample DIR --dropped --{kind} {_heaviest(concerned)}` shows what is dropped"
            who = f"{kind} {_list_concerned(concerned, '{name}: {number}')} are kept"
            if len(concerned) > 1:
                who = f"next to nothing is kept of {len(concerned)} {kind}s: {_list_concerned(concerned)}"
            reason = "" if by else _name_main_rule(sums, {one.name for one in concerned})
            alarm_list.append(Alarm(_sum_weights(concerned), f"{who}{reason}: {sample}"))
    return alarm_list


def _name_main_rule(sums: Sums, sources: set[str]) -> str:
    """Return what most texts of some sources fail, as a part of a sentence; nothing where it is not most of them."""
    failed: dict[str, int] = {}
    texts = 0
    for (source, _, what, key), documents in sums.items():
        if source in sources and what == "failed":
            failed[key] = failed.get(key, 0) + documents
        elif source in sources and what == "passed":
            texts += documents
    rule, count = min(failed.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return f"; {rule} fails {count / texts:.0%}" if count > MAX_FAILED_SHARE * texts else ""


def _check_sources(sums: Sums) -> list[Alarm]:
    """Return alarms on sources that gates stop, and on those that are duplicates."""
    gated, doubled = [], []
    for name, did in _sum_outcomes(sums, 0).items():
        read, passing = did["read"], did["passed"] - did["rules"]
        if read >= MIN_DOCUMENTS and did["gated"] > MAX_GATED_SHARE * read:
            gated.append(_Concerned(name, read, f"{did['gated'] / read:.0%}"))
        if passing >= MIN_DOCUMENTS and did["duplicate"] > MAX_DUPLICATE_SHARE * passing:
            doubled.append(_Concerned(name, passing, f"{did['duplicate'] / passing:.0%}"))
    alarm_list = []
    if gated:
        who = f"source {gated[0].name}: gates stop {gated[0].number} of the records"
        if len(gated) > 1:
            who = f"gates stop most records of {len(gated)} sources: {_list_concerned(gated)}"
        advice = "is the input what it should be? `corpus stats DIR --by gate` names the gates"
        alarm_list.append(Alarm(_sum_weights(gated), f"{who}: {advice}"))
    if doubled:
        who = f"source {doubled[0].name}: {doubled[0].number} of what passes the rules are duplicates"
        if len(doubled) > 1:
            who = f"most of what passes the rules in {len(doubled)} sources are duplicates: {_list_concerned(doubled)}"
        advice = (
            f"is the same input named twice? `corpus sample DIR --duplicates --source {_heaviest(doubled)}`"
        )
        alarm_list.append(Alarm(_sum_weights(doubled), f"{who}: {advice} shows some"))
    return alarm_list


def _check_quarantine(quarantine: pa.Table, sums: Sums) -> list[Alarm]:
    records: dict[str, int] = defaultdict(int)
    for row in quarantine.to_pylist():
        records[row["source"]] += row["records"]
    outcomes = _sum_outcomes(sums, 0)
    concerned = []
    for source, count in records.items():
        share = count / (outcomes[source]["read"] + count)
        if share > MAX_QUARANTINE_SHARE:
            concerned.append(_Concerned(source, count, f"{count:,}, {share:.1%}"))
    if not concerned:
        return []
    count = _sum_weights(concerned)
    records_text = "1 record" if count == 1 else f"{count:,} records"
    if len(concerned) == 1:
        (one,) = concerned
        who = f"source {one.name}: {records_text} could not be read ({one.number.rpartition(' ')[2]})"
        command = f"`corpus sample DIR --quarantine --source {one.name}`"
    else:
        who = f"{records_text} of {len(concerned)} sources could not be read: {_list_concerned(concerned)}"
        command = "`corpus sample DIR --quarantine`"
    return [Alarm(count, f"{who}: {command} shows the file, the offset and the reason of each")]


def _check_domains(domains: pa.Table, sums: Sums) -> list[Alarm]:
    kept = _sum_kept(sums)
    of_source = {source: did["kept"] for source, did in _sum_outcomes(sums, 0).items()}
    concerned = []
    for row in domains.to_pylist() if kept >= MIN_DOCUMENTS else ():
        is_its_source = row["kept"] > WHOLE_SOURCE_SHARE * of_source.get(row["source"], 0)
        if row["domain"] and row["kept"] > MAX_DOMAIN_SHARE * kept and not is_its_source:
            number = f"{row['kept'] / kept:.0%} of the documents kept (source {row['source']})"
            concerned.append(_Concerned(row["domain"], row["kept"], number))
    if not concerned:
        return []
    advice = f"`corpus sample DIR --domain {_heaviest(concerned)}` shows some"
    if len(concerned) == 1:
        return [Alarm(concerned[0].weight, f"domain {concerned[0].name} is {concerned[0].number}: {advice}")]
    listed = _list_concerned(concerned, "{name}, {number}")
    return [
        Alarm(_sum_weights(concerned), f"{len(concerned)} domains are much of the corpus: {listed}: {advice}")
    ]


def _check_tokens(tokens: pa.Table) -> list[Alarm]:
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in tokens.to_pylist():
        for at, name in enumerate(("documents", "bytes", "tokens")):
            sizes[row["language"]][at] += row[name]
    concerned = [
        _Concerned(language, count, f"{size / spent:.2f} bytes a token")
        for language, (count, size, spent) in sizes.items()
        if count >= MIN_DOCUMENTS and size < MIN_BYTES_PER_TOKEN * spent
    ]
    if not concerned:
        return []
    advice = "`tokenizer: {vocabulary: ...}` sets a larger one, and it is trained on what the mixture weighs"
    fits = "this language" if len(concerned) == 1 else "these languages"
    listed = _list_concerned(concerned, "{name}: {number}")
    return [Alarm(_sum_weights(concerned), f"{listed}: the vocabulary fits {fits} poorly: {advice}")]


def _check_mixture(mixture: Mapping[str, Any]) -> list[Alarm]:
    streams = [stream for stream in mixture.get("streams", []) if stream["epochs"] > MAX_EPOCHS]
    if len(streams) < 2:
        return [Alarm(0, describe_repeated(stream)) for stream in streams]
    concerned = [
        _Concerned(
            f"{stream['source']} {stream['language']}",
            round(1000 * stream["epochs"]),
            f"{stream['epochs']:.1f}",
        )
        for stream in streams
    ]
    text = (
        f"mixture: {len(streams)} streams are seen more than four times while the trainer draws as many tokens as the "
        f"corpus has, which gains little: {_list_concerned(concerned)}. Lower their weights in `mixture`, raise "
        "`temperature`, add text, or train with `max_epochs: 4` in a file for `corpus train --mixture`"
    )
    return [Alarm(0, text)]


def describe_repeated(stream: Mapping[str, Any]) -> str:
    """Return a line on a source and language that a mixture repeats more than is good for it: why, and what to do."""
    return (
        f"mixture: {stream['source']} {stream['language']} is seen {stream['epochs']:.1f} times while the trainer "
        "draws as many tokens as the corpus has, since its weight is larger than its share of the tokens: more than "
        "four repetitions gain little. Lower its weight in `mixture`, raise `temperature`, add text, or train with "
        "`max_epochs: 4` in a file for `corpus train --mixture`"
    )


def _check_validation(sums: Sums, shares: Shares) -> list[Alarm]:
    kept, valid = _sum_kept(sums), _sum_kept(sums, "valid")
    if kept >= MIN_DOCUMENTS and shares.base and not valid:
        text = "validation is empty: no language has enough documents for a larger share of its own"
        return [Alarm(kept, text)]
    by_language: dict[str, int] = defaultdict(int)
    for (_, language, what, _), number in sums.items():
        by_language[language] += number if what == "kept" else 0
    expected = sum(number * shares.of(language).share for language, number in by_language.items())
    if valid >= MIN_DOCUMENTS and valid > 3 * expected:
        shares_text = f"{valid / kept:.1%} of the documents instead of {expected / kept:.1%}"
        text = f"validation has {shares_text}: one group is large"
        return [Alarm(valid, text)]
    return []


def find_unvalidated(tokens: pa.Table) -> dict[str, int]:
    """Return languages with training tokens and no text in validation, with their training documents, most first."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: {"train": 0, "valid": 0})
    for row in tokens.to_pylist():
        sizes[row["language"]][row["split"]] += row["documents"]
    training_documents = {
        name: row["train"] for name, row in sizes.items() if row["train"] and not row["valid"]
    }
    return dict(sorted(training_documents.items(), key=lambda item: (-item[1], item[0])))


def describe_unvalidated(tokens: pa.Table) -> str | None:
    """Return a line about those languages, or None if there are none."""
    languages = find_unvalidated(tokens)
    if not languages:
        return None
    names = ", ".join(list(languages)[:5]) + (" ..." if len(languages) > 5 else "")
    singular = len(languages) == 1
    return (
        f"{len(languages)} language{'' if singular else 's'} ({names}) {'has' if singular else 'have'} training text "
        "but no validation text and will not be measured: fewer than five documents, or a share that is pinned"
    )


def _check_unvalidated(tokens: pa.Table, shares: Shares) -> list[Alarm]:
    text = describe_unvalidated(tokens) if shares.base else None
    return [Alarm(sum(find_unvalidated(tokens).values()), text)] if text else []


def _sum_kept(sums: Sums, side: str | None = None) -> int:
    kept = {key: number for key, number in sums.items() if key[2] == "kept"}
    return sum(number for (_, _, _, key), number in kept.items() if side in (None, key))
