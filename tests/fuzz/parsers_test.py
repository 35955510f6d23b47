"""Every format on damaged real records, in the supervised parser: a text, nothing, or a named reason; never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from corpus.document import Record
from corpus.extract import FORMATS, ExtractedText
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.supervised import Parser, RejectedRecord
from corpus.sources import source_class
from tests.fuzz.mutations import DOCUMENTED, Operation, long, mutated, operations, short
from tests.fuzz.sources_test import SAMPLES

BUDGETS = Budgets(seconds=10)
EXPECTED = ("damaged", "decode", "depth", "bytes", "tags")
"""Reasons that damage may have: a crash, a hang or too much memory is a fault of ours to be found here."""
OTHERS = {
    "text/x-news": "warc",
    "text/plain": "text",
    "text/x-code": "text",
    "text/x-code; secrets=kept": "text",
}
"""Formats that no sample has of itself, and whose records serve instead."""


@pytest.fixture(scope="module")
def parsing() -> Iterator[Parser]:
    found = Parser("fast", BUDGETS)
    yield found
    found.close()


@pytest.fixture(scope="module")
def records(data: Path) -> dict[str, Record]:
    """A record of every format, the largest of those under 2 MB in the samples."""
    found: dict[str, Record] = {}
    by_sample: dict[str, Record] = {}
    for name, (kind, path, options) in SAMPLES.items():
        if not path:
            continue
        full = data / path
        source = source_class(kind).model_validate({"kind": kind, "paths": [str(full)], **options})
        for record in source.read(str(full), full.name, 0, full.stat().st_size):
            if not isinstance(record, Record) or record.gate is not None or len(record.body) > 2_000_000:
                continue
            for known, key in ((found, record.media_type), (by_sample, name)):
                if key not in known or len(known[key].body) < len(record.body):
                    known[key] = record
    path = data / "books/epub/idpf-regime-anticancer-arabic.epub"
    book = source_class("books").model_validate({"kind": "books", "paths": [str(path)]})
    for record in book.read(str(path), path.name, 0, path.stat().st_size):
        if isinstance(record, Record):
            found[record.media_type] = record
    for media_type, name in OTHERS.items():
        if media_type not in found and name in by_sample:
            found[media_type] = replace(by_sample[name], media_type=media_type)
    return found


def answers(parsing: Parser, record: Record, changes: list[Operation]) -> None:
    body = record.body.encode("utf-8", "surrogatepass") if isinstance(record.body, str) else record.body
    damaged: bytes | str = mutated(body, changes)
    if isinstance(record.body, str):
        damaged = damaged.decode("utf-8", "replace") if isinstance(damaged, bytes) else damaged
    ((_, answer),) = parsing.extract_each([(None, replace(record, body=damaged))])
    if isinstance(answer, RejectedRecord):
        assert answer.reason in EXPECTED, answer
        if answer.reason == "damaged":
            assert answer.error.startswith(DOCUMENTED), answer
    elif answer is not None:
        assert isinstance(answer, ExtractedText) and answer.text


@pytest.mark.parametrize("media_type", [*FORMATS, "text/plain"])
def test_damaged_records_are_parsed_or_refused(
    parsing: Parser, records: dict[str, Record], media_type: str
) -> None:
    if media_type not in records:
        pytest.skip(f"no sample of {media_type}: add one to SAMPLES")

    @short(12)
    @given(operations)
    def damaged(changes: list[Operation]) -> None:
        answers(parsing, records[media_type], changes)

    damaged()


@pytest.mark.soak
@pytest.mark.parametrize("media_type", [*FORMATS, "text/plain"])
def test_damaged_records_for_long(parsing: Parser, records: dict[str, Record], media_type: str) -> None:
    if media_type not in records:
        pytest.skip(f"no sample of {media_type}: add one to SAMPLES")

    @long()
    @given(operations)
    def damaged(changes: list[Operation]) -> None:
        answers(parsing, records[media_type], changes)

    damaged()
