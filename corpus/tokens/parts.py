"""Token parts: the kept documents of one input split as tokens, in record batches by (split, language).

An Arrow file with the columns of a shard (`token_schema`). Each record batch holds documents of one side (train
or valid) and one language, in their order, up to a number of tokens; the last batch is empty and carries
the index: the side, language, rows, tokens and bytes of every batch before it. So shards are composed
of whole batches, and planned from the indexes alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.progress import count_documents
from corpus.storage import atomic_output, exists, open_input
from corpus.storage.part_writer import FINGERPRINT_KEY, add_fingerprint
from corpus.tokens.encode import Encoder
from corpus.tokens.rows import TextEdits, read_kept_groups

VERSION = 2
"""Increased when the same documents would give another part."""
PART_BATCH_TOKENS = 1 << 20
"""Tokens of a record batch of a part, at most, except for a single document that has more."""
MAX_HELD_BYTES = 128 << 20
"""Memory of the documents waiting, over all languages of a part, before the largest batch is written."""
HELD_ROW_BYTES = 400
"""Memory of a waiting document besides its tokens: its array, id and list entries."""
ENCODE_CHUNK_BYTES = 1 << 20
"""Bytes of text (UTF-8) that are encoded in one step."""

INDEX_KEY = b"corpus.index"
EMPTIED_KEY = b"corpus.emptied"
"""Kept documents by language of which edits leave nothing; absent where there are none."""


@dataclass(frozen=True, slots=True)
class PartBatch:
    """One record batch of a part: `bytes` is the UTF-8 size of its texts, `tokens` counts end-of-text too, and
    `unknown` the tokens that stand for text outside the vocabulary."""

    side: str
    language: str
    rows: int
    tokens: int
    bytes: int
    unknown: int = 0


def token_schema(dtype: np.dtype[Any]) -> pa.Schema:
    """Return the schema of token parts and shards: one row a document, end-of-text as its last token."""
    return pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("bytes", pa.uint32(), nullable=False),
            pa.field("language", pa.string(), nullable=False),
            pa.field("tokens", pa.list_(pa.from_numpy_dtype(dtype)), nullable=False),
        ]
    )


@dataclass(slots=True)
class _HeldDocuments:
    """Documents of one side and language waiting for their batch."""

    ids: list[str] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    tokens: list[npt.NDArray[Any]] = field(default_factory=list)
    size: int = 0
    memory: int = 0


class TokenPartWriter:
    """Sorts documents into the batches of a token part; the file appears, complete, when the block succeeds."""

    def __init__(self, path: str, encoder: Encoder, fingerprint: str, batch_tokens: int) -> None:
        self.path = path
        self.batch_tokens = batch_tokens
        self.dtype, self.unknown = encoder.dtype, encoder.unknown
        self.schema = add_fingerprint(token_schema(encoder.dtype), fingerprint)
        self.index: list[PartBatch] = []
        self.emptied: Counter[str] = Counter()
        self._held: dict[tuple[str, str], _HeldDocuments] = {}
        self._memory = 0

    @contextmanager
    def open(self) -> Iterator[TokenPartWriter]:
        with atomic_output(self.path) as stream, pa.ipc.new_file(stream, self.schema) as self._writer:
            yield self
            for key in sorted(self._held):
                self._flush(key)
            index = [list(astuple(batch)) for batch in self.index]
            empty = pa.RecordBatch.from_pylist([], schema=self.schema)
            emptied = {EMPTIED_KEY: json.dumps(self.emptied, sort_keys=True)} if self.emptied else {}
            self._writer.write_batch(empty, custom_metadata={INDEX_KEY: json.dumps(index), **emptied})

    def add(self, side: str, language: str, id: str, bytes: int, tokens: npt.NDArray[Any]) -> None:
        """Add the next document. Memory: `MAX_HELD_BYTES` and one document."""
        key = (side, language)
        if key in self._held and self._held[key].size + len(tokens) > self.batch_tokens:
            self._flush(key)
        held = self._held.setdefault(key, _HeldDocuments())
        held.ids.append(id)
        held.bytes.append(bytes)
        held.tokens.append(tokens.copy())  # a view would keep its whole batch in memory
        held.size += len(tokens)
        held.memory += tokens.nbytes + HELD_ROW_BYTES
        self._memory += tokens.nbytes + HELD_ROW_BYTES
        if self._memory > MAX_HELD_BYTES:
            self._flush(max(sorted(self._held), key=lambda key: self._held[key].memory))

    def _flush(self, key: tuple[str, str]) -> None:
        held = self._held.pop(key)
        side, language = key
        offsets = np.zeros(len(held.ids) + 1, np.int32)
        np.cumsum([len(tokens) for tokens in held.tokens], out=offsets[1:])
        tokens = np.concatenate(held.tokens, dtype=self.dtype)
        unknown = int(np.count_nonzero(tokens == self.unknown)) if self.unknown is not None else 0
        columns = [
            pa.array(held.ids, pa.string()),
            pa.array(held.bytes, pa.uint32()),
            pa.array([language] * len(held.ids), pa.string()),
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(tokens)),
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self.schema))
        self.index.append(PartBatch(side, language, len(held.ids), held.size, sum(held.bytes), unknown))
        self._memory -= held.memory


def encode_part(
    path: str,
    documents: str,
    decisions: str,
    encoder: Encoder,
    fingerprint: str,
    batch_tokens: int,
    edits: TextEdits | None = None,
) -> list[PartBatch]:
    """Encode the kept documents of one input split into the token part at `path`, and return its index.

    Their texts have the `edits`; those of which nothing is left have no row. Memory: a row group of documents, its
    tokens, and `MAX_HELD_BYTES`; with the libraries about 300 MB.
    """
    with TokenPartWriter(path, encoder, fingerprint, batch_tokens).open() as writer:
        for group in read_kept_groups(documents, decisions, edits):
            count_documents(len(group))
            columns = group.columns.to_pydict()
            texts, edited = group.edit_texts(np.arange(len(group)))
            emptied = set()
            for row in edited:
                text = texts[row].as_py()
                columns["bytes"][row] = len(text.encode())
                if not text.strip():
                    emptied.add(row)
                    writer.emptied[columns["language"][row]] += 1
            for start, end in _split_rows(columns["bytes"]):
                tokens, lengths = encoder.encode_batch(texts.slice(start, end - start).to_pylist())
                ends = np.cumsum(lengths).tolist()
                for row, first, last in zip(range(start, end), [0, *ends], ends, strict=False):
                    if row in emptied:
                        continue
                    writer.add(
                        columns["split"][row],
                        columns["language"][row],
                        columns["id"][row],
                        columns["bytes"][row],
                        tokens[first:last],
                    )
    return writer.index


def _split_rows(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows with about `ENCODE_CHUNK_BYTES` bytes each."""
    start, held = 0, 0
    for row, size in enumerate(sizes):
        held += size
        if held >= ENCODE_CHUNK_BYTES:
            yield start, row + 1
            start, held = row + 1, 0
    if start < len(sizes):
        yield start, len(sizes)


