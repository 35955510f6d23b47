"""Find documents that may hold items, and what of each item stands there.

Grams of 6 tokens lead from a document to items. Around them the document is compared with the item by pairs of tokens,
which are more tolerant: from each place where a gram is shared, a hit grows in both directions over pairs that the
item has, in any order, and over gaps of tokens it has not. So what is reworded at the edges, labels
of options and options in another order cost no more than the words that differ; and a short answer counts only beside
its question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination.folded_tokens import GRAM, FoldedTokens, fold_tokens
from corpus.decontamination.item_index import ItemIndex
from corpus.text.hashes import Hashes, finalize, find_places
from corpus.text.units import Units, to_text, to_units

VERSION = 1
"""Increased when the same documents would give other candidates."""
PIECE_UNITS = 1 << 16
"""UTF-16 units that are searched at a time: as many as keep the arrays in the processor's cache."""
OVERLAP_UNITS = 2_048
MAX_GAP = 12
GAP_SHARE = 0.25
"""Successive tokens that an item has not, at most, within a hit: so many, or this share of the item's, if more."""
MAX_ITEMS = 256
"""Items that a document is compared with: those with the most grams in it."""
FEW_GRAMS = 16
"""A document that has one gram of an item is compared with it only if the item has no more than so many."""
MIN_PAIRS = 6
MIN_SHARE = 0.2
"""What is no candidate: fewer distinct pairs of an item, or a smaller share of its question and of all of it."""


@dataclass(frozen=True)
class Candidate:
    """An item of which a document holds something: characters [start, end) of it, and which of the item's pairs."""

    item: int
    start: int
    end: int
    matched: NDArray[np.bool_]


@dataclass(frozen=True)
class DocumentGrams:
    """What a document shares with the index: `grams` in their order, each with its `starts` in UTF-16 units."""

    document: int
    starts: NDArray[np.int64]
    grams: NDArray[np.int64]


def find_shared_grams(texts: Sequence[str], index: ItemIndex) -> Iterator[DocumentGrams]:
    """Yield what each of some documents shares with the index, for those that share anything, by their order."""
    documents: list[NDArray[np.int64]] = []
    starts: list[NDArray[np.int64]] = []
    grams: list[NDArray[np.int64]] = []
    for numbers, offsets, pieces in _gather_pieces(texts):
        units = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        ends = np.cumsum([len(piece) for piece in pieces])
        tokens = fold_tokens(units)
        at, gram = index.find_grams(tokens.hash_grams(GRAM))
        if not len(at):
            continue
        first, last = tokens.starts[at], tokens.ends[at + (GRAM - 1)]
        piece = np.searchsorted(ends, first, side="right")
        whole = last <= ends[piece]
        piece, first, gram = piece[whole], first[whole], gram[whole]
        documents.append(np.array(numbers, np.int64)[piece])
        begin = ends[piece] - np.array([len(each) for each in pieces])[piece]
        starts.append(np.array(offsets, np.int64)[piece] + first - begin)
        grams.append(gram)
    if not documents:
        return
    table = np.unique(np.stack([np.concatenate(each) for each in (documents, starts, grams)]), axis=1)
    named, bounds = np.unique(table[0], return_index=True)
    for number, part in zip(named.tolist(), np.split(table, bounds[1:], axis=1), strict=True):
        yield DocumentGrams(number, part[1], part[2])


def _gather_pieces(texts: Sequence[str]) -> Iterator[tuple[list[int], list[int], list[Units]]]:
    """Yield (documents, offsets, pieces) of up to `PIECE_UNITS` together; each piece ends with a border."""
    border = to_units("\n")
    numbers: list[int] = []
    offsets: list[int] = []
    pieces: list[Units] = []
    size = 0
    for number, text in enumerate(texts):
        units = to_units(text)
        for offset in range(0, max(1, len(units) - OVERLAP_UNITS), PIECE_UNITS - OVERLAP_UNITS):
            piece = np.append(units[offset : offset + PIECE_UNITS], border)
            if pieces and size + len(piece) > PIECE_UNITS:
                yield numbers, offsets, pieces
                numbers, offsets, pieces, size = [], [], [], 0
            numbers.append(number)
            offsets.append(offset)
            pieces.append(piece)
            size += len(piece)
    if pieces:
        yield numbers, offsets, pieces


