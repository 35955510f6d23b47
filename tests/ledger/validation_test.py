"""Languages that are trained on and never measured are told."""

from __future__ import annotations

import pyarrow as pa

from corpus.ledger.alarms import describe_unvalidated, find_unvalidated
from corpus.ledger.tables import TOKENS_SCHEMA


def table(*rows: tuple[str, str, int]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "split": split,
                "source": "web",
                "language": language,
                "documents": n,
                "tokens": 9 * n,
                "bytes": n,
            }
            for split, language, n in rows
        ],
        TOKENS_SCHEMA,
    )


def test_languages_without_validation_are_named_largest_first() -> None:
    tokens = table(
        ("train", "tha_Thai", 5),
        ("train", "cmn_Hant", 50),
        ("train", "eng_Latn", 9),
        ("valid", "eng_Latn", 1),
    )
    assert find_unvalidated(tokens) == {"cmn_Hant": 50, "tha_Thai": 5}
    told = describe_unvalidated(tokens)
    assert told is not None and told.startswith(
        "2 languages (cmn_Hant, tha_Thai) have training text but no validation text"
    )


def test_nothing_is_told_where_every_language_has_some() -> None:
    assert describe_unvalidated(table(("train", "jpn_Jpan", 5), ("valid", "jpn_Jpan", 1))) is None
