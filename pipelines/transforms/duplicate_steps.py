"""The steps of the search for duplicates that a build does from its workspace: here all they need is shuffled.

Documents have no rows here, so their numbers are hashes of their ids: 63 bits, of which the first 31 stand for the
split that a build would have. Of documents with one number (the same id, or one chance in 2^63 a pair) the first in
the order of id and content takes part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.dedup import clusters, exact, minhash, pairs
from corpus.dedup.rows import SplitRows, parse_hex, to_hex
from corpus.dedup.shingles import hash_shingles
from corpus.dedup.signatures import has_signature
from corpus.dedup.url_key import hash_urls
from corpus.document import content_hash
from corpus.pipelines.beam.counters import increment
from corpus.pipelines.beam.packed import Element, Gathered, Kinds, Outbox, Records, make_records
from corpus.pipelines.dedup_steps import DEDUP_KINDS, LINK_DTYPE, MAX_HELD_SIGNATURES, DedupPlan
from corpus.pipelines.transforms.elements import DocumentRow
from corpus.text.page import Page

HASHED_SPLITS = 1 << 31
"""The splits of a `DedupPlan` whose numbers are hashes."""
NAMES_CODE = b"\xff"
"""The first byte of an element that is JSON: [[digest, id], ...] of documents whose ids are not 32 hex digits."""
PAIRS_PER_COMPARISON = 1 << 13
HEX_ID = re.compile("[0-9a-f]{32}")
ROW_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("id", "<u8", 2),
        ("content", "<u8", 2),
        ("url", "<u8"),
        ("priority", "<i4"),
        ("quality", "<f4"),
        ("length", "<i8"),
    ]
)
"""Record of one document: 64 bytes. `number` and what follows order documents of one number."""


@cache
def kinds_of(width: int) -> Kinds:
    """Return the kinds of a build's search, with the same codes, and two more: rows, and signatures of `width`."""
    signature = np.dtype(
        [("number", "<i8"), ("id", "<u8", 2), ("content", "<u8", 2), ("signature", "<u4", (width,))]
    )
    return Kinds(**DEDUP_KINDS.dtypes, rows=ROW_DTYPE, signatures=signature)


def width_of(plan: DedupPlan) -> int:
    return plan.options.minhash.width if plan.options.minhash is not None else 1


def digest_id(id: str) -> str:
    """Return an id as 32 hex digits: as it is, or hashed."""
    return id if HEX_ID.fullmatch(id) else content_hash(id)


