"""Documents inside longer ones: shingles sampled by their hashes, and anchors made of neighbouring ones.

A shingle is sampled if its mixed hash is in the lowest `SAMPLED`th of all (FracMinHash: Irber et al., 2022), so a text
has the same samples wherever it stands, and the share of a short document's samples that a longer one has estimates
the share of its shingles. An anchor is made of two samples that follow each other, of the lowest `ANCHORED`th: a
passage has the same anchors in every document that it stands in, and unrelated documents hardly share any, as they
would single shingles.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.dedup.minhash import mix_hashes, splitmix

SAMPLED, ANCHORED = 2, 8
"""One in so many shingles is sampled; one in so many makes an anchor."""
MIN_SAMPLES = 16
"""Different samples of a document below which it is too short to be inside another: some 32 shingles."""
SKETCH_TYPE = pa.list_(pa.field("item", pa.uint32(), nullable=False))
ANCHOR_BAND_DTYPE = np.dtype([("key", "<u8"), ("number", "<i8"), ("order", "<u4")])
"""Record of an anchor of a content; `order` is the lower the longer it is."""


def sample_shingles(hashes: NDArray[np.uint32], counts: NDArray[np.int64]) -> pa.ListArray:
    """Return the samples of each document in the order of its text, given the hashes of all shingles, one document
    after the other, and the number that each has."""
    mixed = mix_hashes(hashes)
    sampled = mixed < (1 << 32) // SAMPLED
    before = np.append(0, np.cumsum(sampled))
    bounds = before[np.append(0, np.cumsum(counts))]
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(mixed[sampled]), type=SKETCH_TYPE)


def read_samples(column: pa.ListArray) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the samples of documents, one document after the other, and their bounds."""
    bounds: NDArray[np.int64] = column.offsets.to_numpy().astype(np.int64)
    values: NDArray[np.uint32] = column.values.to_numpy()[bounds[0] : bounds[-1]]
    return values, bounds - bounds[0]


def make_anchors(column: pa.ListArray, number: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the ANCHOR_BANDs of documents with these samples and numbers, each once."""
    values, bounds = read_samples(column)
    lengths = np.diff(bounds)
    document = np.repeat(np.arange(len(number)), lengths)
    chosen = values < (1 << 32) // ANCHORED
    values, document = values[chosen].astype(np.uint64), document[chosen]
    if not len(values):
        return np.empty(0, ANCHOR_BAND_DTYPE)
    joined = (document[1:] == document[:-1]) & (lengths[document[1:]] >= MIN_SAMPLES)
    anchors = np.empty(int(joined.sum()), ANCHOR_BAND_DTYPE)
    anchors["key"] = splitmix(values[:-1][joined] << np.uint64(32) | values[1:][joined])
    anchors["number"] = number[document[1:][joined]]
    anchors["order"] = np.uint32(0xFFFFFFFF) - lengths[document[1:][joined]].astype(np.uint32)
    distinct: NDArray[np.void] = np.unique(anchors)
    return distinct


def share_samples(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> tuple[float, float]:
    """Return the share of the smaller one of two sets of samples (sorted, each once) that the other has, and the share
    of both together that both have; 0 where the smaller one has fewer than `MIN_SAMPLES`."""
    least = min(len(one), len(other))
    if least < MIN_SAMPLES:
        return 0.0, 0.0
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / least, common / (len(one) + len(other) - common)
