"""Implement the steps of the search for duplicates that plant canaries, and say what became of them.

`corpus.pipelines.dedup` has the table of the steps. Canaries are splits after all others, each with those made of
neighbouring splits' documents; what they are does not depend on how the search is divided.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.dedup import planted
from corpus.dedup.canaries import measure_likeness
from corpus.dedup.exact import CONTENT_KEY_DTYPE, name_contents
from corpus.dedup.pairs import assign_partitions
from corpus.dedup.rows import SplitRows, number_documents, parse_hex, replace_length, row_of, split_of
from corpus.dedup.signatures import SignatureStep, SignatureWriter
from corpus.pipelines.beam.packed import Element, Gathered, Outbox, make_records
from corpus.pipelines.dedup_steps import DEDUP_KINDS, DedupPlan, piece_path, planted_path
from corpus.pipelines.split_plan import read_rows
from corpus.storage.part_writer import PartWriter
from corpus.text.words import Words, segment_words

MAX_HELD_PICKS = 1 << 22
"""Picks of a range that are held before those that no language needs are dropped: 128 MiB."""
PLANTED_ROWS = 512
"""Canaries that are written at a time."""
MAX_STRANGERS = 4
"""Documents that a canary was found alike to, besides its own, whose texts are compared with it."""


def pick_step(
    rows: SplitRows, order: NDArray[np.uint64], split: int, plan: DedupPlan, outbox: Outbox
) -> Iterator[Element]:
    """Yield the documents of a split that canaries can be made of, by the range of their languages."""
    source, name = plan.names()[split]
    with storage.open_input(plan.workspace.part("documents", source, name)) as stream:
        column = pq.read_table(stream, columns=["language"], use_threads=False)["language"]
    languages = column.take(pa.array(rows.row)).to_pylist()
    picks = planted.pick_documents(rows, languages, split, order, plan.options.canaries, plan.minhash.seed)
    yield from outbox.put("picks", assign_partitions(picks["language"], plan.partitions), picks)


def choose_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the documents of the range's languages that canaries are made of, to the splits of those."""
    outbox = Outbox(DEDUP_KINDS)
    held, size = [np.empty(0, planted.PICK_DTYPE)], 0
    for picks in DEDUP_KINDS.stream(element[1], "picks"):
        held.append(picks)
        size += len(picks)
        if size > MAX_HELD_PICKS:
            held = [planted.reduce_picks(np.concatenate(held), plan.options.canaries)]
            size = len(held[0])
    chosen = planted.choose_plants(
        planted.reduce_picks(np.concatenate(held), plan.options.canaries), plan.options.canaries
    )
    yield from outbox.put("chosen", plan.canary_split(chosen["number"]), chosen)
    yield from outbox.flush()


def plant_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Write the canaries of one of their splits and their signatures; yield their documents' contents as theirs."""
    split, chunks = element
    outbox = Outbox(DEDUP_KINDS)
    chosen = DEDUP_KINDS.unpack(chunks, "chosen")[0]
    chosen = chosen[np.lexsort((chosen["turn"], chosen["number"]))]
    signing = SignatureStep(plan.minhash)
    rows = 0
    with (
        PartWriter(planted_path(plan, split), planted.PLANTS_SCHEMA, plan.digest) as parts,
        SignatureWriter(planted_path(plan, split, "arrow"), signing.schema, plan.digest) as signatures,
    ):
        for keys, table, words in _make_canaries(chosen, plan):
            parts.write(table)
            signatures.write(signing.signatures(words, table["language"].to_pylist()))
            keys["number"] = number_documents(split, np.arange(rows, rows + len(keys)))
            rows += len(keys)
            yield from outbox.put("keys", assign_partitions(keys["high"], plan.partitions), keys)
    yield from outbox.flush()


def _make_canaries(
    chosen: NDArray[np.void], plan: DedupPlan
) -> Iterator[tuple[NDArray[np.void], pa.Table, list[Words | None]]]:
    """Yield canaries, some at a time: their content keys without numbers, rows of `PLANTS_SCHEMA`, and words."""
    made: list[tuple[object, ...]] = []
    keys: list[NDArray[np.void]] = []
    words: list[Words | None] = []
    for plants, label, content, one, other in _read_origins(chosen, plan):
        source, name = plan.names()[int(plants["number"][0]) >> 32]
        for plant in plants:
            canary = planted.make_canary(one, other, label, plan.minhash.shape(label), int(plant["chance"]))
            if canary is None:
                continue
            kind, text, made_words, likeness = canary
            made.append((source, name, int(row_of(plant["number"])), label, kind, likeness, text))
            words.append(made_words)
            order = replace_length(plant["order"].reshape(1), np.array([len(text)]))
            keys.append(
                make_records(
                    CONTENT_KEY_DTYPE,
                    high=content[:1],
                    low=content[1:],
                    number=np.zeros(1, np.int64),
                    url=np.zeros(1, np.uint64),
                    order=order,
                )
            )
        if len(made) >= PLANTED_ROWS:
            yield np.concatenate(keys), _to_table(made), words
            made, keys, words = [], [], []
    if made:
        yield np.concatenate(keys), _to_table(made), words


