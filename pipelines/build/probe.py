"""Look at the input of a plan before the work: files that cannot be read, and field names that no row has."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corpus import storage
from corpus.document import Document, Failure
from corpus.errors import UserError, shorten_line
from corpus.formats.yaml_lines import KeyPath
from corpus.ledger.reasons import name_reason
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.context import Tools
from corpus.pipelines.ingest import process_records, read_records
from corpus.sources.file_head import find_encoding
from corpus.sources.input_split import InputSplit
from corpus.sources.tables.csv_rows import Csv
from corpus.sources.tables.fields import list_field_names, read_value
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.tables.parquet import PARQUET_DAMAGE, Parquet
from corpus.storage.checked import peeking
from corpus.suggestions import find_nearest

if TYPE_CHECKING:
    from corpus.sources.recognize import Recognized

PROBE_SECONDS = 20.0
"""Seconds after which no further file is looked at."""
PEEKED_FILES, PEEKED_ROWS = 4, 200
"""Files of a source, and rows of each, whose fields are looked at."""
EXTRACTED_RECORDS, MAX_UNREADABLE = 200, 20
"""Records of a file that are looked at in search of one that gives a text, and those in quarantine after which no other
is."""
SEARCHED_ROWS = 20_000
"""Rows of a file that are looked at where the first ones have no text."""
UNWANTED_GATE = "language.unwanted"
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
class Textless:
    """A source none of whose first records gave a text: how many were looked at, and what stopped them.

    `reasons` are gates, and reasons of quarantine.
    """

    source: str
    records: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def describe(self) -> str:
        """Return a line on it."""
        many = (
            f"none of the first {self.records:,} records" if self.records > 1 else "not the one record there"
        )
        what = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.most_common())
        unwanted = f"stopped by the gate {UNWANTED_GATE}"
        advice = (
            "`languages` of the manifest does not name theirs"
            if self.reasons.keys() == {unwanted}
            else "are `kind` and the options of the source right?"
        )
        return f"{self.source}: {many} gave a text: {what}: {advice}"


@dataclass
class Probe:
    """What the first record of each file came to: the files looked at, of all, their failures, and sources whose first
    records gave no text."""

    files: int = 0
    looked_at: int = 0
    failures: Failures = field(default_factory=Failures)
    textless: list[Textless] = field(default_factory=list)


def probe_files(plan: BuildPlan, show: Show = lambda stage, done, total: None) -> Probe:
    """Read the beginning of every input file, up to its first record, and note which cannot be read.

    Stops after `PROBE_SECONDS`. Damage further inside a file is met by a dry run or the build alone. Raises UserError
    for a list of addresses that has none.
    """
    try:
        plan.tools.lists  # noqa: B018 - read before the clock runs
    except UserError as error:
        raise plan.file.error(error.path, str(error)) from None
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
    for source in plan.file.manifest.sources:
        splits = [split for (name, _), split in firsts.items() if name == source][:PEEKED_FILES]
        if time.monotonic() - began <= PROBE_SECONDS:
            _extract_firsts(plan.tools, source, splits, probe)
    return probe


def _extract_firsts(tools: Tools, source: str, splits: list[InputSplit], probe: Probe) -> None:
    """Extract records from the beginning of files, as a build would, until one gives a text; note it if none does."""
    textless = Textless(source)
    for split in splits:
        with peeking():
            outcomes = process_records(tools, split, EXTRACTED_RECORDS)
            unreadable = 0
            for outcome in outcomes:
                if isinstance(outcome, Document) and outcome.text:
                    return
                textless.records += 1
                if isinstance(outcome, Failure):
                    probe.failures.add(source, outcome)
                    textless.reasons[f"in quarantine ({name_reason(outcome.reason, outcome.error)})"] += 1
                    unreadable += 1
                    if unreadable == MAX_UNREADABLE:
                        break
                else:
                    textless.reasons[f"stopped by the gate {outcome.gate}"] += 1
    if textless.records:
        probe.textless.append(textless)


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


def check_text_fields(plan: BuildPlan) -> None:
    """Raise UserError, with file, line and key, where no record of a source has the text that `fields` names, or a file
    of rows is in another encoding than its source says.

    Looks at the first files of every source of rows, and of each at more rows than the first ones if those have none.
    Rows, and files, without a text among others that have one are no mistake in the manifest: a build puts their
    records into quarantine, and `describe_unmatched_fields` names such files.
    """
    _check_encodings(plan)
    for name, lacking, is_all in _list_lacking(plan):
        if is_all:
            raise plan.file.error(_locate_field(plan, name, "text"), lacking[0])


def _check_encodings(plan: BuildPlan) -> None:
    """Raise UserError where a file of rows that is to be in UTF-8 is in another encoding, by its beginning."""
    for name, source, files in _list_tables(plan):
        if isinstance(source, Parquet) or source.encoding is not None:
            continue
        for path in files[:PEEKED_FILES]:
            try:
                encoding = find_encoding(path)
            except (*storage.DAMAGE, storage.RemoteError):
                continue  # the probe names it
            if encoding is not None:
                raise plan.file.error(
                    ("sources", name), f"{path} is not in UTF-8: say `encoding: {encoding}`, or convert it"
                )


def _list_lacking(plan: BuildPlan) -> Iterator[tuple[str, list[str], bool]]:
    """Yield the sources of rows that have files without a text, a line on each of those among the first files, and
    whether all are such files."""
    for name, source, files in _list_tables(plan):
        lacking, with_text = [], 0
        for path in files[:PEEKED_FILES]:
            rows = peek_rows(source, path)
            if source.fields.lacks_text(rows) and source.fields.lacks_text(
                rows := peek_rows(source, path, SEARCHED_ROWS)
            ):
                lacking.append(_describe_no_text(source, path, rows))
            else:
                with_text += bool(rows)
        if lacking:
            yield name, lacking, not with_text


def _describe_no_text(source: Jsonl | Csv | Parquet, path: str, rows: list[dict[str, Any]]) -> str:
    from corpus.sources.recognize.row_fields import guess_fields

    if isinstance(source, Parquet):
        rows = source.first_rows(path, PEEKED_ROWS, every_column=True)
    wanted = [source.fields.text] if isinstance(source.fields.text, str) else source.fields.text
    held = sorted({_name_kind(value) for row in rows if (value := read_value(row, wanted)) is not None})
    have = "have" if len(rows) > 1 else "has"
    lack = (
        f"{have} no text in {' or '.join(wanted)}, but {' and '.join(held)}"
        if held
        else (f"{have} no field {' or '.join(wanted)} for the text")
    )
    names = list_field_names(rows)
    nearest = [near for each in wanted for near in find_nearest(each, set(names) - set(wanted), 1)]
    guess = guess_fields(rows)
    if not nearest and guess is not None and isinstance(guess.fields, dict):
        nearest = [guess.fields["text"]]
    advice = f"did you mean {nearest[0]}?" if nearest else "name the one with the text in `fields`"
    if not held and (other := _recognize_other(source, path)) is not None:
        advice = f"this looks like {other.what}, which `kind: {other.kind}` reads"
    where = f"the {len(rows):,} records looked at of {path}" if len(rows) > 1 else f"the record of {path}"
    return f"{where} {lack}: there is {_list_some(names)}: {advice}"


def _recognize_other(source: Jsonl | Csv | Parquet, path: str) -> Recognized | None:
    """Return what a local file is that another kind of source reads; None if it is of this one, or nothing tells."""
    if storage.is_remote(path):
        return None
    from corpus.sources.recognize import Recognized, recognize_file

    verdict = recognize_file(path)
    return verdict if isinstance(verdict, Recognized) and verdict.kind != source.kind else None


def _name_kind(value: Any) -> str:
    """Return what a value that is no text is, in the plural of JSON's word for it."""
    kinds = {
        dict: "objects",
        list: "arrays",
        bool: "booleans",
        int: "numbers",
        float: "numbers",
        bytes: "bytes",
    }
    return kinds.get(type(value), "other values")


