"""Implement the steps of deduplication: each maps the elements of one partition to those of the next ones.

`corpus.pipelines.dedup` has the table of the steps and their costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus import storage
from corpus.dedup import clusters, components, exact, minhash, pairs, planted, sketches, walk
from corpus.dedup.options import MinHashOptions
from corpus.dedup.removed import (
    AGAINST_SCHEMA,
    SIZES_SCHEMA,
    read_cluster_groups,
    to_against_table,
    to_clusters_table,
    to_sizes_table,
    write_clusters,
)
from corpus.dedup.rows import ROW_BITS, SplitRows, row_of, split_of
from corpus.dedup.signatures import SignatureReader, has_signature
from corpus.errors import UserError
from corpus.pipelines.against import AGAINST_MARK, load_old_rows, open_old_signatures
from corpus.pipelines.beam.counters import increment
from corpus.pipelines.beam.packed import Element, Gathered, Kinds, Outbox, Records, make_records
from corpus.pipelines.split_plan import SplitPlan
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.workspace import Workspace

LoadRows = Callable[[str, str], SplitRows]
"""Maps (source, split) to the rows to deduplicate; called twice per split, in any process."""

Pick = Callable[[SplitRows, NDArray[np.uint64], int, "DedupPlan", Outbox], Iterator[Element]]
"""Yields what is picked of a split's rows, given their orders."""

CONTENT_DTYPE = np.dtype([("number", "<i8"), ("order", "<u8")])
LINK_DTYPE = np.dtype([("one", "<i8"), ("other", "<i8")])
MEMBERSHIP_DTYPE = np.dtype([("number", "<i8"), ("content", "<i8"), ("root", "<i8"), ("late", "?")])
LATE_DTYPE = np.dtype([("number", "<i8")])
LATE_PRIORITY = -np.iinfo(np.int32).max
"""The priority of what stands inside something longer: it is decided on after all others, the longest first."""
CANARY_DTYPE = np.dtype([("number", "<i8"), ("origin", "<i8"), ("order", "<u8")])
AUDIT_DTYPE = np.dtype([("number", "<i8"), ("other", "<i8"), ("matches", "<i4"), ("shared", "<u8")])
"""Record of a canary and a content that were compared: `shared` are bits of bands."""
SIZE_DTYPE = np.dtype([("number", "<i8"), ("size", "<i8")])
DEDUP_KINDS = Kinds(
    keys=exact.CONTENT_KEY_DTYPE,
    contents=CONTENT_DTYPE,
    copies=LINK_DTYPE,  # a document, the content it has
    urls=exact.URL_ENTRY_DTYPE,
    bands=pairs.BAND_DTYPE,
    pairs=LINK_DTYPE,
    links=LINK_DTYPE,
    roots=LINK_DTYPE,  # a content, the root of its component
    edges=clusters.EDGE_DTYPE,
    memberships=MEMBERSHIP_DTYPE,
    members=clusters.MEMBER_DTYPE,
    removed=clusters.REMOVED_DTYPE,
    sizes=SIZE_DTYPE,  # a kept document, how many it represents
    frames=np.dtype([("byte", "u1")]),  # of `_pack_frame`
    picks=planted.PICK_DTYPE,
    chosen=planted.PLANT_DTYPE,
    plants=CANARY_DTYPE,  # a canary, the content that it is a variant of
    planted=pairs.PLANTED_BAND_DTYPE,
    audits=AUDIT_DTYPE,
    anchors=sketches.ANCHOR_BAND_DTYPE,
    nested=LINK_DTYPE,  # contents that share an anchor
    late=LATE_DTYPE,  # contents inside longer ones
)
Frame = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]
"""Pairs (low, high[at]), and the signatures of `high`."""
MAX_HELD_SIGNATURES = 1 << 16
"""Signatures held in memory at a time: 28 MiB for 112 permutations."""
MAX_HELD_PAIRS = 1 << 23
"""Candidate pairs of a block that are made unique at a time; 128 MiB, and as much again for a while."""
MAX_WALKED = 1 << 22
"""Documents and edges of a range that are walked in memory, 200 bytes each; more are walked in ranges of rank."""