def _to_table(made: list[tuple[object, ...]]) -> pa.Table:
    columns = [list(column) for column in zip(*made, strict=True)]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, planted.PLANTS_SCHEMA, strict=True)],
        schema=planted.PLANTS_SCHEMA,
    )


def _read_origins(
    chosen: NDArray[np.void], plan: DedupPlan
) -> Iterator[tuple[NDArray[np.void], str, NDArray[np.uint64], Words, Words]]:
    """Yield, for each document, the PLANTs to make of it, its label, content and words, and those of the document of
    its language before it (its own for the first)."""
    numbers, starts = np.unique(chosen["number"], return_index=True)
    bounds = np.append(starts, len(chosen))
    last: dict[str, Words] = {}
    at = 0
    for piece, table in read_rows(numbers, plan, ["language", "content_hash", "text"]):
        contents = parse_hex(table["content_hash"]) if plan.options.exact else name_contents(piece)
        labels, texts = table["language"].to_pylist(), table["text"].to_pylist()
        for label, text, content in zip(labels, texts, contents, strict=True):
            plants = chosen[bounds[at] : bounds[at + 1]]
            at += 1
            if text is None:
                continue
            words = segment_words(text, label)
            yield plants, label, content, words, last.get(label, words)
            last[label] = words


def audit_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Write what became of the block's canaries."""
    block, chunks = element
    links, audits = DEDUP_KINDS.unpack(chunks, "plants", "audits")
    links = links[np.argsort(links["number"])]
    audits = audits[np.lexsort((audits["other"], audits["number"]))]
    pieces = [planted.AUDIT_SCHEMA.empty_table()]
    for split in np.unique(split_of(links["number"])).tolist():
        own = links[split_of(links["number"]) == split]
        pieces.append(_audit_split(split, own, audits[split_of(audits["number"]) == split], plan))
    with PartWriter(piece_path(plan, block, "audit"), planted.AUDIT_SCHEMA, plan.digest) as writer:
        writer.write(pa.concat_tables(pieces))
    yield 0, b""


def _audit_split(split: int, links: NDArray[np.void], audits: NDArray[np.void], plan: DedupPlan) -> pa.Table:
    """Return rows of `AUDIT_SCHEMA` for a split of canaries, given the document of each and what each was compared
    with."""
    path = planted_path(plan, split)
    with storage.open_input(path) as stream:
        plants = pq.read_table(stream, columns=planted.PLACE_COLUMNS, use_threads=False)
    count = len(plants)
    row = row_of(audits["number"])
    own = audits["other"] == links["origin"][row]
    alike = audits["matches"] >= plan.minhash.matches
    candidate, verified, shared = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, np.uint64)
    candidate[row[own]], verified[row[own]] = True, alike[own]
    shared[row[own]] = audits["shared"][own]
    strange = audits[~own & alike]
    place = np.arange(len(strange)) - np.searchsorted(strange["number"], strange["number"])
    strange = strange[place < MAX_STRANGERS]
    right = strange[_are_alike(split, strange, plan)]
    return planted.build_audit_table(
        plants,
        candidate,
        verified,
        np.bincount(row_of(strange["number"]), minlength=count),
        np.bincount(row_of(right["number"]), minlength=count),
        shared,
        plan.minhash,
    )


def _are_alike(split: int, pairs: NDArray[np.void], plan: DedupPlan) -> NDArray[np.bool_]:
    """Return for AUDIT records of canaries and other documents whether the two texts are as alike as they were
    found."""
    alike = np.zeros(len(pairs), np.bool_)
    if not len(pairs):
        return alike
    with storage.open_input(planted_path(plan, split)) as stream:
        canaries = pq.read_table(stream, columns=["language", "text"], use_threads=False)
    least = planted.least_true_likeness(plan.minhash)
    order = np.argsort(pairs["other"], kind="stable")
    others, starts = np.unique(pairs["other"][order], return_index=True)
    members = np.split(order, starts[1:])
    at = 0
    for _, table in read_rows(others, plan, ["language", "text"]):
        for label, text in zip(table["language"].to_pylist(), table["text"].to_pylist(), strict=True):
            for pair in members[at].tolist():
                canary = canaries.slice(int(row_of(pairs["number"][pair])), 1).to_pylist()[0]
                words = segment_words(canary["text"], canary["language"])
                shape = plan.minhash.shape(canary["language"])
                alike[pair] = measure_likeness([words], [segment_words(text, label)], shape)[0] >= least
            at += 1
    return alike
