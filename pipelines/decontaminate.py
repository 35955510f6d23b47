"""Look for items of evaluation sets in all documents: candidates, weights from the corpus, hits, and what follows.

    splits   `ScanParts`    candidates; in how many documents and groups what the index has occurs
    (one)    `merge`        the sums
    splits   `JudgeParts`   hits, signals, edits: from candidates and sums, without reading a text again

So another action, score, guard or clearing costs a second: candidates depend on documents and sets alone. All parts
carry fingerprints, so a run that was killed goes on where it stopped, and the bytes depend on no number of workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.decontamination import item_index, judging, scanning
from corpus.decontamination.hits import (
    CANDIDATES_SCHEMA,
    COUNTS_SCHEMA,
    HITS_SCHEMA,
    MAX_GROUPS,
    SETS_SCHEMA,
    SIGNALS,
    STEP,
    hits_path,
    merge_counts,
    pack_matched,
    read_part,
    sets_path,
    unpack_matched,
)
from corpus.decontamination.options import DecontaminationOptions
from corpus.edits.edit_counts import count_edits, write_edit_counts
from corpus.edits.parts import DECONTAMINATION_STEP, EDITS_SCHEMA, counts_path, edits_path, write_edits
from corpus.pipelines.beam.fanout import fan_out
from corpus.pipelines.beam.options import Running
from corpus.progress import count_documents, count_earlier
from corpus.rules.rule import draw_uniform
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, count_rows, read_fingerprint
from corpus.text.hashes import find_places
from corpus.text.units import to_text, to_units
from corpus.validation import hash_groups
from corpus.workspace import Workspace

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection

VERSION = 1
"""Increased when the same candidates would give other signals or edits."""
SAMPLED_DOCUMENTS = 8192
"""About so many documents say how common pairs are: all of a corpus that has no more."""
SIGNALS_SCHEMA = pa.schema([pa.field(name, pa.float32()) for name in SIGNALS])
MANY_DOCUMENTS = 20
"""Documents of which a set may hold most before that is suspicious."""
EDIT_KIND = "contamination"
CANDIDATES, COUNTS = f"{STEP}/candidates", f"{STEP}/counts"
SplitName = tuple[str, str]


@dataclass(frozen=True)
class ScanJob:
    """What the search depends on: the workspace, the index, and the share of documents that are sampled."""

    root: str
    index: str
    share: float

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @property
    def folder(self) -> str:
        return self.workspace.path(item_index.FOLDER)

    def wanted(self, source: str, split: str) -> str:
        """Return the fingerprint of a split's candidates and counts."""
        made_of = read_fingerprint(self.workspace.part("documents", source, split))
        return fingerprint([scanning.VERSION, self.index, self.share, made_of])


def choose_share(workspace: Workspace, splits: Sequence[SplitName]) -> float:
    """Return the share of documents that weights are computed from."""
    documents = sum(count_rows(workspace.part("documents", *split)) for split in splits)
    return min(1.0, SAMPLED_DOCUMENTS / max(1, documents))


