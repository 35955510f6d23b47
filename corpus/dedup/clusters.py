"""Duplicate clusters: which documents are connected, and which of them are kept or removed in favour of another."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.rows import order_best_first

EDGE_DTYPE = np.dtype([("one", "<i8"), ("other", "<i8"), ("matches", "<i4")])
"""Record of two similar contents, with the number of values in which their signatures agree."""
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
LEVEL_NAMES = ("exact", "url", "minhash")
LEVEL_EXACT, LEVEL_URL, LEVEL_MINHASH = range(3)
REMOVED_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("id", "<u8", 2),
        ("kept", "<u8", 2),
        ("similarity", "<f4"),
        ("size", "<i8"),
        ("level", "u1"),
    ]
)
"""Record of a removed document, with the id of the one that is kept in its place."""


def reduce_to_stars(links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[n, 2], sorted: every node of the links int64[k, 2], roots included, with the lowest node of its
    component. Links that are reduced to stars, joined and reduced again give the same components.

    Memory: 75 bytes a link at the peak, so 27 million links in 2 GB. Cost: a second for 2 million.
    """
    if not len(links):
        return np.empty((0, 2), np.int64)
    nodes, at = np.unique(links, return_inverse=True)
    at = at.reshape(links.shape).astype(np.int32)
    weights = np.ones(len(links), np.bool_)
    # .2 s to import, which a corpus without duplicates is spared
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((weights, (at[:, 0], at[:, 1])), shape=(len(nodes), len(nodes)))
    count, labels = connected_components(graph, directed=False)
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, labels, nodes)
    return np.stack([nodes, lowest[labels]], axis=1)


def choose_removed(
    members: NDArray[np.void], edges: NDArray[np.void], width: int, closure: Literal["best", "transitive"]
) -> NDArray[np.void]:
    """Return REMOVED[...] for whole components, given their MEMBERs and all their EDGEs in any order.

    `best`: documents are visited best first. A document is removed in favour of a kept one that has its content
    (level exact), else of one that has its URL (url), else of the best kept one whose content is similar
    (minhash); every other document is kept. So no document is removed because it resembles a removed one.
    `transitive`: the best document of a component is kept. The others are removed: level exact with the same
    content, url with the same URL or where only a URL connects them to the component, else minhash.

    `similarity` is 1 for the same content, the matches divided by `width` where the two contents were compared,
    and NaN where they were not. `size` is the number of documents that the kept one represents, itself
    included. Cost: 2 microseconds and 600 bytes a document that has two edges.
    """
    members = members[
        order_best_first(
            priority=members["priority"],
            quality=members["quality"],
            length=members["length"],
            id=members["id"],
            number=members["number"],
            within=members["root"],
        )
    ]
    names, content = np.unique(members["content"], return_inverse=True)
    urls, url = np.unique(members["url"], return_inverse=True)
    if len(urls) and urls[0] == 0:
        url = url - 1  # -1: no URL
    left, right = np.searchsorted(names, edges["one"]), np.searchsorted(names, edges["other"])
    ends = np.concatenate([np.stack([left, right], axis=1), np.stack([right, left], axis=1)])
    by_end = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, matches = ends[by_end], np.tile(edges["matches"], 2)[by_end]
    if closure == "best":
        standing, level, agreed = _remove_best_first(content, url, len(names), len(urls), ends, matches)
    else:
        standing, level, agreed = _remove_transitively(
            members["root"], content, url, len(names), ends, matches
        )

    gone = np.flatnonzero(standing >= 0)
    kept = standing[gone]
    removed = np.empty(len(gone), REMOVED_DTYPE)
    removed["number"], removed["id"] = members["number"][gone], members["id"][gone]
    removed["kept"], removed["level"] = members["id"][kept], level[gone]
    removed["similarity"] = np.where(agreed[gone] < 0, np.nan, agreed[gone] / np.float32(width))
    removed["similarity"][level[gone] == LEVEL_EXACT] = 1
    removed["size"] = 1 + np.bincount(kept, minlength=len(members))[kept]
    return removed


_Decisions = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""For each member: the member kept in its place (-1: it is kept itself), the level, the matches (-1: unknown)."""


def _remove_best_first(
    content: NDArray[np.int64],
    url: NDArray[np.int64],
    contents: int,
    urls: int,
    ends: NDArray[np.int64],
    matches: NDArray[np.int32],
) -> _Decisions:
    bounds = np.searchsorted(ends[:, 0], np.arange(contents + 1)).tolist()
    neighbours, agreeing = ends[:, 1].tolist(), matches.tolist()
    by_content, by_url = [-1] * contents, [-1] * (urls + 1)  # the kept document of each
    remover, agreement = [-1] * contents, [-1] * contents
    standing, level, agreed = [-1] * len(content), [0] * len(content), [-1] * len(content)
    for member, (own, address) in enumerate(zip(content.tolist(), url.tolist(), strict=True)):
        if by_content[own] >= 0:
            standing[member], level[member] = by_content[own], LEVEL_EXACT
        elif address >= 0 and by_url[address] >= 0:
            standing[member], level[member] = by_url[address], LEVEL_URL
        elif remover[own] >= 0:
            standing[member], level[member], agreed[member] = remover[own], LEVEL_MINHASH, agreement[own]
        else:
            by_content[own] = by_url[address] = member
            for at in range(bounds[own], bounds[own + 1]):
                neighbour = neighbours[at]
                if remover[neighbour] < 0:
                    remover[neighbour], agreement[neighbour] = member, agreeing[at]
    return np.array(standing, np.int64), np.array(level, np.int64), np.array(agreed, np.int64)


def _remove_transitively(
    root: NDArray[np.int64],
    content: NDArray[np.int64],
    url: NDArray[np.int64],
    contents: int,
    ends: NDArray[np.int64],
    matches: NDArray[np.int32],
) -> _Decisions:
    new = np.append(True, root[1:] != root[:-1])[: len(root)]
    best = np.flatnonzero(new)[np.cumsum(new) - 1]
    wanted = content[best] * np.int64(contents) + content
    edges = ends[:, 0] * np.int64(contents) + ends[:, 1]
    place = np.minimum(np.searchsorted(edges, wanted), max(len(edges) - 1, 0))
    agreed = np.full(len(root), -1)
    if len(edges):
        agreed = np.where(edges[place] == wanted, matches[place], -1)
    similar = np.bincount(ends[:, 0], minlength=contents)[content] > 0
    same_url = (url >= 0) & (url == url[best])
    level = np.where(
        content == content[best], LEVEL_EXACT, np.where(same_url | ~similar, LEVEL_URL, LEVEL_MINHASH)
    )
    agreed[level == LEVEL_URL] = -1
    return np.where(new, -1, best), level, agreed
