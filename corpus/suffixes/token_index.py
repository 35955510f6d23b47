"""The index of a workspace's shards: DIR/suffixes.

    range-00000.tokens     the tokens of some shards, as they are there, one after the other
    range-00000.suffixes   uint32: the order of their suffixes
    index.json             the dataset's fingerprint, and which shards are in which range; written last

A range has up to `RANGE_TOKENS` tokens, so that memory does not grow with the corpus. All files are mapped when read.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import UserError
from corpus.storage.fingerprint import fingerprint
from corpus.suffixes.suffix_arrays import Suffixes, TokenIds, sort_suffixes
from corpus.trainer.dataset import Dataset, DatasetShard, open_dataset
from corpus.trainer.loader import MappedShard

VERSION = 1
FOLDER = "suffixes"
RANGE_TOKENS = 1 << 25
SORTED_AT_A_TIME = 2
"""Ranges that are sorted at a time, .6 GB each."""


@dataclass(frozen=True)
class IndexedShard:
    """A piece of a shard in a range: tokens [start, end) of the shard stand from `first` on."""

    path: str
    start: int
    end: int
    first: int


@dataclass(frozen=True)
class IndexedRange:
    """Some shards' tokens, with the order of their suffixes."""

    shards: tuple[IndexedShard, ...]
    tokens: TokenIds
    suffixes: Suffixes


def build_index(root: str, say: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
    """Index the shards of a workspace unless that is done; return what index.json holds.

    `say` takes a word, and how many of how many tokens are done. Raises UserError without shards.
    """
    dataset = open_dataset(root)
    folder = dataset.folder.parent / FOLDER
    wanted = fingerprint([VERSION, dataset.fingerprint, RANGE_TOKENS])
    facts = _read_facts(folder)
    if facts.get("fingerprint") == wanted:
        return facts
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    total, done = sum(shard.tokens for shard in dataset.shards), 0
    ranges = []
    with ThreadPoolExecutor(
        min(SORTED_AT_A_TIME, os.cpu_count() or 1)
    ) as pool:  # libdivsufsort needs no lock
        shared = list(_share_shards(dataset))
        for written in pool.map(partial(_write_range, dataset, folder), range(len(shared)), shared):
            ranges.append(written)
            done += written["tokens"]
            if say is not None:
                say("tokens", done, total)
    facts = {
        "fingerprint": wanted,
        "dataset": dataset.fingerprint,
        "dtype": dataset.dtype,
        "tokens": total,
        "bytes": sum(shard.bytes for shard in dataset.shards),
        "ranges": ranges,
    }
    (folder / "index.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return facts


def _write_range(
    dataset: Dataset, folder: Path, number: int, pieces: list[tuple[DatasetShard, int, int]]
) -> dict[str, Any]:
    """Write the tokens of a range and the order of their suffixes; return what index.json says of it."""
    tokens = np.empty(sum(end - start for _, start, end in pieces), dataset.dtype)
    shards, first = [], 0
    for shard, start, end in pieces:
        MappedShard(dataset.folder / shard.path, shard).copy(start, tokens[first : first + end - start])
        shards.append({"path": shard.path, "start": start, "end": end, "first": first})
        first += end - start
    tokens.tofile(folder / f"range-{number:05d}.tokens")
    sort_suffixes(tokens).tofile(folder / f"range-{number:05d}.suffixes")
    return {"tokens": len(tokens), "shards": shards}


def _read_facts(folder: Path) -> dict[str, Any]:
    path = folder / "index.json"
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return facts


def _share_shards(dataset: Dataset) -> Iterator[list[tuple[DatasetShard, int, int]]]:
    """Yield (shard, start, end) of the pieces of each range; a shard is cut only where a range is full."""
    pieces: list[tuple[DatasetShard, int, int]] = []
    size = 0
    for shard in dataset.shards:
        start = 0
        while start < shard.tokens:
            end = min(shard.tokens, start + RANGE_TOKENS - size)
            if end < shard.tokens:
                end = _find_border(dataset, shard, start, end)
            pieces.append((shard, start, end))
            size += end - start
            start = end
            if size >= RANGE_TOKENS or start < shard.tokens:
                yield pieces
                pieces, size = [], 0
    if pieces:
        yield pieces


def _find_border(dataset: Dataset, shard: DatasetShard, start: int, end: int) -> int:
    """Return the last place up to `end` where a document of a shard ends, so that none is cut; `end` if it has none."""
    tokens = np.empty(end - start, dataset.dtype)
    MappedShard(dataset.folder / shard.path, shard).copy(start, tokens)
    borders = np.flatnonzero(tokens == dataset.end_of_text)
    return start + int(borders[-1]) + 1 if len(borders) else end


def open_ranges(root: str, dataset: Dataset) -> list[IndexedRange]:
    """Map the index of a workspace. Raises UserError if there is none, or if it is one of other shards."""
    folder = dataset.folder.parent / FOLDER
    facts = _read_facts(folder)
    if not facts:
        raise UserError(f"{root} has no index of its tokens: `corpus index {shlex.quote(root)}` makes it")
    if facts["fingerprint"] != fingerprint([VERSION, dataset.fingerprint, RANGE_TOKENS]):
        raise UserError(
            f"the tokens of {root} have changed since they were indexed: `corpus index {shlex.quote(root)}` again"
        )
    return [
        IndexedRange(
            tuple(IndexedShard(**shard) for shard in each["shards"]),
            *(
                np.asarray(  # slices of np.memmap take three times as long
                    np.memmap(folder / f"range-{number:05d}.{name}", dtype, "r", shape=(each["tokens"],))
                )
                for name, dtype in (("tokens", facts["dtype"]), ("suffixes", np.uint32))
            ),
        )
        for number, each in enumerate(facts["ranges"])
        if each["tokens"]
    ]
