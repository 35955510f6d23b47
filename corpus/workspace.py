"""A workspace: the folder that a build writes, and how its results are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import UserError
from corpus.parts import check_beside

SCHEMA_VERSION = 1


class Workspace:
    """Paths and contents of a workspace. `root` is a folder or any fsspec URL."""

    def __init__(self, root: str) -> None:
        self.root = storage.local(root).rstrip("/") or "/"

    @staticmethod
    def open(root: str) -> Workspace:
        """An existing workspace; raises UserError where there is none, or a newer one than we can read."""
        workspace = Workspace(root)
        if not storage.exists(workspace.path("workspace.json")):
            raise UserError(f"{root} is not a workspace: `corpus build MANIFEST --out {root}` makes one")
        try:
            version = int(json.loads(storage.read_text(workspace.path("workspace.json")))["schema_version"])
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{root}/workspace.json is damaged: name a new folder, or put the file back"
            ) from None
        if version > SCHEMA_VERSION:
            raise UserError(
                f"{root} has schema version {version}, this corpus reads up to {SCHEMA_VERSION}: use a newer corpus"
            )
        return workspace

    @staticmethod
    def create(root: str) -> Workspace:
        """The workspace at `root`, made if it is not there."""
        workspace = Workspace(root)
        if not storage.exists(workspace.path("workspace.json")):
            storage.write_text(
                workspace.path("workspace.json"),
                json.dumps({"schema_version": SCHEMA_VERSION}, indent=1) + "\n",
            )
        return Workspace.open(root)

    def path(self, *names: str) -> str:
        """A path below the root."""
        return storage.join(self.root, *names)

    def part(self, folder: str, source: str, split: str, extension: str = "parquet") -> str:
        """The part of a split: `folder` is `documents`, `signals/STEP`, `decisions`, `dedup/signatures` ..."""
        return self.path(folder, f"source={source}", f"part-{split}.{extension}")

    def quarantine_part(self, source: str, split: str) -> str:
        return self.path("quarantine", f"{source}-{split}.parquet")

    def splits(self) -> list[tuple[str, str]]:
        """(source, split name) of every split of the last plan, sorted: the order of everything after."""
        plan = json.loads(storage.read_text(self.path("plan.json")))
        return [(source, name) for source, name in plan["splits"]]

    def steps(self) -> list[str]:
        """The signal steps of the last plan."""
        plan = json.loads(storage.read_text(self.path("plan.json")))
        return [str(step) for step in plan["steps"]]

    def _dataset(self, folder: str) -> ds.Dataset:
        paths = [self.part(folder, source, split) for source, split in self.splits()]
        if any(storage.is_remote(path) for path in paths):
            filesystem, _ = storage._filesystem(self.root)
            paths = [storage._filesystem(path)[1] for path in paths]
        else:
            filesystem, paths = None, [storage.local(path) for path in paths]
        return ds.dataset(
            paths,
            filesystem=filesystem,
            format="parquet",
            partitioning=ds.partitioning(pa.schema([("source", pa.string())]), flavor="hive"),
        )

    def documents(self) -> ds.Dataset:
        """Every document that was read, gated ones too, with its `source`."""
        return self._dataset("documents")

    def signals(self, step: str) -> ds.Dataset:
        """The signals of one step, row by row beside `documents()`."""
        return self._dataset(f"signals/{step}")

    def decisions(self) -> ds.Dataset:
        """What was decided, row by row beside `documents()`."""
        return self._dataset("decisions")

    def stats(self) -> dict[str, pa.Table]:
        """The ledger: its tables by name."""
        names = [
            p for p in storage.list_files(self.path("stats")) if p.endswith(".parquet") and "/parts/" not in p
        ]
        return {name.rsplit("/", 1)[1].removesuffix(".parquet"): read_table(name) for name in names}

    def shards(self) -> dict[str, Any]:
        """The token shards: the contents of `tokens/dataset.json`."""
        path = self.path("tokens", "dataset.json")
        if not storage.exists(path):
            raise UserError(f"{self.root} has no token shards yet: `corpus build` makes them")
        found: dict[str, Any] = json.loads(storage.read_text(path))
        return found

    def rows(
        self, document_columns: list[str] | None = None, steps: Iterable[str] = ()
    ) -> Iterator[tuple[str, str, pa.Table]]:
        """Per split and row group (source, split name, table) of documents, decisions and signals side by side.

        Memory: one row group. Decision columns carry their names except `gate`, which is the document's.
        """
        for source, split in self.splits():
            files = [
                pq.ParquetFile(storage.open_input(self.part(folder, source, split)))
                for folder in ["documents", "decisions", *(f"signals/{step}" for step in steps)]
            ]
            for file, folder in zip(files[1:], ["decisions", *steps], strict=True):
                check_beside(files[0], file, f"{folder} of split {split} of {source}")
            for group in range(files[0].num_row_groups):
                table = files[0].read_row_group(group, columns=document_columns, use_threads=False)
                for file in files[1:]:
                    side = file.read_row_group(group, use_threads=False)
                    for name in side.column_names:
                        if name not in table.column_names:
                            table = table.append_column(side.schema.field(name), side.column(name))
                yield source, split, table
            for file in files:
                file.close(force=True)


def read_table(path: str) -> pa.Table:
    """A whole (small) Parquet file.

    On this thread alone, as all reads of small parts: a thread of Arrow's pool that still lets go of a Python file
    while the interpreter ends takes the process down.
    """
    with storage.open_input(path) as stream:
        return pq.ParquetFile(stream).read(use_threads=False)
