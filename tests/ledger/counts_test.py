"""One row group counted by hand: outcomes, rules alone and together, near misses, histograms, domains."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.ledger.counts import PartCounts
from corpus.ledger.views import build_view
from corpus.rules.rule import Rule

NAN = float("nan")


def rule(signal: str, bound: str, value: float) -> Rule:
    return Rule(
        signal=signal,
        bound=bound,
        languages={},
        manifest=None,
        calibrated={},
        default=None,
        as_presets=frozenset(),
        preset=value,
    )


MAP = pa.map_(pa.string(), pa.string())


def counted(engines: bool = False, opt_outs: bool = False) -> pa.Table:
    documents = pa.table(
        {
            "language": ["tha_Thai", "tha_Thai", "eng_Latn", "eng_Latn", None],
            "snapshot": ["may", "may", "may", "may", "may"],
            "license": ["CC BY-SA 4.0", None, None, None, None],
            "url": [
                "https://th.wikipedia.org/wiki/ก",
                "https://ข่าว.ไทย:8080/1",
                "http://a.news.co.uk/x",
                "http://user:pw@b.news.co.uk?q=http://other.com/",
                None,
            ],
            "gate": pa.array([None, None, None, None, "url.adult"]),
            "characters": [10, 20, 30, 40, 0],
            "bytes": [30, 60, 30, 40, 0],
        }
    )
    decisions = pa.table(
        {
            "gate": documents["gate"],
            "failed_rules": pa.array(
                [[], ["a.words.min"], ["a.share.max", "a.words.min"], [], None], pa.list_(pa.string())
            ),
            "split": pa.array(["train", None, None, None, None]),
            "kept": [True, False, False, False, False],
        }
    )
    level = pa.array([None, None, None, "minhash", None])
    signals = pa.table({"a.words": pa.array([51, 46, 3, 55.5, NAN], pa.float32())})
    signals = signals.append_column("a.share", pa.array([0.1, 0.0, 0.105, 0.05, NAN], pa.float32()))
    counts = PartCounts([rule("a.words", "min", 50), rule("a.share", "max", 0.1)], {})
    metadata = [{"extractor": "corpus"}, {"captured_url": "x", "extractor": "trafilatura"}, {}, None, None]
    if engines:
        maps = pa.array([list(one.items()) if one is not None else None for one in metadata], MAP)
        documents = documents.append_column("metadata", maps)
    if opt_outs:
        said = ["noai tdm-reservation", None, "noai", None, "ai-crawler"]
        documents = documents.append_column("opt_out", pa.array(said))
    counts.add(documents, decisions, level, signals)
    return counts.table()


def rows(table: str, *keys: str) -> dict[Any, Any]:
    found = {}
    for row in counted().to_pylist():
        if row["table"] == table:
            found[tuple(row[key] for key in keys)] = row
    return found


def test_outcomes_and_rules() -> None:
    found = rows("counts", "language", "what", "key")
    documents = {key: row["documents"] for key, row in found.items()}
    assert documents == {
        ("tha_Thai", "read", ""): 2,
        ("tha_Thai", "passed", ""): 2,
        ("tha_Thai", "rules", ""): 1,
        ("tha_Thai", "failed", "a.words.min"): 1,
        ("tha_Thai", "failed_only", "a.words.min"): 1,
        ("tha_Thai", "near_failed", "a.words.min"): 1,  # 46 words
        ("tha_Thai", "near_passed", "a.words.min"): 1,  # 51 words
        ("tha_Thai", "near_passed", "a.share.max"): 1,  # exactly at the bound
        ("tha_Thai", "kept", "train"): 1,
        ("eng_Latn", "read", ""): 2,
        ("eng_Latn", "passed", ""): 2,
        ("eng_Latn", "rules", ""): 1,
        ("eng_Latn", "failed", "a.words.min"): 1,
        ("eng_Latn", "failed", "a.share.max"): 1,
        ("eng_Latn", "near_failed", "a.share.max"): 1,
        ("eng_Latn", "duplicate", "minhash"): 1,
        ("und_Zyyy", "read", ""): 1,
        ("und_Zyyy", "gated", "url.adult"): 1,
    }
    assert found["eng_Latn", "rules", ""]["bytes"] == 30
    assert found["eng_Latn", "duplicate", "minhash"]["characters"] == 40
    assert {row["snapshot"] for row in found.values()} == {"may"}


def test_texts_are_counted_by_the_engine_that_read_them() -> None:
    rows = [row for row in counted(engines=True).to_pylist() if row["what"] == "extracted"]
    assert [(row["language"], row["key"], row["documents"], row["bytes"]) for row in rows] == [
        ("tha_Thai", "corpus", 1, 30),
        ("tha_Thai", "trafilatura", 1, 60),
    ]
    assert [
        row for row in counted(engines=True).to_pylist() if row["what"] != "extracted"
    ] == counted().to_pylist()


def test_documents_are_counted_by_what_their_pages_say_of_training() -> None:
    table = counted(opt_outs=True)
    counts = table.filter(pc.equal(table["table"], "counts")).drop_columns(["table"])
    assert build_view({"counts": counts}, "opt_out") == [
        {"opt_out": "noai", "documents": 2, "bytes": 60, "kept": 1, "kept_bytes": 30},
        {"opt_out": "ai-crawler", "documents": 1, "bytes": 0, "kept": 0, "kept_bytes": 0},
        {"opt_out": "tdm-reservation", "documents": 1, "bytes": 30, "kept": 1, "kept_bytes": 30},
    ]
    others = [row for row in table.to_pylist() if not (row["what"] or "").startswith("opted_out")]
    assert others == counted().to_pylist()


def test_rules_that_fail_together() -> None:
    found = rows("overlaps", "language", "key", "other")
    assert {key: row["documents"] for key, row in found.items()} == {
        ("eng_Latn", "a.share.max", "a.words.min"): 1
    }


def test_histograms_count_what_was_measured() -> None:
    found = rows("histograms", "language", "key", "bin")
    assert {key: (row["documents"], row["kept"]) for key, row in found.items()} == {
        ("tha_Thai", "a.words", 129 + 80 + 9): (1, 1),  # 32 x (1 + 9/16) = 50
        ("tha_Thai", "a.words", 129 + 80 + 7): (1, 0),
        ("eng_Latn", "a.words", 129 + 16 + 8): (1, 0),
        ("eng_Latn", "a.words", 129 + 80 + 11): (1, 0),
        ("tha_Thai", "a.share", 13): (1, 1),
        ("tha_Thai", "a.share", 0): (1, 0),
        ("eng_Latn", "a.share", 14): (1, 0),
        ("eng_Latn", "a.share", 7): (1, 0),
    }


def test_domains_are_registered_domains() -> None:
    found = {key: row["documents"] for key, row in rows("domains", "key").items()}
    assert found == {("wikipedia.org",): 1, ("ข่าว.ไทย",): 1, ("news.co.uk",): 2}
    licenses = {key: (row["documents"], row["kept_bytes"]) for key, row in rows("licenses", "key").items()}
    assert licenses == {("CC BY-SA 4.0",): (1, 30), ("",): (4, 0)}
