"""Damage costs the damaged records and no other, and what it costs is named: the table of docs/hardening.md."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from corpus.document import Failure, Record
from corpus.sources.web.warc import Warc
from tests.damage import DAMAGES, HIT, RECORDS, UNSEEN, kinds, rows, table

LESS = {("ARC", "its second half missing"): 1}
"""Where a record is lost that could be read: a plain ARC whose line says more bytes than there are takes the rest from
the record behind it."""
ARCHIVES = {
    "aut/badexample.arc.gz": (3, 1),
    "pywb/bad.arc": (2, 1),
    "pywb/dupes.warc.gz": (12, 0),
    "pywb/example.arc.gz": (1, 0),
    "pywb/iana.warc.gz": (171, 0),
    "pywb/missing-status-text.warc": (1, 0),
    "pywb/valid_example_1.wacz": (1, 0),
    "resiliparse/warcfile.warc.gz": (16, 0),
    "resiliparse/warcfile.warc.lz4": (16, 0),
    "cc-whirlwind/whirlwind.warc.wet.gz": (1, 0),
    "cc-whirlwind/whirlwind.warc.wat.gz": (0, 0),
    "warcio-testdata/example-bad-non-chunked.warc.gz": (2, 0),
    "warcio-testdata/example-bad.warc.gz.bad": (3, 0),
    "warcio-testdata/example-space-in-url.arc": (1, 0),
    "warcio-testdata/example-space-in-target-uri.warc.gz": (1, 0),
    "warcio-testdata/example-trunc.warc": (1, 0),
    "warcio-testdata/example-wget-bad-target-uri.warc.gz": (3, 0),
    "warcio-testdata/example-wrong-chunks.warc.gz": (1, 0),
    "warcio-testdata/example-digest.warc": (0, 0),
}
"""Real archives, good and bad: pages and gated records, and losses named. WAT files and example-digest.warc hold
metadata and requests only."""


def test_every_readable_record_is_used_and_every_loss_named() -> None:
    found = list(rows())
    assert len(found) == len(kinds()) * len(DAMAGES)
    for row in found:
        less = LESS.get((row.kind, row.damage), 0)
        assert row.used == row.readable - less, row
        if row.used < RECORDS and (row.kind, row.damage) not in UNSEEN:
            assert row.named >= 1, row


@pytest.mark.parametrize("packed", ["WARC .gz", "WARC .zst", "WARC .lz4"])
def test_a_loss_is_placed_between_the_records_around_it(tmp_path: Path, packed: str) -> None:
    kind = next(kind for kind in kinds() if kind.name == packed)
    start, end = kind.span(HIT)
    path = tmp_path / "file"
    path.write_bytes(DAMAGES["half of it noise"](kind.content, start, end))
    found = list(kind.source.read(str(path), "file", 0, path.stat().st_size))
    (loss,) = [one for one in found if isinstance(one, Failure)]
    assert (loss.offset, loss.offset + loss.length) == (start, end)


def test_a_frame_of_zeros_between_records_costs_nothing_but_itself(tmp_path: Path) -> None:
    kind = next(kind for kind in kinds() if kind.name == "WARC .zst")
    at, bomb = kind.span(HIT)[0], zstandard.compress(bytes(256 << 20))
    assert len(bomb) * 10_000 < 256 << 20
    path = tmp_path / "file"
    path.write_bytes(kind.content[:at] + bomb + kind.content[at:])
    found = list(kind.source.read(str(path), "file", 0, path.stat().st_size))
    (loss,) = [one for one in found if isinstance(one, Failure)]
    assert (loss.offset, loss.length) == (at, len(bomb))
    assert len(found) == RECORDS + 1


def test_undamaged_files_are_read_whole(tmp_path: Path) -> None:
    for kind in kinds():
        path = tmp_path / "file"
        path.write_bytes(kind.content)
        found = list(kind.source.read(str(path), "file", 0, path.stat().st_size))
        assert [type(one) for one in found] == [Record] * RECORDS, kind.name


@pytest.mark.parametrize("name", ARCHIVES)
def test_real_archives_good_and_bad(data: Path, name: str) -> None:
    path = data / "warc" / name
    found = list(Warc(paths=["x"]).read(str(path), path.name, 0, path.stat().st_size))
    losses = [one for one in found if isinstance(one, Failure)]
    assert (len(found) - len(losses), len(losses)) == ARCHIVES[name]


def test_the_documentation_has_the_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "hardening.md").read_text(encoding="utf-8")
    assert table() in text, "python -m tests.damage prints the table"
