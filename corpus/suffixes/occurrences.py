"""Find a text in the indexed shards: how often it is there, in which documents, and which steps of a run read them.

A tokenizer cuts a text otherwise after a space, or where the next word grows onto it. So the text is looked for as it
is and after a space; and if neither is there, by its inner tokens, each place of which is compared with the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from tokenizers import Tokenizer

from corpus.errors import UserError
from corpus.suffixes.suffix_arrays import DEPTH, TokenIds, find_range
from corpus.suffixes.token_index import IndexedRange, IndexedShard, open_ranges
from corpus.trainer.dataset import Dataset, open_dataset
from corpus.trainer.loader import Loader, MappedShard, view_numbers
from corpus.workspace import Workspace

MAX_COMPARED = 20_000
"""Places of inner tokens that are looked at."""
COMPARED_ALL = 128
"""Of no more than so many the text around is compared; of more, which takes milliseconds a hundred, that of those whose
neighbours fit, and places where the inner tokens are cut otherwise are not counted."""
BROKEN = "\ufffd"
"""What a token that ends within a character is decoded to."""
AROUND = 24
"""Tokens on either side of a place that are shown."""
SAMPLES_AT_A_TIME = 1 << 18


@dataclass(frozen=True, kw_only=True)
class TextPlace:
    """A place of the text: the shard, the place of its first token there, the document, and what stands around it."""

    shard: str
    start: int
    tokens: int
    document: str
    language: str
    source: str
    split: str
    before: str
    text: str
    after: str


@dataclass(frozen=True, kw_only=True)
class TextPlaces:
    """How often a text is in the shards, and some of its places. `is_whole`: whether all places were counted."""

    count: int
    is_whole: bool
    places: Sequence[TextPlace]


class TokenFinder:
    """The index of a workspace, opened once for many texts."""

    def __init__(self, root: str) -> None:
        self.dataset: Dataset = open_dataset(root)
        self.ranges = open_ranges(root, self.dataset)
        try:
            self.tokenizer = Tokenizer.from_file(str(self.dataset.tokenizer))
        except Exception as error:  # tokenizers raises plain Exception
            raise UserError(f"{self.dataset.tokenizer} cannot be read: {error}") from error
        self._shards = {shard.path: shard for shard in self.dataset.shards}
        self._mapped: dict[str, MappedShard] = {}
        self._pieces: dict[int, str] = {}

    def find(self, text: str, count: int = 10) -> TextPlaces:
        """Find a text. Raises UserError for a blank one. Cost: a millisecond, and one for each place shown."""
        spelled = [self._encode(each) for each in dict.fromkeys((text, f" {text}"))]
        spelled = [
            tokens for at, tokens in enumerate(spelled) if len(tokens) and _is_new(tokens, spelled[:at])
        ]
        if not spelled or not text.strip():
            raise UserError("nothing to find: the text is blank")
        total = 0
        places: list[TextPlace] = []
        for tokens in spelled:
            for indexed, starts, number in self._search(tokens, count - len(places)):
                total += number
                places += [self._describe(indexed, start, len(tokens)) for start in starts]
        if total:
            return TextPlaces(count=total, is_whole=True, places=places[:count])
        return self._find_inside(text, spelled, count)

    def _encode(self, text: str) -> TokenIds:
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return np.array(ids, self.dataset.dtype)

    def _search(self, tokens: TokenIds, most: int) -> Iterator[tuple[IndexedRange, list[int], int]]:
        """Yield (range, some places, number of places) of tokens, for the ranges that have them."""
        for indexed in self.ranges:
            first, last = find_range(indexed.tokens, indexed.suffixes, tokens)
            if first == last:
                continue
            if len(tokens) <= DEPTH:
                yield (
                    indexed,
                    np.sort(indexed.suffixes[first : min(last, first + max(0, most))]).tolist(),
                    last - first,
                )
                continue
            starts = [
                start
                for start in np.sort(indexed.suffixes[first:last]).tolist()
                if np.array_equal(indexed.tokens[start : start + len(tokens)], tokens)
            ]
            if starts:
                yield indexed, starts[: max(0, most)], len(starts)

    def _find_inside(self, text: str, spelled: Sequence[TokenIds], count: int) -> TextPlaces:
        """Find the text by the inner tokens of its spellings; the first of these that has a place."""
        for tokens in spelled:
            inner = tokens[1:-1] if len(tokens) > 2 else tokens[1:] if len(tokens) > 1 else tokens[:0]
            if not len(inner):
                continue
            total, compared = 0, 0
            places: list[TextPlace] = []
            first, last = (
                self._decode(tokens[:1]),
                self._decode(tokens[-1:] if len(tokens) > 2 else tokens[:0]),
            )
            edges = (first if text.startswith(" ") else first.removeprefix(" "), last)
            for indexed, starts, number in self._search(inner, MAX_COMPARED):
                compared += number
                if number > COMPARED_ALL:
                    starts = self._choose_fitting(indexed, starts, len(inner), edges)
                for start in starts:
                    begin, end = max(0, start - 4), start + len(inner) + 4
                    if text in self._decode(indexed.tokens[begin:end]):
                        total += 1
                        if len(places) < count:
                            places.append(self._describe(indexed, max(0, start - 1), len(tokens)))
            if total:
                return TextPlaces(count=total, is_whole=compared <= COMPARED_ALL, places=places)
        return TextPlaces(count=0, is_whole=True, places=[])

    def _choose_fitting(
        self, indexed: IndexedRange, starts: Sequence[int], length: int, edges: tuple[str, str]
    ) -> list[int]:
        """Return the places of `length` inner tokens beside which what the text has before and after them may stand, as
        part of a longer token or in several. Looks at each distinct neighbour once."""
        places = np.array(starts, np.int64)
        for edge, step in zip(edges, (-1, length), strict=True):
            if not edge or BROKEN in edge:
                continue
            places = places[(places + step >= 0) & (places + step < len(indexed.tokens))]
            distinct, inverse = np.unique(indexed.tokens[places + step], return_inverse=True)
            pieces = [self._decode_one(number) for number in distinct.tolist()]
            if step < 0:
                fits = [piece.endswith(edge) or edge.endswith(piece) or BROKEN in piece for piece in pieces]
            else:
                fits = [
                    piece.startswith(edge) or edge.startswith(piece) or BROKEN in piece for piece in pieces
                ]
            places = places[np.array(fits, np.bool_)[inverse]]
        chosen: list[int] = places.tolist()
        return chosen

    def _decode_one(self, token: int) -> str:
        if token not in self._pieces:
            self._pieces[token] = str(self.tokenizer.decode([token], skip_special_tokens=False))
        return self._pieces[token]

    def _decode(self, tokens: TokenIds) -> str:
        return str(self.tokenizer.decode(tokens.tolist(), skip_special_tokens=False))

    def _describe(self, indexed: IndexedRange, start: int, length: int) -> TextPlace:
        piece = next(each for each in reversed(indexed.shards) if each.first <= start)
        document, language, low, high = self._find_document(piece, start)
        before = indexed.tokens[max(low, start - AROUND) : start]
        after = indexed.tokens[start + length : min(high - 1, start + length + AROUND)]
        shard = self._shards[piece.path]
        return TextPlace(
            shard=piece.path,
            start=start - piece.first + piece.start,
            tokens=length,
            document=document,
            language=language,
            source=shard.source,
            split=shard.split,
            before=self._decode(before),
            text=self._decode(indexed.tokens[start : start + length]),
            after=self._decode(after),
        )

    def _find_document(self, piece: IndexedShard, start: int) -> tuple[str, str, int, int]:
        """Return the id and language of the document at a place of a range, and where it begins and ends there."""
        mapped = self._mapped.get(piece.path)
        if mapped is None:
            mapped = MappedShard(self.dataset.folder / piece.path, self._shards[piece.path])
            self._mapped[piece.path] = mapped
        at = start - piece.first + piece.start
        batch = int(np.searchsorted(mapped.starts, at, side="right")) - 1
        rows = mapped.batches[batch]
        ends = view_numbers(rows.column("tokens").offsets)
        ends = ends - ends[0] + mapped.starts[batch]
        row = int(np.searchsorted(ends, at, side="right")) - 1
        shift = piece.first - piece.start
        document, language = (mapped.strings(rows, name)[row].as_py() for name in ("doc_id", "language"))
        return document, language, int(ends[row]) + shift, int(ends[row + 1]) + shift


def _is_new(tokens: TokenIds, others: Sequence[TokenIds]) -> bool:
    return not any(np.array_equal(tokens, other) for other in others)


def find_urls(root: str, documents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return `url` and `origin` of documents by id; without those that the workspace no longer has."""
    if not documents or not Path(root, "workspace.json").exists():
        return {}
    table = (
        Workspace.open(root)
        .documents()
        .scanner(columns=["id", "url", "origin"], filter=pc.field("id").isin(sorted(set(documents))))
        .to_table()
    )
    return {row["id"]: row for row in table.to_pylist()}


