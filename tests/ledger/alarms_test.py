"""Alarms: one for each problem, with all sources and languages that have it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from corpus.ledger.alarms import find_alarms
from corpus.ledger.tables import COUNTS_SCHEMA, DOMAIN_SUMS_SCHEMA, RULES_SCHEMA, TOKENS_SCHEMA
from corpus.validation import Shares

Counts = list[tuple[str, str, str, str, int]]


def alarms(counts: Counts, mixture: Any = None, **others: list[dict[str, Any]]) -> list[str]:
    """The alarms of (source, language, what, key, documents), of which each rule that fails has a bound."""
    rows = [
        {
            "source": source,
            "language": language,
            "snapshot": "",
            "what": what,
            "key": key,
            "documents": documents,
        }
        for source, language, what, key, documents in counts
    ]
    bounds = [
        {"source": source, "language": language, "rule": key, "signal": key.rpartition(".")[0]}
        for source, language, what, key, _ in counts
        if what == "failed"
    ]
    schemas = {"rules": RULES_SCHEMA, "domains": DOMAIN_SUMS_SCHEMA, "tokens": TOKENS_SCHEMA}
    quarantine = pa.schema([("source", pa.string()), ("records", pa.int64())])
    tables = {
        "counts": pa.Table.from_pylist(rows, COUNTS_SCHEMA),
        "quarantine": pa.Table.from_pylist(others.get("quarantine", []), quarantine),
        **{
            name: pa.Table.from_pylist({"rules": bounds, **others}.get(name, []), schema)
            for name, schema in schemas.items()
        },
    }
    return [alarm.text for alarm in find_alarms(tables, mixture or {}, Shares(0, {}))]


def outcomes(source: str, language: str, texts: int, kept: int, gated: int = 0, duplicate: int = 0) -> Counts:
    counted = {"read": texts + gated, "gated": gated, "passed": texts, "duplicate": duplicate, "kept": kept}
    counted["rules"] = texts - kept - duplicate
    return [(source, language, what, "", number) for what, number in counted.items() if number]


def test_sources_with_unreadable_records_share_an_alarm() -> None:
    names = ["新闻", "b", "c", "d", "e", "f", "g", "h"]
    counts = [row for name in names for row in outcomes(name, "cmn_Hans", 100, 90)]
    quarantine = [{"source": name, "records": 90 - at} for at, name in enumerate(names)]
    (alarm,) = alarms(counts, quarantine=quarantine)
    assert alarm.startswith(
        "692 records of 8 sources could not be read: 新闻 (90, 47.4%), b (89, 47.1%), c (88"
    )
    assert " and 2 more: `corpus sample DIR --quarantine` shows" in alarm
    (alone,) = alarms(outcomes("a", "tha_Thai", 100, 90), quarantine=[{"source": "a", "records": 1300}])
    assert alone.startswith(
        "source a: 1,300 records could not be read (92.9%): `corpus sample DIR --quarantine --source a`"
    )


def test_a_lost_source_is_one_alarm_whatever_its_languages_and_rules() -> None:
    counts: Counts = []
    for language in ("cmn_Hans", "tha_Thai", "hin_Deva", "arb_Arab"):
        counts += outcomes("web", language, 100, 0)
        counts += [
            ("web", language, "failed", "text.words.min", 99),
            ("web", language, "failed", "c4.lines.min", 60),
        ]
    counts += outcomes("wiki", "rus_Cyrl", 100, 90)
    (alarm,) = alarms(counts)
    assert alarm == (
        "source web: 0 of 400 texts are kept; text.words.min fails 99%: `corpus sample DIR --dropped --source web` "
        "shows what is dropped"
    )


def test_several_lost_sources_share_an_alarm_and_languages_elsewhere_have_their_own() -> None:
    counts = [row for name in ("a", "b", "c") for row in outcomes(name, "kor_Hang", 100, 1)]
    counts += outcomes("d", "ben_Beng", 200, 2) + outcomes("d", "eng_Latn", 9000, 9000)
    lost, language = alarms(counts)
    assert lost.startswith(
        "next to nothing is kept of 3 sources: a (1 of 100 texts), b (1 of 100 texts) and c (1 of"
    )
    assert language.startswith(
        "language ben_Beng: 2 of 200 texts are kept: `corpus sample DIR --dropped --language ben_Beng`"
    )


def test_a_small_language_is_lost_whole_where_chance_would_keep_some() -> None:
    most = outcomes("web", "deu_Latn", 90, 60)
    (alarm,) = alarms([*most, *outcomes("web", "swh_Latn", 8, 0)])
    assert alarm.startswith(
        "language swh_Latn: 0 of 8 texts are kept: `corpus sample DIR --dropped --language swh"
    )
    assert not alarms([*most, *outcomes("web", "swh_Latn", 5, 0), *outcomes("web", "tha_Thai", 8, 1)])
    assert not alarms([*outcomes("web", "deu_Latn", 90, 10), *outcomes("web", "swh_Latn", 30, 0)])


def test_a_rule_is_one_alarm_for_all_its_languages() -> None:
    counts: Counts = []
    for at, language in enumerate(("cmn_Hans", "jpn_Jpan", "tha_Thai")):
        counts += [
            *outcomes("web", language, 100, 20),
            ("web", language, "failed", "text.words.min", 60 + at),
        ]
    (alarm,) = alarms(counts)
    assert alarm == (
        "text.words.min fails 62% of the texts it applies to in tha_Thai, 61% in jpn_Jpan and 60% in cmn_Hans: does "
        "the bound suit these languages? `rules: {languages: ...}` in the manifest sets another"
    )


def test_rules_that_fail_the_same_languages_share_an_alarm() -> None:
    counts = outcomes("web", "amh_Ethi", 100, 20)
    for rule, documents in (("c4.lines.min", 70), ("text.words.min", 80), ("gopher.words.max", 10)):
        counts.append(("web", "amh_Ethi", "failed", rule, documents))
    (alarm,) = alarms(counts)
    assert alarm.startswith(
        "text.words.min (80%) and c4.lines.min (70%) each fail more than half of the texts they apply to in amh_Ethi: "
        "do the bounds suit the language? `rules: {languages: ...}`"
    )


def test_gates_duplicates_domains_streams_and_vocabularies_share_theirs() -> None:
    counts: Counts = []
    for name in ("a", "b"):
        counts += outcomes(name, "deu_Latn", 100, 40, gated=2000, duplicate=60)
    found = alarms(counts)
    assert len(found) == 2
    assert "gates stop most records of 2 sources: a (95%) and b (95%)" in found[0]
    assert "duplicates: a (60%) and b (60%): is the same input named twice?" in found[1]
    streams = {
        "streams": [{"source": "a", "language": name, "epochs": 5.5} for name in ("tha_Thai", "khm_Khmr")]
    }
    (mixture,) = alarms([], streams)
    assert (
        "2 streams are seen more than four times" in mixture
        and "a khm_Khmr (5.5) and a tha_Thai (5.5)" in mixture
    )
    tokens = [
        {"split": "train", "source": "a", "language": name, "documents": 60, "tokens": 100, "bytes": 120 + at}
        for at, name in enumerate(("lao_Laoo", "mya_Mymr"))
    ]
    (vocabulary,) = alarms([], tokens=tokens)
    assert vocabulary.startswith(
        "lao_Laoo: 1.20 bytes a token and mya_Mymr: 1.21 bytes a token: the vocabulary fits these"
    )
    domains = [{"source": "a", "domain": f"{name}.example", "kept": 400} for name in ("x", "y")]
    (many,) = alarms(outcomes("a", "eng_Latn", 1000, 1000), domains=domains)
    assert many.startswith(
        "2 domains are much of the corpus: x.example, 40% of the documents kept (source a) and y.example"
    )
