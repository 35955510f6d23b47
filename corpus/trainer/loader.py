"""Read windows of tokens from memory-mapped Arrow shards.

A shard is mapped at its first use, with MADV_RANDOM, so that the kernel reads only the pages that a window touches
(pyarrow's own map reads the whole of a file that is not cached). The tokens of a record batch lie in one buffer: a
window is one slice of it, or two if it crosses into the next batch or shard, copied once, into the model's batch.
"""

from __future__ import annotations

import contextlib
import mmap
import resource
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import UserError
from corpus.trainer.dataset import Dataset, DatasetShard, DatasetStream
from corpus.trainer.order import Order, make_order

TokenArray = npt.NDArray[Any]
SPARE_OPEN_FILES = 256


def view_numbers(array: pa.Array) -> npt.NDArray[Any]:
    """Return the numbers of an array without nulls, not copied: as `to_numpy`, which imports pandas where there is one,
    in a third of a second."""
    dtype, data = np.dtype(str(array.type)), array.buffers()[1]
    if data is None:
        return np.zeros(0, dtype)
    return np.frombuffer(data, dtype)[array.offset : array.offset + len(array)]


def _view_lists(lists: pa.ListArray) -> TokenArray:
    """Return the numbers of lists one after the other. Raises ValueError for lists or numbers that are null."""
    if lists.null_count or lists.values.null_count:
        raise ValueError("lists of tokens with nulls")
    offsets = view_numbers(lists.offsets)
    return (
        view_numbers(lists.values)[offsets[0] : offsets[-1]] if len(lists) else view_numbers(lists.values)[:0]
    )


