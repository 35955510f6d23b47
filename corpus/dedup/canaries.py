"""Pairs of known likeness, made from documents: what MinHash ought to find, to compare with what it finds.

A variant is made of a text's own words (lines, of source code) by arrays: some are replaced by those of another text,
the end is cut off, another text stands around it, pieces are in another order, or its characters are those of the other
Chinese script. How alike the two are is then counted: the Jaccard similarity of their sets of shingles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.dedup import minhash
from corpus.dedup.options import MinHashOptions
from corpus.dedup.shingles import IDEOGRAPHIC, SPACED, Shape, find_writing, hash_shingles
from corpus.text.folding import read_chinese_variants
from corpus.text.units import WORD, Units, find_pairs, to_text
from corpus.text.words import Words

VARIANT_KINDS = ("edits", "truncation", "boilerplate", "reordered", "script")
STEP_EDGES = (0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0 + 1e-9)
"""Likeness in steps around .5, .6, ... .9, and 1."""
PIECE_END = np.array([ord("\n")], np.uint16)
"""Stands behind the last piece of a text, which has nothing that ends it."""


def make_variant(
    document: Words, kind: str, likeness: float, other: Words, shape: Shape, seed: int
) -> str | None:
    """Return a text that is about so alike to `document`, given another one in its language; None if the document is
    too short, or has nothing that the kind could change. The same arguments give the same text."""
    if kind == "script":
        return _change_script(document.units)
    starts, ends, reach = _cut(document, shape)
    count = len(starts)
    if count < 4 * max(2, round(reach)):
        return None
    random = np.random.default_rng(seed)
    shared = 2 * likeness / (1 + likeness)
    """The share of its shingles that each of two texts of one length has in common with the other."""
    others = _cut(other, shape)[:2]
    pool = np.concatenate([document.units, PIECE_END, other.units, PIECE_END])
    own = len(document.units) + 1
    if kind == "edits":
        chosen = np.flatnonzero(random.random(count) < 1 - shared ** (1 / reach))
        if not len(others[0]):
            return None
        chosen = chosen if len(chosen) else random.integers(0, count, 1)
        drawn = random.integers(0, len(others[0]), len(chosen))
        starts[chosen], ends[chosen] = others[0][drawn] + own, others[1][drawn] + own
    elif kind == "truncation":
        until = max(1, round(likeness * count))
        starts, ends = starts[:until], ends[:until]
    elif kind == "boilerplate":
        added = round(count * (1 - likeness) / likeness)
        if not 0 < added <= len(others[0]):
            return None
        head = added // 2
        around = [[side[:head] + own, side[head:added] + own] for side in others]
        starts = np.concatenate([around[0][0], starts, around[0][1]])
        ends = np.concatenate([around[1][0], ends, around[1][1]])
    elif kind == "reordered":
        size = max(2, round((reach - 1) / max(1e-3, 1 - shared)))
        if count < 2 * size:
            return None
        piece = np.arange(count) // size
        order = np.argsort(random.permutation(piece[-1] + 1)[piece], kind="stable")
        starts, ends = starts[order], ends[order]
    else:
        raise ValueError(f"no kind of variant: {kind}")
    return to_text(_gather(pool, starts, ends))


def measure_likeness(ones: list[Words], others: list[Words], shape: Shape) -> NDArray[np.float64]:
    """Return the Jaccard similarity of the sets of shingles of each pair; 0 if neither has one."""
    hashes, counts = hash_shingles([*ones, *others], (len(ones) + len(others)) * [shape])
    sets = [np.unique(piece) for piece in np.split(hashes, np.cumsum(counts)[:-1])]
    alike = np.zeros(len(ones))
    for at, (one, other) in enumerate(zip(sets[: len(ones)], sets[len(ones) :], strict=True)):
        common = len(np.intersect1d(one, other, assume_unique=True))
        alike[at] = common / max(1, len(one) + len(other) - common)
    return alike


def find_step(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the step of likeness, named by its middle, that each value is in: .5 from .45 to .55; .4 is all below."""
    names = np.append(np.round(np.array(STEP_EDGES[:-1]) - 0.05, 2), round(STEP_EDGES[-2] + 0.05, 2))
    step: NDArray[np.float64] = names[np.searchsorted(STEP_EDGES[:-1], likeness, "right")]
    return step