class ScanParts:
    """Write the candidates and counts of one input split per call. Picklable."""

    def __init__(self, job: ScanJob) -> None:
        self.job = job

    def __call__(self, item: str) -> Iterator[str]:
        source, split = json.loads(item)
        workspace, wanted = self.job.workspace, self.job.wanted(source, split)
        paths = [workspace.part(folder, source, split) for folder in (CANDIDATES, COUNTS)]
        if all(read_fingerprint(path) == wanted for path in paths):
            count_earlier(count_rows(workspace.part("documents", source, split)))
        else:
            self._scan(workspace, source, split, wanted, paths)
        yield item

    def _scan(self, workspace: Workspace, source: str, split: str, wanted: str, paths: list[str]) -> None:
        index = item_index.open_index(self.job.folder, self.job.index)
        tally = _Tally(index)
        documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
        first = 0
        try:
            with PartWriter(paths[0], CANDIDATES_SCHEMA, wanted) as writer:
                for group in range(documents.num_row_groups):
                    columns = ["id", "group", "text"]
                    table = documents.read_row_group(group, columns=columns, use_threads=False)
                    writer.write(self._scan_group(table, first, index, tally))
                    first += table.num_rows
                    count_documents(table.num_rows)
        finally:
            documents.close(force=True)
        with PartWriter(paths[1], COUNTS_SCHEMA, wanted) as writer:
            writer.write(tally.table())

    def _scan_group(
        self, table: pa.Table, first: int, index: item_index.ItemIndex, tally: _Tally
    ) -> pa.Table:
        chosen = np.flatnonzero(table["text"].is_valid().to_numpy())
        rows = (chosen + first).tolist()
        table = table.take(pa.array(chosen))
        texts, ids = table["text"].to_pylist(), table["id"].to_pylist()
        if not texts:
            return CANDIDATES_SCHEMA.empty_table()
        groups = hash_groups(table)
        sampled = draw_uniform(table["id"], 0) < self.job.share
        tally.count_pairs([text for text, wanted in zip(texts, sampled.tolist(), strict=True) if wanted])
        candidates: list[dict[str, Any]] = []
        for shared in scanning.find_shared_grams(texts, index):
            at = shared.document
            tally.count_grams(shared.grams, groups[at])
            candidates += [
                {
                    "row": rows[at],
                    "id": ids[at],
                    "item": each.item,
                    "start": each.start,
                    "end": each.end,
                    "characters": len(texts[at]),
                    "matched": pack_matched(each.matched),
                }
                for each in scanning.find_candidates(texts[at], shared, index)
            ]
        return pa.Table.from_pylist(candidates, CANDIDATES_SCHEMA)


class _Tally:
    """Counts the documents of a split that have each pair and gram of the index."""

    def __init__(self, index: item_index.ItemIndex) -> None:
        self._index = index
        self._sampled = 0
        self._pairs: list[NDArray[np.int64]] = []
        self._grams: list[NDArray[np.int64]] = []
        self._groups: list[NDArray[np.uint64]] = []

    def count_pairs(self, texts: Sequence[str]) -> None:
        self._sampled += len(texts)
        for pairs in scanning.hash_distinct_pairs(texts):
            place = find_places(self._index.vocabulary, pairs)
            self._pairs.append(place[place >= 0])
        if len(self._pairs) > 256:
            self._pairs = [np.concatenate(self._pairs)]

    def count_grams(self, grams: NDArray[np.int64], group: np.uint64) -> None:
        distinct = np.unique(grams)
        self._grams.append(distinct)
        self._groups.append(np.full(len(distinct), group, np.uint64))

    def table(self) -> pa.Table:
        """Return rows of `COUNTS_SCHEMA`, by kind and place."""
        nothing = np.zeros(0, np.int64)
        pairs, of_pairs = np.unique(np.concatenate([nothing, *self._pairs]), return_counts=True)
        gram = np.concatenate([nothing, *self._grams])
        group = np.concatenate([np.zeros(0, np.uint64), *self._groups])
        grams, of_grams = np.unique(gram, return_counts=True)
        order = np.lexsort((group, gram))
        gram, group = gram[order], group[order]
        starts, ends = np.searchsorted(gram, grams), np.searchsorted(gram, grams, side="right")
        lists = [np.unique(group[a:b])[:MAX_GROUPS] for a, b in zip(starts, ends, strict=True)]
        kinds = ["all", *(["gram"] * len(grams)), *(["pair"] * len(pairs))]
        columns = [
            pa.array(kinds, pa.string()),
            pa.array(np.concatenate([[0], grams, pairs]).astype(np.int64)),
            pa.array(np.concatenate([[self._sampled], of_grams, of_pairs]).astype(np.int64)),
            pa.array([[], *lists, *([[]] * len(pairs))], pa.list_(pa.uint64())),
        ]
        return pa.table(columns, schema=COUNTS_SCHEMA)


