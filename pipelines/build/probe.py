"""Look at the input of a plan before the work: files that cannot be read, and field names that no row has."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from corpus import storage
from corpus.document import Failure
from corpus.formats.yaml_lines import KeyPath
from corpus.ledger.reasons import name_reason
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.context import Tools
from corpus.pipelines.ingest import read_records
from corpus.sources.input_split import InputSplit
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.tables.parquet import PARQUET_DAMAGE, Parquet
from corpus.storage.checked import peeking

PROBE_SECONDS = 20.0
"""Seconds after which no further file is looked at."""
PEEKED_FILES, PEEKED_ROWS = 4, 200
"""Files of a source, and rows of each, whose fields are looked at."""
MAX_PLACES = 3
"""Places that are named of one reason."""
MAX_NAMED_FIELDS = 10

Show = Callable[[str, int, int], None]


@dataclass
class Failures:
    """Failures by source and reason: how many records, in how many files, and the first places."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _seen: set[tuple[str, str, int, str]] = field(default_factory=set)

    def add(self, source: str, failure: Failure) -> None:
        """Count a failure once, however often it is met."""
        known = (source, failure.file, failure.offset, failure.step)
        if known in self._seen:
            return
        self._seen.add(known)
        key = (source, name_reason(failure.reason, failure.error))
        self.records[key] += 1
        places = self.places.setdefault(key, [])
        if len(places) < MAX_PLACES and all(not place.startswith(f"{failure.file} @ ") for place in places):
            places.append(f"{failure.file} @ {failure.offset}")

    def rows(self) -> list[dict[str, Any]]:
        """Return source, reason, records and the first places, by source, the most records first."""
        ranked = sorted(self.records.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
        return [
            {"source": source, "reason": reason, "records": number, "places": self.places[source, reason]}
            for (source, reason), number in ranked
        ]


@dataclass
class Probe:
    """What the first record of each file came to: the files looked at, of all, and their failures."""

    files: int = 0
    looked_at: int = 0
    failures: Failures = field(default_factory=Failures)


def probe_files(plan: BuildPlan, show: Show = lambda stage, done, total: None) -> Probe:
    """Read the beginning of every input file, up to its first record, and note which cannot be read.

    Stops after `PROBE_SECONDS`. Damage further inside a file is met by a dry run or the build alone.
    """
    firsts: dict[tuple[str, str], InputSplit] = {}
    for split in (piece for shared in plan.splits for piece in shared.pieces):
        first = firsts.setdefault((split.source, split.file), split)
        if split.start < first.start:
            firsts[split.source, split.file] = split
    probe = Probe(files=len(firsts))
    began = time.monotonic()
    for (source, _), split in firsts.items():
        if time.monotonic() - began > PROBE_SECONDS:
            break
        for failure in _list_first_failures(plan.tools, split):
            probe.failures.add(source, failure)
        probe.looked_at += 1
        show("files", probe.looked_at, probe.files)
    return probe


def _list_first_failures(tools: Tools, split: InputSplit) -> Iterator[Failure]:
    """Yield the failure that a split begins with, if it does."""
    records = read_records(tools, split)
    with peeking():
        try:
            outcome, _ = next(records, (None, None))
        finally:
            records.close()
    if isinstance(outcome, Failure):
        yield outcome


def describe_unmatched_fields(plan: BuildPlan) -> list[str]:
    """Return a line, with file, line and key, on each source whose `fields` name what no row of its first ones has.

    Keys that come from a layout are named where the text is missing, too: published files lack some of the others.
    """
    lines = []
    for name, source in plan.file.manifest.sources.items():
        if not isinstance(source, Jsonl | Parquet):
            continue
        files = list(
            dict.fromkeys(
                piece.path
                for split in plan.splits
                if split.source == name
                for piece in split.pieces
                if not piece.error
            )
        )
        rows = [row for path in files[:PEEKED_FILES] for row in peek_rows(source, path)]
        if not rows:
            continue
        unmatched = source.fields.list_unmatched(rows)
        here: KeyPath = ("sources", name, "fields")
        if "text" not in unmatched:
            unmatched = {key: names for key, names in unmatched.items() if (*here, key) in plan.file.lines}
        if not unmatched:
            continue
        key = "text" if "text" in unmatched else next(iter(unmatched))
        lines.append(str(plan.file.error((*here, key), _describe_unmatched(unmatched, rows, files))))
    return lines


def peek_rows(source: Jsonl | Parquet, path: str) -> list[dict[str, Any]]:
    """Return the first rows of a file, as they are; none where it cannot be read."""
    try:
        return source.first_rows(path, PEEKED_ROWS)
    except (*PARQUET_DAMAGE, *storage.DAMAGE, storage.RemoteError):
        return []  # the probe names it


def _describe_unmatched(
    unmatched: Mapping[str, Iterable[str]], rows: list[dict[str, Any]], files: list[str]
) -> str:
    named = ", ".join(f"{' or '.join(names)} ({key})" for key, names in unmatched.items())
    there = Counter(name for row in rows for name in row)
    known = [name for name, _ in there.most_common(MAX_NAMED_FIELDS)]
    more = f" and {len(there) - len(known)} more" if len(there) > len(known) else ""
    where = f"the first {len(rows):,} rows have" if len(rows) > 1 else "the first row has"
    lost = "; without a text every row goes to quarantine" if "text" in unmatched else ""
    return (
        f"{where} no {named}: there is {', '.join(known) or 'nothing in them'}{more}: "
        f"correct the names in `fields`, or leave them out{lost}"
    )