def number_ids(id: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the number of each id uint64[n, 2]."""
    mixed = minhash.splitmix(id[:, 0] ^ minhash.splitmix(id[:, 1]))
    return (mixed >> np.uint64(1)).astype(np.int64)


def sign_documents(
    documents: Sequence[DocumentRow], plan: DedupPlan, quality: str | None, outbox: Outbox
) -> Iterator[Element]:
    """Put the rows and signatures of documents, each with a text, into the outbox, for their blocks; yield what
    it gives, and the ids that are not 32 hex digits."""
    if not documents:
        return
    texts = [document.text or "" for document in documents]
    digests = [digest_id(document.id) for document in documents]
    id = parse_hex(pa.array(digests))
    number = number_ids(id)
    content = parse_hex(pa.array([content_hash(text) for text in texts]))
    urls = pa.array([document.url for document in documents], pa.string())
    scores = [document.signals.get(quality, np.nan) if quality else 0.0 for document in documents]
    rows = make_records(
        ROW_DTYPE,
        number=number,
        id=id,
        content=content,
        url=hash_urls(urls) if plan.options.url else np.zeros(len(number), np.uint64),
        priority=np.array([document.priority for document in documents], np.int32),
        quality=np.array(scores, np.float32),
        length=np.array([len(text) for text in texts], np.int64),
    )
    yield from outbox.put("rows", plan.block(number), rows)
    if plan.options.minhash is not None:
        options = plan.options.minhash
        languages = [document.language or document.language_hint for document in documents]
        words = [Page(text, language).words for text, language in zip(texts, languages, strict=True)]
        hashes, counts = hash_shingles(words, [options.shape(language) for language in languages])
        values = minhash.compute_signatures(hashes, counts, options.width, options.seed)
        signatures = make_records(
            kinds_of(options.width).dtypes["signatures"],
            number=number,
            id=id,
            content=content,
            signature=values,
        )
        yield from outbox.put("signatures", plan.block(number), signatures)
    for document, digest, block in zip(documents, digests, plan.block(number).tolist(), strict=True):
        if document.id != digest:
            yield block, NAMES_CODE + json.dumps([[digest, document.id]]).encode()


def keys_from_rows(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the content hashes of the block's documents, by their range."""
    outbox = Outbox(DEDUP_KINDS)
    rows = keep_first(kinds_of(width_of(plan)).unpack(element[1], "rows")[0])
    increment("dedup", "documents", len(rows))
    columns = SplitRows(
        row=rows["number"],
        content=rows["content"],
        url=rows["url"],
        priority=rows["priority"],
        quality=rows["quality"],
        length=rows["length"],
        id=rows["id"],
    )
    keys = exact.build_content_keys(columns, 0, plan.options.exact)
    yield from outbox.put("keys", pairs.assign_partitions(keys["high"], plan.partitions), keys)
    yield from outbox.flush()


def bands_from_signatures(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the band keys of the block's contents that have a signature, by their range."""
    outbox = Outbox(DEDUP_KINDS)
    contents, signatures = kinds_of(width_of(plan)).unpack(element[1], "contents", "signatures")
    signatures = keep_first(signatures)
    for start in range(0, len(contents), MAX_HELD_SIGNATURES):
        piece = contents[start : start + MAX_HELD_SIGNATURES]
        values = look_up(signatures, piece["number"])["signature"]
        filled = has_signature(values)
        keys = minhash.hash_bands(values[filled], *plan.minhash.banding)
        entries = pairs.build_band_entries(keys, piece["number"][filled], piece["order"][filled])
        yield from outbox.put("bands", pairs.assign_partitions(entries["key"], plan.partitions), entries)
    yield from outbox.flush()


def send_signatures(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the block's candidate pairs, each once, and the signatures of its side, to the block of the other."""
    kinds = kinds_of(width_of(plan))
    outbox = Outbox(kinds)
    links, signatures = kinds.unpack(element[1], "pairs", "signatures")
    candidates = pairs.deduplicate_pairs(np.stack([links["one"], links["other"]], axis=1))
    increment("dedup", "candidate_pairs", len(candidates))
    if len(candidates):
        blocks = plan.block(candidates[:, 0])
        chosen = make_records(LINK_DTYPE, one=candidates[:, 0], other=candidates[:, 1])
        yield from outbox.put("pairs", blocks, chosen)
        sent = np.unique(np.stack([blocks, candidates[:, 1]], axis=1), axis=0)
        yield from outbox.put("signatures", sent[:, 0], look_up(keep_first(signatures), sent[:, 1]))
    yield from outbox.flush()


def compare_signatures(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the pairs whose signatures agree in enough values as edges, and their components as links."""
    block, chunks = element
    links, signatures = kinds_of(width_of(plan)).unpack(chunks, "pairs", "signatures")
    signatures = keep_first(signatures)
    edges = [np.empty(0, clusters.EDGE_DTYPE)]
    for start in range(0, len(links), PAIRS_PER_COMPARISON):
        one, other = (links[name][start : start + PAIRS_PER_COMPARISON] for name in ("one", "other"))
        matches = minhash.count_matches(
            look_up(signatures, one)["signature"], look_up(signatures, other)["signature"]
        )
        similar = matches >= plan.minhash.matches
        edges.append(
            make_records(
                clusters.EDGE_DTYPE, one=one[similar], other=other[similar], matches=matches[similar]
            )
        )
    similar_pairs = np.concatenate(edges)
    increment("dedup", "similar_pairs", len(similar_pairs))
    if len(similar_pairs):
        stars = clusters.reduce_to_stars(np.stack([similar_pairs["one"], similar_pairs["other"]], axis=1))
        yield block, DEDUP_KINDS.pack("edges", similar_pairs)
        yield 0, DEDUP_KINDS.pack("links", make_records(LINK_DTYPE, one=stars[:, 0], other=stars[:, 1]))


def ranks_from_rows(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the block's members of components with the values that rank them."""
    outbox = Outbox(DEDUP_KINDS)
    memberships, rows = kinds_of(width_of(plan)).unpack(element[1], "memberships", "rows")
    if len(memberships):
        rows = look_up(keep_first(rows), memberships["number"])
        members = make_records(
            clusters.MEMBER_DTYPE,
            **{name: memberships[name] for name in ("root", "number", "content")},
            **{name: rows[name] for name in ("url", "priority", "quality", "length", "id")},
        )
        ranges = pairs.assign_partitions(minhash.splitmix(members["root"].astype(np.uint64)), plan.partitions)
        yield from outbox.put("members", ranges, members)
    yield from outbox.flush()


def send_to_kept(element: Element, plan: DedupPlan) -> Iterator[Element]:
    """Yield removed documents to the block of the one that is kept."""
    outbox = Outbox(DEDUP_KINDS)
    removed = DEDUP_KINDS.unpack([element[1]], "removed")[0]
    yield from outbox.put("removed", plan.block(number_ids(removed["kept"])), removed)
    yield from outbox.flush()


def name_kept(element: Gathered) -> Iterator[tuple[str, str]]:
    """Yield (digest of the id of a removed document, id of the kept one)."""
    names: dict[str, str] = {}
    chunks = []
    for chunk in element[1]:
        if chunk[:1] == NAMES_CODE:
            names.update(json.loads(chunk[1:]))
        else:
            chunks.append(chunk)
    removed = DEDUP_KINDS.unpack(chunks, "removed")[0]
    both = (to_hex(removed["id"]).to_pylist(), to_hex(removed["kept"]).to_pylist())
    for digest, kept in zip(*both, strict=True):
        yield digest, names.get(kept, kept)


def is_names(element: Element) -> bool:
    """Return whether an element holds names."""
    return element[1][:1] == NAMES_CODE


def keep_first(records: Records) -> Records:
    """Return records sorted by `number`, of those with one number the first in the order of the other fields."""
    keys: list[NDArray[np.generic]] = []
    for name in reversed(records.dtype.names or ()):
        keys += list(records[name].reshape(len(records), -1)[:, :4].T[::-1])
    order = np.lexsort(keys)
    number = records["number"][order]
    first: Records = records[order[np.append(True, number[1:] != number[:-1])[: len(number)]]]
    return first


def look_up(records: Records, number: NDArray[np.int64]) -> Records:
    """Return the record of each number, from records that are sorted by it and have every one."""
    chosen: Records = records[np.searchsorted(records["number"], number)]
    return chosen
