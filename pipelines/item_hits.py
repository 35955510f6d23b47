"""Judge what was found of evaluation sets: hits, signals and edits, from candidates and counts, without reading a text.

So another action, score, guard or clearing costs a second: candidates depend on documents and sets alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.decontamination import item_index, judging
from corpus.decontamination.hits import HITS_SCHEMA, STEP, hits_path, unpack_matched, weights_path
from corpus.decontamination.options import DecontaminationOptions
from corpus.edits.parts import EDITS_SCHEMA, edits_path, write_edits
from corpus.edits.regions import Edit, join_edits
from corpus.edits.steps import DECONTAMINATION_STEP
from corpus.holding import SIGNALS
from corpus.pipelines.beam.fanout import PipelineBuilder, fan_out_pipeline
from corpus.pipelines.beam.options import Running
from corpus.pipelines.item_scan import CANDIDATES, ScanJob, SplitName
from corpus.progress import count_documents, count_earlier
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, count_rows, read_fingerprint
from corpus.text.units import to_text, to_units
from corpus.workspace import Workspace

VERSION = 2
"""Increased when the same candidates would give other signals or edits."""
SIGNALS_SCHEMA = pa.schema([pa.field(name, pa.float32()) for name in SIGNALS])
EDIT_KIND = "contamination"


@dataclass(frozen=True)
class JudgeJob:
    """What hits depend on: the search, its weights, and the options."""

    scan: ScanJob
    weights: str
    options: str

    @property
    def decontamination(self) -> DecontaminationOptions:
        return DecontaminationOptions.model_validate_json(self.options)

    def wanted(self, source: str, split: str) -> str:
        """Return the fingerprint of a split's hits, signals and edits."""
        options = self.decontamination.model_dump(mode="json")
        options["sets"] = [[each["name"], each["action"]] for each in options["sets"]]
        made_of = read_fingerprint(self.scan.workspace.part(CANDIDATES, source, split))
        return fingerprint([VERSION, judging.VERSION, made_of, self.weights, options])


def identify_signals(workspace: Workspace, options: DecontaminationOptions) -> str:
    """Return what the signals of all splits depend on, once the sums of their counts are there."""
    judged = options.model_dump(mode="json", exclude={"sets", "action", "margin"})
    drops = [[each.name, options.action_of(place) == "drop"] for place, each in enumerate(options.sets)]
    return fingerprint([VERSION, judging.VERSION, read_fingerprint(weights_path(workspace)), judged, drops])


