"""Shards: which batches of the token parts go into which shard, and writing one."""

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
from corpus.storage.part_writer import with_fingerprint
from corpus.tokens.options import Tokens
from corpus.tokens.parts import Batch, read_batches, read_part_fingerprint, schema

VERSION = 1
"""Raised when the same parts would give other shards."""
OTHER = "other"
"""Where the languages of a source go that are too small for shards of their own."""
BATCH_TOKENS = 4 << 20
"""A record batch of a shard ends with the first batch of a part that brings it here: 8 or 16 MB on end."""
SIDES = ("train", "valid")

Part = tuple[str, str, str, Sequence[Batch]]
"""(source, split name, fingerprint, index) of a token part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
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
    """The token part of a split; `folder` is `tokens/parts` of the workspace."""
    return join(folder, f"source={source}", f"part-{name}.arrow")


def streams(parts: Sequence[Part], options: Tokens) -> dict[tuple[str, str], str]:
    """Which shards the tokens of each (source, language) go to: its own, or `other`; both sides the same."""
    sizes: dict[tuple[str, str], int] = {}
    for source, _, _, index in parts:
        for batch in index:
            sizes[source, batch.language] = sizes.get((source, batch.language), 0) + batch.tokens
    return {
        key: key[1] if size >= options.min_language_tokens else OTHER for key, size in sorted(sizes.items())
    }


def plan(parts: Sequence[Part], options: Tokens) -> list[Shard]:
    """All shards, by side, source and language. Parts come in the order their documents are to have.

    A shard takes batches until the next would take it over `max_shard_tokens`; only a single document with
    more tokens than that exceeds it, alone in its shard.
    """
    stream_of = streams(parts, options)
    open_shards: dict[tuple[str, str, str], _OpenShard] = {}
    done: list[Shard] = []
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
    """A shard that the plan is filling."""

    def __init__(self, key: tuple[str, str, str], number: int) -> None:
        self.key, self.number = key, number
        self.rows = self.tokens = self.bytes = 0
        self.pieces: list[tuple[str, list[int]]] = []
        self.made_by: list[str] = []

    def add(self, name: str, made_by: str, number: int, batch: Batch) -> None:
        if not self.pieces or self.pieces[-1][0] != name:
            self.pieces.append((name, []))
            self.made_by.append(made_by)
        self.pieces[-1][1].append(number)
        self.rows += batch.rows
        self.tokens += batch.tokens
        self.bytes += batch.bytes

    def close(self) -> Shard:
        split, source, language = self.key
        return Shard(
            path=f"split={split}/source={source}/language={language}/shard-{self.number:05d}.arrow",
            split=split,
            source=source,
            language=language,
            rows=self.rows,
            tokens=self.tokens,
            bytes=self.bytes,
            fingerprint=fingerprint([VERSION, BATCH_TOKENS, self.key, self.pieces, self.made_by]),
            pieces=self.pieces,
        )


def write_plan(path: str, shards: Sequence[Shard]) -> None:
    """The plan as JSON, where workers find the shard they are to write."""
    write_text(path, json.dumps([asdict(shard) for shard in shards], indent=1) + "\n")


@lru_cache(maxsize=1)
def read_plan(path: str, _fingerprint: str) -> Mapping[str, Shard]:
    """The shards of a plan by their paths; kept in memory for the next shard of the same plan."""
    shards = [Shard(**entry) for entry in json.loads(read_text(path))]
    return {shard.path: shard for shard in shards}


def write_shard(path: str, record: str, shard: Shard, folder: str, dtype: str) -> None:
    """Write a shard at `path` from the token parts in `folder`, then what it came to at `record`.

    Memory: a record batch, three times. RunError where a part is not what it was when the plan was made.
    """
    with atomic_output(path) as stream:
        hashing = _HashingStream(stream)
        columns = with_fingerprint(schema(np.dtype(dtype)), shard.fingerprint)
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


def read_record(path: str, record: str, shard: Shard) -> str | None:
    """The sha256 of a shard that is there as planned, or None."""
    if not exists(record) or read_part_fingerprint(path) != shard.fingerprint:
        return None
    stored = json.loads(read_text(record))
    return str(stored["sha256"]) if stored["fingerprint"] == shard.fingerprint else None


def _join_batches(shard: Shard, folder: str) -> Iterator[pa.RecordBatch]:
    """The batches of a shard's pieces, joined to record batches of about `BATCH_TOKENS`."""
    held: list[pa.RecordBatch] = []
    tokens = 0
    for name, numbers in shard.pieces:
        with open_input(part_path(folder, shard.source, name)) as stream:
            for batch in read_batches(stream, numbers):
                held.append(batch)
                tokens += len(batch.column("tokens").flatten())
                if tokens >= BATCH_TOKENS:
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
        """Left to whoever opened the stream."""
