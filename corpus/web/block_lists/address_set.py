"""Sets of hosts and addresses as sorted 64-bit hashes: 8 bytes an entry, and less than 1 for where to begin a search.

With 5 million entries a host that is in none of them is taken for one of them once in 10^12 look-ups.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice

import numpy as np
import xxhash
from numpy.typing import NDArray

from corpus.web.block_lists.layouts import normalize_path

BLOCK_KEYS = 1 << 20
"""Hashes collected before they are sorted into what is there."""
HASHES_PER_BUCKET = 8
MAX_LABELS = 16
MAX_SEGMENTS = 16
_PATHS_MARK = "/"
"""Before a host, it is the key that says that the set holds paths of that host."""


def hash_keys(keys: Iterable[str]) -> NDArray[np.uint64]:
    """Hash keys by XXH3."""
    digest = xxhash.xxh3_64_intdigest
    return np.fromiter((digest(key.encode("utf-8", "surrogatepass")) for key in keys), np.uint64)


class AddressSet:
    """A set of keys (`corpus.web.block_lists.layouts`); `hashes` is sorted and distinct, in memory or mapped."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes
        bits = max(1, (len(hashes) // HASHES_PER_BUCKET).bit_length())
        self._shift = 64 - bits
        bounds = np.arange(1 << bits, dtype=np.uint64) << np.uint64(self._shift)
        starts = np.append(np.searchsorted(hashes, bounds), len(hashes))
        self._starts = starts.astype(np.uint32).data
        self._sorted = hashes.data

    @staticmethod
    def build(keys: Iterable[str]) -> AddressSet:
        """Build a set. Memory: 8 bytes for each distinct key, twice that while blocks are joined."""
        keys = iter(keys)
        hashes = np.zeros(0, np.uint64)
        while block := list(islice(keys, BLOCK_KEYS)):
            hosts_with_paths = {f"{_PATHS_MARK}{key.partition('/')[0]}" for key in block if "/" in key}
            hashes = np.union1d(
                hashes, np.concatenate([hash_keys(block), hash_keys(sorted(hosts_with_paths))])
            )
        return AddressSet(hashes)

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def bytes(self) -> int:
        """Bytes of memory, of which all but a tenth may be mapped."""
        return self.hashes.nbytes + self._starts.nbytes

    def has(self, host: str, path: str) -> bool:
        """Return whether the host (as `normalize_host` gives it), a host above it, or a path of one is in the set.

        Cost: 3 microseconds.
        """
        if not len(self.hashes):
            return False
        hosts = _list_hosts(host)
        if self._has_any(hosts):
            return True
        with_paths = [each for each in hosts if self._has_any([f"{_PATHS_MARK}{each}"])] if path else []
        if not with_paths:
            return False
        segments = normalize_path(path.removeprefix("/")).split("/")[1 : MAX_SEGMENTS + 1]
        below = ["/" + "/".join(segments[: count + 1]) for count in range(len(segments))]
        return self._has_any([each + prefix for each in with_paths for prefix in below])

    def _has_any(self, keys: list[str]) -> bool:
        starts, shift, hashes = self._starts, self._shift, self._sorted
        for key in keys:
            wanted = xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))
            bucket = wanted >> shift
            end = starts[bucket + 1]
            place = bisect_left(hashes, wanted, starts[bucket], end)
            if place < end and hashes[place] == wanted:
                return True
        return False


def _list_hosts(host: str) -> list[str]:
    """List `a.b.c`, `b.c`, `c`; of an IP address itself alone."""
    if ":" in host or host.rpartition(".")[2].isdigit():
        return [host]
    labels = host.split(".")[-MAX_LABELS:]
    return [".".join(labels[first:]) for first in range(len(labels))]