@dataclass(frozen=True, kw_only=True)
class DedupPlan(SplitPlan):
    """The plan of a search for duplicates."""

    list_place: ClassVar = ("dedup", "splits.json")

    old: int = 0
    """How many of the splits, the last ones but for canaries, are parts of earlier builds."""
    canaries: int = 0
    """How many of the splits, the last ones, are canaries; they have no names."""
    audit: str = ""
    """The fingerprint of what is said about canaries."""

    @property
    def first_canary(self) -> int:
        """The number of the first split of canaries."""
        return self.splits - self.canaries

    @property
    def canaries_from(self) -> int:
        """The lowest number that a canary can have."""
        return self.first_canary << ROW_BITS

    def canary_split(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the splits of the canaries made of documents."""
        return self.first_canary + split_of(number) * self.canaries // max(1, self.first_old)

    @property
    def first_old(self) -> int:
        """The number of the first split that is a part of an earlier build."""
        return self.first_canary - self.old

    @property
    def old_from(self) -> int:
        """The lowest number that a document of an earlier build can have."""
        return self.first_old << ROW_BITS if self.old else clusters.NO_OLD

    def load(self, load: LoadRows, split: int) -> SplitRows:
        """Return the rows of a split, with `load` unless it is a part of an earlier build."""
        name = self.names()[split]
        return load(*name) if split < self.first_old else load_old_rows(*name, self.options.url)

    @property
    def minhash(self) -> MinHashOptions:
        assert self.options.minhash is not None
        return self.options.minhash


def clusters_path(workspace: Workspace) -> str:
    return workspace.path("dedup", "clusters.parquet")


def against_path(workspace: Workspace) -> str:
    """Return the path of the list of documents of earlier builds that are kept in place of some here."""
    return workspace.path("dedup", "against.parquet")


def sizes_path(workspace: Workspace) -> str:
    """Return the path of the sizes of clusters, by the documents that are kept."""
    return workspace.path("dedup", "sizes.parquet")


def audit_path(workspace: Workspace) -> str:
    """Return the path of what became of canaries."""
    return workspace.path("dedup", "audit.parquet")


def remove_leftovers(workspace: Workspace) -> None:
    """Remove the files of a run other than its result."""
    storage.remove_folder(workspace.path("dedup", "canaries"))
    for piece in storage.list_files(workspace.path("dedup", "removed")):
        storage.remove(piece)
    DedupPlan.remove_names(workspace)


def keys_step(item: str, plan: DedupPlan, load: LoadRows, pick: Pick | None = None) -> Iterator[Element]:
    """Yield the content hashes of some splits' documents, by their range, and what `pick` yields of each split."""
    outbox = Outbox(DEDUP_KINDS)
    first, until = item.split(":")
    for split in range(int(first), int(until)):
        rows = plan.load(load, split)
        keys = exact.build_content_keys(rows, split, plan.options.exact)
        if split < plan.first_old and pick is not None:
            yield from pick(rows, keys["order"], split, plan, outbox)
        if not plan.options.url:
            keys["url"] = 0
        increment("dedup", "documents" if split < plan.first_old else "old_documents", len(keys))
        yield from outbox.put("keys", pairs.assign_partitions(keys["high"], plan.partitions), keys)
    yield from outbox.flush()


def contents_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield each content's lowest document, which represents it, its other copies, and the contents of each URL."""
    outbox = Outbox(DEDUP_KINDS)
    ordered = exact.sort_by_content(DEDUP_KINDS.unpack(element[1], "keys")[0])
    if plan.canaries:
        real = ordered["number"] < plan.canaries_from
        yield from _link_canaries(ordered, ~real, plan, outbox)
        ordered = ordered[real]
    content, order = exact.find_representatives(ordered)
    first = content == ordered["number"]
    if plan.options.minhash is not None:
        representatives = make_records(CONTENT_DTYPE, number=content[first], order=order[first])
        yield from outbox.put("contents", plan.block(representatives["number"]), representatives)
    several = ~(first & np.append(first[1:], True)[: len(first)])
    copies = make_records(LINK_DTYPE, one=ordered["number"][several], other=content[several])
    yield from outbox.put("copies", plan.block(copies["other"]), copies)
    has_url = ordered["url"] != 0
    urls = make_records(exact.URL_ENTRY_DTYPE, url=ordered["url"][has_url], content=content[has_url])
    yield from outbox.put("urls", pairs.assign_partitions(urls["url"], plan.partitions), urls)
    yield from outbox.flush()


def _link_canaries(
    ordered: Records, chosen: NDArray[np.bool_], plan: DedupPlan, outbox: Outbox
) -> Iterator[Element]:
    """Put the chosen keys' canaries into the outbox, each with the content that its document has."""
    content = exact.find_representatives(ordered)[0][chosen]
    canaries = ordered[chosen]
    links = make_records(CANARY_DTYPE, number=canaries["number"], origin=content, order=canaries["order"])
    yield from outbox.put("plants", plan.block(links["number"]), links)


def same_url_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield links between contents that share a URL."""
    outbox = Outbox(DEDUP_KINDS)
    links = clusters.reduce_to_stars(exact.link_shared_urls(DEDUP_KINDS.unpack(element[1], "urls")[0]))
    yield from put_links(outbox, links[links.min(axis=1) < plan.old_from])
    yield from outbox.flush()


def bands_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the band keys of the block's contents that have a signature, by their range."""
    outbox = Outbox(DEDUP_KINDS)
    contents = DEDUP_KINDS.unpack(element[1], "contents")[0]
    contents = contents[np.argsort(contents["number"])]
    bands, rows = plan.minhash.banding
    for start in range(0, len(contents), MAX_HELD_SIGNATURES):
        piece = contents[start : start + MAX_HELD_SIGNATURES]
        signatures = _read_signatures(piece["number"], plan)
        filled = has_signature(signatures)
        piece = piece[filled]
        keys = minhash.hash_bands(signatures[filled], bands, rows)
        band_records = pairs.build_band_entries(keys, piece["number"], piece["order"])
        yield from outbox.put(
            "bands", pairs.assign_partitions(band_records["key"], plan.partitions), band_records
        )
    if plan.minhash.containment is not None:
        yield from _put_anchors(contents[contents["number"] < plan.first_old << ROW_BITS], plan, outbox)
    yield from _put_planted_bands(DEDUP_KINDS.unpack(element[1], "plants")[0], plan, outbox)
    yield from outbox.flush()


def _put_anchors(contents: Records, plan: DedupPlan, outbox: Outbox) -> Iterator[Element]:
    """Put the anchors of contents into the outbox, given by ascending number."""
    for split, piece in divide_by_split(contents):
        part = open_signatures(plan, split)
        try:
            for start in range(0, len(piece), MAX_HELD_SIGNATURES // 16):
                number = piece["number"][start : start + MAX_HELD_SIGNATURES // 16]
                anchors = sketches.make_anchors(part.read_sketches(row_of(number)), number)
                yield from outbox.put(
                    "anchors", pairs.assign_partitions(anchors["key"], plan.partitions), anchors
                )
        except IndexError as error:
            raise UserError(f"{error}, but its documents do: remove this part and build again") from None
        finally:
            part.close()


def _put_planted_bands(canaries: Records, plan: DedupPlan, outbox: Outbox) -> Iterator[Element]:
    """Put the band keys of canaries into the outbox."""
    canaries = canaries[np.argsort(canaries["number"])]
    bands = plan.minhash.banding[0]
    for start in range(0, len(canaries), MAX_HELD_SIGNATURES):
        piece = canaries[start : start + MAX_HELD_SIGNATURES]
        keys = minhash.hash_bands(_read_signatures(piece["number"], plan), *plan.minhash.banding)
        columns = {name: np.repeat(piece[name], bands) for name in ("number", "order", "origin")}
        records = make_records(pairs.PLANTED_BAND_DTYPE, key=keys.reshape(-1), **columns)
        yield from outbox.put("planted", pairs.assign_partitions(records["key"], plan.partitions), records)


def pairs_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the candidate pairs that share one of the range's bands, to the block of the higher number."""
    outbox = Outbox(DEDUP_KINDS)
    bands, planted_bands = DEDUP_KINDS.unpack(element[1], "bands", "planted")
    for candidates in pairs.generate_candidate_pairs(bands, plan.options.max_group):
        yield from _put_pairs(outbox, candidates[candidates[:, 0] < plan.old_from], plan)
    if plan.minhash.containment is not None:
        anchors = DEDUP_KINDS.unpack(element[1], "anchors")[0]
        for candidates in pairs.generate_candidate_pairs(anchors, plan.options.max_group):
            yield from _put_pairs(outbox, candidates, plan, "nested")
    if len(planted_bands):
        own = bands[bands["number"] < plan.first_old << ROW_BITS]
        yield from _put_pairs(outbox, pairs.pair_planted(own, planted_bands, plan.options.max_group), plan)
    yield from outbox.flush()


def _put_pairs(
    outbox: Outbox, candidates: NDArray[np.int64], plan: DedupPlan, kind: str = "pairs"
) -> Iterator[Element]:
    links = make_records(LINK_DTYPE, one=candidates[:, 0], other=candidates[:, 1])
    yield from outbox.put(kind, plan.block(candidates[:, 1]), links)


def ask_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the block's candidate pairs, each once, with the signatures of its side, to the block of the other side."""
    passes = 1 + DEDUP_KINDS.count(element[1], "pairs") // MAX_HELD_PAIRS
    for part in range(passes):
        pieces = [np.empty(0, LINK_DTYPE)]
        for links in DEDUP_KINDS.stream(element[1], "pairs"):
            pieces.append(links if passes == 1 else links[links["other"] % passes == part])
        candidates = pairs.deduplicate_pairs(to_links(np.concatenate(pieces)))
        del pieces
        increment("dedup", "candidate_pairs", int(np.count_nonzero(candidates[:, 1] < plan.canaries_from)))
        yield from _ask(candidates, plan)


def _ask(candidates: NDArray[np.int64], plan: DedupPlan) -> Iterator[Element]:
    """Yield frames of pairs for the blocks of their lower numbers; every signature of this block is read once."""
    candidates = candidates[np.argsort(candidates[:, 1], kind="stable")]
    own, starts = np.unique(candidates[:, 1], return_index=True)
    starts = np.append(starts, len(candidates))
    for start in range(0, len(own), MAX_HELD_SIGNATURES):
        held = own[start : start + MAX_HELD_SIGNATURES]
        signatures = _read_signatures(held, plan)
        piece = candidates[starts[start] : starts[start + len(held)]]
        blocks = plan.block(piece[:, 0])
        for block in np.unique(blocks).tolist():
            theirs = piece[blocks == block]
            high, at = np.unique(theirs[:, 1], return_inverse=True)
            sent = signatures.take(np.searchsorted(held, high), axis=0)
            yield block, _pack_frame(theirs[:, 0], at.astype(np.int64), high, sent)


def verify_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the pairs whose signatures agree in enough values as edges, and their components as links."""
    block, chunks = element
    outbox = Outbox(DEDUP_KINDS)
    stars = np.empty((0, 2), np.int64)
    for frames in _join_frames(DEDUP_KINDS.stream(chunks, "frames"), plan.minhash.width):
        edges, audits = _compare(*frames, plan)
        yield from outbox.put("audits", plan.block(audits["number"]), audits)
        increment("dedup", "similar_pairs", len(edges))
        ends = np.stack([edges["one"], edges["other"]], axis=1)
        yield from outbox.put("edges", np.full(len(edges), block), edges)
        stars = clusters.reduce_to_stars(np.concatenate([stars, ends]))
        if len(stars) > MAX_HELD_PAIRS:
            yield from put_links(outbox, stars)
            stars = stars[:0]
    yield from put_links(outbox, stars)
    yield from outbox.flush()


def _join_frames(frames: Iterator[Records], width: int) -> Iterator[Frame]:
    """Yield frames, as few as hold `MAX_HELD_SIGNATURES` signatures and ten times as many pairs, or one more each."""
    held: list[Frame] = []
    pairs_held = signatures_held = 0
    for packed in frames:
        low, at, high, signatures = _unpack_frame(packed, width)
        held.append((low, at + signatures_held, high, signatures))
        pairs_held, signatures_held = pairs_held + len(low), signatures_held + len(high)
        if signatures_held >= MAX_HELD_SIGNATURES or pairs_held >= 10 * MAX_HELD_SIGNATURES:
            yield _concatenate(held)
            held, pairs_held, signatures_held = [], 0, 0
    if held:
        yield _concatenate(held)


def _concatenate(frames: list[Frame]) -> Frame:
    low, at, high, signatures = (np.concatenate(arrays) for arrays in zip(*frames, strict=True))
    return low, at, high, signatures


def _compare(
    low: NDArray[np.int64],
    at: NDArray[np.int64],
    high: NDArray[np.int64],
    theirs: NDArray[np.uint32],
    plan: DedupPlan,
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return the pairs of a frame whose signatures agree in enough values as edges; all those of canaries as AUDITs."""
    order = np.argsort(low, kind="stable")
    low, at = low[order], at[order]
    own, starts = np.unique(low, return_index=True)
    starts = np.append(starts, len(low))
    edges, audits = [np.empty(0, clusters.EDGE_DTYPE)], [np.empty(0, AUDIT_DTYPE)]
    for first in range(0, len(own), MAX_HELD_SIGNATURES):
        held = own[first : first + MAX_HELD_SIGNATURES]
        signatures = _read_signatures(held, plan)
        end = starts[first + len(held)]
        for start in range(starts[first], end, MAX_HELD_SIGNATURES // 8):
            piece = slice(start, min(end, start + MAX_HELD_SIGNATURES // 8))
            ours = signatures.take(np.searchsorted(held, low[piece]), axis=0)
            beside = theirs.take(at[piece], axis=0)
            agreeing = minhash.count_matches(ours, beside)
            canary = high[at[piece]] >= plan.canaries_from
            similar = (agreeing >= plan.minhash.matches) & ~canary
            edges.append(
                make_records(
                    clusters.EDGE_DTYPE,
                    one=low[piece][similar],
                    other=high[at[piece]][similar],
                    matches=agreeing[similar],
                )
            )
            if canary.any():
                audits.append(
                    make_records(
                        AUDIT_DTYPE,
                        number=high[at[piece]][canary],
                        other=low[piece][canary],
                        matches=agreeing[canary],
                        shared=planted.find_shared_bands(ours[canary], beside[canary], *plan.minhash.banding),
                    )
                )
    return np.concatenate(edges), np.concatenate(audits)


def put_links(outbox: Outbox, links: NDArray[np.int64]) -> Iterator[Element]:
    """Put links of different contents into the outbox, for the merge."""
    links = links[links[:, 0] != links[:, 1]]
    records = make_records(LINK_DTYPE, one=links[:, 0], other=links[:, 1])
    yield from outbox.put("links", np.zeros(len(links), np.int64), records)


def merge_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the root of every content that is connected with another."""
    outbox = Outbox(DEDUP_KINDS)
    for stars in components.connect(map(to_links, DEDUP_KINDS.stream(element[1], "links"))):
        roots = make_records(LINK_DTYPE, one=stars[:, 0], other=stars[:, 1])
        yield from outbox.put("roots", plan.block(stars[:, 0]), roots)
    yield from outbox.flush()


def members_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield every document of a component with several documents, and every edge, with the component's root."""
    outbox = Outbox(DEDUP_KINDS)
    roots, copies, late = DEDUP_KINDS.unpack(element[1], "roots", "copies", "late")
    roots = roots.take(np.argsort(roots["one"]))

    def root(content: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(roots):
            return content
        at = np.minimum(np.searchsorted(roots["one"], content), len(roots) - 1)
        return np.where(roots["one"][at] == content, roots["other"][at], content)

    alone = roots[~np.isin(roots["one"], copies["other"])]
    number = np.concatenate([copies["one"], alone["one"]])
    content = np.concatenate([copies["other"], alone["one"]])
    last = np.isin(content, late["number"])
    members = make_records(MEMBERSHIP_DTYPE, number=number, content=content, root=root(content), late=last)
    yield from outbox.put("memberships", plan.block(number), members)
    for edges in DEDUP_KINDS.stream(element[1], "edges"):
        yield from outbox.put("edges", _component_range(root(edges["one"]), plan), edges)
    yield from outbox.flush()


def ranks_step(element: Gathered, plan: DedupPlan, load: LoadRows) -> Iterator[Element]:
    """Yield the block's members of components with the values that rank them."""
    outbox = Outbox(DEDUP_KINDS)
    memberships = DEDUP_KINDS.unpack(element[1], "memberships")[0]
    memberships = memberships[np.argsort(memberships["number"])]
    for split, piece in divide_by_split(memberships):
        rows = plan.load(load, split)
        by_row = np.argsort(rows.row)
        wanted = row_of(piece["number"])
        at = by_row[np.minimum(np.searchsorted(rows.row[by_row], wanted), len(rows) - 1)]
        if not np.array_equal(rows.row[at], wanted):
            raise RuntimeError(
                f"the rows of input split {plan.names()[split]} changed while duplicates were found"
            )
        members = make_records(
            clusters.MEMBER_DTYPE,
            root=piece["root"],
            number=piece["number"],
            content=piece["content"],
            url=rows.url[at] if plan.options.url else np.zeros(len(at), np.uint64),
            priority=np.where(piece["late"], LATE_PRIORITY, rows.priority[at]),
            quality=np.where(piece["late"], 0, rows.quality[at]),
            length=rows.length[at],
            id=rows.id[at],
        )
        yield from outbox.put("members", _component_range(members["root"], plan), members)
    yield from outbox.flush()


def walk_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the documents to remove, to their blocks."""
    outbox = Outbox(DEDUP_KINDS)
    chunks = element[1]
    width = plan.options.minhash.width if plan.options.minhash else 1
    size = DEDUP_KINDS.count(chunks, "members") + DEDUP_KINDS.count(chunks, "edges")
    if size <= MAX_WALKED:
        members, edges = DEDUP_KINDS.unpack(chunks, "members", "edges")
        pieces = iter([clusters.choose_removed(members, edges, width, plan.options.closure, plan.old_from)])
    else:
        pieces = walk.choose_removed_in_ranges(
            partial(DEDUP_KINDS.stream, chunks, "members"),
            partial(DEDUP_KINDS.stream, chunks, "edges"),
            width,
            plan.options.closure,
            1 + 2 * size // MAX_WALKED,
            plan.old_from,
        )
    for removed in pieces:
        increment("dedup", "removed", len(removed))
        yield from outbox.put("removed", plan.block(removed["number"]), removed)
        kept, first = np.unique(removed["by"], return_index=True)
        own = kept < plan.old_from
        sizes = make_records(SIZE_DTYPE, number=kept[own], size=removed["size"][first][own])
        yield from outbox.put("sizes", plan.block(sizes["number"]), sizes)
    yield from outbox.flush()


def write_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Write files of the block's removed documents, and of those that represent others; yield the block's number."""
    block, chunks = element
    splits = plan.block_splits(block)
    names = plan.names()[splits.start : splits.stop]
    removed, sizes = DEDUP_KINDS.unpack(chunks, "removed", "sizes")
    _write_piece(plan, block, "sizes", to_sizes_table(sizes, names, splits.start))
    if plan.old:
        places = [source.removeprefix(AGAINST_MARK) for source, _ in plan.names()[plan.first_old :]]
        _write_piece(plan, block, "against", to_against_table(removed, places, plan.first_old))
    write_clusters(
        piece_path(plan, block, "block"), [to_clusters_table(removed, names, splits.start)], plan.digest
    )
    yield 0, str(block).encode()


def _write_piece(plan: DedupPlan, block: int, name: str, table: pa.Table) -> None:
    with PartWriter(piece_path(plan, block, name), table.schema, plan.digest) as writer:
        writer.write(table)


def join_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Join the blocks' files into one, a row group at a time; remove them and the list of splits."""
    workspace = Workspace(plan.root)
    path = clusters_path(workspace)
    if read_fingerprint(path) != plan.digest:  # else this is the second run of a bundle
        blocks = sorted(int(block) for block in element[1] if block)
        sizes = _read_pieces(plan, blocks, "sizes")
        write_clusters(sizes_path(workspace), sizes, plan.digest, SIZES_SCHEMA)
        if plan.old:
            against = _read_pieces(plan, blocks, "against")
            write_clusters(against_path(workspace), against, plan.digest, AGAINST_SCHEMA)
        else:
            storage.remove(against_path(workspace))
        write_clusters(path, _read_pieces(plan, blocks, "block"), plan.digest)
    if plan.canaries:
        pieces = [piece_path(plan, block, "audit") for block in range(plan.blocks)]
        there = [piece for piece in pieces if storage.exists(piece)]
        if there or read_fingerprint(audit_path(workspace)) != plan.audit:
            tables = (table for piece in there for table in read_cluster_groups(piece))
            write_clusters(audit_path(workspace), tables, plan.audit, planted.AUDIT_SCHEMA)
    else:
        storage.remove(audit_path(workspace))
    remove_leftovers(workspace)
    yield 0, path.encode()


def _read_pieces(plan: DedupPlan, blocks: Sequence[int], name: str) -> Iterator[pa.Table]:
    for block in blocks:
        yield from read_cluster_groups(piece_path(plan, block, name))


def to_links(records: Records) -> NDArray[np.int64]:
    """Return LINK or EDGE records as int64[k, 2]."""
    return np.stack([records["one"], records["other"]], axis=1)


def _pack_frame(
    low: NDArray[np.int64], at: NDArray[np.int64], high: NDArray[np.int64], signatures: NDArray[np.uint32]
) -> bytes:
    """Pack pairs (low, high[at]) with the signatures of `high` as one array of the kind `frames`."""
    sizes = np.array([len(low), len(high)], np.int64)
    arrays = (array.tobytes() for array in (sizes, low, at, high, signatures))
    return b"".join((DEDUP_KINDS.codes["frames"], *arrays))


def _unpack_frame(frame: Records, width: int) -> Frame:
    edges, singles = np.frombuffer(frame, np.int64, 2).tolist()
    values = np.frombuffer(frame, np.int64, 2 * edges + singles, 16)
    signatures = np.frombuffer(frame, np.uint32, offset=16 + values.nbytes).reshape(singles, width)
    return values[:edges], values[edges : 2 * edges], values[2 * edges :], signatures


def divide_by_split(sorted_records: Records) -> Iterator[tuple[int, Records]]:
    """Yield (split, its records) of records that are sorted by `number`."""
    splits, starts = np.unique(split_of(sorted_records["number"]), return_index=True)
    yield from zip(splits.tolist(), np.split(sorted_records, starts[1:]), strict=False)


def _read_signatures(number: NDArray[np.int64], plan: DedupPlan) -> NDArray[np.uint32]:
    """Read the signatures uint32[n, permutations] of documents by ascending number."""
    signatures = [np.empty((0, plan.minhash.width), np.uint32)]
    for split, piece in divide_by_split(make_records(np.dtype([("number", "<i8")]), number=number)):
        part = open_signatures(plan, split)
        try:
            signatures.append(part.read(row_of(piece["number"])))
        except IndexError as error:
            raise UserError(f"{error}, but its documents do: remove this part and build again") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise UserError(f"{part.path} is damaged: {str(error).splitlines()[0]}") from None
        finally:
            part.close()
    return np.concatenate(signatures)


def open_signatures(plan: DedupPlan, split: int) -> SignatureReader:
    """Open the signatures of a split: of the build, of an earlier one, or of canaries."""
    if split >= plan.first_canary:
        return SignatureReader(planted_path(plan, split, "arrow"), plan.minhash)
    source, name = plan.names()[split]
    if split >= plan.first_old:
        return open_old_signatures(source, name, plan.minhash)
    path = Workspace(plan.root).part("dedup/signatures", source, name, "arrow")
    return SignatureReader(path, plan.minhash)


def _component_range(root: NDArray[np.int64], plan: DedupPlan) -> NDArray[np.int64]:
    return pairs.assign_partitions(minhash.splitmix(root.astype(np.uint64)), plan.partitions)


def piece_path(plan: DedupPlan, block: int, name: str) -> str:
    """Return the path of a block's part of a result."""
    return Workspace(plan.root).path("dedup", "removed", f"{name}-{block:05d}.parquet")


def planted_path(plan: DedupPlan, split: int, extension: str = "parquet") -> str:
    """Return the path of the canaries of one of their splits, or of their signatures (`arrow`)."""
    return plan.workspace.path("dedup", "canaries", f"planted-{split - plan.first_canary:05d}.{extension}")
