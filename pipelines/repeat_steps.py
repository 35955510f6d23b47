"""Implement the steps of the search for repeated text: each maps the elements of one range to those of the next ones.

`corpus.pipelines.repeats` has the table of the steps and their costs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
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
from corpus.dedup.rows import ROW_BITS, number_documents, order_coarsely, parse_hex, row_of, split_of
from corpus.edits.edit_counts import EDIT_COUNTS_SCHEMA, count_edits, write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, write_edits
from corpus.edits.steps import REPEATS_STEP
from corpus.groups import registered_domain
from corpus.languages.labels import is_code
from corpus.pipelines.beam.counters import increment
from corpus.pipelines.beam.packed import Element, Gathered, Kinds, Outbox, Records, make_records
from corpus.pipelines.split_plan import SplitPlan, read_rows
from corpus.progress import count_documents
from corpus.storage.part_writer import check_beside

EDIT_KINDS = ("paragraph", "line", "span")
SPAN_DTYPE = np.dtype([("number", "<i8"), ("start", "<u4"), ("end", "<u4"), ("kind", "u1")])
"""Record of a marked span: `kind` is a place in `EDIT_KINDS`."""
REPEAT_KINDS = Kinds(
    paragraphs=LINE_DTYPE,
    lines=LINE_DTYPE,
    anchors=ANCHOR_DTYPE,
    alignments=ALIGNMENT_DTYPE,
    spans=SPAN_DTYPE,
    passages=np.dtype([("byte", "u1")]),  # of `_pack_passage`
)
MAX_HELD_CHARACTERS = 1 << 24
"""Characters of texts that are held in memory while they are compared: 80 MiB."""
MAX_LENT_BYTES = 1 << 26
"""Bytes of passages that are held at a time."""
PASSAGE_MARGIN = 4096
"""Characters of a passage before and after the places of equal grams: spans of the least length lie well within, and
beyond it equal grams bring passages of their own."""


@dataclass(frozen=True, kw_only=True)
class RepeatPlan(SplitPlan):
    """The plan of a search for repeated text.

    `sites`: the sources whose documents are pages of sites. `priorities` of sources, and `quality`, the step and the
    signal of a score if there is one, say which document is the best.
    """

    sites: tuple[str, ...] = ()
    priorities: Mapping[str, int] = field(default_factory=dict)
    quality: tuple[str, str] | None = None
    list_place: ClassVar = ("edits", f"{REPEATS_STEP}-splits.json")


@dataclass(frozen=True)
class KeptTexts:
    """The kept documents of a row group: their rows, texts, URLs and languages; `orders`: the best has the lowest, all
    0 where none is asked for."""

    rows: list[int]
    texts: list[str]
    urls: list[str | None]
    languages: list[str | None]
    orders: list[int]

    def take(self, chosen: NDArray[np.bool_]) -> KeptTexts:
        """Return some of the documents."""
        return KeptTexts(
            list(compress(self.rows, chosen)),
            list(compress(self.texts, chosen)),
            list(compress(self.urls, chosen)),
            list(compress(self.languages, chosen)),
            list(compress(self.orders, chosen)),
        )


def read_kept_texts(plan: RepeatPlan, source: str, split: str) -> Iterator[KeptTexts]:
    """Yield the kept documents of a split that have a text, a row group at a time."""
    workspace = plan.workspace
    scores = _read_scores(plan, source, split)
    documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
    decisions = pq.ParquetFile(storage.open_input(workspace.part("decisions", source, split)))
    try:
        check_beside(documents, decisions, f"decisions of input split {split} of {source}")
        first = 0
        for group in range(documents.num_row_groups):
            kept = decisions.read_row_group(group, columns=["kept"], use_threads=False)["kept"].to_numpy()
            table = documents.read_row_group(group, columns=["text", "url", "language"], use_threads=False)
            chosen = np.flatnonzero(kept & table["text"].is_valid().to_numpy())
            table = table.take(chosen)
            rows = (chosen + first).tolist()
            orders = [0] * len(rows)
            if plan.options.keeps_best:
                light = documents.read_row_group(group, columns=["id", "characters"], use_threads=False)
                light = light.take(chosen)
                orders = order_coarsely(
                    np.full(len(rows), plan.priorities.get(source, 0), np.int32),
                    np.full(len(rows), np.nan, np.float32) if scores is None else scores[rows],
                    light["characters"].to_numpy().astype(np.int64),
                    parse_hex(light["id"]),
                ).tolist()
            texts, urls, languages = (table[name].to_pylist() for name in ("text", "url", "language"))
            yield KeptTexts(rows, texts, urls, languages, orders)
            first += len(kept)
            count_documents(len(kept))
    finally:
        documents.close(force=True)
        decisions.close(force=True)


def _read_scores(plan: RepeatPlan, source: str, split: str) -> NDArray[np.float32] | None:
    """Return the quality of all documents of a split, if documents are compared by it."""
    if plan.quality is None or not plan.options.keeps_best:
        return None
    step, signal = plan.quality
    with storage.open_input(plan.workspace.part(f"signals/{step}", source, split)) as stream:
        scores = pq.ParquetFile(stream).read(columns=[signal], use_threads=False)[signal]
    values: NDArray[np.float32] = scores.to_numpy().astype(np.float32)
    return values


def survey_step(item: str, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the hashes of some splits' paragraphs and lines, and the anchors of their texts, by range.

    Every split's block gets an array of no spans, so that its edits are written even if there are none.
    """
    outbox = Outbox(REPEAT_KINDS)
    first, until = item.split(":")
    for split in range(int(first), int(until)):
        yield int(plan.block(np.array([split << ROW_BITS]))[0]), REPEAT_KINDS.codes["spans"]
        source, name = plan.names()[split]
        for kept in read_kept_texts(plan, source, name):
            increment(REPEATS_STEP, "documents", len(kept.rows))
            increment(REPEATS_STEP, "characters", sum(map(len, kept.texts)))
            prose = np.array([not is_code(language) for language in kept.languages], np.bool_)
            for kind, records in _survey_lines(kept, prose, source in plan.sites, split, plan):
                yield from outbox.put(kind, assign_partitions(records["high"], plan.partitions), records)
            if plan.options.spans is not None:
                shape = AnchorShape(plan.options.spans.window)
                own = kept.take(prose | plan.options.spans.code)
                numbers = number_documents(split, np.array(own.rows, np.int64)).tolist()
                for anchors in find_anchors(own.texts, numbers, shape):
                    yield from outbox.put(
                        "anchors", assign_partitions(anchors["key"], plan.partitions), anchors
                    )
    yield from outbox.flush()


