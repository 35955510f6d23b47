"""Signature parts: the MinHash signatures of a split, row by row beside its documents.

An Arrow IPC file of batches of `SIGNATURE_BATCH_ROWS` rows (the last one shorter), uncompressed: row r lies in
batch r // BATCH_ROWS and is read without the others, mapped from disk or by a range read from an object store.
The row of a document without a signature is null, with all of its values `EMPTY_VALUE`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.dedup import minhash, sketches
from corpus.dedup.options import MinHashOptions
from corpus.dedup.shingles import OLD_FOLDS, hash_shingles
from corpus.errors import UserError
from corpus.storage import atomic_output, exists, is_remote, local_path, open_input
from corpus.storage.part_writer import FINGERPRINT_KEY, add_fingerprint
from corpus.text import folding

if TYPE_CHECKING:
    from corpus.text.words import Words

VERSION = 1
"""Increased when the same words would give other signatures."""
PARAMETERS_KEY = b"corpus.minhash"
SIGNATURE_BATCH_ROWS = 1024
"""458,752 bytes for 112 permutations: the amount read from an object store for one row."""


def signature_parameters(options: MinHashOptions) -> dict[str, Any]:
    """Return what a signature depends on besides the words: for fingerprints, and for every part's metadata.

    Excluded are the threshold and the banding, which are applied to stored signatures. What was added later, `fold` and
    `lines`, is there only where it differs from what was done before: signatures that are the same stay.
    """
    parameters: dict[str, Any] = {
        "version": VERSION,
        "hash": "xxh32",
        "scheme": "affine32",
        "permutations": options.width,
        "seed": options.seed,
        "words": options.words,
        "characters": options.characters,
    }
    if options.fold != OLD_FOLDS:
        parameters["fold"] = {"version": folding.VERSION, "of": list(options.fold)}
    if options.lines:
        parameters["lines"] = options.lines
    if options.containment is not None:
        parameters["sampled"] = sketches.SAMPLED
    return parameters


def drop_sampled(parameters: Any) -> Any:
    """Return parameters of signatures without what the sketches beside them depend on."""
    if not isinstance(parameters, dict):
        return parameters
    return {name: value for name, value in parameters.items() if name != "sampled"}


def signature_schema(options: MinHashOptions) -> pa.Schema:
    """Return the schema of one column, `signature`: fixed_size_list<uint32, permutations>, null where there is none.

    Where documents inside longer ones are looked for, there is a second one, `sketch`: list<uint32>.
    """
    described = json.dumps(signature_parameters(options), sort_keys=True)
    fields = [pa.field("signature", pa.list_(pa.field("item", pa.uint32(), nullable=False), options.width))]
    if options.containment is not None:
        fields.append(pa.field("sketch", sketches.SKETCH_TYPE, nullable=False))
    return pa.schema(fields, metadata={PARAMETERS_KEY: described.encode()})


class SignatureStep:
    """Computes signatures of documents while they are ingested. `parameters` and `schema` say what they are."""

    def __init__(self, options: MinHashOptions) -> None:
        self.options = options
        self.parameters = signature_parameters(options)
        self.schema = signature_schema(options)

    def signatures(
        self, documents: Sequence[Words | None], languages: Sequence[str | None] | None = None
    ) -> pa.RecordBatch:
        """Return one row for each document; null where the document is None (gated) or has no word. `languages` are
        their labels: by default, none is source code.

        Memory: about 20 bytes for each word of all documents given. Cost per 500 words: 25 microseconds.
        """
        present_rows = [at for at, words in enumerate(documents) if words is not None]
        ingested = [words for words in documents if words is not None]
        labels = languages if languages is not None else [None] * len(documents)
        shapes = [self.options.shape(labels[at]) for at in present_rows]
        hashes, counts = hash_shingles(ingested, shapes)
        values = np.full((len(documents), self.options.width), minhash.EMPTY_VALUE, np.uint32)
        values[present_rows] = minhash.compute_signatures(
            hashes, counts, self.options.width, self.options.seed
        )
        if self.options.containment is None:
            return to_signature_batch(values, self.schema)
        every = np.zeros(len(documents), np.int64)
        every[present_rows] = counts
        return to_signature_batch(values, self.schema, sketches.sample_shingles(hashes, every))


def to_signature_batch(
    values: NDArray[np.uint32], schema: pa.Schema, sketch: pa.ListArray | None = None
) -> pa.RecordBatch:
    """Convert uint32[rows, permutations], and sketches if there are some, to a batch of `schema`; rows that hold
    only `EMPTY_VALUE` are null."""
    column = pa.FixedSizeListArray.from_arrays(
        pa.array(values.reshape(-1)),
        type=schema.field("signature").type,
        mask=pa.array(~has_signature(values)),
    )
    return pa.RecordBatch.from_arrays([column] if sketch is None else [column, sketch], schema=schema)


def has_signature(values: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return which rows are signatures, as a mask."""
    filled: NDArray[np.bool_] = (values != minhash.EMPTY_VALUE).any(axis=1)
    return filled