@dataclass(frozen=True)
class Audit:
    """Pairs, by what became of each: how alike they are, whether they share a band, whether their signatures agree in
    enough values besides."""

    likeness: NDArray[np.float64]
    candidate: NDArray[np.bool_]
    verified: NDArray[np.bool_]

    def summarize(self, options: MinHashOptions) -> list[dict[str, float]]:
        """Return a row for each step of likeness: pairs, the shares that are candidates and verified, the share of
        candidates that 1 - (1 - s^r)^b leads one to expect, and the half width of the 95 % interval of the shares."""
        rows = []
        step = np.searchsorted(STEP_EDGES, self.likeness, "right") - 1
        for at in range(len(STEP_EDGES) - 1):
            chosen = step == at
            count = int(chosen.sum())
            if not count:
                continue
            share = float(self.candidate[chosen].mean())
            rows.append(
                {
                    "likeness": round(STEP_EDGES[at] + 0.05, 2),
                    "pairs": count,
                    "expected": float(expect_candidates(self.likeness[chosen], options).mean()),
                    "candidates": share,
                    "interval": 1.96 * (max(share * (1 - share), 1 / count) / count) ** 0.5,
                    "verified": float(self.verified[chosen].mean()),
                }
            )
        return rows


def expect_candidates(likeness: NDArray[np.float64], options: MinHashOptions) -> NDArray[np.float64]:
    """Return the probability that pairs share a band: 1 - (1 - s^rows)^bands."""
    bands, rows = options.banding
    expected: NDArray[np.float64] = 1 - (1 - likeness**rows) ** bands
    return expected


def audit_pairs(ones: list[Words], others: list[Words], shape: Shape, options: MinHashOptions) -> Audit:
    """Return what banding and verification make of pairs of documents."""
    likeness = measure_likeness(ones, others, shape)
    hashes, counts = hash_shingles([*ones, *others], (len(ones) + len(others)) * [shape])
    signatures = minhash.compute_signatures(hashes, counts, options.width, options.seed)
    keys = minhash.hash_bands(signatures, *options.banding)
    half = len(ones)
    candidate = (keys[:half] == keys[half:]).any(axis=1)
    matches = minhash.count_matches(signatures[:half], signatures[half:])
    return Audit(likeness, candidate, candidate & (matches >= options.matches))


def _cut(document: Words, shape: Shape) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Return where the pieces of a text begin and end, and how many of them a shingle touches. A piece is a word with
    what follows it, or lines up to one with a word; the last one has `PIECE_END` behind the text."""
    units = document.units
    if shape.lines:
        breaks = np.flatnonzero(units == ord("\n")) + 1
        edges = np.unique(np.concatenate([[0], breaks, [len(units)]]))
        lettered = np.append(0, np.cumsum(document.kinds & WORD > 0))
        edges = np.append(0, edges[1:][lettered[edges[1:]] > lettered[edges[:-1]]])
        if edges[-1] == len(units) and len(units) and units[-1] != ord("\n"):
            edges[-1] += 1
        return edges[:-1].astype(np.int64), edges[1:].astype(np.int64), float(shape.lines)
    starts = document.starts.astype(np.int64)
    ends = np.append(starts[1:], len(units) + 1)[: len(starts)]
    way = find_writing(units)
    if way == SPACED:
        return starts, ends, float(shape.words)
    length = shape.characters if way == IDEOGRAPHIC else 2 * shape.characters
    mean = float((document.ends - document.starts).mean()) if len(ends) else 1.0
    return starts, ends, 1 + (length - 1) / mean


def _gather(units: Units, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Units:
    """Return the units of spans one after the other."""
    lengths = ends - starts
    bounds = np.append(0, np.cumsum(lengths))
    gathered: Units = units[np.repeat(starts - bounds[:-1], lengths) + np.arange(bounds[-1])]
    return gathered


def _change_script(units: Units) -> str | None:
    """Return a Chinese text with each character in place of which another script has one so written; None if it has
    none."""
    folded, back = read_chinese_variants(), _read_other_script()
    plain = folded.take(units)
    changed = np.where(plain != units, plain, back.take(units))
    changed[find_pairs(units)] = units[find_pairs(units)]
    return to_text(changed) if np.count_nonzero(changed != units) > 0.02 * len(units) else None


def _read_other_script() -> Units:
    """Return for each character that stands for a class another one of it."""
    folded = read_chinese_variants()
    others = np.flatnonzero(folded != np.arange(0x10000))
    table = np.arange(0x10000, dtype=np.uint16)
    table[folded[others]] = others
    return table
