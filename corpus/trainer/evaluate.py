"""Bits per byte on the validation split, per source and language.

A document is read on its own: its first token follows an end-of-text, and it is cut into windows of the model's context
that share no context. Bits per byte = nats of its tokens / ln 2 / its UTF-8 bytes, the bytes as the shards record them;
the end-of-text itself stands for no byte and is not counted. So models with different tokenizers can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from corpus.trainer.dataset import Dataset
from corpus.trainer.device import autocast
from corpus.trainer.distributed import World
from corpus.trainer.loader import TokenStream
from corpus.trainer.model import GPT
from corpus.trainer.order import permute

Tokens = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A validation document: `tokens` without its end-of-text, a view of the mapped shard."""

    tokens: Tokens
    bytes: int
    language: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The validation documents looked at of one source and language, and the bytes of all there are."""

    source: str
    language: str
    documents: tuple[Document, ...]
    all_bytes: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """What was measured on one group: nats of its tokens, over its documents' bytes."""

    source: str
    language: str
    documents: int
    tokens: int
    bytes: int
    all_bytes: int
    nats: float

    @property
    def bits_per_byte(self) -> float:
        return self.nats / math.log(2) / self.bytes


def documents(stream: TokenStream) -> list[Document]:
    """The documents of a stream that have text, in the order of its shards."""
    found = []
    for number in range(len(stream.stream.shards)):
        shard = stream.shard(number)
        for batch, tokens in zip(shard.batches, shard.tokens, strict=True):
            offsets = batch.column("tokens").offsets.to_numpy()
            offsets = offsets - offsets[0]
            sizes = batch.column("bytes").to_pylist()
            languages = shard.strings(batch, "language").to_pylist()
            for row, (size, language) in enumerate(zip(sizes, languages, strict=True)):
                if size:
                    text = tokens[offsets[row] : offsets[row + 1] - 1]
                    found.append(Document(tokens=text, bytes=size, language=language))
    return found


def choose(found: list[Document], tokens: int) -> list[Document]:
    """Whole documents that add up to about `tokens` tokens, drawn in a fixed order; all if `tokens` is 0.

    A document longer than `tokens` is taken only where there is no shorter one.
    """
    if not tokens:
        return found
    places = np.arange(len(found))
    order = permute(places, np.full_like(places, len(found)), np.zeros(len(found), np.uint64))
    lengths = np.array([len(document.tokens) for document in found])[order]
    order, lengths = order[lengths <= tokens], lengths[lengths <= tokens]
    if not len(order):
        return [min(found, key=lambda document: len(document.tokens))]
    taken = max(1, int(np.searchsorted(np.cumsum(lengths), tokens, side="right")))
    return [found[i] for i in sorted(order[:taken].tolist())]


def validation(dataset: Dataset, tokens: int) -> tuple[Group, ...]:
    """What an evaluation looks at: about `tokens` tokens (0: all), as many for every source and language.

    It depends on the dataset alone, so that runs can be compared. Languages that share the shards of
    `language=other` count apart. Empty where the dataset has no validation split.
    """
    found: dict[tuple[str, str], list[Document]] = {}
    for stream in dataset.streams("valid"):
        for document in documents(TokenStream(dataset.folder, stream)):
            found.setdefault((stream.source, document.language), []).append(document)
    share = -(-tokens // max(1, len(found)))
    return tuple(
        Group(
            source=source,
            language=language,
            documents=tuple(choose(group, share)),
            all_bytes=sum(document.bytes for document in group),
        )
        for (source, language), group in sorted(found.items())
    )


def bits_per_byte(scores: Sequence[Score]) -> float:
    """Over all groups: each weighs as much as its bytes in the validation split, whatever part of it was looked at."""
    return sum(s.bits_per_byte * s.all_bytes for s in scores) / sum(s.all_bytes for s in scores)


@torch.no_grad()
def evaluate(
    model: GPT,
    groups: Sequence[Group],
    *,
    end_of_text: int,
    samples: int,
    bf16: bool = False,
    world: World | None = None,
) -> list[Score]:
    """The score of every group, computed `samples` windows at once; windows of like length go together.

    Of several processes each computes a part. The result does not depend on `samples` or the number of processes
    beyond rounding: sums are kept in fp64.
    """
    device = model.embedding.weight.device
    context = model.config.context
    windows = [
        (group, document.tokens, start)
        for group, chosen in enumerate(groups)
        for document in chosen.documents
        for start in range(0, len(document.tokens), context)
    ]
    windows.sort(key=lambda window: (-min(context, len(window[1]) - window[2]), window[0]))
    world = world or World()
    # As many in every process, since those of a divided model compute together: empty ones make up the number.
    windows += [(0, np.empty(0, np.int64), 0)] * (-len(windows) % world.size)
    windows = windows[world.rank :: world.size]
    nats = np.zeros(len(groups))
    for first in range(0, len(windows), samples):
        part = windows[first : first + samples]
        longest = max(1, min(context, len(part[0][1]) - part[0][2]))
        inputs = np.full((len(part), longest), end_of_text, np.int64)
        targets = np.full((len(part), longest), -1, np.int64)
        for row, (_, tokens, start) in enumerate(part):
            text = tokens[start : start + longest]
            targets[row, : len(text)] = text
            inputs[row, 1 : len(text)] = text[:-1]
            if start:
                inputs[row, 0] = tokens[start - 1]
        with autocast(device, bf16):
            losses = model.nats(torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device))
        np.add.at(nats, [group for group, _, _ in part], losses.double().sum(dim=1).cpu().numpy())
    nats = np.array(world.total(nats.tolist(), device))
    return [
        Score(
            source=group.source,
            language=group.language,
            documents=len(group.documents),
            tokens=sum(len(document.tokens) for document in group.documents),
            bytes=sum(document.bytes for document in group.documents),
            all_bytes=group.all_bytes,
            nats=float(total),
        )
        for group, total in zip(groups, nats, strict=True)
    ]