class SignatureWriter:
    """Writes one signature part; the file appears, complete, when the block ends without an error.

    Its bytes depend on the rows and the fingerprint, not on how the rows were divided into batches.
    """

    def __init__(self, path: str, schema: pa.Schema, fingerprint: str) -> None:
        self.path = path
        self.schema = add_fingerprint(schema, fingerprint)
        self.rows = 0
        self._waiting: list[NDArray[np.uint32]] = []
        self._sketches: list[pa.ListArray] = []
        self._has_sketches = "sketch" in schema.names

    def __enter__(self) -> SignatureWriter:
        self._open = ExitStack()
        try:
            stream = self._open.enter_context(atomic_output(self.path))
            self._writer = self._open.enter_context(pa.ipc.new_file(stream, self.schema))
        except BaseException:
            self._open.__exit__(*sys.exc_info())
            raise
        return self

    def write(self, rows: pa.RecordBatch) -> None:
        """Append rows of the schema."""
        self.rows += rows.num_rows
        self._waiting.append(_values(rows))
        if self._has_sketches:
            self._sketches.append(rows.column("sketch"))
        if sum(map(len, self._waiting)) >= SIGNATURE_BATCH_ROWS:
            self._flush(whole_only=True)

    def _flush(self, whole_only: bool) -> None:
        width = self.schema.field("signature").type.list_size
        joined = np.concatenate(self._waiting) if self._waiting else np.empty((0, width), np.uint32)
        until = len(joined) // SIGNATURE_BATCH_ROWS * SIGNATURE_BATCH_ROWS if whole_only else len(joined)
        sketch = pa.concat_arrays([pa.array([], sketches.SKETCH_TYPE), *self._sketches])
        for start in range(0, until, SIGNATURE_BATCH_ROWS):
            piece = joined[start : min(until, start + SIGNATURE_BATCH_ROWS)]
            beside = _copy_sketches(sketch.slice(start, len(piece))) if self._has_sketches else None
            self._writer.write_batch(to_signature_batch(piece, self.schema, beside))
        self._waiting = [joined[until:]] if until < len(joined) else []
        self._sketches = [sketch.slice(until)] if self._has_sketches else []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            if error is not None:
                raise error
            self._flush(whole_only=False)


def read_signature_fingerprint(path: str) -> str | None:
    """Return the fingerprint of a signature part, or None when there is no complete part."""
    if not exists(path):
        return None
    try:
        with open_input(path) as stream:
            value = (pa.ipc.open_file(stream).schema.metadata or {}).get(FINGERPRINT_KEY)
    except pa.ArrowInvalid:
        return None
    return value.decode() if value is not None else None