def scan_pipeline(
    job: ScanJob, splits: Sequence[SplitName], running: Running, claims: str | None
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds the search of all documents for what the index has."""
    work, items = ScanParts(job), [json.dumps(split) for split in splits]

    def build(start: beam.Pipeline) -> PCollection[str]:
        done: PCollection[str] = start | "Scan" >> fan_out(items, work, running, claims)
        return done

    return build


WEIGHTS_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("documents", pa.list_(pa.int64()), nullable=False),
        pa.field("groups", pa.list_(pa.int64()), nullable=False),
    ]
)
"""Sums of the counts: a row `pair` and a row `gram` with a number for each place, and one `all`."""


def weights_path(workspace: Workspace) -> str:
    return workspace.path(STEP, "weights.parquet")


def merge_splits(job: ScanJob, splits: Sequence[SplitName]) -> str:
    """Write the sums of all splits' counts, unless they are there; return their fingerprint. Memory: the index."""
    workspace = job.workspace
    made_of = [read_fingerprint(workspace.part(COUNTS, *split)) for split in splits]
    wanted = fingerprint([job.index, made_of])
    path = weights_path(workspace)
    if read_fingerprint(path) == wanted:
        return wanted
    index = item_index.open_index(job.folder, job.index)
    tables = (read_part(workspace.part(COUNTS, *split)) for split in splits)
    pairs, grams, groups, sampled = merge_counts(tables, len(index.vocabulary), len(index.grams))
    rows = [
        {"kind": "all", "documents": [sampled], "groups": []},
        {"kind": "gram", "documents": grams, "groups": groups},
        {"kind": "pair", "documents": pairs, "groups": []},
    ]
    with PartWriter(path, WEIGHTS_SCHEMA, wanted) as writer:
        writer.write(pa.Table.from_pylist(rows, WEIGHTS_SCHEMA))
    return wanted


@lru_cache(maxsize=1)
def _read_weights(path: str, wanted: str, common: str) -> judging.PairWeights:
    del wanted  # what tells one file of this path from another
    options = DecontaminationOptions.model_validate_json(common)
    table = read_part(path)
    kinds = table["kind"].to_pylist()
    numbers: dict[tuple[str, str], NDArray[np.int64]] = {
        (kind, name): table[name][at].values.to_numpy()
        for at, kind in enumerate(kinds)
        for name in ("documents", "groups")
    }
    return judging.PairWeights(
        judging.weigh_pairs(numbers["pair", "documents"], int(numbers["all", "documents"][0])),
        judging.find_common_grams(numbers["gram", "documents"], numbers["gram", "groups"], options),
    )


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
        documents = read_fingerprint(workspace.part("documents", source, split))
        hits = self._list_hits(workspace, source, split)
        with PartWriter(hits_path(workspace, source, split), HITS_SCHEMA, wanted, documents) as writer:
            writer.write(pa.Table.from_pylist([hit for hit, _ in hits], HITS_SCHEMA))
        cuts = [
            self._make_edit(hit, size)
            for hit, size in hits
            if hit["verdict"] == judging.HIT and hit["action"] == "cut"
        ]
        edits = pa.Table.from_pylist(cuts, EDITS_SCHEMA)
        write_edits(workspace, DECONTAMINATION_STEP, source, split, edits, wanted)
        self._write_signals(workspace, source, split, wanted, [hit for hit, _ in hits])

    def _list_hits(self, workspace: Workspace, source: str, split: str) -> list[tuple[dict[str, Any], int]]:
        """Return the hits of a split, each with the characters of its document."""
        options, folder = self.job.decontamination, self.job.scan.folder
        candidates = read_part(workspace.part(CANDIDATES, source, split)).to_pylist()
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

    def _make_edit(self, hit: dict[str, Any], characters: int) -> dict[str, Any]:
        margin = self.job.decontamination.margin
        start, end = max(0, hit["start"] - margin), min(characters, hit["end"] + margin)
        return {"row": hit["row"], "start": start, "end": end, "kind": EDIT_KIND, "replacement": None}

    def _write_signals(
        self, workspace: Workspace, source: str, split: str, wanted: str, hits: Sequence[dict[str, Any]]
    ) -> None:
        path = workspace.part("documents", source, split)
        with storage.open_input(path) as stream:
            metadata = pq.ParquetFile(stream).metadata
        sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
        values = np.zeros((3, sum(sizes)), np.float32)
        for hit in hits:
            if hit["verdict"] == judging.HIT:
                values[0, hit["row"]] += 1
                values[1, hit["row"]] = max(values[1, hit["row"]], hit["score"])
                values[2, hit["row"]] = max(values[2, hit["row"]], float(hit["action"] == "drop"))
        signals = workspace.part(f"signals/{STEP}", source, split)
        with PartWriter(signals, SIGNALS_SCHEMA, wanted, read_fingerprint(path)) as writer:
            first = 0
            for size in sizes:
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
        texts = item_index.join_parts(row["question"], row["options"], row["answer"], row["passage"])
        return row["place"], row["set"], row["item"], texts


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
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds the judgement of all candidates."""
    work, items = JudgeParts(job), [json.dumps(split) for split in splits]

    def build(start: beam.Pipeline) -> PCollection[str]:
        done: PCollection[str] = start | "Judge" >> fan_out(items, work, running, claims)
        return done

    return build


def write_tables(
    workspace: Workspace, splits: Sequence[SplitName], options: DecontaminationOptions, wanted: str
) -> None:
    """Write the table of sets and the counts of edits, from the hits of all splits."""
    items = item_index.read_items(workspace.path(item_index.FOLDER), ["place", "set", "reason"]).to_pylist()
    names = {row["place"]: row["set"] for row in items}
    rows: list[dict[str, Any]] = []
    hits: dict[tuple[str, str], list[dict[str, Any]]] = {}
    edits = []
    for source, split in splits:
        columns = ["row", "set", "item", "verdict"]
        for hit in read_part(hits_path(workspace, source, split), columns).to_pylist():
            hits.setdefault((hit["set"], source), []).append({**hit, "row": (split, hit["row"])})
        part = read_part(edits_path(workspace, DECONTAMINATION_STEP, source, split))
        if len(part):
            languages = read_part(workspace.part("documents", source, split), ["language"])["language"]
            edits.append(count_edits(part, source, languages.to_pylist()))
    for place, name in sorted(names.items()):
        own = [row for row in items if row["place"] == place]
        facts = {
            "set": name,
            "action": options.action_of(place),
            "items": len(own),
            "looked_for": sum(row["reason"] is None for row in own),
        }
        of_set = {source: rows_of for (set_name, source), rows_of in hits.items() if set_name == name}
        everything = [{**row, "row": (source, row["row"])} for source, each in of_set.items() for row in each]
        rows += [
            {**facts, "source": source, **_sum_hits(each)}
            for source, each in [(None, everything), *sorted(of_set.items())]
        ]
    with PartWriter(sets_path(workspace), SETS_SCHEMA, wanted) as writer:
        writer.write(pa.Table.from_pylist(rows, SETS_SCHEMA))
    write_edit_counts(workspace, DECONTAMINATION_STEP, edits, wanted)


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


def _sum_hits(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    hits = [row for row in rows if row["verdict"] == judging.HIT]
    return {
        "hits": len(hits),
        "items_hit": len({row["item"] for row in hits}),
        "documents": len({row["row"] for row in hits}),
        "cleared": sum(row["verdict"] == "cleared" for row in rows),
        "common": sum(row["verdict"] == judging.COMMON for row in rows),
    }


def list_tables(workspace: Workspace) -> list[str]:
    """Return the paths of what a finished search has besides parts."""
    return [
        weights_path(workspace), sets_path(workspace), counts_path(workspace, DECONTAMINATION_STEP),
        workspace.path(item_index.FOLDER, "index.json"),
    ]  # fmt: skip
