"""Duplicate clusters: which documents are connected, and which of them are kept or removed in favour of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.rows import order_best_first

EDGE_DTYPE = np.dtype([("one", "<i8"), ("other", "<i8"), ("matches", "<i4")])
"""Record of two similar contents, with the number of values in which their signatures agree. Where `one` stands inside
`other`, `matches` is below -1: see `mark_contained`."""
MEMBER_DTYPE = np.dtype(
    [
        ("root", "<i8"),
        ("number", "<i8"),
        ("content", "<i8"),
        ("url", "<u8"),
        ("priority", "<i4"),
        ("quality", "<f4"),
        ("length", "<i8"),
        ("id", "<u8", 2),
    ]
)
"""Record of a document in a component of several: 64 bytes. `root` names the component, `content` the content."""
LEVEL_NAMES = ("exact", "url", "minhash", "contained")
LEVEL_EXACT, LEVEL_URL, LEVEL_MINHASH, LEVEL_CONTAINED = range(4)
CONTAINED_PARTS = 10_000
"""Shares of a document that stands in another are counted in these."""
REMOVED_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("id", "<u8", 2),
        ("by", "<i8"),
        ("kept", "<u8", 2),
        ("similarity", "<f4"),
        ("size", "<i8"),
        ("level", "u1"),
    ]
)
"""Record of a removed document, with the number and the id of the one that is kept in its place."""
NO_OLD = np.iinfo(np.int64).max
"""The first number of old documents where there are none."""


def reduce_to_stars(links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[n, 2], sorted: every node of the links int64[k, 2], roots included, with the lowest node of its
    component. Links that are reduced to stars, joined and reduced again give the same components.

    Memory: 75 bytes a link at the peak, so 27 million links in 2 GB. Cost: a second for 2 million.
    """
    if not len(links):
        return np.empty((0, 2), np.int64)
    nodes, at = np.unique(links, return_inverse=True)
    lowest = _find_lowest(len(nodes), *at.reshape(links.shape).astype(np.int32).T)
    return np.stack([nodes, nodes[lowest]], axis=1)


