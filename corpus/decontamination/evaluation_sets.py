"""Read evaluation sets: JSON Lines, JSON, CSV, TSV and Parquet, a file or a folder of them, plain or compressed.

A row without a text is listed with its reason and looked for no more; a file that cannot be read is an error.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.decontamination.item_layouts import EvaluationItem, read_item
from corpus.decontamination.options import DecontaminationOptions, EvaluationSet
from corpus.errors import UserError, describe_briefly
from corpus.storage import DAMAGE
from corpus.storage.fingerprint import file_identity, fingerprint

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst)$")
_END = "\0end"
"""What is read as a row behind the last one, unless a quotation mark is open."""
MAX_SET_BYTES = 2 << 30
"""Bytes of a set's files as they are stored, at most: larger ones are corpora, not evaluation sets."""


@dataclass(frozen=True)
class SetFiles:
    """A set of the manifest: its place there, its name, and its files, each with its name within the set."""

    place: int
    name: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReadItem:
    """An item of a set, or the reason for which there is none."""

    name: str
    item: EvaluationItem | None
    reason: str | None = None


def list_sets(options: DecontaminationOptions) -> list[SetFiles]:
    """Return the files of every set. Raises UserError, with the path of the manifest's key, for one without any."""
    sets: list[SetFiles] = []
    for place, each in enumerate(options.sets):
        try:
            files = tuple(_list_files(each.path))
        except OSError as error:
            reason = (
                "no such file or folder" if isinstance(error, FileNotFoundError) else describe_briefly(error)
            )
            raise UserError(f"{each.path}: {reason}", ("decontaminate", "sets", place)) from None
        if not files:
            raise UserError(
                f"{each.path}: no evaluation items: expected {', '.join(ENDINGS)}, plain or compressed",
                ("decontaminate", "sets", place),
            )
        size = sum(storage.size(path) for path, _ in files)
        if size > MAX_SET_BYTES:
            raise UserError(
                f"{each.path}: {size / 1e9:.1f} GB: this is a corpus, not an evaluation set",
                ("decontaminate", "sets", place),
            )
        name = each.name or _name_set(each.path)
        if name in [other.name for other in sets]:
            raise UserError(
                f"two sets are called {name}: give one of them a `name`", ("decontaminate", "sets", place)
            )
        sets.append(SetFiles(place, name, files))
    return sets


def identify_sets(options: DecontaminationOptions) -> str:
    """Identify what the sets hold and how it is read, whatever the paths. Raises UserError as `list_sets`."""
    described = [
        [
            each.name,
            options.sets[each.place].fields,
            [[name, file_identity(storage.stat(path, name))] for path, name in each.files],
        ]
        for each in list_sets(options)
    ]
    return fingerprint(described)


def read_set(files: SetFiles, options: EvaluationSet) -> Iterator[ReadItem]:
    """Yield the items of a set in the order of its files and rows. Raises UserError for a file that cannot be read."""
    for path, name in files.files:
        prefix = f"{name}:" if len(files.files) > 1 else ""
        number = 0
        try:
            for number, row in enumerate(_read_rows(path), 1):
                own = f"{prefix}{number}"
                try:
                    if not isinstance(row, Mapping):
                        raise ValueError("a row that is no object with keys")
                    item = read_item(row, own, options.fields)
                except ValueError as error:
                    yield ReadItem(own, None, str(error))
                    continue
                yield ReadItem(item.name, item)
        except (ValueError, pa.ArrowInvalid, csv.Error, RecursionError, *DAMAGE) as error:
            raise UserError(
                f"{path}, row {number + 1}: cannot be read: {describe_briefly(error)}: mend the file, or leave it out",
                ("decontaminate", "sets", files.place),
            ) from None


def _list_files(place: str) -> Iterator[tuple[str, str]]:
    if storage.is_file(place):
        yield place, place.rstrip("/").rpartition("/")[2]
        return
    if not storage.exists(place):
        raise FileNotFoundError(place)
    root = place.rstrip("/")
    for path in sorted(storage.list_files(place)):
        if _find_ending(path):
            yield path, path.removeprefix(root).lstrip("/")


def _find_ending(path: str) -> str | None:
    name = _COMPRESSED.sub("", path.lower())
    return next((ending for ending in ENDINGS if name.endswith(ending)), None)


def _name_set(path: str) -> str:
    name = _COMPRESSED.sub("", path.rstrip("/").rpartition("/")[2])
    ending = _find_ending(name)
    return name.removesuffix(ending) if ending else name


def _read_rows(path: str) -> Iterator[Any]:
    ending = _find_ending(path)
    if ending == ".parquet":
        with storage.open_input(path) as stream:
            file = pq.ParquetFile(stream)
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, use_threads=False).to_pylist()
        return
    with storage.open_decompressed(path) as stream:
        text = stream.read().decode("utf-8-sig")
    if ending in (".csv", ".tsv"):
        yield from _read_table(text, "\t" if ending == ".tsv" else ",")
    elif ending == ".json":
        yield from _list_rows(json.loads(text))
    else:
        for line in text.split("\n"):
            if line.strip():
                yield json.loads(line)


def _read_table(text: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of CSV. Raises csv.Error where a quotation mark takes in all that follows it."""
    csv.field_size_limit(1 << 26)
    row: dict[str, Any] | None = None
    for following in csv.DictReader(io.StringIO(f"{text}\n{_END}\n", newline=""), delimiter=delimiter):
        if row is not None:
            yield row
        row = following
    if row is not None and next(iter(row.values())) != _END:
        raise csv.Error("its quotation mark is never closed, so that all rows after it would be part of it")


def _list_rows(value: Any) -> Sequence[Any]:
    """Return the rows of a JSON file: a list, or the first list of objects that an object holds."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        for inner in value.values():
            if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
                return inner
        return [value]
    raise ValueError("a list of objects is expected")
