"""Edits on disk: DIR/edits/STEP/source=NAME/part-SPLIT.parquet, a row for each span, sorted by document and place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.edits.regions import Edit, apply_edits
from corpus.edits.steps import EDIT_STEPS
from corpus.errors import RunError
from corpus.storage.part_writer import PartWriter, read_documents_fingerprint, read_fingerprint
from corpus.workspace import Workspace

EDITS_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("replacement", pa.string()),
    ]
)
"""`row` is the document's in its documents part; `start` and `end` count characters; a null replacement: cut."""


@dataclass(frozen=True)
class SplitEdits:
    """The edits of one input split: n entries in each array, sorted by `row`, then by `start` and `end`."""

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kind: list[str]
    replacement: list[str | None]

    def __len__(self) -> int:
        return len(self.row)

    def of_row(self, row: int) -> list[Edit]:
        """Return the edits of a document, none for one without."""
        first, last = np.searchsorted(self.row, (row, row + 1)).tolist()
        return self._list(first, last)

    def to_table(self) -> pa.Table:
        """Return rows of `EDITS_SCHEMA`."""
        return pa.table([getattr(self, name) for name in EDITS_SCHEMA.names], schema=EDITS_SCHEMA)

    def apply(self, row: int, text: str) -> str:
        """Return the text of a document with its edits; the text itself for one without."""
        edits = self.of_row(row)
        return apply_edits(text, edits) if edits else text

    def rows_between(self, first: int, end: int) -> list[int]:
        """Return the rows in [first, end) that have edits, by ascending number."""
        rows = self.row[np.searchsorted(self.row, first) : np.searchsorted(self.row, end)]
        numbers: list[int] = np.unique(rows).tolist()
        return numbers

    def apply_to(self, texts: pa.ChunkedArray, rows: NDArray[np.int64]) -> tuple[pa.ChunkedArray, list[int]]:
        """Return texts (n,) of documents with these row numbers (n,), edited, and the places of those with edits."""
        places: list[int] = np.flatnonzero(np.isin(rows, self.row)).tolist()
        if not places:
            return texts, []
        edited = [
            None if text is None else self.apply(int(rows[at]), text)
            for at, text in zip(places, texts.take(pa.array(places)).to_pylist(), strict=True)
        ]
        mask = np.zeros(len(rows), np.bool_)
        mask[places] = True
        whole = pa.concat_arrays(texts.chunks)
        replaced = pc.replace_with_mask(whole, pa.array(mask), pa.array(edited, whole.type))
        return pa.chunked_array([replaced]), places

    def documents(self) -> Iterator[tuple[int, list[Edit]]]:
        """Yield (row, edits) of every document with edits."""
        rows, firsts = np.unique(self.row, return_index=True)
        bounds = [*firsts.tolist(), len(self.row)]
        for at, row in enumerate(rows.tolist()):
            yield row, self._list(bounds[at], bounds[at + 1])

    def _list(self, first: int, last: int) -> list[Edit]:
        columns = (self.start[first:last].tolist(), self.end[first:last].tolist())
        return list(map(Edit, *columns, self.kind[first:last], self.replacement[first:last]))


def edits_path(workspace: Workspace, step: str, source: str, split: str) -> str:
    return workspace.part(f"edits/{step}", source, split)


def sort_edits(edits: pa.Table) -> pa.Table:
    """Return rows of `EDITS_SCHEMA` in the order of a part. Raises ValueError for spans that are none."""
    bad = pc.or_(pc.less(edits["start"], 0), pc.less_equal(edits["end"], edits["start"]))
    if pc.any(bad).as_py():
        raise ValueError(f"spans that end before they begin: {edits.filter(bad).slice(0, 1).to_pylist()}")
    order = [(name, "ascending") for name in EDITS_SCHEMA.names]
    return edits.cast(EDITS_SCHEMA).sort_by(order).combine_chunks()


def write_edits(
    workspace: Workspace, step: str, source: str, split: str, edits: pa.Table, fingerprint: str
) -> None:
    """Write the edits of an input split, in any order, beside its documents. The part's outcome is a hash of them."""
    documents = read_fingerprint(workspace.part("documents", source, split))
    table = sort_edits(edits)
    path = edits_path(workspace, step, source, split)
    with PartWriter(path, EDITS_SCHEMA, fingerprint, documents) as writer:
        writer.write(table)
        writer.state_outcome(hash_edits(table))


def hash_edits(table: pa.Table) -> str:
    """Return a hash of edits in the order of a part."""
    digest = hashlib.blake2b(digest_size=16)
    for name in EDITS_SCHEMA.names:
        digest.update(repr(table[name].to_pylist()).encode())
    return digest.hexdigest()


def read_edits(
    workspace: Workspace,
    source: str,
    split: str,
    steps: Sequence[str] | None = None,
    kinds: Mapping[str, Sequence[str]] | None = None,
) -> SplitEdits:
    """Read the edits of an input split that some steps found, by default all that are finished; of `kinds`, by step.

    Raises RunError if a part is missing, or was made from other documents than those beside it.
    """
    if steps is None:
        steps = list_edit_steps(workspace)
    tables = [EDITS_SCHEMA.empty_table()]
    documents = read_fingerprint(workspace.part("documents", source, split))
    for step in steps:
        path = edits_path(workspace, step, source, split)
        if read_fingerprint(path) is None or read_documents_fingerprint(path) != documents:
            raise RunError(
                f"edits of {step} of input split {split} of {source} were not made from the documents beside them: "
                "build again"
            )
        with storage.open_input(path) as stream:
            read = pq.ParquetFile(stream).read(use_threads=False)
        if kinds is not None:
            read = read.filter(pc.is_in(read["kind"], pa.array(kinds[step], pa.string())))
        tables.append(read.replace_schema_metadata(None).cast(EDITS_SCHEMA))
    table = sort_edits(pa.concat_tables(tables))
    row, start, end = (table[name].to_numpy() for name in ("row", "start", "end"))
    return SplitEdits(row, start, end, table["kind"].to_pylist(), table["replacement"].to_pylist())


def list_edit_steps(workspace: Workspace) -> list[str]:
    """Return the steps of a workspace whose edits are all there."""
    return [step for step in EDIT_STEPS if storage.exists(counts_path(workspace, step))]


def counts_path(workspace: Workspace, step: str) -> str:
    """Return the path of a step's counts, which are written when all its parts are there."""
    return workspace.path("edits", step, "counts.parquet")
