"""Kept documents as JSON Lines (zstd) or Parquet, one file for each input split and side.

```
OUT/train/source=web/part-SPLIT.jsonl.zst        or .parquet; valid/ beside train/
OUT/export.json                                  files, documents, bytes, sha256
```

The columns are those of `EXPORT_SCHEMA`; both formats have the same rows in the same order, and can be read by the
source kinds `jsonl` and `parquet`.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.export.target import prepare_folder, write_description
from corpus.storage.part_writer import check_beside
from corpus.workspace import Workspace

Format = Literal["jsonl.zst", "parquet"]
EXPORT_FORMATS: tuple[Format, ...] = ("jsonl.zst", "parquet")
EXPORT_COLUMNS = ["id", "text", "language", "url", "date", "snapshot", "license", "metadata"]
EXPORT_SCHEMA = pa.schema(
    [pa.field(name, pa.string()) for name in ("id", "text", "source", *EXPORT_COLUMNS[2:])]
)
"""Schema of Parquet. There `metadata` is a string of JSON, which every reader supports; in JSON Lines it is nested."""
ZSTD_LEVEL = 6
"""3.8 to 1 at 98 MB/s on 36 MB of Wikipedia and web in 24 languages; level 3 gives 3.5 at 245, 19 gives 4.8 at 2."""


@dataclass(frozen=True, kw_only=True)
class DocumentSelection:
    """Selects kept documents: by side, source, and language (`cmn_Hans`, or `cmn` for all scripts)."""

    sides: tuple[str, ...] = ("train", "valid")
    source: str | None = None
    language: str | None = None


def export_documents(
    workspace: Workspace,
    out: str,
    format: Format = "jsonl.zst",
    chosen: DocumentSelection | None = None,
    workers: int = 1,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the kept documents of a workspace below `out` and return the contents of export.json.

    The same workspace gives the same bytes with any number of workers. Memory: a row group (8 MiB of text) a worker.
    Raises UserError for an unknown source, if nothing is selected, and for an output folder with other contents.
    """
    chosen = chosen or DocumentSelection()
    splits = workspace.splits()
    sources = sorted({source for source, _ in splits})
    if chosen.source not in (None, *sources):
        raise UserError(f"no source {chosen.source}: the workspace has {', '.join(sources)}")
    wanted = [split for split in splits if chosen.source in (None, split[0])]
    out = prepare_folder(out)
    work = partial(export_split, workspace.root, out, format, chosen)
    files: dict[str, dict[str, Any]] = {}
    for done, split_files in enumerate(_map_splits(work, wanted, workers), 1):
        files |= split_files
        show(done, len(wanted))
    if not files:
        where = f" in {chosen.language}" if chosen.language else ""
        raise UserError(
            f"{workspace.root} has no such kept document{where}: `corpus stats` shows what it has"
        )
    total = {name: sum(file[name] for file in files.values()) for name in ("documents", "bytes")}
    return write_description(out, {"export": "documents", "format": format, **total}, files)


def _map_splits(
    work: Callable[[tuple[str, str]], dict[str, Any]], items: list[tuple[str, str]], workers: int
) -> Iterator[dict[str, Any]]:
    if workers == 1:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, items)


def export_split(
    root: str, out: str, format: Format, chosen: DocumentSelection, split: tuple[str, str]
) -> dict[str, dict[str, Any]]:
    """Write one input split; return its files, path below `out` -> documents and bytes; none for empty sides."""
    workspace = Workspace(root)
    source, name = split
    files: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        writers: dict[str, _JsonlWriter | _ParquetWriter] = {}
        for side, rows in read_kept_rows(workspace, source, name, chosen):
            path = f"{side}/source={source}/part-{name}.{format}"
            if side not in writers:
                writer: type[_JsonlWriter] | type[_ParquetWriter] = (
                    _JsonlWriter if format == "jsonl.zst" else _ParquetWriter
                )
                stream = stack.enter_context(storage.atomic_output(storage.join(out, path)))
                writers[side] = writer(stream)
                stack.callback(writers[side].close)
                files[path] = {"documents": 0, "bytes": 0}
            writers[side].write(rows)
            files[path]["documents"] += rows.num_rows
            files[path]["bytes"] += pc.sum(pc.binary_length(rows.column("text"))).as_py() or 0
    return files