def _survey_lines(
    kept: KeptTexts, prose: NDArray[np.bool_], on_site: bool, split: int, plan: RepeatPlan
) -> Iterator[tuple[str, Records]]:
    """Yield the LINEs of documents, by kind; `prose`: which of them are no source code."""
    paragraphs, on_sites = plan.options.paragraphs, plan.options.lines if on_site else None
    if paragraphs is None and on_sites is None:
        return
    hashed: dict[str, list[Records]] = {"paragraphs": [], "lines": []}
    numbers = number_documents(split, np.array(kept.rows, np.int64)).tolist()
    for text, number, url, is_prose, order in zip(
        kept.texts, numbers, kept.urls, prose.tolist(), kept.orders, strict=True
    ):
        by_blocks = paragraphs is not None and (is_prose or paragraphs.code)
        by_site = on_sites is not None and url and (is_prose or on_sites.code)
        if not (by_blocks or by_site):
            continue
        lines = hash_lines(text)
        if paragraphs is not None and by_blocks:
            blocks = hash_paragraphs(text, lines, paragraphs.min_characters)
            place = order if paragraphs.keep == "best" else 0
            hashed["paragraphs"].append(make_line_records(blocks, number, order=place))
        site = registered_domain(url) if url and by_site else None
        if on_sites is not None and site is not None:
            long = lines.take(lines.end - lines.start >= on_sites.min_characters)
            place = order if on_sites.keep == "best" else 0
            hashed["lines"].append(make_line_records(long, number, site, place))
    for kind, records in hashed.items():
        if records:
            yield kind, np.concatenate(records)


def match_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the range's repeated paragraphs and lines as spans, to their block, and its alignments, to the block of the
    earlier document."""
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
        yield from outbox.put("alignments", plan.block(alignments["other"]), alignments)
    yield from outbox.flush()


def _make_spans(
    number: NDArray[np.int64], start: NDArray[np.generic], end: NDArray[np.generic], kind: int
) -> Records:
    kinds = np.full(len(number), kind, np.uint8)
    return make_records(SPAN_DTYPE, number=number, start=start, end=end, kind=kinds)


def lend_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the passages of the block's documents that later ones are aligned with, to the blocks of these."""
    alignments = REPEAT_KINDS.unpack(element[1], "alignments")[0]
    columns = [alignments[name] for name in ("other_start", "start", "number", "other")]
    alignments = alignments.take(np.lexsort(columns))
    others, firsts = np.unique(alignments["other"], return_index=True)
    bounds = np.append(firsts, len(alignments)).tolist()
    waiting: dict[int, list[bytes]] = defaultdict(list)
    size = 0
    for at, (other, text) in enumerate(_read_texts(others, plan)):
        of_other = alignments[bounds[at] : bounds[at + 1]]
        numbers, starts = np.unique(of_other["number"], return_index=True)
        blocks = plan.block(numbers).tolist()
        for number, block, own in zip(numbers.tolist(), blocks, np.split(of_other, starts[1:]), strict=True):
            for frame in _cut_passages(other, text, number, own):
                waiting[block].append(frame)
                size += len(frame)
        if size >= MAX_LENT_BYTES:
            yield from _lend(waiting)
            waiting, size = defaultdict(list), 0
    yield from _lend(waiting)


