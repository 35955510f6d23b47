"""Search the texts of all documents: a part of edits and one of signals beside each part of documents.

Texts are read from the parts where they lie, and are not changed: what may be cut from them or masked in them is stored
as edits, and applied later (`corpus.edits.applied`).

    splits     `search`    the edits and signals of each, and its counts   -> (one)
    (one)      `count`     documents, spans and characters by kind, source and language

Documents without a text have no edits; their signals are null. Memory: a row group of documents, and the edits of a
split. The bytes depend on neither workers nor order.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.edits.edit_counts import EDIT_COUNTS_SCHEMA, count_edits, write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, counts_path, edits_path, write_edits
from corpus.pipelines.beam.fanout import fan_out
from corpus.pipelines.beam.options import Running
from corpus.progress import count_documents
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.workspace import Workspace, read_table

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection

Columns = dict[str, list[Any]]
"""Columns of `EDITS_SCHEMA` as they grow."""
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class StoredSearch:
    """A search in stored texts for what a source asks for. Picklable.

    `kinds`: what is searched for, by source, in its order; `signals`: names of the signals, without any there is no
    search.
    """

    root: str
    kinds: Mapping[str, Sequence[str]]
    signals: Sequence[str]
    step: ClassVar[str]

    @abstractmethod
    def fingerprint(self, source: str, documents: str | None) -> str:
        """Return the fingerprint of the parts of a split of a source, by that of its documents."""

    @abstractmethod
    def search_texts(
        self, source: str, first: int, texts: Sequence[str | None], languages: Sequence[str | None]
    ) -> tuple[Columns, Values]:
        """Return the edits of texts, whose rows begin with `first`, and their signals (texts, signals), nan for none.

        It is called where the source has kinds alone."""

    @property
    def folder(self) -> str:
        """The folder of the signals' parts."""
        return f"signals/{self.step}"

    def __call__(self, item: str) -> Iterator[str]:
        """Write the edits and signals of an input split, unless they are there; yield their counts as JSON."""
        source, split, wanted = json.loads(item)
        workspace = Workspace(self.root)
        paths = [edits_path(workspace, self.step, source, split), workspace.part(self.folder, source, split)]
        if any(read_fingerprint(path) != wanted for path in paths):
            search_split(self, workspace, source, split, wanted)
        edits = read_table(paths[0]).replace_schema_metadata(None).cast(EDITS_SCHEMA)
        with storage.open_input(workspace.part("documents", source, split)) as stream:
            languages = pq.ParquetFile(stream).read(columns=["language"], use_threads=False)["language"]
        yield json.dumps(count_edits(edits, source, languages.to_pylist()).to_pylist())


def search_split(search: StoredSearch, workspace: Workspace, source: str, split: str, wanted: str) -> None:
    """Write the edits of an input split, and the signals of its documents."""
    columns: Columns = {name: [] for name in EDITS_SCHEMA.names}
    schema = pa.schema([pa.field(name, pa.float32()) for name in search.signals])
    path = workspace.part("documents", source, split)
    documents = pq.ParquetFile(storage.open_input(path))
    first = 0
    try:
        with PartWriter(
            workspace.part(search.folder, source, split), schema, wanted, read_fingerprint(path)
        ) as writer:
            for group in range(documents.num_row_groups):
                count = documents.metadata.row_group(group).num_rows
                values: Values = np.full((count, len(search.signals)), np.nan, np.float32)
                if search.kinds[source]:
                    table = documents.read_row_group(group, columns=["text", "language"], use_threads=False)
                    texts, languages = (table[name].to_pylist() for name in ("text", "language"))
                    edits, values = search.search_texts(source, first, texts, languages)
                    for name, added in edits.items():
                        columns[name] += added
                arrays = [
                    pa.array(values[:, at], pa.float32(), from_pandas=True) for at in range(values.shape[1])
                ]
                writer.write(pa.RecordBatch.from_arrays(arrays, schema=schema))
                count_documents(count)
                first += count
    finally:
        documents.close(force=True)
    write_edits(workspace, search.step, source, split, pa.table(columns, schema=EDITS_SCHEMA), wanted)


class CountEdits:
    """Write the sums of all splits' counts. Picklable."""

    def __init__(self, root: str, step: str, wanted: str) -> None:
        self.root, self.step, self.wanted = root, step, wanted

    def __call__(self, element: tuple[int, Any]) -> Iterator[str]:
        tables = (pa.Table.from_pylist(json.loads(rows), EDIT_COUNTS_SCHEMA) for rows in element[1] if rows)
        write_edit_counts(Workspace(self.root), self.step, tables, self.wanted)
        yield self.step


def list_wanted(search: StoredSearch, documents: Mapping[tuple[str, str], str]) -> list[list[str]]:
    """Return source, split and fingerprint of all parts of a search, by the fingerprints of documents."""
    return [[*split, search.fingerprint(split[0], made_by)] for split, made_by in sorted(documents.items())]


def search_pipeline(
    search: StoredSearch, documents: Mapping[tuple[str, str], str], running: Running, claims: str | None
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds a search in some splits: (source, split) -> the fingerprint of their documents."""
    from corpus.pipelines.beam.types import create, flat_map, flatten, group_by_key, map_each

    wanted = list_wanted(search, documents)
    items = [json.dumps(split) for split in wanted]
    count = CountEdits(search.root, search.step, fingerprint(wanted))

    def build(start: beam.Pipeline) -> PCollection[str]:
        searched = start | "Search" >> fan_out(items, search, running, claims)
        keyed = searched | "One key" >> map_each(lambda line: (0, line), output=tuple[int, str])
        always = start | "Even if none" >> create([(0, "")], tuple[int, str])
        written: PCollection[str] = (
            (keyed, always)
            | "With it" >> flatten()
            | "Together" >> group_by_key()
            | "Count" >> flat_map(count, output=str)
        )
        return written

    return build


def is_searched(search: StoredSearch, documents: Mapping[tuple[str, str], str]) -> bool:
    """Return whether all splits were searched for these kinds and counted, and their parts are there."""
    workspace = Workspace(search.root)
    if read_fingerprint(counts_path(workspace, search.step)) != fingerprint(list_wanted(search, documents)):
        return False
    folders = (f"edits/{search.step}", search.folder)
    present = {path for folder in folders for path in storage.list_files(workspace.path(*folder.split("/")))}
    return all(workspace.part(folder, *split) in present for folder in folders for split in documents)
