"""Random samples of the documents that match a query: the same for the same seed, however the workspace was built."""

from __future__ import annotations

import heapq
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.dedup.removed import read_cluster_groups
from corpus.edits.applied import read_applied, read_applied_edits
from corpus.edits.regions import Edit, Region, split_text
from corpus.errors import UserError
from corpus.ledger.counts import TextNumbers, number_domains
from corpus.rules.kept_texts import text_or_reason
from corpus.rules.rule import draw_uniform
from corpus.workspace import Workspace, open_stored, open_table

Row = dict[str, Any]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class DocumentQuery:
    """Selects documents; fields that are None are ignored.

    `language` is a label or its first part (tha), `rule` a rule or a signal, `score` (signal, low, high) with
    both ends included, `domain` a registered domain, `ids` the only documents to consider.
    """

    kept: bool | None = None
    source: str | None = None
    language: str | None = None
    snapshot: str | None = None
    rule: str | None = None
    gate: str | None = None
    duplicates: bool = False
    score: tuple[str, float, float] | None = None
    domain: str | None = None
    ids: Collection[str] | None = None


class DocumentPlace(NamedTuple):
    """The position of a document; places sort by the draw."""

    draw: float
    id: str
    source: str
    split: str
    group: int
    row: int


def choose_documents(workspace: Workspace, wanted: DocumentQuery, count: int, seed: int) -> list[Row]:
    """Return up to `count` of the documents wanted, drawn by (seed, id), in the order of the draw.

    A row has the columns of documents and decisions, `source`, and `signals`, a dict of the measured ones.
    Reads the small columns of every document, and texts only of the chosen ones. Cost: two seconds for
    a million documents. Raises UserError for an unknown signal, and if the build is not finished.
    """
    best: list[DocumentPlace] = []
    for place in _draw_places(workspace, wanted, count, seed):
        best = heapq.nsmallest(count, [*best, *place])
    return read_documents(workspace, sorted(best))


def count_matches(workspace: Workspace, wanted: DocumentQuery) -> int:
    """Return how many documents are wanted. Cost and errors: those of `choose_documents`."""
    return sum(len(group.rows) for group in _match_groups(workspace, wanted))


def _draw_places(
    workspace: Workspace, wanted: DocumentQuery, count: int, seed: int
) -> Iterator[list[DocumentPlace]]:
    """Yield, per row group, the places of the first `count` documents in the order of the draw."""
    for matches in _match_groups(workspace, wanted):
        rows = matches.rows
        draws = draw_uniform(matches.ids, seed)
        first = np.argsort(draws, kind="stable")[:count]
        names = matches.ids.take(pa.array(first)).to_pylist()
        drawn, at = draws[first].tolist(), rows[first].tolist()
        yield [
            DocumentPlace(draw, name, matches.source, matches.split, matches.group, row)
            for draw, name, row in zip(drawn, names, at, strict=True)
        ]


class _GroupMatches(NamedTuple):
    """The documents of a row group that are wanted: their rows and ids."""

    source: str
    split: str
    group: int
    rows: npt.NDArray[np.int64]
    ids: pa.ChunkedArray


def _match_groups(workspace: Workspace, wanted: DocumentQuery) -> Iterator[_GroupMatches]:
    """Yield the row groups that have some of the documents wanted."""
    splits = workspace.splits()
    columns = ["id", "language", "snapshot", "gate", *(["url"] if wanted.domain else [])]
    for source, split in splits:
        if wanted.source not in (None, source):
            continue
        if not storage.exists(workspace.part("decisions", source, split)):
            raise workspace.unfinished_error("decisions")
        documents = open_table(workspace.part("documents", source, split))
        decisions = open_table(workspace.part("decisions", source, split))
        scores = _open_scores(workspace, wanted, source, split)
        for group in range(documents.num_row_groups):
            facts = documents.read_row_group(group, columns=columns, use_threads=False)
            chosen = match_rows(facts, decisions.read_row_group(group, use_threads=False), wanted)
            if scores is not None and wanted.score is not None:
                signal, low, high = wanted.score
                column = scores.read_row_group(group, columns=[signal], use_threads=False)
                values = column.column(0).to_numpy()
                chosen &= (values >= low) & (values <= high)
            rows = np.flatnonzero(chosen)
            if len(rows):
                yield _GroupMatches(source, split, group, rows, facts.column("id").take(pa.array(rows)))
        for file in (documents, decisions, scores):
            if file is not None:
                file.close(force=True)


