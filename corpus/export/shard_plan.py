"""Which kept documents an export writes into which file, known before a text is read.

Each split and language has files of its own, numbered in the order of the input splits, and each file is as full as its
size allows. The names say how many there are: train/tha_Thai/train-00003-of-00012.parquet.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.edits.applied import read_applied_edits
from corpus.errors import RunError
from corpus.storage.part_writer import check_beside
from corpus.workspace import Workspace

UNKNOWN_LABEL = "und_Zyyy"
"""The label of documents without a language."""
SPLITS = ("train", "valid")
FACT_COLUMNS = ("url", "date", "snapshot", "license")
ROW_BYTES = 142
"""Bytes of a line of JSON without its values, with an id: {"id":"...","text":"", ...}."""
PAIR_BYTES = 10
"""Bytes around a key and its value in the text of metadata."""
Sizes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class DocumentSelection:
    """Selects kept documents: by side, source, and language (`cmn_Hans`, or `cmn` for all scripts)."""

    sides: tuple[str, ...] = SPLITS
    source: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows [start, end) of those that a row group of an input split has of a file's split and language."""

    split: int
    group: int
    start: int
    end: int


@dataclass(slots=True)
class ExportShard:
    """A file to write: its documents are those of its pieces, in this order."""

    side: str
    language: str
    number: int
    pieces: list[Piece] = field(default_factory=list)
    documents: int = 0
    bytes: int = 0
    """Bytes of text."""
    size: int = 0
    """Bytes of the file before compression, as `measure_rows` counts them."""
    path: str = ""


@dataclass(slots=True)
class ExportPlan:
    """All files of an export, in the order of their first documents, and the sums of what is in them."""

    splits: list[tuple[str, str]]
    shards: list[ExportShard]
    sums: list[dict[str, Any]]
    """Documents and bytes by side, language, source and license."""


def plan_shards(
    workspace: Workspace, chosen: DocumentSelection, splits: list[tuple[str, str]], size: int, extension: str
) -> ExportPlan:
    """Deal the kept documents out to files of at most `size` bytes before compression; a larger document has its own.

    Reads all columns but the texts, and these where edits are applied. Memory: some 100 bytes for each language in each
    row group. Raises RunError if decisions are missing.
    """
    shards: dict[tuple[str, str], list[ExportShard]] = {}
    documents: Counter[tuple[str, str, str, str | None]] = Counter()
    sizes: Counter[tuple[str, str, str, str | None]] = Counter()
    for number, (source, name) in enumerate(splits):
        with RowGroups(workspace, source, name) as groups:
            for group in range(groups.count):
                rows = groups.read_verdicts(group, ["bytes", *FACT_COLUMNS, "metadata"])
                rows = rows.filter(is_selected(rows, chosen))
                row_sizes = measure_rows(rows, source)
                sums = rows.group_by(["side", "language", "license"]).aggregate(
                    [("bytes", "sum"), ("bytes", "count")]
                )
                for row in sums.to_pylist():
                    key = (row["side"], row["language"], source, row["license"])
                    documents[key] += row["bytes_count"]
                    sizes[key] += row["bytes_sum"]
                for side, language in {(row["side"], row["language"]) for row in sums.to_pylist()}:
                    of_key = pc.and_(pc.equal(rows["side"], side), pc.equal(rows["language"], language))
                    here = of_key.to_numpy()
                    files = shards.setdefault((side, language), [])
                    add_rows(
                        files,
                        row_sizes[here],
                        rows["bytes"].to_numpy()[here],
                        size,
                        (number, group),
                        (side, language),
                    )
    for files in shards.values():
        for shard in files:
            folder = name_folder(shard.language)
            shard.path = (
                f"{shard.side}/{folder}/{shard.side}-{shard.number:05d}-of-{len(files):05d}.{extension}"
            )
    ordered = sorted(
        (shard for files in shards.values() for shard in files),
        key=lambda shard: (shard.pieces[0].split, shard.pieces[0].group, shard.path),
    )
    keys = sorted(documents, key=lambda key: (*key[:3], key[3] or ""))
    names = ("split", "language", "source", "license")
    return ExportPlan(
        splits,
        ordered,
        [
            {**dict(zip(names, key, strict=True)), "documents": documents[key], "bytes": sizes[key]}
            for key in keys
        ],
    )


def measure_rows(rows: pa.Table, source: str) -> Sizes:
    """Return the bytes that each row of a plan takes as JSON, but for what is escaped in its text."""
    sizes: Sizes = rows["bytes"].to_numpy().astype(np.int64) + ROW_BYTES + len(source.encode())
    for name in ("language", *FACT_COLUMNS):
        sizes += pc.fill_null(pc.binary_length(rows[name]), 0).to_numpy()
    metadata = rows["metadata"].combine_chunks()
    if isinstance(metadata, pa.ChunkedArray):
        metadata = pa.concat_arrays(metadata.chunks) if metadata.num_chunks else pa.array([], metadata.type)
    pairs = [
        pc.fill_null(pc.binary_length(column), 0).to_numpy() for column in (metadata.keys, metadata.items)
    ]
    ends = np.concatenate([[0], np.cumsum(pairs[0].astype(np.int64) + pairs[1] + PAIR_BYTES)])
    offsets = metadata.offsets.to_numpy()
    sizes += ends[offsets[1:]] - ends[offsets[:-1]]
    return sizes