class MappedShard:
    """One memory-mapped shard: its record batches, and their tokens as numpy views of the map."""

    def __init__(self, path: Path, shard: DatasetShard) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            mapped.madvise(mmap.MADV_RANDOM)
            reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
            self.batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            for batch in self.batches:
                batch.validate()
            self.tokens = [_view_lists(batch.column("tokens")) for batch in self.batches]
        except FileNotFoundError:
            raise UserError(f"{path} is missing: build the tokens again, or copy the shard back") from None
        except (pa.ArrowException, OSError, ValueError, LookupError, AttributeError) as error:
            raise _damaged_error(path, error) from error
        self.starts = list(accumulate((len(tokens) for tokens in self.tokens), initial=0))
        if self.starts[-1] != shard.tokens:
            raise UserError(
                f"{path} holds {self.starts[-1]:,} tokens where dataset.json says {shard.tokens:,}: "
                "build the tokens again"
            )

    def copy(self, start: int, out: TokenArray) -> int:
        """Fill `out` with tokens from `start` up to the end of the shard; return how many."""
        number = bisect_right(self.starts, start) - 1
        offset = start - self.starts[number]
        wanted = len(out)
        piece = self.tokens[number][offset : offset + wanted]
        filled = len(piece)
        if filled == wanted:
            out[:] = piece
            return wanted
        out[:filled] = piece
        for piece in self.tokens[number + 1 :]:
            piece = piece[: wanted - filled]
            out[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def documents(self, start: int, stop: int) -> Iterator[tuple[str, str, int]]:
        """Yield (id, language, tokens) of the documents in tokens start..stop-1 of the shard, up to its end."""
        for batch, first, last in zip(self.batches, self.starts, self.starts[1:], strict=False):
            if last <= start or first >= stop:
                continue
            ids, languages = self.strings(batch, "doc_id"), self.strings(batch, "language")
            ends = view_numbers(batch.column("tokens").offsets)
            ends = ends - ends[0] + first
            row = max(0, int(np.searchsorted(ends, start, side="right")) - 1)
            while row < batch.num_rows and ends[row] < stop:
                tokens = int(min(ends[row + 1], stop) - max(ends[row], start))
                if tokens > 0:
                    yield ids[row].as_py(), languages[row].as_py(), tokens
                row += 1

    def strings(self, batch: pa.RecordBatch, name: str) -> pa.StringArray:
        """Return a column of text, fully validated first: damaged offsets would crash the process."""
        try:
            column = batch.column(name)
            column.validate(full=True)
        except (pa.ArrowException, LookupError) as error:
            raise _damaged_error(self.path, error) from error
        return column


def _damaged_error(path: Path, error: Exception) -> UserError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return UserError(f"{path} cannot be read ({reason}): build the tokens again, or copy the whole shard")


class TokenStream:
    """The tokens of a stream by position, across its shards; each shard is mapped at its first use."""

    def __init__(self, folder: Path, stream: DatasetStream) -> None:
        self.folder = folder
        self.stream = stream
        self.starts = list(accumulate((shard.tokens for shard in stream.shards), initial=0))
        self.length = self.starts[-1]
        self._mapped: list[MappedShard | None] = [None] * len(stream.shards)

    def shard(self, number: int) -> MappedShard:
        mapped = self._mapped[number]
        if mapped is None:
            shard = self.stream.shards[number]
            mapped = self._mapped[number] = MappedShard(self.folder / shard.path, shard)
        return mapped

    def copy(self, start: int, out: TokenArray) -> int:
        """Fill `out` with tokens from `start` up to the end of the stream; return how many."""
        number = bisect_right(self.starts, start) - 1
        if number == len(self._mapped):
            return 0
        shard = self._mapped[number] or self.shard(number)
        filled = shard.copy(start - self.starts[number], out)
        while filled < len(out) and number < len(self._mapped) - 1:
            number += 1
            filled += self.shard(number).copy(0, out[filled:])
        return filled

    def documents(self, start: int, count: int) -> Iterator[tuple[str, str, int]]:
        """Yield (id, language, tokens in it) of the documents in `count` tokens from `start`."""
        number = bisect_right(self.starts, start) - 1
        while number < len(self._mapped) and self.starts[number] < start + count:
            offset = self.starts[number]
            yield from self.shard(number).documents(start - offset, start + count - offset)
            number += 1


def count_windows(tokens: int, context: int) -> int:
    """Return the number of windows of a stream, `context` targets each; the last one overlaps the one before it."""
    return max(1, -(-(tokens - 1) // context))


@dataclass(frozen=True, kw_only=True)
class SampleBatch:
    """Samples ready for a model. `tokens` (samples, context + 1) in the shards' type: inputs and, shifted, targets."""

    tokens: TokenArray
    lengths: npt.NDArray[np.int64]
    """Tokens of each sample that are text; what follows, in a stream shorter than a window, is padding."""
    streams: npt.NDArray[np.int64]
    """Which stream each sample is from."""


class Loader:
    """Read the samples of a run by their numbers, from the training streams in the order that `seed` gives."""

    def __init__(
        self, dataset: Dataset, *, context: int, seed: int, shares: Mapping[str, float] | None = None
    ) -> None:
        streams, weights = zip(*dataset.weigh_streams(shares), strict=True)
        allow_open_files(len(dataset.shards) + SPARE_OPEN_FILES)
        self.dataset = dataset
        self.context = context
        self.weights: tuple[float, ...] = weights
        self.streams = [TokenStream(dataset.folder, stream) for stream in streams]
        self.lengths = np.array([stream.length for stream in self.streams], np.int64)
        self.order: Order = make_order(
            [stream.name for stream in streams],
            list(weights),
            [count_windows(stream.tokens, context) for stream in streams],
            fingerprint=dataset.fingerprint,
            seed=seed,
        )

    def read(self, start: int, stop: int) -> SampleBatch:
        """Return samples start..stop-1 of the run."""
        streams, _, numbers = self.order.samples(start, stop)
        size = self.context + 1
        tokens = np.empty((stop - start, size), dtype=self.dataset.dtype)
        sources = self.streams
        filled = [
            sources[stream].copy(first, window)
            for window, stream, first in zip(
                tokens, streams.tolist(), self._firsts(streams, numbers).tolist(), strict=True
            )
        ]
        lengths = np.array(filled, np.int64)
        for row in np.flatnonzero(lengths < size).tolist():
            tokens[row, lengths[row] :] = self.dataset.end_of_text
        largest = int(tokens.max())
        if largest >= self.dataset.vocabulary:
            raise UserError(
                f"{self.dataset.folder}: token {largest} in a shard, but dataset.json has a vocabulary of "
                f"{self.dataset.vocabulary}: build the tokens again"
            )
        return SampleBatch(tokens=tokens, lengths=lengths, streams=streams)

    def _firsts(
        self, streams: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the positions at which windows begin in their streams."""
        last = np.maximum(0, self.lengths[streams] - self.context - 1)
        return np.minimum(numbers * self.context, last)

    def count_targets(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the number of targets in samples start..stop-1 by stream, from the order only, without reading."""
        streams, _, _ = self.order.samples(start, stop)
        targets = [min(self.context, source.length - 1) for source in self.streams]
        samples: npt.NDArray[np.int64] = np.bincount(streams, minlength=len(targets))
        return samples * np.array(targets, np.int64)

    def documents(self, start: int, stop: int) -> list[DocumentPiece]:
        """Return the documents that samples start..stop-1 consist of, in the order of the samples."""
        streams, epochs, numbers = self.order.samples(start, stop)
        pieces = []
        firsts = self._firsts(streams, numbers).tolist()
        for sample, stream, epoch, first in zip(
            range(start, stop), streams.tolist(), epochs.tolist(), firsts, strict=True
        ):
            source = self.streams[stream]
            for document, language, tokens in source.documents(first, self.context + 1):
                pieces.append(
                    DocumentPiece(
                        sample=sample,
                        epoch=epoch,
                        source=source.stream.source,
                        language=language,
                        document=document,
                        tokens=tokens,
                    )
                )
        return pieces


@dataclass(frozen=True, kw_only=True)
class DocumentPiece:
    """A document's part of one sample: `tokens` of it are in the window."""

    sample: int
    epoch: int
    source: str
    language: str
    document: str
    tokens: int


def allow_open_files(wanted: int) -> None:
    """Raise this process's limit on open files, as far as the system allows: every mapped shard keeps one open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
