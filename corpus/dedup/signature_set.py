"""Sets of signatures that travel: of every document its id, hashes of its content and URL, and a LeanMinHash.

Arrow IPC files of batches of `SIGNATURE_BATCH_ROWS` rows. `minhash` holds what datasketch's `LeanMinHash.serialize`
writes in little-endian byte order ("<"), null for a document without words; the metadata say how its shingles were
made. `id` and `content_hash` (32 hex digits) and `url_key` (`corpus.dedup.url_key`, 0: none) may be missing.
"""

from __future__ import annotations

import json
import struct

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from corpus.dedup import minhash
from corpus.dedup.minhash import splitmix
from corpus.dedup.options import MinHashOptions
from corpus.dedup.rows import SplitRows, parse_hex
from corpus.dedup.signatures import PARAMETERS_KEY, SignatureReader, drop_sampled, signature_parameters
from corpus.errors import UserError

SET_EXTENSION = ".arrow"
LEAN_HEADER = struct.Struct("<qiB")
"""datasketch's: the seed, the number of values, negated, and the code of the scheme: 1 for affine32."""


def set_schema(options: MinHashOptions) -> pa.Schema:
    """Return the schema of a set with signatures of these options."""
    described = json.dumps(drop_sampled(signature_parameters(options)), sort_keys=True)
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("content_hash", pa.string(), nullable=False),
            pa.field("url_key", pa.uint64(), nullable=False),
            pa.field("minhash", pa.binary(LEAN_HEADER.size + 4 * options.width)),
        ],
        metadata={PARAMETERS_KEY: described.encode()},
    )


def serialize_signatures(values: NDArray[np.uint32], options: MinHashOptions) -> pa.Array:
    """Serialize signatures uint32[n, permutations] as LeanMinHash; null for those without a value."""
    rows = np.empty((len(values), LEAN_HEADER.size + 4 * options.width), np.uint8)
    rows[:, : LEAN_HEADER.size] = np.frombuffer(LEAN_HEADER.pack(options.seed, -options.width, 1), np.uint8)
    rows[:, LEAN_HEADER.size :] = values.astype("<u4").view(np.uint8).reshape(len(values), -1)
    missing = ~(values != minhash.EMPTY_VALUE).any(axis=1)
    mask = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(rows.shape[1]), len(values), [mask, pa.py_buffer(rows)])


class SignatureSetReader(SignatureReader):
    """Reads a file of a set as a part of signatures. Raises UserError for what is none."""

    def read_width(self) -> int:
        names = self._file.schema.names
        described = json.loads((self._file.schema.metadata or {}).get(PARAMETERS_KEY, b"null"))
        if "minhash" not in names or not isinstance(described, dict):
            raise UserError(
                f"{self.path} is not a set of signatures: `corpus export --signatures` writes such files"
            )
        self.seed = int(described["seed"])
        return int(described["permutations"])

    def values_of(self, batch: pa.RecordBatch) -> NDArray[np.uint32]:
        """Return uint32[rows, permutations] of a batch. Raises UserError where a row is no such LeanMinHash."""
        column = batch.column("minhash")
        size = LEAN_HEADER.size + 4 * self.width
        if column.type != pa.binary(size):
            raise UserError(
                f"{self.path}: `minhash` is {column.type}, a LeanMinHash of its parameters has {size} bytes"
            )
        data = np.frombuffer(column.buffers()[1], np.uint8)[: size * (column.offset + len(column))]
        rows = data.reshape(-1, size)[column.offset :]
        values = np.ascontiguousarray(rows[:, LEAN_HEADER.size :]).view("<u4").astype(np.uint32)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        header = np.frombuffer(LEAN_HEADER.pack(self.seed, -self.width, 1), np.uint8)
        if not (rows[there, : LEAN_HEADER.size] == header).all():
            raise UserError(
                f"{self.path}: a row is not a LeanMinHash of {self.width} values and the seed {self.seed}"
            )
        values[~there] = minhash.EMPTY_VALUE
        return values

    def load_rows(self, priority: int) -> SplitRows:
        """Return the rows of all its documents. What a document has no content hash for is like no other."""
        table = self._file.read_all().drop_columns(["minhash"])
        count = len(table)
        row = np.arange(count, dtype=np.int64)
        own = splitmix(splitmix(row.astype(np.uint64)) ^ np.uint64(hash_path(self.path)))
        ids = np.stack([own, splitmix(own)], axis=1)
        names = table.schema.names
        return SplitRows(
            row=row,
            content=parse_hex(table.column("content_hash")) if "content_hash" in names else ids,
            url=table.column("url_key").to_numpy() if "url_key" in names else np.zeros(count, np.uint64),
            priority=np.full(count, priority, np.int32),
            quality=np.zeros(count, np.float32),
            length=np.zeros(count, np.int64),
            id=parse_hex(table.column("id")) if "id" in names else ids,
        )


def hash_path(path: str) -> int:
    """Return 64 bits of a name."""
    return int(xxhash.xxh3_64_intdigest(path.rpartition("/")[2].encode("utf-8", "surrogatepass")))
