"""Implement the step of the search for duplicates that finds documents inside longer ones.

`corpus.pipelines.dedup` has the table of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from corpus.dedup import clusters, sketches
from corpus.dedup.pairs import deduplicate_pairs
from corpus.dedup.rows import row_of
from corpus.errors import UserError
from corpus.pipelines.beam.counters import increment
from corpus.pipelines.beam.packed import Element, Gathered, Outbox, Records, make_records
from corpus.pipelines.dedup_steps import (
    DEDUP_KINDS,
    LATE_DTYPE,
    LINK_DTYPE,
    MAX_HELD_PAIRS,
    DedupPlan,
    divide_by_split,
    open_signatures,
    put_links,
    to_links,
)

MAX_HELD_SKETCHES = 1 << 14
"""Sketches of each side that are held at a time: 16 MiB for documents of 1,000 words."""


def contained_step(element: Gathered, plan: DedupPlan) -> Iterator[Element]:
    """Yield the block's pairs of which one stands inside the other as edges and links, and the shorter ones, which are
    decided on after all others. A pair that is as alike as near-duplicates are is one of those."""
    outbox = Outbox(DEDUP_KINDS)
    passes = 1 + DEDUP_KINDS.count(element[1], "nested") // MAX_HELD_PAIRS
    for part in range(passes):
        pieces = [np.empty(0, LINK_DTYPE)]
        for links in DEDUP_KINDS.stream(element[1], "nested"):
            pieces.append(links if passes == 1 else links[links["other"] % passes == part])
        candidates = deduplicate_pairs(to_links(np.concatenate(pieces)))
        increment("dedup", "nested_pairs", len(candidates))
        for edges in _find_contained(candidates, plan):
            increment("dedup", "contained_pairs", int((edges["matches"] < -1).sum()))
            yield from outbox.put("edges", plan.block(edges["one"]), edges)
            yield from put_links(outbox, to_links(edges))
            late = make_records(LATE_DTYPE, number=np.unique(edges["one"][edges["matches"] < -1]))
            yield from outbox.put("late", plan.block(late["number"]), late)
    yield from outbox.flush()


def _find_contained(candidates: NDArray[np.int64], plan: DedupPlan) -> Iterator[Records]:
    """Yield the EDGEs of candidate pairs; sketches of both sides are read by ascending number, some at a time."""
    candidates = candidates[np.argsort(candidates[:, 1], kind="stable")]
    own, starts = np.unique(candidates[:, 1], return_index=True)
    starts = np.append(starts, len(candidates))
    for start in range(0, len(own), MAX_HELD_SKETCHES):
        held = own[start : start + MAX_HELD_SKETCHES]
        pairs = candidates[starts[start] : starts[start + len(held)]]
        ours = dict(zip(held.tolist(), _read_sketches(held, plan), strict=True))
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        others, firsts = np.unique(pairs[:, 0], return_index=True)
        bounds = np.append(firsts, len(pairs))
        for first in range(0, len(others), MAX_HELD_SKETCHES):
            some = others[first : first + MAX_HELD_SKETCHES]
            theirs = dict(zip(some.tolist(), _read_sketches(some, plan), strict=True))
            piece = pairs[bounds[first] : bounds[first + len(some)]]
            yield _compare_sketches(piece, theirs, ours, plan)


Sketches = dict[int, NDArray[np.uint32]]
"""The samples of documents, sorted and each once, by number."""


def _compare_sketches(pairs: NDArray[np.int64], lows: Sketches, highs: Sketches, plan: DedupPlan) -> Records:
    """Return the EDGEs of pairs (low, high): from the shorter one to the longer where that stands inside."""
    assert plan.minhash.containment is not None
    rows = []
    for low, high in pairs.tolist():
        one, other = lows[low], highs[high]
        share, alike = sketches.share_samples(one, other)
        if share < plan.minhash.containment:
            continue
        if alike >= plan.minhash.threshold:
            rows.append((low, high, round(alike * plan.minhash.width)))
        else:
            shorter, longer = (low, high) if len(one) < len(other) else (high, low)
            rows.append((shorter, longer, int(clusters.mark_contained(np.array(share)))))
    return np.array(rows, clusters.EDGE_DTYPE)


def _read_sketches(number: NDArray[np.int64], plan: DedupPlan) -> list[NDArray[np.uint32]]:
    """Read the samples of documents by ascending number, sorted and each once."""
    samples: list[NDArray[np.uint32]] = []
    for split, piece in divide_by_split(make_records(LATE_DTYPE, number=number)):
        part = open_signatures(plan, split)
        try:
            values, bounds = sketches.read_samples(part.read_sketches(row_of(piece["number"])))
        except IndexError as error:
            raise UserError(f"{error}, but its documents do: remove this part and build again") from None
        finally:
            part.close()
        samples += [np.unique(own) for own in np.split(values, bounds[1:-1])]
    return samples
