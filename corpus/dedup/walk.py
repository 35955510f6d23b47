"""The walk through more documents than fit in memory, with the decisions of `clusters.choose_removed`.

`best`: documents are divided into ranges of rank, better ones first, and one range is walked after the other. What a
range decides and later ones need is appended to two files: which documents are kept, and which content resembles which
kept document (time-forward processing: Zeh, I/O-efficient algorithms for shortest paths, 2002). A range takes from
them, and from the edges, what concerns its contents. `transitive`: the best document of each root is found in one
pass, and the others are compared with it in the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.dedup import clusters
from corpus.dedup.minhash import splitmix
from corpus.dedup.rows import rank_documents
from corpus.dedup.spilled import Records, SpilledParts, SpilledRecords, Stream

KEPT_DTYPE = np.dtype([("content", "<i8"), ("url", "<u8"), ("number", "<i8"), ("id", "<u8", 2)])
MESSAGE_DTYPE = np.dtype([("content", "<i8"), ("number", "<i8"), ("id", "<u8", 2), ("matches", "<i4")])
"""Record of a content that resembles a kept document."""
SAMPLED_RANKS = 1 << 20


def choose_removed_in_ranges(
    members: Stream,
    edges: Stream,
    width: int,
    closure: Literal["best", "transitive"],
    ranges: int,
    old_from: int = clusters.NO_OLD,
) -> Iterator[Records]:
    """Yield the REMOVED of `choose_removed` in any order.

    Memory: that of `choose_removed` for the documents of one of `ranges` ranges and their edges. Disk: some 150 bytes a
    document in the folder for temporary files. Time: that of reading the edges once for each range, besides.
    """
    if closure == "transitive":
        yield from _remove_transitively(members, edges, width, old_from)
        return
    with tempfile.TemporaryDirectory(prefix="corpus-walk-") as folder:
        walk = _RankWalk(folder, width, ranges, old_from)
        bounds = _divide_ranks(members, ranges)
        for piece in members():
            walk.waiting.append(np.searchsorted(bounds, _rank(piece), side="right"), piece)
        for part in walk.waiting.parts:
            walk.do_range(part.read(), edges)
            part.clear()
        for standing in walk.standing.parts:
            yield _count_sizes(standing.read())


class _RankWalk:
    """The files of a walk."""

    def __init__(self, folder: str, width: int, ranges: int, old_from: int) -> None:
        self.width, self.old_from = width, old_from
        self.waiting = SpilledParts(folder, "waiting", clusters.MEMBER_DTYPE, ranges)
        self.standing = SpilledParts(folder, "standing", clusters.REMOVED_DTYPE, ranges)
        self.kept = SpilledRecords(f"{folder}/kept", KEPT_DTYPE)
        self.messages = SpilledRecords(f"{folder}/messages", MESSAGE_DTYPE)

    def do_range(self, members: Records, edges: Stream) -> None:
        """Decide about the members of a range, after those of all better ranges."""
        members = clusters.sort_best_first(members)
        contents = np.unique(members["content"])
        urls = np.unique(members["url"][members["url"] != 0])
        own = [piece[_touches(piece, contents)] for piece in edges()]
        incident = np.concatenate([np.empty(0, clusters.EDGE_DTYPE), *own])
        names = np.unique(np.concatenate([contents, incident["one"], incident["other"]]))
        state = clusters.WalkState.new(len(names), len(urls))
        kept = self._recall(members, contents, urls, names, state)
        before = np.array(state.remover, np.int64)
        url = np.where(members["url"] == 0, -1, np.searchsorted(urls, members["url"]))
        content = np.searchsorted(names, members["content"])
        standing, level, agreed = clusters.walk_best_first(
            content, url, members["number"] >= self.old_from, *clusters.index_edges(incident, names), state
        )
        gone = standing >= 0
        self._remember(members[~gone], names, kept, before, state)
        by = kept.take(standing[gone])
        none = np.zeros(len(by), np.int64)
        removed = clusters.make_removed(members[gone], by, level[gone], agreed[gone], self.width, none)
        parts = splitmix(by["number"].astype(np.uint64)) % np.uint64(len(self.standing.parts))
        self.standing.append(parts.astype(np.int64), removed)

    def _recall(
        self,
        members: Records,
        contents: NDArray[np.int64],
        urls: NDArray[np.uint64],
        names: NDArray[np.int64],
        state: clusters.WalkState,
    ) -> Records:
        """Put what better ranges decided into the state; return the documents by their numbers in it."""
        kept = np.empty(len(members), KEPT_DTYPE)
        for name in KEPT_DTYPE.names or ():
            kept[name] = members[name]
        pieces, count = [kept], len(kept)
        for piece in self.kept.pieces():
            piece = piece[_contains(contents, piece["content"]) | _contains(urls, piece["url"])]
            numbers = np.arange(count, count + len(piece))
            _set_first(
                state.by_content, contents, piece["content"], numbers, np.searchsorted(names, contents)
            )
            _set_first(state.by_url, urls, piece["url"], numbers, np.arange(len(urls)))
            pieces.append(piece)
            count += len(piece)
        for message in self.messages.pieces():
            message = message[_contains(contents, message["content"])]
            numbers = np.arange(count, count + len(message))
            places = np.searchsorted(names, contents)
            fresh = _set_first(state.remover, contents, message["content"], numbers, places)
            matches = message["matches"].tolist()
            for place, number in fresh:
                state.agreement[place] = matches[number - count]
            piece = np.zeros(len(message), KEPT_DTYPE)
            piece["number"], piece["id"] = message["number"], message["id"]
            pieces.append(piece)
            count += len(message)
        return np.concatenate(pieces)

    def _remember(
        self,
        fresh: Records,
        names: NDArray[np.int64],
        kept: Records,
        before: NDArray[np.int64],
        state: clusters.WalkState,
    ) -> None:
        """Append the documents that were kept in this range, and the contents that resemble them."""
        records = np.empty(len(fresh), KEPT_DTYPE)
        for name in KEPT_DTYPE.names or ():
            records[name] = fresh[name]
        self.kept.append(records)
        after = np.array(state.remover, np.int64)
        changed = np.flatnonzero(after != before)
        messages = np.empty(len(changed), MESSAGE_DTYPE)
        by = kept.take(after[changed])
        messages["content"], messages["number"], messages["id"] = names[changed], by["number"], by["id"]
        messages["matches"] = np.array(state.agreement, np.int64)[changed]
        self.messages.append(messages)


def _set_first(
    target: list[int],
    names: NDArray[np.generic],
    wanted: NDArray[np.generic],
    numbers: NDArray[np.int64],
    places: NDArray[np.int64],
) -> list[tuple[int, int]]:
    """Set `target` at the place of each wanted name to its number where nothing is set yet; return what was set."""
    fresh = []
    known = _contains(names, wanted)
    for at, number in zip(
        places[np.searchsorted(names, wanted[known])].tolist(), numbers[known].tolist(), strict=True
    ):
        if target[at] < 0:
            target[at] = number
            fresh.append((at, number))
    return fresh


def _contains(names: NDArray[np.generic], wanted: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which of the wanted values are among the sorted names."""
    if not len(names):
        return np.zeros(len(wanted), np.bool_)
    known: NDArray[np.bool_] = names[np.minimum(np.searchsorted(names, wanted), len(names) - 1)] == wanted
    return known


