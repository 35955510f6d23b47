"""Measure bits per byte on the validation split, per source and language.

Every document is read separately: its first token follows an end-of-text, and it is cut into windows of the model's
context, each evaluated without the one before it. Bits per byte = nats of its tokens / ln 2 / its UTF-8 bytes, the
bytes as the shards record them; the end-of-text itself has no bytes and is not counted. So models with different
tokenizers can be compared.
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
from corpus.trainer.order import permute_positions

TokenArray = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class EvaluationDocument:
    """A validation document: `tokens` without its end-of-text, a view of the mapped shard."""

    tokens: TokenArray
    bytes: int
    language: str


@dataclass(frozen=True, kw_only=True)
class EvaluationGroup:
    """The validation documents used of one source and language, and the bytes of all of them, used or not."""

    source: str
    language: str
    documents: tuple[EvaluationDocument, ...]
    all_bytes: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """The result for one group: the nats of its tokens, and its documents' bytes."""

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


def read_documents(stream: TokenStream) -> list[EvaluationDocument]:
    """Return the documents of a stream that have text, in the order of its shards."""
    with_text = []
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
                    with_text.append(EvaluationDocument(tokens=text, bytes=size, language=language))
    return with_text


def choose_documents(candidates: list[EvaluationDocument], tokens: int) -> list[EvaluationDocument]:
    """Choose whole documents that add up to about `tokens` tokens, in a fixed order; all if `tokens` is 0.

    A document longer than `tokens` is chosen only if there is no shorter one.
    """
    if not tokens:
        return candidates
    places = np.arange(len(candidates))
    order = permute_positions(
        places, np.full_like(places, len(candidates)), np.zeros(len(candidates), np.uint64)
    )
    lengths = np.array([len(document.tokens) for document in candidates])[order]
    order, lengths = order[lengths <= tokens], lengths[lengths <= tokens]
    if not len(order):
        return [min(candidates, key=lambda document: len(document.tokens))]
    taken = max(1, int(np.searchsorted(np.cumsum(lengths), tokens, side="right")))
    return [candidates[i] for i in sorted(order[:taken].tolist())]


def read_validation(dataset: Dataset, tokens: int) -> tuple[EvaluationGroup, ...]:
    """Return the documents of an evaluation: about `tokens` tokens (0: all), equally many per source and language.

    They depend on the dataset only, so that runs can be compared. Languages that share the shards of
    `language=other` are separate groups. Empty if the dataset has no validation split.
    """
    by_group: dict[tuple[str, str], list[EvaluationDocument]] = {}
    for stream in dataset.streams("valid"):
        for document in read_documents(TokenStream(dataset.folder, stream)):
            by_group.setdefault((stream.source, document.language), []).append(document)
    share = -(-tokens // max(1, len(by_group)))
    return tuple(
        EvaluationGroup(
            source=source,
            language=language,
            documents=tuple(choose_documents(group, share)),
            all_bytes=sum(document.bytes for document in group),
        )
        for (source, language), group in sorted(by_group.items())
    )


def bits_per_byte(scores: Sequence[Score]) -> float:
    """Return bits per byte over all groups, each weighted by its bytes in the whole validation split."""
    return sum(s.bits_per_byte * s.all_bytes for s in scores) / sum(s.all_bytes for s in scores)


def sum_scores(scores: Sequence[Score]) -> list[Score]:
    """Return one score for every source and language, in the order in which they come."""
    sums: dict[tuple[str, str], Score] = {}
    for score in scores:
        key = (score.source, score.language)
        earlier = sums.get(key)
        sums[key] = score if earlier is None else _add_scores(earlier, score)
    return list(sums.values())


def _add_scores(one: Score, other: Score) -> Score:
    return Score(
        source=one.source,
        language=one.language,
        documents=one.documents + other.documents,
        tokens=one.tokens + other.tokens,
        bytes=one.bytes + other.bytes,
        all_bytes=one.all_bytes + other.all_bytes,
        nats=one.nats + other.nats,
    )


@torch.no_grad()
def evaluate(
    model: GPT,
    groups: Sequence[EvaluationGroup],
    *,
    end_of_text: int,
    samples: int,
    bf16: bool = False,
    world: World | None = None,
) -> list[Score]:
    """Return the score of every group, computed in batches of `samples` windows of similar length.

    Several processes compute a part each. The result depends on `samples` and the number of processes only by
    rounding: sums are kept in fp64.
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
