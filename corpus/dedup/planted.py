"""Canaries in a build: which documents variants are made of, and what the search made of each pair.

A canary is a variant of a document of known likeness (`corpus.dedup.canaries`). It goes the way of a document as far as
the comparison of signatures, beside the real ones and without any effect on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from corpus.dedup.canaries import VARIANT_KINDS, expect_candidates, make_variant, measure_likeness
from corpus.dedup.minhash import splitmix
from corpus.dedup.options import MinHashOptions
from corpus.dedup.rows import SplitRows, number_documents
from corpus.dedup.shingles import Shape
from corpus.text.words import Words, segment_words

PICK_DTYPE = np.dtype([("language", "<u8"), ("chance", "<u8"), ("number", "<i8"), ("order", "<u8")])
"""Record of a document that canaries can be made of: the hash of its language, its place among those, its order."""
PLANT_DTYPE = np.dtype([("number", "<i8"), ("turn", "<i8"), ("chance", "<u8"), ("order", "<u8")])
"""Record of a canary to be made: of which document, and the how manyeth of it."""
MAX_TURNS = 8
"""Canaries of one document, where a language has fewer documents than it is to have canaries."""
MIN_CHARACTERS, MAX_CHARACTERS = 200, 200_000
"""Characters of a document that a canary is made of."""
LEAST_LIKENESS, MOST_LIKENESS = 0.45, 0.97
TOLERATED_ERRORS = 3.0
"""Standard errors of a signature by which a pair may be less alike than the threshold and still rightly found."""

PLANTS_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("likeness", pa.float64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
"""Canaries while a search runs: the place of the document that each is made of, and its likeness to that."""
PLACE_COLUMNS = PLANTS_SCHEMA.names[:-1]
AUDIT_SCHEMA = pa.schema(
    [
        *(PLANTS_SCHEMA.field(name) for name in PLACE_COLUMNS),
        pa.field("expected", pa.float64(), nullable=False),
        pa.field("candidate", pa.bool_(), nullable=False),
        pa.field("verified", pa.bool_(), nullable=False),
        pa.field("found", pa.int64(), nullable=False),
        pa.field("right", pa.int64(), nullable=False),
        pa.field("shared", pa.uint64(), nullable=False),
        pa.field("bands", pa.int64(), nullable=False),
    ]
)
"""One row a canary. `expected`: the probability that it shares a band with its document; `candidate`: whether the two
were paired; `verified`: whether their signatures agree in enough values, too. `found`: documents that it was found
alike to, its own included, and `right`: those that it truly is. `shared`: bits of the bands that both have, of the
first 64; `bands`: how many there are of those."""


def pick_documents(
    rows: SplitRows,
    languages: Sequence[str | None],
    split: int,
    order: NDArray[np.uint64],
    count: int,
    seed: int,
) -> NDArray[np.void]:
    """Return PICKs: of each language's documents of a split as many as it can have canaries, drawn by their ids."""
    hashes = {label: xxhash.xxh3_64_intdigest(label.encode()) if label else 0 for label in set(languages)}
    language = np.array([hashes[label] for label in languages], np.uint64)
    fitting = (rows.length >= MIN_CHARACTERS) & (rows.length <= MAX_CHARACTERS) & (language != 0)
    drawn = splitmix(rows.id[:, 0] ^ splitmix(rows.id[:, 1] ^ np.uint64(seed)))
    picks = np.empty(len(rows), PICK_DTYPE)
    picks["language"], picks["chance"] = language, drawn
    picks["number"], picks["order"] = number_documents(split, rows.row), order
    return reduce_picks(picks[fitting], count)


def reduce_picks(picks: NDArray[np.void], count: int) -> NDArray[np.void]:
    """Return the first `count` PICKs of each language by their chance, and by it."""
    picks = picks[np.lexsort((picks["number"], picks["chance"], picks["language"]))]
    starts = np.flatnonzero(np.append(True, picks["language"][1:] != picks["language"][:-1])[: len(picks)])
    place = np.arange(len(picks)) - np.repeat(starts, np.diff(np.append(starts, len(picks))))
    chosen: NDArray[np.void] = picks[place < count]
    return chosen


