"""Compare a document with the items that its grams lead to: what of each item stands there, place by place.

Around the grams of 6 tokens that it shares with an item, a document is compared by pairs of tokens, which are more
tolerant: from each shared gram a run grows in both directions over pairs that the item has, in any order, and over
gaps of tokens it has not. So what is reworded at the edges, labels of options and options in another order cost no
more than the words that differ; and a short answer counts only beside its question.

Runs that complete one another (a question, then its options after something else) are one place of the item. A run
that repeats what a place has already begins the next one: a document that holds an item five times has five places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination.folded_tokens import GRAM, FoldedTokens, fold_tokens
from corpus.decontamination.item_index import ItemIndex
from corpus.text.units import Units, find_pairs, to_units

MAX_GAP = 12
GAP_SHARE = 0.25
"""Successive tokens that an item has not, at most, within a run: so many, or this share of the item's, if more."""
MAX_GROUPS = 16_384
"""Groups of grams of a document that are compared with their items: those with the most grams."""
FEW_GRAMS = 16
"""A single gram of an item is followed only if the item has no more than so many."""
MIN_PAIRS = 6
MIN_SHARE = 0.2
"""What is no candidate: fewer distinct pairs of an item, or a smaller share of its question and of all of it."""
REPEATED = 0.5
"""The share of a run's pairs that a place has already if the run is not part of it."""

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Candidate:
    """A place of an item in a document: its characters [start, end), and which of the item's pairs are there."""

    item: int
    start: int
    end: int
    matched: NDArray[np.bool_]


@dataclass(frozen=True)
class DocumentGrams:
    """What a document shares with the index: `grams` in their order, each with its `starts` in UTF-16 units."""

    document: int
    starts: Places
    grams: Places


@dataclass(frozen=True)
class _GramGroup:
    """Grams of one item near one another: their starts, and the units [low, high) that are compared with the item."""

    item: int
    starts: Places
    low: int
    high: int


@dataclass(frozen=True)
class _Regions:
    """The tokens of the parts of a document that are compared: `starts` and `ends` in its units; `pairs` and `alone`:
    the places in the vocabulary of the pair that begins with each, and of the token itself, -1 for none."""

    starts: Places
    ends: Places
    pairs: Places
    alone: Places


def find_candidates(text: str, shared: DocumentGrams, index: ItemIndex) -> list[Candidate]:
    """Return the places of items of which a document holds enough to be weighed, by item and place."""
    units = to_units(text)
    groups = _group_grams(shared, index, len(units))
    if not groups:
        return []
    regions = _fold_regions(units, groups, index)
    own = np.zeros(len(index.vocabulary) + 1, np.bool_)  # and one more for what is not in the vocabulary
    seconds = np.flatnonzero(find_pairs(units)) + 1 if len(units) != len(text) else np.zeros(0, np.int64)
    candidates = []
    for group in groups:
        for first, last, matched in _find_item(group, regions, index, own):
            start, end = int(regions.starts[first]), int(regions.ends[last])
            before, within = np.searchsorted(seconds, (start, end)).tolist()
            candidates.append(Candidate(group.item, start - before, end - within, matched))
    return candidates


def _group_grams(shared: DocumentGrams, index: ItemIndex, length: int) -> list[_GramGroup]:
    """Return the groups of grams that are worth a comparison, by item and place."""
    counts = index.gram_sizes[shared.grams]
    gram = np.repeat(np.arange(len(shared.grams)), counts)
    first = np.cumsum(counts) - counts
    item = index.gram_items[index.gram_firsts[shared.grams][gram] + np.arange(len(gram)) - first[gram]]
    start = shared.starts[gram]
    order = np.lexsort((start, item))
    item, start = item[order].astype(np.int64), start[order]
    reach = 3 * index.item_sizes[item].astype(np.int64) // 2 + 300
    new = np.ones(len(item), np.bool_)
    new[1:] = (item[1:] != item[:-1]) | (start[1:] - start[:-1] > reach[1:])
    firsts = np.flatnonzero(new)
    ends = np.append(firsts[1:], len(item))
    sizes, items = ends - firsts, item[firsts]
    chosen = np.flatnonzero((sizes > 1) | (index.gram_counts[items] <= FEW_GRAMS))
    if len(chosen) > MAX_GROUPS:
        chosen = np.sort(chosen[np.lexsort((chosen, -sizes[chosen]))[:MAX_GROUPS]])
    return [
        _GramGroup(
            int(items[at]),
            start[firsts[at] : ends[at]],
            max(0, int(start[firsts[at]] - reach[firsts[at]])),
            min(length, int(start[ends[at] - 1] + reach[firsts[at]])),
        )
        for at in chosen.tolist()
    ]