def _find_lowest(count: int, ones: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the lowest node of the component of each of `count` nodes that links between `ones` and `others` connect.

    In each round the lower of two linked roots becomes the root of the other: a few rounds, as fast as SciPy's
    `connected_components`, which takes .2 s to import.
    """
    lowest = np.arange(count, dtype=np.int32)
    while True:
        one, other = lowest[ones], lowest[others]
        apart = one != other
        if not apart.any():
            return lowest
        ones, others, one, other = ones[apart], others[apart], one[apart], other[apart]
        np.minimum.at(lowest, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(lowest, above := lowest[lowest]):
            lowest = above


def choose_removed(
    members: NDArray[np.void],
    edges: NDArray[np.void],
    width: int,
    closure: Literal["best", "transitive"],
    old_from: int = NO_OLD,
) -> NDArray[np.void]:
    """Return REMOVED[...] for whole components, given their MEMBERs and all their EDGEs in any order.

    `best`: documents are visited best first. A document is removed in favour of a kept one that has its content
    (level exact), else of one that has its URL (url), else of the best kept one whose content is similar
    (minhash), or has it inside (contained); every other document is kept. So no document is removed because it
    resembles a removed one.
    `transitive`: the best document of a component is kept. The others are removed: level exact with the same
    content, url with the same URL or where only a URL connects them to the component, else minhash.

    Documents with numbers from `old_from` on are those of earlier builds, better than all others by their priority:
    they are never removed.

    `similarity` is 1 for the same content, the matches divided by `width` where the two contents were compared,
    and NaN where they were not. `size` is the number of documents that the kept one represents, itself
    included. Cost: 2 microseconds and 600 bytes a document that has two edges. `corpus.dedup.walk` does the same
    for more of them than fit in memory.
    """
    if closure == "transitive":
        best = find_best(members)
        sizes = count_members(best, [members], old_from)
        return remove_for_best(members, best, sizes, edges, width, old_from)
    members = sort_best_first(members)
    names, content = np.unique(members["content"], return_inverse=True)
    urls, url = np.unique(members["url"], return_inverse=True)
    state = WalkState.new(len(names), len(urls))
    standing, level, agreed = walk_best_first(
        content,
        np.where(members["url"] == 0, -1, url),
        members["number"] >= old_from,
        *index_edges(edges, names),
        state,
    )
    gone = np.flatnonzero(standing >= 0)
    kept = standing[gone]
    sizes = 1 + np.bincount(kept, minlength=len(members))[kept]
    return make_removed(members[gone], members[kept], level[gone], agreed[gone], width, sizes)


def sort_best_first(members: NDArray[np.void], within: str | None = None) -> NDArray[np.void]:
    """Return MEMBERs with the best one first; with `within` the best one of each value of that field."""
    return members.take(
        order_best_first(
            priority=members["priority"],
            quality=members["quality"],
            length=members["length"],
            id=members["id"],
            number=members["number"],
            within=members[within] if within else np.zeros(len(members), np.int64),
        )
    )


def mark_contained(share: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the `matches` of edges between documents, of which so large a share stands in the others."""
    return (-2 - np.round(share * CONTAINED_PARTS)).astype(np.int32)


def index_edges(
    edges: NDArray[np.void], names: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the ends int64[k, 2] of edges in both directions, sorted, as places in the sorted contents `names`,
    and their matches. Edges from what is inside another lead from that alone."""
    left, right = np.searchsorted(names, edges["one"]), np.searchsorted(names, edges["other"])
    both = edges["matches"] >= -1
    ends = np.concatenate([np.stack([left, right], axis=1)[both], np.stack([right, left], axis=1)])
    by_end = np.lexsort((ends[:, 1], ends[:, 0]))
    return ends[by_end], np.concatenate([edges["matches"][both], edges["matches"]])[by_end]


def make_removed(
    members: NDArray[np.void],
    kept: NDArray[np.void],
    level: NDArray[np.int64],
    agreed: NDArray[np.int64],
    width: int,
    sizes: NDArray[np.int64],
) -> NDArray[np.void]:
    """Return REMOVED for MEMBERs and the records (`number`, `id`) of what is kept in their places; `agreed` are
    matches, -1 where the contents were not compared."""
    removed = np.empty(len(members), REMOVED_DTYPE)
    removed["number"], removed["id"] = members["number"], members["id"]
    removed["by"], removed["kept"] = kept["number"], kept["id"]
    removed["level"], removed["size"] = level, sizes
    inside = (-2 - agreed) / np.float32(CONTAINED_PARTS)
    removed["similarity"] = np.where(
        agreed < -1, inside, np.where(agreed < 0, np.nan, agreed / np.float32(width))
    )
    removed["similarity"][level == LEVEL_EXACT] = 1
    return removed


Decisions = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""For each member: the document kept in its place (-1: it is kept itself), the level, the matches (-1: unknown)."""


@dataclass
class WalkState:
    """What a walk knows: the kept document of each content and URL (-1: none yet), the best kept document that each
    content resembles, and in how many values."""

    by_content: list[int]
    by_url: list[int]
    remover: list[int]
    agreement: list[int]

    @staticmethod
    def new(contents: int, urls: int) -> WalkState:
        return WalkState([-1] * contents, [-1] * urls, [-1] * contents, [-1] * contents)


def walk_best_first(
    content: NDArray[np.int64],
    url: NDArray[np.int64],
    old: NDArray[np.bool_],
    ends: NDArray[np.int64],
    matches: NDArray[np.int32],
    state: WalkState,
) -> Decisions:
    """Visit documents in their order; `content` and `url` (-1: none) are places in the lists of `state`, which is
    changed. The documents are numbered from 0 in it; the `old` ones are kept in any case."""
    bounds = np.searchsorted(ends[:, 0], np.arange(len(state.by_content) + 1)).tolist()
    neighbours, agreeing = ends[:, 1].tolist(), matches.tolist()
    by_content, by_url, remover, agreement = state.by_content, state.by_url, state.remover, state.agreement
    standing, level, agreed = [-1] * len(content), [0] * len(content), [-1] * len(content)

    def keep(member: int, own: int, address: int) -> None:
        if by_content[own] < 0:
            by_content[own] = member
        if address >= 0 and by_url[address] < 0:
            by_url[address] = member
        for at in range(bounds[own], bounds[own + 1]):
            neighbour = neighbours[at]
            if remover[neighbour] < 0:
                remover[neighbour], agreement[neighbour] = member, agreeing[at]

    documents = zip(content.tolist(), url.tolist(), old.tolist(), strict=True)
    for member, (own, address, is_old) in enumerate(documents):
        if is_old:
            keep(member, own, address)
        elif by_content[own] >= 0:
            standing[member], level[member] = by_content[own], LEVEL_EXACT
        elif address >= 0 and by_url[address] >= 0:
            standing[member], level[member] = by_url[address], LEVEL_URL
        elif remover[own] >= 0:
            standing[member], level[member], agreed[member] = remover[own], LEVEL_MINHASH, agreement[own]
        else:
            keep(member, own, address)
    agreements = np.array(agreed, np.int64)
    levels = np.where(agreements < -1, LEVEL_CONTAINED, np.array(level, np.int64))
    return np.array(standing, np.int64), levels, agreements


def find_best(members: NDArray[np.void]) -> NDArray[np.void]:
    """Return the best MEMBER of each root, sorted by root."""
    members = sort_best_first(members, "root")
    first = np.append(True, members["root"][1:] != members["root"][:-1])[: len(members)]
    best: NDArray[np.void] = members[first]
    return best


def count_members(
    best: NDArray[np.void], pieces: Iterable[NDArray[np.void]], old_from: int = NO_OLD
) -> NDArray[np.int64]:
    """Return for each root how many documents its best MEMBER represents, itself included; other old ones do not
    count."""
    counts = (best["number"] >= old_from).astype(np.int64)
    for piece in pieces:
        roots = piece["root"][piece["number"] < old_from]
        counts += np.bincount(np.searchsorted(best["root"], roots), minlength=len(best))
    return counts


def remove_for_best(
    members: NDArray[np.void],
    best: NDArray[np.void],
    sizes: NDArray[np.int64],
    edges: NDArray[np.void],
    width: int,
    old_from: int = NO_OLD,
) -> NDArray[np.void]:
    """Return REMOVED for those of the members that are not the best of their root, given the `best` of all roots and
    their `sizes`, and all edges of the members' contents."""
    at = np.searchsorted(best["root"], members["root"])
    others = (best["number"].take(at) != members["number"]) & (members["number"] < old_from)
    members, at = members[others], at[others]
    kept = best.take(at)
    ends = np.concatenate([edges, edges])
    ends["one"][len(edges) :], ends["other"][len(edges) :] = edges["other"], edges["one"]
    names = np.unique(np.concatenate([ends["one"], members["content"], kept["content"]]))
    size = np.int64(max(1, len(names)))
    pairs = np.searchsorted(names, ends["one"]) * size + np.searchsorted(names, ends["other"])
    order = np.argsort(pairs)
    pairs, matches = pairs[order], ends["matches"][order]
    wanted = np.searchsorted(names, kept["content"]) * size + np.searchsorted(names, members["content"])
    agreed = np.full(len(members), -1)
    if len(pairs):
        place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        agreed = np.where(pairs[place] == wanted, matches[place], -1)
    similar = np.isin(members["content"], ends["one"])
    same_url = (members["url"] != 0) & (members["url"] == kept["url"])
    exact = members["content"] == kept["content"]
    level = np.where(exact, LEVEL_EXACT, np.where(same_url | ~similar, LEVEL_URL, LEVEL_MINHASH))
    agreed[level == LEVEL_URL] = -1
    return make_removed(members, kept, level, agreed, width, sizes.take(at))
