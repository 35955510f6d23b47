"""Exact duplicates: documents with the same content, and documents with the same URL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.rows import SplitRows, compute_coarse_order, number_documents

CONTENT_KEY_DTYPE = np.dtype(
    [("high", "<u8"), ("low", "<u8"), ("number", "<i8"), ("url", "<u8"), ("order", "<u8")]
)
"""Record of one document that is matched by its content: 40 bytes."""
URL_ENTRY_DTYPE = np.dtype([("url", "<u8"), ("content", "<i8")])
"""Record of one content (the lowest document number that has it) at a URL: 16 bytes."""


def build_content_keys(rows: SplitRows, split: int, exact: bool = True) -> NDArray[np.void]:
    """Return KEY[n] for the documents of an input split; without `exact` every document has a content of its own."""
    keys = np.empty(len(rows), CONTENT_KEY_DTYPE)
    keys["number"] = number_documents(split, rows.row)
    content = rows.content if exact else name_contents(keys["number"])
    keys["high"], keys["low"] = content[:, 0], content[:, 1]
    keys["url"] = rows.url
    keys["order"] = compute_coarse_order(rows)
    return keys


def name_contents(number: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return uint64[n, 2]: a content of its own for each document number."""
    low = number.astype(np.uint64)
    return np.stack([low * np.uint64(0x9E3779B97F4A7C15), low], axis=1)


def sort_by_content(keys: NDArray[np.void]) -> NDArray[np.void]:
    """Return the keys sorted by content, then by document number."""
    return keys[np.lexsort((keys["number"], keys["low"], keys["high"]))]


def find_representatives(ordered: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return, for each of the sorted keys, the lowest document number of its content and the content's best order."""
    if not len(ordered):
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    new = np.empty(len(ordered), np.bool_)
    new[0] = True
    new[1:] = (ordered["high"][1:] != ordered["high"][:-1]) | (ordered["low"][1:] != ordered["low"][:-1])
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(ordered)))
    order = np.minimum.reduceat(ordered["order"], starts)
    return np.repeat(ordered["number"][starts], sizes), np.repeat(order, sizes)


def link_shared_urls(entries: NDArray[np.void]) -> NDArray[np.int64]:
    """Return links int64[k, 2] between contents (URL[n]) that share a URL, each to the lowest number among them."""
    entries = entries[entries["url"] != 0]
    if not len(entries):
        return np.empty((0, 2), np.int64)
    entries = entries[np.lexsort((entries["content"], entries["url"]))]
    new = np.append(True, entries["url"][1:] != entries["url"][:-1])
    first = entries["content"][np.flatnonzero(new)][np.cumsum(new) - 1]
    links: NDArray[np.int64] = np.stack([first, entries["content"]], axis=1)
    differing: NDArray[np.bool_] = links[:, 0] != links[:, 1]
    return links[differing]