def _lend(waiting: dict[int, list[bytes]]) -> Iterator[Element]:
    for block, frames in waiting.items():
        yield block, b"".join((REPEAT_KINDS.codes["passages"], *frames))


def _cut_passages(other: int, text: str, number: int, alignments: Records) -> Iterator[bytes]:
    """Yield frames with the passages of a text around the places where another is aligned with it: a head, the places
    in both, and the text in UTF-8, none where a document is aligned with itself."""
    places = np.stack([alignments["start"], alignments["other_start"]], axis=1).astype(np.int64)
    places = places.take(np.argsort(places[:, 1], kind="stable"), axis=0)
    if number == other:
        yield _pack_passage(number, other, 0, places, "")
        return
    apart = np.flatnonzero(np.diff(places[:, 1]) > 2 * PASSAGE_MARGIN) + 1
    for piece in np.split(places, apart):
        start = max(0, int(piece[0, 1]) - PASSAGE_MARGIN)
        end = int(piece[-1, 1]) + PASSAGE_MARGIN
        yield _pack_passage(number, other, start, piece, text[start:end])


def _pack_passage(number: int, other: int, start: int, places: NDArray[np.int64], text: str) -> bytes:
    encoded = text.encode()
    head = np.array([number, other, start, len(places), len(encoded)], np.int64)
    return b"".join((head.tobytes(), places.tobytes(), encoded, bytes(-len(encoded) % 8)))


@dataclass(frozen=True)
class Passage:
    """A passage of an earlier document, from character `start`, and `places` int64[n, 2] where a document and the
    earlier one have equal grams."""

    other: int
    start: int
    places: NDArray[np.int64]
    text: bytes


def _unpack_passages(chunks: Iterable[bytes]) -> Iterator[tuple[int, int, Passage]]:
    """Yield (number, bytes, passage) of all frames; the arrays are those of the chunks."""
    for chunk in REPEAT_KINDS.stream(chunks, "passages"):
        data = np.asarray(chunk).view(np.uint8)
        at = 0
        while at < len(data):
            number, other, start, count, size = np.frombuffer(data, np.int64, 5, at).tolist()
            places = np.frombuffer(data, np.int64, 2 * count, at + 40).reshape(-1, 2)
            text_at = at + 40 + places.nbytes
            text = data[text_at : text_at + size].tobytes()
            until = text_at + size + -size % 8
            yield number, until - at, Passage(other, start, places, text)
            at = until


def extend_step(element: Gathered, plan: RepeatPlan) -> Iterator[Element]:
    """Yield the spans of the block's documents around equal grams, compared character by character."""
    block, chunks = element
    outbox = Outbox(REPEAT_KINDS)
    sizes: dict[int, int] = defaultdict(int)
    for number, size, _ in _unpack_passages(chunks):
        sizes[number] += size
    for numbers in _divide_by_size(sizes):
        passages: dict[int, list[Passage]] = {number: [] for number in numbers}
        for number, _, passage in _unpack_passages(chunks):
            if number in passages:
                passages[number].append(passage)
        for held in _hold_texts(np.array(numbers), plan):
            for number, text in held.items():
                for passage in sorted(passages.pop(number), key=lambda one: (one.other, one.start)):
                    _compare_with_passage(text, passage, number)
                pairs = np.array(text.spans(), np.int64).reshape(-1, 2)
                spans = _make_spans(
                    np.full(len(pairs), number), pairs[:, 0], pairs[:, 1], EDIT_KINDS.index("span")
                )
                yield from outbox.put("spans", np.full(len(spans), block), spans)
    yield from outbox.flush()


def _divide_by_size(sizes: dict[int, int]) -> Iterator[list[int]]:
    """Yield the numbers in ascending order, as many at a time as have `MAX_LENT_BYTES`, or one more."""
    numbers: list[int] = []
    size = 0
    for number in sorted(sizes):
        numbers.append(number)
        size += sizes[number]
        if size >= MAX_LENT_BYTES:
            yield numbers
            numbers, size = [], 0
    if numbers:
        yield numbers


def _compare_with_passage(text: MarkedText, passage: Passage, number: int) -> None:
    """Mark what a text has in common with a passage around the places where both are aligned."""
    if passage.other == number:
        text.compare(text.points, passage.places, same=True)
    else:
        text.compare(
            to_points(passage.text.decode()), passage.places - np.array([0, passage.start]), same=False
        )


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