def _fold_regions(units: Units, groups: Sequence[_GramGroup], index: ItemIndex) -> _Regions:
    """Return the tokens of all that groups reach, each part of the document once."""
    folded = [(low, fold_tokens(units[low:high])) for low, high in _join_spans(groups)]
    return _Regions(
        np.concatenate([tokens.starts + low for low, tokens in folded]),
        np.concatenate([tokens.ends + low for low, tokens in folded]),
        np.concatenate([_find_vocabulary(tokens, 2, index) for _, tokens in folded]),
        np.concatenate([_find_vocabulary(tokens, 1, index) for _, tokens in folded]),
    )


def _find_vocabulary(tokens: FoldedTokens, length: int, index: ItemIndex) -> Places:
    """Return, for each token, the place of what it begins and `length` tokens make in the vocabulary; -1 for none."""
    places = np.full(len(tokens), -1, np.int64)
    at, known = index.find_pairs(tokens.hash_grams(length))
    places[at] = known
    return places


def _join_spans(groups: Sequence[_GramGroup]) -> Iterator[tuple[int, int]]:
    """Yield the spans that groups cover together, by ascending place."""
    spans = sorted((group.low, group.high) for group in groups)
    low, high = spans[0]
    for start, end in spans:
        if start > high:
            yield low, high
            low, high = start, end
        high = max(high, end)
    yield low, high


def _find_item(
    group: _GramGroup, regions: _Regions, index: ItemIndex, own: NDArray[np.bool_]
) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Yield (first token, last token, matched) of each place of a group's item; tokens by their place in `regions`.

    `own`: a flag for each pair of the vocabulary, none of which is set before or after.
    """
    span = index.span(group.item)
    pairs = index.pairs[span]
    begin, end = np.searchsorted(regions.starts, (group.low, group.high)).tolist()
    own[pairs] = True
    paired, alone = own[regions.pairs[begin:end]], own[regions.alone[begin:end]]
    own[pairs] = False
    shared = begin + np.flatnonzero(paired | alone)
    gap = max(MAX_GAP, int(GAP_SHARE * len(pairs)))
    runs = _grow_runs(shared, np.searchsorted(regions.starts, group.starts), gap)
    for place in _gather_runs([(run, _list_pairs(run, regions, own, pairs)) for run in runs]):
        there = np.concatenate([of_run for _, of_run in place])
        own[there] = True
        matched = own[pairs]
        own[there] = False
        if _is_enough(matched, pairs, index.pair_parts[span]):
            last = int(place[-1][0][-1])
            yield int(place[0][0][0]), last + int(paired[last - begin]), matched


def _list_pairs(run: Places, regions: _Regions, own: NDArray[np.bool_], pairs: NDArray[np.int32]) -> Places:
    """Return the distinct pairs of an item, by their place in the vocabulary, that begin at some tokens."""
    there = np.unique(np.concatenate([regions.pairs[run], regions.alone[run]]))
    own[pairs] = True
    of_item: Places = there[own[there]]
    own[pairs] = False
    return of_item


def _grow_runs(shared: Places, seeds: Places, gap: int) -> list[Places]:
    """Return the runs of pairs that a gram at `seeds` is in; gaps in a run are of at most `gap` tokens."""
    if not len(shared):
        return []
    bounds = np.flatnonzero(np.diff(shared) > gap + 1) + 1
    at = np.searchsorted(shared, seeds)
    at = at[at < len(shared)] if at[-1] == len(shared) else at
    at = at[shared[at] < seeds[: len(at)] + GRAM]
    if not len(bounds):
        return [shared] if len(at) else []
    connected = np.unique(np.searchsorted(bounds, at, side="right")).tolist()
    edges = [0, *bounds.tolist(), len(shared)]
    return [shared[edges[run] : edges[run + 1]] for run in connected]


def _gather_runs(runs: list[tuple[Places, Places]]) -> Iterator[list[tuple[Places, Places]]]:
    """Yield the runs of each place; a run is (where its pairs begin, its distinct pairs)."""
    place: list[tuple[Places, Places]] = []
    seen: set[int] = set()
    for run in runs if len(runs) > 1 else []:
        pairs = run[1].tolist()
        if place and len(seen.intersection(pairs)) >= REPEATED * len(pairs):
            yield _leave_out_repeated(place)
            place, seen = [], set()
        place.append(run)
        seen.update(pairs)
    if len(runs) == 1:
        yield runs
    elif place:
        yield _leave_out_repeated(place)


def _leave_out_repeated(place: list[tuple[Places, Places]]) -> list[tuple[Places, Places]]:
    """Return the runs of a place from the first that has something which no later one has."""
    while len(place) > 1 and np.isin(place[0][1], np.concatenate([pairs for _, pairs in place[1:]])).all():
        place = place[1:]
    return place


def _is_enough(matched: NDArray[np.bool_], pairs: NDArray[np.int32], parts: NDArray[np.uint8]) -> bool:
    if len(np.unique(pairs[matched])) < MIN_PAIRS:
        return False
    question = parts == 0
    return bool(matched.mean() >= MIN_SHARE or (question.any() and matched[question].mean() >= MIN_SHARE))