class JudgeParts:
    """Write the hits, signals and edits of one input split per call; yield its edits' counts. Picklable."""

    def __init__(self, job: JudgeJob) -> None:
        self.job = job

    def __call__(self, item: str) -> Iterator[str]:
        source, split = json.loads(item)
        workspace, wanted = self.job.scan.workspace, self.job.wanted(source, split)
        paths = [
            hits_path(workspace, source, split),
            edits_path(workspace, DECONTAMINATION_STEP, source, split),
            workspace.part(f"signals/{STEP}", source, split),
        ]
        rows = count_rows(workspace.part("documents", source, split))
        if all(read_fingerprint(path) == wanted for path in paths):
            count_earlier(rows)
        else:
            self._judge(workspace, source, split, wanted)
            count_documents(rows)
        yield item

    def _judge(self, workspace: Workspace, source: str, split: str, wanted: str) -> None:
        documents = workspace.part("documents", source, split)
        made_of = read_fingerprint(documents)
        signals = np.zeros((len(SIGNALS), count_rows(documents)), np.float32)
        edits = [EDITS_SCHEMA.empty_table()]
        with PartWriter(hits_path(workspace, source, split), HITS_SCHEMA, wanted, made_of) as writer:
            for candidates in self._read_candidates(workspace, source, split):
                hits = self._list_hits(workspace, candidates)
                if not hits:
                    continue
                writer.write(pa.Table.from_pylist([hit for hit, _ in hits], HITS_SCHEMA))
                _mark_signals(signals, [hit for hit, _ in hits])
                edits.append(pa.Table.from_pylist(list(self._list_cuts(hits)), EDITS_SCHEMA))
        write_edits(workspace, DECONTAMINATION_STEP, source, split, pa.concat_tables(edits), wanted)
        _write_signals(workspace, source, split, wanted, signals)

    def _read_candidates(
        self, workspace: Workspace, source: str, split: str
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the candidates of each row group of documents."""
        with storage.open_input(workspace.part(CANDIDATES, source, split)) as stream:
            part = pq.ParquetFile(stream)
            for group in range(part.num_row_groups):
                yield part.read_row_group(group, use_threads=False).to_pylist()

    def _list_hits(
        self, workspace: Workspace, candidates: Sequence[dict[str, Any]]
    ) -> list[tuple[dict[str, Any], int]]:
        """Return the hits among candidates, each with the characters of its document."""
        options, folder = self.job.decontamination, self.job.scan.folder
        if not candidates:
            return []
        index = item_index.open_index(folder, self.job.scan.index)
        weighed = _read_weights(weights_path(workspace), self.job.weights, self.job.options)
        items = _read_item_names(folder, self.job.scan.index)
        hits = []
        for candidate in candidates:
            number = candidate["item"]
            span = index.span(number)
            matched = unpack_matched(candidate["matched"], span.stop - span.start)
            verdict = judging.judge_candidate(number, matched, index, weighed, options)
            if verdict.kind == judging.WEAK:
                continue
            place, set_name, name, text = items.describe(number)
            reason = options.clears(set_name, name, candidate["id"])
            kind = "cleared" if reason is not None and verdict.kind == judging.HIT else verdict.kind
            spans = judging.find_spans(number, matched, index)
            hit = {
                **{key: candidate[key] for key in ("row", "id", "start", "end")},
                "set": set_name,
                "item": name,
                "number": number,
                "verdict": kind,
                "action": options.action_of(place),
                "score": verdict.score,
                "weight": verdict.weight,
                "parts": list(verdict.parts.items()),
                "item_spans": _to_characters(text, spans),
                "reason": reason,
            }
            hits.append((hit, candidate["characters"]))
        _mark_shadows([hit for hit, _ in hits if hit["verdict"] == judging.HIT])
        return hits

    def _list_cuts(self, hits: Sequence[tuple[dict[str, Any], int]]) -> Iterator[dict[str, Any]]:
        """Yield the spans that hits cut from their documents, those that touch or overlap as one."""
        margin = self.job.decontamination.margin
        spans: dict[int, list[Edit]] = {}
        sizes: dict[int, int] = {}
        for hit, characters in hits:
            if hit["verdict"] == judging.HIT and hit["action"] == "cut":
                start, end = max(0, hit["start"] - margin), min(characters, hit["end"] + margin)
                spans.setdefault(hit["row"], []).append(Edit(start, end, EDIT_KIND))
                sizes[hit["row"]] = characters
        for row, edits in spans.items():
            for region in join_edits(edits, sizes[row]):
                yield {
                    "row": row,
                    "start": region.start,
                    "end": region.end,
                    "kind": EDIT_KIND,
                    "replacement": None,
                }


def _mark_signals(signals: NDArray[np.float32], hits: Sequence[dict[str, Any]]) -> None:
    """Set the signals of documents, float32[len(SIGNALS), documents], that all hits of some of them make."""
    items = {(hit["row"], hit["number"]) for hit in hits if hit["verdict"] == judging.HIT}
    for row, _ in items:
        signals[0, row] += 1
    for hit in hits:
        if hit["verdict"] == judging.HIT:
            row = hit["row"]
            signals[1, row] = max(signals[1, row], hit["score"])
            signals[2, row] = max(signals[2, row], float(hit["action"] == "drop"))


def _write_signals(
    workspace: Workspace, source: str, split: str, wanted: str, values: NDArray[np.float32]
) -> None:
    """Write the signals of an input split in the row groups of its documents."""
    path = workspace.part("documents", source, split)
    with storage.open_input(path) as stream:
        metadata = pq.ParquetFile(stream).metadata
    with PartWriter(
        workspace.part(f"signals/{STEP}", source, split), SIGNALS_SCHEMA, wanted, read_fingerprint(path)
    ) as writer:
        first = 0
        for group in range(metadata.num_row_groups):
            size = metadata.row_group(group).num_rows
            writer.write(pa.table(list(values[:, first : first + size]), schema=SIGNALS_SCHEMA))
            first += size


def _mark_shadows(hits: Sequence[dict[str, Any]]) -> None:
    """Change the verdict of hits whose place another item of the same document explains better; by ascending row."""
    rows = np.array([hit["row"] for hit in hits], np.int64)
    bounds = np.append(np.unique(rows, return_index=True)[1], len(rows)).tolist()
    for first, end in pairwise(bounds):
        of_row = hits[first:end]
        starts, ends = (np.array([hit[name] for hit in of_row], np.int64) for name in ("start", "end"))
        scores = np.array([hit["score"] for hit in of_row], np.float64)
        for at in np.flatnonzero(judging.find_shadows(starts, ends, scores)).tolist():
            of_row[at]["verdict"] = judging.SHADOWED


class ItemNames:
    """The places, sets, names and texts of items, by number."""

    def __init__(self, folder: str) -> None:
        self._table = item_index.read_items(folder)

    def describe(self, number: int) -> tuple[int, str, str, str]:
        """Return (place of the set, set, item, its texts one after the other)."""
        row = self._table.slice(number, 1).to_pylist()[0]
        texts = item_index.join_texts(row)
        return row["place"], row["set"], row["item"], texts


@lru_cache(maxsize=1)
def _read_weights(path: str, wanted: str, options: str) -> judging.PairWeights:
    del wanted  # what tells one file of this path from another
    return judging.read_weights(path, DecontaminationOptions.model_validate_json(options))


@lru_cache(maxsize=1)
def _read_item_names(folder: str, wanted: str) -> ItemNames:
    del wanted
    return ItemNames(folder)


def _to_characters(text: str, spans: Sequence[tuple[int, int]]) -> list[dict[str, int]]:
    """Return spans in UTF-16 units as spans in characters."""
    units = to_units(text)
    if len(units) == len(text):
        return [{"start": start, "end": end} for start, end in spans]
    return [{"start": len(to_text(units[:start])), "end": len(to_text(units[:end]))} for start, end in spans]


def judge_pipeline(
    job: JudgeJob, splits: Sequence[SplitName], running: Running, claims: str | None
) -> PipelineBuilder:
    """Return a function that builds the judgement of all candidates."""
    items = [json.dumps(split) for split in splits]
    return fan_out_pipeline("Judge", items, JudgeParts(job), running, claims)
