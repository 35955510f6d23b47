"""Find what documents share with the index of items: grams, which lead to items, and how common its pairs are.

Documents are searched some 65,000 UTF-16 units at a time, several short ones together, so that all cost is in passes
over arrays that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination.comparing import DocumentGrams
from corpus.decontamination.folded_tokens import GRAM, FoldedTokens, fold_tokens
from corpus.decontamination.item_index import ItemIndex
from corpus.text.units import Units, to_units

VERSION = 2
"""Increased when the same documents would give other candidates or counts."""
PIECE_UNITS = 1 << 16
"""UTF-16 units that are searched at a time: as many as keep the arrays in the processor's cache."""
OVERLAP_UNITS = 2_048


class _Batch:
    """Pieces of documents that are searched together, each with a border behind it."""

    def __init__(self) -> None:
        self.documents: list[int] = []
        self.offsets: list[int] = []
        self.pieces: list[Units] = []
        self.size = 0

    def add(self, document: int, offset: int, piece: Units) -> None:
        self.documents.append(document)
        self.offsets.append(offset)
        self.pieces += [piece, _BORDER]
        self.size += len(piece) + 1

    def fold(self) -> FoldedTokens:
        return fold_tokens(np.concatenate(self.pieces))

    def locate(
        self, tokens: FoldedTokens, at: NDArray[np.int64], length: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
        """Return which of the grams of `length` tokens at some places are within one piece, and of these the documents
        and the units of the documents in which they begin."""
        sizes = np.array([len(piece) for piece in self.pieces[::2]], np.int64) + 1
        ends = np.cumsum(sizes)
        first, last = tokens.starts[at], tokens.ends[at + (length - 1)]
        piece = np.searchsorted(ends, first, side="right")
        whole = last <= ends[piece]
        piece, first = piece[whole], first[whole]
        shift = np.array(self.offsets, np.int64) - ends + sizes
        return whole, np.array(self.documents, np.int64)[piece], first + shift[piece]


_BORDER = to_units("\n")


class TextScan:
    """What some documents share with an index, from one pass over their texts.

    `documents` and `sampled`: how many there are, and of how many the pairs are counted; `shared`: the grams of those
    that have any, by their order; `pair_counts`: in how many of the sampled ones each pair of the vocabulary is.
    """

    def __init__(
        self, texts: Sequence[str], index: ItemIndex, sampled: NDArray[np.bool_] | None = None
    ) -> None:
        """`sampled`: the documents whose pairs are counted; None: no document's."""
        self.documents = len(texts)
        self.sampled = int(sampled.sum()) if sampled is not None else 0
        self._index = index
        self._is_sampled = sampled if self.sampled else None
        self._found: list[NDArray[np.int64]] = []
        self._pairs: list[NDArray[np.int64]] = []
        for batch in _gather_pieces(texts):
            self._search(batch)

    def _search(self, batch: _Batch) -> None:
        tokens = batch.fold()
        at, gram = self._index.find_grams(tokens.hash_grams(GRAM))
        if len(at):
            whole, documents, starts = batch.locate(tokens, at, GRAM)
            self._found.append(np.stack([documents, starts, gram[whole]]))
        if self._is_sampled is not None and self._is_sampled[batch.documents].any():
            keys = [self._list_pairs(batch, tokens, length) for length in (1, 2)]
            self._pairs.append(_keep_distinct(np.concatenate(keys)))

    def _list_pairs(self, batch: _Batch, tokens: FoldedTokens, length: int) -> NDArray[np.int64]:
        """Return what sampled documents have of the vocabulary in `length` tokens: document and place in one number."""
        at, pair = self._index.find_pairs(tokens.hash_grams(length))
        whole, documents, _ = batch.locate(tokens, at, length)
        counted = self._is_sampled[documents] if self._is_sampled is not None else np.zeros(0, np.bool_)
        return documents[counted] * len(self._index.vocabulary) + pair[whole][counted]

    @property
    def shared(self) -> Iterator[DocumentGrams]:
        if not self._found:
            return
        table = np.concatenate(self._found, axis=1)
        table = table[:, np.lexsort(table[::-1])]
        repeated = (table[:, 1:] == table[:, :-1]).all(axis=0)  # where pieces overlap
        table = table[:, np.append(True, ~repeated)]
        named, bounds = np.unique(table[0], return_index=True)
        for number, part in zip(named.tolist(), np.split(table, bounds[1:], axis=1), strict=True):
            yield DocumentGrams(number, part[1], part[2])

    @property
    def pair_counts(self) -> NDArray[np.int64]:
        size = len(self._index.vocabulary)
        keys = np.concatenate([np.zeros(0, np.int64), *self._pairs])
        return np.bincount(_keep_distinct(keys) % max(1, size), minlength=size)


def _keep_distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every key once, sorted: as `numpy.unique`, in a third of the time."""
    keys = np.sort(keys)
    distinct: NDArray[np.int64] = keys[np.append(keys[:1] == keys[:1], keys[1:] != keys[:-1])]
    return distinct


def _gather_pieces(texts: Sequence[str]) -> Iterator[_Batch]:
    """Yield the pieces of texts, up to `PIECE_UNITS` together; pieces of a long one overlap."""
    batch = _Batch()
    for number, text in enumerate(texts):
        units = to_units(text)
        for offset in range(0, max(1, len(units) - OVERLAP_UNITS), PIECE_UNITS - OVERLAP_UNITS):
            piece = units[offset : offset + PIECE_UNITS]
            if batch.pieces and batch.size + len(piece) >= PIECE_UNITS:
                yield batch
                batch = _Batch()
            batch.add(number, offset, piece)
    if batch.pieces:
        yield batch