def _open_scores(
    workspace: Workspace, wanted: DocumentQuery, source: str, split: str
) -> pq.ParquetFile | None:
    if wanted.score is None:
        return None
    signal = wanted.score[0]
    step = signal.partition(".")[0]
    if step not in workspace.steps():
        raise UserError(f"no signal {signal}: the workspace has signals of {', '.join(workspace.steps())}")
    file = open_table(workspace.part(f"signals/{step}", source, split))
    if signal not in file.schema_arrow.names:
        raise UserError(f"no signal {signal}: {step} has {', '.join(file.schema_arrow.names)}")
    return file


def match_rows(facts: pa.Table, decisions: pa.Table, wanted: DocumentQuery) -> Masks:
    """Return which rows of a row group match the query, apart from their score, as a mask."""
    chosen = np.ones(facts.num_rows, np.bool_)

    def only(mask: pa.Array | pa.ChunkedArray) -> None:
        nonlocal chosen
        chosen &= pc.fill_null(mask, False).to_numpy(zero_copy_only=False).astype(np.bool_)

    if wanted.ids is not None:
        only(pc.is_in(facts.column("id"), value_set=pa.array(sorted(wanted.ids), pa.string())))
    if wanted.kept is not None:
        only(pc.equal(decisions.column("kept"), wanted.kept))
    if wanted.language is not None:
        column = facts.column("language")
        bare = pc.list_element(pc.split_pattern(pc.fill_null(column, ""), "_", max_splits=1), 0)
        only(pc.or_(pc.fill_null(pc.equal(column, wanted.language), False), pc.equal(bare, wanted.language)))
    if wanted.snapshot is not None:
        only(pc.equal(facts.column("snapshot"), wanted.snapshot))
    if wanted.gate is not None:
        only(pc.equal(facts.column("gate"), wanted.gate))
    if wanted.duplicates:
        only(decisions.column("duplicate_of").is_valid())
    if wanted.domain is not None:
        names = TextNumbers()
        numbers = number_domains(facts.column("url").combine_chunks(), names, {})
        chosen &= numbers == names.number(wanted.domain.lower())
    if wanted.rule is not None:
        failed = decisions.column("failed_rules").combine_chunks()
        parents = pc.list_parent_indices(failed).to_numpy()
        names_of = pc.list_flatten(failed)
        hit = pc.or_(pc.equal(names_of, wanted.rule), pc.starts_with(names_of, f"{wanted.rule}."))
        fails = np.zeros(facts.num_rows, np.bool_)
        fails[parents[hit.to_numpy(zero_copy_only=False).astype(np.bool_)]] = True
        chosen &= fails
    return chosen


def read_documents(workspace: Workspace, places: Iterable[DocumentPlace]) -> list[Row]:
    """Read the documents at some places, in their order, with decisions and signals; each row group once.

    A kept document has `edits` if some are applied to its text: what is cut from it, or masked in it.
    """
    order = list(places)
    applied = read_applied(workspace)
    by_group: dict[tuple[str, str, int], list[DocumentPlace]] = defaultdict(list)
    for place in order:
        by_group[place.source, place.split, place.group].append(place)
    folders = ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]
    rows_by_place: dict[DocumentPlace, Row] = {}
    for (source, split, group), here in by_group.items():
        rows = pa.array([place.row for place in here], pa.int64())
        for place in here:
            rows_by_place[place] = {"source": source, "signals": {}}
        for folder in folders:
            with open_stored(workspace.part(folder, source, split)) as stream:
                whole = pq.ParquetFile(stream).read_row_group(group, use_threads=False)
            values = whole.take(rows).to_pylist()
            for place, value in zip(here, values, strict=True):
                if folder.startswith("signals/"):
                    measured = {name: round(v, 5) for name, v in value.items() if v is not None and v == v}
                    rows_by_place[place]["signals"].update(measured)
                else:
                    rows_by_place[place].update(value)
        edits = read_applied_edits(workspace, source, split, applied)
        if edits is not None:
            first = _find_first_row(workspace, source, split, group)
            for place in here:
                if rows_by_place[place]["kept"] and (own := edits.of_row(first + place.row)):
                    rows_by_place[place]["edits"] = [edit._asdict() for edit in own]
    for row in rows_by_place.values():
        row["metadata"] = dict(row["metadata"] or [])
    return [rows_by_place[place] for place in order]