def choose_plants(picks: NDArray[np.void], count: int) -> NDArray[np.void]:
    """Return PLANTs for the reduced PICKs: `count` of each language, several of a document where they are few."""
    chosen = [np.empty(0, PLANT_DTYPE)]
    for language in np.unique(picks["language"]):
        own = picks[picks["language"] == language]
        total = min(count, MAX_TURNS * len(own))
        at, turn = np.arange(total) % len(own), np.arange(total) // len(own)
        plants = np.empty(total, PLANT_DTYPE)
        plants["number"], plants["order"], plants["turn"] = own["number"][at], own["order"][at], turn
        plants["chance"] = splitmix(own["chance"][at] ^ splitmix(turn.astype(np.uint64)))
        chosen.append(plants)
    return np.concatenate(chosen)


def make_canary(
    document: Words, other: Words, label: str, shape: Shape, chance: int
) -> tuple[str, str, Words, float] | None:
    """Return the kind, text, words and likeness of a variant of a document; None if nothing can be made of it.

    `other` is another document in its language, or the document itself where there is none. Kind and likeness are drawn
    by `chance`; a kind that can change nothing gives way to another.
    """
    random = np.random.default_rng(chance)
    target = float(random.uniform(LEAST_LIKENESS, MOST_LIKENESS))
    kinds = [kind for kind in VARIANT_KINDS if kind != "script" or label.endswith(("_Hans", "_Hant"))]
    if other is document:
        kinds.remove("boilerplate")  # would repeat the text, which changes few of its shingles
    for at in random.permutation(len(kinds)).tolist():
        text = make_variant(document, kinds[at], target, other, shape, chance)
        if text:
            words = segment_words(text, label)
            return kinds[at], text, words, float(measure_likeness([document], [words], shape)[0])
    return None


def least_true_likeness(options: MinHashOptions) -> float:
    """Return the likeness from which a pair that was found alike is rightly found: below the threshold by no more than
    signatures err."""
    error = float(np.sqrt(options.threshold * (1 - options.threshold) / options.width))
    return options.threshold - TOLERATED_ERRORS * error


def find_shared_bands(
    ones: NDArray[np.uint32], others: NDArray[np.uint32], bands: int, rows: int
) -> NDArray[np.uint64]:
    """Return for each pair of signatures the bits of the bands in which they agree, of the first 64."""
    equal = (ones[:, : bands * rows] == others[:, : bands * rows]).reshape(len(ones), bands, rows).all(axis=2)
    bits = np.uint64(1) << np.arange(min(bands, 64), dtype=np.uint64)
    shared: NDArray[np.uint64] = (equal[:, :64] * bits).sum(axis=1, dtype=np.uint64)
    return shared


def build_audit_table(
    plants: pa.Table,
    candidate: NDArray[np.bool_],
    verified: NDArray[np.bool_],
    strangers: NDArray[np.int64],
    right_strangers: NDArray[np.int64],
    shared: NDArray[np.uint64],
    options: MinHashOptions,
) -> pa.Table:
    """Return rows of `AUDIT_SCHEMA` for canaries (rows of `PLANTS_SCHEMA` without text). `strangers`: how many
    documents besides its own each was found alike to, and `right_strangers`: how many of these rightly."""
    likeness = plants["likeness"].to_numpy()
    right = verified & (likeness >= least_true_likeness(options))
    columns = [
        *(plants[name] for name in PLACE_COLUMNS),
        pa.array(expect_candidates(likeness, options)),
        pa.array(candidate),
        pa.array(verified),
        pa.array(verified + strangers),
        pa.array(right + right_strangers),
        pa.array(shared),
        pa.array(np.full(len(plants), min(64, options.banding[0]), np.int64)),
    ]
    return pa.table(columns, schema=AUDIT_SCHEMA)