def find_candidates(text: str, shared: DocumentGrams, index: ItemIndex) -> list[Candidate]:
    """Return the items of which a document holds enough to be weighed, by their number."""
    counts = index.gram_sizes[shared.grams]
    gram = np.repeat(np.arange(len(shared.grams)), counts)
    first = np.cumsum(counts) - counts
    posting = index.gram_firsts[shared.grams][gram] + np.arange(counts.sum()) - first[gram]
    item, start = index.gram_items[posting], shared.starts[gram]
    numbers, seeds = np.unique(item, return_counts=True)
    enough = (seeds > 1) | (index.gram_counts[numbers] <= FEW_GRAMS)
    numbers, seeds = numbers[enough], seeds[enough]
    chosen = np.sort(numbers[np.lexsort((numbers, -seeds))[:MAX_ITEMS]])
    units = to_units(text)
    candidates = [_compare(units, start[item == number], int(number), index) for number in chosen.tolist()]
    return [each for each in candidates if each is not None]


def _compare(units: Units, starts: NDArray[np.int64], item: int, index: ItemIndex) -> Candidate | None:
    """Return what a document holds of an item around the starts of shared grams; None if it is too little."""
    reach = 3 * int(index.item_sizes[item]) // 2 + 300
    starts = np.sort(starts)
    group = np.cumsum(np.diff(starts, prepend=starts[0]) > reach)
    best = int(np.bincount(group).argmax())
    starts = starts[group == best]
    low = max(0, int(starts[0]) - reach)
    region = units[low : int(starts[-1]) + reach]
    tokens = fold_tokens(region)
    span = index.span(item)
    own = index.pairs[span]
    there = find_places(index.vocabulary, finalize(tokens.hash_grams(2)))
    shared = np.flatnonzero(np.isin(there, own))
    gap = max(MAX_GAP, int(GAP_SHARE * len(own)))
    shared = _grow(shared, np.searchsorted(tokens.starts, starts - low), gap)
    matched = np.isin(own, there[shared])
    if not _is_enough(matched, own, index.pair_parts[span]):
        return None
    return Candidate(item, *_find_characters(units, low, tokens, shared), matched)


def _grow(shared: NDArray[np.int64], seeds: NDArray[np.int64], gap: int) -> NDArray[np.int64]:
    """Return the pairs that are connected with a gram at `seeds` by gaps of at most `gap` tokens."""
    run = np.cumsum(np.diff(shared, prepend=shared[0] if len(shared) else 0) > gap + 1)
    at = np.searchsorted(shared, seeds)
    inside = at[at < len(shared)]
    connected = run[inside[shared[inside] < seeds[at < len(shared)] + GRAM]]
    return shared[np.isin(run, connected)]


def _is_enough(matched: NDArray[np.bool_], pairs: NDArray[np.int32], parts: NDArray[np.uint8]) -> bool:
    if len(np.unique(pairs[matched])) < MIN_PAIRS:
        return False
    question = parts == 0
    shares = [matched.mean(), matched[question].mean() if question.any() else 0.0]
    return bool(max(shares) >= MIN_SHARE)


def _find_characters(
    units: Units, low: int, tokens: FoldedTokens, shared: NDArray[np.int64]
) -> tuple[int, int]:
    """Return the characters from the first token of a hit to its last."""
    first, last = low + int(tokens.starts[shared[0]]), low + int(tokens.ends[shared[-1] + 1])
    start = len(to_text(units[:first]))
    return start, start + len(to_text(units[first:last]))


def hash_distinct_pairs(texts: Sequence[str]) -> Iterator[Hashes]:
    """Yield the distinct pairs of tokens of each text."""
    for text in texts:
        yield np.unique(finalize(fold_tokens(text).hash_grams(2)))
