"""Connected components of more links than fit in memory: rounds of star operations over ranges of nodes, on disk.

Links are divided by a hash of their node, so that all links of a node are in one range. In turn, as in Kiveris et al.,
Connected Components in MapReduce and Beyond (SoCC 2014):

    large star   every node links its higher neighbours to the lowest node that it knows, itself included
    small star   every range links the nodes of each of its components to the lowest one (the paper: every node its
                 lower neighbours; a range of many nodes does as much and more)

Neither parts a component or joins two, and links point to ever lower nodes, until every node but the lowest of its
component has one neighbour: that one. This takes some log2 of a component's diameter in rounds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.clusters import reduce_to_stars
from corpus.dedup.minhash import splitmix
from corpus.dedup.spilled import SpilledParts

MAX_HELD_LINKS = 8_000_000
"""Links that are reduced in memory: 600 MB."""
MAX_RANGES = 512
LINK_DTYPE = np.dtype([("one", "<i8"), ("other", "<i8")])

Links = NDArray[np.int64]
"""int64[k, 2]"""


def connect(links: Iterable[Links], max_held: int | None = None) -> Iterator[Links]:
    """Yield the stars of links between different nodes, int64[k, 2]: (node, lowest node of its component), roots too.

    Up to `max_held` links (`MAX_HELD_LINKS`) are reduced in memory, more on the local disk, in its folder for temporary
    files: 16 bytes a link, up to four times. The stars are the same.
    """
    max_held = MAX_HELD_LINKS if max_held is None else max_held
    held: list[Links] = [np.empty((0, 2), np.int64)]
    rest = iter(links)
    for piece in rest:
        held.append(piece)
        if sum(map(len, held)) > max_held:
            held = [np.empty((0, 2), np.int64), reduce_to_stars(np.concatenate(held))]
            if len(held[1]) > max_held // 2:
                yield from _connect_on_disk(held.pop(), rest, max_held)
                return
    yield reduce_to_stars(np.concatenate(held))


def _connect_on_disk(first: Links, rest: Iterator[Links], max_held: int) -> Iterator[Links]:
    with tempfile.TemporaryDirectory(prefix="corpus-links-") as folder:
        incoming = SpilledParts(folder, "incoming", LINK_DTYPE, 1)
        for piece in (first, *_reduce_pieces(rest, max_held)):
            incoming.append(np.zeros(len(piece), np.int64), _to_records(piece))
        ranges = min(MAX_RANGES, 1 + 4 * incoming.parts[0].rows // max(1, max_held))
        by_high = SpilledParts(folder, "high", LINK_DTYPE, ranges)
        for records in incoming.parts[0].pieces():
            _send_to_high(by_high, _to_links(records))
        incoming.clear()
        while True:
            by_both = SpilledParts(folder, "both", LINK_DTYPE, ranges)
            for part in by_high.parts:
                stars = reduce_to_stars(_to_links(part.read()))
                _send_to_both(by_both, _without_roots(stars))
            by_high.clear()
            if not any(_has_loose_node(_to_links(part.read())) for part in by_both.parts):
                for part in by_both.parts:
                    yield _list_stars(_to_links(part.read()))
                return
            for part in by_both.parts:
                _send_to_high(by_high, _join_higher_to_lowest(_to_links(part.read())))
            by_both.clear()


def _reduce_pieces(pieces: Iterator[Links], max_held: int) -> Iterator[Links]:
    """Yield stars of as many pieces as are held together."""
    held: list[Links] = []
    for piece in pieces:
        held.append(piece)
        if sum(map(len, held)) >= max_held // 2:
            yield _without_roots(reduce_to_stars(np.concatenate(held)))
            held = []
    if held:
        yield _without_roots(reduce_to_stars(np.concatenate(held)))


def _without_roots(stars: Links) -> Links:
    differing: Links = stars[stars[:, 0] != stars[:, 1]]
    return differing


def _send_to_high(parts: SpilledParts, links: Links) -> None:
    """Append links to the ranges of their higher nodes."""
    links = np.sort(_without_roots(links), axis=1)[:, ::-1]
    parts.append(_range_of(links[:, 0], len(parts.parts)), _to_records(links))


def _send_to_both(parts: SpilledParts, links: Links) -> None:
    """Append links (node, neighbour) to the ranges of both of their nodes."""
    for each in (links, links[:, ::-1]):
        parts.append(_range_of(each[:, 0], len(parts.parts)), _to_records(each))


def _range_of(node: NDArray[np.int64], ranges: int) -> NDArray[np.int64]:
    return (splitmix(node.astype(np.uint64)) % np.uint64(ranges)).astype(np.int64)


def _has_loose_node(links: Links) -> bool:
    """Return whether a node of a range has a lower neighbour and another one."""
    links = np.unique(links, axis=0)
    count = np.unique(links[:, 0], return_counts=True)[1]
    several = np.repeat(count > 1, count)
    return bool((several & (links[:, 1] < links[:, 0])).any())


def _join_higher_to_lowest(links: Links) -> Links:
    """Do a large star for the nodes of a range: link the higher neighbours, and the node, to the lowest."""
    links = links[np.lexsort((links[:, 1], links[:, 0]))]
    starts = np.flatnonzero(np.append(True, links[1:, 0] != links[:-1, 0]))[: len(links)]
    if not len(starts):
        return links
    node, sizes = links[starts, 0], np.diff(np.append(starts, len(links)))
    lowest = np.minimum(node, links[starts, 1])
    higher = links[:, 1] > links[:, 0]
    return np.concatenate(
        [
            np.stack([links[higher, 1], np.repeat(lowest, sizes)[higher]], axis=1),
            np.stack([node, lowest], axis=1),
        ]
    )


def _list_stars(links: Links) -> Links:
    """Return (node, root) of the nodes of a range in which every node but the roots has one neighbour, its root."""
    lower = links[links[:, 1] < links[:, 0]]
    roots = np.unique(links[links[:, 1] > links[:, 0], 0])
    stars: Links = np.concatenate([np.unique(lower, axis=0), np.stack([roots, roots], axis=1)])
    return stars


def _to_records(links: Links) -> NDArray[np.void]:
    return np.ascontiguousarray(links).view(LINK_DTYPE).reshape(-1)


def _to_links(records: NDArray[np.void]) -> Links:
    return np.ascontiguousarray(records).view(np.int64).reshape(-1, 2)