def _list_some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED_FIELDS} more" if len(names) > MAX_NAMED_FIELDS else ""
    return f"{', '.join(names[:MAX_NAMED_FIELDS]) or 'nothing in them'}{more}"


def _list_tables(plan: BuildPlan) -> Iterator[tuple[str, Jsonl | Csv | Parquet, list[str]]]:
    """Yield the name of every source of rows, the source, and the paths of its files."""
    for name, source in plan.file.manifest.sources.items():
        if isinstance(source, Jsonl | Csv | Parquet):
            pieces = (piece for split in plan.splits if split.source == name for piece in split.pieces)
            yield name, source, list(dict.fromkeys(piece.path for piece in pieces if not piece.error))


def _locate_field(plan: BuildPlan, source: str, key: str) -> KeyPath:
    """Return the path of a key of `fields`, or of the innermost one above it that the manifest has."""
    path: KeyPath = ("sources", source, "fields", key)
    while len(path) > 2 and path not in plan.file.lines:
        path = path[:-1]
    return path


def describe_unmatched_fields(plan: BuildPlan) -> list[str]:
    """Return a line, with file, line and key, on each source whose `fields` name what no row of its first ones has.

    Keys that come from a layout are named where the text is missing, too: published files lack some of the others.
    Files without a text beside others that have one are named as well.
    """
    lines = [
        str(plan.file.error(_locate_field(plan, name, "text"), f"{line}; its records go to quarantine"))
        for name, lacking, is_all in _list_lacking(plan)
        if not is_all
        for line in lacking
    ]
    for name, source, files in _list_tables(plan):
        rows = [row for path in files[:PEEKED_FILES] for row in peek_rows(source, path)]
        if not rows:
            continue
        if unread := source.fields.list_unread_dates(rows):
            lines.append(
                str(plan.file.error(_locate_field(plan, name, "date"), _describe_dates(unread, len(rows))))
            )
        unmatched = source.fields.list_unmatched(rows)
        here: KeyPath = ("sources", name, "fields")
        if "text" not in unmatched:
            unmatched = {key: names for key, names in unmatched.items() if (*here, key) in plan.file.lines}
        if not unmatched:
            continue
        key = "text" if "text" in unmatched else next(iter(unmatched))
        lines.append(str(plan.file.error((*here, key), _describe_unmatched(unmatched, rows))))
    return lines