def find_steps(
    dataset: Dataset, loader: Loader, places: Sequence[TextPlace], steps: int, batch: int
) -> list[list[int]]:
    """Return, for each place, the steps of a run, from 1, whose samples hold its first token.

    `batch`: the samples of a step. Computed from the order of the run alone, .5 us a sample.
    """
    context = loader.context
    names = {stream.stream.name: number for number, stream in enumerate(loader.streams)}
    wanted: list[tuple[int, int, int]] = []
    for at, place in enumerate(places):
        name, first = _locate(dataset, place)
        number = names.get(name)
        if place.split != "train" or number is None:
            continue
        length = int(loader.lengths[number])
        windows = int(loader.order.windows[number])
        last = max(0, length - context - 1)
        for window in {min(first // context, windows - 1), windows - 1}:
            begin = min(window * context, last)
            if begin <= first < begin + context + 1:
                wanted.append((number, window, at))
    steps_of: list[set[int]] = [set() for _ in places]
    if wanted:
        keys = np.array([number << 40 | window for number, window, _ in wanted], np.int64)
        for start in range(0, steps * batch, SAMPLES_AT_A_TIME):
            stop = min(steps * batch, start + SAMPLES_AT_A_TIME)
            streams, _, numbers = loader.order.samples(start, stop)
            _add_steps(streams << 40 | numbers, keys, start, batch, [at for *_, at in wanted], steps_of)
    return [sorted(each) for each in steps_of]


def _add_steps(
    samples: npt.NDArray[np.int64],
    keys: npt.NDArray[np.int64],
    start: int,
    batch: int,
    owners: Sequence[int],
    steps_of: list[set[int]],
) -> None:
    for at in np.flatnonzero(np.isin(samples, keys)).tolist():
        for owner in np.flatnonzero(keys == samples[at]).tolist():
            steps_of[owners[owner]].add((start + at) // batch + 1)


def _locate(dataset: Dataset, place: TextPlace) -> tuple[str, int]:
    """Return the stream of a place, and its token there."""
    for stream in dataset.streams(place.split):
        first = 0
        for shard in stream.shards:
            if shard.path == place.shard:
                return stream.name, first + place.start
            first += shard.tokens
    return "", 0
