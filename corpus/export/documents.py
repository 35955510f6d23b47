"""Kept documents as JSON Lines (zstd) or Parquet, in files of a size of your choice for each split and language.

```
OUT/train/tha_Thai/train-00000-of-00012.jsonl.zst      or .parquet; valid/ beside train/
OUT/export.json                                        files, documents, bytes, sha256, and what the build did
```

The columns are those of `EXPORT_SCHEMA`; both formats have the same rows in the same order, and can be read by the
source kinds `jsonl` and `parquet`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.child_process import WorkerPool
from corpus.errors import RunError, UserError
from corpus.export.build_facts import count_tokens, read_build_facts
from corpus.export.file_writers import EXPORT_SCHEMA, ExportFormat, RowWriter, create_writer
from corpus.export.shard_plan import (
    DocumentSelection,
    ExportPlan,
    ExportShard,
    Piece,
    RowGroups,
    is_selected,
    plan_shards,
)
from corpus.export.target import check_folder, claim_folder, write_description
from corpus.storage.fingerprint import fingerprint
from corpus.workspace import Workspace

EXPORT_VERSION = 2
"""Changes with the bytes of the files."""
SHARD_SIZE = 500_000_000
MAX_OPEN_FILES = 32
"""Files that a worker writes at once: each may hold 8 MiB of text, and each reading of a row group serves them all."""


def export_documents(
    workspace: Workspace,
    out: str,
    format: ExportFormat = "jsonl.zst",
    chosen: DocumentSelection | None = None,
    workers: int = 1,
    show: Callable[[int, int], None] = lambda done, total: None,
    shard_size: int = SHARD_SIZE,
    version: str | None = None,
) -> dict[str, Any]:
    """Write the kept documents of a workspace below `out` and return the contents of export.json.

    A file has at most `shard_size` bytes before compression, or one document. The same workspace gives the same
    bytes with any number of workers, and an interrupted export is resumed by the same call. `version` is that of
    this package, for the description. Memory: 8 MiB of text for each of 32 files a worker. Raises UserError for an
    unknown source, if nothing is selected, and for an output folder with other contents; RunError if the workspace
    is unfinished or changes meanwhile.
    """
    chosen = chosen or DocumentSelection()
    splits = workspace.splits()
    sources = sorted({source for source, _ in splits})
    if chosen.source not in (None, *sources):
        raise UserError(f"no source {chosen.source}: the workspace has {', '.join(sources)}")
    wanted = [split for split in splits if chosen.source in (None, split[0])]
    out = check_folder(out)
    plan = plan_shards(workspace, chosen, wanted, shard_size, format)
    if not plan.shards:
        where = f" in {chosen.language}" if chosen.language else ""
        raise UserError(
            f"{workspace.root} has no such kept document{where}: `corpus stats` shows what it has"
        )
    made_from = fingerprint(
        [EXPORT_VERSION, workspace.read_state(), plan.splits, format, repr(chosen), shard_size, plan.sums]
    )
    done = claim_folder(out, [shard.path for shard in plan.shards], made_from)
    missing = [shard for shard in plan.shards if shard.path not in done]
    work = partial(write_shards, workspace.root, out, format, chosen)
    show(len(done), len(plan.shards))
    written = len(done)
    for count in _map_units(work, plan, group_shards(missing, shard_size), workers):
        written += count
        show(written, len(plan.shards))
    files = {
        shard.path: {
            "split": shard.side,
            "language": shard.language,
            "documents": shard.documents,
            "bytes": shard.bytes,
            "size": shard.size,
        }
        for shard in plan.shards
    }
    return write_description(
        out, {"corpus": version, **describe_export(workspace, plan, format, chosen, shard_size)}, files
    )


def describe_export(
    workspace: Workspace,
    plan: ExportPlan,
    format: ExportFormat,
    chosen: DocumentSelection,
    shard_size: int,
) -> dict[str, Any]:
    """Return the contents of export.json but for the files: what was selected, its sums, and what the build did."""
    tokens = count_tokens(workspace, plan.sums)
    selected = {"splits": list(chosen.sides), "source": chosen.source, "language": chosen.language}
    return {
        "export": "documents",
        "format": format,
        **{name: sum(row[name] for row in plan.sums) for name in ("documents", "bytes")},
        "shard_size": shard_size,
        "selected": selected,
        "splits": _sum_by(plan.sums, ("split",), tokens),
        "languages": _sum_by(plan.sums, ("language", "split"), tokens),
        "sources": _sum_by(plan.sums, ("source",), tokens),
        "licenses": _sum_by(plan.sums, ("source", "license"), None),
        "build": read_build_facts(workspace, chosen.source, chosen.language),
    }


def _sum_by(
    sums: list[dict[str, Any]], keys: tuple[str, ...], tokens: dict[tuple[str, str, str], int] | None
) -> list[dict[str, Any]]:
    """Return documents and bytes by some keys, and the tokens by (split, source, language) if they are known."""
    rows: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    triples: dict[tuple[Any, ...], set[tuple[str, str, str]]] = defaultdict(set)
    for row in sums:
        key = tuple(row[name] for name in keys)
        rows[key].update({"documents": row["documents"], "bytes": row["bytes"]})
        triples[key].add((row["split"], row["source"], row["language"]))
    return [
        {
            **dict(zip(keys, key, strict=True)),
            **row,
            **({} if tokens is None else {"tokens": sum(tokens[triple] for triple in triples[key])}),
        }
        for key, row in sorted(rows.items(), key=lambda item: (-item[1]["bytes"], str(item[0])))
    ]


def group_shards(shards: list[ExportShard], shard_size: int) -> Iterator[list[ExportShard]]:
    """Divide files among workers, so that each reads neighbouring row groups: at most 32 files at once, and no more
    than a file's size beyond one file."""
    group: list[ExportShard] = []
    for shard in shards:
        if group and (
            len(group) == MAX_OPEN_FILES or sum(each.size for each in group) + shard.size > shard_size
        ):
            yield group
            group = []
        group.append(shard)
    if group:
        yield group


