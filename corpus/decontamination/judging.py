"""Weigh candidates: which of them are hits, by what the corpus itself says about how much a pair of tokens proves.

A pair weighs 1 if no sampled document has it and 0 if all have it (IDF: log(N / documents) / log N), times how much it
tells its item from the others of its set. A gram that is in many documents of many groups (sites, pages, repositories)
proves nothing, and so do the pairs in it: a famous quotation, a licence, a template. Only an item that stands there
whole, question and options or answer, is a hit however often it does.

A hit has two distinct features from different places of the item: of its quarters by weight, or of those of a question
that stands alone, two at least that are half matched; and

    enough weight in all (`MIN_WEIGHT`), and one of
    its question, alone (`MOST` of it where it has options; where it has none, `score`, and more if it is short)
    its question in part (`score`), and half of its options or its answer
    its answer, if it is long, or its options nearly whole, and some of its question

A passage is what questions are asked about: it is on record beside its question, and alone it is no hit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination.folded_tokens import GRAM
from corpus.decontamination.hits import read_part
from corpus.decontamination.item_index import ItemIndex
from corpus.decontamination.options import PARTS, DecontaminationOptions

Weights = NDArray[np.floating[Any]]
VERSION = 3
"""Increased when the same candidates would give other hits."""
LEAST_DOCUMENTS, MOST_DOCUMENTS = 1000, 8192
"""Documents that weights are computed for, as if a corpus had at least and at most so many: in a small one an item's
own pairs would be common, and in a large one what one document in 8,192 has would still lose weight."""
MIN_WEIGHT = 4.0
MIN_QUESTION_WEIGHT = 5.0
ALONE_MORE = 0.1
"""What a question that stands alone must have more of than one beside its options or its answer."""
MIN_BESIDE = 0.5
MIN_BESIDE_WEIGHT = 1.5
LONG_WEIGHT = 12.0
MOST, BESIDE_ENOUGH = 0.8, 6.0
WHOLE = 0.9
QUARTERS = 4
HIT, COMMON, SHADOWED, WEAK = "hit", "common", "shadowed", "weak"
"""Verdicts: a hit; one but for the guard against what is in many documents; one whose place in the document another
item explains better; too little."""
SHADOW = 0.9
"""Of hits in one place, those with less than this share of the best score are its shadows: items like it."""
SHADOW_ROWS = 256
"""Hits that are compared at a time with all that overlap them."""


@dataclass(frozen=True)
class PairWeights:
    """The weight of every pair of the vocabulary, and which grams are common."""

    weights: NDArray[np.float32]
    common: NDArray[np.bool_]


@dataclass(frozen=True)
class HitVerdict:
    """What a candidate came to: `score` from 0 to 1, and the parts of the item that are matched, with their shares."""

    kind: str
    score: float
    parts: Mapping[str, float]
    weight: float


def read_weights(path: str, options: DecontaminationOptions) -> PairWeights:
    """Return the weights in a file of `hits.WEIGHTS_SCHEMA`."""
    table = read_part(path)
    numbers: dict[tuple[str, str], NDArray[np.int64]] = {
        (kind, name): table[name][at].values.to_numpy()
        for at, kind in enumerate(table["kind"].to_pylist())
        for name in ("documents", "groups")
    }
    return PairWeights(
        weigh_pairs(numbers["pair", "documents"], int(numbers["all", "documents"][0])),
        find_common_grams(numbers["gram", "documents"], numbers["gram", "groups"], options),
    )


def weigh_pairs(counts: NDArray[np.int64], documents: int) -> NDArray[np.float32]:
    """Return the weight of each pair of the vocabulary by the number of documents that have it, of so many."""
    size = min(max(documents, LEAST_DOCUMENTS), MOST_DOCUMENTS)
    counts_of_size = counts * (size / max(documents, size))
    weights = np.log((size + 1) / (counts_of_size + 1.0)) / np.log(size + 1)
    bounded: NDArray[np.float32] = np.maximum(weights, 0).astype(np.float32)
    return bounded


def find_common_grams(
    documents: NDArray[np.int64], groups: NDArray[np.int64], options: DecontaminationOptions
) -> NDArray[np.bool_]:
    """Return which grams are in so many documents of so many groups that they prove nothing."""
    common: NDArray[np.bool_] = (documents >= options.common.documents) & (groups >= options.common.groups)
    return common


def judge_candidate(
    item: int,
    matched: NDArray[np.bool_],
    index: ItemIndex,
    weighed: PairWeights,
    options: DecontaminationOptions,
) -> HitVerdict:
    """Return the verdict on what a document holds of an item."""
    span = index.span(item)
    parts = index.pair_parts[span]
    weights = weighed.weights[index.pairs[span]] * index.pair_weights[span]
    plain = _judge_weights(weights, parts, matched, options)
    if plain.kind != HIT or _is_whole(plain):
        return plain
    common_pairs = mark_common_pairs(item, index, weighed.common)
    if not common_pairs.any():
        return plain
    guarded = _judge_weights(np.where(common_pairs, 0, weights), parts, matched, options, total=weights)
    return guarded if guarded.kind == HIT else HitVerdict(COMMON, plain.score, plain.parts, plain.weight)


def _is_whole(verdict: HitVerdict) -> bool:
    beside = [share for part, share in verdict.parts.items() if part in ("options", "answer")]
    return verdict.parts.get("question", 0) >= WHOLE and bool(beside) and max(beside) >= WHOLE


def _judge_weights(
    weights: Weights,
    parts: NDArray[np.uint8],
    matched: NDArray[np.bool_],
    options: DecontaminationOptions,
    total: Weights | None = None,
) -> HitVerdict:
    whole = weights if total is None else total
    gained = np.bincount(parts, weights * matched, minlength=len(PARTS))
    most = np.bincount(parts, whole, minlength=len(PARTS))
    shares = np.divide(gained, most, out=np.zeros(len(PARTS)), where=most > 1e-6)
    question, choices, answer, _ = shares.tolist()
    beside_most = most[1] + most[2]
    beside = (gained[1] + gained[2]) / beside_most if beside_most > 1e-6 else 0.0
    best_beside = max(
        choices if gained[1] >= MIN_BESIDE_WEIGHT else 0, answer if gained[2] >= MIN_BESIDE_WEIGHT else 0
    )
    weight = float(gained[:3].sum())
    least = options.score
    needed = least if gained[0] >= LONG_WEIGHT else least + ALONE_MORE
    if most[1] >= MIN_WEIGHT:
        needed = max(MOST, least)  # a question whose options are nowhere near is often a quotation in it
    alone = question >= needed and gained[0] >= MIN_QUESTION_WEIGHT
    together = question >= least and best_beside >= MIN_BESIDE
    solved = answer >= least + ALONE_MORE and gained[2] >= LONG_WEIGHT and question >= least / 2
    chosen = choices >= MOST and gained[1] >= BESIDE_ENOUGH and question >= least / 2
    chosen = chosen or (choices >= WHOLE and most[0] < MIN_BESIDE_WEIGHT)  # the question is a word or two
    score = question if beside_most <= 1e-6 else 0.7 * question + 0.3 * beside
    is_hit = (
        weight >= MIN_WEIGHT
        and (alone or together or solved or chosen)
        and (
            _has_two_places(weights, whole, parts < PARTS.index("passage"), matched)
            or (alone and _has_two_places(weights, whole, parts == PARTS.index("question"), matched))
        )
    )
    named = {part: round(float(share), 4) for part, share in zip(PARTS, shares, strict=True) if share > 0}
    return HitVerdict(HIT if is_hit else WEAK, round(float(score), 4), named, weight)


def _has_two_places(
    weights: Weights,
    whole: Weights,
    own: NDArray[np.bool_],
    matched: NDArray[np.bool_],
) -> bool:
    """Return whether two of the quarters of an item's `own` pairs are half matched."""
    reached = np.cumsum(whole[own])
    if not len(reached) or reached[-1] <= 0:
        return False
    quarter = np.minimum((QUARTERS * (reached - whole[own]) / reached[-1]).astype(np.int64), QUARTERS - 1)
    gained = np.bincount(quarter, (weights * matched)[own], minlength=QUARTERS)
    most = np.bincount(quarter, whole[own], minlength=QUARTERS)
    return int(((gained >= most / 2) & (gained > 0)).sum()) >= 2


