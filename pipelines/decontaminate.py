"""Decontamination of a build: items of evaluation sets in all documents, and what follows.

    splits   `item_scan`   candidates; in how many documents and groups what the index has occurs
    (one)    `item_scan`   the sums
    splits   `item_hits`   hits, signals, edits
    (one)    here          the table of sets, the counts of edits

All parts carry fingerprints, so a run that was killed goes on where it stopped, and the bytes depend on no number of
workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.decontamination import item_index, judging
from corpus.decontamination.hits import SETS_SCHEMA, hits_path, read_part, sets_path, weights_path
from corpus.decontamination.options import DecontaminationOptions
from corpus.edits.edit_counts import count_edits, write_edit_counts
from corpus.edits.parts import counts_path, edits_path
from corpus.edits.steps import DECONTAMINATION_STEP
from corpus.pipelines.item_scan import SplitName
from corpus.storage.part_writer import PartWriter, count_rows
from corpus.workspace import Workspace

MANY_DOCUMENTS = 20
"""Documents of which a set may hold most before that is suspicious."""


def write_tables(
    workspace: Workspace, splits: Sequence[SplitName], options: DecontaminationOptions, wanted: str
) -> None:
    """Write the table of sets and the counts of edits, from the hits of all splits. Memory: the index and one split."""
    items = item_index.read_items(workspace.path(item_index.FOLDER), ["place", "set", "reason"])
    places = items["place"].to_numpy()
    sums: dict[str, _HitSums] = {}
    for source, split in splits:
        hits = read_part(hits_path(workspace, source, split), ["row", "number", "verdict"])
        if len(hits):
            sums.setdefault(source, _HitSums(places)).add(hits)
    sought = items["reason"].is_null().to_numpy()
    rows: list[dict[str, Any]] = []
    for place in np.unique(places).tolist():
        own = places == place
        facts = {
            "set": items["set"][int(own.argmax())].as_py(),
            "action": options.action_of(place),
            "items": int(own.sum()),
            "looked_for": int((own & sought).sum()),
        }
        by_source = [(name, of_source) for name, of_source in sorted(sums.items()) if of_source.has(place)]
        everything = _HitSums(places)
        for _, of_source in by_source:
            everything.merge(of_source)
        rows += [
            {**facts, "source": name, **each.describe(place)}
            for name, each in [(None, everything), *by_source]
        ]
    with PartWriter(sets_path(workspace), SETS_SCHEMA, wanted) as writer:
        writer.write(pa.Table.from_pylist(rows, SETS_SCHEMA))
    write_edit_counts(workspace, DECONTAMINATION_STEP, _count_cuts(workspace, splits), wanted)


def _count_cuts(workspace: Workspace, splits: Sequence[SplitName]) -> Iterator[pa.Table]:
    for source, split in splits:
        edits = read_part(edits_path(workspace, DECONTAMINATION_STEP, source, split))
        if len(edits):
            languages = read_part(workspace.part("documents", source, split), ["language"])["language"]
            yield count_edits(edits, source, languages.to_pylist())


class _HitSums:
    """Sums of hits by set (its place in the manifest), from one split after another."""

    def __init__(self, places: NDArray[np.int64]) -> None:
        self._places = places
        self._items = np.zeros(len(places), np.bool_)
        self._counts = np.zeros((len(_COUNTED), int(places.max(initial=-1)) + 1), np.int64)

    def add(self, hits: pa.Table) -> None:
        """Add the hits of a split: `row`, `number` and `verdict`."""
        number, row = hits["number"].to_numpy(), hits["row"].to_numpy()
        place, verdict = self._places[number], np.array(hits["verdict"].to_pylist(), np.object_)
        is_hit = verdict == judging.HIT
        self._items[number[is_hit]] = True
        for at, name in enumerate(_COUNTED):
            if name == "documents":
                here = np.unique(np.stack([place[is_hit], row[is_hit]]), axis=1)[0]
            else:
                here = place[verdict == name]
            self._counts[at] += np.bincount(here, minlength=self._counts.shape[1])

    def merge(self, other: _HitSums) -> None:
        """Add the sums of documents that this one has not seen."""
        self._items |= other._items
        self._counts += other._counts

    def has(self, place: int) -> bool:
        return bool(self._counts[:, place].any())

    def describe(self, place: int) -> dict[str, int]:
        """Return the columns of `SETS_SCHEMA` for a set."""
        hits, documents, cleared, common, _ = self._counts[:, place].tolist()
        items = int((self._items & (self._places == place)).sum())
        return {
            "hits": hits,
            "items_hit": items,
            "documents": documents,
            "cleared": cleared,
            "common": common,
        }


_COUNTED = (judging.HIT, "documents", "cleared", judging.COMMON, judging.SHADOWED)


def describe_sets(workspace: Workspace, splits: Sequence[SplitName]) -> list[str]:
    """Return a line for each set with hits, and a warning for one that most documents hold items of."""
    total = sum(count_rows(workspace.part("documents", *split)) for split in splits)
    lines = []
    for row in read_part(sets_path(workspace)).to_pylist():
        if row["source"] is None and row["hits"]:
            what = "document holds" if row["documents"] == 1 else "documents hold"
            lines.append(
                f"{row['set']}: {row['documents']:,} {what} {row['items_hit']:,} of its {row['looked_for']:,} items "
                f"({row['action']}); `corpus sample DIR --contaminated` shows both texts"
            )
            if total >= MANY_DOCUMENTS and 2 * row["documents"] > total:
                lines.append(
                    f"{row['set']}: that is most of the corpus: is the set made from the same texts?"
                )
    return lines


def list_tables(workspace: Workspace) -> list[str]:
    """Return the paths of what a finished search has besides parts."""
    return [
        weights_path(workspace), sets_path(workspace), counts_path(workspace, DECONTAMINATION_STEP),
        workspace.path(item_index.FOLDER, "index.json"),
    ]  # fmt: skip
