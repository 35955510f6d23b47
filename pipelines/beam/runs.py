"""Runs: Arrow files with the packed arrays that one item of a step made, for the ranges that read them.

An Arrow IPC file of batches of one row: the range that a packed array is for, the code of its kind, its bytes.
Files are written whole or not at all, under the name of the item that makes them: an item that is done again
leaves the same. They are read within the run of the pipeline that made them, so they are not synced to disk.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from corpus.errors import RunError

RUN_SCHEMA = pa.schema([("range", pa.int64()), ("kind", pa.uint8()), ("records", pa.large_binary())])


class RunChunk(NamedTuple):
    """Where a packed array lies: run file below the folder, batch. `size` is its length in bytes with its kind."""

    code: bytes
    size: int
    batch: int
    name: str

    def encode(self) -> bytes:
        """Return the chunk as a short element; its first byte is the code, as that of the packed array is."""
        return self.code + f"{self.batch} {self.size} {self.name}".encode()

    @staticmethod
    def decode(element: bytes) -> RunChunk:
        batch, size, name = element[1:].decode().split(" ", 2)
        return RunChunk(element[:1], int(size), int(batch), name)


def write_run(folder: str, name: str, elements: Iterable[tuple[int, bytes]]) -> list[tuple[int, RunChunk]]:
    """Write (range, packed array) to the run `name`, one at a time; return where each lies. No elements: no file."""
    path = f"{folder}/{name}.arrow"
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    chunks: list[tuple[int, RunChunk]] = []
    waiting = iter(elements)
    first = next(waiting, None)
    if first is None:
        return chunks
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with pa.OSFile(temporary, "wb") as stream, pa.ipc.new_file(stream, RUN_SCHEMA) as writer:
            element: tuple[int, bytes] | None = first
            while element is not None:
                key, packed = element
                writer.write_batch(_to_batch(key, packed))
                chunks.append((key, RunChunk(packed[:1], len(packed), len(chunks), name)))
                element = next(waiting, None)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return chunks


def _to_batch(key: int, packed: bytes) -> pa.RecordBatch:
    records = pa.py_buffer(memoryview(packed)[1:])
    ends = pa.py_buffer(np.array([0, len(packed) - 1], np.int64))
    return pa.RecordBatch.from_arrays(
        [
            pa.array([key], pa.int64()),
            pa.array([packed[0]], pa.uint8()),
            pa.LargeBinaryArray.from_buffers(pa.large_binary(), 1, [None, ends, records]),
        ],
        schema=RUN_SCHEMA,
    )


class RunReader:
    """Reads chunks from the runs of a folder; holds one file open, so ask in the order of names."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._name = ""
        self._source: pa.OSFile | None = None

    def read(self, chunk: RunChunk) -> pa.Buffer:
        """Return the records of a chunk, without the code of their kind. Raises RunError where the run is not whole."""
        if chunk.name != self._name:
            self._open(chunk.name)
        try:
            buffer: pa.Buffer = self._file.get_batch(chunk.batch).column(2)[0].as_buffer()
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(
                f"{self.folder}/{chunk.name}.arrow was damaged while it was in use: {error}"
            ) from None
        return buffer

    def _open(self, name: str) -> None:
        self.close()
        try:
            self._source = pa.OSFile(f"{self.folder}/{name}.arrow")
            self._file = pa.ipc.open_file(self._source)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(f"{self.folder}/{name}.arrow was damaged while it was in use: {error}") from None
        self._name = name

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source, self._name = None, ""


class StoredChunks:
    """The packed arrays of one range that lie in runs. Each iteration reads them anew, one at a time."""

    def __init__(self, folder: str, chunks: Iterable[RunChunk]) -> None:
        self.folder = folder
        self.chunks = sorted(chunks, key=lambda chunk: (chunk.name, chunk.batch))

    def of_kind(self, code: bytes) -> StoredChunks:
        """Return the chunks of one kind."""
        return StoredChunks(self.folder, [chunk for chunk in self.chunks if chunk.code == code])

    def sizes(self) -> Iterator[tuple[bytes, int]]:
        """Yield the code of each chunk's kind and the length of its records in bytes."""
        for chunk in self.chunks:
            yield chunk.code, chunk.size - 1

    def records(self) -> Iterator[tuple[bytes, pa.Buffer]]:
        """Yield the code of each chunk's kind and its records."""
        reader = RunReader(self.folder)
        try:
            for chunk in self.chunks:
                yield chunk.code, reader.read(chunk)
        finally:
            reader.close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the packed arrays as the engine would give them."""
        for code, records in self.records():
            yield code + records.to_pybytes()