def find_shadows(
    starts: NDArray[np.int64], ends: NDArray[np.int64], scores: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which hits of a document share half of their place, or of the other's, with a hit of a better score.

    Hits are compared with those that they overlap alone, so that thousands in one document cost no more than that.
    """
    order = np.lexsort((ends, starts))
    reached = np.maximum.accumulate(ends[order]) if len(order) else ends
    bounds = np.flatnonzero(starts[order][1:] >= reached[:-1]) + 1
    shadows = np.zeros(len(starts), np.bool_)
    for cluster in np.split(order, bounds):
        for at in range(0, len(cluster) if len(cluster) > 1 else 0, SHADOW_ROWS):
            some = cluster[at : at + SHADOW_ROWS]
            shared = np.minimum(ends[some, None], ends[cluster]) - np.maximum(
                starts[some, None], starts[cluster]
            )
            least = np.minimum(ends[some, None] - starts[some, None], ends[cluster] - starts[cluster])
            better = scores[some, None] < SHADOW * scores[cluster]
            shadows[some] = ((2 * shared >= least) & better).any(axis=1)
    return shadows


def find_spans(item: int, matched: NDArray[np.bool_], index: ItemIndex) -> Sequence[tuple[int, int]]:
    """Return the spans of an item's texts that are matched, in UTF-16 units, those that touch or overlap as one."""
    span = index.span(item)
    starts, ends = index.pair_starts[span][matched], index.pair_ends[span][matched]
    if not len(starts):
        return []
    new = np.flatnonzero(np.append(True, starts[1:] > ends[:-1] + 1))
    return list(zip(starts[new].tolist(), ends[np.append(new[1:], len(ends)) - 1].tolist(), strict=True))


def mark_common_pairs(item: int, index: ItemIndex, common: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pairs of an item lie in one of its common grams."""
    grams = index.pair_grams[index.span(item)]
    marked: NDArray[np.bool_] = (grams >= 0) & common[grams]
    if marked.any():
        begins = np.flatnonzero(marked)
        covered = np.unique((begins[:, None] + np.arange(GRAM - 1)).reshape(-1))
        marked[covered[covered < len(marked)]] = True
    return marked