def _touches(edges: Records, contents: NDArray[np.int64]) -> NDArray[np.bool_]:
    return _contains(contents, edges["one"]) | _contains(contents, edges["other"])


def _rank(members: Records) -> NDArray[np.bytes_]:
    criteria = ("priority", "quality", "length", "id", "number")
    return rank_documents(**{name: members[name] for name in criteria})


def _divide_ranks(members: Stream, ranges: int) -> NDArray[np.bytes_]:
    """Return the ranks at which the ranges after the first begin."""
    sample = np.empty(0, "S40")
    step, seen = 1, 0
    for piece in members():
        sample = np.append(sample, _rank(piece)[-seen % step :: step])
        seen += len(piece)
        while len(sample) > SAMPLED_RANKS:
            sample, step = sample[::2], 2 * step
    sample.sort()
    if not len(sample):
        return sample
    bounds: NDArray[np.bytes_] = sample[[part * len(sample) // ranges for part in range(1, ranges)]]
    return bounds


def _count_sizes(removed: Records) -> Records:
    """Set the sizes of REMOVED that hold all documents removed for each of their kept ones."""
    _, kept, counts = np.unique(removed["by"], return_inverse=True, return_counts=True)
    removed["size"] = 1 + counts[kept]
    return removed


def _remove_transitively(members: Stream, edges: Stream, width: int, old_from: int) -> Iterator[Records]:
    best = np.empty(0, clusters.MEMBER_DTYPE)
    for piece in members():
        best = clusters.find_best(np.concatenate([best, piece]))
    sizes = clusters.count_members(best, members(), old_from)
    for piece in members():
        contents = np.unique(piece["content"])
        own = [some[_touches(some, contents)] for some in edges()]
        incident = np.concatenate([np.empty(0, clusters.EDGE_DTYPE), *own])
        yield clusters.remove_for_best(piece, best, sizes, incident, width, old_from)