def _map_units(
    work: Callable[[list[ExportShard], dict[int, tuple[str, str]]], int],
    plan: ExportPlan,
    units: Iterator[list[ExportShard]],
    workers: int,
) -> Iterator[int]:
    """Yield what `work` returns for each unit, which it gets with the input splits that the unit needs."""
    shards = list(units)
    splits = (
        {piece.split: plan.splits[piece.split] for shard in unit for piece in shard.pieces} for unit in shards
    )
    if workers == 1:
        yield from map(work, shards, splits)
        return
    with WorkerPool(workers) as pool:
        yield from pool.map(work, shards, splits)


def write_shards(
    root: str,
    out: str,
    format: ExportFormat,
    chosen: DocumentSelection,
    shards: list[ExportShard],
    splits: dict[int, tuple[str, str]],
) -> int:
    """Write some files, reading each row group once; return how many. Raises RunError if the workspace has changed."""
    workspace = Workspace(root)
    by_group: dict[tuple[int, int], list[tuple[ExportShard, Piece]]] = defaultdict(list)
    for shard in shards:
        for piece in shard.pieces:
            by_group[piece.split, piece.group].append((shard, piece))
    files = {shard.path: _ShardFile(shard, out, format) for shard in shards}
    try:
        for split in sorted({split for split, _ in by_group}):
            with RowGroups(workspace, *splits[split]) as groups:
                for group in sorted(group for of_split, group in by_group if of_split == split):
                    rows = read_rows(groups, group, splits[split][0], chosen)
                    for shard, piece in by_group[split, group]:
                        of_shard = rows.filter(
                            pc.and_(
                                pc.equal(rows["side"], shard.side), pc.equal(rows["language"], shard.language)
                            )
                        )
                        part = of_shard.slice(piece.start, piece.end - piece.start)
                        files[shard.path].write(part.select(EXPORT_SCHEMA.names))
    except BaseException as error:
        for file in files.values():
            file.abandon(error)
        raise
    return len(shards)


def read_rows(groups: RowGroups, group: int, source: str, chosen: DocumentSelection) -> pa.Table:
    """Return the selected rows of a row group: the columns of `EXPORT_SCHEMA`, and their side."""
    verdicts = groups.read_verdicts(group, [])
    mask = is_selected(verdicts, chosen)
    stored = [name for name in EXPORT_SCHEMA.names if name not in ("source", "language")]
    rows = groups.read_documents(group, stored).filter(mask)
    verdicts = verdicts.filter(mask)
    metadata = [orjson.dumps(dict(pairs or ())).decode() for pairs in rows["metadata"].to_pylist()]
    columns = {name: rows[name] for name in stored} | {
        "source": pa.array([source] * len(rows), pa.string()),
        "language": verdicts["language"],
        "metadata": pa.array(metadata, pa.string()),
    }
    table = pa.table({name: columns[name] for name in EXPORT_SCHEMA.names}).cast(EXPORT_SCHEMA)
    return table.append_column("side", verdicts["side"])


class _ShardFile:
    """One file of an export: begun with its first rows, whole and named when it has all."""

    def __init__(self, shard: ExportShard, out: str, format: ExportFormat) -> None:
        self._shard = shard
        self._path = storage.join(out, shard.path)
        self._format = format
        self._output: AbstractContextManager[BinaryIO] | None = None
        self._writer: RowWriter | None = None
        self._documents = self._bytes = self._pieces = 0

    def write(self, rows: pa.Table) -> None:
        """Append the rows of the next piece. Raises RunError after the last if they are not what was planned."""
        if self._output is None or self._writer is None:
            self._output = storage.atomic_output(self._path)
            self._writer = create_writer(self._format, self._output.__enter__())
        self._writer.write(rows)
        self._documents += len(rows)
        self._bytes += pc.sum(pc.binary_length(rows["text"])).as_py() or 0
        self._pieces += 1
        if self._pieces == len(self._shard.pieces):
            if (self._documents, self._bytes) != (self._shard.documents, self._shard.bytes):
                raise RunError(
                    f"{self._path}: the workspace has {self._documents:,} documents of {self._bytes:,} bytes where "
                    f"{self._shard.documents:,} of {self._shard.bytes:,} were planned: `corpus verify` shows why"
                )
            self._writer.close()
            output, self._output = self._output, None
            output.__exit__(None, None, None)

    def abandon(self, error: BaseException) -> None:
        """Remove what was written, if it is not whole. `error` is why."""
        if self._output is not None:
            output, self._output = self._output, None
            try:
                output.__exit__(type(error), error, error.__traceback__)
            except BaseException as raised:
                if raised is not error:
                    raise
