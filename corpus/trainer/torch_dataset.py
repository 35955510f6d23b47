"""The trainer's samples as a dataset for PyTorch, for training loops of one's own.

Sample i is a pure function of the shards, the seed and i (order.py). So the dataset is map-style and already in its
order: a DataLoader without `shuffle` reads exactly the windows of `corpus train`, with any number of workers, and a
run resumes from a number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.data._utils.collate import default_collate_fn_map

from corpus.errors import UserError
from corpus.suggestions import list_choices
from corpus.trainer import dataset as tokens_folder
from corpus.trainer.loader import Loader, SampleBatch, count_windows
from corpus.trainer.mixture import compute_shares, read_mixture
from corpus.trainer.order import Ints, Order

Labels = Literal["same", "next", "both"]
Split = Literal["train", "valid"]
IGNORED_LABEL = -100
"""The label that cross-entropy of PyTorch and transformers ignores: that of padding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RankOrder(Order):
    """The part of an order that one process of several reads: samples first, first + world, first + 2 world ..."""

    first: int
    world: int

    def samples(self, start: int, stop: int) -> tuple[Ints, Ints, Ints]:
        """Return (stream, epoch, window) of the process's own samples start..stop-1.

        Computes those of the other processes in between too, half a microsecond each.
        """
        stream, epoch, window = super().samples(
            self.first + start * self.world, self.first + (stop - 1) * self.world + 1
        )
        return stream[:: self.world], epoch[:: self.world], window[:: self.world]


@dataclass(frozen=True, kw_only=True, eq=False)
class StraightOrder(RankOrder):
    """All windows of all streams in turn, each once an epoch, for validation."""

    def samples(self, start: int, stop: int) -> tuple[Ints, Ints, Ints]:
        ends = np.cumsum(self.windows)
        epoch, position = np.divmod(self.first + self.world * np.arange(start, stop), ends[-1])
        stream = np.searchsorted(ends, position, side="right")
        return stream, epoch, position - (ends - self.windows)[stream]


class PackedSample(dict[str, Tensor]):
    """One sample: int64 tensors of `context` values, by name."""


class PackedSamples(Sequence[PackedSample]):
    """Samples read together: a sequence of views into `batch`, whose tensors are (samples, context)."""

    def __init__(self, batch: dict[str, Tensor]) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch["input_ids"])

    def __getitem__(self, row: Any) -> Any:
        blocks = {key: block[row] for key, block in self.batch.items()}
        return PackedSamples(blocks) if isinstance(row, slice) else PackedSample(blocks)

    def __iter__(self) -> Iterator[PackedSample]:
        rows = zip(*(block.unbind(0) for block in self.batch.values()), strict=True)
        return (PackedSample(zip(self.batch, row, strict=True)) for row in rows)


def _collate(samples: Sequence[PackedSample], *, collate_fn_map: Any = None) -> dict[str, Tensor]:
    """Return samples as one batch, without copying those that were read together."""
    if isinstance(samples, PackedSamples):
        return samples.batch
    return {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}


default_collate_fn_map[PackedSample] = _collate
"""The way that PyTorch documents to teach `default_collate`, which a DataLoader uses, a type of sample."""


