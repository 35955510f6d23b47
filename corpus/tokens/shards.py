"""Shards: plan which batches of the token parts form each shard, and write one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from corpus.errors import RunError
from corpus.storage import atomic_output, exists, join, open_input, read_text, write_text
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import add_fingerprint
from corpus.tokens.options import TokensOptions
from corpus.tokens.parts import PartBatch, read_batches, read_part_fingerprint, token_schema

VERSION = 1
"""Increased when the same parts would give other shards."""
OTHER_LANGUAGE = "other"
"""The stream of those languages of a source that are too small for shards of their own."""
SHARD_BATCH_TOKENS = 4 << 20
"""A record batch of a shard ends with the first batch of a part that brings it to this size: 8 or 16 MB."""
SPLITS = ("train", "valid")

Part = tuple[str, str, str, Sequence[PartBatch]]
"""(source, split name, fingerprint, index) of a token part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A planned shard. `path` is below `tokens/`; `pieces` are (split name, its batches), in order."""

    path: str
    split: str
    source: str
    language: str
    rows: int
    tokens: int
    bytes: int
    fingerprint: str
    pieces: list[tuple[str, list[int]]]


def part_path(folder: str, source: str, name: str) -> str:
    """Return the path of an input split's token part; `folder` is `tokens/parts` of the workspace."""
    return join(folder, f"source={source}", f"part-{name}.arrow")


def assign_streams(parts: Sequence[Part], options: TokensOptions) -> dict[tuple[str, str], str]:
    """Return the stream of each (source, language): its own language, or `other`; the same for train and valid."""
    sizes: dict[tuple[str, str], int] = {}
    for source, _, _, index in parts:
        for batch in index:
            sizes[source, batch.language] = sizes.get((source, batch.language), 0) + batch.tokens
    return {
        key: key[1] if size >= options.min_language_tokens else OTHER_LANGUAGE
        for key, size in sorted(sizes.items())
    }


def plan_shards(parts: Sequence[Part], options: TokensOptions) -> list[PlannedShard]:
    """Plan all shards, by side, source and language. The order of the parts is the order of their documents.

    A shard takes batches until the next would exceed `max_shard_tokens`; only a single document with
    more tokens than that exceeds it, alone in its shard.
    """
    stream_of = assign_streams(parts, options)
    open_shards: dict[tuple[str, str, str], _OpenShard] = {}
    done: list[PlannedShard] = []
    for source, name, made_by, index in parts:
        for number, batch in enumerate(index):
            key = (batch.side, source, stream_of[source, batch.language])
            shard = open_shards.setdefault(key, _OpenShard(key, 0))
            if shard.tokens and shard.tokens + batch.tokens > options.max_shard_tokens:
                done.append(shard.close())
                shard = open_shards[key] = _OpenShard(key, shard.number + 1)
            shard.add(name, made_by, number, batch)
    done += [shard.close() for shard in open_shards.values()]
    return sorted(done, key=lambda shard: (shard.split, shard.source, shard.language, shard.path))


class _OpenShard:
    """A shard to which the plan adds batches."""

    def __init__(self, key: tuple[str, str, str], number: int) -> None:
        self.key, self.number = key, number
        self.rows = self.tokens = self.bytes = 0
        self.pieces: list[tuple[str, list[int]]] = []
        self.made_by: list[str] = []

    def add(self, name: str, made_by: str, number: int, batch: PartBatch) -> None:
        if not self.pieces or self.pieces[-1][0] != name:
            self.pieces.append((name, []))
            self.made_by.append(made_by)
        self.pieces[-1][1].append(number)
        self.rows += batch.rows
        self.tokens += batch.tokens
        self.bytes += batch.bytes

    def close(self) -> PlannedShard:
        split, source, language = self.key
        return PlannedShard(
            path=f"split={split}/source={source}/language={language}/shard-{self.number:05d}.arrow",
            split=split,
            source=source,
            language=language,
            rows=self.rows,
            tokens=self.tokens,
            bytes=self.bytes,
            fingerprint=fingerprint([VERSION, SHARD_BATCH_TOKENS, self.key, self.pieces, self.made_by]),
            pieces=self.pieces,
        )


def write_plan(path: str, shards: Sequence[PlannedShard]) -> None:
    """Write the plan as JSON, from which workers read the shard that they write."""
    write_text(path, json.dumps([asdict(shard) for shard in shards], indent=1) + "\n")


@lru_cache(maxsize=1)
def read_plan(path: str, _fingerprint: str) -> Mapping[str, PlannedShard]:
    """Read the shards of a plan by their paths; cached for the next shard of the same plan."""
    shards = [PlannedShard(**entry) for entry in json.loads(read_text(path))]
    return {shard.path: shard for shard in shards}


def write_shard(path: str, record: str, shard: PlannedShard, folder: str, dtype: str) -> None:
    """Write a shard to `path` from the token parts in `folder`, then its fingerprint and sha256 to `record`.

    Memory: three times a record batch. Raises RunError if a part has changed since the plan was made.
    """
    with atomic_output(path) as stream:
        hashing = _HashingStream(stream)
        columns = add_fingerprint(token_schema(np.dtype(dtype)), shard.fingerprint)
        rows = tokens = 0
        with pa.ipc.new_file(pa.PythonFile(hashing, "w"), columns) as writer:
            for batch in _join_batches(shard, folder):
                rows += batch.num_rows
                tokens += len(batch.column("tokens").flatten())
                writer.write_batch(batch.cast(columns))
        if (rows, tokens) != (shard.rows, shard.tokens):
            raise RunError(f"{path}: its token parts have changed since the shards were planned: build again")
    done = {"fingerprint": shard.fingerprint, "sha256": hashing.digest.hexdigest()}
    write_text(record, json.dumps(done) + "\n")


def read_shard_sha256(path: str, record: str, shard: PlannedShard) -> str | None:
    """Return the sha256 of a shard that exists as planned, else None."""
    if not exists(record) or read_part_fingerprint(path) != shard.fingerprint:
        return None
    stored = json.loads(read_text(record))
    return str(stored["sha256"]) if stored["fingerprint"] == shard.fingerprint else None


def _join_batches(shard: PlannedShard, folder: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a shard's pieces, joined into record batches of about `SHARD_BATCH_TOKENS`."""
    held: list[pa.RecordBatch] = []
    tokens = 0
    for name, numbers in shard.pieces:
        with open_input(part_path(folder, shard.source, name)) as stream:
            for batch in read_batches(stream, numbers):
                held.append(batch)
                tokens += len(batch.column("tokens").flatten())
                if tokens >= SHARD_BATCH_TOKENS:
                    yield pa.concat_batches(held)
                    held, tokens = [], 0
    if held:
        yield pa.concat_batches(held)


class _HashingStream:
    """A binary stream that is hashed while it is written."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._stream.write(content)

    def flush(self) -> None:
        self._stream.flush()

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        """Do nothing: the stream is closed by its opener."""