def add_rows(
    files: list[ExportShard],
    row_sizes: Sizes,
    row_bytes: Sizes,
    size: int,
    place: tuple[int, int],
    key: tuple[str, str],
) -> None:
    """Add the next rows of a split and language to its last file, and to new ones where that is full.

    `place` is the input split and row group of the rows, `row_bytes` are those of their texts.
    """
    ends = np.cumsum(row_sizes)
    start = 0
    while start < len(ends):
        if not files:
            files.append(ExportShard(*key, 0))
        last = files[-1]
        before = int(ends[start - 1]) if start else 0
        end = int(np.searchsorted(ends, before + size - last.size, side="right"))
        if not last.documents:
            end = max(end, start + 1)
        if end <= start:
            files.append(ExportShard(*key, last.number + 1))
            continue
        last.pieces.append(Piece(*place, start, end))
        last.documents += end - start
        last.bytes += int(row_bytes[start:end].sum())
        last.size += int(ends[end - 1]) - before
        start = end


def name_folder(language: str) -> str:
    """Return the folder of a label: the label, without characters that paths, patterns and URLs read otherwise."""
    if re.fullmatch(r"\w[\w.+-]*", language, re.ASCII):
        return language
    return quote(language, safe="+").replace(".", "%2E")


def is_selected(rows: pa.Table, chosen: DocumentSelection) -> pa.ChunkedArray:
    """Return which rows of `RowGroups.read_verdicts` are selected."""
    mask = pc.and_(rows["kept"], pc.is_in(rows["side"], pa.array(chosen.sides)))
    if chosen.language is not None:
        label = rows["language"]
        mask = pc.and_(
            mask, pc.or_(pc.equal(label, chosen.language), pc.starts_with(label, f"{chosen.language}_"))
        )
    return pc.fill_null(mask, False)


def _replace_values(table: pa.Table, name: str, values: dict[int, Any]) -> pa.Table:
    """Return a table with other values in some rows of a column."""
    if not values:
        return table
    column = table[name].combine_chunks()
    mask = np.zeros(len(table), np.bool_)
    mask[list(values)] = True
    replaced = pc.replace_with_mask(column, pa.array(mask), pa.array(list(values.values()), column.type))
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), replaced)


class RowGroups:
    """The documents of an input split with their decisions, a row group at a time.

    Texts, and their bytes, are those with the edits that are applied; a document of which these leave nothing is not
    kept.
    """

    def __init__(self, workspace: Workspace, source: str, split: str) -> None:
        """Open both parts. Raises RunError if one is missing or they do not belong together."""
        paths = [workspace.part(folder, source, split) for folder in ("documents", "decisions")]
        if not all(map(storage.exists, paths)):
            raise RunError(f"{workspace.root} is not a finished build: resume it with `corpus build`")
        self._streams = [storage.open_input(path) for path in paths]
        self._documents, self._decisions = map(pq.ParquetFile, self._streams)
        check_beside(self._documents, self._decisions, f"decisions of input split {split} of {source}")
        self.count: int = self._documents.num_row_groups
        self._edits = read_applied_edits(workspace, source, split)
        sizes = [self._documents.metadata.row_group(group).num_rows for group in range(self.count)]
        self._firsts: list[int] = np.cumsum([0, *sizes]).tolist()

    def _read_edited(self, group: int) -> dict[int, str | None]:
        """Return the edited texts of a row group by their rows in it, of documents that have edits."""
        if self._edits is None:
            return {}
        first = self._firsts[group]
        rows = self._edits.rows_between(first, self._firsts[group + 1])
        if not rows:
            return {}
        texts = self._documents.read_row_group(group, columns=["text"], use_threads=False)["text"]
        places = [row - first for row in rows]
        edited, _ = self._edits.apply_to(texts.take(pa.array(places)), np.array(rows))
        return dict(zip(places, edited.to_pylist(), strict=True))

    def __enter__(self) -> RowGroups:
        return self

    def __exit__(self, *error: object) -> None:
        for stream in self._streams:
            stream.close()

    def read_documents(self, group: int, columns: list[str]) -> pa.Table:
        """Return columns of the documents of a row group."""
        table = self._documents.read_row_group(group, columns=columns, use_threads=False)
        table = table.replace_schema_metadata(None)
        for name in {"text", "bytes"}.intersection(columns):
            edited = self._read_edited(group)
            if edited:
                measured = {
                    row: text if name == "text" else len((text or "").encode())
                    for row, text in edited.items()
                }
                table = _replace_values(table, name, measured)
        return table

    def read_verdicts(self, group: int, columns: list[str]) -> pa.Table:
        """Return kept, side and language of the documents of a row group, and the `columns`."""
        verdicts = self._decisions.read_row_group(group, columns=["kept", "split"], use_threads=False)
        rows = self.read_documents(group, ["language", *columns])
        language = pc.fill_null(rows["language"].cast(pa.string()), UNKNOWN_LABEL)
        emptied = {row: False for row, text in self._read_edited(group).items() if not (text or "").strip()}
        verdicts = _replace_values(verdicts, "kept", emptied)
        return (
            rows.set_column(rows.schema.get_field_index("language"), "language", language)
            .append_column("kept", verdicts["kept"])
            .append_column("side", verdicts["split"])
        )