class PackedDataset(Dataset[PackedSample]):
    """Packed windows of a workspace's tokens in the trainer's order. `corpus.open(DIR).torch(...)` makes one.

    Item k of this process is sample `start + rank + k * world` of the run: together, the processes of a run read in
    their batches exactly the samples of the trainer's steps. `corpus docs loaders` has examples.

    Memory: the shards are mapped where they are first read, in each process, so that workers share one copy.
    """

    def __init__(
        self,
        workspace: str,
        *,
        context: int,
        split: Split = "train",
        seed: int = 0,
        mixture: str | None = None,
        labels: Labels = "same",
        position_ids: bool = False,
        start: int = 0,
        stop: int | None = None,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        """Open the tokens of a workspace, or a tokens folder itself; the parameters are those of `Workspace.torch`.

        Reads the end of each shard. Raises UserError, one line, for missing or damaged shards and wrong parameters.
        """
        _check_choice("split", split, get_args(Split))
        _check_choice("labels", labels, get_args(Labels))
        _check_number("context", context, 1)
        _check_number("start", start, 0)
        if stop is not None:
            _check_number("stop", stop, start + 1)
        self.rank, self.world = _find_rank(rank, world)
        dataset = tokens_folder.open_dataset(workspace)
        self._shares: dict[str, float] = {}
        if split == "valid":
            if mixture is not None:
                raise UserError(
                    "a mixture is for split='train': validation windows are read once each: leave it out"
                )
            shards = tuple(replace(shard, split="train") for shard in dataset.shards if shard.split == split)
            if not any(shard.tokens for shard in shards):
                raise UserError(
                    f"{dataset.folder}/dataset.json lists no validation tokens: use split='train'"
                )
            dataset = replace(dataset, shards=shards, mixture={})
        elif mixture is not None:
            self._shares = _weigh_streams(
                dataset, workspace, mixture, None if stop is None else stop * context
            )
        self._dataset = dataset
        self.context, self.split, self.seed, self.labels = context, split, seed, labels
        self.position_ids = position_ids
        self.start = start
        self._loader: Loader | None = None
        streams = [stream for stream, _ in dataset.weigh_streams(self._shares)]
        longest = max(streams, key=lambda stream: stream.tokens)
        if longest.tokens <= context:
            raise UserError(
                f"context {context:,}: no stream is that long: {longest.name}, the longest, has {longest.tokens:,} "
                f"tokens: choose at most {longest.tokens - 1:,}"
            )
        self.epoch_samples = sum(count_windows(stream.tokens, context) for stream in streams)
        """Windows of all streams: so many samples are an epoch of the whole, if not of each stream."""
        self.stop = (start // self.epoch_samples + 1) * self.epoch_samples if stop is None else stop
        self._length = (self.stop - start) // self.world
        if not self._length:
            raise UserError(
                f"samples {start:,} to {self.stop:,} are too few for {self.world:,} processes: raise `stop`"
            )

    def __len__(self) -> int:
        """Return the samples of this process, as many as of any other: up to `world` - 1 at the end are left out."""
        return self._length

    def __getitem__(self, item: int) -> PackedSample:
        """Return one sample: int64 tensors of `context` values by name. 20 microseconds; `__getitems__` costs less."""
        if item < 0:
            item += self._length
        if not 0 <= item < self._length:
            raise IndexError(f"item {item} of {self._length}")
        sample: PackedSample = self._convert(self._open().read(item, item + 1))[0]
        return sample

    def __getitems__(self, items: Sequence[int]) -> PackedSamples:
        """Return several samples, read together if their numbers follow each other. A DataLoader calls it."""
        if not len(items):
            raise IndexError("no items")
        first, last = int(items[0]), int(items[-1])
        if not all(0 <= item < self._length for item in items):
            raise IndexError(f"items {min(items)} to {max(items)} of {self._length}")
        loader = self._open()
        if last - first + 1 == len(items) and all(item == first + i for i, item in enumerate(items)):
            return self._convert(loader.read(first, last + 1))
        parts = [loader.read(int(item), int(item) + 1) for item in items]
        return self._convert(
            SampleBatch(
                tokens=np.concatenate([part.tokens for part in parts]),
                lengths=np.concatenate([part.lengths for part in parts]),
                streams=np.concatenate([part.streams for part in parts]),
            )
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loader": None}

    def __repr__(self) -> str:
        return (
            f"PackedDataset({self._dataset.name!r}, {self.split}, samples {self.start:,} to {self.stop:,} of context "
            f"{self.context:,}, seed {self.seed}, rank {self.rank} of {self.world})"
        )

    def _open(self) -> Loader:
        """Return this process's loader, which maps shards as they are read."""
        if self._loader is None:
            loader = Loader(self._dataset, context=self.context, seed=self.seed, shares=self._shares)
            order = loader.order
            made = StraightOrder if self.split == "valid" else RankOrder
            loader.order = made(
                tree=order.tree,
                windows=order.windows,
                keys=order.keys,
                first=self.start + self.rank,
                world=self.world,
            )
            self._loader = loader
        return self._loader

    def _convert(self, read: SampleBatch) -> PackedSamples:
        """Return samples as tensors of their own memory, contiguous: inputs, and the labels that were asked for."""
        tokens = read.tokens
        inputs = tokens[:, :-1].astype(np.int64)
        batch = {"input_ids": torch.from_numpy(inputs)}
        short = np.flatnonzero(read.lengths < tokens.shape[1]).tolist()
        if self.labels != "next":
            same = inputs.copy()
            for row in short:
                same[row, read.lengths[row] :] = IGNORED_LABEL
            batch["labels"] = torch.from_numpy(same)
        if self.labels != "same":
            following = tokens[:, 1:].astype(np.int64)
            for row in short:
                following[row, read.lengths[row] - 1 :] = IGNORED_LABEL
            batch["labels" if self.labels == "next" else "shift_labels"] = torch.from_numpy(following)
        if self.position_ids:
            batch["position_ids"] = torch.from_numpy(count_positions(inputs, self._dataset.end_of_text))
        return PackedSamples(batch)


def count_positions(tokens: npt.NDArray[np.int64], end_of_text: int) -> npt.NDArray[np.int64]:
    """Return each token's position in its document, for tokens (samples, context).

    A document begins with the end-of-text before it, as for `corpus train --mask-documents`.
    """
    places = np.arange(tokens.shape[1])
    begins = np.where(tokens == end_of_text, places, 0)
    positions: npt.NDArray[np.int64] = places - np.maximum.accumulate(begins, axis=1)
    return positions


def _weigh_streams(
    dataset: tokens_folder.Dataset, workspace: str, mixture: str, tokens: int | None
) -> dict[str, float]:
    try:
        asked = read_mixture(mixture, workspace)
        if asked.max_epochs is not None and tokens is None:
            raise UserError(
                f"mixture {mixture} has max_epochs, which needs a run of known length: give `stop`"
            )
        return compute_shares(asked, dataset.streams("train"), tokens)
    except UserError as error:  # they name the option of the command line
        raise UserError(str(error).removeprefix("--")) from None


def _find_rank(rank: int | None, world: int | None) -> tuple[int, int]:
    """Return (rank, world): as given, else of torch.distributed, else of the environment (torchrun), else 0 of 1."""
    if (rank is None) != (world is None):
        raise UserError("give both rank and world, or neither")
    if rank is None or world is None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        given = [os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")]
        try:
            rank, world = (int(text) for text in given)
        except ValueError:
            raise UserError(
                f"RANK={given[0]} WORLD_SIZE={given[1]} in the environment: must be numbers"
            ) from None
    _check_number("world", world, 1)
    if not 0 <= rank < world:
        raise UserError(f"rank {rank} of {world} processes: must be 0 to {world - 1}")
    return rank, world


def _check_number(name: str, value: int, least: int) -> None:
    if value < least:
        raise UserError(f"{name} {value:,}: must be at least {least:,}")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(f"{name} {value!r}: {list_choices(value, choices)}")
