"""Documents inside longer ones: how many are found, by the share of their shingles that stands there, and how rightly.

    CORPUS_DATA=... python -m tests.benchmarks.containment_benchmark --language tha --pairs 2000

Of windows of the texts of `canaries_benchmark`, pieces of 60 to 500 words (or 12 to 100 lines of code) are planted,
some of their words replaced by those of another text. Right are those of which so much stands there by all shingles,
or a tenth less.
"""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus.dedup.canaries import make_variant
from corpus.dedup.options import MinHashOptions
from corpus.dedup.pairs import deduplicate_pairs, generate_candidate_pairs
from corpus.dedup.shingles import hash_shingles
from corpus.dedup.signatures import SignatureStep
from corpus.dedup.sketches import make_anchors, read_samples, share_samples
from corpus.text.units import to_text
from corpus.text.words import Words, segment_words
from tests.benchmarks import bench
from tests.benchmarks.canaries_benchmark import LANGUAGES, read_texts

STEPS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.01)
SIZES = {"code": (12, 100)}


def cut_piece(words: Words, label: str | None, random: np.random.Generator) -> str:
    """A piece of a text: so many words, or lines of code."""
    low, high = SIZES.get("code" if label else "", (60, 500))
    if label:
        lines = to_text(words.units).splitlines(keepends=True)
        count = int(random.integers(low, high))
        start = int(random.integers(0, max(1, len(lines) - count)))
        return "".join(lines[start : start + count])
    count = min(int(random.integers(low, high)), len(words.starts) - 2)
    start = int(random.integers(0, len(words.starts) - count - 1))
    return to_text(words.units[words.starts[start] : words.starts[start + count]])


def measure(language: str, wanted: int, seed: int, threshold: float) -> None:
    options = MinHashOptions(containment=threshold)
    label = "code_python" if language == "code" else None
    shape = options.shape(label)
    longer = [segment_words(text, label) for text in read_texts(language)]
    random = np.random.default_rng(seed)
    shorter: list[Words] = []
    while len(shorter) < wanted:
        one, other = random.integers(0, len(longer), 2).tolist()
        piece = cut_piece(longer[one], label, random)
        if random.random() < 0.8:
            alike = float(random.uniform(0.5, 0.99))
            edited = make_variant(
                segment_words(piece, label), "edits", alike, longer[other], shape, len(shorter)
            )
            piece = edited or piece
        shorter.append(segment_words(piece, label))
    documents = [*longer, *shorter]
    start = time.process_time()
    column = SignatureStep(options).signatures(documents, [label] * len(documents)).column("sketch")
    signed = time.process_time() - start
    numbers = np.arange(len(documents))
    anchors = make_anchors(column, numbers)
    pieces = [np.empty((0, 2), np.int64), *generate_candidate_pairs(anchors, 256)]
    candidates = deduplicate_pairs(np.concatenate(pieces))
    values, bounds = read_samples(column)
    samples = [np.unique(own) for own in np.split(values, bounds[1:-1])]
    inner = {
        (low, high)
        for low, high in candidates.tolist()
        if share_samples(samples[low], samples[high])[0] >= threshold
    }
    spent = time.process_time() - start - signed

    hashes, counts = hash_shingles(documents, len(documents) * [shape])
    sets = [np.unique(own) for own in np.split(hashes, np.cumsum(counts)[:-1])]

    def share(low: int, high: int) -> float:
        common = len(np.intersect1d(sets[low], sets[high], assume_unique=True))
        return common / max(1, min(len(sets[low]), len(sets[high])))

    highest: NDArray[np.float64] = np.zeros(len(documents))
    for low in range(len(longer)):
        for high in range(len(longer), len(documents)):
            if len(sets[high]) >= 32:
                highest[high] = max(highest[high], share(low, high))
    inside = {high for low, high in inner if low < len(longer) <= high}
    right = sum(share(low, high) >= threshold - 0.1 for low, high in inner)
    print(f"\n{language}: {len(longer)} texts, {len(shorter)} pieces")
    print(f"  {len(candidates):,} candidates, {len(inner):,} found")
    print(
        f"  precision {right / max(1, len(inner)):.4f}; {signed:.2f} CPU s for sketches, {spent:.2f} for the rest"
    )
    for low_edge, high_edge in pairwise(STEPS):
        of_step = [at for at in range(len(longer), len(documents)) if low_edge <= highest[at] < high_edge]
        if of_step:
            recall = sum(at in inside for at in of_step) / len(of_step)
            print(f"  inside from {low_edge:.2f}: {len(of_step):>6,} pieces, {recall:.3f} found")


if __name__ == "__main__":
    parser = bench.parser(__doc__)
    parser.add_argument("--language", choices=[*LANGUAGES, "code"], nargs="*", default=[*LANGUAGES, "code"])
    parser.add_argument("--pairs", type=int, default=1000, help="planted pieces")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--containment", type=float, default=0.9)
    arguments = parser.parse_args()
    for chosen in arguments.language:
        measure(chosen, arguments.pairs, arguments.seed, arguments.containment)
