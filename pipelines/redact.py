"""Find private data in the texts of all documents: DIR/edits/private, and the signals `private.KIND`.

Texts are read from the parts where they lie, and are not changed: a part of edits lies beside each part of documents,
with what may take the place of each address or number. What is applied is decided later (`corpus.edits.applied`).

    splits     `search`    the edits and signals of each, and its counts   -> (one)
    (one)      `count`     documents, spans and characters by kind, source and language

Documents without a text have no edits; their signals are null, as are those of kinds that nothing asks for in the
source. Memory: a row group of documents, and the edits of a split. The bytes depend on neither workers nor order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.edits.edit_counts import EDIT_COUNTS_SCHEMA, count_edits, write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, PRIVATE_STEP, counts_path, edits_path, write_edits
from corpus.pipelines.beam.fanout import fan_out
from corpus.pipelines.beam.options import Running
from corpus.private.kinds import find_private, identify_search, name_masks
from corpus.private.options import name_signals
from corpus.progress import count_documents
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.workspace import Workspace, read_table

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection

VERSION = 1
"""Increased when the same spans would give other edits or signals."""
SIGNALS_FOLDER = f"signals/{PRIVATE_STEP}"


@dataclass(frozen=True)
class PrivateSearch:
    """What is searched for: `kinds` by source, in their order, and all of them. Picklable."""

    root: str
    kinds: Mapping[str, Sequence[str]]
    signals: Sequence[str]

    def fingerprint(self, source: str, documents: str | None) -> str:
        """Return the fingerprint of the parts of a split of a source, by that of its documents."""
        return fingerprint([VERSION, identify_search(self.kinds[source]), list(self.signals), documents])

    def __call__(self, item: str) -> Iterator[str]:
        """Write the edits and signals of an input split, unless they are there; yield their counts as JSON."""
        source, split, wanted = json.loads(item)
        workspace = Workspace(self.root)
        paths = [
            edits_path(workspace, PRIVATE_STEP, source, split),
            workspace.part(SIGNALS_FOLDER, source, split),
        ]
        if any(read_fingerprint(path) != wanted for path in paths):
            search_split(workspace, source, split, self.kinds[source], self.signals, wanted)
        edits = read_table(paths[0]).replace_schema_metadata(None).cast(EDITS_SCHEMA)
        with storage.open_input(workspace.part("documents", source, split)) as stream:
            languages = pq.ParquetFile(stream).read(columns=["language"], use_threads=False)["language"]
        yield json.dumps(count_edits(edits, source, languages.to_pylist()).to_pylist())


def search_split(
    workspace: Workspace, source: str, split: str, kinds: Sequence[str], signals: Sequence[str], wanted: str
) -> None:
    """Write the edits of an input split, and the signals of its documents: how many places of each kind they have."""
    columns: dict[str, list[Any]] = {name: [] for name in EDITS_SCHEMA.names}
    schema = pa.schema([pa.field(name, pa.float32()) for name in name_signals(signals)])
    asked = [at for at, kind in enumerate(signals) if kind in kinds]
    path = workspace.part("documents", source, split)
    documents = pq.ParquetFile(storage.open_input(path))
    first = 0
    try:
        with PartWriter(
            workspace.part(SIGNALS_FOLDER, source, split), schema, wanted, read_fingerprint(path)
        ) as writer:
            for group in range(documents.num_row_groups):
                count = documents.metadata.row_group(group).num_rows
                values: npt.NDArray[np.float32] = np.full((count, len(signals)), np.nan, np.float32)
                if asked:
                    texts = documents.read_row_group(group, columns=["text"], use_threads=False)["text"]
                    for row, text in enumerate(texts.to_pylist()):
                        if text is not None:
                            values[row, asked] = 0
                            _add_edits(columns, first + row, text, kinds, values[row], signals)
                arrays = [
                    pa.array(values[:, at], pa.float32(), from_pandas=True) for at in range(len(signals))
                ]
                writer.write(pa.RecordBatch.from_arrays(arrays, schema=schema))
                count_documents(count)
                first += count
    finally:
        documents.close(force=True)
    write_edits(workspace, PRIVATE_STEP, source, split, pa.table(columns, schema=EDITS_SCHEMA), wanted)


def _add_edits(
    columns: dict[str, list[Any]],
    row: int,
    text: str,
    kinds: Sequence[str],
    values: npt.NDArray[np.float32],
    signals: Sequence[str],
) -> None:
    spans = find_private(text, kinds)
    if not spans:
        return
    for span in spans:
        values[signals.index(span.kind)] += 1
    for name, added in (
        ("row", [row] * len(spans)),
        ("start", [span.start for span in spans]),
        ("end", [span.end for span in spans]),
        ("kind", [span.kind for span in spans]),
        ("replacement", name_masks(text, spans)),
    ):
        columns[name] += added


class CountEdits:
    """Write the sums of all splits' counts. Picklable."""

    def __init__(self, root: str, wanted: str) -> None:
        self.root, self.wanted = root, wanted

    def __call__(self, element: tuple[int, Any]) -> Iterator[str]:
        tables = (pa.Table.from_pylist(json.loads(rows), EDIT_COUNTS_SCHEMA) for rows in element[1] if rows)
        write_edit_counts(Workspace(self.root), PRIVATE_STEP, tables, self.wanted)
        yield PRIVATE_STEP


def list_wanted(search: PrivateSearch, documents: Mapping[tuple[str, str], str]) -> list[list[str]]:
    """Return source, split and fingerprint of all parts of a search, by the fingerprints of documents."""
    return [[*split, search.fingerprint(split[0], made_by)] for split, made_by in sorted(documents.items())]


def redact_pipeline(
    search: PrivateSearch, documents: Mapping[tuple[str, str], str], running: Running, claims: str | None
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds the search for private data in some splits: (source, split) -> the fingerprint of
    their documents."""
    from corpus.pipelines.beam.types import create, flat_map, flatten, group_by_key, map_each

    wanted = list_wanted(search, documents)
    items = [json.dumps(split) for split in wanted]
    count = CountEdits(search.root, fingerprint(wanted))

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


def is_searched(search: PrivateSearch, documents: Mapping[tuple[str, str], str]) -> bool:
    """Return whether all splits were searched for these kinds and counted, and their parts are there."""
    workspace = Workspace(search.root)
    if read_fingerprint(counts_path(workspace, PRIVATE_STEP)) != fingerprint(list_wanted(search, documents)):
        return False
    folders = (f"edits/{PRIVATE_STEP}", SIGNALS_FOLDER)
    present = {path for folder in folders for path in storage.list_files(workspace.path(*folder.split("/")))}
    return all(workspace.part(folder, *split) in present for folder in folders for split in documents)