def _find_first_row(workspace: Workspace, source: str, split: str, group: int) -> int:
    """Return the number of the first row of a row group."""
    with open_stored(workspace.part("documents", source, split)) as stream:
        file = pq.read_metadata(stream)
    return sum(file.row_group(at).num_rows for at in range(group))


def split_document(row: Row) -> list[tuple[str, Region | None]]:
    """Return the text of a row in pieces, each with the region of its edits that it is, None for what stays.

    In place of a text that was not kept, or of a gated document's, why there is none.
    """
    text = text_or_reason(row)
    return list(split_text(text, [Edit(**edit) for edit in row.get("edits", ())]))


def edit_document(row: Row) -> str:
    """Return the text of a row as tokens and exports have it; in place of a missing one, why there is none."""
    return "".join(text if region is None else region.replacement for text, region in split_document(row))


def shorten_pieces(
    pieces: Iterable[tuple[str, Region | None]], room: int | None
) -> Iterator[tuple[str, Region | None]]:
    """Yield the pieces that the first `room` characters of a text are, the last of them shortened; all without it."""
    left = sys.maxsize if room is None else room
    for text, region in pieces:
        if left <= 0:
            return
        yield text[:left], region
        left -= len(text)


def find_documents(workspace: Workspace, ids: Collection[str], kept: bool | None = None) -> dict[str, Row]:
    """Find documents by id; unknown ids are left out. A record that was read twice has one id and two
    rows, of which at most one is kept."""
    if not ids:
        return {}
    rows = choose_documents(workspace, DocumentQuery(ids=ids, kept=kept), sys.maxsize, 0)
    return {row["id"]: row for row in rows}


def find_standing(workspace: Workspace, ids: Collection[str]) -> dict[str, Row]:
    """Find the documents that duplicates were removed for: of two rows with one id the kept one, or else one that is
    no duplicate itself (a bound on `dedup.cluster_size` may have dropped it). Those of earlier builds are left out."""
    if not ids:
        return {}
    rows = choose_documents(workspace, DocumentQuery(ids=ids), sys.maxsize, 0)
    rows.sort(key=lambda row: (row["kept"], row["duplicate_of"] is None))
    return {row["id"]: row for row in rows}


def read_old_places(workspace: Workspace, ids: Collection[str]) -> dict[tuple[str, str], str]:
    """Return, by the ids of a removed document and the one it was removed for, which earlier build has the latter."""
    path = workspace.path("dedup", "against.parquet")
    return {(row["removed_id"], row["kept_id"]): row["place"] for row in _read_rows(path, ids, "removed_id")}


def read_relations(workspace: Workspace, ids: Collection[str], column: str = "removed_id") -> list[Row]:
    """Return rows of dedup/clusters.parquet by the removed (or the kept) id: level, similarity, size of the cluster."""
    return _read_rows(workspace.path("dedup", "clusters.parquet"), ids, column)


def _read_rows(path: str, ids: Collection[str], column: str) -> list[Row]:
    """Return the rows of a file whose `column` is one of some ids; none where there is no file."""
    if not ids or not storage.exists(path):
        return []
    wanted = pa.array(sorted(ids), pa.string())
    tables = [
        group.filter(pc.is_in(group.column(column), value_set=wanted)) for group in read_cluster_groups(path)
    ]
    return [row for table in tables for row in table.to_pylist()]


def read_cluster(workspace: Workspace, id: str) -> list[Row]:
    """Return the rows of clusters.parquet of the cluster of a document, kept or removed; the most similar first."""
    kept = [row["kept_id"] for row in read_relations(workspace, [id])] or [id]
    rows = read_relations(workspace, kept, "kept_id")
    if not rows:
        raise UserError(
            f"no duplicate cluster contains {id}: it has no duplicates, or is not in this workspace"
        )
    return sorted(rows, key=lambda row: (-(row["similarity"] or 0), row["removed_id"]))
