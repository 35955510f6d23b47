"""Implement the steps of the search for repeated text: each maps the elements of one range to those of the next ones.

`corpus.pipelines.repeats` has the table of the steps and their costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.dedup.anchors import (
    ALIGNMENT_DTYPE,
    ANCHOR_DTYPE,
    AnchorShape,
    find_anchors,
    pair_anchors,
    to_points,
)
from corpus.dedup.pairs import assign_partitions
from corpus.dedup.repeated_lines import (
    LINE_DTYPE,
    find_repeated_lines,
    hash_lines,
    hash_paragraphs,
    make_line_records,
)
from corpus.dedup.repeated_spans import MarkedText
from corpus.dedup.rows import ROW_BITS, number_documents, row_of, split_of
from corpus.edits.edit_counts import EDIT_COUNTS_SCHEMA, count_edits, write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, REPEATS_STEP, write_edits
from corpus.groups import registered_domain
from corpus.pipelines.beam.counters import increment
from corpus.pipelines.beam.packed import Element, Gathered, Kinds, Outbox, Records, make_records
from corpus.pipelines.split_plan import SplitPlan, read_rows
from corpus.progress import count_documents
from corpus.storage.part_writer import check_beside
from corpus.workspace import Workspace

EDIT_KINDS = ("paragraph", "line", "span")
SPAN_DTYPE = np.dtype([("number", "<i8"), ("start", "<u4"), ("end", "<u4"), ("kind", "u1")])
"""Record of a marked span: `kind` is a place in `EDIT_KINDS`."""
REPEAT_KINDS = Kinds(
    paragraphs=LINE_DTYPE,
    lines=LINE_DTYPE,
    anchors=ANCHOR_DTYPE,
    alignments=ALIGNMENT_DTYPE,
    spans=SPAN_DTYPE,
)
MAX_HELD_CHARACTERS = 1 << 25
"""Characters of the later ones of documents that are held in memory while the earlier ones are read: 160 MiB."""


@dataclass(frozen=True, kw_only=True)
class RepeatPlan(SplitPlan):
    """The plan of a search for repeated text."""

    list_place: ClassVar = ("edits", f"{REPEATS_STEP}-splits.json")


@dataclass(frozen=True)
class KeptTexts:
    """The kept documents of a row group: their rows, texts and URLs."""

    rows: list[int]
    texts: list[str]
    urls: list[str | None]


def read_kept_texts(workspace: Workspace, source: str, split: str) -> Iterator[KeptTexts]:
    """Yield the kept documents of a split that have a text, a row group at a time."""
    documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
    decisions = pq.ParquetFile(storage.open_input(workspace.part("decisions", source, split)))
    try:
        check_beside(documents, decisions, f"decisions of input split {split} of {source}")
        first = 0
        for group in range(documents.num_row_groups):
            kept = decisions.read_row_group(group, columns=["kept"], use_threads=False)["kept"].to_numpy()
            table = documents.read_row_group(group, columns=["text", "url"], use_threads=False)
            chosen = np.flatnonzero(kept & table["text"].is_valid().to_numpy())
            table = table.take(chosen)
            rows = (chosen + first).tolist()
            yield KeptTexts(rows, table["text"].to_pylist(), table["url"].to_pylist())
            first += len(kept)
            count_documents(len(kept))
    finally:
        documents.close(force=True)
        decisions.close(force=True)


def survey_step(item: str, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the hashes of some splits' paragraphs and lines, and the anchors of their texts, by range.

    Every split's block gets an array of no spans, so that its edits are written even if there are none.
    """
    outbox = Outbox(REPEAT_KINDS)
    first, until = item.split(":")
    for split in range(int(first), int(until)):
        yield int(plan.block(np.array([split << ROW_BITS]))[0]), REPEAT_KINDS.codes["spans"]
        for kept in read_kept_texts(plan.workspace, *plan.names()[split]):
            numbers = number_documents(split, np.array(kept.rows, np.int64)).tolist()
            increment(REPEATS_STEP, "documents", len(numbers))
            increment(REPEATS_STEP, "characters", sum(map(len, kept.texts)))
            yield from _survey_lines(kept, numbers, plan, outbox)
            if plan.options.spans is not None:
                shape = AnchorShape(plan.options.spans.window)
                for anchors in find_anchors(kept.texts, numbers, shape):
                    yield from outbox.put(
                        "anchors", assign_partitions(anchors["key"], plan.partitions), anchors
                    )
    yield from outbox.flush()


