"""Searches among no documents, one, the same again and again, none alike, and with one word a million times."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.ledger.duplicate_alarms import find_duplicate_alarms
from corpus.ledger.tables import COUNTS_SCHEMA, DUPLICATES_SCHEMA, build_canary_tables
from tests.dedup.texts import STORIES
from tests.pipelines.containment_test import search as find_duplicates
from tests.pipelines.repeats_test import Stored, store
from tests.pipelines.repeats_test import search as find_repeats

EVERYTHING = {"canaries": 6, "minhash": {"containment": 0.9}}
REPEATS: dict[str, Any] = {
    "paragraphs": {"documents": 2, "min_characters": 20},
    "lines": {"pages": 2},
    "spans": {"min_characters": 40},
}


def draw(seed: str, count: int) -> str:
    """Words that no other text has."""
    return " ".join(
        hashlib.blake2b(f"{seed} {at}".encode(), digest_size=5).hexdigest() for at in range(count)
    )


def name_texts(texts: list[str], language: str = "eng_Latn") -> dict[str, tuple[str, str]]:
    return {f"{at}": (language, text) for at, text in enumerate(texts)}


@pytest.mark.parametrize("way", [True, False], ids=["runs", "engine"])
def test_duplicates_among_odd_documents(tmp_path: Path, way: bool) -> None:
    tha, han = STORIES["tha_Thai"], STORIES["cmn_Hans"]
    million = "ha " * 1_000_000
    cases: list[tuple[str, dict[str, tuple[str, str]], list[str]]] = [
        ("none", {}, []),
        ("one", name_texts([tha], "tha_Thai"), []),
        ("same", name_texts(30 * [han], "cmn_Hans"), 29 * ["exact"]),
        ("different", name_texts([draw(f"d{at}", 120) for at in range(20)]), []),
        ("million", name_texts([million, million[:-3], "ha", draw("m", 90)]), ["minhash"]),
        ("empty", name_texts(["", " ", "\n\t", "…", "!!! ???"]), []),
    ]
    for name, texts, expected in cases:
        folder = tmp_path / name
        folder.mkdir()
        found = find_duplicates(folder, texts, EVERYTHING, in_runs=way)
        assert [level for level, _, _ in found.values()] == expected, name
        assert len({kept for _, kept, _ in found.values()}) <= 1
        audit = pq.read_table(folder / "dedup" / "audit.parquet")
        tables = dict(
            zip(
                ("canaries", "canary_bands"),
                build_canary_tables(str(folder / "dedup" / "audit.parquet")),
                strict=True,
            )
        )
        assert sum(tables["canaries"]["pairs"].to_pylist()) == len(audit)
        none = {"counts": COUNTS_SCHEMA.empty_table(), "duplicates": DUPLICATES_SCHEMA.empty_table()}
        assert find_duplicate_alarms(tables | none, {}) == []


def test_repeats_in_odd_documents(tmp_path: Path) -> None:
    on = "https://x.example/"
    alone = [Stored(STORIES["arb_Arab"], on)]
    million = [Stored("ha " * 100_000, on), Stored("ha " * 60_000, on)]
    for name, documents in (
        ("none", []),
        ("one", alone),
        ("different", [Stored(draw(f"d{at}", 80), on) for at in range(6)]),
        ("dropped", [Stored(STORIES["arb_Arab"], on, kept=False) for _ in range(3)]),
        ("empty", [Stored(text, on) for text in ("", " ", "\n\n", "…")]),
    ):
        assert find_repeats(store(tmp_path / name, {"a": documents}), {"a": documents}, REPEATS) == {}, name
    same = {"a": 5 * alone}
    found = find_repeats(store(tmp_path / "same", same), same, REPEATS)
    assert {row for _, row in found} == {1, 2, 3, 4}
    text = STORIES["arb_Arab"].rstrip()
    assert {(start, end) for spans in found.values() for start, end, _ in spans} <= {
        (0, len(text)), (0, len(text) - 1), (0, len(STORIES["arb_Arab"]))
    }  # fmt: skip
    found = find_repeats(store(tmp_path / "million", {"a": million}), {"a": million}, REPEATS)
    marked = sum(end - start for start, end, kind in found["a", 1] if kind == "span")
    assert marked >= 3 * 60_000 - 5