def _describe_dates(unread: list[str], rows: int) -> str:
    some = ", ".join(shorten_line(each, 40) for each in dict.fromkeys(unread[:MAX_PLACES]))
    return (
        f"{len(unread):,} of the first {rows:,} rows state a date that may be one of several days, or none: {some}: "
        "`date` is null there, and metadata `date` has what they state"
    )


def peek_rows(source: Jsonl | Csv | Parquet, path: str, count: int = PEEKED_ROWS) -> list[dict[str, Any]]:
    """Return the first rows of a file, as they are; none where it cannot be read."""
    try:
        return source.first_rows(path, count)
    except (*PARQUET_DAMAGE, *storage.DAMAGE, storage.RemoteError):
        return []  # the probe names it


def _describe_unmatched(unmatched: Mapping[str, list[str]], rows: list[dict[str, Any]]) -> str:
    named = ", ".join(f"{' or '.join(names)} ({key})" for key, names in unmatched.items())
    where = f"the first {len(rows):,} rows have" if len(rows) > 1 else "the first row has"
    lost = "; without a text every row goes to quarantine" if "text" in unmatched else ""
    there = list_field_names(rows)
    asked = [name for names in unmatched.values() for each in names for name in each.split(" or ")]
    nearest = list(dict.fromkeys(near for name in asked for near in find_nearest(name, there, 1)))
    advice = (
        f"did you mean {' and '.join(nearest)}?"
        if nearest
        else "correct the names in `fields`, or leave them out"
    )
    return f"{where} no {named}: there is {_list_some(there)}: {advice}{lost}"