def _survey_lines(
    kept: KeptTexts, numbers: Sequence[int], plan: RepeatPlan, outbox: Outbox
) -> Iterator[Element]:
    paragraphs, on_sites = plan.options.paragraphs, plan.options.lines
    if paragraphs is None and on_sites is None:
        return
    hashed: dict[str, list[Records]] = {"paragraphs": [], "lines": []}
    for text, number, url in zip(kept.texts, numbers, kept.urls, strict=True):
        lines = hash_lines(text)
        if paragraphs is not None:
            blocks = hash_paragraphs(text, lines, paragraphs.min_characters)
            hashed["paragraphs"].append(make_line_records(blocks, number))
        site = registered_domain(url) if url and on_sites is not None else None
        if site is not None:
            hashed["lines"].append(make_line_records(lines, number, site))
    for kind, records in hashed.items():
        if records:
            joined = np.concatenate(records)
            yield from outbox.put(kind, assign_partitions(joined["high"], plan.partitions), joined)


def match_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the range's repeated paragraphs and lines as spans, and its alignments, to the later document's block."""
    outbox = Outbox(REPEAT_KINDS)
    paragraphs, lines = plan.options.paragraphs, plan.options.lines
    least = {
        "paragraphs": None if paragraphs is None else paragraphs.documents,
        "lines": None if lines is None else lines.pages,
    }
    for at, (kind, documents) in enumerate(least.items()):
        if documents is not None:
            repeated = find_repeated_lines(REPEAT_KINDS.unpack(element[1], kind)[0], documents)
            spans = _make_spans(repeated["number"], repeated["start"], repeated["end"], at)
            yield from outbox.put("spans", plan.block(spans["number"]), spans)
    if plan.options.spans is not None:
        alignments = pair_anchors(REPEAT_KINDS.unpack(element[1], "anchors")[0])
        increment(REPEATS_STEP, "alignments", len(alignments))
        yield from outbox.put("alignments", plan.block(alignments["number"]), alignments)
    yield from outbox.flush()


def _make_spans(
    number: NDArray[np.int64], start: NDArray[np.generic], end: NDArray[np.generic], kind: int
) -> Records:
    kinds = np.full(len(number), kind, np.uint8)
    return make_records(SPAN_DTYPE, number=number, start=start, end=end, kind=kinds)


def extend_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the spans of the block's documents around equal grams, compared character by character."""
    block, chunks = element
    outbox = Outbox(REPEAT_KINDS)
    alignments = REPEAT_KINDS.unpack(chunks, "alignments")[0]
    alignments = alignments.take(np.argsort(alignments["number"], kind="stable"))
    for held in _hold_texts(np.unique(alignments["number"]), plan):
        low, high = min(held), max(held)
        own = alignments[(alignments["number"] >= low) & (alignments["number"] <= high)]
        _compare_with_earlier(own, held, plan)
        for number, text in held.items():
            pairs = np.array(text.spans(), np.int64).reshape(-1, 2)
            numbers = np.full(len(pairs), number)
            spans = _make_spans(numbers, pairs[:, 0], pairs[:, 1], EDIT_KINDS.index("span"))
            yield from outbox.put("spans", np.full(len(spans), block), spans)
    yield from outbox.flush()