def read_part_fingerprint(path: str) -> str | None:
    """Return the fingerprint of a token part or shard, or None if there is no complete one."""
    if not exists(path):
        return None
    with open_input(path) as stream:
        try:
            value = (pa.ipc.open_file(stream).schema.metadata or {}).get(FINGERPRINT_KEY)
        except pa.ArrowInvalid:
            return None
    return value.decode() if value is not None else None


def read_index(path: str) -> list[PartBatch]:
    """Return what each record batch of a token part holds."""
    with open_input(path) as stream:
        reader = pa.ipc.open_file(stream)
        last = reader.get_batch_with_custom_metadata(reader.num_record_batches - 1)
        return [PartBatch(*row) for row in json.loads(last.custom_metadata[INDEX_KEY])]


def read_emptied(path: str) -> dict[str, int]:
    """Return how many kept documents of each language a token part lacks, since edits leave nothing of them."""
    with open_input(path) as stream:
        reader = pa.ipc.open_file(stream)
        last = reader.get_batch_with_custom_metadata(reader.num_record_batches - 1)
        emptied: dict[str, int] = json.loads((last.custom_metadata or {}).get(EMPTIED_KEY, b"{}"))
        return emptied


def read_batches(stream: BinaryIO, numbers: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield the record batches with these numbers from an open token part, one at a time."""
    reader = pa.ipc.open_file(stream)
    for number in numbers:
        yield reader.get_batch(number)
