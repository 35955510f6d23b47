"""Keep the URLs of a list by host, on disk: what is still to fetch, in an order that scatters the load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import xxhash
from numpy.typing import NDArray

from corpus.web.url_lists.index_key import clean_url
from corpus.web.url_lists.url_list import open_list, read_batches


class Frontier:
    """The URLs of a list, mapped into memory, and their rows by host.

    Hosts are in the order of their hashes, so neighbours have nothing to do with each other. Built anew at every
    start, 4 microseconds a URL. Memory: 24 bytes a URL, 50 during the build; the URLs themselves are in a file.
    """

    def __init__(self, list_path: str, folder: str) -> None:
        self._urls_path = os.path.join(folder, "frontier.bin")
        at = row = 0
        with open_list(list_path) as url_list, open(self._urls_path, "wb") as output:
            rows = url_list.metadata.num_rows
            self.ends, self.hashes = np.empty(rows, np.int64), np.empty(rows, np.uint64)
            hosts = np.empty(rows, np.uint64)
            for batch in read_batches(url_list, ["url", "hash"]):
                urls = [clean_url(url or "") or url or "" for url in batch.column("url").to_pylist()]
                raw = [url.encode("utf-8", "replace") for url in urls]
                output.write(b"".join(raw))
                batch_rows = slice(row, row + len(raw))
                self.ends[batch_rows] = at + np.cumsum([len(url) for url in raw], dtype=np.int64)
                hosts[batch_rows] = np.fromiter(map(host_hash, urls), np.uint64, len(urls))
                self.hashes[batch_rows] = batch.column("hash").to_numpy()
                at, row = at + sum(map(len, raw)), batch_rows.stop
        self._order = np.argsort(hosts, kind="stable")
        hosts = hosts[self._order]
        changes = np.flatnonzero(hosts[1:] != hosts[:-1]) + 1
        self._begins = np.concatenate([[0], changes, [rows] if rows else []]).astype(np.int64)
        self._urls = np.memmap(self._urls_path, np.uint8, "r") if at else np.empty(0, np.uint8)

    @property
    def rows(self) -> int:
        return len(self.ends)

    def hosts(self) -> Iterator[NDArray[np.int64]]:
        """Yield the rows of each host, in the order of the list."""
        for first, last in zip(self._begins[:-1], self._begins[1:], strict=True):
            yield self._order[first:last]

    def url(self, row: int) -> str:
        begin = int(self.ends[row - 1]) if row else 0
        return self._urls[begin : int(self.ends[row])].tobytes().decode("utf-8", "replace")

    def close(self) -> None:
        del self._urls
        os.unlink(self._urls_path)


def host_of(url: str) -> str:
    """Return the host name of a URL in lower case, without port; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def host_hash(url: str) -> int:
    return int(xxhash.xxh3_64_intdigest(host_of(url).encode("utf-8", "replace")))