def _hold_texts(numbers: NDArray[np.int64], plan: RepeatPlan) -> Iterator[dict[int, MarkedText]]:
    """Yield the texts of documents, in their order, as many at a time as `MAX_HELD_CHARACTERS`, or one more."""
    assert plan.options.spans is not None
    held: dict[int, MarkedText] = {}
    size = 0
    for number, text in _read_texts(numbers, plan):
        held[number] = MarkedText(to_points(text), plan.options.spans)
        size += len(text)
        if size >= MAX_HELD_CHARACTERS:
            yield held
            held, size = {}, 0
    if held:
        yield held


def _compare_with_earlier(alignments: Records, held: dict[int, MarkedText], plan: RepeatPlan) -> None:
    """Compare texts with all earlier ones that they are aligned with; each of these is read once, in their order."""
    alignments = alignments.take(np.lexsort((alignments["number"], alignments["other"])))
    others, firsts = np.unique(alignments["other"], return_index=True)
    bounds = np.append(firsts, len(alignments)).tolist()
    for at, (other, text) in enumerate(_read_texts(others, plan)):
        points = to_points(text)
        of_other = alignments[bounds[at] : bounds[at + 1]]
        numbers, starts = np.unique(of_other["number"], return_index=True)
        for number, piece in zip(numbers.tolist(), np.split(of_other, starts[1:]), strict=True):
            places = np.stack([piece["start"], piece["other_start"]], axis=1).astype(np.int64)
            held[number].compare(points, places, same=number == other)


def _read_texts(numbers: NDArray[np.int64], plan: RepeatPlan) -> Iterator[tuple[int, str]]:
    """Yield (number, text) of documents by ascending number."""
    for piece, table in read_rows(numbers, plan, ["text"]):
        yield from zip(piece.tolist(), table["text"].to_pylist(), strict=True)


def write_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Write the edits of the block's splits; yield their counts as rows of JSON."""
    block, chunks = element
    spans = _join_overlaps(REPEAT_KINDS.unpack(chunks, "spans")[0])
    for split in plan.block_splits(block):
        source, name = plan.names()[split]
        own = spans[split_of(spans["number"]) == split]
        columns = [row_of(own["number"]), own["start"].astype(np.int64), own["end"].astype(np.int64)]
        kinds = pa.array(EDIT_KINDS).take(pa.array(own["kind"]))
        edits = pa.table([*columns, kinds, pa.nulls(len(own), pa.string())], schema=EDITS_SCHEMA)
        write_edits(plan.workspace, REPEATS_STEP, source, name, edits, plan.digest)
        with storage.open_input(plan.workspace.part("documents", source, name)) as stream:
            languages = pq.ParquetFile(stream).read(columns=["language"], use_threads=False)["language"]
        counts = count_edits(edits, source, languages.to_pylist())
        yield 0, json.dumps(counts.to_pylist()).encode()


def _join_overlaps(spans: Records) -> Records:
    """Return the spans by document, kind and place, those of one document and kind that overlap or touch as one."""
    spans = np.unique(spans)
    spans = spans.take(np.lexsort((spans["end"], spans["start"], spans["kind"], spans["number"])))
    if not len(spans):
        return spans
    group = np.ones(len(spans), np.bool_)
    group[1:] = (spans["number"][1:] != spans["number"][:-1]) | (spans["kind"][1:] != spans["kind"][:-1])
    offset = np.cumsum(group, dtype=np.int64) << np.int64(32)
    reach = np.maximum.accumulate(offset + spans["end"])
    fresh = np.append(True, (offset + spans["start"])[1:] > reach[:-1])
    firsts = np.flatnonzero(fresh)
    joined = spans[firsts]
    joined["end"] = (reach - offset)[np.append(firsts[1:], len(spans)) - 1]
    return joined


def count_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Write the counts of all splits, whose parts are all there; remove the list of splits."""
    tables: Iterable[pa.Table] = (
        pa.Table.from_pylist(json.loads(rows), EDIT_COUNTS_SCHEMA) for rows in sorted(element[1]) if rows
    )
    write_edit_counts(plan.workspace, REPEATS_STEP, tables, plan.digest)
    plan.remove_names(plan.workspace)
    yield 0, REPEATS_STEP.encode()
