"""Alarms: numbers of a ledger that deserve attention, each with its place and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from corpus.ledger.views import count_texts_of_rules
from corpus.validation import Shares

MIN_DOCUMENTS = 50
"""Number of documents below which shares are not significant."""
MAX_FAILED_SHARE, MIN_KEPT_SHARE, MAX_GATED_SHARE, MAX_DUPLICATE_SHARE = 0.5, 0.05, 0.9, 0.5
MAX_QUARANTINE_SHARE, MAX_DOMAIN_SHARE = 0.01, 0.2
WHOLE_SOURCE_SHARE = 0.9
"""Share of its source above which a domain counts as the source itself, such as wikipedia.org: no alarm."""
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
    """Return all alarms, the weightiest first. `shares` are those of validation. Commands name the workspace
    DIR: a report has the same bytes wherever it lies."""
    sums: Sums = defaultdict(int)
    for row in tables["counts"].to_pylist():
        sums[row["source"], row["language"], row["what"], row["key"]] += row["documents"]
    alarm_list = [
        *_check_rules(sums, count_texts_of_rules(tables["counts"], tables["rules"], "language")),
        *_check_outcomes(sums),
        *_check_quarantine(tables["quarantine"], sums),
        *_check_domains(tables["domains"], sums),
    ]
    alarm_list += [
        *_check_tokens(tables["tokens"]),
        *_check_mixture(mixture),
        *_check_validation(sums, shares),
    ]
    alarm_list += _check_unvalidated(tables["tokens"], shares)
    return sorted(alarm_list, key=lambda alarm: (-alarm.weight, alarm.text))


def _check_rules(sums: Sums, having: Mapping[tuple[str, str], int]) -> list[Alarm]:
    failed: dict[tuple[str, str], int] = defaultdict(int)
    for (_, language, what, key), documents in sums.items():
        if what == "failed":
            failed[language, key] += documents
    alarm_list = []
    for (language, rule), documents in failed.items():
        texts = having.get((language, rule), 0)
        if texts >= MIN_DOCUMENTS and documents > MAX_FAILED_SHARE * texts:
            text = f"{rule} fails {documents / texts:.0%} of the texts it applies to in {language}: does the "
            text += "bound suit the language? `rules: {languages: ...}` in the manifest sets another"
            alarm_list.append(Alarm(documents, text))
    return alarm_list


def _check_outcomes(sums: Sums) -> list[Alarm]:
    by: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (source, language, what, _), documents in sums.items():
        by["source", source][what] += documents
        by["language", language][what] += documents
    alarm_list = []
    for (kind, name), did in sorted(by.items()):
        read, texts, passing = did["read"], did["passed"], did["passed"] - did["rules"]
        if texts >= MIN_DOCUMENTS and did["kept"] < MIN_KEPT_SHARE * texts:
            text = f"{kind} {name}: {did['kept']:,} of {texts:,} texts are kept: "
            alarm_list.append(
                Alarm(texts, text + f"`corpus sample DIR --dropped --{kind} {name}` shows what is dropped")
            )
        if kind == "source" and read >= MIN_DOCUMENTS and did["gated"] > MAX_GATED_SHARE * read:
            text = (
                f"source {name}: gates stop {did['gated'] / read:.0%} of the records: is the input what it "
            )
            alarm_list.append(Alarm(read, text + "should be? `corpus stats DIR --by gate` names the gates"))
        if kind == "source" and passing >= MIN_DOCUMENTS and did["duplicate"] > MAX_DUPLICATE_SHARE * passing:
            text = f"source {name}: {did['duplicate'] / passing:.0%} of what passes the rules are duplicates: is "
            alarm_list.append(
                Alarm(
                    passing,
                    text
                    + f"the same input named twice? `corpus sample DIR --duplicates --source {name}` shows some",
                )
            )
    return alarm_list


def _check_quarantine(quarantine: pa.Table, sums: Sums) -> list[Alarm]:
    records: dict[str, int] = defaultdict(int)
    for row in quarantine.to_pylist():
        records[row["source"]] += row["records"]
    alarm_list = []
    for source, count in records.items():
        read = sum(number for (name, _, what, _), number in sums.items() if name == source and what == "read")
        if count > MAX_QUARANTINE_SHARE * (read + count):
            records_text = "1 record" if count == 1 else f"{count:,} records"
            text = f"source {source}: {records_text} could not be read ({count / (read + count):.1%}): `corpus sample "
            text += f"DIR --quarantine --source {source}` shows the file, the offset and the reason of each"
            alarm_list.append(Alarm(count, text))
    return alarm_list


def _check_domains(domains: pa.Table, sums: Sums) -> list[Alarm]:
    kept = _sum_kept(sums)
    of_source: dict[str, int] = defaultdict(int)
    for (source, _, what, _), number in sums.items():
        of_source[source] += number if what == "kept" else 0
    alarm_list = []
    for row in domains.to_pylist():
        is_its_source = row["kept"] > WHOLE_SOURCE_SHARE * of_source[row["source"]]
        if (
            row["domain"]
            and kept >= MIN_DOCUMENTS
            and row["kept"] > MAX_DOMAIN_SHARE * kept
            and not is_its_source
        ):
            text = f"domain {row['domain']} is {row['kept'] / kept:.0%} of the documents kept "
            alarm_list.append(Alarm(row["kept"], text + f"(source {row['source']})"))
    return alarm_list


def _check_tokens(tokens: pa.Table) -> list[Alarm]:
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in tokens.to_pylist():
        for at, name in enumerate(("documents", "bytes", "tokens")):
            sizes[row["language"]][at] += row[name]
    return [
        Alarm(
            count, f"{language}: {size / spent:.2f} bytes a token: the vocabulary fits this language poorly"
        )
        for language, (count, size, spent) in sizes.items()
        if count >= MIN_DOCUMENTS and size < MIN_BYTES_PER_TOKEN * spent
    ]


def _check_mixture(mixture: Mapping[str, Any]) -> list[Alarm]:
    return [
        Alarm(0, describe_repeated(stream))
        for stream in mixture.get("streams", [])
        if stream["epochs"] > MAX_EPOCHS
    ]


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
