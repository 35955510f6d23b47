"""Which items of an evaluation file are in the text that a run was trained on.

Where the build looked for them (`decontaminate.sets` with all items of the file), its hits say so: those in documents
that train, without the ones that were cleared or cut. Else the training documents are searched now, at 40 MB a second.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from corpus import storage
from corpus.decontamination import comparing, item_index, judging, scanning
from corpus.decontamination.evaluation_sets import identify_sets, list_sets, read_set
from corpus.decontamination.hits import has_hits, read_hits
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import DecontaminationOptions
from corpus.errors import UserError
from corpus.workspace import Workspace

Flags = npt.NDArray[np.bool_]
SAMPLED_EVERY = 8
"""One document in so many says how common pairs of words are."""


def find_trained_items(root: str, path: str, say: Callable[[str], None]) -> Flags:
    """Return which rows of an evaluation file are in the training documents of a workspace.

    Rows that cannot be looked for count as not found; `say` is given a line on them. Raises UserError if the workspace
    is gone.
    """
    if not Path(root, "workspace.json").exists():
        raise UserError(f"--clean: {root}, which the run was trained on, is no workspace any more")
    workspace = Workspace.open(root)
    options = DecontaminationOptions(sets=[path])  # type: ignore[list-item]
    files = list_sets(options)[0]
    items = [read.item for read in read_set(files, options.sets[0])]
    stored = _match_stored(workspace, items)
    if stored is not None:
        return stored
    say(f"{path}: looking for its items in the training documents of {root}, which was built without them")
    return _search(workspace, options, len(items), say)


def _match_stored(workspace: Workspace, items: list[EvaluationItem | None]) -> Flags | None:
    """Return what the hits of the build say of some items; None if it did not look for all of them."""
    if not has_hits(workspace):
        return None
    table = item_index.read_items(workspace.path(item_index.FOLDER)).to_pylist()
    numbers: dict[tuple[str, ...], list[int]] = {}
    names = {f"{row['set']}/{row['item']}": row["number"] for row in table}
    first_of: dict[int, int] = {}
    for row in table:
        numbers.setdefault((row["question"] or "", *(row["options"] or ())), []).append(row["number"])
        kind, _, first = (row["reason"] or "").partition(": of ")
        if kind == "a duplicate":
            first_of[row["number"]] = names[first]
    keys = [(item.question, *item.options) if item is not None else None for item in items]
    if any(key is not None and key not in numbers for key in keys):
        return None
    trained = set(_list_trained(workspace))
    return np.array(
        [
            key is not None and any(first_of.get(number, number) in trained for number in numbers[key])
            for key in keys
        ],
        np.bool_,
    )


def _list_trained(workspace: Workspace) -> Iterator[int]:
    """Yield the numbers of items that hits of a build have in documents that train."""
    for source, split, rows in read_hits(workspace, ["hit"], ["row", "number", "verdict", "action"]):
        rows = [row for row in rows if row["action"] != "cut"]
        if rows:
            trains = _read_trains(workspace, source, split)
            yield from (row["number"] for row in rows if trains[row["row"]])


def _read_trains(workspace: Workspace, source: str, split: str) -> Flags:
    with storage.open_input(workspace.part("decisions", source, split)) as stream:
        sides = pq.ParquetFile(stream).read(columns=["split"], use_threads=False)["split"].to_pylist()
    return np.array([side == "train" for side in sides], np.bool_)


def _search(
    workspace: Workspace, options: DecontaminationOptions, count: int, say: Callable[[str], None]
) -> Flags:
    """Search the training documents for all items of the one set of some options."""
    with tempfile.TemporaryDirectory(prefix="corpus-clean-") as folder:
        facts = item_index.write_index(folder, options, identify_sets(options))
        index = item_index.open_index(folder, facts["fingerprint"])
        for line in item_index.describe_index(folder):
            say(line)
        counts, sampled = np.zeros(len(index.vocabulary), np.int64), 0
        candidates: list[comparing.Candidate] = []
        for number, texts in enumerate(_read_training_texts(workspace)):
            drawn = (np.arange(len(texts)) + number) % SAMPLED_EVERY == 0
            scan = scanning.TextScan(texts, index, drawn)
            counts += scan.pair_counts
            sampled += scan.sampled
            for shared in scan.shared:
                candidates += comparing.find_candidates(texts[shared.document], shared, index)
        common = np.zeros(len(index.grams), np.bool_)
        weighed = judging.PairWeights(judging.weigh_pairs(counts, sampled), common)
        trained = np.zeros(count, np.bool_)
        for each in candidates:
            verdict = judging.judge_candidate(each.item, each.matched, index, weighed, options)
            trained[each.item] |= verdict.kind == judging.HIT
        return trained


def _read_training_texts(workspace: Workspace) -> Iterator[list[str]]:
    """Yield the texts of the documents that train, a row group at a time."""
    for source, split in workspace.splits():
        trains = _read_trains(workspace, source, split)
        first = 0
        with storage.open_input(workspace.part("documents", source, split)) as stream:
            part = pq.ParquetFile(stream)
            for group in range(part.num_row_groups):
                texts = part.read_row_group(group, columns=["text"], use_threads=False)["text"].to_pylist()
                here = trains[first : first + len(texts)].tolist()
                first += len(texts)
                yield [text for text, trained in zip(texts, here, strict=True) if trained and text]