def read_kept_rows(
    workspace: Workspace, source: str, split: str, chosen: DocumentSelection
) -> Iterator[tuple[str, pa.Table]]:
    """Yield (side, rows of `EXPORT_SCHEMA`) of an input split's kept documents per row group, without empty tables.

    Texts are read only in row groups with selected documents. Raises RunError if decisions are missing.
    """
    paths = [workspace.part(folder, source, split) for folder in ("documents", "decisions")]
    if not all(map(storage.exists, paths)):
        raise RunError(f"{workspace.root} is not a finished build: resume it with `corpus build`")
    with storage.open_input(paths[0]) as stream, storage.open_input(paths[1]) as beside:
        documents, decisions = pq.ParquetFile(stream), pq.ParquetFile(beside)
        check_beside(documents, decisions, f"decisions of input split {split} of {source}")
        for group in range(documents.num_row_groups):
            verdict = decisions.read_row_group(group, columns=["kept", "split"], use_threads=False)
            mask = verdict.column("kept")
            if chosen.language is not None:
                language = documents.read_row_group(group, columns=["language"], use_threads=False)
                mask = pc.and_(mask, _is_language(language.column("language"), chosen.language))
            if not pc.any(mask).as_py():
                continue
            rows = documents.read_row_group(group, columns=EXPORT_COLUMNS, use_threads=False)
            named = pa.array([source] * rows.num_rows, pa.string())
            metadata = pa.array([_to_json(row) for row in rows.column("metadata").to_pylist()], pa.string())
            rows = rows.set_column(len(EXPORT_COLUMNS) - 1, "metadata", metadata).add_column(
                2, "source", named
            )
            rows = rows.select(EXPORT_SCHEMA.names).cast(EXPORT_SCHEMA)
            for side in chosen.sides:
                side_rows = rows.filter(
                    pc.and_(mask, pc.fill_null(pc.equal(verdict.column("split"), side), False))
                )
                if side_rows.num_rows:
                    yield side, side_rows.replace_schema_metadata(None)


def _to_json(pairs: list[tuple[str, str]] | None) -> str | None:
    return json.dumps(dict(pairs), ensure_ascii=False) if pairs else None


def _is_language(labels: pa.ChunkedArray, wanted: str) -> pa.ChunkedArray:
    """Return which labels are the wanted language, or have it as their code: `cmn` matches both scripts."""
    mask = pc.or_(pc.equal(labels, wanted), pc.starts_with(labels, f"{wanted}_"))
    return pc.fill_null(mask, False)


class _JsonlWriter:
    """Writes JSON Lines, keys in the order of `EXPORT_SCHEMA`, without nulls; one zstd frame with a checksum."""

    def __init__(self, stream: Any) -> None:
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        self._out: Any = compressor.stream_writer(stream, closefd=False)

    def write(self, rows: pa.Table) -> None:
        for batch in rows.to_batches(max_chunksize=256):
            self._out.write("".join(_format_lines(batch.to_pylist())).encode())

    def close(self) -> None:
        self._out.close()


def _format_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        row["metadata"] = json.loads(row["metadata"]) if row["metadata"] else None
        present = {name: value for name, value in row.items() if value is not None}
        yield json.dumps(present, ensure_ascii=False) + "\n"


class _ParquetWriter:
    """Writes Parquet with zstd, one row group for each table."""

    def __init__(self, stream: Any) -> None:
        self._out = pq.ParquetWriter(stream, EXPORT_SCHEMA, compression="zstd", compression_level=ZSTD_LEVEL)

    def write(self, rows: pa.Table) -> None:
        self._out.write_table(rows.combine_chunks(), row_group_size=rows.num_rows)

    def close(self) -> None:
        self._out.close()
