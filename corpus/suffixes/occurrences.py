"""Find a text in the indexed shards: how often it is there, in which documents, and which steps of a run read them.

A tokenizer cuts a text otherwise after a space, or where the next word grows onto it. So the text is looked for as it
is and after a space; and if neither is there, by its inner tokens, each place of which is compared with the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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

MAX_COMPARED = 10_000
"""Places at a time that are looked at where what is sorted says too little: those of inner tokens, and of texts longer
than `DEPTH` tokens."""
MAX_DECODED = 64
"""Places of inner tokens of which the text around is decoded and compared, which takes milliseconds a hundred: those
whose neighbours fit, before all those beside which the whole rest of the text stands."""
CUT_OTHERWISE = 3
"""Tokens on either side of a text that the tokenizer may have cut otherwise, with what stands around."""
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


@dataclass(frozen=True)
class _Match:
    """What a range has of some tokens: the starts of places, int64, and how many there are, if `is_whole` all."""

    indexed: IndexedRange
    starts: npt.NDArray[np.int64]
    count: int
    is_whole: bool


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
        self._pieces = self._decode_pieces()
        self._sizes = np.array([*map(self._size_of, range(len(self._pieces)))], np.int64)
        self._ends = {
            step: np.array([_edge_of(piece, step) for piece in self._pieces], np.int32) for step in (0, -1)
        }

    def find(self, text: str, count: int = 10) -> TextPlaces:
        """Find a text. Raises UserError for a blank one.

        Cost: under a millisecond for each range, one for each place shown, and up to ten where only inner tokens are
        there.
        """
        spelled = [self._encode(each) for each in dict.fromkeys((text, f" {text}"))]
        spelled = [
            tokens for at, tokens in enumerate(spelled) if len(tokens) and _is_new(tokens, spelled[:at])
        ]
        if not spelled or not text.strip():
            raise UserError("nothing to find: the text is blank")
        total, is_whole = 0, True
        places: list[TextPlace] = []
        for tokens in spelled:
            for match in self._search(tokens, MAX_COMPARED):
                total += match.count
                is_whole &= match.is_whole
                shown = np.sort(match.starts[: max(0, count - len(places))]).tolist()
                places += [self._describe(match.indexed, start, len(tokens)) for start in shown]
        if total:
            return TextPlaces(count=total, is_whole=is_whole, places=places)
        inside = self._find_inside(text, spelled, count)
        return replace(inside, is_whole=inside.is_whole and is_whole)

    def _encode(self, text: str) -> TokenIds:
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return np.array(ids, self.dataset.dtype)

    def _search(self, tokens: TokenIds, most: int) -> Iterator[_Match]:
        """Yield the places of tokens in each range that has them, the starts of `most` in all ranges at most."""
        for indexed in self.ranges:
            first, last = find_range(indexed.tokens, indexed.suffixes, tokens)
            starts = indexed.suffixes[first : min(last, first + most)].astype(np.int64)
            most -= len(starts)
            count, is_whole = last - first, True
            if len(tokens) > DEPTH:
                is_whole = count == len(starts)
                starts = _keep_equal(indexed.tokens, starts, tokens)
                count = len(starts)
            if count or not is_whole:
                yield _Match(indexed, starts, count, is_whole)

    def _find_inside(self, text: str, spelled: Sequence[TokenIds], count: int) -> TextPlaces:
        """Find the text by inner tokens of its spellings, each place of which is compared with the text."""
        is_whole = len(spelled[0]) > CUT_OTHERWISE  # of fewer, all may be cut otherwise
        decoded = 0
        seen: set[tuple[str, int, int, int]] = set()
        places: list[TextPlace] = []
        searched = set()
        for tokens in spelled:
            for before, after in _choose_inner(len(tokens)):
                inner, before, matches = self._search_inner(tokens, before, after)
                edges = self._decode(tokens[:before]), self._decode(tokens[before + len(inner) :])
                size = int(self._sizes[tokens[:before]].sum())
                if not text.startswith(" "):
                    size -= edges[0].startswith(" ")
                    edges = edges[0].removeprefix(" "), edges[1]
                if (inner.tobytes(), edges) in searched:
                    continue
                searched.add((inner.tobytes(), edges))
                for match in matches:
                    is_whole &= match.is_whole and len(match.starts) == match.count
                    for start in self._choose_fitting(match, len(inner), edges):
                        if decoded >= MAX_DECODED:
                            is_whole = False
                            break
                        decoded += 1
                        if not self._stands_at(match.indexed, start, len(inner), edges, text):
                            continue
                        at, offset = self._step_back(match.indexed, start, size)
                        piece = match.indexed.shards[0]
                        if (piece.path, piece.start, at, offset) not in seen and len(places) < count:
                            places.append(self._describe(match.indexed, at, len(tokens)))
                        seen.add((piece.path, piece.start, at, offset))
        return TextPlaces(count=len(seen), is_whole=is_whole, places=places)

    def _step_back(self, indexed: IndexedRange, start: int, size: int) -> tuple[int, int]:
        """Return the token that has the byte so many before a place, and which of its bytes that is."""
        while size > 0 and start > 0:
            start -= 1
            size -= int(self._sizes[indexed.tokens[start]])
        return start, -size

    def _search_inner(self, tokens: TokenIds, before: int, after: int) -> tuple[TokenIds, int, list[_Match]]:
        """Return the tokens without some on either side, how many are left out before them, and their places: without
        fewer, one at a time, while there are more than can be looked at."""
        while True:
            inner = tokens[before : len(tokens) - after]
            matches = list(self._search(inner, MAX_COMPARED))
            if before + after <= 1 or sum(match.count for match in matches) <= MAX_COMPARED:
                return inner, before, matches
            before, after = (before - 1, after) if before > after else (before, after - 1)

    def _stands_at(
        self, indexed: IndexedRange, start: int, length: int, edges: tuple[str, str], text: str
    ) -> bool:
        """Return whether the text stands where its inner tokens do."""
        begin = max(0, start - len(edges[0].encode()))
        whole = self._decode(indexed.tokens[begin : start + length + len(edges[1].encode()) + 1])
        if text not in whole:
            return False
        left = self._decode(indexed.tokens[begin:start])
        if left.endswith(BROKEN) or BROKEN in edges[0]:
            return True
        return left.endswith(edges[0]) and whole.startswith(text, len(left) - len(edges[0]))

    def _choose_fitting(self, match: _Match, length: int, edges: tuple[str, str]) -> list[int]:
        """Return the places of `length` inner tokens beside which what the text has before and after them may stand, as
        part of a longer token or in several; first those where it stands in one on either side.

        By the nearest character of all neighbours, then by each distinct neighbour once.
        """
        tokens, places = match.indexed.tokens, match.starts
        sure = np.ones(len(places), np.bool_)
        for edge, step in zip(edges, (-1, length), strict=True):
            if not edge or BROKEN in edge:
                continue
            side = -1 if step < 0 else 0
            inside = (places + step >= 0) & (places + step < len(tokens))
            places, sure = places[inside], sure[inside]
            nearest = self._ends[side][tokens[places + step]]
            near = (nearest == ord(edge[side])) | (nearest < 0)
            places, sure = places[near], sure[near]
            distinct, inverse = np.unique(tokens[places + step], return_inverse=True)
            pieces = [self._pieces[number] for number in distinct.tolist()]
            whole = np.array([_touches(piece, edge, side) for piece in pieces], np.bool_)[inverse]
            part = np.array([_touches(edge, piece, side) or BROKEN in piece for piece in pieces], np.bool_)[
                inverse
            ]
            places, sure = places[whole | part], (sure & whole)[whole | part]
        return places[np.lexsort((places, ~sure))].tolist()  # type: ignore[no-any-return]

    def _size_of(self, token: int) -> int:
        """Return the bytes of a token; of one that ends within a character, the signs that stand for them."""
        piece = self._pieces[token]
        return len((self.tokenizer.id_to_token(token) or "") if BROKEN in piece else piece.encode())

    def _decode_pieces(self) -> list[str]:
        """Return the text of each token by its id."""
        numbers = [[number] for number in range(self.tokenizer.get_vocab_size())]
        return list(self.tokenizer.decode_batch(numbers, skip_special_tokens=False))

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


def _edge_of(piece: str, side: int) -> int:
    """Return the first or last character of a piece; -1 if it has none that is whole."""
    return ord(piece[side]) if piece and BROKEN not in piece else -1


def _touches(longer: str, shorter: str, side: int) -> bool:
    """Whether a text ends (side -1) or begins (0) with another."""
    return longer.endswith(shorter) if side < 0 else longer.startswith(shorter)


def _choose_inner(count: int) -> list[tuple[int, int]]:
    """Return how many tokens to leave out on either side of a text of so many: `CUT_OTHERWISE`, or all but each one."""
    if count > 2 * CUT_OTHERWISE:
        return [(CUT_OTHERWISE, CUT_OTHERWISE)]
    return [(at, count - 1 - at) for at in range(count)] if count > 1 else []


def _keep_equal(tokens: TokenIds, starts: npt.NDArray[np.int64], wanted: TokenIds) -> npt.NDArray[np.int64]:
    """Return those of some places, whose first `DEPTH` tokens are those wanted, at which all of them stand."""
    starts = starts[starts + len(wanted) <= len(tokens)]
    for at in range(DEPTH, len(wanted), DEPTH):
        part = wanted[at : at + DEPTH]
        places = starts[:, None] + np.arange(at, at + len(part))
        starts = starts[(tokens[places] == part).all(axis=1)]
    return starts


def _is_new(tokens: TokenIds, others: Sequence[TokenIds]) -> bool:
    """Whether tokens are not those of another spelling with more before them, whose places are the same."""
    return not any(np.array_equal(tokens[max(0, len(tokens) - len(other)) :], other) for other in others)


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