class SignatureReader:
    """Reads a signature part.

    With `options`, raises UserError for a part that was made with other parameters.
    """

    def __init__(self, path: str, options: MinHashOptions | None = None) -> None:
        self.path = path
        source = (
            pa.PythonFile(open_input(path), mode="r") if is_remote(path) else pa.memory_map(local_path(path))
        )
        self._source = source
        self._file = pa.ipc.open_file(source)
        if options is not None:
            stored = json.loads((self._file.schema.metadata or {}).get(PARAMETERS_KEY, b"null"))
            if drop_sampled(stored) != drop_sampled(signature_parameters(options)):
                raise UserError(
                    f"the signatures in {path} were made with {stored}, the manifest asks for "
                    f"{signature_parameters(options)}: build again to recompute them"
                )
        self.width = self.read_width()

    def read_width(self) -> int:
        """Return the number of values of a signature, from the schema."""
        return int(self._file.schema.field("signature").type.list_size)

    def values_of(self, batch: pa.RecordBatch) -> NDArray[np.uint32]:
        """Return uint32[rows, permutations] of a batch."""
        return _values(batch)

    def rows(self) -> int:
        """Return the number of rows in the part; reads its last batch."""
        batches = self._file.num_record_batches
        return (
            (batches - 1) * SIGNATURE_BATCH_ROWS + int(self._file.get_batch(batches - 1).num_rows)
            if batches
            else 0
        )

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Return uint32[len(rows), permutations] of any rows in any order; `EMPTY_VALUE` where there is no signature.

        Reads each batch in which the rows lie once, one at a time. Raises IndexError for a row that the
        part does not have.
        """
        values = np.empty((len(rows), self.width), np.uint32)
        order = np.argsort(rows, kind="stable")
        batches, starts = np.unique(rows[order] // SIGNATURE_BATCH_ROWS, return_index=True)
        pieces = np.split(order, starts[1:])  # one empty piece of no rows
        for batch, members in zip(batches.tolist(), pieces, strict=False):
            if not 0 <= batch < self._file.num_record_batches:
                raise IndexError(f"{self.path} has no row {int(rows[members[0]])}")
            values[members] = self.values_of(self._file.get_batch(batch))[
                rows[members] - batch * SIGNATURE_BATCH_ROWS
            ]
        return values

    def read_sketches(self, rows: NDArray[np.int64]) -> pa.ListArray:
        """Return the sketches of rows in ascending order. Raises UserError where the part has none."""
        if "sketch" not in self._file.schema.names:
            raise UserError(f"{self.path} has no sketches: build again to make them")
        pieces = [pa.array([], sketches.SKETCH_TYPE)]
        batches, starts = np.unique(rows // SIGNATURE_BATCH_ROWS, return_index=True)
        for batch, members in zip(batches.tolist(), np.split(rows, starts[1:]), strict=False):
            if not 0 <= batch < self._file.num_record_batches:
                raise IndexError(f"{self.path} has no row {int(members[0])}")
            column = self._file.get_batch(batch).column("sketch")
            pieces.append(column.take(pa.array(members - batch * SIGNATURE_BATCH_ROWS)))
        return pa.concat_arrays(pieces)

    def close(self) -> None:
        self._source.close()


def read_signatures(
    path: str, rows: NDArray[np.int64], options: MinHashOptions | None = None
) -> NDArray[np.uint32]:
    """Open a part, return its `SignatureReader.read`, and close it."""
    part = SignatureReader(path, options)
    try:
        return part.read(rows)
    finally:
        part.close()


def _copy_sketches(column: pa.ListArray) -> pa.ListArray:
    """Return sketches whose bytes do not depend on the array that they were cut from."""
    values, bounds = sketches.read_samples(column)
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(values), type=sketches.SKETCH_TYPE)


def _values(rows: pa.RecordBatch) -> NDArray[np.uint32]:
    """Return uint32[rows, permutations] of a batch, without a copy."""
    column = rows.column(0)
    width = column.type.list_size
    values: NDArray[np.uint32] = column.values.to_numpy(zero_copy_only=True)
    return values[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)
